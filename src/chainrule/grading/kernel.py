"""Runs one student's notebook, by nbclient's own code, with the kernel behind the sandbox's walls.

`SandboxExecute` takes the place of nbgrader's `Execute`. Whatever the notebook does, it ends with an executed notebook
and a list of incidents; only the kit's own failure to start a kernel is an exception. The kernel is forked from a
process that is warm (`forked`) or, where that cannot be, started cold (`cold`): the same cells, the same scores.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from nbclient.client import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode, from_dict
from nbgrader.preprocessors import Execute
from nbgrader.utils import is_grade
from traitlets import Bool, Enum, Integer

from chainrule.grading.cold import ColdKernel
from chainrule.grading.forked import ForkedKernel
from chainrule.grading.forkserver import ForkUnavailable, imported_modules
from chainrule.grading.messages import OUTPUTS
from chainrule.grading.room import Room
from chainrule.grading.sandbox import MIB, Limits, find_sandbox

EVIDENCE_MIME = "application/vnd.chainrule.evidence+json"
CHECK_SUFFIX = "-check"
FIELDS = {  # of each kind of output, in the order that nbformat gives them
    "stream": ("name", "text"),
    "display_data": ("metadata", "data"),
    "execute_result": ("metadata", "data", "execution_count"),
    "error": ("ename", "evalue", "traceback"),
}
DEFAULT = Limits()
FIGURE = re.compile(r"<\w+ size \S+ with \d+ Axes>")  # how matplotlib names a figure
LEAST_BYTES = 1000  # what any output counts at least: each takes time in all that is done to the notebook afterwards
NOT_DRAWN = "A picture belongs here. Pictures were not drawn when this was graded."

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
    engine = Enum(
        ["auto", "cold"], "auto", help="auto: kernels are forked from a warm process where that can be; cold: never."
    ).tag(config=True)
    pictures = Bool(True, help="Draw the figures that cells show. False: a sentence stands in a picture's place.").tag(
        config=True
    )
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
        self.km: Any
        self.kc: Any
        self.clear_before_next_output: bool
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
        with Room(limits, bwrap, Path(folder) if folder else None, notes.get("cases"), self.pictures) as room:
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
        kernel = self.km = await self._start(room)
        try:
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
            await kernel.close()
            self.kc = self.km = None

    async def _start(self, room: Room) -> ForkedKernel | ColdKernel:
        """A kernel that is up. Its client and its language are put where nbclient looks for them."""
        kernels: list[ForkedKernel | ColdKernel] = [ColdKernel(room=room, config=self.config)]
        if self.engine == "auto" and room.bwrap is not None:
            kernels.insert(0, ForkedKernel(room, imported_modules(self.nb)))
        for kernel in kernels:
            try:
                self.kc, self.nb.metadata["language_info"] = await kernel.start(self.startup_timeout)
                return kernel
            except ForkUnavailable as reason:
                self.log.info("not forked: %s", reason)
                await kernel.close()
            except BaseException:
                await kernel.close()
                raise
        raise AssertionError("a cold kernel starts or says why not")

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
            # it leaves no name behind that could take the place of one of the student's
            cell.source = f'__import__("sys").modules["check"].collect({json.dumps(item)})'
        try:
            return await super().async_execute_cell(cell, cell_index, *args, **kwargs)
        finally:
            cell.source = source

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        """As nbclient, up to the limits of output."""
        if msg["msg_type"] not in OUTPUTS:
            return super().process_message(msg, cell, cell_index)
        size = max(msg["size"], LEAST_BYTES)
        if self._collecting and EVIDENCE_MIME in msg["content"].get("data", ()):
            self._evidence_left -= size
            if self._evidence_left < 0:
                says = f"answers above {self.evidence_mb} MB were left out"
                self._incident(cell_index, cell, "evidence-limit", says)
                return None
        elif self._flooded:
            return None
        elif size > self._output_left:  # what is left is kept for later cells
            says = f"the notebook's output passed {self.output_mb} MB; the rest of this cell's was left out"
            self._flooded = True
            self._stop(cell_index, cell, "output-limit", says)
            return None
        else:
            self._output_left -= size
        if not self.pictures:
            say_not_drawn(msg["content"])
        return super().process_message(msg, cell, cell_index)

    def output(
        self, outs: list[NotebookNode], msg: dict[str, Any], display_id: str | None, cell_index: int
    ) -> NotebookNode | None:
        """As nbclient, which looks at each output's form once more: `well_formed` has done so."""
        kind, content = msg["header"]["msg_type"], msg["content"]
        if kind not in FIELDS:  # a reply where outputs are to come: some process sent what it should not
            return None
        if self.clear_before_next_output:
            outs.clear()
            self.clear_display_id_mapping(cell_index)
            self.clear_before_next_output = False
        if display_id:
            self._display_id_map.setdefault(display_id, {}).setdefault(cell_index, []).append(len(outs))
        outs.append(from_dict({"output_type": kind, **{name: content[name] for name in FIELDS[kind]}}))
        return outs[-1]

    def _get_timeout(self, cell: NotebookNode | None) -> int:
        left: float = self._deadline - time.monotonic()
        return max(1, min(self._limits.cell_seconds, round(left)))

    async def _async_handle_timeout(self, timeout: int, cell: NotebookNode | None = None) -> Any:
        index, current = self._current
        self._incident(index, current, "timeout", f"did not end after {timeout} s and was interrupted")
        return await super()._async_handle_timeout(timeout, cell)

    async def _async_poll_kernel_alive(self) -> None:
        await self.km.until_dead()
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


def say_not_drawn(content: dict[str, Any]) -> None:
    """Words in the place of a figure that is shown by its name alone; what was drawn all the same stays."""
    match content:
        case {"data": {"text/plain": str(text), **others} as data} if not others and FIGURE.fullmatch(text):
            data["text/plain"] = NOT_DRAWN


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
