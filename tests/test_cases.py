"""Cases: the same for the same student, different for others, and never ones on which a slip hides."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from chainrule.cases import (
    MARGIN,
    Drawn,
    case_file,
    distance,
    draw,
    outcomes,
    rng_for,
    slip_distances,
    slip_pairs,
    spec,
    tolerance,
    widest,
    widest_gap,
    worked_cases,
)
from chainrule.check import Tolerance, decode, encode, gaps
from chainrule.errors import CourseError
from chainrule.items import ATOL_CHOICE, FLOAT32_RTOL, Kind
from chainrule.key import Key, Raised, fresh

SECRET = b"a secret of sixteen or more"


def drawn(unit, item, student="ada", secret=SECRET, name=None):
    return draw(item, unit.key, rng_for(secret, name or unit.name, item, student))


def text(cases):
    return json.dumps([encode(case.args) for case in cases])


def test_a_regrade_draws_the_same(small):
    """Same secret, unit, item, student, version: same cases, to the bit."""
    for item in small.items.values():
        assert text(drawn(small, item)) == text(drawn(small, item))


def test_nobody_else_draws_the_same(small):
    """Another student, secret, unit, item or version has other fresh cases."""
    item = small.items["squash"]
    later = type(item)(**{**{name: getattr(item, name) for name in item.__slots__}, "version": 2})
    streams = {
        "same": drawn(small, item),
        "student": drawn(small, item, student="bob"),
        "secret": drawn(small, item, secret=SECRET + b"!"),
        "unit": drawn(small, item, name="other"),
        "version": drawn(small, later),
    }
    assert len({text(cases[1:]) for cases in streams.values()}) == len(streams)


def test_names_do_not_run_into_each_other(small):
    """Where one name ends and the next begins is part of the message."""
    item = small.items["squash"]
    one = rng_for(SECRET, "a", item, "b").random()
    assert one != rng_for(SECRET, "ab", item, "").random()


def test_what_is_drawn(small):
    """Worked first and public, then fresh ones, then the first fresh one again."""
    cases = drawn(small, small.items["squash"])
    assert [case.name for case in cases] == ["the example", "a vector", "a matrix", "one number", "a vector"]
    assert [case.public for case in cases] == [True, False, False, False, False]
    np.testing.assert_array_equal(cases[1].args[0], cases[-1].args[0])
    np.testing.assert_array_equal(worked_cases(small.items["squash"], small.key)[0].args[0], [1.5, -0.5, 2.0])


def test_only_functions_have_cases(small):
    for item in small.items.values():
        assert bool(drawn(small, item)) == (item.kind is Kind.FUNCTION)


@pytest.mark.parametrize("student", [f"student-{i}" for i in range(20)])
def test_every_student_can_be_told_from_every_slip(small, student):
    """On each drawn set, each slip is somewhere ten tolerances away, and nowhere half near."""
    for item in small.items.values():
        if item.kind is Kind.FUNCTION and item.accept is None and item.warns is None:
            for slip, far in slip_distances(item, small.key, drawn(small, item, student)).items():
                assert max(far) >= MARGIN, slip
                assert all(d <= 1 / MARGIN or d >= MARGIN for d in far), slip


ONE = '''\
# %% given="setup"
import numpy as np

# %% item="one"
def one(z):
    """number -> number."""
    ### BEGIN SOLUTION
    return z**2
    ### END SOLUTION
'''


def one_item(case, slip="z**3"):
    return f"""
ITEMS = (function("one", points=1, worked=[Worked("two", lambda given: (2.0,))],
    cases=[Case("a case", {case})], slips=[Slip("other", "z**2", "{slip}", says="other")]),)
"""


def test_cases_on_which_a_slip_hides_are_drawn_again(make_unit):
    """Near 1, where most draws fall, the cube is neither the square nor apart from it."""
    unit = make_unit(one_item("lambda rng: (float(rng.choice([3.0, *[1.00003] * 6])),)"), ONE)
    for student in ("ada", "bob", "cy"):
        assert drawn(unit, unit.items["one"], student)[1].args[0] == 3.0


def test_an_item_that_cannot_be_told_from_its_slip_is_refused(make_unit):
    """No draw helps where the slip is the solution."""
    unit = make_unit(one_item("lambda rng: (rng.normal(),)", "z * z"), ONE)
    with pytest.raises(CourseError, match=r"item one: 40 draws of its cases.*slip other is at most 0 tolerances"):
        drawn(unit, unit.items["one"])


def test_a_slip_that_is_too_near_is_refused(make_unit):
    """Apart on the worked example, and three tolerances off elsewhere: that is neither."""
    unit = make_unit(one_item("lambda rng: (3 + rng.random(),)", "z**2 * (1 + 3e-4 * (z != 2)) + (z == 2)"), ONE)
    with pytest.raises(CourseError, match="neither the same nor apart"):
        drawn(unit, unit.items["one"])


def test_a_solution_that_stops_on_a_case_is_refused(make_unit):
    """Before any student sees it."""
    unit = make_unit(one_item('lambda rng: ("text",)'), ONE)
    with pytest.raises(CourseError, match="the solution itself raises on the case 'a case'"):
        drawn(unit, unit.items["one"])


def test_distances(small):
    """In tolerances of the widest kind; infinite for another form; stops are equal to stops alone."""
    item = small.items["squash"]
    step = FLOAT32_RTOL * 2.0
    assert distance(item, np.array([2.0 + 3 * step, 1.0]), np.array([2.0, 1.0])) == pytest.approx(3)
    assert distance(item, np.array([2.0]), np.array([2.0, 1.0])) == np.inf
    assert distance(item, Raised("A"), Raised("B")) == 0
    assert distance(item, Raised("A"), 1.0) == distance(item, 1.0, Raised("A")) == np.inf


def test_tolerances_by_kind(small):
    """Functions relative, values and choices absolute; float32's is the widest where it is let in."""
    assert (tolerance(small.items["squash"]).rtol, tolerance(small.items["squash"]).atol) == (1e-7, 0)
    assert widest(small.items["squash"]).rtol == FLOAT32_RTOL
    assert (tolerance(small.items["pull"]).rtol, tolerance(small.items["pull"]).atol) == (0, 1e-4)
    assert tolerance(small.items["share"]).atol == ATOL_CHOICE
    assert widest(small.items["pull"]) == tolerance(small.items["pull"])
    assert tolerance(small.items["layer"]).parts == ("s", "a")


def test_the_case_file_holds_arguments_and_nothing_else(small):
    """No expected value, no slip, no word on which case is which."""
    cases = {item.id: drawn(small, item) for item in small.items.values()}
    sent = case_file(small.name, small.items.values(), cases)
    assert set(sent) == {"unit", "items"}
    assert set(sent["items"]) == set(small.items)
    assert all(set(item) == {"names", "kind", "cases"} for item in sent["items"].values())
    written = json.dumps(sent, allow_nan=False)
    for word in ("the example", "a vector", "sign", "no-abs", "falls", "hint", "public"):
        assert f'"{word}"' not in written
    assert spec(small.items["pull"], ()) == {"names": ["p"], "kind": "value", "cases": []}


def test_outcomes_with_and_without_edits(small):
    item = small.items["squash"]
    cases = (Drawn("x", (np.array([3.0]),), False),)
    slip = item.slips[0]
    assert outcomes(item, small.key, cases)[0].tolist() == [0.75]
    assert outcomes(item, small.key, cases, {"squash": small.key.edited("squash", slip)})[0].tolist() == [-0.75]


def test_what_drawing_asked_is_not_asked_again(small, monkeypatch):
    """The answers are those that the key gives anew; a student's own values, and other keys, are not kept."""
    for item in small.items.values():
        cases = drawn(small, item)
        for edits in ({}, *({item.id: small.key.edited(item.id, slip)} for slip in item.slips)):
            again = outcomes(item, small.key, tuple(cases), edits)
            with monkeypatch.context() as patch:
                if item.kind is Kind.FUNCTION and item.accept is None:
                    patch.setattr(Key, "answer", None)  # a call of it stops the test
                kept = outcomes(item, small.key, cases, edits)
            assert repr(kept) == repr(again)
    item = small.items["squash"]
    cases = drawn(small, item)
    other = Key("another", [])
    assert outcomes(item, other, cases) == [Raised("KeyError")] * len(cases)
    outcomes(item, small.key, cases).clear()
    assert len(outcomes(item, small.key, cases)) == len(cases)


def test_pairs_are_of_edits(small):
    """Whole solutions cannot be combined with anything."""
    pairs = {(one.name, other.name) for one, other in slip_pairs(small.items["squash"])}
    assert pairs == {("sign", "no-abs")}


LEAVES = st.one_of(
    st.floats(),
    st.floats().map(np.float64),
    st.integers(-9, 9),
    st.sampled_from([None, "text", Raised("ValueError"), np.zeros(0), np.array(3.0), np.arange(3)]),
    arrays(st.sampled_from([np.float64, np.float32]), st.sampled_from([(2,), (3,), (2, 1), (1, 2)])),
)
ANSWERS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(tuple),
        st.lists(inner, max_size=2),
        st.dictionaries(st.sampled_from("ab"), inner),
    ),
    max_leaves=4,
)


@given(ANSWERS, ANSWERS, st.sampled_from([(), ("x", ""), ("", "y", "z")]), st.sampled_from([0.0, 1e-4]))
def test_short_way_to_a_distance_is_the_long_one(got: Any, want: Any, parts: tuple[str, ...], atol: float) -> None:
    """Whatever the answers are: the widest gap, in tolerances."""
    rule = Tolerance(1e-7, atol, True, parts)
    for answer in (got, want):
        assert widest_gap(answer, want, rule) == max((gap.ratio for gap in gaps(answer, want, rule)), default=0.0)


@given(st.lists(ANSWERS, max_size=3).map(tuple))
def test_short_way_to_fresh_arguments_is_the_long_one(args: tuple[Any, ...]) -> None:
    """What a call gets is what came through the wire format, and shares nothing with the case."""
    plain = tuple(None if isinstance(arg, Raised) else arg for arg in args)
    new = fresh(plain)
    assert repr(new) == repr(decode(encode(plain), trusted=True))
    for made, arg in zip(new, plain, strict=True):
        if isinstance(made, np.ndarray):
            assert made.flags.writeable
            assert not np.shares_memory(made, arg)
