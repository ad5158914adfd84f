"""Brings what is graded up to date with course.toml and with what a person wrote: penalties and pages. Runs nothing.

Work that is unchanged keeps its scores. What may have changed since is the policy (due dates, extensions, what
lateness costs) and what the formgrader holds (marks, extra marks, comments).
"""

from __future__ import annotations

import math
import shutil
import tempfile
import warnings
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import nbformat
from nbgrader.api import Assignment, BaseCell, Comment, Grade, Notebook, SubmittedAssignment, SubmittedNotebook
from sqlalchemy import Connection, Engine, bindparam, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from chainrule.course import Course, Unit
from chainrule.errors import KitError
from chainrule.grading.database import engine_of, gradebook_url, patiently, trouble
from chainrule.grading.duedates import put_due_dates
from chainrule.grading.feedback import FeedbackPage, Grades
from chainrule.grading.penalty import Penalties
from chainrule.grading.record import STAGING
from chainrule.grading.stamp import is_of, read_page, stamped, without_stamp
from chainrule.grading.standing import standings
from chainrule.grading.steps import final_scores
from chainrule.grading.submission import Standing
from chainrule.nbgrading import course_config
from chainrule.policy import read_policy
from chainrule.policy.rules import seconds_late


def refresh(course: Course, unit: Unit, students: Collection[str]) -> tuple[str, ...]:
    """Work out anew what graded submissions lost by lateness, and make the pages anew that show something else.

    Returns the students whose penalty or page is another now. To be called with the course's lock held. KitError on
    trouble; the next run does what was not done.
    """
    url, policy, penalties = gradebook_url(course), read_policy(course), Penalties(course_config(course.root))

    def standings_now(engine: Engine) -> Mapping[str, Standing]:
        with Session(engine) as session:
            return standings(session, unit, policy)

    engine = engine_of(url, write=True)
    try:
        put_due_dates(url, unit.name, policy)
        known = patiently(lambda: standings_now(engine))
        shown, changed = patiently(lambda: _put_penalties(engine, unit, students, known, penalties))
    except SQLAlchemyError as error:
        raise KitError(trouble(url, error)) from error
    finally:
        engine.dispose()
    return tuple(sorted({*changed, *_make_pages(course, unit, shown)}))


# --------------------------------------------------------------------------- the gradebook


@dataclass(slots=True)
class _Work:
    """One graded submission, as the gradebook holds it. `notebook` is its row's id."""

    student: str
    notebook: str
    timestamp: datetime | None
    penalty: float | None
    scores: dict[str, float | None] = field(default_factory=dict)
    comments: dict[str, str | None] = field(default_factory=dict)


def _put_penalties(
    engine: Engine, unit: Unit, students: Collection[str], known: Mapping[str, Standing], penalties: Penalties
) -> tuple[dict[str, Grades], list[str]]:
    """One transaction. Returns what each student's page must show, and whose penalty is another."""
    shown: dict[str, Grades] = {}
    changed: dict[str, dict[str, object]] = {}
    with engine.connect() as connection, connection.begin():
        for work in _works(connection, unit):
            if work.student not in students:
                continue
            standing = known[work.student]
            score = sum(final_scores(work.scores, standing).values())
            penalty = penalties.penalty(work.student, score, seconds_late(work.timestamp, standing.due))
            shown[work.student] = Grades(unit.notebook, work.scores, work.comments, penalty, standing)
            # nbgrader sums scores in the database, which may differ from our sum in the last digits
            if not math.isclose(penalty or 0.0, work.penalty or 0.0, abs_tol=1e-9):
                changed[work.student] = {"key": work.notebook, "late_submission_penalty": penalty}
        if changed:
            notebook = SubmittedNotebook.__table__
            connection.execute(update(notebook).where(notebook.c.id == bindparam("key")), list(changed.values()))
    return shown, list(changed)


def _works(connection: Connection, unit: Unit) -> list[_Work]:
    assignment, work, cell = (model.__table__ for model in (Assignment, SubmittedAssignment, BaseCell))
    notebook, of_course = SubmittedNotebook.__table__, Notebook.__table__
    rows = connection.execute(
        select(work.c.student_id, notebook.c.id, work.c.timestamp, notebook.c.late_submission_penalty)
        .join(assignment, assignment.c.id == work.c.assignment_id)
        .join(notebook, notebook.c.assignment_id == work.c.id)
        .join(of_course, of_course.c.id == notebook.c.notebook_id)
        .where(assignment.c.name == unit.name, of_course.c.name == unit.notebook)
    )
    works = {row.id: _Work(*row) for row in rows}
    for model, column in ((Grade, "auto_score"), (Comment, "auto_comment")):
        table = model.__table__
        query = (
            select(table.c.notebook_id, cell.c.name, table.c[column])
            .join(cell, cell.c.id == table.c.cell_id)
            .join(of_course, of_course.c.id == cell.c.notebook_id)
            .join(assignment, assignment.c.id == of_course.c.assignment_id)
            .where(assignment.c.name == unit.name, of_course.c.name == unit.notebook)
        )
        for notebook_id, name, held in connection.execute(query):
            (works[notebook_id].scores if model is Grade else works[notebook_id].comments)[name] = held
    return list(works.values())


# --------------------------------------------------------------------------- the pages


def _make_pages(course: Course, unit: Unit, shown: Mapping[str, Grades]) -> list[str]:
    """Make the pages anew that were stamped for other grades, from the autograded notebooks. Returns whose changed."""
    room = course.root / "feedback"
    pages = {student: room / student / unit.name / f"{unit.notebook}.html" for student in shown}
    old = [student for student, grades in shown.items() if not is_of(pages[student], grades)]
    if not old:
        return []
    warnings.filterwarnings("ignore", module="nbformat")
    warnings.filterwarnings("ignore", category=UserWarning)  # libraries' words on a notebook may hold a student's
    maker = FeedbackPage(course_config(course.root))
    changed = []
    room.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=STAGING, dir=room) as staging:
        for student in old:
            before = read_page(pages[student])
            try:
                new = _make_page(course, unit, student, shown[student], maker, Path(staging))
            except Exception as error:
                raise KitError(
                    f"{student}: the page of {unit.name} could not be made anew ({type(error).__name__}: {error}). "
                    f"The gradebook is up to date. Run chainrule grade {unit.name} --fresh --student {student}"
                ) from error
            if without_stamp(new) != without_stamp(before):
                changed.append(student)
    return changed


def _make_page(course: Course, unit: Unit, student: str, grades: Grades, maker: FeedbackPage, staging: Path) -> str:
    """Put a new page in the place of the old one, as a whole. Returns it."""
    graded = course.root / "autograded" / student / unit.name
    folder = course.root / "feedback" / student / unit.name
    nb = nbformat.read(graded / f"{unit.notebook}.ipynb", as_version=4)
    page = stamped(maker.make(nb, grades), grades)
    if not folder.exists():  # somebody removed it, with what the page refers to
        shutil.copytree(graded, folder, ignore=shutil.ignore_patterns("*.ipynb"))
    new = staging / "new.html"
    new.write_text(page, "utf-8")
    new.replace(folder / f"{unit.notebook}.html")
    return page
