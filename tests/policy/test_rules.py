"""The policy's arithmetic at its borders."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.policy import Counting, Extension, Late, Policy
from chainrule.policy.rules import DAY, seconds_late

BERLIN = ZoneInfo("Europe/Berlin")
LATE = Late(share_per_day=0.1, share_at_most=0.5, grace_minutes=15, closed_after_days=7)
GRACE = 15 * 60


@pytest.mark.parametrize(
    ("seconds", "days", "lost"),
    [
        (0, 0, 0),
        (1, 0, 0),
        (GRACE, 0, 0),
        (GRACE + 0.001, 1, 1),
        (GRACE + 1, 1, 1),
        (GRACE + DAY, 1, 1),
        (GRACE + DAY + 1, 2, 2),
        (GRACE + 3 * DAY, 3, 3),
        (GRACE + 5 * DAY, 5, 5),
        (GRACE + 5 * DAY + 1, 6, 5),
        (GRACE + 7 * DAY, 7, 5),
        (GRACE + 7 * DAY + 1, 8, 10),
    ],
)
def test_lateness_at_its_borders(seconds: float, days: int, lost: float) -> None:
    """In time, in the grace, the first second after it, the second day, the cap, the close. Of ten points, exactly."""
    assert LATE.days(seconds) == days
    assert LATE.penalty(10.0, seconds) == lost


def test_nothing_said_costs_nothing() -> None:
    """A table without a share takes nothing, however late; without a close, the cap holds for ever."""
    assert Late().penalty(10.0, 99 * DAY) == 0
    assert Late(share_per_day=0.1).penalty(10.0, 99 * DAY) == 10
    assert Late(share_per_day=0.1, share_at_most=0.5).penalty(10.0, 99 * DAY) == 5
    assert Late(closed_after_days=0).penalty(10.0, 1) == 10


@given(
    late=st.builds(
        Late,
        st.floats(0, 1),
        st.floats(0, 1),
        st.floats(0, 10_000),
        st.none() | st.integers(0, 30),
    ),
    score=st.floats(-5, 1000),
    seconds=st.tuples(st.floats(0, 60 * DAY), st.floats(0, 60 * DAY)),
)
def test_penalty_is_of_the_score_and_grows(late: Late, score: float, seconds: tuple[float, float]) -> None:
    """Never below 0 nor above the score, and never less for work that is later."""
    sooner, later = (late.penalty(score, moment) for moment in sorted(seconds))
    assert 0 <= sooner <= later <= max(0.0, score)


def test_seconds_are_counted_from_the_due_date() -> None:
    """None before it and at it, none without a time or a due date."""
    due = datetime(2026, 10, 12, 21, 59)
    assert seconds_late(due - timedelta(days=1), due) == 0
    assert seconds_late(due, due) == 0
    assert seconds_late(due + timedelta(seconds=1), due) == 1
    assert seconds_late(None, due) == seconds_late(due, None) == 0


DUE = datetime(2026, 10, 23, 21, 59)  # 23:59 in Berlin, two days before its clocks go back


def test_days_of_an_extension_end_at_the_same_time_of_day() -> None:
    """23:59 stays 23:59 when the clocks go back, and forward; hours are hours."""
    assert Extension(days=3).after(DUE, BERLIN) == timedelta(days=3, hours=1)
    assert Extension(days=3).after(DUE) == timedelta(days=3)
    assert Extension(days=2).after(datetime(2026, 3, 27, 22, 59), BERLIN) == timedelta(days=2, hours=-1)
    assert Extension(minutes=72 * 60).after(DUE, BERLIN) == timedelta(days=3)


def test_extension_until_a_moment() -> None:
    """The time in between, and never less than the common due date gives."""
    assert Extension(until=DUE + timedelta(hours=5)).after(DUE, BERLIN) == timedelta(hours=5)
    assert Extension(until=DUE - timedelta(hours=5)).after(DUE, BERLIN) == timedelta()


def test_due_dates_by_student() -> None:
    """course.toml before the gradebook, for the date and for the extension, each for what it names alone."""
    week, hour = timedelta(days=7), timedelta(hours=1)
    policy = Policy(due={"a": DUE}, extensions={"amy": {"a": Extension(days=7), "b": Extension(minutes=60)}})
    other = datetime(2026, 1, 1)
    assert policy.due_for("a", "amy", other, hour) == DUE + week
    assert policy.due_for("a", "bob", other, hour) == DUE + hour
    assert policy.due_for("a", "bob") == DUE
    assert policy.due_for("b", "amy", other, None) == other + hour
    assert policy.due_for("b", "amy") is None
    assert policy.due_for("c", "amy", other, hour) == other + hour
    # one who was given more time has it once, not once more in the gradebook
    assert policy.due_for("a", "amy", DUE, week) == DUE + week


def test_dropped_are_the_lowest() -> None:
    """By share; of equal ones the heaviest; never the last one; never extra units."""
    results = [("a", 0.5, 10.0), ("b", 0.25, 5.0), ("c", 0.25, 8.0), ("extra", 0.0, 1.0)]
    extra = frozenset({"extra"})
    assert Counting(0, extra_units=extra).dropped(results) == set()
    assert Counting(1, extra_units=extra).dropped(results) == {"c"}
    assert Counting(2, extra_units=extra).dropped(results) == {"b", "c"}
    assert Counting(3, extra_units=extra).dropped(results) == {"b", "c"}
    assert Counting(1).dropped(results[:1]) == set()
    assert Counting(1).dropped([]) == set()
    light = [*results, ("practice", 0.0, 0.0)]
    assert Counting(1, extra_units=extra).dropped(light) == {"c"}, "what weighs nothing uses no dropping up"
    assert Counting(1).dropped([("a", 0.5, 10.0), ("practice", 0.9, 0.0)]) == set(), "nor is it all that is left"
