"""A worker's outcome is what nbgrader's own commands write; it needs no gradebook, and no disk of the course's."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde, GenerateFeedback
from nbgrader.utils import parse_utc

from chainrule.course import Course, Unit
from chainrule.grading.bundle import pack
from chainrule.grading.stamp import without_stamp
from chainrule.grading.standing import standings
from chainrule.grading.submission import Submission, read_submission
from chainrule.grading.worker import Graded, Job, _timestamp, grade
from chainrule.nbgrading import course_config, generate_assignment, run
from chainrule.policy import Policy
from helpers import FULL, TINY, built_course, cell_of, once, solved, submit

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")

DUE = datetime(2026, 1, 10, 12)
LATE = "\nc.AssignLatePenalties.plugin_class = 'late.HalfAPoint'\n"
PLUGIN = """
from nbgrader.plugins import BasePlugin

class HalfAPoint(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return min(0.5, total_seconds_late / 3600, score)
"""
MARKDOWN = (
    "Some *prose* of mine with `code`, $a < b$ and a [link](https://example.org).\n\n| a | b |\n|---|---|\n| 1 | 2 |"
)
SHOWS = """\
import pandas as pd, matplotlib.pyplot as plt
plt.figure(figsize=(1, 1)); plt.plot([1, 2]); plt.show()
print("printed <b>text</b>")
pd.DataFrame({"a": [1, 2]})"""


def class_of_three(root: Path) -> None:
    """An assignment that was due: one in time with much to show, one late and half empty, one marked by hand."""
    course = built_course(root)
    unit = course.unit(TINY)
    with (root / "nbgrader_config.py").open("a") as config:
        config.write(LATE)
    (root / "late.py").write_text(PLUGIN)
    shows = solved(unit)
    shows.cells.insert(1, nbformat.v4.new_markdown_cell(MARKDOWN))
    shows.cells.append(nbformat.v4.new_code_cell(SHOWS))
    shows.cells.append(nbformat.v4.new_code_cell("1 / 0"))
    early = submit(course, unit, "early", shows)
    (early / "timestamp.txt").write_text("2026-01-10 13:00:00 CET")
    (early / "data").mkdir()
    (early / "data" / "mine.csv").write_text("1,2\n")
    work = solved(unit, {"scale": "def scale(x, factor):\n    return factor + x"})
    cell_of(work, "half").source = cell_of(nbformat.read(unit.release, 4), "half").source
    work.cells.remove(cell_of(work, "letter"))
    (submit(course, unit, "late", work) / "timestamp.txt").write_text("2026-01-10 14:00:00 UTC")
    (submit(course, unit, "marked", solved(unit)) / "timestamp.txt").write_text("2026-01-11 12:00:00")
    shutil.rmtree(root / "release" / TINY)
    url = course_config(root).CourseDirectory.db_url
    generate_assignment(root, TINY, root / "source", root / "release", url)
    with Gradebook(url, "tiny") as gradebook:
        gradebook.update_or_create_assignment(TINY, duedate=DUE)
        gradebook.add_student("marked")
        gradebook.add_submission(TINY, "marked")
        grades = gradebook.find_submission_notebook("tiny", TINY, "marked")
        first, second, *_ = sorted(grades.grades, key=lambda grade: grade.name)
        first.manual_score, second.extra_credit = 0.25, 2.0
        next(comment for comment in grades.comments if comment.name == "half").manual_comment = "Well *done*."
        gradebook.db.commit()


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Graded by nothing yet; its gradebook knows the assignment, its due date and what a person wrote."""
    return Course(once(tmp_path_factory, "due", class_of_three).resolve())


@pytest.fixture(scope="module")
def unit(course: Course) -> Unit:
    return course.unit(TINY)


@pytest.fixture(scope="module")
def plain(course: Course, tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A copy, graded by nbgrader's own converters, its pages made by `nbgrader generate_feedback`."""
    root = tmp_path_factory.mktemp("plain") / "course"
    shutil.copytree(course.root, root)
    patch = pytest.MonkeyPatch()
    patch.syspath_prepend(str(root))
    config = course_config(root)
    config.CourseDirectory.assignment_id = TINY
    run(Autograde, config)
    run(GenerateFeedback, config)
    patch.undo()
    return Course(root)


@pytest.fixture(scope="module")
def lean(course: Course, unit: Unit) -> Callable[[str], Graded]:
    """`lean(student)` is our outcome of the same submission."""
    config = course_config(course.root).CourseDirectory
    with Gradebook(config.db_url, config.course_id) as gradebook:
        known = standings(gradebook.db, unit, Policy())

    def graded(student: str) -> Graded:
        folder = course.root / "submitted" / student / TINY
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(str(course.root))
            outcome = grade(Job(TINY, unit.version, course.root), read_submission(student, folder, known[student]))
        assert outcome.scores is not None, outcome
        return outcome

    return graded


STUDENTS = pytest.mark.parametrize("student", ["early", "late", "marked"])


@STUDENTS
def test_gradebook_rows_are_nbgraders(plain: Course, lean: Callable[[str], Graded], student: str) -> None:
    """Scores, comments, the penalty for late work and the time, as `nbgrader autograde` writes them."""
    ours = lean(student)
    config = course_config(plain.root).CourseDirectory
    with Gradebook(config.db_url, config.course_id) as gradebook:
        theirs = gradebook.find_submission_notebook("tiny", TINY, student)
        assert ours.scores == {grade.name: grade.auto_score for grade in theirs.grades}
        assert ours.comments == {comment.name: comment.auto_comment for comment in theirs.comments}
        assert ours.late_penalty == theirs.late_submission_penalty
        assert ours.timestamp == theirs.assignment.timestamp


def test_each_of_those_rows_is_something(lean: Callable[[str], Graded]) -> None:
    """The comparison is of penalties and comments that are there."""
    assert [lean(student).late_penalty for student in ("early", "late", "marked")] == [None, 0.5, 0.5]
    assert (lean("late").comments or {})["half"] == "No response."
    assert lean("early").scores == {f"{name}-check": points for name, points in FULL.items()}


def on_disk(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def notebook(content: bytes) -> Any:
    """A notebook without what is another in every run: ids that were missing, and pictures' and times' bytes stay."""
    tree = json.loads(content)
    for cell in tree["cells"]:
        cell["id"] = ""
        cell["metadata"].pop("execution", None)
        for output in cell.get("outputs", []):  # an address in memory
            output.get("data", {}).pop("text/plain", None)
            output.get("metadata", {}).pop("needs_background", None)
    return tree


@STUDENTS
def test_autograded_folder_is_nbgraders(plain: Course, lean: Callable[[str], Graded], student: str) -> None:
    """The same files, and cell by cell the same notebook."""
    ours = dict(lean(student).autograded or ())
    theirs = on_disk(plain.root / "autograded" / student / TINY)
    assert notebook(ours.pop("tiny.ipynb")) == notebook(theirs.pop("tiny.ipynb"))
    assert ours == theirs


def page(content: bytes) -> str:
    """A page without what is another in every run: a picture's bytes; and without our stamp."""
    return re.sub(r"base64,[^\"]+", "", without_stamp(content.decode("utf-8")))


@STUDENTS
def test_feedback_folder_is_nbgraders(plain: Course, lean: Callable[[str], Graded], student: str) -> None:
    """The same files and the same page, although nbgrader's is made from its gradebook."""
    ours = dict(lean(student).feedback or ())
    theirs = on_disk(plain.root / "feedback" / student / TINY)
    assert page(ours.pop("tiny.html")) == page(theirs.pop("tiny.html"))
    assert ours == theirs


def text_of(graded: Graded, selector: str) -> list[str]:
    soup = BeautifulSoup(dict(graded.feedback or ())["tiny.html"].decode("utf-8"), "html.parser")
    return [" ".join(tag.get_text().split()) for tag in soup.select(selector)]


def test_pages_show_what_the_gradebook_adds(lean: Callable[[str], Graded]) -> None:
    """The penalty in words and numbers, a person's marks and comment, extra marks; and nothing where there is none."""
    (late,) = text_of(lean("late"), ".late")
    assert late == "late 0.5 points are taken off for handing in late: 2 − 0.5 = 1.5."  # noqa: RUF001
    assert text_of(lean("late"), ".score") == ["1.5 of 5 points"]
    assert text_of(lean("early"), ".late, .remarks, .comment, .path") == []
    marked = text_of(lean("marked"), "section.item")
    assert "0.25 of 1 ~ marked by a person A person gave these points; by itself the grader gave 1 of 1" in marked[1]
    assert "A person's comment:Well done." in marked[1]
    assert "3 of 1 ✓ marked by a person" in marked[3]
    assert text_of(lean("marked"), ".score") == ["5.75 of 5 points"]


def test_course_as_bytes_grades_the_same(course: Course, unit: Unit, tmp_path: Path) -> None:
    """A worker that sees no disk of ours: the course comes along, and is gone from the disk here."""
    away = tmp_path / "away"
    shutil.copytree(course.root, away)
    (away / "nbgrader_config.py").write_text((course.root / "nbgrader_config.py").read_text().replace(LATE, ""))
    there = Course(away)
    (there.gradebook / "secret").write_text("5e" * 32)
    early = read_submission("early", away / "submitted" / "early" / TINY, Submission("early", ()).standing)
    by_folder = grade(Job(TINY, unit.version, away), early)
    bundle = pack(there, there.unit(TINY))
    shutil.rmtree(away)
    by_bytes = grade(Job(TINY, unit.version, bundle), early)
    assert by_folder.scores is not None
    assert by_bytes.scores == by_folder.scores
    assert notebook(dict(by_bytes.autograded or ())["tiny.ipynb"]) == notebook(
        dict(by_folder.autograded or ())["tiny.ipynb"]
    )


def test_unit_that_changed_in_between_is_nobodys_score(course: Course) -> None:
    """A worker that finds another version of the unit than the run began with grades nothing."""
    outcome = grade(Job(TINY, "0" * 16, course.root), Submission("amy", ()))
    assert outcome.scores is None
    assert outcome.kit_fault is not None
    assert "built anew" in outcome.kit_fault.says


@pytest.mark.parametrize("text", [b"yesterday", b"\xff\xfe", b"9" * 99, b"0001-01-01 00:00 +2300", None])
def test_time_that_is_none_is_told_and_costs_nothing(course: Course, unit: Unit, text: bytes | None) -> None:
    """`nbgrader autograde` gives up on such a submission; here it is graded and a person is told. None: a folder."""
    folder = course.root / "submitted" / "early" / TINY
    whole = read_submission("early", folder, Submission("early", ()).standing)
    others = tuple(file for file in whole.files if file[0] != "timestamp.txt")
    changed = (*others, ("timestamp.txt/x", b"") if text is None else ("timestamp.txt", text))
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(course.root))
        outcome = grade(Job(TINY, unit.version, course.root), replace(whole, files=changed))
    assert outcome.scores is not None
    assert (outcome.timestamp, outcome.late_penalty) == (None, None)
    assert [remark.cause for remark in outcome.remarks] == ["timestamp"]
    assert not [name for name, _ in outcome.autograded or () if "timestamp" in name]


@pytest.mark.parametrize(
    ("zone", "hour", "told"),
    [
        (" UTC", 13, False),
        (" +0000", 13, False),
        (" CET", 11, False),
        (" Europe/Berlin", 11, False),
        ("", 13, False),
        ("+02:00", 11, False),
        (" CEST", 13, True),
        (" EDT", 13, True),
        (" +0200", 12, True),
    ],
)
def test_time_zone_that_nbgrader_misreads_is_told(zone: str, hour: int, told: bool) -> None:
    """The time is nbgrader's, so that both ways of grading agree; a person hears of one that is read amiss."""
    moment, remarks = _timestamp((("timestamp.txt", f"2026-07-10 13:00:00{zone}".encode()),))
    assert moment == parse_utc(f"2026-07-10 13:00:00{zone}")
    assert moment is not None
    assert moment.hour == hour
    assert [remark.cause for remark in remarks] == ["timestamp"] * told


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("2026-07-10T13:00:00 CEST", "CEST"),
        ("Fri Jul 10 13:00:00 PDT 2026", "PDT"),  # as `date` writes it
        ("Fri Jul 10 13:00:00 UTC 2026", None),
        ("Fri, 10 Jul 2026 13:00:00 +0200", None),
        ("2026-07-10T13:00:00Z", None),
    ],
)
def test_unknown_zone_is_told_in_other_forms_of_a_time(text: str, zone: str | None) -> None:
    """Such a time, too, counts as UTC: a penalty may hang on it."""
    moment, remarks = _timestamp((("timestamp.txt", text.encode()),))
    assert moment == parse_utc(text)
    assert [remark.says for remark in remarks if zone and f" {zone}:" in remark.says] == [r.says for r in remarks]
    assert bool(remarks) == (zone is not None)


def test_folders_in_the_place_of_our_files(course: Course, unit: Unit) -> None:
    """A folder called like the page, the notebook or the course's own file is left out, and stops nothing."""
    whole = read_submission("early", course.root / "submitted" / "early" / TINY, Submission("early", ()).standing)
    names = ("check.py/x", "tiny.html/x", "check_data.json/y/z")
    odd = tuple((name, content) for name, content in whole.files if name not in ("check.py", "check_data.json"))
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(course.root))
        job = Job(TINY, unit.version, course.root)
        outcome = grade(job, replace(whole, files=(*odd, *((name, b"") for name in names))))
    assert outcome.scores is not None, outcome
    assert not set(names) & {name for name, _ in (*(outcome.autograded or ()), *(outcome.feedback or ()))}
