"""Tidy tables, the command and nbgrader's exporter: every number is the gradebook's, and no text is a formula."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from exports_class import FINALS, MARKS, OUT_OF, STUDENTS, UNITS, copy_of_class, gradebook_scores, state_of
from hypothesis import given
from hypothesis import strategies as st

from chainrule.course import Course
from chainrule.errors import CourseError
from chainrule.files import write_whole
from chainrule.report.defuse import defused, undefused
from chainrule.report.exports import Format, book_of, export
from chainrule.report.exports.files import number
from chainrule.report.grades import course_grades
from helpers import FULL, HOME, TINY, chainrule_here

# nbgrader's own queries make SQLAlchemy warn of nothing that matters
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")

WHO = ["student", "first_name", "last_name", "email", "lms_id"]
FORMULA = re.compile(r"[=+\-@\t\r]")
EXPORTER = "--exporter=chainrule.report.exports.GradesExporter"


@pytest.fixture
def course(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Course:
    return copy_of_class(tmp_path_factory, tmp_path / "course")


def read_csv(path: Path) -> pd.DataFrame:
    """As a program reads it that knows no more than what docs/exports.md says."""
    texts = dict.fromkeys([*WHO, "unit", "item"], str)
    table = pd.read_csv(
        path, dtype=texts, keep_default_na=False, na_values=dict.fromkeys(["score", "points", "final"], "")
    )
    return table.assign(**{name: table[name].map(undefused) for name in WHO})


def people(table: pd.DataFrame) -> dict[str, tuple[str | None, ...]]:
    rows = table[WHO].drop_duplicates().itertuples(index=False)
    return {row.student: tuple(row)[1:] for row in rows}


def test_units_csv_is_the_gradebook(course: Course, tmp_path: Path) -> None:
    """One row a student and unit: 0 is a number, "not graded" and "missing" are none; ids and names as they were."""
    export(book_of(course), Format.CSV, tmp_path)
    table = read_csv(tmp_path / "units.csv")
    assert [(row.student, row.unit) for row in table.itertuples()] == [(s, u) for s in sorted(STUDENTS) for u in UNITS]
    rows = {(row.student, row.unit): row for row in table.itertuples()}
    assert {key: row.final for key, row in rows.items() if row.final == row.final} == pytest.approx(FINALS)
    held = pd.Series(gradebook_scores(course)).groupby(level=[0, 1]).sum().to_dict()
    assert {key: row.score for key, row in rows.items() if row.score == row.score} == pytest.approx(held)
    assert {key: row.state for key, row in rows.items()} == {key: state_of(*key) for key in rows}
    assert set(table["out_of"]) == {OUT_OF}
    late = rows["007", "92-more"]
    assert (late.score, late.penalty, late.seconds_late) == (2.83, pytest.approx(0.283), pytest.approx(12 * 3600 + 60))
    assert (late.handed_in, late.due) == ("2026-10-13T10:00:00Z", "2026-10-12T21:59:00Z")
    assert people(table) == {who: tuple(text or "" for text in names) for who, names in STUDENTS.items()}


def test_items_csv_is_the_gradebook(course: Course, tmp_path: Path) -> None:
    """One row a student, unit and item, with a person's mark before ours."""
    export(book_of(course), Format.CSV, tmp_path)
    table = read_csv(tmp_path / "items.csv")
    assert len(table) == len(STUDENTS) * len(UNITS) * len(FULL)
    rows = {(row.student, row.unit, row.item): row for row in table.itertuples()}
    held = gradebook_scores(course)
    assert held["李雷", TINY, "letter"] == 0.75
    assert {key: row.points for key, row in rows.items() if row.points == row.points} == held
    assert {key: row.state for key, row in rows.items()} == {key: state_of(*key[:2]) for key in rows}
    assert {row.item: row.out_of for row in table.itertuples()} == FULL
    assert (rows["=1+1", TINY, "half"].status, rows["@at", TINY, "half"].status) == ("partly", "")


def test_course_csv_is_the_policys(course: Course, tmp_path: Path) -> None:
    """Totals of all units, whatever units are asked for."""
    export(book_of(course, ["91"]), Format.CSV, tmp_path)
    table = read_csv(tmp_path / "course.csv")
    wanted = course_grades(course).set_index("student")
    assert table.set_index("student")["points"].to_dict() == pytest.approx(wanted["points"].to_dict())
    assert set(read_csv(tmp_path / "units.csv")["unit"]) == {TINY}


def test_csv_opens_in_spreadsheets(course: Course, tmp_path: Path) -> None:
    """A byte order mark for Excel, and no cell that it would run, wherever it splits the line."""
    export(book_of(course), Format.CSV, tmp_path)
    content = (tmp_path / "units.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    raw = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)
    cells = [cell for name in WHO for cell in raw[name]]
    assert "'=1+1" in cells
    assert "Smith;'=2+3" in cells
    assert "'t Hooft" in cells  # an apostrophe that is a name's own
    assert not [part for cell in cells for part in re.split("[;,|\t\r\n]", cell) if FORMULA.match(part)]


@given(st.text(alphabet=st.sampled_from("'=+-@\t\r\n;,| a1＝")))  # noqa: RUF001
def test_defused_is_no_formula_and_comes_back(text: str) -> None:
    safe = defused(text)
    assert undefused(safe) == text
    assert not [part for part in re.split("[;,|\n]", safe) if re.match(" *[=+@＝-]", part)]  # noqa: RUF001


@pytest.mark.parametrize(("value", "text"), [(0.0, "0"), (2.0, "2"), (10.0, "10"), (1.5, "1.5"), (1 / 3, "0.33333")])
def test_number(value: float, text: str) -> None:
    assert number(value) == text


def test_parquet_keeps_types(course: Course, tmp_path: Path) -> None:
    """Text as it is, numbers and times as such, null where there is none; the same rows as the CSV's."""
    export(book_of(course), Format.PARQUET, tmp_path)
    export(book_of(course), Format.CSV, tmp_path)
    units = pq.read_table(tmp_path / "units.parquet")
    kinds = {field.name: field.type for field in units.schema}
    assert kinds["student"] == kinds["lms_id"] == pa.string()
    assert kinds["final"] == pa.float64()
    assert kinds["handed_in"] == pa.timestamp("us", tz="UTC")
    assert kinds["dropped"] == pa.bool_()
    rows = units.to_pylist()
    assert {(row["student"], row["unit"]): row["final"] for row in rows if row["final"] is not None} == pytest.approx(
        FINALS
    )
    assert {row["student"]: tuple(row[name] for name in WHO[1:]) for row in rows} == STUDENTS
    assert {row["handed_in"] is None for row in rows if row["state"] == "missing"} == {True}
    items = pq.read_table(tmp_path / "items.parquet").to_pandas()
    assert items["points"].tolist() == pytest.approx(read_csv(tmp_path / "items.csv")["points"].tolist(), nan_ok=True)
    assert pq.read_schema(tmp_path / "course.parquet").field("units_graded").type == pa.int64()


def test_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that fails leaves the old file as it was, nothing beside it, and says what to do."""
    path = tmp_path / "folder" / "units.csv"
    write_whole(path, b"old")
    monkeypatch.setattr(Path, "replace", lambda self, target: (_ for _ in ()).throw(OSError(28, "No space left")))
    with pytest.raises(CourseError, match=r"units\.csv cannot be written \(No space left\).*--to"):
        write_whole(path, b"new")
    assert [(file.name, file.read_bytes()) for file in path.parent.iterdir()] == [("units.csv", b"old")]


def test_nothing_to_export(course: Course) -> None:
    """A unit that is nowhere yet is said to be so."""
    (course.root / "authoring" / "93-new").mkdir()
    for name in ("items.py", "notebook.py"):
        text = (course.root / "authoring" / TINY / name).read_text("utf-8")
        (course.root / "authoring" / "93-new" / name).write_text(text, "utf-8")
    with pytest.raises(CourseError, match="nothing of 93-new is handed in"):
        book_of(course, ["93"])
    assert [unit.name for unit in book_of(course).units] == list(UNITS)


# --------------------------------------------------------------------------- the commands


def test_all_formats_by_the_command(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    said = chainrule_here(monkeypatch, course.root, "export", "all")
    assert (said.status, said.err.strip()) == (0, "")
    folder = course.gradebook / "exports"
    names = {f"{name}.{kind}" for name in ("items", "units", "course") for kind in ("csv", "parquet")}
    assert {path.name for path in folder.iterdir()} == names | {"canvas.csv", "moodle.csv", "gradescope"}
    assert said.out.count("written: ") == len(Format)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("xlsx",), "no 'xlsx' here; there are csv, parquet, canvas, moodle, gradescope, all"),
        (("csv", "77"), "no unit called '77'"),
        (("csv", "--roster", "roster.csv"), "--roster is for the format canvas"),
        (("canvas", "--roster", "nowhere.csv"), "nowhere.csv cannot be read (No such file or directory). In Canvas:"),
        (("moodle", "--known-by", "name"), "no 'name' here; there are idnumber, username, email"),
        (("csv", "--to", "course.toml"), "course.toml/items.csv cannot be written"),
    ],
)
def test_bad_words_are_status_2(
    course: Course, words: tuple[str, ...], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = chainrule_here(monkeypatch, course.root, "export", *words)
    assert said.status == 2
    assert says in said.err


def test_commands_of_the_docs(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every `chainrule export` in docs/exports.md does what it says on this class."""
    text = (HOME / "docs" / "exports.md").read_text("utf-8")
    commands = re.findall(r"^ {4}chainrule (export .*)$", text, re.MULTILINE)
    assert {command.split()[1] for command in commands} >= {"csv", "parquet", "canvas", "moodle", "gradescope"}
    roster = "Student,ID,SIS User ID,SIS Login ID,Section\nPoints Possible,,,,\nAda,1,,ada,A\n"
    (course.root / "canvas-export.csv").write_text(roster, "utf-8")
    for command in commands:
        said = chainrule_here(monkeypatch, course.root, *re.sub("0[12]", "91", command).split())
        assert "written: " in said.out, (command, said)


def nbgrader_export(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "nbgrader", "export", EXPORTER, *words]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=300, check=False)


def test_nbgraders_export_command(course: Course, tmp_path: Path) -> None:
    """The same file as `chainrule export csv` writes, in the course folder and by nbgrader's own options."""
    export(book_of(course), Format.CSV, tmp_path)
    done = nbgrader_export(course.root)
    assert done.returncode == 0, done.stderr
    assert (course.gradebook / "exports" / "units.csv").read_bytes() == (tmp_path / "units.csv").read_bytes()
    done = nbgrader_export(course.root, "--to=some.csv", f'--assignment=["{TINY}"]', '--student=["007","@at"]')
    assert done.returncode == 0, done.stderr
    table = read_csv(course.root / "some.csv")
    assert [(row.student, row.unit, row.state) for row in table.itertuples()] == [
        ("007", TINY, "graded"),
        ("@at", TINY, "not graded"),
    ]


def test_nbgraders_export_of_what_is_not_there(course: Course) -> None:
    done = nbgrader_export(course.root, '--assignment=["nope"]')
    assert done.returncode == 1
    assert "no unit called 'nope'" in done.stderr
    assert "Traceback" not in done.stderr
    done = nbgrader_export(course.root, "--db=sqlite:///other.db")
    assert done.returncode == 1
    assert "Leave out --db" in done.stderr


def test_class_is_as_hard_as_it_should_be() -> None:
    """The students that the task names: leading zeros, other scripts, commas, quotes, line ends, formulas, no name."""
    assert {"007", "0012", "=1+1"} <= set(STUDENTS)
    assert {state_of(student, unit) for student in STUDENTS for unit in UNITS} == {"graded", "not graded", "missing"}
    assert 0.0 in FINALS.values()
    assert set(FINALS) == {key for key, marks in MARKS.items() if marks is not None}
