"""Fits a unit's cells in the gradebook to the unit as it is now, where nbgrader itself refuses: work has been graded.

nbgrader adds and removes cells only while nobody has handed in. Here it is done in one transaction, and no more than
that: cells that are gone go, with what stood in them; new ones come, empty in every submission, as nbgrader's
`add_submission` makes them. Cells that stay are not touched, so neither are the marks and comments in them. Points
and texts are then nbgrader's own business again (`record.prepare`), which finds the cells that it expects.
"""

from __future__ import annotations

from typing import Any

from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    GradeCell,
    Notebook,
    SolutionCell,
    SourceCell,
    SubmittedNotebook,
)
from nbgrader.utils import is_grade, is_locked, is_solution
from sqlalchemy import delete, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from chainrule.course import Course, Unit
from chainrule.errors import CourseError
from chainrule.grading.database import engine_of, gradebook_url, patiently, trouble

KINDS = {"GradeCell": (GradeCell, Grade), "SolutionCell": (SolutionCell, Comment)}  # and what a submission has there


def reshape(course: Course, unit: Unit) -> None:
    """Add and remove cells so that the gradebook's are the release's. To be called with the course's lock held."""
    url = gradebook_url(course)
    engine = engine_of(url, write=True)
    try:
        patiently(lambda: _reshape(Session(engine), unit))
    except SQLAlchemyError as error:
        raise CourseError(trouble(url, error)) from error
    finally:
        engine.dispose()


def _reshape(session: Session, unit: Unit) -> None:
    with session, session.begin():
        of_unit = (Assignment.name == unit.name, Notebook.name == unit.notebook)
        notebook = session.execute(select(Notebook.id).join(Assignment).where(*of_unit)).scalar_one()
        submitted = session.scalars(select(SubmittedNotebook.id).where(SubmittedNotebook.notebook_id == notebook)).all()
        cells = [cell for cell in unit.handed_out.cells if "nbgrader" in cell.metadata]
        _fit_cells(session, notebook, submitted, cells)
        _fit_sources(session, notebook, cells)


def _fit_cells(session: Session, notebook: str, submitted: Any, cells: list[Any]) -> None:
    """Graded cells and solutions, with the rows that every submission has for each."""
    wanted = {("GradeCell", cell.metadata.nbgrader.grade_id): cell for cell in cells if is_grade(cell)}
    wanted |= {("SolutionCell", cell.metadata.nbgrader.grade_id): cell for cell in cells if is_solution(cell)}
    rows = session.execute(select(BaseCell.type, BaseCell.name, BaseCell.id).where(BaseCell.notebook_id == notebook))
    known = {(kind, name): cell_id for kind, name, cell_id in rows if kind in KINDS}
    for place, cell_id in known.items():
        if place not in wanted:
            table, held = KINDS[place[0]]
            session.execute(delete(held).where(held.cell_id == cell_id))
            session.execute(delete(table.__table__).where(table.__table__.c.id == cell_id))
            session.execute(delete(BaseCell.__table__).where(BaseCell.__table__.c.id == cell_id))
    for place, cell in wanted.items():
        if place not in known:
            (kind, name), (table, held) = place, KINDS[place[0]]
            new = table(name=name, notebook_id=notebook)
            if kind == "GradeCell":
                new.max_score, new.cell_type = cell.metadata.nbgrader.points, cell.cell_type
            session.add(new)
            session.flush()  # for its id
            session.add_all(held(cell_id=new.id, notebook_id=key) for key in submitted)


def _fit_sources(session: Session, notebook: str, cells: list[Any]) -> None:
    """The texts that nbgrader keeps of each cell that it knows; nobody's work hangs on them."""
    kept = [cell for cell in cells if is_grade(cell) or is_solution(cell) or is_locked(cell)]
    wanted = {cell.metadata.nbgrader.grade_id: cell for cell in kept}
    known = set(session.scalars(select(SourceCell.name).where(SourceCell.notebook_id == notebook)))
    gone = known - wanted.keys()
    session.execute(delete(SourceCell).where(SourceCell.notebook_id == notebook, SourceCell.name.in_(gone)))
    session.add_all(
        SourceCell(name=name, notebook_id=notebook, cell_type=cell.cell_type, locked=is_locked(cell))
        for name, cell in wanted.items()
        if name not in known
    )
