"""A feedback page's stamp: what it shows beside the notebook, so that a page which is out of date is known as such."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import asdict
from pathlib import Path

from chainrule.grading.feedback import Grades
from chainrule.policy.rules import DIGITS

LENGTH = 64  # bytes, more than a stamp has
STAMP = re.compile(r"\n<!-- shows [0-9a-f]{16} -->\n\Z")


def stamped(page: str, shown: Grades) -> str:
    """A page with the stamp of what it shows at its end, which says as well that it is whole."""
    return page.rstrip() + _stamp(shown)


def is_of(path: Path, shown: Grades) -> bool:
    """Whether a page was stamped for these grades; not, if it is not there."""
    try:
        with path.open("rb") as page:
            page.seek(-min(LENGTH, page.seek(0, os.SEEK_END)), os.SEEK_END)
            return page.read().endswith(_stamp(shown).encode())
    except OSError:
        return False


def read_page(path: Path) -> str:
    """A page; nothing where there is none that can be read."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def without_stamp(page: str) -> str:
    """A page as nbgrader's own command would leave it."""
    return STAMP.sub("", page).rstrip()


def _stamp(shown: Grades) -> str:
    text = json.dumps(asdict(shown), default=str, sort_keys=True)
    # points that are summed by a database and those that are not may differ in their last digits
    tree = json.loads(text, parse_float=lambda number: round(float(number), DIGITS))
    return f"\n<!-- shows {hashlib.sha256(json.dumps(tree).encode()).hexdigest()[:16]} -->\n"
