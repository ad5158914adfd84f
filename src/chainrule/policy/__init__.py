"""When work is due, what lateness costs, and how units add up to a grade: what course.toml says of it."""

from chainrule.policy.read import read_late, read_policy
from chainrule.policy.rules import Counting, Extension, Late, Policy

__all__ = ["Counting", "Extension", "Late", "Policy", "read_late", "read_policy"]
