"""For who reads what came of grading, or hands it on: student, report, export."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.table import Table

from chainrule.cli.console import err, out, say, say_lines
from chainrule.cli.ends import Status
from chainrule.cli.given import UnitName, Units, course_here
from chainrule.errors import CourseError

Choice = TypeVar("Choice", bound=StrEnum)


def student(
    unit: UnitName, name: Annotated[str, typer.Argument(metavar="ID", help="the student, as in submitted/")]
) -> None:
    """One student's verdicts, item by item."""
    from chainrule.grading.plan import notes_of
    from chainrule.judge import Verdict
    from chainrule.render import verdict_text

    course = course_here()
    found = course.unit(unit)
    notes = notes_of(course, found, name)
    if notes is None:
        raise CourseError(
            f"nothing graded of {name} in {found.name}. Run: chainrule grade {found.name} --student {name}"
        )
    verdicts = [Verdict.from_json(tree) for tree in notes["verdicts"]]
    for verdict in verdicts:
        say_lines(verdict_text(verdict), "" if verdict.full else "yellow")
    for remark in notes["remarks"]:
        say(f"remark, {remark['cause']}: {remark['says']}")
    say(f"total: {sum(v.points for v in verdicts):g} of {sum(v.out_of for v in verdicts):g}")


def report(units: Units = None) -> None:
    """The class report, a page for staff: gradebook/report/index.html; and each unit's answers as CSV beside it."""
    from chainrule.report.page import class_report, write_page
    from chainrule.report.tables import as_text, item_table, write_csv

    course = course_here()
    found = course.units(units)
    with err.status("reading"):
        made = class_report(course, found)
    for unit in found:
        rows = made.answers[made.answers["unit"] == unit.name]
        if rows.empty:
            say(f"{unit.name}: nothing graded yet")
            continue
        table = Table("item", "mean", "full marks", "commonest mistakes", title=unit.name)
        for row in item_table(as_text(rows)).itertuples():
            table.add_row(row.item, f"{row.mean_share:.0%}", f"{row.full} of {row.students}", row.slips)
        out.print(table)
        say(f"written: {write_csv(course, unit, as_text(rows))}")
    if made.answers.empty:
        return
    spread = made.total.spread
    if spread.n:
        say(f"the course so far: median {spread.median:.0%} of {spread.n} students")
    say(
        f"items to look at: {len(made.to_look_at)}; students who may need help: {len(made.at_risk)}; "
        f"near-identical pairs: {len(made.all_pairs)}"
    )
    path = write_page(course, made, datetime.now())
    say(f"written: {path} (for staff: it names students)")


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

    course = course_here()
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
        say(f"written: {written.path}{count}")
        for note in written.notes:
            say(f"  {note}")
        look |= written.look
    raise typer.Exit(Status.LOOK if look else Status.DONE)


def _one_of(kind: type[Choice], name: str, *more: str) -> Choice:
    try:
        return kind(name)
    except ValueError:
        raise CourseError(f"no {name!r} here; there are {', '.join([*kind, *more])}") from None
