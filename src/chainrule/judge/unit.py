"""The judge: evidence in, verdicts out. Pure functions; nothing here runs a student's code."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any

from chainrule.cases import Drawn, outcomes, tolerance
from chainrule.check import encode, first_gap, gap_text, raised_text, short
from chainrule.course import Unit
from chainrule.errors import KitError
from chainrule.evidence import Evidence, Failure, Run
from chainrule.items import Finding, Item, Kind, Trial
from chainrule.judge import diagnose, follow
from chainrule.judge.place import Place, common_keys, place_of
from chainrule.judge.verdict import Status, Verdict, listed, marks
from chainrule.key import Raised, fresh

WARNS, CHANGES = "warns", "changes-arguments"  # names of blemishes, beside the items' own slips
UNREPEATABLE, REPEATS_SHARE = "unrepeatable", 0.5  # a property holds, but not on the generator that was given
KINDS_SHARE = 0.5  # what an answer keeps at most that is right for some kinds of arguments only


def judge_unit(
    unit: Unit, evidence: Mapping[str, Evidence], cases: Mapping[str, tuple[Drawn, ...]]
) -> dict[str, Verdict]:
    """A verdict for every item of the unit, in order; earlier mistakes are followed through."""
    earlier = follow.Earlier()
    return {
        item.id: judge_item(unit, item, evidence.get(item.id, Evidence(refused=None)), cases.get(item.id, ()), earlier)
        for item in unit.items.values()
    }


def judge_item(
    unit: Unit, item: Item, evidence: Evidence, cases: tuple[Drawn, ...], earlier: follow.Earlier
) -> Verdict:
    """One verdict. Notes in `earlier` what later items need to know of this one."""
    if evidence.refused:
        return _verdict(item, Status.FAILED, 0.0, f"{evidence.refused}.")
    if item.kind is Kind.FUNCTION:
        return _judge_function(unit, item, evidence, cases, earlier)
    return _judge_value(unit, item, evidence, earlier)


# --------------------------------------------------------------------------- functions


def _judge_function(
    unit: Unit, item: Item, evidence: Evidence, cases: tuple[Drawn, ...], earlier: follow.Earlier
) -> Verdict:
    runs = evidence.runs
    if not runs:
        names = ", ".join(f"`{name}`" for name in evidence.missing or item.names)
        return _verdict(item, Status.BLANK, 0.0, f"there is no function called {names}.")
    if all(run.blank for run in runs):
        return _verdict(item, Status.BLANK, 0.0, f"not answered: `{item.names[0]}` returns nothing.")
    gots = [run.result for run in runs]

    def answer(edits: Mapping[str, str], values: Mapping[str, Any] | None = None) -> list[Any]:
        return outcomes(item, unit.key, cases, edits, values)

    wants = answer({}) if _needs_want(item) else [None] * len(cases)
    _expect_no_exception(unit, item, wants)
    if item.accept is not None:
        return _judge_by_accept(unit, item, runs, cases, wants)
    if diagnose.all_agree(item, gots, wants):
        return _right_function(item, runs)
    followed = _follow(unit, item, gots, wants, earlier, cases, answer)
    if followed is not None:
        return followed
    slips = diagnose.known_slips(item, unit.key, gots, wants, cases, answer=answer)
    if slips:
        _note_slips(unit, item, slips, earlier)
        return _slip_verdict(item, slips, **_place(item, runs, wants, cases))
    followed = _follow_with_slip(unit, item, gots, wants, earlier, cases, answer)
    if followed is not None:
        return followed
    return _partly_function(item, runs, wants, cases)


def _right_function(item: Item, runs: tuple[Run, ...]) -> Verdict:
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
        return _verdict(item, Status.RIGHT, 1.0, "right.", remarks=tuple(remarks))
    return _verdict(item, Status.SLIP, share, remarks[0], slips=(blemish,), remarks=tuple(remarks[1:]))


def _warning_slip(item: Item) -> str:
    """The item's own name for a right answer that warns: the slip that keeps the same share, if it has one."""
    return next((slip.name for slip in item.slips if slip.credit == item.warns), WARNS)


def _judge_by_accept(
    unit: Unit, item: Item, runs: tuple[Run, ...], cases: tuple[Drawn, ...], wants: list[Any]
) -> Verdict:
    for run, case, want in zip(runs, cases, wants, strict=True):
        if isinstance(run.result, Failure):
            return _verdict(item, Status.FAILED, 0.0, f"on {case.name}, {_raised(run.result)}", where=case.name)
        finding = _accept(unit, item, run.result, fresh(case.args), want)
        if finding is not None:
            return _finding_verdict(item, finding, case.name)
    if _same_case_differs(item, [run.result for run in runs], cases):
        says = "the same arguments, with a generator of the same seed, give different results: draw from `rng` alone."
        return _verdict(item, Status.SLIP, REPEATS_SHARE, says, slips=(UNREPEATABLE,))
    return _right_function(item, runs)


def _partly_function(item: Item, runs: tuple[Run, ...], wants: list[Any], cases: tuple[Drawn, ...]) -> Verdict:
    gots = [run.result for run in runs]
    seen = _place(item, runs, wants, cases)
    right = [diagnose.agree(item, g, w) for g, w in zip(gots, wants, strict=True)]
    raised = [run for run in runs if isinstance(run.result, Failure)]
    kinds: dict[str, bool] = {}
    for case, ok in zip(cases, right, strict=True):
        if not case.public:
            kinds[case.name] = kinds.get(case.name, True) and ok
    good = [name for name, ok in kinds.items() if ok]
    telling = {case.name for case in cases if not (case.public or case.easy)}
    remark: tuple[str, ...] = ()
    if _too_coarse(item, gots, wants):
        remark = ("Right in single precision (float32), which is too coarse here: float64 is wanted.",)
    if len(runs) > 1 and _same_case_differs(item, gots, cases):
        remark = ("The same arguments give different results: does it keep something from one call to the next?",)
    if good:
        bad = [name for name, ok in kinds.items() if not ok]
        share = max(KINDS_SHARE * len(telling & set(good)) / len(telling), _parts_share(item, gots, wants))
        remark += (f"Right for {listed(good)}, not for {listed(bad) if bad else 'the worked example'}.",)
        status = Status.PARTLY if share else Status.WRONG
        return _verdict(item, status, share, remarks=remark, **seen)
    if any(ok and case.public for case, ok in zip(cases, right, strict=True)):
        remark += (
            "Right for the worked example only: with other numbers or sizes it is not. "
            "Is something fixed that should come from the arguments?",
        )
    if len(raised) == len(runs):
        return _verdict(item, Status.FAILED, 0.0, remarks=remark, **seen)
    share = _parts_share(item, gots, wants)
    sign = diagnose.signs(item, gots, wants, list(item.names))
    remark += (f"In all cases {sign}",) if sign else ()
    return _verdict(item, Status.PARTLY if share else Status.WRONG, share, remarks=remark, **seen)


def _too_coarse(item: Item, gots: list[Any], wants: list[Any]) -> bool:
    """Whether float32 is all that is wrong, where the item does not take it."""
    if item.float32 or any(isinstance(got, Failure) for got in gots):
        return False
    rule = tolerance(item)._replace(float32=True)
    return all(first_gap(got, want, rule) is None for got, want in zip(gots, wants, strict=True))


def _same_case_differs(item: Item, gots: list[Any], cases: tuple[Drawn, ...]) -> bool:
    """The last case is the first fresh one again: the two results must agree."""
    first = next((i for i, case in enumerate(cases) if not case.public), None)
    if first is None or first == len(cases) - 1 or isinstance(gots[first], Failure) or isinstance(gots[-1], Failure):
        return False
    try:
        return first_gap(gots[-1], gots[first], tolerance(item)) is not None
    except ValueError:  # a table of more than numbers: pandas does not say whether the whole is the same
        return encode(gots[-1]) != encode(gots[first])


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


def _place(item: Item, runs: tuple[Run, ...], wants: list[Any], cases: tuple[Drawn, ...]) -> dict[str, Any]:
    """What is seen on the first case that is wrong, a public one if there is one: fields of a verdict."""
    wrong = [
        i for i, (run, want) in enumerate(zip(runs, wants, strict=True)) if not diagnose.agree(item, run.result, want)
    ]
    i = next((i for i in wrong if cases[i].public), wrong[0])
    run, case = runs[i], cases[i]
    if isinstance(run.result, Failure):
        return {"where": case.name, "says": f"on {case.name}, {_raised(run.result)}"}
    gap = first_gap(run.result, wants[i], tolerance(item))
    assert gap is not None
    of_value = gap.problem == "value"
    return {
        "where": case.name,
        "got": short(gap.got) if of_value else None,
        "want": short(gap.want) if case.public and of_value else None,
        "says": f"on {case.name}, {gap_text(gap, _result_name(item), case.public)}",
        "place": place_of(item, run.result, wants[i], case.name, common_keys(wants), not case.public),
    }


# --------------------------------------------------------------------------- values and choices


def _judge_value(unit: Unit, item: Item, evidence: Evidence, earlier: follow.Earlier) -> Verdict:
    if not evidence.answers or len(evidence.missing) == len(item.names):
        seen = " is" if len(item.names) == 1 else " are"
        seen = listed([f"`{name}`" for name in item.names]) + seen
        return _verdict(item, Status.BLANK, 0.0, f"not answered: {seen} not defined when the test cell runs.")
    if all(answer is None for answer in evidence.answers):
        return _verdict(item, Status.BLANK, 0.0, f"not answered: `{item.names[0]}` is None.")
    got = evidence.answers[0] if len(item.names) == 1 else evidence.answers

    def answer(edits: Mapping[str, str], values: Mapping[str, Any] | None = None) -> list[Any]:
        return unit.key.answer(item, [], edits, values)

    wants = answer({}) if _needs_want(item) else [None]
    _expect_no_exception(unit, item, wants)
    if item.accept is not None:
        finding = _accept(unit, item, got, (), wants[0])
        if finding is None:
            return _verdict(item, Status.RIGHT, 1.0, "right.")
        for base, theirs in _telling_bases(unit, item, wants, earlier, (), answer) if item.compares else ():
            if _accept(unit, item, got, (), theirs[0]) is None:
                return _followed(item, base)
        return _finding_verdict(item, finding, None)
    others = (answer({item.id: unit.key.edited(item.id, same)}) for same in item.same)
    if any(diagnose.all_agree(item, [got], want) for want in chain([wants], others)):
        return _verdict(item, Status.RIGHT, 1.0, "right.")
    own = follow.usable_values(item, evidence.answers, unit.key)
    if own is not None:
        earlier.values[item.id] = own
    followed = _follow(unit, item, [got], wants, earlier, (), answer)
    if followed is not None:
        return followed
    slips = diagnose.known_slips(item, unit.key, [got], wants, (), answer=answer)
    gap = first_gap(got, wants[0], tolerance(item))
    assert gap is not None
    seen = gap_text(gap, _result_name(item), public=False)
    at = None if gap.where is None else str(gap.where)
    place = place_of(item, got, wants[0], names=common_keys(wants))
    if slips:
        _note_slips(unit, item, slips, earlier)  # a helper function in that cell is used by later answers, too
        return _slip_verdict(item, slips, seen, where=at, got=short(gap.got), place=place)
    followed = _follow_with_slip(unit, item, [got], wants, earlier, (), answer)
    if followed is not None:
        return followed
    share = _parts_share(item, [got], wants)
    sign = diagnose.signs(item, [got], wants, list(item.names))
    remarks = (f"{sign[0].upper()}{sign[1:]}",) if sign else ()
    status = Status.PARTLY if share else Status.WRONG
    return _verdict(item, status, share, seen, where=at, got=short(gap.got), remarks=remarks, place=place)


# --------------------------------------------------------------------------- both


Answer = Callable[..., list[Any]]


def _follow(
    unit: Unit,
    item: Item,
    gots: list[Any],
    wants: list[Any],
    earlier: follow.Earlier,
    cases: tuple[Drawn, ...],
    answer: Answer,
) -> Verdict | None:
    """Full marks for an answer that is right given the student's own earlier ones."""
    for base, theirs in _telling_bases(unit, item, wants, earlier, cases, answer):
        kept = follow.comparable(theirs)
        if diagnose.all_agree(item, [gots[i] for i in kept], [theirs[i] for i in kept]):
            return _followed(item, base)
    return None


def _followed(item: Item, base: follow.Base) -> Verdict:
    says = f"right for your own answer to {listed(base.items)}; mend it there and this is right as well."
    return _verdict(item, Status.FOLLOWS, 1.0, says, follows=base.items)


def _follow_with_slip(
    unit: Unit,
    item: Item,
    gots: list[Any],
    wants: list[Any],
    earlier: follow.Earlier,
    cases: tuple[Drawn, ...],
    answer: Answer,
) -> Verdict | None:
    """A slip of this item on top of earlier mistakes: only the slip is charged here."""
    for base, theirs in _telling_bases(unit, item, wants, earlier, cases, answer):
        kept = follow.comparable(theirs)
        for slip in item.slips:
            slipped = answer({**base.edits, item.id: unit.key.edited(item.id, slip)}, base.values)
            if diagnose.recognised(item, *([answers[i] for i in kept] for answers in (gots, slipped, theirs))):
                _note_slips(unit, item, (slip,), earlier)
                says = f"beside what comes from your answer to {listed(base.items)}: {slip.says}"
                place = _own_place(item, gots, theirs, cases)
                return _verdict(
                    item, Status.SLIP, slip.credit, says, slips=(slip.name,), follows=base.items, place=place
                )
    return None


def _own_place(item: Item, gots: list[Any], theirs: list[Any], cases: tuple[Drawn, ...]) -> Place | None:
    """Where an answer is off beside what comes from earlier mistakes, on the first case that shows it."""
    names = common_keys([entry for entry in theirs if not isinstance(entry, Raised)])
    for i, (got, want) in enumerate(zip(gots, theirs, strict=True)):
        if not diagnose.agree(item, got, want):
            hidden = bool(cases) and not cases[i].public
            return place_of(item, got, want, cases[i].name if cases else None, names, hidden)
    return None


def _telling_bases(
    unit: Unit, item: Item, wants: list[Any], earlier: follow.Earlier, cases: tuple[Drawn, ...], answer: Answer
) -> Iterator[tuple[follow.Base, list[Any]]]:
    """The earlier mistakes that change what is right here, with what is right then; trivial answers left out."""
    for base in follow.bases(item, unit.items, earlier):
        theirs = answer(base.edits, base.values)
        if follow.nontrivial(theirs, cases) and not diagnose.all_agree(item, theirs, wants):
            yield base, theirs


def _note_slips(unit: Unit, item: Item, slips: tuple[Any, ...], earlier: follow.Earlier) -> None:
    if len(slips) == 1:
        earlier.edits[item.id] = unit.key.edited(item.id, slips[0])
    else:
        earlier.edits[item.id] = diagnose.edited_twice(item, unit.key, *slips) or unit.key.edited(item.id, slips[0])


def _slip_verdict(item: Item, slips: tuple[Any, ...], says: str, **seen: Any) -> Verdict:
    share = 1.0
    for slip in slips:
        share *= slip.credit
    says += "".join(f" {slip.says[0].upper()}{slip.says[1:]}" for slip in slips)
    return _verdict(item, Status.SLIP, share, says, slips=tuple(slip.name for slip in slips), **seen)


def _finding_verdict(item: Item, finding: Finding, where: str | None) -> Verdict:
    known = (finding.name,) if any(slip.name == finding.name for slip in item.slips) else ()
    status = Status.SLIP if known else Status.PARTLY if finding.credit else Status.WRONG
    return _verdict(item, status, min(finding.credit, 0.99), finding.says, slips=known, where=where)


def _accept(unit: Unit, item: Item, got: Any, args: tuple[Any, ...], want: Any) -> Finding | None:
    assert item.accept is not None
    try:
        return item.accept(Trial(got, args, want, unit.key.given()))
    except Exception as error:
        # the author's own judging met an answer of another form; that the solution passes is verified
        return Finding(
            "form", f"the answer is not of the form that is asked for ({type(error).__name__}: {str(error)[:120]})."
        )


def _needs_want(item: Item) -> bool:
    """Whether the solution's own answer is needed; a training that is judged by bounds need not be run again."""
    return item.accept is None or item.compares


def _expect_no_exception(unit: Unit, item: Item, wants: list[Any]) -> None:
    broken = next((want for want in wants if isinstance(want, Raised)), None)
    if broken is not None:
        raise KitError(
            f"{unit.name}, item {item.id}: the solution itself stops with {broken.type}. "
            f"Run: chainrule verify {unit.name}"
        )


def _verdict(item: Item, status: Status, share: float, says: str, **more: Any) -> Verdict:
    full = status in (Status.RIGHT, Status.FOLLOWS)
    points = item.points if full else marks(share, item.points)
    step = (
        None
        if full
        else (
            item.hints[0] if item.hints else "Run the test cell in your notebook and look at the worked example first."
        )
    )
    return Verdict(
        item.id,
        status,
        points,
        item.points,
        says[:1].upper() + says[1:] if says[:1] != "`" else says,
        next_step=step,
        hints=item.hints,
        builds_on=item.builds_on,
        **more,
    )


def _result_name(item: Item) -> str:
    return item.names[0] if len(item.names) == 1 else "answer"


def _raised(failure: Failure) -> str:
    return raised_text({"type": failure.type, "message": failure.message, "line": failure.line, "code": failure.code})
