"""Where an answer leaves the right one: marks of places, drawn by others. No number of a case is in it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.cases import tolerance
from chainrule.check import Tolerance, as_array, first_gap, same_shape
from chainrule.evidence import Failure
from chainrule.items import FLOAT32_RTOL, Item
from chainrule.key import Raised

MAX_SIDE = 12  # marks a side; of a larger answer each mark stands for several rows or columns
MAX_PARTS = 24  # named parts, of a dict's many keys the first


@dataclass(frozen=True, slots=True)
class Place:
    """Where one answer, on one case, is off.

    case: the case's name; None for a value, which has none.
    parts: the names of the answer's parts, each with whether it is right; empty for an answer of one part.
    part: the part that all the rest is about, the first wrong one; "" for an answer of one part.
    shape: of its numbers, as rows and columns. off, size: how many entries are wrong, of how many.
    marks: a text a row, "x" where an entry is wrong and "." where it is right; empty where forms differ.
    block: how many rows and columns each mark stands for.
    steps: 0 or 1, the axis of `marks` that runs over the steps of a sequence, if one does.
    first_step: the first wrong step on the way, which runs from the end where the item goes `backwards`.
    """

    case: str | None
    parts: tuple[tuple[str, bool], ...] = ()
    part: str = ""
    shape: tuple[int, int] = (0, 0)
    off: int = 0
    size: int = 0
    marks: tuple[str, ...] = ()
    block: tuple[int, int] = (1, 1)
    steps: int | None = None
    first_step: int | None = None
    backwards: bool = False

    @classmethod
    def from_json(cls, tree: Mapping[str, Any]) -> Place:
        lists = {name: tuple(tree[name]) for name in ("shape", "marks", "block")}
        return cls(**{**tree, **lists, "parts": tuple((name, right) for name, right in tree["parts"])})


def place_of(
    item: Item, got: Any, want: Any, case: str | None = None, names: Sequence[str] = (), hidden: bool = False
) -> Place | None:
    """Where `got` leaves `want`; None where no place can be told. `names` are the keys that all cases' dicts have.

    `hidden`: of a case that is not public. Its whole numbers, such as classes, get no marks: who hands in guesses
    could read them from the marks in a few rounds, since the next work meets the same case.
    """
    if isinstance(got, Failure | Raised) or isinstance(want, Raised):
        return None
    rule = tolerance(item)
    parts = list(_parts(item, got, want, names, rule._replace(parts=())))
    if not parts:
        return None if hidden and _whole(want) else _marked(item, got, want, rule, Place(case))
    rights = tuple((name, right) for name, right, _, _ in parts[:MAX_PARTS])
    wrong = next((part for part in parts if not part[1]), None)
    if wrong is None:
        return None
    name, _, theirs, ours = wrong
    plain = Place(case, rights, name)
    if hidden and _whole(ours):
        return plain
    return _marked(item, theirs, ours, rule._replace(parts=()), plain) or plain


def common_keys(wants: Sequence[Any]) -> tuple[str, ...]:
    """The keys of dicts that are the same on every case: such names come from the question, not from a case."""
    if not all(isinstance(want, Mapping) and want.keys() == wants[0].keys() for want in wants):
        return ()
    return tuple(key for key in wants[0] if isinstance(key, str))


def _parts(
    item: Item, got: Any, want: Any, names: Sequence[str], rule: Tolerance
) -> Iterator[tuple[str, bool, Any, Any]]:
    """Name, whether it is right, the student's and ours, for each judged part; none where the forms differ."""
    if isinstance(want, Mapping):
        if isinstance(got, Mapping) and names:
            for name in names:
                theirs = got.get(name)
                yield name[:40], name in got and first_gap(theirs, want[name], rule) is None, theirs, want[name]
    elif isinstance(want, tuple) and isinstance(got, tuple | list) and len(got) == len(want):
        named = item.parts if len(item.parts) == len(want) else item.names if len(item.names) == len(want) else ()
        for i, (theirs, ours) in enumerate(zip(got, want, strict=True)):
            name = named[i] if named else f"result {i}"
            if name:
                yield name, first_gap(theirs, ours, rule) is None, theirs, ours


def _whole(want: Any) -> bool:
    array = as_array(want)
    return array is not None and array.dtype.kind in "biu"


def _marked(item: Item, got: Any, want: Any, rule: Tolerance, place: Place) -> Place | None:
    """The place with its marks; None where the two are not arrays of one shape, with several entries."""
    seen, right = as_array(got), as_array(want)
    if seen is None or right is None or right.size < 2 or not same_shape(seen.shape, right.shape):
        return None
    wrong = _wrong(seen, right, rule)
    if not wrong.any():
        return None
    steps = item.steps.axis if item.steps is not None and item.steps.axis < wrong.ndim <= 2 else None
    first = None
    if steps is not None and item.steps is not None:
        off = np.flatnonzero(np.moveaxis(wrong, steps, 0).reshape(wrong.shape[steps], -1).any(axis=1))
        first = int(off[-1] if item.steps.backwards else off[0])
    table = wrong.reshape(1, -1) if wrong.ndim == 1 else wrong.reshape(wrong.shape[0], -1)
    rows, columns = table.shape
    block = (math.ceil(rows / MAX_SIDE), math.ceil(columns / MAX_SIDE))
    marks = tuple(
        "".join("x" if table[i : i + block[0], j : j + block[1]].any() else "." for j in range(0, columns, block[1]))
        for i in range(0, rows, block[0])
    )
    return Place(
        place.case,
        place.parts,
        place.part,
        (rows, columns),
        int(wrong.sum()),
        wrong.size,
        marks,
        block,
        None if steps is None else 1 if wrong.ndim == 1 else steps,
        first,
        item.steps is not None and item.steps.backwards,
    )


def _wrong(seen: np.ndarray, right: np.ndarray, rule: Tolerance) -> np.ndarray:
    """Entry by entry what `check.gaps` says of the whole: which are outside of the tolerance, in `right`'s shape."""
    single = seen.dtype.kind == "f" and seen.dtype.itemsize < 8 and rule.float32
    flat, wanted = seen.astype(float).reshape(right.shape), right.astype(float)
    scale = float(np.max(np.abs(wanted[np.isfinite(wanted)]), initial=0.0)) or 1.0
    allowed = rule.atol + max(rule.rtol, FLOAT32_RTOL if single else 0.0) * scale
    with np.errstate(all="ignore"):
        right_ones: np.ndarray = (flat == wanted) | (np.abs(flat - wanted) <= allowed)
    return ~right_ones
