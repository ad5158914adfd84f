"""authoring/<unit>/notebook.py -> the instructor's notebook, with a test cell after every item."""

from __future__ import annotations

import ast

import jupytext
import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from chainrule.check import in_points
from chainrule.course import GIVEN, IMPORT, TEST, Unit, load_key
from chainrule.errors import BuildError
from chainrule.items import Item, Kind
from chainrule.key import BEGIN, END, Key

HIDDEN = "hidden"  # a cell marked `given="drawing" hidden=true` is folded away


def instructor_notebook(unit: Unit) -> nbformat.NotebookNode:
    """The unit's text as a notebook with stable ids, nbgrader's metadata and no outputs."""
    try:
        text = jupytext.reads(unit.text.read_text("utf-8"), fmt="py:percent")
    except OSError as error:
        raise BuildError(f"{unit.text}: {error.strerror}. A unit needs notebook.py beside its items.py.") from error
    cells: list[nbformat.NotebookNode] = []
    solved: list[str] = []
    for number, cell in enumerate(text.cells, start=1):
        place = f"{unit.text}, cell {number}"
        if cell.cell_type == "markdown":
            cells.append(new_markdown_cell(cell.source, id=f"text-{number:03d}"))
        elif "item" in cell.metadata:
            item = _item_of(unit, cell.metadata["item"], solved, place)
            solved.append(item.id)
            cells += [_solution_cell(cell.source, item, place), _test_cell(item)]
        elif GIVEN in cell.metadata:
            first = not any(GIVEN in built.metadata for built in cells)
            cells.append(_given_cell(cell, f"{IMPORT}\n{cell.source}" if first else cell.source))
        else:
            cells.append(new_code_cell(cell.source, id=f"code-{number:03d}"))
    _expect_order(unit, solved)
    ids = [cell.id for cell in cells]
    repeated = {name for name in ids if ids.count(name) > 1}
    if repeated:
        raise BuildError(f"{unit.text}: the cell ids {sorted(repeated)} repeat; give given cells names of their own")
    metadata = {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return new_notebook(cells=cells, metadata=metadata)


def check_edits(unit: Unit, key: Key) -> None:
    """Every slip and equivalent finds its text in the solution, and what comes out is Python."""
    for item in unit.items.values():
        for edit in item.edits:
            text = key.edited(item.id, edit)
            try:
                ast.parse(text)
            except SyntaxError as error:
                raise BuildError(
                    f"{unit.name}, item {item.id}, edit {edit.name}: what comes out is not Python: {error}"
                ) from error


def key_of(unit: Unit, notebook: nbformat.NotebookNode) -> Key:
    return load_key(unit.name, notebook)


def _item_of(unit: Unit, name: str, solved: list[str], place: str) -> Item:
    if name not in unit.items:
        raise BuildError(f"{place}: item {name!r} is not in {unit.text.with_name('items.py')}; add it there")
    if name in solved:
        raise BuildError(f"{place}: item {name!r} has a solution cell already")
    return unit.items[name]


def _expect_order(unit: Unit, solved: list[str]) -> None:
    missing = [name for name in unit.items if name not in solved]
    if missing:
        raise BuildError(f'{unit.text}: no solution cell for {", ".join(missing)}; add `# %% item="{missing[0]}"`')
    if solved != list(unit.items):
        swapped = next(a for a, b in zip(solved, unit.items, strict=True) if a != b)
        raise BuildError(f"{unit.text}: item {swapped!r} stands in another order than in items.py; mend either")


def _solution_cell(source: str, item: Item, place: str) -> nbformat.NotebookNode:
    if source.count(BEGIN) != 1 or source.count(END) != 1:
        raise BuildError(f"{place}, item {item.id}: needs one {BEGIN!r} and one {END!r}")
    blank = source[: source.index(BEGIN)] + source[source.index(END) + len(END) :]
    try:
        tree = ast.parse(blank)
    except SyntaxError as error:
        raise BuildError(
            f"{place}, item {item.id}: without its solution the cell is no longer Python: {error}. "
            "A function keeps its docstring."
        ) from error
    left = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    left |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    gone = [name for name in item.names if name not in left]
    if gone:
        form = f"def {gone[0]}(...)" if item.kind is Kind.FUNCTION else f"{gone[0]} = None"
        raise BuildError(
            f"{place}, item {item.id}: students are left without `{gone[0]}`; let `{form}` stand above {BEGIN!r}"
        )
    return new_code_cell(source, id=item.id, metadata={"nbgrader": _nbgrader(item.id, solution=True)})


def _test_cell(item: Item) -> nbformat.NotebookNode:
    source = f'check("{item.id}", {", ".join(item.names)})  # {in_points(item.points)}'
    meta = {
        **_nbgrader(item.id + TEST, grade=True, locked=True),
        "points": int(item.points) if item.points.is_integer() else item.points,
    }
    return new_code_cell(source, id=item.id + TEST, metadata={"nbgrader": meta})


def _given_cell(cell: nbformat.NotebookNode, source: str) -> nbformat.NotebookNode:
    name = str(cell.metadata[GIVEN])
    metadata: dict[str, object] = {GIVEN: name, "nbgrader": _nbgrader(f"given-{name}", locked=True)}
    if cell.metadata.get(HIDDEN):
        metadata["jupyter"] = {"source_hidden": True}  # folded away: drawing code is not what the unit is about
    return new_code_cell(source, id=f"given-{name}", metadata=metadata)


def _nbgrader(grade_id: str, grade: bool = False, solution: bool = False, locked: bool = False) -> dict[str, object]:
    return {
        "grade": grade,
        "grade_id": grade_id,
        "locked": locked,
        "schema_version": 3,
        "solution": solution,
        "task": False,
    }
