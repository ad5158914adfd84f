"""`nbgrader autograde` and the formgrader's button refuse what `chainrule grade` refuses, with a clear word."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory

from chainrule.course import Course, Unit
from chainrule.grading import submission
from chainrule.grading.plan import notes_of
from chainrule.nbgrading import course_config
from helpers import CLASS_SCORES, EMPTY, FULL, TINY, cell_of, graded_course, once, scores, solved, submit

# nbgrader's own queries make SQLAlchemy warn of nothing that matters
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")


@pytest.fixture
def course(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Course:
    """A copy of the small course with its class of three, graded."""
    shutil.copytree(once(tmp_path_factory, "graded", graded_course), tmp_path / "course")
    return Course((tmp_path / "course").resolve())


@pytest.fixture
def unit(course: Course) -> Unit:
    return course.unit(TINY)


def press(course: Course, student: str) -> dict[str, object]:
    """What the formgrader's button does, and what it is answered."""
    config = course_config(course.root)
    done: dict[str, object] = NbGraderAPI(CourseDirectory(config=config), config=config).autograde(TINY, student)
    return done


def of_amy(course: Course) -> Path:
    return course.root / "submitted" / "amy" / TINY


def link_the_unit(course: Course) -> str:
    (course.root / "submitted" / "eve").mkdir()
    (course.root / "submitted" / "eve" / TINY).symlink_to(of_amy(course))
    return "eve"


def link_the_student(course: Course) -> str:
    (course.root / "submitted" / "eve").symlink_to(of_amy(course).parent)
    return "eve"


def link_the_notebook(course: Course) -> str:
    folder = course.root / "submitted" / "eve" / TINY
    folder.mkdir(parents=True)
    (folder / "tiny.ipynb").symlink_to(of_amy(course) / "tiny.ipynb")
    return "eve"


def two_spaces(course: Course) -> str:
    (course.root / "submitted" / "amy").rename(course.root / "submitted" / "amy  lee")
    return "amy  lee"


def escapes(course: Course) -> str:
    (course.root / "submitted" / "amy").rename(course.root / "submitted" / "amy\x1bc")
    return "amy\x1bc"


def much(course: Course) -> str:
    (of_amy(course) / "data.bin").write_bytes(b"0" * 2000)
    return "amy"


REFUSED = {
    link_the_unit: "submitted/eve/91-tiny is a link, which is not followed. Put the work itself there",
    link_the_student: "submitted/eve/91-tiny is a link, which is not followed. Put the work itself there",
    link_the_notebook: "tiny.ipynb is a link, which is not followed. Put the work itself there",
    two_spaces: "has outer or double spaces or one of * ? [ in its name. Rename the folder to the student's id",
    escapes: "has a name that is not text which can be printed. Rename the folder to the student's id",
    much: "Clear outputs, remove data files and empty cells, then: chainrule grade 91-tiny --student amy",
}


@pytest.mark.parametrize("make", REFUSED, ids=lambda make: make.__name__)
def test_refused_with_a_way_out(course: Course, monkeypatch: pytest.MonkeyPatch, make: Callable[[Course], str]) -> None:
    """No score, not the old one and not another's; nothing of what nbgrader had copied stays."""
    monkeypatch.setattr(submission, "MAX_BYTES", 20_000)
    student = make(course)
    done = press(course, student)
    assert not done["success"]
    assert REFUSED[make] in str(done["log"])
    assert not (course.root / "autograded" / student / TINY).exists()
    assert set(scores(course, course.unit(TINY), student).values()) <= {None}


@pytest.mark.parametrize("text", ["{", "[]"])
def test_notebook_that_cannot_be_read(course: Course, text: str) -> None:
    """nbgrader fails at it before any preprocessor is asked; the score is not the old one's."""
    (of_amy(course) / "tiny.ipynb").write_text(text)
    assert not press(course, "amy")["success"]
    assert scores(course, course.unit(TINY), "amy") == EMPTY
    assert scores(course, course.unit(TINY), "bob") == CLASS_SCORES["bob"]


def test_next_one_is_graded(course: Course) -> None:
    """All at once, by nbgrader's own command: one that is refused leaves the others as they should be."""
    link_the_unit(course)
    shutil.rmtree(course.root / "autograded")
    done = press(course, "*")
    assert not done["success"]
    unit = course.unit(TINY)
    assert scores(course, unit, "amy") == FULL
    assert (course.root / "autograded" / "cy" / TINY / "tiny.ipynb").exists()
    assert scores(course, unit, "eve") in ({}, EMPTY)


READS = """\
import pathlib
for name in ("data.csv", "secret", "deep/secret"):
    path = pathlib.Path(name)
    print(name, path.read_text() if path.exists() else "is not there")
"""


def test_what_a_link_leads_to_is_not_handed_to_the_student(course: Course, unit: Unit) -> None:
    """nbgrader copies it beside the notebook; it is gone before the notebook runs, and a remark says so."""
    work = solved(unit)
    work.cells.append(new_code_cell(READS))
    folder = submit(course, unit, "eve", work)
    (folder / "data.csv").write_text("1,2")
    (folder / "deep").mkdir()
    for name in ("secret", "deep/secret"):
        (folder / name).symlink_to(course.gradebook / "secret")
    assert press(course, "eve")["success"]
    graded = course.root / "autograded" / "eve" / TINY
    said = nbformat.read(graded / "tiny.ipynb", as_version=4).cells[-1].outputs[0].text
    assert said == "data.csv 1,2\nsecret is not there\ndeep/secret is not there\n"
    assert sorted(path.name for path in graded.iterdir() if path.is_file()) == [
        "check.py",
        "check_data.json",
        "data.csv",
        "tiny.ipynb",
    ]
    notes = notes_of(course, unit, "eve")
    assert notes is not None
    assert {(remark["cause"], remark["where"]) for remark in notes["remarks"]} == {
        ("files-left-out", "secret"),
        ("files-left-out", "deep/secret"),
    }
    assert scores(course, unit, "eve") == FULL


def test_edited_cells_are_still_remarked(course: Course, unit: Unit) -> None:
    """Remarks on the files and on the cells stand side by side."""
    work = solved(unit)
    cell_of(work, "half-check").source = "pass"
    folder = submit(course, unit, "eve", work)
    (folder / "secret").symlink_to(course.gradebook / "secret")
    assert press(course, "eve")["success"]
    notes = notes_of(course, unit, "eve")
    assert notes is not None
    assert [remark["cause"] for remark in notes["remarks"]] == ["files-left-out", "edited-test-cell"]
