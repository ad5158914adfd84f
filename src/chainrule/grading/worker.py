"""Grades one submission by nbgrader's own Autograde and GenerateFeedback, in a private course folder.

A worker never touches the course's gradebook or results: it hands back a finished, staged folder and the
scores, and `record` puts both in place.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde, GenerateFeedback
from traitlets.config import Config

from chainrule.course import Course, Unit
from chainrule.errors import ChainruleError, KitError, SubmissionError
from chainrule.grading.judging import META
from chainrule.grading.plan import files_of, fingerprint
from chainrule.grading.preflight import expect_usable_id, snapshot
from chainrule.grading.remark import Remark
from chainrule.nbgrading import course_config, run

Files = tuple[tuple[str, bytes], ...]  # a folder as data: (relative path, content), by path


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker needs: the course, a private folder on the same disk, the unit, and the way of running."""

    root: Path
    staging: Path
    unit: str
    trust_students: bool = False


@dataclass(frozen=True, slots=True)
class Graded:
    """One submission's outcome: `scores`, or a remark that says why there are none."""

    student: str
    seconds: float
    scores: dict[str, float] | None = None
    comments: dict[str, str | None] | None = None
    late_penalty: float | None = None
    timestamp: datetime | None = None
    autograded: Files | None = None  # what goes to autograded/<student>/<unit>/
    feedback: Files | None = None
    remarks: tuple[Remark, ...] = ()
    refused: Remark | None = None  # the submission's fault
    kit_fault: Remark | None = None  # ours


def grade_one(job: Job, student: str) -> Graded:
    """Grade one student's submission. Never raises for what a submission holds, nor for the kit's own faults."""
    start = time.monotonic()
    room = job.staging / f"room-{student}"
    shutil.rmtree(room, ignore_errors=True)
    try:
        return _grade(job, student, room, start)
    except SubmissionError as error:
        return Graded(student, time.monotonic() - start, refused=Remark(error.cause, error.where, f"It {error.says}"))
    except Exception as error:  # a kit's fault must not stop the batch, nor become a score
        text = str(error) if isinstance(error, ChainruleError) else f"{type(error).__name__}: {error}"
        return Graded(student, time.monotonic() - start, kit_fault=Remark("kit-fault", job.unit, text))


def _grade(job: Job, student: str, room: Path, start: float) -> Graded:
    expect_usable_id(student)
    unit = Course(job.root).unit(job.unit)
    submitted = job.root / "submitted" / student / unit.name
    mark = fingerprint(unit, submitted)
    shot = snapshot(unit, submitted, room / "submitted" / student / unit.name)
    (room / "source").symlink_to(job.root / "source", target_is_directory=True)
    (room / "gradebook").mkdir()
    shutil.copyfile(job.staging / "template.db", room / "gradebook" / "gradebook.db")
    config = _config(job, unit, student, room)
    _run_or_tell(OneAutograde, config)
    result = room / "autograded" / student / unit.name
    notes, remarks = _notes(result / f"{unit.notebook}.ipynb", mark, shot.remarks)
    _run_or_tell(GenerateFeedback, config)
    with Gradebook(config.CourseDirectory.db_url, config.CourseDirectory.course_id) as gradebook:
        found = gradebook.find_submission_notebook(unit.notebook, unit.name, student)
        scores = {grade.name: grade.auto_score for grade in found.grades}
        comments = {comment.name: comment.auto_comment for comment in found.comments}
        penalty, timestamp = found.late_submission_penalty, found.assignment.timestamp
    missing = [name for name, score in scores.items() if score is None]
    if missing or len(notes) != len(unit.items):
        raise KitError(
            f"{unit.name}, {student}: no score for {', '.join(missing) or 'some items'}; "
            f"run chainrule verify {unit.name}"
        )
    seconds = time.monotonic() - start
    feedback = _read_files(room / "feedback" / student / unit.name)
    return Graded(student, seconds, scores, comments, penalty, timestamp, _read_files(result), feedback, remarks)


def _read_files(folder: Path) -> Files:
    return tuple((str(path.relative_to(folder)), path.read_bytes()) for path in sorted(files_of(folder)))


class OneAutograde(Autograde):  # type: ignore[misc]
    """Autograde that keeps the error which nbgrader only logs."""

    failure: BaseException | None = None

    def convert_single_notebook(self, notebook_filename: str) -> None:
        try:
            super().convert_single_notebook(notebook_filename)
        except BaseException as error:
            type(self).failure = error
            raise


def _run_or_tell(converter: type[Any], config: Config) -> None:
    OneAutograde.failure = None
    try:
        run(converter, config)
    except Exception as error:
        cause = OneAutograde.failure or error
        if isinstance(cause, ChainruleError):
            raise cause from error
        raise KitError(f"{converter.__name__}: {type(cause).__name__}: {cause}") from cause


def _config(job: Job, unit: Unit, student: str, room: Path) -> Config:
    """The course's configuration, for one student in a private folder. The course itself is where it was."""
    config = course_config(job.root)
    config.CourseDirectory.root = str(room)
    config.CourseDirectory.db_url = f"sqlite:///{room / 'gradebook' / 'gradebook.db'}"
    config.CourseDirectory.assignment_id = unit.name
    config.CourseDirectory.student_id = student
    config.CourseDirectory.notebook_id = unit.notebook
    if job.trust_students:
        config.SandboxExecute.trust_students = True
    return config


def _notes(path: Path, mark: str, seen: tuple[Remark, ...]) -> tuple[list[Any], tuple[Remark, ...]]:
    """Complete the autograded notebook's own notes; the verdicts, and all remarks on the submission."""
    notebook = nbformat.read(path, as_version=4)
    notes = notebook.metadata[META]
    remarks = (
        *seen,
        *(Remark(**remark) for remark in notes["remarks"]),
        *(Remark(cause, place, f"{says[:1].upper()}{says[1:]}.") for cause, place, says in notes["incidents"]),
    )
    notes["fingerprint"] = mark  # of what was submitted, not of the copy under another name
    notes["remarks"] = [remark.to_json() for remark in remarks]
    notes["incidents"] = []
    path.chmod(0o644)
    nbformat.write(notebook, path)
    return list(notes["verdicts"]), remarks
