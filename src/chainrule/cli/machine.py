"""For who looks after this machine: demo, doctor, web."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from chainrule.cli.console import out, progress_bar, say, say_lines
from chainrule.cli.ends import Status, failing
from chainrule.cli.given import CORES, Jobs, TrustStudents, course_here
from chainrule.errors import KitError

if TYPE_CHECKING:
    from chainrule.doctor import Finding

LOCAL = "127.0.0.1"  # this machine alone


def demo(
    students: Annotated[int, typer.Option(min=1)] = 12,
    seed: Annotated[int, typer.Option(help="another seed, another class")] = 0,
    unit: Annotated[list[str] | None, typer.Option(help="only this unit; may be given more than once")] = None,
    jobs: Jobs = CORES,
    into: Annotated[
        Path | None, typer.Option(help="folder for the class's course; a temporary one where none is named")
    ] = None,
    trust_students: TrustStudents = False,
) -> None:
    """Make a class whose scores are known beforehand, grade it, compare; exit 1 where one score differs."""
    from chainrule.demo.run import make_course, run_demo

    course = make_course(course_here(), into or Path(tempfile.mkdtemp(prefix="chainrule-demo-")))
    units = course.units(unit)
    with progress_bar() as progress:
        tasks = {found.name: progress.add_task(found.name, total=students) for found in units}
        compared = run_demo(
            course, units, students, seed, jobs, trust_students, lambda name, _: progress.update(tasks[name], advance=1)
        )
    table = Table("unit", "student", "made of", "should get", "got", "")
    for row in compared:
        marks = ["-" if number is None else f"{number:g}" for number in (row.should, row.got)]
        table.add_row(
            row.unit,
            row.student,
            row.role,
            *marks,
            "\n".join(row.differences) or "as it should be",
            style="red" if row.differences else None,
        )
    out.print(table)
    wrong = sum(bool(row.differences) for row in compared)
    say(f"{len(compared)} submissions graded, {wrong} not as they should be. The course: {course.root}")
    say(f"Look around: cd {course.root}; chainrule report; feedback/s002/")
    raise typer.Exit(Status.FAILED if wrong else Status.DONE)


def doctor() -> None:
    """What works on this machine, what not, and the one command that mends it."""
    from chainrule.doctor import examine

    failed = False
    for finding in examine(course_here()):
        _say_finding(finding)
        failed |= finding.needed and not finding.good
    raise typer.Exit(Status.FAILED if failed else Status.DONE)


def _say_finding(finding: Finding) -> None:
    """A line, and a second one with what mends it."""
    word = "ok" if finding.good else "MISSING" if finding.needed else "-"
    say_lines(f"{word:8}{finding.what}: {finding.says}", "" if finding.good else "red")
    if not finding.good and finding.mend:
        say(f"        mend it: {finding.mend}")


def web(
    port: Annotated[int, typer.Option(min=1, max=65535, help="where it listens")] = 8888,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="do not open a browser")] = False,
    ip: Annotated[str, typer.Option(help="the address it listens on; this machine alone where none is named")] = LOCAL,
) -> None:
    """Open the course in JupyterLab with nbgrader's formgrader, until Ctrl-C."""
    from chainrule.doctor import for_web
    from chainrule.web import let_gradebook_know, running

    course = course_here()
    lacking = [finding for finding in for_web(course) if not finding.good]
    for finding in lacking:
        _say_finding(finding)
    if lacking:
        raise typer.Exit(Status.FAILED)
    with failing("web", KitError):
        try:
            for name in let_gradebook_know(course):
                say(f"{name}: the gradebook knows it now")
            with running(course, port, ip, not no_browser) as server:
                say(f"formgrader  {server.formgrader}")
                say(f"JupyterLab  {server.lab}")
                if ip != LOCAL:
                    whose = "Who has this address can change every mark, and the network sees what it carries"
                    say(f"{whose}: docs/web.md", "yellow")
                say(f"Ctrl-C ends it. What it does is written to {server.log}")
                server.process.wait()
            say("JupyterLab has ended.")
        except KeyboardInterrupt:
            say("JupyterLab and its kernels have ended.")
