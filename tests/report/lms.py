"""Canvas and Moodle, as far as they read grades: written after their own importers, to read our files back with."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field


@dataclass(frozen=True)
class User:
    """Somebody in a course of theirs."""

    id: int
    name: str = ""
    sis: str = ""
    login: str = ""
    email: str = ""


@dataclass
class Imported:
    """What an import would do. grades: by (user's id, or the row's name where nobody was found, assignment's title)."""

    grades: dict[tuple[int | str, str], str] = field(default_factory=dict)
    points: dict[str, str] = field(default_factory=dict)
    strangers: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)  # assignments that are made


def canvas(content: bytes, users: list[User], assignments: dict[int, str], custom: tuple[str, ...] = ()) -> Imported:
    """Canvas: lib/gradebook_importer.rb of instructure/canvas-lms, no grading periods. custom: columns of notes."""
    text = content.decode()
    rows = [[_period(cell) for cell in row] for row in csv.reader(io.StringIO(text, newline=""), delimiter=_sep(text))]
    head, told = rows[0], Imported()
    assert ("Student" in head[0], "ID" in head[1], len(head) > 3) == (True, True, True), "row_has_student_headers?"
    count, sis, login = 3, None, None
    if re.search(r"SIS\s+Login\s+ID", head[2]):
        login, count = 2, 4
    elif re.search(r"SIS\s+User\s+ID", head[2]) and re.search(r"SIS\s+Login\s+ID", head[3]):
        sis, login, count = 2, 3, 5
    assert "Section" in head[count - 1], "last_student_info_column"
    columns = {}
    for title in head[count:]:
        if title in custom or re.search("(Current|Final) (Score|Points|Grade)|Override (Score|Grade|Status)", title):
            continue
        match = re.fullmatch(r"(.*)\s\((\d+)\)", title)
        found = assignments.get(int(match[2])) if match else None
        name = found or next((name for name in assignments.values() if name == title), None)
        if name is None:
            name = match[1] if match else title
            told.new.append(name)
        columns[name] = head.index(title)
    for row in rows[1:]:
        if "Points Possible" in row[0]:
            told.points |= {name: row[place] for name, place in columns.items()}
        elif not all(re.fullmatch(r"\s*(Muted|Manual Posting.*)?\s*", cell, re.IGNORECASE) for cell in row):
            user = _canvas_user(row, users, sis, login)
            if user is None:
                told.strangers.append(row[0])
            for name, place in columns.items():
                told.grades[row[0] if user is None else user.id, name] = row[place].strip()
    return told


def _canvas_user(row: list[str], users: list[User], sis: int | None, login: int | None) -> User | None:
    tries = [lambda user: bool(row[1]) and user.id == int(re.match(r"\s*\d*", row[1])[0] or 0)]  # type: ignore[index]
    if sis is not None:
        tries.append(lambda user: bool(row[sis]) and user.sis == row[sis])
    if login is not None:
        tries.append(lambda user: bool(row[login]) and user.login == row[login])
    tries.append(lambda user: user.name == row[0])
    return next((user for fits in tries for user in users if fits(user)), None)


def _period(cell: str) -> str:
    """The converter decimal_comma_to_period, which goes over ids as well."""
    if not re.fullmatch(r"-?[0-9.,]+%?", cell):
        return cell
    *parts, last = re.split("[,.]", cell)
    return f"{''.join(parts)}.{last}" if parts else last


def _sep(text: str) -> str:
    """identify_delimiter: by the first three lines."""
    counts = {}
    for sep in ";,":
        sizes = {len(next(csv.reader([line], delimiter=sep), [])) for line in text.splitlines()[:3]}
        counts[sep] = sizes.pop() if len(sizes) == 1 else 0
    return ";" if counts[";"] > counts[","] else ","


class MoodleError(Exception):
    """Moodle says why, and imports nothing."""


def moodle(
    content: bytes, users: list[User], known_by: str, head: str, items: dict[str, float | None]
) -> dict[tuple[int, str], float | None]:
    """Moodle: grade/import/csv/classes/load_data.php. head: the column mapped to what users are known by (`known_by`).

    items: the mapped columns; with the grade item's maximum where there is one already, None for "new grade item".
    """
    rows = _fgetcsv(content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n").strip())
    heads = [cell.strip() for cell in rows[0]]
    grades: dict[tuple[int, str], float | None] = {}
    user: int | None = None  # kept from row to row, as there
    for row in rows[1:]:
        if len(row) != len(heads):
            raise MoodleError("csvweirdcolumns")
        found: dict[str, float | None] = {}
        for title, cell in zip(heads, map(str.strip, row), strict=True):
            if title == head and cell not in ("", "0"):
                who = [known.id for known in users if getattr(known, known_by) == cell]
                if len(who) != 1:
                    raise MoodleError(f"usermappingerror {cell}")
                user = who[0]
            elif title in items and items[title] is None:
                # insert_record makes 0 of an empty text in a column of numbers
                found[title] = None if cell == "-" else float(cell or 0)
            elif title in items:
                found[title] = None if cell in ("", "-") else float(cell)
        if user is None:
            raise MoodleError("usermappingerrorusernotfound")
        for title, grade in found.items():
            if grade is not None and grade > 100:
                raise MoodleError("gradevaluetoobig")
            grades[user, title] = grade
    return grades


def _fgetcsv(text: str) -> list[list[str]]:
    """PHP's fgetcsv with its own escape character: a backslash before a quotation mark keeps it from ending a cell."""
    rows, row, cell, quoted, place = [], [], "", False, 0
    while place < len(text):
        char, place = text[place], place + 1
        if quoted and char == "\\" and text[place : place + 1] == '"':
            cell, place = cell + '\\"', place + 1
        elif quoted and char == '"' and text[place : place + 1] == '"':
            cell, place = cell + '"', place + 1
        elif char == '"' and (quoted or not cell):
            quoted = not quoted
        elif not quoted and char in ",\n":
            row.append(cell)
            cell = ""
            if char == "\n":
                rows.append(row)
                row = []
        else:
            cell += char
    return [*rows, [*row, cell]]
