"""The fork server: a process that has imported what a unit's notebooks import, and forks once for each notebook.

    python -I -c START

`START` (`forkserver.START`) runs this file, whose path it reads from its standard input. The next line there is JSON:
the folder that this file is in, the control socket's descriptor, the modules to import.

It is started outside the sandbox with a small environment, knows no secret, opens nothing of the course, and never
runs a student's code: its grandchild does, once it has joined a sandbox that bubblewrap has built. For each request
on its control socket (JSON and three descriptors: the sandbox's first process, the kernel's socket, the keeper's)
it forks a keeper, which joins the sandbox's namespaces and forks the kernel in them.
"""

from __future__ import annotations

import builtins
import ctypes
import gc
import importlib
import io
import json
import os
import select
import signal
import socket
import sys
import traceback
import types
from contextlib import suppress
from pathlib import Path
from typing import Any

settings: dict[str, Any] = json.loads(sys.stdin.readline())


def _sibling(name: str) -> Any:
    """A file beside this one as a module whose code names no path of this side: students' tracebacks show it."""
    module = types.ModuleType(name)
    text = Path(settings["folder"], f"{name}.py").read_text("utf-8")
    exec(compile(text, f"/chainrule/{name}.py", "exec"), module.__dict__)
    return module


confine, start = _sibling("confine"), _sibling("start")

MADV_COLLAPSE, LARGE = 25, 2**21
REQUEST_BYTES = 1_000_000


def main(settings: dict[str, Any]) -> None:
    """Import, say so, and fork at every request until the control socket is closed."""
    control = socket.socket(fileno=settings["control"])
    # pandas asks when it is imported whether it is in a notebook, and shows fewer columns where it is not
    builtins.get_ipython = lambda: types.SimpleNamespace(kernel=None)  # type: ignore[attr-defined]
    for name in settings["modules"]:
        with suppress(Exception):  # the notebook itself will meet it
            importlib.import_module(name)
    del builtins.get_ipython  # type: ignore[attr-defined]
    pipekernel = _sibling("pipekernel")
    confine.prepare()
    if settings["check"] is not None:
        start.check_module(Path(settings["check"]["source"]).read_bytes(), settings["check"]["seen"])
    if "matplotlib.pyplot" in sys.modules:
        with suppress(Exception):
            _draw()
    kernel = pipekernel.build()
    own = str(os.getpid())
    threads = [
        Path("/proc/self/task", name, "comm").read_text().strip()
        for name in os.listdir("/proc/self/task")
        if name != own
    ]
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # keepers are reaped by the system
    gc.collect()
    gc.freeze()  # shared pages stay shared
    _collapse()
    loaded = sorted({name.partition(".")[0] for name in sys.modules})
    control.sendall(json.dumps({"threads": threads, "loaded": loaded}).encode())
    while True:
        request, descriptors, _, _ = socket.recv_fds(control, REQUEST_BYTES, 3)
        if not request:
            return
        if os.fork() == 0:
            control.close()
            _keep(json.loads(request), descriptors, pipekernel, kernel)
        for descriptor in descriptors:
            os.close(descriptor)


def _collapse() -> None:
    """Put own memory into large pages where the system has them: a fork copies one entry for 512."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        place, rights, _, _, number, *name = line.split()
        if rights == "rw-p" and number == "0" and name in ([], ["[heap]"]):
            start, end = (int(word, 16) for word in place.split("-"))
            start, end = -(-start // LARGE) * LARGE, end // LARGE * LARGE
            if start < end:
                confine.libc().madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), MADV_COLLAPSE)


def _draw() -> None:
    """Draw once what every notebook with pictures draws: fonts and the parser of formulas stay in memory."""
    import matplotlib_inline.backend_inline  # noqa: F401  loaded by the first picture
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.subplots()
    axes.plot([0, 1], label="$x_1$")
    axes.legend()
    axes.set_title("x")
    figure.savefig(io.BytesIO(), format="png", bbox_inches="tight")


def _keep(request: dict[str, Any], descriptors: list[int], pipekernel: Any, kernel: Any) -> None:
    """Join the sandbox, fork the kernel, pass on interrupts, report its end. Ends when the other side hangs up."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    holder, talk, keeper = descriptors[0], socket.socket(fileno=descriptors[1]), socket.socket(fileno=descriptors[2])
    try:
        for path in request["groups"]:
            Path(path).write_text(str(os.getpid()))
        # In a user namespace that is joined one has every capability: all namespaces are joined at once.
        if confine.libc().setns(holder, request["namespaces"]) != 0:
            raise OSError(ctypes.get_errno(), f"setns: {os.strerror(ctypes.get_errno())}")
        os.close(holder)
        child = os.fork()  # of the sandbox's pid namespace, which a process itself does not enter
        if child == 0:
            keeper.close()
            _be_kernel(request, talk, pipekernel, kernel)
        talk.close()
        _watch(child, keeper)
    except BaseException:
        with suppress(OSError):
            keeper.sendall(json.dumps({"fault": traceback.format_exc()}).encode() + b"\n")
    os._exit(0)


def _watch(child: int, keeper: socket.socket) -> None:
    handle = os.pidfd_open(child)
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    poll.register(keeper, select.POLLIN)
    while True:
        for descriptor, _ in poll.poll():
            if descriptor == handle:
                _, status = os.waitpid(child, 0)
                said = {"status": os.waitstatus_to_exitcode(status)}
                keeper.sendall(json.dumps(said).encode() + b"\n")
                return
            # the kernel leads its process group: an interrupt reaches the cell's child processes, too
            over = not keeper.recv(1)
            with suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL if over else signal.SIGINT)
            if over:
                os.waitpid(child, 0)  # or it is the system's first process to take it, which in a container may not
                return


def _be_kernel(settings: dict[str, Any], talk: socket.socket, pipekernel: Any, kernel: Any) -> None:
    """From here on the process is inside; at the first cell it is the student's."""
    try:
        start.silence()
        os.setsid()
        os.umask(0o022)
        os.environ.clear()
        os.environ.update(settings["environment"])
        confine.confine(settings)
        _forget()
        start.load_check(settings["check"])
        start.enter(Path(settings["files"]), Path(settings["work"]))
        start.bound_output(settings["output_bytes"])
        pipekernel.settle(kernel, talk.fileno())
        if not settings["pictures"]:
            start.leave_out_pictures(kernel.shell)
    except BaseException:
        with suppress(OSError):
            talk.sendall(json.dumps(["fault", None, {"says": traceback.format_exc()}]).encode() + b"\n")
        os._exit(1)
    try:
        pipekernel.serve(kernel, talk)
    finally:
        os._exit(0)


def _forget() -> None:
    """What was made before the fork and would be the same for all notebooks."""
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()


if __name__ == "__main__":
    main(settings)
    os._exit(0)
