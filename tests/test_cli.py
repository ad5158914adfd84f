"""The commands as a person types them: what they print, where it goes, and how they end."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from chainrule.course import Course, Unit
from chainrule.grading import database, judging, pool, sandbox, worker
from chainrule.grading.plan import notes_of
from helpers import (
    BOB,
    CLASS_SCORES,
    EMPTY,
    FULL,
    ITEMS,
    TINY,
    built_course,
    chainrule,
    chainrule_here,
    graded_course,
    once,
    scores,
    solved,
    submit,
    write_course,
)


@pytest.fixture
def graded(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Course:
    """A copy of a course with amy (all right), bob (a known mistake) and cy (blank) graded."""
    shutil.copytree(once(tmp_path_factory, "graded", graded_course), tmp_path / "course")
    return Course((tmp_path / "course").resolve())


@pytest.fixture
def unit(graded: Course) -> Unit:
    return graded.unit(TINY)


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The students whose notebooks were run, in order, when grading runs in this process."""
    students: list[str] = []
    grade = worker.grade

    def noted(job: worker.Job, submission: worker.Submission) -> worker.Graded:
        students.append(submission.student)
        return grade(job, submission)

    monkeypatch.setattr(worker, "grade", noted)
    return students


@pytest.fixture
def no_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which no bwrap is found."""
    sandbox.find_sandbox.cache_clear()
    monkeypatch.setattr(sandbox, "_candidates", lambda: iter(()))
    monkeypatch.setattr(pool, "find_sandbox", sandbox.find_sandbox)


def files(folder: Path) -> dict[str, bytes]:
    """What lies in a folder, but for the lock, which names the last grader."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def all_scores(course: Course) -> dict[str, dict[str, float | None]]:
    return {student: scores(course, course.unit(TINY), student) for student in CLASS_SCORES}


# --------------------------------------------------------------------------- grade


def test_first_grading(graded: Course) -> None:
    """Everyone has the scores that the answers are worth, and a feedback page."""
    assert all_scores(graded) == CLASS_SCORES
    assert all((graded.root / "feedback" / student / TINY / "tiny.html").is_file() for student in CLASS_SCORES)


def test_unchanged_is_not_run_again(graded: Course, ran: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is run and nothing is written; the line says how many were left as they are."""
    before = files(graded.root)
    said = chainrule_here(monkeypatch, graded.root, "grade", TINY)
    assert (said.status, ran) == (0, [])
    assert f"{TINY}: 0 graded, 3 unchanged" in said.out
    assert files(graded.root) == before


def test_changed_student_is_run_again(graded: Course, ran: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Bob mends his answer: he alone is run, and the new score is in."""
    submit(graded, graded.unit(TINY), "bob", solved(graded.unit(TINY)))
    said = chainrule_here(monkeypatch, graded.root, "grade", "91")
    assert (said.status, ran) == (0, ["bob"]), said
    assert "1 graded, 2 unchanged" in said.out
    assert all_scores(graded) == {**CLASS_SCORES, "bob": FULL}


def test_fresh_with_one_student(graded: Course, ran: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """--fresh takes the unchanged, --student this one alone; the scores stay the same: cases are drawn once."""
    before = notes_of(graded, graded.unit(TINY), "bob")
    said = chainrule_here(monkeypatch, graded.root, "grade", TINY, "--fresh", "--student", "bob")
    assert (said.status, ran) == (0, ["bob"]), said
    assert notes_of(graded, graded.unit(TINY), "bob") == before
    assert all_scores(graded) == CLASS_SCORES


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["grade", TINY, "--student", "nobody"], ["nobody", f"submitted/nobody/{TINY}"]),
        (["grade", "92-nothing"], ["92-nothing", TINY]),
        (["grade"], ["Missing argument"]),
        (["grade", TINY, "--jobs", "0"], ["jobs"]),
        (["student", TINY, "nobody"], [f"chainrule grade {TINY} --student nobody"]),
        (["report", "92"], ["92", TINY]),
    ],
)
def test_usage_is_status_2(graded: Course, words: list[str], says: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What was asked for is not there: the message names it and what there is; nothing is written."""
    before = files(graded.root)
    said = chainrule_here(monkeypatch, graded.root, *words)
    assert said.status == 2
    assert [word for word in says if word not in said.err] == [], said.err
    assert files(graded.root) == before


def test_no_course_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside of a course, the message says which file makes one."""
    said = chainrule_here(monkeypatch, tmp_path, "grade", TINY)
    assert said.status == 2
    assert "nbgrader_config.py" in said.err


def test_course_is_found_from_within(graded: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands work in any folder of the course."""
    said = chainrule_here(monkeypatch, graded.root / "submitted" / "amy", "grade", TINY)
    assert (said.status, "3 unchanged" in said.out) == (0, True)


def test_no_sandbox_stops_before_any_work(
    graded: Course, ran: list[str], no_sandbox: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Status 1, the reason, the way out; no notebook is run and no file is touched."""
    submit(graded, graded.unit(TINY), "bob", solved(graded.unit(TINY)))
    before = files(graded.root)
    said = chainrule_here(monkeypatch, graded.root, "grade", TINY)
    assert (said.status, ran) == (1, [])
    assert all(word in said.err for word in ("No sandbox works", "apt-get install bubblewrap", "--trust-students"))
    assert files(graded.root) == before


def test_trust_students_goes_on_without(
    graded: Course, ran: list[str], no_sandbox: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the explicit word runs students' code without walls, to the same scores."""
    said = chainrule_here(
        monkeypatch, graded.root, "grade", TINY, "--trust-students", "--fresh", "--student", "amy", "--student", "bob"
    )
    assert (said.status, ran) == (0, ["amy", "bob"]), said
    assert all_scores(graded) == CLASS_SCORES


def test_kit_fault_is_told_and_is_no_score(graded: Course, unit: Unit, monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge breaks on bob: status 1, his old scores are emptied and not zero, and amy is graded."""
    judge = judging.judge_unit

    def breaks(unit: Unit, evidence: Any, drawn: Any) -> Any:
        verdicts = judge(unit, evidence, drawn)
        return verdicts if verdicts["scale"].full else 1 / 0

    monkeypatch.setattr(judging, "judge_unit", breaks)
    said = chainrule_here(monkeypatch, graded.root, "grade", TINY, "--fresh", "--student", "amy", "--student", "bob")
    assert said.status == 1
    (line,) = said.lines_of("bob")
    assert all(word in line for word in ("kit-fault", "NOT GRADED", "ZeroDivisionError", f"chainrule verify {TINY}"))
    assert "1 graded, 1 failed by the kit's fault" in said.out
    assert all_scores(graded) == {**CLASS_SCORES, "bob": EMPTY}
    assert notes_of(graded, unit, "bob") is None
    assert not (graded.root / "feedback" / "bob" / TINY).exists()


def test_half_judged_is_a_kit_fault(graded: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """A judge that forgets an item cannot leave the cell's own output, or nothing, as its score."""
    judge = judging.judge_unit
    monkeypatch.setattr(judging, "judge_unit", lambda *args: {k: v for k, v in judge(*args).items() if k != "total"})
    said = chainrule_here(monkeypatch, graded.root, "grade", TINY, "--fresh", "--student", "amy")
    assert said.status == 1
    assert scores(graded, graded.unit(TINY), "amy") == EMPTY


def test_corrupt_resubmission_empties_the_score(graded: Course, unit: Unit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bob's new notebook cannot be read: the old score is of other work, and a person is asked."""
    submit(graded, unit, "bob", '{"cells": [')
    said = chainrule_here(monkeypatch, graded.root, "grade", TINY)
    assert said.status == 3
    assert all_scores(graded) == {**CLASS_SCORES, "bob": EMPTY}
    assert not (graded.root / "autograded" / "bob" / TINY).exists()
    assert not (graded.root / "feedback" / "bob" / TINY).exists()


def test_corrupt_gradebook_is_left_as_it_is(graded: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a byte of it, or of anything else, is written; the way out is said."""
    (graded.gradebook / "gradebook.db").write_bytes(b"not a database" * 999)
    before = files(graded.root)
    said = chainrule_here(monkeypatch, graded.root, "grade", TINY, "--fresh")
    assert said.status == 2
    assert "put your backup back" in said.err
    assert "Traceback" not in said.err
    assert files(graded.root) == before


def test_two_users_of_one_gradebook(graded: Course, unit: Unit, monkeypatch: pytest.MonkeyPatch) -> None:
    """The formgrader holds the gradebook while bob's score is to be written: it is waited for."""
    submit(graded, unit, "bob", solved(unit))
    waits: list[float] = []
    with closing(sqlite3.connect(graded.gradebook / "gradebook.db")) as formgrader:
        grade = worker.grade

        def then_locked(job: worker.Job, submission: worker.Submission) -> worker.Graded:
            outcome = grade(job, submission)
            formgrader.execute("begin exclusive")
            return outcome

        def sleep(seconds: float) -> None:
            waits.append(seconds)
            formgrader.rollback()

        monkeypatch.setattr(worker, "grade", then_locked)
        monkeypatch.setattr(database, "time", SimpleNamespace(sleep=sleep, monotonic=time.monotonic))
        said = chainrule_here(monkeypatch, graded.root, "grade", TINY)
    assert (said.status, len(waits)) == (0, 1), said
    assert scores(graded, unit, "bob") == FULL


def test_wrong_course_toml_is_named(graded: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit that is none, or a line that is no TOML, is said with its file."""
    wrong = ("[limits]\ncell_secs = 3\n", "[limits]\ncell_seconds = -1\n", "[limits\n")
    for text in (*wrong, "[grading]\npicture = false\n", "[grading]\npictures = 0\n", "grading = 3\n"):
        (graded.root / "course.toml").write_text(text)
        said = chainrule_here(monkeypatch, graded.root, "grade", TINY)
        assert said.status == 2, text
        assert "course.toml" in said.err, text


# --------------------------------------------------------------------------- the others


def test_student_prints_verdicts(graded: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """Item by item: points, the mistake in words, what follows from it, the sum."""
    said = chainrule_here(monkeypatch, graded.root, "student", TINY, "bob")
    assert said.status == 0
    assert "scale: 1 of 2 (a known mistake)" in said.out
    assert "The factor was added." in said.out
    assert "total: 1 of 1 (right, given your earlier answer)" in said.out
    assert f"total: {sum(CLASS_SCORES['bob'].values()):g} of {sum(FULL.values()):g}" in said.out


def test_names_reach_no_terminal_as_commands(graded: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """Escapes, codes of pictures and Rich's own markup are printed as they are, in results and in errors."""
    name = "\x1b[31m:bug:[red]"
    said = chainrule_here(monkeypatch, graded.root, "student", TINY, name)
    assert (said.status, "nothing graded of \\x1b[31m:bug:[red] in" in said.err) == (2, True), said
    submit(graded, graded.unit(TINY), name, '{"cells": [')
    said = chainrule_here(monkeypatch, graded.root, "grade", TINY)
    assert (said.status, len(said.lines_of("\\x1b[31m:bug:[red]"))) == (3, 1), said
    assert "\x1b" not in said.out


def test_report_prints_and_writes(graded: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tables hold the class's numbers, the CSV one line a student and item."""
    said = chainrule_here(monkeypatch, graded.root, "report")
    assert said.status == 0
    assert "added (1)" in said.out
    assert "1 of 3" in said.out  # full marks in scale: amy alone
    table = pd.read_csv(graded.gradebook / "report" / f"{TINY}.csv", dtype={"student": str}, keep_default_na=False)
    found = {(row.student, row.item): float(row.points) for row in table.itertuples()}
    assert found == {(name, item): points for name, marks in CLASS_SCORES.items() for item, points in marks.items()}


def test_report_of_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the first grading the report says so, and makes no gradebook."""
    course = built_course(tmp_path)
    said = chainrule_here(monkeypatch, course.root, "report")
    assert (said.status, "nothing graded yet" in said.out) == (0, True)


def test_verify_passes_and_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Status 0 with a table; with a wrong equivalent status 1 and a line that names it; --json is data."""
    good, bad = (
        built_course(tmp_path / "good"),
        write_course(tmp_path / "bad", ITEMS.replace("factor * entry for entry", "factor * entry + 1 for entry")),
    )
    assert chainrule_here(monkeypatch, bad.root, "build").status == 0
    said = chainrule_here(monkeypatch, good.root, "verify", "--cases", "3")
    assert said.status == 0, said
    assert "2/2" in said.out
    said = chainrule_here(monkeypatch, bad.root, "verify", "--cases", "3")
    assert said.status == 1
    assert "scale: equivalent loop" in said.out
    said = chainrule_here(monkeypatch, bad.root, "verify", "--cases", "3", "--json")
    assert said.status == 1
    reports = json.loads(said.out)[TINY]
    assert {report["item"]: bool(report["problems"]) for report in reports} == {name: name == "scale" for name in FULL}


def test_build_prints_what_it_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six files, by their place in the course."""
    course = write_course(tmp_path)
    said = chainrule_here(monkeypatch, course.root, "build", "91")
    names = ("check.py", "check_data.json", "tiny.ipynb")
    assert said.status == 0
    assert sorted(said.out.split()) == sorted(
        f"{room}/{TINY}/{name}" for room in ("source", "release") for name in names
    )


def test_command_itself(graded: Course) -> None:
    """In a process of its own: the progress bar and errors go to the error stream, results to the other."""
    submit(graded, graded.unit(TINY), "dee", solved(graded.unit(TINY), BOB))
    said = chainrule(graded.root, "grade", TINY, "--jobs", "2")
    assert said.status == 0
    assert said.out.startswith(f"{TINY}: 1 graded, 3 unchanged (")
    assert "1/1" in said.err
    assert scores(graded, graded.unit(TINY), "dee") == CLASS_SCORES["bob"]
    helped = chainrule(graded.root)
    commands = ("build", "verify", "grade", "student", "report", "demo", "doctor")
    assert all(command in helped.out + helped.err for command in commands)
