"""Each submission is looked at by itself: what can be graded is copied, what cannot is refused in plain words."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import nbformat
import pytest

from chainrule.course import Unit
from chainrule.errors import SubmissionError
from chainrule.grading import submission
from chainrule.grading.preflight import MAX_CELLS, MAX_ENTRIES, notebook_of, read
from chainrule.grading.remark import Remark
from chainrule.grading.submission import Standing, Submission, expect_usable_id, read_submission
from helpers import solved


@pytest.fixture
def submitted(tiny: Unit, tmp_path: Path) -> Path:
    """A folder with a solved notebook and a data file."""
    folder = tmp_path / "submitted"
    folder.mkdir()
    nbformat.write(solved(tiny), folder / "tiny.ipynb")
    (folder / "data.csv").write_text("1,2\n")
    return folder


def taken(submitted: Path) -> Submission:
    return read_submission("amy", submitted, Standing())


def remarks(tiny: Unit, submitted: Path) -> tuple[Remark, ...]:
    return notebook_of(tiny, taken(submitted))[1]


def test_what_is_read_is_what_was_handed_in(tiny: Unit, submitted: Path) -> None:
    """The notebook and the files beside it, byte for byte, with nothing to remark."""
    (submitted / "sub").mkdir()
    (submitted / "sub" / "more.txt").write_text("more")
    files = taken(submitted).files
    assert [name for name, _ in files] == ["data.csv", "sub/more.txt", "tiny.ipynb"]
    assert all((submitted / name).read_bytes() == content for name, content in files)
    assert remarks(tiny, submitted) == ()


def test_other_notebooks_are_not_graded(tiny: Unit, submitted: Path) -> None:
    """A second notebook beside the right one is not what is graded."""
    (submitted / "old.ipynb").write_text(nbformat.writes(nbformat.v4.new_notebook()))
    assert len(notebook_of(tiny, taken(submitted))[0].cells) == len(solved(tiny).cells)


@pytest.mark.parametrize("name", ["Tiny.ipynb", "tiny-1.ipynb", "sub/tiny.ipynb", "91-tiny.ipynb"])
def test_renamed_notebook_is_found_by_its_test_cells(tiny: Unit, submitted: Path, name: str) -> None:
    """One notebook with the unit's test cells is the one; the line says under which name it was found."""
    (submitted / name).parent.mkdir(exist_ok=True)
    (submitted / "tiny.ipynb").rename(submitted / name)
    assert [(remark.cause, remark.where) for remark in remarks(tiny, submitted)] == [("renamed-notebook", name)]


def test_two_candidates_are_none(tiny: Unit, submitted: Path) -> None:
    """Which of two is meant, nobody can tell; both are named."""
    text = (submitted / "tiny.ipynb").read_text()
    (submitted / "tiny.ipynb").unlink()
    for name in ("one.ipynb", "two.ipynb"):
        (submitted / name).write_text(text)
    with pytest.raises(SubmissionError, match=r"found one\.ipynb, two\.ipynb") as caught:
        remarks(tiny, submitted)
    assert caught.value.cause == "missing-notebook"


def test_notebook_of_another_unit_is_not_taken(tiny: Unit, submitted: Path) -> None:
    """A notebook without this unit's test cells is named, not graded."""
    (submitted / "tiny.ipynb").unlink()
    nbformat.write(nbformat.v4.new_notebook(), submitted / "other.ipynb")
    with pytest.raises(SubmissionError, match=r"found other\.ipynb"):
        remarks(tiny, submitted)


def test_name_that_is_no_text(tiny: Unit, submitted: Path) -> None:
    """A file name in another encoding is graded, and shown in a form that every terminal takes."""
    (submitted / "tiny.ipynb").rename(submitted / os.fsdecode(b"M\xfcller.ipynb"))
    (remark,) = remarks(tiny, submitted)
    assert remark.where == "M\\udcfcller.ipynb"
    json.dumps(remark.to_json(), ensure_ascii=False).encode("utf-8")


def test_linked_notebook_is_refused(tiny: Unit, submitted: Path) -> None:
    """A link in the notebook's place could be somebody else's work."""
    (submitted / "tiny.ipynb").rename(submitted.with_name("elsewhere.ipynb"))
    (submitted / "tiny.ipynb").symlink_to(submitted.with_name("elsewhere.ipynb"))
    with pytest.raises(SubmissionError) as caught:
        remarks(tiny, submitted)
    assert caught.value.cause == "link"


@pytest.mark.parametrize("target", ["/etc/passwd", "/etc", "nowhere"])
def test_link_beside_is_left_out_and_told(tiny: Unit, submitted: Path, target: str) -> None:
    """A link to a file, a folder or nothing is not followed; the rest is graded, and a line says so."""
    (submitted / "secrets").symlink_to(target)
    assert [(remark.cause, remark.where) for remark in remarks(tiny, submitted)] == [("files-left-out", "secrets")]
    assert [name for name, _ in taken(submitted).files] == ["data.csv", "tiny.ipynb"]


@pytest.mark.parametrize("whose", ["the submission", "the student"])
def test_linked_folder_is_refused(submitted: Path, tmp_path: Path, whose: str) -> None:
    """What lies there is somebody else's work, whole as it is."""
    theirs, mine = tmp_path / "mate" / "91-tiny", tmp_path / "amy" / "91-tiny"
    theirs.parent.mkdir()
    submitted.rename(theirs)
    if whose == "the submission":
        mine.parent.mkdir()
    link = mine if whose == "the submission" else mine.parent
    link.symlink_to(theirs if link == mine else theirs.parent)
    with pytest.raises(SubmissionError) as caught:
        taken(mine)
    assert caught.value.cause == "link"
    assert len(taken(theirs).files) == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("closed", ["tiny.ipynb", "."])
def test_closed_work_is_refused(tiny: Unit, submitted: Path, closed: str) -> None:
    """A notebook or a folder without the right to read it is named as that, not as missing."""
    (submitted / closed).chmod(0)
    try:
        with pytest.raises(SubmissionError) as caught:
            remarks(tiny, submitted)
    finally:
        (submitted / closed).chmod(0o755)
    assert caught.value.cause == "unreadable"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("closed", ["data.csv", "sub"])
def test_closed_file_is_left_out_and_told(tiny: Unit, submitted: Path, closed: str) -> None:
    """What cannot be read beside the notebook is left out, a folder as a whole."""
    (submitted / "sub").mkdir()
    (submitted / closed).chmod(0)
    try:
        assert [(remark.cause, remark.where) for remark in remarks(tiny, submitted)] == [("files-left-out", closed)]
    finally:
        (submitted / closed).chmod(0o755)


@pytest.mark.parametrize("depth", [5, 600])
def test_path_too_long_is_left_out_and_told(tiny: Unit, submitted: Path, depth: int) -> None:
    """What has no room behind our own folders' paths is left out as soon as that shows, and stops nothing."""
    name = "d" * (1 if depth > 5 else 250)
    at = os.open(submitted, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir(name, dir_fd=at)
        below = os.open(name, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.close(at)
    try:
        (remark,) = remarks(tiny, submitted)
        assert remark.cause == "files-left-out"
        assert [name for name, _ in taken(submitted).files] == ["data.csv", "tiny.ipynb"]
    finally:  # Python's own way goes down by recursion: pytest could not tidy up after us
        subprocess.run(["rm", "-rf", submitted], check=True)


def test_names_are_shown_in_one_line(tiny: Unit, submitted: Path) -> None:
    """Escapes, line ends and marks that turn the writing round are spelled out."""
    (submitted / "\x1b[2Ja\nb\u202e").symlink_to("nowhere")
    assert [remark.where for remark in remarks(tiny, submitted)] == ["\\x1b[2Ja\\nb\\u202e"]


def test_pipe_is_left_out(tiny: Unit, submitted: Path) -> None:
    """A named pipe would block whoever reads it."""
    os.mkfifo(submitted / "pipe")
    assert [(remark.cause, remark.where) for remark in remarks(tiny, submitted)] == [("files-left-out", "pipe")]


def test_checkpoints_are_not_looked_at(tiny: Unit, submitted: Path) -> None:
    """Jupyter's own copies are neither candidates nor copied."""
    (submitted / ".ipynb_checkpoints").mkdir()
    (submitted / ".ipynb_checkpoints" / "tiny-checkpoint.ipynb").write_text((submitted / "tiny.ipynb").read_text())
    assert remarks(tiny, submitted) == ()
    (submitted / "tiny.ipynb").unlink()
    with pytest.raises(SubmissionError, match="no notebook at all"):
        remarks(tiny, submitted)


def test_too_large(tiny: Unit, submitted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files above the limit are refused; at the limit they pass."""
    size = sum(path.stat().st_size for path in submitted.iterdir())
    monkeypatch.setattr(submission, "MAX_BYTES", size - 1)
    with pytest.raises(SubmissionError) as caught:
        remarks(tiny, submitted)
    assert caught.value.cause == "too-large"
    monkeypatch.setattr(submission, "MAX_BYTES", size)
    assert len(taken(submitted).files) == 2


@pytest.mark.parametrize("place", ["cells", "metadata", "outputs"])
def test_too_many_parts(place: str) -> None:
    """What is small for a file may be much for all that walks through a notebook."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])
    if place == "cells":
        notebook.cells = [{"cell_type": "raw", "source": "", "metadata": {}}] * (MAX_CELLS + 1)
    elif place == "metadata":
        notebook.metadata["x"] = {"y": [0] * MAX_ENTRIES}
    else:
        notebook.cells[0].outputs = [nbformat.v4.new_output("stream", text="")] * (MAX_ENTRIES // 3)
    with pytest.raises(SubmissionError) as caught:
        read("tiny.ipynb", json.dumps(notebook).encode())
    assert caught.value.cause == "too-large"


def test_many_parts_pass() -> None:
    """Many cells, and a large table among the outputs."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1") for _ in range(MAX_CELLS)])
    table = {"application/json": [[0.5] * 100] * 1000}
    notebook.cells[0].outputs = [nbformat.v4.new_output("display_data", table)]
    assert len(read("tiny.ipynb", json.dumps(notebook).encode()).cells) == MAX_CELLS


CELLS = '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": '


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"  \n\t", "is empty"),
        (b"\x89PNG\r\n\x1a\n", "is not text"),
        (b'{"cells": [', "is not JSON (line 1, column 12"),
        (b"<!DOCTYPE html><p>Sign in", "is not JSON"),
        (b"[1, 2]", "is JSON, but no notebook"),
        (b"null", "is JSON, but no notebook"),
        (b'{"answer": 42}', "is JSON, but no notebook"),
        (b"[" * 200_000, "is nested too deeply"),
        (b'{"cells": [], "nbformat": ' + b"4" * 9999 + b"}", "holds a number that is too long"),
        (b'{"cells": []}', "is JSON, but no notebook"),
        (b'{"cells": [], "nbformat": "4"}', "is JSON, but no notebook"),
        (b'{"cells": [], "nbformat": 99}', "is no valid notebook"),
        (f"{CELLS}7}}".encode(), "is no valid notebook"),
        (f'{CELLS}["print(1)"]}}'.encode(), "is no valid notebook"),
        (f'{CELLS}[{{"cell_type": "code"}}]}}'.encode(), "is no valid notebook"),
        (f'{CELLS}[{{"cell_type": "virus", "source": "", "metadata": {{}}}}]}}'.encode(), "is no valid notebook"),
        (f'{CELLS}[{{"cell_type": "code", "source": 7, "metadata": {{}}}}]}}'.encode(), "is no valid notebook"),
        (f'{CELLS}[{{"cell_type": "code", "source": "", "metadata": []}}]}}'.encode(), "is no valid notebook"),
    ],
)
def test_damaged_notebook_is_refused_in_plain_words(content: bytes, says: str) -> None:
    """Each kind of damage has its own sentence, and one type."""
    with pytest.raises(SubmissionError) as caught:
        read("tiny.ipynb", content)
    assert caught.value.cause == "corrupt-notebook"
    assert says in str(caught.value)


@pytest.mark.parametrize("version", [3, 4])
def test_older_formats_are_read(tiny: Unit, version: int) -> None:
    """A notebook of an older format has the same code cells."""
    old = nbformat.convert(solved(tiny), version)
    content = nbformat.writes(old, version=nbformat.NO_CONVERT).encode("utf-8")
    sources = [cell.source for cell in read("tiny.ipynb", content).cells if cell.cell_type == "code"]
    assert sources == [cell.source for cell in solved(tiny).cells if cell.cell_type == "code"]


@pytest.mark.parametrize(
    "student",
    [
        "a*",
        "q?",
        "amy [1]",
        " tail",
        "tail ",
        "amy  link  x",
        os.fsdecode(b"\xff\xfe"),
        "a\x1b[2J",
        "a\nb",
        "a\u202eb",
        "i" * 129,
    ],
)
def test_folder_that_names_no_student(student: str) -> None:
    """nbgrader looks for folders by pattern and stores text: what it cannot find again is refused by name."""
    with pytest.raises(SubmissionError, match="submitted/") as caught:
        expect_usable_id(student)
    assert caught.value.cause == "student-id"
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "student", ["0007", "Zoë Müller", "李小龙", "x+y@uni.edu", "o'brien", "-dash", "{curly}", "李" * 80]
)
def test_unusual_ids_are_ids(student: str) -> None:
    """Leading zeros, spaces inside, other scripts and punctuation are nothing special."""
    expect_usable_id(student)
