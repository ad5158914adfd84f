"""For who writes units: build, new-unit, verify, publish."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from chainrule.cli.console import complain, err, out, say, say_lines
from chainrule.cli.ends import Status, failing
from chainrule.cli.given import AsJson, Units, course_here
from chainrule.errors import ChainruleError

if TYPE_CHECKING:
    from chainrule.course import Unit
    from chainrule.verify import ItemReport


def build(units: Units = None) -> None:
    """Make source/ and release/ from authoring/, byte for byte the same each time."""
    from chainrule.build import build as build_unit

    course = course_here()
    with failing("build", ChainruleError):
        for unit in course.units(units):
            for path in build_unit(course, unit):
                say(str(path.relative_to(course.root)))


def new_unit(name: Annotated[str, typer.Argument(help="two digits and words, as in 10-attention")]) -> None:
    """Start a unit from the template, which builds and verifies as it is."""
    from chainrule.build.new import new_unit as copy_template

    target = copy_template(course_here(), name)
    say(f"written: {target}/notebook.py, {target}/items.py")
    say(f"next: chainrule build {name}, chainrule verify {name}, docs/writing-an-item.md")


def verify(
    units: Units = None,
    cases: Annotated[int, typer.Option(help="drawn cases of each function whose separation is measured")] = 200,
    as_json: AsJson = False,
    write: Annotated[
        Path | None, typer.Option(help="put the tables into this Markdown file, too; units that are not named stay")
    ] = None,
) -> None:
    """Test the autograder: slips caught and named, equivalents at full marks, blank at 0, separation."""
    from chainrule.report.verified import markdown
    from chainrule.verify import verify as verify_unit

    found: dict[Unit, list[ItemReport]] = {}
    for unit in course_here().units(units):
        with err.status(unit.name) as status:
            found[unit] = verify_unit(unit, cases, lambda item, status=status: status.update(f"{item} done"))  # type: ignore[misc]
        if not as_json:
            _say_verified(unit, found[unit])
    if as_json:
        print(
            json.dumps(
                {unit.name: [report.to_json() for report in reports] for unit, reports in found.items()}, indent=1
            )
        )
    if any(report.problems for reports in found.values() for report in reports):
        raise typer.Exit(Status.FAILED)
    if write:
        write.write_text(markdown(found, write.read_text("utf-8") if write.exists() else ""), "utf-8")


def _say_verified(unit: Unit, reports: list[ItemReport]) -> None:
    """A table with a line for each item, and the problems below it."""
    from chainrule.report.verified import margin

    table = Table(
        *("item", "points", "slips named", "equivalents", "cases", "noise margin", "signal margin"), title=unit.name
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
            say_lines(f"  {report.item}: {problem}", "red")


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

    course = course_here()
    for path in published(course, course.units(units), to, solution=solution, run=run, links=links):
        say(f"written: {path}")
    if solution:
        complain("The files called SOLUTION hold the answers. Do not put them where students are.")
