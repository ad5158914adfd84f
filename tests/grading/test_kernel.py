"""Real notebooks in real sandboxes: what they may do, what they may not, and what is left when they misbehave."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from chainrule.errors import KitError
from chainrule.grading import kernel, room, rooms
from chainrule.grading.kernel import EVIDENCE_MIME, NOT_DRAWN, Incident, SandboxExecute
from chainrule.grading.sandbox import SandboxUnavailable

FAKE_CHECK = f"""
import json, os
from pathlib import Path

def check(item, *answers):
    print("checked at home", item)

def collect(item):
    from IPython import get_ipython
    from IPython.display import publish_display_data
    cases = os.environ.get("CHAINRULE_CASES")
    found = get_ipython().user_ns.get(item)
    found = found() if callable(found) else found
    seen = {{"item": item, "answer": found, "cases": json.loads(Path(cases).read_text()) if cases else None}}
    publish_display_data({{{EVIDENCE_MIME!r}: json.dumps(seen), "text/plain": ""}})
"""


LOCKED = {"grade": False, "grade_id": "given-setup", "locked": True, "solution": False, "schema_version": 3}


@pytest.fixture(autouse=True, params=["auto", "cold"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each test sees both kinds of kernels: they must not differ in anything that is tested here."""
    monkeypatch.setattr(SandboxExecute.engine, "default_value", request.param)
    return str(request.param)


@pytest.fixture(autouse=True)
def room_for_temps(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A fake `check`, temporary folders in a place of our own, and a look at what is left there."""
    base = tmp_path_factory.mktemp("k")
    fake = base / "check.py"
    fake.write_text(FAKE_CHECK)
    monkeypatch.setattr(room, "check_source", lambda: fake)
    temps = base / "t"
    temps.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temps))
    yield
    left = [path for own in temps.iterdir() for path in own.iterdir() if path.name != rooms.LOCK]
    assert left == [], "a temporary folder or socket was left behind"


@dataclass
class Done:
    """An executed notebook."""

    nb: NotebookNode
    incidents: list[Incident]
    seconds: float

    def texts(self) -> list[str]:
        """What each code cell said, errors by their names."""
        return [
            "".join(o.get("text") or o.get("ename") or o.data.get("text/plain", "") for o in cell.outputs).strip()
            for cell in self.nb.cells
            if cell.cell_type == "code"
        ]

    def causes(self) -> list[str]:
        return [incident.cause for incident in self.incidents]

    def evidence(self, cell: int) -> Any:
        (found,) = [o.data[EVIDENCE_MIME] for o in self.nb.cells[cell].outputs if EVIDENCE_MIME in o.get("data", {})]
        return json.loads(found)


def check_cell(item: str, source: str = "") -> NotebookNode:
    """A test cell as the kit builds it."""
    source = source or f'check("{item}", {item})'
    meta = {"grade": True, "grade_id": f"{item}-check", "points": 1, "solution": False, "locked": True}
    return new_code_cell(source, metadata={"nbgrader": meta | {"schema_version": 3, "cell_type": "code"}})


def run(*cells: str | NotebookNode, folder: Path | None = None, cases: str | None = None, **config: Any) -> Done:
    """Execute cells as a submission in `folder`."""
    nodes = [new_code_cell(textwrap.dedent(cell)) if isinstance(cell, str) else cell for cell in cells]
    resources: dict[str, Any] = {"metadata": {"path": str(folder) if folder else None}}
    if cases is not None:
        resources["chainrule"] = {"cases": cases}
    start = time.monotonic()
    nb, resources = SandboxExecute(**config).preprocess(new_notebook(cells=nodes), resources)
    return Done(nb, resources["chainrule"]["incidents"], time.monotonic() - start)


def submission(tmp_path: Path, **files: str) -> Path:
    folder = tmp_path / "submitted"
    folder.mkdir()
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return folder


# --------------------------------------------------------------------------- what an honest notebook gets


def test_honest_notebook(tmp_path: Path) -> None:
    """Files beside the notebook are read, helpers are imported, outputs are ordinary ones."""
    folder = submission(tmp_path, data__csv="1,2", helper__py="three = 3", other__ipynb="{}")
    done = run(
        new_markdown_cell("prose"),
        "import helper; print(open('data.csv').read(), helper.three)",
        "import os; sorted(os.listdir())",
        "import getpass; getpass.getuser()",
        "import multiprocessing as m; m.get_context('fork').Pool(1).map(abs, [-1])",
        folder=folder,
    )
    assert done.texts() == ["1,2 3", "['data.csv', 'helper.py']", "'student'", "[1]"]
    assert done.incidents == []
    assert done.nb.metadata.language_info.name == "python"


def test_test_cell_gives_evidence_and_keeps_its_source() -> None:
    """The test cell's own source is not run: what comes out is the evidence. Afterwards the source is as before."""
    cell = check_cell("c2", "raise SystemExit  # a student's edit")
    done = run("c2 = [1, 2]", cell, check_cell("gone"), cases='{"n": 7}')
    assert done.evidence(1) == {"item": "c2", "answer": [1, 2], "cases": {"n": 7}}
    assert done.evidence(2)["answer"] is None
    assert done.nb.cells[1].source == "raise SystemExit  # a student's edit"


def test_source_is_restored_when_the_kernel_dies_in_a_test_cell() -> None:
    """Whatever happens in a test cell, the notebook that is kept shows its own source."""
    done = run("import os\ndef c2(): os._exit(1)", check_cell("c2"), check_cell("c3"))
    assert [cell.source for cell in done.nb.cells[1:]] == ['check("c2", c2)', 'check("c3", c3)']
    assert done.causes() == ["kernel-died"]
    assert done.incidents[0].grade_id == "c2-check"


def test_item_name_cannot_carry_code() -> None:
    """A grade_id with quotes in it stays a name."""
    name = 'x"); import os; print("ran"); ("'
    assert run(check_cell(name, "1")).evidence(0)["item"] == name


def test_submitted_outputs_do_not_stay(tmp_path: Path) -> None:
    """Evidence that was in the submitted file is not taken for evidence, where a tag keeps the cell from running."""
    cell = check_cell("c2")
    cell.metadata.tags = ["skip-execution"]
    forged = {"output_type": "display_data", "data": {EVIDENCE_MIME: "{}"}, "metadata": {}}
    cell.outputs = [NotebookNode(forged)]
    assert run(cell).nb.cells[0].outputs == []


@pytest.mark.parametrize("trusted", [False, True])
def test_shadowing_check_is_harmless(tmp_path: Path, trusted: bool) -> None:
    """A student's check.py, check/ or deleted import changes nothing about which `check` is found."""
    folder = submission(tmp_path, check__py="raise SystemError")
    (folder / "check").mkdir()
    (folder / "check" / "__init__.py").write_text("raise SystemError")
    done = run(
        "open('check.py', 'w').write('raise SystemError')\nimport check as module; module.__file__",
        "from check import check as c; c('a')",
        "check('b')",
        check_cell("c2"),
        folder=folder,
        trust_students=trusted,
    )
    assert done.texts()[1:3] == ["checked at home a", "checked at home b"]
    assert done.texts()[0].endswith("/check.py'")
    assert done.evidence(3)["item"] == "c2"


PLT = "import matplotlib.pyplot as plt"


def shown(*cells: str | NotebookNode, **config: Any) -> list[list[str]]:
    """For each cell the sorted kinds of what it shows, errors by their names; a picture's text among them."""
    return [
        sorted(
            kind if kind != "text/plain" else text
            for output in cell.outputs
            for kind, text in output.get("data", {output.get("ename"): ""}).items()
        )
        for cell in run(*cells, **config).nb.cells
    ]


@pytest.mark.parametrize("first", [new_code_cell(PLT, metadata={"nbgrader": LOCKED}), PLT], ids=["given", "own"])
def test_pictures_are_drawn_or_a_sentence_says_that_they_were_not(first: NotebookNode | str) -> None:
    """By `pictures`; what the notebook itself asks for is drawn, and a picture's cell goes on to its end."""
    name = "<Figure size 640x480 with 1 Axes>"
    cells = [
        first,
        "plt.plot([1, 2]); plt.show(); last = 3",
        "figure, axes = plt.subplots(); axes.plot([1, 2]); last += 1",
        "display(figure)",
        "figure",
        "%matplotlib inline\nfigure.savefig('a.png'); plt.plot([1]); last",
        "import os; os.path.getsize('a.png') > 1000, figure.canvas.get_width_height()",
        "%config InlineBackend.figure_formats = ['svg']\nfigure",
        "class Named:\n    def __repr__(self): return 'Figure'\nNamed()",
    ]
    drawn, left_out = shown(*cells), shown(*cells, pictures=False)
    assert drawn[1:5] == [[name, "image/png"]] * 4
    assert drawn[5] == ["4", name, "image/png"]
    assert left_out[1:5] == [[NOT_DRAWN]] * 4
    assert left_out[5] == ["4", NOT_DRAWN]
    assert left_out[6:] == drawn[6:] == [["(True, (640, 480))"], [name, "image/svg+xml"], ["Figure"]]


# --------------------------------------------------------------------------- what is out of reach

PROBE = """
import os, socket
def can(action, *args):
    try:
        action(*args)
        return True
    except OSError:
        return False
can(os.listdir, {course!r}), can(open, {secret!r}), 'CHAINRULE_SECRET' in os.environ, can(os.kill, {pid}, 0)
"""


def test_course_is_out_of_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the course folder nor the grader is reached; without the sandbox both are."""
    monkeypatch.setenv("CHAINRULE_SECRET", "hunter2")
    folder = submission(tmp_path, data__csv="1")
    (tmp_path / "gradebook.db").write_text("scores")
    probe = PROBE.format(course=str(tmp_path), secret=str(tmp_path / "gradebook.db"), pid=os.getpid())
    walls = run(probe, "(folder := os.getcwd())", "os.getuid(), os.geteuid()", folder=folder)
    assert walls.texts()[:2] == ["(False, False, False, False)", "'/home/student/work'"]
    assert "0" not in walls.texts()[2].strip("()").split(", ")
    # the environment is small in either case
    assert run(probe, folder=folder, trust_students=True).texts() == ["(True, True, False, True)"]


def test_nothing_is_written_to_the_submission(tmp_path: Path) -> None:
    """Changes to files reach copies only, links are not followed and not copied."""
    folder = submission(tmp_path, data__csv="old")
    secret = tmp_path / "secret"
    secret.write_text("hidden")
    (folder / "link").symlink_to(secret)
    (folder / "linked").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe")
    done = run(
        "open('data.csv', 'w').write('new'); open('more', 'w').write('x')", "import os; os.listdir()", folder=folder
    )
    assert (folder / "data.csv").read_text() == "old"
    assert sorted(path.name for path in folder.iterdir()) == ["data.csv", "link", "linked", "pipe"]
    assert sorted(done.texts()[1].strip("[]").split(", ")) == ["'data.csv'", "'more'"]
    assert done.causes() == ["files-left-out"] * 3


def test_too_large_a_submission_is_left_out(tmp_path: Path) -> None:
    """Files above the limit are not copied, and it is said which."""
    folder = submission(tmp_path, a__txt="small")
    (folder / "b.bin").write_bytes(b"x" * (2 << 20))
    done = run("import os; os.listdir()", folder=folder, submission_mb=1)
    assert done.texts() == ["['a.txt']"]
    assert "b.bin" in done.incidents[0].says


def test_own_paths_do_not_show(tmp_path: Path) -> None:
    """An error in a cell names no path of the grader's."""
    done = run("1/0", "import traceback; traceback.print_stack()", "check(1, 2) + 1", folder=submission(tmp_path))
    text = json.dumps(done.nb)
    assert "ZeroDivisionError" in text
    for path in (str(Path(kernel.__file__).parent), str(tmp_path.parent), "grading/kernel"):
        assert path not in text


# --------------------------------------------------------------------------- limits


def test_memory_is_bounded() -> None:
    """An array above the limit is a MemoryError of that cell; the notebook goes on."""
    done = run("x = bytearray(600 << 20)", "len(bytearray(10 << 20))", memory_mb=512)
    assert done.texts() == ["MemoryError", str(10 << 20)]
    assert run("x = bytearray(600 << 20)", memory_mb=2048).texts() == [""]


def test_processes_and_files_are_bounded() -> None:
    """A fork bomb meets a limit, and so does a large file."""
    done = run(
        """
        import os, time
        count = 0
        try:
            while count < 500:
                if os.fork() == 0:
                    time.sleep(60)
                count += 1
        except BlockingIOError:
            pass
        print(count < 100)
        """,
        "open('big', 'wb').write(bytes(3 << 20))",
        processes=100,
        file_mb=2,
    )
    assert done.texts() == ["True", "OSError"]


def test_endless_loop_is_interrupted_and_the_next_cell_runs() -> None:
    """A loop costs its own cell, and not what stands in the ones after it."""
    done = run("x = 1\nwhile True:\n    pass", "x + 1", timeout=1)
    assert done.texts() == ["KeyboardInterruptCellTimeoutError", "2"]
    assert done.causes() == ["timeout"]
    assert done.incidents[0].cell == 0


def test_uninterruptible_loop_is_ended() -> None:
    """A loop that swallows the interrupt ends the notebook, and that alone."""
    loop = """
    import time
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass
    """
    done = run("1 + 1", loop, "x = 2; x", check_cell("x"), timeout=1, iopub_timeout=1)
    assert done.texts() == ["2", "Stopped", "", ""]
    assert done.causes() == ["unresponsive"]
    assert done.seconds < 10


def test_time_of_the_whole_notebook_is_bounded() -> None:
    """Many cells below the limit of a cell do not add up without end."""
    done = run(*["import time; time.sleep(1)"] * 6, notebook_seconds=2)
    assert "notebook-time" in done.causes()
    assert done.seconds < 8
    assert done.nb.cells[-1].outputs == []


@pytest.mark.parametrize(
    ("code", "says"),
    [("import os; os._exit(0)", "exit status 0"), ("import os; os.kill(os.getpid(), 11)", "Segmentation fault")],
)
def test_dead_kernel_ends_the_notebook_alone(code: str, says: str) -> None:
    """A kernel's death is an incident with its reason; later cells are left without outputs."""
    done = run("1 + 1", code, "3", check_cell("x"))
    assert done.texts() == ["2", "Stopped", "", ""]
    assert done.causes() == ["kernel-died"]
    assert says in done.incidents[0].says


@pytest.mark.parametrize(
    "flood",
    [
        "print('x' * 100_000_000)",
        "for _ in range(100_000): print('x' * 1000)",
        "from IPython.display import display\ndisplay({'text/plain': 'x' * 100_000_000}, raw=True)",
    ],
)
def test_output_is_bounded(flood: str) -> None:
    """100 MB of output become at most what is kept, and the cells after it still count."""
    done = run(flood, "1 + 1", "x = 5", check_cell("x"), output_mb=2)
    assert len(json.dumps(done.nb)) < 3_000_000
    assert done.causes() == ["output-limit"]
    assert done.evidence(3)["answer"] == 5
    assert done.texts()[1] == "2"


@pytest.mark.parametrize("mime", ["text/plain", EVIDENCE_MIME])
def test_number_of_outputs_is_bounded(mime: str) -> None:
    """Outputs that hold next to nothing still take time in each later step: none counts as nothing."""
    sends = f"from IPython.display import publish_display_data as send\nfor _ in range(1500): send({{{mime!r}: ''}})"
    many = f"def x():\n{textwrap.indent(sends, '    ')}\n    return 5"
    done = run(many, check_cell("x"), "1 + 1", output_mb=1, evidence_mb=1)
    assert done.causes()[0] == ("evidence-limit" if mime == EVIDENCE_MIME else "output-limit")
    assert 1000 < len(done.nb.cells[1].outputs) < 1200


def test_evidence_is_bounded() -> None:
    """Answers above the limit are left out and said so; another cell's budget is its own."""
    done = run("big, x = 'x' * 3_000_000, 5", check_cell("big"), check_cell("x"), evidence_mb=1)
    assert done.causes() == ["evidence-limit"]
    assert done.nb.cells[1].outputs == []
    assert done.evidence(2)["answer"] == 5


def test_test_cell_leaves_no_names_behind() -> None:
    """A name of the kit's could stand in the place of one of the student's."""
    done = run("_s, x = 7, 5\nnames = {*dir(), 'names'}", check_cell("x"), "print(_s, {*dir()} - names, end='')")
    new = done.texts()[2].removeprefix("7 ")
    assert all(name.startswith(("_i", "_oh", "_dh")) for name in eval(new)), new


FORGED = """
kernel = get_ipython().kernel
session, pub = kernel.session, kernel.iopub_socket
parent = kernel.get_parent()
for kind, content in [
    ('stream', {'name': 'nowhere', 'text': 'x'}), ('stream', {}), ('display_data', {'data': 5}), ('error', {}),
    ('display_data', {'data': {'text/plain': {}}, 'metadata': {}, 'transient': {'display_id': []}}),
    ('comm_open', {'comm_id': [], 'data': 1, 'target_name': 'jupyter.widget'}), ('unheard_of', {}),
    ('status', {}), ('execute_result', {'data': {}, 'metadata': [], 'execution_count': 'a'}),
    ('kernel_info_reply', {'language_info': {'name': 'forged'}}), ('fault', {'says': 'forged'}),
]:
    session.send(pub, kind, content, parent=parent)
"""
RAW = {
    "cold": """
pub.send_multipart([b'stream', b'<IDS|MSG>', b'wrong', b'{', b'[', b'', b'nothing'])
half = session.msg('stream', {'name': 'stdout', 'text': 'half'}, parent=parent)
half['content'] = b'{"name": "stdout", "text": "half \\ud800 end"}'
pub.send_multipart([b'stream', *session.serialize(half)])
""",
    "auto": """
import os
half = '["stream", "%s", {"name": "stdout", "text": "half \\\\ud800 end"}]' % parent['msg_id']
deep = '[' * 100_000
for line in ['', '{', '[]', '[1, 2, 3]', '["stream"]', '["stream", [], {}]', deep, 'null', '\\x00\\xff', half]:
    os.write(session.descriptor, line.encode('latin-1') + b'\\n')
""",
}


def test_forged_messages_are_dropped(engine: str) -> None:
    """What is no proper message neither stops the grader nor gets into the notebook, which can be written."""
    done = run(FORGED + RAW[engine] + "print('still here')", "1 + 1")
    assert "still here" in done.texts()[0]
    assert done.texts()[1] == "2"
    assert done.incidents == []
    assert done.nb.metadata.language_info.name == "python"
    text = json.dumps(done.nb, ensure_ascii=False)
    assert "half ? end" in text
    assert "forged" not in text.replace(FORGED, "").replace(json.dumps(FORGED)[1:-1], "")
    text.encode("utf-8")


# --------------------------------------------------------------------------- nothing stays behind


def running(marker: str) -> list[int]:
    """Processes whose command line holds `marker`."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if marker in path.read_text().split("\0"):
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def wait_until(true: Callable[[], bool], seconds: float = 5) -> bool:
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.02)
    return true()


def test_background_processes_end_with_the_notebook() -> None:
    """A process that left its session is gone when the notebook is."""
    marker = f"{86_400 + os.getpid()}.25"
    code = f"import subprocess as s\np = s.Popen(['sleep', '{marker}'], start_new_session=True); p.poll()"
    seen: list[int] = []

    class Watched(SandboxExecute):
        def on_cell_executed(self, **kwargs: Any) -> None:
            wait_until(lambda: bool(running(marker)))
            seen.extend(running(marker))
            super().on_cell_executed(**kwargs)

    Watched().preprocess(new_notebook(cells=[new_code_cell(code)]), {})
    assert len(seen) == 1
    assert running(marker) == []


GRADER = """
import os, sys, tempfile
from nbformat.v4 import new_code_cell, new_notebook
from chainrule.grading.kernel import SandboxExecute
tempfile.tempdir = sys.argv[1]
code = f"import subprocess; subprocess.run(['sleep', '{os.environ['MARKER']}'])"
SandboxExecute().preprocess(new_notebook(cells=[new_code_cell(code)]), {})
print("graded")
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_end_of_the_grader_is_the_end_of_the_notebook(tmp_path: Path, number: signal.Signals) -> None:
    """Killed or interrupted, the grader leaves no process; an interrupt is no student's doing and grades nothing."""
    marker = f"{86_400 + os.getpid()}.{int(number)}"
    source = str(Path(kernel.__file__).parents[2])
    grader = subprocess.Popen(
        [sys.executable, "-c", GRADER, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": source, "MARKER": marker},  # not an argument: only the notebook's is sought
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert wait_until(lambda: len(running(marker)) == 1, 60)
        grader.send_signal(number)
        said, complaint = grader.communicate(timeout=20)
        assert wait_until(lambda: running(marker) == [])
        assert said == ""
        if number == signal.SIGINT:
            assert "KeyboardInterrupt" in complaint
            assert list(tmp_path.iterdir()) == []
    finally:
        grader.kill()


def test_within_a_running_event_loop() -> None:
    """The formgrader grades from inside its server's loop."""

    async def serve() -> Done:
        return run("1 + 1")

    assert asyncio.run(serve()).texts() == ["2"]


# --------------------------------------------------------------------------- the kit's own faults


def test_kernel_that_cannot_start_is_the_kits_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No score comes of it: the error names what the launcher said."""
    broken = tmp_path / "check.py"
    broken.write_text("raise RuntimeError('check is broken')")
    monkeypatch.setattr(room, "check_source", lambda: broken)
    with pytest.raises(KitError, match="check is broken"):
        run("1 + 1")


def test_no_sandbox_no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a sandbox nothing runs, unless it is said in so many words."""

    def none() -> None:
        raise SandboxUnavailable("none here")

    monkeypatch.setattr(kernel, "find_sandbox", none)
    with pytest.raises(SandboxUnavailable, match="none here"):
        run("1 + 1")
    assert run("1 + 1", trust_students=True).texts() == ["2"]
