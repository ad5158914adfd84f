"""Puts the course's own cells back into a submitted notebook, and says what was done to them.

Points, ids and locks come from the instructor's notebook alone. A deleted or edited test cell costs the
student nothing by itself: it is put back and the answer is judged, and a person is told.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

from nbformat import NotebookNode, from_dict
from nbformat.corpus.words import generate_corpus_id as random_cell_id

from chainrule.course import TEST, Unit
from chainrule.grading.remark import Remark

METADATA = {"title": str, "authors": list}  # of a notebook, where nbformat's schema asks for a type
CELL_ID = re.compile(r"[a-zA-Z0-9-_]{1,64}")


def restore(nb: NotebookNode, unit: Unit) -> list[Remark]:
    """Make `nb`'s locked cells those of the release, in place. Returns what had to be mended."""
    originals = _originals(unit)
    _mend_form(nb)
    remarks = list(_recognise(nb, originals))
    remarks += _deduplicate(nb)
    for name, original in originals.items():
        if not _locked(original):
            continue
        found = _find(nb, name)
        if found is None:
            _put_back(nb, name, originals)
            kind = "test cell" if name.endswith(TEST) else "given cell"
            remarks.append(
                Remark(f"deleted-{kind.replace(' ', '-')}", name, f"The {kind} `{name}` was deleted; it was put back.")
            )
            continue
        cell = nb.cells[found]
        if cell.cell_type != original.cell_type or cell.source.strip() != original.source.strip():
            kind = "test cell" if name.endswith(TEST) else "given cell"
            remarks.append(
                Remark(
                    f"edited-{kind.replace(' ', '-')}", name, f"The {kind} `{name}` was edited; the original was run."
                )
            )
        nb.cells[found] = copy.deepcopy(original)
    nb.metadata["kernelspec"] = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    return remarks


def _mend_form(nb: NotebookNode) -> None:
    """Leave out what breaks the format's schema where no answer is: cells' ids, the notebook's metadata.

    Half characters, which JSON can name and no file can hold, are replaced wherever they are.
    """
    try:
        (text := json.dumps(nb, ensure_ascii=False)).encode("utf-8")
    except UnicodeEncodeError:
        nb.update(from_dict(json.loads(text.encode("utf-8", "replace"))))
    for name, kind in METADATA.items():
        if name in nb.metadata and not isinstance(nb.metadata[name], kind):
            del nb.metadata[name]
    nb.metadata.pop("language_info", None)  # the kernel says it
    nb.metadata.pop("orig_nbformat", None)
    for cell in nb.cells:
        if "id" in cell and not (isinstance(cell.id, str) and CELL_ID.fullmatch(cell.id)):
            cell.id = random_cell_id()


def _originals(unit: Unit) -> dict[str, NotebookNode]:
    """The release's graded, solution and locked cells by grade_id, in order."""
    return {cell.metadata.nbgrader.grade_id: cell for cell in unit.handed_out.cells if "nbgrader" in cell.metadata}


def _recognise(nb: NotebookNode, originals: dict[str, NotebookNode]) -> Iterator[Remark]:
    """Give every cell the metadata that is ours for it, or none; a test cell without any is known by its text."""
    by_text = {cell.source.strip(): name for name, cell in originals.items() if _locked(cell)}
    stripped = []
    for cell in nb.cells:
        theirs = cell.metadata.get("nbgrader")
        name = theirs.get("grade_id") if isinstance(theirs, dict) else None
        if not isinstance(name, str) or name not in originals:
            name = by_text.get(cell.source.strip())
            if name is not None:
                stripped.append(name)
        if name is None:
            cell.metadata = NotebookNode()
        else:
            cell.metadata = copy.deepcopy(originals[name].metadata)
            if not _locked(originals[name]) and cell.cell_type != originals[name].cell_type:
                # a solution turned into prose or the like is no solution; its text stays for the reader
                cell.metadata = NotebookNode()
    if stripped:
        listed = ", ".join(f"`{name}`" for name in stripped[:3]) + (" and others" if len(stripped) > 3 else "")
        yield Remark(
            "stripped-metadata",
            stripped[0],
            f"nbgrader's metadata was missing from {listed}; the cells were known by their text.",
        )


def _deduplicate(nb: NotebookNode) -> Iterator[Remark]:
    """Of cells with one id the last counts, as in nbgrader; the others become plain cells."""
    seen: set[str] = set()
    for cell in reversed(nb.cells):
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name is None:
            continue
        if name in seen:
            cell.metadata = NotebookNode()
            kind = "test cell" if name.endswith(TEST) else "cell"
            yield Remark(
                f"duplicated-{kind.replace(' ', '-')}",
                name,
                f"The {kind} `{name}` stands there more than once; the last one counts.",
            )
        seen.add(name)


def _put_back(nb: NotebookNode, name: str, originals: dict[str, NotebookNode]) -> None:
    """After its solution (a test cell), after the cell that it followed (a given cell), else where it can still run."""
    new = copy.deepcopy(originals[name])
    if name.endswith(TEST):
        at = _find(nb, name.removesuffix(TEST))
        nb.cells.insert(len(nb.cells) if at is None else at + 1, new)
        return
    order = list(originals)
    for before in reversed(order[: order.index(name)]):
        at = _find(nb, before)
        if at is not None:
            nb.cells.insert(at + 1, new)
            return
    nb.cells.insert(0, new)


def _find(nb: NotebookNode, name: str) -> int | None:
    return next(
        (i for i, cell in enumerate(nb.cells) if cell.metadata.get("nbgrader", {}).get("grade_id") == name), None
    )


def _locked(cell: Any) -> bool:
    return bool(cell.metadata.nbgrader.get("locked"))
