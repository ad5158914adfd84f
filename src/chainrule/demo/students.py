"""Made-up students of one unit: what each hands in, and what grading must say of it.

They are made from the answer key: solutions, equivalents, slips, hand-typed values, blanks, and broken notebooks.
What each should get follows from the items' own definitions, never from the judge.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import nbformat
import numpy as np

from chainrule.cases import draw, outcomes, rng_for
from chainrule.course import TEST, Unit, read_notebook
from chainrule.demo.people import HandedIn
from chainrule.items import Item, Kind, Slip
from chainrule.judge.follow import nontrivial
from chainrule.judge.verdict import marks
from chainrule.key import BEGIN, END, Raised
from chainrule.verify import SECRET, typed


@dataclass(slots=True)
class Student:
    """One made-up student of one unit: the notebook's text, and what grading must say of it."""

    name: str
    role: str
    text: str | None
    points: dict[str, float]
    slips: dict[str, str] = field(default_factory=dict)
    causes: frozenset[str] = frozenset()  # the remarks' causes
    refused: bool = False
    handed_in: HandedIn | None = None


# --------------------------------------------------------------------------- the class


def make_class(unit: Unit, count: int, rng: np.random.Generator) -> list[Student]:
    """`count` students: each role once, as far as they go, then mixtures of right answers and slips."""
    roles: list[Callable[[Unit, str, np.random.Generator], Student]] = [
        solution,
        _corrupt,
        _deleted_test,
        _hangs,
        _blank,
        equivalents,
        _typed_by_hand,
    ]
    makers = [roles[i] if i < len(roles) else mixture for i in range(count)]
    return [make(unit, student_id(number), rng) for number, make in enumerate(makers)]


def solution(unit: Unit, name: str, rng: np.random.Generator) -> Student:
    return Student(name, "solution", nbformat.writes(_solved(unit, {})), _full(unit))


def _blank(unit: Unit, name: str, rng: np.random.Generator) -> Student:
    return Student(name, "blank", unit.release.read_text("utf-8"), dict.fromkeys(unit.items, 0.0))


def _corrupt(unit: Unit, name: str, rng: np.random.Generator) -> Student:
    text = nbformat.writes(_solved(unit, {}))
    return Student(name, "corrupt notebook", text[: len(text) // 2], {}, refused=True)


def _deleted_test(unit: Unit, name: str, rng: np.random.Generator) -> Student:
    notebook = _solved(unit, {})
    gone = str(rng.choice(list(unit.items))) + TEST
    notebook.cells = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id") != gone]
    return Student(
        name, "deleted test cell", nbformat.writes(notebook), _full(unit), causes=frozenset({"deleted-test-cell"})
    )


def _hangs(unit: Unit, name: str, rng: np.random.Generator) -> Student:
    """The last function that nothing builds on never returns: its points are lost, and no others."""
    used = {base for item in unit.items.values() for base in item.builds_on}
    used |= {
        item.id
        for item in unit.items.values()
        if any(unit.key.needs(o.names, item.id) for o in unit.items.values() if o is not item)
    }
    lonely = [item for item in unit.items.values() if item.kind is Kind.FUNCTION and item.id not in used]
    if not lonely:
        return mixture(unit, name, rng)
    item = lonely[-1]
    loop = Slip("endless", "", "while True:\n    pass", says="never returns")
    notebook = _solved(unit, {item.id: unit.key.edited(item.id, loop)})
    return Student(
        name, "endless loop", nbformat.writes(notebook), {**_full(unit), item.id: 0.0}, causes=frozenset({"timeout"})
    )


def equivalents(unit: Unit, name: str, rng: np.random.Generator) -> Student:
    edits = {}
    for item in unit.items.values():
        if item.same and not _trained_on(unit, item):
            edits[item.id] = unit.key.edited(item.id, item.same[int(rng.integers(len(item.same)))])
            # two forms that are right by themselves may not go together: minus a list is an error
            touched = [later for later in unit.items.values() if unit.key.needs(later.names, item.id, edits)]
            if not all(_runs_on(unit, later, edits) for later in touched):
                del edits[item.id]
    return Student(name, "equivalents", nbformat.writes(_solved(unit, edits)), _full(unit))


def _trained_on(unit: Unit, item: Item) -> bool:
    """Whether a training uses this item: a loop is as right, but may take longer than a cell is given."""
    return any(
        later.accept and later is not item and unit.key.needs(later.names, item.id) for later in unit.items.values()
    )


def _typed_by_hand(unit: Unit, name: str, rng: np.random.Generator) -> Student:
    """Values as lists of four decimals, cut or rounded, as from a pocket calculator."""
    edits = {}
    for item in unit.items.values():
        if item.kind is Kind.VALUE and item.accept is None:
            answers = unit.key.run(item.names)
            texts = {one: _literal(typed(answers[one], cut=bool(rng.integers(2)))) for one in item.names}
            used = any(unit.key.needs(later.names, item.id) for later in unit.items.values() if later is not item)
            # a list will do as an answer, but later cells count on an array
            lines = [f"{one} = np.array({text})" if used else f"{one} = {text}" for one, text in texts.items()]
            # below the solution, whose helper functions later cells may use
            edits[item.id] = "\n".join([unit.key.cell(item.id).rstrip(), *lines])
    return Student(name, "typed by hand", nbformat.writes(_solved(unit, edits)), _full(unit))


def mixture(unit: Unit, name: str, rng: np.random.Generator) -> Student:
    """Some slips, none of which touches another's item; what builds on them must still be paid in full."""
    points, closed = _full(unit), set[str]()
    edits: dict[str, str] = {}
    slips: dict[str, str] = {}
    items = list(unit.items.values())
    for i in rng.permutation(len(items)):
        item = items[int(i)]
        order = [item.slips[int(k)] for k in rng.permutation(len(item.slips))]
        related = {other.id for other in items if _touches(unit, item, other)}
        if item.id in closed or rng.random() < 0.4:
            continue
        slip = next((slip for slip in order if _followable(unit, item, slip)), None)
        if slip is None:
            continue
        text = {item.id: unit.key.edited(item.id, slip)}
        # a slip may call what the solution does not
        uses = {other.id for other in items if other is not item and unit.key.needs(item.names, other.id, text)}
        if uses & slips.keys():
            continue
        edits |= text
        closed |= uses
        points[item.id], slips[item.id] = marks(slip.credit, item.points), slip.name
        closed |= related
    role = f"{len(slips)} slip{'s' if len(slips) != 1 else ''}"
    return Student(name, role, nbformat.writes(_solved(unit, edits)), points, slips)


def _touches(unit: Unit, one: Item, other: Item) -> bool:
    """Whether a mistake in one of the two changes the other, or both change a third."""
    later = [item for item in unit.items.values() if unit.key.needs(item.names, one.id)]
    return any(unit.key.needs(item.names, other.id) for item in later) or unit.key.needs(one.names, other.id)


def _followable(unit: Unit, item: Item, slip: Slip) -> bool:
    """Whether all that builds on this slip still has an answer of its own, of the right form, to be paid for."""
    edits = {item.id: unit.key.edited(item.id, slip)}
    for later in unit.items.values():
        if not unit.key.needs(later.names, item.id):
            continue
        if later.accept is not None and later is not item:
            return False
        try:
            names = unit.key.run(later.names, edits)
            right = unit.key.run(later.names)
        except Exception:
            return False
        if later.kind is not Kind.FUNCTION and any(_form(names[n]) != _form(right[n]) for n in later.names):
            return False
        if (
            later.kind is not Kind.FUNCTION
            and later is not item
            and not nontrivial([names[n] for n in later.names], ())
        ):
            return False
        if later.kind is Kind.FUNCTION and later is not item and not _runs(unit, later, edits):
            return False
    return True


def _form(answer: Any) -> Any:
    """An answer's shape; of parts that are of several shapes, the shape of each."""
    try:
        return np.shape(answer)
    except ValueError:
        return [_form(part) for part in answer]


def _runs_on(unit: Unit, item: Item, edits: dict[str, str]) -> bool:
    if item.accept is not None:
        return True  # a training takes long, and right answers train as well in any form
    try:
        unit.key.run(item.names, edits)
    except Exception:
        return False
    return item.kind is not Kind.FUNCTION or _runs(unit, item, edits)


def _runs(unit: Unit, item: Item, edits: dict[str, str]) -> bool:
    """Whether the item still has an answer with the edits in: it stops nowhere, nor does it vanish or blow up."""
    drawn = draw(item, unit.key, rng_for(SECRET, unit.name, item, "demo"))
    answers = outcomes(item, unit.key, drawn, edits)
    return not any(isinstance(answer, Raised) for answer in answers) and nontrivial(answers, drawn)


# --------------------------------------------------------------------------- notebooks


def _solved(unit: Unit, edits: dict[str, str]) -> nbformat.NotebookNode:
    """The release with every solution written in: the key's, or the cell that `edits` has for an item."""
    notebook = read_notebook(unit.release, f"chainrule build {unit.name}")
    key = {cell.item: cell.source for cell in unit.key.cells if cell.item}
    for cell in notebook.cells:
        meta = cell.metadata.get("nbgrader", {})
        if meta.get("solution"):
            text = edits.get(meta["grade_id"], key[meta["grade_id"]])
            cell.source = "\n".join(line for line in text.splitlines() if line.strip() not in (BEGIN, END))
    return notebook


def student_id(number: int) -> str:
    """A student's id; the class is counted from 0, its ids from 1."""
    return f"s{number + 1:03d}"


def _full(unit: Unit) -> dict[str, float]:
    return {item.id: item.points for item in unit.items.values()}


def _literal(answer: Any) -> str:
    return repr(answer.tolist() if isinstance(answer, np.ndarray) else answer)
