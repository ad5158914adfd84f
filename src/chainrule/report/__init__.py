"""A class in tables: what was scored and which mistakes were made. Numbers only; the CLI prints."""

from chainrule.report.tables import item_table, student_table, write_csv

__all__ = ["item_table", "student_table", "write_csv"]
