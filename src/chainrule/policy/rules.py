"""The course's policy as data and arithmetic. Reads nothing and writes nothing.

Moments are as the gradebook holds them: UTC without a zone. Lateness is in seconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

DAY = 24 * 60 * 60  # seconds; a day of lateness has as many when the clocks change, too
DIGITS = 9  # after which points are rounded: three tenths are three times a tenth


@dataclass(frozen=True, slots=True)
class Late:
    """What lateness costs: a share of the score for each day begun after the grace, and all of it once closed."""

    share_per_day: float = 0.0
    share_at_most: float = 1.0
    grace_minutes: float = 0.0
    closed_after_days: int | None = None

    def days(self, seconds_late: float) -> int:
        """Days begun, counted from the end of the grace; 0 up to its end."""
        return max(0, math.ceil((seconds_late - 60 * self.grace_minutes) / DAY))

    def share(self, seconds_late: float) -> float:
        """The share of the score that is lost, 0 to 1."""
        days = self.days(seconds_late)
        if self.closed_after_days is not None and days > self.closed_after_days:
            return 1.0
        return min(days * self.share_per_day, self.share_at_most)

    def penalty(self, score: float, seconds_late: float) -> float:
        """Points lost of a score; never more than it."""
        return min(max(0.0, score), round(max(0.0, score) * self.share(seconds_late), DIGITS))


@dataclass(frozen=True, slots=True)
class Extension:
    """More time for one student: days by the calendar, hours and minutes by the clock, or until a moment."""

    days: int = 0
    minutes: int = 0
    until: datetime | None = None

    def after(self, due: datetime, zone: ZoneInfo | None = None) -> timedelta:
        """What is added to a due date. Days end at the same time of day, whatever the clocks do in `zone`."""
        if self.until is not None:
            return max(timedelta(), self.until - due)
        local = due.replace(tzinfo=UTC).astimezone(zone or UTC)
        moved = (local + timedelta(days=self.days)).astimezone(UTC).replace(tzinfo=None)
        return moved - due + timedelta(minutes=self.minutes)


@dataclass(frozen=True, slots=True)
class Counting:
    """How units add up. `weights`: by unit, or None where a unit counts by its points.

    extra_units: units, and extra_items: (unit, item), whose points count and are not asked for.
    """

    drop_lowest: int = 0
    weights: Mapping[str, float] | None = None
    extra_units: frozenset[str] = frozenset()
    extra_items: frozenset[tuple[str, str]] = frozenset()

    def dropped(self, results: Iterable[tuple[str, float, float]]) -> frozenset[str]:
        """Of one student's (unit, share, weight), the units that do not count: the lowest, but never the last one.

        Of equal shares the one that weighs most goes. Extra units are never dropped: they cannot do harm. Neither can
        one that weighs nothing, which would use the dropping up, or be all that is left.
        """
        asked = [result for result in results if result[0] not in self.extra_units and result[2] > 0]
        lowest = sorted(asked, key=lambda result: (round(result[1], DIGITS), -result[2], result[0]))
        return frozenset(unit for unit, _, _ in lowest[: min(self.drop_lowest, len(asked) - 1)])


@dataclass(frozen=True, slots=True)
class Policy:
    """What course.toml says. Units go by their full names; `late` is None where it says nothing of lateness."""

    late: Late | None = None
    zone: ZoneInfo | None = None
    due: Mapping[str, datetime] = field(default_factory=dict)
    extensions: Mapping[str, Mapping[str, Extension]] = field(default_factory=dict)  # by student, by unit
    counting: Counting = Counting()

    def due_date(self, unit: str, held: datetime | None) -> datetime | None:
        """When a unit is due for all. `held` is the gradebook's date, for a unit that course.toml does not name."""
        return self.due.get(unit, held)

    def extension(self, unit: str, student: str, held: timedelta | None, due: datetime | None) -> timedelta | None:
        """A student's extension of the common `due` date. `held` is the gradebook's, for whom it does not name."""
        granted = self.extensions.get(student, {}).get(unit)
        return held if granted is None or due is None else granted.after(due, self.zone)

    def due_for(
        self, unit: str, student: str, held: datetime | None = None, held_extension: timedelta | None = None
    ) -> datetime | None:
        """When a unit is due for one student, extension included."""
        due = self.due_date(unit, held)
        return due and due + (self.extension(unit, student, held_extension, due) or timedelta())


def seconds_late(handed_in: datetime | None, due: datetime | None) -> float:
    """As nbgrader counts: 0 for work in time, without a time, or without a date that it was due."""
    if handed_in is None or due is None:
        return 0.0
    return max(0.0, (handed_in - due).total_seconds())
