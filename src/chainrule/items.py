"""What a unit's author writes: items, their cases and the mistakes that they know."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

RTOL = 1e-7  # of the answer's largest entry: far above float64 summation noise, measured by `verify`
FLOAT32_RTOL = 1e-4  # the same for an answer in float32, whose own noise is some 1e-7 to 1e-6
ATOL_TYPED = 1e-4  # a value worked by hand to four decimals, rounded or cut at each step
ATOL_CHOICE = 1e-6  # a number that is chosen, not worked out: wide enough for .05 written in any way


class Kind(StrEnum):
    """What a student's answer is, and so how it is judged."""

    VALUE = "value"  # numbers, a table or text, worked once
    FUNCTION = "function"  # called on worked and on fresh arguments
    CHOICE = "choice"  # a short answer, compared exactly


class ItemError(Exception):
    """An item's definition contradicts itself or its notebook. The message says where and what to do."""


@dataclass(frozen=True, slots=True)
class Slip:
    """One known mistake: an edit of the solution's text, or a whole solution of its own.

    `old` must stand exactly once in the solution; `old="", new=...` replaces the whole solution.
    `credit` is the share of the points that is left, 0 to below 1. `says` tells the student what is
    seen and what it suggests, without giving the formula away.
    """

    name: str
    old: str
    new: str
    says: str
    credit: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.credit < 1:
            raise ItemError(f"slip {self.name}: credit {self.credit} must be at least 0 and below 1")
        if not self.says.strip():
            raise ItemError(f"slip {self.name}: `says` is empty; tell the student what the mistake looks like")


@dataclass(frozen=True, slots=True)
class Same:
    """One other right way: an edit of the solution's text as in `Slip`, which must earn full marks."""

    name: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Case:
    """One way of drawing fresh arguments: `draw(rng)` gives the tuple that the function is called with.

    Sizes should differ from each other, weights be asymmetric, states and biases not zero, so that no
    two formulas agree by accident. `draw` is called `times` times for each student. A case that is easy on
    purpose (square matrices, zero biases) has `easy=True`: who is right there alone is told so, and earns nothing.
    """

    name: str
    draw: Callable[[np.random.Generator], tuple[Any, ...]]
    times: int = 1
    easy: bool = False


@dataclass(frozen=True, slots=True)
class Worked:
    """A public case: `args(given)` gives the arguments from the names that the notebook gives.

    Students see these arguments' results in messages, so they are the worked example of the text.
    """

    name: str
    args: Callable[[Mapping[str, Any]], tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Probe:
    """A function as an argument (`numeric_gradient(f, w)`): text of an expression, and its constants.

    It travels as text, so that the same function runs at home, in the sandbox and in the judge:
    `Probe("lambda w: float(np.sum(A * np.sin(w)))", {"A": A})`.
    """

    source: str
    names: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Seed:
    """A numpy Generator as an argument: everyone gets `np.random.default_rng(seed)`, new for each call."""

    seed: int


@dataclass(frozen=True, slots=True)
class Trial:
    """What an item's own `accept` judges: one answer beside the arguments and the solution's answer.

    `got` is the student's answer as plain data (for several names a tuple, in their order), `args` the
    case's arguments (empty for values), `want` the solution's answer (None unless the item `compares`),
    `given` the notebook's names.
    """

    got: Any
    args: tuple[Any, ...]
    want: Any
    given: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """What `accept` found wrong: a slip's name (or a name of its own), words, and the share that is left."""

    name: str
    says: str
    credit: float = 0.0


@dataclass(frozen=True, slots=True)
class Steps:
    """Which axis of an answer (of each of its parts) runs over the steps of a sequence, so that messages can name
    the first wrong one. `backwards`: the work starts at the last step, as on the way back through time."""

    axis: int
    backwards: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One graded thing: what the student defines, how it is probed, and the mistakes that it knows.

    id: unique over the course; the solution cell's grade_id, and the test cell's with `-check` added.
    names: what the student defines, in the order in which the test cell passes them.
    points: full marks. builds_on: ids of earlier items whose mistakes are not charged again here.
    cases, worked: for functions; with several names, arguments are a tuple of argument tuples, one a name.
    parts: names of a tuple answer's entries for messages; a part named "" is not judged.
    steps: for answers about a sequence, where its steps run.
    accept: judges in place of comparing with the solution (properties, trained nets, free orders).
    compares: whether `accept` looks at the solution's own answer, `trial.want`, which is worked out only then;
        earlier mistakes are followed through only then, too.
    hints: up to three, of rising strength; only the last may give the formula away.
    rtol: float64 tolerance of functions, of the answer's largest entry. float32: whether such answers count.
    atol: tolerance of values. changed_arguments: share kept when the answer alters its arguments.
    warns: share kept when a right answer warns (overflow), and None where warnings do not matter.
    """

    id: str
    names: tuple[str, ...]
    kind: Kind
    points: float
    worked: tuple[Worked, ...] = ()
    cases: tuple[Case, ...] = ()
    slips: tuple[Slip, ...] = ()
    same: tuple[Same, ...] = ()
    builds_on: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    steps: Steps | None = None
    accept: Callable[[Trial], Finding | None] | None = None
    compares: bool = False
    hints: tuple[str, ...] = ()
    rtol: float = RTOL
    atol: float = ATOL_TYPED
    float32: bool = True
    changed_arguments: float = 1.0
    warns: float | None = None
    version: int = 1

    def __post_init__(self) -> None:
        if not (math.isfinite(self.points) and self.points > 0):
            raise ItemError(f"item {self.id}: points {self.points} must be above 0")
        if len(self.hints) > 3:
            raise ItemError(f"item {self.id}: {len(self.hints)} hints; give three at most")
        if self.kind is Kind.FUNCTION and not (self.cases or self.worked):
            raise ItemError(f"item {self.id}: a function needs cases; add cases=[Case(...)]")
        if self.kind is not Kind.FUNCTION and (self.cases or self.worked):
            raise ItemError(f"item {self.id}: cases are for functions; a {self.kind} is worked once")
        names = [edit.name for edit in self.edits]
        repeated = {name for name in names if names.count(name) > 1}
        if repeated:
            raise ItemError(
                f"item {self.id}: {sorted(repeated)} named twice; slips and equivalents need names of their own"
            )

    @property
    def edits(self) -> tuple[Slip | Same, ...]:
        """All other forms of the solution, wrong and right ones."""
        return (*self.slips, *self.same)


def value(id: str, *names: str, points: float, **fields: Any) -> Item:
    """An array, number or table that the student works out once. `names` default to the id with underscores."""
    return _item(Kind.VALUE, id, names, points, fields)


def function(id: str, *names: str, points: float, **fields: Any) -> Item:
    """A function, or several that belong together, scored on worked and on fresh arguments."""
    return _item(Kind.FUNCTION, id, names, points, fields)


def choice(id: str, *names: str, points: float, **fields: Any) -> Item:
    """A short answer. Case, outer spaces and the typographic minus do not count."""
    return _item(Kind.CHOICE, id, names, points, fields)


def _item(kind: Kind, id: str, names: tuple[str, ...], points: float, fields: dict[str, Any]) -> Item:
    for field in ("worked", "cases", "slips", "same", "builds_on", "parts", "hints"):
        if isinstance(fields.get(field), str):
            raise ItemError(f"item {id}: {field} is a text; write a list, {field}=[...]")
        fields[field] = tuple(fields.get(field, ()))
    return Item(id, names or (id.replace("-", "_"),), kind, float(points), **fields)
