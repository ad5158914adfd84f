"""Formulas as a browser draws them."""

from __future__ import annotations

import nbformat
from markupsafe import Markup
from nbconvert.filters.markdown_mistune import MarkdownWithMath

from chainrule.pages.frame import page
from chainrule.pages.maths import STYLE
from chainrule.publish.exporter import Place, Renderer
from conftest import expect_no_sideways_scroll
from helpers import HOME


def test_every_formula_of_the_course_is_drawn(open_page, tmp_path):
    """All formulas on one page: each has a size, stands upright in its line, and a wide one scrolls in its own box."""
    body = []
    for path in sorted(HOME.glob("source/*/*.ipynb")):
        body.append(f"<h2>{path.stem}</h2>")
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown" and "$" in cell.source:
                renderer = Renderer(Place(path.stem), set())
                text = cell.source.replace("#", "")  # the order of headings is not what is looked at here
                body.append(renderer.filled(MarkdownWithMath(renderer=renderer).render(text)))
    made = tmp_path / "formulas.html"
    made.write_text(page("Formulas", Markup("<h1>Formulas</h1>" + "".join(body)), STYLE), "utf-8")

    shown = open_page(made, phone=True)
    expect_no_sideways_scroll(shown)
    sizes = shown.evaluate(
        "[...document.querySelectorAll('math')].map(m => [m.getBoundingClientRect().width, "
        "m.getBoundingClientRect().height, m.textContent])"
    )
    assert len(sizes) > 1000
    assert all(2 < width < 1200 and 3 < height < 250 for width, height, _ in sizes)
    # a browser that does not know MathML writes a fraction's parts beside each other
    tall = shown.evaluate("document.querySelector('mfrac').getBoundingClientRect().height")
    assert tall > 25
