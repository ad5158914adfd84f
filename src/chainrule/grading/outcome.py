"""What workers are asked and what they answer; loaded by every process of a run, and quickly."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from chainrule.errors import SubmissionError
from chainrule.grading.bundle import Bundle
from chainrule.grading.remark import Remark
from chainrule.grading.submission import Files


@dataclass(frozen=True, slots=True)
class Job:
    """What is the same for all submissions of a run: the unit, and the course as a folder or as bytes."""

    unit: str
    version: str  # of the unit as the run began with it
    course: Path | Bundle
    trust_students: bool = False
    pictures: bool | None = None  # whether they are drawn; None: as course.toml has it


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
    work: str | None = None  # fingerprint of what was handed in; none where it could not be read


def refusal(student: str, error: SubmissionError, seconds: float = 0.0) -> Graded:
    """The outcome of a submission that cannot be graded as it is."""
    return Graded(student, seconds, refused=Remark(error.cause, error.where, f"It {error.says}"))
