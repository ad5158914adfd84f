"""Kernels that are forked, for one notebook each, from a process that has imported what the notebooks import.

The sandbox is built by bubblewrap as for a cold kernel; its only program waits. The fork server's child joins the
sandbox's namespaces, gives up all rights (`inside/confine.py`) and serves the notebook over one socket. Importing
beforehand must not be seen by a notebook: only what the unit's own cells import on every run is imported.
"""

from __future__ import annotations

import ast
import asyncio
import atexit
import json
import os
import socket
import sys
import tempfile
import uuid
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from queue import Empty
from signal import SIGKILL, pidfd_send_signal
from subprocess import DEVNULL, PIPE, Popen
from typing import Any

from chainrule.errors import KitError
from chainrule.grading.cgroup import Group, make_group
from chainrule.grading.messages import MESSAGE_BYTES, obituary, well_formed, whole_text
from chainrule.grading.room import Room, font_list
from chainrule.grading.rooms import own_folder
from chainrule.grading.sandbox import environment

NAMESPACES = {
    "mnt": 0x20000,
    "cgroup": 0x2000000,
    "uts": 0x4000000,
    "ipc": 0x8000000,
    "user": 0x10000000,
    "pid": 0x20000000,
    "net": 0x40000000,
}
START_SECONDS = 60
SERVER = Path(__file__).parent / "inside" / "server.py"
# under a name that is no path of ours: the notebook's process shows it where it prints its stack
START = "import sys; exec(compile(open(sys.argv[1], encoding='utf-8').read(), '/chainrule/server.py', 'exec'))"
READ_BYTES = 1 << 20
QUEUED = 1000  # messages; a kernel that sends more has to wait
HOLD = ["/bin/sh", "-c", "echo up; exec sleep 2147483647"]  # a sandbox's program where the kernel joins it


class ForkUnavailable(Exception):
    """No kernel can be forked here: the notebook is run cold. The text says why."""


# --------------------------------------------------------------------------- the server


class ForkServer:
    """A running fork server. It ends when this process does: it waits on a socket of ours."""

    def __init__(self, modules: Iterable[str]) -> None:
        self.control, theirs = socket.socketpair()
        self.control.settimeout(START_SECONDS)
        atexit.register(self.close)
        with theirs, tempfile.TemporaryDirectory(dir=own_folder()) as folder:  # of use while it imports
            name, fonts = font_list()
            Path(folder, name).write_text(fonts, "utf-8")
            settings = {"control": theirs.fileno(), "modules": list(modules)}
            self.process = Popen(
                [sys.executable, "-I", "-B", "-c", START, str(SERVER), json.dumps(settings)],
                env=environment(Path(folder)) | {"MPLCONFIGDIR": folder},
                cwd="/",
                stdin=DEVNULL,
                stdout=DEVNULL,
                stderr=PIPE,
                pass_fds=[theirs.fileno()],
            )
            theirs.close()
            said = self._hear()
        if not said:
            self.process.kill()
            complaint = self.process.communicate()[1].decode("utf-8", "replace")[-2000:]
            self.close()
            raise ForkUnavailable(f"the fork server did not start: {complaint.strip()}")
        tree = json.loads(said)
        self.loaded = frozenset(tree["loaded"])
        if tree["threads"] != 1:
            self.close()
            raise ForkUnavailable("a module that the notebooks import starts threads, which a fork would lose")

    def _hear(self) -> bytes:
        """The line that the server says when it is ready, or nothing."""
        said = b""
        with suppress(TimeoutError):
            while not said.endswith(b"\n") and (more := self.control.recv(65536)):
                said += more
        return said if said.endswith(b"\n") else b""

    def fork(self, request: dict[str, Any], holder: int, talk: socket.socket, keeper: socket.socket) -> None:
        """Ask for a kernel in the sandbox whose first process is `holder` (a pidfd)."""
        try:
            socket.send_fds(self.control, [json.dumps(request).encode()], [holder, talk.fileno(), keeper.fileno()])
        except OSError as error:
            raise ForkUnavailable(f"the fork server is gone: {error}") from error

    def close(self) -> None:
        """End the server; kernels that are running go on."""
        atexit.unregister(self.close)
        self.control.close()
        self.process.kill()
        self.process.wait()
        if self.process.stderr is not None:
            self.process.stderr.close()


_servers: dict[tuple[str, ...], ForkServer | ForkUnavailable] = {}
MAX_SERVERS = 3


def server_for(modules: tuple[str, ...]) -> ForkServer:
    """This process's server that has imported `modules`. Raises ForkUnavailable, each time the same, without one."""
    found = _servers.get(modules)
    if isinstance(found, ForkServer) and found.process.poll() is not None:
        found.close()
        found = _servers.pop(modules, None) and None
    if found is None:
        while len(_servers) >= MAX_SERVERS:  # several units in one process, as in nbgrader's own commands
            oldest = _servers.pop(next(iter(_servers)))
            if isinstance(oldest, ForkServer):
                oldest.close()
        try:
            found = ForkServer(modules)
        except (ForkUnavailable, OSError) as error:
            found = ForkUnavailable(str(error))
        _servers[modules] = found
    if isinstance(found, ForkUnavailable):
        raise found
    return found


def imported_modules(sources: Iterable[str]) -> tuple[str, ...]:
    """The modules that these cells import for certain: at their top level, by absolute name."""
    found: dict[str, None] = {}
    for source in sources:
        try:
            tree = ast.parse(source)
        except SyntaxError:  # magics and the like
            continue
        for node in tree.body:
            if isinstance(node, ast.Import):
                found |= dict.fromkeys(name.name for name in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found[node.module] = None
    found.pop("check", None)  # the kit's own, which each notebook gets anew
    return tuple(found)


# --------------------------------------------------------------------------- one kernel


class ForkedKernel:
    """One kernel: started, interrupted and ended here; `client` is what nbclient talks to."""

    def __init__(self, room: Room, modules: tuple[str, ...]) -> None:
        self.room, self.modules = room, modules
        self.process: Popen[bytes] | None = None
        self.client: PipeClient | None = None
        self._group: Group | None = None
        self._init: int | None = None  # the sandbox's first process, as a pidfd
        self._keeper: socket.socket | None = None
        self._status = 0
        self._dead = asyncio.Event()

    async def start(self, timeout: float) -> tuple[PipeClient, dict[str, Any]]:
        """Start the kernel. Returns its client and the kernel's word on its language.

        Raises ForkUnavailable where this machine cannot do it, KitError where the kit's own start-up code fails.
        """
        server = server_for(self.modules)
        if shadowing := server.loaded & self.room.module_names():
            raise ForkUnavailable(f"its own {', '.join(sorted(shadowing))} would not be found: it is imported already")
        self._hold()
        assert self._init is not None
        talk, their_talk = socket.socketpair()
        self._keeper, their_keeper = socket.socketpair()
        self._group = make_group(self.room.limits)
        request = {
            **self.room.settings(),
            "environment": self.room.environment(),
            "namespaces": self._namespaces(),
            "groups": self._group.entrances if self._group is not None else [],
        }
        try:
            server.fork(request, self._init, their_talk, their_keeper)
        finally:
            their_talk.close()
            their_keeper.close()
        loop = asyncio.get_running_loop()
        self._keeper.setblocking(False)
        loop.add_reader(self._keeper, partial(self._hear, self._keeper))
        self.client = PipeClient(talk, self)
        try:
            return self.client, await self.client.wait_until_ready(timeout)
        except Empty:
            raise ForkUnavailable(f"the forked kernel did not come up within {timeout} s") from None

    def _hold(self) -> None:
        """Build the sandbox. Its program waits in it, so that there is something to join."""
        told, tell = os.pipe()
        try:
            self.process = Popen(
                self.room.command(HOLD, tell), pass_fds=[tell], stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env={}, cwd="/"
            )
        finally:
            os.close(tell)
        try:
            assert self.process.stdout is not None
            assert self.process.stderr is not None
            if not self.process.stdout.readline():  # the mounts are made when the program runs
                raise KitError(f"The sandbox did not start. It said:\n{self.process.stderr.read().decode()[-2000:]}")
            self.pid = json.loads(os.read(told, 4096))["child-pid"]
            self._init = os.pidfd_open(self.pid)
        finally:
            os.close(told)

    def _namespaces(self) -> int:
        """Those of the sandbox that are not our own. One cannot join what one is in."""
        flags = 0
        for name, flag in NAMESPACES.items():
            if os.readlink(f"/proc/self/ns/{name}") != os.readlink(f"/proc/{self.pid}/ns/{name}"):
                flags |= flag
        return flags

    def _hear(self, keeper: socket.socket) -> None:
        """The keeper's word, which is no student's: how the kernel ended, or why it did not start."""
        try:
            said = keeper.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            said = b""
        asyncio.get_running_loop().remove_reader(keeper)
        tree: dict[str, Any] = json.loads(said) if said else {"status": -SIGKILL}
        if "fault" in tree and self.client is not None:
            self.client.fail(ForkUnavailable(tree["fault"].strip().splitlines()[-1]))
        status: int = tree.get("status", 1)
        self._status = 128 - status if status < 0 else status
        self._dead.set()

    async def interrupt_kernel(self) -> None:
        """As the interrupt button: KeyboardInterrupt in the cell and its child processes."""
        if self._keeper is not None:
            with suppress(OSError):
                self._keeper.send(b"I")

    async def is_alive(self) -> bool:
        return not self._dead.is_set()

    async def until_dead(self) -> None:
        """Return when the kernel's process has ended and all that it sent is read."""
        await self._dead.wait()
        if self.client is not None:
            await self.client.until_read()

    def obituary(self) -> str:
        """Why the kernel is dead, as far as its exit status tells."""
        return obituary(self._status)

    async def close(self) -> None:
        """End everything inside at once, and leave nothing behind."""
        loop = asyncio.get_running_loop()
        if self._init is not None:  # the end of the sandbox's first process is the end of all in it
            with suppress(ProcessLookupError):
                pidfd_send_signal(self._init, SIGKILL)
        if self._keeper is not None:
            loop.remove_reader(self._keeper)
            self._keeper.close()
        if self.client is not None:
            self.client.close()
        if self.process is not None:
            self.process.kill()
            for _ in range(1000):
                if self.process.poll() is not None:
                    break
                await asyncio.sleep(0.002)
            for stream in (self.process.stdout, self.process.stderr):
                if stream is not None:
                    stream.close()
        if self._init is not None:
            os.close(self._init)
        if self._group is not None:
            self._group.remove()


class PipeChannel:
    """Messages that wait to be read by nbclient."""

    def __init__(self, taken: Any) -> None:
        self.waiting: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._taken = taken

    async def get_msg(self, timeout: float | None = None) -> dict[str, Any]:
        """The next message; queue.Empty where none comes in `timeout` seconds, as in jupyter_client."""
        await asyncio.sleep(0)  # a flood of messages that are ready must not keep the clocks from running
        try:
            message = await asyncio.wait_for(self.waiting.get(), timeout)
        except TimeoutError:
            raise Empty from None
        self._taken()
        return message


class PipeClient:
    """Talks to a forked kernel over its socket, and trusts nothing that comes back."""

    def __init__(self, talk: socket.socket, kernel: ForkedKernel) -> None:
        self.kernel = kernel
        self.shell_channel, self.iopub_channel = PipeChannel(self._go_on), PipeChannel(self._go_on)
        self.allow_stdin = False
        self._talk, self._rest = talk, bytearray()
        self._skipping = self._paused = self._over = False
        self._request = ""
        self._sending: asyncio.Task[None] | None = None
        self._ready: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        talk.setblocking(False)
        asyncio.get_running_loop().add_reader(talk, self._read)

    async def wait_until_ready(self, timeout: float) -> dict[str, Any]:
        """What the kernel says of its language, once it is up."""
        try:
            return await asyncio.wait_for(self._ready, timeout)
        except TimeoutError:
            raise Empty from None

    def execute(self, code: str, **_: Any) -> str:
        """Send a cell; the id that its messages will carry."""
        self._request = uuid.uuid4().hex
        line = json.dumps({"id": self._request, "code": code}).encode() + b"\n"
        self._sending = asyncio.ensure_future(self._send(line))
        return self._request

    async def _send(self, line: bytes) -> None:
        with suppress(OSError):  # a dead kernel is told by its keeper
            await asyncio.get_running_loop().sock_sendall(self._talk, line)

    async def is_alive(self) -> bool:
        return await self.kernel.is_alive()

    async def reopen_iopub(self) -> None:
        """Nothing to do: a message that is too large is skipped, and the next one is read."""

    async def until_read(self) -> None:
        """Return when all that a dead kernel sent was read, or too much of it is left unread."""
        while not self._over and not self._paused:
            await asyncio.sleep(0.001)

    def fail(self, error: Exception) -> None:
        """The kernel did not come up."""
        if not self._ready.done():
            self._ready.set_exception(error)

    def close(self) -> None:
        self._stop_reading()
        if self._sending is not None:
            self._sending.cancel()
        self._talk.close()

    def _read(self) -> None:
        try:
            data = self._talk.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._over = True
            self._stop_reading()
            self.fail(KitError("The kernel ended before the first cell, so nothing was judged."))
            return
        *lines, rest = data.split(b"\n")
        for line in lines:
            self._rest += line
            if self._skipping:
                self._skipping = False
            else:
                self._take(bytes(self._rest))
            self._rest.clear()
        self._rest += rest
        if len(self._rest) > MESSAGE_BYTES:
            self._rest.clear()
            if not self._skipping:
                self._skipping = True
                lost = {"name": "stderr", "text": ""}  # its size makes it count as output above the limit
                self._put(_message("stream", self._request, lost, 2**62))
        elif self._skipping:
            self._rest.clear()
        if self.shell_channel.waiting.qsize() + self.iopub_channel.waiting.qsize() > QUEUED:
            self._paused = True
            self._stop_reading()

    def _go_on(self) -> None:
        if self._paused and self.shell_channel.waiting.qsize() + self.iopub_channel.waiting.qsize() < QUEUED // 2:
            self._paused = False
            asyncio.get_running_loop().add_reader(self._talk, self._read)

    def _stop_reading(self) -> None:
        asyncio.get_running_loop().remove_reader(self._talk)

    def _take(self, line: bytes) -> None:
        try:
            kind, request, content = json.loads(line)
            message = _message(kind, request, whole_text(content, (line,)), len(line))
            known = well_formed(message)
        except Exception:  # whatever a student's process makes the parser raise
            return
        if not known:
            if kind == "fault" and not self._ready.done():
                says = str(content.get("says"))[-4000:]
                self.fail(KitError(f"The kernel did not start, so nothing was judged. It said:\n{says}"))
        elif kind == "kernel_info_reply":
            if not self._ready.done():
                self._ready.set_result(content["language_info"])
        else:
            self._put(message)

    def _put(self, message: dict[str, Any]) -> None:
        channel = self.shell_channel if message["msg_type"] == "execute_reply" else self.iopub_channel
        channel.waiting.put_nowait(message)


def _message(kind: str, request: str | None, content: Any, size: int) -> dict[str, Any]:
    """A message as nbclient expects one, and its size in bytes."""
    header = {"msg_type": kind}
    return {"msg_type": kind, "header": header, "content": content, "size": size} | {
        "parent_header": {"msg_id": request},
        "metadata": {},
        "buffers": [],
    }
