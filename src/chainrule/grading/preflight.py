"""Looks at each submission by itself before nbgrader sees it, so that one cannot stop the others."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import nbformat

from chainrule.course import Unit
from chainrule.errors import SubmissionError
from chainrule.grading.plan import files_of
from chainrule.grading.remark import Remark

MAX_BYTES = 50_000_000  # of a whole submission; a notebook with its pictures is far below


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A submission copied for grading, so that what is graded cannot change meanwhile."""

    folder: Path
    remarks: tuple[Remark, ...]


def snapshot(unit: Unit, submitted: Path, target: Path) -> Snapshot:
    """Copy a submission's regular files to `target`, its notebook under the right name.

    Raises SubmissionError where there is nothing to grade.
    """
    name = f"{unit.notebook}.ipynb"
    notebook, remarks = _notebook(unit, submitted, name)
    size = sum(path.stat().st_size for path in files_of(submitted))
    if size > MAX_BYTES:
        raise SubmissionError(
            "too-large", name, f"comes with {size / 1e6:.0f} MB of files; {MAX_BYTES / 1e6:.0f} are allowed."
        )
    read(notebook)
    target.mkdir(parents=True)
    for path in files_of(submitted):
        where = target / path.relative_to(submitted)
        if where.suffix != ".ipynb":
            where.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, where)
    shutil.copyfile(notebook, target / name)
    return Snapshot(target, tuple(remarks))


def read(notebook: Path) -> nbformat.NotebookNode:
    """The notebook, upgraded to the present format; SubmissionError where it is none."""
    name = notebook.name
    try:
        text = notebook.read_text("utf-8")
        tree = json.loads(text)
    except UnicodeDecodeError:
        raise SubmissionError("corrupt-notebook", name, "is not text.") from None
    except RecursionError:
        raise SubmissionError("corrupt-notebook", name, "is nested too deeply.") from None
    except json.JSONDecodeError as error:
        place = f"is not JSON (line {error.lineno}, column {error.colno}: {error.msg})."
        raise SubmissionError("corrupt-notebook", name, place if text.strip() else "is empty.") from None
    if not isinstance(tree, dict) or ("cells" not in tree and "worksheets" not in tree):
        raise SubmissionError("corrupt-notebook", name, "is JSON, but no notebook.")
    try:
        parsed = nbformat.reads(text, as_version=4)
        _expect_cells(parsed)
        return parsed
    except Exception as error:  # nbformat's readers raise whatever the damage makes them raise
        raise SubmissionError("corrupt-notebook", name, f"is no valid notebook ({type(error).__name__}).") from error


def _expect_cells(notebook: nbformat.NotebookNode) -> None:
    for cell in notebook.cells:
        if cell.cell_type not in ("code", "markdown", "raw") or not isinstance(cell.source, str):
            raise ValueError("a cell of an unknown form")
        if not isinstance(cell.metadata, dict):
            raise ValueError("a cell whose metadata is no dict")


def _notebook(unit: Unit, submitted: Path, name: str) -> tuple[Path, list[Remark]]:
    """The submission's notebook: the one with the right name, or the only one that has the unit's test cells."""
    wanted = submitted / name
    if wanted.is_symlink():
        raise SubmissionError("link", name, "is a link, which is not followed.")
    if wanted.is_file():
        return wanted, []
    others = sorted(path for path in files_of(submitted) if path.suffix == ".ipynb")
    ours = [path for path in others if _has_tests(unit, path)]
    if len(ours) == 1:
        says = f"{ours[0].name} was graded as {name}, which is missing; it holds this unit's test cells."
        return ours[0], [Remark("renamed-notebook", ours[0].name, says)]
    found = ", ".join(path.name for path in others) or "no notebook at all"
    raise SubmissionError("missing-notebook", name, f"is not there; found {found}.")


def _has_tests(unit: Unit, path: Path) -> bool:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return any(f'check(\\"{name}\\"' in text for name in unit.items)
