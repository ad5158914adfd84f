"""The files of a published course: fragments, whole pages, the stylesheet, the index."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from markupsafe import Markup
from nbformat import NotebookNode

from chainrule.course import Course, Unit, read_notebook
from chainrule.errors import CourseError
from chainrule.files import write_whole
from chainrule.grading.kernel import SandboxExecute
from chainrule.nbgrading import course_config
from chainrule.pages import page
from chainrule.pages.frame import STYLE as FRAME
from chainrule.pages.frame import environment
from chainrule.pages.maths import STYLE as MATHS
from chainrule.publish.exporter import FragmentExporter, Place

OWN = files(__package__).joinpath("chainrule.css").read_text("utf-8")
# what a unit's first cell says of itself, each a paragraph or a list after some bold words
ASSUMES = r"\*\*(?:It assumes|You need):?\*\*:?"
TEACHES = r"\*\*Afterwards you can:?\*\*:?"
TAKES = r"\*\*(?:It takes|Time):?\*\*:?"


@dataclass(frozen=True, slots=True)
class About:
    """What the index says of a unit; the texts are HTML."""

    name: str
    title: str
    lead: Markup
    assumes: Markup
    teaches: Markup
    takes: Markup
    points: str
    items: int


def publish(
    course: Course,
    units: Sequence[Unit],
    folder: Path | None = None,
    *,
    solution: bool = False,
    run: bool = False,
    links: str = "{unit}.html",
) -> Iterator[Path]:
    """Writes the pages of the units, and gives each file's path once it is written.

    `links` is where a unit's page is found, for links between fragments; with the files' own names, only units that
    have a page are linked. Raises CourseError where a notebook is missing, its
    solution does not run, or a file cannot be written.
    """
    # never beside what is put on the web
    folder = folder or course.root / ("published-solutions" if solution else "published")
    if "{unit}" not in links:
        raise CourseError(f"--links {links!r}: where is the unit's name to go? Write {{unit}} there")
    everywhere = links != "{unit}.html"
    there = {unit.name for unit in units} if not solution else set()
    known = [unit for unit in course.units() if unit.name in there or (folder / f"{unit.name}.html").exists()]
    yield _written(folder / "chainrule.css", stylesheet())
    for unit in units:
        nb = _notebook(course, unit, solution, run)
        stem = f"{unit.name}.SOLUTION" if solution else unit.name
        for top, name in ((2, f"{stem}.fragment.html"), (1, f"{stem}.html")):
            linked = course.units() if everywhere and top == 2 else known
            place = _place(unit, linked, links if top == 2 else "{unit}.html", solution, top)
            fragment = FragmentExporter(place).fragment(nb)
            yield _written(folder / name, fragment if top == 2 else _whole(unit, fragment, solution))
    if known:
        yield _written(folder / "index.html", _index(course, known))


def _place(unit: Unit, linked: Sequence[Unit], pattern: str, solution: bool = False, top: int = 1) -> Place:
    others = {other: pattern.replace("{unit}", other.name) for other in linked if other.name != unit.name}
    numbers = {_number(other): page for other, page in others.items()}
    return Place(unit.name, solution, numbers, {f"{o.notebook}.ipynb": page for o, page in others.items()}, top)


def stylesheet() -> str:
    """What fragments share: the colours that all pages have, and rules, all under one class."""
    light, _, dark = FRAME[FRAME.index(":root") : FRAME.index("\n* {")].partition("@media")
    colours = light.replace(":root", ".chainrule") + "@media" + dark.replace(":root", ".chainrule:not(.light)")
    maths = re.sub(r"(?m)^(?=[.a-z].*\{)", ".chainrule ", MATHS)
    return f"{OWN}\n{colours}\n.chainrule.light {{ color-scheme: light; }}\n{maths}"


def about(unit: Unit, place: Place) -> About:
    """What a unit says of itself in its first cell."""
    nb = read_notebook(unit.release, f"chainrule build {unit.name}")
    source = nb.cells[0].source if nb.cells else ""
    heading, _, text = source.partition("\n")
    exporter = FragmentExporter(place)

    def part(pattern: str) -> Markup:
        found = re.search(pattern + r"(.*?)(?=\n\n\*\*|\n\n[A-Z]|\Z)", text, re.DOTALL)
        made = exporter.markdown(found[1].strip()) if found else ""
        return Markup(made.removeprefix("<p>").removesuffix("</p>"))

    takes = re.search(TAKES + r"\s*(.*?)(?:\.\s|\.?\Z|\n\n)", text, re.DOTALL)
    return About(
        unit.name,
        heading.lstrip("# ") or unit.name,
        Markup(exporter.markdown(text.strip().partition("\n\n")[0])),
        part(ASSUMES),
        part(TEACHES),
        Markup.escape(takes[1]) if takes else Markup(),
        f"{unit.points:g}",
        len(unit.items),
    )


def _index(course: Course, units: Sequence[Unit]) -> str:
    told = [about(unit, _place(unit, units, "{unit}.html")) for unit in units]
    body = environment().get_template("published.html").render(units=told)
    return page("The units", Markup(f'<div class="chainrule">{body}</div>'), stylesheet())


def _whole(unit: Unit, fragment: str, solution: bool) -> str:
    title = f"SOLUTIONS: {unit.name}" if solution else unit.name
    heading = re.search(r"<h1[^>]*>(.*?)</h1>", fragment)
    if heading and not solution:
        title = re.sub(r"<[^>]*>", "", heading[1])
    nav = "" if solution else '<nav><a href="index.html">All units</a></nav>\n'
    return page(title, Markup(nav + fragment), stylesheet())


def _notebook(course: Course, unit: Unit, solution: bool, run: bool) -> NotebookNode:
    path = unit.source if solution else unit.release
    nb = copy.deepcopy(read_notebook(path, f"chainrule build {unit.name}"))
    if run:
        nb = _run(course, nb, path.parent)
        failed = [output for cell in nb.cells for output in cell.get("outputs", ()) if output.output_type == "error"]
        if failed and solution:
            raise CourseError(f"{path}: it does not run: {failed[0].ename}: {failed[0].evalue}. Mend {unit.text}")
    for cell in nb.cells:
        if cell.metadata.get("nbgrader", {}).get("grade"):
            cell.outputs = []
    return nb


def _run(course: Course, nb: NotebookNode, folder: Path) -> NotebookNode:
    """Runs a notebook of the course's own, by the grader's kernel but without its sandbox: no student wrote it."""
    executor = SandboxExecute(config=course_config(course.root), trust_students=True, pictures=True)
    ran, resources = executor.preprocess(nb, {"metadata": {"path": str(folder)}})
    if stopped := resources["chainrule"]["incidents"]:
        raise CourseError(f"{folder}: the notebook was stopped: {stopped[0].says}. The limits are in course.toml")
    return ran


def _number(unit: Unit) -> int:
    digits = unit.name.partition("-")[0]
    return int(digits) if digits.isdecimal() else -1


def _written(path: Path, text: str) -> Path:
    write_whole(path, text.encode())
    return path
