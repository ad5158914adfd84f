"""Looks at each submission by itself before nbgrader sees it, so that one cannot stop the others."""

from __future__ import annotations

import json
import os
import shutil
import warnings
from collections.abc import Iterator
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
    remarks += _left_out(submitted)
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


def expect_usable_id(student: str) -> None:
    """SubmissionError where nbgrader cannot find a folder of that name again: it takes names as patterns."""
    folder = shown(Path("submitted") / student)
    if student != student.strip() or set(student) & set("*?["):
        raise SubmissionError("student-id", folder, "has outer spaces or one of * ? [ in its name.")
    if student != shown(Path(student)):
        raise SubmissionError("student-id", folder, "has a name that is not UTF-8 text.")


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
    if (
        not isinstance(tree, dict)
        or not isinstance(tree.get("nbformat"), int)
        or not {"cells", "worksheets"} & set(tree)
    ):
        raise SubmissionError("corrupt-notebook", name, "is JSON, but no notebook.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # cell ids that repeat or are missing: nbformat gives new ones
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
        says = f"It was graded as {name}, which is missing; it holds this unit's test cells."
        return ours[0], [Remark("renamed-notebook", shown(ours[0].relative_to(submitted)), says)]
    found = ", ".join(shown(path.relative_to(submitted)) for path in others) or "no notebook at all"
    raise SubmissionError("missing-notebook", name, f"is not there; found {found}.")


def _left_out(submitted: Path) -> Iterator[Remark]:
    """A remark for each thing that is not copied: links, which may lead anywhere, pipes and the like."""
    copied = set(files_of(submitted))
    for place, folders, names in os.walk(submitted):
        links = [name for name in folders if Path(place, name).is_symlink()]
        for path in sorted(Path(place, name) for name in [*links, *names]):
            if path not in copied and not {".ipynb_checkpoints", "__pycache__"} & set(path.parts):
                kind = "a link, which is not followed" if path.is_symlink() else "no regular file"
                says = f"It is {kind}; the notebook ran without it."
                yield Remark("files-left-out", shown(path.relative_to(submitted)), says)


def shown(path: Path) -> str:
    """A path as text that every file and terminal takes: names may hold bytes that are no UTF-8."""
    return str(path).encode("utf-8", "backslashreplace").decode()


def _has_tests(unit: Unit, path: Path) -> bool:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return any(f'check(\\"{name}\\"' in text for name in unit.items)
