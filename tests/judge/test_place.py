"""Where an answer is off: the parts, the entries, the first step; and never a number of a case."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from chainrule.course import Course
from chainrule.evidence import Failure
from chainrule.items import Case, Kind, Steps, function, value
from chainrule.judge.place import MAX_SIDE, Place, common_keys, place_of
from chainrule.judge.verdict import Verdict
from chainrule.render import place_words

COURSE = Course(Path(__file__).resolve().parents[2])
ITEM = function("f", points=1, cases=[Case("a case", lambda rng: ())])
TABLE = np.arange(12.0).reshape(3, 4) + 1


def spoiled(table, *places):
    other = table.copy()
    for at in places:
        other[at] += 1
    return other


def test_a_matrix_marks_its_wrong_entries():
    place = place_of(ITEM, spoiled(TABLE, (0, 1), (2, 3)), TABLE, "a case")
    assert place == Place("a case", shape=(3, 4), off=2, size=12, marks=(".x..", "....", "...x"))


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_what_is_not_finite_is_wrong(number):
    other = TABLE.copy()
    other[1, 0] = number
    assert place_of(ITEM, other, TABLE).marks == ("....", "x...", "....")


def test_right_within_the_tolerance_is_right():
    assert place_of(ITEM, TABLE * (1 + 1e-9), TABLE) is None
    assert place_of(dataclasses.replace(ITEM, rtol=1e-12), TABLE * (1 + 1e-9), TABLE).off == 12
    worked = value("v", points=1)
    assert worked.kind is Kind.VALUE
    assert place_of(worked, TABLE + 5e-5, TABLE) is None
    assert place_of(worked, TABLE + 5e-4, TABLE).off == 12


def test_float32_is_held_to_its_own_precision():
    assert place_of(ITEM, TABLE.astype(np.float32) * np.float32(1 + 1e-6), TABLE) is None
    assert place_of(dataclasses.replace(ITEM, float32=False), TABLE.astype(np.float32) / 3 * 3.00001, TABLE) is not None


def test_a_large_matrix_is_marked_in_blocks():
    large = np.ones((100, 30))
    place = place_of(ITEM, spoiled(large, (99, 29), (0, 0)), large)
    assert place.block == (9, 3)
    assert len(place.marks) <= MAX_SIDE
    assert {len(row) for row in place.marks} == {10}
    assert (place.marks[0], place.marks[-1]) == ("x" + "." * 9, "." * 9 + "x")
    assert place.off == 2


@pytest.mark.parametrize(("axis", "shape"), [(0, (6,)), (0, (6, 2)), (1, (2, 6))])
def test_first_wrong_step_of_a_sequence(axis, shape):
    """From the front or, on the way back, from the end."""
    want = np.ones(shape)
    got = np.moveaxis(want.copy(), axis, 0)
    got[2:4] += 1
    got = np.moveaxis(got, 0, axis)
    forth = place_of(dataclasses.replace(ITEM, steps=Steps(axis)), got, want)
    back = place_of(dataclasses.replace(ITEM, steps=Steps(axis, backwards=True)), got, want)
    assert (forth.first_step, back.first_step) == (2, 3)
    assert forth.shape[forth.steps] == 6
    assert "first wrong step is step 2 of 0 to 5; the steps before it are right" in place_words(forth)[-1]
    assert "first wrong step is step 3 of 0 to 5; the steps after it are right" in place_words(back)[-1]


def test_parts_of_a_tuple_and_of_a_dict():
    """Which parts are right, and the first wrong one's entries."""
    got, want = (TABLE, spoiled(TABLE, (1, 1))), (TABLE, TABLE)
    named = place_of(dataclasses.replace(ITEM, parts=("s", "a")), got, want)
    assert named.parts == (("s", True), ("a", False))
    assert (named.part, named.off) == ("a", 1)
    assert [name for name, _ in place_of(ITEM, got, want).parts] == ["result 0", "result 1"]
    wants = [{"s": TABLE, "a": 1.0}, {"s": TABLE * 2, "a": 3.0}]
    of_dict = place_of(ITEM, {"s": TABLE, "a": 2.0}, wants[0], names=common_keys(wants))
    assert of_dict == Place(None, (("s", True), ("a", False)), "a")
    assert place_words(of_dict) == ["Of its parts, `a` is off; `s` is right."]


def test_keys_that_come_from_a_case_are_not_told():
    """A vocabulary's letters are the hidden case's own."""
    wants = [{"h": 0, "e": 1}, {"q": 0, "z": 1}]
    assert common_keys(wants) == ()
    assert place_of(ITEM, {"q": 1, "z": 0}, wants[1], names=common_keys(wants)) is None


@pytest.mark.parametrize(
    "got", [None, "text", TABLE.T, TABLE[:2], [TABLE, TABLE], Failure("ValueError", "m", 1, "x"), {"s": TABLE}, 3.0]
)
def test_another_form_has_no_place(got):
    assert place_of(ITEM, got, TABLE) is None


def test_a_place_holds_no_number_of_the_case():
    """Answers of very different sizes with the same places wrong have the same place."""
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(3, 4)), 1e6 * rng.normal(size=(3, 4))
    assert place_of(ITEM, spoiled(one, (1, 2)), one) == place_of(ITEM, spoiled(other, (1, 2)), other)


def test_whole_numbers_of_a_hidden_case_are_not_marked():
    """A few rounds of guesses would read classes from the marks; a public case's are known."""
    classes = np.array([0, 2, 1, 0])
    guess = np.zeros(4, int)
    assert place_of(ITEM, guess, classes).marks == (".xx.",)
    assert place_of(ITEM, guess, classes, hidden=True) is None
    assert place_of(ITEM, guess.tolist(), classes.tolist(), hidden=True) is None
    named = dataclasses.replace(ITEM, parts=("p", "k"))
    place = place_of(named, (TABLE, guess), (TABLE, classes), "a case", hidden=True)
    assert place == Place("a case", (("p", True), ("k", False)), "k")
    assert place_of(ITEM, spoiled(TABLE, (1, 2)), TABLE, hidden=True).off == 1


def test_hidden_classes_are_told_by_their_first_wrong_one_alone(judge):
    """The judge tells the public cases, which have two points, from the hidden ones."""
    unit = COURSE.unit("08")
    right = unit.key["predict"]

    def of_hidden(*args):
        return np.where(np.arange(len(right(*args))) > 1, 1, right(*args))

    seen = judge(unit, only=("predict",), predict=of_hidden)["predict"]
    assert not seen.full
    assert (seen.place, seen.got) == (None, "1")
    seen = judge(unit, only=("predict",), predict=lambda *args: 1 - right(*args))["predict"]
    assert seen.place.marks


def test_slips_say_where(small, judge):
    """A slip in the second part of a tuple; a follower's own slip is off beside what it takes over."""
    raw = judge(small, only=("layer",), layer=lambda x, w: (x @ w, x @ w))["layer"]
    assert raw.slips == ("raw",)
    assert raw.place.parts == (("s", True), ("a", False))
    p = small.key["p"] + np.array([0.3, -0.7])
    second = judge(small, only=("pull", "bend"), p=p, b=p**2 - 1)["bend"]
    assert (second.slips, second.follows, second.builds_on) == (("no-three",), ("pull",), ("pull",))
    assert second.place is not None
    for verdict in (raw, second):
        assert Verdict.from_json(json.loads(json.dumps(verdict.to_json()))) == verdict


@pytest.mark.parametrize(
    ("place", "says"),
    [
        (Place(None, shape=(2, 2), off=4, size=4, marks=("xx", "xx")), "All 4 entries are off."),
        (Place(None, shape=(2, 4), off=2, size=8, marks=("..x.", "..x.")), "2 of 8 entries are off, all in column 2."),
        (Place(None, shape=(4, 2), off=3, size=8, marks=("xx", ".x", "..", "..")), "all in rows 0 and 1."),
        (Place(None, shape=(1, 3), off=1, size=3, marks=("x..",)), "1 of 3 entries is off."),
    ],
)
def test_words_for_a_matrix(place, says):
    assert says in place_words(place)[0]
