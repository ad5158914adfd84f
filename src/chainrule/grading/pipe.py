"""The client of a forked kernel: nbclient's requests go out and messages come in over one socket, as lines of JSON."""

from __future__ import annotations

import asyncio
import json
import socket
import uuid
from contextlib import suppress
from queue import Empty
from typing import Any, Protocol

from chainrule.errors import KitError
from chainrule.grading.forkserver import ForkUnavailable
from chainrule.grading.messages import MESSAGE_BYTES, well_formed, whole_text

READ_BYTES = 1 << 20
QUEUED = 1000  # messages; a kernel that sends more has to wait
IN_A_ROW = 8  # messages that are read before all else has its turn


class Alive(Protocol):
    """What a client asks of its kernel."""

    async def is_alive(self) -> bool: ...


class PipeChannel:
    """Messages that wait to be read by nbclient."""

    def __init__(self, taken: Any) -> None:
        self.waiting: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._taken = taken
        self._in_a_row = 0

    async def get_msg(self, timeout: float | None = None) -> dict[str, Any]:
        """The next message; queue.Empty where none comes in `timeout` seconds, as in jupyter_client."""
        self._in_a_row = 0 if self.waiting.empty() else self._in_a_row + 1
        if self._in_a_row > IN_A_ROW:  # a flood of messages that are ready must not keep the clocks from running
            self._in_a_row = 0
            await asyncio.sleep(0)
        try:
            async with asyncio.timeout(timeout):
                message = await self.waiting.get()
        except TimeoutError:
            raise Empty from None
        self._taken()
        return message


class PipeClient:
    """Talks to a forked kernel over its socket, and trusts nothing that comes back."""

    def __init__(self, talk: socket.socket, kernel: Alive) -> None:
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
            self.fail(ForkUnavailable("the forked kernel ended before its first cell"))
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
