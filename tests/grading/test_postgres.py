"""The gradebook on a PostgreSQL server that the test starts: the same path, the same scores."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from sqlalchemy import create_engine, text

from chainrule.course import TEST, Course
from chainrule.doctor import _gradebook
from chainrule.errors import CourseError, KitError
from chainrule.grading import database
from chainrule.grading.database import expect_writable, gradebook_url
from chainrule.grading.outcome import Graded
from chainrule.grading.plan import plan
from chainrule.grading.record import Writer, prepare
from chainrule.nbgrading import course_config
from chainrule.report.history import history_table
from helpers import BOB, CLASS_SCORES, FULL, SETTINGS, TINY, chainrule_here, reshaped, scores, solved, submit

TOOLS = "/usr/lib/postgresql/15/bin"
PG_CTL = shutil.which("pg_ctl") or shutil.which("pg_ctl", path=TOOLS)
pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'chainrule[postgres]'")
pytestmark = [
    # nbgrader's own queries make SQLAlchemy warn of nothing that matters
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
    pytest.mark.skipif(PG_CTL is None, reason="no PostgreSQL server is installed (pg_ctl is not found)"),
]


class Server:
    """A server of its own in a folder, heard on a socket there alone; passwords are asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # the server will not run as root
        self.user = next((name for name in ("postgres", "nobody") if os.geteuid() == 0 and known(name)), None)
        if self.user:
            shutil.chown(folder, self.user)
        (folder / "password").write_text("hunter2\n")
        if self.user:
            shutil.chown(folder / "password", self.user)
        made = ["--username=amy", f"--pwfile={folder / 'password'}", "--auth=scram-sha-256", "--no-sync"]
        self.run("initdb", f"--options={' '.join(made)}")

    def start(self) -> None:
        settings = f"-c listen_addresses= -k {self.folder} -c fsync=off"
        self.run("start", "--wait", f"--options={settings}", f"--log={self.folder / 'log'}")

    def stop(self) -> None:
        self.run("stop", "--mode=immediate")

    def run(self, *words: str) -> None:
        command = [str(PG_CTL), f"--pgdata={self.folder / 'data'}", *words]
        done = subprocess.run(command, user=self.user, cwd="/", capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def url(self, name: str, password: str = ":hunter2") -> str:
        return f"postgresql+psycopg://amy{password}@/{name}?host={self.folder}"


def known(user: str) -> bool:
    try:
        return bool(pwd.getpwnam(user))
    except KeyError:
        return False


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:  # a socket's path is short, and others may enter
        Path(folder).chmod(0o755)
        running = Server(Path(folder))
        running.start()
        yield running
        running.stop()


@pytest.fixture
def course(own: Course, server: Server, request: pytest.FixtureRequest) -> Course:
    """A course of three whose gradebook is a fresh database."""
    name = f"t{abs(hash(request.node.name))}"
    engine = create_engine(server.url("postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"create database {name}"))
    engine.dispose()
    (own.root / "course.toml").write_text(SETTINGS.replace("[course]", f'[course]\ndb_url = "{server.url(name)}"'))
    return own


def outcome(student: str, points: float) -> Graded:
    return Graded(
        student,
        1.0,
        scores=dict.fromkeys((name + TEST for name in FULL), points),
        comments={"total": "No response."},
        autograded=(("result", b""),),
        feedback=(("result", b""),),
    )


def test_grading_and_planning(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """`chainrule grade` fills it, knows what is done, and nbgrader's own pages read it; no SQLite file is made."""
    unit = course.unit(TINY)
    submit(course, unit, "amy", solved(unit))
    submit(course, unit, "bob", solved(unit, BOB))
    submit(course, unit, "cy", unit.release.read_text("utf-8"))
    said = chainrule_here(monkeypatch, course.root, "grade", TINY)
    assert said.status == 0, said
    assert {student: scores(course, unit, student) for student in CLASS_SCORES} == CLASS_SCORES
    assert not (course.gradebook / "gradebook.db").exists()
    assert plan(course, unit).todo == ()
    submit(course, unit, "bob", solved(unit))
    assert plan(course, unit).todo == ("bob",)
    config = course_config(course.root)
    api = NbGraderAPI(CourseDirectory(config=config), config=config)
    shown = {row["student"]: (row["score"], row["autograded"]) for row in api.get_submissions(TINY)}
    assert shown == {"amy": (5.0, True), "bob": (4.0, True), "cy": (0.0, True)}
    assert api.autograde(TINY, "bob")["success"], "the formgrader's button"
    assert scores(course, unit, "bob") == FULL
    assert plan(course, unit).todo == ()


def test_scores_are_replaced_and_what_a_person_wrote_stays(course: Course, tmp_path: Path) -> None:
    """As in SQLite."""
    unit = course.unit(TINY)
    assert plan(course, unit).todo == ()
    prepare(course, unit, tmp_path)
    with Writer(course, unit) as writer:
        writer.write([outcome("amy", 1.0), outcome("bob", 1.0)])
        config = course_config(course.root).CourseDirectory
        with Gradebook(config.db_url, config.course_id) as gradebook:
            gradebook.find_grade("total-check", "tiny", TINY, "amy").manual_score = 0.75
            gradebook.db.commit()
        writer.write([outcome("amy", 0.5)])
        writer.write([outcome("amy", 0.5)])
    assert scores(course, unit, "amy") == dict.fromkeys(FULL, 0.5)
    assert scores(course, unit, "bob") == dict.fromkeys(FULL, 1.0)
    kept = [(row.student, row.score) for row in history_table(course).itertuples()]
    assert sorted(kept) == [("amy", 2.0), ("amy", 4.0), ("bob", 4.0)], "what is done again adds nothing"
    with Gradebook(config.db_url, config.course_id) as gradebook:
        grade = gradebook.find_grade("total-check", "tiny", TINY, "amy")
        assert (grade.manual_score, grade.needs_manual_grade) == (0.75, True)
        assert gradebook.find_comment("total", "tiny", TINY, "amy").auto_comment == "No response."


def test_regrading_with_other_items(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells come and go as in SQLite, marks by hand stay; whose business the backup is, is said."""
    submit(course, course.unit(TINY), "amy", solved(course.unit(TINY)))
    chainrule_here(monkeypatch, course.root, "grade", TINY)
    config = course_config(course.root).CourseDirectory
    with Gradebook(config.db_url, config.course_id) as gradebook:
        gradebook.find_grade("total-check", "tiny", TINY, "amy").manual_score = 0.75
        gradebook.db.commit()
    unit = reshaped(course)
    said = chainrule_here(monkeypatch, course.root, "regrade", TINY)
    assert (said.status, "pg_dump" in said.out) == (3, True), said
    assert scores(course, unit, "amy") == {"scale": 2.0, "half": 1.0, "total": 1.0, "size": 0.0}
    with Gradebook(config.db_url, config.course_id) as gradebook:
        assert gradebook.find_grade("total-check", "tiny", TINY, "amy").manual_score == 0.75


def test_server_that_is_started_anew(course: Course, server: Server, tmp_path: Path) -> None:
    """Connections that the server dropped are opened again; a run does not end for it."""
    unit = course.unit(TINY)
    prepare(course, unit, tmp_path)
    with Writer(course, unit) as writer:
        writer.write([outcome("amy", 1.0)])
        server.stop()
        server.start()
        writer.write([outcome("bob", 1.0)])
    assert scores(course, unit, "bob") == dict.fromkeys(FULL, 1.0)


def test_server_that_is_away(course: Course, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the start that is said at once; in a run it is waited for, and then said. No password is shown."""
    unit = course.unit(TINY)
    prepare(course, unit, tmp_path)
    with Writer(course, unit) as writer:
        server.stop()
        waits: list[float] = []
        monkeypatch.setattr(database.time, "sleep", waits.append)
        try:
            with pytest.raises(CourseError, match="Is the server running") as told:
                prepare(course, unit, tmp_path)
            assert not waits
            monkeypatch.setattr(database, "WAIT", 0.5)
            with pytest.raises(KitError, match="Is the server running"):
                writer.write([outcome("amy", 1.0)])
            assert waits
        finally:
            server.start()
    assert "hunter2" not in str(told.value)
    assert not (course.root / "autograded" / "amy").exists()


def test_row_that_another_program_holds(course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The formgrader is at the same grade: it is waited for, and then named."""
    unit = course.unit(TINY)
    prepare(course, unit, tmp_path)
    monkeypatch.setattr(database, "WAIT", 0)
    engine = create_engine(gradebook_url(course))
    with Writer(course, unit) as writer:
        writer.write([outcome("amy", 1.0)])
        with engine.begin() as formgrader:
            formgrader.execute(text("update grade set extra_credit = 1"))
            with pytest.raises(KitError, match="locked"):
                writer.write([outcome("amy", 0.5)])
        writer.write([outcome("amy", 0.5)])
    engine.dispose()
    assert scores(course, unit, "amy") == dict.fromkeys(FULL, 0.5)


def test_refusals(course: Course, server: Server, tmp_path: Path) -> None:
    """A wrong password, a database that is not there, rights that are missing: each with its way out."""
    prepare(course, course.unit(TINY), tmp_path)
    assert _gradebook(course).good
    url = gradebook_url(course)
    assert "hunter2" not in _gradebook(course).says
    with pytest.raises(CourseError, match=r"refused you.*~/\.pgpass") as told:
        expect_writable(url.set(password="hunter3"))
    assert "hunter3" not in str(told.value)
    with pytest.raises(CourseError, match="createdb nowhere"):
        expect_writable(url.set(database="nowhere"))
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("create role reader login password 'hunter2'"))
    engine.dispose()
    with pytest.raises(CourseError, match=r"cannot be written.*owner"):
        expect_writable(url.set(username="reader"))
