"""What every notebook's process does before its kernel runs, started cold or forked. Inside the sandbox only."""

from __future__ import annotations

import builtins
import importlib.util
import os
import shutil
import sys
from pathlib import Path
from typing import Any


def silence() -> None:
    """Point the process's own output nowhere: what a notebook prints travels as messages."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)


def load_check(path: str | None) -> None:
    """Load the given file as `check` before a student's check.py or check/ can be found under that name."""
    if path is None:
        return
    spec = importlib.util.spec_from_file_location("check", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["check"] = module
    spec.loader.exec_module(module)
    builtins.check = module.check  # type: ignore[attr-defined]  # for notebooks whose import cell was deleted


def enter(files: Path, work: Path) -> None:
    """Copy the notebook's files to a folder that it may write in."""
    if files != work:
        shutil.copytree(files, work, dirs_exist_ok=True, copy_function=shutil.copyfile)
    os.chdir(work)


def leave_out_pictures(shell: Any) -> None:
    """Have figures shown as the text that names them; a notebook that asks for a format by itself gets it."""
    from matplotlib_inline.config import InlineBackend

    InlineBackend.instance(parent=shell).figure_formats = set()


def bound_output(output_bytes: int) -> None:
    """Stop sending when one cell has printed more than is kept. A courtesy: the grader counts again."""
    from ipykernel.iostream import OutStream

    write = OutStream.write
    cell, left = None, 0

    def bounded_write(self: Any, string: str) -> int | None:
        nonlocal cell, left
        if (now := self.parent_header.get("msg_id")) != cell:
            cell, left = now, output_bytes
        room, left = max(0, left), left - len(string)
        return write(self, string[:room])  # type: ignore[no-any-return]

    OutStream.write = bounded_write
