r"""Mathematics in pages: LaTeX becomes MathML, which browsers draw without a script, a font or a network of ours.

`math_core` reads the LaTeX. What it writes is not trusted: it is read as XML, and only the elements, attributes and
values named here come through, so that nothing in a formula, which a student may have written, can load, run, link,
or be drawn over the rest of a page. A formula that cannot be read, or is too large, is shown as its source.
"""

from __future__ import annotations

import re
import secrets
from functools import lru_cache
from html import escape
from html.entities import html5
from typing import Any
from xml.parsers import expat

from math_core import LatexError, LatexToMathML
from nbconvert.filters.markdown_mistune import IPythonRenderer

# `math_core` is not made for hostile text: it calls itself for each level, and a level takes up to 2 kB of the thread's
# stack (8 MB, as a rule); each bracket that is left open doubles its time. Within these bounds the worst formulas found
# take some 25 ms and a quarter of a megabyte. The largest of the course has 280 characters, 45 commands and braces.
MAX_LENGTH = 2000
MAX_COMMANDS = 400  # and braces and scripts; no formula is deeper than it has of them
MAX_DEPTH = 40  # of brackets, braces, \left and \begin, the dear levels
MAX_OPEN = 6  # brackets without the one that closes them, as in [0, 1)
MAX_EXPANSIONS = 100  # of the converter's own macros, as \operatorname
MAX_ELEMENTS = 3000
KEPT = 4096  # formulas; the course has some 700

STYLE = """
/* where there is no font for mathematics, brackets do not grow */
math { font-family: "Latin Modern Math", "STIX Two Math", "Cambria Math", "Libertinus Math", "DejaVu Math TeX Gyre",
  math; }
.formula { display: block; overflow-x: auto; overflow-y: hidden; padding: .3rem 0; }
.formula math[display] { width: max-content; min-width: 100%; }
mtd.left { text-align: left; padding-left: 0; }
mtd.right { text-align: right; padding-right: 0; }
menclose[notation="box"] { border: 1px solid; padding: .2em; }
"""

DELIMITER = r"\\[a-zA-Z]+|\\.|[^\\]"
TOKEN = re.compile(
    rf"(?P<sized>\\(?:left|right|middle|[bB]igg?[lr]?)(?![a-zA-Z]))\s*(?:{DELIMITER})?|\\[a-zA-Z]+|\\.|[{{}}()\[\]^_]",
    re.DOTALL,
)
CLOSES = {")": "(", "]": "[", r"\}": r"\{", r"\bigr": r"\bigl", r"\Bigr": r"\Bigl", r"\biggr": r"\biggl"}
CLOSES |= {rf"\r{name}": rf"\l{name}" for name in ("angle", "floor", "ceil", "vert", "Vert")}
OPENS = frozenset(CLOSES.values())
# What such courses use. Left out is what defines commands, refers to other formulas, colours, and rare brackets.
COMMANDS = frozenset(
    re.findall(
        r"\w+",
        """
    alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi varpi rho varrho
    sigma varsigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega
    partial nabla ell hbar infty emptyset varnothing square Box forall exists neg aleph Re Im angle degree prime dagger
    sum prod int iint oint bigcup bigcap bigoplus bigotimes lim limsup liminf max min sup inf arg argmax argmin det dim
    exp log ln lg sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh coth ker gcd Pr limits nolimits
    cdot times div pm mp circ odot oplus ominus otimes ast star bullet cup cap setminus wedge vee land lor lnot
    le leq ge geq ne neq ll gg approx sim simeq cong equiv propto in notin ni subset subseteq supset supseteq perp mid
    parallel vdash models to gets leftarrow rightarrow leftrightarrow Leftarrow Rightarrow Leftrightarrow mapsto
    longrightarrow longleftarrow Longrightarrow implies iff uparrow downarrow hookrightarrow xrightarrow
    frac dfrac tfrac cfrac binom sqrt hat widehat tilde bar overline underline vec dot ddot overbrace underbrace
    overset underset stackrel substack text textbf textit textrm mathrm mathbf mathit mathsf mathtt mathbb mathcal
    mathfrak boldsymbol bm operatorname mathop mathrel mathbin mathord
    left right middle big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr langle rangle lfloor rfloor lceil rceil
    lvert rvert lVert rVert vert Vert top bot intercal
    begin end quad qquad space dots ldots cdots vdots ddots colon displaystyle textstyle scriptstyle
    boxed phantom not bmod pmod mod hline
    """,
    )
)

ELEMENTS = frozenset(
    re.findall(
        r"\w+",
        "math menclose mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow mspace msqrt mstyle "
        "msub msubsup msup mtable mtd mtext mtr munder munderover",
    )
)
LENGTH = re.compile(r"0|(?:[0-4]|[0-4]?\.\d{1,8})em")  # none below 0: nothing is moved over what stands before it
WORD = re.compile(r"true|false|-?[0-3]|prefix|infix|postfix|normal|box")
ATTRIBUTES = {
    **dict.fromkeys(("lspace", "rspace", "width", "minsize", "maxsize", "linethickness"), LENGTH),
    **dict.fromkeys(
        re.findall(
            r"\w+",
            "accent accentunder displaystyle fence form largeop mathvariant movablelimits notation scriptlevel "
            "separator stretchy symmetric",
        ),
        WORD,
    ),
}
NAMED = re.compile(r"&(?!(?:lt|gt|amp|quot|apos);)(\w+;)")  # characters that XML has no name for: &ApplyFunction;
RELATIONS, SIGNS = frozenset(",;=<>\u2248\u2260\u2264\u2265\u2190\u2192\u21d2\u2208"), frozenset("+\u2212")
WIDE = 12  # characters within a text; what is longer may be broken over lines
SIDES = {"text-align: left": "left", "text-align: right": "right"}  # of a table's cell, which come as style


@lru_cache(KEPT)
def mathml(latex: str, block: bool) -> str:
    """LaTeX without its dollars to `<math>`; what cannot be read becomes its escaped source in `<code>`."""
    try:
        return _harmless(_converted(latex, block), block)
    except (Unreadable, LatexError, UnicodeEncodeError, KeyError, expat.ExpatError):
        return f"<code>{escape(latex.strip())}</code>"


def block_formula(latex: str) -> str:
    """A formula on a line of its own, in a box that scrolls where the window is narrower."""
    return f'<span class="formula" tabindex="0">{mathml(latex, True)}</span>'


class Unreadable(ValueError):
    """A formula that is not made into MathML."""


def _converted(latex: str, block: bool) -> str:
    if not _is_tame(latex):
        raise Unreadable
    return str(_converter().convert_with_local_state(latex, displaystyle=block))


def _is_tame(latex: str) -> bool:
    """Whether a formula is within the bounds."""
    if len(latex) > MAX_LENGTH:
        return False
    counted = unclosed = 0
    groups: list[list[str]] = [[]]  # of each group that is open, its open brackets
    for found in TOKEN.finditer(latex):
        token = found["sized"] or found[0]
        counted += token not in OPENS and token not in CLOSES
        if token[0] == "\\" and token[1:].isalpha() and token[1:] not in COMMANDS:
            return False
        if token in ("{", r"\left", r"\begin"):
            groups.append([])
        elif token in ("}", r"\right", r"\end") and len(groups) > 1:
            unclosed += len(groups.pop())
        elif token in OPENS:
            groups[-1].append(token)
        elif token in CLOSES and groups[-1] and groups[-1][-1] == CLOSES[token]:
            groups[-1].pop()
        if counted > MAX_COMMANDS or len(groups) + sum(map(len, groups)) > MAX_DEPTH:
            return False
    return unclosed + sum(map(len, groups)) <= MAX_OPEN


@lru_cache(1)
def _converter() -> LatexToMathML:
    return LatexToMathML(fancy_error=False, max_expansions=MAX_EXPANSIONS)


def _harmless(xml: str, block: bool) -> str:
    """The same formula, of what is allowed alone. Raises Unreadable where it holds another element.

    Browsers do not break a formula at the end of a line: a long one within a text becomes several, which they may
    part after a comma, a relation or a sum's sign.
    """
    display = f' display="{"block" if block else "inline"}"'
    out: list[str] = []
    breaks: list[int] = []  # places in `out`
    open_tags: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if name not in ELEMENTS or len(out) > 2 * MAX_ELEMENTS:
            raise Unreadable
        kept = {k: v for k, v in attributes.items() if k in ATTRIBUTES and ATTRIBUTES[k].fullmatch(v)}
        side = next((side for style, side in SIDES.items() if style in attributes.get("style", "")), None)
        if name == "mtd" and side:
            kept["class"] = side
        put = display if name == "math" else "".join(f' {k}="{v}"' for k, v in kept.items())
        out.append(f"<{name}{put}>")
        open_tags.append(out[-1])

    def end(name: str) -> None:
        opened = open_tags.pop()
        out.append(f"</{name}>")
        if len(open_tags) == 1 and name == "mo" and (text[-1] in RELATIONS or (text[-1] in SIGNS and opened == "<mo>")):
            breaks.append(len(out))

    def add(piece: str) -> None:
        text.append(piece)
        out.append(escape(piece))

    text = [""]
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, add
    parser.Parse(NAMED.sub(lambda found: html5[found[1]], xml), True)
    if not block and sum(map(len, text)) > WIDE:
        for place in reversed([place for place in breaks if place < len(out) - 1]):
            out.insert(place, f"</math><wbr><math{display}>")
    return "".join(out)


class MathmlRenderer(IPythonRenderer):  # type: ignore[misc]
    """nbconvert's renderer of markdown (dollars as in Jupyter), with a mark where each formula goes.

    The marks are plain text, so that HTML that students wrote can be cleaned before `filled` puts the formulas in;
    a mark holds a key that no text can know. One renderer is for one text.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._key = f"formula{secrets.token_hex(8)}n"
        self._formulas: list[tuple[str, str]] = []  # source, MathML

    def filled(self, html: str) -> str:
        """`html`, made by this renderer, with its formulas; inside of a tag (an image's text) their source."""

        def put(found: re.Match[str]) -> str:
            if found["tag"]:
                return mark.sub(lambda inner: escape(self._formulas[int(inner[1])][0]), found["tag"])
            return self._formulas[int(found["number"])][1]

        mark = re.compile(rf"{self._key}(\d+)e")
        return re.sub(rf"(?P<tag><[^>]*>?)|{self._key}(?P<number>\d+)e", put, html)

    def without_formulas(self, text: str) -> str:
        """`text`, made by this renderer, with nothing where a formula goes."""
        return re.sub(rf"{self._key}\d+e", "", text)

    def _mark(self, latex: str, made: str) -> str:
        self._formulas.append((latex, made))
        return f"{self._key}{len(self._formulas) - 1}e"

    def inline_math(self, body: str) -> str:
        return self._mark(body, mathml(body, False))

    def block_math(self, body: str) -> str:
        return self._mark(body, block_formula(body))

    def latex_environment(self, name: str, body: str) -> str:
        latex = rf"\begin{{{name}}}{body}\end{{{name}}}"
        return self._mark(latex, block_formula(latex))
