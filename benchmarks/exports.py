"""How long exports take: python benchmarks/exports.py [STUDENTS]

A made class of all nine units. Everybody's notebook is one and the same file under many names, with as many bytes as
graded notebooks have: what is measured is reading them from memory, not from a disk.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from chainrule.course import TEST, Course, Unit
from chainrule.demo.run import make_course
from chainrule.grading.outcome import Graded
from chainrule.grading.record import Writer, prepare
from chainrule.judge import Verdict
from chainrule.judge.verdict import Status
from chainrule.report.exports import Format, book_of, export

OUTPUTS = 300_000  # characters of outputs in an autograded notebook, pictures mostly


def main() -> None:
    students = int(sys.argv[1]) if len(sys.argv) > 1 else 800
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCHMARK_DIR")) as folder:
        course = make_course(Course.find(Path(__file__)), Path(folder) / "course")
        for unit in course.units():
            record(course, unit, students, Path(folder) / f"staging-{unit.name}")
        print(f"| {students} students, {len(course.units())} units | s | CPU s |\n|---|---|---|")
        for form in Format:
            start, cpu = time.monotonic(), cpu_seconds()
            written = export(book_of(course), form, Path(folder) / "exports")
            wall, cpu = time.monotonic() - start, cpu_seconds() - cpu
            print(f"| {form}, {written.files} files | {wall:.1f} | {cpu:.1f} |", flush=True)


def cpu_seconds() -> float:
    """Of this process and of those that it waited for."""
    return sum(os.times()[:4])


def record(course: Course, unit: Unit, students: int, staging: Path) -> None:
    """Every student's scores and notebook, with half of the points each."""
    staging.mkdir()
    prepare(course, unit, staging)
    items = unit.items.values()
    verdicts = [Verdict(i.id, Status.PARTLY, i.points / 2, i.points, "Half of it.").to_json() for i in items]
    notebook: dict[str, Any] = json.loads(unit.release.read_text("utf-8"))
    notebook["cells"][0]["source"] += "\n" + "x" * OUTPUTS
    notebook["metadata"]["chainrule"] = {"verdicts": verdicts, "remarks": []}
    scores = {item.id + TEST: item.points / 2 for item in items}
    names = [f"s{n:04}" for n in range(students)]
    with Writer(course, unit) as writer:
        writer.write([Graded(name, 1.0, scores, {}, 0.0) for name in names])
    one = staging / "one.ipynb"
    one.write_text(json.dumps(notebook), "utf-8")
    for name in names:
        folder = course.root / "autograded" / name / unit.name
        folder.mkdir(parents=True)
        (folder / f"{unit.notebook}.ipynb").hardlink_to(one)


if __name__ == "__main__":
    main()
