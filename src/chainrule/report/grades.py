"""Every student's grade of every unit and of the course: the gradebook's scores by the policy as it is now.

Penalties and due dates are worked out here and not read, so that a change of course.toml shows at once.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
from nbgrader.api import (
    Assignment,
    BaseCell,
    Grade,
    GradeCell,
    Notebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    TaskCell,
)
from sqlalchemy import Connection, case, func, select

from chainrule.course import TEST, Course
from chainrule.errors import SubmissionError
from chainrule.grading.database import reading
from chainrule.grading.penalty import Penalties
from chainrule.grading.submission import expect_usable_id
from chainrule.nbgrading import course_config
from chainrule.policy import Policy, read_policy
from chainrule.policy.rules import DIGITS, seconds_late

NAMES = ["first_name", "last_name", "email", "lms_id"]
WHO = ["student", *NAMES]
UNIT_COLUMNS = [
    *WHO,
    "unit",
    "handed_in",
    "due",
    "score",
    "seconds_late",
    "penalty",
    "final",
    "out_of",
    "state",
    "counts",
    "dropped",
    "extra",
    "weight",
]
COURSE_COLUMNS = [*WHO, "points", "out_of", "share", "units_graded", "dropped"]
GRADED, NOT_GRADED, MISSING = "graded", "not graded", "missing"  # the states


def unit_grades(course: Course, now: datetime | None = None) -> pd.DataFrame:
    """One row a student and unit, of the units that anybody handed in or the gradebook knows.

    score: before the penalty, missing where nothing is graded; final: score less penalty, never below 0. handed_in
    and due are in UTC; due holds the student's extension. state is GRADED, NOT_GRADED (handed in, no score), or
    MISSING. counts: whether the row bears on the course's grade `now` (UTC without a zone; else the present): what
    is graded does, and what is missing once it was due, or if nobody said when it is. dropped: it would count, but
    for drop_lowest. extra: its points are beyond what is asked for. weight: the unit's in the course's grade.
    """
    policy = read_policy(course)
    held = _held(course, policy)
    penalties = Penalties(course_config(course.root))
    now = now or datetime.now(UTC).replace(tzinfo=None)
    rows = []
    for student, names in sorted(held.students.items()):
        own = [_row(policy, penalties, held, student, unit, now) for unit in held.out_of]
        asked = [(row["unit"], _share(row), row["weight"]) for row in own if row["counts"]]
        dropped = policy.counting.dropped(asked)
        rows += [{"student": student, **names, **row, "dropped": row["unit"] in dropped} for row in own]
    frame = pd.DataFrame(rows, columns=UNIT_COLUMNS)
    numbers = dict.fromkeys(["score", "seconds_late", "penalty", "final", "out_of", "weight"], float)
    flags, times = ["counts", "dropped", "extra"], ["handed_in", "due"]
    return frame.astype(numbers | dict.fromkeys(flags, bool) | dict.fromkeys(times, "datetime64[us]"))


def course_grades(course: Course, units: pd.DataFrame | None = None) -> pd.DataFrame:
    """One row a student, of `unit_grades` (which is made where it is not handed over).

    points of out_of: where units count by their points, these; else each unit's weight, and the student's share of
    it. What is extra adds to points alone, so that share may pass 1. Where nothing counts yet, share is missing.
    dropped: the units that drop_lowest took out, by name.
    """
    rows = unit_grades(course) if units is None else units
    counts = rows["counts"] & ~rows["dropped"]
    worth = rows["weight"] * (rows["final"] / rows["out_of"]).where(rows["out_of"] > 0, 0.0)
    if read_policy(course).counting.weights is None:
        worth = rows["final"]
    summed = rows[["student"]].assign(
        points=worth.fillna(0.0).where(counts, 0.0),
        out_of=rows["weight"].where(counts & ~rows["extra"], 0.0),
        units_graded=(rows["state"] == GRADED).astype(int),
    )
    totals = summed.groupby("student").sum()
    totals[["points", "out_of"]] = totals[["points", "out_of"]].round(DIGITS)
    totals["share"] = (totals["points"] / totals["out_of"]).where(totals["out_of"] > 0)
    names = rows.groupby("student")[NAMES].first() if len(rows) else rows.set_index("student")[NAMES]
    dropped = rows[rows["dropped"]].groupby("student")["unit"].agg(", ".join)
    totals["dropped"] = dropped.reindex(totals.index).fillna("").astype(object)
    return names.join(totals).reset_index()[COURSE_COLUMNS]


def _row(policy: Policy, penalties: Penalties, held: _Held, student: str, unit: str, now: datetime) -> dict[str, Any]:
    work = held.works.get((student, unit), _Work())
    due = policy.due_for(unit, student, held.due.get(unit), work.extension)
    late = seconds_late(work.handed_in, due)
    penalty = 0.0 if work.score is None else penalties.penalty(student, work.score, late) or 0.0
    handed_in = (student, unit) in held.works or (student, unit) in held.folders
    state = GRADED if work.score is not None else NOT_GRADED if handed_in else MISSING
    out_of, weights = held.out_of[unit], policy.counting.weights
    return {
        "unit": unit,
        "handed_in": work.handed_in,
        "due": due,
        "score": work.score,
        "seconds_late": late,
        "penalty": penalty,
        "final": None if work.score is None else max(0.0, round(work.score - penalty, DIGITS)),
        "out_of": out_of,
        "state": state,
        "counts": state == GRADED or (state == MISSING and (due is None or due < now)),
        "extra": unit in policy.counting.extra_units,
        "weight": out_of if weights is None else weights[unit],
    }


def _share(row: dict[str, Any]) -> float:
    return float(row["final"] or 0.0) / row["out_of"] if row["out_of"] else 0.0


# --------------------------------------------------------------------------- what the gradebook and submitted/ hold


@dataclass(frozen=True, slots=True)
class _Work:
    handed_in: datetime | None = None
    extension: timedelta | None = None
    score: float | None = None


@dataclass(slots=True)
class _Held:
    """Students with their names, and by unit: points asked for, due date; by (student, unit): work and folders."""

    students: dict[str, dict[str, str | None]] = field(default_factory=dict)
    out_of: dict[str, float] = field(default_factory=dict)
    due: dict[str, datetime | None] = field(default_factory=dict)
    works: dict[tuple[str, str], _Work] = field(default_factory=dict)
    folders: set[tuple[str, str]] = field(default_factory=set)


def _held(course: Course, policy: Policy) -> _Held:
    held = _Held(folders=set(_folders(course)))
    points: dict[str, float] = {}
    with reading(course) as gradebook:
        if gradebook is not None:
            _read(gradebook, course.unit_names(), held)
            points = _points(gradebook, policy)
    handed_in = {unit for _, unit in held.folders} | set(held.due)
    for unit in course.unit_names():
        if unit in points:
            held.out_of[unit] = points[unit]
        elif unit in handed_in:
            items = course.unit(unit).items.values()
            held.out_of[unit] = sum(i.points for i in items if (unit, i.id) not in policy.counting.extra_items)
    for student, _ in held.folders:
        held.students.setdefault(student, dict.fromkeys(NAMES))
    return held


def _read(gradebook: Connection, units: list[str], held: _Held) -> None:
    student, work, assignment = (model.__table__ for model in (Student, SubmittedAssignment, Assignment))
    notebook, grade = SubmittedNotebook.__table__, Grade.__table__
    for known in gradebook.execute(select(student)):
        names = (known.first_name, known.last_name, known.email, known.lms_user_id)
        held.students[known.id] = dict(zip(NAMES, names, strict=True))
    of_course = select(assignment.c.name, assignment.c.duedate).where(assignment.c.name.in_(units))
    held.due |= {row.name: row.duedate for row in gradebook.execute(of_course)}
    # as nbgrader's own Grade.score: a person's marks before ours, extra marks added; nothing where there is neither
    marks = func.coalesce(grade.c.manual_score, grade.c.auto_score)
    score = func.sum(case((marks.is_not(None), marks + func.coalesce(grade.c.extra_credit, 0.0))))
    query = (
        select(work.c.student_id, assignment.c.name, work.c.timestamp, work.c.extension, score.label("score"))
        .join(assignment, assignment.c.id == work.c.assignment_id)
        .outerjoin(notebook, notebook.c.assignment_id == work.c.id)
        .outerjoin(grade, grade.c.notebook_id == notebook.c.id)
        .where(assignment.c.name.in_(units))
        .group_by(work.c.id, work.c.student_id, assignment.c.name, work.c.timestamp, work.c.extension)
    )
    for row in gradebook.execute(query):
        held.works[row.student_id, row.name] = _Work(row.timestamp, row.extension, row.score)


def _points(gradebook: Connection, policy: Policy) -> dict[str, float]:
    """What can be had in each unit that the gradebook knows, extra items left out."""
    assignment, notebook, cell = (model.__table__ for model in (Assignment, Notebook, BaseCell))
    points: defaultdict[str, float] = defaultdict(float)
    for kind in (GradeCell.__table__, TaskCell.__table__):
        query = (
            select(assignment.c.name, cell.c.name.label("cell"), kind.c.max_score)
            .join(notebook, notebook.c.assignment_id == assignment.c.id)
            .join(cell, cell.c.notebook_id == notebook.c.id)
            .join(kind, kind.c.id == cell.c.id)
        )
        for row in gradebook.execute(query):
            extra = (row.name, row.cell.removesuffix(TEST)) in policy.counting.extra_items
            points[row.name] += 0.0 if extra else row.max_score
    return points


def _folders(course: Course) -> Iterator[tuple[str, str]]:
    """(student, unit) of what lies in submitted/; ids that no gradebook could hold are nobody's."""
    units = set(course.unit_names())
    submitted = course.root / "submitted"
    for student in os.scandir(submitted) if submitted.is_dir() else ():
        if not student.is_dir():
            continue
        try:
            expect_usable_id(student.name)
        except SubmissionError:
            continue
        for unit in os.scandir(student.path):
            if unit.name in units and unit.is_dir():
                yield student.name, unit.name
