"""What a person should know about a submission, and what that person can do about it."""

from __future__ import annotations

import shlex
from dataclasses import asdict, dataclass

AGAIN = "chainrule grade {unit} --student {student}"

# by cause; `{unit}` and `{student}` are filled in
WAYS_OUT = {
    "corrupt-notebook": f"Ask for a new copy (in Jupyter: File > Download), then: {AGAIN}",
    "missing-notebook": f"Rename the file or ask for it, then: {AGAIN}",
    "too-large": f"Clear outputs, remove data files and empty cells, then: {AGAIN}",
    "student-id": "Rename the folder to the student's id, then: chainrule grade {unit}",
    "unreadable": f"Give yourself the right to read it (chmod -R u+rX), then: {AGAIN}",
    "link": f"Put the work itself there, then: {AGAIN}",
    "renamed-notebook": "Nothing to do; tell the student the name for next time.",
    "deleted-test-cell": "Nothing to do; the answer was judged by the original cell.",
    "edited-test-cell": "Nothing to do; the answer was judged by the original cell.",
    "duplicated-test-cell": "Nothing to do; the last copy was judged.",
    "duplicated-cell": "Look whether the last copy is the answer that was meant.",
    "deleted-given-cell": "Nothing to do; the original was run.",
    "edited-given-cell": "Look whether the answers rely on the edit; the original was run.",
    "stripped-metadata": "Nothing to do; some programs drop metadata when they save.",
    "timestamp": f"If it matters, write the time there (2026-11-21 18:00:00 UTC), then: {AGAIN}",
    "files-left-out": "Look whether the notebook needs that file.",
    "timeout": f"If it is meant to take that long, raise cell_seconds in course.toml, then: {AGAIN} --fresh",
    "unresponsive": "Look at that cell; everything after it counts as not run.",
    "kernel-died": "Look at that cell; nothing after it was run. If memory was short, raise memory_mb in course.toml.",
    "output-limit": "Look at that cell; outputs above output_mb (course.toml) are left out.",
    "evidence-limit": "Look at that answer; it is far larger than what is asked for.",
    "not-judged": "Look at that answer and give its marks by hand. If chainrule verify {unit} fails, too, report it.",
    "notebook-time": f"If it is meant to take that long, raise notebook_seconds in course.toml, then: {AGAIN} --fresh",
    "kit-fault": "Please report it. No score was changed to another; try: chainrule verify {unit}, chainrule doctor",
}


@dataclass(frozen=True, slots=True)
class Remark:
    """A short cause, the cell or file that it is about, and a sentence."""

    cause: str
    where: str
    says: str

    def to_json(self) -> dict[str, str]:
        return asdict(self)

    def way_out(self, unit: str, student: str) -> str:
        """What to do about it, as a command where one helps."""
        return WAYS_OUT.get(self.cause, "").format(unit=unit, student=shlex.quote(student))
