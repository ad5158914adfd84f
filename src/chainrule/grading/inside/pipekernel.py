"""The ordinary IPython kernel without zmq: requests come and messages go as lines of JSON over one socket.

A request is `{"id": ..., "code": ...}`, a cell. A message is `[type, id of the request, content]`, the last one of a
cell being `status` with `idle`. The sandbox's other side trusts none of it.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
import socket
import struct
import sys
import termios
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import ipykernel.debugger
import IPython.core.completerlib
import IPython.core.oinspect  # noqa: F401
import tornado.platform.asyncio  # noqa: F401  the loop's, which is made after the fork
import zmq.asyncio  # noqa: F401  what the ordinary kernel has loaded, a notebook may rely on
from ipykernel.iostream import IOPubThread, OutStream
from ipykernel.ipkernel import IPythonKernel
from ipykernel.jsonutil import json_clean
from ipykernel.kernelapp import IPKernelApp
from jupyter_client.session import Session, extract_header, new_id, new_id_bytes
from tornado.ioloop import IOLoop
from traitlets.config import Config

READ_BYTES = 1 << 20
FLUSH_AFTER = 65_536  # characters that are printed before they are sent, however fast they come
DRAIN_SECONDS = 0.05


class PipeSession(Session):  # type: ignore[misc]
    """Sends each message as a line. The lock keeps lines of several threads apart."""

    descriptor: int = -1
    lock = threading.Lock()

    def send(self, stream: Any, msg_or_type: Any, content: Any = None, parent: Any = None, **_: Any) -> dict[str, Any]:
        """As Session.send, without signature, buffers and the stream, which only zmq has."""
        if isinstance(msg_or_type, dict):
            kind, content = msg_or_type["header"]["msg_type"], msg_or_type["content"]
            parent = msg_or_type["parent_header"]
        else:
            kind, parent = msg_or_type, extract_header(parent)
        line = json.dumps([kind, (parent or {}).get("msg_id"), json_clean(content)]).encode() + b"\n"
        with self.lock:
            left = memoryview(line)
            while left:
                left = left[os.write(self.descriptor, left) :]
        return {"content": content}


class Later:
    """Takes the place of the publishing thread's loop: calls what is to be called later from a thread of its own."""

    def __init__(self) -> None:
        self.due: list[tuple[float, Callable[[], None]]] = []
        self.changed = threading.Condition()
        self.thread: threading.Thread | None = None
        self.pid = 0

    def call_later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call `call` after `seconds`. In a child process, which has no such thread, one is started first."""
        if self.pid != os.getpid():
            self.start()
        with self.changed:
            self.due.append((time.monotonic() + seconds, call))
            self.changed.notify()

    def start(self) -> None:
        """Start the thread of this process."""
        self.pid, self.due, self.changed = os.getpid(), [], threading.Condition()
        self.thread = threading.Thread(target=self._run, name="IOPub", daemon=True)
        self.thread.start()

    def _run(self) -> None:
        while True:
            with self.changed:
                while not self.due:
                    self.changed.wait()
                at, call = self.due.pop(0)
            time.sleep(max(0.0, at - time.monotonic()))
            call()


class Publisher(IOPubThread):  # type: ignore[misc]
    """Takes the place of the publishing thread, which is zmq's: what is scheduled is done at once."""

    def __init__(self) -> None:
        self.thread = threading.Thread()  # never started: OutStream then flushes by itself
        self.io_loop = Later()
        self.socket = self.background_socket = self
        self.session = None

    @property
    def closed(self) -> bool:
        return False

    def schedule(self, f: Callable[[], None]) -> None:
        f()

    def send_multipart(self, *args: Any, **kwargs: Any) -> None:
        """Raw frames have nowhere to go."""


class Stream(OutStream):  # type: ignore[misc]
    """Sends what was printed when there is much of it, after `flush_interval`, and at the end of a cell."""

    unsent = 0

    def write(self, string: str) -> int | None:
        written: int | None = super().write(string)
        self.unsent += len(string)
        if self.unsent > FLUSH_AFTER:
            self._flush()
        return written

    def _flush(self) -> None:
        self.unsent = 0
        super()._flush()

    def watch(self) -> None:
        """From now on take what programs write to the process's own output: by a thread, which no fork would keep."""
        self._master_pid, self._should_watch = os.getpid(), True
        self._setup_stream_redirects(self.name)

    def drained(self) -> bool:
        """Whether all that programs wrote to the process's own output has been read."""
        if self._fid is None:
            return True
        (waiting,) = struct.unpack("i", fcntl.ioctl(self._fid, termios.FIONREAD, b"\0" * 4))
        return int(waiting) == 0


class PipeKernel(IPythonKernel):  # type: ignore[misc]
    """IPythonKernel with a topic of its own: the base class asks zmq's for it."""

    def _topic(self, topic: str) -> bytes:
        return topic.encode()


class MainThread:
    """What the kernel asks a channel's thread: which thread runs the cells."""

    parent_thread = threading.main_thread()


def build() -> PipeKernel:
    """A kernel that has run nothing. Built before the fork, and made its process's own by `settle` after it."""
    session, publisher = PipeSession(), Publisher()
    out, errors = (Stream(session, publisher, name, watchfd=False) for name in ("stdout", "stderr"))
    config = Config()
    config.HistoryManager.enabled = False
    config.Kernel._execute_sleep = 0.0  # it waits for zmq
    ipykernel.debugger._is_debugpy_available = False
    with redirect_stdout(out), redirect_stderr(errors):  # the kernel and its shell remember what they find
        app = IPKernelApp.instance(config=config)  # %matplotlib, %gui and others look it up
        app.log.disabled = True  # nobody reads the process's own errors, and the notebook's are the student's
        kernel: PipeKernel = PipeKernel.instance(
            session=session,
            iopub_thread=publisher,
            iopub_socket=publisher,
            shell_stream=None,
            control_stream=None,
            config=config,
            log=app.log,
        )
    app.kernel, app.shell = kernel, kernel.shell
    kernel.shell_channel_thread = MainThread()
    kernel.shell.displayhook.get_execution_count = lambda: kernel.execution_count
    if backend := sys.modules.get("matplotlib_inline.backend_inline"):
        backend._enable_matplotlib_integration()  # it was imported when there was no shell to enable it for
    return kernel


def settle(kernel: PipeKernel, descriptor: int) -> None:
    """Make anew what `kernel` has of its process, its folder and its home; messages go to `descriptor`."""
    kernel.session.descriptor, kernel.session.pid = descriptor, os.getpid()
    kernel.session.session, kernel.session.key = new_id(), new_id_bytes()
    kernel.ident = str(uuid.uuid4())
    os.register_at_fork(after_in_child=_new_lock)
    kernel.iopub_thread.io_loop.start()  # now: a notebook that may start no more threads can still print
    for stream in (kernel._stdout, kernel._stderr):
        stream.watch()
    sys.stdout, sys.stderr = kernel._stdout, kernel._stderr
    # the application sets these for what cells start
    os.environ.update(
        CLICOLOR="1", CLICOLOR_FORCE="1", FORCE_COLOR="1", TERM="xterm-color", PAGER="cat", GIT_PAGER="cat"
    )
    shell = kernel.shell
    shell.init_ipython_dir(None)
    shell.init_profile_dir(None)
    shell.init_pushd_popd_magic()
    shell.starting_dir = os.getcwd()
    shell.history_manager.hist_file = shell.history_manager._get_hist_file_name()
    shell.history_manager.dir_hist[:] = [Path.cwd()]
    sys.argv[:] = ["ipykernel_launcher.py", "-f", "kernel.json"]
    sys.path.insert(0, "")


def serve(kernel: PipeKernel, requests: socket.socket) -> None:
    """Run cells as they come, until the other side closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # between cells; within one Python's own handler raises
    asyncio.run(_serve(kernel, requests))


async def _serve(kernel: PipeKernel, requests: socket.socket) -> None:
    kernel.io_loop = IOLoop.current()
    waiting = _requests(requests)
    kernel.session.send(None, "kernel_info_reply", {"language_info": kernel.language_info})
    while (request := await waiting.get()) is not None:
        parent = _parent(request["id"], request["code"])
        kernel.set_parent([], parent)
        kernel.session.send(None, "status", {"execution_state": "busy"}, parent)
        kernel.pre_handler_hook()
        try:
            await kernel.execute_request(None, [], parent)
        except KeyboardInterrupt:  # it came when the cell had just ended
            pass
        finally:
            kernel.post_handler_hook()
        _flush_streams()
        kernel.session.send(None, "status", {"execution_state": "idle"}, parent)


def _requests(talk: socket.socket) -> asyncio.Queue[Any]:
    """Requests as they come, at the end None. The socket itself stays blocking: messages are written to it."""
    waiting: asyncio.Queue[Any] = asyncio.Queue()
    rest = bytearray()

    def read() -> None:
        data = talk.recv(READ_BYTES, socket.MSG_DONTWAIT)
        rest.extend(data)
        *lines, last = rest.split(b"\n")
        for line in lines:
            waiting.put_nowait(json.loads(line))
        rest[:] = last
        if not data:
            waiting.put_nowait(None)
            asyncio.get_running_loop().remove_reader(talk)

    asyncio.get_running_loop().add_reader(talk, read)
    return waiting


def _parent(request: str, code: str) -> dict[str, Any]:
    """The request as the message that a front end would have sent."""
    content = {
        "code": code,
        "silent": False,
        "store_history": True,
        "user_expressions": {},
        "allow_stdin": False,
        "stop_on_error": False,
    }
    header = {
        "msg_id": request,
        "msg_type": "execute_request",
        "session": "grading",
        "username": "student",
        "version": "5.3",
    }
    return {"header": header, "msg_id": request, "msg_type": "execute_request", "content": content, "metadata": {}} | {
        "parent_header": {}
    }


def _flush_streams() -> None:
    """Send what was printed, by Python or by programs that it started, before the cell is called done."""
    streams = [stream for stream in (sys.stdout, sys.stderr) if isinstance(stream, Stream)]
    end = time.monotonic() + DRAIN_SECONDS
    while not all(stream.drained() for stream in streams) and time.monotonic() < end:
        time.sleep(0.001)
    for stream in streams:
        stream.flush()


def _new_lock() -> None:
    """A child process must not wait for a lock that a thread of its parent held."""
    PipeSession.lock = threading.Lock()
