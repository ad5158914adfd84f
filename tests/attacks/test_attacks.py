"""A class of attackers, graded by the command beside honest students: nobody gets more than the evidence supports."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pytest
from attack import ALERT, DONE, MATES, PAINTER, PNG, Attack, attacked_course
from catalogue import ATTACKS
from class_of_attackers import Outcome, grade_class

from chainrule.course import Course
from chainrule.doctor import examine
from chainrule.grading.plan import notes_of
from helpers import EMPTY, FULL, TINY, once

START, SECONDS = 180, 10  # for a class and for each attack in it, on a busy machine; what takes longer hangs
SHARED = ("main", "more", "faults", "keys")  # where an attack's own test does not speak for all the others
# what attackers print when they find or get what they should not
SIGNS = (
    "told too much",
    "read the judge",
    "left-behind-",
    "has overwritten",
    "found it:",
    "found an object",
    "found a module",
    "raised a limit",
    "got more rights",
    "held too much",
    "a shadow!",
    "attached\n",
)
Outcomes = Callable[[str], Outcome]
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")


def param(name: str) -> object:
    """The attack's name, marked as a known hole, as slow, or as one that cannot be made here."""
    attack = ATTACKS[name]
    marks = [pytest.mark.xfail(strict=True, reason=attack.succeeds)] if attack.succeeds else []
    if attack.slow:
        marks.append(pytest.mark.slow)
    if not attack.runs_here():
        marks = [pytest.mark.skip(reason=f"only {attack.only} can make it, or be hurt by it")]
    return pytest.param(name, marks=marks)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The course that is attacked, built, with its honest students."""
    return once(tmp_path_factory, "attacked", lambda root: attacked_course(root) and None)


@pytest.fixture(scope="session")
def outcome_of(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Outcomes:
    """`outcome_of(batch)` is what grading that batch came to; each is graded once."""
    read: dict[str, Outcome] = {}

    def outcome(batch: str) -> Outcome:
        if batch not in read:
            attacks = {name: each for name, each in ATTACKS.items() if each.batch == batch and each.runs_here()}
            seconds = START + SECONDS * len(attacks)
            folder = once(
                tmp_path_factory, f"class-{batch}", lambda folder: grade_class(folder, template, attacks, seconds)
            )
            read[batch] = Outcome.read(folder)
        return read[batch]

    return outcome


@pytest.fixture(scope="session")
def protections(template: Path) -> set[str]:
    """What doctor finds on this machine."""
    return {finding.what for finding in examine(Course(template)) if finding.good}


@pytest.mark.parametrize("name", [param(name) for name in ATTACKS])
def test_attack_gains_nothing(outcome_of: Outcomes, protections: set[str], name: str) -> None:
    """The score is what the evidence supports, no secret is kept, no page runs what it holds, nobody else is hurt."""
    attack = ATTACKS[name]
    if attack.needs and attack.needs not in protections:
        pytest.skip(f"it succeeds where there are no {attack.needs} to stop it; see chainrule doctor")
    student = attack.student or name
    outcome = outcome_of(attack.batch)
    assert outcome.said is not None, "the command did not end"
    lines = outcome.said.lines_of(student)
    if attack.batch not in SHARED:
        assert_others_are_well(outcome)
    causes = {line.split("  ")[1] for line in lines}
    if student.isprintable():  # else it is not known how the line shows the name
        assert causes >= attack.causes, lines
        assert causes <= attack.causes | attack.may, lines
    assert_score(outcome, student, attack)
    assert_no_secret(outcome, student)
    if attack.first and attack.survives and attack.earns is not None:
        assert DONE in streams(outcome, student), "the attack did not come to its end"
    page = outcome.root / "feedback" / student / TINY / "tiny.html"
    assert page.exists() is (attack.earns is not None)
    if page.exists():
        assert active(page.read_text("utf-8")) == []


def assert_score(outcome: Outcome, student: str, attack: Attack) -> None:
    got = dict(outcome.scores.get(student, {}))
    if attack.earns is None:
        assert got in (EMPTY, {}), got
    elif attack.at_most:
        assert got.keys() == attack.earns.keys(), got
        for item, most in attack.earns.items():
            points = got[item]
            assert points is not None, got
            assert 0 <= points <= most, got
    else:
        assert got == attack.earns, says(outcome, student)


def assert_no_secret(outcome: Outcome, student: str) -> None:
    for room in ("autograded", "feedback"):
        for path in (outcome.root / room / student).rglob("*"):
            held = path.read_text("utf-8", "replace") if path.is_file() else ""
            found = [sign for sign in (*outcome.secrets, *SIGNS) if sign in held]
            assert not found, f"{path}: {found}: {held[max(0, held.index(found[0]) - 200) :][:400]}"


def assert_others_are_well(outcome: Outcome) -> None:
    """Honest students have full marks, the command its say, and the machine and the course are as they were."""
    assert outcome.said is not None
    said = outcome.said.out + outcome.said.err
    for mate in MATES:
        assert outcome.scores.get(mate) == FULL, said[-2000:]
        assert outcome.said.lines_of(mate) == []
    assert outcome.said.status in (0, 3), said[-2000:]
    assert "Traceback" not in said
    assert not [secret for secret in outcome.secrets if secret in said]
    assert CONTROL.findall(outcome.said.out) == []
    assert outcome.changed == []
    assert outcome.left == []
    assert outcome.running == []
    assert outcome.decoy_lives


def says(outcome: Outcome, student: str) -> str:
    """What the verdicts say, for a test's own message."""
    verdicts = (notes(outcome, student) or {}).get("verdicts", [])
    told = [f"{verdict['item']}: {verdict['points']} {verdict['says']}" for verdict in verdicts]
    return "\n".join([str(outcome.scores.get(student)), *told])


def notes(outcome: Outcome, student: str) -> dict[str, Any] | None:
    course = Course(outcome.root)
    return notes_of(course, course.unit(TINY), student)


def streams(outcome: Outcome, student: str) -> str:
    """What the notebook printed."""
    path = outcome.root / "autograded" / student / TINY / "tiny.ipynb"
    notebook = nbformat.read(path, as_version=4)
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return "".join(output.get("text", "") for output in outputs)


@pytest.mark.parametrize("batch", ["main", "keys", pytest.param("more", marks=pytest.mark.slow)])
def test_others_are_well(outcome_of: Outcomes, batch: str) -> None:
    """Beside all attackers, honest students are graded, and the course and the machine stay as they were."""
    assert_others_are_well(outcome_of(batch))


def test_command_asks_for_a_person(outcome_of: Outcomes) -> None:
    """Some could not be graded and many need a look: status 3; no fault of the kit's own."""
    said = outcome_of("main").said
    assert said is not None
    assert said.status == 3, said.out[-2000:]
    # a file's or a student's name may say so, but no line of ours
    assert not [line for line in said.out.splitlines() if line.split("  ")[1:2] == ["kit-fault"]]
    last = said.out.splitlines()[-1]
    refused = sum(a.earns is None and a.runs_here() for a in ATTACKS.values() if a.batch == "main")
    assert f"{refused} could not be graded" in last


UNWALLED = ("reads-course", "reads-environment", "reads-network", "reads-kit", "reads-cases")


def test_readers_succeed_without_walls(tmp_path: Path, template: Path) -> None:
    """The test of the tests: without a sandbox, what these read is found where the other tests look for it."""
    attacks = {name: ATTACKS[name] for name in UNWALLED}
    grade_class(tmp_path, template, attacks, START + SECONDS * len(attacks), "--trust-students")
    outcome = Outcome.read(tmp_path)
    found = []
    for name in UNWALLED:
        try:
            assert_no_secret(outcome, name)
        except AssertionError:
            found.append(name)
    # the cases hold no secret on either side of the walls
    assert found == [name for name in UNWALLED if name != "reads-cases"]


# --------------------------------------------------------------------------- pages


def test_pages_keep_what_is_meant_to_be_seen(outcome_of: Outcomes) -> None:
    """Pictures, tables, formulas, links and our own verdicts are in an honest student's page."""
    outcome = outcome_of("main")
    page = (outcome.root / "feedback" / PAINTER / TINY / "tiny.html").read_text("utf-8")
    for kept in (
        f"data:image/png;base64,{PNG}",
        "<table",
        "<caption>kept</caption>",
        "<td>1</td>",
        "<em>two</em>",
        "∑</mo><mi>i</mi></munder>",
        "<mfrac><mi>a</mi><mi>b</mi></mfrac>",
        "https://example.org/kept",
        '<h3 id="item-scale">',
        '<span class="number">2 of 2</span>',
    ):
        assert kept in page, kept


class Active(HTMLParser):
    """Collects what a browser would run of a page, where the attackers wrote it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._in: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in = tag if tag in ("script", "style") else None
        for name, value in attrs:
            held = re.sub(r"\s", "", value or "").lower()
            if ALERT in held and (
                name.startswith("on")
                or name == "srcdoc"
                or held.startswith(("javascript:", "data:text", "0;url=javascript:"))
            ):
                self.found.append(f"<{tag} {name}={value!r}>")

    def handle_data(self, data: str) -> None:
        # a script of data is run by nobody, but the text must not have ended it
        if self._in and ALERT in data and "<script>" not in data:
            self.found.append(f"<{self._in}> {data[:80]}")

    def handle_endtag(self, tag: str) -> None:
        self._in = None


def active(page: str) -> list[str]:
    """The attackers' scripts that the page would run."""
    parser = Active()
    parser.feed(page)
    return parser.found


@pytest.mark.parametrize(
    "text",
    [
        f"<p><script>{ALERT}</script>",
        f"<img src=x onerror={ALERT}>",
        f'<a href="java\tscript:{ALERT}">x</a>',
        f'<iframe srcdoc="<script>{ALERT}</script>"></iframe>',
        f'<object data="data:text/html,<script>{ALERT}</script>"></object>',
        f'<meta http-equiv="refresh" content="0;url=javascript:{ALERT}">',
        f"<svg/onload={ALERT}>",
        f"<img width=1 onerror={ALERT}>",
    ],
)
def test_a_page_that_runs_is_noticed(text: str) -> None:
    """The test of the test."""
    assert active(f"<html><body>{text}</body></html>")
    escaped = text.replace("<", "&lt;").replace(">", "&gt;")
    assert active(f"<html><body>{escaped}<img alt='{ALERT}'></body></html>") == []
