"""What students wrote, made harmless in the formgrader's own pages for grading by hand.

nbgrader shows autograded notebooks there with nbconvert's HTML exporter as it is: a script in an output, or in a
markdown cell, would run in the instructor's browser with the instructor's rights, which include every mark. These are
the filters of our feedback page and a preprocessor, for that exporter by way of its configuration: nbgrader makes it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from html import escape
from typing import Any

from jinja2 import pass_context
from nbconvert.filters import Highlight2HTML
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from traitlets.config import Config

from chainrule.grading.feedback import UNSEEN, FeedbackExporter, as_text, is_tame

PICTURES = ("image/png", "image/jpeg")
NAMES = ("student", "last_name", "first_name", "notebook_path")  # resources that nbgrader's template does not escape


def guard_pages(c: Config) -> None:
    """Configure nbconvert's HTML exporter, which is the formgrader's, and leave ours, which is derived from it, be."""
    c.HTMLExporter.sanitize_html = True  # the template then sends outputs through `clean_html`, and drops scripts
    names = ("ansi2html", "clean_html", "highlight_code", "markdown2html")
    c.HTMLExporter.filters = {name: f"{__name__}.{name}" for name in names}
    c.HTMLExporter.preprocessors = [f"{__name__}.Disarm"]
    c.FeedbackExporter.filters = {}
    c.FeedbackExporter.preprocessors = []


class Disarm(Preprocessor):  # type: ignore[misc]
    """Takes out of outputs, and out of the student's names, what the template would put into the page as it is."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        for cell in nb.cells:
            for output in cell.get("outputs", ()):
                meta = output.get("metadata") or {}
                output["metadata"] = NotebookNode({mime: _size(meta[mime]) for mime in PICTURES if mime in meta})
                for mime in UNSEEN & set(output.get("data", ())):
                    del output["data"][mime]
                    output["data"].setdefault("text/plain", f"[{mime} is not shown here]")
        resources.update({name: escape(resources[name]) for name in NAMES if resources.get(name)})
        return nb, resources


def _size(meta: Any) -> NotebookNode:
    known = meta if isinstance(meta, dict) else {}
    return NotebookNode({name: known[name] for name in ("width", "height") if type(known.get(name)) in (int, float)})


def ansi2html(text: str) -> str:
    return str(_filters()["ansi2html"](text))


def clean_html(text: str) -> str:
    # no `str` around it: what is clean is marked as such by its type
    clean: str = _filters()["clean_html"](text)
    return clean


@pass_context
def markdown2html(context: Any, source: str) -> str:
    clean: str = _filters()["markdown2html"](context, source)
    return clean


def highlight_code(source: str, metadata: Any = None) -> str:
    return str(_highlight()(source, metadata=metadata)) if is_tame(source) else as_text(source)


@lru_cache(1)
def _filters() -> dict[str, Callable[..., Any]]:
    return dict(FeedbackExporter().default_filters())


@lru_cache(1)
def _highlight() -> Highlight2HTML:
    return Highlight2HTML(pygments_lexer="ipython3")
