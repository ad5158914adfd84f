"""A gradebook's contents, so that two of them can be compared."""

from __future__ import annotations

from nbgrader.api import Base
from sqlalchemy import create_engine, select

from chainrule.course import Course
from chainrule.nbgrading import course_config

KEYS = ("name", "type", "student_id", "assignment_id", "notebook_id", "cell_id")  # what tells a row from others


def rows(course: Course) -> dict[str, list[tuple[str, ...]]]:
    """All of a gradebook, table by table; what refers to another row is spelt out, and random ids are left out."""
    engine = create_engine(course_config(course.root).CourseDirectory.db_url)
    found: dict[str, list[tuple[str, ...]]] = {}
    names: dict[str, str] = {}
    with engine.connect() as connection:
        for table in Base.metadata.sorted_tables:  # what is referred to comes first
            found[table.name] = []
            for row in connection.execute(select(table)).mappings():
                told = {key: names.get(str(entry), str(entry)) for key, entry in row.items()}
                if told["id"] not in names.values():  # a cell has one id in two tables
                    own = told.pop("id") if len(str(row["id"])) == 32 else told["id"]
                    names[own] = " ".join(told[key] for key in told if key in KEYS)
                found[table.name].append(tuple(f"{key}={entry}" for key, entry in sorted(told.items())))
            found[table.name].sort()
    engine.dispose()
    return found
