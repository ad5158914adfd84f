"""The student's page: how many points, which items, what went wrong and where, what to do next; then the notebook.

Plain data in, HTML out. Texts come as text and are escaped here; what comes as Markup is harmless already.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Literal

from markupsafe import Markup

from chainrule.grading.remark import Remark
from chainrule.judge.verdict import Status, Verdict, listed
from chainrule.pages.frame import environment, page
from chainrule.pages.maths import STYLE as MATHS_STYLE
from chainrule.pages.pictures import Stop, place_svg, way_svg
from chainrule.render import WORDS, marked, place_words

NO_ANSWER = "No response."  # nbgrader's own comment on a cell that was left as it was

# one character beside each word, so that no colour is needed; all of them stand in every font
MARKS = {
    Status.RIGHT: "✓",
    Status.FOLLOWS: "✓",
    Status.SLIP: "~",
    Status.PARTLY: "~",
    Status.WRONG: "✗",
    Status.BLANK: "-",
    Status.FAILED: "!",
}

# what a student can do about a remark of grading, by its cause; about the others there is nothing to do
TO_DO = {
    "renamed-notebook": "Next time, hand the notebook in under the name that it came with.",
    "deleted-test-cell": "Nothing is lost: your answer was judged by the original cell.",
    "edited-test-cell": "Nothing is lost: your answer was judged by the original cell.",
    "duplicated-test-cell": "Nothing is lost: your answer was judged once.",
    "duplicated-cell": "Keep one cell for each answer, so that it is sure to be the one that you mean.",
    "deleted-given-cell": "Leave the given cells in; the cells below rely on them.",
    "edited-given-cell": "If your answers rely on the change, put it into a cell of your own.",
    "stripped-metadata": "Nothing is lost. Jupyter keeps what the program that you used dropped.",
    "timestamp": "Ask your instructor if the time of handing in matters.",
    "files-left-out": "If the notebook needs that file, ask your instructor.",
    "timeout": "Look for a loop that does not end, or that does far more steps than needed.",
    "unresponsive": "Look for a loop that does not end in that cell.",
    "kernel-died": "Restart the kernel and run all cells: does it end at the same place, or run out of memory?",
    "output-limit": "Print less in that cell.",
    "evidence-limit": "The answer is far larger than what is asked for: look at its shape.",
    "notebook-time": "Run all cells from the top: what takes so long?",
    "not-judged": "A person looks at it; you need not do anything.",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """One graded cell: `score` of `points` as the gradebook has them, with what a person did about it.

    section: the heading that it stands under. comment: a person's, as HTML.
    """

    id: str
    section: str
    score: float
    points: float
    verdict: Verdict | None = None
    comment: Markup | None = None

    @property
    def full(self) -> bool:
        return self.score >= self.points

    @property
    def tone(self) -> Literal["good", "part", "bad"]:
        return "good" if self.full else "part" if self.score > 0 else "bad"

    @property
    def by_hand(self) -> bool:
        """Whether these are not the grader's points."""
        return self.verdict is None or round(self.score, 2) != round(self.verdict.points, 2)

    @property
    def word(self) -> str:
        return "marked by a person" if self.by_hand or self.verdict is None else WORDS[self.verdict.status]

    @property
    def mark(self) -> str:
        if self.by_hand or self.verdict is None:
            return "✓" if self.full else "~" if self.score > 0 else "✗"
        return MARKS[self.verdict.status]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the notebook. kind: "prose", "given" (the course's own code), "code", or "check" (an item's test).

    title: what stands above it where it is folded. item: the graded item that it answers or checks.
    """

    kind: Literal["prose", "given", "code", "check"]
    source: Markup
    title: str = ""
    item: str | None = None
    outputs: tuple[Markup, ...] = ()


@dataclass(frozen=True, slots=True)
class Feedback:
    """All that a page shows. score: after `penalty` points for late work were taken off."""

    title: str
    score: float
    possible: float
    penalty: float
    remarks: Sequence[Remark]
    answers: Sequence[Answer]
    cells: Sequence[Cell]


def feedback_page(feedback: Feedback) -> str:
    """The whole page."""
    answers = {answer.id: answer for answer in feedback.answers}
    left = left_at(feedback.answers)
    taken: dict[str, list[str]] = {}  # item -> those that are right given its wrong answer
    for answer in feedback.answers:
        for name in answer.verdict.follows if answer.verdict else ():
            taken.setdefault(name, []).append(answer.id)
    answered = {cell.item for cell in feedback.cells if cell.kind == "code"}
    body = (
        environment()
        .get_template("feedback.html")
        .render(
            feedback=feedback,
            answers=answers,
            answered=answered,
            counts=list(_counts(feedback.answers)),
            left=left,
            taken=taken,
            way=_way(feedback.answers, left),
            to_do=TO_DO,
            share=share,
            marked=lambda text: Markup(marked(text)),
            names=_names,
            place_words=place_words,
            place_svg=place_svg,
            no_answer=NO_ANSWER,
        )
    )
    return page(f"Feedback: {feedback.title}", Markup(body), _style())


@lru_cache(1)
def _style() -> str:
    return MATHS_STYLE + files(__package__).joinpath("feedback.css").read_text("utf-8")


def share(score: float, possible: float) -> str:
    """Percent of a bar's width."""
    return f"{100 * min(max(score / possible, 0.0), 1.0) if possible > 0 else 0.0:.0f}"


def _names(names: Sequence[str]) -> Markup:
    """Items as links down to their sections."""
    return Markup(listed([Markup('<a href="#item-{0}"><code>{0}</code></a>').format(name) for name in names]))


def _counts(answers: Sequence[Answer]) -> Iterator[str]:
    """How many items have all their points, some, none."""
    full = sum(answer.full for answer in answers)
    part = sum(answer.tone == "part" for answer in answers)
    none = len(answers) - full - part
    yield f"{full} of {len(answers)} items with all points"
    if part:
        yield f"{part} with a part"
    if none:
        yield f"{none} with none"


def left_at(answers: Sequence[Answer]) -> tuple[str, ...]:
    """The items at which the way through the unit first left the right one: wrong, and all that they build on is not.

    What was not answered left nothing. An answer that is right for a wrong earlier one did not leave the way itself.
    """
    sound = {answer.id: answer.full for answer in answers}
    charged = {Status.SLIP, Status.PARTLY, Status.WRONG, Status.FAILED}
    return tuple(
        answer.id
        for answer in answers
        if answer.verdict
        and not answer.full
        and answer.verdict.status in charged
        and all(sound.get(base, True) for base in answer.verdict.builds_on)
    )


def _way(answers: Sequence[Answer], left: Sequence[str]) -> Markup:
    """The picture of the items that went wrong, of what they build on and of what builds on them."""
    judged = {answer.id: answer.verdict for answer in answers if answer.verdict}
    wrong = {answer.id for answer in answers if answer.verdict and not answer.full}
    reached = set(wrong)
    while more := {name for name, verdict in judged.items() if reached.intersection(verdict.builds_on)} - reached:
        reached |= more
    shown = reached | {base for name in wrong for base in judged[name].builds_on}
    stops = [
        Stop(
            answer.id,
            tuple(base for base in answer.verdict.builds_on if base in shown and base in judged),
            answer.verdict.follows,
            answer.tone,
            answer.mark,
            answer.id in left,
        )
        for answer in answers
        if answer.verdict and answer.id in shown
    ]
    said = "; ".join(f"{answer.id}: {answer.word}" for answer in answers if answer.id in shown)
    return way_svg(stops, f"Items that build on each other. {said}.")
