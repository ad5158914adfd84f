"""The tests of the autograder itself: every item judged on its solution, blank, slips and equivalents.

A slip must lose marks, be named, and be charged once; an equivalent must earn all marks; the blank none.
Separation is measured: how many times the tolerance is wider than the noise of right answers, and how
many times narrower than the nearest slip.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from chainrule.cases import MARGIN, Drawn, distance, draw, outcomes, rng_for, slip_distances, spec, tolerance
from chainrule.check import as_array, gaps, gather
from chainrule.course import Unit
from chainrule.errors import ChainruleError
from chainrule.evidence import Evidence, parse
from chainrule.items import Item, Kind
from chainrule.judge import Verdict, judge_item, judge_unit
from chainrule.judge.follow import Earlier, nontrivial, usable_values
from chainrule.judge.verdict import marks
from chainrule.key import Raised, call

SECRET = b"verify draws its own students' cases"  # any will do: real courses have one of their own
CASES = 200  # drawn cases of each function item whose separation is measured


@dataclass(frozen=True, slots=True)
class ItemReport:
    """What verify found about one item. Margins are in times of the tolerance, both must be at least 10."""

    item: str
    kind: str
    points: float
    slips: int
    slips_named: int
    same: int
    same_full: int
    draws: int
    noise_margin: float | None
    signal_margin: float | None
    problems: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        tree = asdict(self)
        for name in ("noise_margin", "signal_margin"):
            number = tree[name]
            tree[name] = None if number is None or not math.isfinite(number) else float(f"{number:.3g}")
        return tree


def verify(unit: Unit, cases: int = CASES, done: Callable[[str], None] = lambda item: None) -> list[ItemReport]:
    """A report for each item of the unit; `done` is called with each item's id."""
    reports = []
    for item in unit.items.values():
        try:
            reports.append(_verify_item(unit, item, cases))
        except ChainruleError as error:
            reports.append(
                ItemReport(
                    item.id,
                    str(item.kind),
                    item.points,
                    len(item.slips),
                    0,
                    len(item.same),
                    0,
                    0,
                    None,
                    None,
                    (str(error),),
                )
            )
        done(item.id)
    return reports


def _verify_item(unit: Unit, item: Item, cases: int) -> ItemReport:
    rng = rng_for(SECRET, unit.name, item, "verify")
    drawn = draw(item, unit.key, rng)
    problems = [*_solution_and_blank(unit, item, drawn)]
    wrong_slips = dict(_wrong_slips(unit, item, drawn))
    wrong_same = dict(_wrong_same(unit, item, drawn))
    problems += [*wrong_slips.values(), *wrong_same.values(), *_charged_twice(unit, item)]
    noise, signal, draws = _separation(unit, item, cases, rng) if item.accept is None else (None, None, 0)
    if noise is not None and noise < MARGIN:
        problems.append(
            f"right answers differ by up to 1/{noise:.3g} of the tolerance; it must be 1/{MARGIN:g} at most"
        )
    if signal is not None and signal < MARGIN:
        problems.append(f"the nearest slip is {signal:.3g} tolerances away; it must be {MARGIN:g} at least")
    return ItemReport(
        item.id,
        str(item.kind),
        item.points,
        len(item.slips),
        len(item.slips) - len(wrong_slips),
        len(item.same),
        len(item.same) - len(wrong_same),
        draws,
        noise,
        signal,
        tuple(problems),
    )


# --------------------------------------------------------------------------- through the judge


def verdict_of(unit: Unit, item: Item, drawn: tuple[Drawn, ...], names: Mapping[str, Any]) -> Verdict:
    """The judge's verdict on objects of this process, by the same evidence that a notebook would send."""
    return judge_item(unit, item, evidence_of(item, drawn, names), drawn, Earlier())


def evidence_of(item: Item, drawn: tuple[Drawn, ...], names: Mapping[str, Any]) -> Evidence:
    """The evidence that objects of this process give, through the wire format."""
    return parse(json.dumps(gather(spec(item, drawn), names)), item, len(drawn))


def _solution_and_blank(unit: Unit, item: Item, drawn: tuple[Drawn, ...]) -> Iterator[str]:
    right = verdict_of(unit, item, drawn, unit.key.run(item.names))
    if not right.full or right.remarks:
        yield f"the solution gets {right.points:g} of {right.out_of:g}: {right.says} {' '.join(right.remarks)}"
    blank = unit.key.run(item.names, {item.id: unit.key.around(item.id)})
    verdict = verdict_of(unit, item, drawn, blank)
    if verdict.points:
        yield f"the blank gets {verdict.points:g} of {verdict.out_of:g}"


def _wrong_slips(unit: Unit, item: Item, drawn: tuple[Drawn, ...]) -> Iterator[tuple[str, str]]:
    """Slips that keep all marks, are not named, or do not get their credit."""
    for slip in item.slips:
        names = _names(unit, item, {item.id: unit.key.edited(item.id, slip)})
        if isinstance(names, Raised):
            yield slip.name, f"slip {slip.name}: its cell stops with {names.type} before there is an answer"
            continue
        verdict = verdict_of(unit, item, drawn, names)
        if verdict.full:
            yield slip.name, f"slip {slip.name} gets full marks"
        elif verdict.slips != (slip.name,):
            named = ", ".join(verdict.slips) or "nothing"
            yield slip.name, f"slip {slip.name} is taken for {named}: {verdict.says}"
        elif verdict.points != marks(slip.credit, item.points):
            yield (
                slip.name,
                f"slip {slip.name} gets {verdict.points:g}, its credit is {marks(slip.credit, item.points):g}",
            )


def _wrong_same(unit: Unit, item: Item, drawn: tuple[Drawn, ...]) -> Iterator[tuple[str, str]]:
    for same in item.same:
        names = _names(unit, item, {item.id: unit.key.edited(item.id, same)})
        if isinstance(names, Raised):
            yield same.name, f"equivalent {same.name}: its cell stops with {names.type}"
            continue
        verdict = verdict_of(unit, item, drawn, names)
        if not verdict.full:
            yield same.name, f"equivalent {same.name} gets {verdict.points:g} of {verdict.out_of:g}: {verdict.says}"


def _charged_twice(unit: Unit, item: Item) -> Iterator[str]:
    """Later items that lose marks for a slip of this one."""
    later = [
        other
        for other in unit.items.values()
        if other.accept is None and unit.key.needs(other.names, item.id) and other.id != item.id
    ]
    if not later:
        return
    for slip in item.slips:
        edits = {item.id: unit.key.edited(item.id, slip)}
        if not _can_be_followed(unit, item, edits):
            continue
        verdicts = judged_with(unit, [item, *later], edits)
        for other in later:
            verdict = verdicts[other.id]
            drawn = draw(other, unit.key, rng_for(SECRET, unit.name, other, "verify"))
            theirs = outcomes(other, unit.key, drawn, edits)
            if not verdict.full and nontrivial(theirs, drawn):
                points = f"{verdict.points:g} of {verdict.out_of:g}"
                yield f"slip {slip.name} is charged again in {other.id}: {points}, {verdict.says}"


def _can_be_followed(unit: Unit, item: Item, edits: Mapping[str, str]) -> bool:
    """Whether the key can go on from this mistake at all: not from values of another shape, or from zeros."""
    if item.kind is Kind.FUNCTION:
        return True
    names = _names(unit, item, edits)
    return (
        not isinstance(names, Raised)
        and usable_values(item, tuple(names[name] for name in item.names), unit.key) is not None
    )


def judged_with(unit: Unit, items: list[Item], edits: Mapping[str, str], student: str = "verify") -> dict[str, Verdict]:
    """Verdicts on some items of a student whose notebook is the solution with edits put in; all others are right."""
    drawn = {item.id: draw(item, unit.key, rng_for(SECRET, unit.name, item, student)) for item in items}
    evidence = {}
    for item in items:
        names = _names(unit, item, edits)
        evidence[item.id] = (
            Evidence(missing=item.names) if isinstance(names, Raised) else evidence_of(item, drawn[item.id], names)
        )
    return {name: verdict for name, verdict in judge_unit(unit, evidence, drawn).items() if name in drawn}


def _names(unit: Unit, item: Item, edits: Mapping[str, str]) -> Mapping[str, Any] | Raised:
    try:
        names = unit.key.run(item.names, edits)
    except Exception as error:
        return Raised(type(error).__name__)
    return (
        names
        if item.kind is Kind.FUNCTION
        else {name: copy.deepcopy(names[name]) for name in item.names if name in names}
    )


# --------------------------------------------------------------------------- separation


def _separation(unit: Unit, item: Item, cases: int, rng: np.random.Generator) -> tuple[float | None, float | None, int]:
    """Tolerance over noise, nearest slip over tolerance, and the number of drawn cases that say so."""
    if item.kind is not Kind.FUNCTION:
        distances_of = [_value_distance(unit, item, slip.name) for slip in item.slips]
        return None, min(distances_of) if distances_of else None, 1
    noise, signal, count = 0.0, math.inf, 0
    while count < cases:
        drawn = draw(item, unit.key, rng)
        count += sum(not case.public for case in drawn) - 1
        wants = outcomes(item, unit.key, drawn)
        for same in item.same:
            gots = outcomes(item, unit.key, drawn, {item.id: unit.key.edited(item.id, same)})
            noise = max(noise, max(_noise(item, got, want) for got, want in zip(gots, wants, strict=True)))
        if item.float32:
            noise = max(noise, max(_float32_noise(unit, item, drawn, wants), default=0.0))
        for distances in slip_distances(item, unit.key, drawn).values():
            far = max(distances)
            if far > 1.0:  # a slip that only warns agrees in its numbers
                signal = min(signal, far)
    return 1 / noise if noise else math.inf, signal, count


def _noise(item: Item, got: Any, want: Any) -> float:
    if isinstance(got, Raised) or isinstance(want, Raised):
        return math.inf
    return max((gap.ratio for gap in gaps(got, want, tolerance(item))), default=0.0)


def _float32_noise(unit: Unit, item: Item, drawn: tuple[Drawn, ...], wants: list[Any]) -> Iterator[float]:
    """How far the solution is off when it works in float32, in float32's tolerances."""
    objects = [unit.key.run(item.names)[name] for name in item.names]
    for case, want in zip(drawn, wants, strict=True):
        got = call(objects, in_float32(case.args))
        if not isinstance(got, Raised):
            yield max((gap.ratio for gap in gaps(in_float32(got), want, tolerance(item))), default=0.0)


def in_float32(thing: Any) -> Any:
    """The same data with every float64 array and number in float32."""
    if isinstance(thing, np.ndarray) and thing.dtype == np.float64:
        return thing.astype(np.float32)
    if isinstance(thing, float):
        return np.float32(thing)
    if isinstance(thing, tuple | list):
        return type(thing)(in_float32(entry) for entry in thing)
    if isinstance(thing, dict):
        return {key: in_float32(entry) for key, entry in thing.items()}
    return thing


def _value_distance(unit: Unit, item: Item, slip: str) -> float:
    edit = next(one for one in item.slips if one.name == slip)
    want = unit.key.answer(item, [])[0]
    got = unit.key.answer(item, [], {item.id: unit.key.edited(item.id, edit)})[0]
    return distance(item, got, want)


def typed(answer: Any, digits: int = 4, cut: bool = False) -> Any:
    """An answer as a student types it: rounded, or cut, to some decimals. Used by the tests of hand work."""
    array = as_array(answer)
    if array is None:
        return answer
    array = array.astype(float) * 10**digits
    return (np.trunc(array) if cut else np.round(array)) / 10**digits
