"""From submissions to the gradebook. `configure` sets nbgrader up, for its own commands and for ours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from traitlets.config import Config

__all__ = ["configure"]


def configure(c: Config, root: Path) -> None:
    """Set nbgrader up so that `nbgrader autograde` and the formgrader grade in the sandbox, judged outside."""
    from chainrule.grading.config import configure as set_up  # loads numpy, which not all of this package needs

    set_up(c, root)
