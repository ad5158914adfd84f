"""Wrong answers that mistakes explain: the student's own earlier ones, a known one of this item, or both at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from chainrule.items import Item, Slip
from chainrule.judge import diagnose, follow
from chainrule.judge.making import slip_verdict, verdict_on
from chainrule.judge.place import Place, common_keys, place_of
from chainrule.judge.question import Question
from chainrule.judge.verdict import Status, Verdict, listed
from chainrule.key import Raised


def explained(question: Question, gots: list[Any], seen: Callable[[], dict[str, Any]]) -> Verdict | None:
    """The verdict on a wrong answer, one entry a case; None where no mistake explains it.

    `seen` gives the fields of a verdict that say where the answer is off. Earlier mistakes come first: what follows
    from them costs nothing here.
    """
    return _that_follows(question, gots) or _with_slips(question, gots, seen) or _that_follows_with_slip(question, gots)


def follows(item: Item, base: follow.Base) -> Verdict:
    """Full marks for an answer that is right given the student's own earlier ones."""
    says = f"right for your own answer to {listed(base.items)}; mend it there and this is right as well."
    return verdict_on(item, Status.FOLLOWS, says, follows=base.items)


def telling_bases(question: Question) -> Iterator[tuple[follow.Base, list[Any]]]:
    """The earlier mistakes that change what is right here, with what is right then; trivial answers left out."""
    for base in follow.bases(question.item, question.unit.items, question.earlier):
        theirs = question.answers(base.edits, base.values)
        trivial = not follow.nontrivial(theirs, question.cases)
        if not trivial and not diagnose.all_agree(question.item, theirs, question.wants):
            yield base, theirs


def _that_follows(question: Question, gots: list[Any]) -> Verdict | None:
    for base, theirs in telling_bases(question):
        kept = follow.comparable(theirs)
        if diagnose.all_agree(question.item, [gots[i] for i in kept], [theirs[i] for i in kept]):
            return follows(question.item, base)
    return None


def _with_slips(question: Question, gots: list[Any], seen: Callable[[], dict[str, Any]]) -> Verdict | None:
    slips = diagnose.known_slips(question.item, question.unit.key, gots, question.wants, question.cases)
    if not slips:
        return None
    _note(question, slips)
    return slip_verdict(question.item, slips, **seen())


def _that_follows_with_slip(question: Question, gots: list[Any]) -> Verdict | None:
    """A slip of this item on top of earlier mistakes: only the slip is charged here."""
    item, key = question.item, question.unit.key
    for base, theirs in telling_bases(question):
        kept = follow.comparable(theirs)
        for slip in item.slips:
            slipped = question.answers({**base.edits, item.id: key.edited(item.id, slip)}, base.values)
            if diagnose.recognised(item, *([answers[i] for i in kept] for answers in (gots, slipped, theirs))):
                _note(question, (slip,))
                says = f"beside what comes from your answer to {listed(base.items)}: {slip.says}"
                place = _own_place(question, gots, theirs)
                return verdict_on(
                    item, Status.SLIP, says, slip.credit, slips=(slip.name,), follows=base.items, place=place
                )
    return None


def _own_place(question: Question, gots: list[Any], theirs: list[Any]) -> Place | None:
    """Where an answer is off beside what comes from earlier mistakes, on the first case that shows it."""
    item, cases = question.item, question.cases
    names = common_keys([entry for entry in theirs if not isinstance(entry, Raised)])
    for i, (got, want) in enumerate(zip(gots, theirs, strict=True)):
        if not diagnose.agree(item, got, want):
            hidden = bool(cases) and not cases[i].public
            return place_of(item, got, want, cases[i].name if cases else None, names, hidden)
    return None


def _note(question: Question, slips: tuple[Slip, ...]) -> None:
    """Have later items go on from these mistakes; a helper function in a value's cell is used by later ones, too."""
    item, key = question.item, question.unit.key
    both = diagnose.edited_twice(item, key, *slips) if len(slips) == 2 else None
    question.earlier.edits[item.id] = both or key.edited(item.id, slips[0])
