"""Definitions that contradict themselves are refused where they are written, with the way out."""

from __future__ import annotations

import dataclasses
import math

import pytest

from chainrule.items import (
    ATOL_TYPED,
    FLOAT32_RTOL,
    RTOL,
    Case,
    Item,
    ItemError,
    Kind,
    Same,
    Slip,
    Worked,
    choice,
    function,
    value,
)

CASE = Case("a case", lambda rng: (1.0,))
WORKED = Worked("an example", lambda given: (1.0,))


def slip(name="a", **fields):
    return Slip(name, "x", "y", **{"says": "words", **fields})


def test_names_default_to_the_id():
    """With underscores, as Python needs it; given names stand as they are."""
    assert value("s1-row1", points=1).names == ("s1_row1",)
    assert value("s1-row1", "s1", points=1).names == ("s1",)
    assert function("two", "f", "g", points=2, cases=[CASE]).names == ("f", "g")


def test_kinds_and_defaults():
    """Each maker its kind; lists become tuples; points are a float."""
    made = (value("v", points=1), function("f", points=2, cases=[CASE], worked=[WORKED]), choice("c", points=3))
    assert [item.kind for item in made] == [Kind.VALUE, Kind.FUNCTION, Kind.CHOICE]
    assert [type(item.points) for item in made] == [float] * 3
    assert made[1].cases == (CASE,)
    assert (made[0].rtol, made[0].atol) == (RTOL, ATOL_TYPED)
    assert RTOL < FLOAT32_RTOL


@pytest.mark.parametrize("points", [0, -1, math.nan, math.inf, -math.inf])
def test_points_are_above_zero_and_finite(points):
    with pytest.raises(ItemError, match="item v: points"):
        value("v", points=points)


@pytest.mark.parametrize("credit", [1, 1.5, -0.1, math.nan])
def test_a_slip_costs_something(credit):
    with pytest.raises(ItemError, match="slip a: credit"):
        slip(credit=credit)


@pytest.mark.parametrize("credit", [0, 0.5, 0.999])
def test_credit_below_one(credit):
    assert slip(credit=credit).credit == credit


@pytest.mark.parametrize("says", ["", "  ", "\n"])
def test_a_slip_says_something(says):
    with pytest.raises(ItemError, match="slip a: `says` is empty"):
        slip(says=says)


def test_functions_need_cases_and_values_have_none():
    with pytest.raises(ItemError, match="item f: a function needs cases"):
        function("f", points=1)
    with pytest.raises(ItemError, match="item v: cases are for functions; a value is worked once"):
        value("v", points=1, cases=[CASE])
    with pytest.raises(ItemError, match="item c: cases are for functions; a choice"):
        choice("c", points=1, worked=[WORKED])


def test_edits_have_names_of_their_own():
    """Slips and equivalents share one list of names."""
    with pytest.raises(ItemError, match=r"item v: \['a'\] named twice"):
        value("v", points=1, slips=[slip("a"), slip("a")])
    with pytest.raises(ItemError, match=r"\['a'\] named twice"):
        value("v", points=1, slips=[slip("a")], same=[Same("a", "x", "z")])
    assert len(value("v", points=1, slips=[slip("a"), slip("b")], same=[Same("c", "x", "z")]).edits) == 3


def test_three_hints_at_most():
    with pytest.raises(ItemError, match="4 hints; give three at most"):
        value("v", points=1, hints=["a", "b", "c", "d"])


@pytest.mark.parametrize("field", ["worked", "cases", "slips", "same", "builds_on", "parts", "hints"])
def test_a_text_is_no_list(field):
    """A forgotten pair of brackets would be a list of letters."""
    with pytest.raises(ItemError, match=rf"{field} is a text; write a list, {field}=\[...\]"):
        value("v", points=1, **{field: "text"})


def test_a_misspelt_field_is_refused():
    with pytest.raises(TypeError, match="slipz"):
        value("v", points=1, slipz=[])


def test_items_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        value("v", points=1).points = 5
    assert Item.__dataclass_params__.frozen
