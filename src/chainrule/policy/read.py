"""Reads the policy out of course.toml. What is not as it should be is named with its table, key and way out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from chainrule.course import Course
from chainrule.errors import CourseError
from chainrule.policy.rules import Counting, Extension, Late, Policy

TABLES = ("course", "limits", "grading", "late", "due", "extensions", "grades")
LAST = time(23, 59, 59)  # of a day that is given without a time
DURATION = re.compile(r"(\d{1,4}) *(minute|hour|day|week)s?")
MOMENT = "a date or a date and time without quotes, as in 2026-10-12T23:59:00+02:00"


def read_policy(course: Course) -> Policy:
    """What course.toml says of due dates, lateness, extensions and grades. CourseError where it cannot be meant so."""
    reader = _Reader(course)
    reader.expect_keys("", reader.settings, TABLES)
    due_table = reader.table("due")
    zone = reader.zone(due_table.pop("zone", None))
    due = {unit: reader.moment("due", key, held, zone) for unit, key, held in reader.by_unit("due", due_table)}
    return Policy(read_late(course), zone, due, reader.extensions(zone, due), reader.counting())


def read_late(course: Course) -> Late | None:
    """The table [late] alone, which needs no other part of the course; None where there is none."""
    reader = _Reader(course)
    if "late" not in reader.settings:
        return None
    table = reader.table("late")
    reader.expect_keys("late", table, Late.__dataclass_fields__)
    for key in ("share_per_day", "share_at_most"):
        reader.expect_number("late", key, table.get(key, 0), "a share of the score, from 0 to 1", at_most=1)
    reader.expect_number("late", "grace_minutes", table.get("grace_minutes", 0), "minutes, 0 or more")
    days = table.get("closed_after_days", 0)
    if type(days) is not int or days < 0:
        raise reader.wrong("late", "closed_after_days", "a whole number of days, 0 or more", days)
    return Late(**table)


class _Reader:
    """course.toml and how to speak of it."""

    def __init__(self, course: Course) -> None:
        self.course = course
        self.path = course.root / "course.toml"
        self.settings = course.settings()

    def table(self, name: str) -> dict[str, Any]:
        """A table's own copy; empty where there is none."""
        found = self.settings.get(name, {})
        if not isinstance(found, dict):
            raise CourseError(f"{self.path}: {name} is a table, headed [{name}]; found {found!r}")
        return dict(found)

    def wrong(self, table: str, key: str, takes: str, found: object) -> CourseError:
        shown = found.isoformat() if isinstance(found, date | time) else repr(found)
        return CourseError(f"{self.path}: [{table}] {key} takes {takes}; found {shown}")

    def expect_keys(self, table: str, found: Iterable[str], known: Iterable[str]) -> None:
        unknown = ", ".join(sorted(set(found) - set(known)))
        if unknown:
            where = f"[{table}] knows" if table else "there are tables"
            raise CourseError(f"{self.path}: {where} {', '.join(known)}; found {unknown}")

    def expect_number(self, table: str, key: str, found: object, takes: str, at_most: float = float("inf")) -> float:
        if type(found) not in (int, float) or not 0 <= found <= at_most or found == float("inf"):  # type: ignore[operator]
            raise self.wrong(table, key, takes, found)
        return float(found)  # type: ignore[arg-type]

    def unit_name(self, table: str, name: object) -> str:
        if not isinstance(name, str):
            raise CourseError(f"{self.path}: [{table}] names units in quotes; found {name!r}")
        try:
            return self.course.full_name(name)
        except CourseError as error:
            raise CourseError(f"{self.path}: [{table}]: {error}") from error

    def by_unit(self, table: str, found: Mapping[str, Any]) -> Iterable[tuple[str, str, Any]]:
        """(unit's full name, key as it is written, what it holds); no unit twice."""
        seen: dict[str, str] = {}
        for key, held in found.items():
            unit = self.unit_name(table, key)
            if unit in seen:
                raise CourseError(f"{self.path}: [{table}] names {unit} twice, as {seen[unit]} and {key}")
            seen[unit] = key
            yield unit, key, held

    def zone(self, name: object) -> ZoneInfo | None:
        if name is None:
            return None
        try:
            return ZoneInfo(name)  # type: ignore[arg-type]
        except Exception as error:  # what it raises depends on what the name is like
            raise self.wrong("due", "zone", 'a time zone by its name, as in "Europe/Berlin"', name) from error

    def moment(self, table: str, key: str, found: object, zone: ZoneInfo | None) -> datetime:
        """UTC without a zone. Of an hour that the clocks pass twice the second is meant, in the students' favour."""
        if not isinstance(found, date):
            raise self.wrong(table, key, MOMENT, found)
        local = found if isinstance(found, datetime) else datetime.combine(found, LAST)
        if local.tzinfo is None:
            if zone is None:
                takes = 'a time with its offset, or [due] zone = "Europe/Berlin" or another, in which it is meant'
                raise self.wrong(table, key, takes, found)
            there = local.replace(tzinfo=zone, fold=1)
            if there.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local:
                raise self.wrong(table, key, f"a time that there is in {zone}, where the clocks pass over this", found)
            local = there
        return local.astimezone(UTC).replace(tzinfo=None)

    def extensions(self, zone: ZoneInfo | None, due: Mapping[str, datetime]) -> dict[str, dict[str, Extension]]:
        """By student, by unit; `all` stands for every unit that is not named beside it."""
        granted: dict[str, dict[str, Extension]] = {}
        for student, table in self.table("extensions").items():
            name = f"extensions.{student}"
            if not isinstance(table, dict):
                raise CourseError(
                    f'{self.path}: [extensions] takes a table for each student, headed [extensions."{student}"], '
                    f'with lines as "01" = "3 days" or all = "3 days"; found {student} = {table!r}'
                )
            common = {key: held for key, held in table.items() if key == "all"}
            own = {key: held for key, held in table.items() if key != "all"}
            if any(isinstance(held, dict) for held in own.values()):
                raise CourseError(
                    f'{self.path}: [{name}.{next(iter(own))}]: put an id that holds a dot in quotes, [extensions."a.b"]'
                )
            every = {
                unit: self.extension(name, "all", held, zone)
                for held in common.values()
                for unit in self.course.unit_names()
            }
            named = {unit: self.extension(name, key, held, zone) for unit, key, held in self.by_unit(name, own)}
            for unit, extension in named.items():
                if extension.until is not None and unit in due and extension.until < due[unit]:
                    raise self.wrong(name, unit, "a moment after the unit is due for all", table)
            granted[student] = every | named
        return granted

    def extension(self, table: str, key: str, found: object, zone: ZoneInfo | None) -> Extension:
        if isinstance(found, date):
            return Extension(until=self.moment(table, key, found, zone))
        match = DURATION.fullmatch(found.strip()) if isinstance(found, str) else None
        if match is None:
            raise self.wrong(table, key, f'"3 days", "36 hours", "90 minutes", "1 week", or {MOMENT}', found)
        number, unit = int(match[1]), match[2]
        if unit in ("day", "week"):
            return Extension(days=number * (7 if unit == "week" else 1))
        return Extension(minutes=number * (60 if unit == "hour" else 1))

    def counting(self) -> Counting:
        table = self.table("grades")
        self.expect_keys("grades", table, ("drop_lowest", "weights", "extra_credit"))
        units = self.course.unit_names()
        drop = table.get("drop_lowest", 0)
        if type(drop) is not int or not 0 <= drop < max(1, len(units)):
            takes = f"a whole number from 0 to {max(0, len(units) - 1)}, one less than there are units"
            raise self.wrong("grades", "drop_lowest", takes, drop)
        extra_units, extra_items = self.extra(table.get("extra_credit", []))
        return Counting(drop, self.weights(table.get("weights", "points")), extra_units, extra_items)

    def weights(self, found: object) -> dict[str, float] | None:
        if found == "points":
            return None
        if found == "equal":
            return dict.fromkeys(self.course.unit_names(), 1.0)
        if not isinstance(found, dict):
            takes = '"points", "equal", or a table [grades.weights] with a number for each unit'
            raise self.wrong("grades", "weights", takes, found)
        weights = {
            unit: self.expect_number("grades.weights", key, held, "a number, 0 or more")
            for unit, key, held in self.by_unit("grades.weights", found)
        }
        missing = ", ".join(unit for unit in self.course.unit_names() if unit not in weights)
        if missing:
            raise CourseError(f"{self.path}: [grades.weights] takes a number for each unit; none for {missing}")
        return weights

    def extra(self, found: object) -> tuple[frozenset[str], frozenset[tuple[str, str]]]:
        """Units and items whose points are beyond what is asked for."""
        if not isinstance(found, list):
            raise self.wrong("grades", "extra_credit", 'a list of units and items, as in ["09", "03/chain"]', found)
        units, items = set(), set()
        for name in found:
            unit, _, item = name.partition("/") if isinstance(name, str) else (name, "", "")
            full = self.unit_name("grades", unit)
            if not item:
                units.add(full)
                continue
            known = self.course.unit(full).items
            if item not in known:
                raise CourseError(
                    f"{self.path}: [grades] extra_credit: {full} has no item {item!r}; there are {', '.join(known)}"
                )
            items.add((full, item))
        return frozenset(units), frozenset(items)
