"""Makes a class for the benchmarks: right answers and known mistakes, no two notebooks with the same text."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path

import nbformat
import numpy as np

from chainrule.course import Unit, read_notebook
from chainrule.key import BEGIN, END

SLIPS_SHARE = 0.2  # of the items that may hold a mistake
DISTINCT = 50  # sets of answers; further students differ in a comment of each answer only


def hand_in(unit: Unit, students: int, submitted: Path, with_check: bool = True) -> list[str]:
    """Write `submitted/<id>/<unit>/` for so many students. Returns their ids.

    Every fourth has all right, the others a slip in one item of five. A training is left right, and so is what it
    calls: a mistake there could run for minutes, and a benchmark is no test.
    """
    release = read_notebook(unit.release, f"chainrule build {unit.name}")
    rng = np.random.default_rng(0)
    answers = [_answers(unit, rng, right=number % 4 == 0) for number in range(min(students, DISTINCT))]
    names = [f"s{number:05d}" for number in range(students)]
    for number, name in enumerate(names):
        notebook = copy.deepcopy(release)
        for cell in notebook.cells:
            meta = cell.metadata.get("nbgrader", {})
            if meta.get("solution"):
                # the comment is each student's own: nothing that was kept of one notebook fits the next
                cell.source = f"{answers[number % DISTINCT][meta['grade_id']]}\n# {name}"
        folder = submitted / name / unit.name
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / unit.release.name)
        if with_check:
            for file in ("check.py", "check_data.json"):
                shutil.copyfile(unit.release.with_name(file), folder / file)
    return names


def _answers(unit: Unit, rng: np.random.Generator, right: bool) -> dict[str, str]:
    """Item id -> the text of its cell."""
    texts = {}
    for item in unit.items.values():
        text = unit.key.cell(item.id)
        trained = any(other.accept and unit.key.needs(other.names, item.id) for other in unit.items.values())
        if item.slips and not right and not (item.accept or trained) and rng.random() < SLIPS_SHARE:
            text = unit.key.edited(item.id, item.slips[int(rng.integers(len(item.slips)))])
        texts[item.id] = "\n".join(line for line in text.splitlines() if line.strip() not in (BEGIN, END))
    return texts
