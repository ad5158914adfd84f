"""The frame of all pages: its colours can be read, nothing in it runs or loads."""

from __future__ import annotations

import pytest
from markupsafe import Markup

from chainrule.pages import page

SAMPLE = Markup("""
<h1>A page</h1><p>Words, <span class="quiet">quiet words</span>, <a href="#there">a link</a>, <code>code</code>.</p>
<p><span class="word good">right</span> <span class="word part">in part</span> <span class="word bad">wrong</span></p>
<table><tr><th>item</th><td class="number">1.5</td></tr></table><pre id="there">lines</pre>
""")
HOSTILE = Markup("<script>document.title = 'ran'</script><img src='https://example.org/seen.png' alt=''>")


@pytest.mark.parametrize("dark", [False, True])
def test_every_colour_can_be_read(tmp_path, open_page, expect_accessible, dark):
    path = tmp_path / "page.html"
    path.write_text(page("A page", SAMPLE), "utf-8")
    expect_accessible(open_page(path, dark=dark))


def test_no_script_runs_and_no_picture_loads(tmp_path, browser):
    path = tmp_path / "page.html"
    path.write_text(page("A page", SAMPLE + HOSTILE), "utf-8")
    shown = browser.new_page()
    refused = []
    shown.on("console", lambda message: refused.append(message.text))
    shown.goto(path.as_uri())
    assert shown.title() == "A page"
    assert any("Content Security Policy" in text for text in refused)
    shown.close()
