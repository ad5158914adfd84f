"""A small built course for the tests of grading: read by all, copied by those that write."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from chainrule.course import Course, Unit
from helpers import TINY, built_course, once


@pytest.fixture(scope="session")
def tiny_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The course folder of the small unit, built, nobody in it."""
    return once(tmp_path_factory, "tiny", lambda root: built_course(root) and None)


@pytest.fixture(scope="session")
def tiny(tiny_root: Path) -> Unit:
    """The small unit; for reading only."""
    return Course(tiny_root).unit(TINY)


@pytest.fixture
def own(tiny_root: Path, tmp_path: Path) -> Course:
    """A copy of that course, for one test alone."""
    shutil.copytree(tiny_root, tmp_path / "course")
    return Course((tmp_path / "course").resolve())
