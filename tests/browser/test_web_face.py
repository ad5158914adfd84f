"""The web face in a browser: an instructor grades with the formgrader's button, a student works in JupyterLab.

Each test starts a server of its own, in a course of its own, with none of the machine's Jupyter settings.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from chainrule.course import Course, Unit
from chainrule.web import SETTINGS
from helpers import BOB, FULL, TINY, built_course, scores, solved, submit

SECONDS = 120  # that a busy machine may take for one step
PATIENCE = 30  # with a server that is asked to end
SHOWN = 1000 * SECONDS

# A test cell that turns into `pass` has no output, and without one plain nbgrader gives full marks.
CHEAT = """\
import builtins
builtins.abs = lambda x: 0
get_ipython().input_transformers_cleanup.append(lambda lines: ["pass"] if "check(" in "".join(lines) else lines)
"""
SCRIPT = "<script>document.title = 'ran'</script><img src=nowhere onerror=\"document.title = 'ran'\"><b>bold words</b>"
WRONG = "def scale(x, factor):\n    return factor + x"
RIGHT = "def scale(x, factor):\n    return factor * x"
REST = {"def half": "def half(x):\n    return x / 2", "total =": "total = 21", "letter =": 'letter = "b"'}


def hand_in(course: Course) -> Unit:
    """amy: all right. cy: one known mistake, the rest blank, tests switched off, a script in a cell and an output."""
    unit = course.unit(TINY)
    submit(course, unit, "amy", solved(unit))
    release = {item: cell.source for item, cell in _answers(unit).items()}
    work = solved(unit, {**release, "scale": BOB["scale"]})
    work.cells.insert(0, new_code_cell(CHEAT))
    work.cells.append(new_code_cell(f"from IPython.display import HTML\nHTML({SCRIPT!r})"))
    work.cells.append(new_markdown_cell(SCRIPT))
    submit(course, unit, "cy", work)
    return unit


def _answers(unit: Unit) -> dict:
    cells = unit.handed_out.cells
    return {
        cell.metadata.nbgrader.grade_id: cell for cell in cells if cell.metadata.get("nbgrader", {}).get("solution")
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(command: list[str], folder: Path, home: Path, url: Callable[[], str | None]) -> Iterator[str]:
    """A server as a process; what `url` gives, once it gives one. At the end nothing of it is left, nor a kernel."""
    home.mkdir()
    own = {name: str(home / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")}
    env = {
        **os.environ,
        **own,
        "HOME": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "MPLCONFIGDIR": str(home / "mpl"),
    }
    with (home / "said").open("wb") as said:
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=said, stderr=said, stdin=subprocess.DEVNULL)
    try:
        yield _awaited(lambda: _alive(process, home) and url())
    finally:
        server = psutil.Process(process.pid)
        family = server.children(recursive=True)
        server.terminate()
        # jupyter_server may wait for ever for a thread of its own, when its kernels have ended
        for late in psutil.wait_procs([server], timeout=PATIENCE)[1]:
            late.kill()
        _, left = psutil.wait_procs([server, *family], timeout=SECONDS)
        for other in left:
            other.kill()
    assert not left, [other.cmdline() for other in left]


def _alive(process: subprocess.Popen, home: Path) -> bool:
    assert process.poll() is None, (home / "said").read_text()
    return True


def _awaited(look: Callable[[], str | None]) -> str:
    end = time.monotonic() + SECONDS
    while not (found := look()):
        assert time.monotonic() < end, "the server does not answer"
        time.sleep(0.1)
    return found


@pytest.fixture
def open_site(browser) -> Iterator[Callable]:
    """Opens an address; a request to any other machine fails the test, and goes nowhere."""
    context = browser.new_context(viewport={"width": 1280, "height": 1400})
    context.set_default_timeout(SHOWN)
    strayed: list[str] = []

    def gate(route) -> None:
        if route.request.url.startswith(("http://127.0.0.1:", "http://localhost:", "data:", "blob:")):
            route.continue_()
        else:
            strayed.append(route.request.url)
            route.abort()

    context.route("**/*", gate)

    def opened(url: str):
        page = context.new_page()
        page.goto(url)
        return page

    opened.strayed = strayed  # type: ignore[attr-defined]
    yield opened
    context.close()


def test_instructor_grades_by_the_button(open_site, tmp_path: Path) -> None:
    """From the sign-in with the token to the feedback page; the sandbox and the judge are behind the button."""
    course = built_course(tmp_path / "course")
    unit = hand_in(course)
    command = [sys.executable, "-m", "chainrule.cli", "web", "--no-browser", "--port", str(free_port())]
    said = tmp_path / "home" / "said"

    def url() -> str | None:
        lines = [line.split() for line in said.read_text().splitlines(keepends=True) if line.endswith("\n")]
        return next((words[1] for words in lines if words[0] == "formgrader"), None)

    with serving(command, course.root, tmp_path / "home", url) as address:
        page, site = open_site(address), address.partition("/formgrader")[0]
        # the list of assignments, and from its number of submissions to theirs
        row = page.locator("tr", has=page.locator("td.name", has_text=TINY))
        row.locator("td.num-submissions a", has_text="2").click()
        for student, points in (("amy", "5 / 5"), ("cy", "1 / 5")):
            _press(page, student, "autograde")
            page.locator(_row(student), has=page.locator("td.score", has_text=points)).wait_for()
        assert scores(course, unit, "amy") == FULL
        assert scores(course, unit, "cy") == {"scale": 1.0, "half": 0.0, "total": 0.0, "letter": 0.0}

        # by hand: the verdict is there, and what the student wrote does nothing
        page.get_by_role("link", name="Manual Grading").click()
        page.get_by_role("link", name=TINY).click()
        page.get_by_role("link", name="tiny").last.click()
        page.locator("tr", has_text="1 / 5").get_by_role("link").first.click()
        verdict = page.locator(".chainrule", has_text="scale: 1 of 2 (a known mistake)")
        verdict.get_by_text("The factor was added.").wait_for()
        bar = verdict.locator("[style*='100%']")
        assert bar.bounding_box()["width"] > 20
        assert bar.evaluate("bar => getComputedStyle(bar).backgroundColor") == "rgb(179, 84, 30)"
        assert page.locator("input.score").count() == len(FULL)
        assert page.get_by_text("bold words").count() == 3  # in an output and a cell, and in the code that makes it
        page.wait_for_load_state("load")
        assert page.title() == "tiny"
        page.screenshot(path=tmp_path / "manual.png", full_page=True)

        # and feedback, from the same list; JupyterLab opens the page
        page.goto(f"{site}/formgrader/manage_submissions/{TINY}")
        _press(page, "cy", "generate-feedback")
        page.goto(f"{site}/lab/tree/feedback/cy/{TINY}/tiny.html")
        feedback = page.frame_locator(".jp-HTMLViewer iframe")
        feedback.get_by_text("The factor was added.").first.wait_for()
        page.screenshot(path=tmp_path / "feedback.png")
    # formulas in nbgrader's own pages are set by a script from elsewhere; nothing else is asked for
    assert all("/mathjax/" in stray for stray in open_site.strayed), open_site.strayed


def _row(student: str) -> str:
    return f'tr:has(td.student-id[data-order="{student}"])'


def _press(page, student: str, button: str) -> None:
    """Press a student's button, and see nbgrader say that it went well."""
    page.locator(f"{_row(student)} td.{button} a").click()
    page.locator(".modal-title", has_text="Success").wait_for()
    page.locator(".modal-footer button").click()
    page.locator(".modal").wait_for(state="detached")


def test_student_solves_an_item(open_site, tmp_path: Path) -> None:
    """Wrong, with the message that names the mistake; right; and what the Validate button says of either."""
    course = built_course(tmp_path / "course")
    folder = tmp_path / "work"
    shutil.copytree(course.root / "release" / TINY, folder)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--ServerApp.port={free_port()}"]
    command = ["env", f"JUPYTER_CONFIG_PATH={SETTINGS}", *command, "--ServerApp.port_retries=0"]

    def url() -> str | None:
        for path in (tmp_path / "home" / "jupyter_runtime_dir").glob("jpserver-*.json"):
            said = json.loads(path.read_text() or "{}")
            return f"{said['url']}lab/tree/tiny.ipynb?token={said['token']}" if said else None
        return None

    with serving(command, folder, tmp_path / "home", url) as address:
        page = open_site(address)
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()  # a cell that is run before brings up a dialog
        _run(page, "import numpy")
        _answer(page, "def scale", WRONG)
        _run(page, 'check("scale"').get_by_text("The factor was added.").wait_for()
        page.screenshot(path=tmp_path / "wrong.png")
        said = _validate(page, tmp_path / "validate-wrong.png")
        assert said.count("The following cell failed:") == len(FULL)
        assert "The factor was added." in said

        _answer(page, "def scale", RIGHT)
        _run(page, 'check("scale"').get_by_text("scale: right").wait_for()
        page.screenshot(path=tmp_path / "right.png")
        for start, solution in REST.items():
            _answer(page, start, solution)
        assert "Success! Your notebook passes all the tests." in _validate(page, tmp_path / "validate-right.png")
    assert open_site.strayed == []


def _cell(page, text: str):
    return page.locator(".jp-CodeCell", has=page.locator(".cm-content", has_text=text))


def _run(page, text: str):
    """Run the cell that holds a text; the place of its output."""
    cell = _cell(page, text)
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    return cell.locator(".jp-OutputArea")


def _answer(page, start: str, code: str) -> None:
    """Put an answer in the place of what stands in a cell, and run it."""
    cell = _cell(page, start)
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(code)
    page.keyboard.press("Control+Enter")


def _validate(page, picture: Path) -> str:
    """What the button of nbgrader's extension says, which saves the notebook and runs it anew."""
    page.locator(".jp-NotebookPanel-toolbar").get_by_text("Validate").click()
    dialog = page.locator(".jp-Dialog", has_text="Validation Results")
    dialog.wait_for()
    page.screenshot(path=picture)
    said = dialog.inner_text()
    dialog.get_by_role("button", name="Ok").click()
    dialog.wait_for(state="detached")
    return str(said)
