"""How scores changed from one submission to the next, out of the history that grading keeps."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from sqlalchemy import inspect, select

from chainrule.course import Course
from chainrule.grading.database import reading
from chainrule.grading.history import HISTORY

SAME = 1e-9  # shares closer than this are equal


def history_table(course: Course) -> pd.DataFrame:
    """One row a grading, oldest first, as grading.history keeps them; empty where there are none."""
    columns = [column.name for column in HISTORY.columns]
    with reading(course) as gradebook:
        if gradebook is None or not inspect(gradebook).has_table(HISTORY.name):
            return pd.DataFrame(columns=columns)
        rows = gradebook.execute(select(HISTORY).order_by(HISTORY.c.id)).all()
    return pd.DataFrame(rows, columns=columns)


def submissions(history: pd.DataFrame) -> pd.DataFrame:
    """One row a submission: student, unit, attempt (from 1), share of the points, handed_in.

    Gradings of the same work one after the other are one submission, with the score of the last of them; of work
    that could not be read nobody knows that it changed. Share is missing where nothing could be graded.
    """
    rows = history.sort_values("id")
    work = rows["work"].astype(object).where(rows["work"].notna(), "")
    before = work.groupby([rows["student"], rows["unit"]]).shift()
    rows = rows.assign(attempt=(work != before).astype(int).groupby([rows["student"], rows["unit"]]).cumsum())
    last = rows.groupby(["student", "unit", "attempt"], sort=True).tail(1)
    share = (last["score"].astype(float) / last["out_of"].astype(float)).rename("share")
    return last[["student", "unit", "attempt", "handed_in"]].assign(share=share).reset_index(drop=True)


@dataclass(frozen=True, slots=True)
class Resubmitted:
    """One unit's submissions. once, more: students who handed in once, and more than once.

    Of those of the latter whose first and last work could be graded (`compared`): how many rose, fell or stayed, and
    the mean share of the first and of the last. mended: their first work could not be graded and their last could.
    """

    unit: str
    once: int
    more: int
    most: int
    compared: int
    rose: int
    stayed: int
    fell: int
    mended: int
    first: float | None
    last: float | None


def resubmitted(attempts: pd.DataFrame) -> list[Resubmitted]:
    """By unit. `attempts` as `submissions` gives them."""
    found = []
    for unit, rows in attempts.groupby("unit", sort=True):
        counts = rows.groupby("student").size()
        again = rows[rows["student"].isin(counts.index[counts > 1])].sort_values("attempt")
        ends = pd.DataFrame(
            {
                keep: again.drop_duplicates("student", keep=keep).set_index("student")["share"]
                for keep in ("first", "last")
            }
        )
        both = ends.dropna()
        change = both["last"] - both["first"]
        found.append(
            Resubmitted(
                str(unit),
                int((counts == 1).sum()),
                int((counts > 1).sum()),
                int(counts.max()),
                len(both),
                int((change > SAME).sum()),
                int((change.abs() <= SAME).sum()),
                int((change < -SAME).sum()),
                int((ends["first"].isna() & ends["last"].notna()).sum()),
                float(both["first"].mean()) if len(both) else None,
                float(both["last"].mean()) if len(both) else None,
            )
        )
    return found


def by_attempt(attempts: pd.DataFrame) -> pd.DataFrame:
    """The class's trend: over work that was handed in more than once and could be graded, a row for each attempt.

    Columns: attempt, n, share (the mean). n falls from one to the next, as fewer hand in a third time than a second.
    """
    counts = attempts.groupby(["student", "unit"])["attempt"].transform("max")
    rows = attempts[(counts > 1) & attempts["share"].notna()]
    return rows.groupby("attempt")["share"].agg(n="size", share="mean").reset_index()
