"""A copy of the gradebook, made before something large is done to it."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from chainrule.course import Course
from chainrule.errors import CourseError
from chainrule.grading.database import gradebook_url, sqlite_file

FOLDER = "backup"  # below gradebook/


def back_up(course: Course) -> Path | None:
    """Copy the gradebook to gradebook/backup/; None where a server holds it, whose backups are its owner's.

    SQLite's own backup: whole, even while the formgrader is open.
    """
    path = sqlite_file(gradebook_url(course))
    if path is None:
        return None
    folder = course.gradebook / FOLDER
    copy = folder / f"{path.stem}-{datetime.now():%Y-%m-%d-%H%M%S-%f}.db"
    half = copy.with_suffix(".part")  # what a killed run leaves is not taken for a backup
    try:
        folder.mkdir(exist_ok=True)
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(half)) as target:
            source.backup(target)
        shutil.copymode(path, half)
        with half.open("rb") as file:
            os.fsync(file.fileno())
        half.rename(copy)
    except (sqlite3.Error, OSError) as error:
        raise CourseError(f"{copy}: no backup could be made ({error}). Nothing was changed.") from error
    return copy
