"""nbgrader's configuration of this course. The kit's own settings are in course.toml."""

from pathlib import Path

from chainrule.grading import configure

c = get_config()  # noqa: F821  (nbgrader provides it)
configure(c, Path(__file__).resolve().parent)
