"""Texts of a notebook as HTML: code with colours, a terminal's text, markdown with formulas.

The course's own texts, which are the same in every student's notebook, are turned into HTML once a process.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from IPython.lib.lexers import IPython3Lexer
from markupsafe import Markup, escape
from mistune import HTMLRenderer
from nbconvert.filters.ansi import ansi2html, strip_ansi
from nbconvert.filters.markdown_mistune import MarkdownWithMath
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

from chainrule.grading.feedback import bounds
from chainrule.grading.feedback.bounds import (
    KEPT,
    MAX_COLOURS,
    MAX_MARKDOWN,
    SHORT,
    TooSlow,
    as_text,
    at_most,
    cut,
    is_tame,
)
from chainrule.grading.feedback.clean import clean
from chainrule.pages.maths import MathmlRenderer, block_formula

LEXERS = frozenset({"ipython3", "python", "python3"})  # others' patterns may take time without bound
LANGUAGES = LEXERS | {"py", "ipython", "pycon", "text", "bash", "sh", "console", "json"}  # in markdown


class Filters:
    """Each gives HTML that is harmless, and plain text where that would take too long."""

    def __init__(self, colours: bool = False) -> None:
        """`colours`: whether HTML keeps its own, for a page that is light whatever the reader prefers."""
        self.colours = colours
        self._until = math.inf  # this thread's processor time after which the rest of a page is plain
        self._kept_markdown = lru_cache(KEPT)(_markdown)
        self._kept_code = lru_cache(KEPT)(highlighted)

    def begin_page(self) -> None:
        self._until = time.thread_time() + bounds.PAGE_SECONDS

    def code(self, source: str, language: str = "ipython3") -> Markup:
        if not is_tame(source):
            return Markup(as_text(source))
        return self._in_time(lambda: self._kept_code(language, source), lambda: as_text(source))

    def terminal(self, text: str) -> Markup:
        """A terminal's text with its colours, or without them where there are very many."""
        text = cut(str(text))
        if "\x1b" not in text:
            return escape(text)
        if len(text) > SHORT or text.count("\x1b") > MAX_COLOURS:
            return escape(strip_ansi(text))
        # of the colours only those that have a name: others may be unreadable on the page's ground
        return self._in_time(lambda: RGB.sub("", ansi2html(text)), lambda: str(escape(strip_ansi(text))))

    def html(self, text: str) -> Markup:
        return self._in_time(lambda: clean(text, self.colours), lambda: as_text(text))

    def latex(self, text: str) -> Markup:
        """An output that is a formula."""
        if len(text) > MAX_MARKDOWN:
            return Markup(as_text(text))
        return self._in_time(lambda: block_formula(text.strip().strip("$").strip()), lambda: as_text(text))

    def markdown(self, source: str, attachments: Mapping[str, Any] | None = None) -> Markup:
        def made() -> str:
            return _markdown(source, attachments) if attachments else self._kept_markdown(source)

        if len(source) > MAX_MARKDOWN:
            return Markup(as_text(source))
        return self._in_time(made, lambda: as_text(source))

    def _in_time(self, make: Callable[[], str], plain: Callable[[], str]) -> Markup:
        """What `make` gives, or `plain` where that takes too long or the page has taken too long already."""
        left = self._until - time.thread_time()
        if left > 0:
            try:
                with at_most(min(left, bounds.TEXT_SECONDS)):
                    return Markup(make())
            except TooSlow:
                pass
        return Markup(plain())


RGB = re.compile(r' style="[^"]*"')


def highlighted(language: str, source: str) -> str:
    """As nbconvert's Highlight2HTML, which makes anew for each cell what takes as long as its work."""
    return str(highlight(source or " ", *colouring(language)))


@lru_cache(len(LEXERS))
def colouring(language: str) -> tuple[Any, Any]:
    lexer = IPython3Lexer() if language == "ipython3" else get_lexer_by_name(language)
    return lexer, HtmlFormatter(cssclass=f" highlight hl-{language}")


def _markdown(source: str, attachments: Mapping[str, Any] | None = None) -> str:
    renderer = Renderer(escape=False, attachments=dict(attachments or {}), exclude_anchor_links=True)
    try:
        return renderer.filled(clean(MarkdownWithMath(renderer=renderer).render(source), keep=False))
    except Exception:  # a text that the parser fails on is still a text
        return as_text(source)


class Renderer(MathmlRenderer):
    """Our renderer of markdown, which colours code of few languages, and of no size that takes long."""

    def block_code(self, code: str, info: str | None = None) -> str:
        language = (info or "").split(maxsplit=1)[:1]
        coloured = language and language[0] in LANGUAGES and is_tame(code)
        return str(super().block_code(code, info) if coloured else HTMLRenderer.block_code(self, code, info))
