"""Grading without pictures: the same scores, comments and verdicts, by both ways of grading."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest

from chainrule.course import Course, Unit
from chainrule.demo.run import make_course
from chainrule.demo.students import mixture, solution
from chainrule.grading.kernel import NOT_DRAWN
from chainrule.grading.pool import grade_unit
from helpers import HOME, chainrule, submit
from test_end_to_end import nbgrader

SETTING = "\n[grading]\npictures = false\n"
STUDENTS = ("amy", "bob")

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")]


def course_of_two(root: Path, name: str) -> Course:
    """A student with all right and one with slips, nothing graded yet."""
    course = make_course(Course(HOME), root)
    unit, rng = course.unit(name), np.random.default_rng(7)
    for student in (solution(unit, "amy", rng), mixture(unit, "bob", rng)):
        submit(course, unit, student.name, student.text)
    (course.gradebook / "secret").write_text("5e" * 32 + "\n")
    return course


def book(course: Course, unit: Unit, student: str) -> nbformat.NotebookNode:
    return nbformat.read(course.root / "autograded" / student / unit.name / f"{unit.notebook}.ipynb", as_version=4)


def outputs(nb: nbformat.NotebookNode) -> list[Any]:
    return [output for cell in nb.cells for output in cell.get("outputs", ())]


def without_pictures(nb: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """As the notebook would be had nothing been drawn; times and the kernel's word on itself left out."""
    for output in outputs(nb):
        if "image/png" in output.get("data", ()):
            output.data = {"text/plain": NOT_DRAWN}
    for cell in nb.cells:
        cell.metadata.pop("execution", None)
    return nb


@pytest.mark.parametrize("name", ["01-forward", "05-rnn-counting"])
def test_pictures_change_nothing_but_pictures(name: str, tmp_path: Path) -> None:
    """Scores, comments, verdicts, all other outputs; the flag stands over course.toml."""
    drawn = course_of_two(tmp_path / "drawn", name)
    plain = Course(tmp_path / "plain")
    shutil.copytree(drawn.root, plain.root)
    _, with_them = grade_unit(drawn, drawn.unit(name), jobs=2)
    (plain.root / "course.toml").write_text((plain.root / "course.toml").read_text("utf-8") + SETTING, "utf-8")
    _, without = grade_unit(plain, plain.unit(name), jobs=2)
    found = [
        {one.student: (one.scores, one.comments, one.late_penalty, one.remarks) for one in graded}
        for graded in (with_them, without)
    ]
    assert found[0] == found[1]
    assert found[0].keys() == set(STUDENTS)
    unit = plain.unit(name)
    for student in STUDENTS:
        theirs, ours = book(drawn, unit, student), book(plain, unit, student)
        said = [output.get("data", {}).get("text/plain") for output in outputs(ours)]
        assert said.count(NOT_DRAWN) == sum("image/png" in output.get("data", ()) for output in outputs(theirs)) > 2
        assert without_pictures(theirs) == without_pictures(ours)
        page = plain.root / "feedback" / student / name / f"{unit.notebook}.html"
        assert page.read_text("utf-8").count(NOT_DRAWN) == said.count(NOT_DRAWN)
        assert "data:image/png" not in page.read_text("utf-8")

    assert chainrule(plain.root, "grade", name, "--pictures").out.startswith(f"{name}: 0 graded, 2 unchanged")
    chainrule(plain.root, "grade", name, "--student", "amy", "--fresh", "--pictures")
    assert any("image/png" in output.get("data", ()) for output in outputs(book(plain, unit, "amy")))
    chainrule(drawn.root, "grade", name, "--student", "amy", "--fresh", "--no-pictures")
    assert without_pictures(book(drawn, unit, "amy")) == without_pictures(book(plain, unit, "amy"))


def test_nbgraders_command_obeys(tmp_path: Path) -> None:
    """`nbgrader autograde` reads course.toml, too."""
    course = course_of_two(tmp_path / "course", "01-forward")
    (course.root / "course.toml").write_text((course.root / "course.toml").read_text("utf-8") + SETTING, "utf-8")
    nbgrader(course.root, "generate_assignment", "01-forward", "--force")
    nbgrader(course.root, "autograde", "01-forward", "--student", "amy")
    found = outputs(book(course, course.unit("01-forward"), "amy"))
    assert any(output.get("data", {}).get("text/plain") == NOT_DRAWN for output in found)
    assert not any("image/png" in output.get("data", ()) for output in found)
