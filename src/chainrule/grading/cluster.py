"""Grades on the workers of a Dask cluster: the same function as on this machine, bytes in, bytes out.

Workers need this package in the same version and a sandbox; no disk that is shared, no gradebook. The scheduler hands
a lost worker's submissions to another. Where the cluster comes from is Dask's business: `dask scheduler` and
`dask worker --nthreads 1` by hand, dask-jobqueue on Slurm, dask-kubernetes (docs/how-grading-works.md).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from chainrule import __version__
from chainrule.errors import CourseError
from chainrule.grading.remark import Remark
from chainrule.grading.submission import Submission
from chainrule.grading.worker import Graded, Job, grade

if TYPE_CHECKING:
    from distributed import Client, Future

CONNECT_SECONDS = 10
AHEAD = 2  # submissions that wait at each worker's door, so that none has to wait for the client

# One notebook at a time in each process, however many threads its worker has: a worker's desk is not shared.
_one_at_a_time = threading.Lock()


class Cluster:
    """The workers of a cluster, with the face of `pool.Workers`."""

    def __init__(self, address: str, job: Job) -> None:
        self.client = _connect(address)
        self.job = job
        # made by a task and not scattered: what a lost worker held is then made again
        self._job: Future = self.client.submit(_same, job, pure=False)  # two runs on one cluster never share one

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *exc: object) -> None:
        self.client.close()

    def grade_all(self, submissions: Iterator[Submission]) -> Iterator[list[Graded]]:
        """Outcomes as they come, those together that come together. A few submissions for each worker are held.

        The first batch is empty: it comes when every worker has some.
        """
        from distributed import as_completed

        waiting: dict[str, str] = {}  # by task, the student
        running = as_completed(loop=self.client.loop)
        batch: list[Graded] = []
        while True:
            for _ in range(AHEAD * self._places() - len(waiting)):  # workers come and go
                self._give(submissions, running, waiting)
            yield batch
            if not waiting:
                return
            batch = [self._take(future, waiting.pop(future.key)) for future in running.next_batch()]

    def _give(self, submissions: Iterator[Submission], running: Any, waiting: dict[str, str]) -> None:
        submission = next(submissions, None)
        if submission is None:
            return
        future = self.client.submit(grade_here, self._job, submission, pure=False)
        waiting[future.key] = submission.student
        running.add(future)

    def _take(self, future: Future, student: str) -> Graded:
        error = future.exception()
        if error is None:
            graded: Graded = future.result()
            return graded
        if type(error).__name__ == "KilledWorker":
            says = "The worker that graded it was lost again and again; is there enough memory?"
        else:
            says = f"{type(error).__name__}: {error}"
        return Graded(student, 0.0, kit_fault=Remark("kit-fault", self.job.unit, says))

    def _places(self) -> int:
        return max(1, len(self.client.scheduler_info(n_workers=-1)["workers"]))


def grade_here(job: Job, submission: Submission) -> Graded:
    """On a worker: grade one submission."""
    with _one_at_a_time:
        return grade(job, submission)


def _same(job: Job) -> Job:
    return job


def _connect(address: str) -> Client:
    """A client of the cluster whose workers all have our version. Raises CourseError with the way out."""
    try:
        from distributed import Client
    except ImportError:
        raise CourseError('--cluster needs Dask. Install it: pip install "chainrule[cluster]"') from None
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise CourseError(f"no Dask scheduler answers at {address} ({error}). Start one: dask scheduler") from error
    versions = client.run(_version)
    others = {worker: version for worker, version in versions.items() if version != __version__}
    if not versions or others:
        client.close()
        if not versions:
            raise CourseError(f"the cluster at {address} has no worker. Start one: dask worker {address} --nthreads 1")
        worker, version = next(iter(others.items()))
        raise CourseError(
            f"the worker {worker} has chainrule {version}, this is {__version__}. Install the same on both"
        )
    return client


def _version() -> str:
    try:
        from chainrule import __version__ as installed
    except ImportError:
        return "not installed"
    return installed
