"""HTML that students wrote, down to tags and attributes that do no harm to who reads it or to the page around it.

A student's HTML keeps no id, no class of the page's own and no colour: it can neither pass for a part of the page nor
be unreadable on a dark ground. A heading becomes a paragraph that looks like one, so that the page's own headings
stay an outline.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from bleach.css_sanitizer import ALLOWED_CSS_PROPERTIES, CSSSanitizer
from bleach.html5lib_shim import Filter
from bleach.sanitizer import Cleaner

from chainrule.grading.feedback.bounds import KEPT, MAX_TEXT, SHORT, as_text

MAX_TAGS, MAX_ATTRIBUTES = 30, 2000  # beside a table's own, and in one tag, in HTML that is not short
MAX_REPEATED = 50_000  # elements that the parser may make of those that it opens again in each other (<b>, <i>)

TAGS = frozenset(
    re.findall(
        r"\w+",
        "a abbr b blockquote br caption center cite code col colgroup dd del details div dl dt em figcaption figure "
        "h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp small span strong sub summary sup table tbody td "
        "tfoot th thead tr tt u ul var",
    )
)
# allowed for the parser's sake, so that they leave with all that they hold
DROPPED = frozenset(
    {
        "script",
        "style",
        "iframe",
        "object",
        "embed",
        "noscript",
        "template",
        "title",
        "textarea",
        "select",
        "svg",
        "math",
    }
)
ATTRIBUTES = frozenset(
    re.findall(
        r"\w+",
        "align alt border cellpadding cellspacing colspan height lang open rowspan scope span start title valign width",
    )
)
# pandas', those of colours of code, a verdict's
CLASSES = re.compile(r"(\s|chainrule|dataframe|highlight|hl-\w+|err|hll|\b[a-z]{1,2}\b)*")
COLOURS = frozenset(name for name in ALLOWED_CSS_PROPERTIES if "color" in name) | {"border", "border-left"}
STYLES = (ALLOWED_CSS_PROPERTIES - COLOURS - {"overflow"}) | {"border-collapse", "margin", "max-width", "padding"}


def clean(text: str, colours: bool = False, keep: bool = True) -> str:
    """HTML with the allowed tags and attributes alone. What is too long or too deep is shown as text.

    `colours`: keep those. `keep`: the result, for texts that may come again.
    """
    text = str(text)
    if len(text) > MAX_TEXT or len(OPENED_AGAIN.findall(text)) * text.count("<") > MAX_REPEATED:
        return as_text(text)
    if len(text) <= SHORT:
        return _kept_clean(text, colours) if keep else _clean(text, colours)
    # the parser's time grows with the elements that are open at once, a table's own are few; and with attributes
    if (
        len(NO_TABLE.findall(text)) > MAX_TAGS
        or max(len(ENDS_A_NAME.findall(tag)) for tag in text.split("<")) > MAX_ATTRIBUTES
    ):
        return as_text(text)
    return _clean(text, colours)


OPENED_AGAIN = re.compile(r"<(?:a|b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)\b", re.IGNORECASE)
ENDS_A_NAME = re.compile(r"[\s/'\"=]")
NO_TABLE = re.compile(r"<(?!/?(?:table|thead|tbody|tr|th|td)\b)", re.IGNORECASE)


def _clean(text: str, colours: bool) -> str:
    try:
        cleaned = str(_cleaner(colours).clean(text))
    except Exception:  # nested too deeply, as a rule
        return as_text(text)
    # the corner of a pandas table: a header of nothing
    return EMPTY_HEADER.sub(r"<td\1></td>", cleaned)


_kept_clean = lru_cache(KEPT)(_clean)
EMPTY_HEADER = re.compile(r"<th((?:\s[^<>]*)?)>\s*</th>")


def _allowed(tag: str, name: str, value: str) -> bool:
    """Whether a tag keeps an attribute; that an address is one of a web page or a mail's is for bleach to see."""
    if name == "href":
        return tag == "a" and not value.lstrip().lower().startswith("data:")
    if name == "src":  # nothing is loaded, so a picture is in the page or it is not there
        return tag == "img" and IMAGE_DATA.match(value) is not None
    if name == "class":
        return CLASSES.fullmatch(value) is not None
    if name == "style":  # which loads nothing, neither plainly nor by CSS's escapes
        return "url" not in value.lower() and "\\" not in value
    return name in ATTRIBUTES


IMAGE_DATA = re.compile(r"data:image/(png|jpeg|gif|webp|svg\+xml);", re.IGNORECASE)
HEADING = re.compile(r"h[1-6]")


class Harmless(Filter):  # type: ignore[misc]
    """Takes out the elements that no page needs, with all that they hold; fits the others into the page."""

    def __iter__(self) -> Iterator[Any]:
        inside: list[str] = []
        for token in super().__iter__():
            kind, name = token["type"], token.get("name")
            if kind == "StartTag" and (inside or name in DROPPED):
                inside.append(name)
            elif kind == "EndTag" and inside:
                inside.pop()
            elif not inside and not (kind == "EmptyTag" and name in DROPPED):
                yield _fitted(token) if kind in ("StartTag", "EndTag", "EmptyTag") else token


def _fitted(token: Any) -> Any:
    """A tag as it may stand in the page: no heading, no picture without words, in which no other tag seems to be."""
    name, data = token["name"], token.get("data") or {}
    for attribute, value in data.items():  # so that who looks for tags with a pattern finds them whole
        data[attribute] = value.replace("<", " ").replace(">", " ")
    if HEADING.fullmatch(name):
        token = {**token, "name": "p"}
        if token["type"] == "StartTag":
            token["data"] = {(None, "class"): f"heading level-{name[1]}"}
    elif name == "img" and (None, "alt") not in data:
        data[(None, "alt")] = "No description has been provided for this image"
    return token


@lru_cache(2)
def _cleaner(colours: bool) -> Cleaner:
    return Cleaner(
        tags=TAGS | DROPPED,
        attributes=_allowed,
        protocols={"http", "https", "mailto", "data"},
        strip=True,
        filters=[Harmless],
        css_sanitizer=CSSSanitizer(allowed_css_properties=STYLES | COLOURS if colours else STYLES),
    )
