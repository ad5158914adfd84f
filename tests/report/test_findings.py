"""Items, risk and resubmissions, on tables small enough to count by hand; what is not defined is said, not shown."""

from __future__ import annotations

import pandas as pd
import pytest

from chainrule.course import Course, Unit
from chainrule.report.history import by_attempt, resubmitted, submissions
from chainrule.report.items import AGAINST, APART, TOO_EASY, TOO_HARD, unit_report
from chainrule.report.risk import at_risk
from helpers import FULL, TINY, built_course, once


@pytest.fixture(scope="module")
def unit(tmp_path_factory: pytest.TempPathFactory) -> Unit:
    return Course(once(tmp_path_factory, "tiny", lambda root: built_course(root) and None)).unit(TINY)


def answers(**points: list[float | None]) -> pd.DataFrame:
    """A row an answer: each student's points of scale, half, total, letter."""
    rows = [
        (TINY, student, item, mark, FULL[item], "right" if mark == FULL[item] else "blank", (), ())
        for student, marks in points.items()
        for item, mark in zip(FULL, marks, strict=True)
    ]
    names = ["unit", "student", "item", "points", "out_of", "status", "slips", "follows"]
    return pd.DataFrame(rows, columns=names).astype({"points": float, "out_of": float})


def test_fewer_than_three_students(unit: Unit) -> None:
    """No correlation and no alpha, and why; the mean share is there."""
    found = unit_report(unit, answers(amy=[2, 1, 1, 0], bob=[1, 0, 1, 0]))
    assert (found.alpha, found.why) == (None, "fewer than 3 students have all items scored")
    assert [item.share for item in found.items] == [0.75, 0.5, 1.0, 0.0]
    assert {(item.discrimination, item.alpha_without, item.why) for item in found.items} == {(None, None, found.why)}


def test_nothing_varies(unit: Unit) -> None:
    """Everybody has everything."""
    found = unit_report(unit, answers(amy=[2, 1, 1, 1], bob=[2, 1, 1, 1], cy=[2, 1, 1, 1]))
    assert (found.alpha, found.why) == (None, "all students have the same total")
    assert {item.why for item in found.items} == {"all students have the same points here"}
    assert {item.words for item in found.items} == {(TOO_EASY,)}


def test_answers_without_a_score_are_left_out(unit: Unit) -> None:
    """Of the item's mean the one answer, of correlations the student; nobody is counted as a 0."""
    found = unit_report(unit, answers(amy=[2, 1, 1, 1], bob=[1, 0, 0, 0], cy=[0, 0, 1, 0], dan=[2, 1, None, 1]))
    assert (found.complete, found.left_out) == (3, 1)
    assert [item.n for item in found.items] == [4, 4, 3, 4]
    assert found.items[2].share == pytest.approx(2 / 3)


def test_words(unit: Unit) -> None:
    """Against the rest, apart from it, too hard."""
    found = unit_report(
        unit, answers(a=[2, 1, 0, 0], b=[2, 1, 0, 0], c=[1, 0.5, 1, 0], d=[0, 0, 1, 0], e=[0, 0, 0.5, 0.5])
    )
    words = {item.item: item.words for item in found.items}
    assert words["total"][0] == AGAINST
    assert TOO_HARD in words["letter"]
    assert words["scale"] == (APART,), "a correlation of 0: the others' sums are 1, 1, 1.5, 1, 1"


def units(*rows: tuple[str, str, str, float | None, bool]) -> pd.DataFrame:
    """Of (student, unit, state, final out of 10, counts)."""
    frame = pd.DataFrame(rows, columns=["student", "unit", "state", "final", "counts"])
    return frame.assign(out_of=10.0, extra=False).astype({"final": float})


def totals(**shares: float | None) -> pd.DataFrame:
    return pd.DataFrame({"student": list(shares), "share": list(shares.values())}).astype({"share": float})


def test_a_unit_that_is_still_open_is_no_reason() -> None:
    """Nor is one that is missing among many; two of five are."""
    graded = [(name, f"u{n}", "graded", 8.0, True) for name in ("amy", "bob", "cy") for n in range(3)]
    rows = units(
        *graded,
        ("amy", "u3", "missing", None, False),
        ("amy", "u4", "missing", None, False),
        ("bob", "u3", "missing", None, True),
        ("bob", "u4", "graded", 8.0, True),
        ("cy", "u3", "missing", None, True),
        ("cy", "u4", "missing", None, True),
    )
    found = at_risk(rows, totals(amy=0.8, bob=0.64, cy=0.51))
    assert [(one.student, one.reasons) for one in found] == [("cy", ("2 of 5 units missing: u3, u4",))]


@pytest.mark.parametrize(("last", "named"), [(5.5, True), (5.6, False)])
def test_a_fall_needs_two_earlier_units(last: float, named: bool) -> None:
    """From 80% to 55%: a quarter exactly is a reason, if two came before."""
    rows = units(
        ("amy", "u1", "graded", 8, True), ("amy", "u2", "graded", 8, True), ("amy", "u3", "graded", last, True)
    )
    assert bool(at_risk(rows, totals(amy=0.7))) == named
    assert at_risk(rows.iloc[1:], totals(amy=0.7)) == []


def test_low_is_below_half() -> None:
    """And who has nothing that counts is not low."""
    rows = units(
        ("amy", "u1", "graded", 4.9, True), ("bob", "u1", "graded", 5, True), ("cy", "u1", "missing", None, False)
    )
    found = at_risk(rows, totals(amy=0.49, bob=0.5, cy=None))
    assert [(one.student, one.reasons) for one in found] == [("amy", ("49% of the points so far",))]


def gradings(*rows: tuple[str, str | None, float | None]) -> pd.DataFrame:
    """Of (student, work, score out of 10), oldest first."""
    frame = pd.DataFrame(rows, columns=["student", "work", "score"])
    return frame.assign(unit="u1", out_of=10.0, handed_in=pd.NaT, id=range(len(frame)))


def test_a_regrade_is_no_submission() -> None:
    """The same work under other rules counts once, with its last score; work that comes back is a third."""
    found = submissions(gradings(("amy", "a", 2), ("amy", "a", 4), ("amy", "b", 5), ("bob", "x", 1), ("amy", "a", 4)))
    told = [(row.student, row.attempt, row.share) for row in found.sort_values(["student", "attempt"]).itertuples()]
    assert told == [("amy", 1, 0.4), ("amy", 2, 0.5), ("amy", 3, 0.4), ("bob", 1, 0.1)]


def test_first_and_last_are_each_students_own() -> None:
    """Gradings of several students go criss-cross; what could not be graded is not compared."""
    rows = gradings(
        ("bob", "1", 9), ("amy", "1", 2), ("cy", None, None), ("amy", "2", 3), ("bob", "2", 6), ("cy", "2", 7),
        ("dan", "1", 5), ("amy", "3", 8), ("eve", "1", 5), ("eve", "2", 5),
    )  # fmt: skip
    (found,) = resubmitted(submissions(rows))
    assert (found.once, found.more, found.most) == (1, 4, 3)
    assert (found.compared, found.rose, found.stayed, found.fell, found.mended) == (3, 1, 1, 1, 1)
    assert (found.first, found.last) == (pytest.approx((0.9 + 0.2 + 0.5) / 3), pytest.approx((0.6 + 0.8 + 0.5) / 3))
    trend = by_attempt(submissions(rows))
    assert trend["n"].tolist() == [3, 4, 1]
    assert trend["share"].tolist() == pytest.approx([1.6 / 3, 2.1 / 4, 0.8])


def test_no_history() -> None:
    """No rows, no trend."""
    assert resubmitted(submissions(gradings())) == []
    assert by_attempt(submissions(gradings())).empty
