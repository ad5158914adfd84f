"""What a wrong answer's numbers say: factors, transposes, single rows, known slips."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from chainrule.cases import draw, outcomes, rng_for
from chainrule.errors import BuildError
from chainrule.evidence import Failure
from chainrule.items import Slip
from chainrule.judge.diagnose import agree, all_agree, edited_twice, known_slips, recognised, signs
from chainrule.key import Raised

RNG = np.random.default_rng(5)
WANTS = [RNG.normal(size=(5, 3)), RNG.normal(size=(4, 2))]
FAILED = Failure("ValueError", "no", 1, "")


def sign_of(change, wants=WANTS):
    return signs([change(want) for want in wants], wants)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda w: -w, "opposite sign"),
        (lambda w: 2 * w, "twice"),
        (lambda w: w / 2, "half"),
        (lambda w: w * len(w), "N times"),
        (lambda w: w / len(w), "1/N"),
        (lambda w: w.T, "transpose"),
        (lambda w: 0 * w, "zero"),
        (lambda w: np.where(np.arange(len(w))[:, None] == 0, w, w + 1), "only the first row"),
        (lambda w: np.where(np.arange(len(w))[:, None] == len(w) - 1, w, w - 1), "only the last row"),
        (lambda w: w * np.nan, "not finite"),
        (lambda w: np.where(w > 0, w, np.inf), "not finite"),
    ],
)
def test_signs(change, says):
    """What holds in every case is said."""
    assert says in sign_of(change)


@pytest.mark.parametrize(
    "change",
    [
        lambda w: w,
        lambda w: 3.7 * w,
        lambda w: w + 1,
        lambda w: w[1:],
        lambda w: np.abs(w),
        lambda w: -w if len(w) == 5 else w,
        lambda w: w.T if len(w) == 5 else w,
        lambda w: w * len(w) if len(w) == 5 else w / len(w),
        lambda w: None,
        lambda w: "text",
        lambda w: FAILED,
        lambda w: 1e308 * w,
    ],
)
def test_no_sign_where_there_is_none(change):
    """Nothing is made up, and nothing warns, whatever the numbers are."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert sign_of(change) is None


def test_signs_in_dicts_and_tuples():
    """Every entry must agree on the sign; one that does not silences it."""
    wants = [{"a": WANTS[0], "b": (WANTS[1], WANTS[0])}]
    opposite = [{"a": -WANTS[0], "b": (-WANTS[1], -WANTS[0])}]
    mixed = [{"a": -WANTS[0], "b": (WANTS[1], -WANTS[0])}]
    assert "opposite" in signs(opposite, wants)
    assert signs(mixed, wants) is None


def test_one_of_two_rows_is_no_sign():
    """With two rows, one right one is as likely to be chance."""
    want = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert signs([want + np.array([[0.0], [1.0]])], [want]) is None


def test_agree(small):
    """Exceptions agree with exceptions, numbers with numbers, and neither with the other."""
    item = small.items["squash"]
    assert agree(item, FAILED, Raised("TypeError"))
    assert not agree(item, FAILED, 1.0)
    assert not agree(item, 1.0, Raised("TypeError"))
    assert agree(item, 1.0 + 1e-9, 1.0)
    assert not all_agree(item, [1.0], [1.0, 1.0])
    assert not all_agree(item, [], [1.0])


def test_recognised(small):
    """Equal to the mistake, which differs from the right answer and does not stop everywhere."""
    item = small.items["squash"]
    assert recognised(item, [2.0, FAILED], [2.0, Raised("E")], [1.0, 1.0])
    assert not recognised(item, [FAILED, FAILED], [Raised("E"), Raised("E")], [1.0, 1.0])
    assert not recognised(item, [1.0, 2.0], [1.0, 2.0], [1.0, 2.0])
    assert not recognised(item, [2.0, 3.0], [2.0, 4.0], [1.0, 1.0])


def drawn_and_wants(small, name):
    item = small.items[name]
    cases = draw(item, small.key, rng_for(b"y" * 16, small.name, item, "s"))
    return item, cases, outcomes(item, small.key, cases)


@pytest.mark.parametrize(("name", "slip"), [("squash", "sign"), ("layer", "twice"), ("net", "sums")])
def test_known_slips_are_found_by_their_answers(small, name, slip):
    """Each slip's own answers are its own; one changed entry of them is not."""
    item, cases, wants = drawn_and_wants(small, name)
    edit = next(one for one in item.slips if one.name == slip)
    theirs = outcomes(item, small.key, cases, {name: small.key.edited(name, edit)})
    assert known_slips(item, small.key, theirs, wants, cases) == (edit,)
    assert known_slips(item, small.key, [*theirs[:-1], wants[-1]], wants, cases) == ()


def test_right_answers_and_crashes_are_no_slip(small):
    item, cases, wants = drawn_and_wants(small, "squash")
    assert known_slips(item, small.key, wants, wants, cases) == ()
    assert known_slips(item, small.key, [FAILED] * len(wants), wants, cases) == ()


def test_two_edits_in_one_solution(small):
    """Both texts are replaced; where one takes the other's place away there is no such pair."""
    item = small.items["squash"]
    slips = {slip.name: slip for slip in item.slips}
    text = edited_twice(item, small.key, slips["sign"], slips["no-abs"])
    names = {"np": np}
    exec(text, names)
    assert names["squash"](2.0) == -0.4
    sign, left_out = small.items["pull"].slips
    assert edited_twice(small.items["pull"], small.key, left_out, sign) is None
    with pytest.raises(BuildError, match="stands 0 times"):
        small.key.edited("pull", Slip("gone", "not there", "", says="x"))
