"""What verify found, as the table in docs/verified.md, with each unit's version so that staleness shows."""

from __future__ import annotations

import re
from collections.abc import Mapping

from chainrule.course import Unit
from chainrule.verify import ItemReport

HEAD = """# What verify measured

Written by `chainrule verify --write docs/verified.md`; a test says when it is stale.

- **slips**: known mistakes of the item; each loses its marks and is named.
- **equivalents**: other right ways; each earns full marks.
- **cases**: fresh cases that were drawn; each set of them tells every slip from the solution.
- **noise margin**: how many times the tolerance is wider than the spread of right answers, float32 included.
- **signal margin**: how many tolerances away the nearest slip is. Both must be 10 or more.
"""


def markdown(found: Mapping[Unit, list[ItemReport]], before: str = "") -> str:
    """One table a unit, and the sums over all. Units of the document `before` that were not measured now stay."""
    tables = dict(re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", before, re.MULTILINE | re.DOTALL))
    tables |= {unit.name: _table(unit, reports) for unit, reports in found.items()}
    rows = [line.split("|") for table in tables.values() for line in table.splitlines() if line.startswith("| ")]
    numbers = [(int(cells[3]), int(cells[4])) for cells in rows if cells[3].strip().isdigit()]
    slips, same = (sum(pair[i] for pair in numbers) for i in (0, 1))
    total = f"{len(numbers)} items, {slips} slips named, {same} equivalents at full marks.\n"
    return "\n".join([HEAD, total, *(f"## {name}\n{tables[name].rstrip()}\n" for name in sorted(tables))])


def _table(unit: Unit, reports: list[ItemReport]) -> str:
    head = [
        "| item | points | slips | equivalents | cases | noise margin | signal margin |",
        "|---|---|---|---|---|---|---|",
    ]
    return "\n".join(["", version_line(unit), "", *head, *(row(report) for report in reports), ""])


def version_line(unit: Unit) -> str:
    """The unit's version as it stands in the document."""
    return f"Version `{unit.version}`."


def row(report: ItemReport) -> str:
    cells = (
        report.item,
        f"{report.points:g}",
        f"{report.slips_named}",
        f"{report.same_full}",
        str(report.draws or "judged by bounds"),
        margin(report.noise_margin),
        margin(report.signal_margin),
    )
    return f"| {' | '.join(cells)} |"


def margin(number: float | None) -> str:
    """A margin with as many digits as it is good for."""
    if number is None:
        return "-"
    return "exact" if number == float("inf") else f"{number:.3g}" if number < 1e6 else "> 1e6"
