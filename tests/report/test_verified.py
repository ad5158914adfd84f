"""docs/verified.md is of the units as they are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chainrule.cases import MARGIN
from chainrule.course import Course
from chainrule.report.verified import row, version_line
from chainrule.verify import verify

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "verified.md"
UNITS = Course(ROOT).units()
STALE = "docs/verified.md is stale. Run: chainrule verify --write docs/verified.md"


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_document_is_of_this_version(unit):
    """Every unit stands there with its present version and the number of its items, slips and equivalents."""
    section = DOCUMENT.read_text("utf-8").partition(f"## {unit.name}\n")[2].partition("\n## ")[0]
    assert version_line(unit) in section, STALE
    for item in unit.items.values():
        found = re.search(rf"^\| {re.escape(item.id)} \| {item.points:g} \| (\d+) \| (\d+) \|", section, re.MULTILINE)
        assert found, STALE
        assert (int(found[1]), int(found[2])) == (len(item.slips), len(item.same)), STALE


def test_every_margin_is_wide_enough():
    """No margin in the document is below the least that verify lets pass."""
    cells = [
        cell.strip()
        for line in DOCUMENT.read_text("utf-8").splitlines()
        if line.startswith("| ")
        for cell in line.split("|")[6:8]
    ]
    numbers = [float(cell) for cell in cells if re.fullmatch(r"[\d.e+]+", cell)]
    assert len(numbers) > 50
    assert min(numbers) >= MARGIN


@pytest.mark.slow
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_document_says_what_verify_measures(unit):
    """Measured anew, every line of the document comes out."""
    text = DOCUMENT.read_text("utf-8")
    assert [row(report) for report in verify(unit) if row(report) not in text] == []
