"""The doctor looks at what grading needs by running it, and every finding that is not good has its remedy."""

from __future__ import annotations

import importlib.metadata
import shutil
import sqlite3
from collections import namedtuple
from contextlib import closing
from pathlib import Path

import pytest

from chainrule import doctor
from chainrule.course import Course
from chainrule.doctor import Finding, examine
from chainrule.grading import sandbox
from chainrule.grading.inside import confine
from chainrule.grading.room import Room
from helpers import TINY, built_course, chainrule_here, once

settings = Room.settings


@pytest.fixture
def course(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Course:
    """A copy of the small course."""
    shutil.copytree(once(tmp_path_factory, "tiny", lambda root: built_course(root) and None), tmp_path / "course")
    return Course((tmp_path / "course").resolve())


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without starting a kernel, which one test does."""
    monkeypatch.setattr(doctor, "_kernel", lambda course: iter([Finding("kernel", True, "not run")]))


def found(course: Course) -> dict[str, Finding]:
    return {finding.what: finding for finding in examine(course)}


def test_all_is_well(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that grading needs is found, a cell ran behind the walls, and the status is 0."""
    said = chainrule_here(monkeypatch, course.root, "doctor")
    assert said.status == 0, said.out
    lines = said.out.splitlines()
    assert not any(line.startswith("MISSING") for line in lines), said.out
    assert any("ran a cell in the sandbox; forked from a warm process" in line for line in lines)
    assert any(TINY in line and "4 items, 5 points" in line for line in lines)


def test_no_sandbox(course: Course, quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Status 1, and the command that mends it."""
    sandbox.find_sandbox.cache_clear()
    monkeypatch.setattr(sandbox, "_candidates", lambda: iter(()))
    said = chainrule_here(monkeypatch, course.root, "doctor")
    assert said.status == 1
    assert "MISSING sandbox" in said.out
    assert "mend it: apt-get install bubblewrap" in said.out


def test_policy(course: Course, quick: None) -> None:
    """Counted where it is right; where it is not, the key; ids that nobody has are told and stop nothing."""
    settings = course.root / "course.toml"
    text = settings.read_text("utf-8") + '[due]\n"91" = 2026-01-01T00:00:00Z\n'
    settings.write_text(text + "[extensions]\n", "utf-8")
    told = found(course)["policy"]
    assert (told.good, told.says[:39]) == (True, "1 due dates, 0 students with more time;")
    (course.root / "submitted" / "0012").mkdir()
    settings.write_text(text + '[extensions.0012]\nall = "1 day"\n[extensions.0013]\nall = "1 day"\n', "utf-8")
    told = found(course)["policy"]
    assert not told.good
    assert not told.needed
    assert "more time to 0013, of" in told.says
    settings.write_text(text + "[late]\nper_day = 1\n", "utf-8")
    told = found(course)["policy"]
    assert not told.good
    assert told.needed
    assert "found per_day" in told.says


def test_kernel_that_sees_the_course(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without walls a cell sees the course: the doctor notices, so its check can fail."""
    config = course.root / "nbgrader_config.py"
    config.write_text(config.read_text() + "c.SandboxExecute.trust_students = True\n")
    finding = found(course)["kernel"]
    assert not finding.good
    assert "[true, " in finding.says


def test_protections_are_seen_from_inside(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is installed but not in force is told as missing: a cell looks for itself."""
    findings = found(course)
    assert findings["system calls"].good
    assert findings["Landlock"].good is (confine.landlock_version() > 0)
    (course.root / "nbgrader_config.py").open("a").write('c.SandboxExecute.engine = "cold"\n')
    monkeypatch.setattr(Room, "settings", lambda room: settings(room) | {"trusted": True})
    findings = found(course)
    assert (findings["system calls"].good, findings["Landlock"].good) == (False, False)
    assert findings["Landlock"].says == "not in force"


def test_missing_package(course: Course, quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that is not there is named, with the command that installs it."""
    version = importlib.metadata.version

    def no_jupytext(name: str) -> str:
        if name == "jupytext":
            raise importlib.metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(importlib.metadata, "version", no_jupytext)
    findings = found(course)
    assert not findings["jupytext"].good
    assert findings["jupytext"].mend == "pip install -e ."
    assert findings["numpy"].good


def test_corrupt_gradebook(course: Course, quick: None) -> None:
    """A gradebook that is none is told, and not touched."""
    path = course.gradebook / "gradebook.db"
    path.write_bytes(b"no database" * 500)
    finding = found(course)["gradebook"]
    assert (finding.good, finding.needed) == (False, True)
    assert "put your backup back" in finding.says
    assert path.read_bytes() == b"no database" * 500


def test_gradebook_in_use(course: Course, quick: None) -> None:
    """The finding names the gradebook that the course uses, whether it is there yet or not."""
    path = course.gradebook / "gradebook.db"
    assert found(course)["gradebook"] == Finding("gradebook", True, f"{path} is made at the first grading")
    with closing(sqlite3.connect(path)) as gradebook:
        gradebook.execute("create table other (id)")
    assert found(course)["gradebook"] == Finding("gradebook", True, f"{path} is whole and can be written")
    (course.root / "course.toml").write_text('[course]\ndb_url = "postgresql+psycopg://amy:hunter2@127.0.0.1:1/db"\n')
    finding = found(course)["gradebook"]
    assert not finding.good
    assert "postgresql+psycopg://amy:***@127.0.0.1:1/db" in finding.says
    assert "Is the server running" in finding.says
    assert "hunter2" not in finding.says


def test_full_disk(course: Course, quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Little space is said before a grading runs out of it."""
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(1e12, 1e12 - 1e6, 1e6))
    assert not found(course)["disk"].good


def test_unit_that_is_not_built(course: Course, quick: None) -> None:
    """The remedy is the command that builds it."""
    shutil.rmtree(course.root / "release")
    finding = found(course)[TINY]
    assert (finding.good, finding.mend) == (False, f"chainrule build {TINY}")


def test_items_that_cannot_be_read(course: Course, quick: None) -> None:
    """A broken items.py is a finding with its file, not a traceback."""
    folder = course.authoring / "92-broken"
    folder.mkdir()
    (folder / "items.py").write_text("ITEMS = (")
    finding = found(course)["units"]
    assert not finding.good
    assert "92-broken" in finding.says
