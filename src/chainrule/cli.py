"""The command line: the only place that prints or exits."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from contextlib import ExitStack
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from chainrule.errors import ChainruleError, CourseError, KitError
from chainrule.grading.sandbox import SandboxUnavailable
from chainrule.grading.submission import shown

if TYPE_CHECKING:
    from chainrule.course import Course
    from chainrule.doctor import Finding
    from chainrule.grading.outcome import Graded
    from chainrule.grading.plan import Planned
    from chainrule.grading.remark import Remark

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)
out = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
err = Console(stderr=True, highlight=False)

LOCAL = "127.0.0.1"  # this machine alone
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


def main() -> None:
    """The `chainrule` command; errors that a person can mend are one line, not a traceback."""
    try:
        app()
    except ChainruleError as error:
        err.print(f"chainrule: {error}", style="red", markup=False, soft_wrap=True)
        sys.exit(2)


@app.command()
def build(units: Units = None) -> None:
    """Make source/ and release/ from authoring/, byte for byte the same each time."""
    from chainrule.build import build as build_unit

    course = _course()
    try:
        for unit in course.units(units):
            for path in build_unit(course, unit):
                out.print(str(path.relative_to(course.root)), markup=False)
    except ChainruleError as error:
        err.print(f"chainrule build: {error}", style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1) from None


@app.command("new-unit")
def new_unit(name: Annotated[str, typer.Argument(help="two digits and words, as in 10-attention")]) -> None:
    """Start a unit from the template, which builds and verifies as it is."""
    from chainrule.build.new import new_unit as copy_template

    target = copy_template(_course(), name)
    out.print(f"written: {target}/notebook.py, {target}/items.py", markup=False, soft_wrap=True)
    out.print(f"next: chainrule build {name}, chainrule verify {name}, docs/writing-an-item.md", markup=False)


@app.command()
def verify(
    units: Units = None,
    cases: Annotated[int, typer.Option(help="drawn cases of each function whose separation is measured")] = 200,
    as_json: AsJson = False,
    write: Annotated[
        Path | None, typer.Option(help="put the tables into this Markdown file, too; units that are not named stay")
    ] = None,
) -> None:
    """Test the autograder: slips caught and named, equivalents at full marks, blank at 0, separation."""
    from chainrule.report.verified import margin, markdown
    from chainrule.verify import verify as verify_unit

    failed, trees, found = False, {}, {}
    for unit in _course().units(units):
        with err.status(f"{unit.name}") as status:
            reports = verify_unit(unit, cases, lambda item, status=status: status.update(f"{item} done"))  # type: ignore[misc]
        failed |= any(report.problems for report in reports)
        found[unit] = reports
        trees[unit.name] = [report.to_json() for report in reports]
        if not as_json:
            table = Table(
                "item",
                "points",
                "slips named",
                "equivalents",
                "cases",
                "noise margin",
                "signal margin",
                title=unit.name,
            )
            for report in reports:
                table.add_row(
                    report.item,
                    f"{report.points:g}",
                    f"{report.slips_named}/{report.slips}",
                    f"{report.same_full}/{report.same}",
                    str(report.draws or "-"),
                    margin(report.noise_margin),
                    margin(report.signal_margin),
                    style="red" if report.problems else None,
                )
            table.add_row("total", f"{unit.points:g}")
            out.print(table)
            for report in reports:
                for problem in report.problems:
                    out.print(f"  {report.item}: {problem}", markup=False, style="red", soft_wrap=True)
    if write and not failed:
        write.write_text(markdown(found, write.read_text("utf-8") if write.exists() else ""), "utf-8")
    if as_json:
        print(json.dumps(trees, indent=1))
    raise typer.Exit(1 if failed else 0)


@app.command()
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

    course = _course()
    found = course.unit(unit)
    renewed: list[str] = []
    progress = _progress()
    task = progress.add_task(found.name, total=None)
    with ExitStack() as stack:

        def begin(planned: Planned) -> None:
            progress.update(task, total=len(planned.todo))
            stack.enter_context(progress)  # its thread must not be there before workers can be forked

        try:
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
        except (KitError, SandboxUnavailable) as error:
            progress.stop()
            err.print(f"chainrule grade: {error}", style="red", markup=False, soft_wrap=True)
            raise typer.Exit(1) from None
    raise typer.Exit(_say_graded(found.name, planned, graded, len(renewed)))


@app.command()
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
    from chainrule.grading.changes import Changes
    from chainrule.grading.regrade import regrade_unit
    from chainrule.report.regraded import regraded

    if dry_run:
        sys.dont_write_bytecode = True  # not even Python's own caches of items.py
    course = _course()
    found = course.unit(unit)

    def show(changes: Changes) -> None:
        progress.stop()
        for part in () if as_json else regraded(changes):
            out.print(part, soft_wrap=isinstance(part, Text))

    with _progress() as progress:
        task = progress.add_task(found.name, total=None)
        try:
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
        except (KitError, SandboxUnavailable) as error:
            progress.stop()
            err.print(f"chainrule regrade: {error}", style="red", markup=False, soft_wrap=True)
            raise typer.Exit(1) from None
    if dry_run:
        show(result.changes)
    status, lines = _remarks(found.name, {}, result.graded)
    if as_json:
        tree = {"written": not dry_run, "backup": result.backup and str(result.backup), **result.changes.to_json()}
        print(json.dumps(tree, indent=1))
        raise typer.Exit(status)
    for line in lines:
        out.print(line, soft_wrap=True)
    if dry_run:
        says = f"Nothing was written. To record this: chainrule regrade {found.name}"
    elif result.backup is None:
        says = "Recorded. The gradebook is on a server: its backups are pg_dump's business, not made here."
    else:
        says = f"Recorded. The gradebook as it was before: {result.backup.relative_to(course.root)}"
    out.print(says, markup=False, soft_wrap=True)
    raise typer.Exit(status)


def _say_graded(unit: str, planned: Planned, graded: list[Graded], renewed: int) -> int:
    """Print a line for each submission that a person must look at, and a summary. Returns the exit status."""
    status, lines = _remarks(unit, planned.unchanged, graded)
    for line in lines:
        out.print(line, soft_wrap=True)
    seconds = sum(outcome.seconds for outcome in graded) / len(graded) if graded else 0.0
    refused = sum(outcome.refused is not None for outcome in graded)
    faults = sum(outcome.kit_fault is not None for outcome in graded)
    notes = f", {refused} could not be graded" if refused else ""
    notes += f", {faults} failed by the kit's fault" if faults else ""
    notes += f", {len(planned.unchanged)} unchanged" if planned.unchanged else ""
    notes += f", {renewed} of them brought up to date (late penalty, page)" if renewed else ""
    scored = sum(outcome.scores is not None for outcome in graded)
    out.print(
        f"{unit}: {scored} graded{notes}" + (f" ({seconds:.1f} s a notebook)" if graded else ""),
        markup=False,
        soft_wrap=True,
    )
    return status


def _remarks(unit: str, unchanged: dict[str, tuple[Remark, ...]], graded: list[Graded]) -> tuple[int, list[Text]]:
    """The exit status, and a line for each submission that a person must look at."""
    lines = []
    scored = [outcome for outcome in graded if outcome.scores is not None]
    look: dict[str, tuple[Remark, ...]] = {outcome.student: outcome.remarks for outcome in scored}
    look |= unchanged
    ungraded = {outcome.student: outcome.refused or outcome.kit_fault for outcome in graded if outcome.scores is None}
    look |= {student: (remark,) for student, remark in ungraded.items() if remark}
    for student in sorted(look):
        for remark in look[student]:
            head = "NOT GRADED: " if student in ungraded else ""
            name = " ".join(student.split())  # two spaces end a column, which no name may forge
            says = f"{name}  {remark.cause}  {head}{remark.where}: {remark.says} {remark.way_out(unit, student)}"
            lines.append(Text(shown(says), style="red" if head else ""))
    faults = any(outcome.kit_fault for outcome in graded)
    return (1 if faults else 3 if lines else 0), lines


@app.command()
def student(
    unit: UnitName, name: Annotated[str, typer.Argument(metavar="ID", help="the student, as in submitted/")]
) -> None:
    """One student's verdicts, item by item."""
    from chainrule.grading.plan import notes_of
    from chainrule.judge import Verdict
    from chainrule.render import verdict_text

    course = _course()
    found = course.unit(unit)
    notes = notes_of(course, found, name)
    if notes is None:
        raise CourseError(
            f"nothing graded of {name} in {found.name}. Run: chainrule grade {found.name} --student {name}"
        )
    verdicts = [Verdict.from_json(tree) for tree in notes["verdicts"]]
    for verdict in verdicts:
        text = "\n".join(map(shown, verdict_text(verdict).splitlines()))
        out.print(text, markup=False, soft_wrap=True, style=None if verdict.full else "yellow")
    for remark in notes["remarks"]:
        out.print(shown(f"remark, {remark['cause']}: {remark['says']}"), markup=False, soft_wrap=True)
    out.print(f"total: {sum(v.points for v in verdicts):g} of {sum(v.out_of for v in verdicts):g}")


@app.command()
def report(units: Units = None) -> None:
    """The class report, a page for staff: gradebook/report/index.html; and each unit's answers as CSV beside it."""
    from chainrule.report.page import class_report, write_page
    from chainrule.report.tables import as_text, item_table, write_csv

    course = _course()
    found = course.units(units)
    with err.status("reading"):
        made = class_report(course, found)
    for unit in found:
        rows = made.answers[made.answers["unit"] == unit.name]
        if rows.empty:
            out.print(f"{unit.name}: nothing graded yet", markup=False)
            continue
        table = Table("item", "mean", "full marks", "commonest mistakes", title=unit.name)
        for row in item_table(as_text(rows)).itertuples():
            table.add_row(row.item, f"{row.mean_share:.0%}", f"{row.full} of {row.students}", row.slips)
        out.print(table)
        out.print(f"written: {write_csv(course, unit, as_text(rows))}", markup=False, soft_wrap=True)
    if made.answers.empty:
        return
    spread = made.total.spread
    if spread.n:
        out.print(f"the course so far: median {spread.median:.0%} of {spread.n} students")
    out.print(
        f"items to look at: {len(made.to_look_at)}; students who may need help: {len(made.at_risk)}; "
        f"near-identical pairs: {len(made.all_pairs)}"
    )
    path = write_page(course, made, datetime.now())
    out.print(f"written: {path} (for staff: it names students)", markup=False, soft_wrap=True)


@app.command()
def export(
    form: Annotated[str, typer.Argument(metavar="FORMAT", help="csv, parquet, canvas, moodle, gradescope or all")],
    units: Units = None,
    to: Annotated[Path | None, typer.Option(metavar="FOLDER", help="else gradebook/exports/")] = None,
    roster: Annotated[
        Path | None, typer.Option(metavar="FILE", help="canvas: the gradebook that Canvas exported, to be filled in")
    ] = None,
    known_by: Annotated[
        str, typer.Option(metavar="FIELD", help="moodle: how it knows students: idnumber, username or email")
    ] = "idnumber",
    feedback: Annotated[
        bool, typer.Option("--feedback", help="moodle: a column of what was found beside each unit's")
    ] = False,
) -> None:
    """Grades for other programs, by the course's policy; docs/exports.md says how each takes them."""
    from chainrule.report import exports

    course = _course()
    forms = list(exports.Format) if form == "all" else [_one_of(exports.Format, form, "all")]
    known = _one_of(exports.KnownBy, known_by)
    if roster and exports.Format.CANVAS not in forms:
        raise CourseError("--roster is for the format canvas")
    book = exports.book_of(course, units)
    look = False
    for wanted in forms:
        with err.status(wanted):
            written = exports.export(book, wanted, to or course.gradebook / "exports", roster, known, feedback)
        count = f" ({written.files} files)" if written.files != 1 else ""
        out.print(f"written: {written.path}{count}", markup=False, soft_wrap=True)
        for note in written.notes:
            out.print(shown(f"  {note}"), markup=False, soft_wrap=True)
        look |= written.look
    raise typer.Exit(3 if look else 0)


Choice = TypeVar("Choice", bound=StrEnum)


def _one_of(kind: type[Choice], name: str, *more: str) -> Choice:
    try:
        return kind(name)
    except ValueError:
        raise CourseError(f"no {name!r} here; there are {', '.join([*kind, *more])}") from None


@app.command()
def publish(
    units: Units = None,
    solution: Annotated[
        bool, typer.Option("--solution", help="the instructor's notebook WITH its answers, in files of their own")
    ] = False,
    run: Annotated[
        bool, typer.Option("--run", help="run the notebooks first, so that pages have pictures and tables")
    ] = False,
    to: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="as a rule published/, or published-solutions/")
    ] = None,
    links: Annotated[
        str, typer.Option(help="where fragments find the other units' pages, as in https://example.org/{unit}")
    ] = "{unit}.html",
) -> None:
    """Write units as web pages: an HTML fragment for a CMS, the whole page, the stylesheet, an index."""
    from chainrule.publish import publish as published

    course = _course()
    for path in published(course, course.units(units), to, solution=solution, run=run, links=links):
        out.print(f"written: {path}", markup=False, soft_wrap=True)
    if solution:
        err.print("The files called SOLUTION hold the answers. Do not put them where students are.", style="red")


@app.command()
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

    course = make_course(_course(), into or Path(tempfile.mkdtemp(prefix="chainrule-demo-")))
    units = course.units(unit)
    with _progress() as progress:
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
    out.print(
        f"{len(compared)} submissions graded, {wrong} not as they should be. The course: {course.root}",
        markup=False,
        soft_wrap=True,
    )
    out.print(f"Look around: cd {course.root}; chainrule report; feedback/s002/", markup=False, soft_wrap=True)
    raise typer.Exit(1 if wrong else 0)


@app.command()
def doctor() -> None:
    """What works on this machine, what not, and the one command that mends it."""
    from chainrule.doctor import examine

    failed = False
    for finding in examine(_course()):
        _say_finding(finding)
        failed |= finding.needed and not finding.good
    raise typer.Exit(1 if failed else 0)


def _say_finding(finding: Finding) -> None:
    """A line, and a second one with what mends it."""
    word = "ok" if finding.good else "MISSING" if finding.needed else "-"
    says = f"{word:8}{finding.what}: {finding.says}"
    out.print(says, markup=False, soft_wrap=True, style=None if finding.good else "red")
    if not finding.good and finding.mend:
        out.print(f"        mend it: {finding.mend}", markup=False, soft_wrap=True)


@app.command()
def web(
    port: Annotated[int, typer.Option(min=1, max=65535, help="where it listens")] = 8888,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="do not open a browser")] = False,
    ip: Annotated[str, typer.Option(help="the address it listens on; this machine alone where none is named")] = LOCAL,
) -> None:
    """Open the course in JupyterLab with nbgrader's formgrader, until Ctrl-C."""
    from chainrule.doctor import for_web
    from chainrule.web import let_gradebook_know, running

    course = _course()
    lacking = [finding for finding in for_web(course) if not finding.good]
    for finding in lacking:
        _say_finding(finding)
    if lacking:
        raise typer.Exit(1)
    try:
        for name in let_gradebook_know(course):
            out.print(f"{name}: the gradebook knows it now", markup=False)
        with running(course, port, ip, not no_browser) as server:
            out.print(f"formgrader  {server.formgrader}", markup=False, soft_wrap=True)
            out.print(f"JupyterLab  {server.lab}", markup=False, soft_wrap=True)
            if ip != LOCAL:
                says = "Who has this address can change every mark, and the network sees what it carries: docs/web.md"
                out.print(says, markup=False, soft_wrap=True, style="yellow")
            out.print(f"Ctrl-C ends it. What it does is written to {server.log}", markup=False, soft_wrap=True)
            server.process.wait()
        out.print("JupyterLab has ended.", markup=False)
    except KeyboardInterrupt:
        out.print("JupyterLab and its kernels have ended.", markup=False)
    except KitError as error:
        err.print(f"chainrule web: {error}", style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1) from None


def _course() -> Course:
    """The course that lies here. What finds it loads numpy, before which `grade` has something to say."""
    from chainrule.course import Course

    return Course.find()


def _progress() -> Progress:
    """A bar with the rate and the time left, on the error stream."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=err)


if __name__ == "__main__":
    main()
