"""The process that workers are forked from: multiprocessing's fork server, with all that grading needs imported.

Where nothing forbids it, it is a fork of this very process, so that what both need is imported once. Otherwise it is a
new Python, which imports everything again: two seconds of processor time. So it is, too, in a Python whose
multiprocessing is another inside than those that this was tried with, 3.11 to 3.13 (and 3.14's by its source).
"""

from __future__ import annotations

import atexit
import gc
import multiprocessing
import os
import select
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import forkserver, util
from multiprocessing.process import BaseProcess
from signal import SIGKILL, pidfd_send_signal
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
FAREWELL = 5  # seconds in which it ends when it is told to; then it is killed
# What no Python promises: parts of multiprocessing's server, and what it starts programs by.
PARTS = ("_stop", "_forkserver_pid", "_forkserver_alive_fd")
SPAWN: Any = getattr(util, "spawnv_passfds", None)


def one_thread() -> None:
    """Let this process be one that workers may be forked from. To be called before numpy is loaded.

    Numpy's libraries read the environment when they are loaded, which is before a worker's first line.
    """
    os.environ.update(ONE_THREAD | NO_THREADS)


def start(often: Sequence[str] = ()) -> None:
    """Start it, unless it runs. `often`: further modules that it imports, which start no thread."""
    CONTEXT.set_forkserver_preload([*IMPORTED, *often])
    _run()
    atexit.unregister(stop)
    atexit.register(stop)


def launch(process: BaseProcess) -> None:
    """Start a worker. Where what it is forked from was killed, another takes its place."""
    _run()
    try:
        process.start()
    except (EOFError, ConnectionError):  # it ended after we looked
        _run()
        process.start()


def stop() -> None:
    """End it; workers that are there still go on. Otherwise it would end by itself, but only after this process."""
    server = _server()
    if server is None or server._forkserver_pid is None:
        return
    try:
        ended = os.pidfd_open(server._forkserver_pid)
    except ProcessLookupError:
        return
    # It ends when nobody holds its pipe. Ours is closed, and the number kept for `_stop`, which waits without limit.
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), server._forkserver_alive_fd, inheritable=False)
    if not select.select([ended], [], [], FAREWELL)[0]:  # stopped, or a worker that is stopped holds the pipe as well
        pidfd_send_signal(ended, SIGKILL)
    os.close(ended)
    server._stop()


def _run() -> None:
    """Have it run, in whatever way is open to us."""
    with short_names():
        if os.environ.items() >= ONE_THREAD.items() and _can_fork():
            import chainrule.grading.worker  # noqa: F401

            if len(os.listdir("/proc/self/task")) == 1:  # a fork takes no other thread along, nor what it holds
                with _forking():
                    forkserver.ensure_running()
        with _environment(ONE_THREAD | NO_THREADS):
            forkserver.ensure_running()


def _server() -> Any:
    """Multiprocessing's server as an object; None where this Python has another than we know."""
    server = getattr(forkserver, "_forkserver", None)
    return server if all(hasattr(server, name) for name in PARTS) else None


def _can_fork() -> bool:
    """Whether multiprocessing has the parts by which `_forking` makes its server a fork."""
    return (
        _server() is not None
        and SPAWN is not None
        and all(hasattr(atexit, name) for name in ("_clear", "_run_exitfuncs"))
    )


@contextmanager
def _forking() -> Iterator[None]:
    """Have multiprocessing fork its server and not start a new Python, which it has no setting for."""
    util.spawnv_passfds = _fork
    try:
        yield
    finally:
        util.spawnv_passfds = SPAWN


def _fork(path: Any, args: Sequence[Any], passfds: Sequence[int]) -> int:
    """As `multiprocessing.util.spawnv_passfds` for `python -c CODE`: run the code in a fork of this process.

    Of this process it keeps what is in memory, the three standard streams and `passfds`: no lock, no database, no pipe
    of the other fork server's, and nothing that this process would do at its end.
    """
    if args[-2] not in ("-c", b"-c"):  # another command than those that are known
        started: int = SPAWN(path, args, passfds)
        return started
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
