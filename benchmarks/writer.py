"""How many outcomes a second the writer puts into SQLite and onto the disk: python benchmarks/writer.py [STUDENTS...]

A row is a class of that size in a fresh course of unit 01, recorded twice: first all are new, then all are graded
again. `at once` is how many outcomes share a transaction; what a local run brings is 1 to a few.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from chainrule.course import TEST, Course
from chainrule.demo.run import make_course
from chainrule.grading.outcome import Graded
from chainrule.grading.record import Writer, prepare

UNIT = "01-forward"
PAGE = 300_000  # bytes of a feedback page


def main() -> None:
    sizes = [int(word) for word in sys.argv[1:]] or [200, 2000]
    print("| students | at once | new a second | again a second | CPU ms each |\n|---|---|---|---|---|")
    for students in sizes:
        for at_once in (1, 8, 64):
            with tempfile.TemporaryDirectory(dir=os.environ.get("BENCHMARK_DIR")) as folder:
                print(row(Path(folder), students, at_once), flush=True)


def row(folder: Path, students: int, at_once: int) -> str:
    """One class of that size, as a line of the table."""
    course = make_course(Course.find(Path(__file__)), folder / "course")
    unit = course.unit(UNIT)
    (folder / "staging").mkdir()
    prepare(course, unit, folder / "staging")
    scores = dict.fromkeys((item + TEST for item in unit.items), 1.0)
    files = tuple((path.name, path.read_bytes()) for path in sorted(unit.release.parent.iterdir()))
    page = (("forward.html", os.urandom(PAGE)),)
    outcomes = [Graded(f"s{number}", 1.0, scores, {}, 0.0, None, files, page, ()) for number in range(students)]
    speeds, cpu = [], time.process_time()
    with Writer(course, unit) as writer:
        for _ in range(2):
            start = time.monotonic()
            for batch in batches(outcomes, at_once):
                writer.write(batch)
            speeds.append(students / (time.monotonic() - start))
    cpu = 1000 * (time.process_time() - cpu) / (2 * students)
    return f"| {students} | {at_once} | {speeds[0]:.0f} | {speeds[1]:.0f} | {cpu:.1f} |"


def batches(outcomes: list[Graded], size: int) -> Iterator[list[Graded]]:
    for start in range(0, len(outcomes), size):
        yield outcomes[start : start + size]


if __name__ == "__main__":
    main()
