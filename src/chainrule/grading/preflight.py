"""Looks at each submission by itself before it is graded, so that one cannot stop the others."""

from __future__ import annotations

import json
import warnings
from typing import Any

import nbformat

from chainrule.course import Unit
from chainrule.errors import SubmissionError
from chainrule.grading.messages import is_deep
from chainrule.grading.remark import Remark
from chainrule.grading.submission import LINK, UNREADABLE, Submission, shown

# Of a notebook. What each step takes for more is time without bound; the course's own have some 100 and some 2,000.
MAX_CELLS = 5000
MAX_ENTRIES = 500_000  # of all lists and dictionaries


def notebook_of(unit: Unit, submission: Submission) -> tuple[nbformat.NotebookNode, tuple[Remark, ...]]:
    """The submission's notebook, and what there is to remark of the files.

    It is the one with the right name, or the only one that has the unit's test cells. Raises SubmissionError where
    there is nothing to grade.
    """
    name = f"{unit.notebook}.ipynb"
    files = dict(submission.files)
    for remark in submission.left_out:
        if remark.where == name and LINK in remark.says:
            raise SubmissionError("link", name, f"{LINK}.")
        if remark.where == name and UNREADABLE in remark.says:
            raise SubmissionError("unreadable", name, f"{UNREADABLE}.")
    if name in files:
        return read(name, files[name]), submission.left_out
    others = [path for path in files if path.endswith(".ipynb")]
    ours = [path for path in others if _has_tests(unit, files[path])]
    if len(ours) == 1:
        says = f"It was graded as {name}, which is missing; it holds this unit's test cells."
        renamed = Remark("renamed-notebook", shown(ours[0]), says)
        return read(name, files[ours[0]]), (renamed, *submission.left_out)
    found = ", ".join(map(shown, others)) or "no notebook at all"
    raise SubmissionError("missing-notebook", name, f"is not there; found {found}.")


def read(name: str, content: bytes) -> nbformat.NotebookNode:
    """The notebook, upgraded to the present format; SubmissionError where it is none."""
    try:
        text = content.decode("utf-8")
        tree = json.loads(text)
    except UnicodeDecodeError:
        raise SubmissionError("corrupt-notebook", name, "is not text.") from None
    except RecursionError:
        raise SubmissionError("corrupt-notebook", name, "is nested too deeply.") from None
    except json.JSONDecodeError as error:
        place = f"is not JSON (line {error.lineno}, column {error.colno}: {error.msg})."
        raise SubmissionError("corrupt-notebook", name, place if text.strip() else "is empty.") from None
    except ValueError:
        raise SubmissionError("corrupt-notebook", name, "holds a number that is too long to be read.") from None
    if (
        not isinstance(tree, dict)
        or not isinstance(tree.get("nbformat"), int)
        or not {"cells", "worksheets"} & set(tree)
    ):
        raise SubmissionError("corrupt-notebook", name, "is JSON, but no notebook.")
    if is_deep(tree):
        raise SubmissionError("corrupt-notebook", name, "is nested too deeply.")
    if _entries(tree) > MAX_ENTRIES:
        raise SubmissionError("too-large", name, f"holds more than {MAX_ENTRIES:,} values.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # cell ids that repeat or are missing: nbformat gives new ones
            # without nbformat's check by its schema: that is for what is left once the course's cells are restored
            parsed = nbformat.convert(nbformat.reader.reads(text), 4)
            _, parsed = nbformat.validator.normalize(parsed)
        _expect_cells(parsed)
    except Exception as error:  # nbformat's readers raise whatever the damage makes them raise
        raise SubmissionError("corrupt-notebook", name, f"is no valid notebook ({type(error).__name__}).") from error
    if len(parsed.cells) > MAX_CELLS:
        raise SubmissionError("too-large", name, f"has more than {MAX_CELLS:,} cells.")
    return parsed


def _entries(tree: Any) -> int:
    """How many values the lists and dictionaries of parsed JSON hold; of no depth that was refused before."""
    if not isinstance(tree, dict | list):
        return 0
    inner = tree.values() if isinstance(tree, dict) else tree
    return len(tree) + sum(_entries(thing) for thing in inner if isinstance(thing, dict | list))


def _expect_cells(notebook: nbformat.NotebookNode) -> None:
    for cell in notebook.cells:
        if cell.cell_type not in ("code", "markdown", "raw") or not isinstance(cell.source, str):
            raise ValueError("a cell of an unknown form")
        if not isinstance(cell.metadata, dict):
            raise ValueError("a cell whose metadata is no dict")


def _has_tests(unit: Unit, content: bytes) -> bool:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return any(f'check(\\"{name}\\"' in text for name in unit.items)
