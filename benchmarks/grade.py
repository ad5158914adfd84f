"""Plain `nbgrader autograde` beside `chainrule grade`, on the same submissions, in one run.

    python benchmarks/grade.py                                              # every unit, 20 students
    python benchmarks/grade.py --unit 01 --students 200 --markdown docs/benchmarks.md
    python benchmarks/grade.py --unit 01 --pictures drawn                   # without the kit's runs that draw none

docs/benchmarks.md says what is compared.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from cells import NO_PICTURES
from measure import INTERRUPTED, MIB, Failed, Measured, circumstances, cpu_method, markdown_table, put, run
from submissions import hand_in

from chainrule.course import Course, Unit
from chainrule.demo.run import make_course

PICTURES = {"drawn": (True,), "left-out": (False,), "both": (True, False)}


@dataclass(frozen=True, slots=True, order=True)
class Way:
    """A way to grade: plain nbgrader, or the kit with that number of jobs. Plain always draws pictures."""

    draws: bool
    jobs: int

    @property
    def flags(self) -> list[str]:
        return ["--jobs", str(self.jobs), "--pictures" if self.draws else "--no-pictures"]


PLAIN = Way(True, 0)


@dataclass(frozen=True, slots=True)
class Found:
    """One unit's figures: each way's runs, and what a mean notebook's cells cost, pictures drawn or not."""

    unit: str
    students: int
    runs: dict[Way, list[Measured]]
    cells: dict[bool, float]  # seconds of processor time

    def mean(self, way: Way, field: str) -> float:
        """Of the runs; a notebook's share where it is a time."""
        whole = fmean(getattr(measured, field) for measured in self.runs[way])
        return whole / self.students if field in ("wall", "cpu") else whole

    @property
    def kit(self) -> list[list[Way]]:
        """The kit's ways, by jobs, pictures drawn first; those without pictures are a list of their own."""
        ways = [sorted(way for way in self.runs if way != PLAIN and way.draws is draws) for draws in (True, False)]
        return [several for several in ways if several]

    def name(self, way: Way) -> str:
        return self.unit if way.draws else f"{self.unit}, no pictures"


def main() -> None:
    arguments = _arguments()
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    home = Course.find(Path(__file__).parent)
    found: list[Found] = []
    status = 0
    with tempfile.TemporaryDirectory(prefix="chainrule-bench-") as folder:
        os.environ["JUPYTER_CONFIG_DIR"] = folder  # nobody's settings: plain is plain
        about = f"{circumstances()}\n- Processor time: {cpu_method()}."
        print(about, flush=True)
        try:
            # what is read from the disk for the first time is not for the first unit to pay
            measure_unit(home.units(arguments.unit)[0], home, Path(folder, "warm"), 1, arguments.ways[:1], 1, True)
            for number, unit in enumerate(home.units(arguments.unit)):
                place, plain_first = Path(folder, unit.name), number % 2 == 0
                found.append(
                    measure_unit(unit, home, place, arguments.students, arguments.ways, arguments.rounds, plain_first)
                )
                print(
                    *(" | ".join(row) for row in grade_rows(found[-1:]) + jobs_rows(found[-1:])), sep="\n", flush=True
                )
        except KeyboardInterrupt:
            print("stopped; what was measured until now:", file=sys.stderr)
            status = INTERRUPTED
    text = report(found)
    print(text)
    if arguments.markdown and found:
        part = f"grade, {arguments.students} students"
        put(arguments.markdown, part, f"## {arguments.students} students\n\n{about}\n\n{text}")
    sys.exit(status)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--unit", action="append", help="only this unit; may be given more than once")
    parser.add_argument("--students", type=int, default=20)
    parser.add_argument("--jobs", action="append", type=int, help="of chainrule grade; again for another; 1 and 2")
    parser.add_argument("--rounds", type=int, default=2, help="the order turns round with each; means are shown")
    parser.add_argument("--pictures", choices=PICTURES, default="both", help="by the kit; plain always draws")
    parser.add_argument("--markdown", type=Path, help="put the tables into this document, too")
    arguments = parser.parse_args()
    arguments.ways = [Way(draws, jobs) for draws in PICTURES[arguments.pictures] for jobs in arguments.jobs or [1, 2]]
    return arguments


# --------------------------------------------------------------------------- measuring


def measure_unit(
    unit: Unit, home: Course, folder: Path, students: int, kit_ways: list[Way], rounds: int, plain_first: bool
) -> Found:
    """Grade one class in every way, each time in a fresh copy of its course. The order turns round with each round."""
    folder.mkdir()
    plain, kit = _plain_course(unit, folder / "plain"), _kit_course(unit, home, folder / "kit")
    names = hand_in(unit, students, kit / "submitted")
    shutil.copytree(kit / "submitted", plain / "submitted", dirs_exist_ok=True)
    ways = [PLAIN, *kit_ways]
    runs: dict[Way, list[Measured]] = {way: [] for way in ways}
    for number in range(rounds):
        for way in ways if (number % 2 == 0) == plain_first else ways[::-1]:
            course = folder / "run"
            shutil.copytree(plain if way == PLAIN else kit, course)
            measure = _grade_plain if way == PLAIN else _grade_with_kit
            runs[way].append(measure(unit, course, names, way, folder / "said.txt"))
            shutil.rmtree(course)
    cells = {draws: cells_alone(unit, kit, names[:20], draws) for draws in {way.draws for way in kit_ways}}
    shutil.rmtree(folder)
    return Found(unit.name, students, runs, cells)


def _plain_course(unit: Unit, root: Path) -> Path:
    """A course with no configuration at all: the unit's built notebook, its test cells calling the `check` of home."""
    shutil.copytree(unit.source.parent, root / "source" / unit.name)
    (root / "submitted").mkdir()
    _nbgrader(root, "generate_assignment", unit.name)
    return root


def _kit_course(unit: Unit, home: Course, root: Path) -> Path:
    """A course with this unit alone, and the limits of this repository."""
    course = make_course(home, root)
    shutil.copyfile(home.root / "course.toml", root / "course.toml")
    for other in course.unit_names():
        if other != unit.name:
            for place in ("authoring", "source", "release"):
                shutil.rmtree(root / place / other)
    return root


def _nbgrader(root: Path, *words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *words], cwd=root, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Failed(f"nbgrader {' '.join(words)}: {done.stderr[-3000:]}")


def _grade_plain(unit: Unit, course: Path, names: list[str], _: Way, log: Path) -> Measured:
    measured = run([sys.executable, "-m", "nbgrader", "autograde", unit.name], course, log)
    _expect_scores(course / "gradebook.db", unit, len(names), log)
    return measured


def _grade_with_kit(unit: Unit, course: Path, names: list[str], way: Way, log: Path) -> Measured:
    command = [sys.executable, "-m", "chainrule.cli", "grade", unit.name, *way.flags]
    measured = run(command, course, log, first=lambda: _is_there(course / "autograded", unit))
    _expect_scores(course / "gradebook" / "gradebook.db", unit, len(names), log)
    return measured


def _is_there(autograded: Path, unit: Unit) -> bool:
    """Whether one student's notebook lies in its place. Asked often, and cheap while the folder is empty."""
    students = [folder for folder in autograded.iterdir() if not folder.name.startswith(".")]
    return any((folder / unit.name / unit.source.name).exists() for folder in students)


def _expect_scores(gradebook: Path, unit: Unit, students: int, log: Path) -> None:
    """Every student has a score for every item, and some are above 0: what did not grade must not look fast."""
    with closing(sqlite3.connect(gradebook)) as connection:
        scored, total = connection.execute("select count(auto_score), sum(auto_score) from grade").fetchone()
    if scored != students * len(unit.items) or not total:
        raise Failed(
            f"{gradebook}: {scored} scores of {students} students and {len(unit.items)} items, in all {total} points:\n"
            + log.read_text(errors="replace")[-3000:]
        )


def cells_alone(unit: Unit, course: Path, names: list[str], draws: bool) -> float:
    """Seconds of processor time that a mean notebook's own cells take, without imports and test cells."""
    paths = [str(course / "submitted" / name / unit.name / unit.source.name) for name in names]
    flags = [] if draws else [NO_PICTURES]
    command = [sys.executable, str(Path(__file__).with_name("cells.py")), *flags, *paths]
    # as in the sandbox: more threads than that only wait for each other on matrices of this size
    one_thread = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=one_thread, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"cells.py: {done.stderr[-3000:]}")
    return fmean(json.loads(done.stdout))


# --------------------------------------------------------------------------- showing


def report(found: list[Found]) -> str:
    """Both tables, as Markdown."""
    jobs = sorted({way.jobs for unit in found for ways in unit.kit for way in ways})
    head = [
        "unit",
        "plain, wall s",
        "plain, CPU s",
        f"kit, wall s (--jobs {jobs[0]})" if jobs else "kit, wall s",
        "kit, CPU s",
        "wall, plain / kit",
        "CPU, plain / kit",
        "cells' own CPU s",
        "kit above the cells, CPU ms",
        "plain, memory MB",
        "kit, memory MB",
    ]
    more = ["unit", "jobs", "first result s", "notebooks a second", "times 1 job", "CPU s a notebook", "memory MB"]
    return f"{markdown_table(head, grade_rows(found))}\n\n{markdown_table(more, jobs_rows(found))}\n"


def grade_rows(found: list[Found]) -> list[list[str]]:
    """Seconds a notebook, with start-up; the kit with the first of the jobs asked for."""
    return [_grade_row(unit, ways[0]) for unit in found for ways in unit.kit]


def _grade_row(unit: Found, way: Way) -> list[str]:
    plain = [unit.mean(PLAIN, field) for field in ("wall", "cpu")]
    kit = [unit.mean(way, field) for field in ("wall", "cpu")]
    return [
        unit.name(way),
        *(f"{number:.2f}" for number in plain),
        *(f"{number:.3f}" for number in kit),
        f"{plain[0] / kit[0]:.1f}",
        f"{plain[1] / kit[1]:.1f}",
        f"{unit.cells[way.draws]:.3f}",
        f"{1000 * (kit[1] - unit.cells[way.draws]):.0f}",
        *(f"{unit.mean(each, 'peak') / MIB:.0f}" for each in (PLAIN, way)),
    ]


def jobs_rows(found: list[Found]) -> list[list[str]]:
    return [row for unit in found for ways in unit.kit for row in _jobs_rows(unit, ways)]


def _jobs_rows(unit: Found, ways: list[Way]) -> Iterator[list[str]]:
    for way in ways:
        firsts = [measured.first for measured in unit.runs[way] if measured.first is not None]
        yield [
            unit.name(way),
            str(way.jobs),
            f"{fmean(firsts):.1f}" if firsts else "-",
            f"{1 / unit.mean(way, 'wall'):.2f}",
            f"{unit.mean(ways[0], 'wall') / unit.mean(way, 'wall'):.2f}" if ways[0].jobs == 1 else "-",
            f"{unit.mean(way, 'cpu'):.3f}",
            f"{unit.mean(way, 'peak') / MIB:.0f}",
        ]


if __name__ == "__main__":
    try:
        main()
    except Failed as error:
        sys.exit(f"benchmark: {error}")
