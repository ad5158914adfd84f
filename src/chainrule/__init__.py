"""chainrule: nine auto-graded assignments on the forward and backward pass, and their autograder."""

import sys

__version__ = "0.1.0"

# jsonschema looks for it, to check a form of address that no notebook has; to load it takes longer than all else
# together. Without it that one check is left out.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
