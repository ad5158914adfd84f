"""Runs one student's notebook, by nbclient's own code, with the kernel behind the sandbox's walls.

`SandboxExecute` takes the place of nbgrader's `Execute`. Whatever the notebook does, it ends with an executed notebook
and a list of incidents; only the kit's own failure to start a kernel is an exception.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import stat
import sys
import tempfile
import time
from collections.abc import Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from queue import Empty
from subprocess import DEVNULL, PIPE, Popen
from typing import Any, Literal, TypeVar

import zmq.asyncio
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.channels import AsyncZMQSocketChannel
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient.client import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbgrader.preprocessors import Execute
from nbgrader.utils import is_grade
from traitlets import Bool, Integer, Type, default

from ..errors import KitError
from .sandbox import INSIDE, INSIDE_UID, MIB, WORK, Bwrap, Limits, Sandbox, environment, find_sandbox

EVIDENCE_MIME = "application/vnd.chainrule.evidence+json"
CHECK_SUFFIX = "-check"
CHANNELS = ("shell", "iopub", "stdin", "hb", "control")
PATH_MAX = 107  # of a unix socket
MESSAGE_BYTES = 64_000_000  # of one message; what is larger is cut off by zmq before it is read
MAX_FILES = 1000
DEFAULT = Limits()

Cause = Literal[
    "files-left-out", "timeout", "unresponsive", "kernel-died", "output-limit", "evidence-limit", "notebook-time"
]


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that a notebook did which a person may want to know: where, what, in plain words."""

    cell: int  # -1: before the first cell
    grade_id: str | None
    cause: Cause
    says: str


class SandboxExecute(Execute):  # type: ignore[misc]
    """Execute a notebook in the sandbox; test cells hand out evidence in place of running their source."""

    trust_students = Bool(False, help="Run students' code WITHOUT a sandbox, with all your rights.").tag(config=True)
    # `timeout`, which is nbgrader's own, is the longest run of one cell in seconds.
    notebook_seconds = Integer(DEFAULT.notebook_seconds, help="Longest run of a whole notebook.").tag(config=True)
    memory_mb = Integer(DEFAULT.memory_bytes // MIB, help="Address space of each process.").tag(config=True)
    processes = Integer(DEFAULT.processes, help="Processes and threads together.").tag(config=True)
    file_mb = Integer(DEFAULT.file_bytes // MIB, help="Largest file that can be written.").tag(config=True)
    open_files = Integer(DEFAULT.open_files, help="Files open at once.").tag(config=True)
    tmp_mb = Integer(DEFAULT.tmp_bytes // MIB, help="Room in the home folder, and again in /tmp.").tag(config=True)
    output_mb = Integer(DEFAULT.output_bytes // MIB, help="Output kept of a notebook.").tag(config=True)
    evidence_mb = Integer(DEFAULT.evidence_bytes // MIB, help="Evidence kept of one test cell.").tag(config=True)
    submission_mb = Integer(DEFAULT.submission_bytes // MIB, help="Files beside the notebook.").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Any = None, km: Any = None) -> tuple[NotebookNode, Any]:
        """Execute `nb` in place. Incidents go to `resources["chainrule"]["incidents"]`."""
        resources = {} if resources is None else resources
        notes = resources["chainrule"] = dict(resources.get("chainrule") or {})
        self.incidents: list[Incident] = []
        notes["incidents"] = self.incidents
        limits = self._limits = self.limits()

        # As in nbconvert's ExecutePreprocessor, which is a NotebookClient for one notebook after the other.
        NotebookClient.__init__(self, nb, None)
        self.reset_execution_trackers()
        self._check_assign_resources(resources)
        for cell in nb.cells:  # what was submitted as output is not what the code gives, and may pose as evidence
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None

        folder = (resources.get("metadata") or {}).get("path") or None
        bwrap = None if self.trust_students else find_sandbox()
        with Room(limits, bwrap, Path(folder) if folder else None, notes.get("cases")) as room:
            for name in room.left_out:
                self._incident(-1, None, "files-left-out", f"{name}: not copied to the sandbox")
            _finish(self._execute(room))
        self.set_widgets_metadata()
        return self.nb, self.resources

    def limits(self) -> Limits:
        """The limits as configured. Processor time is a backstop, counted over all threads."""
        sizes = ("memory", "file", "tmp", "output", "evidence", "submission")
        return Limits(
            cell_seconds=self.timeout or DEFAULT.cell_seconds,
            notebook_seconds=self.notebook_seconds,
            cpu_seconds=3 * self.notebook_seconds,
            processes=self.processes,
            open_files=self.open_files,
            **{f"{name}_bytes": getattr(self, f"{name}_mb") * MIB for name in sizes},
        )

    async def _execute(self, room: Room) -> None:
        km = SandboxKernelManager(room=room, config=self.config)
        kc: SandboxKernelClient | None = None
        self.km: Any = km
        try:
            try:  # what goes wrong before the first cell is not the student's
                await km.start()
                kc = self.kc = km.client(context=km.context)
                kc.start_channels()
                info = await kc.wait_until_ready(self.startup_timeout)
            except (OSError, RuntimeError) as error:
                said = km.complaint() or str(error)
                raise KitError(f"The kernel did not start, so nothing was judged. It said:\n{said}") from error
            self.nb.metadata["language_info"] = info["language_info"]
            self._deadline = time.monotonic() + self.notebook_seconds
            self._output_left = self._limits.output_bytes
            try:
                # Each cell keeps the deadline by itself; this one is for a kernel that keeps the grader busy.
                async with asyncio.timeout(self.notebook_seconds + self.iopub_timeout + 5):
                    await self._execute_cells()
            except TimeoutError:
                index, cell = self._current
                self._stop(index, cell, "notebook-time", f"stopped after {self.notebook_seconds} s")
        finally:
            if kc is not None:
                kc.stop_channels()
            await km.close()
            self.kc = self.km = None

    async def _execute_cells(self) -> None:
        for index, cell in enumerate(self.nb.cells):
            if cell.cell_type != "code":
                continue
            self._current = (index, cell)
            if time.monotonic() >= self._deadline:
                says = f"the notebook ran for {self.notebook_seconds} s; cells from here on were not run"
                self._stop(index, cell, "notebook-time", says)
                return
            try:
                await self.async_execute_cell(cell, index, store_history=True)
            except DeadKernelError:
                # nbclient reports a cancelled cell as a dead kernel: Ctrl-C, or our own timeout, is no student's doing.
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    raise asyncio.CancelledError from None
                self._stop(index, cell, "kernel-died", self.km.obituary())
                return
            except CellTimeoutError:
                if self.incidents and self.incidents[-1].cell == index and self.incidents[-1].cause == "timeout":
                    self.incidents.pop()
                    says = f"did not end after {self._limits.cell_seconds} s, would not be interrupted and was ended"
                    self._stop(index, cell, "unresponsive", says)
                    return
                # The cell ended, but the word that it did was lost: zmq closes a channel on a message above the limit.
                self._stop(index, cell, "output-limit", "sent more at once than is read; its output is lost")
                try:
                    await self.kc.reopen_iopub()
                except RuntimeError:
                    self._incident(index, cell, "unresponsive", "Python did not answer any more and was ended")
                    return

    async def async_execute_cell(self, cell: NotebookNode, cell_index: int, *args: Any, **kwargs: Any) -> NotebookNode:
        """Execute one cell; of a test cell, a call that collects the evidence, and not the source that came in."""
        item = checked_item(cell)
        self._collecting = item is not None
        self._flooded = False
        self._evidence_left = self._limits.evidence_bytes
        source = cell.source
        if item is not None:
            cell.source = f'import sys as _s; _s.modules["check"].collect({json.dumps(item)})'
        try:
            return await super().async_execute_cell(cell, cell_index, *args, **kwargs)
        finally:
            cell.source = source

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        """As nbclient, up to the limits of output."""
        if msg["msg_type"] not in OUTPUTS:
            return super().process_message(msg, cell, cell_index)
        if self._collecting and EVIDENCE_MIME in msg["content"].get("data", ()):
            self._evidence_left -= msg["size"]
            if self._evidence_left < 0:
                says = f"answers above {self.evidence_mb} MB were left out"
                self._incident(cell_index, cell, "evidence-limit", says)
                return None
        elif self._flooded:
            return None
        elif msg["size"] > self._output_left:  # what is left is kept for later cells
            says = f"the notebook's output passed {self.output_mb} MB; the rest of this cell's was left out"
            self._flooded = True
            self._stop(cell_index, cell, "output-limit", says)
            return None
        else:
            self._output_left -= msg["size"]
        return super().process_message(msg, cell, cell_index)

    def _get_timeout(self, cell: NotebookNode | None) -> int:
        left: float = self._deadline - time.monotonic()
        return max(1, min(self._limits.cell_seconds, round(left)))

    async def _async_handle_timeout(self, timeout: int, cell: NotebookNode | None = None) -> Any:
        index, current = self._current
        self._incident(index, current, "timeout", f"did not end after {timeout} s and was interrupted")
        return await super()._async_handle_timeout(timeout, cell)

    async def _async_poll_kernel_alive(self) -> None:
        while await self.km.is_alive():
            await asyncio.sleep(0.1)
        if self.task_poll_for_reply is not None:
            self.task_poll_for_reply.cancel()

    def _incident(self, index: int, cell: NotebookNode | None, cause: Cause, says: str) -> None:
        grade_id = None if cell is None else (cell.metadata.get("nbgrader") or {}).get("grade_id")
        self.incidents.append(Incident(index, grade_id, cause, says))

    def _stop(self, index: int, cell: NotebookNode, cause: Cause, says: str) -> None:
        """An incident that the cell's reader is to see, too."""
        self._incident(index, cell, cause, says)
        words = f"[grading: {says}]"
        cell.outputs.append(NotebookNode(output_type="error", ename="Stopped", evalue=says, traceback=[words]))


def checked_item(cell: NotebookNode) -> str | None:
    """The item whose test cell this is, or None for any other cell."""
    if cell.cell_type != "code" or not is_grade(cell):
        return None
    grade_id = cell.metadata["nbgrader"].get("grade_id")
    if not isinstance(grade_id, str) or not grade_id.endswith(CHECK_SUFFIX):
        return None
    return grade_id.removesuffix(CHECK_SUFFIX)


T = TypeVar("T")


def _finish(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end, from a plain program or from within a running event loop, as the formgrader has one."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    # bwrap dies with the thread that started it: one thread from start to end.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


# --------------------------------------------------------------------------- the kernel's process


class SandboxKernelManager(AsyncKernelManager):  # type: ignore[misc]
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
        for number, name in enumerate(CHANNELS, start=1):
            setattr(self, f"{name}_port", number)
        self._kernel_spec = KernelSpec(argv=["-"], display_name="sandbox", language="python", interrupt_mode="message")

    @default("client_factory")  # type: ignore[untyped-decorator]
    def _client_factory_default(self) -> type[AsyncKernelClient]:
        return SandboxKernelClient

    @default("context")  # type: ignore[untyped-decorator]
    def _context_default(self) -> zmq.asyncio.Context:
        context: zmq.asyncio.Context = super()._context_default()
        context.setsockopt(zmq.MAXMSGSIZE, MESSAGE_BYTES)
        context.setsockopt(zmq.LINGER, 0)
        return context

    async def start(self) -> None:
        """Start the launcher. It has come up when a client hears from it, and not before."""
        listeners = {port: self._listen(port) for port in range(1, len(CHANNELS) + 1)}
        self._told, tell = os.pipe()
        try:
            self._command = self.room.command({port: s.fileno() for port, s in listeners.items()}, tell)
            await self.start_kernel(
                pass_fds=[tell, *(s.fileno() for s in listeners.values())],
                stdout=DEVNULL,
                stderr=PIPE,
                env=self.room.environment(),
                cwd="/",
            )
            self.process = self.provisioner.process
        finally:
            os.close(tell)
            for listener in listeners.values():
                listener.close()

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

    def complaint(self) -> str:
        """What the launcher or bwrap wrote before it gave up."""
        if self.process is None or self.process.stderr is None or self.process.stderr.closed:
            return ""
        os.set_blocking(self.process.stderr.fileno(), False)
        return (self.process.stderr.read() or b"").decode("utf-8", "replace").strip()[-4000:]

    def obituary(self) -> str:
        """Why the kernel is dead, as far as its exit status tells."""
        status = self.process.poll() if self.process is not None else None
        number = -status if status is not None and status < 0 else (status or 0) - 128
        if number == signal.SIGKILL:
            return "Python was killed, by the notebook itself or for want of memory"
        if number == signal.SIGXCPU:
            return "the notebook used up its processor time"
        if number in signal.valid_signals():
            return f"Python crashed ({signal.strsignal(number)})"
        return f"Python ended in the middle of the notebook (exit status {status})"

    async def close(self) -> None:
        """End everything inside at once, and leave nothing behind."""
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


class Room:
    """A private folder of the host for one notebook: its files, `check`, the cases, the settings, the sockets.

    What the sandbox may see lies in `inside`, which is mounted read-only; the folder itself is closed to other users.
    """

    def __init__(self, limits: Limits, bwrap: Bwrap | None, submission: Path | None, cases: str | None) -> None:
        self.limits, self.bwrap, self.submission = limits, bwrap, submission
        self.uid = bwrap.uid() if bwrap is not None else INSIDE_UID
        # A socket's path is short: a long TMPDIR, as some systems give each user, will not do.
        base = tempfile.gettempdir() if len(tempfile.gettempdir()) < PATH_MAX - 30 else "/tmp"
        self.path = Path(tempfile.mkdtemp(prefix="chainrule-", dir=base))
        try:
            self.inside = self.path / "inside"
            self.files = self.inside / "files"
            self.home = self.path / "home"  # without a sandbox only
            for folder in (self.inside, self.files, self.home, self.home / "work"):
                folder.mkdir(mode=0o755)
            self.left_out = list(_copy_files(submission, self.files, limits.submission_bytes)) if submission else []
            self.check = _put(_source("chainrule.check"), self.inside / "check.py")
            _put(Path(__file__).with_name("launch.py"), self.inside / "launch.py")
            self.fonts = self.inside / "fonts"
            self.fonts.mkdir(mode=0o755)
            name, fonts = font_list()
            (self.fonts / name).write_text(fonts, "utf-8")
            self.cases = cases is not None
            if cases is not None:
                (self.inside / "cases.json").write_text(cases, "utf-8")
        except BaseException:
            self.remove()
            raise

    def __enter__(self) -> Room:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)

    def command(self, sockets: Mapping[int, int], info_fd: int) -> list[str]:
        """The command line of the launcher, its settings written beside it."""
        seen, work = (INSIDE, WORK) if self.bwrap is not None else (self.inside, self.home / "work")
        settings = {
            "limits": self._rlimits(),
            "uid": self.uid if self.bwrap is not None and self.bwrap.drops_root else None,
            "check": str(seen / "check.py") if self.check else None,
            "files": str(seen / "files"),
            "work": str(work),
            "fonts": str(seen / "fonts"),
            "connection_file": str(seen / "connection.json"),
            "sockets": {str(port): descriptor for port, descriptor in sockets.items()},
            "output_bytes": self.limits.output_bytes + 1_000_000,
        }
        (self.inside / "settings.json").write_text(json.dumps(settings), "utf-8")
        argv = [sys.executable, "-I", "-B", str(seen / "launch.py"), str(seen / "settings.json")]
        if self.bwrap is None:
            return argv
        cases = (("CHAINRULE_CASES", str(INSIDE / "cases.json")),) if self.cases else ()
        hidden = (self.submission,) if self.submission is not None else ()
        sandbox = Sandbox(self.inside, self.limits, self.uid, hidden, cases)
        sandbox.prepare()
        return self.bwrap.command(sandbox, argv, info_fd)

    def environment(self) -> dict[str, str]:
        """Of the process that is started here; inside, bwrap sets it anew."""
        if self.bwrap is not None:
            return {}
        return environment(self.home) | ({"CHAINRULE_CASES": str(self.inside / "cases.json")} if self.cases else {})

    def _rlimits(self) -> dict[str, int]:
        limits = {
            "AS": self.limits.memory_bytes,
            "CPU": self.limits.cpu_seconds,
            "FSIZE": self.limits.file_bytes,
            "NOFILE": self.limits.open_files,
        }
        if self.bwrap is not None and self.bwrap.bounds_processes:
            limits["NPROC"] = self.limits.processes
        return limits


def _copy_files(source: Path, target: Path, room: int) -> Iterator[str]:
    """Copy the regular files that a notebook may read; yield what is left out, and why.

    Links are not followed: what they point to is not part of a submission. Notebooks hold the students' answers and
    stay outside, and so does whatever poses as `check`.
    """
    count = 0
    for folder, folders, names in os.walk(source):
        here = Path(folder)
        at_top = here == source
        for name in [*folders]:
            if (here / name).is_symlink():
                yield f"{(here / name).relative_to(source)} is a link"
            if (here / name).is_symlink() or (at_top and name == "check") or name == ".ipynb_checkpoints":
                folders.remove(name)
        for name in sorted(names):
            path = here / name
            if name.endswith(".ipynb") or (at_top and name == "check.py"):
                continue
            shown = path.relative_to(source)
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            except OSError as error:
                yield f"{shown} cannot be read ({error.strerror})"
                continue
            with os.fdopen(descriptor, "rb") as file:
                status = os.fstat(descriptor)
                if not stat.S_ISREG(status.st_mode):
                    yield f"{shown} is no regular file"
                    continue
                room, count = room - status.st_size, count + 1
                if room < 0 or count > MAX_FILES:
                    yield f"{shown} and what follows: too large or too many"
                    return
                (target / shown).parent.mkdir(mode=0o755, parents=True, exist_ok=True)
                with open(target / shown, "wb") as copy:
                    copy.write(file.read(status.st_size))
                (target / shown).chmod(0o644)


@cache
def font_list() -> tuple[str, str]:
    """Matplotlib's list of fonts as a file's name and text: every new home would search the disk for them, for 2 s."""
    from matplotlib import font_manager

    with tempfile.TemporaryDirectory(prefix="chainrule-") as folder:
        path = Path(folder) / f"fontlist-v{font_manager.FontManager.__version__}.json"
        font_manager.json_dump(font_manager.fontManager, path)
        return path.name, path.read_text("utf-8")


def _put(source: Path | None, target: Path) -> bool:
    if source is None:
        return False
    shutil.copyfile(source, target)
    target.chmod(0o644)
    return True


def _source(module: str) -> Path | None:
    spec = importlib.util.find_spec(module)
    return Path(spec.origin) if spec is not None and spec.origin is not None else None


# --------------------------------------------------------------------------- the kernel's messages


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


class SandboxKernelClient(AsyncKernelClient):  # type: ignore[misc]
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


OUTPUTS = {"stream", "display_data", "update_display_data", "execute_result", "error"}


def _read(session: Any, frames: list[bytes]) -> dict[str, Any] | None:
    try:
        _, parts = session.feed_identities(frames)
        message: dict[str, Any] = session.deserialize(parts)
        if any(SURROGATE.search(part) for part in parts):
            text = json.dumps(message["content"], ensure_ascii=False).encode("utf-8", "replace").decode()
            message["content"] = json.loads(text)
        well_formed = _well_formed(message)
    except Exception:  # whatever a student's process makes the parser raise
        return None
    message["size"] = sum(len(frame) for frame in frames)
    return message if well_formed else None


SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")  # half a character, which no file can hold


def _well_formed(message: Mapping[str, Any]) -> bool:
    """Whether nbclient can take the message as it is, and a notebook can hold it. Widgets' messages cannot come in."""
    content, parent = message["content"], message["parent_header"]
    if not (isinstance(content, dict) and isinstance(parent, dict) and _text_or_none(parent.get("msg_id"))):
        return False
    if not isinstance(content.get("execution_count"), int | None):
        return False
    match message["msg_type"]:
        case "status":
            return isinstance(content["execution_state"], str)
        case "stream":
            return content["name"] in ("stdout", "stderr") and isinstance(content["text"], str)
        case "display_data" | "update_display_data" | "execute_result":
            transient = content.get("transient") or {}
            return (
                all(_showable(mime, data) for mime, data in content["data"].items())
                and isinstance(content["metadata"], dict)
                and _text_or_none(transient.get("display_id"))
            )
        case "error":
            return _is_error(content)
        case "execute_reply":
            return isinstance(content["status"], str) and (content["status"] != "error" or _is_error(content))
        case "kernel_info_reply":
            return isinstance(content["language_info"], dict)
        case "clear_output" | "execute_input":
            return True
    return False


def _is_error(content: Mapping[str, Any]) -> bool:
    lines = content["traceback"]
    words = (content["ename"], content["evalue"], *lines)
    return isinstance(lines, list) and all(isinstance(word, str) for word in words)


def _showable(mime: str, data: Any) -> bool:
    text = isinstance(data, str) or (isinstance(data, list) and all(isinstance(line, str) for line in data))
    return text or mime.endswith("json")


def _text_or_none(value: Any) -> bool:
    return value is None or isinstance(value, str)
