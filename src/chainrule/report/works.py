"""What grading left in autograded/, read once for all that the report wants to know of it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chainrule.course import Course, Unit

MANY = 200  # notebooks; from here on it pays to read them in several processes


@dataclass(frozen=True, slots=True)
class Work:
    """One graded notebook: the judge's verdicts and the text of the student's solution cells, both by item."""

    verdicts: Mapping[str, Mapping[str, Any]]
    texts: Mapping[str, str]


def read_works(course: Course, units: Iterable[Unit]) -> dict[tuple[str, str], Work]:
    """By (unit, student), in order; what was not graded, or cannot be read, is not among them."""
    names = {unit.name: unit.notebook for unit in units}
    found = sorted((path.parent.name, path.name) for path in (course.root / "autograded").glob("*/*") if path.is_dir())
    keys = [(unit, student) for student, unit in found if unit in names]
    paths = [course.root / "autograded" / student / unit / f"{names[unit]}.ipynb" for unit, student in keys]
    if len(paths) < MANY:
        works = [read_work(path) for path in paths]
    else:
        with ProcessPoolExecutor(os.cpu_count()) as pool:
            works = list(pool.map(read_work, paths, chunksize=50))
    return {key: work for key, work in zip(keys, works, strict=True) if work is not None}


def read_work(path: Path) -> Work | None:
    """One autograded notebook; None where there is none that grading made."""
    try:
        notebook = json.loads(path.read_text("utf-8"))
        verdicts = {verdict["item"]: verdict for verdict in notebook["metadata"]["chainrule"]["verdicts"]}
        metas = [(cell["metadata"].get("nbgrader", {}), cell["source"]) for cell in notebook["cells"]]
        texts = {
            meta["grade_id"]: source if isinstance(source, str) else "".join(source)
            for meta, source in metas
            if meta.get("solution")
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return Work(verdicts, texts)
