"""The answer key: the instructor's notebook as a program of which any part can be run, edited or fed.

An item's answer is computed by running only the cells that it needs, so that a key with a slip put in,
or with a student's own earlier value in place of ours, costs no more than those few cells.
"""

from __future__ import annotations

import ast
import copy
import functools
import symtable
import textwrap
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType
from typing import Any

import numpy as np

from chainrule.errors import BuildError
from chainrule.items import Item, Same, Slip

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"


@dataclass(frozen=True, slots=True)
class KeyCell:
    """One code cell of the instructor's notebook; `item` is the id of the item that it solves, or None."""

    source: str
    item: str | None
    given: bool
    defines: frozenset[str]
    uses: frozenset[str]


@dataclass(frozen=True, slots=True)
class Raised:
    """A solution or a slip that stops with an exception: an outcome like any other."""

    type: str


class Key:
    """The instructor's notebook of one unit. `key["sigmoid"]` is the solution's object of that name."""

    def __init__(self, unit: str, cells: Iterable[KeyCell]) -> None:
        self.unit = unit
        self.cells = tuple(cells)
        self._of_item = {cell.item: cell for cell in self.cells if cell.item}
        self._runs: dict[tuple[Any, ...], dict[str, Any]] = {}
        self._edited: dict[tuple[str, Slip | Same], str] = {}

    def __getitem__(self, name: str) -> Any:
        return copy.deepcopy(self.run([name])[name])

    def given(self) -> Mapping[str, Any]:
        """The names that the notebook gives, without any answer."""
        return self._run(tuple(i for i, cell in enumerate(self.cells) if cell.given), (), {})

    def solution(self, item: str) -> str:
        """The text between the markers of an item's solution cell."""
        return _split(self._cell(item).source, f"{self.unit}, item {item}")[1]

    def cell(self, item: str) -> str:
        """The item's solution cell as the instructor has it."""
        return self._cell(item).source

    def around(self, item: str) -> str:
        """The solution cell without its solution: what students are left with."""
        before, _, after = _split(self._cell(item).source, f"{self.unit}, item {item}")
        return before + after

    def edited(self, item: str, edit: Slip | Same) -> str:
        """The item's solution cell with an edit put in; BuildError where the edit's text is not there once."""
        if (item, edit) not in self._edited:
            place = f"{self.unit}, item {item}, edit {edit.name}"
            before, solution, after = _split(self._cell(item).source, place)
            self._edited[item, edit] = before + edited_text(solution, edit, place) + after
        return self._edited[item, edit]

    def run(
        self, names: Iterable[str], edits: Mapping[str, str] | None = None, values: Mapping[str, Any] | None = None
    ) -> Mapping[str, Any]:
        """Run the cells that `names` need. `edits`: item id -> other cell text; `values`: names fixed beforehand."""
        chosen, used = self._chosen(names, edits or {}, values or {})
        return self._run(chosen, used, values or {})

    def needs(self, names: Iterable[str], item: str, edits: Mapping[str, str] | None = None) -> bool:
        """Whether working out `names`, with edits put in, runs the item's solution cell."""
        return any(self.cells[i].item == item for i in self._chosen(names, edits or {}, {})[0])

    def _chosen(
        self, names: Iterable[str], edits: Mapping[str, str], values: Mapping[str, Any]
    ) -> tuple[tuple[int, ...], tuple[tuple[int, str], ...]]:
        """The cells that `names` need, and those of them that have another text."""
        needed = set(names) - set(values)
        chosen: list[int] = []
        for i in range(len(self.cells) - 1, -1, -1):
            cell = self.cells[i]
            defines, uses = cell.defines, cell.uses
            if cell.item is not None and cell.item in edits:
                defines, uses = _names_of(edits[cell.item])
            if (defines - set(values)) & needed:
                chosen.append(i)
                needed |= uses - set(values)
        used = {i: edits[name] for i in chosen if (name := self.cells[i].item) is not None and name in edits}
        return tuple(sorted(chosen)), tuple(sorted(used.items()))

    def answer(
        self,
        item: Item,
        cases: Iterable[tuple[Any, ...]],
        edits: Mapping[str, str] | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> list[Any]:
        """What the key answers: one entry a case for functions, one entry in all for values."""
        try:
            names = self.run(item.names, edits, values)
            objects = [names[name] for name in item.names]
        except Exception as error:  # a slip may break its own cell
            return [Raised(type(error).__name__)] * (len(list(cases)) if item.cases or item.worked else 1)
        if item.kind != "function":
            return [copy.deepcopy(objects[0] if len(objects) == 1 else tuple(objects))]
        with _quiet():
            return [_call(objects, args) for args in cases]

    def _run(
        self, chosen: tuple[int, ...], used: tuple[tuple[int, str], ...], values: Mapping[str, Any]
    ) -> dict[str, Any]:
        place = (chosen, used)
        if not values and place in self._runs:
            return self._runs[place]
        texts, names = dict(used), {"__name__": f"key of {self.unit}", **copy.deepcopy(dict(values))}
        fixed = dict(names)
        with _quiet():
            for i in chosen:
                exec(_code(texts.get(i, self.cells[i].source), f"<{self.unit}, cell {i}>"), names)
                names.update({name: fixed[name] for name in values})
        if not values:
            if len(self._runs) > 500:
                self._runs.clear()
            self._runs[place] = names
        return names

    def _cell(self, item: str) -> KeyCell:
        if item not in self._of_item:
            raise BuildError(f'{self.unit}: no solution cell for item {item}; add one, `# %% item="{item}"`')
        return self._of_item[item]


def call(functions: list[Any], args: tuple[Any, ...]) -> Any:
    """One case: a function on its arguments, or several functions each on its own."""
    with _quiet():
        return _call(functions, args)


def _call(functions: list[Any], args: tuple[Any, ...]) -> Any:
    calls = [args] if len(functions) == 1 else list(args)
    try:
        results = [function(*fresh(given)) for function, given in zip(functions, calls, strict=True)]
    except Exception as error:
        return Raised(type(error).__name__)
    return results[0] if len(functions) == 1 else tuple(results)


def fresh(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments as every call gets them: copies, with probes and seeds made into functions and generators."""
    try:
        return tuple([_copied(arg) for arg in args])
    except _NotPlainError:
        from chainrule.check import decode, encode

        decoded: tuple[Any, ...] = decode(encode(tuple(args)), trusted=True)
        return decoded


class _NotPlainError(Exception):
    """Something of which the wire format makes something else."""


def _copied(thing: Any) -> Any:
    """What comes out of the wire format, by a shorter way: most arguments are plain arrays and numbers."""
    kind = type(thing)
    if kind is np.ndarray and thing.ndim and thing.dtype.char in "?bhilqBHILQefd" and thing.dtype.isnative:
        return thing.copy()
    if kind is float or kind is str or kind is bool or thing is None or (kind is int and abs(thing) < 2**63):
        return thing
    if kind is tuple or kind is list:
        return kind([_copied(entry) for entry in thing])
    if kind is dict:
        return {_copied(key): _copied(entry) for key, entry in thing.items()}
    raise _NotPlainError


def key_cell(source: str, item: str | None, given: bool) -> KeyCell:
    """A cell with the names that it defines and uses."""
    return KeyCell(source, item, given, *_names_of(source))


def edited_text(solution: str, edit: Slip | Same, place: str) -> str:
    """The solution's text with the edit put in: one replacement, or a whole new text at the same indentation."""
    if not edit.old:
        indent = solution[: len(solution) - len(solution.lstrip(" "))]
        return textwrap.indent(textwrap.dedent(edit.new).strip("\n"), indent) + "\n"
    found = solution.count(edit.old)
    if found != 1:
        raise BuildError(
            f"{place}: its text {edit.old!r} stands {found} times in the solution; it must stand there once"
        )
    return solution.replace(edit.old, edit.new)


def _split(source: str, place: str) -> tuple[str, str, str]:
    """A cell's text before, between and after the solution markers."""
    lines = source.splitlines(keepends=True)
    begins = [i for i, line in enumerate(lines) if line.strip() == BEGIN]
    ends = [i for i, line in enumerate(lines) if line.strip() == END]
    if len(begins) != 1 or len(ends) != 1 or ends[0] <= begins[0]:
        raise BuildError(f"{place}: the cell needs one {BEGIN!r} and, below it, one {END!r}")
    i, j = begins[0] + 1, ends[0]
    return "".join(lines[:i]), "".join(lines[i:j]), "".join(lines[j:])


@functools.lru_cache(maxsize=4096)  # a unit's slips are run again for every student
def _code(source: str, place: str) -> CodeType:
    return compile(source, place, "exec")


@functools.lru_cache(maxsize=4096)  # as above
def _names_of(source: str) -> tuple[frozenset[str], frozenset[str]]:
    """The names that a cell defines or changes, and those that it uses."""
    try:
        tree = ast.parse(source)
    except SyntaxError:  # an edit that does not parse: it defines nothing, and running it tells
        return frozenset(), frozenset()
    defines: set[str] = set()
    for node in _outside_functions(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            defines.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            defines |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            defines.add(node.id)
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name):
            defines.add(node.value.id)
    return frozenset(defines), frozenset(_globals_in(symtable.symtable(source, "cell", "exec")))


def _globals_in(table: symtable.SymbolTable) -> Iterator[str]:
    """The names that a scope and those within it look up outside of themselves; a function's own names are its own."""
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (table.get_type() == "module" or symbol.is_global()):
            yield symbol.get_name()
    for inner in table.get_children():
        yield from _globals_in(inner)


def _outside_functions(tree: ast.AST) -> Iterable[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        yield node
        if not isinstance(
            node,
            ast.FunctionDef | ast.ClassDef | ast.Lambda | ast.ListComp | ast.DictComp | ast.SetComp | ast.GeneratorExp,
        ):
            yield from _outside_functions(node)


@contextmanager
def _quiet() -> Iterator[None]:
    """Slips overflow and divide by zero on purpose; nobody needs to hear of it."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
