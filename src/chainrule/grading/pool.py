"""Grades a unit's submissions side by side: workers grade, this process records."""

from __future__ import annotations

import multiprocessing
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path

from chainrule.course import Course, Unit
from chainrule.errors import CourseError
from chainrule.grading.lock import sole_grader
from chainrule.grading.plan import Planned, plan
from chainrule.grading.record import Writer, prepare
from chainrule.grading.remark import Remark
from chainrule.grading.rooms import sweep
from chainrule.grading.sandbox import find_sandbox
from chainrule.grading.worker import Graded, Job, grade_one

RETRIES = 1  # a worker that dies takes its submission with it; once more, then it is reported


def grade_unit(
    course: Course,
    unit: Unit,
    students: list[str] | None = None,
    jobs: int = 1,
    fresh: bool = False,
    trust_students: bool = False,
    begin: Callable[[Planned], None] = lambda planned: None,
    done: Callable[[Graded], None] = lambda graded: None,
) -> tuple[Planned, list[Graded]]:
    """Grade what is new or changed. `begin` hears of the plan, `done` of each outcome once it is recorded."""
    if not trust_students:
        find_sandbox()  # before any work is done
    with sole_grader(course):
        sweep()
        planned = plan(course, unit, students, fresh)
        begin(planned)
        outcomes: list[Graded] = []
        if planned.todo:
            with _staging(course) as staging:
                prepare(course, unit, staging)
                job = Job(course.root, staging, unit.name, trust_students)
                with Writer(course, unit) as writer:
                    for graded in _run_all(job, planned.todo, jobs):
                        writer.write([graded])
                        shutil.rmtree(staging / f"room-{graded.student}", ignore_errors=True)
                        outcomes.append(graded)
                        done(graded)
    return planned, outcomes


def _run_all(job: Job, students: tuple[str, ...], jobs: int) -> Iterator[Graded]:
    """Outcomes as they come. A worker killed from outside costs a retry of what it held, not the batch."""
    waiting, tries = list(students), dict.fromkeys(students, 0)
    while waiting:
        running: dict[Future[Graded], str] = {}
        # spawn: a forked child would inherit the gradebook's open connection
        with ProcessPoolExecutor(min(jobs, len(waiting)), multiprocessing.get_context("spawn")) as pool:
            try:
                while waiting or running:
                    while waiting and len(running) < 2 * jobs:
                        student = waiting.pop(0)
                        running[pool.submit(grade_one, job, student)] = student
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        graded = future.result()
                        del running[future]
                        yield graded
            except BrokenProcessPool:
                for student in running.values():
                    tries[student] += 1
                    if tries[student] > RETRIES:
                        says = "The worker that graded it was killed twice; is there enough memory?"
                        yield Graded(student, 0.0, kit_fault=Remark("kit-fault", job.unit, says))
                    else:
                        waiting.append(student)


@contextmanager
def _staging(course: Course) -> Iterator[Path]:
    """A private folder on the course's own disk, so that results move into place by a rename."""
    for left in course.root.glob(".grading-*"):
        shutil.rmtree(left, ignore_errors=True)
    try:
        path = Path(tempfile.mkdtemp(prefix=".grading-", dir=course.root))
    except OSError as error:
        raise CourseError(
            f"{course.root}: cannot write here ({error.strerror}). Mend the folder's rights or free the disk."
        ) from error
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
