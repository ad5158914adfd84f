"""Texts of students in cells that a spreadsheet may open: none of them is a formula there."""

from __future__ import annotations

import re

# Where a spreadsheet may begin a cell: at the start, or, where it splits at other characters than commas, after these
_CELL = r"(?:^|(?<=[;,|\t\r\n]))"
# What it would run there; some skip spaces, and take full-width signs for the plain ones
_FORMULA = r"[ ']*[=+\-@\t\r\n＝＋－＠]"  # noqa: RUF001


def defused(text: str) -> str:
    """Text that a spreadsheet takes for text: an apostrophe before what would begin a formula.

    Apostrophes that stand there already are kept, so that `undefused` gives the text back, whatever it was.
    Source: OWASP, CSV Injection.
    """
    return re.sub(rf"{_CELL}(?={_FORMULA})", "'", text)


def undefused(text: str) -> str:
    """What `defused` was given."""
    return re.sub(rf"{_CELL}'(?={_FORMULA})", "", text)
