"""The feedback page of one submission. Start reading at exporter.py."""

from chainrule.grading.feedback.exporter import FeedbackExporter
from chainrule.grading.feedback.making import FeedbackPage, Grades

__all__ = ["FeedbackExporter", "FeedbackPage", "Grades"]
