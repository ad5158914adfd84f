"""The judge: evidence in, verdicts out. Pure functions; nothing here runs a student's code."""

from __future__ import annotations

from collections.abc import Mapping

from chainrule.cases import Drawn
from chainrule.course import Unit
from chainrule.evidence import Evidence
from chainrule.items import Item, Kind
from chainrule.judge.follow import Earlier
from chainrule.judge.function import judge_function
from chainrule.judge.making import verdict_on
from chainrule.judge.question import Question
from chainrule.judge.value import judge_value
from chainrule.judge.verdict import Status, Verdict


def judge_unit(
    unit: Unit, evidence: Mapping[str, Evidence], cases: Mapping[str, tuple[Drawn, ...]]
) -> dict[str, Verdict]:
    """A verdict for every item of the unit, in order; earlier mistakes are followed through."""
    earlier = Earlier()
    return {
        item.id: judge_item(unit, item, evidence.get(item.id, Evidence()), cases.get(item.id, ()), earlier)
        for item in unit.items.values()
    }


def judge_item(unit: Unit, item: Item, evidence: Evidence, cases: tuple[Drawn, ...], earlier: Earlier) -> Verdict:
    """One verdict. Notes in `earlier` what later items need to know of this one."""
    if evidence.refused:
        return verdict_on(item, Status.FAILED, f"{evidence.refused}.")
    question = Question(unit, item, cases, earlier)
    return judge_function(question, evidence) if item.kind is Kind.FUNCTION else judge_value(question, evidence)
