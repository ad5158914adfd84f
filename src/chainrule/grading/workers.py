"""Processes on this machine that grade one submission each at a time.

They are forked from one process that has imported what grading needs (`origin`), and share one fork server for the
notebooks' kernels, which imports while the client goes on.
"""

from __future__ import annotations

import multiprocessing
import os
import select
import signal
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, wait

from chainrule.grading import origin
from chainrule.grading.forkserver import ForkServer, ForkUnavailable, OwnServer, share
from chainrule.grading.outcome import Graded, Job
from chainrule.grading.remark import Remark
from chainrule.grading.rooms import leave
from chainrule.grading.submission import Submission

RETRIES = 1  # a worker that dies takes its submission with it; once more, then it is reported
STUCK = 30  # seconds in which a worker takes or gives nothing of what is on its way: it is stopped
FAREWELL = 2  # seconds in which a worker that is told to stop may tidy up
OFTEN = ("matplotlib.pyplot", "pandas")  # what many units import, if they do, which starts no thread


class Workers:
    """Processes that grade one submission each at a time. One that dies or hangs costs a retry of what it held."""

    def __init__(self, job: Job, count: int, longest: float, modules: tuple[str, ...] | None = None) -> None:
        """`modules`: what the unit's notebooks import; None where no kernel is to be forked for all workers."""
        self.job, self.count, self.longest = job, count, longest
        self._all: list[_Worker] = []  # wherever Ctrl-C comes between two lines, each is here
        self._idle: list[_Worker] = []
        self._busy: list[_Worker] = []
        self._kernels = None if modules is None else _Kernels(modules)
        origin.start([name for name in OFTEN if name in (modules or ())])

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *exc: object) -> None:
        """Told to stop, workers end what they hold; those that do not listen are killed. None is left."""
        try:
            for worker in self._all:
                worker.tell(signal.SIGTERM)
            end = time.monotonic() + FAREWELL
            for worker in self._all:
                worker.ends(max(0.0, end - time.monotonic()))
        finally:  # who presses Ctrl-C once more does not want to wait
            for worker in self._all:
                worker.tell(signal.SIGKILL)
            if self._kernels is not None:
                self._kernels.close()
            for worker in self._all:
                worker.kill()

    def grade_all(self, submissions: Iterator[Submission]) -> Iterator[list[Graded]]:
        """Outcomes as they come, those together that come together. No more submissions are held than workers.

        The first batch is empty: it comes when every worker has a submission.
        """
        if self._kernels is not None:
            self._kernels.wait()
        for _ in range(self.count):
            self._hire()
        again: deque[tuple[Submission, int]] = deque()
        fresh = ((submission, 0) for submission in submissions)
        batch: list[Graded] = []
        while True:
            while self._idle and (task := again.popleft() if again else next(fresh, None)):
                self._idle[-1].give(*task, self.longest)
                self._busy.append(self._idle.pop())
            yield batch  # recorded while the workers are at work again
            if not self._busy:
                return
            batch = []
            for worker in self._ready():
                self._busy.remove(worker)
                graded = worker.take()
                if graded is not None:
                    self._idle.append(worker)
                    batch.append(graded)
                    continue
                submission, tries, why = worker.submission, worker.tries, worker.why
                assert submission is not None
                worker.kill()
                self._all.remove(worker)
                self._hire()
                if tries < RETRIES:
                    again.append((submission, tries + 1))
                else:
                    fault = Remark("kit-fault", self.job.unit, why)
                    batch.append(Graded(submission.student, 0.0, kit_fault=fault))

    def _hire(self) -> None:
        self._all.append(_Worker(self.job, self._kernels))
        self._idle.append(self._all[-1])

    def _ready(self) -> list[_Worker]:
        """The busy workers that answered, died or have taken too long; waits for the first."""
        left = min(worker.deadline for worker in self._busy) - time.monotonic()
        heard = set(wait([worker.pipe for worker in self._busy], max(0.0, left)))
        return [worker for worker in self._busy if worker.pipe in heard or worker.deadline <= time.monotonic()]


class _Worker:
    """One process and what it holds."""

    def __init__(self, job: Job, kernels: _Kernels | None) -> None:
        self.pipe, theirs = origin.CONTEXT.Pipe()
        shared = None if kernels is None else kernels.shared
        self.process = origin.CONTEXT.Process(target=_work, args=(job, theirs, shared), daemon=True)
        origin.launch(self.process)
        # not multiprocessing's own word on its end, which comes from what it was forked from, and ends with that
        self._handle = _handle_of(self.process.pid)
        theirs.close()  # so that its end is heard when the process dies
        with socket.socket(fileno=os.dup(self.pipe.fileno())) as ours:
            for way in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):
                ours.setsockopt(socket.SOL_SOCKET, way, struct.pack("@ll", STUCK, 0))
        self.submission: Submission | None = None
        self.tries = 0
        self.deadline = 0.0

    def give(self, submission: Submission, tries: int, longest: float) -> None:
        self.submission, self.tries = submission, tries
        self.deadline = time.monotonic() + longest
        try:
            self.pipe.send(submission)
        except BlockingIOError:
            self.deadline = 0.0
        except (BrokenPipeError, ConnectionResetError):  # it is dead, which `take` sees
            pass

    def take(self) -> Graded | None:
        """The outcome; None where there is none, because the process died or hangs."""
        try:
            if not self.pipe.poll():
                return None
            graded: Graded = self.pipe.recv()
        except BlockingIOError:
            self.deadline = 0.0
            return None
        except (EOFError, OSError):
            return None
        self.submission = None
        return graded

    @property
    def why(self) -> str:
        """In words, why there is no outcome."""
        if self.alive and self.deadline <= time.monotonic():
            return "The worker that graded it hung twice, deaf or long after the notebook's time, and was killed."
        return "The worker that graded it was killed twice; is there enough memory?"

    @property
    def alive(self) -> bool:
        return not self.ends(0)

    def ends(self, seconds: float) -> bool:
        """Whether the process has ended, or does in that time."""
        return self._handle is None or bool(select.select([self._handle], [], [], seconds)[0])

    def tell(self, number: signal.Signals) -> None:
        if self._handle is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, number)

    def kill(self) -> None:
        """End it at once."""
        self.tell(signal.SIGKILL)
        if self.ends(FAREWELL):
            self.process.join(FAREWELL)  # for multiprocessing's books
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
        self.pipe.close()


def _handle_of(pid: int | None) -> int | None:
    """What tells a process's end, and no other's that may have its number by then; None where it has ended."""
    try:
        return None if pid is None else os.pidfd_open(pid)
    except ProcessLookupError:
        return None


class _Kernels:
    """The fork server that all workers share."""

    def __init__(self, modules: tuple[str, ...]) -> None:
        self.modules = modules
        self.server: ForkServer | ForkUnavailable
        try:
            self.server = OwnServer(modules)
        except OSError as error:
            self.server = ForkUnavailable(str(error))

    def wait(self) -> None:
        if isinstance(self.server, OwnServer):
            try:
                self.server.wait()
            except ForkUnavailable as error:
                self.server = error

    @property
    def shared(self) -> tuple[tuple[str, ...], ForkServer | ForkUnavailable]:
        """What a worker is told: whom to ask, or that there is nobody."""
        if isinstance(self.server, ForkUnavailable):
            return self.modules, self.server
        return self.modules, ForkServer(self.server.control, self.server.loaded)

    def close(self) -> None:
        if isinstance(self.server, ForkServer):
            self.server.close()


def _work(job: Job, pipe: Connection, shared: tuple[tuple[str, ...], ForkServer | ForkUnavailable] | None) -> None:
    """A worker's life: grade what comes, until the other end is gone or says stop."""
    from chainrule.grading.worker import grade  # loaded already where it was forked from

    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is the client's to hear; SIG_IGN would reach the kernels
    signal.signal(signal.SIGTERM, _stop)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if shared is not None:
        share(*shared)
    try:
        with suppress(EOFError, BrokenPipeError, ConnectionResetError):
            while True:
                pipe.send(grade(job, pipe.recv()))
    finally:
        leave()


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
