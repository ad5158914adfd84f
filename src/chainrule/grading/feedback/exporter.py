"""The feedback page as an exporter of nbconvert's.

`FeedbackExporter` serves `nbgrader generate_feedback` and `chainrule grade` alike: all that a page shows comes from
the autograded notebook and from what nbgrader puts into its metadata and into the resources. What students wrote
passes `filters.py`, which is bounded in size and time.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any

from markupsafe import Markup, escape
from nbconvert.exporters.exporter import Exporter, FilenameExtension
from nbformat import NotebookNode
from nbgrader.utils import is_grade, is_locked, is_solution, is_task
from traitlets import List

from chainrule.course import TEST
from chainrule.grading.feedback.filters import LEXERS, Filters
from chainrule.grading.judging import META
from chainrule.grading.remark import Remark
from chainrule.judge.verdict import Verdict
from chainrule.pages.feedback import NO_ANSWER, Answer, Cell, Feedback, feedback_page
from chainrule.render import VERDICT_MIME

MAX_TITLE = 80  # characters of a heading where it names something
# of an output's forms, the first that is there is shown; what needs a script to live is left out
SHOWN = ("text/html", "text/markdown", "image/svg+xml", "text/latex", "image/png", "image/jpeg", "text/plain")


class FeedbackExporter(Exporter):  # type: ignore[misc]
    """A page that is safe to open, and cheap where notebooks have much in common."""

    output_mimetype = "text/html"
    file_extension = FilenameExtension(".html").tag(config=True)
    default_preprocessors = List([]).tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters = Filters()

    def from_notebook_node(self, nb: NotebookNode, resources: Any = None, **kw: Any) -> tuple[str, Any]:
        """The page, which leaves the notebook as it is."""
        if self._preprocessors:  # nbgrader's, which reads the gradebook; they get a copy
            nb, resources = super().from_notebook_node(nb, resources, **kw)
        self.filters.begin_page()
        return feedback_page(feedback_of(nb, resources["nbgrader"], self.filters)), resources


def feedback_of(nb: NotebookNode, marks: Mapping[str, Any], filters: Filters) -> Feedback:
    """What a page shows of an autograded notebook. `marks`: nbgrader's score, max_score, late_penalty, notebook."""
    titles = list(_titles(nb))
    answers = {}
    comments = {}
    sections: dict[str, str] = {}
    for cell, section in zip(nb.cells, titles, strict=True):
        meta, name = cell.metadata.get("nbgrader", {}), _item_of(cell)
        if is_solution(cell) or is_task(cell):
            sections[name] = section
            if meta.get("comment") and meta["comment"] != NO_ANSWER:
                comments[name] = filters.markdown(str(meta["comment"]))
        if is_grade(cell) or is_task(cell):
            verdict = _verdict(cell)
            answers[name] = Answer(
                name,
                sections.get(name, section),
                float(meta.get("score") or 0.0),
                float(meta["points"]),
                verdict,
                comments.get(name),
            )
    return Feedback(
        next((title for title in titles if title), "") or str(marks["notebook"]),
        float(marks["score"]),
        float(marks["max_score"]),
        float(marks["late_penalty"] or 0.0),
        tuple(_remarks(nb.metadata.get(META, {}))),
        tuple(answers.values()),
        tuple(_cells(nb, filters)),
    )


def _item_of(cell: NotebookNode) -> str:
    """The item that a cell answers or checks, by its id; an item may itself be called a check."""
    name = str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))
    return name.removesuffix(TEST) if is_grade(cell) and not is_solution(cell) else name


def _verdict(cell: NotebookNode) -> Verdict | None:
    """What the judge wrote into a test cell; nothing else writes there."""
    held = [
        output["data"][VERDICT_MIME] for output in cell.get("outputs", ()) if VERDICT_MIME in output.get("data", ())
    ]
    return Verdict.from_json(json.loads(held[0])) if held else None


def _remarks(notes: Mapping[str, Any]) -> Iterator[Remark]:
    """What grading had to mend or to stop; nbgrader's own autograde leaves the second kind as incidents."""
    for remark in notes.get("remarks", ()):
        yield Remark(**remark)
    for cause, where, says in notes.get("incidents", ()):
        yield Remark(cause, where, f"{says[:1].upper()}{says[1:]}.")


def _titles(nb: NotebookNode) -> Iterator[str]:
    """For each cell the last heading that stands above it or in it."""
    title = ""
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            found = HEADING.findall(cell.source[:SEARCHED])
            title = _plain(found[-1]) if found else title
        yield title


HEADING = re.compile(r"^ {0,3}#{1,6} +(\S[^\n]*)", re.MULTILINE)
SEARCHED = 10_000  # characters of a cell that may hold its heading


def _plain(line: str) -> str:
    """A line of markdown as a title: without its marks, and not long."""
    text = re.sub(r"[*`$\\#{}]", "", line).strip()
    return text if len(text) <= MAX_TITLE else f"{text[: MAX_TITLE - 3]}..."


def _first_line(source: str) -> str:
    return _plain(source[:SEARCHED].strip().partition("\n")[0]) or "Text"


# --------------------------------------------------------------------------- the notebook


def _cells(nb: NotebookNode, filters: Filters) -> Iterator[Cell]:
    info = nb.metadata.get("language_info", {})
    named = info.get("pygments_lexer", info.get("name"))
    language = named if named in LEXERS else "ipython3"
    for cell in nb.cells:
        name = _item_of(cell)
        if cell.cell_type == "markdown":
            yield from _prose(cell, name, filters)
        elif cell.cell_type != "code":
            yield Cell("prose", escape(cell.source), _first_line(cell.source))
        elif is_grade(cell) and not is_solution(cell):
            yield Cell("check", Markup(), item=name)
        else:
            source = filters.code(cell.source, language)
            outputs = tuple(filter(None, (_output(output, filters) for output in cell.get("outputs", ()))))
            if is_locked(cell):
                title = f"Given code: {name.removeprefix('given-').replace('-', ' ')}"
                yield Cell("given", source, title, outputs=outputs)
            else:
                yield Cell("code", source, item=name if is_solution(cell) else None, outputs=outputs)
                if is_grade(cell):
                    yield Cell("check", Markup(), item=name)


def _prose(cell: NotebookNode, name: str, filters: Filters) -> Iterator[Cell]:
    """Text, folded; where it is a student's answer, in sight, with its points after it."""
    html = filters.markdown(cell.source, cell.get("attachments"))
    if not (is_solution(cell) or is_task(cell)):
        yield Cell("prose", html, _first_line(cell.source))
        return
    yield Cell("code", _scrolling(html, f"Answer to {name}"), item=name)
    if is_grade(cell) or is_task(cell):
        yield Cell("check", Markup(), item=name)


def _output(output: NotebookNode, filters: Filters) -> Markup | None:
    """One output as HTML; None where there is nothing to see in it."""
    kind = output.get("output_type")
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return Markup('<pre class="{}">{}</pre>').format(name, filters.terminal(_joined(output.get("text", ""))))
    if kind == "error":
        trace = "\n".join(map(str, output.get("traceback", ())))
        return Markup('<pre class="error">{}</pre>').format(filters.terminal(trace))
    data = output.get("data", {})
    mime = next((mime for mime in SHOWN if mime in data), None)
    return None if mime is None else _shown(mime, _joined(data[mime]), output.get("metadata") or {}, filters)


def _shown(mime: str, held: str, metadata: Mapping[str, Any], filters: Filters) -> Markup:
    if mime == "text/html":
        return _scrolling(filters.html(held), "Output")
    if mime == "text/markdown":
        return _scrolling(filters.markdown(held), "Output")
    if mime == "text/latex":
        return filters.latex(held)
    if mime == "text/plain":
        return Markup("<pre>{}</pre>").format(filters.terminal(held))
    if mime == "image/svg+xml":  # as a picture it runs nothing
        held = b64encode(held.encode("utf-8", "replace")).decode()
    sizes = metadata.get(mime)
    size = Markup().join(
        Markup(' {}="{}"').format(name, sizes[name])
        for name in ("width", "height")
        if isinstance(sizes, Mapping) and type(sizes.get(name)) in (int, float)
    )
    return Markup('<img src="data:{};base64,{}"{} alt="A picture that this cell drew">').format(mime, held, size)


def _joined(held: Any) -> str:
    """A text, which notebooks may hold as its lines."""
    return "".join(map(str, held)) if isinstance(held, list) else str(held)


def _scrolling(html: Markup, label: str) -> Markup:
    """What may be wider than the window, in a box of its own that the keyboard reaches."""
    return Markup('<div class="wide" role="group" tabindex="0" aria-label="{}">{}</div>').format(label, html)
