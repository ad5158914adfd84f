"""What ships beside check.py: worked examples with their expected results, and each slip's results, as data.

Results of functions on worked examples stand in the clear, for messages. Worked values are the answers
themselves, so they ship as digests. Nothing in here is code, and no fresh case is drawn from it.
"""

from __future__ import annotations

import json
from typing import Any

from chainrule.cases import worked_cases
from chainrule.check import digest_node, encode
from chainrule.course import Unit
from chainrule.errors import BuildError
from chainrule.items import ATOL_CHOICE, Item, Kind
from chainrule.key import Key, Raised


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
    slips: dict[str, list[Any]] = {}
    if item.accept is None:
        slips = {slip.name: key.answer(item, args, {item.id: key.edited(item.id, slip)}) for slip in item.slips}
    return {
        **_common(item),
        "cases": [
            {
                "name": case.name,
                "args": encode(case.args),
                "want": None if item.accept is not None else encode(want),
                "slips": {name: None if isinstance(got[i], Raised) else encode(got[i]) for name, got in slips.items()},
            }
            for i, (case, want) in enumerate(zip(cases, wants, strict=True))
        ],
        "rtol": item.rtol,
        "float32": item.float32,
        "parts": list(item.parts),
        "warns": item.warns,
        "changed_arguments": item.changed_arguments,
    }


def _value(unit: Unit, item: Item, key: Key) -> dict[str, Any]:
    if item.accept is not None:
        return _common(item)
    salt = f"{unit.name}/{item.id}"
    right = _nodes(item, key.answer(item, [])[0], salt)
    accepted = [
        right,
        *(_nodes(item, key.answer(item, [], {item.id: key.edited(item.id, same)})[0], salt) for same in item.same),
    ]
    slipped = {slip.name: key.answer(item, [], {item.id: key.edited(item.id, slip)})[0] for slip in item.slips}
    slip_nodes = {name: _nodes(item, got, salt) for name, got in slipped.items() if not isinstance(got, Raised)}
    return {**_common(item), "salt": salt, "accepted": accepted, "slip_nodes": slip_nodes}


def _nodes(item: Item, answer: Any, salt: str) -> list[dict[str, Any]]:
    if isinstance(answer, Raised):
        raise BuildError(f"item {item.id}: an answer that should count stops with {answer.type}")
    answers = (answer,) if len(item.names) == 1 else answer
    atol = ATOL_CHOICE if item.kind is Kind.CHOICE else item.atol
    return [digest_node(entry, salt, atol) for entry in answers]
