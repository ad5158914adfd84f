"""The walls, each tried from inside, and each trial shown to succeed without them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chainrule.grading import sandbox
from chainrule.grading.sandbox import Bwrap, Limits, Sandbox, SandboxUnavailable, find_sandbox

AS_ROOT = os.geteuid() == 0
MODES = [True, False] if AS_ROOT else [False]


def inside(code: str, tmp_path: Path, drops_root: bool, **changes: Any) -> Any:
    """What `code` prints as JSON when run in a sandbox."""
    found = find_sandbox()
    bwrap = Bwrap(found.path, drops_root)
    room = tmp_path / "room"
    room.mkdir(exist_ok=True)
    built = Sandbox(room, **{"limits": Limits(), "uid": bwrap.uid(), **changes})
    built.prepare()
    become = f"import os; os.setgroups([]); os.setresgid(*[{built.uid}] * 3); os.setresuid(*[{built.uid}] * 3)\n"
    argv = [sys.executable, "-I", "-c", (become if drops_root else "") + code]
    return outside(bwrap.command(built, argv))


def outside(command: list[str] | str) -> Any:
    """The same without walls."""
    if isinstance(command, str):
        command = [sys.executable, "-I", "-c", command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


CAN = """
import json, os, socket
def can(action, *args):
    try:
        action(*args)
        return True
    except OSError:
        return False
def write(path, size=1):
    with open(path, "wb") as file:
        file.write(b"x" * size)
"""


@pytest.fixture
def listener() -> Iterator[int]:
    """A port of this machine that answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("drops_root", MODES)
def test_no_network(tmp_path: Path, listener: int, drops_root: bool) -> None:
    """A port that answers outside is not reached from inside."""
    code = f"{CAN}print(json.dumps(can(socket.create_connection, ('127.0.0.1', {listener}), 2)))"
    assert outside(code) is True
    assert inside(code, tmp_path, drops_root) is False


@pytest.mark.parametrize("drops_root", MODES)
def test_course_and_homes_are_not_there(tmp_path: Path, drops_root: bool) -> None:
    """Neither the course nor a home folder is readable by its path."""
    secret = tmp_path / "gradebook.db"
    secret.write_text("scores")
    paths = [str(secret), str(Path.home()), str(Path(__file__)), str(Path(sandbox.__file__))]
    code = f"{CAN}print(json.dumps([bool(can(os.stat, path) and (os.path.isfile(path) or os.listdir(path)))"
    code += f" for path in {paths}]))"
    assert outside(code) == [True] * 4
    seen = inside(code, tmp_path, drops_root)
    # the way down to an interpreter in the home folder is there, as empty folders
    assert seen[0] is False
    assert seen[2:] == [False, False]
    listing = f"import json, os; home = {str(Path.home())!r}"
    listing += "; print(json.dumps(os.listdir(home) if os.path.isdir(home) else []))"
    trees = {
        tree.relative_to(Path.home()).parts[0] for tree in sandbox.python_trees() if tree.is_relative_to(Path.home())
    }
    assert set(inside(listing, tmp_path, drops_root)) <= trees


@pytest.mark.parametrize("drops_root", MODES)
def test_system_cannot_be_written(tmp_path: Path, drops_root: bool) -> None:
    """Only home, /tmp and shared memory take files."""
    places = ["/x", "/usr/x", "/etc/x", "/dev/x", "/chainrule/x", f"{sys.prefix}/x", "/proc/sys/kernel/hostname"]
    scratch = ["/tmp/x", "/dev/shm/x", "/home/student/x"]
    code = f"{CAN}print(json.dumps([can(write, place) for place in {places + scratch}]))"
    assert inside(code, tmp_path, drops_root) == [False] * len(places) + [True] * len(scratch)
    assert not Path(sys.prefix, "x").exists()
    assert not (tmp_path / "room" / "x").exists()


@pytest.mark.parametrize("drops_root", MODES)
def test_kernel_settings_cannot_be_opened(tmp_path: Path, drops_root: bool) -> None:
    """No setting of the host's kernel opens for writing: core_pattern names a program that root runs."""
    code = "import os; print(int(all(not os.access(os.path.join(at, name), os.W_OK)"
    code += " for at, _, names in os.walk('/proc/sys') for name in names)))"
    assert inside(code, tmp_path, drops_root) == 1
    if AS_ROOT:
        assert outside(code) == 0


@pytest.mark.skipif(not AS_ROOT, reason="of root's own case")
@pytest.mark.usefixtures("anew")
def test_root_never_stays_root_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where becoming another user fails there is no sandbox, and no weaker one in its place."""
    assert find_sandbox().drops_root
    find_sandbox.cache_clear()
    monkeypatch.setattr(sandbox, "_try", lambda bwrap: "cannot" if bwrap.drops_root else None)
    with pytest.raises(SandboxUnavailable, match="cannot"):
        find_sandbox()


@pytest.mark.parametrize("drops_root", MODES)
def test_scratch_space_is_bounded(tmp_path: Path, drops_root: bool) -> None:
    """A file larger than the given size does not fit, one below does."""
    code = f"{CAN}print(json.dumps([can(write, p, n) for p in ('/tmp/x', '/home/student/x', '/dev/shm/x') for n in"
    code += " (1 << 20, 9 << 20)]))"
    limits = Limits(tmp_bytes=4 << 20)
    assert inside(code, tmp_path, drops_root, limits=limits) == [True, False] * 3


@pytest.mark.parametrize("drops_root", MODES)
def test_environment_holds_no_secret(tmp_path: Path, drops_root: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the grader has in its environment stays outside."""
    monkeypatch.setenv("CHAINRULE_SECRET", "hunter2")
    code = "import json, os; print(json.dumps(dict(os.environ)))"
    assert outside(code)["CHAINRULE_SECRET"] == "hunter2"
    seen = inside(code, tmp_path, drops_root)
    assert "CHAINRULE_SECRET" not in seen
    assert seen["OMP_NUM_THREADS"] == "1"
    assert set(seen) - {"PWD", "LC_CTYPE"} == set(sandbox.environment(sandbox.HOME))


@pytest.mark.parametrize("drops_root", MODES)
def test_no_powers_and_no_other_processes(tmp_path: Path, drops_root: bool) -> None:
    """No capability is left, no new one can be had, and other processes are neither seen nor signalled."""
    code = """
import json, os
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
print(json.dumps([int(status["CapEff"], 16), int(status["CapPrm"], 16), status["NoNewPrivs"], len(pids), os.getuid()]))
"""
    effective, permitted, no_new, count, uid = inside(code, tmp_path, drops_root)
    assert (effective, permitted, no_new) == (0, 0, "1")
    assert count <= 3
    assert uid != 0
    assert outside(code)[3] > 3


@pytest.mark.parametrize("drops_root", MODES)
def test_hidden_folder_is_empty(tmp_path: Path, drops_root: bool) -> None:
    """A course that lies among the libraries is covered."""
    covered = next(path for path in Path("/usr/share").iterdir() if path.is_dir() and any(path.iterdir()))
    code = f"import json, os; print(json.dumps(len(os.listdir({str(covered)!r}))))"
    assert inside(code, tmp_path, drops_root) > 0
    assert inside(code, tmp_path, drops_root, hidden=(covered,)) == 0


def test_installed_kit_is_covered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the kit is installed among the libraries, its own code is not shown."""
    covered = next(path for path in Path("/usr/share").iterdir() if path.is_dir() and any(path.iterdir()))
    monkeypatch.setattr(sandbox, "_own_code", lambda: iter([covered]))
    code = f"import json, os; print(json.dumps(os.listdir({str(covered)!r})))"
    assert inside(code, tmp_path, MODES[0]) == []


@pytest.mark.skipif(not AS_ROOT, reason="only root can try to be another user")
def test_walls_stand_for_an_ordinary_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without root, the same walls come from a user namespace."""
    nobody: dict[str, Any] = {"user": 65534, "group": 65534, "extra_groups": [], "cwd": "/"}
    program = find_sandbox().path
    try:
        subprocess.run([program, "--version"], check=True, capture_output=True, **nobody)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(f"an ordinary user cannot reach {program}")
    monkeypatch.setattr(sandbox, "python_trees", tuple)  # this Python may lie in root's home
    with tempfile.TemporaryDirectory(dir="/tmp") as room:
        Path(room).chmod(0o755)
        built = Sandbox(Path(room), Limits())
        built.prepare()
        command = Bwrap(program, False).command(built, ["/bin/sh", "-c", "id -u; ls /; touch /x || echo refused"])
        done = subprocess.run(command, capture_output=True, text=True, check=False, **nobody)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert (lines[0], lines[-1]) == ("1000", "refused")
    assert set(lines[1:-1]) <= {"home", "chainrule", "dev", "etc", "proc", "tmp", *sandbox.SYSTEM}


@pytest.fixture
def anew() -> Iterator[None]:
    """Search for a sandbox again, before and after the test."""
    find_sandbox.cache_clear()
    yield
    find_sandbox.cache_clear()


def program(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.mark.usefixtures("anew")
def test_unavailable_names_reason_and_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message holds what bwrap said, and what to do about it."""
    refusing = program(tmp_path / "bwrap", "echo 'bwrap: No permissions to create new namespace' >&2; exit 1")
    monkeypatch.setattr(sandbox, "_candidates", lambda: iter([refusing]))
    with pytest.raises(SandboxUnavailable) as caught:
        find_sandbox()
    message = str(caught.value)
    for part in (str(refusing), "No permissions to create new namespace", "apt-get install bubblewrap"):
        assert part in message
    for part in ("kernel.unprivileged_userns_clone", "apparmor_restrict_unprivileged_userns", "--trust-students"):
        assert part in message


@pytest.mark.usefixtures("anew")
def test_unavailable_where_there_is_no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """No bwrap at all is said so."""
    monkeypatch.setattr(sandbox, "_candidates", lambda: iter([]))
    with pytest.raises(SandboxUnavailable, match="no `bwrap` program was found"):
        find_sandbox()


@pytest.mark.usefixtures("anew")
def test_a_program_that_only_pretends_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first that works is taken: one that exits with 0 and runs nothing does not."""
    working = find_sandbox().path
    find_sandbox.cache_clear()
    monkeypatch.setattr(sandbox, "_candidates", lambda: iter([program(tmp_path / "bwrap", "exit 0"), working]))
    assert find_sandbox().path == working


@pytest.mark.usefixtures("anew")
def test_failure_is_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a person mended is found without a restart."""
    with monkeypatch.context() as patch:
        patch.setattr(sandbox, "_candidates", lambda: iter([]))
        with pytest.raises(SandboxUnavailable):
            find_sandbox()
    assert find_sandbox().path.exists()


def test_python_in_a_home_folder_itself_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python whose tree is the home folder would show all of it."""
    monkeypatch.setattr(sys, "prefix", str(Path.home()))
    monkeypatch.setattr(sandbox, "SYSTEM", ())
    with pytest.raises(SandboxUnavailable, match="virtual environment"):
        sandbox.python_trees()


def test_slots_do_not_share_a_user() -> None:
    """Started as root, each sandbox has a user of its own; else the one of the user namespace."""
    assert len({Bwrap(Path("bwrap"), True).uid() for _ in range(20)}) > 1
    assert Bwrap(Path("bwrap"), False).uid() == sandbox.INSIDE_UID
