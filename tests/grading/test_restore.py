"""The course's own cells come back into a notebook, whatever was done to them, and the student's cells stay."""

from __future__ import annotations

import copy

import nbformat
import pytest
from nbformat import NotebookNode

from chainrule.course import Unit
from chainrule.grading.restore import restore
from helpers import cell_of, solved


@pytest.fixture
def notebook(tiny: Unit) -> NotebookNode:
    """A solved notebook of the small unit."""
    return solved(tiny)


def ids(notebook: NotebookNode) -> list[str]:
    return [cell.metadata.nbgrader.grade_id for cell in notebook.cells if "nbgrader" in cell.metadata]


def locked(notebook: NotebookNode) -> dict[str, tuple[str, object]]:
    """Text and metadata of all locked cells."""
    cells = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("locked")]
    return {cell.metadata.nbgrader.grade_id: (cell.source, dict(cell.metadata.nbgrader)) for cell in cells}


def test_untouched_notebook_stays_as_it_is(tiny: Unit, notebook: NotebookNode) -> None:
    """Nothing to mend, nothing said, no text changed."""
    before = copy.deepcopy(notebook)
    assert restore(notebook, tiny) == []
    assert [cell.source for cell in notebook.cells] == [cell.source for cell in before.cells]
    assert ids(notebook) == ids(before)


def test_deleted_test_cell_returns_below_its_solution(tiny: Unit, notebook: NotebookNode) -> None:
    """Put back where the student's answer is already there, and before what comes next."""
    notebook.cells.remove(cell_of(notebook, "half-check"))
    (remark,) = restore(notebook, tiny)
    assert (remark.cause, remark.where) == ("deleted-test-cell", "half-check")
    assert ids(notebook) == ids(solved(tiny))


def test_deleted_test_and_solution_cell(tiny: Unit, notebook: NotebookNode) -> None:
    """With its solution gone as well, the test cell stands at the end: the answer may be in any cell."""
    for name in ("half", "half-check"):
        notebook.cells.remove(cell_of(notebook, name))
    assert [remark.cause for remark in restore(notebook, tiny)] == ["deleted-test-cell"]
    assert ids(notebook)[-1] == "half-check"


def test_deleted_given_cell_returns_to_the_top(tiny: Unit, notebook: NotebookNode) -> None:
    """The setup stands before everything that needs it."""
    notebook.cells.remove(cell_of(notebook, "given-setup"))
    (remark,) = restore(notebook, tiny)
    assert (remark.cause, remark.where) == ("deleted-given-cell", "given-setup")
    assert ids(notebook) == ids(solved(tiny))


@pytest.mark.parametrize(
    ("grade_id", "cause"), [("total-check", "edited-test-cell"), ("given-setup", "edited-given-cell")]
)
def test_edited_cell_is_the_original_again(tiny: Unit, notebook: NotebookNode, grade_id: str, cause: str) -> None:
    """A changed text is told and undone; a change of outer white space is neither."""
    cell_of(notebook, grade_id).source = "pass"
    assert [remark.cause for remark in restore(notebook, tiny)] == [cause]
    assert locked(notebook) == locked(solved(tiny))
    cell_of(notebook, grade_id).source += "\n\n"
    assert restore(notebook, tiny) == []


def test_half_characters_are_replaced(tiny: Unit, notebook: NotebookNode) -> None:
    """JSON can name them, and no file can hold them; all else is as it was."""
    restored = copy.deepcopy(notebook)
    restore(restored, tiny)
    notebook.cells.append(nbformat.v4.new_code_cell("x = '\ud800\u00e9\U0001f600'"))
    notebook.metadata["\udfff"] = ["\udfff"]
    assert restore(notebook, tiny) == []
    assert notebook.cells[-1].source == "x = '?\u00e9\U0001f600'"
    assert notebook.metadata["?"] == ["?"]
    assert notebook.cells[:-1] == restored.cells
    nbformat.writes(notebook).encode("utf-8")


@pytest.mark.parametrize("kind", ["markdown", "raw"])
def test_test_cell_of_another_type_is_code_again(tiny: Unit, notebook: NotebookNode, kind: str) -> None:
    """Prose is not run: a test cell turned into it would never be judged."""
    cell = cell_of(notebook, "total-check")
    notebook.cells[notebook.cells.index(cell)] = NotebookNode(
        cell_type=kind, id="x", source=cell.source, metadata=cell.metadata
    )
    assert [remark.cause for remark in restore(notebook, tiny)] == ["edited-test-cell"]
    assert cell_of(notebook, "total-check").cell_type == "code"


@pytest.mark.parametrize(
    "fields",
    [
        {"points": 1000},
        {"grade": False},
        {"locked": False},
        {"solution": True, "locked": False},
        {"task": True},
        {"schema_version": 99},
        {"schema_version": "two"},
        {"cell_type": "markdown"},
        {"checksum": "0" * 32},
    ],
)
def test_metadata_is_the_releases(tiny: Unit, notebook: NotebookNode, fields: dict[str, object]) -> None:
    """Whatever the submission claims of points, locks and schema, the course's own words count."""
    for cell in notebook.cells:
        if "nbgrader" in cell.metadata:
            cell.metadata.nbgrader.update(fields)
    restore(notebook, tiny)
    release = nbformat.read(tiny.release, as_version=4)
    assert locked(notebook) == locked(release)
    assert [cell.metadata for cell in notebook.cells if "nbgrader" in cell.metadata] == [
        cell.metadata for cell in release.cells if "nbgrader" in cell.metadata
    ]


@pytest.mark.parametrize("forged", ["text", 7, None, [], {"grade_id": ["total-check"]}, {"grade_id": "nobody's"}])
def test_strange_metadata_is_dropped(tiny: Unit, notebook: NotebookNode, forged: object) -> None:
    """Metadata of another form, or of a cell that the release does not have, is nobody's."""
    notebook.cells.append(nbformat.v4.new_code_cell("1 + 1", metadata={"nbgrader": forged, "tags": ["skip-execution"]}))
    assert restore(notebook, tiny) == []
    assert notebook.cells[-1].metadata == {}


def test_tags_that_keep_a_cell_from_running_go(tiny: Unit, notebook: NotebookNode) -> None:
    """No tag of the student's is left on any cell."""
    for cell in notebook.cells:
        cell.metadata["tags"] = ["skip-execution"]
    restore(notebook, tiny)
    assert not any("tags" in cell.metadata for cell in notebook.cells)


def test_all_metadata_stripped(tiny: Unit, notebook: NotebookNode) -> None:
    """Test and given cells are known by their text; one remark for all of them."""
    for cell in notebook.cells:
        cell.metadata = NotebookNode()
    (remark,) = restore(notebook, tiny)
    assert remark.cause == "stripped-metadata"
    assert locked(notebook) == locked(solved(tiny))


def test_of_two_cells_with_one_id_the_last_counts(tiny: Unit, notebook: NotebookNode) -> None:
    """The first becomes a plain cell and keeps its text; test cells come out single."""
    for name in ("letter", "letter-check"):
        cell = cell_of(notebook, name)
        notebook.cells.append(copy.deepcopy(cell))
    notebook.cells[-2].source = "letter = 'c'"
    remarks = restore(notebook, tiny)
    assert [remark.cause for remark in remarks] == ["duplicated-test-cell", "duplicated-cell"]
    assert sorted(ids(notebook)) == sorted(ids(solved(tiny)))
    assert cell_of(notebook, "letter").source == "letter = 'c'"


def test_solution_turned_into_prose_is_no_solution(tiny: Unit, notebook: NotebookNode) -> None:
    """Its text stays for the reader, and nbgrader does not take it for the answer."""
    cell = cell_of(notebook, "letter")
    at = notebook.cells.index(cell)
    notebook.cells[at] = nbformat.v4.new_markdown_cell(cell.source, metadata=copy.deepcopy(cell.metadata))
    restore(notebook, tiny)
    assert notebook.cells[at].source == cell.source
    assert notebook.cells[at].metadata == {}


def test_kernel_is_the_courses(tiny: Unit, notebook: NotebookNode) -> None:
    """A kernelspec of another language, or none, is replaced."""
    notebook.metadata.clear()
    notebook.metadata["kernelspec"] = {"name": "ir", "display_name": "R", "language": "R"}
    restore(notebook, tiny)
    assert notebook.metadata.kernelspec.name == "python3"


def test_empty_notebook_gets_all_test_cells(tiny: Unit) -> None:
    """Nothing handed in but an empty notebook: everything is put back, in order."""
    notebook = nbformat.v4.new_notebook()
    remarks = restore(notebook, tiny)
    assert len(remarks) == 1 + len(tiny.items)
    assert ids(notebook) == ["given-setup", *(f"{name}-check" for name in tiny.items)]
