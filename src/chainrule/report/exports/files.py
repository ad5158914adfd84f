"""What all exports share: what was written, and numbers and names as text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

DIGITS = 5  # after the point, which is what Moodle keeps of a grade; Canvas shows two


@dataclass(frozen=True, slots=True)
class Written:
    """One format's files. notes: what the person who asked should know; look: some of it needs their attention."""

    path: Path
    files: int = 1
    notes: tuple[str, ...] = ()
    look: bool = False


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
