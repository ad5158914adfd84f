"""Verdicts on whole answers: what earns marks, what is named, and what is said."""

from __future__ import annotations

import copy
import json

import numpy as np
import pandas as pd
import pytest

from chainrule.cases import draw, rng_for
from chainrule.errors import KitError
from chainrule.evidence import Evidence
from chainrule.judge import Status, Verdict, judge_item, judge_unit
from chainrule.judge.follow import Earlier
from chainrule.judge.place import Place
from chainrule.judge.verdict import marks
from chainrule.verify import verdict_of


def squash(z):
    """The right answer, written here."""
    return z / (1 + np.abs(z))


# --------------------------------------------------------------------------- right and wrong


@pytest.mark.parametrize("entries", [["x", "y"], [None, 2**62], []])
def test_a_table_where_numbers_are_wanted_is_wrong(small, judge, entries):
    """Whatever it holds: pandas does not say whether two such tables are the same."""
    verdict = judge(small, only=("squash",), squash=lambda z: pd.DataFrame({"a": entries}, dtype=object))["squash"]
    assert (verdict.status, verdict.points) == (Status.WRONG, 0)
    assert not [remark for remark in verdict.remarks if "different results" in remark]


def test_the_key_gets_everything(small, judge):
    """Every item's own solution is right, in silence."""
    for verdict in judge(small).values():
        assert (verdict.status, verdict.points, verdict.remarks) == (Status.RIGHT, verdict.out_of, ())


def test_nothing_gets_nothing(small):
    """A student of whom there is no evidence at all has a blank for every item."""
    verdicts = judge_unit(small, {}, {})
    assert {verdict.status for verdict in verdicts.values()} == {Status.BLANK}
    assert sum(verdict.points for verdict in verdicts.values()) == 0


@pytest.mark.parametrize(
    ("item", "slip"),
    [("squash", "sign"), ("squash", "no-abs"), ("squash", "no-batch"), ("layer", "raw"), ("pull", "sign")],
)
def test_a_slip_is_named_and_keeps_its_credit(small, judge, item, slip):
    """The mistake's name, its words and its share, out of the answer alone."""
    found = small.items[item]
    names = small.key.run(found.names, {item: small.key.edited(item, edit_of(found, slip))})
    verdict = judge(small, only=(item,), **{name: names[name] for name in found.names})[item]
    assert verdict.slips == (slip,)
    assert verdict.status is Status.SLIP
    assert verdict.points == edit_of(found, slip).credit * found.points
    assert edit_of(found, slip).says[1:] in verdict.says


def edit_of(item, slip):
    return next(edit for edit in item.slips if edit.name == slip)


def test_two_slips_at_once_are_both_named(small, judge):
    """Both edits in one answer: two names, and the product of what they leave."""
    verdict = judge(small, only=("squash",), squash=lambda z: -z / (1 + z**2))["squash"]
    assert set(verdict.slips) == {"sign", "no-abs"}
    assert verdict.points == 2 * 0.5 * 0.5


def test_two_slips_in_a_tuple(small, judge):
    """Doubled sums that nothing squashes: each part shows one of the two."""
    verdict = judge(small, only=("layer",), layer=lambda x, w: (2 * (x @ w), 2 * (x @ w)))["layer"]
    assert set(verdict.slips) == {"twice", "raw"}


def test_always_stopping_is_no_slip(small, judge):
    """An item may know a slip that always stops; whoever's code stops for another reason has not made it."""
    verdict = judge(small, only=("squash",), squash=lambda z: z.missing)["squash"]
    assert (verdict.status, verdict.points, verdict.slips) == (Status.FAILED, 0.0, ())


def test_stopping_where_the_slip_stops_is_that_slip(small, judge):
    """Stopping on matrices alone is known, and all else is right."""

    def on_vectors(z):
        if np.ndim(z) == 2:
            raise TypeError("vectors only")
        return squash(z)

    assert judge(small, only=("squash",), squash=on_vectors)["squash"].slips == ("no-batch",)


# --------------------------------------------------------------------------- in part


def test_right_for_some_kinds_of_arguments_only(small, judge):
    """Half of the marks at most, in proportion to the kinds, which are named."""
    verdict = judge(small, only=("squash",), squash=lambda z: squash(z) if np.ndim(z) < 2 else z)["squash"]
    assert verdict.status is Status.PARTLY
    assert verdict.points == pytest.approx(0.5 * 2 / 3 * 2, abs=0.005)
    assert "Right for a vector and one number, not for a matrix." in verdict.remarks


def test_right_for_easy_arguments_only(course):
    """A net that is right where all layers have one size is told so, and gets nothing for it."""
    unit = course.unit("01-forward")
    item, right = unit.items["mlp-forward"], unit.key["mlp_forward"]

    def one_size_only(x, w1, w2):
        return (
            right(x, w1, w2)
            if w1.shape[1:] == w2.shape[1:] and len(w1) == len(w2)
            else dict.fromkeys(["s1", "a1", "s2", "a2"], 0.0)
        )

    drawn = draw(item, unit.key, np.random.default_rng(5))
    verdict = verdict_of(unit, item, drawn, {"mlp_forward": one_size_only})
    assert (verdict.status, verdict.points) == (Status.WRONG, 0.0)
    assert any(remark.startswith("Right for as many units as inputs, not for") for remark in verdict.remarks)


def test_right_for_the_worked_example_only(small, judge):
    """The public numbers typed in are worth nothing, and it is said."""
    known = squash(np.array([1.5, -0.5, 2.0]))
    verdict = judge(small, only=("squash",), squash=lambda z: known)["squash"]
    assert (verdict.status, verdict.points) == (Status.WRONG, 0.0)
    assert any("worked example only" in remark for remark in verdict.remarks)


def test_one_right_part_keeps_its_share(small, judge):
    """A tuple of two with one right part is half right."""
    verdict = judge(small, only=("layer",), layer=lambda x, w: (x @ w, np.cos(x @ w)))["layer"]
    assert (verdict.status, verdict.points) == (Status.PARTLY, 1.0)
    assert "layer -> a" in verdict.says


def test_one_right_key_keeps_its_share(small, judge):
    """A dict of two with one right entry, the other missing."""
    verdict = judge(small, only=("net",), net=lambda x, w, u: {"hidden": squash(x @ w)})["net"]
    assert (verdict.status, verdict.points) == (Status.PARTLY, 1.5)
    assert "'out'" in verdict.says


def test_results_too_many_are_not_right(small, judge):
    """Everything that is asked for and one thing more: not what was asked, and not all marks."""
    verdict = judge(small, only=("layer",), layer=lambda x, w: (x @ w, squash(x @ w), x))["layer"]
    assert verdict.status is Status.PARTLY
    assert verdict.points == pytest.approx(2 * 2 / 3, abs=0.005)


def test_dict_keys_too_many_do_no_harm(small, judge):
    """What a dict holds beside the answer is nobody's business."""
    extra = judge(
        small, only=("net",), net=lambda x, w, u: {"hidden": squash(x @ w), "out": squash(x @ w) @ u, 7: "notes"}
    )
    assert extra["net"].full


def test_one_of_two_names_keeps_its_share(small, judge):
    """Two values in one item, one of them not answered or not there."""
    assert judge(small, only=("both",), high=None)["both"].points == 0.5
    item = small.items["both"]
    gone = Evidence(missing=("high",), answers=(-1.2, None))
    assert judge_item(small, item, gone, (), Earlier()).points == 0.5
    nothing = judge_item(small, item, Evidence(missing=("low", "high"), answers=(None, None)), (), Earlier())
    assert (nothing.status, nothing.points) == (Status.BLANK, 0.0)


def test_a_wrong_value_tells_how_many_entries_are_off(small, judge):
    """One wrong entry of two, counted and marked."""
    right = small.key["p"]
    verdict = judge(small, only=("pull",), p=[right[0], right[1] + 0.37])["pull"]
    assert verdict.status is Status.WRONG
    assert verdict.place == Place(None, shape=(1, 2), off=1, size=2, marks=(".x",))
    assert verdict.where == "(1,)"


# --------------------------------------------------------------------------- how an answer behaves


def test_state_kept_between_calls_is_seen(small, judge):
    """The same arguments come twice; a growing answer gives itself away, whatever else is right."""
    calls = []

    def growing(z):
        calls.append(z)
        return squash(z) * (1 if len(calls) < 4 else 2)

    verdict = judge(small, only=("squash",), squash=growing)["squash"]
    assert not verdict.full
    assert any("from one call to the next" in remark for remark in verdict.remarks)


def test_a_harmless_memory_costs_nothing(small, judge):
    """An answer that remembers and is right all the same is right."""
    memory = {}

    def remembering(z):
        return memory.setdefault(np.asarray(z).tobytes(), squash(z))

    assert judge(small, only=("squash",), squash=remembering)["squash"].full


def in_place(z):
    z /= 1 + np.abs(z)
    return z


def test_changed_arguments_are_told(small, judge):
    """Right but in place keeps all marks, unless the item says otherwise."""
    verdict = judge(small, only=("squash",), squash=in_place)["squash"]
    assert verdict.full
    assert any("changes its arguments" in remark for remark in verdict.remarks)

    def moved(z):
        z += 1
        return z

    assert judge(small, only=("moved",), moved=moved)["moved"].points == 0.5


def test_no_call_sees_what_another_did_to_its_arguments(small, judge):
    """Arguments spoiled in one call do not spoil the next: the repeated case is right as well."""
    assert judge(small, only=("squash",), squash=in_place)["squash"].full


def loud(z):
    return 1 / np.exp(np.abs(z))


def test_a_right_answer_that_warns(small, judge):
    """Keeps the share that the item gives, under the slip's name; the warning is quoted."""
    verdict = judge(small, only=("quiet",), quiet=loud)["quiet"]
    assert (verdict.points, verdict.slips) == (0.6, ("loud",))
    assert "overflow" in verdict.says


def test_warnings_cannot_be_switched_off_for_the_whole_notebook(small, judge):
    """np.seterr in a cell of the student's does not reach into the judging; errstate inside the answer is its own."""
    with np.errstate(all="ignore"):
        assert judge(small, only=("quiet",), quiet=loud)["quiet"].points == 0.6
    with np.errstate(all="raise"):
        assert judge(small, only=("squash",), squash=squash)["squash"].full

    def careful(z):
        with np.errstate(over="ignore"):
            return loud(z)

    assert judge(small, only=("quiet",), quiet=careful)["quiet"].full


def test_warnings_cost_nothing_where_the_item_is_silent_on_them(small, judge):
    """squash does not ask for silence."""

    def noisy(z):
        np.exp(np.array([1000.0]))
        return squash(z)

    assert judge(small, only=("squash",), squash=noisy)["squash"].full


def test_an_exception_is_the_students_line(small, judge):
    """The message quotes the line of the student's code that stopped, not ours."""

    def stops(z):
        return z / [][0]  # the line in question

    verdict = judge(small, only=("squash",), squash=stops)["squash"]
    assert (verdict.status, verdict.points) == (Status.FAILED, 0.0)
    assert "return z / [][0]" in verdict.says
    assert "check.py" not in verdict.says


class Hostile(Exception):
    """An exception that cannot be printed."""

    def __str__(self):
        raise RuntimeError("no")


class LyingText(str):
    """Text whose parts are not text."""

    def __getitem__(self, place):
        return {"not": "text"}


class Lying(Exception):
    def __str__(self):
        return LyingText("a lie")


@pytest.mark.parametrize("error", [Hostile, Lying, SystemExit, RecursionError, MemoryError, StopIteration])
def test_any_exception_is_data(small, judge, error):
    """Whatever the student's code raises, this item gets nothing and the grading goes on."""

    def stops(z):
        raise error

    verdict = judge(small, only=("squash",), squash=stops)["squash"]
    assert (verdict.status, verdict.points) == (Status.FAILED, 0.0)
    assert error.__name__ in verdict.says


def test_not_implemented_is_a_blank(small, judge):
    """Both ways of leaving a function open."""

    def open_end(z):
        raise NotImplementedError

    for blank in (open_end, lambda z: None, lambda z: ...):
        assert judge(small, only=("squash",), squash=blank)["squash"].status is Status.BLANK
    assert judge(small, only=("layer",), layer=lambda x, w: (None, None))["layer"].status is Status.BLANK


@pytest.mark.parametrize("thing", [None, 3.0, "squash", [squash]])
def test_no_function_is_a_blank(small, judge, thing):
    verdict = judge(small, only=("squash",), squash=thing)["squash"]
    assert (verdict.status, verdict.points) == (Status.BLANK, 0.0)
    assert "no function called `squash`" in verdict.says


@pytest.mark.parametrize("answer", [None, ...])
def test_an_open_value_is_a_blank(small, judge, answer):
    assert judge(small, only=("pull",), p=answer)["pull"].status is Status.BLANK


def test_expected_numbers_are_named_for_public_cases_only(small, judge):
    """The worked example's number is shown; a fresh case's never is."""
    public = judge(small, only=("squash",), squash=lambda z: z + 5.0)["squash"]
    assert (public.where, public.want) == ("the example", "0.6")  # 1.5 / 2.5
    hidden = judge(small, only=("squash",), squash=lambda z: squash(z) if np.size(z) == 3 else z * 7)["squash"]
    assert hidden.want is None
    assert "expected" not in hidden.says


def test_values_never_show_what_is_expected(small, judge):
    verdict = judge(small, only=("gain",), g=1234.5)["gain"]
    assert verdict.want is None
    assert f"{small.key['g']:.4g}" not in json.dumps(verdict.to_json())


# --------------------------------------------------------------------------- judged by accept


def test_accept_judges_what_has_many_right_answers(small, judge):
    """Any even number above n is right; an odd one is the named slip; too low earns nothing."""
    assert judge(small, only=("even",), even=lambda n: 2 * int(n) + 10)["even"].full
    odd = judge(small, only=("even",), even=lambda n: 2 * int(n) + 1)["even"]
    assert (odd.slips, odd.points) == (("odd",), 0.5)
    assert judge(small, only=("even",), even=lambda n: -2)["even"].status is Status.WRONG


@pytest.mark.parametrize("answer", ["six", (), {}, float("nan"), float("inf"), np.arange(3.0), int])
def test_a_form_that_accept_cannot_read_is_wrong_and_no_crash(small, judge, answer):
    verdict = judge(small, only=("even",), even=lambda n: answer)["even"]
    assert (verdict.points, verdict.full) == (0.0, False)
    assert "form" in verdict.says


@pytest.mark.parametrize("error", [ZeroDivisionError, AssertionError, OverflowError, LookupError, RecursionError])
def test_accept_may_stop_on_strange_answers_in_any_way(make_unit, judge, error):
    """Whatever the author's judging stops with, one answer is lost and not the grading of the rest."""
    unit = make_unit(
        f"def _accept(trial):\n    if trial.got != 1.0:\n        raise {error.__name__}\n\n"
        'ITEMS = (value("one", points=1, accept=_accept),)\n',
        '# %% given="setup"\nimport numpy as np\n\n# %% item="one"\none = None\n'
        "### BEGIN SOLUTION\none = 1.0\n### END SOLUTION\n",
    )
    assert judge(unit)["one"].full
    assert judge(unit, one=2.0)["one"].points == 0


# --------------------------------------------------------------------------- choices


@pytest.mark.parametrize("answer", ["left", " LEFT ", "Left", np.str_("left"), np.array("left")])
def test_case_and_outer_spaces_do_not_count(small, judge, answer):
    assert judge(small, only=("word",), word=answer)["word"].full


@pytest.mark.parametrize("answer", ["right", "lef t", "l", "", 1, ["left"], {"left"}, b"left", True])
def test_other_words_are_wrong(small, judge, answer):
    assert judge(small, only=("word",), word=answer)["word"].points == 0


@pytest.mark.parametrize(
    "answer",
    [
        {(0, 1), (2, 0)},
        [(2, 0), (0, 1)],
        [[0, 1], [2, 0]],
        ((2, 0), (0, 1)),
        {tuple(pair) for pair in np.argwhere(np.array([[0, 1], [0, 0], [1, 0]]))},
        np.argwhere(np.array([[0, 1], [0, 0], [1, 0]])),
        list(zip(*np.nonzero(np.array([[0, 1], [0, 0], [1, 0]])), strict=True)),
        {(0.0, 1.0), (2.0, 0.0)},
        frozenset({(0, 1), (2, 0)}),
    ],
    ids=str,
)
def test_a_set_of_pairs_in_any_order_and_form(small, judge, answer):
    """numpy's own integers and arrays count, as np.argwhere gives them."""
    assert judge(small, only=("places",), places=answer)["places"].full


@pytest.mark.parametrize("answer", [{(0, 1)}, {(0, 1), (2, 0), (1, 1)}, {(1, 0), (0, 2)}, {0, 1, 2}, [], "", 3, None])
def test_other_sets_are_wrong(small, judge, answer):
    assert not judge(small, only=("places",), places=answer)["places"].full


@pytest.mark.parametrize("answer", [0.05, 1 / 20, np.float32(0.05), [0.05], np.array([[0.05]])])
def test_a_chosen_number_in_any_form(small, judge, answer):
    assert judge(small, only=("share",), share=answer)["share"].full


@pytest.mark.parametrize("answer", [0.050002, "0.05", 5, np.nan, [0.05, 0.05], 0.05 + 0j])
def test_other_numbers_are_wrong(small, judge, answer):
    assert judge(small, only=("share",), share=answer)["share"].points == 0


# --------------------------------------------------------------------------- refused, marks, data


def test_refused_evidence_fails_one_item_alone(small):
    cases = {i.id: draw(i, small.key, rng_for(b"x" * 16, small.name, i, "s")) for i in small.items.values()}
    verdicts = judge_unit(small, {"pull": Evidence(refused="the answer is too large to be judged")}, cases)
    assert verdicts["pull"].status is Status.FAILED
    assert verdicts["pull"].says == "The answer is too large to be judged."


def test_a_key_that_stops_is_the_kits_fault(make_unit, judge):
    """A solution that raises is never turned into a score."""
    unit = make_unit(
        'ITEMS = (value("one", points=1), value("two", points=1))\n',
        '# %% given="setup"\nimport numpy as np\n\n'
        '# %% item="one"\none = None\n### BEGIN SOLUTION\none = 1.0\n### END SOLUTION\n\n'
        '# %% item="two"\ntwo = None\n### BEGIN SOLUTION\ntwo = [][0]\n### END SOLUTION\n',
    )
    with pytest.raises(KitError, match="item two: the solution itself stops with IndexError"):
        judge_item(unit, unit.items["two"], Evidence(answers=(1.0,)), (), Earlier())


@pytest.mark.parametrize("points", [0.01, 0.5, 1.0, 2.0, 3.0, 7.25])
@pytest.mark.parametrize("share", [0.0, 1e-9, 1 / 3, 0.5, 0.99, 0.9999999, 1.0, 1.5, -0.2])
def test_marks(points, share):
    """A plain float with two decimals; all of the points for the whole share alone, and none below zero."""
    got = marks(share, points)
    assert type(got) is float
    assert got == round(got, 2)
    assert 0 <= got <= points
    assert (got == points) == (share >= 1)
    assert abs(got - min(max(share, 0), 1) * points) <= 0.01


def test_full_means_all_points(small, judge):
    """No verdict but right and follows carries all points, whatever its share."""
    for verdict in judge(small, p=[0.0, 1.0], squash=lambda z: -squash(z), places={(9, 9)}).values():
        assert verdict.full == (verdict.status in (Status.RIGHT, Status.FOLLOWS))


def test_a_verdict_survives_json(small, judge):
    """Every field comes back with its type, for every kind of outcome."""
    seen = judge(small, squash=lambda z: -squash(z), p=[1.0, 2.0], b=None, low="x", word=3, quiet=loud)
    for verdict in seen.values():
        assert Verdict.from_json(json.loads(json.dumps(verdict.to_json()))) == verdict
        assert type(verdict.points) is float


def test_hints_and_the_next_step_travel_with_wrong_answers(small, judge):
    """One next step, and every hint in its order; a right answer needs none."""
    wrong = judge(small, only=("squash",), squash=lambda z: z)["squash"]
    assert (wrong.next_step, wrong.hints) == ("first hint", ("first hint", "second hint", "third hint"))
    assert judge(small, only=("squash",))["squash"].next_step is None


def test_judging_changes_neither_evidence_nor_cases(small):
    """Pure: the same evidence, judged twice, gives the same verdict and is what it was."""
    item = small.items["bend"]
    evidence = Evidence(answers=(np.array([1.0, 2.0]),))
    before = copy.deepcopy(evidence)
    assert judge_item(small, item, evidence, (), Earlier()) == judge_item(small, item, evidence, (), Earlier())
    np.testing.assert_array_equal(evidence.answers[0], before.answers[0])
