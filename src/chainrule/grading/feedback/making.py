"""Feedback pages without a gradebook, for `chainrule grade`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbgrader.converters import GenerateFeedback
from nbgrader.utils import is_grade, is_solution, is_task
from traitlets.config import Config

from chainrule.grading.steps import final_scores
from chainrule.grading.submission import Standing


@dataclass(frozen=True, slots=True)
class Grades:
    """What a page shows beside the notebook."""

    notebook: str
    scores: Mapping[str, float | None]
    comments: Mapping[str, str | None]
    late_penalty: float | None
    standing: Standing


class FeedbackPage:
    """Makes feedback pages as `nbgrader generate_feedback` does; kept for many notebooks."""

    def __init__(self, config: Config) -> None:
        self.exporter = GenerateFeedback(config=config).exporter_class(config=config)

    def make(self, nb: NotebookNode, graded: Grades) -> str:
        """The page of an autograded notebook, whose cells' metadata gets the scores and comments that are shown."""
        comments = {**graded.comments, **graded.standing.comments}
        final = final_scores(graded.scores, graded.standing)
        possible = 0.0
        for cell in nb.cells:
            meta = cell.metadata.get("nbgrader", {})
            if is_solution(cell) or is_task(cell):
                meta["comment"] = comments.get(meta["grade_id"])
            if is_grade(cell) or is_task(cell):
                meta["score"] = final[meta["grade_id"]]
                possible += float(meta["points"])
        penalty = graded.late_penalty or 0
        resources = ResourcesDict(
            nbgrader={
                "notebook": graded.notebook,
                "score": sum(final.values()) - penalty,
                "max_score": possible,
                "late_penalty": penalty,
            },
            metadata=ResourcesDict(name=graded.notebook, path=""),
        )
        page: str = self.exporter.from_notebook_node(nb, resources=resources)[0]
        return page
