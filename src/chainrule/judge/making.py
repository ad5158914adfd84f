"""Makes verdicts of what the others found: points of a share, the words, the next step."""

from __future__ import annotations

from typing import Any

from chainrule.check import Gap, gap_text
from chainrule.items import Item, Slip
from chainrule.judge.verdict import Status, Verdict, marks

FIRST_STEP = "Run the test cell in your notebook and look at the worked example first."


def verdict_on(item: Item, status: Status, says: str, share: float = 0.0, **more: Any) -> Verdict:
    """A verdict that keeps `share` of the points; all of them where it is right or follows. `more`: further fields."""
    full = status in (Status.RIGHT, Status.FOLLOWS)
    return Verdict(
        item.id,
        status,
        item.points if full else marks(share, item.points),
        item.points,
        capital(says),
        next_step=None if full else next(iter(item.hints), FIRST_STEP),
        hints=item.hints,
        builds_on=item.builds_on,
        **more,
    )


def slip_verdict(item: Item, slips: tuple[Slip, ...], says: str, **more: Any) -> Verdict:
    """The verdict on known mistakes, each of which takes its share of what the others leave. `says`: what is seen."""
    share = 1.0
    for slip in slips:
        share *= slip.credit
    says = " ".join([says, *(capital(slip.says) for slip in slips)])
    return verdict_on(item, Status.SLIP, says, share, slips=tuple(slip.name for slip in slips), **more)


def in_words(item: Item, gap: Gap, public: bool) -> str:
    """A difference in words; without what is wanted where the case is not public."""
    return gap_text(gap, item.names[0] if len(item.names) == 1 else "answer", public)


def capital(says: str) -> str:
    return says[:1].upper() + says[1:]
