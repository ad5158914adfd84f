"""Tables of one unit, from the gradebook's scores and the verdicts noted at grading."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from nbgrader.api import Gradebook, MissingEntry

from chainrule.course import TEST, Course, Unit
from chainrule.grading.plan import notes_of
from chainrule.nbgrading import course_config

COLUMNS = ["student", "item", "points", "out_of", "status", "slips", "follows"]


def verdict_table(course: Course, unit: Unit) -> pd.DataFrame:
    """One row a student and item. `points` are the gradebook's, with what a person scored by hand."""
    config = course_config(course.root).CourseDirectory
    rows = []
    with Gradebook(config.db_url, config.course_id) as gradebook:
        try:
            submissions = gradebook.assignment_submissions(unit.name)
        except MissingEntry:
            submissions = []
        for submission in submissions:
            student = submission.student.id
            notes = notes_of(course, unit, student) or {}
            verdicts = {verdict["item"]: verdict for verdict in notes.get("verdicts", [])}
            grades = {grade.name: grade for notebook in submission.notebooks for grade in notebook.grades}
            for item in unit.items.values():
                grade, verdict = grades.get(item.id + TEST), verdicts.get(item.id, {})
                scored = grade is not None and (grade.auto_score is not None or grade.manual_score is not None)
                rows.append(
                    {
                        "student": student,
                        "item": item.id,
                        "points": float(grade.score) if grade is not None and scored else None,
                        "out_of": item.points,
                        "status": verdict.get("status", "not graded"),
                        "slips": ", ".join(verdict.get("slips", [])),
                        "follows": ", ".join(verdict.get("follows", [])),
                    }
                )
    return pd.DataFrame(rows, columns=COLUMNS)


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
    """gradebook/report/<unit>.csv, one row a student and item."""
    path = course.gradebook / "report" / f"{unit.name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    verdicts.to_csv(path, index=False)
    return path
