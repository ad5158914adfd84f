"""How time and memory grow with the number of submissions: one tiny unit, a large class, measured in steps.

    python benchmarks/scale.py                            # 10,000 submissions
    python benchmarks/scale.py --submissions 200 --step 50

Ctrl-C ends it at any time and prints what was measured until then. With --into FOLDER the course stays, and the same
command goes on where it was. Submissions hold the notebook alone; check.py is what grading brings along by itself.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from measure import (
    INTERRUPTED,
    MIB,
    circumstances,
    descendants,
    markdown_table,
    proportional_bytes,
    put,
    resident_bytes,
)
from submissions import hand_in

from chainrule.build import build
from chainrule.build.new import new_unit
from chainrule.course import CONFIG, Course, Unit
from chainrule.grading.outcome import Graded
from chainrule.grading.plan import Planned
from chainrule.grading.pool import grade_unit

UNIT = "10-tiny"
HEAD = [
    "graded",
    "s since the start",
    "notebooks a second in this step",
    "client CPU ms a notebook",
    "client RSS MB",
    "client RSS, peak MB",
    "largest worker RSS MB",
    "all processes PSS MB",
]


@dataclass(slots=True)
class Steps:
    """Takes the figures each time that so many more are graded."""

    step: int
    start: float
    rows: list[list[str]]
    total: int = 0
    graded: int = 0
    before: tuple[float, float] = (0.0, 0.0)  # wall and client's processor seconds at the last step's end

    def begin(self, planned: Planned) -> None:
        self.total = len(planned.todo)
        self.before = (time.monotonic(), _client_cpu())
        print(f"planned in {self.before[0] - self.start:.1f} s: {self.total} to grade", flush=True)
        print(" | ".join(HEAD), flush=True)

    def done(self, graded: Graded) -> None:
        self.graded += 1
        if self.graded % self.step == 0 or self.graded == self.total:  # while the workers are still there
            self.take()

    def take(self) -> None:
        now, cpu = time.monotonic(), _client_cpu()
        count = (self.graded - 1) % self.step + 1
        client, *workers = descendants(os.getpid())
        self.rows.append(
            [
                str(self.graded),
                f"{now - self.start:.1f}",
                f"{count / (now - self.before[0]):.2f}",
                f"{1000 * (cpu - self.before[1]) / count:.1f}",
                f"{resident_bytes(client) / MIB:.0f}",
                f"{resident_bytes(client, peak=True) / MIB:.0f}",
                f"{max(map(resident_bytes, workers), default=0) / MIB:.0f}",
                f"{sum(map(proportional_bytes, [client, *workers])) / MIB:.0f}",
            ]
        )
        print(" | ".join(self.rows[-1]), flush=True)
        self.before = (now, cpu)


def main() -> None:
    arguments = _arguments()
    print(circumstances(), flush=True)
    with _folder(arguments.into) as folder:
        course, unit = _course(folder)
        _class(course, unit, arguments.submissions)
        steps = Steps(arguments.step, time.monotonic(), [])
        again, status = "", 0
        try:
            _, graded = grade_unit(course, unit, jobs=arguments.jobs, begin=steps.begin, done=steps.done)
            bad = [outcome for outcome in graded if outcome.scores is None]
            if bad:
                sys.exit(f"{len(bad)} were not graded, so the figures mean nothing. The first: {bad[0]}")
            del graded
            start = time.monotonic()
            planned, _ = grade_unit(course, unit, jobs=arguments.jobs)
            again = f"Started again with nothing to do: {time.monotonic() - start:.1f} s for {len(planned.unchanged)}."
            print(again)
        except KeyboardInterrupt:
            again, status = f"Stopped after {steps.graded}.", INTERRUPTED
            print(again, file=sys.stderr)
    if arguments.markdown and steps.rows:
        text = f"## {arguments.submissions} submissions of a tiny unit, {arguments.jobs} jobs\n\n{circumstances()}\n\n"
        put(arguments.markdown, "scale", f"{text}{markdown_table(HEAD, steps.rows)}\n\n{again}")
    sys.exit(status)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--submissions", type=int, default=10_000)
    parser.add_argument("--step", type=int, help="figures each time that so many are graded; a twentieth of all")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--into", type=Path, help="keep the course in this folder, and go on with it if it is there")
    parser.add_argument("--markdown", type=Path, help="put the table into this document, too")
    arguments = parser.parse_args()
    arguments.step = arguments.step or max(1, arguments.submissions // 20)
    return arguments


@contextmanager
def _folder(into: Path | None) -> Iterator[Path]:
    if into is not None:
        into.mkdir(parents=True, exist_ok=True)
        yield into.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="chainrule-scale-") as folder:
        yield Path(folder)


def _course(root: Path) -> tuple[Course, Unit]:
    """A course with one unit, the template of `chainrule new-unit`: three items, one picture."""
    home = Course.find(Path(__file__).parent)
    course = Course(root)
    (root / CONFIG).write_text((home.root / CONFIG).read_text("utf-8"))
    if not (course.authoring / UNIT).exists():
        course.authoring.mkdir()
        new_unit(course, UNIT)
    unit = course.unit(UNIT)
    build(course, unit)
    return course, unit


def _class(course: Course, unit: Unit, submissions: int) -> None:
    submitted = course.root / "submitted"
    if not submitted.exists():
        start = time.monotonic()
        half_done = course.root / "handing-in"  # from a run that was stopped here
        shutil.rmtree(half_done, ignore_errors=True)
        hand_in(unit, submissions, half_done, with_check=False)
        half_done.rename(submitted)
        print(f"{submissions} submissions written in {time.monotonic() - start:.1f} s", flush=True)


def _client_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":  # workers import this file again
    main()
