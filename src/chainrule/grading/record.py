"""The one writer: scores into the gradebook in one transaction, and the results' folders into their places around it.

The order is such that, wherever power fails, a folder in autograded/ is whole and its scores are in the gradebook,
which is what `plan` takes for done: new folders are written and synced to disk; the old ones are taken away within
the transaction that brings the new scores; the new ones get their names after it, autograded/ last.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Notebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)
from nbgrader.converters.base import NbGraderException
from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from chainrule.course import Course, Unit
from chainrule.errors import CourseError, KitError
from chainrule.grading import history
from chainrule.grading.database import engine_of, expect_writable, gradebook_url, patiently, shown, trouble
from chainrule.grading.duedates import put_due_dates
from chainrule.grading.worker import Files, Graded
from chainrule.nbgrading import generate_assignment
from chainrule.policy import read_policy

BATCH = 64  # outcomes in one transaction: what a slow disk takes in well under a second
SYNCS = 8  # at the same time: a journalling disk takes them in together
ROOMS = ("feedback", "autograded")  # the latter says that all is done
STAGING = ".grading-"  # in these, so that a rename is all that is left to do, and in the course folder


def sweep_staging(course: Course) -> None:
    """Remove what a run that was killed had not finished. To be called with the course's lock held."""
    for room in (course.root, *(course.root / room for room in ROOMS)):
        for left in room.glob(f"{STAGING}*"):
            shutil.rmtree(left, ignore_errors=True)


def prepare(course: Course, unit: Unit, staging: Path) -> None:
    """Let the gradebook know the unit as it is now. `staging` is for what nbgrader writes on the way."""
    url = gradebook_url(course)
    course.gradebook.mkdir(exist_ok=True)
    expect_writable(url)
    address = url.render_as_string(hide_password=False)
    policy = read_policy(course)
    try:
        generate_assignment(course.root, unit.name, course.root / "source", staging / "release", address)
        put_due_dates(url, unit.name, policy)
    except (SQLAlchemyError, sqlite3.DatabaseError) as error:
        raise CourseError(trouble(url, error)) from error
    except NbGraderException as error:
        raise CourseError(
            f"nbgrader does not take {unit.name} into {shown(url)}. If its items changed after submissions were "
            "graded, the old ones must go, and what was scored by hand with them: make a backup, then run "
            f"nbgrader db assignment remove {unit.name} --force"
        ) from error


@dataclass(frozen=True, slots=True)
class _Cells:
    """The unit in the gradebook: ids of the assignment, of its notebook, and of the cells by name; its due date."""

    assignment: str
    due: datetime | None
    notebook: str
    graded: dict[str, str]
    commented: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Move:
    """One folder of one outcome: where it belongs, where its new one waits, and where the old one goes."""

    target: Path
    new: Path | None
    old: Path


class Writer:
    """Puts the outcomes of one unit where they belong. Use it as a context, with the course's lock held."""

    def __init__(self, course: Course, unit: Unit) -> None:
        self._unit = unit
        self._url = gradebook_url(course)
        self._policy = read_policy(course)
        self._rooms = tuple(course.root / room for room in ROOMS)
        self._count = 0

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._engine = engine_of(self._url, write=True)
            stack.callback(self._engine.dispose)
            with self._telling():
                for room in self._rooms:
                    room.mkdir(exist_ok=True)
                self._staging = [Path(tempfile.mkdtemp(prefix=STAGING, dir=room)) for room in self._rooms]
                for folder in self._staging:
                    stack.callback(shutil.rmtree, folder, ignore_errors=True)
                self._cells = patiently(self._load)
            self._threads = stack.enter_context(ThreadPoolExecutor(SYNCS))  # last in, so what it removes is gone first
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def write(self, batch: Sequence[Graded]) -> None:
        """Record outcomes. One without scores empties the old ones: they are of other work. KitError on trouble.

        Several at once are faster: they share a transaction, and the disk's time.
        """
        # a folder that names no student whom the gradebook could hold leaves no trace
        named = [graded for graded in batch if graded.refused is None or graded.refused.cause != "student-id"]
        for start in range(0, len(named), BATCH):
            with self._telling():
                self._write(named[start : start + BATCH])

    def _write(self, batch: Sequence[Graded]) -> None:
        moves = [self._stage(graded) for graded in batch]
        written = [folder for pair in moves for move in pair if move.new for folder in [move.new, *move.new.rglob("*")]]
        self._sync([*written, *self._staging])
        sides = list(zip(*moves, strict=True))  # all of feedback/, all of autograded/
        patiently(lambda: self._put_scores(batch, sides), also_away=True)
        for side in sides:
            placed = [move for move in side if move.new]
            parents = {move.target.parent for move in placed}
            new = [parent for parent in parents if not parent.exists()]
            for parent in new:
                parent.mkdir()
            for move in placed:
                move.new.rename(move.target)
            self._sync([*parents, *{parent.parent for parent in new}])
        for pair in moves:
            for move in pair:
                if os.path.lexists(move.old):  # to be removed is slow, and nothing waits for it
                    self._threads.submit(shutil.rmtree, move.old, ignore_errors=True)

    def _stage(self, graded: Graded) -> tuple[_Move, ...]:
        """Write an outcome's folders beside where they belong."""
        self._count += 1
        return tuple(
            _Move(
                room / graded.student / self._unit.name,
                None if files is None else _write_files(files, staging / f"new-{self._count}"),
                staging / f"old-{self._count}",
            )
            for room, staging, files in zip(
                self._rooms, self._staging, (graded.feedback, graded.autograded), strict=True
            )
        )

    def _put_scores(self, batch: Sequence[Graded], sides: Sequence[Sequence[_Move]]) -> None:
        """One transaction: all of the scores are the new ones, or none is. The old folders go with the old scores."""
        with self._engine.connect() as connection, connection.begin():
            outcomes = {graded.student: graded for graded in batch}
            self._put_rows(connection, outcomes)
            history.append(connection, self._unit, outcomes)
            taken: list[_Move] = []
            try:
                for side in reversed(sides):  # autograded/ first: without it, nothing counts as done
                    for move in side:
                        if os.path.lexists(move.target):
                            move.target.rename(move.old)
                            taken.append(move)
                    self._sync({move.target.parent for move in side if move in taken})
                connection.commit()
            except Exception as error:
                # a server that was lost in the commit may have heard it: then the old results must not come back
                if not getattr(error, "connection_invalidated", False):
                    for move in taken:
                        move.old.rename(move.target)
                raise

    def _put_rows(self, connection: Connection, batch: dict[str, Graded]) -> None:
        """What plain nbgrader writes for a submission, and nothing that a person wrote."""
        student, work, notebook = (model.__table__ for model in (Student, SubmittedAssignment, SubmittedNotebook))
        known = set(connection.scalars(select(student.c.id).where(student.c.id.in_(batch))))
        _insert(connection, student, ({"id": name} for name in batch if name not in known))

        of_unit = work.c.assignment_id == self._cells.assignment
        query = select(work.c.student_id, work.c.id).where(of_unit, work.c.student_id.in_(batch))
        known = {name for name, _ in connection.execute(query)}
        missing = [
            {
                "student_id": name,
                "assignment_id": self._cells.assignment,
                "extension": self._policy.extension(self._unit.name, name, None, self._cells.due),
            }
            for name in batch
            if name not in known
        ]
        _insert(connection, work, missing)
        works = {work_id: name for name, work_id in connection.execute(query)}
        times = [{"key": work_id, "timestamp": batch[name].timestamp} for work_id, name in works.items()]
        _update(connection, work, times)

        of_unit = notebook.c.notebook_id == self._cells.notebook
        query = select(notebook.c.assignment_id, notebook.c.id).where(of_unit, notebook.c.assignment_id.in_(works))
        known = {work_id for work_id, _ in connection.execute(query)}
        missing = [{"assignment_id": key, "notebook_id": self._cells.notebook} for key in works if key not in known]
        _insert(connection, notebook, missing)
        found = {key: batch[works[work_id]] for work_id, key in connection.execute(query)}
        late = [{"key": key, "late_submission_penalty": graded.late_penalty} for key, graded in found.items()]
        _update(connection, notebook, late)
        self._put_grades(connection, found)
        self._put_comments(connection, found)

    def _put_grades(self, connection: Connection, found: dict[str, Graded]) -> None:
        grade = Grade.__table__
        query = select(grade.c.id, grade.c.notebook_id, grade.c.cell_id, grade.c.manual_score)
        rows = connection.execute(query.where(grade.c.notebook_id.in_(found)))
        held = {(row.notebook_id, row.cell_id): row for row in rows}
        new, changed = [], []
        for notebook_id, graded in found.items():
            for name, cell_id in self._cells.graded.items():
                score = None if graded.scores is None else _score(graded, name)
                row = held.get((notebook_id, cell_id))
                # as nbgrader has it: what a person scored before, or nothing could score, wants a person's eye
                manual = score is None or (row is not None and row.manual_score is not None)
                values = {"auto_score": score, "needs_manual_grade": manual}
                if row is None:
                    new.append({"notebook_id": notebook_id, "cell_id": cell_id, **values})
                else:
                    changed.append({"key": row.id, **values})
        _insert(connection, grade, new)
        _update(connection, grade, changed)

    def _put_comments(self, connection: Connection, found: dict[str, Graded]) -> None:
        comment = Comment.__table__
        query = select(comment.c.id, comment.c.notebook_id, comment.c.cell_id)
        rows = connection.execute(query.where(comment.c.notebook_id.in_(found)))
        held = {(row.notebook_id, row.cell_id): row.id for row in rows}
        new, changed = [], []
        for notebook_id, graded in found.items():
            for name, cell_id in self._cells.commented.items():
                said = graded.comments.get(name) if graded.comments else None
                if (notebook_id, cell_id) in held:
                    changed.append({"key": held[notebook_id, cell_id], "auto_comment": said})
                else:
                    new.append({"notebook_id": notebook_id, "cell_id": cell_id, "auto_comment": said})
        _insert(connection, comment, new)
        _update(connection, comment, changed)

    def _load(self) -> _Cells:
        assignment, notebook, cell = (model.__table__ for model in (Assignment, Notebook, BaseCell))
        query = select(assignment.c.id, assignment.c.duedate, notebook.c.id).join(
            notebook, notebook.c.assignment_id == assignment.c.id
        )
        query = query.where(assignment.c.name == self._unit.name, notebook.c.name == self._unit.notebook)
        with self._engine.begin() as connection:
            history.create(connection)
            assignment_id, due, notebook_id = connection.execute(query).one()
            rows = connection.execute(select(cell).where(cell.c.notebook_id == notebook_id)).all()
        graded = {row.name: row.id for row in rows if row.type in ("GradeCell", "TaskCell")}
        return _Cells(
            assignment_id,
            due,
            notebook_id,
            graded,
            {row.name: row.id for row in rows if row.type in ("SolutionCell", "TaskCell")},
        )

    def _sync(self, paths: Iterable[Path]) -> None:
        for _ in self._threads.map(_sync_one, paths):
            pass

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Errors of the database and of the disk as what to do about them."""
        try:
            yield
        except SQLAlchemyError as error:
            raise KitError(trouble(self._url, error)) from error
        except OSError as error:
            way_out = "Free some space" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "Mend that"
            raise KitError(
                f"{error.filename or 'the results'}: {error.strerror}. {way_out} and run this again; "
                "what is graded is kept."
            ) from error


def _score(graded: Graded, name: str) -> float:
    assert graded.scores is not None
    if name not in graded.scores:
        raise KitError(f"{graded.student}: no score for {name}, which the gradebook knows. Nothing was recorded.")
    return graded.scores[name]


def _insert(connection: Connection, table: Any, rows: Iterable[dict[str, Any]]) -> None:
    if rows := list(rows):
        connection.execute(insert(table), rows)


def _update(connection: Connection, table: Any, rows: list[dict[str, Any]]) -> None:
    """Change rows; each one's `key` is the id of what it changes."""
    if rows:
        connection.execute(update(table).where(table.c.id == bindparam("key")), rows)


def _write_files(files: Files, folder: Path) -> Path:
    folder.mkdir()
    for name, content in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def _sync_one(path: Path) -> None:
    """Have a file or a folder on the disk itself before anything relies on it."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
