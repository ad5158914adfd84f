"""Where results wait until they are whole, and what a run that was killed left there."""

from __future__ import annotations

import shutil

from chainrule.course import Course

ROOMS = ("feedback", "autograded")  # the latter says that all is done
STAGING = ".grading-"  # in these, so that a rename is all that is left to do, and in the course folder


def sweep_staging(course: Course) -> None:
    """Remove what a run that was killed had not finished. To be called with the course's lock held."""
    for room in (course.root, *(course.root / room for room in ROOMS)):
        for left in room.glob(f"{STAGING}*"):
            shutil.rmtree(left, ignore_errors=True)
