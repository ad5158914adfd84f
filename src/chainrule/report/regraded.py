"""A regrading's changes as tables for a terminal: who loses points first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from rich.table import Table
from rich.text import Text

from chainrule.grading.changes import Changes, ItemChange, StudentChange
from chainrule.grading.submission import shown


def regraded(changes: Changes) -> Iterator[Table | Text]:
    """Everything that changes, in the order in which a person should read it."""
    if changes.added or changes.removed:
        words = [f"new: {', '.join(changes.added)}"] if changes.added else []
        words += [f"removed: {', '.join(changes.removed)}"] if changes.removed else []
        yield Text(f"{changes.unit}, items: {'; '.join(words)}", style="yellow")
    if changes.gone:
        table = _table(
            "written by hand on removed items; it goes with them", ["student", "item", "marks", "what"], "red"
        )
        for mark in changes.gone:
            table.add_row(*_cells(mark.student, mark.item, f"{mark.marks:g}", mark.why))
        yield table
    if changes.down:
        yield _students(f"LOSE POINTS: {len(changes.down)}", changes.down, "red")
    if changes.up:
        yield _students(f"gain points: {len(changes.up)}", changes.up, None)
    if changes.level:
        yield _students(f"keep their total, with other verdicts: {len(changes.level)}", changes.level, None)
    if changes.hidden:
        title = f"marks by hand that stand over a change: {len(changes.hidden)}"
        table = _table(title, ["student", "item", "stands", "what changes below it"], "yellow")
        for mark in changes.hidden:
            table.add_row(*_cells(mark.student, mark.item, f"{mark.marks:g}", mark.why))
        yield table
    if reasons := list(_reasons(changes.students)):
        table = _table("what changes, and for how many", ["item", "students", "points each", "why"], None)
        for row in reasons:
            table.add_row(*_cells(*row))
        yield table
    if changes.uncompared:
        table = _table(f"cannot be compared: {len(changes.uncompared)}", ["student", "why"], "yellow")
        for student, why in changes.uncompared:
            table.add_row(*_cells(student, why))
        yield table
    yield Text(summary(changes))


def summary(changes: Changes) -> str:
    """One line of numbers."""
    hidden, others = len(changes.hidden), len(changes.uncompared)
    words = [
        f"{changes.unit}: {len(changes.students)} compared",
        f"{len(changes.down)} lose points",
        f"{len(changes.up)} gain",
        f"{len(changes.level)} keep their total with other verdicts",
        f"{changes.unchanged} unchanged",
        f"mean change {changes.mean_change:+.2f} points",
    ]
    words += [f"{hidden} marks by hand stand over a change"] if hidden else []
    words += [f"{others} cannot be compared"] if others else []
    return ", ".join(words)


def _students(title: str, students: Iterable[StudentChange], style: str | None) -> Table:
    """A line for each item that changes, and one for each student's total."""
    table = _table(title, ["student", "item", "points", "why"], style)
    for student in students:
        table.add_section()
        again = "handed in again since it was graded" if student.handed_in_again else ""
        total = "no score" if student.after is None else f"{student.after:g} of {student.out_of:g}"
        why = f"could not be graded: {student.refused}" if student.refused else again
        table.add_row(*_cells(student.student, "total", f"{student.before:g} -> {total}", why), style="bold")
        for item in student.items:
            table.add_row(*_cells("", item.item, _points(item), item.why))
        if student.penalty[0] != student.penalty[1]:
            old, new = student.penalty
            table.add_row(*_cells("", "late penalty", f"{old:g} -> {new:g}", ""))
    return table


def _reasons(students: Iterable[StudentChange]) -> Iterator[tuple[str, str, str, str]]:
    """Each item and reason once, the commonest first; points lost or gained, from the least to the most."""
    found: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for student in students:
        for item in student.items:
            found[item.item, item.why].append((item.after or 0.0) - (item.before or 0.0))
    for (name, why), by in sorted(found.items(), key=lambda entry: (-len(entry[1]), entry[0])):
        least, most = f"{min(by):+g}", f"{max(by):+g}"
        yield name, str(len(by)), least if least == most else f"{least} to {most}", why


def _points(item: ItemChange) -> str:
    before, after = ("-" if points is None else f"{points:g}" for points in (item.before, item.after))
    return f"{before} -> {after}"


def _table(title: str, heads: list[str], style: str | None) -> Table:
    return Table(*heads, title=title, title_style=style or "", title_justify="left", style=style or "")


def _cells(*texts: str) -> list[Text]:
    """Plain text, whatever it holds: names and slips are no markup, and no terminal's commands."""
    return [Text(shown(text)) for text in texts]
