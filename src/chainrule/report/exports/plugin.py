"""For nbgrader's export command, with the policy's totals.

nbgrader export --exporter=chainrule.report.exports.GradesExporter
"""

from __future__ import annotations

from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.plugins import ExportPlugin

from chainrule.course import Course
from chainrule.errors import ChainruleError, CourseError
from chainrule.files import write_whole
from chainrule.grading.database import gradebook_url
from chainrule.report.exports.book import book_of
from chainrule.report.exports.tidy import csv_bytes


class GradesExporter(ExportPlugin):  # type: ignore[misc]
    """units.csv: one row a student and unit, as `chainrule export csv` writes it. Takes nbgrader's own options."""

    def export(self, gradebook: Gradebook) -> None:
        """Write to `self.to`, or to gradebook/exports/units.csv; only the students and assignments that are named."""
        try:
            self._export(Course(Path(self.parent.coursedir.root)), gradebook)
        except ChainruleError as error:
            self.parent.fail(str(error))

    def _export(self, course: Course, gradebook: Gradebook) -> None:
        if gradebook.engine.url.database != gradebook_url(course).database:
            raise CourseError("this exporter reads the gradebook that course.toml names. Leave out --db.")
        rows = book_of(course, [str(name) for name in self.assignment]).of_units
        if self.student:
            rows = rows[rows["student"].isin([str(student) for student in self.student])]
        path = Path(self.to) if self.to else course.gradebook / "exports" / "units.csv"
        write_whole(path, csv_bytes(rows))
        self.log.info("%d rows written to %s", len(rows), path)
