"""A notebook as a clean HTML fragment: nbconvert's engine with a template and filters of its own.

The fragment holds headings, text, tables, code, pictures and MathML. It has no styles, no scripts, nothing of
Jupyter's; its looks are `chainrule.css`, under one class.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup
from IPython.lib.lexers import IPython3Lexer
from markupsafe import escape
from nbconvert.exporters.templateexporter import TemplateExporter
from nbconvert.filters.markdown_mistune import MarkdownWithMath
from nbformat import NotebookNode
from pygments import highlight
from pygments.formatters import HtmlFormatter

from chainrule.check import in_points
from chainrule.course import TEST
from chainrule.key import BEGIN, END
from chainrule.pages.maths import MathmlRenderer

TEMPLATES = Path(__file__).parent / "templates"
# "unit 3", "units 3, 8 and 9". A net has units, too: "hidden unit 0", "point 1 and unit 2".
UNITS = re.compile(r"(?<!hidden )(?<!output )(?<!and )\b[Uu]nits? \d+(?:(?:, | and | to )\d+)*")
NUMBER = re.compile(r"(?:[Uu]nits? )?(\d+)")
KEPT = frozenset({"colspan", "rowspan", "scope"})  # of the attributes of an output's HTML


@dataclass(frozen=True, slots=True)
class Place:
    """What a fragment must know of where it stands: the pages of the course's units, by number and by notebook."""

    unit: str
    solution: bool = False
    pages: Mapping[int, str] = field(default_factory=dict)
    notebooks: Mapping[str, str] = field(default_factory=dict)
    top: int = 1  # level of the unit's title

    @property
    def prefix(self) -> str:
        """What ids start with, so that two fragments on one page do not clash."""
        return f"unit-{self.unit}-" + ("solution-" if self.solution else "")


class FragmentExporter(TemplateExporter):  # type: ignore[misc]
    """Makes the fragment of one unit."""

    def __init__(self, place: Place, **kwargs: Any) -> None:
        self.place = place
        self._ids: set[str] = set()
        super().__init__(
            template_name="fragment", extra_template_basedirs=[str(TEMPLATES)], file_extension=".html", **kwargs
        )

    def default_filters(self) -> Iterator[tuple[str, Any]]:
        yield from super().default_filters()
        yield "markdown2html", self.markdown
        yield "code", code
        yield "plain_html", plain_html
        yield "without_markers", without_markers
        yield "last_line", lambda source: source.strip().splitlines()[-1] if source.strip() else "a cell"
        yield "item_of", lambda cell: cell.metadata.nbgrader.grade_id.removesuffix(TEST)
        yield "points_of", lambda cell: in_points(cell.metadata.nbgrader.points)
        yield (
            "filter_data_type",
            lambda data: [mime for mime in ("text/html", "image/png", "text/plain") if mime in data][:1],
        )

    def fragment(self, nb: NotebookNode) -> str:
        self._ids.clear()
        self.environment.globals.update(unit=self.place.unit, solution=self.place.solution)
        made: str = self.from_notebook_node(nb)[0]
        return made

    def markdown(self, source: str) -> str:
        renderer = Renderer(self.place, self._ids)
        return renderer.filled(MarkdownWithMath(renderer=renderer).render(source)).strip()


class Renderer(MathmlRenderer):
    """Markdown of the course: formulas as MathML, ids and links that hold where the page goes."""

    def __init__(self, place: Place, ids: set[str]) -> None:
        super().__init__(escape=False)
        self._place, self._ids = place, ids

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        words = re.findall(r"\w+", re.sub(r"<[^>]*>", "", self.without_formulas(text)).lower())
        wanted = found = self._place.prefix + "-".join(words)
        count = 1
        while found in self._ids:
            count += 1
            found = f"{wanted}-{count}"
        self._ids.add(found)
        level = min(level + self._place.top - 1, 6)
        return f'<h{level} id="{escape(found)}">{text}</h{level}>\n'

    def text(self, text: str) -> str:
        return UNITS.sub(self._with_links, str(super().text(text)))

    def link(self, text: str, url: str, title: str | None = None) -> str:
        page = self._place.notebooks.get(url.rpartition("/")[2]) if "://" not in url else None
        return str(super().link(re.sub(r"</?a\b[^>]*>", "", text), page or url, title))

    def table(self, text: str) -> str:
        return f'<div class="wide" tabindex="0"><table>\n{text}</table></div>\n'

    def table_cell(self, text: str, align: str | None = None, head: bool = False) -> str:
        tag = "th" if head and text.strip() else "td"  # an empty heading is none
        return f"  <{tag}>{text}</{tag}>\n"

    def block_code(self, text: str, info: str | None = None) -> str:
        return code(text) if (info or "").startswith("py") else f'<pre tabindex="0"><code>{escape(text)}</code></pre>\n'

    def _with_links(self, named: re.Match[str]) -> str:
        def linked(found: re.Match[str]) -> str:
            page = self._place.pages.get(int(found[1]))
            return f'<a href="{escape(page)}">{found[0]}</a>' if page else found[0]

        return NUMBER.sub(linked, named[0])


def code(source: str) -> str:
    """Python with its words in classes, which the stylesheet colours."""
    coloured = highlight(source, IPython3Lexer(), HtmlFormatter(nowrap=True))
    return f'<pre tabindex="0"><code>{coloured.rstrip()}</code></pre>'


def without_markers(source: str) -> str:
    return "\n".join(line for line in source.splitlines() if line.strip() not in (BEGIN, END))


def plain_html(html: str) -> str:
    """An output's HTML without its looks: no style, no script, no attribute but a table's spans."""
    soup = BeautifulSoup(html, "html.parser")
    for tag in soup.find_all(["style", "script", "link", "iframe"]):
        tag.decompose()
    for tag in soup.find_all(True):
        tag.attrs = {name: value for name, value in tag.attrs.items() if name in KEPT}
        if tag.name == "div":
            tag.unwrap()
        elif tag.name == "th" and not tag.get_text(strip=True):
            tag.name = "td"  # an empty heading is none
    return str(soup).strip()
