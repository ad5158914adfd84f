"""Workers that die or hang cost a retry and nobody else; none is left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from multiprocessing import forkserver
from pathlib import Path
from typing import ClassVar

import pytest

from chainrule.course import Course
from chainrule.grading import origin, record, rooms
from chainrule.grading import workers as processes
from chainrule.grading.forkserver import OwnServer, imported_modules
from chainrule.grading.lock import sole_grader
from chainrule.grading.outcome import Graded
from chainrule.grading.pool import grade_unit, hands_for
from chainrule.grading.submission import Standing, Submission, read_submission
from chainrule.grading.worker import Job
from chainrule.grading.workers import Workers
from helpers import FULL, TINY, scores, solved, submit


def hand_in(course: Course, *students: str) -> list[Submission]:
    unit = course.unit(TINY)
    for student in students:
        submit(course, unit, student, solved(unit))
    return [read_submission(student, course.root / "submitted" / student / TINY, Standing()) for student in students]


def job(course: Course) -> Job:
    unit = course.unit(TINY)
    course.secret()
    return Job(TINY, unit.version, course.root)


def gone(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


class Troubled(processes._Worker):
    """A worker of which the first ones, as many as `trouble` holds, meet with that once they hold a submission."""

    trouble: ClassVar[list[signal.Signals]] = []
    pids: ClassVar[list[int]] = []

    def __init__(self, job: Job, kernels: processes._Kernels | None) -> None:
        super().__init__(job, kernels)
        self.pids.append(self.process.pid or 0)

    def give(self, submission: Submission, tries: int, longest: float) -> None:
        super().give(submission, tries, 1 if self.trouble else longest)
        if self.trouble:
            os.kill(self.process.pid or 0, self.trouble.pop())


@pytest.fixture
def trouble(monkeypatch: pytest.MonkeyPatch) -> list[signal.Signals]:
    monkeypatch.setattr(processes, "_Worker", Troubled)
    monkeypatch.setattr(Troubled, "trouble", [])
    monkeypatch.setattr(Troubled, "pids", [])
    return Troubled.trouble


def test_worker_killed_costs_a_retry(own: Course, trouble: list[signal.Signals]) -> None:
    """Killed with a submission in hand: another worker grades that one, and all others are graded, too."""
    trouble.append(signal.SIGKILL)
    with Workers(job(own), 1, 100) as workers:
        outcomes = [outcome for batch in workers.grade_all(iter(hand_in(own, "amy", "bob"))) for outcome in batch]
    assert sorted(outcome.student for outcome in outcomes) == ["amy", "bob"]
    assert all(outcome.scores for outcome in outcomes), outcomes
    assert len(Troubled.pids) == 2


def test_submission_that_kills_its_workers_is_told(own: Course, trouble: list[signal.Signals]) -> None:
    """After two deaths it is the kit's fault that is reported, no score, and the next one is graded."""
    trouble += [signal.SIGKILL, signal.SIGKILL]
    with Workers(job(own), 1, 100) as workers:
        batches = workers.grade_all(iter(hand_in(own, "amy", "bob")))
        outcomes = {outcome.student: outcome for batch in batches for outcome in batch}
    fault = outcomes["amy"].kit_fault
    assert fault is not None
    assert "killed twice" in fault.says
    assert outcomes["amy"].scores is None
    assert outcomes["bob"].scores is not None


def test_worker_that_hangs_is_ended(own: Course, trouble: list[signal.Signals]) -> None:
    """Stopped for good and deaf to being asked, it is killed when the time is over; none of them is left."""
    trouble += [signal.SIGSTOP, signal.SIGSTOP]
    with Workers(job(own), 1, 100) as workers:
        batches = workers.grade_all(iter(hand_in(own, "amy", "bob")))
        outcomes = {outcome.student: outcome for batch in batches for outcome in batch}
    fault = outcomes["amy"].kit_fault
    assert fault is not None
    assert "hung twice" in fault.says
    assert outcomes["bob"].scores is not None
    assert all(map(gone, Troubled.pids))


def test_worker_that_hangs_is_ended_without_its_origin(
    own: Course, trouble: list[signal.Signals], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What workers are forked from was killed, as the system does when memory is short: another takes its place, and
    what it leaves is not taken for dead."""
    give = Troubled.give

    def orphaned(worker: Troubled, submission: Submission, tries: int, longest: float) -> None:
        if len(Troubled.pids) == 1:
            os.kill(forkserver._forkserver._forkserver_pid, signal.SIGKILL)  # type: ignore[attr-defined]
            worker.process.join()  # by what multiprocessing knows, it is dead now
            os.kill(worker.process.pid or 0, signal.SIGSTOP)
            longest = 1
        give(worker, submission, tries, longest)

    monkeypatch.setattr(Troubled, "give", orphaned)
    with Workers(job(own), 1, 100) as workers:
        outcomes = [outcome for batch in workers.grade_all(iter(hand_in(own, "amy"))) for outcome in batch]
    assert [bool(outcome.scores) for outcome in outcomes] == [True]
    assert len(Troubled.pids) == 2
    assert all(map(gone, Troubled.pids))


def test_second_interrupt(own: Course, trouble: list[signal.Signals], monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C once more, while workers are given time to tidy up, ends them at once: none is left, deaf ones neither."""
    (work,) = hand_in(own, "amy")
    trouble += [signal.SIGSTOP]
    waited = processes._Worker.ends

    def impatient(worker: processes._Worker, seconds: float) -> bool:
        monkeypatch.setattr(processes._Worker, "ends", waited)
        raise KeyboardInterrupt

    def submissions() -> Iterator[Submission]:
        yield work
        monkeypatch.setattr(processes._Worker, "ends", impatient)
        raise KeyboardInterrupt

    workers = Workers(job(own), 2, 100)
    with pytest.raises(KeyboardInterrupt), workers:
        list(workers.grade_all(submissions()))
    assert len(Troubled.pids) == 2
    assert all(map(gone, Troubled.pids))


@pytest.mark.parametrize("way", ["taking", "giving"])
def test_worker_that_is_deaf_is_ended(own: Course, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """Stopped while it has nothing to do, or amid its answer: neither more than a pipe holds keeps us waiting."""
    monkeypatch.setattr(processes, "STUCK", 1)
    first: list[int] = []

    class Deaf(processes._Worker):
        def give(self, submission: Submission, tries: int, longest: float) -> None:
            pid = self.process.pid or 0
            if not first and way == "taking":
                os.kill(pid, signal.SIGSTOP)
            super().give(submission, tries, longest)
            first.append(pid)

        def take(self) -> Graded | None:
            if first[-1] == first[0] and way == "giving":
                os.kill(first[0], signal.SIGSTOP)  # it has begun to answer, and the answer is large
            return super().take()

    monkeypatch.setattr(processes, "_Worker", Deaf)
    (work,) = hand_in(own, "amy")
    work = replace(work, files=(*work.files, ("large.txt", bytes(5_000_000))))
    with Workers(job(own), 1, 100) as workers:
        (outcome,) = chain(*workers.grade_all(iter([work])))
    assert outcome.scores is not None
    assert len(set(first)) == 2
    assert all(map(gone, first))


def test_no_more_is_read_than_is_graded(own: Course) -> None:
    """Submissions are asked for one by one, as workers come free."""
    held = most = 0
    work = hand_in(own, "amy", "bob", "cy", "dan", "eve", "fay")

    def submissions() -> Iterator[Submission]:
        nonlocal held, most
        for submission in work:
            held += 1
            most = max(most, held)
            yield submission

    with Workers(job(own), 2, 100) as workers:
        for batch in workers.grade_all(submissions()):
            held -= len(batch)
    assert most <= 4  # two with the workers, and as many handed over before the last outcomes were


def test_first_notebooks_run_while_the_gradebook_is_made_ready(own: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """nbgrader takes a second to take a unit in, which the workers do not wait for."""
    hand_in(own, "amy", "bob", "cy")
    given: list[str] = []
    before: list[str] = []
    give, prepare = processes._Worker.give, record.prepare

    def told(worker: processes._Worker, submission: Submission, *rest: int) -> None:
        given.append(submission.student)
        give(worker, submission, *rest)

    def slow(*args: object) -> None:
        before.extend(given)
        prepare(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(processes._Worker, "give", told)
    monkeypatch.setattr(record, "prepare", slow)
    grade_unit(own, own.unit(TINY), jobs=2)
    assert before == ["amy", "bob"]
    assert scores(own, own.unit(TINY), "cy") == FULL


def test_outcomes_hold_no_files(own: Course) -> None:
    """What is recorded lies on the disk, and not in memory as well."""
    hand_in(own, "amy")
    _, (outcome,) = grade_unit(own, own.unit(TINY))
    assert scores(own, own.unit(TINY), "amy") == FULL
    assert (own.root / "feedback" / "amy" / TINY / "tiny.html").stat().st_size > 0
    assert [content for files in (outcome.autograded, outcome.feedback) for _, content in files or ()] == [b""] * 6


def test_no_folder_is_left(own: Course, trouble: list[signal.Signals]) -> None:
    """Each worker takes its temporary folders with it."""
    with Workers(job(own), 1, 100) as workers:
        (outcome,) = chain(*workers.grade_all(iter(hand_in(own, "amy"))))
        assert outcome.kit_fault is None
        (pid,) = Troubled.pids
        assert list(rooms.short_temp().glob(f"{rooms.PREFIX}{pid}-*"))
    assert not list(rooms.short_temp().glob(f"{rooms.PREFIX}{pid}-*"))


def test_workers_share_one_fork_server(own: Course, trouble: list[signal.Signals]) -> None:
    """It is started for all of them; none starts its own."""
    work = hand_in(own, "amy", "bob")
    with Workers(job(own), 2, 100, imported_modules(own.unit(TINY).handed_out)) as workers:
        kernels = workers._kernels
        assert kernels is not None
        assert isinstance(kernels.server, OwnServer)
        for _ in workers.grade_all(iter(work)):
            pass
        assert kernels.server.runs()
        assert len(Troubled.pids) == 2
        below = {pid for worker in Troubled.pids for pid in family(worker)}
        assert not [pid for pid in below if b"server.py" in command_line(pid)]
    assert gone(kernels.server.process.pid)


def test_no_fork_server_for_cold_kernels(own: Course) -> None:
    """Where the course wants its kernels cold, none is started that nobody would ask."""
    unit = own.unit(TINY)
    for says, started in (
        ("", True),
        ('c.SandboxExecute.engine = "auto"\n', True),
        ('c.SandboxExecute.engine = "cold"\n', False),
    ):
        text = (own.root / "nbgrader_config.py").read_text()
        (own.root / "nbgrader_config.py").write_text(text + says)
        with hands_for(unit, job(own), own.limits(), 1, 1, None) as workers:
            assert isinstance(workers, Workers)
            assert (workers._kernels is not None) is started


GRADE = """
import sys
from pathlib import Path
from chainrule.course import Course
from chainrule.grading.pool import grade_unit

if __name__ == "__main__":
    course = Course(Path(sys.argv[1]))
    grade_unit(course, course.unit("91-tiny"), jobs=2)
"""
ENDLESS = {"half": "def half(x):\n    while True:\n        pass"}


def family(pid: int) -> set[int]:
    """A process and all that come of it."""
    found, new = set[int](), {pid}
    while new:
        found |= new
        new = set()
        for path in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                if int(path.read_text().rpartition(")")[2].split()[1]) in found:
                    new.add(int(path.parent.name))
        new -= found
    return found


@pytest.mark.parametrize("forks", [True, False])
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_running(own: Course, tmp_path: Path, ending: signal.Signals, forks: bool) -> None:
    """Ctrl-C, or the grader killed, while two endless notebooks run: no process of theirs or ours stays.

    Whether its workers come of a fork of the command or of a new Python, nobody else holds the course's lock.
    """
    (own.root / "course.toml").write_text('[course]\nid = "tiny"\n\n[limits]\ncell_seconds = 500\n')
    unit = own.unit(TINY)
    for student in ("amy", "bob"):
        submit(own, unit, student, solved(unit, ENDLESS))
    (tmp_path / "grade.py").write_text(GRADE)
    script = [str(tmp_path / "grade.py"), str(own.root)]
    command = [sys.executable, *(["-m", "chainrule.cli", "grade", TINY, "--jobs", "2"] if forks else script)]
    # a test that graded in this very process has left its settings, by which a fork is safe
    free = {name: value for name, value in os.environ.items() if name not in origin.ONE_THREAD}
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, process_group=0, cwd=own.root, env=free
    ) as grader:
        members: set[int] = set()
        for _ in range(600):
            members = family(grader.pid)
            lines = [command_line(pid) for pid in members]
            if sum(b"bwrap" in line and b"sandboxed" not in line for line in lines) >= 4:  # two each, and no trial
                break
            time.sleep(0.1)
        else:
            grader.kill()
            pytest.fail("no notebook was started")
        if ending is signal.SIGINT:
            os.killpg(grader.pid, ending)  # as a terminal sends it
        else:
            grader.kill()
        grader.wait(30)
    assert any(b"multiprocessing.forkserver" in line for line in lines) is not forks
    with sole_grader(own):
        pass
    for _ in range(300):
        if all(map(gone, members)):
            break
        time.sleep(0.1)
    assert [command_line(pid) for pid in members if not gone(pid)] == []


def command_line(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def test_long_temporary_folder(tmp_path: Path) -> None:
    """A socket there could not have a name: the command grades all the same. In a process of its own, which starts
    everything anew."""
    folder = tmp_path / ("t" * 100)
    folder.mkdir()
    lines = (
        "from pathlib import Path",
        "from chainrule.grading.outcome import Job",
        "from chainrule.grading.workers import Workers",
        "with Workers(Job('u', 'v', Path('.')), 1, 1.0): pass",
    )
    environment = {**os.environ, "TMPDIR": str(folder)}
    subprocess.run([sys.executable, "-c", "\n".join(lines)], env=environment, check=True)
