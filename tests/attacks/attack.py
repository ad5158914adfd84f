"""What an attack is, the course that it is made on, and the secrets that lie around there."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from chainrule.build import build
from chainrule.course import Course, Unit
from helpers import ITEMS, TEXT, TINY, solved, submit, write_course

HONEST = {"scale": 2.0, "half": 1.0, "total": 0.0, "letter": 0.0}  # what the honest part of an attack's notebook earns
WRONG = {"total": "total = None", "letter": 'letter = "a"'}  # and the part that does not
DONE = "the deed is done"
ALERT = "alert(6660)"  # what no page may run
NEEDLE = "canary-5e1f"  # in everything that no student may see
SETTINGS = """\
[course]
id = "attacked"

[limits]
cell_seconds = 4
notebook_seconds = 20
memory_mb = 1024
output_mb = 5
"""
MATES = ("aaa-mate", "mate", "zzz-mate")  # honest students, graded before, among and after the attackers
PAINTER = "zzz-mate"  # whose pictures, tables and formulas a page must keep
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PROSE = (
    "## Prose\n\n| left | right |\n|---|---|\n| 1 | *two* |\n\n$\\sum_i x_i < 3$ and [a link](https://example.org/kept)"
)
PICTURES = f"""
import base64
import pandas as pd
from IPython.display import Image, Latex, display
display(Image(data=base64.b64decode("{PNG}"), width=40))
display(Latex(r"$\\frac{{a}}{{b}}$"))
pd.DataFrame({{"x": [1.5, 2.5]}}).style.set_caption("kept")
"""


@dataclass(frozen=True)
class Attack:
    """One dishonest submission: half of it solved, and something that tries for more, or to do harm.

    `earns` is exact, None where there is nothing to grade; with `at_most` it may be less (a notebook that tears its
    own evidence apart). `causes` are the remarks told to the instructor; those in `may` may come with them.
    """

    tries: str
    first: str = ""  # a cell on top of the notebook
    answers: Mapping[str, str] = field(default_factory=dict)  # item -> its cell's text
    last: str = ""  # a cell at the end
    files: Mapping[str, str | bytes] = field(default_factory=dict)  # beside the notebook
    change: Callable[[NotebookNode], object] | None = None  # done to the notebook before it is handed in
    place: Callable[[Path], object] | None = None  # done to the submission's folder
    earns: Mapping[str, float] | None = field(default_factory=lambda: HONEST)
    at_most: bool = False
    causes: frozenset[str] = frozenset()
    may: frozenset[str] = frozenset()
    survives: bool = True  # the first cell reaches its end
    batch: str = "main"  # attacks that could stop others, or spoil what the command says, have batches of their own
    slow: bool = False
    plain: Mapping[str, str] | None = None  # other answers (and "first", the cell) where plain nbgrader is attacked so
    student: str = ""  # the id, where that is the attack
    succeeds: str = ""  # why it is a known hole, until it is closed
    needs: str = ""  # the protection, by doctor's name for it, without which it is known to succeed
    only: str = ""  # "root" or "user", where the other could not do it

    def runs_here(self) -> bool:
        """Whether the user who tests could be the one who is attacked so."""
        return not self.only or (self.only == "root") is (os.geteuid() == 0)


def told(*causes: str) -> frozenset[str]:
    """Causes of remarks."""
    return frozenset(causes)


def attacked_course(root: Path) -> Course:
    """The small course with secrets in it: its key, its slips, its drawing secret, its notes, and the mates' work."""
    secret_text = TEXT.replace("return factor * x", f"return factor * x  # {NEEDLE}-solution")
    assert secret_text != TEXT
    course = write_course(root, f"# {NEEDLE}-items\n{ITEMS}", secret_text)
    (root / "course.toml").write_text(SETTINGS, "utf-8")
    (root / "notes.txt").write_text(f"{NEEDLE}-notes", "utf-8")
    build(course, course.unit(TINY))
    course.secret()  # made now, so that it is there to be stolen
    unit = course.unit(TINY)
    for mate in MATES:
        work = solved(unit, {"letter": f'letter = "b"  # {NEEDLE}-{mate}'})
        if mate == PAINTER:
            work.cells += [new_markdown_cell(PROSE), new_code_cell(PICTURES)]
        submit(course, unit, mate, work)
    return course


def hand_in(course: Course, unit: Unit, student: str, attack: Attack, words: Mapping[str, str]) -> None:
    """Put the attack where a submission lies. `words` fill its text: @ROOT@, @PORT@ and the like."""

    def filled(text: str) -> str:
        for word, meant in words.items():
            text = text.replace(f"@{word}@", meant)
        return text

    notebook = solved(unit, {**WRONG, **attack.answers})
    for cell in notebook.cells:  # the secret in the solution is not the student's
        cell.source = filled(cell.source.replace(f"  # {NEEDLE}-solution", ""))
    if attack.first:
        done = f"\nprint({DONE[:4]!r} + {DONE[4:]!r})" if attack.survives else ""
        notebook.cells.insert(0, new_code_cell(filled(attack.first.strip()) + done))
    if attack.last:
        notebook.cells.append(new_code_cell(filled(attack.last.strip())))
    if attack.change is not None:
        attack.change(notebook)
    folder = submit(course, unit, student, json.dumps(notebook))
    for name, content in attack.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else filled(content).encode())
    if attack.place is not None:
        attack.place(folder)


def notebook_in(folder: Path) -> Path:
    """The submitted notebook."""
    return folder / "tiny.ipynb"


def every_cell(change: Callable[[NotebookNode], object]) -> Callable[[NotebookNode], None]:
    """A change of the notebook that is done to each code cell with nbgrader's metadata."""

    def changed(notebook: NotebookNode) -> None:
        for cell in notebook.cells:
            if "nbgrader" in cell.metadata:
                change(cell)

    return changed


def with_cell(cell: NotebookNode) -> Callable[[NotebookNode], None]:
    """A change of the notebook: one more cell at the end."""
    return lambda notebook: notebook.cells.append(copy.deepcopy(cell))


def graded_cell(grade_id: str, source: str, **more: object) -> NotebookNode:
    """A code cell that says it is a test cell."""
    meta = {"grade": True, "grade_id": grade_id, "locked": True, "solution": False, "schema_version": 3}
    return nbformat.v4.new_code_cell(source, metadata={"nbgrader": {**meta, "cell_type": "code", **more}})
