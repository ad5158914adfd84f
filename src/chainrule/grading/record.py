"""The one writer: scores into the gradebook in one transaction, then the staged folders into place."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry
from sqlalchemy.exc import DatabaseError

from chainrule.course import Course, Unit
from chainrule.errors import CourseError, KitError
from chainrule.grading.worker import Graded
from chainrule.nbgrading import course_config, generate_assignment

TRIES = 30  # seconds that a locked gradebook is waited for


def prepare(course: Course, unit: Unit, staging: Path) -> None:
    """Let the gradebook know the unit as it is now, and copy it for the workers."""
    db_url = course_config(course.root).CourseDirectory.db_url
    course.gradebook.mkdir(exist_ok=True)
    try:
        generate_assignment(course.root, unit.name, course.root / "source", staging / "release", db_url)
        _copy(db_url, staging / "template.db")
    except (DatabaseError, sqlite3.DatabaseError) as error:
        raise CourseError(_way_out(db_url, error)) from error
    except Exception as error:
        if "DatabaseError" in repr(error) or "database" in str(error):
            raise CourseError(_way_out(db_url, error)) from error
        raise


def record(course: Course, unit: Unit, graded: Graded, gradebook: Gradebook) -> None:
    """Put one outcome where it belongs. An outcome without scores empties the old ones: they are of other work."""
    for attempt in range(TRIES):
        try:
            _write(unit, graded, gradebook)
            break
        except DatabaseError as error:
            gradebook.db.rollback()
            if "locked" not in str(error) or attempt == TRIES - 1:
                raise KitError(_way_out(str(gradebook.engine.url), error)) from error
            time.sleep(1)
    _place(graded.autograded, course.root / "autograded" / graded.student / unit.name)
    _place(graded.feedback, course.root / "feedback" / graded.student / unit.name)


def _write(unit: Unit, graded: Graded, gradebook: Gradebook) -> None:
    """One transaction: either all of the submission's scores are the new ones, or none is."""
    try:
        gradebook.find_student(graded.student)
    except MissingEntry:
        gradebook.add_student(graded.student)
    try:
        gradebook.find_submission(unit.name, graded.student)
    except MissingEntry:
        gradebook.add_submission(unit.name, graded.student)
    found = gradebook.find_submission_notebook(unit.notebook, unit.name, graded.student)
    for grade in found.grades:
        grade.auto_score = graded.scores[grade.name] if graded.scores is not None else None
        # as nbgrader has it: what a person scored before, or nothing could score, wants a person's eye
        grade.needs_manual_grade = grade.manual_score is not None or grade.auto_score is None
    for comment in found.comments:
        comment.auto_comment = graded.comments.get(comment.name) if graded.comments else None
    found.late_submission_penalty = graded.late_penalty
    found.assignment.timestamp = graded.timestamp
    gradebook.db.commit()


def _place(staged: Path | None, target: Path) -> None:
    """Move a staged folder to its place; without one, what lies there is of an older submission and goes."""
    if target.exists():
        old = target.with_name(f".old-{target.name}-{os.getpid()}")
        target.rename(old)
        shutil.rmtree(old)
    if staged is not None:
        target.parent.mkdir(parents=True, exist_ok=True)
        staged.rename(target)


def _copy(db_url: str, target: Path) -> None:
    if not db_url.startswith("sqlite:///"):
        raise CourseError(
            f"the gradebook {db_url} is not SQLite, which is what this version grades into. "
            "Set db_url in nbgrader_config.py"
        )
    with (
        closing(sqlite3.connect(db_url.removeprefix("sqlite:///"))) as source,
        closing(sqlite3.connect(target)) as copy,
    ):
        source.backup(copy)


def _way_out(db_url: str, error: Exception) -> str:
    words = str(error).splitlines()[0] if str(error) else type(error).__name__
    if "readonly" in words or "unable to open" in words:
        return (
            f"{db_url} cannot be written ({words}). Give yourself the right to write it (chmod u+w) and run this again."
        )
    if "locked" in words:
        return f"{db_url} was locked for {TRIES} s. Close what uses it (the formgrader?), then run this again."
    return (
        f"{db_url} cannot be used ({words}). It was left as it is: put your backup back, or move it away to start anew."
    )
