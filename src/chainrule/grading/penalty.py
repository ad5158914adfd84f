"""What late work costs: course.toml's [late] as nbgrader's plugin, and the plugin's word on a submission."""

from __future__ import annotations

from types import SimpleNamespace

from nbgrader.plugins import BasePlugin
from nbgrader.preprocessors import AssignLatePenalties
from traitlets import Float, Integer
from traitlets.config import Config

from chainrule.policy import Late


class LatePolicy(BasePlugin):  # type: ignore[misc]
    """Penalties by course.toml. `configure` sets it up, so that a worker needs no more than its configuration."""

    share_per_day = Float(Late().share_per_day, help="share of the score for each day begun").tag(config=True)
    share_at_most = Float(Late().share_at_most, help="the largest such share").tag(config=True)
    grace_minutes = Float(Late().grace_minutes, help="lateness up to which nothing is lost").tag(config=True)
    closed_after_days = Integer(None, allow_none=True, help="days after which all is lost").tag(config=True)

    def late_submission_penalty(self, student_id: str, score: float, total_seconds_late: float) -> float | None:
        """Points lost; None for none. nbgrader counts the seconds from the due date with the student's extension."""
        late = Late(self.share_per_day, self.share_at_most, self.grace_minutes, self.closed_after_days)
        return late.penalty(score, total_seconds_late) or None


class Penalties:
    """The configured plugin's, whosever that is, as nbgrader's own step assigns them."""

    def __init__(self, config: Config) -> None:
        self._step = AssignLatePenalties(config=config)
        self._step.init_plugin()

    def penalty(self, student: str, score: float, seconds_late: float) -> float | None:
        """Points lost of a score, from 0 to all of it; None where no penalty is assigned."""
        if seconds_late <= 0:
            return None
        penalty = self._step.plugin_inst.late_submission_penalty(student, score, seconds_late)
        return None if penalty is None else float(self._step._check_late_penalty(SimpleNamespace(score=score), penalty))
