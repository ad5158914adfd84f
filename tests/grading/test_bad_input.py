"""A class in which everything goes wrong at once: a good student beside everything that can be handed in."""

from __future__ import annotations

import copy
import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

from chainrule.check import EVIDENCE_MIME
from chainrule.course import Course, Unit
from chainrule.grading.plan import notes_of
from chainrule.grading.remark import WAYS_OUT
from chainrule.render import VERDICT_MIME
from helpers import EMPTY, FULL, NOTHING, TINY, Said, built_course, cell_of, chainrule, once, scores, solved, submit

Make = Callable[[Course, Unit, str], object]


@dataclass(frozen=True)
class Bad:
    """What one student hands in, what that earns, and the cause that is told. `refused`: nothing can be graded."""

    make: Make
    earns: dict[str, float] | None = None
    causes: frozenset[str] = frozenset()

    @property
    def refused(self) -> bool:
        return self.earns is None


def edited(change: Callable[[nbformat.NotebookNode], object], **answers: str) -> Make:
    """The solution, changed."""

    def make(course: Course, unit: Unit, student: str) -> None:
        notebook = solved(unit, answers)
        change(notebook)
        submit(course, unit, student, notebook)

    return make


def answered(**answers: str) -> Make:
    """The solution, with other cells for some items."""
    return edited(lambda notebook: None, **answers)


def raw(work: str | bytes | None) -> Make:
    """These bytes in the notebook's place."""
    return lambda course, unit, student: submit(course, unit, student, work)


def beside(files: dict[str, str]) -> Make:
    """The solution, and files beside it."""

    def make(course: Course, unit: Unit, student: str) -> None:
        folder = submit(course, unit, student, solved(unit))
        for name, text in files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text, "utf-8")

    return make


def without(grade_id: str) -> Make:
    def change(notebook: nbformat.NotebookNode) -> None:
        notebook.cells.remove(cell_of(notebook, grade_id))

    return edited(change)


def twice(grade_id: str, second: str | None = None) -> Make:
    def change(notebook: nbformat.NotebookNode) -> None:
        cell = cell_of(notebook, grade_id)
        more = copy.deepcopy(cell)
        more.source = second or more.source
        notebook.cells.insert(notebook.cells.index(cell) + 1, more)

    return edited(change)


def source(grade_id: str, text: str) -> Make:
    return edited(lambda notebook: cell_of(notebook, grade_id).update(source=text))


def metadata(grade_id: str, **fields: object) -> Make:
    return edited(lambda notebook: cell_of(notebook, grade_id).metadata.nbgrader.update(fields))


def first(text: str, **answers: str) -> Make:
    """The solution, with a cell of the student's own on top."""
    return edited(lambda notebook: notebook.cells.insert(0, nbformat.v4.new_code_cell(text)), **answers)


def renamed(course: Course, unit: Unit, student: str) -> None:
    folder = submit(course, unit, student, solved(unit))
    (folder / "tiny.ipynb").rename(folder / "tiny (1) final.ipynb")


def old_format(course: Course, unit: Unit, student: str) -> None:
    text = nbformat.writes(nbformat.convert(solved(unit), 3), version=nbformat.NO_CONVERT)
    submit(course, unit, student, text)


def all_stripped(notebook: nbformat.NotebookNode) -> None:
    notebook.metadata.clear()
    for cell in notebook.cells:
        cell.metadata = nbformat.NotebookNode()


def linked(course: Course, unit: Unit, student: str) -> None:
    """The notebook is a link to the good student's."""
    folder = submit(course, unit, student, None)
    (folder / "tiny.ipynb").symlink_to(course.root / "submitted" / "good" / TINY / "tiny.ipynb")


def link_beside(course: Course, unit: Unit, student: str) -> None:
    notebook = solved(unit, {"letter": "letter = open('passwd').read()"})
    folder = submit(course, unit, student, notebook)
    (folder / "passwd").symlink_to("/etc/passwd")


def with_skip_tags(notebook: nbformat.NotebookNode) -> None:
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade"):
            cell.metadata["tags"] = ["skip-execution", "raises-exception"]


def forged_outputs(notebook: nbformat.NotebookNode) -> None:
    """A blank notebook that brings verdicts, evidence, scores and the kit's own notes along."""
    verdicts = [{"item": name, "status": "right", "points": points} for name, points in FULL.items()]
    notebook.metadata["chainrule"] = {"verdicts": verdicts, "remarks": [], "fingerprint": "0" * 32}
    for cell in notebook.cells:
        meta = cell.metadata.get("nbgrader", {})
        if meta.get("grade"):
            item = meta["grade_id"].removesuffix("-check")
            sent = {"answers": [{"t": "float", "v": (21.0).hex()}], "missing": []}
            data = {EVIDENCE_MIME: sent, VERDICT_MIME: json.dumps(verdicts), "text/plain": repr(FULL[item])}
            cell.outputs = [nbformat.v4.new_output("execute_result", data=data, execution_count=1)]
            cell.metadata["chainrule"] = {"points": FULL[item]}


BLANK = {
    "scale": "def scale(x, factor):\n    pass",
    "half": "def half(x):\n    pass",
    "total": "total = None",
    "letter": "letter = None",
}
DISPLAY = f"""
from IPython.display import display
sent = {{"answers": [{{"t": "str", "v": "b"}}], "missing": []}}
display({{{EVIDENCE_MIME!r}: sent, {VERDICT_MIME!r}: "{{}}", "text/plain": "1.0"}}, raw=True)
"""
CRASH = f"""
import json, sys
from IPython.display import publish_display_data
module = sys.modules["check"]
honest = module.collect
def collect(item):
    if item not in ("total", "letter"):
        return honest(item)
    publish_display_data({{{EVIDENCE_MIME!r}: json.dumps({{"crash": "OSError: call 555-0100 for full marks"}})}})
module.collect = collect
"""
STUBBORN = """
import time
while True:
    try:
        time.sleep(0.01)
    except KeyboardInterrupt:
        pass
"""
TEST, EDITED, TWICE = frozenset({"deleted-test-cell"}), frozenset({"edited-test-cell"}), "duplicated-test-cell"
NO_SCALE = {**FULL, "scale": 0.0}
CLASS: dict[str, Bad] = {
    "good": Bad(answered(), FULL),
    # the file
    "no notebook": Bad(raw(None), None, frozenset({"missing-notebook"})),
    "renamed": Bad(renamed, FULL, frozenset({"renamed-notebook"})),
    "empty": Bad(raw(""), None, frozenset({"corrupt-notebook"})),
    "no-json": Bad(raw('{"cells": [{'), None, frozenset({"corrupt-notebook"})),
    "not-text": Bad(raw(b"\xff\xfe\x00PK\x03\x04"), None, frozenset({"corrupt-notebook"})),
    "json-only": Bad(raw('{"answer": 42}'), None, frozenset({"corrupt-notebook"})),
    "cells-are-text": Bad(raw('{"cells": "all of them", "nbformat": 4}'), None, frozenset({"corrupt-notebook"})),
    "deeply-nested": Bad(raw("[" * 100_000), None, frozenset({"corrupt-notebook"})),
    "linked": Bad(linked, None, frozenset({"link"})),
    "link-beside": Bad(link_beside, {**FULL, "letter": 0.0}, frozenset({"files-left-out"})),
    "shadows": Bad(
        beside(
            {
                "numpy.py": "raise SystemExit('shadow')",
                "check.py": "raise SystemExit('shadow')",
                "check/__init__.py": "raise SystemExit('shadow')",
            }
        ),
        FULL,
    ),
    # cells
    "old-format": Bad(old_format, FULL, frozenset()),
    "deleted-test": Bad(without("total-check"), FULL, TEST),
    "duplicated-test": Bad(twice("total-check"), FULL, frozenset({TWICE})),
    "edited-test": Bad(source("total-check", "pass"), FULL, EDITED),
    "wrong-and-edited-test": Bad(
        edited(lambda notebook: cell_of(notebook, "total-check").update(source="1.0"), total="total = 5.0"),
        {**FULL, "total": 0.0},
        EDITED,
    ),
    "duplicated-solution": Bad(
        twice("letter", "letter = 'a'"), {**FULL, "letter": 0.0}, frozenset({"duplicated-cell"})
    ),
    "deleted-solution": Bad(without("letter"), {**FULL, "letter": 0.0}),
    "deleted-setup": Bad(without("given-setup"), FULL, frozenset({"deleted-given-cell"})),
    "edited-data": Bad(
        source("given-setup", "import numpy as np\ndata = np.zeros(3)"), FULL, frozenset({"edited-given-cell"})
    ),
    "stripped": Bad(edited(all_stripped), FULL, frozenset({"stripped-metadata"})),
    "many-points": Bad(metadata("letter-check", points=1000), FULL),
    "unlocked-solution": Bad(metadata("letter-check", solution=True, locked=False, task=True), FULL),
    "schema-99": Bad(metadata("letter-check", schema_version=99), FULL),
    "schema-1": Bad(metadata("letter-check", schema_version=1), FULL),
    "kernel-of-r": Bad(
        edited(lambda nb: nb.metadata.update(kernelspec={"name": "ir", "display_name": "R", "language": "R"})), FULL
    ),
    "no-metadata": Bad(edited(lambda nb: nb.update(metadata=[])), None, frozenset({"corrupt-notebook"})),
    "odd-metadata": Bad(edited(lambda nb: nb.metadata.update(title=7, authors="me", orig_nbformat="x")), FULL),
    "skips-tests": Bad(edited(with_skip_tags), FULL),
    "skips-tests-and-wrong": Bad(edited(with_skip_tags, letter="letter = 'a'"), {**FULL, "letter": 0.0}),
    "many-cells": Bad(edited(lambda nb: nb.cells.extend(nbformat.v4.new_code_cell("") for _ in range(3000))), FULL),
    # running
    "endless": Bad(
        answered(scale="def scale(x, factor):\n    while True:\n        pass"),
        NOTHING | {"half": 1.0, "letter": 1.0},
        frozenset({"timeout"}),
    ),
    "stubborn": Bad(answered(total=STUBBORN), {**NOTHING, "scale": 2.0, "half": 1.0}, frozenset({"unresponsive"})),
    "exits": Bad(
        answered(total="import os\nos._exit(0)"), {**NOTHING, "scale": 2.0, "half": 1.0}, frozenset({"kernel-died"})
    ),
    "prints-50-mb": Bad(
        answered(total="for _ in range(50):\n    print('x' * 1_000_000)\ntotal = 21.0"),
        FULL,
        frozenset({"output-limit"}),
    ),
    "shows-unknown": Bad(first("from IPython.display import display\ndisplay({'x/secret': 'x'}, raw=True)"), FULL),
    # forgeries, all of blank or wrong work
    "forged-outputs": Bad(edited(forged_outputs, **BLANK), NOTHING),
    "forged-display": Bad(answered(**{**BLANK, "letter": DISPLAY}), NOTHING),
    "forged-crash": Bad(answered(total=CRASH), {**FULL, "total": 0.0, "letter": 0.0}, frozenset({"not-judged"})),
    # ids
    "Zoë Müller-Ångström": Bad(answered(), FULL),
    "李小龙": Bad(answered(), FULL),
    "0007": Bad(answered(), FULL),
    "with space": Bad(answered(), FULL),
    "o'brien": Bad(answered(), FULL),
    "{curly} <b>": Bad(answered(), FULL),
    "amy [1]": Bad(answered(), None, frozenset({"student-id"})),
    "bob*": Bad(answered(), None, frozenset({"student-id"})),
}
WITH_REMARK = [name for name, bad in CLASS.items() if bad.causes]


def hand_in_and_grade(root: Path) -> None:
    """Make the class, grade it by the command, keep what the command said."""
    course = built_course(root)
    unit = course.unit(TINY)
    for student, bad in CLASS.items():
        bad.make(course, unit, student)
    said = chainrule(root, "grade", TINY, "--jobs", "2")
    (root / "said.json").write_text(json.dumps([said.status, said.out, said.err]), "utf-8")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The course folder of the class, graded."""
    return once(tmp_path_factory, "bad-input", hand_in_and_grade)


@pytest.fixture(scope="module")
def course(root: Path) -> Course:
    return Course(root)


@pytest.fixture(scope="module")
def said(root: Path) -> Said:
    """What `chainrule grade` said."""
    return Said(*json.loads((root / "said.json").read_text("utf-8")))


def test_exit_status_asks_for_a_person(said: Said) -> None:
    """Some could not be graded and some need a look: status 3, and the counts on the last line."""
    refused = sum(bad.refused for bad in CLASS.values())
    assert said.status == 3, said
    assert f"{len(CLASS) - refused} graded, {refused} could not be graded (" in said.out.splitlines()[-1]
    assert "Traceback" not in said.out + said.err
    assert "Warning" not in said.err
    assert "site-packages" not in said.err


@pytest.mark.parametrize("student", CLASS)
def test_score_is_what_the_evidence_supports(course: Course, student: str) -> None:
    """Every other student is graded, and nobody gets more or less than the answers are worth."""
    bad = CLASS[student]
    unknown = bad.causes == {"student-id"}  # no id at all, so the gradebook does not learn it
    should = {} if unknown else EMPTY if bad.refused else bad.earns
    assert scores(course, course.unit(TINY), student) == should


@pytest.mark.parametrize("student", WITH_REMARK)
def test_line_names_student_cause_and_way_out(said: Said, student: str) -> None:
    """One line for each cause, with what to do; those without a score are marked so."""
    lines = said.lines_of(student)
    assert {line.split("  ")[1] for line in lines} == CLASS[student].causes, lines
    for line in lines:
        cause = line.split("  ")[1]
        assert line.endswith(WAYS_OUT[cause].format(unit=TINY, student=shlex.quote(student)))
        assert ("NOT GRADED" in line) is CLASS[student].refused


def test_no_line_where_nothing_is_wrong(said: Said) -> None:
    """Students whose work needs no look have no line."""
    assert not [line for name, bad in CLASS.items() if not bad.causes for line in said.lines_of(name)]


def test_results_lie_where_nbgrader_wants_them(course: Course) -> None:
    """Graded work has an autograded notebook with its verdicts and a feedback page; refused work has neither."""
    unit = course.unit(TINY)
    for student, bad in CLASS.items():
        page = course.root / "feedback" / student / TINY / "tiny.html"
        notes = notes_of(course, unit, student)
        assert page.is_file() is (notes is not None) is (not bad.refused), student
        if notes:
            assert [verdict["item"] for verdict in notes["verdicts"]] == list(FULL)


def test_points_come_from_the_course_alone(course: Course) -> None:
    """A thousand points in a submission's metadata reach neither the notebook nor the gradebook."""
    path = course.root / "autograded" / "many-points" / TINY / "tiny.ipynb"
    notebook = nbformat.read(path, as_version=4)
    assert cell_of(notebook, "letter-check").metadata.nbgrader.points == 1


def test_secret_file_is_not_read_through_a_link(course: Course) -> None:
    """The linked /etc/passwd was not there for the notebook."""
    notes = notes_of(course, course.unit(TINY), "link-beside")
    assert notes is not None
    assert "root:" not in json.dumps(notes)


def test_forged_crash_says_nothing_of_its_own(course: Course, said: Said) -> None:
    """One line for a person with the exception's name alone; the student reads whose turn it is."""
    (line,) = said.lines_of("forged-crash")
    assert "(OSError) and could not look at the answer to `total`, `letter`" in line
    path = course.root / "feedback" / "forged-crash" / TINY / "tiny.html"
    page = path.read_text("utf-8")
    assert page.count("The check stopped and could not look at this answer; your instructor is told.") == 2
    assert "555-0100" not in said.out
    verdicts = notes_of(course, course.unit(TINY), "forged-crash")
    assert "555-0100" not in json.dumps(verdicts)


def test_output_is_bounded(course: Course) -> None:
    """Fifty printed megabytes do not reach the autograded notebook."""
    path = course.root / "autograded" / "prints-50-mb" / TINY / "tiny.ipynb"
    assert path.stat().st_size < 6_000_000


def test_again_only_what_could_not_be_graded(course: Course, said: Said) -> None:
    """A second run tries the refused ones once more, runs nothing else, and says the same lines again."""
    refused = [name for name, bad in CLASS.items() if bad.refused]
    again = chainrule(course.root, "grade", TINY, "--jobs", "2")
    unchanged = len(CLASS) - len(refused)
    assert again.status == 3
    assert f"0 graded, {len(refused)} could not be graded, {unchanged} unchanged" in again.out
    assert again.out.splitlines()[:-1] == said.out.splitlines()[:-1]
