"""`chainrule web` before its server runs: what it looks at first, what it says, and what it leaves alone."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from chainrule import web
from chainrule.course import Course
from chainrule.doctor import examine
from chainrule.errors import CourseError, KitError
from chainrule.grading.database import reading
from helpers import TINY, built_course, chainrule_here, once, submit


@pytest.fixture
def course(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Course:
    """A copy of the small course."""
    shutil.copytree(once(tmp_path_factory, "tiny", lambda root: built_course(root) and None), tmp_path / "course")
    return Course((tmp_path / "course").resolve())


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which another program listens."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_port_that_is_taken(course: Course, taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line with the way out; nothing is started."""
    monkeypatch.setattr(web, "_command", lambda *_: pytest.fail("it was started"))
    said = chainrule_here(monkeypatch, course.root, "web", "--no-browser", "--port", str(taken))
    assert said.status == 2
    assert f"port {taken} of 127.0.0.1 cannot be used (Address already in use)" in said.err
    assert f"chainrule web --port {taken + 1}" in said.err


@pytest.mark.parametrize(
    ("ip", "port", "says"),
    [
        ("no-such-host.invalid", 8888, "--ip no-such-host.invalid: no such address"),
        ("192.0.2.1", 8888, "port 8888 of 192.0.2.1 cannot be used"),
    ],
)
def test_address_that_cannot_be(ip: str, port: int, says: str) -> None:
    """Each with what to do about it."""
    with pytest.raises(CourseError, match=says):
        web.expect_free(ip, port)


def test_port_that_is_free() -> None:
    """Nothing is said of it."""
    web.expect_free("127.0.0.1", 0)


def test_outside_a_course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told before anything is started."""
    said = chainrule_here(monkeypatch, tmp_path, "web")
    assert said.status == 2
    assert "cd into the course folder" in said.err


def test_unit_that_is_not_built(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the doctor would say, with its remedy; nothing is started."""
    shutil.rmtree(course.root / "release")
    said = chainrule_here(monkeypatch, course.root, "web", "--no-browser")
    assert said.status == 1
    assert f"MISSING {TINY}: not built" in said.out
    assert f"mend it: chainrule build {TINY}" in said.out


def test_corrupt_gradebook(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """The formgrader would show a traceback."""
    (course.gradebook / "gradebook.db").write_bytes(b"no database" * 500)
    said = chainrule_here(monkeypatch, course.root, "web", "--no-browser")
    assert said.status == 1
    assert "put your backup back" in said.out


def test_missing_parts(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """The doctor names them; grading does without, so its status does not change for them."""
    monkeypatch.setattr(web, "find_spec", lambda name: None if "formgrader" in name else object())
    monkeypatch.setattr(web, "jupyter_path", list)
    assert web.missing_parts() == [
        "nbgrader.server_extensions.formgrader",
        "JupyterLab's extension @jupyter/nbgrader",
    ]
    finding = next(finding for finding in examine(course) if finding.what == "web face")
    assert (finding.good, finding.needed) == (False, False)
    assert "nbgrader.server_extensions.formgrader" in finding.says
    assert "pip install" in finding.mend


def test_no_part_is_missing_here(course: Course) -> None:
    """This machine has them all."""
    assert web.missing_parts() == []


def test_server_that_does_not_start(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last words are shown, and where they stand."""
    words = [sys.executable, "-c", "raise SystemExit('no room for me')"]
    monkeypatch.setattr(web, "_command", lambda *_: words)
    with pytest.raises(KitError, match="no room for me") as caught, web.running(course, 0, "127.0.0.1", False):
        pass
    assert str(course.gradebook / "web.log") in str(caught.value)


def test_gradebook_hears_of_what_was_handed_in(course: Course) -> None:
    """A unit that nobody handed in is left for later; one that is known is not touched again."""
    assert web.let_gradebook_know(course) == []
    with reading(course) as gradebook:
        assert gradebook is None
    submit(course, course.unit(TINY), "amy", "{}")
    assert web.let_gradebook_know(course) == [TINY]
    assert web.let_gradebook_know(course) == []


def test_terminal_that_is_closed(course: Course, tmp_path: Path) -> None:
    """The server ends with the command, whichever way that is ended; its log is for its owner's eyes."""
    stub = tmp_path / "jupyterlab.py"
    stub.write_text(STUB)
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path]),
        "JUPYTER_RUNTIME_DIR": str(tmp_path),
    }
    for sign in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
        command = [sys.executable, "-m", "chainrule.cli", "web", "--no-browser", "--port", "18888"]
        with subprocess.Popen(command, cwd=course.root, env=env, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            lines = [process.stdout.readline().split() for _ in range(3)]
            assert lines[0] == ["formgrader", "http://127.0.0.1:18888/formgrader?token=abc"]
            assert lines[1] == ["JupyterLab", "http://127.0.0.1:18888/lab?token=abc"]
            (server,) = psutil.Process(process.pid).children()
            assert server.environ()["JUPYTER_CONFIG_PATH"].startswith(str(web.SETTINGS))
            process.send_signal(sign)
            process.wait(60)
            assert not server.is_running()
    assert (course.gradebook / "web.log").stat().st_mode & 0o077 == 0


# in place of JupyterLab: writes down where it listens, as Jupyter does
STUB = """\
import json, os, sys, time
path = os.path.join(os.environ["JUPYTER_RUNTIME_DIR"], f"jpserver-{os.getpid()}.json")
with open(path, "w") as file:
    json.dump({"url": "http://127.0.0.1:18888/", "token": "abc"}, file)
time.sleep(600)
"""


def test_settings_are_jupyters_own_form() -> None:
    """The folder holds nothing but JSON in the places where Jupyter looks."""
    found = {str(path.relative_to(web.SETTINGS)) for path in web.SETTINGS.rglob("*") if path.is_file()}
    assert found == {"jupyter_server_config.d/chainrule.json", "labconfig/page_config.json"}
    page = json.loads((web.SETTINGS / "labconfig" / "page_config.json").read_text())
    assert page["disabledExtensions"][web.LABEXTENSION] is False
