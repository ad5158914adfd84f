"""Wrong answers that no mistake explains: what they keep for the parts, or kinds of arguments, that are right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chainrule.cases import tolerance
from chainrule.check import first_gap
from chainrule.evidence import Failure
from chainrule.items import Item
from chainrule.judge import diagnose
from chainrule.judge.making import capital, verdict_on
from chainrule.judge.question import Question
from chainrule.judge.verdict import Status, Verdict, listed

KINDS_SHARE = 0.5  # what an answer keeps at most that is right for some kinds of arguments only


def unexplained_value(question: Question, got: Any, seen: Mapping[str, Any]) -> Verdict:
    """The verdict on a wrong value. `seen`: fields of a verdict that say where it is off."""
    share = _parts_share(question.item, [got], question.wants)
    sign = diagnose.signs([got], question.wants)
    return _partly(question.item, share, (capital(sign),) if sign else (), seen)


def unexplained_function(question: Question, gots: list[Any], seen: Mapping[str, Any]) -> Verdict:
    """The verdict on a wrong function, by its results on the cases. `seen` as above."""
    item, cases, wants = question.item, question.cases, question.wants
    right = [diagnose.agree(item, got, want) for got, want in zip(gots, wants, strict=True)]
    kinds: dict[str, bool] = {}
    for case, ok in zip(cases, right, strict=True):
        if not case.public:
            kinds[case.name] = kinds.get(case.name, True) and ok
    good = [name for name, ok in kinds.items() if ok]
    share = _parts_share(item, gots, wants)
    remarks: tuple[str, ...] = ()
    if diagnose.unrepeatable(item, gots, cases):
        remarks = ("The same arguments give different results: does it keep something from one call to the next?",)
    elif diagnose.too_coarse(item, gots, wants):
        remarks = ("Right in single precision (float32), which is too coarse here: float64 is wanted.",)
    if good:
        bad = [name for name, ok in kinds.items() if not ok]
        telling = {case.name for case in cases if not (case.public or case.easy)}
        share = max(KINDS_SHARE * len(telling & set(good)) / len(telling), share)
        remarks += (f"Right for {listed(good)}, not for {listed(bad) if bad else 'the worked example'}.",)
        return _partly(item, share, remarks, seen)
    if any(ok and case.public for case, ok in zip(cases, right, strict=True)):
        remarks += (
            "Right for the worked example only: with other numbers or sizes it is not. "
            "Is something fixed that should come from the arguments?",
        )
    if all(isinstance(got, Failure) for got in gots):
        return verdict_on(item, Status.FAILED, remarks=remarks, **seen)
    sign = diagnose.signs(gots, wants)
    remarks += (f"In all cases {sign}",) if sign else ()
    return _partly(item, share, remarks, seen)


def _partly(item: Item, share: float, remarks: tuple[str, ...], seen: Mapping[str, Any]) -> Verdict:
    return verdict_on(item, Status.PARTLY if share else Status.WRONG, share=share, remarks=remarks, **seen)


def _parts_share(item: Item, gots: list[Any], wants: list[Any]) -> float:
    """The share of the answer's named parts that are right in every case; 0 for answers of one part."""
    shares: list[float] = []
    rule = tolerance(item)
    for got, want in zip(gots, wants, strict=True):
        if isinstance(want, Mapping):
            if not isinstance(got, Mapping):
                return 0.0
            rights = {k for k in want if k in got and first_gap(got[k], want[k], rule) is None}
        elif isinstance(want, tuple) and isinstance(got, tuple | list) and len(got) >= 1:
            named = item.parts if len(item.parts) == len(want) else tuple(map(str, range(len(want))))
            rights = {
                name
                for name, g, w in zip(named, got, want, strict=False)
                if name and first_gap(g, w, rule._replace(parts=())) is None
            }
            # results too many spoil the answer, so they must not leave a whole share of it
            want = [*filter(None, named), *got[len(want) :]]
        else:
            return 0.0
        shares.append(len(rights) / max(len(want), 1))
    return min(shares, default=0.0)
