"""The course's nbgrader configuration: which preprocessors grade, and where things lie."""

from __future__ import annotations

import dataclasses
import os
import sys
from pathlib import Path

from traitlets.config import Config

from chainrule.course import Course
from chainrule.errors import CourseError
from chainrule.policy import read_late


def configure(c: Config, root: Path) -> None:
    """Set nbgrader up so that `nbgrader autograde` and the formgrader grade in the sandbox, judged outside."""
    # imported here: all of it is slow to load, and not every process that imports this package needs it
    from nbgrader.preprocessors import (
        AssignLatePenalties,
        CheckCellMetadata,
        ClearOutput,
        DeduplicateIds,
        IgnorePattern,
        LimitOutput,
        OverwriteCells,
        OverwriteKernelspec,
        SaveAutoGrades,
    )

    from chainrule.grading.duedates import SetDueDates
    from chainrule.grading.feedback import FeedbackExporter
    from chainrule.grading.formgrade import guard_pages
    from chainrule.grading.judging import DrawCases, Judge, LookFirst, ResetScores, RestoreCells, before_reading
    from chainrule.grading.kernel import SandboxExecute
    from chainrule.grading.penalty import LatePolicy

    # nbgrader calls `alembic` by its bare name, which is there only in an activated environment
    tools = str(Path(sys.executable).parent)
    if tools not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([tools, os.environ.get("PATH", "")])
    course = Course(root)
    settings = course.settings().get("course", {})
    if not isinstance(settings, dict) or not all(isinstance(settings.get(key, ""), str) for key in ("id", "db_url")):
        raise CourseError(f"{root / 'course.toml'}: [course] takes id and db_url, both text in quotes")
    limits = course.limits()
    c.CourseDirectory.root = str(root)
    c.CourseDirectory.course_id = settings.get("id", "chainrule")
    c.CourseDirectory.db_url = settings.get("db_url") or f"sqlite:///{root / 'gradebook' / 'gradebook.db'}"
    c.CoursePreprocessor.root = str(root)
    c.ClearSolutions.code_stub = {"python": "# YOUR CODE HERE"}
    c.SandboxExecute.timeout = limits.cell_seconds
    c.SandboxExecute.notebook_seconds = limits.notebook_seconds
    c.SandboxExecute.memory_mb = limits.memory_mb
    c.SandboxExecute.output_mb = limits.output_mb
    c.SandboxExecute.pictures = course.draws_pictures()
    c.Autograde.pre_convert_hook = before_reading
    # A clean text of the notebook, with the course's own test cells, whatever was done to them
    c.Autograde.sanitize_preprocessors = [
        ResetScores,
        LookFirst,
        RestoreCells,
        ClearOutput,
        DeduplicateIds,
        OverwriteKernelspec,
        OverwriteCells,
        CheckCellMetadata,
    ]
    # Evidence comes out of the sandbox; the judge turns it into scores before nbgrader saves them
    c.Autograde.autograde_preprocessors = [
        DrawCases,
        SandboxExecute,
        Judge,
        IgnorePattern,
        LimitOutput,
        SaveAutoGrades,
        SetDueDates,
        AssignLatePenalties,
        CheckCellMetadata,
    ]
    late = read_late(course)
    if late is not None:  # else what nbgrader_config.py says of LateSubmissionPlugin
        c.AssignLatePenalties.plugin_class = LatePolicy
        c.LatePolicy.update(dataclasses.asdict(late))
    # Students' HTML, made harmless; in the formgrader's own button, too, and in its pages for grading by hand
    c.GenerateFeedback.exporter_class = FeedbackExporter
    guard_pages(c)
