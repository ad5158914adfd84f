"""Published pages as readers see them: without a network, in light and dark, on a desk and a phone."""

from __future__ import annotations

import pytest

from chainrule.course import Course
from chainrule.publish import publish
from conftest import expect_no_sideways_scroll
from helpers import HOME


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("published")
    course = Course(HOME)
    list(publish(course, course.units(["03", "05"]), made))
    list(publish(course, course.units(["05"]), made, solution=True, run=True))
    return made


NAMES = ("index", "03-partials", "05-rnn-counting", "05-rnn-counting.SOLUTION")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("dark", "phone"), [(False, False), (True, True)])
def test_a_page_can_be_read(folder, open_page, expect_accessible, name, dark, phone):
    """Nothing is asked for from elsewhere, axe finds nothing, and the page does not scroll sideways."""
    shown = open_page(folder / f"{name}.html", dark=dark, phone=phone)
    expect_no_sideways_scroll(shown)
    # axe takes a table's heading that is a formula for empty: it does not read MathML, which screen readers do
    shown.evaluate("document.querySelectorAll('th > math').forEach(m => m.replaceWith(m.textContent))")
    expect_accessible(shown)


def test_two_fragments_on_a_cms_page_leave_it_alone(folder, open_page, expect_accessible, tmp_path):
    """With the shared sheet beside them: no id twice, and the page's own words keep their looks."""
    parts = [(folder / f"{unit}.fragment.html").read_text("utf-8") for unit in ("03-partials", "05-rnn-counting")]
    own = '<h1 id="own">Our site</h1><p class="quiet wide check">words <code>x</code></p>'
    start = '<!doctype html><html lang="en"><head><title>cms</title><meta name="viewport" content="width=device-width">'
    looks = "(() => { const s = getComputedStyle(document.querySelector('p')); return [s.color, s.font, s.margin] })()"
    for name, sheet in (("without", ""), ("with", (folder / "chainrule.css").read_text("utf-8"))):
        (tmp_path / f"{name}.html").write_text(
            f"{start}<style>{sheet}</style></head><body><main>{own}{''.join(parts)}</main></body></html>", "utf-8"
        )
    plain, styled = (open_page(tmp_path / f"{name}.html") for name in ("without", "with"))
    assert plain.evaluate(looks) == styled.evaluate(looks)
    assert styled.evaluate("getComputedStyle(document.querySelector('.chainrule pre')).overflowX") == "auto"
    # axe takes a table's heading that is a formula for empty: it does not read MathML, which screen readers do
    styled.evaluate("document.querySelectorAll('th > math').forEach(m => m.replaceWith(m.textContent))")
    expect_accessible(styled)
