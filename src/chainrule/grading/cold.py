"""The ordinary ipykernel, started anew in the sandbox for one notebook, and a client that trusts nothing it sends.

Used where a notebook cannot be forked (see `forked`), and without a sandbox.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from queue import Empty
from subprocess import DEVNULL, PIPE, Popen
from typing import Any

import zmq.asyncio
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.channels import AsyncZMQSocketChannel
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from traitlets import Type, default

from chainrule.errors import KitError
from chainrule.grading.cgroup import Group, make_group
from chainrule.grading.messages import MESSAGE_BYTES, obituary, well_formed, whole_text
from chainrule.grading.room import Room, font_list, put
from chainrule.grading.sandbox import INSIDE

CHANNELS = ("shell", "iopub", "stdin", "hb", "control")


class ColdKernel(AsyncKernelManager):  # type: ignore[misc]
    """Starts `launch.py` in the sandbox and ends it at once.

    The sockets are opened here and handed in as open files, so the sandbox needs no writable folder, sees no path, and
    cannot put a link in a socket's place.
    """

    def __init__(self, *, room: Room, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.room = room
        self.process: Popen[bytes] | None = None
        self._told: int | None = None  # where bwrap says who its init is
        self.transport, self.ip = "ipc", str(room.path / "s")
        self.connection_file = str(room.inside / "connection.json")
        self.client_here: ColdClient | None = None
        self._group: Group | None = None
        for number, name in enumerate(CHANNELS, start=1):
            setattr(self, f"{name}_port", number)
        self._kernel_spec = KernelSpec(argv=["-"], display_name="sandbox", language="python", interrupt_mode="message")

    @default("client_factory")  # type: ignore[untyped-decorator]
    def _client_factory_default(self) -> type[AsyncKernelClient]:
        return ColdClient

    @default("context")  # type: ignore[untyped-decorator]
    def _context_default(self) -> zmq.asyncio.Context:
        context: zmq.asyncio.Context = super()._context_default()
        context.setsockopt(zmq.MAXMSGSIZE, MESSAGE_BYTES)
        context.setsockopt(zmq.LINGER, 0)
        return context

    async def start(self, timeout: float) -> tuple[ColdClient, dict[str, Any]]:
        """Start the kernel. Returns its client and the kernel's word on its language.

        Raises KitError where it does not come up: what goes wrong before the first cell is not the student's.
        """
        try:
            await self._launch()
            kc = self.client_here = self.client(context=self.context)
            kc.start_channels()
            return kc, (await kc.wait_until_ready(timeout))["language_info"]
        except (OSError, RuntimeError) as error:
            said = self._complaint() or str(error)
            raise KitError(f"The kernel did not start, so nothing was judged. It said:\n{said}") from error

    async def _launch(self) -> None:
        """Start the launcher. It has come up when a client hears from it, and not before."""
        listeners = {port: self._listen(port) for port in range(1, len(CHANNELS) + 1)}
        self._told, tell = os.pipe()
        try:
            launcher = self._launcher({port: s.fileno() for port, s in listeners.items()})
            self._group = make_group(self.room.limits) if self.room.bwrap is not None else None
            entered = self._group.enter_first() if self._group is not None else []
            self._command = entered + self.room.command(launcher, tell)
            await self.start_kernel(
                pass_fds=[tell, *(s.fileno() for s in listeners.values())],
                stdout=DEVNULL,
                stderr=PIPE,
                env=self.room.environment() if self.room.bwrap is None else {},  # inside, bwrap sets it anew
                cwd="/",
            )
            self.process = self.provisioner.process
        finally:
            os.close(tell)
            for listener in listeners.values():
                listener.close()

    def _launcher(self, sockets: Mapping[int, int]) -> list[str]:
        """The launcher's command line, its files and settings put where it finds them."""
        inside = self.room.inside
        seen = INSIDE if self.room.bwrap is not None else inside
        for name in ("confine", "launch", "start"):
            put(Path(__file__).parent / "inside" / f"{name}.py", inside / f"{name}.py")
        (inside / "fonts").mkdir(mode=0o755)
        name, fonts = font_list()
        (inside / "fonts" / name).write_text(fonts, "utf-8")
        settings = {
            **self.room.settings(),
            "fonts": str(seen / "fonts"),
            "connection_file": str(seen / "connection.json"),
            "sockets": {str(port): descriptor for port, descriptor in sockets.items()},
        }
        (inside / "settings.json").write_text(json.dumps(settings), "utf-8")
        return [sys.executable, "-I", "-B", str(seen / "launch.py"), str(seen / "settings.json")]

    def _listen(self, port: int) -> socket.socket:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(f"{self.ip}-{port}")
        listener.listen(16)
        listener.setblocking(False)
        return listener

    def format_kernel_cmd(self, extra_arguments: list[str] | None = None) -> list[str]:
        return self._command

    def write_connection_file(self, **kwargs: Any) -> None:
        super().write_connection_file(**kwargs)
        os.chmod(self.connection_file, 0o644)  # read by the slot's user; on this side the room is closed to others

    def _complaint(self) -> str:
        """What the launcher or bwrap wrote before it gave up."""
        if self.process is None or self.process.stderr is None or self.process.stderr.closed:
            return ""
        os.set_blocking(self.process.stderr.fileno(), False)
        return (self.process.stderr.read() or b"").decode("utf-8", "replace").strip()[-4000:]

    def obituary(self) -> str:
        """Why the kernel is dead, as far as its exit status tells."""
        status = self.process.poll() if self.process is not None else None
        return obituary(128 - status if status is not None and status < 0 else status or 0)

    async def until_dead(self) -> None:
        """Return when the kernel's process has ended."""
        while await self.is_alive():
            await asyncio.sleep(0.1)

    async def close(self) -> None:
        """End everything inside at once, and leave nothing behind."""
        if self.client_here is not None:
            self.client_here.stop_channels()
        if self.process is not None:
            self._kill()
            for _ in range(1000):
                if self.process.poll() is not None:
                    break
                await asyncio.sleep(0.005)
            if self.process.stderr is not None:
                self.process.stderr.close()
            self.provisioner.process = None
        if self._told is not None:
            os.close(self._told)
        await self.cleanup_resources()
        if self._group is not None:
            self._group.remove()

    def _kill(self) -> None:
        assert self.process is not None
        if self.room.bwrap is not None and self._told is not None and self.process.poll() is None:
            # The end of the sandbox's init is the end of everything inside; bwrap itself ends after it.
            os.set_blocking(self._told, False)
            with suppress(OSError, ValueError, KeyError, ProcessLookupError):
                os.kill(json.loads(os.read(self._told, 4096))["child-pid"], signal.SIGKILL)
                return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)


class WaryChannel(AsyncZMQSocketChannel):  # type: ignore[misc]
    """Reads what the kernel sends, which is the student's process: what is not a message of known form is dropped."""

    async def get_msg(self, timeout: float | None = None) -> dict[str, Any]:
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            left = None if end is None else max(0, int(1000 * (end - time.monotonic())))
            if not await self.socket.poll(left):
                raise Empty
            frames = await self.socket.recv_multipart()
            await asyncio.sleep(0)  # a flood of messages that are ready must not keep the clocks from running
            message = _read(self.session, frames)
            if message is not None:
                return message


class ColdClient(AsyncKernelClient):  # type: ignore[misc]
    """A client that reads two channels, and trusts neither."""

    shell_channel_class = Type(WaryChannel)
    iopub_channel_class = Type(WaryChannel)

    def start_channels(self, **kwargs: Any) -> None:
        """No heartbeat: the process itself is watched. No stdin: nobody is there to answer."""
        super().start_channels(stdin=False, hb=False, control=False)

    def stop_channels(self) -> None:
        self.shell_channel.stop()
        self.iopub_channel.stop()

    async def reopen_iopub(self) -> None:
        """Listen anew to what cells put out."""
        self.iopub_channel.stop()
        self._iopub_channel = None
        self.iopub_channel.start()
        await self.wait_until_ready(5)

    async def wait_until_ready(self, timeout: float) -> dict[str, Any]:
        """Wait for the kernel's first answer, on both channels; nbclient's own way waits .2 s for silence after it."""
        end = time.monotonic() + timeout
        self.kernel_info()
        reply: dict[str, Any] | None = None
        while time.monotonic() < end:
            try:
                if reply is None:
                    reply = await self.shell_channel.get_msg(timeout=0.1)
                await self.iopub_channel.get_msg(timeout=1)
                return dict(reply["content"])
            except Empty:
                if not await self.parent.is_alive():
                    raise RuntimeError("it ended at once") from None
                if reply is not None:  # it answered before it had seen our subscription
                    self.kernel_info()
        raise RuntimeError(f"no answer within {timeout} s")


def _read(session: Any, frames: list[bytes]) -> dict[str, Any] | None:
    try:
        _, parts = session.feed_identities(frames)
        message: dict[str, Any] = session.deserialize(parts)
        message["content"] = whole_text(message["content"], parts)
        known = well_formed(message)
    except Exception:  # whatever a student's process makes the parser raise
        return None
    message["size"] = sum(len(frame) for frame in frames)
    return message if known else None
