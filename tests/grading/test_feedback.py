"""A student's HTML in a feedback page is harmless; what the course and its students rightly show is all there."""

from __future__ import annotations

import re
import signal
import threading

import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.ansi import ansi2html
from nbconvert.filters.highlight import Highlight2HTML
from nbconvert.filters.markdown_mistune import MarkdownWithMath
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from chainrule.course import Course, Unit
from chainrule.grading.feedback import FeedbackPage, Grades, bounds, filters
from chainrule.grading.feedback import clean as cleaning
from chainrule.grading.feedback.bounds import TooSlow, as_text, at_most
from chainrule.grading.feedback.clean import clean
from chainrule.grading.judging import META, _output
from chainrule.grading.submission import Standing
from chainrule.judge.place import Place
from chainrule.judge.verdict import Status, Verdict
from chainrule.nbgrading import course_config
from chainrule.render import VERDICT_MIME


@pytest.fixture(scope="module")
def maker(tiny: Unit) -> FeedbackPage:
    return FeedbackPage(course_config(tiny.root))


def page(maker: FeedbackPage, *cells: NotebookNode) -> str:
    nb = new_notebook(cells=list(cells), metadata={"language_info": {"name": "python"}})
    graded = [cell.metadata.nbgrader.grade_id for cell in cells if "nbgrader" in cell.metadata]
    return maker.make(nb, Grades("tiny", dict.fromkeys(graded, 1.0), {}, None, Standing()))


def shows(data: dict[str, str], **metadata: object) -> NotebookNode:
    return new_code_cell("x", outputs=[new_output("display_data", data=data, metadata=metadata)])


ATTACKS = [
    "<script>alert('EVIL')</script>",
    "<ScRiPt src='//EVIL.example/x.js'></sCrIpT>",
    "<img src=x onerror=alert('EVIL')>",
    "<b onmouseover=alert('EVIL')>b</b>",
    "<a href='javascript:alert(1)//EVIL'>a</a>",
    "<a href='  java\tscript:alert(1)//EVIL'>a</a>",
    "<a href='data:text/html,EVIL'>a</a>",
    "<img src='data:text/html;base64,EVIL'>",
    "<iframe src='//EVIL.example'></iframe>",
    "<iframe srcdoc='<p>EVIL</p>'></iframe>",
    "<object data='EVIL.swf'></object><embed src='EVIL'>",
    "<form action='//EVIL'><input name=EVIL><button>b</button></form>",
    "<svg><script>EVIL</script></svg><svg onload=EVIL>",
    "<math><mtext><table><mglyph><style><img src=EVIL onerror=EVIL>",
    "<noscript><p title='</noscript><img src=x onerror=EVIL>'></noscript>",
    "<style>body{background:url(//EVIL)}</style>",
    "<p style='background:url(//EVIL)'>p</p>",
    "<p style='background:u\\72l(//EVIL)'>p</p>",
    "<p style='position:fixed;x:expression(EVIL)'>p</p>",
    "<base href='//EVIL'><link rel=stylesheet href='//EVIL'><meta http-equiv=refresh content='0;//EVIL'>",
    "<textarea><script>EVIL</script></textarea>",
    "<!-- <script>EVIL</script> -->",
    "<template><script>EVIL</script></template>",
    "$\\text{<img src=x onerror=EVIL>}$ and $$<script>EVIL</script>$$",
    "$\\href{javascript:EVIL}{x}$ $\\style{background:url(//EVIL)}{x}$",
    '![a > $\\text{" onerror=EVIL x="}$](data:image/png;base64,aGk=)',
]


def harmful(text: str) -> list[str]:
    """What a browser would run, load or send of a page."""
    soup = BeautifulSoup(text, "html.parser")
    found = [str(tag) for tag in soup.find_all(["script", "iframe", "object", "embed", "form", "base", "link", "meta"])]
    found = [tag for tag in found if "EVIL" in tag]
    for tag in soup.find_all(True):
        for name, value in tag.attrs.items():
            if name in ("alt", "aria-label"):  # words
                continue
            if name.startswith("on") or "script:" in str(value).replace("\t", "") or "EVIL" in str(value):
                found.append(f"{tag.name} {name}={value}")
    return found


@pytest.mark.parametrize("text", ATTACKS)
@pytest.mark.parametrize("way", ["output", "markdown output", "markdown cell", "comment"])
def test_no_attack_is_left(maker: FeedbackPage, text: str, way: str) -> None:
    """Nothing runs, loads or sends, whichever way the HTML comes in."""
    cell = {
        "output": shows({"text/html": text}),
        "markdown output": shows({"text/markdown": text}),
        "markdown cell": new_markdown_cell(text),
        "comment": new_markdown_cell(f"one\n\n{text}\n\ntwo"),
    }[way]
    assert harmful(page(maker, cell, new_markdown_cell("the END"))) == []


@pytest.mark.parametrize("text", ATTACKS)
def test_no_attack_is_left_of_a_comment(maker: FeedbackPage, text: str) -> None:
    """Whoever wrote it: the gradebook's comments may have come from anywhere."""
    cell = new_code_cell("x", metadata={"nbgrader": {"solution": True, "grade_id": "total"}})
    nb = new_notebook(cells=[cell, graded(Verdict("total", Status.RIGHT, 1.0, 1.0, "right."))])
    made = maker.make(nb, Grades("tiny", {"total-check": 1.0}, {"total": f"END {text}"}, None, Standing()))
    assert harmful(made) == []
    assert "A person's comment" in made


HOSTILE_WORDS = '<script>EVIL</script>" onload=EVIL x="`$<b>'


def test_no_attack_is_left_of_what_the_judge_saw(maker: FeedbackPage) -> None:
    """Names, keys, words and remarks of a verdict may hold what a student's code said."""
    word = HOSTILE_WORDS
    place = Place(word, ((word, True), (word, False)), word, (2, 2), 1, 4, ("x.", ".."), steps=0, first_step=1)
    verdict = Verdict(
        "total", Status.WRONG, 0.0, 1.0, word, (word,), word, word, word, (), word, (word,), (word,), place
    )
    nb = new_notebook(cells=[new_markdown_cell(f"# {word}"), graded(verdict)])
    nb.metadata[META] = {"remarks": [{"cause": word, "where": word, "says": word}], "incidents": [[word] * 3]}
    made = maker.make(nb, Grades(word, {"total-check": 0.0}, {}, None, Standing()))
    assert made.count("EVIL") > 10
    assert harmful(made) == []
    soup = BeautifulSoup(made, "html.parser")
    assert not [tag for tag in soup.find_all(True) if "EVIL" in " ".join(tag.attrs)]


def test_search_sees_attacks() -> None:
    """What the tests look for is found where nothing is cleaned."""
    plain = [text for text in ATTACKS if text[0] == "<" and "onerror" in text and "<style" not in text]
    assert [text for text in plain if not harmful(text)] == []
    assert harmful(ATTACKS[0])
    assert harmful(ATTACKS[4])
    assert harmful(ATTACKS[8])


def test_sizes_of_pictures_are_numbers(maker: FeedbackPage) -> None:
    """The template puts a picture's size into its tag without quotes."""
    png = {"image/png": "aGk="}
    text = page(maker, shows(png, **{"image/png": {"width": "1 onerror=EVIL", "height": 7}}))
    assert harmful(text) == []
    (image,) = BeautifulSoup(text, "html.parser").find_all("img")
    assert image.attrs == {"src": "data:image/png;base64,aGk=", "height": "7", "alt": "A picture that this cell drew"}
    text = page(maker, shows(png, filenames={"image/png": "//EVIL.example/x.png"}))
    assert harmful(text) == []


@pytest.mark.parametrize("mime", ["application/javascript", "application/vnd.jupyter.widget-view+json"])
def test_scripts_by_mime_type_are_left_out(maker: FeedbackPage, mime: str) -> None:
    """Whatever stands in such an output; what it says in another form is shown."""
    for held in ["EVIL()"] if mime.endswith("script") else [{"model_id": "EVIL"}, "EVIL", 7]:
        text = page(maker, shows({mime: held, "text/plain": "in words"}))  # type: ignore[dict-item]
        assert "EVIL" not in text
        assert "in words" in text


def test_lines_of_an_output_are_a_text(maker: FeedbackPage) -> None:
    """Notebooks may hold a text as a list of its lines."""
    lines = {"text/plain": ["one\n", "<two>"], "image/svg+xml": ["<svg>", "</svg>"], "text/html": ["<b>", "x</b>"]}
    for mime, held in lines.items():
        cells = [shows({mime: held}), shows({mime: "".join(held)})]  # type: ignore[dict-item]
        assert page(maker, cells[0]) == page(maker, cells[1])


def test_svg_is_a_picture(maker: FeedbackPage) -> None:
    """As an image an SVG runs nothing."""
    text = page(maker, shows({"image/svg+xml": "<svg xmlns='http://www.w3.org/2000/svg'><script>EVIL</script></svg>"}))
    assert harmful(text) == []
    assert re.search(r'<img [^>]*src="data:image/svg\+xml;base64,', text)


def test_pandas_table_is_whole(maker: FeedbackPage) -> None:
    """Its tags, classes and numbers; the scoped style goes, and is not shown as text either."""
    frame = pd.DataFrame({"a": [1.5, 2], "b": ["x", "<y>"]}, index=pd.Index([3, 4], name="i"))
    text = page(maker, shows({"text/html": frame._repr_html_()}))
    soup = BeautifulSoup(text, "html.parser").select_one(".output")
    assert soup is not None
    table = soup.find("table")
    assert table is not None
    assert table.attrs == {"border": "1", "class": ["dataframe"]}
    assert [cell.get_text() for cell in table.find_all("td") if cell.get_text()] == ["1.5", "x", "2.0", "<y>"]
    assert soup.find("tr")["style"].startswith("text-align: right")
    assert "vertical-align" not in soup.get_text()
    assert not [header for header in soup.find_all("th") if not header.get_text(strip=True)], "a header says something"


def graded(verdict: Verdict, **metadata: object) -> NotebookNode:
    """A test cell as the judge leaves it."""
    meta = {"grade": True, "grade_id": f"{verdict.item}-check", "points": verdict.out_of, **metadata}
    cell = new_code_cell(f"check({verdict.item!r})", metadata={"nbgrader": meta})
    cell.outputs = [_output(verdict, cell)]
    return cell


def test_verdict_is_whole(maker: FeedbackPage) -> None:
    """With its bar and its word; and what a student's code said in it is text."""
    verdict = Verdict("total", Status.WRONG, 0.0, 1.0, "`total` is <script>EVIL</script>.", remarks=("<b>EVIL</b>",))
    text = page(maker, graded(verdict))
    (section,) = BeautifulSoup(text, "html.parser").select("section.item")
    assert "total is <script>EVIL</script>." in section.get_text()
    assert "<b>EVIL</b>" in section.get_text()
    assert harmful(text) == []


def test_item_that_is_called_a_check(maker: FeedbackPage) -> None:
    """Its answer is found by its name, and is linked from its section."""
    answer = new_code_cell("x = 1", metadata={"nbgrader": {"solution": True, "grade_id": "slope-check"}})
    verdict = Verdict("slope-check", Status.WRONG, 0.0, 1.0, "is off.")
    nb = new_notebook(cells=[answer, graded(verdict)])
    made = maker.make(nb, Grades("tiny", {"slope-check-check": 0.0}, {}, None, Standing()))
    soup = BeautifulSoup(made, "html.parser")
    assert [link["href"] for link in soup.select("section.item .up a")] == ["#code-slope-check"]
    assert soup.select_one("#code-slope-check .highlight") is not None


def test_forged_verdict_is_no_verdict(maker: FeedbackPage) -> None:
    """Beside a test cell, a verdict's data open no door; in one, the words are made anew from them."""
    forged = {"text/html": ATTACKS[0], VERDICT_MIME: "{}"}
    assert harmful(page(maker, shows(forged))) == []
    cell = graded(Verdict("total", Status.WRONG, 0.0, 1.0, "is off."))
    cell.outputs[0]["data"]["text/html"] = "other words"
    assert "other words" not in page(maker, cell)


def test_mathematics_needs_no_script(maker: FeedbackPage) -> None:
    """Formulas become MathML; a price is a price, and what is no formula is shown as it was written."""
    text = page(maker, new_markdown_cell(r"Here $a_1 < b^*_2$ and $$\frac{x}{y} & z$$, $\nothing{$."))
    soup = BeautifulSoup(text, "html.parser")
    assert [tag["display"] for tag in soup.find_all("math")] == ["inline"]
    assert soup.find("math").find("mo").get_text() == "<"
    assert [tag.get_text() for tag in soup.select(".prose code")] == [r"\frac{x}{y} & z", r"\nothing{"]
    assert "MathJax" not in text


def test_every_units_prose_is_unharmed(course: Course) -> None:
    """What authors wrote passes as it is: cleaning takes nothing out of any unit's text, and all formulas are read."""
    plain = HTMLExporter(exclude_anchor_links=True)
    for unit in course.units():
        for cell in unit.handed_out.cells:
            if cell.cell_type == "markdown":
                # a long formula is several, so that lines may break in it
                html = filters._markdown(cell.source).replace("</math><wbr>", "</math>")
                seen = BeautifulSoup(html, "html.parser")
                for formula in seen.select("math"):
                    formula.replace_with("$")
                for box in seen.select(".formula"):
                    box.unwrap()
                meant = BeautifulSoup(FORMULA.sub("$", plain.markdown2html({}, cell.source)), "html.parser")
                for heading in meant.find_all(re.compile("^h[1-6]$")):
                    heading.name = "p"
                    heading["class"] = "level"
                for header in meant.find_all("th"):
                    header.name = "th" if header.get_text(strip=True) else "td"
                assert meant.get_text() == re.sub(r"\$+", "$", seen.get_text()), unit.name
                for soup in (meant, seen):
                    for tag in soup.find_all(True):
                        tag.attrs.pop("id", None)
                names = [[(tag.name, sorted(tag.attrs)) for tag in soup.find_all(True)] for soup in (meant, seen)]
                assert names[0] == names[1], (unit.name, cell.source)


FORMULA = re.compile(r"\$\$.+?\$\$|\$.+?\$", re.DOTALL)


def test_every_units_code_is_coloured(course: Course) -> None:
    """No cell of a unit is so large, or of such a form, that it is shown as plain text."""
    for unit in course.units():
        for notebook in (unit.handed_out, nbformat.read(unit.source, 4)):
            for cell in notebook.cells:
                assert bounds.is_tame(cell.source), (unit.name, cell.source)
                assert cell.cell_type == "code" or len(cell.source) <= bounds.MAX_MARKDOWN / 2


@pytest.mark.parametrize("language", sorted(filters.LEXERS))
def test_colours_of_code_are_nbconverts(language: str) -> None:
    """Also when a lexer has read other code before."""
    plain = Highlight2HTML(pygments_lexer=language)
    for code in ("", "x = 1", "%time f(x)\n!ls {x}", "def f(x):\n    'no end", "f'{x}' < y\n\n", "if x:\n\tpass # <b>"):
        assert filters.highlighted(language, code) == plain(code)


COLOURS = ["plain <b>", "\x1b[31mred\x1b[0m and \x1b[1;44mbold\x1b[K", "\x1b", ""]


@pytest.mark.parametrize("text", COLOURS)
def test_colours_are_nbconverts(maker: FeedbackPage, text: str) -> None:
    assert maker.exporter.filters.terminal(text) == ansi2html(text)


def test_colours_without_a_name_are_left_out(maker: FeedbackPage) -> None:
    """On a dark page they may be dark."""
    made = maker.exporter.filters.terminal('\x1b[38;5;200mx\n\x1b[38;2;1;2;3my style="z"')
    assert made == "<span>x\n</span><span>y style=&#34;z&#34;</span>"


@pytest.mark.parametrize("text", ["x\x1b[31m<b>" * 3000, "\x1b[" + "1;" * 20_000 + "mx<b>", "\x1b\x1b[m[m<b>" * 3000])
def test_many_colours_are_none(maker: FeedbackPage, text: str) -> None:
    """The text is there, with neither colours nor tags."""
    made = maker.exporter.filters.terminal(text)
    assert "<" not in made
    assert made.count("&lt;b&gt;") == text.count("<b>")


def test_long_texts_are_cut(maker: FeedbackPage) -> None:
    text = page(maker, new_code_cell("x", outputs=[new_output("stream", text="x" * 300_000)]))
    assert "xxx\n... and 200000 characters more" in text
    assert len(text) < len(page(maker)) + 110_000


# what takes hours in one of the filters
SLOW = {
    "prose": new_markdown_cell("a" + " " * 1_000_000 + "b"),
    "formulas": new_markdown_cell("\\begin{a}" * 50_000),
    "decorators": new_code_cell("@" * 500_000 + "." * 500_000),
    "blank lines": new_code_cell("\n    " * 4000),
    "colours": new_code_cell("x", outputs=[new_output("stream", text="\x1b[m" * 1_000_000)]),
    "traceback": new_code_cell(
        "x", outputs=[new_output("error", ename="E", evalue="", traceback=["\x1b[" + "1;" * 500_000 + "m"])]
    ),
    "divisions": shows({"text/html": "<div>" * 19_000}),
    "attributes": shows({"text/html": "<table><td " + "".join(f"a{i} " for i in range(15_000))}),
    "formats": shows({"text/html": "".join(f"<b id=a{i}>" for i in range(700)) + "<table>" + "<tr>x" * 2000}),
}


@pytest.mark.parametrize("name", SLOW)
def test_slow_texts_are_plain(maker: FeedbackPage, name: str) -> None:
    """By their bounds alone, as on a thread that no timer reaches. The page is made, and ends as others do."""
    made: list[str] = []
    thread = threading.Thread(
        target=lambda: made.append(page(maker, SLOW[name], new_markdown_cell("the *END*"))), daemon=True
    )
    thread.start()
    thread.join(60)
    assert made, "the page takes too long"
    assert "<em>END</em>" in made[0]


def test_what_has_no_bound_is_stopped(maker: FeedbackPage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A filter that never ends costs its text's beauty, in this page and for now."""

    def never_ends(*_: object) -> str:
        while True:
            pass

    monkeypatch.setattr(bounds, "TEXT_SECONDS", 0.05)
    with monkeypatch.context() as patch:
        patch.setattr(filters, "highlight", never_ends)
        patch.setattr(MarkdownWithMath, "render", never_ends)
        text = page(maker, new_code_cell("if never"), new_markdown_cell("*ends*"))
    assert "<pre>if never</pre>" in text
    assert "<pre>*ends*</pre>" in text
    text = page(maker, new_code_cell("if never"), new_markdown_cell("*ends*"))
    assert '<span class="k">if</span>' in text
    assert "<em>ends</em>" in text


def test_page_that_took_too_long_is_plain(maker: FeedbackPage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many texts within their bounds are too many some day."""
    monkeypatch.setattr(bounds, "PAGE_SECONDS", 0.0)
    text = page(maker, new_code_cell("if late"), new_markdown_cell("*late*"), shows({"text/html": ATTACKS[0]}))
    assert "<pre>if late</pre>" in text
    assert "<pre>*late*</pre>" in text
    assert harmful(text) == []


def test_timer_is_left_as_it_was() -> None:
    """What is stopped is the body alone, and that only while it runs."""
    before = signal.getsignal(signal.SIGVTALRM)
    with pytest.raises(TooSlow), at_most(0.01):
        any(zero for zero in iter(int, 1))
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGVTALRM) is before


def test_languages_of_prose_are_few(maker: FeedbackPage) -> None:
    """Python is coloured; of other languages, whose patterns nobody here has seen, the text is shown."""
    text = page(maker, new_markdown_cell("```python\nif x\n```\n\n```perl6\nmy $x\n```"))
    assert '<span class="k">if</span>' in text
    assert "my $x\n</code>" in text


@pytest.mark.parametrize("text", ["<b>" * 100_000, "<" * 100_000, "<div>" * 3000, "x" * 300_000])
def test_excess_is_bounded_text(text: str) -> None:
    """What is too long, or nested too deeply for the parser, is shown as the text that it is, or is cleaned."""
    assert len(clean(text)) < 5 * bounds.MAX_TEXT
    assert harmful(clean(text + ATTACKS[0])) == []
    assert len(as_text(text)) < 5 * bounds.MAX_TEXT + 200


def test_what_is_kept_is_bounded(maker: FeedbackPage) -> None:
    """Neither a long text nor a new one in each notebook fills the memory."""
    cleaning._kept_clean.cache_clear()
    clean("<p>" + "x" * bounds.SHORT)
    assert cleaning._kept_clean.cache_info().currsize == 0
    clean("<p>short")
    clean("<p>short")
    info = cleaning._kept_clean.cache_info()
    assert (info.currsize, info.hits, info.maxsize) == (1, 1, bounds.KEPT)


def test_notebooks_pages_do_not_mix(maker: FeedbackPage) -> None:
    """One exporter for many: nothing of one student's page is in the next one's."""
    first = page(maker, new_markdown_cell("mine ALONE"), shows({"text/plain": "ALONE"}))
    second = page(maker, new_markdown_cell("yours"))
    assert "ALONE" in first
    assert "ALONE" not in second
    assert page(maker, new_markdown_cell("yours")) == second


def test_attached_picture_is_its_cells_own(maker: FeedbackPage) -> None:
    """Two cells of one text, each with a picture of its own."""
    cells = [
        nbformat.from_dict(
            {**new_markdown_cell("![p](attachment:p.png)"), "attachments": {"p.png": {"image/png": data}}}
        )
        for data in ("Zmlyc3Q=", "c2Vjb25k")
    ]
    text = page(maker, *cells)
    assert text.count("data:image/png;base64,Zmlyc3Q=") == text.count("data:image/png;base64,c2Vjb25k") == 1
