"""The answer key: any part of the instructor's notebook, run with edits and with a student's values."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.errors import BuildError
from chainrule.items import Case, Probe, Same, Seed, Slip, function, value
from chainrule.key import Key, Raised, call, edited_text, fresh, key_cell

SETUP = "import numpy as np\nbase = np.array([1.0, 2.0])"
DOUBLE = 'def double(z):\n    """Twice."""\n    ### BEGIN SOLUTION\n    return 2 * z\n    ### END SOLUTION\n'
TOTAL = "total = None\n### BEGIN SOLUTION\ntotal = double(base).sum()\n### END SOLUTION\n"
MORE = "more = None\n### BEGIN SOLUTION\nmore = total + 1\n### END SOLUTION\n"
PICTURE = "raise RuntimeError('a picture that nobody needs')"


@pytest.fixture
def key():
    cells = [(SETUP, None, True), (DOUBLE, "double", False), (PICTURE, None, False)]
    cells += [(TOTAL, "total", False), (MORE, "more", False)]
    return Key("a-unit", [key_cell(*cell) for cell in cells])


def test_names_are_run_with_what_they_need_alone(key):
    """The free cell between them, which raises, is not run."""
    assert key["more"] == 7.0
    assert key["double"](4) == 8
    with pytest.raises(KeyError):
        key["nothing"]


def test_objects_are_copies(key):
    """Changing what the key gave out changes nothing in it."""
    key["base"][:] = 100
    assert key["total"] == 6.0
    key.answer(value("base", points=1), [])[0][:] = 100
    assert key.answer(value("base", points=1), [])[0].tolist() == [1.0, 2.0]


def test_given_names_hold_no_answers(key):
    assert "base" in key.given()
    assert not {"double", "total", "more"} & set(key.given())


def test_the_solution_and_what_is_left_without_it(key):
    assert key.solution("double") == "    return 2 * z\n"
    assert "return" not in key.around("double")
    assert key.run(["double"], {"double": key.around("double")})["double"](3) is None


def test_an_edit_runs_through_to_what_builds_on_it(key):
    """The edited function is what the later cells call."""
    edited = key.edited("double", Slip("thrice", "2 * z", "3 * z", says="x"))
    assert key.run(["more"], {"double": edited})["more"] == 10.0
    assert key["more"] == 7.0


def test_a_value_takes_the_place_of_the_keys(key):
    """Even if its cell is run for another name, and without a trace afterwards."""
    assert key.run(["more"], values={"total": 10.0})["more"] == 11.0
    assert key.run(["more", "total"], values={"total": 10.0})["total"] == 10.0
    assert key["more"] == 7.0


def test_needs(key):
    assert key.needs(["more"], "double")
    assert not key.needs(["double"], "total")


def test_edits_are_put_in_once_and_exactly(key):
    """A text that is not there, or there twice, is an error that names unit, item and edit."""
    with pytest.raises(BuildError, match=r"a-unit, item double, edit gone: its text '9' stands 0 times"):
        key.edited("double", Slip("gone", "9", "8", says="x"))
    with pytest.raises(BuildError, match="stands 2 times"):
        edited_text("a + a", Same("twice", "a", "b"), "here")
    with pytest.raises(BuildError, match="no solution cell for item tripled"):
        key.solution("tripled")


@pytest.mark.parametrize("new", ["return 5", "    return 5\n", "\n        return 5\n"])
def test_a_whole_solution_takes_the_regions_indentation(new):
    assert edited_text("    return 2 * z\n", Slip("all", "", new, says="x"), "here") == "    return 5\n"


@pytest.mark.parametrize(
    "source",
    [
        "x = 1",
        "### BEGIN SOLUTION\nx = 1",
        "### END SOLUTION\nx = 1\n### BEGIN SOLUTION",
        "### BEGIN SOLUTION\n### END SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION",
    ],
)
def test_markers_stand_once_and_in_order(source):
    with pytest.raises(BuildError, match="needs one '### BEGIN SOLUTION' and, below it, one '### END SOLUTION'"):
        Key("a-unit", [key_cell(source, "x", False)]).solution("x")


def test_a_broken_edit_is_an_outcome(key):
    """A slip whose cell stops, or does not parse, answers Raised; one that stops on a case does so there."""
    item = function("double", points=1, cases=[Case("a", lambda rng: (1,))])
    assert key.answer(item, [(1,), (2,)], {"double": "double = 1 / 0"}) == [Raised("ZeroDivisionError")] * 2
    assert key.answer(item, [(1,)], {"double": "other = 1"}) == [Raised("KeyError")]
    assert key.answer(item, [(1,)], {"double": "def double(:"}) == [Raised("KeyError")]
    slip = "def double(z):\n    return [10][z]\n"
    assert key.answer(item, [(0,), (1,)], {"double": slip}) == [10, Raised("IndexError")]
    assert key.answer(value("total", points=1), [], {"total": "total = [][0]"}) == [Raised("IndexError")]


def test_several_names_in_one_answer(key):
    assert key.answer(value("both", "total", "more", points=1), []) == [(6.0, 7.0)]
    both = function("both", "double", "double", points=1, cases=[Case("a", lambda rng: ((1,), (2,)))])
    assert key.answer(both, [((1,), (2,))]) == [(2, 4)]


def test_slips_warn_nobody(key, recwarn):
    """They overflow and divide by zero on purpose."""
    item = function("double", points=1, cases=[Case("a", lambda rng: (1,))])
    key.answer(item, [(np.array([1e308, 0.0]),)], {"double": "def double(z):\n    return np.exp(z) / 0 * np.log(-z)\n"})
    assert not recwarn.list


def test_every_call_gets_fresh_arguments():
    """A call that spoils its arguments, draws from a generator or keeps a list is seen by no other call."""
    args = (np.zeros(2), [1], Seed(3), Probe("lambda z: z + k", {"k": 1}))

    def spoil(array, entries, rng, probe):
        array += 1
        entries.append(2)
        return array.sum(), len(entries), rng.random(), probe(1)

    assert call([spoil], args) == call([spoil], args) == (2.0, 2, np.random.default_rng(3).random(), 2)
    assert fresh(args)[0] is not args[0]
    assert args[1] == [1]


def test_names_that_a_cell_defines_and_uses():
    """Loops, unpacking, imports, item assignment; names inside functions are their own."""
    cell = key_cell(
        "import os.path as p\nfrom math import tau\na, (b, *c) = f(d)\ne[0] = 1\n"
        "for i in range(3):\n    g = [h for h in i]\n\ndef fun(q):\n    inner = r\n    return inner\n",
        None,
        False,
    )
    assert cell.defines >= {"p", "tau", "a", "b", "c", "e", "i", "g", "fun"}
    assert not cell.defines & {"h", "inner", "q"}
    assert cell.uses >= {"f", "d", "r"}
