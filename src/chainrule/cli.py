"""The command line: the only place that prints or exits."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from chainrule.course import Course
from chainrule.errors import ChainruleError

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)
out = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
err = Console(stderr=True, highlight=False)

Units = Annotated[list[str] | None, typer.Argument(metavar="[UNIT]...", help="units by name or number; all where none is named")]


def main() -> None:
    """The `chainrule` command; errors that a person can mend are one line, not a traceback."""
    try:
        app()
    except ChainruleError as error:
        err.print(f"chainrule: {error}", style="red", markup=False)
        sys.exit(2)


@app.command()
def build(units: Units = None) -> None:
    """Make source/ and release/ from authoring/, byte for byte the same each time."""
    from chainrule.build import build as build_unit

    course = Course.find()
    try:
        for unit in course.units(units):
            for path in build_unit(course, unit):
                out.print(str(path.relative_to(course.root)), markup=False)
    except ChainruleError as error:
        err.print(f"chainrule build: {error}", style="red", markup=False)
        raise typer.Exit(1) from None


@app.command()
def verify(
    units: Units = None,
    cases: Annotated[int, typer.Option(help="drawn cases of each function whose separation is measured")] = 200,
    as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False,
) -> None:
    """Test the autograder: slips caught and named, equivalents at full marks, blank at 0, separation."""
    from chainrule.verify import verify as verify_unit

    failed, trees = False, {}
    for unit in Course.find().units(units):
        with err.status(f"{unit.name}") as status:
            reports = verify_unit(unit, cases, lambda item, status=status: status.update(f"{item} done"))  # type: ignore[misc]
        failed |= any(report.problems for report in reports)
        trees[unit.name] = [report.to_json() for report in reports]
        if not as_json:
            table = Table("item", "points", "slips named", "equivalents", "cases", "noise margin", "signal margin", title=unit.name)
            for report in reports:
                table.add_row(
                    report.item,
                    f"{report.points:g}",
                    f"{report.slips_named}/{report.slips}",
                    f"{report.same_full}/{report.same}",
                    str(report.draws or "-"),
                    _margin(report.noise_margin),
                    _margin(report.signal_margin),
                    style="red" if report.problems else None,
                )
            table.add_row("total", f"{unit.points:g}")
            out.print(table)
            for report in reports:
                for problem in report.problems:
                    out.print(f"  {report.item}: {problem}", markup=False, style="red", soft_wrap=True)
    if as_json:
        print(json.dumps(trees, indent=1))
    raise typer.Exit(1 if failed else 0)


def _margin(number: float | None) -> str:
    if number is None:
        return "-"
    return "exact" if number == float("inf") else f"{number:.3g}" if number < 1e6 else "> 1e6"


if __name__ == "__main__":
    main()
