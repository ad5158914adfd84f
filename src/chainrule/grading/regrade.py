"""Grades a unit again after its items changed, and compares before anything is written.

A dry run writes nothing in the course. Otherwise what was compared is what is recorded: nothing is graded twice. The
order is such that a run that is killed leaves what `chainrule grade` finishes: a backup of the gradebook, the unit's
cells (`reshape`), then the scores by the one writer.
"""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sqlalchemy.orm import Session

from chainrule.course import TEST, Course, Unit
from chainrule.errors import CourseError
from chainrule.grading.backup import back_up
from chainrule.grading.bundle import SECRET, pack
from chainrule.grading.changes import NOT_BEFORE, Changes, Comparison, noted
from chainrule.grading.database import reading
from chainrule.grading.held import Held, held_scores, known_items
from chainrule.grading.lock import no_grader, sole_grader
from chainrule.grading.outcome import Graded, Job
from chainrule.grading.plan import Planned, autograded_of, plan
from chainrule.grading.pool import hands_for, outcomes_of, staging_in, without_contents
from chainrule.grading.record import BATCH, Writer, prepare
from chainrule.grading.reshape import reshape
from chainrule.grading.rooms import sweep
from chainrule.grading.sandbox import find_sandbox
from chainrule.grading.staging import sweep_staging
from chainrule.grading.standing import standings
from chainrule.grading.submission import Standing
from chainrule.policy import read_policy


@dataclass(frozen=True, slots=True)
class Regraded:
    """What came out, and where the gradebook's backup lies; None where nothing was written, or a server holds it."""

    planned: Planned
    graded: list[Graded]
    changes: Changes
    backup: Path | None = None


@dataclass(frozen=True, slots=True)
class _Before:
    """What stands: items of the gradebook, our scores, and what people wrote, by student."""

    items: tuple[str, ...]
    held: Mapping[str, Held]
    known: Mapping[str, Standing]


def regrade_unit(
    course: Course,
    unit: Unit,
    students: list[str] | None = None,
    jobs: int = 1,
    dry_run: bool = True,
    trust_students: bool = False,
    cluster: str | None = None,
    begin: Callable[[Planned], None] = lambda planned: None,
    done: Callable[[Graded], None] = lambda graded: None,
    before_writing: Callable[[Changes], None] = lambda changes: None,
) -> Regraded:
    """Grade all submissions as `grade --fresh` does, compare, and without `dry_run` record what was compared.

    `before_writing` hears of the changes while nothing is written yet. Outcomes that are returned hold no pages.
    """
    if not trust_students and cluster is None:
        find_sandbox()
    _expect_comparable(course, unit)
    with ExitStack() as stack:
        sweep()
        if dry_run:
            with no_grader(course):
                before = _read(course, unit)
                planned = plan(course, unit, students, fresh=True)
            kept = None
        else:
            stack.enter_context(sole_grader(course))
            sweep_staging(course)
            before = _read(course, unit)
            planned = plan(course, unit, students, fresh=True)
            staging = stack.enter_context(staging_in(course))
            kept = _Kept(stack.enter_context(tempfile.TemporaryFile(dir=staging)))
        added = tuple(item for item in unit.items if item not in before.items)
        removed = tuple(item for item in before.items if item not in unit.items)
        if kept and students and (added or removed):
            raise CourseError(
                f"items of {unit.name} were added or removed: that changes the unit for the whole class. "
                f"Run it without --student: chainrule regrade {unit.name} --dry-run"
            )
        begin(planned)
        comparison = Comparison(unit, before.held, before.known)
        graded = list(_grade(course, unit, planned, before, jobs, trust_students, cluster, comparison, kept, done))
        for student, held in before.held.items():
            if (
                not students
                and student not in planned.todo
                and any(score is not None for score in held.scores.values())
            ):
                comparison.leave(student, f"nothing in submitted/{student}/{unit.name}; what stands will stand")
        changes = comparison.changes(added, removed)
        if kept is None:
            return Regraded(planned, graded, changes)
        before_writing(changes)
        backup = back_up(course)
        reshape(course, unit)
        prepare(course, unit, staging)
        with Writer(course, unit) as writer:
            for batch in kept.batches():
                writer.write(batch)
        return Regraded(planned, graded, changes, backup)


def _grade(
    course: Course,
    unit: Unit,
    planned: Planned,
    before: _Before,
    jobs: int,
    trust_students: bool,
    cluster: str | None,
    comparison: Comparison,
    kept: _Kept | None,
    done: Callable[[Graded], None],
) -> Iterator[Graded]:
    """Grade and compare; keep what is to be recorded. The kit's own faults are not: what stood before is not theirs."""
    if not planned.todo:
        return
    # as bytes, here as on a cluster: not even Python's caches are then written into the course
    job = Job(unit.name, unit.version, pack(course, unit), trust_students)
    with hands_for(unit, job, course.limits(), len(planned.todo), jobs, cluster) as hands:
        for batch in outcomes_of(course, unit, planned.todo, before.known, hands):
            for graded in batch:
                comparison.add(graded, noted(autograded_of(course, unit, graded.student)))
                if kept is not None and graded.kit_fault is None:
                    kept.put(graded)
                bare = without_contents(graded)
                done(bare)
                yield bare


class _Kept:
    """Outcomes with all their pages, in a file that has no name: a class's are too large for memory."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._count = file, 0

    def put(self, graded: Graded) -> None:
        pickle.dump(graded, self._file)
        self._count += 1

    def batches(self) -> Iterator[list[Graded]]:
        """All of them, some at a time."""
        self._file.seek(0)
        for start in range(0, self._count, BATCH):
            yield [pickle.load(self._file) for _ in range(start, min(start + BATCH, self._count))]


def _expect_comparable(course: Course, unit: Unit) -> None:
    """CourseError where the unit is not built, or its students would meet other cases than before."""
    points = {
        cell.metadata.nbgrader.grade_id.removesuffix(TEST): cell.metadata.nbgrader.points
        for cell in unit.handed_out.cells
        if cell.metadata.get("nbgrader", {}).get("grade")
    }
    if points != {item.id: item.points for item in unit.items.values()}:
        raise CourseError(
            f"items and points in {unit.text.with_name('items.py')} are not those of {unit.release}. "
            f"Run: chainrule build {unit.name}"
        )
    if not (course.root / SECRET).exists():
        raise CourseError(
            f"{course.root / SECRET} is missing: every student would meet other cases than before. "
            f"Put your backup of it back. Where nothing was graded yet: chainrule grade {unit.name}"
        )


def _read(course: Course, unit: Unit) -> _Before:
    """What the gradebook holds, read at one moment."""
    with reading(course) as connection:
        items = None if connection is None else known_items(connection, unit)
        if connection is None or items is None:
            raise CourseError(f"{NOT_BEFORE}: {unit.name}. Run: chainrule grade {unit.name}")
        with Session(connection) as session:
            return _Before(items, held_scores(connection, unit), standings(session, unit, read_policy(course)))
