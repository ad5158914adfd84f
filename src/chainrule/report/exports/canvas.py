"""A CSV for Canvas's gradebook, Grades > Import.

Written after Canvas's own reader and writer (lib/gradebook_importer.rb, lib/gradebook_exporter.rb):

- the header is Student, ID, SIS User ID, SIS Login ID, Section and the assignments, `title (id)` or a new title; a row
  whose first cell holds "Points Possible" gives their points;
- a student is looked up by ID, else SIS User ID, else SIS Login ID, else by name. Names are never ours to guess by:
  without a roster, the first cell holds the id beside the name, and is nobody's name;
- an empty cell takes a grade away, so where we have none a roster's own cell stays.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from chainrule.errors import CourseError
from chainrule.files import write_whole
from chainrule.report.defuse import defused
from chainrule.report.exports.book import Book
from chainrule.report.exports.files import Written, label, listed, number, one_line, said
from chainrule.report.grades import GRADED

STUDENT, SIS_USER, SIS_LOGIN, SECTION = "Student", "SIS User ID", "SIS Login ID", "Section"
HEAD = [STUDENT, "ID", SIS_USER, SIS_LOGIN, SECTION]
POINTS = "    Points Possible"  # as Canvas writes it
OUT_OF_HAND = ("EX", "N/A")  # excused by a person, or not assigned to the student: no grade of ours goes there
ROUNDED = 0.00501  # Canvas exports numbers with two digits after the point
TEST_STUDENT = "Student, Test"  # Canvas's own, in every course


def write_canvas(book: Book, folder: Path, roster: Path | None = None) -> Written:
    """canvas.csv: what Canvas exported, filled in, or without a roster a file of our own ids as login ids."""
    path = folder / "canvas.csv"
    if roster is None:
        rows, delimiter = _of_our_own(book), ","
        notes: tuple[str, ...] = ("no roster: Canvas looks the students up by their ids as SIS Login IDs",)
        look = False
    else:
        table = read_roster(roster)
        rows, delimiter = [list(row) for row in table.rows], table.delimiter
        notes, look = _fill(book, table, rows)
    content = io.StringIO()
    csv.writer(content, delimiter=delimiter).writerows(rows)
    write_whole(path, content.getvalue().encode())
    return Written(path, notes=notes, look=look)


def _of_our_own(book: Book) -> list[list[str]]:
    grades = book.of_units
    out_of = grades.groupby("unit")["out_of"].first()
    finals = _finals(book)
    rows = [[*HEAD, *(unit.name for unit in book.units)]]
    rows.append([POINTS, *[""] * (len(HEAD) - 1), *(number(out_of[unit.name]) for unit in book.units)])
    for _, row in grades.drop_duplicates("student").iterrows():
        marks = (finals.get((row["student"], unit.name), "") for unit in book.units)
        rows.append([_nobodys_name(row), "", "", row["student"], "", *marks])
    return rows


def _nobodys_name(row: pd.Series) -> str:
    """The first cell, for people: no name that Canvas could find a student by, nor what it takes for another row."""
    text = label(row)
    text = f"({text})" if text == row["student"] else text
    return defused(text.replace("Points Possible", "Points-Possible"))


# --------------------------------------------------------------------------- with Canvas's own export


@dataclass(frozen=True, slots=True)
class Roster:
    """A gradebook that Canvas exported. students: the places of their rows; points: of the row of points possible."""

    path: Path
    rows: tuple[tuple[str, ...], ...]
    delimiter: str
    section: int
    points: int
    students: tuple[int, ...]

    def cell(self, row: int, head: str) -> str:
        """A cell of the columns that tell of a student; nothing where there is no such column."""
        heads = self.rows[0][: self.section + 1]
        return self.rows[row][heads.index(head)].strip() if head in heads else ""

    def name(self, row: int) -> str:
        return one_line(self.rows[row][0])


def read_roster(path: Path) -> Roster:
    """CourseError where the file is not what Canvas's gradebook exports."""
    way_out = "In Canvas: Grades, Export, Export Entire Gradebook; hand in that file unchanged."
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise CourseError(f"{path} cannot be read ({reason}). {way_out}") from error
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","  # Canvas writes either, as the user set it
    try:
        cells = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        rows = tuple(tuple(row) for row in cells if row)
    except csv.Error as error:
        raise CourseError(f"{path} is not CSV ({error}). {way_out}") from error
    heads = rows[0] if rows else ()
    if "ID" not in heads or SECTION not in heads or not {SIS_LOGIN, SIS_USER} & set(heads):
        raise CourseError(f"{path}: the first row has no ID, {SIS_LOGIN} and {SECTION}. {way_out}")
    uneven = [place for place, row in enumerate(rows, 1) if len(row) != len(heads)]
    if uneven:
        raise CourseError(f"{path}, row {uneven[0]}: not as many cells as the first row has. {way_out}")
    points = [place for place, row in enumerate(rows) if POINTS.strip() in row[0]]
    if len(points) != 1:
        raise CourseError(f"{path}: {len(points)} rows of points possible, where Canvas takes one. {way_out}")
    students = tuple(place for place in range(points[0] + 1, len(rows)) if any(rows[place]))
    return Roster(path, rows, delimiter, heads.index(SECTION), points[0], students)


def _fill(book: Book, roster: Roster, rows: list[list[str]]) -> tuple[tuple[str, ...], bool]:
    """Put our grades into the roster's rows. Returns what to say of it, and whether a grade of ours found no place."""
    ours = book.of_units.drop_duplicates("student")
    places = matches(ours, roster)
    finals, kept, changed, filled = _finals(book), [], 0, 0
    for unit in book.units:
        out_of = float(book.of_units.loc[book.of_units["unit"] == unit.name, "out_of"].iloc[0])
        column = _column(roster, unit.name, out_of, rows)
        for student, place in places.items():
            final, before = finals.get((student, unit.name)), rows[place][column].strip()
            if final is None:
                continue
            if before.upper() in OUT_OF_HAND:
                kept.append(f"{roster.name(place)} ({unit.name}: {before})")
                continue
            rows[place][column] = final
            filled += 1
            changed += before not in ("", "-") and _points(before) != float(final)
    graded = {student for student, _ in finals}
    lost = [label(row) for _, row in ours.iterrows() if row["student"] not in places and row["student"] in graded]
    idle = [label(row) for _, row in ours.iterrows() if row["student"] not in places and row["student"] not in graded]
    known = set(places.values())
    rest = (place for place in roster.students if place not in known and roster.name(place) != TEST_STUDENT)
    notes = (
        f"{len(places)} students found in {roster.path.name}; {filled} grades filled in, {changed} of them changed",
        *listed("GRADED, but not (or not once) in the roster, so not in the file", lost),
        *listed("not in the roster, nothing graded", idle),
        *listed("in the roster, but not known here; their rows stay as they are", _of_roster(roster, rest)),
        *listed("Canvas's own entry stays", kept),
    )
    return notes, bool(lost)


def matches(ours: pd.DataFrame, roster: Roster) -> dict[str, int]:
    """By student, the roster's row that is theirs: one row by all that is known, which is nobody else's.

    Ids are compared as they stand ("007" is not "7"), e-mail addresses in any case.
    """
    by_id: dict[str, set[int]] = {}
    by_mail: dict[str, set[int]] = {}
    for place in roster.students:
        for head in (SIS_LOGIN, SIS_USER):
            if text := roster.cell(place, head):
                by_id.setdefault(text, set()).add(place)
                by_mail.setdefault(text.casefold(), set()).add(place)
    found: dict[str, set[int]] = {}
    for _, row in ours.iterrows():
        mail = said(row["email"]).strip()
        found[row["student"]] = (
            by_id.get(row["student"], set())
            | by_id.get(said(row["lms_id"]).strip(), set())
            | (by_mail.get(mail.casefold(), set()) if "@" in mail else set())
        )
    claims = Counter(place for places in found.values() for place in places)
    return {
        student: place
        for student, places in found.items()
        if len(places) == 1 and claims[place := next(iter(places))] == 1
    }


def _column(roster: Roster, unit: str, out_of: float, rows: list[list[str]]) -> int:
    """The unit's column: Canvas's assignment of that name, or a new one at the end."""
    heads = roster.rows[0]
    found = [
        place for place in range(roster.section + 1, len(heads)) if re.sub(r"\s\(\d+\)$", "", heads[place]) == unit
    ]
    if len(found) > 1:
        raise CourseError(f"{roster.path}: {len(found)} assignments are called {unit}. Rename all but one in Canvas.")
    if found:
        worth = _points(rows[roster.points][found[0]])
        if worth is None or abs(worth - out_of) > ROUNDED:
            raise CourseError(
                f"{roster.path}: {heads[found[0]]} has {rows[roster.points][found[0]].strip() or 'no'} points possible "
                f"in Canvas, and {number(out_of)} here. Set them to {number(out_of)} in Canvas, and export again."
            )
        return found[0]
    for place, row in enumerate(rows):
        row.append(unit if place == 0 else number(out_of) if place == roster.points else "")
    return len(rows[0]) - 1


def _points(text: str) -> float | None:
    """A number of Canvas's, which writes a decimal comma where the user has one; None where it is none."""
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return None


def _finals(book: Book) -> dict[tuple[str, str], str]:
    """By student and unit, the points to hand over; nothing where nothing is graded."""
    graded = book.of_units[book.of_units["state"] == GRADED]
    return {(row.student, row.unit): number(row.final) for row in graded.itertuples()}


def _of_roster(roster: Roster, places: Iterable[int]) -> Sequence[str]:
    return [f"{roster.name(place)} ({roster.cell(place, SIS_LOGIN) or roster.cell(place, 'ID')})" for place in places]
