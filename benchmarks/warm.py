"""What one more notebook costs once all is warm: seconds of processor time of the worker, and of all it starts.

    python benchmarks/warm.py [--unit UNIT]

One process grades a few notebooks as a worker does, another grades more; their difference, by the number of notebooks,
has no start-up in it. The gradebook, the writer and the client are not in it either.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from grade import cells_alone
from measure import Failed, circumstances, cpu_method, markdown_table, put, run
from submissions import hand_in

from chainrule.course import Course, Unit
from chainrule.demo.run import make_course

FEW, MORE = 2, 22
HEAD = ["unit", "all, CPU ms", "the worker", "kernel and sandbox", "of these, the cells' own"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--unit", action="append", help="only this unit; may be given more than once")
    parser.add_argument("--markdown", type=Path, help="put the table into this document, too")
    parser.add_argument("--grade", nargs=4, help=argparse.SUPPRESS)  # what the measured processes are told
    arguments = parser.parse_args()
    if arguments.grade:
        root, unit, count, draws = arguments.grade
        grade(Path(root), unit, int(count), draws == "drawn")
        return
    home = Course.find(Path(__file__).parent)
    rows = [row for unit in home.units(arguments.unit) for row in measured(home, unit)]
    text = f"{circumstances()}\n- Processor time: {cpu_method()}.\n\n{markdown_table(HEAD, rows)}\n"
    print(text)
    if arguments.markdown:
        put(arguments.markdown, "warm", f"## One more notebook\n\n{text}")


def measured(home: Course, unit: Unit) -> list[list[str]]:
    """A row with pictures and one without."""
    with tempfile.TemporaryDirectory(prefix="chainrule-bench-") as folder:
        course = make_course(home, Path(folder, "course"))
        shutil.copyfile(home.root / "course.toml", course.root / "course.toml")
        names = hand_in(unit, MORE, course.root / "submitted")
        rows = []
        for draws in (True, False):
            times = [_times(course, unit, count, draws, Path(folder, "said.txt")) for count in (FEW, MORE)]
            everything, worker = (1000 * (more - few) / (MORE - FEW) for few, more in zip(*times, strict=True))
            cells = 1000 * cells_alone(unit, course.root, names, draws)
            figures = [everything, worker, everything - worker, cells]
            rows.append([unit.name if draws else f"{unit.name}, no pictures", *(f"{each:.0f}" for each in figures)])
        return rows


def _times(course: Course, unit: Unit, count: int, draws: bool, log: Path) -> tuple[float, float]:
    """Seconds of processor time of a process that grades so many: with all it starts, and its own."""
    words = ["--grade", str(course.root), unit.name, str(count), "drawn" if draws else "left-out"]
    cpu = run([sys.executable, __file__, *words], course.root, log).cpu
    return cpu, float(log.read_text().splitlines()[-1])


def grade(root: Path, name: str, count: int, draws: bool) -> None:
    """Grade the first notebooks as a worker does, and print this process's own seconds."""
    from chainrule.grading.origin import one_thread

    one_thread()
    from chainrule.grading.outcome import Job
    from chainrule.grading.submission import Standing, read_submission
    from chainrule.grading.worker import grade as grade_one

    course = Course(root)
    unit = course.unit(name)
    job = Job(unit.name, unit.version, root, pictures=draws)
    for student in sorted(os.listdir(root / "submitted"))[:count]:
        submission = read_submission(student, root / "submitted" / student / name, Standing())
        graded = grade_one(job, submission)
        if graded.scores is None:
            raise Failed(f"{student} was not graded: {graded.refused or graded.kit_fault}")
    print(time.process_time())


if __name__ == "__main__":
    try:
        main()
    except Failed as error:
        sys.exit(f"benchmark: {error}")
