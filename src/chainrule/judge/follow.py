"""Follow-through: what the answer should be, given the student's own earlier mistakes.

For values, the key runs on from the student's own numbers. For functions, the key runs with the slips
put in that were named on earlier items. The root mistake is charged where it was made, once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.cases import Drawn
from chainrule.check import as_array, same_shape
from chainrule.items import Item
from chainrule.key import Key, Raised


@dataclass(slots=True)
class Earlier:
    """What is known of a student's earlier answers while a unit is judged, in order."""

    edits: dict[str, str] = field(default_factory=dict)  # item -> the solution cell with the named slip put in
    values: dict[str, dict[str, Any]] = field(default_factory=dict)  # item -> the student's own wrong values by name


@dataclass(frozen=True, slots=True)
class Base:
    """One way the student may have come here: the items whose mistakes are taken over, and how."""

    items: tuple[str, ...]
    edits: Mapping[str, str]
    values: Mapping[str, Any]


def bases(item: Item, items: Mapping[str, Item], earlier: Earlier) -> Iterator[Base]:
    """The combinations of earlier mistakes that may explain an answer, the fullest first."""
    ancestors = _ancestors(item, items)
    edits = {name: earlier.edits[name] for name in ancestors if name in earlier.edits}
    values = {name: earlier.values[name] for name in ancestors if name in earlier.values}
    seen: set[tuple[tuple[str, ...], tuple[str, ...]]] = set()
    wholes = [(tuple(edits), tuple(values)), ((), tuple(values)), (tuple(edits), ())]
    direct = [name for name in item.builds_on if name in edits or name in values]
    singles = [((name,) if name in edits else (), (name,) if name in values else ()) for name in [*direct, *ancestors]]
    for some_edits, some_values in [*wholes, *singles]:
        if (some_edits or some_values) and (some_edits, some_values) not in seen:
            seen.add((some_edits, some_values))
            fixed = {k: v for name in some_values for k, v in values[name].items()}
            yield Base(
                tuple(dict.fromkeys((*some_edits, *some_values))), {name: edits[name] for name in some_edits}, fixed
            )


def usable_values(item: Item, answers: tuple[Any, ...], key: Key) -> dict[str, Any] | None:
    """A student's own values, if the key can go on from them: finite, of the right shape, not degenerate."""
    names = key.run(item.names)
    values: dict[str, Any] = {}
    for name, answer in zip(item.names, answers, strict=True):
        got, right = as_array(answer), as_array(names[name])
        if got is None or right is None or not same_shape(got.shape, right.shape):
            return None
        got = got.astype(float).reshape(right.shape)
        # zeros, or one number everywhere, would make the rest of the work trivial
        if not np.all(np.isfinite(got)) or not np.any(got) or (got.size > 1 and np.all(got == got.flat[0])):
            return None
        values[name] = float(got) if right.ndim == 0 else got
    return values


def nontrivial(theirs: list[Any], cases: tuple[Drawn, ...]) -> bool:
    """Whether agreeing with these recomputed answers shows anything: not when most vanish or blow up, or all stop,
    nor when one number stands everywhere.

    Where an earlier mistake spoils some cases only (a batch, a draw that overflows), the others must still speak.
    """
    fresh = [entry for i, entry in enumerate(theirs) if not cases or not cases[i].public]
    answers = [list(_numbers(entry)) for entry in fresh if not isinstance(entry, Raised)]
    speak = [arrays for arrays in answers if not _blown_up(arrays) and not _vanish(arrays)]
    if not speak or 2 * len(speak) < len(answers):
        return False
    entries = np.concatenate([array.ravel() for arrays in speak for array in arrays] or [np.zeros(0)])
    return entries.size < 2 or not np.all(entries == entries[0])


def comparable(theirs: list[Any]) -> list[int]:
    """The cases whose recomputed answers can be compared with: numbers that overflowed are nobody's answer."""
    return [i for i, entry in enumerate(theirs) if isinstance(entry, Raised) or not _blown_up(list(_numbers(entry)))]


def _blown_up(arrays: list[np.ndarray]) -> bool:
    return not all(np.all(np.isfinite(array)) for array in arrays)


def _vanish(arrays: list[np.ndarray]) -> bool:
    """Whether an answer's numbers are all zero.

    An answer without numbers (a text) has not gone, nor has an index that is 0: the first class, the first letter.
    """
    if not arrays or all(array.dtype.kind in "iu" for array in arrays):
        return False
    return not any(map(np.any, arrays))


def _numbers(answer: Any) -> Iterator[np.ndarray]:
    """All numbers of an answer, whatever it holds them in."""
    array = as_array(answer)
    if array is not None:
        yield array if array.dtype.kind in "iu" else array.astype(float)
    elif isinstance(answer, Mapping):
        for entry in answer.values():
            yield from _numbers(entry)
    elif isinstance(answer, tuple | list):
        for entry in answer:
            yield from _numbers(entry)


def _ancestors(item: Item, items: Mapping[str, Item]) -> list[str]:
    """All items that this one builds on, directly or through others, in notebook order."""
    found: set[str] = set()
    left = list(item.builds_on)
    while left:
        name = left.pop()
        if name not in found and name in items:
            found.add(name)
            left += items[name].builds_on
    return [name for name in items if name in found]
