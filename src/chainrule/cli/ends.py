"""How a command ends: its exit status, and errors that are its own result."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

import typer

from chainrule.cli.console import complain
from chainrule.errors import ChainruleError


class Status(IntEnum):
    """The exit status; docs/assistant.md says what to do about each."""

    DONE = 0
    FAILED = 1  # a build, a check, the kit itself or this machine
    NOT_DONE = 2  # what was asked for, or the course, is not as it should be; Typer's own status for wrong options, too
    LOOK = 3  # done, and a person must look at something


@contextmanager
def failing(command: str, *kinds: type[ChainruleError]) -> Iterator[None]:
    """Errors of these kinds end the command as its failure; others are left to `main`."""
    try:
        yield
    except kinds as error:
        complain(f"chainrule {command}: {error}")
        raise typer.Exit(Status.FAILED) from None
