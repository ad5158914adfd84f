"""The tables' numbers, against a class small enough to count by hand."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
from nbgrader.api import Gradebook

from chainrule.course import Course
from chainrule.nbgrading import course_config
from chainrule.report.tables import COLUMNS, item_table, student_table, verdict_table, write_csv
from helpers import CLASS_SCORES, FULL, TINY, graded_course, once


@pytest.fixture
def graded(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Course:
    """A copy of a course with amy (all right), bob (a known mistake) and cy (blank) graded."""
    shutil.copytree(once(tmp_path_factory, "graded", graded_course), tmp_path / "course")
    return Course((tmp_path / "course").resolve())


def table(*rows: tuple[str, str, float | None, float, str]) -> pd.DataFrame:
    """A verdict table of (student, item, points, out_of, slips)."""
    frame = pd.DataFrame(rows, columns=["student", "item", "points", "out_of", "slips"])
    return frame.assign(status="", follows="")[COLUMNS]


CLASS = table(
    ("0007", "one", 2.0, 2.0, ""),
    ("0007", "two", 0.5, 1.0, "sign"),
    ("zoë", "one", 1.0, 2.0, "half"),
    ("zoë", "two", 0.5, 1.0, "sign"),
    ("amy", "one", 0.0, 2.0, ""),
    ("amy", "two", 0.25, 1.0, "root"),
    ("corrupt", "one", None, 2.0, ""),
    ("corrupt", "two", None, 1.0, ""),
)


def test_item_table_counts() -> None:
    """Mean shares, full marks and mistakes over those who could be graded, commonest first."""
    rows = {row.item: row for row in item_table(CLASS).itertuples()}
    assert list(rows) == ["one", "two"]
    assert rows["one"].mean_share == pytest.approx((1 + 0.5 + 0) / 3)
    assert rows["two"].mean_share == pytest.approx((0.5 + 0.5 + 0.25) / 3)
    assert (rows["one"].full, rows["one"].students) == (1, 3)
    assert rows["two"].slips == "sign (2), root (1)"


def test_student_table_sums() -> None:
    """Points of what is possible; somebody without any score has no points, not zero."""
    sums = student_table(CLASS)
    assert sums.loc["0007", ["points", "out_of"]].tolist() == [2.5, 3.0]
    assert sums.loc["amy", "share"] == pytest.approx(0.25 / 3)
    assert pd.isna(sums.loc["corrupt", "points"])
    assert pd.isna(sums.loc["corrupt", "share"])


def test_tables_of_nobody() -> None:
    """An empty class gives empty tables."""
    assert item_table(CLASS.iloc[:0]).empty
    assert student_table(CLASS.iloc[:0]).empty


def test_verdict_table_holds_the_gradebook(graded: Course) -> None:
    """One row a student and item: the gradebook's points, and what the judge saw."""
    verdicts = verdict_table(graded, graded.unit(TINY))
    assert list(verdicts.columns) == COLUMNS
    points = {(row.student, row.item): row.points for row in verdicts.itertuples()}
    assert points == {(name, item): score for name, marks in CLASS_SCORES.items() for item, score in marks.items()}
    seen = {(row.student, row.item): (row.status, row.slips, row.follows) for row in verdicts.itertuples()}
    assert seen["amy", "scale"] == ("right", "", "")
    assert seen["bob", "scale"] == ("slip", "added", "")
    assert seen["bob", "total"] == ("follows", "", "scale")
    assert seen["cy", "letter"] == ("blank", "", "")


def test_scores_by_hand_count(graded: Course) -> None:
    """What a person scored in the formgrader is what the report shows."""
    config = course_config(graded.root).CourseDirectory
    with Gradebook(config.db_url, config.course_id) as gradebook:
        grade = gradebook.find_grade("letter-check", "tiny", TINY, "cy")
        grade.manual_score = 0.75
        gradebook.db.commit()
    verdicts = verdict_table(graded, graded.unit(TINY)).set_index(["student", "item"])
    assert verdicts.loc[("cy", "letter"), "points"] == 0.75


def test_csv_is_read_back(graded: Course) -> None:
    """The same rows come back, ids with leading zeros and other scripts included."""
    path = write_csv(graded, graded.unit(TINY), CLASS)
    back = pd.read_csv(path, dtype={"student": str}, keep_default_na=False, na_values={"points": [""]})
    pd.testing.assert_frame_equal(back, CLASS)
    assert path == graded.gradebook / "report" / f"{TINY}.csv"


def test_csv_is_no_formula(graded: Course) -> None:
    """An id is a student's own text, and a spreadsheet would run it."""
    path = write_csv(graded, graded.unit(TINY), CLASS.assign(student='=cmd|"/C calc"!A1'))
    assert set(pd.read_csv(path)["student"]) == {'\'=cmd|"/C calc"!A1'}


def test_full_marks_of_the_class(graded: Course) -> None:
    """On the graded class: amy has all points, and each item was right in full once or twice."""
    verdicts = verdict_table(graded, graded.unit(TINY))
    assert student_table(verdicts)["points"].to_dict() == {
        name: sum(marks.values()) for name, marks in CLASS_SCORES.items()
    }
    assert {row.item: row.full for row in item_table(verdicts).itertuples()} == {**dict.fromkeys(FULL, 2), "scale": 1}
