"""course.toml's policy as it is read, and every way in which it can be wrong."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import pytest

from chainrule.course import Course
from chainrule.demo.run import make_course
from chainrule.errors import CourseError
from chainrule.policy import Counting, Extension, Late, Policy, read_late, read_policy
from chainrule.policy.rules import seconds_late

HOME = Path(__file__).resolve().parents[2]
ITEMS = """
from chainrule.items import Slip, choice
ITEMS = (choice("letter", points=1, slips=[Slip("a", '"b"', '"a"', credit=0, says="No.")]),)
"""


@pytest.fixture
def policy_of(tmp_path: Path) -> Callable[[str], Policy]:
    """`policy_of(text)` reads a course.toml of a course with the units 01-one, 02-two and 12-three."""
    for unit in ("01-one", "02-two", "12-three"):
        (tmp_path / "authoring" / unit).mkdir(parents=True)
        (tmp_path / "authoring" / unit / "items.py").write_text(ITEMS)

    def read(text: str) -> Policy:
        (tmp_path / "course.toml").write_text(text, "utf-8")
        return read_policy(Course(tmp_path))

    return read


def test_nothing_said(policy_of: Callable[[str], Policy]) -> None:
    """Without a table there is no policy, and grading is left to nbgrader's configuration."""
    assert policy_of('[course]\nid = "x"\n') == Policy()
    assert policy_of("[late]\n").late == Late()


def test_every_key_is_read(policy_of: Callable[[str], Policy]) -> None:
    """Units by name and number; times by their offset or in the zone; `all` with an exception beside it."""
    policy = policy_of(
        """
        [late]
        share_per_day = 0.25
        share_at_most = 1
        grace_minutes = 2.5
        closed_after_days = 3
        [due]
        zone = "Europe/Berlin"
        "01-one" = 2026-10-12T23:59:00
        "02" = 2026-10-12T23:59:00-05:00
        "12" = 2026-01-31
        [extensions.0012]
        all = "2 weeks"
        "01" = "1 day"
        "02" = 2026-10-14
        [extensions."zoë.x"]
        "12" = "90 minutes"
        [grades]
        drop_lowest = 2
        extra_credit = ["12", "01/letter"]
        [grades.weights]
        "01" = 1
        "02" = 2.5
        "12" = 0
        """
    )
    assert policy.late == Late(0.25, 1, 2.5, 3)
    assert policy.due == {
        "01-one": datetime(2026, 10, 12, 21, 59),
        "02-two": datetime(2026, 10, 13, 4, 59),
        "12-three": datetime(2026, 1, 31, 22, 59, 59),
    }
    assert policy.extensions == {
        "0012": {
            "01-one": Extension(days=1),
            "02-two": Extension(until=datetime(2026, 10, 14, 21, 59, 59)),
            "12-three": Extension(days=14),
        },
        "zoë.x": {"12-three": Extension(minutes=90)},
    }
    weights = {"01-one": 1.0, "02-two": 2.5, "12-three": 0.0}
    assert policy.counting == Counting(2, weights, frozenset({"12-three"}), frozenset({("01-one", "letter")}))
    assert policy_of('[grades]\nweights = "equal"').counting.weights == dict.fromkeys(weights, 1.0)
    assert policy_of('[grades]\nweights = "points"').counting.weights is None


def test_hour_that_the_clocks_pass_twice(policy_of: Callable[[str], Policy]) -> None:
    """The second one is meant; of the hour that they pass over there is none."""
    assert policy_of('[due]\nzone = "Europe/Berlin"\n"01" = 2026-10-25T02:30:00').due["01-one"] == datetime(
        2026, 10, 25, 1, 30
    )
    with pytest.raises(CourseError, match=r"\[due\] 01 takes a time that there is in Europe/Berlin.*2026-03-29T02:30"):
        policy_of('[due]\nzone = "Europe/Berlin"\n"01" = 2026-03-29T02:30:00')


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[lates]", "there are tables course, .*grading, late, due.*; found lates"),
        ('zone = "UTC"', "there are tables .*found zone"),
        ("late = 3", r"late is a table, headed \[late\]; found 3"),
        ("[late]\nper_day = 0.1", r"\[late\] knows share_per_day, .*; found per_day"),
        ("[late]\nshare_per_day = 10", r"\[late\] share_per_day takes a share of the score, from 0 to 1; found 10"),
        ("[late]\nshare_per_day = nan", "share_per_day takes .*found nan"),
        ("[late]\nshare_per_day = true", "share_per_day takes .*found True"),
        ('[late]\nshare_at_most = "half"', "share_at_most takes .*found 'half'"),
        ("[late]\ngrace_minutes = -1", "grace_minutes takes minutes, 0 or more; found -1"),
        ("[late]\ngrace_minutes = inf", "grace_minutes takes minutes, 0 or more; found inf"),
        ("[late]\nclosed_after_days = 1.5", "closed_after_days takes a whole number of days, 0 or more; found 1.5"),
        ('[due]\n"03" = 2026-01-01', r"\[due\]: no unit called '03'; there are 01-one, 02-two, 12-three"),
        ('[due]\n"o" = 2026-01-01', r"\[due\]: no unit called 'o'"),
        (
            '[due]\nzone = "UTC"\n"01" = 2026-01-01\n"01-one" = 2026-01-02',
            r"\[due\] names 01-one twice, as 01 and 01-o",
        ),
        ('[due]\n"01" = "2026-01-01"', r"\[due\] 01 takes a date or a date and time without quotes.*'2026-01-01'"),
        ('[due]\n"01" = 12:00:00', r"\[due\] 01 takes a date or a date and time .*found 12:00:00"),
        ('[due]\n"01" = 2026-01-01', r"\[due\] 01 takes a time with its offset, or \[due\] zone .*found 2026-01-01"),
        ('[due]\nzone = "Berlin"', r"\[due\] zone takes a time zone by its name, as in .*found 'Berlin'"),
        ("[due]\nzone = 2", r"\[due\] zone takes a time zone"),
        ('[extensions]\n0012 = "3 days"', r'\[extensions\] takes a table for each student.*\[extensions."0012"\]'),
        ('[extensions.a.b]\nall = "3 days"', r"\[extensions.a.b\]: put an id that holds a dot in quotes"),
        ('[extensions.a]\n"07" = "3 days"', r"\[extensions.a\]: no unit called '07'"),
        ('[extensions.a]\nall = "soon"', r"\[extensions.a\] all takes \"3 days\".*found 'soon'"),
        ('[extensions.a]\nall = "-3 days"', r"\[extensions.a\] all takes \"3 days\".*found '-3 days'"),
        ("[extensions.a]\nall = 3", r"\[extensions.a\] all takes \"3 days\".*found 3"),
        (
            '[due]\nzone = "UTC"\n"01" = 2026-01-02\n[extensions.a]\n"01" = 2026-01-01',
            r"\[extensions.a\] 01-one takes a moment after the unit is due for all",
        ),
        ("[grades]\ndrop = 1", r"\[grades\] knows drop_lowest, weights, extra_credit; found drop"),
        ("[grades]\ndrop_lowest = 3", r"\[grades\] drop_lowest takes a whole number from 0 to 2.*found 3"),
        ('[grades]\nweights = "even"', r"\[grades\] weights takes \"points\", \"equal\".*found 'even'"),
        ('[grades.weights]\n"01" = 1\n"02" = 1', r"\[grades.weights\] takes a number for each unit; none for 12-three"),
        ('[grades.weights]\n"01" = -1', r"\[grades.weights\] 01 takes a number, 0 or more; found -1"),
        ('[grades]\nextra_credit = "12"', r"\[grades\] extra_credit takes a list of units and items.*found '12'"),
        ("[grades]\nextra_credit = [12]", r"\[grades\] names units in quotes; found 12"),
        ('[grades]\nextra_credit = ["44"]', r"\[grades\]: no unit called '44'"),
        (
            '[grades]\nextra_credit = ["01/word"]',
            r"\[grades\] extra_credit: 01-one has no item 'word'; there are letter",
        ),
    ],
)
def test_what_is_wrong_is_named(policy_of: Callable[[str], Policy], tmp_path: Path, text: str, told: str) -> None:
    """The file, the table, the key, what it takes and what was found."""
    with pytest.raises(CourseError, match=told) as error:
        policy_of(text)
    assert str(error.value).startswith(f"{tmp_path / 'course.toml'}: ")


def test_late_alone_needs_no_units(tmp_path: Path) -> None:
    """A cluster's worker has one unit of the course: what it reads must not ask for the others."""
    (tmp_path / "course.toml").write_text('[late]\nshare_per_day = 0.5\n[due]\n"01" = 2026-01-01T00:00:00Z\n')
    assert read_late(Course(tmp_path)) == Late(0.5)


def test_commented_example_is_right(tmp_path: Path) -> None:
    """What stands commented in course.toml, here and in a demo's course, can be used as it is."""
    text = resources.files("chainrule.policy").joinpath("example.toml").read_text("utf-8")
    assert (HOME / "course.toml").read_text("utf-8").endswith(f"\n\n{text}")
    demo = make_course(Course(HOME), tmp_path / "demo")
    assert (demo.root / "course.toml").read_text("utf-8").endswith(f"\n\n{text}")
    assert read_policy(demo) == Policy()
    used = re.sub(r'^# (?=["a-z[])', "", text, flags=re.MULTILINE)
    (demo.root / "course.toml").write_text(used, "utf-8")
    policy = read_policy(demo)
    assert policy.late == Late(0.1, 0.5, 15, 7)
    assert policy.due["02-loss"] == datetime(2026, 10, 19, 21, 59, 59)
    assert policy.extensions["0012"]["02-loss"] == Extension(days=7)
    assert policy.counting.extra_items == {("03-partials", "numeric-gradient")}


# --------------------------------------------------------------------------- the page that explains it

PAGE = (HOME / "docs" / "policy.md").read_text("utf-8")
EXAMPLE = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)[0]
ROWS = re.findall(r"^\| (\d{4}) \| (\d\d) \| (\S+) \| (\d) \| (\d+) % \| (\S+) \|$", PAGE, re.MULTILINE)


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    """What docs/policy.md shows, read in this course."""
    root = tmp_path_factory.mktemp("example")
    (root / "authoring").symlink_to(HOME / "authoring")
    (root / "course.toml").write_text(EXAMPLE, "utf-8")
    return read_policy(Course(root))


def test_page_has_its_table() -> None:
    """The rows below are those of the page."""
    assert len(ROWS) == 11


@pytest.mark.parametrize(("student", "unit", "handed_in", "days", "percent", "left"), ROWS)
def test_page_tells_the_truth(
    example: Policy, student: str, unit: str, handed_in: str, days: str, percent: str, left: str
) -> None:
    """Each row of docs/policy.md, worked out."""
    moment = datetime.fromisoformat(handed_in).replace(tzinfo=example.zone).astimezone(UTC).replace(tzinfo=None)
    name = next(name for name in example.due if name.startswith(unit))
    assert example.late is not None
    seconds = seconds_late(moment, example.due_for(name, student))
    assert example.late.days(seconds) == int(days)
    assert round(100 * example.late.share(seconds)) == int(percent)
    assert 16 - example.late.penalty(16, seconds) == float(left)


def test_page_names_every_key() -> None:
    """No key without its row, no row without its key."""
    first = "\n".join(re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE))
    told = set(re.findall(r"`(?:\[[\w.]+\] )?\"?(\w+)\"?`", first))
    keys = {*Late.__dataclass_fields__, "zone", "UNIT", "all", "drop_lowest", "weights", "extra_credit"}
    assert told == keys
    assert set(tomllib.loads(EXAMPLE)) == {"late", "due", "extensions", "grades"}
