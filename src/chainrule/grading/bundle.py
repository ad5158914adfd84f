"""A unit of the course as bytes, for workers that see no disk of ours."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from chainrule.course import CONFIG, Course, Unit
from chainrule.grading.rooms import new_room
from chainrule.grading.submission import Files, in_order, read_files

SECRET = "gradebook/secret"


@dataclass(frozen=True, slots=True)
class Bundle:
    """All that grading one unit needs of a course; `name` is of the content."""

    name: str
    files: Files = field(compare=False, repr=False)


def pack(course: Course, unit: Unit) -> Bundle:
    """The unit's text, notebooks and settings, and the secret that the students' cases are drawn from."""
    course.secret()
    single = [CONFIG, "course.toml", SECRET, f"authoring/{unit.name}/items.py"]
    found = [(name, (course.root / name).read_bytes()) for name in single if (course.root / name).is_file()]
    for room in ("source", "release"):
        found += [(f"{room}/{unit.name}/{name}", text) for name, text in read_files(course.root / room / unit.name)]
    files = in_order(found)
    digest = hashlib.sha256()
    for name, content in files:
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return Bundle(digest.hexdigest(), files)


@functools.lru_cache
def unpack(bundle: Bundle) -> Path:
    """The bundle as a course folder, once a process and private to it; it goes when the process ends."""
    root = new_room()
    for name, content in bundle.files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    (root / SECRET).chmod(0o600)
    return root
