"""Finds the course, its units, their items and their answer keys."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat

from chainrule.errors import CourseError
from chainrule.items import Item, ItemError
from chainrule.key import Key, key_cell

CONFIG = "nbgrader_config.py"
GIVEN = "given"  # cell metadata of the built notebook: the key knows the locked cells by it
IMPORT = "from check import check"  # the first given cell's first line; the key has no need of it
TEST = "-check"  # a test cell's grade_id is the item's id and this


@dataclass(frozen=True, slots=True)
class Limits:
    """What a student's notebook may use. Seconds of wall time, bytes, counts."""

    cell_seconds: int = 30
    notebook_seconds: int = 600
    memory_mb: int = 2048
    output_mb: int = 20


@dataclass(frozen=True)
class Course:
    """A course folder: where `nbgrader_config.py` lies."""

    root: Path

    @classmethod
    def find(cls, start: Path | None = None) -> Course:
        """The course that `start` (or the current folder) lies in."""
        start = (start or Path.cwd()).resolve()
        for folder in (start, *start.parents):
            if (folder / CONFIG).is_file():
                return cls(folder)
        raise CourseError(
            f"no course here: neither {start} nor a folder above it holds {CONFIG}. cd into the course folder."
        )

    @property
    def authoring(self) -> Path:
        return self.root / "authoring"

    @property
    def gradebook(self) -> Path:
        return self.root / "gradebook"

    def unit_names(self) -> list[str]:
        return sorted(path.parent.name for path in self.authoring.glob("*/items.py"))

    def full_name(self, name: str) -> str:
        """The name of the unit that is called so; a part that fits one unit alone (`01`) will do."""
        names = self.unit_names()
        found = [name] if name in names else [known for known in names if name and name in known]
        if len(found) != 1:
            raise CourseError(f"no unit called {name!r}; there are {', '.join(names) or 'none under authoring/'}")
        return found[0]

    def unit(self, name: str) -> Unit:
        """The unit of that name, in full or in part."""
        return _unit(self.root, self.full_name(name))

    def units(self, names: list[str] | None = None) -> list[Unit]:
        return [self.unit(name) for name in names or self.unit_names()]

    def settings(self) -> Mapping[str, object]:
        path = self.root / "course.toml"
        try:
            return tomllib.loads(path.read_text("utf-8")) if path.exists() else {}
        except tomllib.TOMLDecodeError as error:
            raise CourseError(f"{path}: {error}. Mend the line and run this again.") from error

    def limits(self) -> Limits:
        table = self.settings().get("limits", {})
        known = set(Limits.__dataclass_fields__)
        if not isinstance(table, dict) or not set(table) <= known:
            raise CourseError(f"{self.root / 'course.toml'}: [limits] knows {', '.join(sorted(known))}; found {table}")
        wrong = {key: number for key, number in table.items() if type(number) is not int or number <= 0}
        if wrong:
            raise CourseError(f"{self.root / 'course.toml'}: [limits] takes whole numbers above 0; found {wrong}")
        return Limits(**table)

    def draws_pictures(self) -> bool:
        """Whether pictures are drawn when a notebook is graded: `pictures` of the table [grading]."""
        table = self.settings().get("grading", {})
        if not isinstance(table, dict) or not set(table) <= {"pictures"}:
            raise CourseError(f"{self.root / 'course.toml'}: [grading] knows pictures; found {table}")
        pictures = table.get("pictures", True)
        if not isinstance(pictures, bool):
            raise CourseError(f"{self.root / 'course.toml'}: [grading] pictures is true or false; found {pictures!r}")
        return pictures

    def secret(self) -> bytes:
        """What the students' cases are drawn from; made once, never shown, and worth a backup."""
        path = self.gradebook / "secret"
        path.parent.mkdir(exist_ok=True)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return _secret_in(path)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(32) + "\n")
        return _secret_in(path)


@dataclass(frozen=True, eq=False)
class Unit:
    """One assignment: its name, items in notebook order, and where its files lie."""

    root: Path
    name: str
    items: Mapping[str, Item]

    @property
    def notebook(self) -> str:
        """The notebook's name without `.ipynb`: the unit's without its number."""
        return self.name.partition("-")[2] or self.name

    @property
    def source(self) -> Path:
        return self.root / "source" / self.name / f"{self.notebook}.ipynb"

    @property
    def release(self) -> Path:
        return self.root / "release" / self.name / f"{self.notebook}.ipynb"

    @property
    def text(self) -> Path:
        return self.root / "authoring" / self.name / "notebook.py"

    @functools.cached_property
    def key(self) -> Key:
        """The answer key, out of the instructor's notebook."""
        return load_key(self.name, read_notebook(self.source, f"chainrule build {self.name}"))

    @functools.cached_property
    def handed_out(self) -> nbformat.NotebookNode:
        """The students' notebook as it was released; not to be changed."""
        return read_notebook(self.release, f"chainrule build {self.name}")

    @functools.cached_property
    def version(self) -> str:
        """Changes when the instructor's notebook or the items do: what was graded before is graded anew."""
        digest = hashlib.sha256()
        for path in (self.source, self.text.with_name("items.py")):
            digest.update(path.read_bytes())
        return digest.hexdigest()[:16]

    @property
    def points(self) -> float:
        return sum(item.points for item in self.items.values())


def load_key(unit: str, notebook: nbformat.NotebookNode) -> Key:
    """The key of an instructor's notebook: every code cell, with the item that it solves."""
    cells = []
    for cell in notebook.cells:
        meta = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "code" and not meta.get("grade"):
            source = cell.source.removeprefix(IMPORT)
            cells.append(
                key_cell(source, meta.get("grade_id") if meta.get("solution") else None, GIVEN in cell.metadata)
            )
    return Key(unit, cells)


def load_items(path: Path) -> dict[str, Item]:
    """The items of one unit's `items.py`, in its order."""
    name = "chainrule_items_" + path.parent.name.replace("-", "_")
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise CourseError(f"{path}: cannot be read as Python")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        items: tuple[Item, ...] = tuple(module.ITEMS)
    except AttributeError as error:
        raise CourseError(
            f"{path}: {error}. A unit's items.py ends in ITEMS = (function(...), value(...), ...)"
        ) from error
    except (ItemError, SyntaxError, TypeError, NameError, ImportError) as error:
        raise CourseError(f"{path}: {type(error).__name__}: {error}") from error
    found: dict[str, Item] = {}
    for item in items:
        if item.id in found:
            raise CourseError(f"{path}: two items are called {item.id!r}")
        unknown = [base for base in item.builds_on if base not in found]
        if unknown:
            raise CourseError(f"{path}, item {item.id}: builds_on {unknown}, which do not stand above it")
        found[item.id] = item
    return found


def read_notebook(path: Path, way_out: str) -> nbformat.NotebookNode:
    """One of the course's own notebooks; CourseError with the command that makes it where it is missing."""
    if not path.is_file():
        raise CourseError(f"{path} is missing. Run: {way_out}")
    try:
        return nbformat.read(path, as_version=4)
    except Exception as error:
        raise CourseError(f"{path} is not a notebook ({type(error).__name__}: {error}). Run: {way_out}") from error


@functools.lru_cache
def _unit(root: Path, name: str) -> Unit:
    return Unit(root, name, load_items(root / "authoring" / name / "items.py"))


def _secret_in(path: Path) -> bytes:
    try:
        secret = bytes.fromhex(path.read_text().strip())
    except ValueError as error:
        raise CourseError(
            f"{path}: not a course secret. Put your backup of it back; a new one would redraw all cases."
        ) from error
    if len(secret) < 16:
        raise CourseError(f"{path}: too short for a course secret. Put your backup of it back.")
    return secret
