"""The judge: from evidence to verdicts. Start reading at unit.py."""

from chainrule.judge.unit import judge_item, judge_unit
from chainrule.judge.verdict import Status, Verdict

__all__ = ["Status", "Verdict", "judge_item", "judge_unit"]
