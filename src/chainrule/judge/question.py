"""One item as one student was asked it, and what the key answers to that, right or with mistakes put in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from chainrule.cases import Drawn, outcomes
from chainrule.course import Unit
from chainrule.errors import KitError
from chainrule.items import Item
from chainrule.judge.follow import Earlier
from chainrule.key import Raised


@dataclass(frozen=True)
class Question:
    """An item on a student's cases, of which a value has none, after the student's earlier answers."""

    unit: Unit
    item: Item
    cases: tuple[Drawn, ...]
    earlier: Earlier

    def answers(self, edits: Mapping[str, str] | None = None, values: Mapping[str, Any] | None = None) -> list[Any]:
        """The key's, one a case, or a value's only one. `edits`: solution cells with mistakes put in, by item.

        `values`: the student's own numbers in place of the key's, by name.
        """
        return outcomes(self.item, self.unit.key, self.cases, edits, values)

    @cached_property
    def wants(self) -> list[Any]:
        """The right answers; None for each where the item is judged by bounds alone: a training is not run again.

        Raises KitError where the solution itself stops.
        """
        if self.item.accept is not None and not self.item.compares:
            return [None] * (len(self.cases) or 1)
        wants = self.answers()
        broken = next((want for want in wants if isinstance(want, Raised)), None)
        if broken is not None:
            raise KitError(
                f"{self.unit.name}, item {self.item.id}: the solution itself stops with {broken.type}. "
                f"Run: chainrule verify {self.unit.name}"
            )
        return wants
