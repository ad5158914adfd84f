"""Verdicts as people read them: a line in the terminal, a block under a test cell, and words for all pages."""

from __future__ import annotations

from html import escape

from chainrule.judge.place import Place
from chainrule.judge.verdict import Status, Verdict, listed

VERDICT_MIME = "application/vnd.chainrule.verdict+json"

WORDS = {
    Status.RIGHT: "right",
    Status.FOLLOWS: "right, given your earlier answer",
    Status.SLIP: "a known mistake",
    Status.PARTLY: "right in part",
    Status.WRONG: "not right",
    Status.BLANK: "not answered",
    Status.FAILED: "could not be judged",
}
# background and border that keep their contrast on light and on dark pages
_COLOURS = {True: "#2e7d32", False: "#b3541e"}


def verdict_html(verdict: Verdict) -> str:
    """A block for the formgrader's pages, in styles that their filters let pass. All text is escaped: it may be a
    student's words."""
    colour = _COLOURS[verdict.full]
    share = 100 * verdict.points / verdict.out_of
    lines = [
        f'<div class="chainrule" style="border-left:.4em solid {colour};'
        'padding:.4em .8em;margin:.2em 0;max-width:46em">',
        f"<div><strong>{escape(verdict.item)}: {verdict.points:g} of {verdict.out_of:g}</strong> "
        f"({WORDS[verdict.status]})</div>",
        f'<div aria-hidden="true" style="height:.35em;background-color:#8884;max-width:14em;margin:.3em 0">'
        f'<div style="height:100%;width:{share:.0f}%;background-color:{colour}"></div></div>',
    ]
    if verdict.status is not Status.RIGHT:
        lines.append(f"<div>{marked(verdict.says)}</div>")
    if verdict.place:
        lines += [f"<div>{marked(words)}</div>" for words in place_words(verdict.place)]
    lines += [f"<div>{marked(remark)}</div>" for remark in verdict.remarks]
    if verdict.next_step:
        lines.append(f"<div><em>Next step:</em> {marked(verdict.next_step)}</div>")
    return "\n".join([*lines, "</div>"])


def verdict_text(verdict: Verdict) -> str:
    """The same as plain lines."""
    head = f"{verdict.item}: {verdict.points:g} of {verdict.out_of:g} ({WORDS[verdict.status]})"
    more = [] if verdict.status is Status.RIGHT else [verdict.says]
    where = place_words(verdict.place) if verdict.place else []
    return "\n  ".join([head, *more, *where, *verdict.remarks])


def place_words(place: Place) -> list[str]:
    """Where an answer is off, in sentences: its parts, its entries, its first wrong step."""
    said = []
    wrong = [f"`{name}`" for name, right in place.parts if not right]
    good = [f"`{name}`" for name, right in place.parts if right]
    if wrong:
        said.append(f"Of its parts, {listed(wrong)} {'is' if len(wrong) == 1 else 'are'} off")
        said[0] += f"; {listed(good)} {'is' if len(good) == 1 else 'are'} right." if good else "."
    if not place.marks:
        return said
    of = f" of `{place.part}`" if place.part else ""
    if place.off == place.size:
        counted = f"All {place.size} entries{of} are off"
    else:
        counted = f"{place.off} of {place.size} entries{of} {'is' if place.off == 1 else 'are'} off"
    said.append(f"{counted}{_lines(place)}.")
    if place.first_step is not None and place.steps is not None:
        last = place.shape[place.steps] - 1
        start, side = (last, "after") if place.backwards else (0, "before")
        if place.first_step == start:
            said.append(f"Already the first step on the way{' back' if place.backwards else ''}, step {start}, is off.")
        else:
            way = "On the way back, the" if place.backwards else "The"
            where = f"step {place.first_step} of 0 to {last}"
            said.append(f"{way} first wrong step is {where}; the steps {side} it are right.")
    return said


def _lines(place: Place) -> str:
    """The rows or the columns that hold all that is wrong, where it is not spread over both."""
    rows, columns = place.shape
    if place.off == place.size or place.block != (1, 1) or rows == 1 or columns == 1:
        return ""
    bad_rows = [i for i in range(rows) if "x" in place.marks[i]]
    bad_columns = [j for j in range(columns) if any(row[j] == "x" for row in place.marks)]
    for name, bad, size in (("row", bad_rows, rows), ("column", bad_columns, columns)):
        if len(bad) <= size / 2:
            return f", all in {name}{'s' if len(bad) > 1 else ''} {listed([str(k) for k in bad])}"
    return ""


def marked(text: str) -> str:
    """Escaped, with `code` as code and line breaks kept."""
    parts = escape(text).split("`")
    coded = (
        [f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts)]
        if len(parts) % 2
        else ["`".join(parts)]
    )
    return "".join(coded).replace("\n", "<br>")
