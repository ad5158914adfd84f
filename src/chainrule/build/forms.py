"""The form of answers that bounds are set for: what home looks at before the quality is judged in grading.

Derived from answers that are right: the solution's, the equivalents', and such changes of the solution's that the
item's own judge takes as well. What differs between them (a hidden size, the number of rows, a transpose) is the
student's choice and is not demanded. A form holds types, keys, columns and sizes, never a value.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from chainrule.check import as_array
from chainrule.errors import BuildError
from chainrule.items import Item, Trial
from chainrule.key import Key, Raised

Form = dict[str, Any]  # as `check.form_gap` reads it; an empty one demands nothing


def value_forms(item: Item, key: Key) -> list[Form]:
    """A form for each of the item's names. What students are given filled in is not theirs, so it has none."""
    solution, *others = [_answers(item, key, edits) for edits in _right_edits(item, key)]
    if item.accept is not None:
        others += _accepted_changes(item, key, solution)
    blank = key.run(item.names, {item.id: key.around(item.id)})
    letters: dict[tuple[int, ...], str] = {}
    return [
        _form([answers[i] for answers in (solution, *others)], letters) if blank.get(name) is None else {}
        for i, name in enumerate(item.names)
    ]


def result_forms(item: Item, key: Key, args: Sequence[tuple[Any, ...]]) -> list[Form]:
    """A form for the function's result on each of the worked cases."""
    results = [key.answer(item, args, edits) for edits in _right_edits(item, key)]
    return [_form([_expect(item, run[i]) for run in results], {}) for i in range(len(args))]


def _right_edits(item: Item, key: Key) -> Iterator[Mapping[str, str]]:
    yield {}
    for same in item.same:
        yield {item.id: key.edited(item.id, same)}


def _answers(item: Item, key: Key, edits: Mapping[str, str]) -> tuple[Any, ...]:
    answer = _expect(item, key.answer(item, [], edits)[0])
    return (answer,) if len(item.names) == 1 else answer


def _expect(item: Item, answer: Any) -> Any:
    if isinstance(answer, Raised):
        raise BuildError(f"item {item.id}: an answer that should count stops with {answer.type}")
    return answer


# --------------------------------------------------------------------------- what the judge takes as well


def _accepted_changes(item: Item, key: Key, solution: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """The solution's answers with one thing changed in their form, where the item's judge gives full marks still."""
    want = (solution[0] if len(solution) == 1 else solution) if item.compares else None
    accepted = []
    for i, answer in enumerate(solution):
        for changed in _changes(answer):
            answers = (*solution[:i], changed, *solution[i + 1 :])
            trial = Trial(answers[0] if len(answers) == 1 else answers, (), want, key.given())
            if _passes(item.accept, trial):
                accepted.append(answers)
    return accepted


def _passes(accept: Callable[[Trial], Any] | None, trial: Trial) -> bool:
    try:
        return accept is not None and accept(trial) is None
    except Exception:  # the judge takes an exception of `accept` for a wrong form, too
        return False


def _changes(answer: Any) -> Iterator[Any]:
    """The answer with one thing changed in its form: another container, a key or a row less, a transpose."""
    if isinstance(answer, pd.DataFrame):
        yield {name: list(answer[name]) for name in answer.columns}
        yield answer.to_dict("records")
        yield from (answer.drop(columns=name) for name in answer.columns)
        yield from (answer.iloc[:-1], pd.concat([answer, answer.iloc[-1:]]))
    elif isinstance(answer, Mapping):
        for key, entry in answer.items():
            yield {name: other for name, other in answer.items() if name != key}
            yield from ({**answer, key: changed} for changed in _changes(entry))
    elif (array := as_array(answer)) is not None and array.ndim:
        yield from (array.T, array[:-1], np.concatenate([array, array[-1:]]))
    elif isinstance(answer, list):
        yield from (answer[:-1], [*answer, answer[-1]])


# --------------------------------------------------------------------------- what right answers have in common


def _form(samples: Sequence[Any], letters: dict[tuple[int, ...], str] | None) -> Form:
    """What all samples have in common. `letters` names the axes that differ; None where they stand for nothing."""
    kinds = {_kind(sample) for sample in samples}
    if "table" in kinds and kinds <= {"table", "dict", "list"}:
        return _table_form([pd.DataFrame(sample) for sample in samples]) | {"as": sorted(kinds)}
    if kinds == {"dict"}:
        return _dict_form(samples, letters)
    if kinds == {"array"}:
        return _array_form(samples, letters)
    if kinds <= {"list", "array"}:
        return _list_form(samples)
    return {"is": "text"} if kinds == {"text"} else {}


def _kind(answer: Any) -> str:
    if isinstance(answer, pd.DataFrame):
        return "table"
    if isinstance(answer, Mapping):
        return "dict"
    if isinstance(answer, str):
        return "text"
    if as_array(answer) is not None:
        return "array"
    return "list" if isinstance(answer, list | tuple) else "other"


def _dict_form(samples: Sequence[Any], letters: dict[tuple[int, ...], str] | None) -> Form:
    keys = [key for key in samples[0] if isinstance(key, str) and all(key in sample for sample in samples)]
    return {"is": "dict", "keys": {key: _form([sample[key] for sample in samples], letters) for key in keys}}


def _table_form(samples: Sequence[pd.DataFrame]) -> Form:
    """Columns and rows. Whole numbers may be names as well ("w1" for 1), so only measured columns must be numbers."""
    columns = [str(name) for name in samples[0].columns if all(name in sample.columns for sample in samples)]
    measured = [name for name in columns if all(sample[name].dtype.kind == "f" for sample in samples)]
    return {"is": "table", "columns": columns, "numbers": measured, "rows": _common(map(len, samples))}


def _list_form(samples: Sequence[Any]) -> Form:
    """Of one form for all entries; in a tuple, of one for each place."""
    length = _common(map(len, samples))
    if length is not None and isinstance(samples[0], tuple):
        entries = [_form([sample[i] for sample in samples], None) for i in range(length)]
        return {"is": "list", "length": length, "entries": entries}
    each = _form([entry for sample in samples for entry in sample], None)
    return {"is": "list", "length": length, "each": each}


def _array_form(samples: Sequence[Any], letters: dict[tuple[int, ...], str] | None) -> Form:
    """Numbers. An axis has its size where all agree, else the letter of those that differ in the same way."""
    first, *rest = [array.shape for array in map(as_array, samples) if array is not None]
    base = [k for k in first if k != 1]
    shapes = [base, *([k for k in shape if k != 1] for shape in rest)]
    if _common(map(len, shapes)) is None:
        return {"is": "array", "shape": None}
    turned = [len(base) == 2 and _alike(shape[::-1], base) > _alike(shape, base) for shape in shapes]
    shapes = [shape[::-1] if turn else shape for shape, turn in zip(shapes, turned, strict=True)]
    axes = iter([_axis(sizes, letters) for sizes in zip(*shapes, strict=True)])
    form = {"is": "array", "shape": [1 if k == 1 else next(axes) for k in first]}
    return form | {"turned": True} if any(turned) else form


def _alike(shape: list[int], other: list[int]) -> int:
    return sum(k == n for k, n in zip(shape, other, strict=True))


def _axis(sizes: tuple[int, ...], letters: dict[tuple[int, ...], str] | None) -> int | str | None:
    if len(set(sizes)) == 1:
        return sizes[0]
    return None if letters is None else letters.setdefault(sizes, _letter(len(letters)))


def _letter(number: int) -> str:
    return "nmkpqr"[number] if number < 6 else string.ascii_letters[number]


def _common(sizes: Iterable[int]) -> int | None:
    """The size that all have, None where they differ."""
    found = set(sizes)
    return found.pop() if len(found) == 1 else None
