"""What every grading found, row by row: a table of the kit's own in the gradebook's database.

nbgrader keeps a student's last scores alone. These rows stay, so that the report can say how scores changed from
one submission to the next. nbgrader knows nothing of the table and leaves it alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from sqlalchemy import Column, Connection, DateTime, Float, Integer, MetaData, String, Table, func, insert, select

from chainrule.course import Unit
from chainrule.grading.worker import Graded

HISTORY = Table(
    "chainrule_history",
    MetaData(),
    Column("id", Integer, primary_key=True),  # rises with time
    Column("student", String(128), nullable=False, index=True),
    Column("unit", String(128), nullable=False, index=True),
    Column("handed_in", DateTime),  # UTC without a zone, as nbgrader has it; none where the work came without a time
    Column("graded", DateTime, nullable=False),  # the same, by this machine's clock
    Column("score", Float),  # the autograder's, before anything by hand; none where nothing could be graded
    Column("out_of", Float, nullable=False),
    Column("penalty", Float),
    Column("work", String(32)),  # fingerprint of what was handed in, whenever that was
    Column("version", String(16), nullable=False),  # the unit's: another one may score the same work otherwise
)
SAME = ("handed_in", "score", "out_of", "penalty", "work", "version")  # a row that agrees in all of them says nothing


def create(connection: Connection) -> None:
    """Make the table where it is missing."""
    HISTORY.create(connection, checkfirst=True)


def append(connection: Connection, unit: Unit, batch: Mapping[str, Graded]) -> None:
    """Add a row for each outcome that tells something new, within the transaction that brings the scores.

    So a grading that is done again, because a run was killed or `--fresh` was asked for, adds none. What failed by
    the kit's own fault says nothing of the work.
    """
    last = _last(connection, unit, batch)
    now = datetime.now(UTC).replace(tzinfo=None)
    rows = []
    for student, graded in batch.items():
        row = {
            "handed_in": graded.timestamp,
            "score": None if graded.scores is None else float(sum(graded.scores.values())),
            "out_of": float(unit.points),
            "penalty": graded.late_penalty,
            "work": graded.work,
            "version": unit.version,
        }
        if graded.kit_fault is None and last.get(student) != row:
            rows.append({"student": student, "unit": unit.name, "graded": now, **row})
    if rows:
        connection.execute(insert(HISTORY), rows)


def _last(connection: Connection, unit: Unit, students: Iterable[str]) -> dict[str, dict[str, object]]:
    """Each student's newest row of the unit, without what differs between any two."""
    of_unit = (HISTORY.c.unit == unit.name, HISTORY.c.student.in_(list(students)))
    newest = select(func.max(HISTORY.c.id)).where(*of_unit).group_by(HISTORY.c.student)
    columns = (HISTORY.c[name] for name in SAME)
    found = connection.execute(select(HISTORY.c.student, *columns).where(HISTORY.c.id.in_(newest)))
    return {row.student: {name: getattr(row, name) for name in SAME} for row in found}
