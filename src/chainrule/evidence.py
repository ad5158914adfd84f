"""Evidence: what came out of a student's process, read strictly. The only door between sandbox and judge.

The writing side is `check.gather`, which runs beside the student's code; nothing it says is believed
beyond its data. Anything that is not exactly of the format is refused, item by item.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.check import EVIDENCE_MIME, Other, Table, WireError, decode, is_blank
from chainrule.items import Item, Kind

MAX_TEXT = 32_000_000  # characters of one item's evidence


@dataclass(frozen=True, slots=True)
class Failure:
    """The student's function stopped with an exception on a case."""

    type: str
    message: str
    line: int | None
    code: str


@dataclass(frozen=True, slots=True)
class Run:
    """One case's outcome. `result` is plain data, or a Failure."""

    result: Any
    blank: bool
    warned: tuple[str, ...]
    changed: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """One item's evidence: runs (functions) or answers (values).

    `refused` says why there is nothing to judge; `crash` that the gathering says it stopped, with the
    name of an exception or with nothing: it says so from within the student's process.
    """

    missing: tuple[str, ...] = ()
    runs: tuple[Run, ...] = ()
    answers: tuple[Any, ...] = ()
    refused: str | None = None
    crash: str | None = None


def read(outputs: Iterable[Mapping[str, Any]], item: Item, cases: int) -> Evidence | None:
    """The evidence in a test cell's outputs, None where the cell sent none."""
    texts = [
        output.get("data", {}).get(EVIDENCE_MIME) for output in outputs if output.get("output_type") == "display_data"
    ]
    texts = [text for text in texts if text is not None]
    if not texts:
        return None
    if len(texts) > 1:
        return Evidence(refused="the test cell sent more than one answer; only one is expected")
    return parse(texts[0], item, cases)


def parse(text: Any, item: Item, cases: int) -> Evidence:
    """One evidence text; never raises for what the student's side may have put into it."""
    if not isinstance(text, str) or len(text) > MAX_TEXT:
        return Evidence(refused="the answer is too large to be judged")
    try:
        return from_tree(json.loads(text, parse_constant=_refuse), item, cases)
    except RecursionError:
        return Evidence(refused="the answer is nested too deeply to be judged")
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        return Evidence(refused=f"the answer is not of a form that can be judged ({type(error).__name__})")


def from_tree(tree: Any, item: Item, cases: int) -> Evidence:
    """Evidence out of `check.gather`'s tree. Raises WireError, ValueError, TypeError or KeyError on any other form."""
    if "crash" in tree:
        name = tree["crash"].partition(":")[0] if isinstance(tree["crash"], str) else ""
        return Evidence(crash=name if len(name) <= 60 and name.isascii() and name.isidentifier() else "")
    missing = tuple(str(name) for name in tree["missing"])
    if any(name not in item.names for name in missing):
        raise WireError("it names what is not asked for")
    if item.kind is not Kind.FUNCTION:
        answers = tuple(_plain(decode(answer)) for answer in tree["answers"])
        if len(answers) != len(item.names):
            raise WireError("it has another number of answers")
        return Evidence(missing=missing, answers=answers)
    if len(missing) == len(item.names):
        return Evidence(missing=missing)
    runs = tuple(_run(run) for run in tree["runs"])
    if len(runs) != cases:
        raise WireError("it has another number of cases")
    return Evidence(missing=missing, runs=runs)


def _run(tree: Any) -> Run:
    warned = tuple(_plain_text(text, 200) for text in tree["warned"][:5])
    changed = bool(tree["changed"])
    if "raised" in tree:
        raised = tree["raised"]
        line = raised.get("line")
        result: Any = Failure(
            _plain_text(raised["type"], 80),
            _plain_text(raised["message"], 300),
            line if type(line) is int else None,
            _plain_text(raised.get("code") or "", 120),
        )
        return Run(result, result.type == "NotImplementedError", warned, changed)
    return Run(_plain(decode(tree["result"])), is_blank(tree), warned, changed)


def _plain(thing: Any) -> Any:
    """Tables as the DataFrames that the author's own judging expects."""
    if isinstance(thing, Table):
        import pandas as pd  # slow to load, and few units have tables for answers

        lengths = {np.shape(column)[0] if np.ndim(column) else -1 for column in thing.columns_data}
        if len(lengths) > 1 or -1 in lengths or len(thing.columns) != len(thing.columns_data):
            raise WireError("a table with ragged columns")
        frame = pd.DataFrame({i: list(column) for i, column in enumerate(thing.columns_data)})
        frame.columns = list(thing.columns)  # names may repeat
        return frame
    if isinstance(thing, Other):
        return Other(_plain_text(thing.type, 120))
    if isinstance(thing, str):
        return _storable(thing)
    if isinstance(thing, tuple) and type(thing) is tuple:
        return tuple(_plain(entry) for entry in thing)
    if isinstance(thing, list):
        return [_plain(entry) for entry in thing]
    if isinstance(thing, dict):
        return {key: _plain(entry) for key, entry in thing.items()}
    return thing


def _plain_text(thing: Any, limit: int) -> str:
    """Text for messages: no control characters that a terminal would obey, one line, and short."""
    return "".join(char if char.isprintable() else " " for char in _storable(str(thing)[:limit]))


def _storable(text: str) -> str:
    """Half a surrogate pair cannot be written to any file."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not plain JSON")
