"""What there is to grade, from content alone: a submission is done when what it was graded from is unchanged."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chainrule.course import Course, Unit
from chainrule.errors import CourseError
from chainrule.grading import submission
from chainrule.grading.remark import Remark


@dataclass(frozen=True, slots=True)
class Planned:
    """Students to grade now, and those whose graded work is unchanged, with the remarks made then."""

    todo: tuple[str, ...]
    unchanged: dict[str, tuple[Remark, ...]]


def plan(course: Course, unit: Unit, students: list[str] | None = None, fresh: bool = False) -> Planned:
    """Compare every submission with what its autograded notebook says it was graded from."""
    submitted = sorted(path.parent.name for path in (course.root / "submitted").glob(f"*/{unit.name}") if path.is_dir())
    unknown = [student for student in students or [] if student not in submitted]
    if unknown:
        raise CourseError(
            f"no submission of {', '.join(unknown)} to {unit.name}: submitted/{unknown[0]}/{unit.name} is not there"
        )
    todo: list[str] = []
    unchanged: dict[str, tuple[Remark, ...]] = {}
    for student in students or submitted:
        notes = notes_of(course, unit, student)
        mark = _mark(unit, course.root / "submitted" / student / unit.name)
        if fresh or notes is None or mark is None or notes.get("fingerprint") != mark:
            todo.append(student)
        else:
            unchanged[student] = tuple(Remark(**remark) for remark in notes.get("remarks", []))
    if unchanged:  # only now: of a new class, nothing is asked of the gradebook before the workers are started
        lost = unchanged.keys() - _scored(course, unit)
        todo = sorted([*todo, *lost])
        unchanged = {student: remarks for student, remarks in unchanged.items() if student not in lost}
    return Planned(tuple(todo), unchanged)


def notes_of(course: Course, unit: Unit, student: str) -> dict[str, Any] | None:
    """What grading noted in the autograded notebook: fingerprint, remarks, verdicts; None where there is none."""
    try:
        notes = (autograded_of(course, unit, student) or {})["metadata"]["chainrule"]
    except (KeyError, TypeError):
        return None
    return notes if isinstance(notes, dict) and "verdicts" in notes else None


def autograded_of(course: Course, unit: Unit, student: str) -> dict[str, Any] | None:
    """The autograded notebook's JSON tree; None where there is none."""
    path = course.root / "autograded" / student / unit.name / f"{unit.notebook}.ipynb"
    try:
        tree = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return tree if isinstance(tree, dict) else None


def fingerprint(unit: Unit, folder: Path) -> str:
    """Of the submission's files, the unit's version and the kit's."""
    return submission.fingerprint(unit.version, submission.in_order(submission.read_files(folder)))


def _mark(unit: Unit, folder: Path) -> str | None:
    """The fingerprint; None where there is nothing to take it of, which is told when the submission is read."""
    try:
        return None if submission.linked(folder) else fingerprint(unit, folder)
    except OSError:
        return None


def _scored(course: Course, unit: Unit) -> set[str]:
    """Students all of whose items have a score in the gradebook."""
    # nbgrader's models are slow to load, and not every command that reads notes needs them
    from nbgrader.api import Assignment, Grade, SubmittedAssignment, SubmittedNotebook
    from sqlalchemy import func, select

    from chainrule.grading.database import reading

    work, notebook, grade = (model.__table__ for model in (SubmittedAssignment, SubmittedNotebook, Grade))
    assignment = Assignment.__table__
    query = (
        select(work.c.student_id)
        .join(assignment, assignment.c.id == work.c.assignment_id)
        .join(notebook, notebook.c.assignment_id == work.c.id)
        .join(grade, grade.c.notebook_id == notebook.c.id)
        .where(assignment.c.name == unit.name)
        .group_by(work.c.student_id)
        .having(func.count() == len(unit.items), func.count(grade.c.auto_score) == len(unit.items))
    )
    with reading(course) as gradebook:
        return set() if gradebook is None else set(gradebook.scalars(query))
