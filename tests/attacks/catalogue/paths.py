"""Files, links, names, ids and times that are not what they should be."""

# ruff: noqa: E501  (the attacks' own texts)

from __future__ import annotations

import io
import os
import shutil
import socket
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attack import Attack, notebook_in, told

from helpers import TINY

LEFT_OUT = told("files-left-out")
HOLDING = 'import os\nfor at, _, names in os.walk("."):\n    for name in names:\n        print(at, name, open(os.path.join(at, name), "rb").read()[:2000])'
ESCAPES = "\x1b[2J\x1b]0;owned\x07\x1b[31m"
FORGED_LINE = "x\nmate  kit-fault  NOT GRADED: run rm -rf ~"


def link_to(target: str, name: str = "link.txt") -> Callable[[Path], None]:
    """A link beside the notebook; `target` from the course's root where it is relative."""
    return lambda folder: (folder / name).symlink_to(target if target[0] == "/" else _root(folder) / target)


def in_place(make: Callable[[Path], object]) -> Callable[[Path], None]:
    """Something else in the notebook's place."""

    def place(folder: Path) -> None:
        notebook_in(folder).unlink()
        make(notebook_in(folder))

    return place


def _root(folder: Path) -> Path:
    return folder.parents[2]


def to_mate(path: Path) -> None:
    path.symlink_to(_root(path.parent) / "submitted" / "mate" / TINY / "tiny.ipynb")


def unit_to_mate(folder: Path) -> None:
    """The whole submission is a link to another student's."""
    shutil.rmtree(folder)
    folder.symlink_to(_root(folder) / "submitted" / "mate" / TINY, target_is_directory=True)


def student_to_mate(folder: Path) -> None:
    shutil.rmtree(folder.parent)
    folder.parent.symlink_to(_root(folder) / "submitted" / "mate", target_is_directory=True)


def loop(folder: Path) -> None:
    (folder / "again").symlink_to(folder, target_is_directory=True)
    (folder / "itself").symlink_to(folder / "itself")


def a_socket(folder: Path) -> None:
    here = os.getcwd()
    os.chdir(folder)  # a socket's path is short
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("socket")
    finally:
        os.chdir(here)


def archive(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zipped:
        for name in names:
            zipped.writestr(name, "from the archive")
    return file.getvalue()


def renamed(name: str) -> Callable[[Path], None]:
    return lambda folder: notebook_in(folder).rename(folder / name) and None


def deep(folder: Path) -> None:
    for _ in range(60):
        folder = folder / "d"
    folder.mkdir(parents=True)
    (folder / "file.txt").write_text("deep")


def many(folder: Path) -> None:
    for k in range(3000):
        (folder / f"{k}.txt").touch()


def unreadable(folder: Path) -> None:
    (folder / "closed.txt").write_text("nobody reads this")
    (folder / "closed.txt").chmod(0)


def unreadable_notebook(folder: Path) -> None:
    notebook_in(folder).chmod(0)


def closed_folder(folder: Path) -> None:
    folder.chmod(0)


def sparse(folder: Path) -> None:
    with (folder / "huge.bin").open("wb") as file:
        file.truncate(200 * 2**30)


def not_utf8(folder: Path) -> None:
    (Path(os.fsdecode(bytes(folder) + b"/\xff\xfe.txt"))).write_text("x")


def named(name: str, student: str = "", **more: Any) -> Attack:
    """A student of that id."""
    return Attack("an id that is not only a name", student=name, **more)


def at_time(text: str | bytes, **more: Any) -> Attack:
    """A time of its own making, which nbgrader takes from a file."""
    return Attack("says when it was handed in", files={"timestamp.txt": text}, **more)


LINK, GONE = told("link"), told("missing-notebook")
TWO_NOTEBOOKS = {"other/tiny.ipynb": "{}", "tiny (1).ipynb": "[]"}

ATTACKS = {
    "links-passwd": Attack("a link to /etc/passwd", HOLDING, place=link_to("/etc/passwd"), causes=LEFT_OUT),
    "links-secret": Attack("a link to the course's secret", HOLDING, place=link_to("notes.txt"), causes=LEFT_OUT),
    "links-folder": Attack("a link to all submissions", HOLDING, place=link_to("submitted", "all"), causes=LEFT_OUT),
    "links-in-circles": Attack("links to themselves", HOLDING, place=loop, causes=LEFT_OUT),
    "links-notebook": Attack("the notebook is a link to another's", place=in_place(to_mate), earns=None, causes=LINK),
    "links-submission": Attack(
        "the submission is a link to another's",
        place=unit_to_mate,
        earns=None,
        causes=LINK,
    ),
    "links-student": Attack(
        "the student's folder is a link to another's",
        place=student_to_mate,
        earns=None,
        causes=LINK,
    ),
    "pipes-notebook": Attack("the notebook is a pipe", place=in_place(os.mkfifo), earns=None, causes=GONE),
    "pipes": Attack("a pipe that nobody fills", place=lambda folder: os.mkfifo(folder / "pipe"), causes=LEFT_OUT),
    "sockets": Attack("a socket", place=a_socket, causes=LEFT_OUT),
    "devices": Attack(
        "the notebook is an endless device",
        place=in_place(lambda path: os.mknod(path, 0o644 | stat.S_IFCHR, os.makedev(1, 5))),
        earns=None,
        causes=GONE,
        only="root",
    ),
    "folder-notebook": Attack("the notebook is a folder", place=in_place(Path.mkdir), earns=None, causes=GONE),
    "zip-notebook": Attack(
        "the notebook is an archive",
        place=in_place(lambda path: path.write_bytes(archive("tiny.ipynb"))),
        earns=None,
        causes=told("corrupt-notebook"),
    ),
    "zip-beside": Attack(
        "an archive that unpacks elsewhere", HOLDING, files={"a.zip": archive("../../../x", "/tmp/x", "../mate/x")}
    ),
    "names-long": Attack("names of 255 bytes", HOLDING, files={"n" * 255: "x", f"{'d' * 255}/{'n' * 250}": "x"}),
    "names-shell": Attack(
        "names that a shell would run", HOLDING, files={"$(touch pwned)": "x", "-rf": "x", "`id`;ls &": "x"}
    ),
    "names-room": Attack(
        "names that the grader uses itself",
        HOLDING,
        files={"gradebook.db": "x", ".new-91-tiny/x": "x", "tiny.html": "<script>alert(6660)</script>", "inside/x": "x"},
    ),
    "names-not-text": Attack("a name that is no text", HOLDING, place=not_utf8),
    "names-notebook": Attack(
        "a notebook's name that leads elsewhere",
        place=renamed("..%2f..%2f$(touch pwned)\\..\\x.ipynb"),
        causes=told("renamed-notebook"),
    ),
    "notebooks": Attack("more notebooks beside the right one", HOLDING, files=TWO_NOTEBOOKS),
    "deep": Attack("folders 60 deep", HOLDING, place=deep),
    "many": Attack("three thousand files", place=many, causes=LEFT_OUT),
    "sparse": Attack(
        "a file of 200 GB that takes no room on the disk",
        place=sparse,
        earns=None,
        causes=told("too-large"),
    ),
    "unreadable": Attack(
        "a file that the grader may not read",
        place=unreadable,
        causes=LEFT_OUT,
        only="user",
    ),
    "unreadable-notebook": Attack(
        "a notebook that the grader may not read",
        place=unreadable_notebook,
        earns=None,
        causes=told("unreadable"),
        only="user",
    ),
    "closed-folder": Attack(
        "a folder that the grader may not open",
        place=closed_folder,
        earns=None,
        causes=told("unreadable"),
        only="user",
    ),
    # names that reach the terminal
    "names-escapes": Attack(
        "names that write to the terminal",
        place=lambda folder: (folder / f"{ESCAPES}.txt").symlink_to("/etc/passwd"),
        causes=LEFT_OUT,
    ),
    "names-lines": Attack(
        "a name that forges a line of the report",
        place=lambda folder: (folder / FORGED_LINE).symlink_to("/etc/passwd"),
        causes=LEFT_OUT,
    ),
    "id-escapes": named(
        f"id{ESCAPES}", place=link_to("/etc/passwd"), causes=told("student-id"), earns=None
    ),
    "id-lines": named(
        FORGED_LINE.replace("/", ""), place=link_to("/etc/passwd"), causes=told("student-id"), earns=None,
    ),
    "id-markup": named("<img src=x onerror=alert(6660)>"),
    "id-quotes": named("'\"><svg onload=alert(6660)>"),
    "id-shell": named("$(touch pwned);`id`", place=link_to("/etc/passwd"), causes=LEFT_OUT),
    "id-option": named("--student", place=link_to("/etc/passwd"), causes=LEFT_OUT),
    "id-hidden": named(".grading-x"),
    "id-percent": named("%2e%2e%2fmate{unit}{0}%s"),
    "id-long": named("i" * 255, causes=told("student-id"), earns=None),
    # nbgrader believes timestamp.txt
    "time-past": at_time("1970-01-01 00:00:00 UTC"),
    "time-future": at_time("9999-12-31 23:59:59 UTC"),
    "time-garbage": at_time("yesterday evening, sir", causes=told("timestamp")),
    "time-edge": at_time("0001-01-01 00:00:00 +2359", causes=told("timestamp")),
    "time-binary": at_time(b"\xff\xfe\x00" * 100, causes=told("timestamp")),
    "time-long": at_time("1" * 1_000_000, causes=told("timestamp")),
    "time-folder": Attack("a folder in the time's place", files={"timestamp.txt/x": "x"}, causes=told("timestamp")),
}  # fmt: skip
