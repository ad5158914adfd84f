"""Pictures as SVG that stands in a page: its colours are the page's, its text is text, nothing in it is loaded."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

import numpy as np
from markupsafe import Markup, escape
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

# colours that matplotlib writes and the page replaces by its own, which change with light and dark
INK, QUIET, LINE, BAR, MARK = "#010203", "#020304", "#030405", "#040506", "#050607"
COLOURS = {INK: "--ink", QUIET: "--quiet", LINE: "--line", BAR: "--accent", MARK: "--ink"}
STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "chainrule",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.edgecolor": LINE,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "text.color": INK,
}
BINS = 10
SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"


def bins(shares: Sequence[float]) -> list[int]:
    """How many shares lie in each tenth; the last holds 100 % and what is above it, the first what is below 0."""
    found = np.clip((np.asarray(shares, dtype=float) * BINS + 1e-9).astype(int), 0, BINS - 1)
    return [int(count) for count in np.bincount(found, minlength=BINS)]


def histogram(name: str, title: str, shares: Sequence[float], median: float | None) -> Markup:
    """Students by their share of the points, in tenths. `name` is the picture's own in its page."""
    counts = bins(shares)
    with rc_context(STYLE):
        figure = Figure(figsize=(3.4, 2.0), layout="constrained")
        axes = figure.add_subplot()
        axes.bar(np.arange(BINS) * 100 / BINS, counts, width=94 / BINS, align="edge", color=BAR, edgecolor="none")
        if median is not None:
            axes.axvline(100 * min(max(median, 0.0), 1.0), color=MARK, linestyle="--", linewidth=1.5)
        axes.set_xlim(0, 100)
        axes.set_xticks([0, 25, 50, 75, 100])
        axes.set_xlabel("share of the points")
        axes.xaxis.set_major_formatter(PercentFormatter(decimals=0))
        _count_axis(axes, max(counts))
        said = ", ".join(
            f"{count} from {10 * tenth} to {10 * tenth + 10} %" for tenth, count in enumerate(counts) if count
        )
        middle = "" if median is None else f" The dashed line is the median, {median:.0%}."
        return _svg(figure, name, title, f"Students by their share of the points: {said or 'none'}.{middle}")


def trend(name: str, title: str, attempts: Sequence[int], shares: Sequence[float]) -> Markup:
    """Mean share by attempt: one point for each."""
    with rc_context(STYLE):
        figure = Figure(figsize=(4.6, 2.4), layout="constrained")
        axes = figure.add_subplot()
        axes.plot(attempts, [100 * share for share in shares], color=BAR, marker="o", linewidth=2)
        axes.set_ylim(0, 103)
        axes.yaxis.set_major_formatter(PercentFormatter(decimals=0))
        axes.set_xlabel("submission")
        axes.set_ylabel("mean share")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
        said = ", ".join(f"{share:.0%} at submission {n}" for n, share in zip(attempts, shares, strict=True))
        return _svg(figure, name, title, f"Mean share of the points: {said}.")


def _count_axis(axes: Axes, most: int) -> None:
    axes.set_ylim(0, max(1, most) * 1.05)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=4))
    axes.set_ylabel("students")


def _svg(figure: Figure, name: str, title: str, described: str) -> Markup:
    """The figure as an <svg> element; its ids begin with `name`, which no other picture of the page has."""
    figure.patch.set_visible(False)
    for axes in figure.axes:
        axes.patch.set_visible(False)
    FigureCanvasSVG(figure)
    file = io.BytesIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    root = ElementTree.fromstring(file.getvalue())
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{{{SVG}}}metadata", f"{{{SVG}}}style"):
                parent.remove(child)
    for element in root.iter():
        if "id" in element.attrib:
            element.set("id", f"{name}-{element.get('id')}")
    for length in ("width", "height"):
        root.attrib.pop(length, None)
    with_names = {"role": "img", "aria-labelledby": f"{name}-title {name}-desc"}
    for key, entry in with_names.items():
        root.set(key, entry)
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", XLINK)
    text = ElementTree.tostring(root, encoding="unicode")
    text = re.sub(r"""(url\(#|href="#)""", rf"\g<1>{name}-", text)
    text = re.sub(r"font-family: [^;\"]*;? ?", "", text)  # it is the page's
    for colour, variable in COLOURS.items():
        text = text.replace(colour, f"var({variable})")
    names = f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-desc">{escape(described)}</desc>'
    head, mark, rest = text.partition(">")
    return Markup(head + mark + names + rest)
