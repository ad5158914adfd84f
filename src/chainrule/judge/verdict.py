"""What the judge says of one answer. Plain data: rendering is somebody else's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

from chainrule.judge.place import Place


class Status(StrEnum):
    RIGHT = "right"
    FOLLOWS = "follows"  # right for the student's own earlier answer, whose mistake is charged there
    SLIP = "slip"  # a known mistake, or two of them
    PARTLY = "partly"  # some entries of the answer, or some kinds of arguments, are right
    WRONG = "wrong"
    BLANK = "blank"  # nothing was answered
    FAILED = "failed"  # the student's own code stopped, or gave what cannot be judged


@dataclass(frozen=True, slots=True)
class Verdict:
    """One item's verdict.

    points, out_of: marks given and possible. slips: names of the mistakes recognised. says: what is seen.
    where: the place, as "case: entry". got, want: numbers at that place, want only for public cases.
    follows: the earlier items whose mistake explains this answer. next_step: one thing to do now.
    hints: of rising strength. remarks: what costs nothing but should be known.
    place: which parts, entries or steps are off. builds_on: the item's own, so that verdicts show the way through
    a unit by themselves.
    """

    item: str
    status: Status
    points: float
    out_of: float
    says: str
    slips: tuple[str, ...] = ()
    where: str | None = None
    got: str | None = None
    want: str | None = None
    follows: tuple[str, ...] = ()
    next_step: str | None = None
    hints: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    place: Place | None = None
    builds_on: tuple[str, ...] = ()

    @property
    def full(self) -> bool:
        return self.points == self.out_of

    def to_json(self) -> dict[str, Any]:
        tree = {field.name: getattr(self, field.name) for field in fields(self)}
        return tree | {"place": self.place and asdict(self.place)}

    @classmethod
    def from_json(cls, tree: dict[str, Any]) -> Verdict:
        lists = {name: tuple(tree.get(name, ())) for name in ("slips", "follows", "hints", "remarks", "builds_on")}
        place = tree.get("place")
        return cls(**{**tree, **lists, "status": Status(tree["status"]), "place": place and Place.from_json(place)})


def marks(share: float, points: float) -> float:
    """A share of the points as a plain float, to the hundredth; only the whole share is ever all of them."""
    highest = points if share >= 1.0 else round(points - 0.01, 2)
    return float(max(min(round(share * points, 2), highest), 0.0))


def listed(names: Sequence[str]) -> str:
    """`a, b and c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
