"""authoring -> source -> release, byte for byte the same each time."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import nbformat

from chainrule import check
from chainrule.build.leaks import leaks
from chainrule.build.public import public_data
from chainrule.build.source import check_edits, instructor_notebook, key_of
from chainrule.course import Course, Unit
from chainrule.errors import BuildError
from chainrule.nbgrading import generate_assignment


def build(course: Course, unit: Unit) -> list[Path]:
    """Write source/<unit> and release/<unit>; BuildError where the unit contradicts itself or would leak."""
    with tempfile.TemporaryDirectory(dir=course.root, prefix=".build-") as staging:
        root = Path(staging)
        written = build_into(course, unit, root)
        for room in ("source", "release"):
            target = course.root / room / unit.name
            target.mkdir(parents=True, exist_ok=True)
            for old in target.iterdir():
                if old.is_file() and not (root / room / unit.name / old.name).exists():
                    old.unlink()
            for new in (root / room / unit.name).iterdir():
                shutil.copyfile(new, target / new.name)
    return [course.root / path.relative_to(root) for path in written]


def build_into(course: Course, unit: Unit, root: Path) -> list[Path]:
    """The same into another folder, which leaves the course as it is (so freshness can be tested)."""
    notebook = instructor_notebook(unit)
    key = key_of(unit, notebook)
    check_edits(unit, key)
    source = root / "source" / unit.name
    source.mkdir(parents=True)
    nbformat.write(notebook, source / f"{unit.notebook}.ipynb")
    (source / "check_data.json").write_text(public_data(unit, key), "utf-8")
    shutil.copyfile(check.__file__, source / "check.py")
    generate_assignment(course.root, unit.name, source.parent, root / "release")
    release = root / "release" / unit.name
    found = list(leaks(unit, key, release))
    if found:
        raise BuildError("the release would give answers away; nothing was written\n  " + "\n  ".join(found))
    return sorted(path for room in (source, release) for path in room.iterdir())
