"""The student's page as a student sees it: by day and night, on a desk and a phone, with a keyboard and a reader.

A class of the small unit is graded once: all right, several mistakes, nothing, a loop without an end, and a student
whose notebook attacks who reads the page.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook
from nbgrader.converters import GenerateFeedback

from chainrule.build import build
from chainrule.course import TEST, Course
from chainrule.grading.plan import notes_of
from chainrule.nbgrading import course_config, run
from helpers import TINY, chainrule, once, solved, submit, write_course

# as the small unit, with a matrix, a sequence and a chain of items
ITEMS = """\
from chainrule.items import Case, Slip, Steps, choice, function, value, Worked

def _matrix(rng):
    return (rng.uniform(1, 2, size=(3, 4)), float(rng.uniform(3, 4)))

ITEMS = (
    function(
        "scale", points=2,
        worked=[Worked("the data", lambda given: (given["data"], 3.0))],
        cases=[Case("a matrix", _matrix)],
        slips=[Slip("added", "factor * x", "factor + x", credit=0.5, says="The factor was added.")],
        hints=["Each entry by itself."],
    ),
    function(
        "sums", points=2, steps=Steps(0),
        worked=[Worked("the data", lambda given: (given["data"][0],))],
        cases=[Case("a sequence", lambda rng: (rng.uniform(1, 2, size=6),))],
        slips=[Slip("whole", "np.cumsum(x)", "np.full(len(x), np.sum(x))", credit=0.5, says="That is the whole sum.")],
    ),
    value("total", points=1, builds_on=["scale"],
          slips=[Slip("mean", ".sum()", ".mean()", credit=0.5, says="That is the mean.")]),
    value("table", points=1.5, builds_on=["sums"],
          slips=[Slip("turned", "2 * data", "2 / data", credit=0.5, says="It was divided.")]),
    choice("letter", points=1, slips=[Slip("a", '"b"', '"a"', credit=0, says="Look at a once more.")]),
)
"""
TEXT = '''\
# %% [markdown]
# # A small unit of $n$ items
#
# With a formula: $$\\frac{a_1}{b} = \\sum_i x_i$$ and a table.
#
# | | first | second |
# |---|---|---|
# | row | 1 | 2 |

# %% given="setup"
import numpy as np
import pandas as pd
import matplotlib.pyplot as plt

data = np.array([[1.0, 2.0, 4.0], [3.0, 5.0, 7.0]])

# %% given="drawing" hidden=true
def draw(x):
    """A curve."""
    plt.figure(figsize=(3, 1))
    plt.plot(x)
    plt.show()

# %% [markdown]
# ## 1. Scaling

# %% item="scale"
def scale(x, factor):
    """(n, d), number -> (n, d). Every entry times the factor."""
    ### BEGIN SOLUTION
    return factor * x
    ### END SOLUTION

# %% item="sums"
def sums(x):
    """(T,) -> (T,). All that came until then."""
    ### BEGIN SOLUTION
    return np.cumsum(x)
    ### END SOLUTION

# %%
pd.DataFrame(data, columns=["a", "b", "c"])

# %%
draw(data[0])

# %% [markdown]
# ### Values

# %% item="total"
total = None  # a number
### BEGIN SOLUTION
total = scale(data, 3.0).sum()
### END SOLUTION

# %% item="table"
table = None  # (2, 3)
### BEGIN SOLUTION
table = 2 * data
### END SOLUTION

# %% item="letter"
letter = None  # "a", "b" or "c"
### BEGIN SOLUTION
letter = "b"
### END SOLUTION
'''
SETTINGS = '[course]\nid = "tiny"\n\n[limits]\ncell_seconds = 10\noutput_mb = 5\n'

SLIPS = {
    "scale": "def scale(x, factor):\n    return factor + x",
    "sums": "def sums(x):\n    s = np.cumsum(x)\n    s[2:] += 1\n    return s",
    "table": "table = 2 * data\ntable[1, 2] = 0",
    "letter": 'raise ValueError("of mine")',
}
LONG = "x_" * 200
HOSTILE = [
    "<script>document.title = 'ran'</script><style>body { display: none }</style>",
    f"# {LONG}\n\n###### deep\n\n<h2>not ours</h2><section class='item good' id='item-scale'>5 of 5</section>",
    "$\\text{<script>document.title = 'ran'</script>}$ $$" + "a+" * 300 + "$$ ![$x$](https://example.org/seen.png)",
    f"<table><tr><td style='width:9000px;color:#fff;background:#fff'>{LONG}</td></tr></table>",
    "<p style='margin:-5000px;position:fixed'>over it all</p><a href='javascript:document.title=1'>go</a>",
]
SHOWS_HOSTILE = f"""\
from IPython.display import HTML, Markdown, Latex, SVG, display
for text in {HOSTILE!r}:
    display(HTML(text)); display(Markdown(text)); print(text)
display(Latex("$" + {LONG!r} + "$"), SVG("<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>"))
print("\\x1b[38;2;250;250;250;48;2;255;255;255mwhite\\x1b[0m \\x1b[31mred")
pd.DataFrame(np.arange(80.0).reshape(2, 40))"""


def graded_class(root: Path) -> None:
    course = write_course(root, ITEMS, TEXT)
    (root / "course.toml").write_text(SETTINGS)
    unit = course.unit(TINY)
    build(course, unit)
    submit(course, unit, "full", solved(unit))
    submit(course, unit, "slips", solved(unit, SLIPS))
    submit(course, unit, "blank", unit.release.read_text("utf-8"))
    submit(course, unit, "endless", solved(unit, {"total": "while True:\n    pass"}))
    hostile = solved(unit, {"letter": f'letter = "<script>document.title = 1</script>{LONG}"'})
    hostile.cells += [nbformat.v4.new_markdown_cell(text) for text in HOSTILE]
    hostile.cells.append(nbformat.v4.new_code_cell(SHOWS_HOSTILE))
    submit(course, unit, "hostile", hostile)
    submit(course, unit, "refused", "no notebook")
    said = chainrule(root, "grade", TINY, "--jobs", "2")
    assert said.status == 3, said
    config = course_config(root).CourseDirectory
    with Gradebook(config.db_url, config.course_id) as gradebook:  # a person adds a word and takes points for lateness
        notebook = gradebook.find_submission_notebook("tiny", TINY, "slips")
        notebook.assignment.notebooks[0].late_submission_penalty = 0.25
        comment = next(comment for comment in notebook.comments if comment.name == "sums")
        comment.manual_comment = "Nearly: look at $s_2$."
        gradebook.db.commit()
    config = course_config(root)
    config.CourseDirectory.assignment_id = TINY
    config.GenerateFeedback.force = True
    run(GenerateFeedback, config)


STUDENTS = ("full", "slips", "blank", "endless", "hostile")
LOOKS = [(dark, phone) for dark in (False, True) for phone in (False, True)]


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Course:
    return Course(once(tmp_path_factory, "feedback", graded_class).resolve())


def page_of(course: Course, student: str) -> Path:
    return course.root / "feedback" / student / TINY / "tiny.html"


@pytest.mark.parametrize(("dark", "phone"), LOOKS)
@pytest.mark.parametrize("student", STUDENTS)
def test_everyone_can_read_it(course, open_page, expect_accessible, expect_fits, student, dark, phone):
    """Contrast, names, order of headings, regions that the keyboard reaches; all folds open, nothing sideways."""
    page = open_page(page_of(course, student), dark=dark, phone=phone)
    expect_fits(page)
    expect_accessible(page)
    page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true })")
    expect_fits(page)
    expect_accessible(page)


def number(text: str) -> list[float]:
    return [float(found) for found in re.findall(r"-?\d+(?:\.\d+)?", text)]


@pytest.mark.parametrize("student", STUDENTS)
def test_every_number_is_the_gradebooks(course, open_page, student):
    """The total, each item in the list, in its section and beside its cell, and the widths of all bars."""
    page = open_page(page_of(course, student))
    config = course_config(course.root).CourseDirectory
    with Gradebook(config.db_url, config.course_id) as gradebook:
        notebook = gradebook.find_submission_notebook("tiny", TINY, student)
        penalty = notebook.late_submission_penalty or 0.0
        total, possible = notebook.score - penalty, notebook.max_score
        scores = {grade.name.removesuffix(TEST): (grade.score, grade.max_score) for grade in notebook.grades}
    assert number(page.locator(".score").inner_text()) == [total, possible]
    assert width(page.locator(".total > .bar")) == round(100 * total / possible)
    lists = {".contents li": ".number", "section.item": ".number", ".check": None}
    for rows, where in lists.items():
        found = page.locator(rows).all()
        assert len(found) == len(scores), rows
        for row in found:
            name = row.locator("code").first.inner_text()
            shown = row.locator(where) if where else row
            numbers = number(shown.inner_text().replace(name, ""))
            assert tuple(numbers[:2]) == scores[name], (rows, name)
            if where:
                assert width(row.locator(".bar")) == round(100 * scores[name][0] / scores[name][1])
    full = sum(score == most for score, most in scores.values())
    assert number(page.locator(".total .quiet").inner_text())[:2] == [full, len(scores)]
    if penalty:
        assert number(page.locator(".late").inner_text()) == [penalty, total + penalty, penalty, total]
    assert page.locator(".late").count() == bool(penalty)


def width(bar) -> int:
    return round(bar.evaluate("bar => 100 * bar.firstElementChild.offsetWidth / bar.offsetWidth"))


def test_slips_say_what_where_and_what_next(course, open_page):
    """The mistake in words, its cells crossed, the first wrong step, the next thing to do, what followed through."""
    page = open_page(page_of(course, "slips"))
    scale = page.locator("section.item", has=page.locator("#item-scale"))
    assert "The factor was added." in scale.inner_text()
    assert "Next step: Each entry by itself." in scale.inner_text()
    assert "Charged once, here: total follows" in scale.inner_text()
    total = page.locator("section.item", has=page.locator("#item-total"))
    assert "right, given your earlier answer" in total.inner_text()
    assert "Charged" not in total.inner_text()
    sums = page.locator("section.item", has=page.locator("#item-sums"))
    assert "The first wrong step is step 2 of 0 to 2; the steps before it are right." in sums.inner_text()
    assert "Nearly: look at" in sums.inner_text()
    assert sums.locator("math").count() == 1
    marks = page.locator("section.item", has=page.locator("#item-table")).locator("svg.marks")
    assert marks.get_attribute("aria-label").startswith("1 of 6 entries is off")
    assert (marks.locator(".off").count(), marks.locator(".on").count()) == (1, 5)
    letter = page.locator("section.item", has=page.locator("#item-letter")).inner_text()
    assert "not answered" in letter
    assert "of mine" in page.locator("pre.error").inner_text()


def test_the_way_leaves_at_the_root(course, open_page):
    """In words for all; as a picture where there is room. What follows a wrong answer is no beginning."""
    page = open_page(page_of(course, "slips"))
    begin = page.locator(".path > p")
    assert [link.inner_text() for link in begin.locator("a").all()] == ["scale", "sums"]
    assert page.locator("svg.way rect.here").count() == 2
    assert page.locator("svg.way .edge").count() == 2
    assert page.locator("svg.way .edge.follows").count() == 1
    assert page.locator("svg.way").is_visible()
    phone = open_page(page_of(course, "slips"), phone=True)
    assert not phone.locator("svg.way").is_visible()
    assert phone.locator(".path > p").is_visible()


def test_full_blank_and_endless(course, open_page):
    """No way to mend where all is right; one word for each item that is not there; whose loop it was, and where."""
    full = open_page(page_of(course, "full"))
    assert full.locator(".path, .next, .remarks").count() == 0
    assert full.locator(".contents .word.good").count() == 5
    blank = open_page(page_of(course, "blank"))
    assert blank.locator(".contents .word", has_text="not answered").count() == 5
    assert blank.locator(".path").count() == 0
    endless = open_page(page_of(course, "endless"))
    assert "Look for a loop that does not end" in endless.locator(".remarks").inner_text()
    assert not page_of(course, "refused").exists()


def test_hostile_page_is_a_page(course, open_page):
    """Nothing ran, nothing covers the page, nothing passes for a part of it."""
    page = open_page(page_of(course, "hostile"))
    assert page.title().startswith("Feedback: ")
    assert page.locator("h1").is_visible()
    assert page.locator("section.item").count() == 5
    assert page.locator("[id=item-scale]").count() == 1
    assert page.locator("script, iframe, img[src^=http]").count() == 0
    top = page.evaluate("document.elementFromPoint(300, 40).closest('header') !== null")
    assert top, "something lies over the head of the page"


def test_keyboard_goes_from_list_to_item(course, open_page):
    """The first stop is the first item of the list, seen to be so, and Enter leads to its section."""
    page = open_page(page_of(course, "slips"))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "scale"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert page.url.endswith("#item-scale")


def test_pictures_have_a_light_ground(course, open_page):
    """What matplotlib draws in black stays black on white, at night as well."""
    page = open_page(page_of(course, "full"), dark=True)
    picture = page.locator(".output img").first
    assert picture.get_attribute("src").startswith("data:image/png;base64,")
    assert picture.evaluate("image => getComputedStyle(image).backgroundColor") == "rgb(255, 255, 255)"
    assert picture.evaluate("image => image.naturalWidth") > 100


def test_nothing_hidden_is_on_it(course):
    """No solution, no slip's name, no number of a hidden case: neither as text nor in a picture's data."""
    unit = course.unit(TINY)
    notes = notes_of(course, unit, "slips")
    assert notes is not None
    places = [verdict["place"] for verdict in notes["verdicts"] if verdict["place"]]
    assert len(places) >= 3
    text = page_of(course, "slips").read_text("utf-8")
    text = re.sub(r"base64,[^\"]+", "", text)
    for solution in ("factor * x", "### BEGIN", "np.sum(x)"):
        assert solution not in text
    assert re.findall(r"\d+\.\d+", json.dumps(places)) == []


def test_small_and_whole(course):
    """One file below the bound, with nothing of another address but links."""
    for student in STUDENTS:
        text = page_of(course, student).read_text("utf-8")
        assert len(re.sub(r"base64,[^\"]+", "", text)) < 300_000
        assert re.findall(r'(?:src|data)="(?!data:)[^"]*"|url\(|@import|<link', text) == []
