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
from chainrule.grading.worker import Files, Graded
from chainrule.nbgrading import WAIT, course_config, generate_assignment, gradebook_trouble


def prepare(course: Course, unit: Unit, staging: Path) -> None:
    """Let the gradebook know the unit as it is now, and copy it for the workers."""
    db_url = course_config(course.root).CourseDirectory.db_url
    course.gradebook.mkdir(exist_ok=True)
    try:
        _expect_writable(db_url)
        generate_assignment(course.root, unit.name, course.root / "source", staging / "release", db_url)
        _copy(db_url, staging / "template.db")
    except (DatabaseError, sqlite3.DatabaseError) as error:
        raise CourseError(gradebook_trouble(db_url, error)) from error
    except Exception as error:
        if "DatabaseError" in repr(error) or "database" in str(error):
            raise CourseError(gradebook_trouble(db_url, error)) from error
        raise


def record(course: Course, unit: Unit, graded: Graded, gradebook: Gradebook) -> None:
    """Put one outcome where it belongs. An outcome without scores empties the old ones: they are of other work."""
    if graded.refused is not None and graded.refused.cause == "student-id":
        return  # the folder names no student whom the gradebook could hold
    for attempt in range(WAIT):
        try:
            _write(unit, graded, gradebook)
            break
        except DatabaseError as error:
            gradebook.db.rollback()
            if "locked" not in str(error) or attempt == WAIT - 1:
                raise KitError(gradebook_trouble(str(gradebook.engine.url), error)) from error
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


def _place(files: Files | None, target: Path) -> None:
    """Put a folder in its place by a rename; without one, what lies there is of an older submission and goes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    staged = target.with_name(f".new-{target.name}-{os.getpid()}")
    for name, content in files or ():
        (staged / name).parent.mkdir(parents=True, exist_ok=True)
        (staged / name).write_bytes(content)
    if target.exists():
        old = target.with_name(f".old-{target.name}-{os.getpid()}")
        target.rename(old)
        shutil.rmtree(old)
    if files is not None:
        staged.rename(target)


def _expect_writable(db_url: str) -> None:
    """A whole gradebook that can be written now; waits where another program is writing. nbgrader itself tells less."""
    path = _path(db_url)
    if path.exists():
        with closing(sqlite3.connect(path, timeout=WAIT)) as gradebook:
            gradebook.execute("begin immediate")
            gradebook.rollback()


def _path(db_url: str) -> Path:
    if not db_url.startswith("sqlite:///"):
        raise CourseError(
            f"the gradebook {db_url} is not SQLite, which is what this version grades into. "
            "Set db_url in nbgrader_config.py"
        )
    return Path(db_url.removeprefix("sqlite:///"))


def _copy(db_url: str, target: Path) -> None:
    with (
        closing(sqlite3.connect(_path(db_url))) as source,
        closing(sqlite3.connect(target)) as copy,
    ):
        source.backup(copy)
