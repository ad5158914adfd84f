"""Pages that people open in a browser: one look, one frame, whole in one file, nothing loaded from anywhere."""

from chainrule.pages.frame import STYLE, environment, page

__all__ = ["STYLE", "environment", "page"]
