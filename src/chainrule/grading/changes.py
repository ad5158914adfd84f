"""What a regrading would change, for whom, by how much and why: plain data, from what stands and what came out anew."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from math import isclose
from typing import Any

from chainrule.course import TEST, Unit
from chainrule.grading.held import Held
from chainrule.grading.outcome import Graded
from chainrule.grading.steps import final_scores
from chainrule.grading.submission import Standing
from chainrule.judge import Status, Verdict
from chainrule.render import WORDS

NOT_BEFORE = "not graded before"


@dataclass(frozen=True, slots=True)
class Noted:
    """What an autograded notebook holds: verdicts by item, and the student's answers by their cells' ids."""

    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    answers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ItemChange:
    """One item of one student: what counts before and after, of how many points; None where there is no such item,
    or no score. `why` names the verdicts.
    """

    item: str
    before: float | None
    after: float | None
    was_of: float | None
    out_of: float | None
    why: str


@dataclass(frozen=True, slots=True)
class HandMark:
    """A mark that a person gave. It stands, over a score of ours that changes; of an item that is gone, it goes."""

    student: str
    item: str
    marks: float
    why: str


@dataclass(frozen=True, slots=True)
class StudentChange:
    """One student's totals, penalties taken off, and the items that change; `after` is None where no score is left."""

    student: str
    before: float
    after: float | None
    out_of: float
    items: tuple[ItemChange, ...] = ()
    penalty: tuple[float, float] = (0.0, 0.0)
    handed_in_again: bool = False  # since it was graded: then not all is the items' doing
    refused: str = ""  # why no score is left

    @property
    def change(self) -> float:
        return (self.after or 0.0) - self.before

    @property
    def same(self) -> bool:
        return not self.items and not self.refused and isclose(self.change, 0, abs_tol=1e-9)


@dataclass(frozen=True, slots=True)
class Changes:
    """A whole unit's. `students`: those compared, the one who loses most first. `hidden`: marks by hand that stand
    over a change of ours; `gone`: what was written by hand on items that are removed. `uncompared`: name and reason.
    """

    unit: str
    students: tuple[StudentChange, ...]
    hidden: tuple[HandMark, ...] = ()
    gone: tuple[HandMark, ...] = ()
    uncompared: tuple[tuple[str, str], ...] = ()
    added: tuple[str, ...] = ()  # items
    removed: tuple[str, ...] = ()

    @property
    def down(self) -> tuple[StudentChange, ...]:
        """Those who lose points."""
        return tuple(student for student in self.students if _sign(student.change) < 0)

    @property
    def up(self) -> tuple[StudentChange, ...]:
        return tuple(student for student in self.students if _sign(student.change) > 0)

    @property
    def level(self) -> tuple[StudentChange, ...]:
        """Those whose items change and whose total does not."""
        return tuple(student for student in self.students if not _sign(student.change) and not student.same)

    @property
    def unchanged(self) -> int:
        return sum(student.same for student in self.students)

    @property
    def mean_change(self) -> float:
        """Points, over all who are compared; 0 where nobody is."""
        return sum(student.change for student in self.students) / len(self.students) if self.students else 0.0

    def to_json(self) -> dict[str, Any]:
        counts = {"compared": len(self.students), "down": len(self.down), "up": len(self.up), "level": len(self.level)}
        more = {"unchanged": self.unchanged, "mean_change": self.mean_change}
        tree = asdict(self)
        tree["students"] = [asdict(student) for student in self.students if not student.same]
        tree["uncompared"] = dict(self.uncompared)
        return {**tree, "summary": {**counts, **more}}


def noted(notebook: Mapping[str, Any] | None) -> Noted:
    """Verdicts and answers of an autograded notebook's JSON tree; of one that is not there or not ours, nothing."""
    if notebook is None:
        return Noted()
    try:
        verdicts = [Verdict.from_json(tree) for tree in notebook["metadata"]["chainrule"]["verdicts"]]
        answers = {
            meta["grade_id"]: "".join(cell["source"]).strip()
            for cell in notebook["cells"]
            if (meta := cell["metadata"].get("nbgrader", {})).get("solution")
        }
    except (KeyError, TypeError, ValueError, AttributeError):
        return Noted()  # of another version, perhaps; points can be compared all the same
    return Noted({verdict.item: verdict for verdict in verdicts}, answers)


def noted_by(graded: Graded, unit: Unit) -> Noted:
    """The same of a new outcome."""
    text = dict(graded.autograded or ()).get(f"{unit.notebook}.ipynb")
    return noted(None if text is None else json.loads(text))


class Comparison:
    """Takes new outcomes one by one, so that a class's pages need not be held, and makes `Changes` of them."""

    def __init__(self, unit: Unit, held: Mapping[str, Held], known: Mapping[str, Standing]) -> None:
        self.unit, self.held, self.known = unit, held, known
        self._students: list[StudentChange] = []
        self._hidden: list[HandMark] = []
        self._uncompared: dict[str, str] = {}

    def add(self, graded: Graded, old: Noted) -> None:
        """Compare one outcome with what stands. `old` is what the autograded notebook holds until now."""
        student = graded.student
        held, standing = self.held.get(student, Held()), self.known[student]
        failed = graded.refused or graded.kit_fault
        was = _final(held.scores, standing)
        if graded.kit_fault:
            self._uncompared[student] = f"the kit failed, and what stands will stand: {graded.kit_fault.says}"
        elif not was or (graded.scores is None and not any(score is not None for score in held.scores.values())):
            now = sum(_final(graded.scores, standing).values()) if graded.scores else 0.0
            future = f"could not be graded now: {failed.says}" if failed else f"{now:g} of {self.unit.points:g} now"
            self._uncompared[student] = f"{NOT_BEFORE}; {future}"
        elif graded.scores is None:
            why = failed.says if failed else ""
            before = _total(was, held.penalty)
            # what a person gave goes on counting
            left = {name: marks for name, marks in was.items() if name in standing.marks}
            after = _total(left, 0.0) if left else None
            change = StudentChange(student, before, after, self.unit.points, (), (held.penalty, 0.0), refused=why)
            self._students.append(change)
        else:
            self._compare(graded, old, noted_by(graded, self.unit), held, standing)

    def changes(self, added: Iterable[str] = (), removed: Iterable[str] = ()) -> Changes:
        """All of it. `added`, `removed`: items that the gradebook does not know yet, or still does."""
        removed = tuple(removed)
        return Changes(
            self.unit.name,
            tuple(sorted(self._students, key=lambda student: (student.change, student.student))),
            tuple(sorted(self._hidden, key=lambda mark: (mark.student, mark.item))),
            tuple(_gone(self.known, removed)),
            tuple(sorted(self._uncompared.items())),
            tuple(added),
            removed,
        )

    def leave(self, student: str, why: str) -> None:
        """Somebody who is graded and is not graded again."""
        self._uncompared[student] = why

    def _compare(self, graded: Graded, old: Noted, new: Noted, held: Held, standing: Standing) -> None:
        assert graded.scores is not None
        was, now = _final(held.scores, standing), _final(graded.scores, standing)
        out_of = {item.id + TEST: item.points for item in self.unit.items.values()}
        items = []
        for cell in [*out_of, *(cell for cell in held.scores if cell not in out_of)]:
            item = cell.removesuffix(TEST)
            verdicts = _of_score(old.verdicts.get(item), held.scores.get(cell)), new.verdicts.get(item)
            change = ItemChange(
                item,
                was.get(cell),
                now.get(cell),
                held.out_of.get(cell),
                out_of.get(cell),
                _why(verdicts, held.scores.get(cell), held.out_of.get(cell), out_of.get(cell)),
            )
            ours = held.scores.get(cell), graded.scores.get(cell)
            if cell in standing.marks and cell in out_of:
                if not _close(*ours) or change.was_of != change.out_of:
                    told = " -> ".join("none" if score is None else f"{score:g}" for score in ours)
                    why = f"ours: {told}; {change.why}"
                    self._hidden.append(HandMark(graded.student, item, standing.marks[cell], why))
            elif not _close(*ours) or change.was_of != change.out_of or _word(verdicts[0]) != _word(verdicts[1]):
                items.append(change)
        penalties = (held.penalty, graded.late_penalty or 0.0)
        again = any(old.answers[name] != new.answers[name] for name in old.answers.keys() & new.answers.keys())
        self._students.append(
            StudentChange(
                graded.student,
                _total(was, penalties[0]),
                _total(now, penalties[1]),
                sum(out_of.values()),
                tuple(items),
                penalties,
                again,
            )
        )


def _final(scores: Mapping[str, float | None], standing: Standing) -> dict[str, float]:
    """What counts, of the cells that somebody scored."""
    return {name: score for name, score in final_scores(scores, standing).items() if _scored(name, scores, standing)}


def _scored(name: str, scores: Mapping[str, float | None], standing: Standing) -> bool:
    return scores[name] is not None or name in standing.marks


def _total(final: Mapping[str, float], penalty: float) -> float:
    """As nbgrader exports it."""
    return max(0.0, sum(final.values()) - penalty)


def _of_score(verdict: Verdict | None, score: float | None) -> Verdict | None:
    """The verdict, if it is what the score in the gradebook was made of."""
    return verdict if verdict is not None and _close(verdict.points, score) else None


def _why(
    verdicts: tuple[Verdict | None, Verdict | None],
    score: float | None,
    was_of: float | None,
    out_of: float | None,
) -> str:
    """In words, from the verdicts before and after, our score before, and the points possible."""
    old, new = _word(verdicts[0]), _word(verdicts[1])
    old = old or ("not graded" if score is None else f"{score:g} points")
    if was_of is None:
        return f"new item: {new}"
    if out_of is None:
        return f"the item is removed; was: {old}"
    words = [] if _close(was_of, out_of) else [f"worth {out_of:g}, was {was_of:g}"]
    if old != new:
        words.append(f"was: {old}; now: {new}")
    else:
        words.append(f"{new}, as before" + ("" if words else ", with other credit"))
    return "; ".join(words)


def _word(verdict: Verdict | None) -> str:
    """A verdict in a few words, with the names of its slips."""
    if verdict is None:
        return ""
    if verdict.slips:
        names = " and ".join(verdict.slips)
        return f"slip {names}" if verdict.status is Status.SLIP else f"{WORDS[verdict.status]} (slip {names})"
    if verdict.follows and verdict.status is Status.FOLLOWS:
        return f"follows from {', '.join(verdict.follows)}"
    return WORDS[verdict.status]


def _gone(known: Mapping[str, Standing], removed: tuple[str, ...]) -> Iterable[HandMark]:
    """What people wrote on the items that are removed."""
    for student, standing in sorted(known.items()):
        for item in removed:
            cell = item + TEST
            marks = standing.marks.get(cell, 0.0) + standing.extra.get(cell, 0.0)
            comment = standing.comments.get(item) or standing.comments.get(cell)
            if cell in standing.marks or cell in standing.extra or comment:
                yield HandMark(student, item, marks, f"comment: {comment}" if comment else "")


def _close(one: float | None, other: float | None) -> bool:
    return one is other if one is None or other is None else isclose(one, other, abs_tol=1e-9)


def _sign(change: float) -> int:
    return 0 if isclose(change, 0, abs_tol=1e-9) else 1 if change > 0 else -1
