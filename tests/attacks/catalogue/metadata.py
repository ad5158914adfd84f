"""What a submitted notebook says of itself: points, ids, schema, checksums, kernel, cell types, old outputs."""

# ruff: noqa: E501  (the attacks' own texts)

from __future__ import annotations

import copy
import json
from typing import Any

from attack import HONEST, Attack, every_cell, graded_cell, told, with_cell
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from catalogue.forging import MIME, VERDICT
from helpers import cell_of


def meta(**fields: Any) -> Any:
    """These fields in the metadata of every cell that has nbgrader's."""
    return every_cell(lambda cell: cell.metadata.nbgrader.update(fields))


def instead(value: Any) -> Any:
    """That in the place of nbgrader's metadata."""
    return every_cell(lambda cell: cell.metadata.update(nbgrader=value))


def of_notebook(**fields: Any) -> Any:
    return lambda notebook: notebook.metadata.update(fields)


def swapped(notebook: NotebookNode) -> None:
    """The test cells of an honest and of a wrong answer, each under the other's id and text."""
    one, other = cell_of(notebook, "scale-check"), cell_of(notebook, "letter-check")
    one.metadata, other.metadata = copy.deepcopy(other.metadata), copy.deepcopy(one.metadata)


def swapped_solutions(notebook: NotebookNode) -> None:
    one, other = cell_of(notebook, "scale"), cell_of(notebook, "letter")
    one.metadata, other.metadata = copy.deepcopy(other.metadata), copy.deepcopy(one.metadata)


def doubled(notebook: NotebookNode) -> None:
    """The honest test cell once more, under the wrong answers' ids."""
    right = cell_of(notebook, "scale-check")
    for name in ("letter-check", "total-check"):
        more = copy.deepcopy(right)
        more.metadata.nbgrader.grade_id = name
        notebook.cells.append(more)


def prose(notebook: NotebookNode) -> None:
    """The wrong answers' test cells as prose, which earns full marks where nobody graded it."""
    for name in ("letter-check", "total-check"):
        cell = cell_of(notebook, name)
        at = notebook.cells.index(cell)
        notebook.cells[at] = new_markdown_cell(cell.source, metadata=cell.metadata)


def tasks(notebook: NotebookNode) -> None:
    """Manually graded tasks in place of tests."""
    for name in ("letter-check", "total-check"):
        cell_of(notebook, name).metadata.nbgrader.update(task=True, grade=False, solution=False, cell_type="markdown")


def skipped(notebook: NotebookNode) -> None:
    tags = ["skip-execution", "raises-exception", "remove_cell", "remove-input", "hide-output"]
    every_cell(lambda cell: cell.metadata.update(tags=tags))(notebook)


def nested(depth: int) -> Any:
    """Lists in lists in the metadata of the notebook, of a cell and of an output."""

    def change(notebook: NotebookNode) -> None:
        deep: list[Any] = []
        for _ in range(depth):
            deep = [deep]
        notebook.metadata["deep"] = notebook.cells[0].metadata["deep"] = deep
        output = {"output_type": "display_data", "data": {"application/json": deep}, "metadata": {"deep": deep}}
        next(cell for cell in notebook.cells if cell.cell_type == "code").outputs = [NotebookNode(output)]

    return change


def graded_before(notebook: NotebookNode) -> None:
    """All that a graded notebook holds: scores, verdicts, evidence, fingerprint, comments."""
    verdicts = [{"item": item, "status": "right", "points": 1.0, "out_of": 1.0} for item in HONEST]
    notebook.metadata["chainrule"] = {"verdicts": verdicts, "remarks": [], "fingerprint": "0" * 32, "incidents": []}
    for cell in notebook.cells:
        nbgrader = cell.metadata.get("nbgrader", {})
        if nbgrader.get("grade"):
            sent = json.dumps({"missing": [], "answers": [{"t": "float", "v": (21.0).hex()}]})
            data = {MIME: sent, VERDICT: json.dumps(verdicts[0]), "text/plain": "100.0"}
            cell.outputs = [
                new_output("execute_result", data=data, execution_count=1),
                new_output("display_data", data),
            ]
            nbgrader.update(score=100.0, auto_score=100.0, comment="very good", max_score=100.0)
            cell.metadata["chainrule"] = {"points": 100.0}


def odd_outputs(notebook: NotebookNode) -> None:
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [{"output_type": "display_data", "data": {MIME: "x"}, "metadata": {}}, {"output_type": "x"}]
            cell.execution_count = -1


def half_characters(notebook: NotebookNode) -> None:
    """In code, prose, metadata and outputs; JSON can name them."""
    half = "x = '\ud800' # \udfff"
    output = new_output("stream", text=half)
    notebook.cells += [new_code_cell(half, metadata={half: half}, outputs=[output]), new_markdown_cell(half)]
    notebook.metadata[half] = [half]


def twenty_thousand_cells(notebook: NotebookNode) -> None:
    notebook.cells += [new_markdown_cell("x")] * 20_000


def odd_ids(notebook: NotebookNode) -> None:
    for cell in notebook.cells:
        cell.id = '"><img src=x onerror=alert(6660)>' * 3


def same_ids(notebook: NotebookNode) -> None:
    for cell in notebook.cells:
        cell.id = "same"


def many_copies(notebook: NotebookNode) -> None:
    for _ in range(100):
        notebook.cells.append(copy.deepcopy(cell_of(notebook, "letter-check")))


def attachments(notebook: NotebookNode) -> None:
    cell = new_markdown_cell("![x](attachment:x.png)")
    cell["attachments"] = {"x.png": {"image/png": 'x" onerror="alert(6660)'}}
    notebook.cells.append(cell)


BONUS = with_cell(graded_cell("bonus-check", "1", points=100))
KERNEL = {"name": "../../tmp/evil", "display_name": "x", "language": "R", "argv": ["/bin/sh", "-c", "touch /pwned"]}

ATTACKS = {
    "says-points": Attack("a thousand points a cell", change=meta(points=1000)),
    "says-negative-points": Attack("negative and infinite points", change=meta(points=-1e308)),
    "says-checksum": Attack("checksums of its own", change=meta(checksum="0" * 32)),
    "says-schema": Attack("a schema of the future", change=meta(schema_version=99)),
    "says-old-schema": Attack("a schema of the past", change=meta(schema_version=0)),
    "says-schema-text": Attack("a schema that is no number", change=meta(schema_version={"x": []})),
    "says-unlocked": Attack("nothing is locked", change=meta(locked=False, solution=True, task=True)),
    "says-nothing": Attack("metadata that is null", change=instead(None), may=told("stripped-metadata")),
    "says-list": Attack("metadata that is a list", change=instead([1, 2]), may=told("stripped-metadata")),
    "says-odd-ids": Attack("grade_ids that are no text", change=meta(grade_id=[{}]), may=told("stripped-metadata")),
    "says-long-ids": Attack("grade_ids of a megabyte", change=meta(grade_id="x" * 10**6), may=told("stripped-metadata")),
    "says-bonus": Attack("a test cell of its own, worth a hundred points", change=BONUS),
    "says-swapped": Attack(
        "tests of right and wrong answers swapped", change=swapped, at_most=True, may=told("edited-test-cell")
    ),
    "says-swapped-answers": Attack("right and wrong answers swapped", change=swapped_solutions, at_most=True),
    "says-doubled": Attack(
        "right answers' tests under wrong answers' ids", change=doubled, may=told("duplicated-test-cell", "edited-test-cell")
    ),
    "says-prose": Attack("test cells turned to prose", change=prose, causes=told("edited-test-cell")),
    "says-tasks": Attack("tests turned to tasks for a person", change=tasks),
    "says-skip": Attack("tags that keep tests from running", change=skipped),
    "says-graded": Attack("a notebook that is graded already", change=graded_before),
    "says-outputs": Attack("outputs of no known kind", change=odd_outputs),
    "says-deep": Attack("metadata nested 60 deep", change=nested(60)),
    "says-deeper": Attack(
        "metadata nested 400 deep", change=nested(400), earns=None, causes=told("corrupt-notebook")
    ),
    "says-half-characters": Attack("half characters, which no file can hold", change=half_characters),
    "says-many-cells": Attack(
        "twenty thousand cells", change=twenty_thousand_cells, earns=None, causes=told("too-large")
    ),
    "says-many-values": Attack(
        "metadata of two million numbers", change=of_notebook(x=[0] * 2_000_000), earns=None, causes=told("too-large")
    ),
    "says-kernel": Attack("a kernel of its own", change=of_notebook(kernelspec=KERNEL, language_info={"name": "R"})),
    "says-language": Attack("a language that is no text", change=of_notebook(language_info=[], kernelspec=[])),
    "says-cell-ids": Attack("cell ids of markup", change=odd_ids),
    "says-same-ids": Attack("one id for all cells", change=same_ids),
    "says-copies": Attack("a hundred copies of one test", change=many_copies, causes=told("duplicated-test-cell")),
    "says-attachment": Attack("a picture that is no picture", change=attachments),
    "says-format": Attack(
        "a format of the future", change=lambda notebook: notebook.update(nbformat=9, nbformat_minor=99), earns=None,
        causes=told("corrupt-notebook"),
    ),
    "says-minor": Attack("a minor format of the future", change=lambda notebook: notebook.update(nbformat_minor=99)),
    "says-widgets": Attack(
        "widgets' state that closes its script",
        change=of_notebook(widgets={"application/vnd.jupyter.widget-state+json": {"state": {"x": "</script><script>alert(6660)</script>"}}}),
    ),
    "says-title": Attack(
        "names and authors of markup",
        change=of_notebook(title="<script>alert(6660)</script>", authors=[{"name": "<script>alert(6660)</script>"}]),
    ),
}  # fmt: skip
