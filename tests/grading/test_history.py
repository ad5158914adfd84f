"""The history of gradings: a row for what is new, none for what is not, in the transaction of the scores."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderApp
from sqlalchemy import Connection, select

from chainrule.course import TEST, Course, Unit
from chainrule.errors import KitError
from chainrule.grading import history
from chainrule.grading.database import reading
from chainrule.grading.history import HISTORY
from chainrule.grading.record import Writer, prepare
from chainrule.grading.remark import Remark
from chainrule.grading.worker import Graded, work_of
from chainrule.nbgrading import course_config
from helpers import BOB, FULL, TINY, chainrule_here, scores, solved, submit

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")


@pytest.fixture
def course(own: Course, tmp_path: Path) -> Course:
    """A course whose gradebook knows the unit."""
    (tmp_path / "staging").mkdir()
    prepare(own, own.unit(TINY), tmp_path / "staging")
    return own


@pytest.fixture
def unit(course: Course) -> Unit:
    return course.unit(TINY)


def outcome(points: float, work: str, student: str = "amy") -> Graded:
    """An outcome with these points for each item, for work of this fingerprint."""
    marks = dict.fromkeys((name + TEST for name in FULL), points)
    files = (("result", b""),)
    return Graded(student, 1.0, marks, {}, autograded=files, feedback=files, work=work, late_penalty=0.0)


def write(course: Course, unit: Unit, *outcomes: Graded) -> None:
    with Writer(course, unit) as writer:
        writer.write(outcomes)


def kept(course: Course, student: str = "amy") -> list[tuple[str | None, float | None]]:
    """The student's rows, oldest first: work, score."""
    with reading(course) as gradebook:
        assert gradebook is not None
        query = select(HISTORY.c.work, HISTORY.c.score).where(HISTORY.c.student == student).order_by(HISTORY.c.id)
        return [tuple(row) for row in gradebook.execute(query)]


def test_every_new_submission_is_kept(course: Course, unit: Unit) -> None:
    """Scores change, the old ones stay in the history; another student's rows are another's."""
    write(course, unit, outcome(0.25, "first"), outcome(1.0, "his", "bob"))
    write(course, unit, outcome(0.5, "second"))
    assert kept(course) == [("first", 1.0), ("second", 2.0)]
    assert kept(course, "bob") == [("his", 4.0)]


def test_what_is_done_again_adds_no_row(course: Course, unit: Unit) -> None:
    """A run that was killed after its commit, or --fresh, grades the same again; work that comes back is new."""
    write(course, unit, outcome(0.25, "first"))
    write(course, unit, outcome(0.25, "first"))
    assert kept(course) == [("first", 1.0)]
    write(course, unit, outcome(0.5, "second"))
    write(course, unit, outcome(0.25, "first"))
    assert kept(course) == [("first", 1.0), ("second", 2.0), ("first", 1.0)]


@pytest.mark.parametrize(
    "change",
    [{"late_penalty": 0.5}, {"timestamp": datetime(2026, 3, 1, 12, 0, 0, 17)}, {"scores": None}],
    ids=["penalty", "time", "no score"],
)
def test_same_work_with_another_outcome_is_new(course: Course, unit: Unit, change: dict[str, object]) -> None:
    """And is new but once."""
    write(course, unit, outcome(0.25, "first"))
    changed = replace(outcome(0.25, "first"), **change)  # type: ignore[arg-type]
    write(course, unit, changed)
    write(course, unit, changed)
    assert [work for work, _ in kept(course)] == ["first", "first"]


def test_work_that_cannot_be_graded_is_kept_and_the_kits_fault_is_not(course: Course, unit: Unit) -> None:
    """The former says something of the student's work, the latter nothing."""
    remark = Remark("some-cause", "tiny.ipynb", "It is empty.")
    write(course, unit, Graded("amy", 1.0, refused=remark, work="broken"))
    write(course, unit, Graded("amy", 1.0, kit_fault=remark, work="broken"))
    assert kept(course) == [("broken", None)]


def test_history_comes_with_the_scores_or_not_at_all(
    course: Course, unit: Unit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit fails: neither is there. A batch that fails on its history brings no scores."""
    write(course, unit, outcome(0.25, "first"))

    def fails(*args: object) -> None:
        raise KitError("the power fails")

    with monkeypatch.context() as patch, Writer(course, unit) as writer:
        patch.setattr(Connection, "commit", fails)
        with pytest.raises(KitError):
            writer.write([outcome(0.5, "second")])
    assert (kept(course), scores(course, unit, "amy")["half"]) == ([("first", 1.0)], 0.25)
    with monkeypatch.context() as patch, Writer(course, unit) as writer:
        patch.setattr(history, "append", fails)
        with pytest.raises(KitError):
            writer.write([outcome(0.5, "second")])
    assert (kept(course), scores(course, unit, "amy")["half"]) == ([("first", 1.0)], 0.25)


def test_nbgrader_does_not_mind(course: Course, unit: Unit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its gradebook opens, its schema's upgrade runs, and a unit that is taken out of it leaves the history."""
    write(course, unit, outcome(0.25, "first"))
    monkeypatch.chdir(course.root)
    NbGraderApp.launch_instance(["db", "upgrade"])
    NbGraderApp.clear_instance()
    config = course_config(course.root).CourseDirectory
    with Gradebook(config.db_url, config.course_id) as gradebook:
        assert gradebook.find_submission(TINY, "amy").score == 1.0
        gradebook.remove_submission(TINY, "amy")
        gradebook.remove_assignment(TINY)
    assert kept(course) == [("first", 1.0)]
    shutil.rmtree(tmp_path / "staging")
    prepare(course, unit, tmp_path / "staging")
    write(course, unit, outcome(0.25, "first"))
    assert kept(course) == [("first", 1.0)]


def test_fingerprint_is_of_the_work_alone() -> None:
    """Neither when it was handed in nor who grades it bears on it; its text does."""
    work = (("tiny.ipynb", b"{}"),)
    assert work_of(work) == work_of((*work, ("timestamp.txt", b"2026-03-01 12:00:00 UTC")))
    assert work_of(work) != work_of((("tiny.ipynb", b"{ }"),))
    assert len(work_of(work)) == HISTORY.c.work.type.length


def test_the_command_keeps_a_history(course: Course, unit: Unit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Handed in wrong, broken, and right: three rows; `--fresh` and a new time alone are no new work."""
    for work in (solved(unit, BOB), "no notebook", solved(unit)):
        submit(course, unit, "amy", work)
        chainrule_here(monkeypatch, course.root, "grade", TINY)
    chainrule_here(monkeypatch, course.root, "grade", TINY, "--fresh")
    assert [score for _, score in kept(course)] == [4.0, None, 5.0]
    folder = submit(course, unit, "amy", solved(unit))
    (folder / "timestamp.txt").write_text("2026-03-01 12:00:00 UTC")
    chainrule_here(monkeypatch, course.root, "grade", TINY)
    rows = kept(course)
    assert [score for _, score in rows] == [4.0, None, 5.0, 5.0]
    assert rows[-1][0] == rows[-2][0]
