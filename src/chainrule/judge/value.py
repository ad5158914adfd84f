"""Answers that are values or choices, which are there or not when the test cell runs."""

from __future__ import annotations

from functools import partial
from typing import Any

from chainrule.cases import tolerance
from chainrule.check import first_gap, short
from chainrule.evidence import Evidence
from chainrule.judge import diagnose, follow
from chainrule.judge.accept import finding_of, finding_verdict
from chainrule.judge.explain import explained, follows, telling_bases
from chainrule.judge.making import in_words, verdict_on
from chainrule.judge.partly import unexplained_value
from chainrule.judge.place import common_keys, place_of
from chainrule.judge.question import Question
from chainrule.judge.verdict import Status, Verdict, listed


def judge_value(question: Question, evidence: Evidence) -> Verdict:
    """The verdict on an answer of one name, or of several that are judged together."""
    item = question.item
    if not evidence.answers or len(evidence.missing) == len(item.names):
        names = listed([f"`{name}`" for name in item.names])
        are = "is" if len(item.names) == 1 else "are"
        return verdict_on(item, Status.BLANK, f"not answered: {names} {are} not defined when the test cell runs.")
    if all(answer is None for answer in evidence.answers):
        return verdict_on(item, Status.BLANK, f"not answered: `{item.names[0]}` is None.")
    got = evidence.answers[0] if len(item.names) == 1 else evidence.answers
    wants = question.wants
    if item.accept is not None:
        return _by_accept(question, got)
    if diagnose.all_agree(item, [got], wants) or _same_as_an_equivalent(question, got):
        return verdict_on(item, Status.RIGHT, "right.")
    own = follow.usable_values(item, evidence.answers, question.unit.key)
    if own is not None:
        question.earlier.values[item.id] = own
    seen = partial(_seen, question, got)
    return explained(question, [got], seen) or unexplained_value(question, got, seen())


def _same_as_an_equivalent(question: Question, got: Any) -> bool:
    item, key = question.item, question.unit.key
    others = (question.answers({item.id: key.edited(item.id, same)}) for same in item.same)
    return any(diagnose.all_agree(item, [got], other) for other in others)


def _by_accept(question: Question, got: Any) -> Verdict:
    item = question.item
    finding = finding_of(question, got, (), question.wants[0])
    if finding is None:
        return verdict_on(item, Status.RIGHT, "right.")
    for base, theirs in telling_bases(question) if item.compares else ():
        if finding_of(question, got, (), theirs[0]) is None:
            return follows(item, base)
    return finding_verdict(item, finding, None)


def _seen(question: Question, got: Any) -> dict[str, Any]:
    """What is seen of a wrong value: fields of a verdict."""
    item, wants = question.item, question.wants
    gap = first_gap(got, wants[0], tolerance(item))
    assert gap is not None
    return {
        "where": None if gap.where is None else str(gap.where),
        "got": short(gap.got),
        "says": in_words(item, gap, public=False),
        "place": place_of(item, got, wants[0], names=common_keys(wants)),
    }
