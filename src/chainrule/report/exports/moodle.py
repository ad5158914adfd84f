"""A CSV for Moodle's Grade administration > Import > CSV file: one column to know the student by, one a unit.

Written after Moodle's own reader (grade/import/csv/classes/load_data.php, lib/csvlib.class.php):

- no grade is "-": an empty cell is no grade in a column that is there already, but becomes 0 in a new one;
- a row with nothing in the column that students are known by would change the grades of the student above it, and
  so would the id "0", which PHP takes for nothing: such rows are left out, and named;
- a backslash before a quotation mark ends no cell as CSV has it, so it does not come to that;
- a student whom Moodle does not know ends the import before anything is changed.
"""

from __future__ import annotations

import csv
import html
import io
from collections import Counter
from enum import StrEnum
from pathlib import Path

import pandas as pd

from chainrule.course import Unit
from chainrule.files import write_whole
from chainrule.render import verdict_text
from chainrule.report.defuse import defused
from chainrule.report.exports.book import Book
from chainrule.report.exports.files import Written, label, listed, number, one_line, said
from chainrule.report.grades import GRADED

NO_GRADE = "-"


class KnownBy(StrEnum):
    """What Moodle knows a student by, in the words of the command."""

    IDNUMBER = "idnumber"
    USERNAME = "username"
    EMAIL = "email"


HEADS = {KnownBy.IDNUMBER: "ID number", KnownBy.USERNAME: "Username", KnownBy.EMAIL: "Email address"}


def write_moodle(book: Book, folder: Path, known_by: KnownBy = KnownBy.IDNUMBER, feedback: bool = False) -> Written:
    """moodle.csv: a row for each student with a grade in one of the units."""
    path = folder / "moodle.csv"
    rows = book.of_units
    students = rows.drop_duplicates("student")
    keys = {row["student"]: _key(row, known_by) for _, row in students.iterrows()}
    counts = Counter(key.casefold() for key in keys.values())
    graded = set(rows.loc[rows["state"] == GRADED, "student"])
    finals = {(row.student, row.unit): float(row.final) for row in rows.itertuples() if row.state == GRADED}

    content = io.StringIO()
    writer = csv.writer(content)
    writer.writerow([HEADS[known_by], "Student", *_heads(book.units, feedback)])
    unusable, empty = [], []
    for _, row in students.iterrows():
        student, key = row["student"], keys[row["student"]]
        if student not in graded:
            empty.append(label(row))
        elif not key or counts[key.casefold()] > 1:
            unusable.append(label(row))
        else:
            cells = [key, _unescaping(defused(label(row)))]
            for unit in book.units:
                final = finals.get((student, unit.name))
                cells.append(NO_GRADE if final is None else number(final))
                if feedback:
                    cells.append("" if final is None else _unescaping(_feedback(book, unit, student)))
            writer.writerow(cells)
    write_whole(path, content.getvalue().encode())
    notes = (
        "maximum grades, to be set in Moodle: "
        + ", ".join(
            f"{unit} {number(points)}" for unit, points in rows.groupby("unit", sort=False)["out_of"].first().items()
        ),
        *listed(f"left out, Moodle could not know them by {HEADS[known_by]}", unusable),
        *listed("left out, nothing is graded of them", empty),
    )
    return Written(path, notes=notes, look=bool(unusable))


def _heads(units: tuple[Unit, ...], feedback: bool) -> list[str]:
    return [head for unit in units for head in ([unit.name, f"{unit.name} feedback"] if feedback else [unit.name])]


def _key(row: pd.Series, known_by: KnownBy) -> str:
    """What stands in the first column; nothing where Moodle's reader would take it for another, or for none."""
    key = said(row["email" if known_by is KnownBy.EMAIL else "student"])
    return "" if key == "0" or key != one_line(key) or _unescaping(key) != key else key


def _unescaping(text: str) -> str:
    """PHP's fgetcsv takes a backslash before a quotation mark, and so before a cell's end, for an escape."""
    text = text.replace('\\"', '\\ "')
    return text + " " if text.endswith("\\") else text


def _feedback(book: Book, unit: Unit, student: str) -> str:
    """What was found, as text for Moodle, which shows feedback as HTML."""
    verdicts = book.verdicts(unit, student)
    text = "\n".join(verdict_text(verdict) for verdict in verdicts.values() if not verdict.full)
    return html.escape(text or "All is right." if verdicts else "", quote=False)
