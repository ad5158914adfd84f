"""What all tests share: the course of this repository, its answer keys, and small units made on the spot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import settings

from chainrule.build.source import check_edits, instructor_notebook, key_of
from chainrule.cases import draw, rng_for
from chainrule.course import Course, Unit
from chainrule.evidence import Evidence
from chainrule.items import Item
from chainrule.judge import Verdict, judge_unit
from chainrule.key import Key
from chainrule.verify import evidence_of

# the same examples each time, and no example fails for being slow on a busy machine
settings.register_profile("kit", derandomize=True, deadline=None)
settings.load_profile("kit")

ROOT = Path(__file__).resolve().parents[1]
SECRET = b"the students of the tests"

HEAD = "import numpy as np\nfrom chainrule.items import Case, Finding, Probe, Same, Seed, Slip, Worked\n"
HEAD += "from chainrule.items import choice, function, value\n"

# One chain of functions, one of values, and one item of every other form that the judge tells apart.
TEXT = '''\
# %% given="setup"
import numpy as np
import pandas as pd

v = np.array([1.5, -0.5, 2.0])
G = np.array([[0.4, -1.2], [0.7, 0.9], [-0.6, 0.3]])

# %% item="squash"
def squash(z):
    """(...) -> (...). Every entry between -1 and 1."""
    ### BEGIN SOLUTION
    return z / (1 + np.abs(z))
    ### END SOLUTION

# %% item="layer"
def layer(x, w):
    """(n, d), (d, h) -> (n, h), (n, h). Sums and what is made of them."""
    ### BEGIN SOLUTION
    s = x @ w
    return s, squash(s)
    ### END SOLUTION

# %% item="net"
def net(x, w, u):
    """(n, d), (d, h), (h, m) -> dict of hidden (n, h) and out (n, m)."""
    ### BEGIN SOLUTION
    s, a = layer(x, w)
    return {"hidden": a, "out": a @ u}
    ### END SOLUTION

# %% item="quiet"
def quiet(z):
    """(n,) -> (n,). Exponentials of minus the size, silently."""
    ### BEGIN SOLUTION
    return np.exp(-np.abs(z))
    ### END SOLUTION

# %% item="moved"
def moved(z):
    """(n,) -> (n,). A new array."""
    ### BEGIN SOLUTION
    return z + 1
    ### END SOLUTION

# %% item="even"
def even(n):
    """number -> number. Any even number above n."""
    ### BEGIN SOLUTION
    return 2 * (int(n) // 2 + 1)
    ### END SOLUTION

# %% item="pull"
p = None  # (2,)
### BEGIN SOLUTION
p = v @ G
### END SOLUTION

# %% item="bend"
b = None  # (2,)
### BEGIN SOLUTION
b = 3 * p**2 - 1
### END SOLUTION

# %% item="gain"
g = None  # a number
### BEGIN SOLUTION
g = float(b[0] - b[1] + 2)
### END SOLUTION

# %% item="both"
low = None  # a number
high = None  # a number
### BEGIN SOLUTION
low, high = G.min(), G.max()
### END SOLUTION

# %% item="places"
places = None  # set of pairs
### BEGIN SOLUTION
places = {(0, 1), (2, 0)}
### END SOLUTION

# %% item="word"
word = None  # "left" or "right"
### BEGIN SOLUTION
word = "left"
### END SOLUTION

# %% item="share"
share = None  # a number
### BEGIN SOLUTION
share = 0.05
### END SOLUTION
'''

ITEMS = """
def _far(rng, *shape):
    return rng.choice([-1.0, 1.0], size=shape) * rng.uniform(0.5, 1.5, size=shape)

def _even(trial):
    if int(trial.got) != trial.got or trial.got % 2:
        return Finding("odd", "That is odd.", 0.5)
    return None if trial.got > trial.args[0] else Finding("low", "That is not above n.")

ITEMS = (
    function(
        "squash", points=2,
        worked=[Worked("the example", lambda given: (given["v"],))],
        cases=[
            Case("a vector", lambda rng: (_far(rng, 5),)),
            Case("a matrix", lambda rng: (_far(rng, 3, 4),)),
            Case("one number", lambda rng: (float(_far(rng, 1)[0]),)),
        ],
        slips=[
            Slip("sign", "return z", "return -z", credit=0.5, says="it falls"),
            Slip("no-abs", "np.abs(z)", "z**2", credit=0.5, says="the square is there"),
            Slip("vanished", "", "return 0 * z", credit=0.25, says="nothing is left"),
            Slip("blown", "", "return np.abs(z) * np.inf", credit=0.25, says="it is infinite"),
            Slip("same-for-all", "", "return np.full(np.shape(z), 0.25)", credit=0.25, says="one number everywhere"),
            Slip("stops", "", "raise ValueError('always')", credit=0.25, says="it stops"),
            Slip("no-batch", "", "    if np.ndim(z) > 1:\\n        raise ValueError\\n    return z / (1 + abs(z))",
                 credit=0.5, says="a matrix stops it"),
        ],
        same=[Same("where", "np.abs(z)", "np.where(np.asarray(z) > 0, z, -np.asarray(z))")],
        hints=["first hint", "second hint", "third hint"],
    ),
    function(
        "layer", points=2, parts=["s", "a"], builds_on=["squash"],
        worked=[Worked("the example", lambda given: (given["v"][None], given["G"]))],
        cases=[
            Case("a batch", lambda rng: (_far(rng, 4, 3), _far(rng, 3, 2))),
            Case("wide", lambda rng: (_far(rng, 2, 3), _far(rng, 3, 5))),
        ],
        slips=[
            Slip("twice", "x @ w", "2 * (x @ w)", credit=0.5, says="the sums are doubled"),
            Slip("raw", "squash(s)", "s", credit=0.5, says="nothing is squashed"),
        ],
    ),
    function(
        "net", points=3, builds_on=["layer"],
        worked=[Worked("the example", lambda given: (given["v"][None], given["G"], given["G"].T))],
        cases=[
            Case("a batch", lambda rng: (_far(rng, 4, 3), _far(rng, 3, 2), _far(rng, 2, 5))),
            Case("one row", lambda rng: (_far(rng, 1, 2), _far(rng, 2, 4), _far(rng, 4, 3))),
        ],
        slips=[Slip("sums", "a @ u", "s @ u", credit=0.5, says="the sums go on")],
    ),
    function(
        "quiet", points=1, warns=0.6,
        worked=[Worked("the example", lambda given: (given["v"],))],
        cases=[Case("from -999 to 999", lambda rng: (rng.permutation([-999.0, 999.0, *_far(rng, 3)]),))],
        slips=[Slip("loud", "", "return 1 / np.exp(np.abs(z))", credit=0.6, says="it overflows")],
    ),
    function(
        "moved", points=1, changed_arguments=0.5,
        worked=[Worked("the example", lambda given: (given["v"],))],
        cases=[Case("a vector", lambda rng: (_far(rng, 4),))],
        slips=[Slip("back", "z + 1", "z - 1", credit=0.5, says="the wrong way")],
    ),
    function(
        "even", points=1, accept=_even,
        worked=[Worked("three", lambda given: (3.0,))],
        cases=[Case("a number", lambda rng: (float(rng.integers(4, 40)),))],
        slips=[Slip("odd", "// 2 + 1)", "// 2) + 1", credit=0.5, says="That is odd.")],
    ),
    value(
        "pull", "p", points=1,
        slips=[
            Slip("sign", "v @ G", "-(v @ G)", credit=0.5, says="both have the other sign"),
            Slip("first-left-out", "v @ G", "v[1:] @ G[1:]", credit=0.5, says="one term is missing"),
        ],
        same=[Same("rounded", "v @ G", "np.round(v @ G, 4)")],
    ),
    value("bend", "b", points=1, builds_on=["pull"],
          slips=[Slip("no-three", "3 * p", "p", credit=0.5, says="a factor is missing")]),
    value("gain", "g", points=1, builds_on=["bend"],
          slips=[Slip("plus", "b[0] - b[1]", "b[0] + b[1]", credit=0.5, says="that is the sum")]),
    value("both", "low", "high", points=1, parts=["low", "high"],
          slips=[Slip("swapped", "G.min(), G.max()", "G.max(), G.min()", credit=0.5, says="the other way round")]),
    choice("places", points=1, slips=[Slip("turned", "{(0, 1), (2, 0)}", "{(1, 0), (0, 2)}", says="column and row")]),
    choice("word", points=1, slips=[Slip("right", '"left"', '"right"', credit=0, says="the other one")]),
    choice("share", points=0.5, slips=[Slip("percent", "0.05", "5", credit=0, says="that is in percent")]),
)
"""


@pytest.fixture(scope="session")
def course() -> Course:
    """The course that this repository is. Tests read it and never write into it."""
    return Course(ROOT)


@pytest.fixture(scope="session")
def answer_key(course: Course) -> Callable[[str], Key]:
    """`answer_key("01-forward")` is that unit's instructor's notebook; `key["sigmoid"]` its object of that name."""

    def key_of_unit(unit: str) -> Key:
        return course.unit(unit).key

    return key_of_unit


def write_unit(root: Path, items: str, text: str, name: str = "92-small") -> Unit:
    """A unit with its instructor's notebook built, in a course of its own that has no release."""
    authoring = root / "authoring" / name
    authoring.mkdir(parents=True)
    (authoring / "items.py").write_text(HEAD + items)
    (authoring / "notebook.py").write_text(text)
    unit = Course(root).unit(name)
    unit.source.parent.mkdir(parents=True)
    built = instructor_notebook(unit)
    check_edits(unit, key_of(unit, built))
    nbformat.write(built, unit.source)
    return unit


@pytest.fixture
def make_unit(tmp_path: Path) -> Callable[[str, str], Unit]:
    """`make_unit(items, text)` is a unit of a course of its own."""
    return lambda items, text: write_unit(tmp_path / "course", items, text)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Unit:
    """The unit above, which holds one item of every form."""
    return write_unit(tmp_path_factory.mktemp("small"), ITEMS, TEXT)


Judge = Callable[..., dict[str, Verdict]]


@pytest.fixture(scope="session")
def judge() -> Judge:
    """`judge(unit, squash=..., p=...)` is the judge's word on a student whose other answers are the key's.

    Objects pass through the wire format, as in grading. `only` limits the work to some items.
    """
    drawn: dict[tuple[Path, str], Any] = {}

    def cases_of(unit: Unit, item: Item) -> Any:
        place = (unit.text, item.id)
        if place not in drawn:
            drawn[place] = draw(item, unit.key, rng_for(SECRET, unit.name, item, "someone"))
        return drawn[place]

    def judged(unit: Unit, only: tuple[str, ...] = (), **answers: Any) -> dict[str, Verdict]:
        chosen = [item for item in unit.items.values() if not only or item.id in only]
        cases = {item.id: cases_of(unit, item) for item in chosen}
        evidence: dict[str, Evidence] = {}
        for item in chosen:
            names = {**unit.key.run(item.names), **answers}
            evidence[item.id] = evidence_of(item, cases[item.id], names)
        verdicts = judge_unit(unit, evidence, cases)
        return {item.id: verdicts[item.id] for item in chosen}

    return judged
