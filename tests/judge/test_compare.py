"""Which forms of the right numbers count, which never do, and how near is near enough."""

from __future__ import annotations

import math
import warnings
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.cases import tolerance
from chainrule.check import Table, Tolerance, as_array, decode, encode, first_gap, gap_text, same_shape
from chainrule.items import function, value
from chainrule.verify import typed

RULE = Tolerance(1e-7)
NUMBERS = np.array([1.25, -0.5, 3.0])
TABLE = np.array([[1.25, -0.5, 3.0], [0.75, 2.0, -4.0]])
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # numpy advises against its own matrix; students find it all the same
    MATRIX, TABLE_MATRIX = np.asmatrix(NUMBERS), np.asmatrix(TABLE)


def over_the_wire(thing):
    return decode(encode(thing))


SAME_NUMBERS = {
    "array": NUMBERS,
    "list": NUMBERS.tolist(),
    "tuple": tuple(NUMBERS.tolist()),
    "column": NUMBERS[:, None],
    "row": NUMBERS[None],
    "nested list": [[1.25], [-0.5], [3.0]],
    "float32": NUMBERS.astype(np.float32),
    "list of float32": list(NUMBERS.astype(np.float32)),
    "float16": NUMBERS.astype(np.float16),
    "long double": NUMBERS.astype(np.longdouble),
    "big-endian": NUMBERS.astype(">f8"),
    "objects": NUMBERS.astype(object),
    "fractions": [Fraction(5, 4), Fraction(-1, 2), 3],
    "decimals": [Decimal("1.25"), Decimal("-0.5"), Decimal(3)],
    "0-d arrays": [np.array(entry) for entry in NUMBERS],
    "arrays of one": [np.array([entry]) for entry in NUMBERS],
    "matrix": MATRIX,
    "series": pd.Series(NUMBERS, index=list("cab")),
    "frame": pd.DataFrame({"a": NUMBERS}),
    "nullable series": pd.Series(NUMBERS, dtype="Float64"),
    "nothing masked": np.ma.array(NUMBERS, mask=False),
    "strided": np.repeat(NUMBERS, 2)[::2],
    "read-only": np.broadcast_to(NUMBERS, (3,)),
}


@pytest.mark.parametrize("form", SAME_NUMBERS)
def test_forms_of_the_same_numbers(form):
    """What a student may call a vector; the wire changes nothing about it."""
    assert first_gap(over_the_wire(SAME_NUMBERS[form]), NUMBERS, RULE) is None


@pytest.mark.parametrize(
    "table",
    [
        TABLE,
        TABLE.tolist(),
        np.asfortranarray(TABLE),
        list(TABLE),
        pd.DataFrame(TABLE),
        pd.DataFrame(TABLE, columns=["a", "a", "b"]),
        pd.DataFrame(TABLE, columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)])),
        TABLE_MATRIX,
        TABLE[None],
        TABLE[:, None, :],
    ],
    ids=["array", "list", "fortran", "rows", "frame", "same names", "two-level names", "matrix", "batch", "middle"],
)
def test_forms_of_the_same_table(table):
    assert first_gap(over_the_wire(table), TABLE, RULE) is None


TWO = [2, 2.0, np.int8(2), np.uint64(2), np.float32(2), np.array(2), [2], [[2.0]], Fraction(2)]


@pytest.mark.parametrize("two", TWO)
def test_forms_of_a_number(two):
    assert first_gap(over_the_wire(two), 2.0, RULE) is None


REFUSED = {
    "nan": np.array([1.25, np.nan, 3.0]),
    "inf": np.array([1.25, -np.inf, 3.0]),
    "strings": ["1.25", "-0.5", "3.0"],
    "one string": [1.25, "-0.5", 3.0],
    "text array": NUMBERS.astype(str),
    "bytes": [b"1.25", b"-0.5", b"3"],
    "None inside": [1.25, None, 3.0],
    "None": None,
    "complex": NUMBERS + 0j,
    "Python's complex": [1.25 + 0j, -0.5, 3.0],
    "ragged": [[1.25], [-0.5, 3.0]],
    "generator": (entry for entry in NUMBERS),
    "range": range(3),
    "iterator": map(float, NUMBERS),
    "a function": lambda: NUMBERS,
    "a type": float,
    "dict": dict(enumerate(NUMBERS)),
    "set": set(NUMBERS.tolist()),
    "one masked": np.ma.array(NUMBERS, mask=[False, True, False]),
    "missing value": pd.Series([1.25, None, 3.0], dtype="Float64"),
    "dates": np.array(["2024-01-01"] * 3, dtype="M8[D]"),
    "records": np.array([(1.25,), (-0.5,), (3.0,)], dtype=[("a", "f8")]),
    "too short": NUMBERS[:2],
    "too long": [*NUMBERS, 0.0],
    "outer product": np.tile(NUMBERS, (3, 1)),
    "a number": 1.25,
    "empty": [],
    "its first entry everywhere": np.full(3, 1.25),
    "whole numbers": NUMBERS.astype(int),
    "truth": NUMBERS != 0,
    "other order": NUMBERS[::-1],
    "an object": object(),
}


@pytest.mark.parametrize("form", REFUSED)
def test_what_is_never_the_right_numbers(form):
    """Refused with a sentence, never with an exception."""
    gap = first_gap(over_the_wire(REFUSED[form]), NUMBERS, RULE)
    assert gap is not None
    assert not gap.ratio <= 1
    assert gap_text(gap, "x", public=False).startswith("`x")


def test_messages_say_what_form_is_wanted():
    """Seen and wanted, in plain words."""

    def words(got, want):
        return gap_text(first_gap(over_the_wire(got), want, RULE), "x", public=True)

    assert words(TABLE.T, TABLE) == "`x` has shape (3, 2) (that is its transpose); shape (2, 3) is wanted."
    assert words(NUMBERS[:2], NUMBERS) == "`x` has shape (2,); shape (3,) is wanted."
    assert words(None, NUMBERS) == "`x` is None; an array of shape (3,) is wanted."
    assert words((v for v in NUMBERS), NUMBERS) == "`x` is of type generator; an array of shape (3,) is wanted."
    assert words("3", 3.0) == "`x` is of type str; a number is wanted."
    assert words(NUMBERS, {"a": 1.0}) == "`x` is an array of shape (3,); a dict is wanted."
    assert words({"a": 1.0}, {"a": 1.0, "b": 2.0}) == "`x` has no key 'b'."
    assert words({"a": [1.0, 2.5]}, {"a": NUMBERS[:2]}) == "`x['a'][0]` is 1; expected about 1.25."
    assert "2 results are wanted" in words(3.0, (1.0, 2.0))


def test_the_expected_number_stays_out_of_hidden_cases():
    gap = first_gap(7.0, 3.14159, RULE)
    assert "3.14" in gap_text(gap, "x", public=True)
    assert "3.14" not in gap_text(gap, "x", public=False)


# --------------------------------------------------------------------------- how near


@given(st.integers(-8, 8), st.integers(0, 5), st.sampled_from([-1, 1]))
def test_the_tolerance_is_of_the_largest_entry(power, place, sign):
    """Half of it is right and double of it is wrong, at every size and in every entry, small ones too."""
    want = np.array([3.0, -1.0, 0.0, 1e-9, 2.0, -3.0]) * 10.0**power
    off = np.zeros(6)
    off[place] = sign * 3.0 * 10.0**power * RULE.rtol
    assert first_gap(want + off / 2, want, RULE) is None
    assert first_gap(want + off * 2, want, RULE).where == (place,)


def test_float32_has_a_tolerance_of_its_own():
    """An answer that is off by float32's rounding is right in float32, and wrong in float64 or where it is not let."""
    want = np.array([1.0, 2.0])
    near = want * (1 + 3e-6)
    assert first_gap(near.astype(np.float32), want, RULE) is None
    assert first_gap(near, want, RULE) is not None
    assert first_gap(near.astype(np.float32), want, RULE._replace(float32=False)) is not None
    assert first_gap((want * 1.001).astype(np.float32), want, RULE) is not None


def test_nan_equals_nan_only_for_slips():
    """A slip's own nan is recognised by itself; against a number it is infinitely far."""
    assert first_gap([np.nan, 1.0], np.array([np.nan, 1.0]), RULE) is None
    assert first_gap([np.nan, 1.0], np.array([2.0, 1.0]), RULE).ratio == math.inf
    assert first_gap([2.0, 1.0], np.array([np.nan, 1.0]), RULE).ratio == math.inf


@pytest.mark.parametrize(
    ("got", "want", "same"),
    [
        ((3,), (3, 1), True),
        ((1, 3), (3,), True),
        ((), (1, 1), True),
        ((2, 3), (3, 2), False),
        ((6,), (2, 3), False),
        ((0,), (), False),
        ((3, 0), (3,), False),
    ],
)
def test_axes_of_one_do_not_count(got, want, same):
    assert same_shape(got, want) is same


def test_parts_that_are_not_judged():
    """A part named "" may be anything, and may be left out at the end; the others are held to."""
    rule = Tolerance(1e-7, parts=("a", "", "c", ""))
    want = (1.0, 2.0, 3.0, 4.0)
    assert first_gap((1.0, "anything", 3.0, None), want, rule) is None
    assert first_gap((1.0, "anything", 3.0), want, rule) is None
    assert first_gap((1.0, 2.0), want, rule) is not None
    assert first_gap((1.0, 2.0, 3.5, 4.0), want, rule).path == "c"


def test_tuples_may_come_as_lists_and_arrays():
    want = (np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    assert first_gap([[1, 2], [3, 4]], want, RULE) is None
    assert first_gap(np.array([[1, 2], [3, 4]]), want, RULE) is None
    assert first_gap({0: [1, 2], 1: [3, 4]}, want, RULE) is not None
    assert first_gap(pd.DataFrame([[1, 2], [3, 4]]), want, RULE) is not None


def test_texts_inside_answers():
    """Keys and texts are compared as texts, with the typographic minus read as a minus."""
    assert first_gap(["a", "\u22121"], ["A ", "-1"], RULE) is None
    assert first_gap(["a", "b"], ["b", "a"], RULE) is not None
    assert first_gap("1", 1.0, RULE) is not None
    assert first_gap(1.0, "1", RULE) is not None


def test_as_array_of_a_table():
    """A table is its columns side by side; one with text in it is no array of numbers."""
    np.testing.assert_array_equal(as_array(Table(("a", "b"), ([1, 2], [3.0, 4.0]))), [[1, 3], [2, 4]])
    assert as_array(Table(("a", "b"), ([1, 2], ["x", "y"]))) is None


# --------------------------------------------------------------------------- values worked by hand


def test_what_is_wanted_of_values_and_functions():
    """Values are judged at four decimals, functions at the item's own tolerance."""
    assert tolerance(value("v", points=1)).atol == 1e-4
    one = function("f", points=1, cases=[object()], rtol=1e-9)
    assert (tolerance(one).rtol, tolerance(one).atol) == (1e-9, 0.0)


@settings(max_examples=200)
@given(st.lists(st.floats(-50, 50), min_size=1, max_size=6), st.booleans(), st.integers(4, 8))
def test_typed_values_count(entries, cut, digits):
    """Rounded or cut to four or more decimals, any number of any size counts at 1e-4."""
    want = np.array(entries)
    assert first_gap(typed(want, digits, cut), want, tolerance(value("v", points=1))) is None


@given(st.floats(-50, 50), st.sampled_from([-1, 1]))
def test_values_off_by_more_than_four_decimals_do_not(number, sign):
    assert first_gap(number + sign * 1.01e-4, np.array(number), tolerance(value("v", points=1))) is not None
