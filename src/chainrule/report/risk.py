"""Who may need help, by a rule that anybody can check; no model, and no mark."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from chainrule.report.grades import GRADED, MISSING, NOT_GRADED
from chainrule.report.overview import with_shares

MISSING_SHARE = 0.25  # of the units that were due: as many missing are a reason, and one at least
LOW = 0.50  # share of the course's points below which a student is low
FALL = 0.25  # by which the last unit's share lies below the mean of the earlier ones
EARLIER = 2  # earlier units that there must be for that

RULE = (
    f"a quarter or more of the units that were due are missing ({MISSING_SHARE:.0%}, and at least one)",
    f"the share of the points so far is below {LOW:.0%}",
    f"the last graded unit lies {100 * FALL:.0f} percentage points or more below the mean of the earlier ones "
    f"(at least {EARLIER})",
    "work was handed in and could not be graded",
)


@dataclass(frozen=True, slots=True)
class AtRisk:
    """One student with the reasons why. share: of the course's points so far, None where nothing counts yet."""

    student: str
    share: float | None
    graded: int
    missing: int
    reasons: tuple[str, ...]


def at_risk(units: pd.DataFrame, totals: pd.DataFrame) -> list[AtRisk]:
    """Most reasons first, then lowest share. `units` and `totals` as in grades.unit_grades and course_grades."""
    shares = totals.set_index("student")["share"]
    found = []
    for student, rows in units.groupby("student", sort=True):
        share = shares.get(student)
        share = None if share is None or pd.isna(share) else float(share)
        graded = rows[rows["state"] == GRADED]
        missing = rows[(rows["state"] == MISSING) & rows["counts"] & ~rows["extra"]]
        stuck = rows[rows["state"] == NOT_GRADED]
        asked = int((rows["counts"] & ~rows["extra"]).sum()) + len(stuck)
        reasons = []
        if len(missing) and len(missing) >= MISSING_SHARE * asked:
            reasons.append(f"{len(missing)} of {asked} units missing: {', '.join(missing['unit'])}")
        if share is not None and share < LOW:
            reasons.append(f"{share:.0%} of the points so far")
        reasons += [reason for reason in [_fall(graded)] if reason]
        if len(stuck):
            reasons.append(f"handed in, could not be graded: {', '.join(stuck['unit'])}")
        if reasons:
            found.append(AtRisk(str(student), share, len(graded), len(missing), tuple(reasons)))
    return sorted(found, key=lambda one: (-len(one.reasons), 2.0 if one.share is None else one.share, one.student))


def _fall(graded: pd.DataFrame) -> str | None:
    """In the order of the units' names, which is the course's."""
    rows = with_shares(graded).dropna(subset="share").sort_values("unit")
    shares = rows["share"].tolist()
    if len(shares) < EARLIER + 1:
        return None
    before = sum(shares[:-1]) / (len(shares) - 1)
    if before - shares[-1] < FALL:
        return None
    return f"fell from {before:.0%} on average to {shares[-1]:.0%} in {rows['unit'].iloc[-1]}"
