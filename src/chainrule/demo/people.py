"""Who is in a made class, and when each of them hands in: names as classes have them, most work in time, some late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from chainrule.course import Unit
from chainrule.policy.rules import Late

FIRST = [
    "Ada",
    "Björn",
    "Chiara",
    "Dmitri",
    "Élodie",
    "Fatima",
    "Grace",
    "Hồng",
    "İlker",
    "Jürgen",
    "Kwame",
    "Łucja",
    "María",
    "Nils",
    "Öykü",
    "Priya",
    "Quinn",
]
LAST = [
    "Abe",
    "Berg",
    "Çelik",
    "Dvořák",
    "Eze",
    "Fischer",
    "García",
    "Haddad",
    "Ivanova",
    "Jensen",
    "Kumar",
    "Lê",
    "Müller",
    "Nowak",
    "O'Brien",
]

POLICY = Late(share_per_day=0.1, share_at_most=0.5, grace_minutes=15)
FIRST_DUE = datetime(2026, 9, 14, 22, 0, tzinfo=UTC)  # of the first unit; a week more for each of the others
# of every ten students: hours before the unit is due, after it where negative, and the share that `POLICY` takes
HOURS = ((30, 0), (5, 0), (1.5, 0), (52, 0), (0.2, 0), (26, 0), (-0.2, 0), (8, 0), (-7, 0.1), (-30, 0.2))


@dataclass(frozen=True, slots=True)
class HandedIn:
    """When work came, and the share of its score that is lost: worked by hand, so that grading can be held to it."""

    time: datetime
    lost: float


def name_of(number: int) -> tuple[str, str]:
    """First and last name of a class's student of that number; two of a class may have the same."""
    return FIRST[number % len(FIRST)], LAST[number % len(LAST)]


def due(number: int) -> datetime:
    """When the unit of that number, counted from 0, is due."""
    return FIRST_DUE + timedelta(weeks=number)


def handed_in(student: int, unit: int) -> HandedIn:
    """When a student hands a unit in, both by number: not everybody late is late each time."""
    early, lost = HOURS[(student + 3 * unit) % len(HOURS)]
    return HandedIn(due(unit) - timedelta(hours=early), lost)


def policy_text(units: list[Unit]) -> str:
    """`POLICY` and the units' due dates as course.toml has them."""
    dates = [f'"{unit.name}" = {due(number).isoformat()}' for number, unit in enumerate(units)]
    late = [f"{key} = {getattr(POLICY, key)}" for key in ("share_per_day", "share_at_most", "grace_minutes")]
    return "\n".join(["[late]", *late, "", "[due]", *dates, ""])
