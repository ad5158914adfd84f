"""The class report: all that the page says, as data, and the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from chainrule.course import Course, Unit
from chainrule.files import write_whole
from chainrule.pages import environment, page
from chainrule.report import items, plots, risk, similarity
from chainrule.report.grades import course_grades, unit_grades
from chainrule.report.history import Resubmitted, by_attempt, history_table, resubmitted, submissions
from chainrule.report.items import GRAVEST_FIRST, ItemReport, UnitReport, unit_report
from chainrule.report.mistakes import Mistake, mistakes
from chainrule.report.overview import Total, UnitRow, total, unit_rows, with_shares
from chainrule.report.risk import AtRisk, at_risk
from chainrule.report.similarity import Alike, Pair, alike, common_lines
from chainrule.report.tables import answers
from chainrule.report.works import read_works

TOP = 10  # mistakes that stand before all the others
PAIRS = 20  # that are shown side by side
ITEMS, LINES, WIDTH = 4, 40, 160  # of such a pair: answers, lines of an answer, characters of a line

STYLE = files("chainrule.pages").joinpath("report.css").read_text("utf-8")


@dataclass(frozen=True, slots=True)
class SideBySide:
    """A pair with the answers that they have in common: item, and each one's lines with whether they are common."""

    pair: Pair
    items: tuple[tuple[str, tuple[tuple[str, bool], ...], tuple[tuple[str, bool], ...]], ...]


@dataclass(frozen=True, slots=True)
class ClassReport:
    """What the page says. `names` are students' names by id, "" where the gradebook holds none.

    `answers` are the table that the statistics are of, as in tables.answers; `nothing` names units without any work.
    """

    course: str
    names: Mapping[str, str]
    overview: tuple[UnitRow, ...]
    total: Total
    grades: pd.DataFrame
    totals: pd.DataFrame
    answers: pd.DataFrame
    items: tuple[UnitReport, ...]
    mistakes: tuple[Mistake, ...]
    at_risk: tuple[AtRisk, ...]
    history: tuple[Resubmitted, ...]
    attempts: pd.DataFrame
    alike: tuple[Alike, ...]
    pairs: tuple[SideBySide, ...]
    nothing: tuple[str, ...]

    @property
    def to_look_at(self) -> list[tuple[str, ItemReport]]:
        """Items with a word, with their units: the gravest first."""
        found = [(unit.unit, item) for unit in self.items for item in unit.items if item.words]
        return sorted(found, key=lambda one: GRAVEST_FIRST.index(one[1].words[0]))

    @property
    def all_pairs(self) -> list[Pair]:
        """Near-identical pairs of all units, the nearest first."""
        return _nearest_first(self.alike)


def class_report(course: Course, units: Sequence[Unit]) -> ClassReport:
    """Everything about these units. The course's total is of all units, whichever are named."""
    everything = unit_grades(course)
    totals = course_grades(course, everything)
    grades = with_shares(everything[everything["unit"].isin([unit.name for unit in units])])
    works = read_works(course, units)
    rows = answers(course, units, works)
    graded = [unit for unit in units if rows.loc[rows["unit"] == unit.name, "points"].notna().any()]
    texts = {
        unit.name: {
            student: {item: work.texts[item] for item in unit.items if item in work.texts}
            for (name, student), work in works.items()
            if name == unit.name
        }
        for unit in graded
    }
    found = tuple(alike(unit, texts[unit.name]) for unit in graded)
    common = {unit.unit: unit.common for unit in found}
    shown = [_side_by_side(pair, texts[pair.unit], common[pair.unit]) for pair in _nearest_first(found)[:PAIRS]]
    attempts = submissions(_of_units(history_table(course), units))
    settings = course.settings().get("course")
    return ClassReport(
        str(settings.get("id") if isinstance(settings, dict) else course.root.name),
        {row.student: _name(row) for row in totals.itertuples()},
        tuple(unit_rows(grades)),
        total(totals),
        grades,
        totals,
        rows,
        tuple(unit_report(unit, rows) for unit in graded),
        tuple(mistakes(graded, rows)),
        tuple(at_risk(grades, totals)),
        tuple(resubmitted(attempts)),
        by_attempt(attempts),
        found,
        tuple(shown),
        tuple(unit.name for unit in units if unit not in graded),
    )


def html(report: ClassReport, made: datetime) -> str:
    """The page, whole in one file. `made` is when, in the reader's own time."""
    pictures = {row.unit: _histogram(f"unit-{at}", row.unit, row) for at, row in enumerate(report.overview)}
    body = (
        environment()
        .get_template("report.html")
        .render(
            report=report,
            made=made,
            pictures=pictures,
            total_picture=_histogram("total", "The course so far", report.total),
            trend_picture=_trend(report.attempts),
            bins=plots.bins,
            everyone=_everyone(report),
            top=TOP,
            shown_pairs=PAIRS,
            rules=risk.RULE,
            bounds=items,
            similarity=similarity,
        )
    )
    return page(f"Class report: {report.course}", Markup(body), STYLE)


def write_page(course: Course, report: ClassReport, made: datetime) -> Path:
    """gradebook/report/index.html. The folder is the staff's: the page names students."""
    path = course.gradebook / "report" / "index.html"
    write_whole(path, html(report, made).encode())
    return path


def _nearest_first(found: Sequence[Alike]) -> list[Pair]:
    pairs = [pair for unit in found for pair in unit.pairs]
    return sorted(pairs, key=lambda pair: (-pair.share, -pair.evidence, pair.unit, pair.one, pair.other))


def _of_units(rows: pd.DataFrame, units: Sequence[Unit]) -> pd.DataFrame:
    return rows[rows["unit"].isin([unit.name for unit in units])]


def _name(row: Any) -> str:
    parts = [part for part in (row.first_name, row.last_name) if isinstance(part, str) and part]
    return " ".join(parts)


def _histogram(name: str, title: str, row: UnitRow | Total) -> Markup:
    return plots.histogram(name, title, row.shares, row.spread.median)


def _trend(attempts: pd.DataFrame) -> Markup | None:
    if len(attempts) < 2:
        return None
    return plots.trend("trend", "Mean share by submission", attempts["attempt"].tolist(), attempts["share"].tolist())


def _everyone(report: ClassReport) -> list[dict[str, Any]]:
    """A row for each student: the course's share, and each unit's final points, state and marks to read them by."""
    cells = {(row.student, row.unit): row for row in report.grades.itertuples()}
    return [
        {
            "student": row.student,
            "share": None if pd.isna(row.share) else float(row.share),
            "points": float(row.points),
            "out_of": float(row.out_of),
            "units": [cells.get((row.student, unit.unit)) for unit in report.overview],
        }
        for row in report.totals.itertuples()
    ]


def _side_by_side(
    pair: Pair,
    texts: Mapping[str, Mapping[str, str]],
    common: Mapping[str, frozenset[similarity.Fragment]],
) -> SideBySide:
    one, other = texts[pair.one], texts[pair.other]
    return SideBySide(
        pair,
        tuple(
            (
                item,
                _lines(one[item], common_lines(one[item], item, other[item], pair.view, common[pair.view])),
                _lines(other[item], common_lines(other[item], item, one[item], pair.view, common[pair.view])),
            )
            for item in pair.items[:ITEMS]
        ),
    )


def _lines(text: str, common: frozenset[int]) -> tuple[tuple[str, bool], ...]:
    lines = text.split("\n")
    cut = [(line[:WIDTH] + (" …" if len(line) > WIDTH else ""), number in common) for number, line in enumerate(lines)]
    more = [(f"… {len(lines) - LINES} more lines", False)] if len(lines) > LINES else []
    return (*cut[:LINES], *more)
