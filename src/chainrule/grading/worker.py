"""Grades one submission: bytes in, bytes out.

A worker holds no database and writes nothing but a temporary folder for the notebook's own files. What it keeps
between submissions never changes in a run: the unit, nbgrader's preprocessors, the feedback page's template.
"""

from __future__ import annotations

import functools
import os
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Any

import nbformat
from nbconvert.exporters.exporter import ResourcesDict
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import gettz, parse_utc

from chainrule.course import Course, Unit
from chainrule.errors import ChainruleError, KitError, SubmissionError
from chainrule.grading.bundle import unpack
from chainrule.grading.feedback import FeedbackPage, Grades
from chainrule.grading.judging import META
from chainrule.grading.outcome import Graded as Graded
from chainrule.grading.outcome import Job as Job
from chainrule.grading.outcome import refusal as refusal
from chainrule.grading.preflight import notebook_of
from chainrule.grading.remark import Remark
from chainrule.grading.stamp import stamped
from chainrule.grading.steps import steps
from chainrule.grading.submission import Files as Files
from chainrule.grading.submission import Submission, digest, fingerprint, in_order, read_files, shown
from chainrule.nbgrading import course_config

TIMESTAMP = "timestamp.txt"  # nbgrader's own file: when the work was handed in
LONGEST_TIME = 200  # bytes: dateutil takes a minute to refuse a million digits


def grade(job: Job, submission: Submission) -> Graded:
    """Grade one submission. Never raises for what a submission holds, nor for the kit's own faults."""
    start = time.monotonic()
    student = submission.student
    try:
        return replace(_grade(_desk(job), submission, start), work=work_of(submission.files))
    except SubmissionError as error:
        return replace(refusal(student, error, time.monotonic() - start), work=work_of(submission.files))
    except Exception as error:  # a kit's fault must not stop the batch, nor become a score
        text = str(error) if isinstance(error, ChainruleError) else f"{type(error).__name__}: {error}"
        return Graded(student, time.monotonic() - start, kit_fault=Remark("kit-fault", job.unit, text))


def work_of(files: Files) -> str:
    """Fingerprint of the work alone: the same whenever it was handed in and whatever version graded it."""
    return digest(file for file in files if file[0] != TIMESTAMP)


class Desk:
    """What a worker keeps at hand for one unit."""

    def __init__(self, job: Job) -> None:
        root = job.course if isinstance(job.course, Path) else unpack(job.course)
        self.unit: Unit = Course(root).unit(job.unit)
        if self.unit.version != job.version:
            raise KitError(f"{job.unit} was built anew while it was graded. Run chainrule grade {job.unit} again")
        config = course_config(root)
        if job.trust_students:
            config.SandboxExecute.trust_students = True
        if job.pictures is not None:
            config.SandboxExecute.pictures = job.pictures
        self.sanitize = steps(config.Autograde.sanitize_preprocessors, config, self.unit)
        self.autograde = steps(config.Autograde.autograde_preprocessors, config, self.unit)
        self.page = FeedbackPage(config)
        self.ignored = tuple(CourseDirectory(config=config).ignore)
        kept = config.Autograde.get("exclude_overwriting", {}).get(self.unit.name, [])
        found = read_files(self.unit.source.parent)
        self.course_files = {name: text for name, text in found if name not in kept and self._copied(name)}
        self._taken = {*self.course_files, f"{self.unit.notebook}.ipynb", f"{self.unit.notebook}.html"}

    def beside(self, files: Files) -> dict[str, bytes]:
        """What lies beside the graded notebook, as nbgrader copies it: the course's files over the student's."""
        theirs = {
            name: content
            for name, content in files
            if self._copied(name) and not self._taken & set(map(str, PurePosixPath(name).parents))
        }
        return theirs | self.course_files

    def _copied(self, name: str) -> bool:
        """Whether nbgrader copies a file: no notebook, and not of a name that the course ignores."""
        return not name.endswith(".ipynb") and not any(
            fnmatch(part, pattern) and (pattern.startswith(".") or not part.startswith("."))
            for part in PurePosixPath(name).parts
            for pattern in self.ignored
        )


@functools.lru_cache(maxsize=2)
def _desk(job: Job) -> Desk:
    # cell ids that repeat or are missing in a submission: nbformat gives new ones, and says so each time
    warnings.filterwarnings("ignore", module="nbformat")
    warnings.filterwarnings("ignore", category=UserWarning)  # libraries' words on a notebook may hold a student's
    return Desk(job)


def _grade(desk: Desk, submission: Submission, start: float) -> Graded:
    unit, student = desk.unit, submission.student
    nb, remarks = notebook_of(unit, submission)
    beside = desk.beside(submission.files)
    timestamp, doubt = _timestamp(submission.files)
    if doubt and timestamp is None:  # nbgrader's own commands, which read it again from the results, would stop at it
        beside = {name: content for name, content in beside.items() if PurePosixPath(name).parts[0] != TIMESTAMP}
    with _folder(beside) as folder:
        resources: Any = ResourcesDict(
            metadata=ResourcesDict(name=unit.notebook, path=folder),
            nbgrader={
                "student": student,
                "assignment": unit.name,
                "notebook": unit.notebook,
                "standing": submission.standing,
                "fingerprint": fingerprint(unit.version, submission.files),
                "timestamp": timestamp,
            },
        )
        for step in desk.sanitize:
            nb, resources = step(nb, resources)
        _expect_valid(nb, unit)
        for step in desk.autograde:
            nb, resources = step(nb, resources)
    notes, noted = nb.metadata[META], resources[META]
    remarks = (
        *remarks,
        *doubt,
        *(Remark(**remark) for remark in notes["remarks"]),
        *(Remark(cause, place, f"{says[:1].upper()}{says[1:]}.") for cause, place, says in notes["incidents"]),
    )
    notes["remarks"], notes["incidents"] = [remark.to_json() for remark in remarks], []
    scores = noted["scores"]
    missing = [name for name, score in scores.items() if score is None]
    if missing or len(notes["verdicts"]) != len(unit.items):
        raise KitError(
            f"{unit.name}, {student}: no score for {', '.join(missing) or 'some items'}; "
            f"run chainrule verify {unit.name}"
        )
    nbformat.validate(nb, relax_add_props=True)  # as nbconvert does
    grades = Grades(unit.notebook, scores, noted["comments"], noted["late_penalty"], submission.standing)
    text = (nbformat.v4.writes(nb) + "\n").encode("utf-8")
    page = stamped(desk.page.make(nb, grades), grades).encode("utf-8")
    return Graded(
        student,
        time.monotonic() - start,
        scores,
        noted["comments"],
        noted["late_penalty"],
        timestamp,
        in_order({**beside, f"{unit.notebook}.ipynb": text}.items()),
        in_order({**beside, f"{unit.notebook}.html": page}.items()),
        remarks,
    )


def _expect_valid(nb: nbformat.NotebookNode, unit: Unit) -> None:
    """What is left of a submission once the course's own cells are restored must be a notebook by its schema."""
    try:
        nbformat.validate(nb, relax_add_props=True)
    except nbformat.ValidationError as error:
        words = shown(str(error).splitlines()[0][:120])
        raise SubmissionError(
            "corrupt-notebook", f"{unit.notebook}.ipynb", f"is no valid notebook ({words})."
        ) from error


def _timestamp(files: Files) -> tuple[datetime | None, tuple[Remark, ...]]:
    """When the work was handed in, as nbgrader reads it; a remark where that is not what the file says."""
    content = dict(files).get(TIMESTAMP)
    if content is None and any(name.startswith(f"{TIMESTAMP}/") for name, _ in files):
        return None, (Remark("timestamp", TIMESTAMP, "It is a folder; the work counts as handed in without a time."),)
    if content is None or not content.strip():
        return None, ()
    try:
        text = content.decode("utf-8").strip()
        if len(text) <= LONGEST_TIME:
            return parse_utc(text), _misread(text)
    except Exception:  # dateutil raises whatever a text makes it raise
        pass
    says = "It holds no time that can be read; the work counts as handed in without one."
    return None, (Remark("timestamp", TIMESTAMP, says),)


def _misread(text: str) -> tuple[Remark, ...]:
    """nbgrader takes a zone that it does not know, such as summer time's EDT or CEST, for UTC, and +0200 for 200 s."""
    unknown = _unknown_zone(text)
    if unknown is None:
        return ()
    says = f"nbgrader cannot read its time zone {shown(unknown)}: the work may count as hours too late or too early."
    return (Remark("timestamp", TIMESTAMP, says),)


def _unknown_zone(text: str) -> str | None:
    """The zone that nbgrader does not know in a time that it can read; None where there is none such."""
    if text.count(" ") == 2:
        zone = text.split(" ")[2]
        try:
            return None if int(zone) == 0 else zone
        except ValueError:
            return zone if gettz(zone) is None else None
    with warnings.catch_warnings():  # any other form, such as that of `date`, is for dateutil, which warns
        warnings.simplefilter("error", RuntimeWarning)
        try:
            parse_utc(text)
        except RuntimeWarning as warning:
            return str(warning).split()[1]  # "tzname CEST identified but not understood."
    return None


@contextmanager
def _folder(files: dict[str, bytes]) -> Iterator[str]:
    """The notebook's own files in a folder that only we see; the sandbox gets copies."""
    with tempfile.TemporaryDirectory(prefix="chainrule-", ignore_cleanup_errors=True) as folder:
        for name, content in files.items():
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(content)
        yield folder
