"""The frame that all pages share."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

STYLE = files(__package__).joinpath("style.css").read_text("utf-8")


@lru_cache(1)
def environment() -> Environment:
    """The templates of this folder; everything that is put into one is escaped, whatever its name ends in."""
    made = Environment(
        loader=PackageLoader("chainrule.pages", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["points"] = points
    return made


def points(number: float) -> str:
    """As people write points: 2, 0.5, 13.25."""
    return f"{round(number, 2) + 0:g}"


def page(title: str, body: Markup, style: str = "") -> str:
    """A whole page around `body`, which is HTML already; `style` is CSS of this kind of page alone.

    Its content security policy lets nothing load and no script run, whatever a student's text may hold.
    """
    template = environment().get_template("page.html")
    return template.render(title=title, body=body, style=Markup(STYLE + style))
