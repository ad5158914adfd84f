"""Grades a class of attackers by the command, and notes all that the tests ask about afterwards."""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attack import NEEDLE, Attack, hand_in

import chainrule
from chainrule.course import TEST, Course
from helpers import TINY, Said

ADD_KEY, KEYCTL, REVOKE, SESSION = 248, 250, 3, -3  # of x86-64
RESULTS = ("autograded/", "feedback/", "gradebook/")


@dataclass(frozen=True)
class Outcome:
    """What grading a class came to. `changed`: the course's files that are not as before; `left`: temporary ones."""

    root: Path
    said: Said | None  # None: the command did not end
    scores: Mapping[str, Mapping[str, float | None]]
    changed: list[str]
    left: list[str]
    running: list[str]
    decoy_lives: bool
    secrets: list[str]

    @classmethod
    def read(cls, folder: Path) -> Outcome:
        """What `grade_class` noted in that folder."""
        noted: dict[str, Any] = json.loads((folder / "noted.json").read_text("utf-8"))
        said = noted.pop("said")
        return cls(folder / "course", Said(*said) if said else None, **noted)


def grade_class(folder: Path, template: Path, attacks: Mapping[str, Attack], timeout: float, *options: str) -> None:
    """Copy the course into `folder`, hand in the attacks, grade them all, and note what came of it."""
    root, temps = folder / "course", folder / "tmp"
    shutil.copytree(template, root)
    temps.mkdir(mode=0o700)
    course = Course(root.resolve())
    unit = course.unit(TINY)
    mark = f"{os.getpid()}{abs(hash(str(folder))) % 10_000}"
    secret = course.secret()
    # this very code, in whatever folder the command is run
    environment = {**os.environ, "TMPDIR": str(temps), "PYTHONPATH": str(Path(chainrule.__file__).parents[1])}
    environment["COURSE_SECRET"] = f"{NEEDLE}-environment"
    with services() as words, decoy(mark) as bystander, key_in_ring(mark) as key:
        kit = str(Path(chainrule.__file__).parent)
        needle = repr(NEEDLE.encode()[:3]) + repr(NEEDLE.encode()[3:])
        words |= {
            "ROOT": str(root),
            "DECOY": str(bystander.pid),
            "MARK": mark,
            "KEY": key,
            "KIT": kit,
            "NEEDLE": needle,
        }
        for name, attack in attacks.items():
            hand_in(course, unit, attack.student or name, attack, words)
        before = tree(root)
        command = [sys.executable, "-m", "chainrule.cli", "grade", TINY, "--jobs", "2", *options]
        # a session of its own, so that all of it can be ended where it does not end by itself
        with subprocess.Popen(
            command, cwd=root, env=environment, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as grader:
            try:
                out, err = grader.communicate(timeout=timeout)
                said = [grader.returncode, out.decode(), err.decode()]
            except subprocess.TimeoutExpired:
                os.killpg(grader.pid, 9)
                said = None
        after = tree(root)
        for closed in (root / "submitted").glob(f"*/{TINY}"):
            closed.chmod(0o755)  # so that the folder can be removed after the tests
        decoy_lives = bystander.poll() is None
        running = [line for line in command_lines() if f"86400.{mark}" in line]
    noted = {
        "said": said,
        "scores": all_scores(root / "gradebook" / "gradebook.db"),
        "changed": sorted(
            name for name in before.keys() | after.keys() if before.get(name) != after.get(name) and not result(name)
        ),
        "left": sorted(path.name for path in temps.iterdir()),
        "running": running,
        "decoy_lives": decoy_lives,
        "secrets": [NEEDLE, secret.hex(), repr(secret)[2:-1]],
    }
    (folder / "noted.json").write_text(json.dumps(noted), "utf-8")


def result(name: str) -> bool:
    """Whether grading may write that file."""
    return name.startswith(RESULTS) and name != "gradebook/secret"


def tree(root: Path) -> dict[str, str]:
    """Every file, folder and link of the course with what it holds."""
    found = {}
    for place, folders, names in os.walk(root):
        for path in (Path(place, name) for name in (*folders, *names)):
            name = os.fsencode(path.relative_to(root)).decode("utf-8", "backslashreplace")
            if path.is_symlink():
                found[name] = f"link to {os.readlink(path)}"
            elif path.is_file() and path.stat().st_size < 10**8 and os.access(path, os.R_OK):
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
            else:
                found[name] = oct(path.lstat().st_mode)
    return found


def all_scores(gradebook: Path) -> dict[str, dict[str, float | None]]:
    """What the gradebook holds, by student and item, with extra credit."""
    query = """
        select submitted_assignment.student_id, base_cell.name, grade.auto_score + coalesce(grade.extra_credit, 0)
        from grade
        join base_cell on base_cell.id = grade.cell_id
        join submitted_notebook on submitted_notebook.id = grade.notebook_id
        join submitted_assignment on submitted_assignment.id = submitted_notebook.assignment_id
    """
    found: dict[str, dict[str, float | None]] = {}
    if gradebook.exists():
        with closing(sqlite3.connect(gradebook)) as connection:
            for student, cell, score in connection.execute(query):
                found.setdefault(student, {})[cell.removesuffix(TEST)] = score
    return found


@contextmanager
def services() -> Iterator[dict[str, str]]:
    """Two services of this machine that tell a secret to whoever asks; their addresses."""
    abstract = f"chainrule-{os.getpid()}"
    listeners = [socket.create_server(("127.0.0.1", 0)), socket.socket(socket.AF_UNIX)]
    listeners[1].bind(f"\0{abstract}")
    listeners[1].listen()

    def serve(listener: socket.socket) -> None:
        try:
            while True:
                with listener.accept()[0] as asking:
                    asking.sendall(f"{NEEDLE}-service".encode())
        except OSError:
            return

    for listener in listeners:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
    try:
        yield {"PORT": str(listeners[0].getsockname()[1]), "ABSTRACT": abstract}
    finally:
        for listener in listeners:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()


@contextmanager
def decoy(mark: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the grader's own user that holds a secret."""
    code = f"held = '{NEEDLE}-decoy ' * 1000\nimport time\ntime.sleep(3600)  # decoy {mark}"
    with subprocess.Popen([sys.executable, "-c", code]) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def key_in_ring(mark: str) -> Iterator[str]:
    """A secret in the grader's session keyring, as Kerberos puts its tickets there; its name."""
    libc, name, held = ctypes.CDLL(None), f"chainrule-{mark}", f"{NEEDLE}-key".encode()
    number = libc.syscall(ADD_KEY, b"user", name.encode(), held, len(held), SESSION)
    try:
        yield name
    finally:
        if number > 0:
            libc.syscall(KEYCTL, REVOKE, number)


def command_lines() -> Iterable[str]:
    """Of all processes."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield path.read_text("utf-8", "replace").replace("\0", " ")
        except OSError:
            continue
