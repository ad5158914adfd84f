"""Tables of units, from the gradebook's scores and the verdicts noted at grading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from nbgrader.api import Assignment, BaseCell, Grade, SubmittedAssignment, SubmittedNotebook
from sqlalchemy import select

from chainrule.course import TEST, Course, Unit
from chainrule.files import write_whole
from chainrule.grading.database import reading
from chainrule.report.defuse import defused
from chainrule.report.works import Work, read_works

COLUMNS = ["student", "item", "points", "out_of", "status", "slips", "follows"]
NOT_GRADED = "not graded"  # in place of a verdict's status


def answers(course: Course, units: Sequence[Unit], works: Mapping[tuple[str, str], Work]) -> pd.DataFrame:
    """One row a unit, student and item, of all that the gradebook knows; `slips` and `follows` are tuples of names.

    `points` are the gradebook's, with what a person scored by hand; missing where there is no score.
    """
    scores = _scores(course, [unit.name for unit in units])
    rows = []
    for unit in units:
        for student in sorted(scores.get(unit.name, {})):
            points = scores[unit.name][student]
            work = works.get((unit.name, student))
            for item in unit.items.values():
                verdict = work.verdicts.get(item.id, {}) if work else {}
                rows.append(
                    {
                        "unit": unit.name,
                        "student": student,
                        "item": item.id,
                        "points": points.get(item.id),
                        "out_of": item.points,
                        "status": verdict.get("status", NOT_GRADED),
                        "slips": tuple(verdict.get("slips", ())),
                        "follows": tuple(verdict.get("follows", ())),
                    }
                )
    return pd.DataFrame(rows, columns=["unit", *COLUMNS]).astype({"points": float, "out_of": float})


def verdict_table(course: Course, unit: Unit) -> pd.DataFrame:
    """One row a student and item of one unit, as `answers` has them; `slips` and `follows` are texts."""
    return as_text(answers(course, [unit], read_works(course, [unit])))


def as_text(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of one unit out of `answers`, for files and terminals: names listed with commas."""
    listed = {name: rows[name].map(", ".join).astype(object) for name in ("slips", "follows")}
    return rows.assign(**listed)[COLUMNS].reset_index(drop=True)


def _scores(course: Course, units: list[str]) -> dict[str, dict[str, dict[str, float]]]:
    """By unit, student and item: points, in one query. Whoever handed in is there, with or without scores."""
    work, notebook, grade = (model.__table__ for model in (SubmittedAssignment, SubmittedNotebook, Grade))
    assignment, cell = Assignment.__table__, BaseCell.__table__
    marks = (grade.c.auto_score, grade.c.manual_score, grade.c.extra_credit)
    query = (
        select(assignment.c.name.label("unit"), work.c.student_id, cell.c.name, *marks)
        .join(work, work.c.assignment_id == assignment.c.id)
        .outerjoin(notebook, notebook.c.assignment_id == work.c.id)
        .outerjoin(grade, grade.c.notebook_id == notebook.c.id)
        .outerjoin(cell, cell.c.id == grade.c.cell_id)
        .where(assignment.c.name.in_(units))
    )
    found: dict[str, dict[str, dict[str, float]]] = {}
    with reading(course) as gradebook:
        for row in gradebook.execute(query) if gradebook is not None else ():
            points = found.setdefault(row.unit, {}).setdefault(row.student_id, {})
            score = _final(row)
            if row.name is not None and score is not None:
                points[row.name.removesuffix(TEST)] = score
    return found


def _final(row: Any) -> float | None:
    """As nbgrader's own Grade.score, but for what has no score at all."""
    score = row.auto_score if row.manual_score is None else row.manual_score
    return None if score is None else float(score + (row.extra_credit or 0.0))


def student_table(verdicts: pd.DataFrame) -> pd.DataFrame:
    """One row a student: points, and the share of what is possible."""
    sums = verdicts.groupby("student").agg(points=("points", lambda p: p.sum(min_count=1)), out_of=("out_of", "sum"))
    return sums.assign(share=sums["points"] / sums["out_of"])


def item_table(verdicts: pd.DataFrame) -> pd.DataFrame:
    """One row an item: mean share of its points, and its commonest mistakes with their counts."""
    graded = verdicts[verdicts["points"].notna()]
    rows = []
    for item, rows_of in graded.groupby("item", sort=False):
        slips = rows_of.loc[rows_of["slips"] != "", "slips"].value_counts()
        rows.append(
            {
                "item": item,
                "mean_share": float((rows_of["points"] / rows_of["out_of"]).mean()),
                "full": int((rows_of["points"] == rows_of["out_of"]).sum()),
                "students": len(rows_of),
                "slips": ", ".join(f"{name} ({count})" for name, count in slips.head(3).items()),
            }
        )
    return pd.DataFrame(rows, columns=["item", "mean_share", "full", "students", "slips"])


def write_csv(course: Course, unit: Unit, verdicts: pd.DataFrame) -> Path:
    """gradebook/report/<unit>.csv, one row a student and item; an id that a spreadsheet would run is defused."""
    path = course.gradebook / "report" / f"{unit.name}.csv"
    safe = verdicts.assign(student=verdicts["student"].map(defused))
    write_whole(path, safe.to_csv(index=False).encode())
    return path
