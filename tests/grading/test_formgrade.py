"""The formgrader's page for grading by hand: nothing of a student's runs there, and verdicts look as they should."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbconvert.exporters import HTMLExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader.server_extensions.formgrader import handlers
from traitlets.config import Config

from chainrule.grading.feedback import FeedbackExporter, clean
from chainrule.grading.formgrade import guard_pages
from chainrule.judge.verdict import Status, Verdict
from chainrule.render import verdict_html

SCRIPT = "<script>EVIL()</script><img src=x onerror=EVIL()><b>bold</b>"
NAMES = {"student": "<img src=x onerror=EVIL()>", "notebook_path": 'autograded/"onclick="EVIL()/tiny.ipynb'}


def page(notebook: nbformat.NotebookNode, guarded: bool = True) -> BeautifulSoup:
    """The page as the formgrader makes it."""
    config = Config()
    config.HTMLExporter.template_name = "formgrade"
    config.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    if guarded:
        guard_pages(config)
    resources = {"index": 0, "total": 1, "base_url": "", "submission_id": "7", "first_name": None, "last_name": None}
    text, _ = HTMLExporter(config=config).from_notebook_node(notebook, resources={**resources, **NAMES})
    return BeautifulSoup(text, "html.parser")


def shows(data: dict[str, object], **metadata: object) -> nbformat.NotebookNode:
    return new_code_cell("shows()", outputs=[new_output("display_data", data=data, metadata=metadata)])


HOSTILE = {
    "html": shows({"text/html": SCRIPT}),
    "isolated": shows({"text/html": SCRIPT}, **{"text/html": {"isolated": True}}),
    "markdown output": shows({"text/markdown": SCRIPT}),
    "markdown cell": new_markdown_cell(SCRIPT),
    "link": new_markdown_cell("[here](javascript:EVIL())"),
    "javascript": shows({"application/javascript": "EVIL()"}),
    "widget": shows({"application/vnd.jupyter.widget-view+json": {"model_id": "</script><script>EVIL()"}}),
    "picture's size": shows({"image/png": "aGk="}, **{"image/png": {"width": "1 onerror=EVIL()"}}),
    "code": new_code_cell("'''</pre><script>EVIL()</script>'''"),
    "stream": new_code_cell("", outputs=[new_output("stream", text=SCRIPT)]),
    "error": new_code_cell("", outputs=[new_output("error", ename="E", evalue="", traceback=[SCRIPT])]),
    "tags": new_code_cell("1", metadata={"tags": ['"><script>EVIL()</script>']}),
}


def harmful(found: BeautifulSoup) -> list[str]:
    """What in a page would run that is not nbgrader's own."""
    tags = [str(tag) for tag in found.find_all("script") if "EVIL" in str(tag)]
    tags += [str(tag) for tag in found.find_all(["iframe", "object", "embed"])]
    return tags + [
        f"{name}={value}"
        for tag in found.find_all(True)
        for name, value in tag.attrs.items()
        if "EVIL" in str(value) and (name.startswith("on") or name in ("href", "src"))
    ]


@pytest.mark.parametrize("way", HOSTILE)
def test_nothing_of_a_student_runs(way: str) -> None:
    """Whichever way it comes in."""
    assert harmful(page(new_notebook(cells=[HOSTILE[way]]))) == []


@pytest.mark.parametrize("way", ["html", "markdown output", "markdown cell", "javascript", "picture's size"])
def test_it_would_run_without_the_guard(way: str) -> None:
    """In nbgrader's page as it is."""
    assert harmful(page(new_notebook(cells=[HOSTILE[way]]), guarded=False))


def test_what_is_harmless_stays() -> None:
    """Bold words, a table, a picture of its size, colours of code."""
    table = "<table><tr><td>7</td></tr></table>"
    picture = shows({"image/png": "aGk="}, **{"image/png": {"width": 20}})
    cells = [HOSTILE["html"], shows({"text/html": table}), picture, new_code_cell("def f(): pass")]
    found = page(new_notebook(cells=[*cells, new_markdown_cell("*word*")]))
    assert [tag.text for tag in found.find_all("b")] == ["bold"]
    assert found.find("td").text == "7"
    assert found.find("img", width="20") is not None
    assert found.find("span", class_="k").text == "def"
    assert "word" in [tag.text for tag in found.find_all("em")]


def test_code_that_takes_long_to_colour_is_text() -> None:
    """The lexer's time grows with the square of a line; the page must not wait for it."""
    found = page(new_notebook(cells=[new_code_cell("x" * 30_000)]))
    assert "x" * 30_000 in found.text
    assert not found.find_all("span", class_="n")


def test_verdict_keeps_its_looks() -> None:
    """Its styles pass the filter, so that the bar of points and the border's colour are there."""
    made = verdict_html(Verdict("total", Status.WRONG, 0.5, 1.0, "`total` is 7.", next_step="Look."))
    bare = BeautifulSoup(str(clean(str(made))), "html.parser")
    for before, after in zip(BeautifulSoup(made, "html.parser").find_all(True), bare.find_all(True), strict=True):
        assert _styles(after) == _styles(before)


def _styles(tag: object) -> set[str]:
    style = str(getattr(tag, "attrs", {}).get("style", ""))
    return {"".join(entry.split()) for entry in style.split(";") if entry.strip()}


def test_feedback_page_keeps_its_own_filters(tmp_path: Path) -> None:
    """Its exporter is derived from nbconvert's, whose configuration would otherwise replace its bounds on time."""
    config = Config()
    guard_pages(config)
    exporter = FeedbackExporter(config=config)
    assert exporter.filters == {}
    assert exporter.environment.filters["clean_html"] == exporter.clean_html
