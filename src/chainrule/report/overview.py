"""How the class did: each unit's shares, who is graded, who is not, who was late; and the course's total."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from chainrule.report.grades import GRADED, MISSING, NOT_GRADED
from chainrule.report.statistics import Quartiles, quartiles


@dataclass(frozen=True, slots=True)
class UnitRow:
    """One unit. shares: of the points, penalties taken off, of those who are graded; spread: their quartiles.

    missing: not handed in, and it was due or nobody said when; still_open: not handed in and not due yet.
    """

    unit: str
    out_of: float
    graded: int
    not_graded: int
    missing: int
    still_open: int
    late: int
    shares: tuple[float, ...]
    spread: Quartiles


@dataclass(frozen=True, slots=True)
class Total:
    """The course so far: shares of those for whom anything counts yet, and how many have nothing that does."""

    shares: tuple[float, ...]
    spread: Quartiles
    without: int


def unit_rows(units: pd.DataFrame) -> list[UnitRow]:
    """In the units' order. `units` as in grades.unit_grades."""
    return [_unit_row(str(unit), rows) for unit, rows in units.groupby("unit", sort=True)]


def total(totals: pd.DataFrame) -> Total:
    """`totals` as in grades.course_grades."""
    shares = totals["share"].dropna().astype(float)
    return Total(tuple(shares), quartiles(shares.to_numpy()), len(totals) - len(shares))


def with_shares(units: pd.DataFrame) -> pd.DataFrame:
    """The same rows and `share`: final points of the unit's; missing where nothing is graded."""
    return units.assign(share=(units["final"] / units["out_of"]).where(units["out_of"] > 0))


def _unit_row(unit: str, rows: pd.DataFrame) -> UnitRow:
    shares = with_shares(rows)["share"].dropna()
    states = rows["state"]
    return UnitRow(
        unit,
        float(rows["out_of"].iloc[0]),
        int((states == GRADED).sum()),
        int((states == NOT_GRADED).sum()),
        int(((states == MISSING) & rows["counts"]).sum()),
        int(((states == MISSING) & ~rows["counts"]).sum()),
        int((rows["seconds_late"] > 0).sum()),
        tuple(shares),
        quartiles(shares.to_numpy(float)),
    )
