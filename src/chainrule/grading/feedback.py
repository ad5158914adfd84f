"""The feedback page: nbgrader's own template, with what students wrote made harmless, and common parts made once.

`FeedbackExporter` is nbconvert's HTML exporter for `nbgrader generate_feedback` and for `chainrule grade` alike. What
it adds: HTML in outputs and in markdown cells passes a list of allowed tags and attributes; the course's own texts,
which are the same in every student's notebook, are turned into HTML once a process; and the finished page is not
parsed once more for the sake of a few attributes.

The filters for colours, code, markdown and HTML take time that grows with the square of some texts. What is larger
than a bound, or takes longer, is shown as the plain text that it is.
"""

from __future__ import annotations

import json
import math
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Any

from bleach.css_sanitizer import ALLOWED_CSS_PROPERTIES, CSSSanitizer
from bleach.html5lib_shim import Filter
from bleach.sanitizer import Cleaner
from IPython.lib.lexers import IPython3Lexer
from jinja2 import pass_context
from markupsafe import escape as marked
from mistune import HTMLRenderer
from nbconvert.exporters import HTMLExporter
from nbconvert.exporters.exporter import ResourcesDict
from nbconvert.exporters.templateexporter import TemplateExporter
from nbconvert.filters import DataTypeFilter
from nbconvert.filters.ansi import ansi2html, strip_ansi
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbformat import NotebookNode
from nbgrader.converters import GenerateFeedback
from nbgrader.utils import is_grade, is_solution, is_task
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from traitlets.config import Config

from chainrule.grading.steps import final_scores
from chainrule.grading.submission import Standing
from chainrule.judge.verdict import Verdict
from chainrule.render import VERDICT_MIME, verdict_html

MAX_TEXT = 100_000  # characters of one text, more are cut; a pandas table of 60 rows has some 20,000
KEPT = 1024  # texts kept of each kind, none longer than SHORT: the course's own fit many times over
# What is passed to a filter at all: at these sizes, the worst texts known take about a second each.
SHORT = 20_000  # characters of code, of coloured text, and of HTML that is more than a table
MAX_MARKDOWN = 10_000
MAX_LINE, MAX_GAP = 1000, 200  # characters of a line of code, and of the white space between two words of it
MAX_COLOURS = 2000  # changes of colour in one text
MAX_TAGS, MAX_ATTRIBUTES = 30, 2000  # beside a table's own, and in one tag, in HTML that is not short
MAX_REPEATED = 50_000  # elements that the parser may make of those that it opens again in each other (<b>, <i>)
TEXT_SECONDS = 2.0  # of processor time for one text, where it can be stopped
PAGE_SECONDS = 20.0  # and for all of a page; what comes later is plain

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


LEXERS = frozenset({"ipython3", "python", "python3"})  # others' patterns may take time without bound
LANGUAGES = LEXERS | {"py", "ipython", "pycon", "text", "bash", "sh", "console", "json"}  # in markdown
UNSEEN = {"application/vnd.jupyter.widget-view+json", "application/javascript"}  # live only with scripts


class FeedbackExporter(HTMLExporter):  # type: ignore[misc]
    """nbgrader's feedback page, safe to open, and cheap where notebooks have much in common."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._until = math.inf  # this thread's processor time after which the rest of a page is plain
        self.sanitize_html = True  # the template then sends outputs through `clean_html`, and drops scripts
        self._kept_markdown = lru_cache(KEPT)(self._clean_markdown)
        self._kept_code = lru_cache(KEPT)(self._highlighted)
        self._colouring = lru_cache(len(LEXERS))(colouring)

    def default_filters(self) -> Iterator[tuple[str, Any]]:
        yield from super().default_filters()
        yield "ansi2html", self.ansi2html
        yield "clean_html", self.clean_html
        yield "markdown2html", self.markdown2html

    def ansi2html(self, text: str) -> str:
        """A terminal's text with its colours, or without them where there are very many."""
        text = cut(str(text))
        if "\x1b" not in text:
            return str(marked(text))
        if len(text) > SHORT or text.count("\x1b") > MAX_COLOURS:
            return str(marked(strip_ansi(text)))
        return self._in_time(lambda: ansi2html(text), lambda: str(marked(strip_ansi(text))))

    def clean_html(self, text: str) -> str:
        return self._in_time(lambda: clean(text), lambda: as_text(text))

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        """Markdown to HTML that is clean: nbgrader's template puts it into the page as it is."""
        attachments = context.get("cell", {}).get("attachments")

        def made() -> str:
            return self._clean_markdown(source, attachments) if attachments else self._kept_markdown(source)

        return self._in_time(made, lambda: as_text(source)) if len(source) <= MAX_MARKDOWN else as_text(source)

    def _clean_markdown(self, source: str, attachments: Any = None) -> str:
        renderer = Renderer(
            escape=False,
            attachments=attachments or {},
            anchor_link_text=self.anchor_link_text,
            exclude_anchor_links=self.exclude_anchor_links,
        )
        try:
            return clean(MarkdownWithMath(renderer=renderer).render(source))
        except Exception:  # a text that the parser fails on is still a text
            return as_text(source)

    def _highlighted(self, language: str, source: str) -> str:
        return str(highlight(source or " ", *self._colouring(language)))

    def _in_time(self, make: Callable[[], str], plain: Callable[[], str]) -> str:
        """What `make` gives, or `plain` where that takes too long or the page has taken too long already."""
        left = self._until - time.thread_time()
        if left > 0:
            try:
                with at_most(min(left, TEXT_SECONDS)):
                    return make()
            except TooSlow:
                pass
        return plain()

    def from_notebook_node(self, nb: NotebookNode, resources: Any = None, **kw: Any) -> tuple[str, Any]:
        """As HTMLExporter's own; of what that adds to a finished page, a text for each image is all that bears here."""
        self._until = time.thread_time() + PAGE_SECONDS
        info = nb.metadata.get("language_info", {})
        named = info.get("pygments_lexer", info.get("name"))
        lexer = named if named in LEXERS else "ipython3"

        def highlight_code(source: str, metadata: Any = None) -> str:
            if not is_tame(source):
                return as_text(source)
            return self._in_time(lambda: self._kept_code(lexer, source), lambda: as_text(source))

        priority = [mime for mime in DataTypeFilter(parent=self).display_data_priority if mime not in UNSEEN]
        resources = self._init_resources(resources)
        self.register_filter("highlight_code", highlight_code)
        self.register_filter("filter_data_type", lambda data: [mime for mime in priority if mime in data][:1])
        page, resources = TemplateExporter.from_notebook_node(self, nb, resources, **kw)
        return IMAGE.sub(_with_text, page), resources

    def _preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        if self._preprocessors:  # else the exporter's own copy of the notebook is all that is wanted of it
            nb, resources = super()._preprocess(nb, resources)
        for cell in nb.cells:
            for output in cell.get("outputs", ()):
                _disarm(output, is_grade(cell))
        return nb, resources


class Renderer(IPythonRenderer):  # type: ignore[misc]
    """nbconvert's own, which colours code of few languages, and of no size that takes long."""

    def block_code(self, code: str, info: str | None = None) -> str:
        language = (info or "").split(maxsplit=1)[:1]
        coloured = language and language[0] in LANGUAGES and is_tame(code)
        return str(super().block_code(code, info) if coloured else HTMLRenderer.block_code(self, code, info))


def colouring(language: str) -> tuple[Any, Any]:
    """What nbconvert's Highlight2HTML makes for each cell anew, which takes as long as its work."""
    lexer = IPython3Lexer() if language == "ipython3" else get_lexer_by_name(language)
    return lexer, HtmlFormatter(cssclass=f" highlight hl-{language}")


def is_tame(code: str) -> bool:
    """Whether code is none of what takes long to highlight: patterns try each line from each of its places."""
    return (
        len(code) <= SHORT
        and max(map(len, code.splitlines()), default=0) <= MAX_LINE
        and max(map(len, re.findall(r"\s+", code)), default=0) <= MAX_GAP
    )


class TooSlow(BaseException):
    """A filter was stopped. No Exception, so that no library takes it for a fault of its own."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raises TooSlow in a body that takes more processor time; signals reach the main thread alone, so only there."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    running = True

    def stop(*_: object) -> None:
        if running:
            raise TooSlow

    before = signal.signal(signal.SIGVTALRM, stop)
    # again and again: what is raised while an object is deleted goes nowhere
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, 0.1)
    try:
        yield
    finally:
        running = False
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


IMAGE = re.compile(r"<img\b(?![^>]*\balt=)([^>]*)>")


def _with_text(image: re.Match[str]) -> str:
    return f'<img alt="No description has been provided for this image"{image[1]}>'


class Ours(str):
    """HTML that the kit itself made, or has cleaned."""


def _disarm(output: NotebookNode, of_test_cell: bool) -> None:
    """Of an output, what the template would put into the page unseen; a verdict's HTML is made anew from its data."""
    meta = output.get("metadata") or {}
    if meta:  # a picture's size is put into the tag as it is
        sizes = {
            mime: _sizes(meta[mime]) for mime in ("image/png", "image/jpeg") if isinstance(meta.get(mime), Mapping)
        }
        output["metadata"] = NotebookNode(sizes)
    data = output.get("data", {})
    for mime, held in data.items():
        if isinstance(held, list):  # lines of a text, which notebooks may hold so
            data[mime] = "".join(map(str, held))
    if of_test_cell and VERDICT_MIME in data:
        data["text/html"] = Ours(verdict_html(Verdict.from_json(json.loads(data[VERDICT_MIME]))))


def _sizes(meta: Mapping[str, Any]) -> NotebookNode:
    return NotebookNode({name: meta[name] for name in ("width", "height") if type(meta.get(name)) in (int, float)})


# --------------------------------------------------------------------------- what may stand in a page


def clean(text: str) -> str:
    """HTML with the allowed tags and attributes alone. What is too long or too deep is shown as text."""
    if isinstance(text, Ours):
        return text
    text = str(text)
    if len(text) > MAX_TEXT or len(OPENED_AGAIN.findall(text)) * text.count("<") > MAX_REPEATED:
        return as_text(text)
    if len(text) <= SHORT:
        return _kept_clean(text)
    # the parser's time grows with the elements that are open at once, a table's own are few; and with attributes
    if (
        len(NO_TABLE.findall(text)) > MAX_TAGS
        or max(len(ENDS_A_NAME.findall(tag)) for tag in text.split("<")) > MAX_ATTRIBUTES
    ):
        return as_text(text)
    return _clean(text)


OPENED_AGAIN = re.compile(r"<(?:a|b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)\b", re.IGNORECASE)
ENDS_A_NAME = re.compile(r"[\s/'\"=]")
NO_TABLE = re.compile(r"<(?!/?(?:table|thead|tbody|tr|th|td)\b)", re.IGNORECASE)


def cut(text: str) -> str:
    """The beginning of a text that is very long, with a word on what is left out."""
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}\n... and {len(text) - MAX_TEXT} characters more"


def as_text(text: str) -> str:
    """The beginning of a text, as it was written."""
    return Ours(f"<pre>{escape(cut(text))}</pre>")


def _clean(text: str) -> str:
    try:
        return Ours(_cleaner().clean(text))
    except Exception:  # nested too deeply, as a rule
        return as_text(text)


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
