"""Where a process keeps its temporary folders, so that what a killed one left behind is found and removed."""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TextIO

PREFIX = "chainrule-run-"
LOCK = ".lock"
LONGEST = 107 - 60  # bytes that a socket's path may have, less what is added here and by the room's owner

_own: dict[Path, tuple[int, Path]] = {}  # by base: the process and its folder
_held: list[TextIO] = []  # its locks, which a process holds to its end; two threads may have made a folder each


def short_temp() -> Path:
    """The system's place for temporary files, unless a path below it is too long for a socket: some users' is."""
    usual = Path(tempfile.gettempdir())
    return usual if len(str(usual)) < LONGEST else Path("/tmp")


def new_room(base: Path | None = None) -> Path:
    """A new private folder below this process's own one in `base` (by itself, that is `short_temp()`).

    The caller removes it; the process's folder goes when it ends, or at the next `sweep` where it was killed.
    """
    return Path(tempfile.mkdtemp(dir=own_folder(base)))


def sweep(base: Path | None = None) -> list[Path]:
    """Remove what this user's dead processes left in `base`. Returns the folders; those of living ones stay."""
    removed = []
    for folder in (base or short_temp()).glob(f"{PREFIX}*"):
        # another user's are neither ours to read nor to trust
        with suppress(OSError):
            if folder.is_symlink() or folder.stat().st_uid != os.getuid():
                continue
            with (folder / LOCK).open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
                removed.append(folder)
    return removed


def own_folder(base: Path | None = None) -> Path:
    """This process's folder in `base`. A fork has its own: the lock that tells its life is not its parent's."""
    base = base or short_temp()
    pid, folder = _own.get(base, (0, base))
    if pid != os.getpid() or not folder.is_dir():
        folder = _make(base)
        _own[base] = (os.getpid(), folder)
        atexit.register(_remove, os.getpid(), folder)
    return folder


def leave() -> None:
    """Remove this process's folders now: one that multiprocessing has forked ends without `atexit`."""
    for pid, folder in _own.values():
        _remove(pid, folder)


def _make(base: Path) -> Path:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=base))
        lock = (folder / LOCK).open("w")
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if (folder / LOCK).exists():
                _held.append(lock)
                return folder
        lock.close()  # a sweep was quicker


def _remove(pid: int, folder: Path) -> None:
    if pid == os.getpid():
        shutil.rmtree(folder, ignore_errors=True)
