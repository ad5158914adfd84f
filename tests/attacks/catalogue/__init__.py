"""All attacks by the id of the student who makes them, in modules by what they try."""

from __future__ import annotations

from dataclasses import replace

from attack import Attack

from catalogue import (
    equal,
    forging,
    metadata,
    outputs,
    patching,
    paths,
    processes,
    reading,
    resources,
    shadowing,
    stack,
    writing,
)

# More of the same kinds, run with the slow tests alone
MORE = {
    *(f"sends-{name}" for name in forging.REFUSED),
    *("says-negative-points", "says-old-schema", "says-schema-text", "says-list", "says-odd-ids", "says-long-ids"),
    *("says-same-ids", "says-copies", "says-minor", "says-unlocked"),
    *("equals-objects", "equals-records", "equals-complex", "equals-or", "equals-masked", "answers-proxy"),
    *("id-hidden", "id-option", "notebooks", "many", "zip-notebook", "sockets", "links-in-circles"),
    *("prints-lines", "takes-files", "loops-on-fresh", "loops-in-regex", "cells", "leaves-files-3"),
    *("shadows-room", "shadows-pandas", "shadows-pth"),
} - {
    *("sends-score", "sends-two-answers", "sends-nan", "sends-pickle", "sends-code", "sends-dtype", "sends-shape-huge"),
    *("sends-deep", "sends-wide", "sends-surrogates", "sends-other", "sends-everything", "sends-text"),
}


def _with_batch(name: str, attack: Attack) -> Attack:
    return replace(attack, batch="more", slow=True) if name in MORE else attack


THEMES = {
    "reading": reading.ATTACKS,
    "writing": writing.ATTACKS,
    "shadowing": shadowing.ATTACKS,
    "patching": patching.ATTACKS,
    "forging": forging.ATTACKS,
    "equal": equal.ATTACKS,
    "stack": stack.ATTACKS,
    "metadata": metadata.ATTACKS,
    "resources": resources.ATTACKS,
    "processes": processes.ATTACKS,
    "paths": paths.ATTACKS,
    "outputs": outputs.ATTACKS,
}
ATTACKS: dict[str, Attack] = {
    name: _with_batch(name, attack) for theme in THEMES.values() for name, attack in theme.items()
}
THEME_OF = {name: theme for theme, attacks in THEMES.items() for name in attacks}
assert set(ATTACKS) >= MORE, MORE - set(ATTACKS)
assert len(ATTACKS) == sum(map(len, THEMES.values())), "two attacks have one name"
