"""Grades a unit's submissions: workers grade, here or on a cluster; this process reads, records and keeps the lock."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Protocol

from chainrule.course import CONFIG, Course, Limits, Unit
from chainrule.errors import CourseError, KitError, SubmissionError
from chainrule.grading.bundle import pack
from chainrule.grading.forkserver import imported_modules
from chainrule.grading.lock import sole_grader
from chainrule.grading.outcome import Graded, Job, refusal
from chainrule.grading.plan import Planned, plan
from chainrule.grading.rooms import sweep
from chainrule.grading.sandbox import find_sandbox
from chainrule.grading.staging import STAGING, sweep_staging
from chainrule.grading.submission import Standing, Submission, read_submission
from chainrule.grading.workers import Workers

# Seconds above notebook_seconds, for all that is not the notebook; a worker that needs more hangs. The largest that can
# be handed in (of cells, outputs, answers) takes half a minute, and more where others take the processor.
GRACE = 180


class Grading(Protocol):
    """Who grades: processes here (`workers`) or a cluster's (`cluster`)."""

    def __enter__(self) -> Grading: ...

    def __exit__(self, *exc: object) -> None: ...

    def grade_all(self, submissions: Iterator[Submission]) -> Iterator[list[Graded]]:
        """Outcomes as they come, those together that come together. Submissions are asked for as they are needed.

        The first batch is empty: it comes when the first submissions are given out.
        """


def grade_unit(
    course: Course,
    unit: Unit,
    students: list[str] | None = None,
    jobs: int = 1,
    fresh: bool = False,
    trust_students: bool = False,
    cluster: str | None = None,
    pictures: bool | None = None,
    begin: Callable[[Planned], None] = lambda planned: None,
    done: Callable[[Graded], None] = lambda graded: None,
    renewed: Callable[[tuple[str, ...]], None] = lambda students: None,
) -> tuple[Planned, list[Graded]]:
    """Grade what is new or changed, and bring the rest up to date with the policy without running it.

    `begin` hears of the plan once workers can be had, `done` of each outcome once it is recorded, `renewed` of those
    whose penalty or page is another now.

    With `cluster`, the address of a Dask scheduler, its workers grade in place of `jobs` processes here. `pictures`:
    whether they are drawn, None as course.toml has it. The outcomes that are returned name their files and hold none:
    those lie in autograded/ and feedback/.
    """
    if not trust_students and cluster is None:
        find_sandbox()  # before any work is done
    with sole_grader(course):
        sweep()
        sweep_staging(course)
        planned = plan(course, unit, students, fresh)
        outcomes: list[Graded] = []
        if not planned.todo:
            begin(planned)
        else:
            place = course.root if cluster is None else pack(course, unit)
            job = Job(unit.name, unit.version, place, trust_students, pictures)
            with (
                staging_in(course) as staging,
                hands_for(unit, job, course.limits(), len(planned.todo), jobs, cluster) as hands,
            ):
                begin(planned)
                from chainrule.grading.record import Writer, prepare  # slow, and loaded while the workers start

                batches = outcomes_of(course, unit, planned.todo, _standings(course, unit), hands)
                at_once = next(batches)
                prepare(course, unit, staging)  # slow, too: meanwhile the first notebooks run
                with Writer(course, unit) as writer:
                    for batch in chain([at_once], batches):
                        writer.write(batch)
                        for graded in batch:
                            outcomes.append(without_contents(graded))
                            done(outcomes[-1])
        if planned.unchanged:
            from chainrule.grading.refresh import refresh

            renewed(refresh(course, unit, planned.unchanged))
    return planned, outcomes


def hands_for(unit: Unit, job: Job, limits: Limits, count: int, jobs: int, cluster: str | None) -> Grading:
    """Who grades `count` submissions: `jobs` processes here, or the workers of the cluster at that address."""
    longest = limits.notebook_seconds + GRACE
    if cluster is not None:
        from chainrule.grading.cluster import Cluster

        return Cluster(cluster, job, longest)
    modules = None if job.trust_students or _is_cold(unit.root) else imported_modules(unit.handed_out)
    return Workers(job, min(jobs, count), longest, modules)


def _is_cold(root: Path) -> bool:
    """Whether the course wants no kernel forked."""
    if "engine" not in (root / CONFIG).read_text("utf-8", errors="replace"):
        return False  # to read it loads nbgrader, which the fork server need not wait for
    from chainrule.nbgrading import course_config

    return bool(course_config(root).SandboxExecute.get("engine") == "cold")


def _standings(course: Course, unit: Unit) -> Mapping[str, Standing]:
    from sqlalchemy.orm import Session

    from chainrule.grading.database import reading
    from chainrule.grading.standing import standings, standings_at_first
    from chainrule.policy import read_policy

    policy = read_policy(course)
    with reading(course) as connection:
        if connection is None:
            return standings_at_first(unit, policy)
        with Session(connection) as session:
            return standings(session, unit, policy)


def without_contents(graded: Graded) -> Graded:
    """The same for memory's sake: a class's pages together are large."""
    names = [
        None if files is None else tuple((name, b"") for name, _ in files)
        for files in (graded.autograded, graded.feedback)
    ]
    return replace(graded, autograded=names[0], feedback=names[1])


def outcomes_of(
    course: Course, unit: Unit, students: tuple[str, ...], known: Mapping[str, Standing], hands: Grading
) -> Iterator[list[Graded]]:
    """Read the submissions as workers ask for them, and hand on what comes back; what cannot be read goes past them."""
    refused: list[Graded] = []

    def submissions() -> Iterator[Submission]:
        for student in students:
            try:
                yield read_submission(student, course.root / "submitted" / student / unit.name, known[student])
            except SubmissionError as error:
                if not (course.root / "submitted").is_dir():  # that is nobody's submission's fault
                    raise KitError(
                        f"{course.root / 'submitted'} is not there any more. Was the course moved, or its disk taken "
                        "away? Run this again where it is now; what is graded is kept."
                    ) from error
                refused.append(refusal(student, error))

    for batch in hands.grade_all(submissions()):
        yield [*refused, *batch]
        refused.clear()
    if refused:
        yield refused


@contextmanager
def staging_in(course: Course) -> Iterator[Path]:
    """A private folder on the course's own disk, so that results move into place by a rename."""
    try:
        path = Path(tempfile.mkdtemp(prefix=STAGING, dir=course.root))
    except OSError as error:
        raise CourseError(
            f"{course.root}: cannot write here ({error.strerror}). Mend the folder's rights or free the disk."
        ) from error
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
