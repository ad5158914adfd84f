"""Grades a unit's submissions side by side: workers grade, this process reads, records and keeps the clock."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from pathlib import Path

from nbgrader.api import Gradebook

from chainrule.course import Course, Unit
from chainrule.errors import CourseError, SubmissionError
from chainrule.grading.plan import Planned, plan
from chainrule.grading.record import prepare, record
from chainrule.grading.remark import Remark
from chainrule.grading.sandbox import find_sandbox
from chainrule.grading.standing import standings
from chainrule.grading.submission import Standing, Submission, read_submission
from chainrule.grading.worker import Graded, Job, grade, refusal
from chainrule.nbgrading import course_config

RETRIES = 1  # a worker that dies takes its submission with it; once more, then it is reported
GRACE = 60  # seconds above notebook_seconds, for all that is not the notebook; a worker that needs more hangs
FAREWELL = 2  # seconds in which a worker that is told to stop may tidy up
# One thread a worker: the cores are shared by workers, and sums come out the same whatever their number.
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


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
    """Grade what is new or changed. `begin` hears of the plan, `done` of each outcome once it is recorded.

    The outcomes that are returned name their files and hold none: those lie in autograded/ and feedback/.
    """
    if not trust_students:
        find_sandbox()  # before any work is done
    planned = plan(course, unit, students, fresh)
    begin(planned)
    outcomes: list[Graded] = []
    if planned.todo:
        job = Job(unit.name, unit.version, course.root, trust_students)
        longest = course.limits().notebook_seconds + GRACE
        with _staging(course) as staging, Workers(job, min(jobs, len(planned.todo)), longest) as workers:
            prepare(course, unit, staging)  # while the workers start
            config = course_config(course.root).CourseDirectory
            with Gradebook(config.db_url, config.course_id) as gradebook:
                known = standings(gradebook, unit)
                for graded in _outcomes(course, unit, planned.todo, known, workers):
                    record(course, unit, graded, gradebook)
                    outcomes.append(_without_contents(graded))
                    done(outcomes[-1])
    return planned, outcomes


def _without_contents(graded: Graded) -> Graded:
    """The same for memory's sake: a class's pages together are large."""
    names = [
        None if files is None else tuple((name, b"") for name, _ in files)
        for files in (graded.autograded, graded.feedback)
    ]
    return replace(graded, autograded=names[0], feedback=names[1])


def _outcomes(
    course: Course, unit: Unit, students: tuple[str, ...], known: Mapping[str, Standing], workers: Workers
) -> Iterator[Graded]:
    """Read the submissions as workers ask for them, and hand on what comes back; what cannot be read goes past them."""
    refused: deque[Graded] = deque()

    def submissions() -> Iterator[Submission]:
        for student in students:
            try:
                yield read_submission(student, course.root / "submitted" / student / unit.name, known[student])
            except SubmissionError as error:
                refused.append(refusal(student, error))

    for graded in workers.grade_all(submissions()):
        while refused:
            yield refused.popleft()
        yield graded
    yield from refused


class Workers:
    """Processes that grade one submission each at a time. One that dies or hangs costs a retry of what it held."""

    def __init__(self, job: Job, count: int, longest: float) -> None:
        self.job, self.longest = job, longest
        self._idle: list[_Worker] = []
        self._busy: list[_Worker] = []
        self._idle += [_Worker(job) for _ in range(count)]

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *exc: object) -> None:
        """Told to stop, workers end what they hold; those that do not listen are killed. None is left."""
        workers = [*self._idle, *self._busy]
        for worker in workers:
            worker.process.terminate()
        end = time.monotonic() + FAREWELL
        for worker in workers:
            worker.process.join(max(0.0, end - time.monotonic()))
            worker.kill()

    def grade_all(self, submissions: Iterator[Submission]) -> Iterator[Graded]:
        """Outcomes as they come. No more submissions are held than there are workers."""
        again: deque[tuple[Submission, int]] = deque()
        fresh = ((submission, 0) for submission in submissions)
        while True:
            while self._idle and (task := again.popleft() if again else next(fresh, None)):
                self._idle[-1].give(*task, self.longest)
                self._busy.append(self._idle.pop())
            if not self._busy:
                return
            for worker in self._ready():
                self._busy.remove(worker)
                graded = worker.take()
                if graded is not None:
                    self._idle.append(worker)
                    task = again.popleft() if again else next(fresh, None)
                    if task:  # before the outcome is recorded, so that nobody waits for that
                        worker.give(*task, self.longest)
                        self._busy.append(self._idle.pop())
                    yield graded
                    continue
                submission, tries, why = worker.submission, worker.tries, worker.why
                assert submission is not None
                worker.kill()
                self._idle.append(_Worker(self.job))
                if tries < RETRIES:
                    again.append((submission, tries + 1))
                else:
                    yield Graded(submission.student, 0.0, kit_fault=Remark("kit-fault", self.job.unit, why))

    def _ready(self) -> list[_Worker]:
        """The busy workers that answered, died or have taken too long; waits for the first."""
        left = min(worker.deadline for worker in self._busy) - time.monotonic()
        heard = set(wait([worker.pipe for worker in self._busy], max(0.0, left)))
        return [worker for worker in self._busy if worker.pipe in heard or worker.deadline <= time.monotonic()]


class _Worker:
    """One process and what it holds."""

    def __init__(self, job: Job) -> None:
        # spawn: a forked child would inherit the gradebook's open connection
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(job, theirs), daemon=True)
        with _one_thread():
            self.process.start()
        theirs.close()  # so that its end is heard when the process dies
        self.submission: Submission | None = None
        self.tries = 0
        self.deadline = 0.0

    def give(self, submission: Submission, tries: int, longest: float) -> None:
        self.submission, self.tries = submission, tries
        self.deadline = time.monotonic() + longest
        with suppress(BrokenPipeError, ConnectionResetError):  # it is dead, which `take` sees
            self.pipe.send(submission)

    def take(self) -> Graded | None:
        """The outcome; None where there is none, because the process died or hangs."""
        try:
            if not self.pipe.poll():
                return None
            graded: Graded = self.pipe.recv()
        except (EOFError, OSError):
            return None
        self.submission = None
        return graded

    @property
    def why(self) -> str:
        """In words, why there is no outcome."""
        if self.process.is_alive() and self.deadline <= time.monotonic():
            return "The worker that graded it hung twice, long after the notebook's time was over, and was killed."
        return "The worker that graded it was killed twice; is there enough memory?"

    def kill(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


def _work(job: Job, pipe: Connection) -> None:
    """A worker's life: grade what comes, until the other end is gone or says stop."""
    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is the client's to hear; SIG_IGN would reach the kernels
    signal.signal(signal.SIGTERM, _stop)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            pipe.send(grade(job, pipe.recv()))


def _stop(*_: object) -> None:
    """Leave by an exception, so that a running notebook's processes and folders go, too."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit


def _end_with_parent() -> None:
    """A client that was killed cannot say so; without it there is nobody to grade for."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(FAREWELL)
        os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Numpy's libraries read the environment when they are loaded, which is before a worker's first line."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


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
