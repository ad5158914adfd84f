"""Grading: grade, regrade, and what both say of a class."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from chainrule.cli.console import out, progress_bar, say
from chainrule.cli.ends import Status, failing
from chainrule.cli.given import CORES, AsJson, Cluster, Jobs, OnlyStudents, TrustStudents, UnitName, course_here
from chainrule.errors import KitError
from chainrule.grading.sandbox import SandboxUnavailable

if TYPE_CHECKING:
    from chainrule.grading.changes import Changes
    from chainrule.grading.outcome import Graded
    from chainrule.grading.plan import Planned
    from chainrule.grading.remark import Remark


def grade(
    unit: UnitName,
    student: OnlyStudents = None,
    jobs: Jobs = CORES,
    fresh: Annotated[bool, typer.Option("--fresh", help="grade again what is unchanged, too")] = False,
    trust_students: TrustStudents = False,
    cluster: Cluster = None,
    pictures: Annotated[
        bool | None,
        typer.Option("--pictures/--no-pictures", help="draw notebooks' pictures or not, whatever course.toml says"),
    ] = None,
) -> None:
    """Grade what is new or changed: autograded/, gradebook/gradebook.db and feedback/."""
    from chainrule.grading.origin import one_thread

    one_thread()
    from chainrule.grading.pool import grade_unit

    course = course_here()
    found = course.unit(unit)
    renewed: list[str] = []
    progress = progress_bar()
    task = progress.add_task(found.name, total=None)
    with failing("grade", KitError, SandboxUnavailable), ExitStack() as stack:

        def begin(planned: Planned) -> None:
            progress.update(task, total=len(planned.todo))
            stack.enter_context(progress)  # its thread must not be there before workers can be forked

        planned, graded = grade_unit(
            course,
            found,
            student,
            jobs,
            fresh,
            trust_students,
            cluster,
            pictures,
            begin=begin,
            done=lambda outcome: progress.update(task, advance=1),
            renewed=renewed.extend,
        )
    raise typer.Exit(_say_graded(found.name, planned, graded, len(renewed)))


def regrade(
    unit: UnitName,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say what would change; nothing is written")] = False,
    student: OnlyStudents = None,
    jobs: Jobs = CORES,
    as_json: AsJson = False,
    trust_students: TrustStudents = False,
    cluster: Cluster = None,
) -> None:
    """After items changed: grade all again and say who gains, who loses and why; without --dry-run, record it."""
    from chainrule.grading.regrade import regrade_unit
    from chainrule.report.regraded import regraded

    if dry_run:
        sys.dont_write_bytecode = True  # not even Python's own caches of items.py
    course = course_here()
    found = course.unit(unit)

    def show(changes: Changes) -> None:
        progress.stop()
        for part in () if as_json else regraded(changes):
            out.print(part, soft_wrap=isinstance(part, Text))

    with failing("regrade", KitError, SandboxUnavailable), progress_bar() as progress:
        task = progress.add_task(found.name, total=None)
        result = regrade_unit(
            course,
            found,
            student,
            jobs,
            dry_run,
            trust_students,
            cluster,
            begin=lambda planned: progress.update(task, total=len(planned.todo)),
            done=lambda outcome: progress.update(task, advance=1),
            before_writing=show,
        )
    if dry_run:
        show(result.changes)
    status, lines = _remarks(found.name, {}, result.graded)
    if as_json:
        tree = {"written": not dry_run, "backup": result.backup and str(result.backup), **result.changes.to_json()}
        print(json.dumps(tree, indent=1))
        raise typer.Exit(status)
    for line, style in lines:
        say(line, style)
    if dry_run:
        say(f"Nothing was written. To record this: chainrule regrade {found.name}")
    elif result.backup is None:
        say("Recorded. The gradebook is on a server: its backups are pg_dump's business, not made here.")
    else:
        say(f"Recorded. The gradebook as it was before: {result.backup.relative_to(course.root)}")
    raise typer.Exit(status)


def _say_graded(unit: str, planned: Planned, graded: list[Graded], renewed: int) -> Status:
    """Print a line for each remark that a person must look at, and a summary. Returns the exit status."""
    status, lines = _remarks(unit, planned.unchanged, graded)
    for line, style in lines:
        say(line, style)
    counts = {
        "graded": sum(outcome.scores is not None for outcome in graded),
        "could not be graded": sum(outcome.refused is not None for outcome in graded),
        "failed by the kit's fault": sum(outcome.kit_fault is not None for outcome in graded),
        "unchanged": len(planned.unchanged),
        "of them brought up to date (late penalty, page)": renewed,
    }
    summary = ", ".join(f"{count} {what}" for what, count in counts.items() if count or what == "graded")
    mean = f" ({sum(outcome.seconds for outcome in graded) / len(graded):.1f} s a notebook)" if graded else ""
    say(f"{unit}: {summary}{mean}")
    return status


def _remarks(
    unit: str, unchanged: dict[str, tuple[Remark, ...]], graded: list[Graded]
) -> tuple[Status, list[tuple[str, str]]]:
    """The exit status, and a line with its style for each remark that a person must look at, by student."""
    scored = {outcome.student: outcome.remarks for outcome in graded if outcome.scores is not None}
    ungraded = {outcome.student: outcome.refused or outcome.kit_fault for outcome in graded if outcome.scores is None}
    look = scored | unchanged | {student: (remark,) for student, remark in ungraded.items() if remark}
    lines = []
    for student in sorted(look):
        for remark in look[student]:
            head = "NOT GRADED: " if student in ungraded else ""
            name = " ".join(student.split())  # two spaces end a column, which no name may forge
            says = f"{name}  {remark.cause}  {head}{remark.where}: {remark.says} {remark.way_out(unit, student)}"
            lines.append((says, "red" if head else ""))
    faults = any(outcome.kit_fault for outcome in graded)
    return (Status.FAILED if faults else Status.LOOK if lines else Status.DONE), lines
