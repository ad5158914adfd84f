"""The class report as its reader sees it: light, dark, on a phone, by an accessibility checker."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from chainrule.course import Course
from chainrule.report.page import class_report, write_page
from conftest import expect_no_sideways_scroll
from helpers import once
from made_class import made_class

UNFOLD = "document.querySelectorAll('details').forEach(one => one.open = true)"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    course = Course(once(tmp_path_factory, "made-class", made_class))
    return write_page(course, class_report(course, course.units()), datetime(2026, 3, 9))


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_report_can_be_read(path, open_page, expect_accessible, dark, phone):
    """Folded and unfolded: nothing too pale, nothing without a name, no sideways scrolling."""
    page = open_page(path, dark=dark, phone=phone)
    assert page.title() == "Class report: tiny", "a student's name ran"
    expect_accessible(page)
    expect_no_sideways_scroll(page)
    page.evaluate(UNFOLD)
    expect_accessible(page)
    expect_no_sideways_scroll(page)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_pictures_have_the_pages_colours(path, open_page, dark):
    """Text is the page's ink and bars are its accent, on no ground of their own."""
    page = open_page(path, dark=dark)
    style = "getComputedStyle(document.documentElement).getPropertyValue"
    for selector, name in ((".pictures svg text", "--ink"), (".pictures svg path[clip-path]", "--accent")):
        fill = page.evaluate(f"getComputedStyle(document.querySelector('{selector}')).fill")
        wanted = page.evaluate(f"{style}('{name}')").strip().lstrip("#")
        assert fill == f"rgb({', '.join(str(int(wanted[at : at + 2], 16)) for at in (0, 2, 4))})"
    widths = page.evaluate(
        "[...document.querySelectorAll('.pictures svg')].map(one => one.getBoundingClientRect().width)"
    )
    assert min(widths) > 200
