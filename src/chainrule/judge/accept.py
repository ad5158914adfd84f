"""Items that the author's own function judges, in place of a comparison with the solution."""

from __future__ import annotations

from typing import Any

from chainrule.items import Finding, Item, Trial
from chainrule.judge.making import verdict_on
from chainrule.judge.question import Question
from chainrule.judge.verdict import Status, Verdict

MOST_SHARE = 0.99  # whatever an author's finding leaves, only a right answer keeps all


def finding_of(question: Question, got: Any, args: tuple[Any, ...], want: Any) -> Finding | None:
    """What the author's function finds wrong with one answer; None where it is right."""
    assert question.item.accept is not None
    try:
        return question.item.accept(Trial(got, args, want, question.unit.key.given()))
    except Exception as error:
        # it met an answer of another form; that the solution passes is verified
        return Finding(
            "form", f"the answer is not of the form that is asked for ({type(error).__name__}: {str(error)[:120]})."
        )


def finding_verdict(item: Item, finding: Finding, where: str | None) -> Verdict:
    """The verdict on a finding, which may go by the name of one of the item's slips."""
    known = (finding.name,) if any(slip.name == finding.name for slip in item.slips) else ()
    status = Status.SLIP if known else Status.PARTLY if finding.credit else Status.WRONG
    return verdict_on(item, status, finding.says, min(finding.credit, MOST_SHARE), slips=known, where=where)
