"""Published units: clean fragments, links that hold, mathematics, and no answer where none should be."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest

from chainrule.course import Course
from chainrule.errors import CourseError
from chainrule.key import BEGIN, END
from chainrule.publish import publish
from chainrule.publish.exporter import FragmentExporter, Place, plain_html
from helpers import HOME

COURSE = Course(HOME)
UNITS = COURSE.unit_names()
VOID = {"img", "br", "hr", "wbr", "meta", "col", "input"}


class Read(HTMLParser):
    """Tags, attributes and text of a page; an element that is not closed in order fails."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: Counter[str] = Counter()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        self.attributes.update(name for name, _ in attrs)
        self.ids += [value for name, value in attrs if name == "id"]
        self.links += [value for name, value in attrs if name == "href"]
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self) -> str:
        return "".join(self.words)


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("published")
    list(publish(COURSE, COURSE.units(), folder))
    return folder


@pytest.mark.parametrize("unit", UNITS)
def test_a_fragment_is_plain_html_under_one_class(published, unit):
    """No style, script, MathJax or Jupyter class; one root; ids of its own; headings from the second level on."""
    html = (published / f"{unit}.fragment.html").read_text("utf-8")
    found = Read(html)
    assert html.startswith('<div class="chainrule"')
    assert html.rstrip().endswith("</div>")
    assert not found.tags.keys() & {"style", "script", "link", "iframe", "h1", "html", "body"}
    assert found.attributes.keys() <= {
        *("class", "id", "href", "src", "alt", "lang", "tabindex", "display", "displaystyle", "scriptlevel", "lspace"),
        *(
            "rspace",
            "width",
            "stretchy",
            "accent",
            "accentunder",
            "form",
            "minsize",
            "maxsize",
            "colspan",
            "rowspan",
            "aria-label",
        ),
    }
    assert "MathJax" not in html
    assert "jp-" not in html
    assert found.ids
    assert len(set(found.ids)) == len(found.ids)
    assert all(name.startswith(f"unit-{unit}-") for name in found.ids)
    assert found.tags["h2"] == 1


@pytest.mark.parametrize("unit", UNITS)
def test_every_formula_is_mathematics(published, unit):
    """Outside of code, no dollar and no command of LaTeX is left, and there are formulas."""
    html = (published / f"{unit}.fragment.html").read_text("utf-8")
    prose = re.sub(r"<(pre|code)\b.*?</\1>", "", html, flags=re.DOTALL)
    assert prose.count("<math ") > 50
    assert not re.search(r"\$|\\[a-zA-Z]", Read(prose).text)


@pytest.mark.parametrize("unit", UNITS)
def test_the_released_pages_hold_no_solution(published, unit):
    """No line of a solution that the students' notebook does not hold."""
    found = COURSE.unit(unit)
    given = {line.strip() for cell in found.handed_out.cells for line in cell.source.splitlines()}
    solved = nbformat.read(found.source, as_version=4)
    secret = set()
    for cell in solved.cells:
        if BEGIN in cell.source:
            lines = cell.source[cell.source.index(BEGIN) : cell.source.index(END)].splitlines()[1:]
            secret |= {line.strip() for line in lines if len(line.strip()) > 8} - given
    assert len(secret) > 5
    for name in (f"{unit}.fragment.html", f"{unit}.html"):
        shown = {line.strip() for line in Read((published / name).read_text("utf-8")).text.splitlines()}
        assert not shown & secret
    assert not list(published.glob("*SOLUTION*"))


def test_all_links_lead_somewhere(published):
    """Between the pages, and from the index to each of them."""
    known = {path.name for path in published.iterdir()}
    links = Counter(link for path in published.glob("*.html") for link in Read(path.read_text("utf-8")).links)
    assert set(links) <= known
    assert {f"{unit}.html" for unit in UNITS} <= set(links)
    assert "02-loss.html" in Read((published / "03-partials.fragment.html").read_text("utf-8")).links


def test_units_of_a_net_are_not_linked():
    """A hidden layer has units, too, and so has the unit itself its name in its title."""
    made = FragmentExporter(Place("04-x", pages={1: "one", 2: "two", 3: "three"})).markdown(
        "from hidden unit 1, point 1 and unit 2, see units 1, 2 and 3, unit 4 and [that](../01-a/a.ipynb)"
    )
    assert Read(made).links == ["one", "two", "three", "../01-a/a.ipynb"]
    made = FragmentExporter(Place("04-x", notebooks={"a.ipynb": "one"})).markdown("[see unit 1](../01-a/a.ipynb)")
    assert made == '<p><a href="one">see unit 1</a></p>'


def test_headings_of_tables_can_be_read_out():
    """A formula may be one; an empty one is none."""
    made = FragmentExporter(Place("04-x")).markdown("| | $S_0$ | of $S_0$ |\n|---|--:|---|\n| a | b | c |")
    head = made[: made.index("</thead>")]
    assert "<td></td>" in head
    assert "<th><math" in head
    assert "<th>of <math" in head
    assert "style" not in made


def test_the_index_says_what_each_unit_is(published):
    """Title, time, points, what it assumes and teaches, from the notebooks themselves."""
    html = (published / "index.html").read_text("utf-8")
    text = Read(html).text
    assert html.count("It assumes") == html.count("Afterwards you can") == len(UNITS)
    for unit in COURSE.units():
        assert f"{unit.points:g} points in {len(unit.items)} items" in text
    assert "Unit 3: partial derivatives" in text
    assert "about three hours" in text
    assert "run one neuron backwards, gate by gate" in text


def test_a_unit_by_itself_has_no_link_to_what_is_not_there(tmp_path):
    list(publish(COURSE, [COURSE.unit("03")], tmp_path))
    assert Read((tmp_path / "03-partials.html").read_text("utf-8")).links == ["index.html"]


def test_a_cms_with_addresses_of_its_own(tmp_path):
    """Fragments link to all units by the pattern; whole pages go on linking to each other."""
    list(publish(COURSE, [COURSE.unit("03")], tmp_path, links="https://example.org/course/{unit}"))
    assert (
        "https://example.org/course/02-loss" in Read((tmp_path / "03-partials.fragment.html").read_text("utf-8")).links
    )
    assert Read((tmp_path / "03-partials.html").read_text("utf-8")).links == ["index.html"]
    with pytest.raises(CourseError, match=r"\{unit\}"):
        list(publish(COURSE, [COURSE.unit("03")], tmp_path, links="https://example.org/"))


def test_solutions_are_pages_of_their_own_and_say_so(tmp_path):
    """The answers are there, under another name, and the index does not know them."""
    paths = [path.name for path in publish(COURSE, [COURSE.unit("03")], tmp_path, solution=True)]
    assert paths == ["chainrule.css", "03-partials.SOLUTION.fragment.html", "03-partials.SOLUTION.html"]
    for name in paths[1:]:
        html = (tmp_path / name).read_text("utf-8")
        assert "Solutions. Not for students." in html
        assert "return a * (1 - a)" in Read(html).text
        assert BEGIN not in html
    assert "<title>SOLUTIONS: 03-partials</title>" in html


def test_run_pages_have_pictures_and_tables(tmp_path):
    """With `run`, outputs are there, without their looks; what test cells print is not."""
    list(publish(COURSE, [COURSE.unit("05")], tmp_path, solution=True, run=True))
    html = (tmp_path / "05-rnn-counting.SOLUTION.fragment.html").read_text("utf-8")
    found = Read(html)
    assert found.tags["img"] >= 3
    assert 'alt="Picture drawn by draw_unrolled(states)"' in html
    assert not found.attributes.keys() & {"style", "border"}
    assert "style" not in found.tags
    for check in re.findall(r'<p class="check">.*?</p>\s*(<[a-z]+[^>]*>)', html):
        assert "output" not in check


def test_an_output_leaves_its_looks_behind():
    table = '<table border="1" class="dataframe"><tr style="x"><th colspan="2">a</th></tr></table>'
    html = f"<div><style scoped>p {{}}</style>{table}</div>"
    assert plain_html(html) == '<table><tr><th colspan="2">a</th></tr></table>'


def test_every_rule_of_the_stylesheet_stays_under_its_class(published):
    """So that a CMS page keeps its own looks."""
    css = re.sub(r"/\*.*?\*/", "", (published / "chainrule.css").read_text("utf-8"), flags=re.DOTALL)
    selectors = [part.strip() for part in re.findall(r"([^{}]+)\{", css)]
    assert len(selectors) > 20
    for selector in selectors:
        parts = re.sub(r":is\(.*?\)", "", selector).split(",")
        assert selector.startswith("@media") or all(part.strip().startswith(".chainrule") for part in parts), selector


def test_solutions_go_to_a_folder_of_their_own(small_home):
    """As a rule, so that nobody who uploads published/ uploads them; and they do not lead to the index there."""
    course = Course(small_home)
    paths = list(publish(course, course.units(["01"]), solution=True))
    assert {path.parent for path in paths} == {small_home / "published-solutions"}
    assert all("SOLUTION" in path.name or path.suffix == ".css" for path in paths)
    assert not any("index.html" in path.read_text("utf-8") for path in paths)


@pytest.fixture
def small_home(tmp_path: Path) -> Path:
    """The course without what publishing does not read."""
    for name in ("authoring", "source", "release"):
        (tmp_path / name).symlink_to(HOME / name)
    (tmp_path / "nbgrader_config.py").write_text("")
    return tmp_path
