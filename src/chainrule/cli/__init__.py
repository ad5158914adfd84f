"""The command line: the only place that prints or exits. Each command is a function in one of this folder's modules."""

from __future__ import annotations

import sys

import typer

from chainrule.cli import authoring, grading, machine, results
from chainrule.cli.console import complain
from chainrule.cli.ends import Status
from chainrule.errors import ChainruleError

# in the order in which the help lists them
COMMANDS = (
    authoring.build,
    authoring.new_unit,
    authoring.verify,
    grading.grade,
    grading.regrade,
    results.student,
    results.report,
    results.export,
    authoring.publish,
    machine.demo,
    machine.doctor,
    machine.web,
)

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)
for command in COMMANDS:
    app.command()(command)


def main() -> None:
    """The `chainrule` command; errors that a person can mend are a line, not a traceback."""
    try:
        app()
    except ChainruleError as error:
        complain(f"chainrule: {error}")
        sys.exit(Status.NOT_DONE)
