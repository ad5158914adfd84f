"""Reads from the gradebook what the autograder has put there, and which items of a unit it knows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nbgrader.api import Assignment, BaseCell, Grade, GradeCell, Notebook, SubmittedAssignment, SubmittedNotebook
from sqlalchemy import Connection, Select, select

from chainrule.course import TEST, Unit

WORK, SUBMITTED = SubmittedAssignment.__table__, SubmittedNotebook.__table__


@dataclass(frozen=True, slots=True)
class Held:
    """What the gradebook holds of one student's work as the autograder left it. By the test cells' ids:
    our scores (None: not graded) and the points that were possible. `penalty`: points taken off for lateness.
    """

    scores: Mapping[str, float | None] = field(default_factory=dict)
    out_of: Mapping[str, float] = field(default_factory=dict)
    penalty: float = 0.0


def held_scores(connection: Connection, unit: Unit) -> dict[str, Held]:
    """Every submission's scores, points possible and penalty; of items that the unit no longer has, too."""
    grade, base, graded = (model.__table__ for model in (Grade, BaseCell, GradeCell))
    scores: defaultdict[str, dict[str, float | None]] = defaultdict(dict)
    out_of: defaultdict[str, dict[str, float]] = defaultdict(dict)
    query = _submissions(unit, base.c.name, grade.c.auto_score, graded.c.max_score)
    query = query.join(grade, grade.c.notebook_id == SUBMITTED.c.id)
    query = query.join(base, base.c.id == grade.c.cell_id).join(graded, graded.c.id == base.c.id)
    for student, cell, score, points in connection.execute(query):
        scores[student][cell], out_of[student][cell] = score, points
    penalties = connection.execute(_submissions(unit, SUBMITTED.c.late_submission_penalty))
    return {student: Held(scores[student], out_of[student], penalty or 0.0) for student, penalty in penalties}


def known_items(connection: Connection, unit: Unit) -> tuple[str, ...] | None:
    """The items that the gradebook knows of the unit, by name; None where it does not know the unit."""
    assignment, notebook, base = (model.__table__ for model in (Assignment, Notebook, BaseCell))
    query = select(notebook.c.id).join(assignment, assignment.c.id == notebook.c.assignment_id)
    found = connection.scalar(query.where(assignment.c.name == unit.name, notebook.c.name == unit.notebook))
    if found is None:
        return None
    cells = select(base.c.name).where(base.c.notebook_id == found, base.c.type == GradeCell.__name__)
    return tuple(name.removesuffix(TEST) for name in connection.scalars(cells.order_by(base.c.name)))


def _submissions(unit: Unit, *columns: Any) -> Select[Any]:
    """A query for the students' submissions of one unit: student, columns."""
    assignment, notebook = Assignment.__table__, Notebook.__table__
    return (
        select(WORK.c.student_id, *columns)
        .select_from(WORK)
        .join(SUBMITTED, SUBMITTED.c.assignment_id == WORK.c.id)
        .join(assignment, assignment.c.id == WORK.c.assignment_id)
        .join(notebook, notebook.c.id == SUBMITTED.c.notebook_id)
        .where(assignment.c.name == unit.name, notebook.c.name == unit.notebook)
    )
