"""Over all units: no random wrong answer earns full marks, and no random right one less."""

from __future__ import annotations

import functools
import warnings
import zlib
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.cases import Drawn, draw, rng_for
from chainrule.course import Course, Unit
from chainrule.items import Item, Kind
from chainrule.judge import Verdict
from chainrule.key import fresh
from chainrule.verify import typed, verdict_of

COURSE = Course(Path(__file__).resolve().parents[1])
ALL = [
    pytest.param(unit.name, item.id, id=f"{unit.name}/{item.id}")
    for unit in COURSE.units()
    if unit.source.is_file()
    for item in unit.items.values()
    if item.accept is None and item.kind is not Kind.CHOICE
]
pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # np.matrix is one of the forms
VISIBLE = 2e-3  # of the largest entry: twenty times float32's tolerance, which is the widest of all
Change = Callable[[Any, np.random.Generator], Any]

# --------------------------------------------------------------------------- right answers in other forms

array = np.asarray


def _rounding(x: Any, rng: np.random.Generator) -> Any:
    """Another order of summation moves the last bits."""
    return array(x) * (1 + rng.uniform(-1e-13, 1e-13, size=np.shape(x)))


RIGHT: dict[str, Change] = {
    "itself": lambda x, rng: x,
    "rounding": _rounding,
    "list": lambda x, rng: array(x).tolist(),
    "list of arrays": lambda x, rng: list(array(x)) if np.ndim(x) else x,
    "tuple": lambda x, rng: tuple(array(x).tolist()) if np.ndim(x) else (float(x),),
    "0-d or array": lambda x, rng: array(x),
    "floats": lambda x, rng: array(x).astype(float),
    "float32": lambda x, rng: array(x).astype(np.float32) if array(x).dtype.kind == "f" else x,
    "long double": lambda x, rng: array(x).astype(np.longdouble),
    "big-endian": lambda x, rng: array(x).astype(">f8"),
    "fortran": lambda x, rng: np.asfortranarray(x),
    "strided": lambda x, rng: np.repeat(array(x), 2, axis=0)[::2] if np.ndim(x) else x,
    "read-only": lambda x, rng: np.broadcast_to(array(x), np.shape(x)),
    "column": lambda x, rng: array(x)[:, None] if np.ndim(x) == 1 else x,
    "row": lambda x, rng: array(x)[None],
    "objects": lambda x, rng: array(x).astype(object),
    "fractions": lambda x, rng: [Fraction(float(entry)) for entry in x] if np.ndim(x) == 1 else x,
    "matrix": lambda x, rng: np.asmatrix(x) if np.ndim(x) == 2 else x,
    "masked": lambda x, rng: np.ma.array(x),
    "frame": lambda x, rng: pd.DataFrame(array(x)) if np.ndim(x) == 2 else x,
    "series": lambda x, rng: pd.Series(array(x)) if np.ndim(x) == 1 else x,
}

# --------------------------------------------------------------------------- wrong answers


def _size(x: Any, floor: float) -> float:
    return max(float(np.max(np.abs(array(x).astype(float)), initial=0.0)) * 2 * VISIBLE, floor)


def _one_entry(x: Any, rng: np.random.Generator, floor: float) -> Any:
    """One entry off by between the least visible amount and a thousand times it."""
    wrong = np.array(x, dtype=float)
    if wrong.size:
        wrong.flat[rng.integers(wrong.size)] += rng.choice([-1, 1]) * _size(x, floor) * 10 ** rng.uniform(0, 3)
    return wrong


def _all_entries(x: Any, rng: np.random.Generator, floor: float) -> Any:
    return array(x) + rng.choice([-1, 1], size=np.shape(x)) * _size(x, floor) * 10 ** rng.uniform(0, 3)


def _one_is(special: float) -> Callable[..., Any]:
    def change(x: Any, rng: np.random.Generator, floor: float) -> Any:
        wrong = np.array(x, dtype=float)
        if wrong.size:
            wrong.flat[rng.integers(wrong.size)] = special
        return wrong

    return change


def _permuted_axes(x: Any, rng: np.random.Generator, floor: float) -> Any:
    return np.transpose(x, rng.permutation(np.ndim(x)))


def _permuted_entries(x: Any, rng: np.random.Generator, floor: float) -> Any:
    return rng.permutation(array(x), axis=int(rng.integers(np.ndim(x)))) if np.ndim(x) else x


def _dropped(x: Any, rng: np.random.Generator, floor: float) -> Any:
    axis = int(rng.integers(max(np.ndim(x), 1)))
    return np.delete(x, rng.integers(np.shape(x)[axis]), axis=axis) if np.size(x) and np.ndim(x) else x


def _doubled(x: Any, rng: np.random.Generator, floor: float) -> Any:
    return np.concatenate([array(x)] * 2, axis=int(rng.integers(np.ndim(x)))) if np.ndim(x) else [x, x]


def _scaled(x: Any, rng: np.random.Generator, floor: float) -> Any:
    return array(x) * rng.choice([-1.0, 0.5, 2.0, 1.01, 0.99, 1e-3, 1e3, max(np.size(x), 2)])


WRONG: dict[str, Callable[..., Any]] = {
    "one entry": _one_entry,
    "all entries": _all_entries,
    "one is nan": _one_is(np.nan),
    "one is inf": _one_is(np.inf),
    "axes permuted": _permuted_axes,
    "entries permuted": _permuted_entries,
    "row or column dropped": _dropped,
    "doubled": _doubled,
    "scaled": _scaled,
    "opposite sign": lambda x, rng, floor: -array(x),
    "absolute": lambda x, rng, floor: np.abs(x),
    "zeros": lambda x, rng, floor: np.zeros(np.shape(x)),
    "ones": lambda x, rng, floor: np.ones(np.shape(x)),
    "its mean everywhere": lambda x, rng, floor: np.full(np.shape(x), np.mean(x)),
    "first row everywhere": lambda x, rng, floor: np.broadcast_to(array(x)[:1], np.shape(x)) if np.ndim(x) else x,
    "whole numbers": lambda x, rng, floor: array(x).astype(int) if np.all(np.isfinite(x)) else x,
    "one decimal": lambda x, rng, floor: np.round(x, 1),
    "flat": lambda x, rng, floor: np.ravel(x),
    "a sum": lambda x, rng, floor: np.sum(x),
    "strings": lambda x, rng, floor: array(x).astype(str).tolist(),
    "complex": lambda x, rng, floor: array(x) + 0j,
    "None": lambda x, rng, floor: None,
    "masked": lambda x, rng, floor: np.ma.array(array(x, dtype=float), mask=True),
    "a generator": lambda x, rng, floor: (entry for entry in np.ravel(x)),
    "a function": lambda x, rng, floor: lambda: x,
}


# --------------------------------------------------------------------------- answers and their numbers


def places(answer: Any, judged: tuple[str, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where the arrays and numbers of an answer stand. Parts named "" are not judged."""
    if isinstance(answer, dict):
        for key, entry in answer.items():
            yield from ((key, *place) for place in places(entry))
    elif isinstance(answer, tuple) or (isinstance(answer, list) and _numbers(answer) is None):
        for i, entry in enumerate(answer):
            if len(judged) != len(answer) or judged[i]:
                yield from ((i, *place) for place in places(entry))
    elif _numbers(answer) is not None:
        yield ()


def changed(answer: Any, place: tuple[Any, ...], change: Callable[[Any], Any]) -> Any:
    """The answer with one of its arrays changed, all else as it was."""
    if not place:
        return change(answer)
    if isinstance(answer, dict):
        return {key: changed(entry, place[1:], change) if key == place[0] else entry for key, entry in answer.items()}
    return type(answer)(changed(entry, place[1:], change) if i == place[0] else entry for i, entry in enumerate(answer))


def at(answer: Any, place: tuple[Any, ...]) -> Any:
    return functools.reduce(lambda part, step: part[step], place, answer)


def _numbers(thing: Any) -> np.ndarray | None:
    try:
        found = np.asarray(thing)
    except ValueError:
        return None
    return found if found.dtype.kind in "biuf" else None


def visibly_different(got: Any, want: Any, least: float) -> bool:
    """By a measure of its own: another shape (axes of one aside), no numbers, or far off somewhere."""
    seen, right = _numbers(got) if not isinstance(got, np.ma.MaskedArray) else None, array(want, dtype=float)
    if seen is None or np.squeeze(seen).shape != np.squeeze(right).shape:
        return True
    scale = float(np.max(np.abs(right[np.isfinite(right)]), initial=0.0)) or 1.0
    far = np.abs(np.squeeze(seen).astype(float) - np.squeeze(right))
    return bool(right.size) and not float(np.max(far)) <= max(VISIBLE * scale, least)


# --------------------------------------------------------------------------- the properties


CHOICES = st.integers(0, 10_000)


def chosen_form(forms: dict[str, Any], item: str, choice: int) -> str:
    """Every item begins elsewhere in the list: together they see all of it, with few examples each."""
    return list(forms)[(zlib.crc32(item.encode()) + choice) % len(forms)]


@functools.cache
def drawn(unit: str, item: str) -> tuple[Unit, Item, tuple[Drawn, ...], Any]:
    found = COURSE.unit(unit)
    chosen = found.items[item]
    rng = rng_for(b"properties", unit, chosen, "someone")
    return found, chosen, draw(chosen, found.key, rng), found.key.run(chosen.names)


def verdict(unit: Unit, item: Item, cases: tuple[Drawn, ...], names: dict[str, Any]) -> Verdict:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return verdict_of(unit, item, cases, names)


def example(item: Item, cases: tuple[Drawn, ...], solution: Any, name: str) -> Any:
    """An answer of the solution, to see what form it has."""
    if item.kind is not Kind.FUNCTION:
        return solution[name]
    args = fresh(cases[0].args)
    return solution[name](*(args if len(item.names) == 1 else args[item.names.index(name)]))


@settings(max_examples=6)
@given(choice=CHOICES, seed=st.integers(0, 2**32 - 1))
@pytest.mark.parametrize(("unit", "item"), ALL)
def test_right_answers_in_other_forms_earn_everything(unit: str, item: str, choice: int, seed: int) -> None:
    """All arrays of the answer at once, or some of them, come in another form."""
    form = chosen_form(RIGHT, item, choice)
    home, found, cases, solution = drawn(unit, item)
    if form == "float32" and not (found.float32 and found.kind is Kind.FUNCTION):
        return

    def other(name: str, answer: Any) -> Any:
        rng = np.random.default_rng(seed)
        for place in list(places(answer)):
            if seed % 2 or rng.integers(2):
                answer = changed(answer, place, lambda x: RIGHT[form](x, rng))
        return answer

    verdict_ = verdict(home, found, cases, _answers(found, solution, other))
    assert verdict_.full, f"{form}: {verdict_.says} {verdict_.remarks}"


@settings(max_examples=10)
@given(choice=CHOICES, seed=st.integers(0, 2**32 - 1))
@pytest.mark.parametrize(("unit", "item"), ALL)
def test_wrong_answers_never_earn_everything(unit: str, item: str, choice: int, seed: int) -> None:
    """One array of the answer is spoiled in every call, so that a fresh case shows it."""
    form = chosen_form(WRONG, item, choice)
    home, found, cases, solution = drawn(unit, item)
    name = found.names[seed % len(found.names)]
    judged = found.parts if len(found.names) == 1 else ()
    spots = list(places(example(found, cases, solution, name), judged))
    if not spots:
        return
    place = spots[seed % len(spots)]
    # a typed equivalent may be a tolerance off already, and an answer two off agrees with it
    least = 0.0 if found.kind is Kind.FUNCTION else 3 * found.atol
    visible = []

    def spoiled(of: str, answer: Any) -> Any:
        if of != name or place not in places(answer, judged):
            return answer
        rng = np.random.default_rng(seed)
        wrong = WRONG[form](at(answer, place), rng, 2 * least)
        visible.append(form == "a generator" or visibly_different(wrong, at(answer, place), least))
        return changed(answer, place, lambda x: wrong)

    verdict_ = verdict(home, found, cases, _answers(found, solution, spoiled))
    if any(visible) and not _is_an_equivalent(home, found, solution, spoiled):
        assert not verdict_.full, f"{form} at {place} of {name}: {verdict_.says}"


def _answers(item: Item, solution: Any, change: Callable[[str, Any], Any]) -> dict[str, Any]:
    if item.kind is not Kind.FUNCTION:
        return {name: change(name, solution[name]) for name in item.names}
    return {name: _wrapped(name, solution[name], change) for name in item.names}


def _wrapped(name: str, function: Callable[..., Any], change: Callable[[str, Any], Any]) -> Callable[..., Any]:
    return lambda *args: change(name, function(*args))


def _is_an_equivalent(unit: Unit, item: Item, solution: Any, change: Callable[[str, Any], Any]) -> bool:
    """Whether a changed value is one of those that the author lets count (a set in another order, say)."""
    if item.kind is Kind.FUNCTION:
        return False
    got = [change(name, solution[name]) for name in item.names]
    for same in item.same:
        names = unit.key.run(item.names, {item.id: unit.key.edited(item.id, same)})
        wants = [names[name] for name in item.names]
        if all(
            _numbers(w) is not None and not visibly_different(g, w, 2 * item.atol)
            for g, w in zip(got, wants, strict=True)
        ):
            return True
    return False


VALUES = [case for case in ALL if COURSE.unit(case.values[0]).items[case.values[1]].kind is Kind.VALUE]


@pytest.mark.parametrize("cut", [False, True], ids=["rounded", "cut"])
@pytest.mark.parametrize(("unit", "item"), VALUES)
def test_typed_values_earn_everything(unit: str, item: str, cut: bool) -> None:
    """What a student types who writes down four decimals, rounded or cut."""
    home, found, cases, solution = drawn(unit, item)

    def hand(name: str, answer: Any) -> Any:
        for place in list(places(answer)):
            answer = changed(answer, place, lambda x: typed(x, cut=cut))
        return answer

    assert verdict(home, found, cases, _answers(found, solution, hand)).full


@pytest.mark.parametrize("form", [form for form in WRONG if form not in ("whole numbers", "flat", "absolute")])
def test_the_property_can_fail(form: str) -> None:
    """Each way of spoiling is visible on ordinary numbers, so the property above is not empty."""
    x = np.random.default_rng(3).normal(size=(4, 3)) + 0.3
    assert any(visibly_different(WRONG[form](x, np.random.default_rng(i), 0.0), x, 0.0) for i in range(9))


@pytest.mark.parametrize("form", RIGHT)
def test_other_forms_are_the_same_numbers(form: str) -> None:
    """And none of the right forms is visibly different."""
    for x in (np.random.default_rng(3).normal(size=(4, 3)), np.array([1.5, -2.0]), np.float64(0.25)):
        got = RIGHT[form](x, np.random.default_rng(1))
        assert not visibly_different(np.array(np.asarray(got), dtype=float), x, 0.0)
