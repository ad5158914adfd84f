"""Files that are whole or not there."""

from __future__ import annotations

import secrets
from pathlib import Path

from chainrule.errors import CourseError


def write_whole(path: Path, content: bytes) -> None:
    """Write a file under another name first, so that the path never holds half of it; its folder is made.

    CourseError where that cannot be done: what was there stays.
    """
    part = path.with_name(f".part-{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("xb") as file:
                file.write(content)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise CourseError(
            f"{path} cannot be written ({error.strerror}). Make room for it, give yourself the right to write there, "
            "or where the command knows --to, name another folder by that."
        ) from error
