"""results.json of each graded submission, as Gradescope's autograder harness reads it.

Format: https://gradescope-autograders.readthedocs.io/en/latest/specs/. All of it is plain text that the student may
see. Where nothing is graded there is no file: a file without a score is an error to Gradescope, and 0 is a score.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from chainrule import __version__
from chainrule.course import Unit
from chainrule.errors import CourseError
from chainrule.files import write_whole
from chainrule.judge import Verdict
from chainrule.render import verdict_text
from chainrule.report.exports.book import Book
from chainrule.report.exports.files import Written, listed, number, said
from chainrule.report.grades import GRADED, MISSING, NOT_GRADED

FILE = "results.json"


def write_gradescope(book: Book, folder: Path) -> Written:
    """gradescope/<unit>/<student>/results.json; those of an earlier export whose work is graded no more are removed."""
    top = folder / "gradescope"
    graded = book.of_units[book.of_units["state"] == GRADED]
    items = dict(iter(book.of_items.groupby(["unit", "student"], sort=False)))
    folders = {student: _folder(student) for student in graded["student"]}
    written = set()
    for unit in book.units:
        for _, row in graded[graded["unit"] == unit.name].iterrows():
            path = top / unit.name / folders[row["student"]] / FILE
            tree = results(book, unit, row, items[unit.name, row["student"]])
            write_whole(path, json.dumps(tree, ensure_ascii=False, indent=1).encode())
            written.add(path)
        for old in (top / unit.name).glob(f"*/{FILE}"):
            if old not in written:
                old.unlink()
                with suppress(OSError):  # somebody keeps more in it
                    old.parent.rmdir()
    states = book.of_units["state"]
    rest = [f"{row.student} ({row.unit})" for row in book.of_units[states == NOT_GRADED].itertuples()]
    missing = int((states == MISSING).sum())
    notes = (f"no file for {missing} that were not handed in",) if missing else ()
    return Written(top, len(written), (*notes, *listed("no file, since nothing is graded", rest)))


def results(book: Book, unit: Unit, row: pd.Series, items: pd.DataFrame) -> dict[str, Any]:
    """One submission: the total with the late penalty taken off, and a test for each item."""
    verdicts = book.verdicts(unit, row["student"])
    late = ""
    if row["penalty"]:
        late = f" {number(row['score'])} less {number(row['penalty'])}, since it was handed in late."
    return {
        "score": float(row["final"]),
        "output": f"{unit.name}: {number(row['final'])} of {number(row['out_of'])}.{late}",
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",  # there is none
        "tests": [_test(place, item, verdicts.get(item.item)) for place, item in enumerate(items.itertuples(), 1)],
        "extra_data": {
            "student": row["student"],
            "unit": unit.name,
            "score_before_penalty": float(row["score"]),
            "penalty": float(row["penalty"]),
            "out_of": float(row["out_of"]),
            "handed_in": None if pd.isna(row["handed_in"]) else row["handed_in"].isoformat(),
            "chainrule": __version__,
        },
    }


def _test(place: int, item: Any, verdict: Verdict | None) -> dict[str, Any]:
    """One item. Its score is the gradebook's, which is a person's where a person gave one."""
    test: dict[str, Any] = {"name": item.item, "number": str(place), "max_score": float(item.out_of)}
    if item.state == GRADED:
        test |= {"score": float(item.points), "status": "passed" if item.points >= item.out_of else "failed"}
    text = "Not graded."
    if verdict is not None:
        text = verdict_text(replace(verdict, points=item.points) if item.state == GRADED else verdict)
        if item.state == GRADED and item.points != verdict.points:
            text += f"\n  A person gave these points; the autograder had given {number(verdict.points)}."
    elif item.state == GRADED:
        text = f"{item.item}: {number(item.points)} of {number(item.out_of)}\n  A person gave these points."
    extra = {name: said(getattr(item, name)) for name in ("status", "slips", "follows")}
    return {**test, "output": text, "output_format": "text", "visibility": "visible", "extra_data": extra}


def _folder(student: str) -> str:
    """A student's folder: the id as it is, which was one in submitted/. CourseError where it can be none."""
    if student in (".", "..") or "/" in student:
        raise CourseError(
            f"the student's id {student!r} cannot be a folder's name; remove or rename it in the gradebook"
        )
    return student
