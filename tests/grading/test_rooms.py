"""Temporary folders: this process's stay, a killed one's go."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from chainrule.grading import rooms
from chainrule.grading.rooms import LOCK, PREFIX, new_room, sweep

# by its file alone: the package takes seconds to load, and a process that dies needs none of it
MAKE = f"import os, signal, sys; sys.path.insert(0, {str(Path(rooms.__file__).parent)!r})\n"
MAKE += "from pathlib import Path; from rooms import new_room\n"
MAKE += "room = new_room(Path(sys.argv[1])); (room / 'file').write_text('left'); print(room, flush=True)\n"


def process(base: Path, then: str) -> tuple[Path, int]:
    """A process that makes a room with a file in it. Returns the room, and how the process ended."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", MAKE + then, str(base)], capture_output=True, text=True, check=False
    )
    return Path(done.stdout.strip()), done.returncode


def test_rooms_are_private_and_apart(tmp_path: Path) -> None:
    """Two rooms of one process lie in one folder, closed to other users."""
    first, second = new_room(tmp_path), new_room(tmp_path)
    assert first != second
    assert first.parent == second.parent
    assert first.stat().st_mode & 0o077 == first.parent.stat().st_mode & 0o077 == 0


def test_a_process_that_ends_leaves_nothing(tmp_path: Path) -> None:
    """Rooms that nobody removed go with it."""
    room, status = process(tmp_path, "")
    assert status == 0
    assert room.parent.parent == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_swept(tmp_path: Path) -> None:
    """The next run removes it; a living process's folder, and what is not a run's, stay."""
    mine = new_room(tmp_path)
    (tmp_path / "chainrule-demo-1").mkdir()
    room, status = process(tmp_path, "os.kill(os.getpid(), signal.SIGKILL)")
    assert status == -signal.SIGKILL
    assert (room / "file").read_text() == "left"
    assert sweep(tmp_path) == [room.parent]
    assert not room.parent.exists()
    assert mine.is_dir()
    assert (tmp_path / "chainrule-demo-1").is_dir()
    assert sweep(tmp_path) == []


def test_a_living_process_keeps_its_rooms(tmp_path: Path) -> None:
    """Another process's sweep does not take them."""
    with subprocess.Popen(
        [sys.executable, "-P", "-c", MAKE + "sys.stdin.read()", str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        room = Path(other.stdout.readline().strip())
        assert sweep(tmp_path) == []
        assert (room / "file").exists()


def test_sweep_follows_no_link_and_touches_no_folder_in_the_making(tmp_path: Path) -> None:
    """A link that is called like a folder of ours leads elsewhere; a folder without a lock is just being made."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / LOCK).touch()
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / f"{PREFIX}1-link").symlink_to(elsewhere)
    (tmp_path / "base" / f"{PREFIX}2-new").mkdir()
    assert sweep(tmp_path / "base") == []
    assert elsewhere.is_dir()
    assert (tmp_path / "base" / f"{PREFIX}2-new").is_dir()


def test_other_users_folders_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither ours to remove nor to trust."""
    room, _ = process(tmp_path, "os.kill(os.getpid(), signal.SIGKILL)")
    monkeypatch.setattr(rooms.os, "getuid", lambda: os.geteuid() + 1)
    assert sweep(tmp_path) == []
    assert room.is_dir()
