"""Regrading after items changed: who changes and why is told first, and then exactly that is recorded."""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from gradebooks import rows
from nbgrader.api import Gradebook

from chainrule import course as courses
from chainrule.course import TEST, Course, Unit
from chainrule.grading import judging, pool, regrade, worker
from chainrule.nbgrading import course_config
from helpers import (
    CLASS_SCORES,
    EMPTY,
    FULL,
    ITEMS,
    TINY,
    Said,
    built_course,
    chainrule,
    chainrule_here,
    change,
    graded_course,
    once,
    reshaped,
    scores,
    solved,
    submit,
)

# nbgrader's own queries make SQLAlchemy warn of nothing that matters
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")

ADDED = 'Slip("added", "factor * x", "factor + x", credit=0.5, says="The factor was added."),'


@pytest.fixture
def course(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Course:
    """A copy of a course with amy (all right), bob (scale: slip added) and cy (blank) graded."""
    shutil.copytree(once(tmp_path_factory, "graded", graded_course), tmp_path / "course")
    return Course((tmp_path / "course").resolve())


def run(monkeypatch: pytest.MonkeyPatch, course: Course, *words: str) -> Said:
    return chainrule_here(monkeypatch, course.root, "regrade", TINY, *words)


def changes(monkeypatch: pytest.MonkeyPatch, course: Course, *words: str) -> dict[str, Any]:
    """What a dry run says for machines."""
    monkeypatch.setattr("sys.dont_write_bytecode", True)  # which the command sets in its own process
    said = run(monkeypatch, course, "--dry-run", "--json", *words)
    assert said.out.startswith("{"), said
    tree: dict[str, Any] = json.loads(said.out)
    assert tree["written"] is False
    return tree


def by_hand(course: Course, student: str, item: str, marks: float | None = None, comment: str | None = None) -> None:
    """What a person writes in the formgrader."""
    config = course_config(course.root).CourseDirectory
    with Gradebook(config.db_url, config.course_id) as gradebook:
        if marks is not None:
            grade = gradebook.find_grade(item + TEST, "tiny", TINY, student)
            grade.manual_score, grade.needs_manual_grade = marks, False
        if comment is not None:
            gradebook.find_comment(item, "tiny", TINY, student).manual_comment = comment
        gradebook.db.commit()


def tree_of(folder: Path) -> dict[str, str]:
    """Every file and folder below, with a digest of its bytes."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        for path in folder.rglob("*")
    }


def test_nothing_changed(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same items give everybody the same."""
    found = changes(monkeypatch, course)
    assert found["summary"] == {"compared": 3, "down": 0, "up": 0, "level": 0, "unchanged": 3, "mean_change": 0.0}
    assert (found["students"], found["uncompared"], found["hidden"]) == ([], {}, [])


def test_other_credit(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bob's slip keeps more than it did: he gains, the reason is named, and the dry run records nothing."""
    change(course, (ADDED, ADDED.replace("0.5", "0.75")))
    found = changes(monkeypatch, course)
    (bob,) = found["students"]
    assert (bob["student"], bob["before"], bob["after"], bob["out_of"]) == ("bob", 4.0, 4.5, 5.0)
    why = "slip added, as before, with other credit"
    item = {"item": "scale", "before": 1.0, "after": 1.5, "was_of": 2.0, "out_of": 2.0, "why": why}
    assert bob["items"] == [item]
    assert found["summary"]["mean_change"] == pytest.approx(0.5 / 3)
    assert scores(course, course.unit(TINY), "bob") == CLASS_SCORES["bob"]


def test_what_was_compared_is_recorded(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """Graded once; the gradebook has it, a backup has what was there before, and `grade` finds nothing left to do."""
    unit = change(course, (ADDED, ADDED.replace("0.5", "0.75")))
    ran: list[str] = []
    grade = worker.grade
    monkeypatch.setattr(worker, "grade", lambda job, work: ran.append(work.student) or grade(job, work))
    said = run(monkeypatch, course)
    assert (said.status, ran) == (0, ["amy", "bob", "cy"]), said
    assert "bob" in said.out
    assert "1 -> 1.5" in said.out
    assert scores(course, unit, "bob") == {**FULL, "scale": 1.5}
    assert scores(course, unit, "cy") == CLASS_SCORES["cy"]
    (backup,) = (course.gradebook / "backup").iterdir()
    assert f"Recorded. The gradebook as it was before: gradebook/backup/{backup.name}" in said.out
    with closing(sqlite3.connect(backup)) as old:
        (total,) = old.execute("select sum(auto_score) from grade").fetchone()
    assert total == sum(sum(points.values()) for points in CLASS_SCORES.values())
    assert "3 unchanged" in chainrule_here(monkeypatch, course.root, "grade", TINY).out
    assert ran == ["amy", "bob", "cy"]


def test_new_slip_and_removed_slip(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who loses comes first, whatever the names; verdicts are named on both sides."""
    unit = course.unit(TINY)
    submit(course, unit, "abe", solved(unit, {"half": "def half(x):\n    return x"}))
    chainrule_here(monkeypatch, course.root, "grade", TINY)
    assert scores(course, unit, "abe") == {**FULL, "half": 0.0}
    doubled = 'slips=[Slip("doubled", "/ 2", "* 2", credit=0.5, says="It grew.")]'
    more = doubled[:-1] + ', Slip("untouched", "np.asarray(x) / 2", "x", credit=0.25, says="As it was.")]'
    change(course, (ADDED, ""), (doubled, more))
    found = changes(monkeypatch, course)
    bob, abe = found["students"]
    assert (bob["student"], abe["student"]) == ("bob", "abe")
    assert bob["after"] < bob["before"]
    assert bob["items"][0]["why"] == "was: slip added; now: not right"
    assert (abe["before"], abe["after"]) == (4.0, 4.25)
    assert abe["items"][0]["why"] == "was: not right; now: slip untouched"
    out = run(monkeypatch, course, "--dry-run").out
    assert out.index("LOSE POINTS: 1") < out.index("bob") < out.index("gain points: 1") < out.index("abe")
    assert "4 compared, 1 lose points, 1 gain" in out
    assert out.rstrip().endswith(f"Nothing was written. To record this: chainrule regrade {TINY}")


def test_dry_run_leaves_every_byte(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a person types it: not a file comes, goes or changes, though cells were added and removed."""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)  # caches are files, too
    reshaped(course)
    shutil.rmtree(course.authoring / TINY / "__pycache__", ignore_errors=True)
    before = tree_of(course.root)
    said = chainrule(course.root, "regrade", TINY, "--dry-run", "--jobs", "2")
    assert (said.status, said.err.count("Traceback")) == (3, 0), said  # 3: the new test cell was not handed in
    assert "new: size; removed: letter" in said.out
    assert tree_of(course.root) == before


def test_cells_change_and_what_people_wrote_stays(
    course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gradebook is row by row one of a course that had these items from the beginning."""
    by_hand(course, "bob", "scale", marks=1.75, comment="Nearly.")
    by_hand(course, "bob", "letter", marks=0.25, comment="Read it aloud.")
    unit = reshaped(course)
    with_gone = changes(monkeypatch, course)
    assert (with_gone["added"], with_gone["removed"]) == (["size"], ["letter"])
    gone = {"student": "bob", "item": "letter", "marks": 0.25, "why": "comment: Read it aloud."}
    assert with_gone["gone"] == [gone]
    amy = next(row for row in with_gone["students"] if row["student"] == "amy")
    assert [(item["item"], item["before"], item["after"], item["why"]) for item in amy["items"]] == [
        ("size", None, 0.0, "new item: not answered"),
        ("letter", 1.0, None, "the item is removed; was: right"),
    ]
    said = chainrule_here(monkeypatch, course.root, "grade", TINY)
    assert (said.status, f"chainrule regrade {TINY} --dry-run" in said.err) == (2, True), said
    said = run(monkeypatch, course)
    assert said.status == 3, "the new test cell was not in what was handed in"
    assert scores(course, unit, "bob") == {"scale": 1.0, "half": 1.0, "total": 1.0, "size": 0.0}

    other = built_course(tmp_path / "other")
    reshaped(other)
    for student in CLASS_SCORES:
        shutil.copytree(course.root / "submitted" / student, other.root / "submitted" / student)
    chainrule_here(monkeypatch, other.root, "grade", TINY)
    by_hand(other, "bob", "scale", marks=1.75, comment="Nearly.")
    config = course_config(other.root).CourseDirectory
    with Gradebook(config.db_url, config.course_id) as gradebook:  # as a grading over a mark by hand leaves it
        gradebook.find_grade("scale" + TEST, "tiny", TINY, "bob").needs_manual_grade = True
        gradebook.db.commit()
    assert rows(course) == rows(other)


def test_killed_between_cells_and_scores(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cells are the new ones, no score is recorded: `chainrule grade` does the rest."""
    unit = reshaped(course)

    class Killed(BaseException):
        """Nothing in the kit catches it, as nothing would run."""

    def dies(*args: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(regrade, "Writer", dies)
        with pytest.raises(Killed):
            regrade.regrade_unit(course, unit, dry_run=False, trust_students=True)
    run_again = chainrule_here(monkeypatch, course.root, "grade", TINY)
    assert "3 graded" in run_again.out, run_again
    assert scores(course, unit, "amy") == {"scale": 2.0, "half": 1.0, "total": 1.0, "size": 0.0}


def test_mark_by_hand_hides_a_change(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bob's total stays, and the change below the mark is told."""
    by_hand(course, "bob", "scale", marks=2.0)
    change(course, (ADDED, ADDED.replace("0.5", "0.75")))
    found = changes(monkeypatch, course)
    assert (found["students"], found["summary"]["unchanged"]) == ([], 3)
    why = "ours: 1 -> 1.5; slip added, as before, with other credit"
    assert found["hidden"] == [{"student": "bob", "item": "scale", "marks": 2.0, "why": why}]
    said = run(monkeypatch, course)
    assert "marks by hand that stand over a change: 1" in said.out
    config = course_config(course.root).CourseDirectory
    with Gradebook(config.db_url, config.course_id) as gradebook:
        grade = gradebook.find_grade("scale" + TEST, "tiny", TINY, "bob")
        assert (grade.manual_score, grade.auto_score, grade.needs_manual_grade) == (2.0, 1.5, True)


def test_other_points(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """An item is worth more: everybody's totals are of more, and nobody's verdict is another."""
    change(course, ("points=2", "points=4"))
    found = changes(monkeypatch, course)
    told = {row["student"]: (row["before"], row["after"], row["out_of"]) for row in found["students"]}
    assert told == {"amy": (5.0, 7.0, 7.0), "bob": (4.0, 5.0, 7.0), "cy": (0.0, 0.0, 7.0)}
    assert found["students"][0]["items"][0]["why"] == "worth 4, was 2; not answered, as before"
    run(monkeypatch, course)
    config = course_config(course.root).CourseDirectory
    with Gradebook(config.db_url, config.course_id) as gradebook:
        assert gradebook.find_submission(TINY, "amy").max_score == 7


def test_kit_fault_leaves_what_stands(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge breaks on bob: status 1, his scores stay; the others are recorded."""
    unit = change(course, (ADDED, ADDED.replace("0.5", "0.75")), ("points=2", "points=4"))
    judge = judging.judge_unit

    def breaks(unit: Unit, evidence: Any, drawn: Any) -> Any:
        verdicts = judge(unit, evidence, drawn)
        return verdicts if verdicts["scale"].full else 1 / 0

    monkeypatch.setattr(judging, "judge_unit", breaks)
    assert "the kit failed, and what stands will stand" in changes(monkeypatch, course)["uncompared"]["bob"]
    assert run(monkeypatch, course).status == 1
    assert scores(course, unit, "bob") == CLASS_SCORES["bob"]
    assert scores(course, unit, "amy") == {**FULL, "scale": 4.0}


def test_work_that_cannot_be_compared(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """Handed in since, broken since, taken away since: each is told for what it is, and named."""
    unit = course.unit(TINY)
    submit(course, unit, "amy", '{"cells": [')
    submit(course, unit, "bob", solved(unit))
    submit(course, unit, "dee", solved(unit))
    submit(course, unit, "[red]", solved(unit))
    shutil.rmtree(course.root / "submitted" / "cy")
    found = changes(monkeypatch, course)
    amy, bob = found["students"]
    assert (amy["student"], amy["before"], amy["after"]) == ("amy", 5.0, None)
    assert "It is not JSON" in amy["refused"]
    assert (bob["after"], bob["handed_in_again"]) == (5.0, True)
    assert found["uncompared"]["dee"] == "not graded before; 5 of 5 now"
    assert "not graded before; could not be graded now" in found["uncompared"]["[red]"]
    assert f"nothing in submitted/cy/{TINY}" in found["uncompared"]["cy"]
    said = run(monkeypatch, course)
    assert said.status == 3
    assert "5 -> no score" in said.out
    assert "[red]" in said.out, "a name is no markup"
    assert scores(course, unit, "amy") == EMPTY
    assert scores(course, unit, "cy") == CLASS_SCORES["cy"]


def test_penalty_for_lateness(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """Totals are what nbgrader exports: less the penalty, and never below 0."""
    with closing(sqlite3.connect(course.gradebook / "gradebook.db")) as gradebook:
        gradebook.execute("update submitted_notebook set late_submission_penalty = 1.5")
        gradebook.commit()
    found = changes(monkeypatch, course)
    told = {row["student"]: (row["before"], row["after"], row["penalty"]) for row in found["students"]}
    assert told == {"amy": (3.5, 5.0, [1.5, 0.0]), "bob": (2.5, 4.0, [1.5, 0.0])}
    assert found["summary"]["unchanged"] == 1, "cy had no points to lose"


def test_part_of_a_class_cannot_have_other_items(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """To say what changes for one is harmless; to record it would empty the new item for all others."""
    reshaped(course)
    assert changes(monkeypatch, course, "--student", "amy")["summary"]["compared"] == 1
    said = run(monkeypatch, course, "--student", "amy")
    assert (said.status, "without --student" in said.err) == (2, True), said
    assert not (course.gradebook / "backup").exists()


@pytest.mark.parametrize("trouble", ["not built", "never graded", "no secret"])
def test_nothing_to_compare_with(course: Course, monkeypatch: pytest.MonkeyPatch, trouble: str) -> None:
    """Each with its way out, before anything is graded; no secret is made up."""
    if trouble == "not built":
        items = course.authoring / TINY / "items.py"
        items.write_text(ITEMS.replace("points=2", "points=4"))
        courses._unit.cache_clear()
        way_out = f"Run: chainrule build {TINY}"
    elif trouble == "never graded":
        (course.gradebook / "gradebook.db").unlink()
        way_out = f"Run: chainrule grade {TINY}"
    else:
        (course.gradebook / "secret").unlink()
        way_out = "Put your backup of it back"
    before = tree_of(course.root)
    monkeypatch.setattr(pool, "outcomes_of", lambda *args: pytest.fail("graded"))
    said = run(monkeypatch, course, "--dry-run")
    assert (said.status, way_out in said.err) == (2, True), said
    assert tree_of(course.root) == before


def test_another_grader_is_at_work(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is about to change is not compared with; the other's lock is left as it is."""
    lock = course.gradebook / ".lock"
    with lock.open("a+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        before = lock.read_bytes()
        said = run(monkeypatch, course, "--dry-run")
        assert (said.status, "another grader is at work" in said.err) == (2, True), said
        assert lock.read_bytes() == before
    assert changes(monkeypatch, course)["summary"]["unchanged"] == 3


def test_no_backup_no_change(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the copy cannot be written, nothing else is."""
    unit = change(course, (ADDED, ADDED.replace("0.5", "0.75")))
    (course.gradebook / "backup").write_text("in the way")
    before = rows(course)
    said = run(monkeypatch, course)
    assert (said.status, "no backup could be made" in said.err) == (2, True), said
    assert rows(course) == before
    assert scores(course, unit, "bob") == CLASS_SCORES["bob"]
