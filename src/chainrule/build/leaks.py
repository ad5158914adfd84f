"""Whether a release gives away what it must not: solution lines, slip code, markers, worked values."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import nbformat

from chainrule.course import Unit
from chainrule.items import Kind
from chainrule.key import Key

MARKERS = ("BEGIN SOLUTION", "END SOLUTION", "BEGIN HIDDEN TESTS", "END HIDDEN TESTS")
TELLING = 10  # shorter lines (`return s, a`) tell nothing by themselves
# what the entry of an answer worked once may say in numbers, its points and forms; the rest are digests
NUMBERS = ("points", "shape", "rows", "length", "atol", "steps")


def leaks(unit: Unit, key: Key, release: Path) -> Iterator[str]:
    """One line for each thing in the release folder that should not be there."""
    secrets = set(telling_lines(unit, key))
    for path in sorted(release.rglob("*")):
        if not path.is_file():
            continue
        if path.name not in {f"{unit.notebook}.ipynb", "check.py", "check_data.json"}:
            yield f"{path}: a file that no release needs"
        for number, line in enumerate(_lines(path), start=1):
            if path.name != "check.py" and any(marker in line for marker in MARKERS):
                yield f"{path}, line {number}: a marker, {line.strip()!r}"
            if line.strip() in secrets:
                yield f"{path}, line {number}: a line of a solution or a slip, {line.strip()!r}"
        if path.suffix == ".ipynb":
            yield from _in_outputs(path, secrets)
        if path.name == "check_data.json":
            yield from _values_in_clear(unit, path)


def telling_lines(unit: Unit, key: Key) -> Iterator[str]:
    """The lines of solutions, slips and equivalents that stand nowhere in what students are given."""
    public = {line.strip() for cell in key.cells if not cell.item for line in cell.source.splitlines()}
    for item in unit.items.values():
        outside = {line.strip() for line in key.around(item.id).splitlines()}
        texts = [key.solution(item.id), *(edit.new for edit in item.edits if not edit.old)]
        for line in "\n".join(texts).splitlines():
            line = line.strip()
            if len(line) >= TELLING and not line.startswith("#") and line not in public and line not in outside:
                yield line


def _in_outputs(path: Path, secrets: set[str]) -> Iterator[str]:
    """A line of a solution in what a cell has put out: a traceback, a page, a listing."""
    for number, cell in enumerate(nbformat.read(path, as_version=4).cells, start=1):
        text = "\n".join(_texts(cell.get("outputs", [])))
        for line in secrets:
            if line in text:
                yield f"{path}, output of cell {number}: a line of a solution or a slip, {line!r}"


def _values_in_clear(unit: Unit, path: Path) -> Iterator[str]:
    """Worked values ship as digests: an entry holds no data in the form of the wire, and no numbers but these."""
    for name, entry in json.loads(path.read_text("utf-8"))["items"].items():
        if name not in unit.items or unit.items[name].kind is Kind.FUNCTION:
            continue
        for place, thing in _nodes(entry, ""):
            number = isinstance(thing, int | float) and not isinstance(thing, bool)
            known = place.rpartition(".")[2] in NUMBERS
            if (number and not known) or (isinstance(thing, dict) and isinstance(thing.get("t"), str)):
                yield f"{path}, item {name}{place}: a worked value in the clear, {str(thing)[:40]}"


def _nodes(tree: object, place: str) -> Iterator[tuple[str, object]]:
    """Everything in a JSON tree, with the keys that lead to it."""
    yield place, tree
    if isinstance(tree, dict):
        for key, entry in tree.items():
            yield from _nodes(entry, f"{place}.{key}")
    elif isinstance(tree, list):
        for entry in tree:
            yield from _nodes(entry, place)


def _lines(path: Path) -> list[str]:
    """A file's lines as a reader sees them: a notebook's sources, a JSON file's texts."""
    if path.suffix == ".ipynb":
        notebook = nbformat.read(path, as_version=4)
        return [line for cell in notebook.cells for line in cell.source.splitlines()]
    if path.suffix == ".json":
        return [line for text in _texts(json.loads(path.read_text("utf-8"))) for line in text.splitlines()]
    return path.read_text("utf-8", errors="replace").splitlines()


def _texts(tree: object) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, dict):
        for key, entry in tree.items():
            yield str(key)
            yield from _texts(entry)
    elif isinstance(tree, list):
        for entry in tree:
            yield from _texts(entry)
