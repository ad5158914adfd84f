"""Bounds in size and time for what students wrote, on its way into a page.

The filters for colours, code, markdown and HTML take time that grows with the square of some texts. What is larger
than a bound, or takes longer, is shown as the plain text that it is.
"""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape

MAX_TEXT = 100_000  # characters of one text, more are cut; a pandas table of 60 rows has some 20,000
KEPT = 1024  # texts kept of each kind, none longer than SHORT: the course's own fit many times over
# What is passed to a filter at all: at these sizes, the worst texts known take about a second each.
SHORT = 20_000  # characters of code, of coloured text, and of HTML that is more than a table
MAX_MARKDOWN = 10_000
MAX_LINE, MAX_GAP = 1000, 200  # characters of a line of code, and of the white space between two words of it
MAX_COLOURS = 2000  # changes of colour in one text
TEXT_SECONDS = 2.0  # of processor time for one text, where it can be stopped
PAGE_SECONDS = 20.0  # and for all of a page; what comes later is plain


def cut(text: str) -> str:
    """The beginning of a text that is very long, with a word on what is left out."""
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}\n... and {len(text) - MAX_TEXT} characters more"


def as_text(text: str) -> str:
    """The beginning of a text, as it was written."""
    return f"<pre>{escape(cut(text))}</pre>"


def is_tame(code: str) -> bool:
    """Whether code is none of what takes long to highlight: patterns try each line from each of its places."""
    return (
        len(code) <= SHORT
        and max(map(len, code.splitlines()), default=0) <= MAX_LINE
        and max(map(len, re.findall(r"\s+", code)), default=0) <= MAX_GAP
    )


class TooSlow(BaseException):
    """A filter was stopped. No Exception, so that no library takes it for a fault of its own."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raises TooSlow in a body that takes more processor time; signals reach the main thread alone, so only there."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    running = True

    def stop(*_: object) -> None:
        if running:
            raise TooSlow

    before = signal.signal(signal.SIGVTALRM, stop)
    # again and again: what is raised while an object is deleted goes nowhere
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, 0.1)
    try:
        yield
    finally:
        running = False
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
