"""Starts the kernel inside the sandbox. Run as a file, never imported: nothing of the kit is there, only ipykernel.

    python -I launch.py SETTINGS.json

In this order: limits, another user where root started us, `check`, the work folder, the kernel. From the first cell on
the process belongs to the student, so nothing here is a secret and nothing here is relied on afterwards.
"""

from __future__ import annotations

import builtins
import ctypes
import importlib.util
import json
import os
import resource
import shutil
import sys
import traceback
from pathlib import Path
from typing import Any

PR_SET_DUMPABLE = 4


def main(settings: dict[str, Any]) -> None:
    """Set up the process as `settings` says, and serve the notebook until it is killed."""
    complaints = os.dup(2)  # the grader reads what goes wrong here, until the kernel is up
    silence()
    try:
        limit(settings["limits"])
        become(settings["uid"])
        if os.getpid() != os.getpgid(0):
            os.setpgid(0, 0)  # an interrupt reaches the cell's child processes too
        load_check(settings["check"])
        enter(Path(settings["files"]), Path(settings["work"]))
        shutil.copytree(settings["fonts"], os.environ["MPLCONFIGDIR"], copy_function=shutil.copyfile)
        app = kernel_app(settings)
        sys.path.insert(0, "")  # the work folder, as in any notebook; -I left it out while we loaded our own
    except BaseException:
        os.write(complaints, traceback.format_exc().encode())
        raise SystemExit(1) from None
    os.close(complaints)
    app.start()


def silence() -> None:
    """Point the process's own output nowhere: what a notebook prints travels as messages."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)


def limit(limits: dict[str, int]) -> None:
    """Set hard limits, which no code inside can raise again."""
    for name, value in {"CORE": 0, **limits}.items():
        kind = getattr(resource, f"RLIMIT_{name}")
        _, hard = resource.getrlimit(kind)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))


def become(uid: int | None) -> None:
    """Give up root for good, and with it every capability."""
    if uid is None:
        return
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    # The change of user hides /proc/self from its owner, which multiprocessing and psutil read; nothing here is hidden.
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)


def load_check(path: str | None) -> None:
    """Load the given file as `check` before a student's check.py or check/ can be found under that name."""
    if path is None:
        return
    spec = importlib.util.spec_from_file_location("check", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["check"] = module
    spec.loader.exec_module(module)
    builtins.check = module.check  # type: ignore[attr-defined]  # for notebooks whose import cell was deleted


def enter(files: Path, work: Path) -> None:
    """Copy the notebook's files to a folder that it may write in."""
    if files != work:
        shutil.copytree(files, work, dirs_exist_ok=True, copy_function=shutil.copyfile)
    os.chdir(work)


def kernel_app(settings: dict[str, Any]) -> Any:
    """The ordinary ipykernel, listening on sockets that were opened outside and handed in."""
    import zmq
    from ipykernel.iostream import OutStream
    from ipykernel.kernelapp import IPKernelApp
    from traitlets.config import Config

    write = OutStream.write
    cell, left = None, 0

    def bounded_write(self: OutStream, string: str) -> int | None:
        """Stops sending when one cell has printed more than is kept. A courtesy: the grader counts again."""
        nonlocal cell, left
        if (now := self.parent_header.get("msg_id")) != cell:
            cell, left = now, settings["output_bytes"]
        room, left = max(0, left), left - len(string)
        return write(self, string[:room])  # type: ignore[no-any-return]

    OutStream.write = bounded_write

    class SandboxApp(IPKernelApp):  # type: ignore[misc]
        def _try_bind_socket(self, s: Any, port: int) -> int:
            s.setsockopt(zmq.USE_FD, settings["sockets"][str(port)])
            s.bind(f"ipc://{self.ip}-{port}")  # the path is a name only: the socket is open already
            return port

        def init_heartbeat(self) -> None:
            """The grader sees the process itself."""

        def write_connection_file(self, **kwargs: Any) -> None:
            """It is written outside, and read-only here."""

        def cleanup_connection_file(self) -> None:
            """As above."""

    config = Config()
    config.SandboxApp.connection_file = settings["connection_file"]
    config.HistoryManager.enabled = False
    config.InteractiveShellApp.exec_PYTHONSTARTUP = False
    app = SandboxApp.instance(config=config)
    app.initialize([])
    return app


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text("utf-8")))
