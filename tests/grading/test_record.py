"""The one writer: all of a submission's scores or none, never an old one, and nobody else's."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from sqlalchemy.exc import OperationalError

from chainrule.course import TEST, Course
from chainrule.errors import CourseError, KitError
from chainrule.grading import record as recording
from chainrule.grading.record import prepare, record
from chainrule.grading.remark import Remark
from chainrule.grading.worker import Graded
from chainrule.nbgrading import course_config
from helpers import EMPTY, FULL, TINY, built_course, once, scores, solved, submit

# nbgrader's own queries make SQLAlchemy warn of nothing that matters
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")

REFUSED = Remark("corrupt-notebook", "tiny.ipynb", "It is empty.")


def prepared_course(root: Path) -> None:
    """A course whose gradebook knows the unit, with amy's submission."""
    course = built_course(root)
    unit = course.unit(TINY)
    submit(course, unit, "amy", solved(unit))
    (root / "staging").mkdir()
    prepare(course, unit, root / "staging")


@pytest.fixture
def course(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Course:
    """A copy of that course."""
    shutil.copytree(once(tmp_path_factory, "prepared", prepared_course), tmp_path / "course")
    (tmp_path / "staging").mkdir()
    return Course((tmp_path / "course").resolve())


@pytest.fixture
def gradebook(course: Course) -> Iterator[Gradebook]:
    """Its gradebook, which does not wait for locks by itself."""
    config = course_config(course.root).CourseDirectory
    with Gradebook(f"{config.db_url}?timeout=0", config.course_id) as opened:
        yield opened


def outcome(points: float = 1.0, word: str = "new") -> Graded:
    """An outcome with these points for each item, and results whose text is `word`."""
    names = [name + TEST for name in FULL]
    return Graded(
        "amy",
        1.0,
        scores=dict.fromkeys(names, points),
        comments={},
        late_penalty=0.0,
        autograded=(("result", word.encode()),),
        feedback=(("result", word.encode()),),
    )


def results(course: Course) -> list[str]:
    """What lies in autograded/ and feedback/ for amy."""
    folders = [course.root / room / "amy" / TINY for room in ("autograded", "feedback")]
    return [(folder / "result").read_text() if folder.exists() else "nothing" for folder in folders]


def test_scores_and_folders_are_put_in_place(course: Course, gradebook: Gradebook, tmp_path: Path) -> None:
    """A new student, a new submission, all scores, both folders; recording again replaces them."""
    record(course, course.unit(TINY), outcome(), gradebook)
    assert scores(course, course.unit(TINY), "amy") == dict.fromkeys(FULL, 1.0)
    assert results(course) == ["new", "new"]
    record(course, course.unit(TINY), outcome(0.5, "newer"), gradebook)
    assert scores(course, course.unit(TINY), "amy") == dict.fromkeys(FULL, 0.5)
    assert results(course) == ["newer", "newer"]
    assert sorted(path.name for path in (course.root / "autograded" / "amy").iterdir()) == [TINY], "nothing is left"


@pytest.mark.parametrize("fault", ["refused", "kit_fault"])
def test_outcome_without_scores_empties_the_old_ones(
    course: Course, gradebook: Gradebook, tmp_path: Path, fault: str
) -> None:
    """Old scores and results are of other work: they go, and what comes is no score, not zero."""
    unit = course.unit(TINY)
    record(course, unit, outcome(), gradebook)
    failed = Graded("amy", 1.0, refused=REFUSED if fault == "refused" else None)
    record(course, unit, replace(failed, kit_fault=None if fault == "refused" else REFUSED), gradebook)
    assert scores(course, unit, "amy") == EMPTY
    assert results(course) == ["nothing", "nothing"]
    found = gradebook.find_submission_notebook("tiny", TINY, "amy")
    assert all(grade.needs_manual_grade for grade in found.grades), "a person is asked"


def test_folder_that_names_no_student_leaves_no_trace(course: Course, gradebook: Gradebook) -> None:
    """An id that nbgrader cannot hold reaches neither the gradebook nor the disk."""
    bad = Graded("a*\udcff", 0.0, refused=replace(REFUSED, cause="student-id"))
    record(course, course.unit(TINY), bad, gradebook)
    assert [student.id for student in gradebook.students] == []


def test_manual_scores_stay(course: Course, gradebook: Gradebook, tmp_path: Path) -> None:
    """What a person scored by hand is kept and marked for another look, as nbgrader does."""
    unit = course.unit(TINY)
    record(course, unit, outcome(), gradebook)
    grade = gradebook.find_grade("total-check", "tiny", TINY, "amy")
    grade.manual_score = 0.75
    gradebook.db.commit()
    record(course, unit, outcome(0.5), gradebook)
    grade = gradebook.find_grade("total-check", "tiny", TINY, "amy")
    assert (grade.manual_score, grade.auto_score, grade.needs_manual_grade) == (0.75, 0.5, True)
    assert not gradebook.find_grade("letter-check", "tiny", TINY, "amy").needs_manual_grade


def test_all_scores_or_none(course: Course, gradebook: Gradebook, tmp_path: Path) -> None:
    """A fault in the middle leaves every old score and result as it was."""
    unit = course.unit(TINY)
    record(course, unit, outcome(), gradebook)
    half = outcome(0.0)
    assert half.scores is not None
    del half.scores["letter" + TEST]
    with pytest.raises(KeyError):
        record(course, unit, half, gradebook)
    gradebook.db.rollback()
    assert scores(course, unit, "amy") == dict.fromkeys(FULL, 1.0)
    assert results(course) == ["new", "new"]


def test_lock_that_ends_is_waited_for(
    course: Course, gradebook: Gradebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program is writing; three waits later it is done, and the scores are in."""
    waits: list[float] = []
    with closing(sqlite3.connect(course.gradebook / "gradebook.db")) as writer:
        writer.execute("begin exclusive")

        def sleep(seconds: float) -> None:
            waits.append(seconds)
            if len(waits) == 3:
                writer.rollback()

        monkeypatch.setattr(recording.time, "sleep", sleep)
        record(course, course.unit(TINY), outcome(), gradebook)
    assert len(waits) == 3
    assert scores(course, course.unit(TINY), "amy") == dict.fromkeys(FULL, 1.0)


def test_lock_that_does_not_end_is_told(
    course: Course, gradebook: Gradebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the last try the kit says who may hold it and what to do; results do not move without their scores."""
    monkeypatch.setattr(recording.time, "sleep", lambda seconds: None)
    with closing(sqlite3.connect(course.gradebook / "gradebook.db")) as writer:
        writer.execute("begin exclusive")
        with pytest.raises(KitError, match=r"locked.*run this again"):
            record(course, course.unit(TINY), outcome(), gradebook)
    assert results(course) == ["nothing", "nothing"]
    assert scores(course, course.unit(TINY), "amy") == {}


def test_other_database_errors_are_not_waited_for(
    course: Course, gradebook: Gradebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk does not get better by waiting."""

    def full(*args: object) -> None:
        raise OperationalError("insert", {}, sqlite3.OperationalError("database or disk is full"))

    monkeypatch.setattr(recording, "_write", full)
    monkeypatch.setattr(recording.time, "sleep", lambda seconds: pytest.fail("waited"))
    with pytest.raises(KitError, match="disk is full"):
        record(course, course.unit(TINY), outcome(), gradebook)


def test_prepare_waits_for_the_lock_and_then_tells(
    course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before any work is done: a gradebook that stays locked is named, with what to do."""
    monkeypatch.setattr(recording, "WAIT", 0)
    with closing(sqlite3.connect(course.gradebook / "gradebook.db")) as writer:
        writer.execute("begin exclusive")
        with pytest.raises(CourseError, match=r"locked.*run this again"):
            prepare(course, course.unit(TINY), tmp_path / "staging")
    prepare(course, course.unit(TINY), tmp_path / "staging")


def test_prepare_leaves_a_corrupt_gradebook_as_it_is(course: Course, tmp_path: Path) -> None:
    """It could be a semester's marks."""
    path = course.gradebook / "gradebook.db"
    path.write_bytes(b"no database at all " * 500)
    before = path.read_bytes()
    with pytest.raises(CourseError, match="put your backup back"):
        prepare(course, course.unit(TINY), tmp_path / "staging")
    assert path.read_bytes() == before


def test_prepare_teaches_the_gradebook_new_points(course: Course, tmp_path: Path) -> None:
    """Points come from the instructor's notebook each time."""
    unit = course.unit(TINY)
    unit.source.write_text(unit.source.read_text().replace('"points": 2', '"points": 7'))
    prepare(course, unit, tmp_path / "staging")
    config = course_config(course.root).CourseDirectory
    with Gradebook(config.db_url, config.course_id) as gradebook:
        assert gradebook.find_grade_cell("scale-check", "tiny", TINY).max_score == 7


def test_other_databases_are_refused_by_name(course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A db_url that is not SQLite ends in a sentence, not in a copy of something else."""
    config = course.root / "nbgrader_config.py"
    config.write_text(config.read_text() + 'c.CourseDirectory.db_url = "postgresql://somewhere/db"\n')
    with pytest.raises(CourseError, match="not SQLite"):
        prepare(course, course.unit(TINY), tmp_path / "staging")
