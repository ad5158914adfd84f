"""Measures a command with all processes that it starts, and writes what was measured into a document."""

from __future__ import annotations

import ctypes
import os
import platform
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

POLL = 0.01  # seconds between two looks at the running command
GRACE = 5.0  # seconds that what the command left running is given to end by itself
MEMORY_POLL = 0.25  # seconds between two readings of its memory, which cost more
PR_SET_CHILD_SUBREAPER = 36
INTERRUPTED = 130  # exit status after Ctrl-C, as shells have it
MIB = 2**20


class Failed(Exception):
    """A measured command did not do its work; its figures would mean nothing."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One run. Seconds; `peak` in bytes, shared pages counted once; `first` None where nothing was waited for."""

    wall: float
    cpu: float
    peak: int
    first: float | None


def run(
    command: list[str], cwd: Path, log: Path, good: tuple[int, ...] = (0,), first: Callable[[], bool] | None = None
) -> Measured:
    """Run a command to its end. Raises Failed where its exit status is not a good one.

    Processor time is that of the command's own control group where one can be made: all processes count, however they
    ended. Elsewhere it is what wait4 tells, orphans adopted; then a process that nobody waits for is missed.
    `first` is asked again and again whether the first result is there.
    """
    group = _make_group()
    with log.open("wb") as said:
        start = time.monotonic()
        process = subprocess.Popen(
            command, cwd=cwd, stdout=said, stderr=said, preexec_fn=(lambda: _enter(group)) if group else None
        )
        try:
            status, wall, cpu, peak, came = _watch(process, group, start, first)
        except BaseException:  # Ctrl-C, as a rule
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()
            raise
        finally:
            of_group = _end(group) if group else None
        cpu = cpu if of_group is None else of_group
    if status not in good:
        raise Failed(f"{shlex.join(command)} ended with status {status}:\n{log.read_text(errors='replace')[-3000:]}")
    return Measured(wall, cpu, peak, came)


def _watch(
    process: subprocess.Popen[bytes], group: Path | None, start: float, first: Callable[[], bool] | None
) -> tuple[int, float, float, int, float | None]:
    """Exit status, seconds of wall time and of processor time by wait4, peak memory, time to the first result."""
    peak, came, next_reading = 0, None, start
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        now = time.monotonic()
        if first is not None and came is None and first():
            came = now - start
        if pid:
            break
        if now >= next_reading:
            members = _members(group) if group else descendants(process.pid)
            peak = max(peak, sum(proportional_bytes(member) for member in members))
            next_reading = now + MEMORY_POLL
        time.sleep(POLL)
    process.returncode = os.waitstatus_to_exitcode(status)
    cpu = usage.ru_utime + usage.ru_stime
    return process.returncode, now - start, cpu + (0 if group else _orphans_cpu()), peak, came


def _orphans_cpu() -> float:
    """Wait for the command's orphans, which came to us, as `_end` does for a group's; their processor time."""
    cpu, end = 0.0, time.monotonic() + GRACE
    with suppress(ChildProcessError):
        while True:
            pid, _, usage = os.wait4(-1, os.WNOHANG)
            cpu += usage.ru_utime + usage.ru_stime if pid else 0
            if not pid and time.monotonic() > end:
                _kill(descendants(os.getpid())[1:])
            time.sleep(0 if pid else POLL)
    return cpu


# --------------------------------------------------------------------------- control groups


def cpu_method() -> str:
    """How processor time is measured on this machine, in words."""
    group = _make_group()
    if group is None:
        return "wait4 of the whole process tree, orphans adopted"
    group.rmdir()
    return "control group of the whole process tree"


def _make_group() -> Path | None:
    """A new control group below our own, in version 1's cpuacct or in version 2; None where that is not allowed."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, names, own = line.split(":", 2)
        roots = [f"/sys/fs/cgroup/{names}", "/sys/fs/cgroup/cpuacct"] if "cpuacct" in names.split(",") else []
        roots += ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"] if not names else []
        for root in roots:
            group = Path(root, own.strip("/"), f"bench-{os.getpid()}")
            with suppress(OSError):
                group.mkdir()
                if (group / "cgroup.procs").exists() and _cpu_of(group) >= 0:
                    return group
                group.rmdir()
    _adopt_orphans()
    return None


def _enter(group: Path) -> None:
    """In the new process, before the command."""
    (group / "cgroup.procs").write_text("0")


def _members(group: Path) -> list[int]:
    """All in the group and in those below it, which the kit makes for its sandboxes where it can."""
    found: list[int] = []
    for path in [group, *group.rglob("*/")]:
        with suppress(OSError):  # gone meanwhile
            found += map(int, (path / "cgroup.procs").read_text().split())
    return found


def _cpu_of(group: Path) -> float:
    """Seconds; -1 where the group does not count them."""
    if (group / "cpuacct.usage").exists():
        return int((group / "cpuacct.usage").read_text()) / 1e9
    if not (group / "cpu.stat").exists():
        return -1.0
    fields = dict(line.split() for line in (group / "cpu.stat").read_text().splitlines())
    return int(fields.get("usage_usec", -1_000_000)) / 1e6


def _end(group: Path) -> float:
    """Remove the group; the seconds of processor time that it used.

    Its last processes get some seconds to go, then they are ended: the command is over, and they are its own.
    """
    end = time.monotonic() + GRACE
    while members := _members(group):
        if time.monotonic() > end:
            _kill(members)
        time.sleep(POLL)
    cpu = _cpu_of(group)
    for path in [*sorted(group.rglob("*/"), reverse=True), group]:
        path.rmdir()
    return cpu


def _kill(left: list[int]) -> None:
    print(f"left running after the command, ended now: {left}", file=sys.stderr)
    for pid in left:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _adopt_orphans() -> None:
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


# --------------------------------------------------------------------------- processes


def descendants(root: int) -> list[int]:
    """The process and all that come from it, as far as they still hang together."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, ValueError):
                # the name, in brackets, may hold anything
                parent = int((entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def proportional_bytes(pid: int) -> int:
    """Memory of a process, a page that n share counted as 1/n; 0 where it has gone or may not be read."""
    return _field(Path(f"/proc/{pid}/smaps_rollup"), "Pss:")


def resident_bytes(pid: int, peak: bool = False) -> int:
    """Memory of a process now, or its highest so far."""
    return _field(Path(f"/proc/{pid}/status"), "VmHWM:" if peak else "VmRSS:")


def _field(path: Path, name: str) -> int:
    with suppress(OSError):
        for line in path.read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1]) * 1024
    return 0


# --------------------------------------------------------------------------- documents


def circumstances() -> str:
    """Date, machine, versions and the command line, as lines of Markdown."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    memory = _field(Path("/proc/meminfo"), "MemTotal:") // MIB
    packages = ("nbgrader", "nbclient", "ipykernel", "ipython", "numpy", "pandas", "matplotlib")
    command = shlex.join(["python", *sys.argv])
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return "\n".join(
        [
            f"- Made by `{command}` on {datetime.now(UTC):%d %B %Y, %H:%M} UTC, at commit {commit or 'unknown'}.",
            f"- {os.cpu_count()} cores of {model}, {memory} MB of memory, Linux {platform.release()}, "
            f"user {'root' if os.geteuid() == 0 else 'ordinary'}; load average {os.getloadavg()[1]:.1f} "
            "over the last 5 minutes.",
            f"- Python {platform.python_version()}, " + ", ".join(f"{name} {version(name)}" for name in packages) + ".",
        ]
    )


def markdown_table(head: list[str], rows: list[list[str]]) -> str:
    """A table whose first column is text and whose others are numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def put(document: Path, name: str, text: str) -> None:
    """Put a part into a document, between comments that carry its name; other parts stay."""
    begin, end = f"<!-- begin: {name} -->", f"<!-- end: {name} -->"
    old = document.read_text("utf-8") if document.exists() else "# Benchmarks\n"
    part = f"{begin}\n{text.strip()}\n{end}"
    if begin in old and end in old:
        head, _, rest = old.partition(begin)
        new = head + part + rest.partition(end)[2]
    else:
        new = f"{old.rstrip()}\n\n{part}\n"
    document.write_text(new, "utf-8")
