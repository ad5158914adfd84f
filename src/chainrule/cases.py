"""The cases that an item is judged on: worked ones for all, fresh ones for each student, all of them telling.

A drawn set of cases is kept only if it separates every slip from the solution, so no student is judged
on numbers where a mistake happens to agree with the right answer.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.check import Tolerance, encode, gaps
from chainrule.errors import CourseError
from chainrule.items import ATOL_CHOICE, FLOAT32_RTOL, Item, Kind, Slip
from chainrule.key import Key, Raised

MARGIN = 10.0  # noise <= tolerance / MARGIN, and a visible slip >= tolerance * MARGIN
DRAWS = 40  # redraws before an item is called inseparable


@dataclass(frozen=True, slots=True)
class Drawn:
    """One case with its arguments. Public ones may be shown; `name` tells students what kind it is.

    Being right on easy ones alone earns nothing.
    """

    name: str
    args: tuple[Any, ...]
    public: bool
    easy: bool = False


class Cases(tuple[Drawn, ...]):
    """A student's cases of one item, with what the key answered on them: drawing asks most of what judging does."""

    answered: dict[tuple[Key, str, frozenset[tuple[str, str]]], list[Any]]

    def __new__(cls, drawn: Iterable[Drawn]) -> Cases:
        cases = super().__new__(cls, drawn)
        cases.answered = {}
        return cases


def rng_for(secret: bytes, unit: str, item: Item, student: str) -> np.random.Generator:
    """The student's own stream for one item: a regrade draws the same cases, nobody else does."""
    message = "\0".join((unit, item.id, student, str(item.version))).encode()
    return np.random.default_rng(np.frombuffer(hmac.digest(secret, message, hashlib.sha256), dtype=np.uint32))


def worked_cases(item: Item, key: Key) -> tuple[Drawn, ...]:
    """The public cases, on the notebook's own given numbers."""
    return tuple(Drawn(worked.name, tuple(worked.args(key.given())), True) for worked in item.worked)


def draw(item: Item, key: Key, rng: np.random.Generator) -> tuple[Drawn, ...]:
    """Worked cases, fresh ones, and the first fresh one once more (an answer must not depend on what came before).

    Raises CourseError where no drawn set tells all slips from the solution.
    """
    if item.kind is not Kind.FUNCTION:
        return ()
    worked = worked_cases(item, key)
    for _ in range(DRAWS):
        new = [
            Drawn(case.name, tuple(case.draw(rng)), False, case.easy) for case in item.cases for _ in range(case.times)
        ]
        cases = Cases((*worked, *new, *new[:1]))
        if item.accept is not None or not list(_unclear(item, key, cases)):
            return cases
    why = next(_unclear(item, key, cases))
    raise CourseError(f"{key.unit}, item {item.id}: {DRAWS} draws of its cases and none tells all slips apart: {why}")


def outcomes(
    item: Item,
    key: Key,
    cases: Iterable[Drawn],
    edits: Mapping[str, str] | None = None,
    values: Mapping[str, Any] | None = None,
) -> list[Any]:
    """What the key, with edits put in and `values` fixed beforehand, answers on the cases. Not to be changed."""
    if values or not isinstance(cases, Cases):
        return key.answer(item, [case.args for case in cases], edits, values)
    place = (key, item.id, frozenset((edits or {}).items()))
    if place not in cases.answered:
        cases.answered[place] = key.answer(item, [case.args for case in cases], edits)
    return list(cases.answered[place])


def slip_distances(item: Item, key: Key, cases: tuple[Drawn, ...]) -> dict[str, list[float]]:
    """For each slip, how far it is from the solution on each case, in tolerances."""
    wants, rule = outcomes(item, key, cases), widest(item)
    found = {}
    with np.errstate(all="ignore"):
        for slip in item.slips:
            gots = outcomes(item, key, cases, {item.id: key.edited(item.id, slip)})
            found[slip.name] = [_distance(got, want, rule) for got, want in zip(gots, wants, strict=True)]
    return found


def distance(item: Item, got: Any, want: Any) -> float:
    """How far two outcomes are apart, in tolerances; infinite where one raises or the forms differ."""
    with np.errstate(all="ignore"):
        return _distance(got, want, widest(item))


def _distance(got: Any, want: Any, rule: Tolerance) -> float:
    if isinstance(got, Raised) or isinstance(want, Raised):
        return 0.0 if type(got) is type(want) else math.inf
    return _widest_gap(got, want, rule)


def widest_gap(got: Any, want: Any, rule: Tolerance) -> float:
    """The widest ratio of `gaps`; by a shorter way where answers are made of finite float64 arrays of one shape."""
    with np.errstate(all="ignore"):
        return _widest_gap(got, want, rule)


def _widest_gap(got: Any, want: Any, rule: Tolerance) -> float:
    kind = type(want)
    if kind is tuple and type(got) in (tuple, list) and len(got) == len(want):
        judged = rule.parts if len(rule.parts) == len(want) else ("all",) * len(want)
        inner = rule._replace(parts=()) if rule.parts else rule
        return max((_widest_gap(g, w, inner) for g, w, on in zip(got, want, judged, strict=True) if on), default=0.0)
    if kind is dict and type(got) is dict and want.keys() <= got.keys():
        return max((_widest_gap(got[key], entry, rule) for key, entry in want.items()), default=0.0)
    ratio = math.nan
    if kind in NUMBERS and type(got) in NUMBERS:
        ratio = abs(float(got) - float(want)) / _allowed(rule, abs(float(want)))
    elif _plain(got) and _plain(want) and got.shape == want.shape and want.size:
        # a quotient grows with its numerator: the largest is the largest numerator's
        ratio = _largest(got - want) / _allowed(rule, _largest(want))
    if math.isfinite(ratio):
        return ratio
    return max((gap.ratio for gap in gaps(got, want, rule)), default=0.0)


def _largest(array: np.ndarray) -> float:
    return float(np.maximum.reduce(np.abs(array), axis=None))


NUMBERS = (float, np.float64)


def _plain(thing: Any) -> bool:
    return type(thing) is np.ndarray and thing.dtype == np.float64


def _allowed(rule: Tolerance, scale: float) -> float:
    return rule.atol + rule.rtol * (scale or 1.0) or math.nan


def tolerance(item: Item) -> Tolerance:
    """The item's tolerance as the comparison takes it."""
    if item.kind is Kind.FUNCTION:
        return Tolerance(item.rtol, 0.0, item.float32, item.parts)
    # a value is judged by what hand work can reach, however precise the numbers look
    return (
        Tolerance(0.0, item.atol, False, item.parts)
        if item.kind is Kind.VALUE
        else Tolerance(0.0, ATOL_CHOICE, False, item.parts)
    )


def widest(item: Item) -> Tolerance:
    """The loosest tolerance that an answer to this item can be given: float32's where that is accepted."""
    rule = tolerance(item)
    return rule._replace(rtol=max(rule.rtol, FLOAT32_RTOL)) if rule.float32 else rule


def _unclear(item: Item, key: Key, cases: tuple[Drawn, ...]) -> Iterator[str]:
    """Slips that a set of cases does not show, or shows on a case by less than the margin."""
    wants = outcomes(item, key, cases)
    broken = next((case.name for case, want in zip(cases, wants, strict=True) if isinstance(want, Raised)), None)
    if broken:
        yield f"the solution itself raises on the case {broken!r}"
        return
    for slip, distances in slip_distances(item, key, cases).items():
        # a slip that only warns agrees in its numbers everywhere
        if max(distances, default=0.0) < MARGIN and not _only_warns(item, slip):
            yield f"slip {slip} is at most {max(distances):.3g} tolerances away"
        for case, far in zip(cases, distances, strict=True):
            if 1 / MARGIN < far < MARGIN:
                yield f"slip {slip} is {far:.3g} tolerances away on the case {case.name!r}: neither the same nor apart"


def _only_warns(item: Item, slip: str) -> bool:
    return item.warns is not None and any(s.name == slip and math.isclose(s.credit, item.warns) for s in item.slips)


def case_file(unit: str, items: Iterable[Item], cases: Mapping[str, tuple[Drawn, ...]]) -> dict[str, Any]:
    """What goes into the sandbox: names and arguments. No expected value, no slip, no word which case is which."""
    return {"unit": unit, "items": {item.id: spec(item, cases.get(item.id, ())) for item in items}}


def spec(item: Item, cases: Iterable[Drawn]) -> dict[str, Any]:
    """One item as `check.gather` takes it."""
    return {"names": list(item.names), "kind": str(item.kind), "cases": [{"args": encode(case.args)} for case in cases]}


def slip_pairs(item: Item) -> Iterator[tuple[Slip, Slip]]:
    """Two mistakes at once, where both are edits of the text."""
    yield from itertools.combinations([slip for slip in item.slips if slip.old], 2)
