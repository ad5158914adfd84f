"""check() at home: in a plain process beside its data, and its verdicts one by one."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
import subprocess
import sys
import warnings
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule import check as module
from chainrule.build.public import public_data
from chainrule.cases import tolerance
from chainrule.check import STEPS, digest_gaps, digest_node, first_gap, home_verdict
from chainrule.course import Course
from chainrule.items import Kind, value
from chainrule.verify import typed, verdict_of

UNITS = Course(Path(__file__).resolve().parents[1]).unit_names()
SQUASH = "def squash(z):\n    return z / (1 + np.abs(z))\n"


@pytest.fixture(scope="session")
def data(small):
    """The public data of the small unit, as text."""
    return public_data(small, small.key)


@pytest.fixture
def at_home(data, monkeypatch):
    """`at_home("squash", squash)` is whether it passes, and the words."""
    specs = json.loads(data)["items"]
    monkeypatch.setattr(module, "_attempts", {})
    monkeypatch.setattr(module, "_named", set())
    return lambda item, *answers: home_verdict(item, specs[item], answers)


@pytest.fixture
def run(tmp_path, data):
    """`run(code)` runs a plain Python process beside check.py; what it prints, in two streams."""
    shutil.copy(module.__file__, tmp_path / "check.py")
    (tmp_path / "check_data.json").write_text(data, "utf-8")

    def process(code, **changes):
        head = "import numpy as np\nfrom check import check\n"
        done = subprocess.run(
            [sys.executable, "-c", head + code], cwd=tmp_path, capture_output=True, text=True, check=False, **changes
        )
        assert done.returncode == 0, done.stderr
        return done.stdout, done.stderr

    process.folder = tmp_path
    return process


# --------------------------------------------------------------------------- in a plain process


def test_right_prints_and_wrong_goes_to_stderr(run):
    """One process, both outcomes, each in its own stream."""
    out, err = run(SQUASH + "check('squash', squash)\ncheck('word', 'right')\ncheck('word', ' Left ')")
    assert out == (
        "squash: right on the worked example (2 points). Fresh numbers are drawn when it is graded.\n"
        "word: right (1 point).\n"
    )
    assert (
        err == 'word: `word` is "right", which is not right. The words to choose from: left, right.\n  the other one\n'
    )


def test_it_needs_nothing_of_the_kit(run):
    """numpy and the standard library: neither chainrule nor pandas is imported."""
    seen = "print(sorted({'chainrule', 'pandas', 'IPython'} & set(sys.modules)))"
    out, err = run("import sys\ncheck('word', 'left')\n" + seen)
    assert (out, err) == ("word: right (1 point).\n[]\n", "")


def test_data_are_found_beside_check_and_not_in_the_working_folder(run, tmp_path):
    """A notebook may change its folder."""
    out, _ = run("import os\nos.chdir('/')\ncheck('word', 'left')")
    assert "right" in out


@pytest.mark.parametrize("damage", ["", "{", "[]", "{}", '{"items": 3}', '{"items": [1]}', "\udcff"])
def test_damaged_data_say_so(run, damage):
    """In words, on stderr, without a traceback."""
    (run.folder / "check_data.json").write_bytes(damage.encode("utf-8", "surrogateescape"))
    assert run("check('word', 'left')") == (
        "",
        "check: check_data.json is missing or damaged; it belongs beside check.py. Fetch it again.\n",
    )


def test_missing_data_say_so(run):
    (run.folder / "check_data.json").unlink()
    out, err = run("check('word', 'left')")
    assert out == ""
    assert "missing or damaged" in err


def test_an_unknown_item_and_the_wrong_number_of_answers(run):
    """The two ways of calling check wrongly."""
    _, err = run("check('wrod', 'left')\ncheck(np.sin)\ncheck([1], 2)\ncheck('word')\ncheck('both', 1)")
    lines = err.splitlines()
    assert lines[0] == "check: there is no item called 'wrod' in this unit."
    assert all("there is no item called" in line for line in lines[:3])
    assert lines[3] == "word: check needs 1 answers here: word."
    assert lines[4] == "both: check needs 2 answers here: low, high."


def test_the_students_exception_is_quoted_with_its_line(run):
    """And the process goes on."""
    code = "import pathlib\npathlib.Path('own.py').write_text('def squash(z):\\n    return z.missing\\n')\n"
    out, err = run(code + "from own import squash\ncheck('squash', squash)\nprint('on')")
    assert out == "on\n"
    assert "it stops with AttributeError" in err
    assert "(line 2 of the cell: `return z.missing`)" in err
    assert "Traceback" not in err


def test_leaving_does_not_leave(run):
    """exit() inside of an answer is an answer that stops."""
    out, err = run("def squash(z):\n    raise SystemExit(3)\ncheck('squash', squash)\nprint('on')")
    assert out == "on\n"
    assert "stops with SystemExit" in err


def test_what_an_answer_prints_is_kept_away(run):
    """Only the verdict is to be read."""
    out, _ = run("def squash(z):\n    print('noise')\n    return z / (1 + np.abs(z))\ncheck('squash', squash)")
    assert "noise" not in out


def test_hints_get_stronger_and_stay_at_the_last(run):
    """One a try; a blank is no try."""
    code = "check('squash', lambda z: None)\n" + "check('squash', lambda z: z)\n" * 4
    _, err = run(code)
    assert re.findall(r"Hint (\d) of 3: (\w+) hint", err) == [
        ("1", "first"),
        ("2", "second"),
        ("3", "third"),
        ("3", "third"),
    ]
    assert "Hint" not in err.splitlines()[0]


def test_a_mistake_told_by_name_uses_up_no_hint_until_it_comes_back(run):
    """A slip, an exception or another form says what is wrong; the first hint is kept for what needs one."""
    code = "check('squash', lambda z: -z / (1 + abs(z)))\ncheck('squash', lambda z: 1 / 0)\n"
    _, err = run(code + "check('squash', lambda z: z)\n" + code)
    found = re.findall(r"it falls|ZeroDivisionError|Hint \d", err)
    assert found == [
        *("it falls", "ZeroDivisionError", "Hint 1"),
        *("it falls", "Hint 2", "ZeroDivisionError", "Hint 3"),
    ]


# --------------------------------------------------------------------------- functions


def squash(z):
    return z / (1 + np.abs(z))


def test_a_slip_is_named_at_home(at_home):
    right, text = at_home("squash", lambda z: -squash(z))
    assert not right
    assert "`squash[0]` is -0.6; expected about 0.6." in text
    assert "it falls" in text


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda z: z[:2], "has shape (2,); shape (3,) is wanted"),
        (lambda z: None, "not answered yet: `squash` returns nothing"),
        (lambda z: "text", "is of type str; an array of shape (3,) is wanted"),
        (lambda z: z * np.nan, "is nan"),
        (lambda z: z + 1j, "is of type array of complex128"),
        (lambda: 1, "stops with TypeError"),
        (3, "a number; a function is wanted"),
        (None, "None; a function is wanted"),
        (lambda z: {frozenset(): object()}, "is of type dict"),
        (lambda z: iter(z), "is of type iterator"),
        (lambda z: [[[[[[[[[[z]]]]]]]]]], "WireError"),
    ],
)
def test_wrong_forms_at_home(at_home, answer, says):
    """In plain words, never an exception."""
    right, text = at_home("squash", answer)
    assert not right
    assert says in text


def test_all_functions_of_all_forms_pass_at_home(small, at_home):
    """The key itself, item by item."""
    for item in small.items.values():
        names = small.key.run(item.names)
        right, text = at_home(item.id, *(names[name] for name in item.names))
        assert right, text


def test_warnings_and_changed_arguments_at_home(at_home):
    """Told at home as they are told in grading, where the item minds."""
    right, text = at_home("quiet", lambda z: (np.array([1e9]) * 1e308, np.exp(-np.abs(z)))[1])
    assert not right
    assert "RuntimeWarning: overflow" in text

    def moved(z):
        z += 1
        return z

    right, text = at_home("moved", moved)
    assert not right
    assert "changes its arguments" in text
    assert "As it is, it keeps 0.5 of 1 point." in text


def test_home_says_what_a_blemish_leaves_as_grading_pays_it(small, judge, at_home):
    """The same points in both places, for a warning and for changed arguments."""

    def moved(z):
        z += 1
        return z

    def loud(z):
        return (np.array([1e9]) * 1e308, np.exp(-np.abs(z)))[1]

    for item, answer in (("moved", moved), ("quiet", loud)):
        points = judge(small, only=(item,), **{item: answer})[item].points
        assert 0 < points < 1
        assert f"it keeps {points:g} of 1 point." in at_home(item, answer)[1]


@pytest.mark.parametrize(
    ("item", "answer", "says"),
    [
        ("layer", lambda x, w: x @ w, "`layer` is one array of shape (1, 2); 2 results (s, a) are wanted"),
        ("layer", lambda x, w: 3.0, "`layer` is one number; 2 results (s, a) are wanted"),
        ("layer", lambda x, w: [x @ w], "`layer` has 1 result; 2 results (s, a) are wanted"),
        ("layer", lambda x, w: (1, 2, 3), "`layer` has 3 results; 2 results (s, a) are wanted"),
        ("squash", lambda z: 0 * z - 0.0 * z**2 - 0.0, "is 0; expected about 0.6"),
        ("squash", lambda z: -0.0 * np.abs(z), "is 0; expected about 0.6"),
        ("squash", lambda z: 1.0, "`squash` is a single number; shape (3,) is wanted"),
    ],
)
def test_wording(at_home, item, answer, says):
    """What is counted is had, what is one is called one, and zero has no sign."""
    right, text = at_home(item, answer)
    assert not right
    assert says in text


def test_items_judged_by_behaviour_are_only_run(at_home):
    """A wrong number passes at home, another form does not."""
    right, text = at_home("even", lambda n: 7)
    assert right
    assert "is judged when it is graded" in text
    assert not at_home("even", lambda n: 1 / 0)[0]
    assert not at_home("even", lambda n: None)[0]
    assert "`even` has shape (2,); a single number is wanted." in at_home("even", lambda n: [2, 4])[1]
    assert "`even` is of type str; a number is wanted." in at_home("even", lambda n: "ten")[1]


# --------------------------------------------------------------------------- values


@pytest.mark.parametrize("answer", [None, ...])
def test_an_open_value_is_no_attempt(at_home, answer):
    right, text = at_home("pull", answer)
    assert not right
    assert text == "pull: not answered yet: `p` is None."


def test_a_value_slip_is_named_at_home(small, at_home):
    right, text = at_home("pull", -small.key["p"])
    assert not right
    assert "both have the other sign" in text
    assert "(2 entries are off.)" not in text


def test_wrong_values_show_themselves_and_nothing_else(small, at_home):
    """The student's number and its place; the expected one is nowhere."""
    p = small.key["p"]
    right, text = at_home("pull", [p[0], 123.0])
    assert not right
    assert "`p[1]` is 123, which is not right." in text
    assert f"{p[1]:.3g}" not in text
    assert "has shape (3,); shape (2,) is wanted" in at_home("pull", [1, 2, 3])[1]
    assert "`low` is not right" in at_home("both", "x", "y")[1] or "of type str" in at_home("both", "x", "y")[1]


class Unwilling:
    """Stops whoever makes an array of it, as a tensor that needs its gradient does."""

    def __array__(self, *args, **kwargs):
        raise RuntimeError("detach first")


FORMS = {
    "right": lambda p: p,
    "list": lambda p: p.tolist(),
    "column": lambda p: p[:, None],
    "float32": lambda p: p.astype(np.float32),
    "series": lambda p: pd.Series(p),
    "frame": lambda p: pd.DataFrame([p]),
    "fractions": lambda p: [Fraction(float(entry)) for entry in p],
    "objects": lambda p: p.astype(object),
    "typed": lambda p: typed(p),
    "off by less than four decimals": lambda p: p + 0.99e-4,
    "off by more than four decimals": lambda p: p - 1.01e-4,
    "three digits": lambda p: typed(p, 1),
    "negative": lambda p: -p,
    "zeros": lambda p: 0 * p,
    "strings": lambda p: [str(entry) for entry in p],
    "complex": lambda p: p + 0j,
    "nan": lambda p: p * np.nan,
    "inf": lambda p: p * np.inf,
    "none inside": lambda p: [p[0], None],
    "ragged": lambda p: [[p[0]], [p[1], 1.0]],
    "generator": lambda p: (entry for entry in p),
    "range": lambda p: range(2),
    "function": lambda p: lambda: p,
    "masked": lambda p: np.ma.array(p, mask=[True, False]),
    "not masked": lambda p: np.ma.array(p),
    "twice": lambda p: [p, p],
    "dict": lambda p: dict(enumerate(p)),
    "unwilling": lambda p: Unwilling(),
    "deep": lambda p: [[[[[[[[[[p]]]]]]]]]],
    "giant": lambda p: [10**400, 1],
    "huge": lambda p: p * 1e300,
}


@pytest.mark.parametrize("form", FORMS)
def test_home_and_grading_agree_on_forms(small, judge, at_home, form):
    """What is accepted in one place is accepted in the other, and nothing stops."""
    answer = FORMS[form]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        right, text = at_home("pull", answer(small.key["p"]))
        assert right == judge(small, only=("pull",), p=answer(small.key["p"]))["pull"].full, text


CHOICES = {
    "places": [
        *({(0, 1), (2, 0)}, [[0, 1], [2, 0]], np.array([[2, 0], [0, 1]]), {(np.int64(0), 1), (2.0, 0)}, {(0, 1)}),
        *([[0, 1], [0, 1], [2, 0]], "x", 3, [], [[0, [1]], [2, 0]], {"a": 1}, object(), [{}], 10**400, np.nan),
    ],
    "word": ["left", "LEFT ", "right", 3, None, ["left"], b"left", np.str_("left"), np.array("left"), object()],
    "share": [0.05, 1 / 20, np.float32(0.05), "0.05", 0.0500005, 0.0500015, 5, 10**400, [0.05], 0.05j, True, None],
}


@pytest.mark.parametrize(("item", "number"), [(item, i) for item, some in CHOICES.items() for i in range(len(some))])
def test_home_and_grading_agree_on_choices(small, judge, at_home, item, number):
    """Short answers in any form, right, wrong and strange."""
    answer = CHOICES[item][number]
    right, text = at_home(item, answer)
    assert right == judge(small, only=(item,), **{small.items[item].names[0]: answer})[item].full, text


@settings(max_examples=300)
@given(
    st.floats(-300, 300),
    st.floats(-1.5, 1.5),
    st.sampled_from([1e-4, 1.5e-4, 2.5e-4, 1e-6, 5e-3]),
)
def test_home_is_never_laxer_than_the_judge(number, off, atol):
    """What passes at home passes in grading; what passes in grading passes at home but for the last 1/1024."""
    item = value("v", points=1, atol=atol)
    got, want = number + off * atol, np.array(number)
    home = not digest_gaps(digest_node(want, "salt", atol), got, "salt", "v")
    judge = first_gap(got, want, tolerance(item)) is None
    distance = abs(got - number) / atol
    if abs(distance - 1) > 1e-6:  # on the very edge, rounding decides
        assert judge == (distance < 1)
        assert judge or not home
    if distance <= 1 - 1 / STEPS - 1e-6:
        assert home


@settings(max_examples=100)
@given(st.lists(st.floats(-9, 9), min_size=1, max_size=5), st.booleans())
def test_typed_values_pass_at_home(entries, cut):
    """Rounded to four decimals always; cut, unless within 1/1024 of the tolerance's edge."""
    want = np.array(entries)
    got = typed(want, cut=cut)
    if np.max(np.abs(got - want)) <= 1e-4 * (1 - 1 / STEPS):
        assert not digest_gaps(digest_node(want, "salt", 1e-4), got, "salt", "v")


@given(st.lists(st.floats(-9, 9), min_size=1, max_size=5))
def test_rounded_values_pass_at_home(entries):
    want = np.array(entries)
    assert not digest_gaps(digest_node(want, "salt", 1e-4), typed(want), "salt", "v")


def test_digests_depend_on_place_and_salt():
    """Equal numbers in two places, or in two items, cannot be seen to be equal."""
    node = digest_node(np.array([0.5, 0.5]), "a", 1e-4)
    assert len(set(node["entries"])) == 2
    assert node["entries"] != digest_node(np.array([0.5, 0.5]), "b", 1e-4)["entries"]
    assert "0.5" not in json.dumps(node)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("up", '`way[1]` is "up", which is not right. The words to choose from: up, down, on.'),
        ("away", '`way[1]` is "away", which is none of the words to choose from: up, down, on.'),
        (3, "`way[1]` is a number; one of these words is wanted: up, down, on."),
    ],
)
def test_words_are_shown_as_the_question_lists_them(make_unit, answer, says):
    """In the question's order, without Python's signs; 1 and 1.0 are one key, and a quoted word in prose is no list."""
    text = (
        '# %% given="setup"\nk = 1\n\n# %% [markdown]\n# `way[1]` is one of `"up"`, `"down"`\n# or `"on"`.\n\n'
        '# %% item="way"\nway = None  # a dict\n### BEGIN SOLUTION\nway = {1: "down", 0.5: "on"}\n### END SOLUTION\n\n'
        '# %% [markdown]\n# Letters such as "l" or "hel" are no words.\n\n'
        '# %% item="one"\none = None\n### BEGIN SOLUTION\none = "l"\n### END SOLUTION\n'
    )
    items = """ITEMS = (
        choice("way", points=1, slips=[Slip("up", '"down"', '"up"', says="no")]),
        choice("one", points=1, slips=[Slip("h", '"l"', '"h"', says="no")]),
    )"""
    unit = make_unit(items, text)
    specs = json.loads(public_data(unit, unit.key))["items"]
    right, seen = home_verdict("way", specs["way"], ({1.0: answer, 0.5: "on"},))
    assert not right
    assert says in seen
    assert home_verdict("way", specs["way"], ({1.0: "down", 0.5: "on"},))[0]
    assert "words" not in specs["one"]


# --------------------------------------------------------------------------- forms, at home

FORM_TEXT = """\
# %% given="setup"
import numpy as np
import pandas as pd

# %% item="net"
net = None  # a dict
path = None  # (steps, 2)
spare = (np.zeros(3), np.zeros(3))  # leave this line
### BEGIN SOLUTION
h = 3
net = {"w": np.ones((h, 4)), "u": np.ones((4, h)), "b": np.ones((1, h)), "note": "any"}
path = np.ones((7, 2))
### END SOLUTION

# %% item="lines"
lines = None  # a DataFrame
### BEGIN SOLUTION
lines = pd.DataFrame({"name": [1, 2], "size": [1.5, 2.5]})
### END SOLUTION

# %% item="pairs"
pairs = None  # a list of pairs
### BEGIN SOLUTION
pairs = [(np.ones((2, 3)), "x"), (np.ones((4, 3)), "y")]
### END SOLUTION
"""
FORM_ITEMS = """
def _net(trial):
    net, path, _ = trial.got
    h = np.size(net["b"])
    fits = np.shape(net["w"]) == (h, 4) and np.shape(net["u"]) == (4, h) and 2 in np.shape(path)
    return None if fits else Finding("other", "Another form.")

def _lines(trial):
    import pandas as pd
    table = pd.DataFrame(trial.got)
    return None if len(table) == 2 and set(table.columns) >= {"name", "size"} else Finding("other", "Another form.")

ITEMS = (
    value("net", "net", "path", "spare", points=1, accept=_net,
          same=[Same("wider", "h = 3", "h = 5")]),
    value("lines", points=1, accept=_lines),
    value("pairs", points=1, accept=lambda trial: None if len(trial.got) == 2 else Finding("other", "Another form.")),
)
"""
NET = {"w": np.ones((3, 4)), "u": np.ones((4, 3)), "b": np.ones(3)}
PATH = np.ones((9, 2))
LINES = pd.DataFrame({"Name ": ["w1", "w2"], "size": [0.0, 1.0], "more": [1, 2]})


def form_of(make_unit, item, *answers):
    unit = make_unit(FORM_ITEMS, FORM_TEXT)
    return home_verdict(item, json.loads(public_data(unit, unit.key))["items"][item], answers)


@pytest.mark.parametrize(
    ("item", "answers"),
    [
        ("net", (NET, PATH, None)),  # `note` is not needed by the judge, `spare` is given
        ("net", ({**NET, "more": 1, "b": [[0], [0], [0]]}, PATH.T, "anything")),
        ("net", ({"w": np.ones((8, 4)), "u": np.ones((4, 8)).tolist(), "b": np.ones(8)}, PATH[:1], None)),
        ("net", ({"w": np.ones((1, 4)), "u": np.ones((4, 1)), "b": 0.5}, PATH, None)),
        ("lines", (LINES,)),
        ("lines", ({"name": [1, 2], "size": [1, 2]},)),
        ("lines", ([{"name": 1, "size": 2}, {"size": 1, "name": 3}],)),
        ("pairs", ([[np.ones((9, 3)), "z"], (np.ones((1, 3)), "z")],)),
    ],
)
def test_forms_that_the_judge_takes_pass_at_home(make_unit, item, answers):
    """Sizes of one's own choice, other containers, what is not needed, what was given."""
    right, text = form_of(make_unit, item, *answers)
    assert right, text
    assert "the right form. Whether it does what is asked is judged when it is graded" in text


@pytest.mark.parametrize(
    ("item", "answers", "says"),
    [
        ("net", (None, PATH, None), "not answered yet: `net` is None."),
        ("net", (3, PATH, None), "`net` is a number; a dict with the keys 'w', 'u', 'b' is wanted."),
        ("net", ({"w": 1}, PATH, None), "`net` has no key 'u', 'b'; the keys 'w', 'u', 'b' are wanted."),
        ("net", ({**NET, "w": NET["u"]}, PATH, None), "`net['w']` has shape (4, 3); shape (n, 4) is wanted"),
        ("net", ({**NET, "b": np.ones(5)}, PATH, None), "has shape (5,); shape (1, 3) is wanted, to fit `net['w']`."),
        ("net", ({**NET, "b": None}, PATH, None), "`net['b']` is None; an array of numbers is wanted."),
        ("net", ({**NET, "b": "x"}, PATH, None), "`net['b']` is of type str; an array of numbers is wanted."),
        ("net", (NET, np.ones((9, 3)), None), "`path` has shape (9, 3); shape (m, 2) is wanted, m as you choose."),
        (
            "lines",
            (LINES.set_index("Name "),),
            "`lines` has no column name; its columns are size, more. Is it the index?",
        ),
        ("lines", (LINES.iloc[:1],), "`lines` has 1 row; 2 are wanted."),
        ("lines", (LINES.assign(size="x"),), "`lines` has entries in the column size that are no numbers."),
        ("lines", (np.ones((2, 2)),), "a DataFrame with the columns name, size is wanted."),
        ("pairs", (np.float64(3),), "`pairs` is a number; a list of 2 is wanted."),
        ("pairs", ([(1, "x")],), "`pairs` has 1 entry; a list of 2 is wanted."),
        (
            "pairs",
            ([(np.ones((2, 3)), "x"), (np.ones((2, 4)), "x")],),
            "`pairs[1][0]` has shape (2, 4); shape (any, 3)",
        ),
        ("pairs", ([(np.ones((2, 3)), 1)] * 2,), "`pairs[0][1]` is a number; a text is wanted."),
    ],
)
def test_what_is_wrong_with_a_form(make_unit, item, answers, says):
    """One sentence, and no number of the solution in it."""
    right, text = form_of(make_unit, item, *answers)
    assert not right
    assert says in text


# --------------------------------------------------------------------------- the real units, at home


REFORMS = {
    "as lists": lambda a: a.tolist(),
    "single": lambda a: a.astype(np.float32),
    "objects": lambda a: a.astype(object),
    "texts": lambda a: a.astype(str).tolist(),
    "turned": lambda a: a.T,
    "flat": np.ravel,
    "column": lambda a: np.reshape(a, (-1, 1)),
    "one more axis": lambda a: a[None],
    "one row less": lambda a: a[:-1],
    "last row twice": lambda a: np.concatenate([a, a[-1:]]),
}
TABLES = {
    "columns": lambda t: t.to_dict("list"),
    "records": lambda t: t.to_dict("records"),
    "upper case": lambda t: t.rename(columns=str.upper),
    "shuffled": lambda t: t.iloc[::-1, ::-1],
    "texts": lambda t: t.astype(str),
    "one more column": lambda t: t.assign(more="x"),
    "one line less": lambda t: t.iloc[:-1],
}


def reformed(answer):
    """The answer with one thing in it put in another form."""
    if isinstance(answer, pd.DataFrame):
        yield from (change(answer) for change in TABLES.values())
    elif isinstance(answer, dict):
        yield {**answer, "more": 1}
        for key, entry in answer.items():
            yield {other: answer[other] for other in answer if other != key}
            yield from ({**answer, key: changed} for changed in reformed(entry))
    elif (array := module.as_array(answer)) is not None:
        yield from (change(array) for change in REFORMS.values() if array.ndim)
        yield [answer]
        yield str(answer)
    elif isinstance(answer, (list, tuple)):
        yield from (list(answer), tuple(answer), answer[:-1])


@pytest.mark.parametrize("name", UNITS)
def test_home_refuses_no_form_that_grading_takes(course, name):
    """Answers judged by bounds, in forms of every kind: what earns full marks passes at home."""
    unit = course.unit(name)
    if not unit.source.is_file():
        pytest.skip(f"{name} is not built yet")
    judged = [item for item in unit.items.values() if item.accept is not None and item.kind is not Kind.FUNCTION]
    specs = json.loads(public_data(unit, unit.key))["items"] if judged else {}
    for item in judged:
        names = unit.key.run(item.names)
        for own in item.names:
            for changed in reformed(names[own]):
                answers = {**{n: names[n] for n in item.names}, own: changed}
                right, text = home_verdict(item.id, specs[item.id], tuple(answers.values()))
                assert right or not verdict_of(unit, item, (), answers).full, text


def numbers_in(text):
    return {float(found) for found in re.findall(r"(?<![\w.])-?\d*\.\d+(?:e-?\d+)?", text)}


def leaves(answer):
    if isinstance(answer, dict):
        return [leaf for entry in answer.values() for leaf in leaves(entry)]
    array = module.as_array(answer)
    return [] if array is None else [float(entry) for entry in array.ravel()]


@pytest.mark.parametrize("name", UNITS)
def test_no_expected_value_is_ever_shown(course, name):
    """Wrong, blank, misshapen and slipped answers to every value item: the streams hold no number of the right one."""
    unit = course.unit(name)
    if not unit.source.is_file():
        pytest.skip(f"{name} is not built yet")
    specs = json.loads(public_data(unit, unit.key))["items"]
    for item in unit.items.values():
        if item.kind is not Kind.VALUE:
            continue
        names = unit.key.run(item.names)
        right = [names[n] for n in item.names]
        expected = {round(entry, 4) for entry in leaves(dict(enumerate(right)))} - {0.0, 1.0, 0.5}
        tries = [[None] * len(right), [12345.0] * len(right), [[1.0]] * len(right), ["x"] * len(right)]
        tries += [[_shifted(entry) for entry in right]]
        hints = " ".join(item.hints) + " ".join(slip.says for slip in item.slips)
        for answers in tries:
            with contextlib.redirect_stdout(io.StringIO()):
                text = home_verdict(item.id, {**specs[item.id], "hints": []}, tuple(answers))[1]
            shown = {round(number, 4) for number in numbers_in(text)} - numbers_in(hints)
            assert not shown & expected, f"{item.id}: {text}"


def _shifted(answer):
    array = module.as_array(answer)
    return answer if array is None else array.astype(float) + 7777.0


@pytest.mark.parametrize("name", UNITS)
def test_every_solution_passes_at_home(course, name):
    """And every equivalent: what is right in grading is right at home."""
    unit = course.unit(name)
    if not unit.source.is_file():
        pytest.skip(f"{name} is not built yet")
    specs = json.loads(public_data(unit, unit.key))["items"]
    for item in unit.items.values():
        for edits in ({}, *({item.id: unit.key.edited(item.id, same)} for same in item.same)):
            names = unit.key.run(item.names, edits)
            right, text = home_verdict(item.id, specs[item.id], tuple(names[n] for n in item.names))
            assert right, text
