"""A submission as data: its regular files, read once, and what was left out.

What is graded, what is kept and what the fingerprint is of are these very bytes, so a submission that changes
while it is graded cannot be half old, half new.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath

from chainrule import __version__
from chainrule.errors import SubmissionError
from chainrule.grading.remark import Remark

Files = tuple[tuple[str, bytes], ...]  # a folder as data: (relative path, content), by path

MAX_BYTES = 50_000_000  # of a whole submission; a notebook with its pictures is far below
MAX_PATH = 1000  # bytes of a file's path in a submission: ours stand in front of it where results are written
MAX_ID = 128  # characters, which is what nbgrader's tables have room for
NOT_LOOKED_AT = {".ipynb_checkpoints", "__pycache__"}
LINK = "is a link, which is not followed"
UNREADABLE = "cannot be read"


@dataclass(frozen=True, slots=True)
class Standing:
    """What the gradebook holds of one student before grading: it bears on the penalty and on the feedback page.

    due: when the work was due, extensions added, in UTC without a zone. By the cells' ids: marks that a person
    gave, extra marks, and a person's comments.
    """

    due: datetime | None = None
    marks: Mapping[str, float] = field(default_factory=dict)
    extra: Mapping[str, float] = field(default_factory=dict)
    comments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Submission:
    """One student's work, complete: all that a worker needs beside the course."""

    student: str
    files: Files
    left_out: tuple[Remark, ...] = ()
    standing: Standing = Standing()


def read_submission(student: str, folder: Path, standing: Standing) -> Submission:
    """Read a submission's folder. Raises SubmissionError where it cannot be graded whatever the notebook holds."""
    expect_usable_id(student)
    where = shown(folder.relative_to(folder.parents[2]))
    if linked(folder):
        raise SubmissionError("link", where, f"{LINK}.")
    left_out: list[Remark] = []
    try:
        files = in_order(read_files(folder, left_out))
    except OSError as error:
        raise SubmissionError("unreadable", where, f"{UNREADABLE} ({error.strerror}).") from error
    if sum(len(content) for _, content in files) > MAX_BYTES:
        says = f"comes with more than the {MAX_BYTES / 1e6:.0f} MB of files that are allowed."
        raise SubmissionError("too-large", shown(folder.name), says)
    return Submission(student, files, tuple(sorted(left_out, key=lambda remark: remark.where)), standing)


def linked(folder: Path) -> bool:
    """Whether a submission's folder, or its student's, is a link: nobody's work is graded as another's."""
    return folder.is_symlink() or folder.parent.is_symlink()


def fingerprint(version: str, files: Iterable[tuple[str, bytes]]) -> str:
    """Of a submission's files, in order, the unit's version and the kit's."""
    return digest(files, f"{__version__}\0{version}\0")


def digest(files: Iterable[tuple[str, bytes]], head: str = "") -> str:
    """32 hex digits that stand for files, in order, and for what is put before them."""
    found = hashlib.sha256(head.encode())
    for name, content in files:
        found.update(name.encode(errors="surrogateescape") + b"\0")
        found.update(hashlib.sha256(content).digest())
    return found.hexdigest()[:32]


def in_order(files: Iterable[tuple[str, bytes]]) -> Files:
    """By path, folder by folder: the one order of a folder as data."""
    return tuple(sorted(files, key=lambda file: PurePosixPath(file[0]).parts))


def read_files(folder: Path, left_out: list[Remark] | None = None) -> Iterator[tuple[str, bytes]]:
    """The folder's regular files, up to the one that passes MAX_BYTES. Links are not followed.

    What is left out (links, which may lead anywhere, pipes and the like) is added to `left_out`. OSError where the
    folder itself cannot be opened.
    """
    size = 0
    for place, folders, names, descriptor in os.fwalk(folder, follow_symlinks=False):
        folders[:] = [name for name in folders if name not in NOT_LOOKED_AT]
        where = Path(place).relative_to(folder)
        for name in [*folders, *names]:
            says: str | None = f"has a path of more than {MAX_PATH} bytes"
            content: bytes | None = None
            if len(os.fsencode(where / name)) > MAX_PATH:
                folders[:] = [other for other in folders if other != name]
            else:
                says, content = _read(name, descriptor, name in folders, MAX_BYTES + 1 - size)
            if content is not None:
                yield str(where / name), content
                size += len(content)
                if size > MAX_BYTES:
                    return
            elif says and left_out is not None:
                left_out.append(
                    Remark("files-left-out", shown(where / name), f"It {says}; the notebook ran without it.")
                )


def _read(name: str, folder: int, is_folder: bool, most: int) -> tuple[str | None, bytes | None]:
    """A regular file's first `most` bytes, or why there are none; neither for a folder, which is walked."""
    try:
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
        if stat.S_ISLNK(mode):
            return LINK, None
        if is_folder:
            os.close(os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder))
            return None, None
        if not stat.S_ISREG(mode):
            return "is no regular file", None
        # what it is may have changed since: neither a link nor a pipe must catch us here
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except OSError as error:
        return f"{UNREADABLE} ({error.strerror})", None
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return "is no regular file", None
        return None, file.read(most)


def expect_usable_id(student: str) -> None:
    """SubmissionError where nbgrader cannot find a folder of that name again: it takes names as patterns."""
    folder = shown(Path("submitted") / student)
    if student != student.strip() or "  " in student or set(student) & set("*?["):
        raise SubmissionError("student-id", folder, "has outer or double spaces or one of * ? [ in its name.")
    if student != shown(student):
        raise SubmissionError("student-id", folder, "has a name that is not text which can be printed.")
    if len(student) > MAX_ID:
        raise SubmissionError("student-id", folder, f"has a name of more than {MAX_ID} characters.")


def shown(text: Path | str) -> str:
    """One line that every file and terminal takes: names may hold escapes, line ends, bytes that are no UTF-8."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in str(text))
