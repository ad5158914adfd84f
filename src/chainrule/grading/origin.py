"""The process that workers are forked from: multiprocessing's fork server, with all that grading needs imported.

Where nothing forbids it, it is a fork of this very process, so that what both need is imported once. Otherwise it is a
new Python, which imports everything again: two seconds of processor time.
"""

from __future__ import annotations

import atexit
import gc
import multiprocessing
import os
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import forkserver, util
from typing import Any

from chainrule.grading.forkserver import NO_THREADS

# Not `fork`: a worker that takes another's place would inherit the gradebook's open connection.
CONTEXT = multiprocessing.get_context("forkserver")
# One thread a worker: the cores are shared by workers, and sums come out the same whatever their number.
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")
# and the command, which a worker imports with its parent's main module
IMPORTED = ["chainrule.grading.worker", "chainrule.cli"]
# bytes: a socket's name has room for 107, of which multiprocessing's folder and file take 32
LONGEST_TEMP = 75


def one_thread() -> None:
    """Let this process be one that workers may be forked from. To be called before numpy is loaded.

    Numpy's libraries read the environment when they are loaded, which is before a worker's first line.
    """
    os.environ.update(ONE_THREAD | NO_THREADS)


def start(often: Sequence[str] = ()) -> None:
    """Start it, unless it runs. `often`: further modules that it imports, which start no thread."""
    CONTEXT.set_forkserver_preload([*IMPORTED, *often])
    with short_names():
        if os.environ.items() >= ONE_THREAD.items():
            import chainrule.grading.worker  # noqa: F401

            if len(os.listdir("/proc/self/task")) == 1:  # a fork takes no other thread along, nor what it holds
                with _forking():
                    forkserver.ensure_running()
        with _environment(ONE_THREAD | NO_THREADS):
            forkserver.ensure_running()
    atexit.unregister(stop)
    atexit.register(stop)


def stop() -> None:
    """End it; workers that are there still go on. Otherwise it would end by itself, but only after this process."""
    forkserver._forkserver._stop()  # type: ignore[attr-defined]


@contextmanager
def _forking() -> Iterator[None]:
    """Have multiprocessing fork its server and not start a new Python, which it has no setting for."""
    usual = util.spawnv_passfds
    util.spawnv_passfds = _fork
    try:
        yield
    finally:
        util.spawnv_passfds = usual


def _fork(path: Any, args: Sequence[Any], passfds: Sequence[int]) -> int:
    """As `multiprocessing.util.spawnv_passfds` for `python -c CODE`: run the code in a fork of this process.

    Of this process it keeps what is in memory, the three standard streams and `passfds`: no lock, no database, no pipe
    of the other fork server's, and nothing that this process would do at its end.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # closed, or none
            stream.flush()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        atexit._clear()
        kept = sorted({2, *passfds})
        for last, following in zip(kept, [*kept[1:], os.sysconf("SC_OPEN_MAX")], strict=True):
            os.closerange(last + 1, following)
        gc.freeze()  # what is imported by now is no garbage, which each worker would look for in all of it
        forkserver._forkserver.__init__()  # type: ignore[misc]  # its lock is held: we are within ensure_running
        exec(args[-1], {})
    except SystemExit:
        atexit._run_exitfuncs()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


@contextmanager
def short_names() -> Iterator[None]:
    """A temporary folder whose sockets' names are short enough for the system; Python 3.14 sees to that itself."""
    before = tempfile.tempdir
    if len(os.fsencode(tempfile.gettempdir())) > LONGEST_TEMP:
        tempfile.tempdir = "/tmp"
    try:
        yield
    finally:
        tempfile.tempdir = before


@contextmanager
def _environment(settings: dict[str, str]) -> Iterator[None]:
    """Numpy's libraries read the environment when they are loaded, which is before a worker's first line."""
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
