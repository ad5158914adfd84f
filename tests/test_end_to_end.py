"""The whole path on unit 01 by the real nbgrader commands, beside `chainrule grade` on the same submissions."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory

from chainrule.build.leaks import telling_lines
from chainrule.cases import Drawn, draw, rng_for
from chainrule.course import Course, Unit
from chainrule.demo.run import make_course
from chainrule.grading.plan import notes_of
from chainrule.grading.stamp import without_stamp
from chainrule.items import Item, Slip
from chainrule.key import BEGIN, END
from chainrule.nbgrading import course_config
from helpers import HOME, cell_of, chainrule, once, scores, solved, submit

# nbgrader's own queries make SQLAlchemy warn of nothing that matters
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")

UNIT = "01-forward"
STUDENTS = ("blank", "mixed", "solved")


def nbgrader(root: Path, *words: str) -> str:
    """An nbgrader command as a person types it in the course folder."""
    command = [sys.executable, "-m", "nbgrader", *words]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def without_markers(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if line.strip() not in (BEGIN, END))


def hand_in(course: Course) -> None:
    """Three students: all right, nothing, and a mixture of slips, an exception and an edited test cell."""
    unit = course.unit(UNIT)
    key = unit.key
    slips = {slip.name: slip for item in ("sigmoid", "s1-row1") for slip in unit.items[item].slips}
    stops = Slip("stops", "", "    raise KeyError('a mistake of mine')", says="It stops.")
    answers = {
        "sigmoid": without_markers(key.edited("sigmoid", slips["slope"])),
        "s1-row1": without_markers(key.edited("s1-row1", unit.items["s1-row1"].slips[1])),
        "slip-sigmoid": 'slip_sigmoid = "c"',
        "rnn-hidden": without_markers(key.edited("rnn-hidden", stops)),
    }
    mixed = solved(unit, answers)
    cell_of(mixed, "with-bias-check").source = "pass"
    submit(course, unit, "solved", solved(unit))
    submit(course, unit, "blank", unit.release.read_text("utf-8"))
    submit(course, unit, "mixed", mixed)


def grade_both_ways(root: Path) -> None:
    """Two courses with the same secret and submissions, one graded by nbgrader's commands, one by ours."""
    courses = [make_course(Course(HOME), root / way) for way in ("nbgrader", "chainrule")]
    for course in courses:
        (course.gradebook / "secret").write_text("5e" * 32 + "\n")
        hand_in(course)
    by_nbgrader, by_us = (course.root for course in courses)
    shutil.rmtree(by_nbgrader / "release" / UNIT)
    said = [nbgrader(by_nbgrader, "generate_assignment", UNIT, "--force")]
    for student in STUDENTS[:2]:
        said.append(nbgrader(by_nbgrader, "autograde", UNIT, "--student", student))
    # the formgrader's button, for the third one
    config = course_config(by_nbgrader)
    api = NbGraderAPI(CourseDirectory(config=config), config=config)
    pressed = api.autograde(UNIT, "solved")
    said.append(nbgrader(by_nbgrader, "generate_feedback", UNIT))
    ours = chainrule(by_us, "grade", UNIT, "--jobs", "2")
    (root / "said.json").write_text(json.dumps([said, pressed, [ours.status, ours.out, ours.err]]), "utf-8")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return once(tmp_path_factory, "end-to-end", grade_both_ways)


@pytest.fixture(scope="module")
def both(root: Path) -> tuple[Course, Course]:
    """The course graded by nbgrader's own commands, and the one graded by ours."""
    return Course(root / "nbgrader"), Course(root / "chainrule")


@pytest.fixture(scope="module")
def unit(both: tuple[Course, Course]) -> Unit:
    return both[0].unit(UNIT)


def should(unit: Unit, student: str) -> Mapping[str, float]:
    """What each answer is worth by the items' own words."""
    full = {item.id: item.points for item in unit.items.values()}
    if student == "blank":
        return dict.fromkeys(full, 0.0)
    if student == "solved":
        return full
    slope = next(slip for slip in unit.items["sigmoid"].slips if slip.name == "slope")
    first = unit.items["s1-row1"].slips[1]
    return full | {
        "sigmoid": slope.credit * full["sigmoid"],
        "s1-row1": first.credit * full["s1-row1"],
        "slip-sigmoid": next(slip.credit for slip in unit.items["slip-sigmoid"].slips if '"c"' in slip.new),
        "rnn-hidden": 0.0,
    }


def test_release_by_nbgrader_is_the_committed_one(root: Path) -> None:
    """`nbgrader generate_assignment` makes byte for byte what `chainrule build` committed."""
    made, kept = root / "nbgrader" / "release" / UNIT, root / "chainrule" / "release" / UNIT
    assert sorted(path.name for path in made.iterdir()) == sorted(path.name for path in kept.iterdir())
    assert all((made / path.name).read_bytes() == path.read_bytes() for path in kept.iterdir())


@pytest.mark.parametrize("student", STUDENTS)
def test_nbgrader_and_chainrule_give_the_same_scores(both: tuple[Course, Course], unit: Unit, student: str) -> None:
    """Item by item, and what the items say: root mistakes charged once, what builds on them paid."""
    by_nbgrader, by_us = (scores(course, course.unit(UNIT), student) for course in both)
    assert by_nbgrader == by_us == should(unit, student)


@pytest.mark.parametrize("student", STUDENTS)
def test_verdicts_are_the_same(both: tuple[Course, Course], student: str) -> None:
    """Not the points alone: words, slips and hints, and the remarks."""
    notes = [notes_of(course, course.unit(UNIT), student) for course in both]
    assert notes[0] is not None
    assert notes[1] is not None
    assert notes[0]["verdicts"] == notes[1]["verdicts"]
    assert notes[0]["remarks"] == notes[1]["remarks"]
    assert notes[0]["fingerprint"] == notes[1]["fingerprint"], "neither grades anew what the other graded"


def test_formgraders_button(root: Path, both: tuple[Course, Course], unit: Unit) -> None:
    """NbGraderAPI autogrades without an error and reads the scores that the formgrader shows."""
    pressed = json.loads((root / "said.json").read_text("utf-8"))[1]
    assert pressed["success"], pressed
    config = course_config(both[0].root)
    api = NbGraderAPI(CourseDirectory(config=config), config=config)
    shown = {row["student"]: row for row in api.get_submissions(UNIT)}
    assert set(shown) == set(STUDENTS)
    for student, row in shown.items():
        assert row["score"] == sum(should(unit, student).values())
        assert row["max_score"] == unit.points
        assert row["autograded"]
        assert not row["needs_manual_grade"]


def test_command_said_the_same_as_nothing_but_the_edit(root: Path) -> None:
    """Only the edited test cell wants a look."""
    status, out, _ = json.loads((root / "said.json").read_text("utf-8"))[2]
    assert status == 3
    assert [line.split("  ")[:2] for line in out.splitlines()[:-1]] == [["mixed", "edited-test-cell"]]


def page(course: Course, student: str) -> str:
    return (course.root / "feedback" / student / UNIT / "forward.html").read_text("utf-8")


def words(text: str) -> str:
    """A page's text as it is read."""
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", text, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", "", body))


def section(text: str, item: str) -> str:
    """One item's section, as it is read."""
    found = re.search(rf'<section [^>]*aria-labelledby="item-{item}">(.*?)</section>', text, re.DOTALL)
    assert found is not None, item
    return " ".join(words(found[1]).split())


@pytest.mark.parametrize("way", [0, 1])
def test_feedback_says_what_the_judge_saw(both: tuple[Course, Course], unit: Unit, way: int) -> None:
    """The verdicts' words for each item; the known mistake by its sentence."""
    text = page(both[way], "mixed")
    sigmoid = section(text, "sigmoid")
    assert "0.5 of 2 ~ a known mistake" in sigmoid
    slope = next(slip for slip in unit.items["sigmoid"].slips if slip.name == "slope")
    assert slope.says[1:] in sigmoid
    once = sigmoid.partition("Charged once, here:")[2]
    assert "layer-forward" in once
    assert "are not charged for it again." in once
    assert "2 of 2 ✓ right, given your earlier answer" in section(text, "layer-forward")
    assert "0 of 2 ! could not be judged" in section(text, "rnn-hidden")
    assert "KeyError" in section(text, "rnn-hidden"), "the student's own exception is the student's to see"
    blank = page(both[way], "blank")
    assert all("- not answered" in section(blank, item) for item in unit.items)


def test_both_ways_make_the_same_page(both: tuple[Course, Course]) -> None:
    """`nbgrader generate_feedback` from its gradebook, `chainrule grade` without one; pictures' bytes aside."""
    for student in STUDENTS:
        ours, theirs = (re.sub(r'base64,[^"]+', "", without_stamp(page(course, student))) for course in both)
        assert ours == theirs, student


@pytest.mark.parametrize("way", [0, 1])
@pytest.mark.parametrize("student", ["mixed", "blank"])
def test_feedback_gives_nothing_away(both: tuple[Course, Course], unit: Unit, way: int, student: str) -> None:
    """No solution line, no number of a hidden case, no traceback of ours, no path of this machine."""
    course = both[way]
    text = words(page(course, student))
    own = words("".join(cell.source for cell in solved(unit).cells)) if student == "mixed" else ""
    lines = {line for line in telling_lines(unit, unit.key) if line not in own}
    hints = " ".join(hint for item in unit.items.values() for hint in item.hints)
    assert not [line for line in lines if line in text and line not in hints]
    told = " ".join(section(page(course, student), item) for item in unit.items)
    for item in unit.items.values():
        drawn = draw(item, unit.key, rng_for(course.secret(), unit.name, item, student))
        assert not hidden_numbers(told, unit, item, drawn), item.id
    for ours in ("chainrule/", "collect(", "check.py", "site-packages", str(course.root), "/chainrule"):
        assert ours not in text.replace("from check import check", ""), ours


def hidden_numbers(text: str, unit: Unit, item: Item, drawn: tuple[Drawn, ...]) -> list[str]:
    """Numbers of four digits or more in a text that are a hidden case's arguments or results, and no public one's."""
    wants = unit.key.answer(item, [case.args for case in drawn])
    found: dict[bool, list[float]] = {True: list(numbers_in(dict(unit.key.given()))), False: []}
    for case, want in zip(drawn, wants, strict=bool(drawn)):
        found[case.public] += [*numbers_in(case.args), *numbers_in(want)]
    tokens = [token for token in re.findall(r"-?\d*\.\d+", text) if len(token.strip("-0.")) >= 4]

    def among(token: str, numbers: list[float]) -> bool:
        digits = len(token.partition(".")[2])
        return any(round(number, digits) == float(token) for number in numbers)

    return [token for token in tokens if among(token, found[False]) and not among(token, found[True])]


def numbers_in(thing: object) -> Iterator[float]:
    """All floats in arguments or in a result."""
    if isinstance(thing, dict):
        thing = list(thing.values())
    if isinstance(thing, tuple | list):
        for entry in thing:
            yield from numbers_in(entry)
    elif isinstance(thing, float | np.ndarray) and np.asarray(thing).dtype.kind == "f":
        yield from (float(number) for number in np.ravel(thing))


def test_hidden_number_would_be_seen(both: tuple[Course, Course], unit: Unit) -> None:
    """The search finds a hidden argument and a hidden result, as messages write them, and no worked number."""
    item = unit.items["sigmoid"]
    drawn = draw(item, unit.key, rng_for(both[0].secret(), unit.name, item, "mixed"))
    hidden = next(case for case in drawn if case.name == "a vector")
    result = unit.key.answer(item, [hidden.args])[0]
    for number in (hidden.args[0][0], result[0]):
        assert hidden_numbers(f"`sigmoid[0]` is {number:.4f}.", unit, item, drawn) == [f"{number:.4f}"]
    assert hidden_numbers("`sigmoid[0]` is .1192.", unit, item, drawn) == []


def test_nbgrader_again_keeps_the_scores(both: tuple[Course, Course], unit: Unit, tmp_path: Path) -> None:
    """A forced second `nbgrader autograde` draws the same cases and writes the same scores."""
    root = tmp_path / "course"
    shutil.copytree(both[0].root, root)
    before = scores(Course(root), unit, "mixed")
    nbgrader(root, "autograde", UNIT, "--student", "mixed", "--force")
    assert scores(Course(root), unit, "mixed") == before
