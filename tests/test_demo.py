"""The demo's class has scores that are known beforehand, and any other score is seen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import nbformat
import numpy as np
import pytest

from chainrule.course import TEST, Course, Unit
from chainrule.demo import run
from chainrule.demo.compare import compare
from chainrule.demo.run import make_course
from chainrule.demo.students import Student, make_class
from chainrule.errors import CourseError
from chainrule.grading.outcome import Graded
from chainrule.grading.remark import Remark
from chainrule.judge import explain
from helpers import (
    BOB,
    CLASS_SCORES,
    FULL,
    NOTHING,
    TINY,
    built_course,
    chainrule,
    chainrule_here,
    graded_course,
    once,
    scores,
    solved,
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """The small course, built; for reading only."""
    return Course(once(tmp_path_factory, "tiny", lambda root: built_course(root) and None))


@pytest.fixture(scope="module")
def unit(home: Course) -> Unit:
    return home.unit(TINY)


def made(unit: Unit, count: int, seed: int = 0) -> list[Student]:
    return make_class(unit, count, np.random.default_rng(seed))


# --------------------------------------------------------------------------- the class


def test_class_has_each_role_once_and_then_mixtures(unit: Unit) -> None:
    """As far as the number of students goes; ids are the class's own."""
    roles = ["solution", "corrupt notebook", "deleted test cell", "endless loop", "blank", "equivalents"]
    students = made(unit, 12)
    assert [student.name for student in students] == [f"s{i:03d}" for i in range(1, 13)]
    assert [student.role for student in students][:7] == [*roles, "typed by hand"]
    assert all("slip" in student.role for student in students[7:])
    assert [student.role for student in made(unit, 2)] == roles[:2]


def test_same_seed_same_class(unit: Unit) -> None:
    """A class is drawn from its seed alone; another seed gives another one."""
    assert made(unit, 12) == made(unit, 12)
    assert made(unit, 12) != made(unit, 12, seed=1)


def test_what_each_should_get_is_what_the_items_say(unit: Unit) -> None:
    """Full marks, nothing, or the credit of the slip that stands in the notebook."""
    students = {student.role: student for student in made(unit, 7)}
    assert students["solution"].points == students["equivalents"].points == FULL
    assert students["blank"].points == NOTHING
    assert students["endless loop"].points == {**FULL, "half": 0.0}, "the last function that nothing builds on"
    assert students["corrupt notebook"].refused
    for student in made(unit, 40)[7:]:
        for item, name in student.slips.items():
            slip = next(slip for slip in unit.items[item].slips if slip.name == name)
            assert student.points[item] == slip.credit * unit.items[item].points
            assert unit.key.edited(item, slip).splitlines()[-2].strip() in str(student.text).replace('\\"', '"')
        assert all(student.points[item] == FULL[item] for item in FULL if item not in student.slips)


def test_mixtures_never_hide_one_mistake_behind_another(unit: Unit) -> None:
    """`total` builds on `scale`: nobody has a slip in both, and over a class both occur."""
    slips = [set(student.slips) for student in made(unit, 60)[7:]]
    assert not any({"scale", "total"} <= items for items in slips)
    assert set().union(*slips) == set(FULL)


def test_unit_without_a_lonely_function(unit: Unit) -> None:
    """Where everything is built upon, nobody hangs, and the class has its size."""
    used = replace(unit.items["letter"], builds_on=("scale", "half"))
    students = made(Unit(unit.root, unit.name, {**unit.items, "letter": used}), 5)
    assert [student.role for student in students].count("endless loop") == 0
    assert len(students) == 5


def test_demo_does_not_write_over_a_folder(home: Course, tmp_path: Path) -> None:
    """A folder that holds something is named and left alone."""
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(CourseError, match="--into"):
        make_course(home, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


# --------------------------------------------------------------------------- comparing


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A course with amy, bob and cy graded; for reading only."""
    return Course(once(tmp_path_factory, "graded", graded_course))


def outcome(course: Course, name: str, **changes: object) -> Graded:
    marks = {item + TEST: float(score or 0) for item, score in scores(course, course.unit(TINY), name).items()}
    page = ((f"{TINY}.html", b"a page"),)
    return replace(Graded(name, 1.0, scores=marks, feedback=page), **changes)  # type: ignore[arg-type]


def bob(**changes: object) -> Student:
    right = Student("bob", "a slip", "", dict(CLASS_SCORES["bob"]), slips={"scale": "added"})
    return replace(right, **changes)  # type: ignore[arg-type]


def test_no_difference_where_all_is_as_it_should_be(graded: Course) -> None:
    """Points, slip, remarks and feedback page agree."""
    compared = compare(graded, graded.unit(TINY), bob(), outcome(graded, "bob"))
    assert compared.differences == ()
    assert (compared.should, compared.got) == (4.0, 4.0)


REMARK = Remark("timeout", "half", "It did not end.")


@pytest.mark.parametrize(
    ("should", "did", "says"),
    [
        ({"points": {**CLASS_SCORES["bob"], "total": 0.5}}, {}, "total: 1.0 in place of 0.5"),
        ({"slips": {"scale": "divided"}}, {}, "scale: ['added'] named in place of divided"),
        ({"slips": {"half": "doubled"}}, {}, "half: nothing named in place of doubled"),
        ({"causes": frozenset({"timeout"})}, {}, "remarks [] in place of ['timeout']"),
        ({}, {"remarks": (REMARK,)}, "remarks ['timeout'] in place of []"),
        ({}, {"feedback": None}, "no feedback page"),
        ({}, {"kit_fault": REMARK}, "the kit failed"),
        ({}, {"refused": REMARK}, "was not graded"),
        ({"refused": True}, {}, "should have been refused"),
        ({"refused": True}, {"refused": REMARK}, "has scores, although nothing could be graded"),
    ],
)
def test_each_difference_is_seen(graded: Course, should: dict[str, object], did: dict[str, object], says: str) -> None:
    """What differs is said, whichever of the two sides is off."""
    compared = compare(graded, graded.unit(TINY), bob(**should), outcome(graded, "bob", **did))
    assert any(says in difference for difference in compared.differences), compared.differences


# --------------------------------------------------------------------------- the command


def test_demo_of_the_small_course(home: Course, tmp_path: Path) -> None:
    """The command makes its own course, grades eight students, finds all as it should be, leaves this one alone."""
    before = sorted(home.root.rglob("*"))
    said = chainrule(home.root, "demo", "--students", "8", "--jobs", "2", "--into", str(tmp_path / "demo"))
    assert said.status == 0, said
    assert "8 submissions graded, 0 not as they should be" in said.out
    assert said.out.count("as it should be") == 8
    assert sorted(home.root.rglob("*")) == before
    assert (tmp_path / "demo" / "feedback" / "s001" / TINY / "tiny.html").is_file()


def two(unit: Unit, count: int, rng: np.random.Generator) -> list[Student]:
    """Two students: all right, and one slip."""
    texts = [nbformat.writes(solved(unit, answers)) for answers in ({}, BOB)]
    return [Student("s001", "solution", texts[0], FULL), bob(name="s002", text=texts[1])]


@pytest.mark.parametrize("fault", ["credit", "name"])
def test_one_wrong_score_is_status_1(home: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    """A judge that gives a slip another credit, or another name, fails the demo in that line alone."""
    judged = explain.slip_verdict

    def off(*args: object, **more: object) -> object:
        verdict = judged(*args, **more)  # type: ignore[arg-type]
        return replace(verdict, points=1.5) if fault == "credit" else replace(verdict, slips=("divided",))

    monkeypatch.setattr(run, "make_class", two)
    monkeypatch.setattr(explain, "slip_verdict", off)
    said = chainrule_here(monkeypatch, home.root, "demo", "--students", "2", "--into", str(tmp_path / "demo"))
    assert said.status == 1
    assert "2 submissions graded, 1 not as they should be" in said.out
    assert ("scale: 1.5 in place of 1" if fault == "credit" else "in place of added") in said.out
