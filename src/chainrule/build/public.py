"""What ships beside check.py: worked examples with their expected results, and each slip's results, as data.

Results of functions on worked examples stand in the clear, for messages. Worked values are the answers
themselves, so they ship as digests. Of answers that an item's own `accept` judges only the form ships.
Nothing in here is code, and no fresh case is drawn from it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from chainrule.build.forms import result_forms, value_forms
from chainrule.cases import worked_cases
from chainrule.check import digest_node, encode
from chainrule.course import Unit
from chainrule.errors import BuildError
from chainrule.items import ATOL_CHOICE, Item, Kind
from chainrule.judge.verdict import marks
from chainrule.key import BEGIN, END, Key, Raised

WORD = r'"[^"\n]+"'  # as a question quotes it


def public_data(unit: Unit, key: Key) -> str:
    """The text of check_data.json, the same byte for byte each time."""
    items = {
        item.id: _function(unit, item, key) if item.kind is Kind.FUNCTION else _value(unit, item, key)
        for item in unit.items.values()
    }
    return json.dumps({"unit": unit.name, "items": items}, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _common(item: Item) -> dict[str, Any]:
    return {
        "kind": str(item.kind),
        "names": list(item.names),
        "points": item.points,
        "hints": list(item.hints),
        "slips": {slip.name: slip.says for slip in item.slips},
        "free": item.accept is not None,
    }


def _function(unit: Unit, item: Item, key: Key) -> dict[str, Any]:
    cases = worked_cases(item, key)
    if not cases:
        raise BuildError(
            f"{unit.name}, item {item.id}: no worked case; students need one public example, worked=[Worked(...)]"
        )
    args = [case.args for case in cases]
    wants = key.answer(item, args)
    for case, want in zip(cases, wants, strict=True):
        if isinstance(want, Raised):
            raise BuildError(
                f"{unit.name}, item {item.id}: its own solution stops with {want.type} on the worked case {case.name!r}"
            )
    if item.accept is not None:
        forms = result_forms(item, key, args)
        shown = [
            {"name": case.name, "args": encode(case.args), "form": form}
            for case, form in zip(cases, forms, strict=True)
        ]
        return {**_common(item), "cases": shown, **_blemishes(item)}
    slips = {slip.name: key.answer(item, args, {item.id: key.edited(item.id, slip)}) for slip in item.slips}
    return {
        **_common(item),
        "cases": [
            {
                "name": case.name,
                "args": encode(case.args),
                "want": encode(want),
                "slips": {name: None if isinstance(got[i], Raised) else encode(got[i]) for name, got in slips.items()},
            }
            for i, (case, want) in enumerate(zip(cases, wants, strict=True))
        ],
        "rtol": item.rtol,
        "float32": item.float32,
        "parts": list(item.parts),
        **_blemishes(item),
    }


def _blemishes(item: Item) -> dict[str, Any]:
    """The points that a right answer keeps where it warns (None: it may) or changes its arguments."""
    return {
        "points_if_it_warns": None if item.warns is None else marks(item.warns, item.points),
        "points_if_it_changes": marks(item.changed_arguments, item.points),
    }


def _value(unit: Unit, item: Item, key: Key) -> dict[str, Any]:
    if item.accept is not None:
        return {**_common(item), "form": value_forms(item, key)}
    salt = f"{unit.name}/{item.id}"
    right = _nodes(item, key.answer(item, [])[0], salt)
    accepted = [
        right,
        *(_nodes(item, key.answer(item, [], {item.id: key.edited(item.id, same)})[0], salt) for same in item.same),
    ]
    slipped = {slip.name: key.answer(item, [], {item.id: key.edited(item.id, slip)})[0] for slip in item.slips}
    slip_nodes = {name: _nodes(item, got, salt) for name, got in slipped.items() if not isinstance(got, Raised)}
    told = {"words": words} if (words := _words(unit, item, key)) else {}
    return {**_common(item), "salt": salt, **told, "accepted": accepted, "slip_nodes": slip_nodes}


def _words(unit: Unit, item: Item, key: Key) -> list[str]:
    """The words that a question lists to choose from (`"a", "b" or "c"`); none where it has no such list."""
    known = set(_texts(key.answer(item, [])[0])) if item.kind is Kind.CHOICE else set()
    if not known:
        return []
    slipped = [key.answer(item, [], {item.id: key.edited(item.id, slip)})[0] for slip in item.slips]
    text = unit.text.read_text("utf-8")
    solution = text.index(BEGIN, text.index(f'item="{item.id}"'))
    question = text[max(text.rfind(END, 0, solution), 0) : solution].replace("\n# ", "\n").replace("`", "")
    for listed in re.finditer(f"{WORD}(?:(?:,|\\s+or|\\s+and)+\\s+{WORD})+", question):
        words = [word.strip('"') for word in re.findall(WORD, listed[0])]
        if known <= set(words) <= known.union(*map(_texts, slipped)):  # else the prose quotes something
            return words
    return []


def _texts(answer: Any) -> Iterator[str]:
    if isinstance(answer, str):
        yield answer
    elif isinstance(answer, Mapping):
        for entry in answer.values():
            yield from _texts(entry)


def _nodes(item: Item, answer: Any, salt: str) -> list[dict[str, Any]]:
    if isinstance(answer, Raised):
        raise BuildError(f"item {item.id}: an answer that should count stops with {answer.type}")
    answers = (answer,) if len(item.names) == 1 else answer
    atol = ATOL_CHOICE if item.kind is Kind.CHOICE else item.atol
    return [digest_node(entry, salt, atol) for entry in answers]
