"""Late work by course.toml: the same by every way of grading, and up to date without grading again."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from gradebooks import rows
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde, GenerateFeedback

from chainrule.course import Course
from chainrule.grading import pool, refresh
from chainrule.grading.bundle import pack
from chainrule.grading.kernel import SandboxExecute
from chainrule.grading.submission import Standing, read_submission
from chainrule.grading.worker import Job, grade
from chainrule.nbgrading import course_config, generate_assignment, run
from helpers import BOB, SETTINGS, TINY, Said, built_course, chainrule_here, once, solved, submit

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")

POLICY = """
[late]
share_per_day = 0.1
grace_minutes = 15

[due]
zone = "Europe/Berlin"
"91" = 2026-10-12T23:59:00

[extensions.0012]
all = "1 day"
[extensions.dee]
"91" = "1 week"
"""
HANDED_IN = {
    "amy": "2026-10-13 00:14:00 Europe/Berlin",  # the end of the grace
    "bob": "2026-10-13 00:14:01 Europe/Berlin",  # 4 of 5 points, the first day
    "0012": "2026-10-14 23:59:00 Europe/Berlin",  # all of 5, the first day after an extension
    "dee": "2026-10-19 21:59:00 UTC",  # at the end of an extension
    "eve": "2026-10-14 23:59:00 Europe/Berlin",  # whose extension of a day a person put into the gradebook
    "fay": None,
}
PENALTIES = {"amy": None, "bob": 0.4, "0012": 0.5, "dee": None, "eve": 0.5, "fay": None}
DAY = timedelta(days=1)


def graded_both_ways(root: Path) -> None:
    """Two equal courses, each graded in its own way; nothing but eve's extension was in their gradebooks."""
    for way in ("nbgrader", "chainrule"):
        course = built_course(root / way)
        unit = course.unit(TINY)
        (course.gradebook / "secret").write_text("5e" * 32 + "\n")
        (course.root / "course.toml").write_text(SETTINGS.replace("= 3", "= 20") + POLICY, "utf-8")
        for student, moment in HANDED_IN.items():
            folder = submit(course, unit, student, solved(unit, BOB if student == "bob" else None))
            if moment:
                (folder / "timestamp.txt").write_text(moment)
        config = course_config(course.root)
        generate_assignment(course.root, TINY, course.root / "source", root / "release", config.CourseDirectory.db_url)
        with gradebook_of(course) as gradebook:
            gradebook.add_student("eve")
            gradebook.add_submission(TINY, "eve")
            gradebook.grant_extension(TINY, "eve", days=1)
        if way == "nbgrader":
            config.CourseDirectory.assignment_id = TINY
            run(Autograde, config)
        else:
            with pytest.MonkeyPatch.context() as patch:
                said = chainrule_here(patch, course.root, "grade", TINY)
            assert said.status == 0, said


def gradebook_of(course: Course) -> Gradebook:
    config = course_config(course.root).CourseDirectory
    return Gradebook(config.db_url, config.course_id)


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return once(tmp_path_factory, "late", graded_both_ways)


@pytest.fixture
def course(ways: Path, tmp_path: Path) -> Course:
    """A copy of the course that `chainrule grade` graded, for one test alone."""
    shutil.copytree(ways / "chainrule", tmp_path / "course")
    return Course((tmp_path / "course").resolve())


def held(course: Course) -> dict[str, float | None]:
    """The gradebook's penalties."""
    with gradebook_of(course) as gradebook:
        found = gradebook.notebook_submissions("tiny", TINY)
        return {notebook.student.id: notebook.late_submission_penalty for notebook in found}


def page(course: Course, student: str) -> str:
    return (course.root / "feedback" / student / TINY / "tiny.html").read_text("utf-8")


def total(course: Course, student: str) -> float:
    """The score at the head of a page."""
    found = re.search(r"(?:Score: |<strong>)([\d.]+)(?: /|</strong> of)", page(course, student))
    assert found
    return float(found[1])


Grade = Callable[..., Said]


@pytest.fixture
def grade_again(course: Course, monkeypatch: pytest.MonkeyPatch) -> Grade:
    """`grade_again(policy)` grades under another policy, and fails where a notebook would be run."""

    def never(*_: object, **__: object) -> Any:
        pytest.fail("a notebook was run, or workers were started")

    def again(policy: str = POLICY, *words: str) -> Said:
        (course.root / "course.toml").write_text(SETTINGS + policy, "utf-8")
        monkeypatch.setattr(pool, "hands_for", never)
        monkeypatch.setattr(SandboxExecute, "preprocess", never)
        return chainrule_here(monkeypatch, course.root, "grade", TINY, *words)

    return again


def tree(root: Path) -> Mapping[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_every_way_of_grading_counts_alike(ways: Path) -> None:
    """nbgrader's own autograde and ours: due dates, extensions, penalties, row by row. Nothing is counted twice."""
    by_nbgrader, by_us = (Course(ways / way) for way in ("nbgrader", "chainrule"))
    assert held(by_us) == PENALTIES
    theirs, ours = rows(by_nbgrader), rows(by_us)
    # nbgrader makes a row before it knows of an extension; what matters is what it holds in the end
    for table in theirs:
        assert ours[table] == theirs[table], table
    with gradebook_of(by_us) as gradebook:
        assert gradebook.find_assignment(TINY).duedate == datetime(2026, 10, 12, 21, 59)
        extensions = {work.student.id: work.extension for work in gradebook.assignment_submissions(TINY)}
    assert extensions == {"amy": None, "bob": None, "0012": DAY, "dee": 7 * DAY, "eve": DAY, "fay": None}


@pytest.mark.parametrize("knows", ["no gradebook", "another unit"])
def test_first_grading_counts_alike(course: Course, monkeypatch: pytest.MonkeyPatch, knows: str) -> None:
    """Before the gradebook knows the unit, what is due when is course.toml's to say."""
    before = page(course, "0012")
    for folder in (course.gradebook, course.root / "autograded", course.root / "feedback"):
        shutil.rmtree(folder)
    if knows == "another unit":
        course.gradebook.mkdir()
        with gradebook_of(course) as gradebook:
            gradebook.add_assignment("other", duedate=datetime(2020, 1, 1))
    said = chainrule_here(monkeypatch, course.root, "grade", TINY)
    assert said.status == 0, said
    assert held(course) == PENALTIES | {"eve": 1.0}  # her extension was in the gradebook
    assert page(course, "0012") == before


def test_unchanged_policy_changes_nothing(course: Course, grade_again: Grade) -> None:
    """Not a byte of a result, and the line does not speak of it."""
    before = tree(course.root / "autograded"), tree(course.root / "feedback"), rows(course)
    said = grade_again()
    assert said.out.strip() == f"{TINY}: 0 graded, 6 unchanged"
    assert (tree(course.root / "autograded"), tree(course.root / "feedback"), rows(course)) == before


def test_change_of_policy_runs_nothing(course: Course, grade_again: Grade) -> None:
    """Penalties and the pages that show them are another; scores and notebooks are not touched."""
    before, pages = tree(course.root / "autograded"), tree(course.root / "feedback")
    assert total(course, "bob") == 3.6
    said = grade_again(POLICY.replace("0.1", "0.5").replace("grace_minutes = 15", ""))
    assert said.out.strip() == f"{TINY}: 0 graded, 6 unchanged, 4 of them brought up to date (late penalty, page)"
    assert held(course) == {"amy": 2.5, "bob": 2.0, "0012": 2.5, "dee": None, "eve": 2.5, "fay": None}
    assert [total(course, student) for student in ("amy", "bob", "0012", "dee")] == [2.5, 2.0, 2.5, 5.0]
    assert tree(course.root / "autograded") == before
    changed = {name for name, content in tree(course.root / "feedback").items() if pages[name] != content}
    assert changed == {f"{student}/{TINY}/tiny.html" for student in ("amy", "bob", "0012", "eve")}
    assert grade_again(POLICY.replace("0.1", "0.5").replace("grace_minutes = 15", "")).out.endswith("6 unchanged\n")


def test_due_date_and_extension_that_change(course: Course, grade_again: Grade) -> None:
    """Into the gradebook and into the penalties; what course.toml no longer names stays there."""
    later = POLICY.replace("2026-10-12", "2026-10-11").replace('"1 week"', '"0 days"')
    assert "5 of them" in grade_again(later.replace('all = "1 day"', 'all = "3 days"')).out
    assert held(course) == {"amy": 0.5, "bob": 0.8, "0012": None, "dee": 4.0, "eve": 1.0, "fay": None}
    assert "4 of them" in grade_again("[late]\nshare_per_day = 0.2\n").out
    assert held(course) == {"amy": 2.0, "bob": 1.6, "0012": None, "dee": 5.0, "eve": 2.0, "fay": None}
    with gradebook_of(course) as gradebook:
        assert gradebook.find_assignment(TINY).duedate == datetime(2026, 10, 11, 21, 59)


def test_policy_that_is_taken_away(course: Course, grade_again: Grade) -> None:
    """Without [late], what nbgrader's plugin says: by itself, nothing is lost."""
    assert "3 of them" in grade_again("").out
    assert set(held(course).values()) == {None}


def test_what_a_person_wrote_reaches_the_page(course: Course, grade_again: Grade) -> None:
    """Marks change the penalty, which is a share of the score; a comment changes the page alone."""
    with gradebook_of(course) as gradebook:
        gradebook.find_grade("scale-check", "tiny", TINY, "bob").manual_score = 2.0
        gradebook.find_comment("half", "tiny", TINY, "fay").manual_comment = "Well *done*."
        gradebook.db.commit()
    assert "2 of them" in grade_again().out
    assert held(course)["bob"] == 0.5
    assert total(course, "bob") == 4.5
    assert "Well <em>done</em>." in page(course, "fay")


def test_one_student_alone(course: Course, grade_again: Grade) -> None:
    """`--student` leaves the others as they are."""
    assert ", 1 unchanged, 1 of them" in grade_again(POLICY.replace("0.1", "0.2"), "--student", "bob").out
    assert held(course) == {**PENALTIES, "bob": 0.8}


def test_pages_that_others_made_or_removed(course: Course, grade_again: Grade) -> None:
    """A page of `nbgrader generate_feedback` shows the same and is no news; one that is gone is made anew."""
    with_stamp = page(course, "amy")
    config = course_config(course.root)
    config.CourseDirectory.assignment_id = TINY
    config.GenerateFeedback.force = True
    run(GenerateFeedback, config)
    assert page(course, "amy") != with_stamp
    shutil.rmtree(course.root / "feedback" / "bob")
    assert "1 of them" in grade_again().out
    assert page(course, "amy") == with_stamp
    assert total(course, "bob") == 3.6
    names = {path.name for path in (course.root / "feedback" / "bob" / TINY).iterdir()}
    assert names == {path.name for path in (course.root / "feedback" / "amy" / TINY).iterdir()}
    assert not list((course.root / "feedback").glob(".grading-*"))


def test_page_that_cannot_be_made(course: Course, grade_again: Grade, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is named with the way out; the gradebook is up to date all the same."""

    def fails(*_: object) -> Any:
        raise ValueError("no page today")

    monkeypatch.setattr(refresh.FeedbackPage, "make", fails)
    said = grade_again(POLICY.replace("0.1", "0.2"))
    assert said.status == 1
    assert re.search(r"the page of 91-tiny could not be made anew \(ValueError: no page today\)", said.err)
    assert "--fresh --student" in said.err
    assert held(course)["bob"] == 0.8


def test_worker_that_has_one_unit_alone(course: Course, grade_again: Grade) -> None:
    """A cluster's worker needs no unit but its own, whatever others course.toml names. The client refreshes."""
    other = course.root / "authoring" / "92-other"
    shutil.copytree(course.root / "authoring" / TINY, other)
    (course.root / "course.toml").write_text(SETTINGS + POLICY + '[grades]\nextra_credit = ["92"]\n', "utf-8")
    unit = course.unit(TINY)
    bob = read_submission("bob", course.root / "submitted" / "bob" / TINY, Standing(due=datetime(2026, 10, 12, 21, 59)))
    outcome = grade(Job(TINY, unit.version, pack(course, unit)), bob)
    assert (outcome.late_penalty, outcome.kit_fault) == (0.4, None)
    assert "3 of them" in grade_again(POLICY.replace("0.1", "0.2"), "--cluster", "127.0.0.1:1").out


def test_bad_policy_stops_before_anything(course: Course, grade_again: Grade) -> None:
    """One line, exit status 2, the file and the key; the gradebook stays as it is."""
    before = rows(course)
    for text, told in (
        ("[late]\nper_day = 0.1\n", "[late] knows share_per_day"),
        ('[due]\n"17" = 2026-01-01\n', "[due]: no unit called '17'"),
    ):
        said = grade_again(text)
        assert said.status == 2
        assert "course.toml" in said.err
        assert told in said.err
    assert rows(course) == before
