"""What a wrong answer is: a slip of the item, two of them at once, or something that its numbers show."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from chainrule.cases import Drawn, outcomes, slip_pairs, tolerance, widest_gap
from chainrule.check import as_array, encode, first_gap
from chainrule.errors import BuildError
from chainrule.evidence import Failure
from chainrule.items import Item, Slip
from chainrule.key import BEGIN, Key, Raised, edited_text


def agree(item: Item, got: Any, want: Any) -> bool:
    """Whether two outcomes are the same within the item's tolerance; two exceptions are."""
    if isinstance(want, Raised):
        return isinstance(got, Failure | Raised)
    if isinstance(got, Failure | Raised):
        return False
    return widest_gap(got, want, tolerance(item)) <= 1.0


def all_agree(item: Item, gots: list[Any], wants: list[Any]) -> bool:
    return len(gots) == len(wants) and all(agree(item, got, want) for got, want in zip(gots, wants, strict=True))


def known_slips(
    item: Item,
    key: Key,
    gots: list[Any],
    wants: list[Any],
    cases: tuple[Drawn, ...],
) -> tuple[Slip, ...]:
    """The slip, or the pair of slips, whose answers these are on every case; empty where there is none.

    `wants` is what the right key answers: a slip that no case shows is not named. A value has no cases.
    """
    for slip in item.slips:
        theirs = outcomes(item, key, cases, {item.id: key.edited(item.id, slip)})
        if recognised(item, gots, theirs, wants):
            return (slip,)
    for one, other in slip_pairs(item):
        text = edited_twice(item, key, one, other)
        if text is not None:
            theirs = outcomes(item, key, cases, {item.id: text})
            # two edits that only break the code together are no diagnosis
            if not any(isinstance(t, Raised) for t in theirs) and recognised(item, gots, theirs, wants):
                return (one, other)
    return ()


def recognised(item: Item, gots: list[Any], theirs: list[Any], wants: list[Any]) -> bool:
    """Whether answers are a mistake's: equal to it, which is not equal to the right ones.

    That everything stops is no sign of one mistake rather than another.
    """
    return (
        any(not isinstance(entry, Raised) for entry in theirs)
        and all_agree(item, gots, theirs)
        and not all_agree(item, theirs, wants)
    )


def edited_twice(item: Item, key: Key, one: Slip, other: Slip) -> str | None:
    """The solution cell with both edits in, None where one leaves no place for the other."""
    solution = key.solution(item.id)
    try:
        text = edited_text(edited_text(solution, one, ""), other, "")
    except BuildError:
        return None
    whole = key.edited(item.id, one)
    head = whole[: whole.index(BEGIN) + len(BEGIN) + 1]
    tail = whole[len(head) + len(edited_text(solution, one, "")) :]
    return head + text + tail


def too_coarse(item: Item, gots: list[Any], wants: list[Any]) -> bool:
    """Whether float32 is all that is wrong, where the item does not take it."""
    if item.float32 or any(isinstance(got, Failure) for got in gots):
        return False
    rule = tolerance(item)._replace(float32=True)
    return all(first_gap(got, want, rule) is None for got, want in zip(gots, wants, strict=True))


def unrepeatable(item: Item, gots: list[Any], cases: tuple[Drawn, ...]) -> bool:
    """Whether the last case, which is the first fresh one again, has another result than that."""
    first = next((i for i, case in enumerate(cases) if not case.public), None)
    if first is None or first == len(cases) - 1 or isinstance(gots[first], Failure) or isinstance(gots[-1], Failure):
        return False
    try:
        return first_gap(gots[-1], gots[first], tolerance(item)) is not None
    except ValueError:  # a table of more than numbers: pandas does not say whether the whole is the same
        return encode(gots[-1]) != encode(gots[first])


@np.errstate(all="ignore")  # the student's numbers may be of any size
def signs(gots: list[Any], wants: list[Any]) -> str | None:
    """A general remark that the numbers of every judged case support, such as an exact factor of minus one."""
    pairs = [(as_array(got), as_array(want)) for got, want in _leaves(gots, wants)]
    usable = [(got.astype(float), want.astype(float)) for got, want in pairs if got is not None and want is not None]
    if not usable or len(usable) != len(pairs):
        return None
    if all(not np.any(got) for got, _ in usable) and any(np.any(want) for _, want in usable):
        return "all entries are zero."
    if any(not np.all(np.isfinite(got)) for got, _ in usable):
        return "there are entries that are not finite numbers (nan or inf)."
    if all(
        got.ndim == 2 and got.shape == want.shape[::-1] and np.allclose(got.T, want, rtol=1e-6, atol=0)
        for got, want in usable
    ):
        return "it is the transpose of what is wanted."
    if any(got.size != want.size for got, want in usable):
        return None
    usable = [(got.reshape(want.shape), want) for got, want in usable]
    ratio = _common_ratio(usable)
    if ratio is not None:
        return ratio
    return _one_row(usable)


def _leaves(gots: list[Any], wants: list[Any]) -> Iterator[tuple[Any, Any]]:
    for got, want in zip(gots, wants, strict=True):
        if isinstance(want, Mapping) and isinstance(got, Mapping):
            yield from _leaves([got.get(key) for key in want], list(want.values()))
        elif isinstance(want, tuple) and isinstance(got, tuple | list) and len(got) == len(want):
            yield from _leaves(list(got), list(want))
        else:
            yield got, want


def _common_ratio(pairs: list[tuple[np.ndarray, np.ndarray]]) -> str | None:
    """An exact factor between got and want that holds on all cases, in words."""
    factors, sizes = [], []
    for got, want in pairs:
        if not np.any(want):
            continue
        factor = float(np.sum(got * want) / np.sum(want * want))
        if not np.allclose(got, factor * want, rtol=1e-6, atol=1e-9 * float(np.max(np.abs(want)))):
            return None
        factors.append(factor)
        sizes.append(want.shape[0] if want.ndim else 0)
    if not factors or any(math.isclose(factor, 1.0, rel_tol=1e-6) for factor in factors):
        return None
    words = {
        -1.0: "every entry has the opposite sign.",
        2.0: "every entry is twice what it should be.",
        0.5: "every entry is half of what it should be.",
    }
    for number, says in words.items():
        if all(math.isclose(factor, number, rel_tol=1e-6) for factor in factors):
            return says
    if len(set(sizes)) > 1 or len(sizes) == 1:
        if all(
            size > 2 and math.isclose(factor, size, rel_tol=1e-6) for factor, size in zip(factors, sizes, strict=True)
        ):
            return "every entry is N times what it should be, N being the number of rows: a sum where a mean is asked?"
        if all(
            size > 2 and math.isclose(factor * size, 1.0, rel_tol=1e-6)
            for factor, size in zip(factors, sizes, strict=True)
        ):
            return "every entry is 1/N of what it should be, N being the number of rows: a mean where a sum is asked?"
    return None


def _one_row(pairs: list[tuple[np.ndarray, np.ndarray]]) -> str | None:
    """Whether only the first or only the last row (or step) is right, everywhere."""
    tables = [(got, want) for got, want in pairs if want.ndim >= 1 and want.shape[0] > 1]
    if not any(want.shape[0] > 2 for _, want in tables):  # one of two is right by chance too often
        return None
    for place, word in ((0, "first"), (-1, "last")):
        if all(
            np.allclose(got[place], want[place], rtol=1e-6) and not np.allclose(got, want, rtol=1e-6)
            for got, want in tables
        ):
            rest = all(
                not np.any(np.isclose(np.delete(got, place, 0), np.delete(want, place, 0), rtol=1e-6))
                for got, want in tables
            )
            if rest:
                return f"only the {word} row (or step) is right."
    return None
