"""authoring -> source -> release: the same each time, fresh, as the syllabus has it, and loud where it must be."""

from __future__ import annotations

import csv
import itertools
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

import chainrule.build as building
from chainrule.build import build, build_into
from chainrule.build.leaks import leaks
from chainrule.course import Course, Unit
from chainrule.errors import BuildError, CourseError
from chainrule.grading.restore import restore
from chainrule.items import Kind
from chainrule.verify import verify
from helpers import HOME, ITEMS, TEXT, TINY, built_course, cell_of, chainrule, solved, write_course

UNITS = Course(HOME).unit_names()
SYLLABUS = list(csv.DictReader((HOME / "tests" / "syllabus.csv").open(encoding="utf-8")))


def unit_of(root: Path, items: str = ITEMS, text: str = TEXT) -> tuple[Course, Unit]:
    """A small course that is not built yet."""
    course = write_course(root, items, text)
    return course, course.unit(TINY)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def swapped(text: str, old: str, new: str) -> str:
    """`text` with the one `old` in it replaced."""
    assert text.count(old) == 1, old
    return text.replace(old, new)


# --------------------------------------------------------------------------- the course's own units


@pytest.fixture(scope="module", params=UNITS)
def name(request: pytest.FixtureRequest) -> str:
    """Each unit under authoring/."""
    return str(request.param)


def test_committed_notebooks_are_fresh(name: str, tmp_path: Path) -> None:
    """source/ and release/ are what authoring/ gives, byte for byte, and building again gives the same."""
    course = Course(HOME)
    for again in ("one", "two"):
        build_into(course, course.unit(name), tmp_path / again)
    assert files(tmp_path / "one") == files(tmp_path / "two")
    for room in ("source", "release"):
        built, kept = files(tmp_path / "one" / room / name), files(HOME / room / name)
        stale = sorted(path for path in built.keys() | kept.keys() if built.get(path) != kept.get(path))
        assert not stale, f"{room}/{name} is not what authoring/{name} gives: {stale}. Run: chainrule build {name}"


def test_items_are_the_syllabuses(name: str) -> None:
    """Ids, names, points and kinds of the syllabus, in its order; a unit may have more items, never fewer."""
    items = Course(HOME).unit(name).items
    rows = [row for row in SYLLABUS if row["unit"] == name]
    assert rows, f"{name} is not in the syllabus"
    assert [item for item in items if item in {row["item"] for row in rows}] == [row["item"] for row in rows]
    for row in rows:
        item = items[row["item"]]
        assert item.points == float(row["points"]), item.id
        assert list(item.names)[: len(row["names"].split())] == row["names"].split(), item.id
        if row["kind"] in ("property", "behaviour"):
            assert item.accept is not None, f"{item.id} is judged by what it does"
        else:
            assert item.kind is Kind(row["kind"]), item.id


def test_notebook_follows_the_conventions(name: str) -> None:
    """A solution cell is called after its item, its test cell by that and -check, right below it, with the points."""
    unit = Course(HOME).unit(name)
    cells = [cell for cell in nbformat.read(unit.release, as_version=4).cells if "nbgrader" in cell.metadata]
    metas = [cell.metadata.nbgrader for cell in cells]
    assert [meta.grade_id for meta in metas if meta.solution] == list(unit.items)
    for above, below in itertools.pairwise(metas):
        if below.grade:
            assert (below.grade_id, below.locked) == (f"{above.grade_id}-check", True)
            assert below.points == unit.items[above.grade_id].points
        elif not below.solution:
            assert below.locked, f"{below.grade_id} is given and not locked"


def test_source_holds_no_outputs(name: str) -> None:
    """The instructor's notebook is committed without outputs."""
    cells = nbformat.read(Course(HOME).unit(name).source, as_version=4).cells
    assert all(not cell.outputs and cell.execution_count is None for cell in cells if cell.cell_type == "code")


def executed(unit: Unit, notebook: nbformat.NotebookNode, folder: Path) -> nbformat.NotebookNode:
    """The notebook run top to bottom as a student runs it, beside check.py and its data."""
    folder.mkdir()
    for beside in ("check.py", "check_data.json"):
        shutil.copy(unit.release.with_name(beside), folder)
    client = NotebookClient(
        notebook, timeout=120, kernel_name="python3", allow_errors=True, resources={"metadata": {"path": str(folder)}}
    )
    result: nbformat.NotebookNode = client.execute()
    return result


def complaints(cell: nbformat.NotebookNode) -> list[str]:
    """What a cell says on the error stream or by an exception."""
    return [
        str(output.get("text") or f"{output.ename}: {output.evalue}")
        for output in cell.get("outputs", [])
        if output.output_type == "error" or output.get("name") == "stderr"
    ]


def test_blank_release_runs_top_to_bottom(name: str, tmp_path: Path) -> None:
    """Nothing complains but the test cells, and each of those does: `nbgrader validate` must see it."""
    unit = Course(HOME).unit(name)
    ran = executed(unit, nbformat.read(unit.release, as_version=4), tmp_path / "blank")
    for number, cell in enumerate(ran.cells, start=1):
        said = complaints(cell)
        test = cell.metadata.get("nbgrader", {}).get("grade", False)
        assert bool(said) is bool(test), f"cell {number}: {cell.source[:60]!r} said {said}"
        assert not any(output.output_type == "error" for output in cell.get("outputs", [])), f"cell {number}: {said}"


# --------------------------------------------------------------------------- a small course


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Unit:
    """The small unit, built; for reading only."""
    return built_course(tmp_path_factory.mktemp("tiny")).unit(TINY)


def validated(unit: Unit, notebook: nbformat.NotebookNode, folder: Path) -> str:
    """What `nbgrader validate` says of a notebook beside check.py and its data."""
    folder.mkdir()
    for beside in ("check.py", "check_data.json"):
        shutil.copy(unit.release.with_name(beside), folder)
    nbformat.write(notebook, folder / "tiny.ipynb")
    command = [sys.executable, "-m", "nbgrader", "validate", "tiny.ipynb"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False).stdout


def test_nbgrader_validate_on_the_release_and_on_the_solution(tiny: Unit, tmp_path: Path) -> None:
    """The release is told what is missing, item by item; the solved notebook passes."""
    release = validated(tiny, nbformat.read(tiny.release, as_version=4), tmp_path / "release")
    assert f"VALIDATION FAILED ON {len(tiny.items)} CELL(S)" in release
    assert all(f"{name}: not answered" in release for name in tiny.items)
    assert "Success! Your notebook passes all the tests." in validated(tiny, solved(tiny), tmp_path / "solved")


def test_release_is_what_nbgrader_makes(tmp_path: Path) -> None:
    """`nbgrader generate_assignment` in the course folder gives the same files."""
    course = built_course(tmp_path / "course")
    before = files(course.root / "release" / TINY)
    command = [sys.executable, "-m", "nbgrader", "generate_assignment", TINY, "--force"]
    done = subprocess.run(command, cwd=course.root, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert files(course.root / "release" / TINY) == before


def test_build_takes_away_what_no_longer_belongs(tmp_path: Path) -> None:
    """A file of an older build goes; building again changes nothing."""
    course = built_course(tmp_path)
    before = {room: files(course.root / room) for room in ("source", "release")}
    (course.root / "release" / TINY / "old-name.ipynb").write_text("{}")
    build(course, course.unit(TINY))
    assert {room: files(course.root / room) for room in ("source", "release")} == before
    assert not list(course.root.glob(".build-*"))


def test_release_has_neither_solution_nor_expected_value(tiny: Unit) -> None:
    """No solution line, no marker, and the worked value 21 is nowhere to be read."""
    text = tiny.release.read_text("utf-8") + tiny.release.with_name("check_data.json").read_text("utf-8")
    assert "factor * x" not in text
    assert "SOLUTION" not in text
    assert "21" not in json.dumps(json.loads(tiny.release.with_name("check_data.json").read_text())["items"]["total"])
    assert cell_of(nbformat.read(tiny.release, as_version=4), "total").source.endswith("# YOUR CODE HERE")


def test_test_cells_say_their_points_and_grading_knows_them(tiny: Unit) -> None:
    """The points stand behind the call; a notebook without metadata or under another name is still recognised."""
    notebook = nbformat.read(tiny.release, as_version=4)
    cells = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    said = [cell.source.rpartition("  # ")[2] for cell in cells]
    assert said == ["2 points", "1 point", "1 point", "1 point"]
    assert [f"{cell.metadata.nbgrader.points:g}" for cell in cells] == [text.split()[0] for text in said]
    for cell in notebook.cells:
        cell.metadata = nbformat.NotebookNode()
    remarks = restore(notebook, tiny)
    assert {remark.cause for remark in remarks} == {"stripped-metadata"}, remarks
    named = {cell.metadata.get("nbgrader", {}).get("grade_id") for cell in notebook.cells}
    assert {f"{item}-check" for item in tiny.items} <= named


# --------------------------------------------------------------------------- leaks


def in_notebook(change: Callable[[nbformat.NotebookNode], object]) -> Callable[[Path], None]:
    def leak(release: Path) -> None:
        path = release / "tiny.ipynb"
        notebook = nbformat.read(path, as_version=4)
        change(notebook)
        nbformat.write(notebook, path)

    return leak


def in_data(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def leak(release: Path) -> None:
        path = release / "check_data.json"
        data = json.loads(path.read_text("utf-8"))
        change(data["items"])
        path.write_text(json.dumps(data), "utf-8")

    return leak


def printed(text: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_output("stream", text=text)


SLIP_CODE = "return (factor + x) * 1.0"
SLIP = f'Slip("whole", "", "    {SLIP_CODE}", says="A whole solution."),\n            Slip("divided"'
LEAKS: dict[str, tuple[Callable[[Path], None], str]] = {
    "solution-in-its-cell": (
        in_notebook(lambda nb: cell_of(nb, "scale").update(source="def scale(x, factor):\n    return factor * x")),
        "a line of a solution",
    ),
    "solution-in-prose": (
        in_notebook(lambda nb: nb.cells.append(nbformat.v4.new_markdown_cell("    return factor * x"))),
        "a line of a solution",
    ),
    "solution-in-output": (
        in_notebook(lambda nb: cell_of(nb, "given-setup").outputs.append(printed("1\n----> 5 return factor * x\n"))),
        "a line of a solution",
    ),
    "slip-code": (in_notebook(lambda nb: nb.cells.append(nbformat.v4.new_code_cell(SLIP_CODE))), "or a slip"),
    "solution-in-data": (
        in_data(lambda items: items["scale"]["hints"].append("def scale(x, factor):\n    return factor * x")),
        "a line of a solution",
    ),
    "slip-in-data": (in_data(lambda items: items["scale"]["slips"].update(code=SLIP_CODE)), "or a slip"),
    "marker": (
        in_notebook(lambda nb: nb.cells.append(nbformat.v4.new_code_cell("### BEGIN HIDDEN TESTS\nassert 1"))),
        "a marker",
    ),
    "value-as-number": (in_data(lambda items: items["total"].update(want=21.0)), "a worked value in the clear"),
    "value-in-a-list": (in_data(lambda items: items["total"].update(cases=[[21.0]])), "a worked value in the clear"),
    "value-on-the-wire": (
        in_data(lambda items: items["total"].update(want={"t": "float", "v": (21.0).hex()})),
        "a worked value in the clear",
    ),
    "choice-on-the-wire": (
        in_data(lambda items: items["letter"].update(want={"t": "str", "v": "b"})),
        "a worked value in the clear",
    ),
    "extra-file": (lambda release: (release / "solution.txt").write_text("x") and None, "a file that no release needs"),
    "extra-folder": (
        lambda release: (release / "old").mkdir() or ((release / "old" / "tiny.ipynb.bak").write_text("") and None),
        "a file that no release needs",
    ),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_leak_fails_the_build(leak: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever gives an answer away stops the build by name, and nothing is written."""
    course, unit = unit_of(tmp_path, swapped(ITEMS, 'Slip("divided"', SLIP))
    put, says = LEAKS[leak]
    generate = building.generate_assignment

    def leaky(root: Path, name: str, source: Path, release: Path) -> None:
        generate(root, name, source, release)
        put(release / name)

    monkeypatch.setattr(building, "generate_assignment", leaky)
    with pytest.raises(BuildError, match=says) as caught:
        build(course, unit)
    assert str(Path("release") / TINY) in str(caught.value), "the message names the file"
    assert not (tmp_path / "release").exists()
    assert not (tmp_path / "source").exists()


def test_no_leak_where_there_is_none(tiny: Unit) -> None:
    """The same search finds nothing in the release as it is."""
    assert list(leaks(tiny, tiny.key, tiny.release.parent)) == []


# --------------------------------------------------------------------------- contradictions

BROKEN: dict[str, tuple[str, str, list[str]]] = {
    "slip-not-found": (
        swapped(ITEMS, '"factor * x", "x / factor"', '"factor ** x", "x / factor"'),
        TEXT,
        [TINY, "scale", "divided", "factor ** x", "0 times"],
    ),
    "slip-found-twice": (
        ITEMS,
        swapped(TEXT, "return factor * x", "return factor * x + 0 * (factor * x)"),
        [TINY, "scale", "added", "2 times"],
    ),
    "slip-is-no-python": (
        swapped(ITEMS, '"factor + x"', '"factor +"'),
        TEXT,
        [TINY, "scale", "added", "not Python"],
    ),
    "id-repeats": (
        swapped(ITEMS, '"letter", points', '"total", points'),
        TEXT,
        ["items.py", "two items", "'total'"],
    ),
    "item-without-cell": (
        ITEMS,
        TEXT[: TEXT.index('# %% item="letter"')],
        ["notebook.py", "letter", '# %% item="letter"'],
    ),
    "cell-without-item": (
        ITEMS,
        swapped(TEXT, '# %% item="letter"', '# %% item="word"'),
        ["notebook.py", "cell 8", "'word'", "items.py"],
    ),
    "two-cells-of-one-item": (
        ITEMS,
        TEXT + '\n# %% item="letter"\nletter = None\n### BEGIN SOLUTION\nletter = "b"\n### END SOLUTION\n',
        ["notebook.py", "cell 9", "'letter'", "already"],
    ),
    "other-order": (
        ITEMS,
        TEXT.replace('item="half"', 'item="x"').replace('item="scale"', 'item="half"').replace('"x"', '"scale"'),
        ["notebook.py", "half"],
    ),
    "no-markers": (
        ITEMS,
        TEXT[: TEXT.index('# %% item="letter"')] + '# %% item="letter"\nletter = None\n',
        ["notebook.py", "letter", "BEGIN SOLUTION"],
    ),
    "nothing-left-for-students": (
        ITEMS,
        TEXT.replace('letter = None  # "a", "b" or "c"\n', ""),
        ["notebook.py", "letter", "letter = None"],
    ),
    "blank-is-no-python": (
        ITEMS,
        swapped(TEXT, '    """(n,) -> (n,). Every entry halved."""\n', ""),
        ["notebook.py", "half", "docstring"],
    ),
    "given-names-repeat": (
        ITEMS,
        TEXT + '\n# %% given="setup"\nmore = 1\n',
        ["notebook.py", "given-setup", "repeat"],
    ),
    "builds-on-nobody": (swapped(ITEMS, '["scale"]', '["scales"]'), TEXT, ["items.py", "total", "scales"]),
    "solution-stops": (
        ITEMS,
        swapped(TEXT, "return factor * x", "return factor * x + undefined_name"),
        [TINY, "scale", "NameError", "the data"],
    ),
    "no-worked-case": (
        swapped(ITEMS, 'worked=[Worked("the data", lambda given: (given["data"],))],', ""),
        TEXT,
        [TINY, "half", "no worked case"],
    ),
    "full-credit-slip": (swapped(ITEMS, "credit=0.25", "credit=1.0"), TEXT, ["items.py", "divided", "below 1"]),
    "slip-without-words": (swapped(ITEMS, '"It shrinks where it should grow."', '""'), TEXT, ["items.py", "divided"]),
    "items-are-no-python": (ITEMS + "\n)", TEXT, ["items.py", "SyntaxError"]),
    "no-items": (ITEMS.replace("ITEMS =", "THINGS ="), TEXT, ["items.py", "ITEMS"]),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_contradiction_stops_the_build(fault: str, tmp_path: Path) -> None:
    """Text and items that contradict each other stop the build; the message names file, place and what is wrong."""
    items, text, words = BROKEN[fault]
    course = write_course(tmp_path, items, text)
    with pytest.raises(CourseError) as caught:
        build(course, course.unit(TINY))
    assert [word for word in words if word not in str(caught.value)] == [], str(caught.value)
    assert not (tmp_path / "release").exists()


def test_command_says_it_and_ends_with_1(tmp_path: Path) -> None:
    """`chainrule build` prints the one line, not a traceback."""
    items, text, words = BROKEN["slip-not-found"]
    write_course(tmp_path, items, text)
    said = chainrule(tmp_path, "build")
    assert said.status == 1
    assert all(word in said.err for word in words)
    assert "Traceback" not in said.err


# --------------------------------------------------------------------------- a wrong answer key

WRONG_KEYS: dict[str, tuple[str, str, str, str]] = {
    "equivalent-that-is-wrong": (
        swapped(ITEMS, "factor * entry for entry", "factor * entry + 1 for entry"),
        TEXT,
        "scale",
        "equivalent loop",
    ),
    "wrong-solution": (ITEMS, swapped(TEXT, "return factor * x", "return factor * x + 1"), "scale", "equivalent loop"),
    "slip-that-is-right": (
        swapped(ITEMS, '"x / factor", credit=0.25', '"x * factor", credit=0.25'),
        TEXT,
        "scale",
        "divided",
    ),
    "two-slips-that-are-one": (
        swapped(ITEMS, '"x / factor", credit=0.25', '"x + factor", credit=0.25'),
        TEXT,
        "scale",
        "slip divided is taken for added",
    ),
    "value-slip-that-is-right": (
        swapped(ITEMS, '".mean()"', '".cumsum()[-1]"'),
        TEXT,
        "total",
        "slip mean gets full marks",
    ),
    "blank-that-earns": (ITEMS, swapped(TEXT, 'letter = None  # "a"', 'letter = "b"  # "a"'), "letter", "the blank"),
}


@pytest.mark.parametrize("fault", WRONG_KEYS)
def test_verify_finds_a_wrong_answer_key(fault: str, tmp_path: Path) -> None:
    """What contradicts the answer key is named, at its item and nowhere else."""
    items, text, item, says = WRONG_KEYS[fault]
    course, unit = unit_of(tmp_path, items, text)
    build(course, unit)
    problems = {report.item: report.problems for report in verify(unit, cases=3) if report.problems}
    assert list(problems) == [item], problems
    assert any(says in problem for problem in problems[item]), problems


def test_verify_passes_where_nothing_is_wrong(tiny: Unit) -> None:
    """The same unit without the faults has no problem."""
    assert [report.problems for report in verify(tiny, cases=3)] == [()] * len(tiny.items)
