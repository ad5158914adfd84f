"""What commands are given: arguments and options that several of them share, and the course that they are run in."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from chainrule.course import Course

CORES = os.cpu_count() or 1

Units = Annotated[
    list[str] | None, typer.Argument(metavar="[UNIT]...", help="units by name or number; all where none is named")
]
UnitName = Annotated[str, typer.Argument(metavar="UNIT", help="the unit, by name or number")]
OnlyStudents = Annotated[list[str] | None, typer.Option(help="only this student; may be given more than once")]
Jobs = Annotated[int, typer.Option(min=1, help="notebooks graded at the same time; as a rule the number of cores")]
AsJson = Annotated[bool, typer.Option("--json", help="for machines")]
TrustStudents = Annotated[
    bool, typer.Option("--trust-students", help="run students' code WITHOUT a sandbox, with all your rights")
]
Cluster = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="grade on the workers of this Dask scheduler, not here")
]


def course_here() -> Course:
    """The course that lies here. What finds it loads numpy, before which `grade` has something to say."""
    from chainrule.course import Course

    return Course.find()
