"""Grades on the workers of a Dask cluster: the same function as on this machine, bytes in, bytes out.

Workers need this package in the same version and a sandbox; no disk that is shared, no gradebook. The scheduler hands
a lost worker's submissions to another. Where the cluster comes from is Dask's business: `dask scheduler` and
`dask worker --nthreads 1` by hand, dask-jobqueue on Slurm, dask-kubernetes (docs/how-grading-works.md).

A worker that is there but finishes nothing is for us to notice: it may be stopped, or its machine gone without a word,
or what it does may have no end.
"""

from __future__ import annotations

import queue
import threading
import time
import uuid
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chainrule import __version__
from chainrule.errors import CourseError, KitError
from chainrule.grading.remark import Remark
from chainrule.grading.submission import Submission
from chainrule.grading.worker import Graded, Job, grade
from chainrule.grading.workers import RETRIES

if TYPE_CHECKING:
    from distributed import Client, Future

CONNECT_SECONDS = 10
ANSWER_SECONDS = 60  # in which the scheduler, or a worker that is asked for its version, says something
KILL_SECONDS = 20  # in which a worker's nanny ends it; after that the scheduler does without that worker
LOOK_SECONDS = 5  # between two looks at who does what, while nothing is finished
AHEAD = 2  # submissions that wait at each worker's door, so that none has to wait for the client
OURS = "chainrule-"  # how the names of our tasks begin
NOWHERE = ""  # in place of a worker's address: tasks that wait for one

# One notebook at a time in each process, however many threads its worker has: a worker's desk is not shared.
_one_at_a_time = threading.Lock()


@dataclass(frozen=True, slots=True)
class _Held:
    """A submission that the cluster holds, how often it was sent again, and the worker that it was sent to."""

    future: Future
    submission: Submission
    tries: int
    worker: str


class Cluster:
    """The workers of a cluster, with the face of `pool.Workers`."""

    def __init__(self, address: str, job: Job, longest: float) -> None:
        """`longest`: seconds in which a worker that has something to grade finishes one notebook, or hangs."""
        self.address, self.job, self.longest = address, job, longest
        self.client = _connect(address)
        # By worker, so that none waits for another that is stopped to hand it on. Made by a task and not scattered:
        # what a lost worker held is then made again.
        self._jobs: dict[str, Future] = {}
        self._held: dict[str, _Held] = {}  # by the task's name, the oldest first
        self._fresh: deque[tuple[Submission, int]] = deque()  # taken back from behind one that hangs
        self._again: deque[tuple[Submission, int]] = deque()
        self._finished: queue.SimpleQueue[tuple[str, Graded | BaseException]] = queue.SimpleQueue()
        self._seen: dict[str, tuple[frozenset[str], float]] = {}  # by worker: its tasks, and since when none is done

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *exc: object) -> None:
        self.client.close()

    def grade_all(self, submissions: Iterator[Submission]) -> Iterator[list[Graded]]:
        """Outcomes as they come, those together that come together. A few submissions for each worker are held.

        The first batch is empty: it comes when every worker has some.
        """
        batch: list[Graded] = []
        while True:
            tasks = self._tasks()  # workers come and go
            for worker in self._hanging(tasks):
                batch += self._end(worker, tasks.get(worker, ()))
                tasks = self._tasks()
            self._give(submissions, tasks)
            yield batch
            if not self._held:
                return
            batch = [graded for key, outcome in self._wait() for graded in self._take(key, outcome)]

    def _give(self, submissions: Iterator[Submission], tasks: Mapping[str, tuple[str, ...]]) -> None:
        """Hand out what there is room for, each worker its share: one that hangs keeps no more than that waiting.

        What is sent again comes last, and is alone with its worker: what ends that must not be another's doing.
        """
        places = {key: worker for worker, keys in tasks.items() for key in keys}
        ours = dict.fromkeys(tasks or [NOWHERE], 0)  # without workers, for those that are yet to come
        for key, held in self._held.items():
            place = places.get(key, held.worker)  # the scheduler may not have heard of it yet
            ours[place if place in ours else next(iter(ours))] += 1
        self._jobs = {worker: job for worker, job in self._jobs.items() if worker in ours}
        while ours[free := min(ours, key=ours.__getitem__)] < AHEAD:
            submission, tries = self._fresh.popleft() if self._fresh else (next(submissions, None), 0)
            if submission is None:
                break
            self._send(submission, tries, free)
            ours[free] += 1
        for worker in [worker for worker, count in ours.items() if not count][: len(self._again)]:
            self._send(*self._again.popleft(), worker)

    def _send(self, submission: Submission, tries: int, worker: str) -> None:
        place = {} if worker == NOWHERE else {"workers": [worker], "allow_other_workers": True}  # should it be lost
        if worker not in self._jobs:
            self._jobs[worker] = self.client.submit(_same, self.job, key=_name(), **place)
        future = self.client.submit(grade_here, self._jobs[worker], submission, key=_name(), **place)
        self._held[future.key] = _Held(future, submission, tries, worker)
        self.client.loop.add_callback(self._fetch, future)

    async def _fetch(self, future: Future) -> None:
        """Wait for an outcome, and put it where `_wait` finds it. On the client's own thread: who holds an outcome and
        does not give it away keeps nobody else waiting."""
        try:
            (outcome,) = await self.client.gather([future], asynchronous=True)
        except BaseException as error:
            outcome = error
        self._finished.put((future.key, outcome))

    def _wait(self) -> list[tuple[str, Graded | BaseException]]:
        """The tasks that are done; waits for the first, but not for long."""
        done: list[tuple[str, Graded | BaseException]] = []
        with suppress(queue.Empty):
            while self._held:
                done.append(self._finished.get(timeout=0 if done else LOOK_SECONDS))
        return [(key, outcome) for key, outcome in done if key in self._held]  # not what was taken back

    def _take(self, key: str, outcome: Graded | BaseException) -> list[Graded]:
        """The outcome of a task that is done; none where its submission is to be sent again."""
        held = self._held.pop(key)
        if isinstance(outcome, Graded):
            return [outcome]
        if type(outcome).__name__ == "KilledWorker":
            return self._once_more(held, "The worker that graded it was lost again and again; is there enough memory?")
        if not isinstance(outcome, Exception) or held.future.status != "error":  # nobody's doing but the cluster's
            raise self._gone("was lost") from outcome
        return [self._fault(held.submission, f"{type(outcome).__name__}: {outcome}")]

    def _once_more(self, held: _Held, says: str) -> list[Graded]:
        if held.tries >= RETRIES:
            return [self._fault(held.submission, says)]
        self._again.append((held.submission, held.tries + 1))
        return []

    def _fault(self, submission: Submission, says: str) -> Graded:
        return Graded(submission.student, 0.0, kit_fault=Remark("kit-fault", self.job.unit, says))

    def _hanging(self, tasks: Mapping[str, tuple[str, ...]]) -> list[str]:
        """The workers that have had something of ours for longer than one notebook takes, and finished nothing."""
        now = time.monotonic()
        ours = {
            # who shares a worker with others' tasks waits for them: which one runs there, nobody can tell
            worker: frozenset(keys)
            for worker, keys in tasks.items()
            if any(key in self._held for key in keys) and all(key.startswith(OURS) for key in keys)
        }
        if self._held and not any(tasks.values()):
            ours[NOWHERE] = frozenset()
        self._seen = {
            worker: (keys, now if worker not in self._seen or self._seen[worker][0] - keys else self._seen[worker][1])
            for worker, keys in ours.items()
        }
        return [worker for worker, (_, since) in self._seen.items() if now - since > self.longest]

    def _end(self, worker: str, keys: tuple[str, ...]) -> list[Graded]:
        """End a worker that hangs. The notebook that it has had longest is sent again, or told; others just go on."""
        if worker == NOWHERE:
            raise self._gone(f"has had no worker that takes something for {self.longest:.0f} s")
        mine = [(key, held) for key, held in self._held.items() if key in keys]
        mine.sort(key=lambda one: one[1].future.done())  # those whose outcome it keeps to itself come last
        for key, _ in mine:
            del self._held[key]
        self.client.cancel([held.future for _, held in mine])
        end = time.monotonic() + ANSWER_SECONDS
        while any(key in self._tasks().get(worker, ()) for key, _ in mine) and time.monotonic() < end:
            time.sleep(0.01)  # or the scheduler would hand what hangs to the next worker
        self._ask(
            self.client.scheduler.restart_workers,
            workers=[worker],
            timeout=KILL_SECONDS,
            wait_for_workers=False,
            on_error="return",
            stimulus_id=f"{OURS}hangs-{time.time()}",
        )
        del self._seen[worker]
        self._fresh += [(held.submission, held.tries) for _, held in mine[1:]]
        says = "The worker that graded it hung twice, deaf or long after the notebook's time, and was ended."
        return [graded for _, held in mine[:1] for graded in self._once_more(held, says)]

    def _tasks(self) -> dict[str, tuple[str, ...]]:
        """By worker, the tasks that it has: those that run or wait, and ours that are done and not fetched yet."""
        done = self._ask(self.client.scheduler.has_what)
        return {
            worker: (*map(str, keys), *(key for key in done.get(worker, ()) if key in self._held))
            for worker, keys in self._ask(self.client.scheduler.processing).items()
        }

    def _ask(self, what: Any, **words: Any) -> Any:
        """Ask the scheduler, which may be gone as well."""
        try:
            return self.client.sync(what, callback_timeout=ANSWER_SECONDS, **words)
        except OSError as error:
            raise self._gone("does not answer") from error

    def _gone(self, says: str) -> KitError:
        return KitError(
            f"the Dask cluster at {self.address} {says}. See that its scheduler and its workers run, "
            "then run this again; what is graded is kept."
        )


def grade_here(job: Job, submission: Submission) -> Graded:
    """On a worker: grade one submission."""
    with _one_at_a_time:
        return grade(job, submission)


def _same(job: Job) -> Job:
    return job


def _name() -> str:
    return f"{OURS}{uuid.uuid4()}"


def _connect(address: str) -> Client:
    """A client of the cluster whose workers all have our version. Raises CourseError with the way out."""
    try:
        from distributed import Client
    except ImportError:
        raise CourseError('--cluster needs Dask. Install it: pip install "chainrule[cluster]"') from None
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
        workers = client.sync(client.scheduler.processing, callback_timeout=ANSWER_SECONDS)
    except (OSError, ValueError) as error:
        raise CourseError(f"no Dask scheduler answers at {address} ({error}). Start one: dask scheduler") from error
    try:
        _expect_our_version(client, address, list(workers))
    except BaseException:
        client.close()
        raise
    return client


def _expect_our_version(client: Client, address: str, workers: list[str]) -> None:
    if not workers:
        raise CourseError(f"the cluster at {address} has no worker. Start one: dask worker {address} --nthreads 1")
    for worker in workers:
        try:
            # as Client.run, which would wait for ever for a worker that is stopped
            version = client.sync(client._run, _version, workers=[worker], callback_timeout=ANSWER_SECONDS)[worker]
        except OSError as error:
            raise CourseError(f"the worker {worker} does not answer. End it, then run this again") from error
        if version != __version__:
            raise CourseError(
                f"the worker {worker} has chainrule {version}, this is {__version__}. Install the same on both"
            )


def _version() -> str:
    try:
        from chainrule import __version__ as installed
    except ImportError:
        return "not installed"
    return installed
