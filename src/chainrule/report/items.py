"""How good the items are: difficulty, discrimination, consistency, each with a word where a person should look."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from chainrule.course import Unit
from chainrule.report.statistics import LEAST, alphas_without, cronbach_alpha, item_rest_correlations, margin

EASY = 0.90  # mean share above which an item tells little; chosen here
HARD = 0.30  # mean share below which most of the class is lost; chosen here
WEAK = 0.20  # correlation below which an item is poor: R. Ebel and D. Frisbie, Essentials of Educational Measurement
GAIN = 0.02  # by which alpha must rise without an item for that to be worth a word; chosen here
AGAINST = "runs against the rest of the unit: look at it"
APART = "has little to do with the rest of the unit"
BETTER_WITHOUT = "the unit is more consistent without it"
TOO_HARD = "hard for almost everyone"
TOO_EASY = "almost all right: tells little"
GRAVEST_FIRST = (AGAINST, APART, BETTER_WITHOUT, TOO_HARD, TOO_EASY)
FEW = 30  # students, below which a correlation says so little that its margin is worth a look


@dataclass(frozen=True, slots=True)
class ItemReport:
    """One item. n: students with a score, of whom `blank` left it blank; the others' counts are by verdict.

    share: mean share of the points, 0 to 1. discrimination: correlation with the rest of the unit. alpha_without:
    the unit's alpha without the item. None where it is not defined, which `why` then says in words. words: what to
    look at.
    """

    item: str
    out_of: float
    n: int
    share: float | None
    right: int
    follows: int
    named: int
    other: int
    blank: int
    discrimination: float | None
    alpha_without: float | None
    why: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UnitReport:
    """A unit's items. complete: students all of whose items have a score, whom the correlations are of.

    left_out: those who handed in and have items without a score. margin: of a correlation of .3 in a class of that
    size, by Fisher.
    """

    unit: str
    complete: int
    left_out: int
    alpha: float | None
    why: str
    margin: float | None
    items: tuple[ItemReport, ...]


def unit_report(unit: Unit, answers: pd.DataFrame) -> UnitReport:
    """`answers` as in tables.answers; rows of other units are passed over."""
    rows = answers[answers["unit"] == unit.name]
    points = rows.pivot(index="student", columns="item", values="points").reindex(columns=list(unit.items))
    complete = points.dropna().to_numpy(float)
    n, k = complete.shape
    alpha = cronbach_alpha(complete)
    rests, without = item_rest_correlations(complete), alphas_without(complete)
    items = tuple(
        _item_report(item.id, item.points, rows[rows["item"] == item.id], rest, less, alpha, n)
        for item, rest, less in zip(unit.items.values(), rests, without, strict=True)
    )
    why = ""
    if alpha is None:
        why = _too_few(n) or ("the unit has one item" if k < 2 else "all students have the same total")
    return UnitReport(unit.name, n, len(points) - n, alpha, why, margin(0.3, n), items)


def _item_report(
    item: str, out_of: float, rows: pd.DataFrame, rest: float | None, less: float | None, alpha: float | None, n: int
) -> ItemReport:
    scored = rows[rows["points"].notna()]
    statuses = scored["status"].value_counts()
    share = float((scored["points"] / scored["out_of"]).mean()) if len(scored) else None
    why = ""
    if rest is None:
        same = scored["points"].nunique() <= 1
        why = _too_few(n) or ("all students have the same points here" if same else "all others add up to the same")
    counts = {status: int(statuses.get(status, 0)) for status in ("right", "follows", "slip", "blank")}
    return ItemReport(
        item,
        out_of,
        len(scored),
        share,
        counts["right"],
        counts["follows"],
        counts["slip"],
        len(scored) - sum(counts.values()),
        counts["blank"],
        rest,
        less,
        why,
        tuple(_words(share, rest, less, alpha)),
    )


def _too_few(n: int) -> str:
    return f"fewer than {LEAST} students have all items scored" if n < LEAST else ""


def _words(share: float | None, rest: float | None, less: float | None, alpha: float | None) -> list[str]:
    holds = {
        AGAINST: rest is not None and rest < 0,
        APART: rest is not None and 0 <= rest < WEAK,
        BETTER_WITHOUT: less is not None and alpha is not None and less >= alpha + GAIN,
        TOO_HARD: share is not None and share < HARD,
        TOO_EASY: share is not None and share > EASY,
    }
    return [words for words in GRAVEST_FIRST if holds[words]]
