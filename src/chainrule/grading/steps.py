"""nbgrader's steps that ask the gradebook, as they are without one.

A worker holds no database. What such a step reads is in the release, which was made in the same run, or came with
the submission; what it writes goes into `resources["chainrule"]`, as plain data for the one writer. That each does
what nbgrader's own does is tested against `nbgrader autograde` itself.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    OverwriteCells,
    OverwriteKernelspec,
    SaveAutoGrades,
)
from nbgrader.utils import compute_checksum, determine_grade, is_grade, is_solution, is_task
from traitlets.config import Config
from traitlets.utils.importstring import import_item

from chainrule.course import Unit
from chainrule.errors import KitError
from chainrule.grading.duedates import SetDueDates
from chainrule.grading.judging import META, CoursePreprocessor, LookFirst, ResetScores
from chainrule.grading.penalty import Penalties
from chainrule.grading.submission import Standing
from chainrule.policy.rules import seconds_late


def steps(classes: list[Any], config: Config, unit: Unit) -> list[Any]:
    """nbgrader's configured preprocessors, each once for many notebooks, with those replaced that need a gradebook."""
    made = []
    for named in classes:
        kind = import_item(named) if isinstance(named, str) else named
        kind = WITHOUT_GRADEBOOK.get(kind, kind)
        if kind is not None:
            step = kind(config=config)
            if isinstance(step, CoursePreprocessor):
                step.pinned = unit
            made.append(step)
    return made


class ReleasedKernelspec(CoursePreprocessor):
    """The kernel that the course's notebook names."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        kernelspec = self.unit(resources).handed_out.metadata.get("kernelspec")
        if kernelspec:
            nb.metadata["kernelspec"] = copy.deepcopy(kernelspec)
        return nb, resources


class ReleasedMetadata(CoursePreprocessor):
    """Every cell's nbgrader metadata is a released cell's, each once; that is what nbgrader's schemas ask for."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        ours = {
            cell.metadata.nbgrader.grade_id: (cell.cell_type, cell.metadata.nbgrader)
            for cell in self.unit(resources).handed_out.cells
            if "nbgrader" in cell.metadata
        }
        for cell in nb.cells:
            if "nbgrader" in cell.metadata:
                grade_id = cell.metadata.nbgrader.get("grade_id")
                if ours.pop(grade_id, None) != (cell.cell_type, cell.metadata.nbgrader):
                    raise KitError(f"cell {grade_id}: its metadata is not the release's after it was restored")
        return nb, resources


class NoteGrades(CoursePreprocessor):
    """Scores of the test cells and comments on the solution cells, as nbgrader saves them."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        cells = self.unit(resources).handed_out.cells
        scores: dict[str, float | None] = {c.metadata.nbgrader.grade_id: None for c in cells if is_grade(c)}
        comments: dict[str, str | None] = {
            c.metadata.nbgrader.grade_id: None for c in cells if is_solution(c) or is_task(c)
        }
        for cell in nb.cells:
            if is_grade(cell):
                score, _ = determine_grade(cell, self.log)
                scores[cell.metadata.nbgrader.grade_id] = None if score is None else float(score)
            if is_solution(cell) or is_task(cell):
                same = cell.metadata.nbgrader.get("checksum") == compute_checksum(cell) and not is_task(cell)
                comments[cell.metadata.nbgrader.grade_id] = "No response." if same else None
        resources[META].update(scores=scores, comments=comments)
        return nb, resources


class NotePenalty(CoursePreprocessor):
    """The penalty that the configured plugin sets for late work."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._penalties = Penalties(self.config)

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        notes, standing = resources[META], resources["nbgrader"]["standing"]
        late = seconds_late(resources["nbgrader"]["timestamp"], standing.due)
        score = sum(final_scores(notes["scores"], standing).values())
        notes["late_penalty"] = self._penalties.penalty(resources["nbgrader"]["student"], score, late)
        return nb, resources


def final_scores(scores: Mapping[str, float | None], standing: Standing) -> dict[str, float]:
    """What counts of each cell: a person's marks before ours, extra marks added to either."""
    final = {}
    for name, ours in scores.items():
        score = standing.marks.get(name, ours)
        final[name] = 0.0 if score is None else score + standing.extra.get(name, 0.0)
    return final


# None: restored cells have it already, the worker has looked, or the one writer does it
WITHOUT_GRADEBOOK: dict[Any, Any] = {
    ResetScores: None,
    LookFirst: None,
    OverwriteKernelspec: ReleasedKernelspec,
    OverwriteCells: None,
    CheckCellMetadata: ReleasedMetadata,
    SaveAutoGrades: NoteGrades,
    SetDueDates: None,
    AssignLatePenalties: NotePenalty,
}
