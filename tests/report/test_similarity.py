"""Copies are found, renamed or not; what anybody may write is not, nor is anything that is hostile."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import numpy as np
import pytest

from chainrule.course import Course, Unit
from chainrule.demo.students import equivalents, make_class
from chainrule.report.similarity import (
    EVIDENCE,
    MAX_TEXT,
    NAMES,
    SHAPE,
    THRESHOLD,
    WINDOW,
    K,
    alike,
    common_lines,
    fragments_of,
    tokens,
    winnow,
)
from helpers import TINY, built_course, once
from made_class import OWN, RENAMED

ROOT = Path(__file__).resolve().parents[2]
OTHER = """\
def scale(x, factor):
    answer = np.zeros(len(x))
    at = 0
    while at < len(x):
        answer[at] = factor * x[at]
        at += 1
    if answer.shape != np.shape(x):
        answer = answer.reshape(np.shape(x))
    assert answer.size == len(x), "lost some"
    return answer
"""
KEY = "def scale(x, factor):\n    return factor * x\n"


@pytest.fixture(scope="module")
def unit(tmp_path_factory: pytest.TempPathFactory) -> Unit:
    """For reading only."""
    return Course(once(tmp_path_factory, "tiny", lambda root: built_course(root) and None)).unit(TINY)


def pairs(unit: Unit, **texts: str) -> dict[tuple[str, str], str]:
    """Pairs that are named, with the view, in a class of these answers to `scale` and ten that wrote the key's."""
    others = {f"k{number}": {"scale": KEY} for number in range(10)}
    found = alike(unit, {name: {"scale": text} for name, text in texts.items()} | others)
    return {(pair.one, pair.other): pair.view for pair in found.pairs}


def test_copies_are_found(unit: Unit) -> None:
    """Word for word, and with every name and the comment changed; somebody's own text is nobody's copy."""
    assert pairs(unit, amy=OWN, bob=OWN, cy=OTHER) == {("amy", "bob"): NAMES}
    assert pairs(unit, amy=OWN, bob=RENAMED, cy=OTHER) == {("amy", "bob"): SHAPE}
    assert set(RENAMED.split()) != set(OWN.split())
    assert pairs(unit, amy=OWN, cy=OTHER) == {}


def test_a_copy_that_was_worked_on_is_found(unit: Unit) -> None:
    """Other numbers, two lines more, another text: most of what is particular is still there."""
    worked = RENAMED.replace("* 0", "* 7").replace("    out = []", "    print(x)\n    out = []\n    out.reverse()")
    assert pairs(unit, amy=OWN, bob=worked) == {("amy", "bob"): SHAPE}


def test_what_the_course_holds_says_nothing(unit: Unit) -> None:
    """The solution, a slip, an equivalent and the release, handed in by two each."""
    item = unit.items["scale"]
    texts = [KEY, *(unit.key.edited("scale", edit) for edit in item.edits)]
    named = {f"{name}{number}": text for number, text in enumerate(texts) for name in "ab"}
    assert pairs(unit, **named) == {}


def test_what_most_of_the_class_has_says_nothing(unit: Unit) -> None:
    """A text that the lecture showed: more than half hand it in."""
    shown = {f"s{number}": {"scale": OWN} for number in range(12)}
    others = {f"k{number}": {"scale": KEY} for number in range(10)}
    assert alike(unit, shown | others).pairs == ()
    few = dict(list(shown.items())[:4])
    assert len(alike(unit, few | others).pairs) == 6


def test_short_answers_weigh_little(unit: Unit) -> None:
    """A line that two alone have is all that is particular to them, and not enough."""
    line = "def scale(x, factor):\n    return np.multiply(np.asarray(x), float(factor), dtype=float) + 0 * x\n"
    found = alike(unit, {"amy": {"scale": line}, "bob": {"scale": line}} | {f"k{n}": {"scale": KEY} for n in range(8)})
    assert found.pairs == ()
    assert fragments_of({"scale": line}, 0), "it has fragments; they weigh too little"


def test_numbers_do_not_count(unit: Unit) -> None:
    """Worked values are forced: lists of other numbers are the same text, and say little."""
    one = "total = [" + ", ".join(f"0.{number}" for number in range(100, 160)) + "]"
    other = re.sub(r"\d", "7", one)
    assert fragments_of({"total": one}, 0) == fragments_of({"total": other}, 0)
    assert pairs(unit, amy=one, bob=one) == {}


def test_a_class_of_two_is_not_compared(unit: Unit) -> None:
    """Nothing is rare there."""
    assert alike(unit, {"amy": {"scale": OWN}, "bob": {"scale": OWN}}).pairs == ()
    assert alike(unit, {}).pairs == ()


def test_independent_right_answers_are_no_copies() -> None:
    """Unit 02 as `demo` makes it, thirty students, and ten who each put several equivalents together."""
    unit = Course(ROOT).unit("02")
    rng = np.random.default_rng(5)
    made = make_class(unit, 30, rng)[7:] + [equivalents(unit, f"e{number}", rng) for number in range(10)]
    texts = {student.name: answers(student.text or "") for student in made}
    assert alike(unit, texts).pairs == ()
    texts["copy"] = {**texts["e1"], "softmax": OWN.replace("scale", "softmax"), "squared-error": OTHER}
    texts["copied"] = {**texts["e2"], "softmax": RENAMED.replace("scale", "softmax"), "squared-error": OTHER}
    assert [(pair.one, pair.other) for pair in alike(unit, texts).pairs] == [("copied", "copy")]


def answers(text: str) -> dict[str, str]:
    cells = nbformat.reads(text, as_version=4).cells
    found = [(cell.metadata.get("nbgrader", {}), cell.source) for cell in cells]
    return {meta["grade_id"]: source for meta, source in found if meta.get("solution")}


HOSTILE = {
    "no Python": "this is ( not [ python at all: 'unfinished\n\t  x\n y",
    "no tokens": "\x00\x00\udcff\u202e",
    "nothing": "",
    "white": " \n\t\n" * 1000,
    "huge": "x = " + "(" * 200_000,
    "one line": "f(" + "1, " * 300_000 + ")",
    "quotes": '"""' * 66_667,
    "tabs": "if 1:\n\tx\n        y\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_bounded(unit: Unit, name: str) -> None:
    """It comes to an end with no more tokens than MAX_TEXT has characters, and the rest of the class is compared."""
    assert len(tokens(HOSTILE[name])) <= MAX_TEXT
    assert pairs(unit, amy=OWN, bob=RENAMED, mallory=HOSTILE[name]) == {("amy", "bob"): SHAPE}
    assert all(line < MAX_TEXT for line in common_lines(HOSTILE[name], "scale", OWN, SHAPE, frozenset()))


def test_code_that_is_no_python_is_compared_all_the_same(unit: Unit) -> None:
    """A bracket too many in both hides nothing."""
    assert pairs(unit, amy=OWN + "(", bob=RENAMED + "(") == {("amy", "bob"): SHAPE}


def test_lines_in_common(unit: Unit) -> None:
    """All but the comment's, in both; in a third text none."""
    found = alike(unit, {"amy": {"scale": OWN}, "bob": {"scale": RENAMED}, "cy": {"scale": OTHER}})
    common = found.common[SHAPE]
    lines = set(range(len(OWN.splitlines()))) - {1}
    assert common_lines(OWN, "scale", RENAMED, SHAPE, common) == lines
    assert common_lines(RENAMED, "scale", OWN, SHAPE, common) == lines
    assert common_lines(OTHER, "scale", OWN, SHAPE, common) == frozenset()


def test_winnowing_keeps_what_is_long_enough() -> None:
    """The guarantee of Schleimer et al.: of K + WINDOW - 1 tokens in common, one fragment is kept in both."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        common = rng.integers(0, 1000, WINDOW).tolist()
        one, other = (rng.integers(0, 1000, (2, 20)).tolist() for _ in range(2))
        both = [[*text[0], *common, *text[1]] for text in (one, other)]
        assert winnow(both[0]) & winnow(both[1])
    assert K + WINDOW - 1 == 13, "tokens; the text on the page speaks of some five lines for the least weight"
    assert (THRESHOLD, EVIDENCE) == (0.6, 12.0)
