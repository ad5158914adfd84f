"""Grades for other programs: tidy tables, the gradebooks of Canvas and Moodle, Gradescope's results."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from chainrule.report.exports.book import Book, book_of
from chainrule.report.exports.canvas import write_canvas
from chainrule.report.exports.files import Written
from chainrule.report.exports.gradescope import write_gradescope
from chainrule.report.exports.moodle import KnownBy, write_moodle
from chainrule.report.exports.plugin import GradesExporter
from chainrule.report.exports.tidy import write_csv, write_parquet

__all__ = ["Format", "GradesExporter", "KnownBy", "Written", "book_of", "export"]


class Format(StrEnum):
    """What `chainrule export` writes."""

    CSV = "csv"
    PARQUET = "parquet"
    CANVAS = "canvas"
    MOODLE = "moodle"
    GRADESCOPE = "gradescope"


def export(
    book: Book,
    form: Format,
    folder: Path,
    roster: Path | None = None,
    known_by: KnownBy = KnownBy.IDNUMBER,
    feedback: bool = False,
) -> Written:
    """Write one format's files into the folder. roster is Canvas's, known_by and feedback are Moodle's."""
    match form:
        case Format.CSV:
            return write_csv(book, folder)
        case Format.PARQUET:
            return write_parquet(book, folder)
        case Format.CANVAS:
            return write_canvas(book, folder, roster)
        case Format.MOODLE:
            return write_moodle(book, folder, known_by, feedback)
        case Format.GRADESCOPE:
            return write_gradescope(book, folder)
