"""course.toml's due dates and extensions in the gradebook's own tables, where nbgrader and the formgrader look."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.api import Assignment, SubmittedAssignment
from sqlalchemy.engine import URL, make_url
from sqlalchemy.orm import Session

from chainrule.course import Course
from chainrule.grading.database import engine_of, patiently
from chainrule.grading.judging import CoursePreprocessor
from chainrule.policy import Policy, read_policy


def put_due_dates(url: URL, unit: str, policy: Policy) -> None:
    """Put into the gradebook what course.toml names; the rest stays as a person set it.

    Students who never handed anything in have no row there; `record.Writer` puts theirs in with their first work.
    """
    engine = engine_of(url, write=True)
    try:
        patiently(lambda: _put(Session(engine), unit, policy))
    finally:
        engine.dispose()


def _put(session: Session, unit: str, policy: Policy) -> None:
    with session, session.begin():
        assignment = session.query(Assignment).filter(Assignment.name == unit).one_or_none()
        if assignment is None:
            return
        assignment.duedate = policy.due_date(unit, assignment.duedate)
        named = [student for student, units in policy.extensions.items() if unit in units]
        works = session.query(SubmittedAssignment).filter(SubmittedAssignment.assignment_id == assignment.id)
        for work in works.filter(SubmittedAssignment.student_id.in_(named)):
            work.extension = policy.extension(unit, work.student_id, work.extension, assignment.duedate)


class SetDueDates(CoursePreprocessor):
    """In nbgrader's own autograde: before it counts how late a submission is."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        place = resources["nbgrader"]
        put_due_dates(make_url(place["db_url"]), place["assignment"], read_policy(Course(Path(self.root))))
        return nb, resources
