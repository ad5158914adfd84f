"""chainrule: nine auto-graded assignments on the forward and backward pass, and their autograder."""

__version__ = "0.1.0"
