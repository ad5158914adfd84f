"""The grader is killed, the disk is full, a submission changes: what was graded stands, the next run does the rest."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from gradebooks import rows

from chainrule.course import TEST, Course, Unit
from chainrule.errors import CourseError, KitError
from chainrule.grading import worker
from chainrule.grading.lock import sole_grader
from chainrule.grading.outcome import Graded
from chainrule.grading.plan import notes_of, plan
from chainrule.grading.pool import outcomes_of
from chainrule.grading.record import Writer, prepare
from chainrule.grading.staging import STAGING
from chainrule.grading.submission import Standing
from helpers import BOB, FULL, NOTHING, TINY, built_course, chainrule_here, once, scores, solved, submit

# nbgrader's own queries make SQLAlchemy warn of nothing that matters
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")

ROOMS = ("autograded", "feedback")


# --------------------------------------------------------------------------- killed at any time


class Run:
    """`chainrule grade` in a process group and with temporary files of its own."""

    def __init__(self, course: Course, *words: str) -> None:
        self.temp = Path(tempfile.gettempdir()) / f"t{zlib.crc32(bytes(course.root)):x}"  # a socket's path is short
        self.temp.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "chainrule.cli", "grade", TINY, "--jobs", "2", *words]
        self.process = subprocess.Popen(
            command,
            cwd=course.root,
            env=os.environ | {"TMPDIR": str(self.temp)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def end(self) -> int:
        out, _ = self.process.communicate(timeout=500)
        self.said = out
        return self.process.returncode

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


def hand_in(root: Path) -> None:
    """A course of four; nobody is graded."""
    course = built_course(root / "course")
    (course.gradebook / "secret").write_text("5e" * 32 + "\n")
    unit = course.unit(TINY)
    for student, answers in (("amy", {}), ("bob", BOB), ("dan", {"total": "total = 1 / 0"})):
        submit(course, unit, student, solved(unit, answers))
    submit(course, unit, "cy", unit.release.read_text("utf-8"))


def undisturbed(root: Path) -> None:
    """The same, graded in peace; how long that took is noted."""
    hand_in(root)
    start = time.monotonic()
    run = Run(Course(root / "course"))
    assert run.end() == 0, run.said
    (root / "seconds").write_text(str(time.monotonic() - start))
    shutil.rmtree(run.temp)


@pytest.fixture(scope="module")
def peace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return once(tmp_path_factory, "undisturbed", undisturbed)


@pytest.fixture
def disturbed(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Course:
    """A copy of the course, in which nobody is graded yet."""
    shutil.copytree(once(tmp_path_factory, "handed-in", hand_in), tmp_path / "own")
    return Course((tmp_path / "own" / "course").resolve())


@pytest.fixture
def orphans() -> Iterator[set[int]]:
    """This process inherits its descendants' orphans, which the system would else hand to init. Holds its children."""
    prctl, subreaper = ctypes.CDLL(None, use_errno=True).prctl, 36
    assert prctl(subreaper, 1, 0, 0, 0) == 0
    yield children()
    prctl(subreaper, 0, 0, 0, 0)


def children() -> set[int]:
    """Processes below this one that have not ended; those that have are laid to rest."""
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
        except OSError:  # it ended meanwhile
            continue
        pid = int(path.parent.name)
        if state == "Z" and int(parent) == os.getpid():
            os.waitpid(pid, os.WNOHANG)
        elif state != "Z":
            parents[pid] = int(parent)
    found, new = set[int](), {os.getpid()}
    while new:
        new = {pid for pid, parent in parents.items() if parent in new} - found
        found |= new
    return found


def content(course: Course) -> dict[str, object]:
    """Gradebook, autograded and feedback, without what differs from one grading of the same work to the next."""
    found: dict[str, object] = dict(rows(course))
    for room in ROOMS:
        for path in sorted((course.root / room).rglob("*")):
            if path.is_file():
                found[str(path.relative_to(course.root))] = normal(path.read_text("utf-8"))
    return found


def normal(text: str) -> str:
    """Without ids that are drawn anew each time, and without times of execution."""
    try:
        notebook = json.loads(text)
        for cell in notebook["cells"]:
            cell.pop("id", None)
            cell["metadata"].pop("execution", None)
        return json.dumps(notebook)
    except (ValueError, TypeError, KeyError):
        return re.sub(r"\b(cell-)?id=[0-9a-f-]{8,36}\b", "", text)


def killed_and_resumed(course: Course, peace: Path, known: set[int], rng: random.Random, kills: int) -> None:
    """Kill the grader at random times; what the last, undisturbed run leaves is what there is without the kills."""
    seconds = float((peace / "seconds").read_text())
    for _ in range(kills):
        run = Run(course)
        time.sleep(rng.uniform(0, seconds))
        run.kill()
        for _ in range(600):
            left = children() - known
            if not left:
                break
            time.sleep(0.1)
        commands = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in left]
        assert not left, commands
        for path in (course.root / "autograded").glob(f"*/{TINY}"):
            student = path.parent.name
            assert notes_of(course, course.unit(TINY), student) is not None, "no folder is half written"
            assert None not in scores(course, course.unit(TINY), student).values(), "nor without its scores"
    run = Run(course)
    assert run.end() == 0, run.said
    assert content(course) == content(Course(peace / "course"))
    assert not [path for path in course.root.rglob(f"{STAGING}*") if path.is_dir()]
    assert list(run.temp.glob("chainrule-*")) == []
    shutil.rmtree(run.temp)
    assert plan(course, course.unit(TINY)).todo == ()


@pytest.mark.parametrize("seed", range(2))
def test_killed_and_resumed(disturbed: Course, peace: Path, orphans: set[int], seed: int) -> None:
    """Twice, and then to the end."""
    killed_and_resumed(disturbed, peace, orphans, random.Random(seed), kills=2)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 52))
def test_killed_and_resumed_at_many_times(disturbed: Course, peace: Path, orphans: set[int], seed: int) -> None:
    """Fifty runs that were killed once."""
    killed_and_resumed(disturbed, peace, orphans, random.Random(seed), kills=1)


# --------------------------------------------------------------------------- a submission that changes


def test_submission_that_changes_while_it_is_graded(own: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is recorded says which work it is of: the new work is graded by the next run."""
    unit = own.unit(TINY)
    submit(own, unit, "amy", unit.release.read_text("utf-8"))
    grade = worker.grade

    def meanwhile(job: worker.Job, submission: worker.Submission) -> Graded:
        graded = grade(job, submission)
        submit(own, unit, "amy", solved(unit))
        return graded

    monkeypatch.setattr(worker, "grade", meanwhile)
    chainrule_here(monkeypatch, own.root, "grade", TINY)
    assert scores(own, unit, "amy") == NOTHING
    assert plan(own, unit).todo == ("amy",)
    chainrule_here(monkeypatch, own.root, "grade", TINY)
    assert scores(own, unit, "amy") == FULL
    assert plan(own, unit).todo == ()


def test_course_that_is_moved_while_it_is_graded(own: Course) -> None:
    """The run ends and says so. Nobody is refused for it: what the gradebook holds stays, and the next run goes on."""
    unit = own.unit(TINY)
    students = ("amy", "bob", "cy")
    for student in students:
        submit(own, unit, student, solved(unit))
    moved = Course(own.root.with_name("moved"))

    class Hands:
        def grade_all(self, submissions: Iterator[worker.Submission]) -> Iterator[list[Graded]]:
            for submission in submissions:
                own.root.rename(moved.root)
                yield [outcome(submission.student)]

    with pytest.raises(KitError, match="submitted is not there any more"):
        list(outcomes_of(own, unit, students, dict.fromkeys(students, Standing()), Hands()))  # type: ignore[arg-type]


# --------------------------------------------------------------------------- a full disk


def outcome(student: str, points: float = 1.0) -> Graded:
    """An outcome with a results folder of 40 kB."""
    files = (("result", b"0123456789" * 2000),)
    names = (name + TEST for name in FULL)
    return Graded(student, 1.0, dict.fromkeys(names, points), {}, autograded=files, feedback=files)


def on_a_disk(own: Course, folder: Path) -> tuple[Course, Unit]:
    shutil.copytree(own.root, folder / "own")
    course = Course((folder / "own").resolve())
    (folder / "staging").mkdir()
    prepare(course, course.unit(TINY), folder / "staging")
    return course, course.unit(TINY)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MB, which root may make."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small disk cannot be mounted here; that takes root's rights")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_full_disk(own: Course, small_disk: Path) -> None:
    """A run ends with what to do; what was recorded stays, nothing is half there, and with space it goes on."""
    course, unit = on_a_disk(own, small_disk)
    students = [f"s{number}" for number in range(40)]
    done = 0
    with Writer(course, unit) as writer:
        filler = small_disk / "filler"
        filler.write_bytes(bytes(shutil.disk_usage(small_disk).free - 500_000))

        def until_it_is_full() -> None:
            nonlocal done
            for student in students:
                writer.write([outcome(student)])
                done += 1

        with pytest.raises(KitError, match=r"(Free some space|disk failed).* run this again"):
            until_it_is_full()
        assert 0 < done < len(students)
    assert scores(course, unit, students[done]) in ({}, dict.fromkeys(FULL, 1.0))
    assert not (course.root / "autograded" / students[done] / TINY).exists()
    for student in students[:done]:
        assert scores(course, unit, student) == dict.fromkeys(FULL, 1.0)
        assert (course.root / "autograded" / student / TINY / "result").stat().st_size == 20_000
    filler.unlink()
    with Writer(course, unit) as writer:
        writer.write([outcome(student) for student in students[done:]])
    for student in students:
        assert scores(course, unit, student) == dict.fromkeys(FULL, 1.0)
        assert (course.root / "feedback" / student / TINY / "result").stat().st_size == 20_000


def test_lock_on_a_full_disk(small_disk: Path) -> None:
    """Who holds it cannot be noted there; it holds all the same."""
    course = Course(small_disk)
    (course.gradebook).mkdir()
    (course.gradebook / ".lock").touch()
    filler = small_disk / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    with sole_grader(course), pytest.raises(CourseError, match="another grader"), sole_grader(course):
        pass


def test_disk_that_is_full_at_the_last_moment(own: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Old results stay with their scores where the new ones find no room."""
    course, unit = on_a_disk(own, tmp_path)
    with Writer(course, unit) as writer:
        writer.write([outcome("amy")])

        def full(path: Path, content: bytes) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

        with monkeypatch.context() as patch:
            patch.setattr(Path, "write_bytes", full)
            with pytest.raises(KitError, match=r"No space left on device.*Free some space and run this again"):
                writer.write([outcome("amy", 0.5)])
        assert scores(course, unit, "amy") == dict.fromkeys(FULL, 1.0)
        assert (course.root / "autograded" / "amy" / TINY).is_dir()
        writer.write([outcome("amy", 0.5)])
    assert scores(course, unit, "amy") == dict.fromkeys(FULL, 0.5)
