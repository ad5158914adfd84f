"""Whether grading can run on this machine: each finding with the one command that mends it."""

from __future__ import annotations

import importlib.metadata
import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import nbformat
from nbformat.v4 import new_code_cell

from chainrule.course import Course
from chainrule.errors import ChainruleError, CourseError
from chainrule.grading.sandbox import find_sandbox
from chainrule.web import missing_parts

NEEDED = ("nbgrader", "numpy", "pandas", "jupytext", "nbclient", "ipykernel", "matplotlib")
DISK = 500_000_000  # bytes: a class of 200 with pictures


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `needed`: grading cannot run without it. `mend` is a command."""

    what: str
    good: bool
    says: str
    needed: bool = True
    mend: str = ""


def examine(course: Course) -> Iterator[Finding]:
    """Look at everything that grading needs, the sandbox and a kernel in it by really running them."""
    yield Finding("python", sys.version_info >= (3, 11), sys.version.split()[0], mend="install Python 3.11 or later")
    for name in NEEDED:
        try:
            yield Finding(name, True, importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            yield Finding(name, False, "not installed", mend="pip install -e .")
    yield _sandbox()
    yield from _kernel(course)
    yield _groups()
    yield _gradebook(course)
    yield _policy(course)
    free = shutil.disk_usage(course.root).free
    yield Finding("disk", free > DISK, f"{free / 1e9:.1f} GB free in {course.root}", mend="free some space")
    yield _web()
    yield from _units(course)


def for_web(course: Course) -> Iterator[Finding]:
    """What the web face, and grading by its button, cannot do without; quick to look at."""
    yield from (_web(), _sandbox(), _gradebook(course), *_units(course))


def _web() -> Finding:
    missing = missing_parts()
    says = f"not found: {', '.join(missing)}" if missing else "JupyterLab and nbgrader's extensions: chainrule web"
    mend = f"{sys.executable} -m pip install jupyterlab 'nbgrader==0.9.6'"
    return Finding("web face", not missing, says, needed=False, mend=mend)


def _sandbox() -> Finding:
    try:
        bwrap = find_sandbox()
    except ChainruleError as error:
        return Finding("sandbox", False, str(error), mend="apt-get install bubblewrap")
    return Finding("sandbox", True, f"{bwrap.path}: no network, own processes, read-only system, nothing of the course")


# What a notebook sees of the course, of its machine and of the walls. A process may set its own name, by all rights
# but Landlock's.
LOOK = """
import json, os, socket
try:
    open("/proc/self/comm", "w").close()
    landlock = False
except OSError:
    landlock = True
filtered = "Seccomp:\\t2" in open("/proc/self/status").read()
print(json.dumps([os.path.exists({place!r}), socket.gethostname(), os.getppid() == 0, filtered, landlock]))
"""


def _kernel(course: Course) -> Iterator[Finding]:
    """Runs a cell in the sandbox: whether it can see the course from there, how it was started, and what holds it.

    Without a protection grading runs, less well guarded.
    """
    from chainrule.grading.inside import confine
    from chainrule.grading.kernel import SandboxExecute
    from chainrule.nbgrading import course_config

    cell = new_code_cell(LOOK.format(place=str(course.root / "authoring")))
    try:
        notebook = nbformat.v4.new_notebook(cells=[_imports(course), cell])
        SandboxExecute(config=course_config(course.root)).preprocess(notebook, {})
    except ChainruleError as error:
        yield Finding("kernel", False, str(error), mend="chainrule doctor")
        return
    said = "".join(output.get("text", "") for output in notebook.cells[1].outputs).strip()
    try:
        seen, host, forked, filtered, landlock = json.loads(said)
    except ValueError:
        seen, host, forked, filtered, landlock = True, "", False, False, False
    if seen or host != "sandbox":
        yield Finding("kernel", False, f"a cell in the sandbox said {said!r}", mend="chainrule doctor")
        return
    how = "forked from a warm process" if forked else "started cold for each notebook, which is slower"
    yield Finding("kernel", True, f"ran a cell in the sandbox; {how}")
    says = "calls that reach far into the kernel are refused" if filtered else "libseccomp is not installed"
    yield Finding("system calls", filtered, says, needed=False, mend="apt-get install libseccomp2")
    version = confine.landlock_version()
    says = f"version {version}: files can be written in the sandbox's own folders alone" if landlock else "not in force"
    yield Finding("Landlock", landlock, says, needed=False, mend="a kernel from 5.13 on, with landlock in its lsm=")


def _groups() -> Finding:
    from chainrule.grading.cgroup import make_group
    from chainrule.grading.sandbox import Limits

    group = make_group(Limits())
    if group is not None:
        group.remove()
    says = (
        "memory and processes are limited for a notebook as a whole" if group else "limits hold for each process alone"
    )
    mend = "systemd-run --user --scope chainrule grade UNIT"
    return Finding("control groups", group is not None, says, needed=False, mend=mend)


def _policy(course: Course) -> Finding:
    """Whether course.toml's tables can be read, and whether anybody goes by the ids that have more time."""
    from nbgrader.api import Student
    from sqlalchemy import select

    from chainrule.grading.database import reading
    from chainrule.policy import read_policy

    try:
        policy = read_policy(course)
        with reading(course) as gradebook:
            known = set() if gradebook is None else set(gradebook.scalars(select(Student.__table__.c.id)))
    except CourseError as error:
        return Finding("policy", False, str(error), mend="as it says; docs/policy.md has every key")
    submitted = course.root / "submitted"
    known |= {folder.name for folder in submitted.iterdir()} if submitted.is_dir() else set()
    unknown = ", ".join(sorted(set(policy.extensions) - known))
    if unknown:
        says = f"course.toml gives more time to {unknown}, of whom nothing is known here"
        return Finding("policy", False, says, needed=False, mend="if it is misspelt: write the id as in submitted/")
    lateness = "late work loses nothing" if policy.late is None else "late work loses a share"
    says = f"{len(policy.due)} due dates, {len(policy.extensions)} students with more time; {lateness} by course.toml"
    return Finding("policy", True, says)


def _imports(course: Course) -> nbformat.NotebookNode:
    """A cell of the course's own that imports what the units do: a library may keep kernels from being forked."""
    from chainrule.grading.forkserver import imported_modules

    modules: set[str] = set()
    with suppress(ChainruleError):  # a unit that is broken is told of by itself
        for unit in course.units():
            modules |= set(imported_modules(unit.handed_out))
    meta = {"grade_id": "given-imports", "grade": False, "solution": False, "locked": True, "schema_version": 3}
    return new_code_cell("\n".join(f"import {module}" for module in sorted(modules)), metadata={"nbgrader": meta})


def _gradebook(course: Course) -> Finding:
    """Which one is used, and whether it is whole and can be written."""
    from chainrule.grading.database import expect_writable, gradebook_url, shown, sqlite_file

    try:
        url = gradebook_url(course)
        expect_writable(url)
    except CourseError as error:
        return Finding("gradebook", False, str(error), mend="as it says, then chainrule doctor")
    path = sqlite_file(url)
    if path is not None and not path.exists():
        return Finding("gradebook", True, f"{shown(url)} is made at the first grading")
    return Finding(
        "gradebook", True, f"{shown(url)} is whole and can be written" if path else f"{shown(url)} lets us write"
    )


def _units(course: Course) -> Iterator[Finding]:
    try:
        units = course.units()
    except ChainruleError as error:
        yield Finding("units", False, str(error), mend="mend the file that is named")
        return
    for unit in units:
        built = unit.source.is_file() and unit.release.is_file()
        yield Finding(
            unit.name,
            built,
            f"{len(unit.items)} items, {unit.points:g} points" if built else "not built",
            mend=f"chainrule build {unit.name}",
        )
