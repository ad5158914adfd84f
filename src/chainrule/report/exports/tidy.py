"""Tidy tables for other programs: one of items, one of units, one of the course, as CSV or as Parquet.

The CSV begins with a byte order mark: it is opened in spreadsheets, and Excel takes UTF-8 for another encoding
without one. pandas, R's readr, DuckDB and LibreOffice skip it; Python's csv does with encoding="utf-8-sig".
Parquet keeps the types and is the better choice for programs.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from chainrule.files import write_whole
from chainrule.report.defuse import defused
from chainrule.report.exports.book import Book
from chainrule.report.exports.files import Written
from chainrule.report.grades import WHO

_NUMBERS = ["score", "penalty", "final", "points", "out_of", "share", "seconds_late"]
_TIMES = ["handed_in", "due"]


def write_csv(book: Book, folder: Path) -> Written:
    """items.csv, units.csv and course.csv."""
    for name, rows in _tables(book).items():
        write_whole(folder / f"{name}.csv", csv_bytes(rows))
    return Written(folder / "{items,units,course}.csv", files=3)


def write_parquet(book: Book, folder: Path) -> Written:
    """The same three with their types; nothing is defused, since no program runs a Parquet file's text."""
    for name, rows in _tables(book).items():
        content = io.BytesIO()
        pq.write_table(pa.Table.from_pandas(rows, schema=_schema(rows), preserve_index=False), content)
        write_whole(folder / f"{name}.parquet", content.getvalue())
    return Written(folder / "{items,units,course}.parquet", files=3)


def csv_bytes(rows: pd.DataFrame) -> bytes:
    """Text in quotes, what students may have written defused, times as ISO 8601 in UTC, nothing for no number."""
    texts = {name: rows[name].map(defused, na_action="ignore") for name in WHO}
    times = {name: rows[name].dt.strftime("%Y-%m-%dT%H:%M:%SZ") for name in _TIMES if name in rows}
    table: str = rows.assign(**texts, **times).to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    return table.encode("utf-8-sig")


def _tables(book: Book) -> dict[str, pd.DataFrame]:
    return {"items": book.of_items, "units": book.of_units, "course": book.of_course}


def _schema(rows: pd.DataFrame) -> pa.Schema:
    kinds = dict.fromkeys(_NUMBERS, pa.float64()) | dict.fromkeys(_TIMES, pa.timestamp("us", tz="UTC"))
    kinds["units_graded"] = pa.int64()
    if "unit" in rows:  # in the course's table, `dropped` names the units
        kinds["dropped"] = pa.bool_()
    return pa.schema([(name, kinds.get(name, pa.string())) for name in rows])
