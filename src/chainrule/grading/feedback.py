"""The feedback page: nbgrader's own template, with what students wrote made harmless, and common parts made once.

`FeedbackExporter` is nbconvert's HTML exporter for `nbgrader generate_feedback` and for `chainrule grade` alike. What
it adds: HTML in outputs and in markdown cells passes a list of allowed tags and attributes; the course's own texts,
which are the same in every student's notebook, are turned into HTML once a process; and the finished page is not
parsed once more for the sake of a few attributes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Any

from bleach.css_sanitizer import ALLOWED_CSS_PROPERTIES, CSSSanitizer
from bleach.html5lib_shim import Filter
from bleach.sanitizer import Cleaner
from jinja2 import pass_context
from nbconvert.exporters import HTMLExporter
from nbconvert.exporters.exporter import ResourcesDict
from nbconvert.exporters.templateexporter import TemplateExporter
from nbconvert.filters import DataTypeFilter
from nbconvert.filters.highlight import Highlight2HTML
from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbformat import NotebookNode
from nbgrader.converters import GenerateFeedback
from nbgrader.utils import is_grade, is_solution, is_task
from traitlets.config import Config

from chainrule.grading.steps import final_scores
from chainrule.grading.submission import Standing
from chainrule.judge.verdict import Verdict
from chainrule.render import VERDICT_MIME, verdict_html

MAX_HTML = 200_000  # characters of one HTML or markdown text; a pandas table of 60 rows has some 20,000
KEPT = 1024  # texts kept of each kind, none longer than SHORT: the course's own fit many times over
SHORT = 20_000

TAGS = frozenset(
    re.findall(
        r"\w+",
        "a abbr b blockquote br caption center cite code col colgroup dd del details div dl dt em figcaption figure "
        "h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp small span strong sub summary sup table tbody td "
        "tfoot th thead tr tt u ul var",
    )
)
# allowed for the parser's sake, so that they leave with all that they hold
DROPPED = frozenset(
    {
        "script",
        "style",
        "iframe",
        "object",
        "embed",
        "noscript",
        "template",
        "title",
        "textarea",
        "select",
        "svg",
        "math",
    }
)
ATTRIBUTES = frozenset(
    re.findall(
        r"\w+",
        "align alt border cellpadding cellspacing class colspan height id lang open rowspan scope span start title "
        "valign width",
    )
)
STYLES = ALLOWED_CSS_PROPERTIES | {"border", "border-collapse", "border-left", "margin", "max-width", "padding"}


class FeedbackExporter(HTMLExporter):  # type: ignore[misc]
    """nbgrader's feedback page, safe to open, and cheap where notebooks have much in common."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sanitize_html = True  # the template then sends outputs through `clean_html`, and drops scripts
        self._kept_markdown = lru_cache(KEPT)(self._clean_markdown)
        self._kept_code = lru_cache(KEPT)(self._highlighted)

    def default_filters(self) -> Iterator[tuple[str, Any]]:
        yield from super().default_filters()
        yield "clean_html", clean
        yield "markdown2html", self.markdown2html

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        """Markdown to HTML that is clean: nbgrader's template puts it into the page as it is."""
        attachments = context.get("cell", {}).get("attachments")
        if attachments or len(source) > SHORT:
            return self._clean_markdown(source, attachments)
        return self._kept_markdown(source)

    def _clean_markdown(self, source: str, attachments: Any = None) -> str:
        if len(source) > MAX_HTML:
            return as_text(source)
        try:
            return clean(super().markdown2html({"cell": {"attachments": attachments or {}}}, source))
        except Exception:  # a text that the parser fails on is still a text
            return as_text(source)

    def _highlighted(self, lexer: str | None, source: str, language: str | None) -> str:
        return str(Highlight2HTML(pygments_lexer=lexer, parent=self)(source, language))

    def from_notebook_node(self, nb: NotebookNode, resources: Any = None, **kw: Any) -> tuple[str, Any]:
        """As HTMLExporter's own; of what that adds to a finished page, a text for each image is all that bears here."""
        info = nb.metadata.get("language_info", {})
        lexer = info.get("pygments_lexer", info.get("name"))

        def highlight_code(source: str, language: str | None = None, metadata: Any = None) -> str:
            make = self._kept_code if len(source) <= SHORT else self._highlighted
            return make(lexer, source, language)

        resources = self._init_resources(resources)
        self.register_filter("highlight_code", highlight_code)
        self.register_filter("filter_data_type", DataTypeFilter(parent=self))
        page, resources = TemplateExporter.from_notebook_node(self, nb, resources, **kw)
        return IMAGE.sub(_with_text, page), resources

    def _preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        if self._preprocessors:  # else the exporter's own copy of the notebook is all that is wanted of it
            nb, resources = super()._preprocess(nb, resources)
        for cell in nb.cells:
            for output in cell.get("outputs", ()):
                _disarm(output, is_grade(cell))
        return nb, resources


IMAGE = re.compile(r"<img\b(?![^>]*\balt=)([^>]*)>")


def _with_text(image: re.Match[str]) -> str:
    return f'<img alt="No description has been provided for this image"{image[1]}>'


class Ours(str):
    """HTML that the kit itself made."""


def _disarm(output: NotebookNode, of_test_cell: bool) -> None:
    """Of an output, what the template would put into the page unseen; a verdict's HTML is made anew from its data."""
    meta = output.get("metadata") or {}
    if meta:  # a picture's size is put into the tag as it is
        sizes = {
            mime: _sizes(meta[mime]) for mime in ("image/png", "image/jpeg") if isinstance(meta.get(mime), Mapping)
        }
        output["metadata"] = NotebookNode(sizes)
    data = output.get("data", {})
    if of_test_cell and VERDICT_MIME in data:
        data["text/html"] = Ours(verdict_html(Verdict.from_json(json.loads(data[VERDICT_MIME]))))


def _sizes(meta: Mapping[str, Any]) -> NotebookNode:
    return NotebookNode({name: meta[name] for name in ("width", "height") if type(meta.get(name)) in (int, float)})


# --------------------------------------------------------------------------- what may stand in a page


def clean(text: str) -> str:
    """HTML with the allowed tags and attributes alone. What is too long or no HTML that ends is shown as text."""
    if isinstance(text, Ours):
        return text
    text = str(text)
    if len(text) > MAX_HTML:
        return as_text(text)
    return _kept_clean(text) if len(text) <= SHORT else _clean(text)


def as_text(text: str) -> str:
    """The beginning of a text, as it was written."""
    more = "" if len(text) <= MAX_HTML else f"\n... and {len(text) - MAX_HTML} characters more"
    return f"<pre>{escape(text[:MAX_HTML] + more)}</pre>"


def _clean(text: str) -> str:
    try:
        cleaned: str = _cleaner().clean(text)
    except Exception:  # nested too deeply, as a rule
        return as_text(text)
    return cleaned


_kept_clean = lru_cache(KEPT)(_clean)


def _allowed(tag: str, name: str, value: str) -> bool:
    """Whether a tag keeps an attribute; that an address is one of a web page or a mail's is for bleach to see."""
    if name == "href":
        return tag == "a" and not value.lstrip().lower().startswith("data:")
    if name == "src":
        return tag == "img" and (not value.lstrip().lower().startswith("data:") or IMAGE_DATA.match(value) is not None)
    if name == "style":  # which loads nothing, neither plainly nor by CSS's escapes
        return "url" not in value.lower() and "\\" not in value
    return name in ATTRIBUTES


IMAGE_DATA = re.compile(r"data:image/(png|jpeg|gif|webp|svg\+xml);", re.IGNORECASE)


class Drop(Filter):  # type: ignore[misc]
    """Takes out the elements that no page needs, with all that they hold."""

    def __iter__(self) -> Iterator[Any]:
        inside: list[str] = []
        for token in super().__iter__():
            name = token.get("name")
            if token["type"] == "StartTag" and (inside or name in DROPPED):
                inside.append(name)
            elif token["type"] == "EndTag" and inside:
                inside.pop()
            elif not inside and not (token["type"] == "EmptyTag" and name in DROPPED):
                yield token


@lru_cache(1)
def _cleaner() -> Cleaner:
    return Cleaner(
        tags=TAGS | DROPPED,
        attributes=_allowed,
        protocols={"http", "https", "mailto", "data"},
        strip=True,
        filters=[Drop],
        css_sanitizer=CSSSanitizer(allowed_css_properties=STYLES),
    )


# --------------------------------------------------------------------------- the page of one submission


@dataclass(frozen=True, slots=True)
class Grades:
    """What a page shows beside the notebook."""

    notebook: str
    scores: Mapping[str, float | None]
    comments: Mapping[str, str | None]
    late_penalty: float | None
    standing: Standing


class FeedbackPage:
    """Makes feedback pages as `nbgrader generate_feedback` does, without a gradebook; kept for many notebooks."""

    def __init__(self, config: Config) -> None:
        # nbgrader's converter knows where its template lies
        converter = GenerateFeedback(config=config)
        self.exporter = converter.exporter_class(parent=converter, config=converter.config)
        self._css = CSSHTMLHeaderPreprocessor(parent=self.exporter)._generate_header(ResourcesDict())

    def make(self, nb: NotebookNode, graded: Grades) -> str:
        """The page of an autograded notebook, whose cells' metadata gets the scores and comments that are shown."""
        comments = {**graded.comments, **graded.standing.comments}
        final = final_scores(graded.scores, graded.standing)
        possible = 0.0
        for cell in nb.cells:
            meta = cell.metadata.get("nbgrader", {})
            if is_solution(cell) or is_task(cell):
                meta["comment"] = comments.get(meta["grade_id"])
            if is_grade(cell) or is_task(cell):
                meta["score"] = final[meta["grade_id"]]
                possible += float(meta["points"])
        penalty = graded.late_penalty or 0
        resources = ResourcesDict(
            nbgrader={
                "notebook": graded.notebook,
                "score": sum(final.values()) - penalty,
                "max_score": possible,
                "late_penalty": penalty,
            },
            inlining={"css": self._css},
            metadata=ResourcesDict(name=graded.notebook, path=""),
        )
        page: str = self.exporter.from_notebook_node(nb, resources=resources)[0]
        return page
