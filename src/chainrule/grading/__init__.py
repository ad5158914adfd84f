"""From submissions to the gradebook. `configure` sets nbgrader up, for its own commands and for ours."""

from chainrule.grading.config import configure

__all__ = ["configure"]
