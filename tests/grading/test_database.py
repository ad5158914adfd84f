"""The gradebook as nbgrader writes it, whatever befalls it: one owner at a time, and every trouble with its way out."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from gradebooks import rows
from nbgrader.api import Gradebook
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from chainrule.course import Course
from chainrule.errors import CourseError
from chainrule.grading.database import expect_writable, gradebook_url, shown, trouble
from chainrule.grading.lock import sole_grader
from chainrule.nbgrading import alembic_version, course_config, generate_assignment
from helpers import BOB, TINY, built_course, chainrule, once, solved, submit

# nbgrader's own queries make SQLAlchemy warn of nothing that matters
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")


# --------------------------------------------------------------------------- the rows that plain nbgrader writes

GRADE = {
    "nbgrader": [sys.executable, "-m", "nbgrader", "autograde", TINY, "--force"],
    "chainrule": [sys.executable, "-m", "chainrule.cli", "grade", TINY, "--fresh", "--jobs", "1"],
}


def test_a_new_gradebook_has_nbgraders_own_version() -> None:
    """It is found without the command that nbgrader runs; in a process that does not know us, that is run."""
    ask = [sys.executable, "-c", "from nbgrader.api import get_alembic_version; print(get_alembic_version())"]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    theirs = subprocess.run(ask, capture_output=True, text=True, check=True, env=os.environ | {"PATH": path})
    assert alembic_version() == theirs.stdout.strip()


def grade_both_ways(root: Path) -> None:
    """Two equal courses with a due date and what a person wrote, each graded in its own way."""
    for way, command in GRADE.items():
        course = built_course(root / way)
        unit = course.unit(TINY)
        (course.gradebook / "secret").write_text("5e" * 32 + "\n")
        config = course.root / "nbgrader_config.py"
        config.write_text(config.read_text() + 'c.LateSubmissionPlugin.penalty_method = "zero"\n')
        late = submit(course, unit, "amy", solved(unit))
        (late / "timestamp.txt").write_text("2026-03-01 12:00:00 UTC")
        submit(course, unit, "bob", solved(unit, BOB))
        submit(course, unit, "cy", unit.release.read_text("utf-8"))
        settings = course_config(course.root).CourseDirectory
        generate_assignment(course.root, TINY, course.root / "source", root / "release", settings.db_url)
        with Gradebook(settings.db_url, settings.course_id) as gradebook:
            gradebook.update_or_create_assignment(TINY, duedate="2026-02-28 12:00 UTC")
            for student in ("bob", "cy"):
                gradebook.add_student(student)
                gradebook.add_submission(TINY, student)
            old = gradebook.find_grade("total-check", "tiny", TINY, "bob")
            old.auto_score, old.manual_score = 0.5, 0.75
            old = gradebook.find_comment("total", "tiny", TINY, "bob")
            old.auto_comment, old.manual_comment = "No response.", "Come and see me."
            gradebook.db.commit()
        done = subprocess.run(command, cwd=course.root, capture_output=True, text=True, timeout=500, check=False)
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return once(tmp_path_factory, "gradebooks", grade_both_ways)


def test_same_rows_as_plain_nbgrader(graded: Path) -> None:
    """Submissions, notebooks, grades, comments, penalties, times, what is to be looked at: all tables, row by row."""
    by_nbgrader, by_us = (rows(Course(graded / way)) for way in GRADE)
    for table in by_nbgrader:
        assert by_us[table] == by_nbgrader[table], table
    text = str(by_us)
    for told in ("manual_score=0.75", "needs_manual_grade=True", "late_submission_penalty=5.0", "No response."):
        assert told in text, "the courses hold what is worth a comparison"
    assert "timestamp=2026-03-01 12:00:00" in text
    assert "duedate=2026-02-28 12:00:00" in text
    assert len(by_us["grade"]) == 12


# --------------------------------------------------------------------------- one grader at a time


def test_second_grader_is_told_who_is_at_work(own: Course) -> None:
    """By process and machine, with the way out; nothing is touched."""
    submit(own, own.unit(TINY), "amy", solved(own.unit(TINY)))
    staging = own.root / "autograded" / ".grading-first"
    with sole_grader(own):
        staging.mkdir()
        said = chainrule(own.root, "grade", TINY)
        assert said.status == 2
        assert f"process {os.getpid()} on {os.uname().nodename}" in said.err
        assert f"kill {os.getpid()}" in said.err
        assert staging.is_dir(), "what a living run is at work on stays"
    assert chainrule(own.root, "grade", TINY).status == 0
    assert not staging.exists()


def test_lock_of_a_killed_grader_is_none(own: Course) -> None:
    """The system lets go of it: a word that is left in the file locks nothing."""
    hold = "import os, signal; from pathlib import Path; from chainrule.course import Course\n"
    hold += "from chainrule.grading.lock import sole_grader\n"
    hold += "with sole_grader(Course(Path.cwd())): os.kill(os.getpid(), signal.SIGKILL)\n"
    done = subprocess.run([sys.executable, "-c", hold], cwd=own.root, check=False)
    assert done.returncode == -9
    assert (own.gradebook / ".lock").read_text(), "it had the lock"
    with sole_grader(own), pytest.raises(CourseError, match="another grader"), sole_grader(own):
        pytest.fail("two at once")
    with sole_grader(own):
        pass


# --------------------------------------------------------------------------- what can be wrong with it


@contextmanager
def without_rights(course: Course) -> Iterator[None]:
    """The course's gradebook is readable alone. Rights do not bind root, who becomes somebody else for that time."""
    place = course.gradebook
    for path in (place / "gradebook.db", place):
        path.chmod(0o444 if path.is_file() else 0o555)
    was_root = os.geteuid() == 0
    try:
        if was_root:
            os.seteuid(65534)
        yield
    finally:
        if was_root:
            os.seteuid(0)
        place.chmod(0o755)


@pytest.fixture
def open_course(graded: Path) -> Iterator[Course]:
    """A graded course in a place that any user may enter, which pytest's folders are not."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(graded / "chainrule", Path(folder) / "course")
        for path in (Path(folder), Path(folder) / "course", *(Path(folder) / "course").rglob("*")):
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
        yield Course((Path(folder) / "course").resolve())


def test_read_only_gradebook(open_course: Course) -> None:
    """It is said before any work is done, with the command that mends it."""
    url = gradebook_url(open_course)
    expect_writable(url)
    with without_rights(open_course):
        with pytest.raises(CourseError, match=r"gradebook\.db cannot be written.*chmod u\+w"):
            expect_writable(url)
        with pytest.raises(CourseError, match=r"cannot be written.*chmod u\+w"), sole_grader(open_course):
            pytest.fail("locked what cannot be written")


def test_addresses_that_are_none(own: Course) -> None:
    """A db_url that is no database, or one that nbgrader does not know, is named; a password in it is not."""
    for address, words in (
        ("hunter2", "no address of a database"),
        ("mysql://amy:hunter2@host/db", r"mysql://amy:\*\*\*@host/db is neither"),
        ("sqlite://", "neither a SQLite file"),
    ):
        (own.root / "course.toml").write_text(f'[course]\ndb_url = "{address}"\n')
        with pytest.raises(CourseError, match=words) as told:
            gradebook_url(own)
        assert "hunter2" not in str(told.value)
        assert "course.toml" in str(told.value)
    (own.root / "course.toml").write_text("[course]\ndb_url = 7\n")
    with pytest.raises(CourseError, match="db_url, both text"):
        gradebook_url(own)


def test_missing_driver_is_named(own: Course) -> None:
    """With the command that installs it."""
    with pytest.raises(CourseError, match=r"driver.*pip install 'chainrule\[postgres\]'"):
        expect_writable(make_url("postgresql+nodriver://host/db"))


POSTGRES = make_url("postgresql+psycopg://amy:hunter2@host/db?password=hunter2")
SQLITE = make_url("sqlite:////course/gradebook/gradebook.db")


@pytest.mark.parametrize(
    ("url", "words", "way_out"),
    [
        (SQLITE, "database is locked", "Close what uses it"),
        (SQLITE, "attempt to write a readonly database", "chmod u+w"),
        (SQLITE, "unable to open database file", "chmod u+w"),
        (SQLITE, "database or disk is full", "Free some space"),
        (SQLITE, "disk I/O error", "the disk failed"),
        (SQLITE, "database disk image is malformed", "put your backup back"),
        (SQLITE, "file is not a database", "put your backup back"),
        (POSTGRES, "canceling statement due to lock timeout", "Close what uses it"),
        (POSTGRES, "could not extend file: No space left on device", "Free some space"),
        (POSTGRES, 'FATAL:  password authentication failed for user "amy"', "~/.pgpass"),
        (POSTGRES, "connection failed: fe_sendauth: no password supplied", "~/.pgpass"),
        (POSTGRES, "permission denied for schema public", "owner"),
        (POSTGRES, 'FATAL:  database "db" does not exist', "createdb db"),
        (POSTGRES, "connection failed: Connection refused", "Is the server running"),
    ],
)
def test_each_trouble_has_its_way_out(url: object, words: str, way_out: str) -> None:
    """The gradebook's name, what the database said, what to do; no password."""
    error = OperationalError("select 1", {}, Exception(words))
    told = trouble(url, error)  # type: ignore[arg-type]
    assert way_out in told
    assert shown(url) in told  # type: ignore[arg-type]
    assert "hunter2" not in told


def test_gradebook_that_is_not_there_is_not_made(own: Course) -> None:
    """Looking whether it can be written makes no file: an empty one would pass for a gradebook."""
    url = gradebook_url(own)
    expect_writable(url)
    assert not (own.gradebook / "gradebook.db").exists()
