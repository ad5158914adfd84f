"""Which mistakes the class made, by name, and what following them through saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from chainrule.course import Unit
from chainrule.items import Item
from chainrule.judge.function import CHANGES, UNREPEATABLE, WARNS

# names that the judge gives where an item has no slip of its own for it
BLEMISHES = {
    WARNS: "The numbers are right, but numpy warns where a right answer is silent.",
    CHANGES: "The answer changes its arguments, where a copy was asked for.",
    UNREPEATABLE: "The same generator does not give the same result twice.",
}


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake at one item.

    made: students who made it there, of `graded`. followed: further answers that were reached by way of it and judged
    by the student's own numbers, of `followers` students. lost: points that it cost where it was made. saved: points
    that those further answers kept; without follow-through they would have been lost too, all or in part.
    """

    unit: str
    item: str
    slip: str
    says: str
    made: int
    graded: int
    followed: int
    followers: int
    lost: float
    saved: float

    @property
    def share(self) -> float:
        return self.made / self.graded


def mistakes(units: Sequence[Unit], answers: pd.DataFrame) -> list[Mistake]:
    """All that were made, the commonest first. `answers` as in tables.answers.

    An answer with two slips, or one that follows from two mistakes, counts for both.
    """
    found: list[Mistake] = []
    for unit in units:
        rows = answers[(answers["unit"] == unit.name) & answers["points"].notna()]
        made = rows[["student", "item", "slips", "points", "out_of"]].explode("slips").dropna(subset="slips")
        made = made.rename(columns={"slips": "slip"})
        followed = rows[["student", "follows", "points"]].explode("follows").dropna(subset="follows")
        followed = followed.rename(columns={"follows": "item", "points": "saved"})
        reached = made[["student", "item", "slip"]].merge(followed, on=["student", "item"])
        for (item, slip), roots in made.groupby(["item", "slip"], sort=False):
            later = reached[(reached["item"] == item) & (reached["slip"] == slip)]
            found.append(
                Mistake(
                    unit.name,
                    str(item),
                    str(slip),
                    words_of(unit.items[str(item)], str(slip)),
                    len(roots),
                    int((rows["item"] == item).sum()),
                    len(later),
                    int(later["student"].nunique()),
                    float((roots["out_of"] - roots["points"]).sum()),
                    float(later["saved"].sum()),
                )
            )
    return sorted(found, key=lambda one: (-one.made, -one.followed, one.unit, one.item, one.slip))


def words_of(item: Item, slip: str) -> str:
    """A slip in plain words, as the student reads them."""
    own = next((known.says for known in item.slips if known.name == slip), None)
    return own or BLEMISHES.get(slip, "The item no longer knows this mistake; grade the unit again.")
