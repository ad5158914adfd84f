"""Follow-through: the root mistake is charged once, and nothing trivial rides along."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.cases import Drawn
from chainrule.judge import Status
from chainrule.judge.follow import Base, Earlier, bases, nontrivial, usable_values
from chainrule.key import Raised

VALUES = ("pull", "bend", "gain")
FUNCTIONS = ("squash", "layer", "net")


def bend(p):
    """From p to b by the item's rule, written here."""
    return 3 * np.asarray(p, dtype=float) ** 2 - 1


def squash(z):
    return z / (1 + np.abs(z))


def layer_with(squash):
    return lambda x, w: (x @ w, squash(x @ w))


def net_with(squash):
    return lambda x, w, u: {"hidden": squash(x @ w), "out": squash(x @ w) @ u}


# --------------------------------------------------------------------------- values


def test_a_chain_of_values_is_charged_once(small, judge):
    """A wrong p; b and g are right for it."""
    p = [0.4, 2.7]
    b = bend(p)
    seen = judge(small, only=VALUES, p=p, b=b, g=b[0] - b[1] + 2)
    assert [seen[name].points for name in VALUES] == [0.0, 1.0, 1.0]
    assert seen["bend"].status is seen["gain"].status is Status.FOLLOWS
    assert seen["bend"].follows == ("pull",)
    assert "your own answer to pull" in seen["bend"].says


def test_a_chain_with_two_mistakes_is_charged_twice(small, judge):
    """A wrong p, another mistake in b, and g right for that b."""
    seen = judge(small, only=VALUES, p=[0.4, 2.7], b=[5.5, 1.25], g=5.5 - 1.25 + 2)
    assert [seen[name].points for name in VALUES] == [0.0, 0.0, 1.0]


def test_a_slip_on_top_of_an_earlier_mistake(small, judge):
    """The later item's own slip is named and charged there, the earlier mistake is not charged again."""
    p = [0.4, 2.7]
    seen = judge(small, only=VALUES, p=p, b=np.square(p) - 1, g=0.0)
    assert (seen["bend"].slips, seen["bend"].points) == (("no-three",), 0.5)
    assert seen["bend"].follows == ("pull",)


def test_the_right_value_is_right_after_a_wrong_one(small, judge):
    """Who copies the wrong p but works on with the right one loses nothing later."""
    assert judge(small, only=VALUES, p=[0.4, 2.7])["bend"].status is Status.RIGHT


def test_any_form_of_an_earlier_value_is_followed(small, judge):
    """A list, a column, a row, float32: the key runs on from the numbers."""
    for p in ([0.5, 2.75], np.array([[0.5], [2.75]]), np.array([[0.5, 2.75]]), np.float32([0.5, 2.75])):
        assert judge(small, only=VALUES, p=p, b=bend([0.5, 2.75]))["bend"].status is Status.FOLLOWS


def test_typed_values_are_followed_at_their_precision(small, judge):
    """A wrong p typed with four decimals, and b worked from it by hand."""
    p = np.array([0.3333, 2.6666])
    assert judge(small, only=VALUES, p=p, b=np.round(bend(p), 4))["bend"].full
    assert not judge(small, only=VALUES, p=p, b=np.round(bend(p), 1))["bend"].full


USELESS = {
    "zeros": [0.0, 0.0],
    "one number": [1.75, 1.75],
    "nan": [np.nan, 1.0],
    "inf": [np.inf, 1.0],
    "blank": None,
    "text": ["a", "b"],
    "too long": [0.4, 2.7, 1.0],
    "too short": [0.4],
    "a number": 0.4,
    "complex": [0.4 + 1j, 2.7],
    "a function": lambda: 1,
    "so large that all that follows overflows": [1e200, 2e200],
}


@pytest.mark.parametrize("form", USELESS)
def test_nothing_follows_from_a_value_that_carries_nothing(small, judge, form):
    """b as the rule gives it for such a p, and every shape of it, earns nothing."""
    p = USELESS[form]
    with np.errstate(all="ignore"):
        for b in (bend([0.0, 0.0]), bend([1.75, 1.75]), [np.nan, 2.0], [np.inf, 2.0], [np.inf, np.inf], p):
            assert not judge(small, only=VALUES, p=p, b=b)["bend"].full


def test_a_blank_never_follows(small, judge):
    """A wrong p, and nothing after it."""
    seen = judge(small, only=VALUES, p=[0.4, 2.7], b=None)
    assert (seen["bend"].status, seen["bend"].points) == (Status.BLANK, 0.0)


def test_what_comes_out_as_zero_does_not_follow(small, judge):
    """A b that makes g vanish: typing 0 for g shows nothing."""
    assert not judge(small, only=VALUES, b=[1.5, 3.5], g=0.0)["gain"].full


def test_usable_values(small):
    """The student's numbers in the key's shape, or None."""
    item = small.items["pull"]
    found = usable_values(item, ([[0.5], [2.0]],), small.key)
    np.testing.assert_array_equal(found["p"], [0.5, 2.0])
    scalar = usable_values(small.items["gain"], (np.array([[4]]),), small.key)
    assert scalar == {"g": 4.0}
    assert type(scalar["g"]) is float
    both = small.items["both"]
    assert usable_values(both, (1.0, 2.0), small.key) == {"low": 1.0, "high": 2.0}
    assert usable_values(both, (1.0, None), small.key) is None
    assert usable_values(small.items["word"], ("x",), small.key) is None


# --------------------------------------------------------------------------- functions


def test_a_chain_of_functions_is_charged_once(small, judge):
    """Whoever has squash's sign wrong, and calls it twice more, loses marks for squash alone."""

    def falling(z):
        return -squash(z)

    seen = judge(small, only=FUNCTIONS, squash=falling, layer=layer_with(falling), net=net_with(falling))
    assert seen["squash"].slips == ("sign",)
    assert [seen[name].points for name in FUNCTIONS] == [1.0, 2.0, 3.0]
    assert seen["layer"].follows == ("squash",)
    assert seen["net"].status is Status.FOLLOWS


def test_two_slips_at_once_are_followed(small, judge):
    """The pair that was named is what the key runs with."""

    def both(z):
        return -z / (1 + z**2)

    seen = judge(small, only=FUNCTIONS, squash=both, layer=layer_with(both))
    assert len(seen["squash"].slips) == 2
    assert seen["layer"].full


def test_the_middle_of_a_chain_may_be_mended(small, judge):
    """layer squashes rightly by itself, net calls the wrong squash: both keep their marks."""

    def falling(z):
        return -squash(z)

    seen = judge(small, only=FUNCTIONS, squash=falling, net=net_with(falling))
    assert (seen["layer"].status, seen["net"].status) == (Status.RIGHT, Status.FOLLOWS)


def test_a_later_slip_on_an_earlier_one(small, judge):
    """squash falls, and layer doubles the sums: each is charged where it was made, and net follows both."""

    def falling(z):
        return -squash(z)

    def doubled(x, w):
        return 2 * (x @ w), falling(2 * (x @ w))

    def net(x, w, u):
        return {"hidden": doubled(x, w)[1], "out": doubled(x, w)[1] @ u}

    seen = judge(small, only=FUNCTIONS, squash=falling, layer=doubled, net=net)
    assert [seen[name].slips for name in FUNCTIONS] == [("sign",), ("twice",), ()]
    assert [seen[name].points for name in FUNCTIONS] == [1.0, 1.0, 3.0]


def test_an_unknown_mistake_is_not_followed(small, judge):
    """A wrong squash that is no known slip leaves nothing to run the key with."""
    seen = judge(small, only=FUNCTIONS, squash=np.cos, layer=layer_with(np.cos))
    assert seen["squash"].points == 0
    assert not seen["layer"].full


@pytest.mark.parametrize(
    "wrong",
    [
        lambda z: 0 * z,
        lambda z: np.abs(z) * np.inf,
        lambda z: np.full(np.shape(z), 0.25),
    ],
    ids=["zeros", "inf", "one number"],
)
def test_net_does_not_follow_what_vanishes_or_blows_up(small, judge, wrong):
    """The mistake has a name, and net returns what it leads to: nothing is shown by that."""
    with np.errstate(all="ignore"):
        seen = judge(small, only=("squash", "net"), squash=wrong, net=net_with(wrong))
    assert len(seen["squash"].slips) == 1
    if wrong(1.0) != 0.25:  # weighted sums of one number still show the weights
        assert not seen["net"].full


def test_what_stops_everywhere_does_not_follow(small, judge):
    """squash's slip stops layer on every case; a layer that stops has not followed, nor has it layer's slips."""

    def on_vectors(z):
        if np.ndim(z) > 1:
            raise ValueError("rows")
        return squash(z)

    seen = judge(small, only=FUNCTIONS, squash=on_vectors, layer=layer_with(on_vectors), net=lambda x, w, u: 1 / 0)
    assert seen["squash"].slips == ("no-batch",)
    for name in ("layer", "net"):
        assert (seen[name].status, seen[name].points, seen[name].slips) == (Status.FAILED, 0.0, ())


TWO = '''\
# %% given="setup"
import numpy as np

# %% item="first"
def first(z):
    """(...) -> (...)."""
    ### BEGIN SOLUTION
    return np.tanh(z)
    ### END SOLUTION

# %% item="second"
def second(z):
    """(...) -> (...)."""
    ### BEGIN SOLUTION
    return first(z) + 2 * first(z) ** 2
    ### END SOLUTION
'''
TWO_ITEMS = """
ITEMS = (
    function("first", points=1, worked=[Worked("one", lambda given: (1.0,))],
        cases=[Case("a row", lambda rng: (rng.normal(size=4),)), Case("rows", lambda rng: (rng.normal(size=(3, 2)),))],
        slips=[Slip("rows", "", "    if np.ndim(z) > 1:\\n        raise ValueError\\n    return 2 * np.tanh(z)",
                    says="no rows"),
               Slip("flat", "", "    return np.full(np.shape(z), 0.5)", says="flat")]),
    function("second", points=1, builds_on=["first"], worked=[Worked("one", lambda given: (1.0,))],
        cases=[Case("a row", lambda rng: (rng.normal(size=4),)), Case("rows", lambda rng: (rng.normal(size=(3, 2)),))],
        slips=[Slip("once", " + 2 * first(z) ** 2", "", says="a term is missing")]),
)
"""


def test_stopping_on_some_cases_follows_if_the_others_speak(make_unit, judge):
    """first's slip stops on rows of rows; second agrees on the rest, and stops where first does."""
    unit = make_unit(TWO_ITEMS, TWO)

    def first(z):
        if np.ndim(z) > 1:
            raise ValueError
        return 2 * np.tanh(z)

    follows = judge(unit, first=first, second=lambda z: first(z) + 2 * first(z) ** 2)
    assert (follows["first"].slips, follows["second"].status) == (("rows",), Status.FOLLOWS)
    stops = judge(unit, first=first, second=lambda z: first(z[0]))
    assert stops["second"].points == 0


OVERFLOWS = """
ITEMS = (
    function("first", points=1, worked=[Worked("one", lambda given: (1.0,))],
        cases=[Case("a row", lambda rng: (rng.normal(size=4),))],
        slips=[Slip("exp", "np.tanh(z)", "np.exp(z)", says="grows")]),
    function("second", points=1, builds_on=["first"], worked=[Worked("one", lambda given: (1.0,))],
        cases=[Case("a row", lambda rng: (rng.normal(size=4),)), Case("far", lambda rng: (rng.uniform(800, 900, 4),))],
        slips=[Slip("once", " + 2 * first(z) ** 2", "", says="a term is missing")]),
)
"""


@np.errstate(all="ignore")
def test_a_draw_that_overflows_costs_nothing_if_the_others_speak(make_unit, judge):
    """first's slip is inf on the far draw, where nobody's numbers can be compared; the rows still tell."""
    unit = make_unit(OVERFLOWS, TWO)
    follows = judge(unit, first=np.exp, second=lambda z: np.exp(z) + 2 * np.exp(z) ** 2)
    assert (follows["first"].slips, follows["second"].status) == (("exp",), Status.FOLLOWS)
    slips = judge(unit, first=np.exp, second=np.exp)["second"]
    assert (slips.status, slips.slips, slips.follows) == (Status.SLIP, ("once",), ("first",))
    assert judge(unit, first=np.exp, second=lambda z: 3 * np.exp(z))["second"].points == 0


def test_one_number_everywhere_does_not_follow(make_unit, judge):
    """first is one half for all arguments, so second is one number as well: typing that number shows nothing."""
    unit = make_unit(TWO_ITEMS, TWO)
    seen = judge(unit, first=lambda z: np.full(np.shape(z), 0.5), second=lambda z: np.full(np.shape(z), 1.0))
    assert seen["first"].slips == ("flat",)
    assert not seen["second"].full


def hidden(*answers):
    return list(answers), tuple(Drawn("a case", (), False) for _ in answers)


@pytest.mark.parametrize(
    ("answers", "speaks"),
    [
        ([np.array([1.0, 2.0]), np.array([3.0, 1.0])], True),
        ([np.zeros(2), np.array([3.0, 1.0])], True),  # half of them speak
        ([np.zeros(2), np.zeros(2), np.array([3.0, 1.0])], False),
        ([np.array([1.0, np.nan]), np.array([3.0, 1.0])], True),
        ([np.array([1.0, np.nan]), np.array([np.inf, 1.0]), np.array([3.0, 1.0])], False),
        ([{"a": np.zeros(2), "b": np.zeros(3)}] * 2, False),
        ([{"a": np.zeros(2), "b": np.ones(3)}] * 2, True),
        ([(np.array([1.0, 2.0]), np.array([np.inf]))] * 2, False),
        ([[{"a": [np.full(2, 4.0)]}], (4.0, 4.0)], False),
        ([Raised("ValueError")] * 2, False),
        ([Raised("ValueError"), np.array([3.0, 1.0])], True),
        ([5.0], True),
        ([0.0], False),
        (["a text"], True),
        ([np.array([0]), np.array([2, 1])], True),  # indices: the first one is 0
        ([[0], [2, 1]], True),
        ([np.array([0]), np.array([0, 0])], False),
    ],
)
def test_nontrivial(answers, speaks):
    """Numbers are looked for in whatever holds them."""
    assert nontrivial(*hidden(*answers)) is speaks


def test_the_worked_example_is_not_asked():
    """Agreement is shown on fresh cases; the public one may vanish or not."""
    cases = (Drawn("worked", (), True), Drawn("fresh", (), False))
    assert nontrivial([np.zeros(2), np.array([1.0, 2.0])], cases)
    assert not nontrivial([np.array([1.0, 2.0]), np.zeros(2)], cases)


def test_bases_go_from_the_fullest_to_single_ones(small):
    """All earlier mistakes together first, then each alone; what was never wrong is in none of them."""
    earlier = Earlier(values={"pull": {"p": np.array([0.5, 2.0])}, "bend": {"b": np.array([1.0, 2.0])}})
    found = list(bases(small.items["gain"], small.items, earlier))
    assert [base.items for base in found] == [("pull", "bend"), ("bend",), ("pull",)]
    assert all(isinstance(base, Base) and base.edits == {} for base in found)
    assert set(found[0].values) == {"p", "b"}
    assert list(bases(small.items["both"], small.items, earlier)) == []
    assert list(bases(small.items["gain"], small.items, Earlier())) == []
