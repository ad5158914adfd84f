"""The documents' commands are run as a reader would, from top to bottom, in a course of their own.

A command stands in a ```sh block, or in an indented block with a program's name first. What follows in a ```text block
is in the last command's output, line by line; a block without a word is an example from elsewhere. What is not run
stands in NOT_RUN, and has the reason beside it in the document.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from chainrule.cli import app
from chainrule.course import Course
from chainrule.demo.run import make_course
from chainrule.grading.remark import WAYS_OUT
from helpers import HOME

DOCS = sorted([HOME / "README.md", HOME / "CONTRIBUTING.md", *(HOME / "docs").glob("*.md")])
PROGRAMS = ("chainrule", "nbgrader", "make", "python", "pip", "git", "tar", "cp", "rm", "mkdir", ".")
UNIT = "01-forward"

# by document: the blocks' first commands, each marked <!-- not run: why --> there
NOT_RUN = {
    "README.md": ["make demo"],
    "benchmarks.md": ["python benchmarks/grade.py --markdown docs/benchmarks.md"],
    "instructor.md": ["git clone https://github.com/OWNER/chainrule && cd chainrule"],
}
# what serves until it is stopped: what it says when it is up
SERVERS = {"chainrule web": "Ctrl-C ends it"}


@dataclass
class Block:
    """Commands that stand together, the output that is shown after them, and why they are not run."""

    commands: list[str]
    shown: list[str] = field(default_factory=list)
    not_run: str = ""


def blocks(document: Path) -> Iterator[Block]:
    """A document's commands, in order."""
    last: Block | None = None
    for language, text, why in code(document.read_text("utf-8")):
        lines = [line for line in text.splitlines() if line.strip()]
        if language == "text" and last is not None:
            last.shown += lines
        elif language == "sh" or (language == "indented" and any(is_command(line) for line in lines)):
            if last is not None:
                yield last
            last = Block([line.strip() for line in lines if language == "sh" or is_command(line)], [], why)
        elif last is not None:
            yield last
            last = None
    if last is not None:
        yield last


CODE = re.compile(
    r"(?:<!-- not run: (?P<why>[^\n]*?) -->\n+)?"
    r"(?:^```(?P<language>\w*)\n(?P<fenced>.*?)^```$|(?<=\n\n)(?P<indented>(?:^ {4}[^\n]*\n|^\n(?= {4}))+))",
    re.MULTILINE | re.DOTALL,
)


def code(text: str) -> Iterator[tuple[str, str, str]]:
    """Code blocks: language ("indented" where it is that), text, why it is not run."""
    for found in CODE.finditer(text):
        indented = found["indented"]
        yield (
            ("indented", indented, found["why"] or "")
            if indented is not None
            else (found["language"], found["fenced"], found["why"] or "")
        )


def is_command(line: str) -> bool:
    return line.split()[:1] != [] and line.split()[0] in PROGRAMS


# --------------------------------------------------------------------------- where they are run


@dataclass
class Session:
    """A folder to type in, and an environment in which nothing reaches this machine's own course or exchange."""

    course: Path
    student: Path
    env: dict[str, str]
    served: dict[str, subprocess.CompletedProcess[str]] = field(default_factory=dict)  # once is enough, and it is slow

    def run(self, command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        if server := next((start for start in SERVERS if command.startswith(start)), None):
            if server not in self.served:
                self.served[server] = self.serve(command, cwd, SERVERS[server])
            return self.served[server]
        words = ["bash", "-c", command]
        return subprocess.run(words, cwd=cwd, env=self.env, capture_output=True, text=True, timeout=600, check=False)

    def serve(self, command: str, cwd: Path, says: str) -> subprocess.CompletedProcess[str]:
        """Start it on a port that is free, wait for its word, stop it as Ctrl-C does."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        words = ["bash", "-c", f"exec {command.split('  ')[0]} --no-browser --port {port}"]
        with subprocess.Popen(words, cwd=cwd, env=self.env, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            heard = ""
            end = time.monotonic() + 120
            while says not in heard and time.monotonic() < end and (line := process.stdout.readline()):
                heard += line
            process.send_signal(signal.SIGINT)
            process.wait(30)
        return subprocess.CompletedProcess(words, 0 if says in heard else 1, heard, "")


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """A course with nobody in it, an empty student's folder, and an exchange between them."""
    course = make_course(Course(HOME), tmp_path / "course").root
    shutil.copy(HOME / "course.toml", course)
    home, exchange, student = (tmp_path / name for name in ("home", "exchange", "student"))
    for folder in (home / ".jupyter", exchange, student):
        folder.mkdir(parents=True)
    exchange.chmod(0o777)
    config = f'c = get_config()\nc.Exchange.root = "{exchange}"\n'
    (home / ".jupyter" / "nbgrader_config.py").write_text(config)
    # `chainrule` and `nbgrader` as they are installed, of this very source
    path = f"{tmp_path / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "chainrule"
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m chainrule.cli "$@"\n')
    command.chmod(0o755)
    env = {**os.environ, "HOME": str(home), "PATH": path, "COLUMNS": "200"}
    return Session(course, student, env)


def hand_in(session: Session, *students: str) -> None:
    """The unit's own notebook, for each of them."""
    for student in students:
        folder = session.course / "submitted" / student / UNIT
        folder.mkdir(parents=True)
        shutil.copy(HOME / "source" / UNIT / "forward.ipynb", folder)


def grade(session: Session) -> None:
    hand_in(session, "s003")
    assert session.run(f"chainrule grade {UNIT}", session.course).returncode == 0


def release(session: Session) -> None:
    assert session.run(f"nbgrader release_assignment {UNIT}", session.course).returncode == 0


def student_hands_in(session: Session) -> None:
    for command in (f"nbgrader fetch_assignment {UNIT}", f"nbgrader submit {UNIT}"):
        done = session.run(f"{command} --course chainrule", session.student)
        assert done.returncode == 0, done.stderr


def grade_with_roster(session: Session) -> None:
    """The file that Canvas has exported lies in the course folder, and the next unit has been handed in, too."""
    grade(session)
    shutil.copytree(HOME / "release" / "02-loss", session.course / "submitted" / "s003" / "02-loss")
    roster = "Student,ID,SIS User ID,SIS Login ID,Section\nPoints Possible,,,,\nAda,1,,s003,A\n"
    (session.course / "canvas-export.csv").write_text(roster)


# what somebody else has done before a document's commands, or before one of them
BEFORE: dict[str, Callable[[Session], None]] = {
    "README.md": lambda session: hand_in(session, "s003"),
    "assistant.md": grade,
    "exports.md": grade_with_roster,
    "student.md": release,
    f"nbgrader collect {UNIT}": student_hands_in,
}
PLACEHOLDERS = {"ID": "s003"}


@pytest.mark.parametrize(
    "document", [path for path in DOCS if any(not b.not_run for b in blocks(path))], ids=lambda path: path.name
)
def test_commands_run(document: Path, session: Session) -> None:
    """From top to bottom; each ends well, and prints what the document says that it prints."""
    BEFORE.get(document.name, lambda session: None)(session)
    cwd = session.student if document.name == "student.md" else session.course
    for block in blocks(document):
        if block.not_run:
            continue
        said = ""
        for command in block.commands:
            BEFORE.get(command, lambda session: None)(session)
            for word, real in PLACEHOLDERS.items():
                command = re.sub(rf"\b{word}\b", real, command)
            done = session.run(command, cwd)
            said = done.stdout + done.stderr
            assert done.returncode in (0, 3), f"{document.name}: {command}\n{said}"
        heard = {alike(line) for line in said.splitlines()}
        for line in block.shown:
            assert alike(line) in heard, f"{document.name}: {line}\n{said}"


def alike(line: str) -> str:
    """Without what differs from run to run."""
    return re.sub(r"\d+\.\d s a notebook", "n s a notebook", line.strip())


def test_what_is_not_run_is_known() -> None:
    """Each has its mark in the document, and its place in the list above."""
    marked = {
        document.name: found
        for document in DOCS
        if (found := [block.commands[0].split("  ")[0] for block in blocks(document) if block.not_run])
    }
    assert marked == NOT_RUN


# --------------------------------------------------------------------------- what is only named


def named_commands() -> list[tuple[str, str]]:
    """Every `chainrule ...` in the documents: in blocks, run or not, and between backquotes in prose."""
    found = set()
    for document in DOCS:
        text = document.read_text("utf-8")
        lines = [line for _, block, _ in code(text) for line in block.splitlines() if is_command(line)]
        spans = re.findall(r"`(chainrule [^`]*)`", CODE.sub("", text))
        found |= {(document.name, line.strip()) for line in [*lines, *spans] if line.strip().startswith("chainrule ")}
    return sorted(found)


def test_named_commands_exist() -> None:
    """The command is there, and so is each option that stands behind it."""
    commands = typer.main.get_command(app)
    assert isinstance(commands, TyperGroup)
    named = named_commands()
    assert len(named) > 20
    for document, line in named:
        words = shlex.split(line, comments=True)
        command = commands.commands.get(words[1])
        assert command is not None, f"{document}: there is no `{line}`"
        options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        unknown = [word for word in words[2:] if word.startswith("--") and word.partition("=")[0] not in options]
        assert not unknown, f"{document}: `{line}`: {command.name} has no {unknown}"


def test_every_cause_has_its_row() -> None:
    """The assistant's page has each cause once, with the very words that the line has."""
    text = (HOME / "docs" / "assistant.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| .+? \| (.+) \|$", text, re.MULTILINE))
    assert rows == {cause: way.format(unit="UNIT", student="ID") for cause, way in WAYS_OUT.items()}


def test_quoted_messages_exist() -> None:
    """What the assistant's page quotes of a run that stops is what the kit says."""
    text = (HOME / "docs" / "assistant.md").read_text("utf-8")
    table = text[text.index("## When the run itself stops") : text.index("## Looking closer")]
    quoted = [span for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for span in re.findall("`(.+?)`", row)]
    assert len(quoted) >= 8
    sources = "\n".join(path.read_text("utf-8") for path in (HOME / "src" / "chainrule").rglob("*.py"))
    assert [span for span in quoted if span not in sources] == []


def test_links_lead_somewhere() -> None:
    """A document of ours that another one names is there."""
    for document in DOCS:
        for name in re.findall(r"`(docs/[a-z-]+\.md)`", document.read_text("utf-8")):
            assert (HOME / name).is_file(), f"{document.name} names {name}"
