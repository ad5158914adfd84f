"""A new unit from the template, which builds and verifies as it is."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from chainrule.course import Course
from chainrule.errors import CourseError

TEMPLATE = Path(__file__).with_name("template")
NAME = re.compile(r"\d\d-[a-z][a-z0-9-]*")


def new_unit(course: Course, name: str) -> Path:
    """Copy the template to authoring/<name>. Raises CourseError where that name cannot be."""
    if not NAME.fullmatch(name):
        raise CourseError(f"{name!r} is no unit name: two digits, a hyphen, lower-case letters, as in 10-attention")
    target = course.authoring / name
    if target.exists():
        raise CourseError(f"{target} is there already")
    shutil.copytree(TEMPLATE, target, ignore=shutil.ignore_patterns("__pycache__"))
    return target
