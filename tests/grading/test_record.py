"""The one writer: all of a submission's scores or none, never an old one, and nobody else's."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from nbgrader.api import Gradebook
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from chainrule.course import TEST, Course, Unit
from chainrule.errors import CourseError, KitError
from chainrule.grading import database
from chainrule.grading import record as recording
from chainrule.grading.outcome import Graded
from chainrule.grading.record import Writer, prepare
from chainrule.grading.remark import Remark
from chainrule.grading.staging import STAGING, sweep_staging
from chainrule.nbgrading import course_config
from helpers import EMPTY, FULL, TINY, built_course, once, scores, solved, submit

# nbgrader's own queries make SQLAlchemy warn of nothing that matters
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")

ROOMS = ("autograded", "feedback")
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
    """Its gradebook, as nbgrader opens it."""
    config = course_config(course.root).CourseDirectory
    with Gradebook(config.db_url, config.course_id) as opened:
        yield opened


@pytest.fixture
def unit(course: Course) -> Unit:
    return course.unit(TINY)


@pytest.fixture
def writer(course: Course, unit: Unit) -> Iterator[Writer]:
    """The writer, which does not wait for locks for long."""
    with Writer(course, unit) as opened:
        yield opened


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gradebook that is locked is waited for once, and for a moment."""
    monkeypatch.setattr(database, "WAIT", 0)
    monkeypatch.setattr(database, "STEP", 0)


def outcome(points: float = 1.0, word: str = "new", student: str = "amy") -> Graded:
    """An outcome with these points for each item, and results whose text is `word`."""
    names = [name + TEST for name in FULL]
    return Graded(
        student,
        1.0,
        scores=dict.fromkeys(names, points),
        comments={},
        late_penalty=0.0,
        autograded=(("result", word.encode()),),
        feedback=(("result", word.encode()),),
    )


def results(course: Course, student: str = "amy") -> list[str]:
    """What lies in autograded/ and feedback/ for a student."""
    folders = [course.root / room / student / TINY for room in ROOMS]
    return [(folder / "result").read_text() if folder.exists() else "nothing" for folder in folders]


def test_scores_and_folders_are_put_in_place(course: Course, unit: Unit, writer: Writer) -> None:
    """New students, new submissions, all scores, both folders; recording again replaces them."""
    writer.write([outcome(), outcome(0.25, "his", "bob")])
    assert scores(course, unit, "amy") == dict.fromkeys(FULL, 1.0)
    assert scores(course, unit, "bob") == dict.fromkeys(FULL, 0.25)
    assert (results(course), results(course, "bob")) == (["new", "new"], ["his", "his"])
    writer.write([outcome(0.5, "newer")])
    assert scores(course, unit, "amy") == dict.fromkeys(FULL, 0.5)
    assert scores(course, unit, "bob") == dict.fromkeys(FULL, 0.25)
    assert (results(course), results(course, "bob")) == (["newer", "newer"], ["his", "his"])


def test_nothing_is_left_beside_the_results(course: Course, unit: Unit) -> None:
    """Staging goes at the end; what a killed run left of it goes at the next start."""
    left = [course.root / room / f"{STAGING}killed" / "new-1" for room in (*ROOMS, ".")]
    for folder in left:
        folder.mkdir(parents=True)
    sweep_staging(course)
    assert not any(folder.parent.exists() for folder in left)
    with Writer(course, unit) as writer:
        writer.write([outcome()])
        writer.write([outcome()])
    for room in ROOMS:
        assert [path.name for path in (course.root / room).iterdir()] == ["amy"]
        assert [path.name for path in (course.root / room / "amy").iterdir()] == [TINY]


@pytest.mark.parametrize("fault", ["refused", "kit_fault"])
def test_outcome_without_scores_empties_the_old_ones(
    course: Course, unit: Unit, writer: Writer, gradebook: Gradebook, fault: str
) -> None:
    """Old scores and results are of other work: they go, and what comes is no score, not zero."""
    writer.write([outcome()])
    failed = Graded("amy", 1.0)
    writer.write([replace(failed, refused=REFUSED) if fault == "refused" else replace(failed, kit_fault=REFUSED)])
    assert scores(course, unit, "amy") == EMPTY
    assert results(course) == ["nothing", "nothing"]
    found = gradebook.find_submission_notebook("tiny", TINY, "amy")
    assert all(grade.needs_manual_grade for grade in found.grades), "a person is asked"


def test_folder_that_names_no_student_leaves_no_trace(course: Course, writer: Writer, gradebook: Gradebook) -> None:
    """An id that nbgrader cannot hold reaches neither the gradebook nor the disk; the others do."""
    bad = Graded("a*\udcff", 0.0, refused=replace(REFUSED, cause="student-id"))
    writer.write([bad, outcome()])
    assert [student.id for student in gradebook.students] == ["amy"]
    assert results(course) == ["new", "new"]


def test_what_a_person_wrote_stays(writer: Writer, gradebook: Gradebook) -> None:
    """A score given by hand is kept and marked for another look, as nbgrader does; comments and extra credit stay."""
    writer.write([outcome()])
    grade = gradebook.find_grade("total-check", "tiny", TINY, "amy")
    grade.manual_score, grade.extra_credit = 0.75, 0.5
    gradebook.find_comment("total", "tiny", TINY, "amy").manual_comment = "Well done."
    gradebook.find_submission(TINY, "amy").extension = timedelta(hours=2)
    gradebook.db.commit()
    writer.write([replace(outcome(0.5), comments={"total": "No response."})])
    gradebook.db.expire_all()
    grade = gradebook.find_grade("total-check", "tiny", TINY, "amy")
    assert (grade.manual_score, grade.auto_score, grade.needs_manual_grade) == (0.75, 0.5, True)
    assert grade.extra_credit == 0.5
    comment = gradebook.find_comment("total", "tiny", TINY, "amy")
    assert (comment.manual_comment, comment.auto_comment) == ("Well done.", "No response.")
    assert gradebook.find_submission(TINY, "amy").extension == timedelta(hours=2)
    assert not gradebook.find_grade("letter-check", "tiny", TINY, "amy").needs_manual_grade


def test_penalty_and_time_are_recorded(writer: Writer, gradebook: Gradebook) -> None:
    """And taken back when the next submission was in time."""
    when = datetime(2026, 3, 1, 12)
    for penalty, timestamp in ((1.5, when), (None, None)):
        writer.write([replace(outcome(), late_penalty=penalty, timestamp=timestamp)])
        gradebook.db.expire_all()
        found = gradebook.find_submission_notebook("tiny", TINY, "amy")
        assert (found.late_submission_penalty, found.assignment.timestamp) == (penalty, timestamp)


def test_more_than_one_transaction(course: Course, unit: Unit, writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many outcomes are written in parts, none of them is lost."""
    monkeypatch.setattr(recording, "BATCH", 2)
    students = ["amy", "bob", "cy", "dan", "eve"]
    writer.write([outcome(number / 4, student, student) for number, student in enumerate(students)])
    for number, student in enumerate(students):
        assert scores(course, unit, student) == dict.fromkeys(FULL, number / 4)
        assert results(course, student) == [student, student]


def test_all_scores_or_none(course: Course, unit: Unit, writer: Writer) -> None:
    """A fault in the middle leaves every old score and result of the whole batch as it was."""
    writer.write([outcome()])
    half = outcome(0.0, "half", "bob")
    assert half.scores is not None
    del half.scores["letter" + TEST]
    with pytest.raises(KitError, match="bob: no score for letter-check"):
        writer.write([outcome(0.0, "newer"), half])
    assert scores(course, unit, "amy") == dict.fromkeys(FULL, 1.0)
    assert results(course) == ["new", "new"]
    assert scores(course, unit, "bob") == {}
    assert results(course, "bob") == ["nothing", "nothing"]


STEPS = ["staged", "scored", "half emptied", "emptied", "committed", "half placed"]


@pytest.mark.parametrize("step", STEPS)
def test_power_fails_at_any_step(course: Course, unit: Unit, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Whatever was done by then: results in autograded/ are whole, and their scores are in the gradebook."""
    with Writer(course, unit) as writer:
        writer.write([outcome()])

    class PowerFails(BaseException):
        """Nothing in the kit catches it, as nothing would run."""

    seen: list[str] = []

    def fails(*args: object) -> None:
        raise PowerFails

    with Writer(course, unit) as writer, monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda *args, **kwargs: None)  # nothing is tidied up, either
        if step == "staged":
            patch.setattr(writer, "_put_scores", fails)
        elif step == "scored":
            patch.setattr(writer, "_put_comments", fails)
        elif step == "emptied":
            patch.setattr(Connection, "commit", fails)
        else:
            rename, count = Path.rename, {"half emptied": 2, "committed": 3, "half placed": 4}[step]

            def counted(path: Path, target: Path) -> Path:
                seen.append(path.name)
                if len(seen) == count:
                    raise PowerFails
                return rename(path, target)

            patch.setattr(Path, "rename", counted)
        with pytest.raises(PowerFails):
            writer.write([outcome(0.5, "newer")])
    old, new = dict.fromkeys(FULL, 1.0), dict.fromkeys(FULL, 0.5)
    autograded, feedback = results(course)
    if step in ("staged", "scored"):
        assert (autograded, feedback) == ("new", "new")
    else:
        assert autograded == "nothing", "`plan` takes it for not done"
        assert feedback == {"half emptied": "new", "half placed": "newer"}.get(step, "nothing")
    assert scores(course, unit, "amy") == (new if step in ("committed", "half placed") else old)
    with Writer(course, unit) as writer:
        writer.write([outcome(0.5, "newer")])
    assert (scores(course, unit, "amy"), results(course)) == (new, ["newer", "newer"])
    for room in ROOMS:
        assert [path.name for path in (course.root / room).iterdir()] == ["amy"]


def test_everything_is_on_disk_before_it_is_relied_on(
    course: Course, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is new before the scores, the emptied places before the commit, feedback's names before autograded's."""
    writer.write([outcome()])
    log: list[str] = []
    sync, rename, put = recording._sync_one, Path.rename, writer._put_rows

    def synced(path: Path) -> None:
        log.append(f"sync {path.relative_to(course.root).parts[0]} {path.name.partition('-')[0]}")
        sync(path)

    def renamed(path: Path, target: Path) -> Path:
        log.append(f"rename {path.relative_to(course.root).parts[0]} {path.name.partition('-')[0]}")
        return rename(path, target)

    def scored(*args: Any) -> None:
        log.append("scores")
        put(*args)

    monkeypatch.setattr(recording, "_sync_one", synced)
    monkeypatch.setattr(Path, "rename", renamed)
    monkeypatch.setattr(writer, "_put_rows", scored)
    monkeypatch.setattr(Connection, "commit", lambda self: log.append("commit") or self.get_transaction().commit())
    writer.write([outcome()])
    scores_at, commit_at = log.index("scores"), log.index("commit")
    before, within, after = log[:scores_at], log[scores_at + 1 : commit_at], log[commit_at + 1 :]
    both = {f"sync {room} {name}" for room in ROOMS for name in ("result", "new", ".grading")}
    assert set(before) == both, "each file, its folder, and the folder that lists that"
    assert within == [
        "rename autograded 91",
        "sync autograded amy",
        "rename feedback 91",
        "sync feedback amy",
    ]
    assert after == [
        "rename feedback new",
        "sync feedback amy",
        "rename autograded new",
        "sync autograded amy",
    ]


def test_lock_that_ends_is_waited_for(
    course: Course, unit: Unit, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program is writing; three waits later it is done, and the scores are in."""
    monkeypatch.setattr(database, "STEP", 0)
    waits: list[float] = []
    with closing(sqlite3.connect(course.gradebook / "gradebook.db")) as other:
        other.execute("begin exclusive")

        def sleep(seconds: float) -> None:
            waits.append(seconds)
            if len(waits) == 3:
                other.rollback()

        monkeypatch.setattr(database.time, "sleep", sleep)
        writer.write([outcome()])
    assert len(waits) == 3
    assert scores(course, unit, "amy") == dict.fromkeys(FULL, 1.0)


def test_lock_that_does_not_end_is_told(course: Course, unit: Unit, impatient: None) -> None:
    """After the last try the kit says who may hold it and what to do; results do not move without their scores."""
    with Writer(course, unit) as writer, closing(sqlite3.connect(course.gradebook / "gradebook.db")) as other:
        other.execute("begin exclusive")
        with pytest.raises(KitError, match=r"locked.*run this again"):
            writer.write([outcome()])
    assert results(course) == ["nothing", "nothing"]
    assert scores(course, unit, "amy") == {}


def test_reader_who_delays_the_commit(course: Course, unit: Unit, impatient: None) -> None:
    """The formgrader reads for too long: the old scores are there, and the old results are back with them."""
    with Writer(course, unit) as writer, closing(sqlite3.connect(course.gradebook / "gradebook.db")) as reader:
        writer.write([outcome()])
        reader.execute("begin")
        reader.execute("select * from grade").fetchone()
        with pytest.raises(KitError, match="locked"):
            writer.write([outcome(0.5, "newer")])
        reader.rollback()
        assert (scores(course, unit, "amy"), results(course)) == (dict.fromkeys(FULL, 1.0), ["new", "new"])
        writer.write([outcome(0.5, "newer")])
    assert (scores(course, unit, "amy"), results(course)) == (dict.fromkeys(FULL, 0.5), ["newer", "newer"])


def test_other_database_errors_are_not_waited_for(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk does not get better by waiting."""

    def full(*args: object) -> None:
        raise OperationalError("insert", {}, sqlite3.OperationalError("database or disk is full"))

    monkeypatch.setattr(writer, "_put_rows", full)
    monkeypatch.setattr(database.time, "sleep", lambda seconds: pytest.fail("waited"))
    with pytest.raises(KitError, match=r"disk is full.*Free some space"):
        writer.write([outcome()])


def test_prepare_waits_for_the_lock_and_then_tells(course: Course, unit: Unit, tmp_path: Path, impatient: None) -> None:
    """Before any work is done: a gradebook that stays locked is named, with what to do."""
    with closing(sqlite3.connect(course.gradebook / "gradebook.db")) as other:
        other.execute("begin exclusive")
        with pytest.raises(CourseError, match=r"locked.*run this again"):
            prepare(course, unit, tmp_path / "staging")
    prepare(course, unit, tmp_path / "staging")


def damage_head(data: bytes) -> bytes:
    return b"no database at all " * 500


def damage_page(data: bytes) -> bytes:
    """From the middle of the file on, nothing that SQLite wrote."""
    return data[: len(data) // 2] + bytes(len(data) - len(data) // 2)


@pytest.mark.parametrize("damage", [damage_head, damage_page])
def test_prepare_leaves_a_corrupt_gradebook_as_it_is(
    course: Course, unit: Unit, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    """It could be a semester's marks."""
    path = course.gradebook / "gradebook.db"
    path.write_bytes(damage(path.read_bytes()))
    before = path.read_bytes()
    with pytest.raises(CourseError, match="put your backup back"):
        prepare(course, unit, tmp_path / "staging")
    assert path.read_bytes() == before


def test_prepare_teaches_the_gradebook_new_points(course: Course, unit: Unit, tmp_path: Path) -> None:
    """Points come from the instructor's notebook each time."""
    unit.source.write_text(unit.source.read_text().replace('"points": 2', '"points": 7'))
    prepare(course, unit, tmp_path / "staging")
    config = course_config(course.root).CourseDirectory
    with Gradebook(config.db_url, config.course_id) as gradebook:
        assert gradebook.find_grade_cell("scale-check", "tiny", TINY).max_score == 7


def test_items_that_changed_after_grading(course: Course, unit: Unit, writer: Writer, tmp_path: Path) -> None:
    """nbgrader cannot add a cell to what has submissions: the way out is said, with what it costs."""
    writer.write([outcome()])
    unit.source.write_text(unit.source.read_text().replace('"scale-check"', '"scaled-check"'))
    with pytest.raises(CourseError, match=rf"chainrule regrade {TINY} --dry-run"):
        prepare(course, unit, tmp_path / "staging")
    assert scores(course, unit, "amy") == dict.fromkeys(FULL, 1.0)
