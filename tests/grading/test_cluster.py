"""Grading on a Dask cluster: the same results as here, and a worker that is lost costs a retry."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from chainrule.course import Course
from chainrule.errors import CourseError
from chainrule.grading import cluster
from chainrule.grading.bundle import pack
from chainrule.grading.outcome import Graded, Job
from chainrule.grading.pool import grade_unit
from chainrule.grading.submission import Standing, Submission, read_submission
from helpers import FULL, TINY, chainrule_here, scores, solved, submit

distributed = pytest.importorskip("distributed", reason="Dask is not installed: pip install -e .[cluster]")
STUDENTS = [f"s{number}" for number in range(6)]


@pytest.fixture(scope="module")
def running() -> Iterator[Any]:
    """A small cluster of processes on this machine."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    ) as made:
        yield made


@pytest.fixture
def course(own: Course) -> Course:
    """A class, all of whom solved everything, but one whose notebook is none."""
    unit = own.unit(TINY)
    for student in STUDENTS:
        submit(own, unit, student, solved(unit))
    submit(own, unit, "torn", "{")
    return own


def pages(course: Course) -> dict[str, bytes]:
    """All that lies in autograded/ and feedback/, by path."""
    rooms = (course.root / "autograded", course.root / "feedback")
    return {
        str(path.relative_to(course.root)): path.read_bytes()
        for room in rooms
        for path in room.rglob("*")
        if path.is_file()
    }


def test_same_results_as_here(course: Course, running: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scores, folders and what is said are those of grading on this machine."""
    here = chainrule_here(monkeypatch, course.root, "grade", TINY, "--jobs", "1")
    found = pages(course)
    there = chainrule_here(monkeypatch, course.root, "grade", TINY, "--fresh", "--cluster", running.scheduler_address)
    assert there.status == here.status == 3  # the torn notebook wants a person
    assert there.out.split("(")[0] == here.out.split("(")[0]
    assert sorted(pages(course)) == sorted(found)
    for student in STUDENTS:
        assert scores(course, course.unit(TINY), student) == FULL
    assert not (course.root / "autograded" / "torn").exists() or not any(
        (course.root / "autograded" / "torn").iterdir()
    )


def test_lost_worker_costs_a_retry(course: Course, running: Any) -> None:
    """A worker is killed when the first outcome is there; everyone is graded all the same."""
    before = {worker["pid"] for worker in _workers(running)}
    killed: list[int] = []

    def kill_one(graded: Graded) -> None:
        if not killed:
            killed.append(min(before))
            os.kill(killed[0], signal.SIGKILL)

    _, graded = grade_unit(course, course.unit(TINY), fresh=True, done=kill_one, cluster=running.scheduler_address)
    assert killed
    assert {outcome.student for outcome in graded if outcome.scores is not None} == set(STUDENTS)
    assert [outcome.student for outcome in graded if outcome.kit_fault is not None] == []


def _workers(running: Any) -> list[dict[str, int]]:
    with distributed.Client(running.scheduler_address, set_as_default=False) as client:
        return [{"pid": pid} for pid in client.run(os.getpid).values()]


def test_workers_need_none_of_our_folders(course: Course, running: Any, tmp_path: Path) -> None:
    """What a worker gets is all that it needs: the course's folder may not even be there for it."""
    with distributed.Client(running.scheduler_address, set_as_default=False) as client:
        client.run(_forget, str(course.root))
    _, graded = grade_unit(course, course.unit(TINY), ["s0"], fresh=True, cluster=running.scheduler_address)
    assert graded[0].scores is not None


def _forget(root: str) -> None:
    """On a worker: whatever opens something below `root` from here on fails."""
    import sys

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open" and str(arguments[0]).startswith(root):
            raise PermissionError(f"a worker opened {arguments[0]}")

    sys.addaudithook(watch)


def test_nobody_at_the_address(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address, the reason, and what to start; nothing is graded."""
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(CourseError, match="dask scheduler") as caught:
        grade_unit(course, course.unit(TINY), cluster=address)
    assert address in str(caught.value)
    assert pages(course) == {}


def test_workers_of_another_version(course: Course, running: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scores of a mixture of versions would be nobody's."""
    monkeypatch.setattr(cluster, "__version__", "0.0.0")
    with pytest.raises(CourseError, match="Install the same"):
        grade_unit(course, course.unit(TINY), cluster=running.scheduler_address)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """One looks often, and a nanny has little time."""
    monkeypatch.setattr(cluster, "LOOK_SECONDS", 0.2)
    monkeypatch.setattr(cluster, "KILL_SECONDS", 5)


def work(course: Course, *students: str) -> Iterator[Submission]:
    for student in students:
        yield read_submission(student, course.root / "submitted" / student / TINY, Standing())


def job(course: Course) -> Job:
    course.secret()
    unit = course.unit(TINY)
    return Job(TINY, unit.version, pack(course, unit))


def troubled(stopped: Path, job: Job, submission: Submission) -> Graded:
    """On a worker: grade, but it is stopped for good by s0, each time, and by s1, the first time."""
    if submission.student in ("s0", "s1"):
        mark = stopped / submission.student
        if submission.student == "s0" or not mark.exists():
            with mark.open("a") as file:
                file.write(".")
            os.kill(os.getpid(), signal.SIGSTOP)
    return cluster.grade(job, submission)


def test_stopped_worker_is_noticed(
    course: Course, running: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hasty: None
) -> None:
    """It answers nobody and loses no connection. What it held is sent once more, and what waited behind that as well;
    what hangs again is told, without a score."""
    monkeypatch.setattr(cluster, "grade_here", partial(troubled, tmp_path))
    with cluster.Cluster(running.scheduler_address, job(course), 30) as hands:
        outcomes = [outcome for batch in hands.grade_all(work(course, *STUDENTS)) for outcome in batch]
    assert sorted(outcome.student for outcome in outcomes) == STUDENTS
    # a worker that stops with s0 may not have said yet that it had finished another, which is then taken for the cause
    assert (tmp_path / "s0").read_text() in ("..", "...")
    assert (tmp_path / "s1").read_text() == "."
    (fault,) = (outcome for outcome in outcomes if outcome.kit_fault is not None)
    assert (fault.student, fault.scores) == ("s0", None)
    assert fault.kit_fault is not None
    assert "hung twice" in fault.kit_fault.says
    assert {outcome.student for outcome in outcomes if outcome.scores is not None} == set(STUDENTS) - {"s0"}
