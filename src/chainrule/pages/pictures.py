"""Pictures of verdicts, as SVG that takes the page's colours: which entries are off, and the way through a unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from markupsafe import Markup

from chainrule.judge.place import Place
from chainrule.render import place_words

CELL = 18  # px of one mark
LABEL = 30  # px for the numbers beside the rows
BOX, PITCH, GAP = 28, 40, 46  # px: height of an item, from one to the next, between two columns
CHAR = 6.7  # px of a character of an item's name


def place_svg(place: Place) -> Markup:
    """A square for each entry (or block of them), crossed where one is off; empty where that shows nothing."""
    if place.off == place.size:  # also where there are no marks
        return Markup("")
    rows, columns = len(place.marks), len(place.marks[0])
    named = rows > 1
    left, top = LABEL if named else 2, LABEL / 2 + 2
    width, height = left + columns * CELL + 2, top + rows * CELL + 2
    words = " ".join(place_words(place)).replace("`", "")
    parts = [
        f'<svg class="marks" role="img" aria-label="{escape(words)}" width="{width:g}" height="{height:g}"'
        f' viewBox="0 0 {width:g} {height:g}">'
    ]
    for j in range(columns):
        x = left + (j + 0.5) * CELL
        parts.append(f'<text x="{x:g}" y="{top - 5:g}" text-anchor="middle">{j * place.block[1]}</text>')
    for i, row in enumerate(place.marks):
        y = top + i * CELL
        if named:
            parts.append(f'<text x="{left - 5:g}" y="{y + 13:g}" text-anchor="end">{i * place.block[0]}</text>')
        for j, mark in enumerate(row):
            x = left + j * CELL
            kind = "off" if mark == "x" else "on"
            parts.append(f'<rect class="{kind}" x="{x + 1:g}" y="{y + 1:g}" width="16" height="16" rx="2"/>')
            if mark == "x":
                parts.append(f'<path d="M{x + 5:g} {y + 5:g}l8 8m0-8l-8 8"/>')
    return Markup("".join([*parts, "</svg>"]))


@dataclass(frozen=True, slots=True)
class Stop:
    """An item on the way through a unit. tone: good, part or bad; mark: one character that says the same.

    here: whether the way first left the right one at this item.
    """

    id: str
    builds_on: tuple[str, ...]
    follows: tuple[str, ...]
    tone: str
    mark: str
    here: bool


def way_svg(stops: Sequence[Stop], label: str) -> Markup:
    """The items that build on others, from left to right, with the edges where the way left the right one."""
    known = {stop.id: stop for stop in stops}
    joined = {base for stop in stops for base in stop.builds_on} | {stop.id for stop in stops if stop.builds_on}
    drawn = [stop for stop in stops if stop.id in joined]
    if not drawn:
        return Markup("")
    places = _layout(drawn)
    box = max(len(stop.id) for stop in drawn) * CHAR + 34
    xs = {name: column * (box + GAP) + 2 for name, (column, _) in places.items()}
    ys = {name: row * PITCH + 2 for name, (_, row) in places.items()}
    width, height = max(xs.values()) + box + 2, max(ys.values()) + BOX + 2
    parts = [
        f'<svg class="way" role="img" aria-label="{escape(label)}" width="{width:.0f}" height="{height:.0f}"'
        f' viewBox="0 0 {width:.0f} {height:.0f}">'
    ]
    lines = [(_edge_kind(known[base], stop), base, stop.id) for stop in drawn for base in stop.builds_on]
    for kind, base, name in sorted(lines, key=lambda line: line[0] == "left"):  # what matters lies on top
        x1, y1, x2, y2 = xs[base] + box, ys[base] + BOX / 2, xs[name], ys[name] + BOX / 2
        bend = max(GAP / 2, (x2 - x1) / 3)
        curve = f"M{x1:.0f} {y1:.0f}C{x1 + bend:.0f} {y1:.0f} {x2 - bend:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"
        parts.append(f'<path class="edge {kind}" d="{curve}"/>')
    for stop in drawn:
        x, y = xs[stop.id], ys[stop.id]
        here = " here" if stop.here else ""
        parts.append(
            f'<rect class="{stop.tone}{here}" x="{x:.0f}" y="{y:.0f}" width="{box:.0f}" height="{BOX}" rx="6"/>'
            f'<text class="{stop.tone}" x="{x + 9:.0f}" y="{y + 19:.0f}">{stop.mark}</text>'
            f'<text x="{x + 25:.0f}" y="{y + 18:.0f}">{escape(stop.id)}</text>'
        )
    return Markup("".join([*parts, "</svg>"]))


def _edge_kind(base: Stop, stop: Stop) -> str:
    if stop.here:
        return "left"
    return "follows" if base.id in stop.follows else "plain"


def _layout(stops: Sequence[Stop]) -> Mapping[str, tuple[int, float]]:
    """Column and row of each item: behind all that it builds on, near to it, its column in the middle."""
    bases = {stop.id: stop.builds_on for stop in stops}
    columns: dict[str, int] = {}

    def column_of(name: str) -> int:
        if name not in columns:
            columns[name] = 1 + max(map(column_of, bases[name]), default=-1)
        return columns[name]

    for name in bases:
        column_of(name)
    rows: dict[str, float] = {}
    longest = max(list(columns.values()).count(column) for column in set(columns.values()))
    for column in range(max(columns.values()) + 1):
        inside = [stop for stop in stops if columns[stop.id] == column]
        if column:
            inside.sort(key=lambda stop: sum(rows[base] for base in stop.builds_on) / len(stop.builds_on))
        for row, stop in enumerate(inside):
            rows[stop.id] = row + (longest - len(inside)) / 2
    return {name: (columns[name], rows[name]) for name in columns}
