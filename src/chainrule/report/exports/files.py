"""What all exports share: files that are whole or not there, cells that no spreadsheet runs, and numbers as text."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from chainrule.errors import CourseError

DIGITS = 5  # after the point, which is what Moodle keeps of a grade; Canvas shows two

# Where a spreadsheet may begin a cell: at the start, or, where it splits at other characters than commas, after these
_CELL = r"(?:^|(?<=[;,|\t\r\n]))"
# What it would run there; some skip spaces, and take full-width signs for the plain ones
_FORMULA = r"[ ']*[=+\-@\t\r\n＝＋－＠]"  # noqa: RUF001


@dataclass(frozen=True, slots=True)
class Written:
    """One format's files. notes: what the person who asked should know; look: some of it needs their attention."""

    path: Path
    files: int = 1
    notes: tuple[str, ...] = ()
    look: bool = False


def write_whole(path: Path, content: bytes) -> None:
    """Write a file under another name first, so that the path never holds half of it."""
    part = path.with_name(f".part-{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("xb") as file:
                file.write(content)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise CourseError(
            f"{path} cannot be written ({error.strerror}). Make room for it, or name another folder with --to."
        ) from error


def defused(text: str) -> str:
    """Text that a spreadsheet takes for text: an apostrophe before what would begin a formula.

    Apostrophes that stand there already are kept, so that `undefused` gives the text back, whatever it was.
    Source: OWASP, CSV Injection.
    """
    return re.sub(rf"{_CELL}(?={_FORMULA})", "'", text)


def undefused(text: str) -> str:
    """What `defused` was given."""
    return re.sub(rf"{_CELL}'(?={_FORMULA})", "", text)


def number(value: float) -> str:
    """Points with a decimal point and no more digits than they need: 2, 1.5, 0.33333."""
    return f"{value:.{DIGITS}f}".rstrip("0").rstrip(".")


def said(value: object) -> str:
    """A cell's text; nothing where the gradebook has none."""
    return "" if pd.isna(value) else str(value)


def one_line(text: str) -> str:
    return " ".join(text.split())


def label(row: pd.Series) -> str:
    """A student as people read it, on one line: `Last, First (id)`, or the id where there is no name."""
    name = ", ".join(filter(None, (one_line(said(row[part])) for part in ("last_name", "first_name"))))
    return f"{name} ({row['student']})" if name else str(row["student"])


def listed(head: str, names: Iterable[str]) -> tuple[str, ...]:
    """One note that names people, or none where there is nobody to name."""
    found = "; ".join(names)
    return (f"{head}: {found}",) if found else ()
