"""Makes the demo's course, hands the class's work in, and grades it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import numpy as np
from nbgrader.api import Gradebook

from chainrule.course import Course, Unit
from chainrule.demo.compare import Compared, compare
from chainrule.demo.people import handed_in, name_of, policy_text
from chainrule.demo.students import Student, make_class, student_id
from chainrule.errors import CourseError
from chainrule.grading.outcome import Graded
from chainrule.grading.pool import grade_unit
from chainrule.grading.worker import TIMESTAMP
from chainrule.nbgrading import course_config

COURSE_FILES = ("authoring", "source", "release", "nbgrader_config.py")
# so that the endless loop ends soon, and slow right answers do not
SETTINGS = '[course]\nid = "chainrule-demo"\n\n[limits]\ncell_seconds = 20\n'


def make_course(home: Course, target: Path) -> Course:
    """A course of its own in `target`, with this course's units and nobody in it."""
    if target.exists() and any(target.iterdir()):
        raise CourseError(f"{target} is not empty. Name another folder: chainrule demo --into FOLDER")
    target.mkdir(parents=True, exist_ok=True)
    for name in COURSE_FILES:
        source = home.root / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target / name)
    example = resources.files("chainrule.policy").joinpath("example.toml").read_text("utf-8")
    (target / "course.toml").write_text(f"{SETTINGS}\n{example}", "utf-8")
    for name in ("submitted", "autograded", "feedback", "gradebook"):
        (target / name).mkdir()
    return Course(target.resolve())


def run_demo(
    course: Course,
    units: list[Unit],
    students: int,
    seed: int,
    jobs: int,
    trust_students: bool,
    done: Callable[[str, Graded], None],
) -> list[Compared]:
    """Make the class, grade it, compare."""
    (course.root / "course.toml").write_text(f"{SETTINGS}\n{policy_text(units)}", "utf-8")
    compared: list[Compared] = []
    for number, unit in enumerate(units):
        made = make_class(unit, students, np.random.default_rng([seed, len(unit.name), *unit.name.encode()]))
        for place, student in enumerate(made):
            student.handed_in = handed_in(place, number)
            _submit(course, unit, student)
        _, graded = grade_unit(
            course,
            unit,
            jobs=jobs,
            trust_students=trust_students,
            done=lambda outcome, name=unit.name: done(name, outcome),  # type: ignore[misc]
        )
        outcomes = {outcome.student: outcome for outcome in graded}
        compared += [compare(course, unit, student, outcomes[student.name]) for student in made]
    _name(course, students)
    return compared


def _submit(course: Course, unit: Unit, student: Student) -> None:
    folder = course.root / "submitted" / student.name / unit.name
    folder.mkdir(parents=True)
    (folder / f"{unit.notebook}.ipynb").write_text(student.text or "", "utf-8")
    for name in ("check.py", "check_data.json"):
        shutil.copy(unit.release.with_name(name), folder)
    if student.handed_in:
        (folder / TIMESTAMP).write_text(f"{student.handed_in.time:%Y-%m-%d %H:%M:%S.%f} UTC\n")


def _name(course: Course, students: int) -> None:
    """Give everybody a name in the gradebook, as a roster does."""
    config = course_config(course.root).CourseDirectory
    with Gradebook(config.db_url, config.course_id) as gradebook:
        for number in range(students):
            first, last = name_of(number)
            gradebook.update_or_create_student(student_id(number), first_name=first, last_name=last)
