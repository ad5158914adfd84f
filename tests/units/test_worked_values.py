"""What seed 001 prints, against the instructor's notebooks: the right numbers come out, the wrong ones are taught."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parents[1]
ROWS = list(csv.DictReader((HERE / "worked_values.csv").open(encoding="utf-8")))
GATES = {"exp(-s2[1])": 1, "1+exp(-s2[1])": 2, "a2[1]": 3}
SINGLE = {
    "E row 1": ("02-loss", "E_row1"),
    "dE/dw2[0,1]": ("03-partials", "dE_dw2_01"),
    "dE/dw1[0,1]": ("03-partials", "dE_dw1_01"),
}
TABLES = {"c1": "c1_sum4", "c2": "c2_sum4", "w1*": "w1_star", "w2*": "w2_star"}


def value_of(quantity: str, answer_key: Callable[[str], Any]) -> float:
    """The instructor's number for a quantity as the seed writes it. The seed counts units from 1, numpy from 0."""
    partials = answer_key("03-partials")
    if quantity in SINGLE:
        unit, name = SINGLE[quantity]
        return float(answer_key(unit)[name])
    if quantity.startswith("graph: "):
        gate = quantity.removeprefix("graph: ")
        if gate in GATES:
            return float(partials["sigmoid_gates"](partials["s2"][0])[GATES[gate]])
        products = [partials["w2"][k, 0] * partials["a1"][k - 1] for k in (1, 2)]
        return float(sum(products)) if gate.startswith("sum") else float(products[int(gate[3]) - 1])
    if match := re.fullmatch(r"dE/da1\[(\d)\]", quantity):
        return float(partials["dE_da1"][int(match[1]) - 1])
    if match := re.fullmatch(r"(s1|a1|s2|a2)\[(\d)\]", quantity):
        return float(answer_key("01-forward")[match[1]][int(match[2]) - 1])
    match = re.match(r"(c1|c2|w1\*|w2\*)\[(\d),(\d)\]", quantity)
    assert match, f"no rule for {quantity}"
    return float(answer_key("04-sgd-tables")[TABLES[match[1]]][int(match[2]), int(match[3]) - 1])


@pytest.mark.parametrize("row", ROWS, ids=[row["quantity"] for row in ROWS])
def test_exact_value(row: dict[str, str], answer_key: Callable[[str], Any]) -> None:
    """Every worked number of the notebooks is the exact one, to ten decimals."""
    assert value_of(row["quantity"], answer_key) == pytest.approx(float(row["exact"]), abs=6e-11)


@pytest.mark.parametrize("row", [r for r in ROWS if r["verdict"] == "ok"], ids=lambda r: r["quantity"])
def test_printed_digits(row: dict[str, str], answer_key: Callable[[str], Any]) -> None:
    """What is printed right comes out to its printed digits."""
    digits = len(row["printed"].partition(".")[2])
    assert round(value_of(row["quantity"], answer_key), digits) == float(row["printed"])


@pytest.mark.parametrize("row", [r for r in ROWS if r["verdict"] == "wrong"], ids=lambda r: r["quantity"])
def test_printed_wrong_is_taught(row: dict[str, str], answer_key: Callable[[str], Any]) -> None:
    """What is printed wrong does not come out, and unit 04 speaks of it: by an item or in its prose."""
    assert abs(value_of(row["quantity"], answer_key) - float(row["printed"])) > 1e-3
    sums = answer_key("04-sgd-tables")
    match = re.match(r"(c1|w2\*)\[(\d),(\d)\]", row["quantity"])
    assert match
    if match[1] == "w2*":
        k, j = int(match[2]), int(match[3]) - 1
        assert sums["printed_w2_star"][k, j] == float(row["printed"])
        assert (k, j) in sums["wrong_cells"]
    else:
        text = (HERE.parent / "authoring" / "04-sgd-tables" / "notebook.py").read_text("utf-8")
        assert row["printed"] in text
