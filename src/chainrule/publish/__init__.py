"""Units as web pages: clean fragments for a content management system, whole pages, and an index over them."""

from chainrule.publish.site import publish

__all__ = ["publish"]
