"""Formulas become MathML: all of the course's own, and nothing that a hostile one asks for."""

from __future__ import annotations

import re
from html import unescape

import nbformat
import pytest
from nbconvert.filters.markdown_mistune import MarkdownWithMath

from chainrule.pages.maths import COMMANDS, MAX_LENGTH, OPENS, MathmlRenderer, mathml
from helpers import HOME


def rendered(markdown: str) -> str:
    renderer = MathmlRenderer(escape=False)
    return renderer.filled(MarkdownWithMath(renderer=renderer).render(markdown))


def prose() -> dict[str, str]:
    """Each unit's markdown, by the unit's name."""
    found = {}
    for path in sorted(HOME.glob("source/*/*.ipynb")):
        cells = nbformat.read(path, as_version=4).cells
        found[path.parent.name] = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return found


@pytest.mark.parametrize("unit", prose())
def test_every_formula_of_the_course_is_read(unit):
    """Each pair of dollars becomes MathML, none is left as source, and no command shows."""
    text = re.sub(r"```.*?```|`[^`]*`", "", prose()[unit], flags=re.DOTALL)
    page = rendered(text)
    assert "$" not in page
    assert "\\" not in page
    assert page.count("<math ") - page.count("<wbr>") == len(re.findall(r"\$\$.+?\$\$|\$[^$]+\$", text, re.DOTALL)) > 50


@pytest.mark.parametrize(
    ("latex", "wanted"),
    [
        (r"\tfrac12", '<mfrac displaystyle="false"><mn>1</mn><mn>2</mn></mfrac>'),
        (r"w'", "<msup><mi>w</mi><mo>\u2032</mo></msup>"),
        (r"\mathrm{MSE}", "MSE"),
        (r"\operatorname{sign}(x)", "sign"),
        (r"\text{a < b}", "<mtext>a\xa0&lt;\xa0b</mtext>"),
        (r"\begin{cases}1&x\\2&y\end{cases}", '<mtd class="left"><mn>1</mn></mtd>'),
        (r"\begin{pmatrix}1\\2\end{pmatrix}", "<mtr><mtd><mn>2</mn></mtd></mtr>"),
    ],
)
def test_what_formulas_are_made_of(latex, wanted):
    """Fractions, primes, names, texts, cases and matrices come out as MathML's own elements."""
    assert wanted in mathml(latex, False)


def test_a_formula_says_whether_it_has_a_line_of_its_own():
    assert mathml("x", True) == '<math display="block"><mi>x</mi></math>'
    assert mathml("x", False) == '<math display="inline"><mi>x</mi></math>'


def test_a_long_formula_within_a_text_may_be_broken_where_one_reads_on():
    """After relations, commas and the signs of a sum; not after a minus that belongs to a number, nor in brackets."""
    pieces = mathml(r"w = .5 \cdot 2 + (.9, -.3) = -1.17, \frac{a = b}{c}", False).split("<wbr>")
    read = [re.sub(r"<[^>]*>", "", piece).replace("\u2212", "-").replace("\u22c5", "*") for piece in pieces]
    assert read == ["w=", ".5*2+", "(.9,", "-.3)=", "-1.17,", "a=bc"]
    assert "<wbr>" not in mathml("x = -1", False) + mathml(r"w = .5 \cdot 2 + 3 = 4", True)


HOSTILE = [
    r"\href{javascript:alert(1)}{x}",
    r"\style{position:fixed}{x}",
    r"\class{bar}{x}",
    r"\text{<script>alert(1)</script>}",
    r"\text{</math><img src=x onerror=alert(1)>}",
    "<img src=x onerror=alert(1)>",
    r"\unicode{x3c}script",
    r"\eqref{top}\label{top}",
    r"\begin{align}a\label{x\" onclick=\"alert(1)}\end{align}",
    r"\hspace{-50em}\text{10 of 10}",
    r"\raisebox{50em}{10}",
    r"\color{white} x",
    r"\includegraphics{http://example.org/x.png}",
    "\x00\x1b[31m",
    "\ud800",
]


@pytest.mark.parametrize("latex", HOSTILE)
def test_no_formula_brings_anything_but_mathematics(latex):
    """Links, classes, styles, scripts, moves and colours are escaped text or nothing."""
    page = mathml(latex, True)
    assert page.startswith(("<math ", "<code>"))
    for tag in re.findall(r"<[^>]*>", page):
        assert re.fullmatch(r'</?(?:code|m[a-z]+)(?: [a-z]+="[\w.]*")*>', tag), tag
        assert not re.search(r"\b(?:href|src|style|id|on\w+)=", tag)


@pytest.mark.parametrize(
    "latex",
    [
        "{" * 300 + "x" + "}" * 300,
        "x^{" * 100 + "x" + "}" * 100,
        r"\left(" * 100 + r"\right)" * 100,
        r"\nu[" * 50 + "x" + "]" * 50,
        r"\sqrt" * 401 + "x",
        r"\dim[" * 30,  # each open bracket doubles the converter's time
        r"\log\bigl(" * 30,
        r"\def\a{\a\a}\a",
        r"\newcommand{\a}[1]{#1#1}\a{x}",
        "x" * (MAX_LENGTH + 1),
        r"\frac{1}{2",
        r"\nosuchcommand",
    ],
)
def test_what_is_too_much_or_not_read_is_shown_as_its_source(latex):
    assert unescape(mathml(latex, False)) == f"<code>{latex}</code>"


@pytest.mark.parametrize("opening", sorted(COMMANDS - {name.removeprefix("\\") for name in OPENS}))
def test_no_other_command_leaves_a_bracket_open(opening):
    """The converter reads what follows an open bracket twice: no allowed command may open one unseen."""
    latex = rf"x\{opening} " * 17
    mathml.__wrapped__(latex, True)  # 2 ** 17 times as long, if it did: the test would hang


def test_dollars_are_read_as_jupyter_reads_them():
    page = rendered("costs \\$5, `$x$` and $y$\n\n$$\nz\n$$\n\n\\begin{align}a&=b\\end{align}")
    assert "costs $5" in page
    assert "<code>$x$</code>" in page
    assert '<math display="inline"><mi>y</mi></math>' in page
    assert '<span class="formula" tabindex="0"><math display="block"><mi>z</mi></math></span>' in page
    assert page.count("<math ") == 3


def test_inside_of_a_tag_a_formula_is_its_source():
    """A heading's address and an image's text cannot hold MathML."""
    page = rendered("# of $x_1$\n\n![a $y<1$ b](picture.png)")
    assert page.count("<math ") == 1
    assert 'alt="a y&lt;1 b"' in page
    assert "formula" not in page
