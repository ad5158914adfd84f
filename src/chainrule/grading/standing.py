"""Reads from the gradebook, once for all students, what bears on a grading: due dates and what people wrote."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    SubmittedAssignment,
    SubmittedNotebook,
)
from sqlalchemy import or_
from sqlalchemy.orm import Session

from chainrule.course import Unit
from chainrule.grading.submission import Standing
from chainrule.policy import Policy


def standings(db: Session, unit: Unit, policy: Policy) -> defaultdict[str, Standing]:
    """Every student's standing in a unit; of those whom the gradebook does not know, what course.toml says."""
    assignment = db.query(Assignment).filter(Assignment.name == unit.name).one_or_none()
    if assignment is None:
        return standings_at_first(unit, policy)
    found: dict[str, dict[str, Any]] = {}
    students = db.query(SubmittedAssignment.student_id, SubmittedAssignment.extension)
    of_unit = students.filter(SubmittedAssignment.assignment_id == assignment.id)
    held = dict(of_unit.all())
    for student in {*held, *policy.extensions}:
        due = policy.due_for(unit.name, student, assignment.duedate, held.get(student))
        found[student] = {"due": due, "marks": {}, "extra": {}, "comments": {}}
    graded = _by_cell(db, assignment, Grade, Grade.manual_score, Grade.extra_credit)
    by_hand = or_(Grade.manual_score.is_not(None), Grade.extra_credit.is_not(None))
    for student, cell, marks, extra in graded.filter(by_hand):
        found[student]["marks"] |= {} if marks is None else {cell: marks}
        found[student]["extra"] |= {} if extra is None else {cell: extra}
    written = _by_cell(db, assignment, Comment, Comment.manual_comment)
    for student, cell, comment in written.filter(Comment.manual_comment.is_not(None)):
        found[student]["comments"][cell] = comment
    db.rollback()  # nothing was written, and nothing is held while the class is graded
    common = Standing(due=policy.due_date(unit.name, assignment.duedate))
    return defaultdict(lambda: common, {student: Standing(**fields) for student, fields in found.items()})


def standings_at_first(unit: Unit, policy: Policy) -> defaultdict[str, Standing]:
    """The same before the gradebook knows the unit."""
    found = {student: Standing(due=policy.due_for(unit.name, student)) for student in policy.extensions}
    common = Standing(due=policy.due_date(unit.name, None))
    return defaultdict(lambda: common, found)


def _by_cell(db: Any, assignment: Assignment, table: Any, *columns: Any) -> Any:
    """A query for columns of a table's rows for one assignment: student, cell, columns."""
    return (
        db.query(SubmittedAssignment.student_id, BaseCell.name, *columns)
        .select_from(table)
        .join(BaseCell, BaseCell.id == table.cell_id)
        .join(SubmittedNotebook, SubmittedNotebook.id == table.notebook_id)
        .join(SubmittedAssignment, SubmittedAssignment.id == SubmittedNotebook.assignment_id)
        .filter(SubmittedAssignment.assignment_id == assignment.id)
    )
