"""A course of one small unit in a folder of its own, its students, and the `chainrule` command."""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook, MissingEntry

from chainrule import cli
from chainrule import course as courses
from chainrule.build import build
from chainrule.course import TEST, Course, Unit
from chainrule.grading import pool, worker, workers
from chainrule.grading.submission import Submission
from chainrule.key import BEGIN, END
from chainrule.nbgrading import course_config

HOME = Path(__file__).resolve().parents[1]
TINY = "91-tiny"
CONFIG = (HOME / "nbgrader_config.py").read_text("utf-8")
SETTINGS = '[course]\nid = "tiny"\n\n[limits]\ncell_seconds = 3\noutput_mb = 5\n'

TEXT = '''\
# %% [markdown]
# # A small unit

# %% given="setup"
import numpy as np

data = np.array([1.0, 2.0, 4.0])

# %% [markdown]
# **Question (2 points).**

# %% item="scale"
def scale(x, factor):
    """(n,), number -> (n,). Every entry times the factor."""
    ### BEGIN SOLUTION
    return factor * x
    ### END SOLUTION

# %% item="half"
def half(x):
    """(n,) -> (n,). Every entry halved."""
    ### BEGIN SOLUTION
    return np.asarray(x) / 2
    ### END SOLUTION

# %%
print("a free cell", scale(data, 2.0))

# %% item="total"
total = None  # a number
### BEGIN SOLUTION
total = scale(data, 3.0).sum()
### END SOLUTION

# %% item="letter"
letter = None  # "a", "b" or "c"
### BEGIN SOLUTION
letter = "b"
### END SOLUTION
'''

ITEMS = """\
from chainrule.items import Case, Same, Slip, Worked, choice, function, value

ITEMS = (
    function(
        "scale",
        points=2,
        worked=[Worked("the data", lambda given: (given["data"], 3.0))],
        cases=[Case("a vector", lambda rng: (rng.uniform(1, 2, size=4), float(rng.uniform(3, 4))))],
        slips=[
            Slip("added", "factor * x", "factor + x", credit=0.5, says="The factor was added."),
            Slip("divided", "factor * x", "x / factor", credit=0.25, says="It shrinks where it should grow."),
        ],
        same=[Same("loop", "", "    return np.array([factor * entry for entry in x])")],
        hints=["Each entry by itself."],
    ),
    function(
        "half",
        points=1,
        worked=[Worked("the data", lambda given: (given["data"],))],
        cases=[Case("a vector", lambda rng: (rng.uniform(1, 2, size=4),))],
        slips=[Slip("doubled", "/ 2", "* 2", credit=0.5, says="It grew.")],
    ),
    value(
        "total",
        points=1,
        builds_on=["scale"],
        slips=[Slip("mean", ".sum()", ".mean()", credit=0.5, says="That is the mean.")],
    ),
    choice("letter", points=1, slips=[Slip("a", '"b"', '"a"', credit=0, says="Look at a once more.")]),
)
"""

FULL = {"scale": 2.0, "half": 1.0, "total": 1.0, "letter": 1.0}
NOTHING = dict.fromkeys(FULL, 0.0)
EMPTY = dict.fromkeys(FULL)  # what the gradebook holds of work that could not be graded


def write_course(root: Path, items: str = ITEMS, text: str = TEXT, name: str = TINY) -> Course:
    """A course folder with one unit, not built."""
    folder = root / "authoring" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "items.py").write_text(items, "utf-8")
    (folder / "notebook.py").write_text(text, "utf-8")
    (root / "nbgrader_config.py").write_text(CONFIG, "utf-8")
    (root / "course.toml").write_text(SETTINGS, "utf-8")
    for room in ("submitted", "autograded", "feedback", "gradebook"):
        (root / room).mkdir(exist_ok=True)
    return Course(root.resolve())


def built_course(root: Path) -> Course:
    """The same, built."""
    course = write_course(root)
    build(course, course.unit(TINY))
    return course


def solved(unit: Unit, answers: Mapping[str, str] | None = None) -> nbformat.NotebookNode:
    """The release with every solution in it; `answers` gives an item's cell another text."""
    notebook = nbformat.read(unit.release, as_version=4)
    key = {cell.item: cell.source for cell in unit.key.cells if cell.item}
    for cell in notebook.cells:
        meta = cell.metadata.get("nbgrader", {})
        if meta.get("solution"):
            text = (answers or {}).get(meta["grade_id"], key[meta["grade_id"]])
            cell.source = "\n".join(line for line in text.splitlines() if line.strip() not in (BEGIN, END))
    return notebook


def cell_of(notebook: nbformat.NotebookNode, grade_id: str) -> nbformat.NotebookNode:
    """The cell with that grade_id."""
    return next(cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id)


def submit(course: Course, unit: Unit, student: str, work: nbformat.NotebookNode | str | bytes | None) -> Path:
    """Put a notebook, or whatever else stands in its place, where nbgrader looks for it. Returns the folder."""
    folder = course.root / "submitted" / student / unit.name
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("check.py", "check_data.json"):
        shutil.copy(unit.release.with_name(name), folder)
    path = folder / f"{unit.notebook}.ipynb"
    if isinstance(work, bytes):
        path.write_bytes(work)
    elif work is not None:
        path.write_text(work if isinstance(work, str) else json.dumps(work), "utf-8")
    return folder


def scores(course: Course, unit: Unit, student: str) -> dict[str, float | None]:
    """What the gradebook holds of a student, by item; empty where it knows nothing."""
    config = course_config(course.root).CourseDirectory
    with Gradebook(config.db_url, config.course_id) as gradebook:
        try:
            found = gradebook.find_submission_notebook(unit.notebook, unit.name, student)
        except MissingEntry:
            return {}
        return {grade.name.removesuffix(TEST): grade.auto_score for grade in found.grades}


@dataclass(frozen=True)
class Said:
    """What a command printed and how it ended."""

    status: int
    out: str
    err: str

    def lines_of(self, student: str) -> list[str]:
        """The lines about one student."""
        return [line for line in self.out.splitlines() if line.startswith(f"{student}  ")]


def chainrule(root: Path, *words: str) -> Said:
    """The `chainrule` command as a person types it, in a process of its own."""
    command = [sys.executable, "-m", "chainrule.cli", *words]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=500, check=False)
    return Said(done.returncode, done.stdout, done.stderr)


class Here:
    """In place of `pool.Workers`: this process."""

    def __init__(self, job: workers.Job, count: int, longest: float, modules: tuple[str, ...] | None) -> None:
        self.job = job

    def __enter__(self) -> Here:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def grade_all(self, submissions: Iterator[Submission]) -> Iterator[list[workers.Graded]]:
        return ([worker.grade(self.job, submission)] for submission in submissions)


def chainrule_here(monkeypatch: pytest.MonkeyPatch, root: Path, *words: str) -> Said:
    """The same in this process, so that parts of the kit can be replaced; grading runs here, too."""
    monkeypatch.chdir(root)
    monkeypatch.setattr(sys, "argv", ["chainrule", *words])
    monkeypatch.setattr(pool, "Workers", Here)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as stop:
        cli.main()
    return Said(int(stop.value.code or 0), out.getvalue(), err.getvalue())


def once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that `make` fills once a test run, whichever of xdist's workers comes first."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, ready = shared / name, shared / f"{name}.ready"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            ready.touch()
    return folder


def graded_course(root: Path) -> None:
    """The small course with a class of three, graded by the command: all right, one known mistake, nothing."""
    course = built_course(root)
    unit = course.unit(TINY)
    submit(course, unit, "amy", solved(unit))
    submit(course, unit, "bob", solved(unit, BOB))
    submit(course, unit, "cy", unit.release.read_text("utf-8"))
    said = chainrule(root, "grade", TINY, "--jobs", "2")
    assert said.status == 0, said


BOB = {"scale": "def scale(x, factor):\n    return factor + x"}
# the slip keeps half of two points; the total follows from it and is paid in full
CLASS_SCORES = {"amy": FULL, "bob": {**FULL, "scale": 1.0}, "cy": NOTHING}

LETTER = 'choice("letter", points=1, slips=[Slip("a", \'"b"\', \'"a"\', credit=0, says="Look at a once more.")]),'
LETTER_TEXT = TEXT[TEXT.index('# %% item="letter"') :]
# the letter goes, and in its place comes a sum
OTHER = 'value("size", points=2, slips=[Slip("one-less", "len(data)", "len(data) - 1", credit=0.5, says="One less.")]),'
OTHER_TEXT = """\
# %% item="size"
size = None  # a number
### BEGIN SOLUTION
size = len(data)
### END SOLUTION
"""


def change(course: Course, *edits: tuple[str, str]) -> Unit:
    """Edit the unit's items and text, and build it as a person would."""
    folder = course.authoring / TINY
    for old, new in edits:
        files = [path for path in (folder / "items.py", folder / "notebook.py") if old in path.read_text()]
        assert files, f"{old!r} is in neither"
        for path in files:
            path.write_text(path.read_text().replace(old, new))
    courses._unit.cache_clear()
    build(course, course.unit(TINY))
    return course.unit(TINY)


def reshaped(course: Course) -> Unit:
    """The unit with `letter` taken out and `size`, which is worth 2, put in."""
    return change(course, (LETTER, OTHER), (LETTER_TEXT, OTHER_TEXT))
