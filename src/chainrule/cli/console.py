"""Where commands print: results to the one stream; errors, and how far it is, to the other."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

from chainrule.grading.submission import shown

# without a terminal Rich takes 80 columns, which are too few for the tables
out = Console(highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else 120)
err = Console(stderr=True, highlight=False, markup=False, emoji=False)


def say(line: str, style: str = "") -> None:
    """Print one line of results, whatever the names in it hold; the terminal breaks it where it is too long."""
    _print(out, line, style)


def say_lines(text: str, style: str = "") -> None:
    """Print results of several lines, which are the kit's own."""
    for line in text.splitlines():
        _print(out, line, style)


def complain(text: str) -> None:
    """Print what is wrong to the error stream."""
    for line in text.splitlines():
        _print(err, line, "red")


def _print(console: Console, line: str, style: str) -> None:
    console.print(Text(shown(line), style), soft_wrap=True)


def progress_bar() -> Progress:
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
