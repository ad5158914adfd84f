"""The wire format: what travels comes back the same, what is hostile is refused, and nothing is ever run."""

from __future__ import annotations

import base64
import copy
import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.cases import draw, rng_for, spec
from chainrule.check import DTYPES, EVIDENCE_MIME, MAX_BYTES, Other, Table, WireError, decode, encode, gather
from chainrule.evidence import MAX_TEXT, Evidence, Failure, parse, read
from chainrule.items import Probe, Seed
from chainrule.judge import judge_item
from chainrule.judge.follow import Earlier

# --------------------------------------------------------------------------- there and back

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text(max_size=5) | st.integers(-9, 9), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=100)
@given(plain)
def test_plain_data_comes_back(thing):
    """Through JSON text and back, types and all."""
    back = decode(json.loads(json.dumps(encode(thing), allow_nan=False)))
    assert back == thing
    assert type(back) is type(thing)


@pytest.mark.parametrize("dtype", sorted(DTYPES))
@pytest.mark.parametrize("shape", [(0,), (3,), (2, 3), (2, 0, 3), (1, 1, 1), (2, 1, 2, 1)])
def test_arrays_come_back(dtype, shape):
    """Every dtype and shape, bit for bit, and writable."""
    array = (np.arange(math.prod(shape)) % 2).reshape(shape).astype(dtype)
    back = decode(encode(array))
    np.testing.assert_array_equal(back, array, strict=True)
    assert back.flags.writeable


NUMBERS = [np.float64(0.1), np.float32(0.1), np.int8(-3), np.uint64(2**64 - 1), np.bool_(True)]


@pytest.mark.parametrize("number", NUMBERS)
def test_numpy_numbers_come_back(number):
    """With their type, and fit to be a key or to stand in a set, as they were."""
    back = decode(encode(number))
    assert back == number
    assert hash(back) == hash(number)
    assert decode(encode({number: 1, (number, 2): 3})) == {number: 1, (number, 2): 3}
    assert decode(encode({(number, 0)})) == {(number, 0)}


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, -0.0, 5e-324, 1e308, 0.1])
def test_floats_come_back_bit_for_bit(number):
    assert str(decode(encode(number))) == str(number)
    assert str(decode(encode(np.array([number])))[0]) == str(number)


def test_frames_come_back_as_tables():
    """Names and columns; the same name twice is two columns."""
    back = decode(encode(pd.DataFrame([[1, 2.5, "x"], [3, 4.5, "y"]], columns=["a", "a", "b"])))
    assert isinstance(back, Table)
    assert back.columns == ("a", "a", "b")
    assert [list(column) for column in back.columns_data] == [[1, 3], [2.5, 4.5], ["x", "y"]]


@pytest.mark.parametrize("thing", [object(), len, range(3), 2j, np.array([1j]), b"raw", 2**70, iter([1]), type, np])
def test_what_does_not_travel_leaves_its_type(thing):
    assert isinstance(decode(encode(thing)), Other)


def test_probes_and_seeds_are_made_new_each_time():
    """In cases, from the course's own side, a function and a generator."""
    tree = encode((Probe("lambda w: k * w", {"k": 3.0}), Seed(7)))
    function, generator = decode(tree, trusted=True)
    assert function(2.0) == 6.0
    assert generator.random() == decode(tree, trusted=True)[1].random() == np.random.default_rng(7).random()


@pytest.mark.parametrize("thing", [Probe("lambda w: w", {}), Seed(7)])
def test_probes_and_seeds_of_a_student_are_refused(thing):
    """The same trees from the other side are text that nobody runs."""
    with pytest.raises(WireError):
        decode(encode(thing))
    with pytest.raises(WireError):
        decode({"t": "list", "items": [encode(thing)]})


def test_a_probe_in_evidence_runs_nothing(tmp_path):
    """Its source would write a file."""
    trace = tmp_path / "trace"
    tree = {"t": "probe", "source": f"open({str(trace)!r}, 'w')", "names": {"t": "dict", "items": []}}
    with pytest.raises(WireError):
        decode(tree)
    assert not trace.exists()


def nested(levels):
    thing = 1.0
    for _ in range(levels):
        thing = [thing]
    return thing


def test_limits_of_what_is_sent():
    """Depth, size and number of entries; what is allowed fits what the course asks for."""
    assert decode(encode(nested(8))) == nested(8)
    for far in (nested(9), list(range(200_000)), np.zeros(MAX_BYTES // 8 + 1), "x" * (MAX_BYTES + 1)):
        with pytest.raises(WireError):
            encode(far)
    path = [[0.5, 1.5]] * 20_000
    assert decode(encode(path)) == path


def test_a_list_that_holds_itself_ends():
    loop = []
    loop.append(loop)
    with pytest.raises(WireError):
        encode(loop)


# --------------------------------------------------------------------------- hostile trees


def array_node(**changes):
    data = base64.b64encode(np.zeros(2).tobytes()).decode()
    return {"t": "array", "dtype": "f8", "shape": [2], "data": data, **changes}


def deep(levels):
    tree = {"t": "none"}
    for _ in range(levels):
        tree = {"t": "list", "items": [tree]}
    return tree


HOSTILE = {
    "no tree": 5,
    "a list": [1, 2],
    "null": None,
    "no kind": {},
    "unknown kind": {"t": "pickle", "v": "gASV"},
    "kind is a list": {"t": ["array"]},
    "kind is a dict": {"t": {"t": "array"}},
    "negative shape": array_node(shape=[-2]),
    "two negatives": array_node(shape=[-1, -2]),
    "huge shape": array_node(shape=[10**9]),
    "giant shape": array_node(shape=[10**400]),
    "shapes whose product wraps": array_node(shape=[2**32, 2**32]),
    "shape of floats": array_node(shape=[2.0]),
    "shape of truths": array_node(shape=[True, 2]),
    "shape of text": array_node(shape=["2"]),
    "shape is a number": array_node(shape=2),
    "many axes": array_node(shape=[1] * 40 + [2]),
    "no shape": {"t": "array", "dtype": "f8", "data": ""},
    "too little data": array_node(shape=[3]),
    "too much data": array_node(shape=[1]),
    "no base64": array_node(data="!!!!"),
    "base64 that is cut": array_node(data="AAAA="),
    "data not ascii": array_node(data="äöü" * 8),
    "data is a list": array_node(data=[0, 0]),
    "object dtype": array_node(dtype="O"),
    "void dtype": array_node(dtype="V8"),
    "structured dtype": array_node(dtype=[["a", "f8"]]),
    "swapped dtype": array_node(dtype=">f8"),
    "dtype is a dict": array_node(dtype={}),
    "complex dtype": array_node(dtype="c16"),
    "deep": deep(50),
    "wide": {"t": "list", "items": [{"t": "none"}] * 200_000},
    "items missing": {"t": "list"},
    "items is a number": {"t": "tuple", "items": 4},
    "dict with half a pair": {"t": "dict", "items": [[{"t": "none"}]]},
    "dict of no pairs": {"t": "dict", "items": [5]},
    "dict with a list as key": {"t": "dict", "items": [[deep(1), deep(1)]]},
    "set of dicts": {"t": "set", "items": [{"t": "dict", "items": []}]},
    "giant int": {"t": "int", "v": 10**4000},
    "int is a truth": {"t": "int", "v": True},
    "int is a float": {"t": "int", "v": 1.5},
    "truth is an int": {"t": "bool", "v": 1},
    "float is a float": {"t": "float", "v": 1.5},
    "float is code": {"t": "float", "v": "__import__('os')"},
    "float too large": {"t": "float", "v": "0x1p+99999"},
    "float too long": {"t": "float", "v": "0x1." + "0" * 60 + "p+0"},
    "text is a number": {"t": "str", "v": 3},
    "long text": {"t": "str", "v": "x" * (MAX_BYTES + 1)},
    "probe": {"t": "probe", "source": "1 / 0", "names": {"t": "dict", "items": []}},
    "seed": {"t": "seed", "v": 1},
    "table without data": {"t": "table", "columns": []},
    "other without a type": {"t": "other"},
    "other with a type that is none": {"t": "other", "type": {}},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_nodes_are_refused(name):
    """By one of the exceptions that `parse` turns into a refusal, in no time and no memory to speak of."""
    with pytest.raises((WireError, ValueError, TypeError, OverflowError)):
        decode(HOSTILE[name])


STRANGE = {
    "ragged table": {"t": "table", "columns": [{"t": "none"}] * 2, "data": [deep(0), array_node()]},
    "table with names too many": {"t": "table", "columns": [{"t": "none"}] * 2, "data": [array_node()]},
    "nan in an array": encode(np.array([np.nan, np.nan])),
    "inf": encode(math.inf),
    "half a surrogate pair": {"t": "str", "v": "\ud800"},
    "other with terminal escapes": {"t": "other", "type": "\x1b[2J\ud800<script>"},
    "empty table": {"t": "table", "columns": [], "data": []},
    "array of no axes": array_node(shape=[], data=base64.b64encode(np.zeros(1).tobytes()).decode()),
    "array of nothing": array_node(shape=[0, MAX_BYTES, MAX_BYTES], data=""),
    "empty tuple": {"t": "tuple", "items": []},
    "numbers of one's own": encode({"a": [1, {"b": (2, None)}]}),
}


@pytest.fixture(scope="module")
def forms(small):
    """One item of every form, with its drawn cases and the evidence of a right answer."""
    found = {}
    for item in small.items.values():
        cases = draw(item, small.key, rng_for(b"z" * 16, small.name, item, "s"))
        found[item.id] = (item, cases, gather(spec(item, cases), small.key.run(item.names)))
    return found


def judged(small, item, cases, text):
    evidence = parse(text, item, len(cases))
    verdict = judge_item(small, item, evidence, cases, Earlier())
    json.dumps(verdict.to_json(), ensure_ascii=False).encode()  # it can be stored
    assert not any(ord(char) < 32 for char in verdict.says)
    return evidence, verdict


@pytest.mark.parametrize("name", [*HOSTILE, *STRANGE])
@pytest.mark.parametrize("item", ["squash", "layer", "net", "even", "pull", "gain", "both", "places", "word"])
def test_hostile_answers_never_raise_and_never_score(small, forms, item, name):
    """In every place where an answer stands, for functions, values and choices."""
    found, cases, right = forms[item]
    tree, bad = copy.deepcopy(right), {**HOSTILE, **STRANGE}[name]
    if "runs" in tree:
        for run in tree["runs"]:
            run["result"] = bad
    else:
        tree["answers"] = [bad] * len(tree["answers"])
    _, verdict = judged(small, found, cases, json.dumps(tree))
    assert verdict.points == 0


def changed(tree, **fields):
    return {**copy.deepcopy(tree), **fields}


def envelopes(right):
    """Forms of a whole evidence that no honest side sends; `right` is an honest one."""
    runs = right.get("runs", [])
    run = runs[0] if runs else {}
    return {
        "not JSON": "{",
        "empty": "",
        "nan token": '{"missing": [], "answers": [NaN], "runs": NaN}',
        "infinity token": json.dumps({**right, "more": [float("-inf")]}),
        "a number": "5",
        "a text": '"crash"',
        "a list": '["crash"]',
        "null": "null",
        "an empty dict": "{}",
        "deep JSON": "[" * 100_000 + "]" * 100_000,
        "giant int": '{"missing": ' + "9" * 10_000 + "}",
        "names that nobody asked for": json.dumps(changed(right, missing=["os"])),
        "missing is null": json.dumps(changed(right, missing=None)),
        "missing is a text": json.dumps(changed(right, missing="abc")),
        "too large": "x" * (MAX_TEXT + 1),
        "bytes": b"{}",
        "a tree": {"missing": []},
        "nothing": None,
        **(
            {
                "a run too many": json.dumps(changed(right, runs=[*runs, run])),
                "a run too few": json.dumps(changed(right, runs=runs[1:])),
                "one run more than there is": json.dumps(changed(right, runs=[run])),
                "runs is null": json.dumps(changed(right, runs=None)),
                "runs is a dict": json.dumps(changed(right, runs={"0": run})),
                "runs of numbers": json.dumps(changed(right, runs=[1] * len(runs))),
                "answers in place of runs": json.dumps({"missing": [], "answers": [run["result"]]}),
                "raised is a number": json.dumps(changed(right, runs=[{**run, "raised": 5}] * len(runs))),
                "raised is a list": json.dumps(changed(right, runs=[{**run, "raised": [1]}] * len(runs))),
                "raised lacks its type": json.dumps(changed(right, runs=[{**run, "raised": {}}] * len(runs))),
                "warned is a number": json.dumps(changed(right, runs=[{**run, "warned": 5}] * len(runs))),
                "no result": json.dumps(changed(right, runs=[{"warned": [], "changed": []}] * len(runs))),
            }
            if runs
            else {
                "an answer too many": json.dumps(changed(right, answers=right["answers"] * 2)),
                "no answers": json.dumps(changed(right, answers=[])),
                "answers is null": json.dumps(changed(right, answers=None)),
                "runs in place of answers": json.dumps({"missing": [], "runs": []}),
            }
        ),
    }


@pytest.mark.parametrize("item", ["squash", "layer", "even", "pull", "both", "places", "word"])
def test_hostile_envelopes_never_raise_and_never_score(small, forms, item):
    found, cases, right = forms[item]
    assert judged(small, found, cases, json.dumps(right))[1].full  # an honest one does
    for name, text in envelopes(right).items():
        evidence, verdict = judged(small, found, cases, text)
        assert evidence.refused, name
        assert verdict.points == 0, name


@pytest.mark.parametrize("claim", ["oh dear", None, 5, ["\x1b[2J\ud800"], {"a": 1}])
def test_a_crash_is_no_score(small, forms, claim):
    """`crash` beside right answers: it is reported as the kit's own trouble, and nothing is scored from it."""
    for item in ("squash", "pull"):
        found, cases, right = forms[item]
        evidence, verdict = judged(small, found, cases, json.dumps(changed(right, crash=claim)))
        assert evidence.crash == ""
        assert verdict.points == 0


@pytest.mark.parametrize(
    ("claim", "name"), [("KeyError: 'x'", "KeyError"), ("run rm", ""), ("Ü: x", ""), ("E" * 61, ""), ("\x1b[2J", "")]
)
def test_of_a_crash_only_a_name_is_kept(small, forms, claim, name):
    """The student's process may have written the rest."""
    found, cases, right = forms["pull"]
    assert judged(small, found, cases, json.dumps(changed(right, crash=claim)))[0].crash == name


def test_raised_texts_are_cut_and_cleaned(small, forms):
    """Names, messages and lines of any length and any characters become one short printable line."""
    found, cases, _ = forms["squash"]
    raised = {"type": "E" * 500, "message": "\x1b[31m\nred\ud800" * 500, "line": "7", "code": "\x07" * 500}
    runs = [{"warned": ["\x1b" * 900] * 50, "changed": [], "raised": raised}] * len(cases)
    evidence, verdict = judged(small, found, cases, json.dumps({"missing": [], "runs": runs}))
    failure = evidence.runs[0].result
    assert isinstance(failure, Failure)
    assert (len(failure.type), len(failure.message), failure.line) == (80, 300, None)
    assert len(evidence.runs[0].warned) == 5
    assert failure.message.isprintable()
    assert verdict.points == 0


def test_missing_names_are_read(small, forms):
    """A name that is asked for and not there, for functions and for values."""
    assert parse(json.dumps({"missing": ["squash"], "runs": []}), forms["squash"][0], 3).missing == ("squash",)
    none = {"t": "none"}
    assert parse(json.dumps({"missing": ["low"], "answers": [none, none]}), forms["both"][0], 0).missing == ("low",)


# --------------------------------------------------------------------------- the test cell's outputs


def output(text, kind="display_data"):
    return {"output_type": kind, "data": {EVIDENCE_MIME: text}}


def test_one_evidence_is_read_and_two_are_refused(forms):
    """Whoever prints an evidence of their own beside the real one gets none of the two judged."""
    item, cases, right = forms["squash"]
    text = json.dumps(right)
    stream = {"output_type": "stream", "name": "stdout", "text": text}
    assert read([stream, output(text)], item, len(cases)).runs
    assert "more than one" in read([output(text), output(text)], item, len(cases)).refused
    assert "more than one" in read([output(text), output("{}")], item, len(cases)).refused


@pytest.mark.parametrize("outputs", [[], [{"output_type": "stream", "text": "x"}], [{"output_type": "display_data"}]])
def test_no_evidence_is_none(forms, outputs):
    item, cases, _ = forms["squash"]
    assert read(outputs, item, len(cases)) is None


def test_evidence_only_counts_as_display_data(forms):
    """A result or an error that carries the type is somebody else's."""
    item, cases, right = forms["squash"]
    for kind in ("execute_result", "update_display_data", "error"):
        assert read([output(json.dumps(right), kind)], item, len(cases)) is None


# --------------------------------------------------------------------------- the writing side


class Metaclass(type):
    """A class whose name cannot be had."""

    @property
    def __name__(cls):
        raise RuntimeError("no name")


class Nameless(metaclass=Metaclass):
    """Stops whoever looks at it in any way."""

    def __array__(self, *args, **kwargs):
        raise SystemExit

    def __len__(self):
        raise RuntimeError

    def __repr__(self):
        raise RuntimeError


class FakeDict(dict):
    def items(self):
        raise MemoryError


class Pretends:
    """Says that it is a number."""

    __class__ = int

    def __abs__(self):
        raise ZeroDivisionError


STUBBORN = {
    "nameless": lambda: Nameless(),
    "no items": lambda: FakeDict(),
    "pretends": lambda: Pretends(),
    "inside a list": lambda: [Nameless()],
}


@pytest.mark.parametrize("make", STUBBORN)
def test_any_object_can_be_gathered(small, forms, make):
    """An answer that cannot be looked at is evidence of that, not a stop of the gathering."""
    thing = STUBBORN[make]()
    for name in ("squash", "pull"):
        item, cases, _ = forms[name]
        answers = {"squash": lambda z: thing, "p": thing}
        evidence, verdict = judged(small, item, cases, json.dumps(gather(spec(item, cases), answers)))
        assert evidence.crash is None
        assert verdict.points == 0


def test_cases_hold_no_answers(small, forms):
    """What goes into the sandbox: names, kinds, arguments."""
    for item, cases, _ in forms.values():
        sent = spec(item, cases)
        assert set(sent) == {"names", "kind", "cases"}
        assert all(set(case) == {"args"} for case in sent["cases"])


def test_evidence_defaults_are_empty():
    assert Evidence() == Evidence(missing=(), runs=(), answers=(), refused=None, crash=None)
