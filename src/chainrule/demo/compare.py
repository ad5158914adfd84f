"""What grading made of the demo's students, against what it should have made of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nbgrader.api import Gradebook, MissingEntry

from chainrule.course import TEST, Course, Unit
from chainrule.demo.students import Student
from chainrule.grading.outcome import Graded
from chainrule.grading.plan import notes_of
from chainrule.nbgrading import course_config
from chainrule.policy.rules import DIGITS


@dataclass(frozen=True, slots=True)
class Compared:
    """What one student should get and did get."""

    unit: str
    student: str
    role: str
    should: float | None
    got: float | None
    differences: tuple[str, ...]


def compare(course: Course, unit: Unit, student: Student, graded: Graded) -> Compared:
    """What the gradebook and the notes hold of a student, against what they should hold."""
    scores = _scores(course, unit, student.name)
    differences = list(_differences(student, graded, scores, notes_of(course, unit, student.name)))
    should = None if student.refused else sum(student.points.values())
    known = [score for score in scores.values() if score is not None]
    lost = round(sum(known) * student.handed_in.lost, DIGITS) if student.handed_in else 0.0
    if (graded.late_penalty or 0.0) != lost:
        differences.append(f"late penalty {graded.late_penalty} in place of {lost:g}")
    return Compared(unit.name, student.name, student.role, should, sum(known) if known else None, tuple(differences))


def _differences(
    student: Student, graded: Graded, scores: dict[str, float | None], notes: dict[str, Any] | None
) -> Iterator[str]:
    if graded.kit_fault:
        yield f"the kit failed: {graded.kit_fault.says}"
        return
    if student.refused:
        if not graded.refused:
            yield "should have been refused"
        if any(score is not None for score in scores.values()):
            yield f"has scores, although nothing could be graded: {scores}"
        return
    if graded.refused or notes is None:
        yield f"was not graded: {graded.refused.says if graded.refused else None}"
        return
    for name, points in student.points.items():
        if scores.get(name + TEST) != points:
            yield f"{name}: {scores.get(name + TEST)} in place of {points:g}"
    named = {verdict["item"]: verdict["slips"] for verdict in notes["verdicts"]}
    for name, slip in student.slips.items():
        if named[name] != [slip]:
            yield f"{name}: {named[name] or 'nothing'} named in place of {slip}"
    causes = {remark.cause for remark in graded.remarks}
    if causes != student.causes:
        yield f"remarks {sorted(causes)} in place of {sorted(student.causes)}"
    if graded.feedback is None:
        yield "no feedback page"


def _scores(course: Course, unit: Unit, student: str) -> dict[str, float | None]:
    config = course_config(course.root).CourseDirectory
    with Gradebook(config.db_url, config.course_id) as gradebook:
        try:
            found = gradebook.find_submission_notebook(unit.notebook, unit.name, student)
        except MissingEntry:
            return {}
        return {grade.name: grade.auto_score for grade in found.grades}
