"""Answers that are functions, judged on cases."""

from __future__ import annotations

from functools import partial
from typing import Any

from chainrule.cases import tolerance
from chainrule.check import first_gap, raised_text, short
from chainrule.evidence import Evidence, Failure, Run
from chainrule.items import Item
from chainrule.judge import diagnose
from chainrule.judge.accept import finding_of, finding_verdict
from chainrule.judge.explain import explained
from chainrule.judge.making import in_words, verdict_on
from chainrule.judge.partly import unexplained_function
from chainrule.judge.place import common_keys, place_of
from chainrule.judge.question import Question
from chainrule.judge.verdict import Status, Verdict
from chainrule.key import fresh

WARNS, CHANGES = "warns", "changes-arguments"  # names of blemishes, beside the items' own slips
UNREPEATABLE, REPEATS_SHARE = "unrepeatable", 0.5  # a property holds, but not on the generator that was given


def judge_function(question: Question, evidence: Evidence) -> Verdict:
    """The verdict on the runs of a student's function, one a case."""
    item, runs = question.item, evidence.runs
    if not runs:
        names = ", ".join(f"`{name}`" for name in evidence.missing or item.names)
        return verdict_on(item, Status.BLANK, f"there is no function called {names}.")
    if all(run.blank for run in runs):
        return verdict_on(item, Status.BLANK, f"not answered: `{item.names[0]}` returns nothing.")
    wants = question.wants
    if item.accept is not None:
        return _by_accept(question, runs)
    gots = [run.result for run in runs]
    if diagnose.all_agree(item, gots, wants):
        return _right(item, runs)
    seen = partial(_seen, question, runs)
    return explained(question, gots, seen) or unexplained_function(question, gots, seen())


def _right(item: Item, runs: tuple[Run, ...]) -> Verdict:
    """The verdict on right numbers: what else the runs show may be remarked on, or cost marks."""
    remarks, share, blemish = [], 1.0, ""
    warned = next((run.warned[0] for run in runs if run.warned), None)
    if warned and item.warns is not None:
        share, blemish = item.warns, _warning_slip(item)
        remarks.append(f"The numbers are right, but numpy warns ({warned}); a right answer here is silent.")
    if any(run.changed for run in runs):
        if item.changed_arguments < share:
            share, blemish = item.changed_arguments, CHANGES
        cost = "" if item.changed_arguments == 1.0 else " Here that was asked for, and costs marks."
        remarks.append(f"The answer changes its arguments: work on a copy, or the caller's numbers are spoiled.{cost}")
    if share == 1.0:
        return verdict_on(item, Status.RIGHT, "right.", remarks=tuple(remarks))
    return verdict_on(item, Status.SLIP, remarks[0], share, slips=(blemish,), remarks=tuple(remarks[1:]))


def _warning_slip(item: Item) -> str:
    """The item's own name for a right answer that warns: the slip that keeps the same share, if it has one."""
    return next((slip.name for slip in item.slips if slip.credit == item.warns), WARNS)


def _by_accept(question: Question, runs: tuple[Run, ...]) -> Verdict:
    item, cases = question.item, question.cases
    for run, case, want in zip(runs, cases, question.wants, strict=True):
        if isinstance(run.result, Failure):
            return verdict_on(item, Status.FAILED, f"on {case.name}, {_raised(run.result)}", where=case.name)
        finding = finding_of(question, run.result, fresh(case.args), want)
        if finding is not None:
            return finding_verdict(item, finding, case.name)
    if diagnose.unrepeatable(item, [run.result for run in runs], cases):
        says = "the same arguments, with a generator of the same seed, give different results: draw from `rng` alone."
        return verdict_on(item, Status.SLIP, says, REPEATS_SHARE, slips=(UNREPEATABLE,))
    return _right(item, runs)


def _seen(question: Question, runs: tuple[Run, ...]) -> dict[str, Any]:
    """What is seen on the first case that is wrong, a public one if there is one: fields of a verdict."""
    item, cases, wants = question.item, question.cases, question.wants
    wrong = [
        i for i, (run, want) in enumerate(zip(runs, wants, strict=True)) if not diagnose.agree(item, run.result, want)
    ]
    i = next((i for i in wrong if cases[i].public), wrong[0])
    result, case = runs[i].result, cases[i]
    if isinstance(result, Failure):
        return {"where": case.name, "says": f"on {case.name}, {_raised(result)}"}
    gap = first_gap(result, wants[i], tolerance(item))
    assert gap is not None
    of_value = gap.problem == "value"
    return {
        "where": case.name,
        "got": short(gap.got) if of_value else None,
        "want": short(gap.want) if case.public and of_value else None,
        "says": f"on {case.name}, {in_words(item, gap, case.public)}",
        "place": place_of(item, result, wants[i], case.name, common_keys(wants), not case.public),
    }


def _raised(failure: Failure) -> str:
    return raised_text({"type": failure.type, "message": failure.message, "line": failure.line, "code": failure.code})
