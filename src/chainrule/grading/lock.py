"""One grader at a time in a course folder."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TextIO

from chainrule.course import Course
from chainrule.errors import CourseError


@contextmanager
def sole_grader(course: Course) -> Iterator[None]:
    """Hold the course's grading lock; CourseError with the holder's name where another process has it.

    The system lets go of it when its holder ends, however that happens: a file that is left behind is no lock.
    """
    path = course.gradebook / ".lock"
    try:
        path.parent.mkdir(exist_ok=True)
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise CourseError(
            f"{path.parent} cannot be written ({error.strerror}). Give yourself the right to write there (chmod u+w)."
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _held(file, course) from None
        except OSError as error:
            raise CourseError(
                f"{path} cannot be locked ({error.strerror}). Move the course to another disk."
            ) from error
        with suppress(OSError):  # a disk that is full: the lock holds, and who needs the room will say so
            os.truncate(file.fileno(), 0)
            os.write(file.fileno(), f"{os.getpid()} {socket.gethostname()} {datetime.now():%Y-%m-%dT%H:%M}\n".encode())
        yield


@contextmanager
def no_grader(course: Course) -> Iterator[None]:
    """Keep graders away while something is read; CourseError where one is at work. Writes nothing at all."""
    try:
        file = (course.gradebook / ".lock").open(encoding="utf-8")
    except OSError:  # nobody has ever graded here
        yield
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _held(file, course) from None
        yield


def _held(file: TextIO, course: Course) -> CourseError:
    file.seek(0)
    pid, host, since = [*file.read().split(), "?", "?", "?"][:3]
    return CourseError(
        f"another grader is at work in {course.root}: process {pid} on {host}, since {since}. "
        f"Wait for its end, or end it there: kill {pid}"
    )
