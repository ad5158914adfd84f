"""Canvas, Moodle and Gradescope: read back by what knows the format, every number compared with the gradebook's."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from exports_class import FINALS, MARKS, MORE, OUT_OF, STUDENTS, UNITS, copy_of_class, gradebook_scores
from lms import Imported, MoodleError, User, canvas, moodle
from nbgrader.api import Gradebook

from chainrule.course import Course
from chainrule.errors import CourseError
from chainrule.nbgrading import course_config
from chainrule.report.exports import Format, KnownBy, Written, book_of, export
from helpers import TINY, chainrule_here

# nbgrader's own queries make SQLAlchemy warn of nothing that matters
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")

GRADED = {student for student, _ in FINALS}


@pytest.fixture
def course(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Course:
    return copy_of_class(tmp_path_factory, tmp_path / "course")


def numbers(told: Imported, ids: dict[int, str]) -> dict[tuple[str, str], float]:
    """What Canvas would enter, by our students' ids; empty cells are no grade."""
    return {(ids[who], unit): float(cell) for (who, unit), cell in told.grades.items() if cell and who in ids}


# --------------------------------------------------------------------------- Canvas without a roster

LOGINS = [User(place, f"{place}. student", login=student) for place, student in enumerate(STUDENTS, 1)]
IDS = {user.id: user.login for user in LOGINS}


def test_canvas_finds_all_by_login(course: Course, tmp_path: Path) -> None:
    """Every grade reaches its student; neither missing nor not graded is 0; a name is no row of points possible."""
    export(book_of(course), Format.CANVAS, tmp_path)
    told = canvas((tmp_path / "canvas.csv").read_bytes(), LOGINS, {})
    assert told.strangers == []
    assert numbers(told, IDS) == pytest.approx(FINALS)
    assert told.points == dict.fromkeys(UNITS, "5")
    assert told.new == list(UNITS)
    assert told.grades[IDS_OF["0012"], TINY] == ""


IDS_OF = {student: place for place, student in IDS.items()}


def test_canvas_never_guesses_by_name(course: Course, tmp_path: Path) -> None:
    """Somebody else of the same name gets nothing, though Canvas looks for names where it finds no id."""
    export(book_of(course), Format.CANVAS, tmp_path)
    namesakes = [User(1, "Ångström, Zoë"), User(2, "Zoë Ångström"), User(3, "李雷"), User(4, "007"), User(5, "@at")]
    told = canvas((tmp_path / "canvas.csv").read_bytes(), namesakes, {})
    assert len(told.strangers) == len(STUDENTS)
    assert "Ångström, Zoë (007)" in told.strangers


# --------------------------------------------------------------------------- Canvas with a roster

ROSTER = f"""\
Student,ID,SIS User ID,SIS Login ID,Section,Notes,Essay (5),{TINY} (31),Current Score,Final Score
,,,,,,,Manual Posting,,
    Points Possible,,,,,,10,5.00,(read only),(read only)
"Ångström, Z.",101,,007,"A, B",likes tea,9,1.5,90,80
"Seven, No",102,7,seven,A,,8,,,
"O""Neill",103,0815,oneill,A,,7,EX,,
Plus,104,,PLUS@x.org,A,,,,,
At,105,,@at,A,,,2,,
李,106,李雷,,A,,,-,,
"Student, Test",107,,abcdef,A,,,,,
"""
ASSIGNMENTS = {5: "Essay", 31: TINY}


def with_roster(course: Course, tmp_path: Path, text: str = ROSTER, units: list[str] | None = None) -> Written:
    (tmp_path / "roster.csv").write_text(text, "utf-8")
    return export(book_of(course, units), Format.CANVAS, tmp_path, tmp_path / "roster.csv")


USERS = [User(number) for number in range(101, 108)]
OURS = {101: "007", 103: "=1+1", 104: "+49", 105: "@at", 106: "李雷"}


def test_roster_is_filled_in(course: Course, tmp_path: Path) -> None:
    """Found by login, by SIS id, by e-mail in any case; only our columns of graded work change."""
    written = with_roster(course, tmp_path)
    told = canvas((tmp_path / "canvas.csv").read_bytes(), USERS, ASSIGNMENTS, ("Notes",))
    assert told.strangers == []
    assert told.new == [MORE]
    assert told.points == {"Essay": "10", TINY: "5.00", MORE: "5"}
    wanted = {key: final for key, final in FINALS.items() if key != ("=1+1", TINY)}  # a person excused that one
    entered = numbers(Imported({key: cell for key, cell in told.grades.items() if cell not in ("EX", "-")}), OURS)
    kept = {("007", "Essay"): 9.0, ("=1+1", "Essay"): 7.0, ("@at", TINY): 2.0}
    assert entered == pytest.approx({**wanted, **kept})
    assert told.grades[103, TINY] == "EX"
    assert told.grades[102, TINY] == told.grades[107, TINY] == ""
    before = list(csv.reader(ROSTER.splitlines()))
    after = list(csv.reader((tmp_path / "canvas.csv").read_text("utf-8").splitlines()))
    changed = {
        (row[1], place)
        for row, old in zip(after, before, strict=True)
        for place in range(10)
        if row[place] != old[place]
    }
    assert changed == {("101", 7), ("104", 7), ("106", 7)}
    assert written.notes == (
        "5 students found in roster.csv; 5 grades filled in, 1 of them changed",
        "not in the roster, nothing graded: =HYPERLINK(0), Points Possible (0012)",
        "in the roster, but not known here; their rows stay as they are: Seven, No (seven)",
        f"Canvas's own entry stays: O\"Neill ({TINY}: EX)",
    )


def test_roster_says_who_is_lost(course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A graded student who is not in the roster, or twice, or claimed by two, is named, and the status is 3."""
    lines = [line for line in ROSTER.splitlines() if not line.startswith("李")]
    lines = [*lines, "Other,108,=1+1,x,A,,,,,"]  # now 103 by the LMS id, and 108 by the id
    written = with_roster(course, tmp_path, "\n".join(lines))
    lost = next(note for note in written.notes if note.startswith("GRADED"))
    assert lost == 'GRADED, but not (or not once) in the roster, so not in the file: O"Neill, Jr. (=1+1); 李, 雷 (李雷)'
    assert written.look
    said = chainrule_here(monkeypatch, course.root, "export", "canvas", "--roster", str(tmp_path / "roster.csv"))
    assert said.status == 3
    assert "李, 雷 (李雷)" in said.out


def test_two_of_ours_cannot_share_a_row(course: Course, tmp_path: Path) -> None:
    """An address that two students have is nobody's."""
    config = course_config(course.root).CourseDirectory
    with Gradebook(config.db_url, config.course_id) as gradebook:
        gradebook.update_or_create_student("0012", email="Plus@x.org")
    written = with_roster(course, tmp_path)
    told = canvas((tmp_path / "canvas.csv").read_bytes(), USERS, ASSIGNMENTS, ("Notes",))
    assert told.grades[104, TINY] == ""
    assert written.look


def test_roster_with_semicolons(course: Course, tmp_path: Path) -> None:
    """As Canvas exports it to those who write 1,5: read and written that way, byte order mark or not."""
    text = "\ufeff" + ROSTER.replace('"A, B"', "A").replace('"', "").replace("Ångström, Z.", "Ångström")
    text = text.replace("Seven, No", "Seven").replace("Student, Test", "Test").replace(",", ";").replace("5.00", "5,00")
    with_roster(course, tmp_path, text)
    content = (tmp_path / "canvas.csv").read_bytes()
    assert content.startswith(b"Student;ID;")
    told = canvas(content, USERS, ASSIGNMENTS, ("Notes",))
    assert told.points[TINY] == "5.00"
    assert (told.grades[101, TINY], told.grades[101, MORE]) == ("5", "2.547")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("5.00", "100", f"{TINY} \\(31\\) has 100 points possible in Canvas, and 5 here"),
        ("5.00", "(read only)", "has \\(read only\\) points possible"),
        ("Essay (5)", f"{TINY} (5)", f"2 assignments are called {TINY}"),
        ("SIS Login ID", "Login", "the first row has no ID, SIS Login ID and Section"),
        ("Plus,104", "Plus,104,", "row 7: not as many cells as the first row has"),
        ("Plus,", "Points Possible,", "2 rows of points possible"),
        ("    Points Possible", "Points", "0 rows of points possible"),
        ("likes tea", '"likes tea', "is not CSV"),
    ],
)
def test_roster_that_cannot_be_filled_in(course: Course, tmp_path: Path, old: str, new: str, says: str) -> None:
    """Whatever is not as Canvas exports it is named with the way out, and no file is written."""
    text = ROSTER.replace("SIS User ID", "User") if old == "SIS Login ID" else ROSTER
    assert old in text
    with pytest.raises(CourseError, match=says):
        with_roster(course, tmp_path, text.replace(old, new))
    assert not (tmp_path / "canvas.csv").exists()


# --------------------------------------------------------------------------- Moodle

PEOPLE = [User(place, sis=student, email=names[2] or "") for place, (student, names) in enumerate(STUDENTS.items(), 1)]
WHO = {user.id: user.sis for user in PEOPLE}


def read_moodle(folder: Path, known_by: str, head: str, items: dict[str, float | None]) -> dict[tuple[str, str], Any]:
    grades = moodle((folder / "moodle.csv").read_bytes(), PEOPLE, known_by, head, items)
    return {(WHO[who], unit): grade for (who, unit), grade in grades.items()}


@pytest.mark.parametrize("maximum", [OUT_OF, None])
@pytest.mark.parametrize("feedback", [False, True])
def test_moodle_takes_every_grade(course: Course, tmp_path: Path, maximum: float | None, feedback: bool) -> None:
    """Into grade items that are there and into new ones; what is not graded becomes no grade in both, never 0."""
    written = export(book_of(course), Format.MOODLE, tmp_path, feedback=feedback)
    grades = read_moodle(tmp_path, "sis", "ID number", dict.fromkeys(UNITS, maximum))
    assert {key: grade for key, grade in grades.items() if grade is not None} == pytest.approx(FINALS)
    assert {student for student, _ in grades} == GRADED
    assert not written.look
    assert written.notes[0] == f"maximum grades, to be set in Moodle: {TINY} 5, {MORE} 5"
    assert written.notes[1].startswith("left out, nothing is graded of them: =HYPERLINK(0), Points Possible (0012); ")


def test_moodle_by_address(course: Course, tmp_path: Path) -> None:
    """Who has none, or shares it, is left out and named: Moodle would give their grades to the row above."""
    config = course_config(course.root).CourseDirectory
    with Gradebook(config.db_url, config.course_id) as gradebook:
        gradebook.update_or_create_student("0012", email="Zoe@X.org")
    written = export(book_of(course), Format.MOODLE, tmp_path, known_by=KnownBy.EMAIL)
    grades = read_moodle(tmp_path, "email", "Email address", dict.fromkeys(UNITS, OUT_OF))
    assert {student for student, _ in grades} == {"=1+1", "+49"}
    assert "left out, Moodle could not know them by Email address: Ångström, Zoë (007); 李, 雷 (李雷)" in written.notes
    assert written.look


@pytest.mark.parametrize("bad", ["0", " 1", "a\nb", 'a\\"', "a\\"])
def test_moodle_leaves_out_ids_that_it_cannot_read(course: Course, tmp_path: Path, bad: str) -> None:
    """An id that Moodle's reader takes for none, or for another's, must not move anybody's grades."""
    config = course_config(course.root).CourseDirectory
    with Gradebook(config.db_url, config.course_id) as gradebook:
        gradebook.update_or_create_student("+49", email=bad)
    written = export(book_of(course), Format.MOODLE, tmp_path, known_by=KnownBy.EMAIL)
    grades = read_moodle(tmp_path, "email", "Email address", dict.fromkeys(UNITS, OUT_OF))
    wanted = {key: FINALS.get(key) for key in grades}
    assert grades == pytest.approx(wanted)
    assert {student for student, _ in grades} == {"007", "=1+1"}
    assert any("+49" in note for note in written.notes)


def test_moodle_refuses_strangers(course: Course, tmp_path: Path) -> None:
    """The reader of these tests does what Moodle does: one unknown id, and nothing is imported."""
    export(book_of(course), Format.MOODLE, tmp_path)
    with pytest.raises(MoodleError, match="usermappingerror"):
        moodle((tmp_path / "moodle.csv").read_bytes(), PEOPLE[1:], "sis", "ID number", {TINY: 5.0})


def test_moodle_feedback_is_text(course: Course, tmp_path: Path) -> None:
    """What was found, with nothing in it that Moodle's page would run; none where nothing is graded."""
    export(book_of(course, [TINY]), Format.MOODLE, tmp_path, feedback=True)
    rows = {
        row["ID number"]: row for row in csv.DictReader((tmp_path / "moodle.csv").open(encoding="utf-8", newline=""))
    }
    assert rows["007"][f"{TINY} feedback"] == "All is right."
    text = rows["=1+1"][f"{TINY} feedback"]
    assert "scale: 1 of 2 (right in part)" in text
    assert "&lt;b&gt;1 &lt; 2&lt;/b&gt;" in text
    assert "<" not in text
    assert rows["=1+1"]["Student"] == 'O"Neill, Jr. (=1+1)'
    assert rows["+49"]["Student"] == "Smith;'=2+3, Two lines (+49)"


# --------------------------------------------------------------------------- Gradescope

TEXT = {"enum": ["text", "simple_format", "html", "md", "ansi"]}
SHOWN = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}
# https://gradescope-autograders.readthedocs.io/en/latest/specs/, Output format
RESULTS = {
    "type": "object",
    "additionalProperties": False,
    "required": ["score", "tests"],
    "properties": {
        "score": {"type": "number"},
        "execution_time": {"type": "number"},
        "output": {"type": "string"},
        "output_format": TEXT,
        "test_output_format": TEXT,
        "test_name_format": TEXT,
        "visibility": SHOWN,
        "stdout_visibility": SHOWN,
        "extra_data": {"type": "object"},
        "leaderboard": {"type": "array"},
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "score": {"type": "number"},
                    "max_score": {"type": "number"},
                    "status": {"enum": ["passed", "failed"]},
                    "name": {"type": "string"},
                    "name_format": TEXT,
                    "number": {"type": "string"},
                    "output": {"type": "string"},
                    "output_format": TEXT,
                    "tags": {"type": "array", "items": {"type": "string"}},
                    "visibility": SHOWN,
                    "extra_data": {"type": "object"},
                },
            },
        },
    },
}


def results(folder: Path) -> dict[tuple[str, str], Any]:
    """By student and unit, as a strict reader has it."""
    paths = (folder / "gradescope").glob("*/*/results.json")
    trees = {(path.parent.name, path.parents[1].name): json.loads(path.read_text("utf-8")) for path in paths}
    for tree in trees.values():
        jsonschema.validate(tree, RESULTS)
    return trees


def test_gradescope_is_the_gradebook(course: Course, tmp_path: Path) -> None:
    """A file for each graded submission, and for no other: totals, items, the person's mark."""
    written = export(book_of(course), Format.GRADESCOPE, tmp_path)
    trees = results(tmp_path)
    assert {key: tree["score"] for key, tree in trees.items()} == pytest.approx(FINALS)
    assert written.files == len(FINALS)
    tests = {(*key, test["name"]): test["score"] for key, tree in trees.items() for test in tree["tests"]}
    assert tests == gradebook_scores(course)
    assert written.notes == (
        "no file for 4 that were not handed in",
        f"no file, since nothing is graded: @at ({TINY}); 李雷 ({MORE})",
    )


def test_gradescope_shows_what_was_found(course: Course, tmp_path: Path) -> None:
    """Plain text that the student sees; the late penalty in words; who gave which points."""
    export(book_of(course), Format.GRADESCOPE, tmp_path)
    trees = results(tmp_path)
    late = trees["007", MORE]
    assert late["output"] == f"{MORE}: 2.547 of 5. 2.83 less 0.283, since it was handed in late."
    assert late["extra_data"]["handed_in"] == "2026-10-13T10:00:00+00:00"
    assert [test["status"] for test in late["tests"]] == ["failed", "failed", "passed", "failed"]
    assert [test["number"] for test in late["tests"]] == ["1", "2", "3", "4"]
    assert late["tests"][0]["output"].startswith("scale: 1.33 of 2 (right in part)\n  It says")
    by_hand = trees["李雷", TINY]["tests"][3]["output"]
    assert "letter: 0.75 of 1" in by_hand
    assert by_hand.endswith("A person gave these points; the autograder had given 0.")
    for tree in trees.values():
        shown = [tree["visibility"], *(test["visibility"] for test in tree["tests"])]
        assert set(shown) == {"visible"}
        assert {test["output_format"] for test in tree["tests"]} == {"text"}


def test_gradescope_keeps_no_old_results(course: Course, tmp_path: Path) -> None:
    """A file of an earlier export goes when its work is graded no more; what else lies there stays."""
    for name in ("@at", "gone"):
        folder = tmp_path / "gradescope" / TINY / name
        folder.mkdir(parents=True)
        (folder / "results.json").write_text("{}")
    (folder / "notes.txt").write_text("a person's")
    export(book_of(course), Format.GRADESCOPE, tmp_path)
    assert {student for student, unit in results(tmp_path) if unit == TINY} == {s for s, u in FINALS if u == TINY}
    assert not (tmp_path / "gradescope" / TINY / "@at").exists()
    assert (folder / "notes.txt").exists()


def test_gradescope_stays_in_its_folder(course: Course, tmp_path: Path) -> None:
    """An id that is a path leads nowhere."""
    config = course_config(course.root).CourseDirectory
    with Gradebook(config.db_url, config.course_id) as gradebook:
        gradebook.add_student("../../evil")
        gradebook.add_submission(TINY, "../../evil")
        for grade in gradebook.find_submission(TINY, "../../evil").notebooks[0].grades:
            grade.auto_score = 1.0
        gradebook.db.commit()
    with pytest.raises(CourseError, match="cannot be a folder's name"):
        export(book_of(course), Format.GRADESCOPE, tmp_path / "deep" / "down")
    assert not list(tmp_path.glob("**/evil"))


def test_the_same_marks_everywhere(course: Course) -> None:
    """The class's own table of marks is what the gradebook holds, but for the one that a person gave."""
    held = gradebook_scores(course)
    ours = {(*key, item): points for key, marks in MARKS.items() if marks for item, points in marks.items()}
    assert {key for key in held if held[key] != ours[key]} == {("李雷", TINY, "letter")}
