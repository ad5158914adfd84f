"""A kernel that is forked for one notebook.

The sandbox is built by bubblewrap as for a cold kernel; its only program waits. The fork server's child joins the
sandbox's namespaces, gives up all rights (`inside/confine.py`) and serves the notebook over one socket.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
from contextlib import suppress
from functools import partial
from queue import Empty
from signal import SIGKILL, pidfd_send_signal
from subprocess import PIPE, Popen
from typing import Any

from chainrule.errors import KitError
from chainrule.grading.cgroup import Group, make_group
from chainrule.grading.forkserver import ForkUnavailable, server_for
from chainrule.grading.messages import obituary
from chainrule.grading.pipe import PipeClient
from chainrule.grading.room import Room

NAMESPACES = {
    "mnt": 0x20000,
    "cgroup": 0x2000000,
    "uts": 0x4000000,
    "ipc": 0x8000000,
    "user": 0x10000000,
    "pid": 0x20000000,
    "net": 0x40000000,
}
HOLD = ["/bin/cat"]  # a sandbox's program where the kernel joins it: says that it is up, then waits for more to say

# Looks, 2 ms apart, in which bwrap may end by itself, after the sandbox's first process: it then waits for that. Killed
# before, it would leave it to the system's first process, which in a container may never take it.
PATIENCE = 250


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
                self.room.command(HOLD, tell),
                pass_fds=[tell],
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                env={},
                cwd="/",
                start_new_session=True,
            )
        finally:
            os.close(tell)
        try:
            assert self.process.stdin is not None
            assert self.process.stdout is not None
            assert self.process.stderr is not None
            with suppress(BrokenPipeError):  # it says why below
                os.write(self.process.stdin.fileno(), b"up\n")
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
            for number in range(1000):
                if self._init is None or number == PATIENCE:
                    self.process.kill()
                if self.process.poll() is not None:
                    break
                await asyncio.sleep(0.002)
            for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
                if stream is not None:
                    stream.close()
        if self._init is not None:
            os.close(self._init)
        if self._group is not None:
            self._group.remove()
