"""Verdicts as people read them: a line in the terminal, a block in the feedback page."""

from __future__ import annotations

from html import escape

from chainrule.judge.verdict import Status, Verdict

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
    """A block for pages, in styles that their filters let pass. All text is escaped: it may be a student's words."""
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
        lines.append(f"<div>{_marked(verdict.says)}</div>")
    lines += [f"<div>{_marked(remark)}</div>" for remark in verdict.remarks]
    if verdict.next_step:
        lines.append(f"<div><em>Next step:</em> {_marked(verdict.next_step)}</div>")
    return "\n".join([*lines, "</div>"])


def verdict_text(verdict: Verdict) -> str:
    """The same as plain lines."""
    head = f"{verdict.item}: {verdict.points:g} of {verdict.out_of:g} ({WORDS[verdict.status]})"
    more = [] if verdict.status is Status.RIGHT else [verdict.says]
    return "\n  ".join([head, *more, *verdict.remarks])


def _marked(text: str) -> str:
    """Escaped, with `code` as code and line breaks kept."""
    parts = escape(text).split("`")
    coded = (
        [f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts)]
        if len(parts) % 2
        else ["`".join(parts)]
    )
    return "".join(coded).replace("\n", "<br>")
