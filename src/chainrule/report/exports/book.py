"""What is exported, read once for all formats: rows of students and items, of students and units, of students."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import pandas as pd

from chainrule.course import Course, Unit
from chainrule.errors import CourseError
from chainrule.judge import Verdict
from chainrule.report.grades import GRADED, MISSING, NOT_GRADED, WHO, course_grades, unit_grades
from chainrule.report.tables import NOT_GRADED as NO_VERDICT
from chainrule.report.tables import answers
from chainrule.report.works import Work, read_works

UNIT_COLUMNS = [
    *WHO,
    "unit",
    "state",
    "score",
    "penalty",
    "final",
    "out_of",
    "handed_in",
    "due",
    "seconds_late",
    "dropped",
]
ITEM_COLUMNS = [*WHO, "unit", "item", "state", "points", "out_of", "status", "slips", "follows"]


@dataclass(frozen=True, eq=False)
class Book:
    """The grades of some units, in the course's order. grades: every unit's, as `unit_grades` gives them."""

    course: Course
    units: tuple[Unit, ...]
    grades: pd.DataFrame

    @functools.cached_property
    def of_units(self) -> pd.DataFrame:
        """One row a student and unit; numbers are missing where nothing is graded, and `state` says why."""
        rows = self.grades[self.grades["unit"].isin([unit.name for unit in self.units])]
        times = {name: pd.to_datetime(rows[name], utc=True) for name in ("handed_in", "due")}
        return rows.assign(**times).sort_values(["student", "unit"])[UNIT_COLUMNS].reset_index(drop=True)

    @functools.cached_property
    def of_course(self) -> pd.DataFrame:
        """One row a student, of all of the course's units."""
        return course_grades(self.course, self.grades)

    @functools.cached_property
    def of_items(self) -> pd.DataFrame:
        """One row a student, unit and item, of those who handed nothing in as well."""
        items = [(unit.name, item.id, item.points) for unit in self.units for item in unit.items.values()]
        held = self.of_units[[*WHO, "unit", "state"]]
        rows = held.merge(pd.DataFrame(items, columns=["unit", "item", "out_of"]), on="unit")
        found = answers(self.course, self.units, self._works).drop(columns="out_of")
        rows = rows.merge(found, how="left", on=["unit", "student", "item"])
        graded = rows["points"].notna()
        return rows.assign(
            state=rows["state"].where(rows["state"] == MISSING, NOT_GRADED).mask(graded, GRADED),
            # a person may score what was not judged
            status=rows["status"].where(graded & (rows["status"] != NO_VERDICT)),
            slips=rows["slips"].map(", ".join, na_action="ignore"),
            follows=rows["follows"].map(", ".join, na_action="ignore"),
        )[ITEM_COLUMNS]

    def verdicts(self, unit: Unit, student: str) -> dict[str, Verdict]:
        """What the judge said of each item; empty where grading left nothing."""
        work = self._works.get((unit.name, student))
        return {item: Verdict.from_json(dict(tree)) for item, tree in work.verdicts.items()} if work else {}

    @functools.cached_property
    def _works(self) -> dict[tuple[str, str], Work]:
        return read_works(self.course, self.units)


def book_of(course: Course, names: list[str] | None = None) -> Book:
    """The units of those names; where none is named, those that anybody handed in or the gradebook knows."""
    grades = unit_grades(course)
    known = set(grades["unit"])
    asked = {course.unit(name).name for name in names or known}
    unknown = sorted(asked - known)
    if unknown or not known:
        raise CourseError(
            f"nothing of {', '.join(unknown) or 'this course'} is handed in, nor does the gradebook know it. "
            "Run: chainrule grade UNIT"
        )
    return Book(course, tuple(course.unit(name) for name in sorted(asked)), grades)
