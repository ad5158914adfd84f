"""Grades of units and of the course: the gradebook's own numbers, worked out by another way or by hand."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from nbgrader.api import Gradebook

from chainrule.course import Course
from chainrule.grading.refresh import refresh
from chainrule.nbgrading import course_config
from chainrule.report.grades import COURSE_COLUMNS, NAMES, UNIT_COLUMNS, course_grades, unit_grades
from helpers import SETTINGS, TINY, graded_course, once

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")

OTHER, LAST = "92-other", "93-last"
ITEMS = """
from chainrule.items import Slip, choice
ITEMS = tuple(
    choice(name, points=points, slips=[Slip("a", '"b"', '"a"', credit=0, says="No.")])
    for name, points in (("one", 2), ("two", 8))
)
"""
DUE = datetime(2026, 10, 12, 12)
LATE = '[late]\nshare_per_day = 0.1\n[due]\n"91" = 2026-10-12T12:00:00Z\n'
NOW = DUE + timedelta(days=30)


@pytest.fixture
def course(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Course:
    """A copy of a course with amy (5 of 5), bob (4) and cy (0) graded in one unit; two more units are there."""
    shutil.copytree(once(tmp_path_factory, "graded", graded_course), tmp_path / "course")
    for unit in (OTHER, LAST):
        (tmp_path / "course" / "authoring" / unit).mkdir()
        (tmp_path / "course" / "authoring" / unit / "items.py").write_text(ITEMS)
    return Course((tmp_path / "course").resolve())


def say(course: Course, policy: str) -> None:
    (course.root / "course.toml").write_text(SETTINGS + policy, "utf-8")


def gradebook_of(course: Course) -> Gradebook:
    config = course_config(course.root).CourseDirectory
    return Gradebook(config.db_url, config.course_id)


def hand_in(course: Course, student: str, unit: str) -> None:
    (course.root / "submitted" / student / unit).mkdir(parents=True)


def put_unit(course: Course, unit: str, marks: dict[str, tuple[float | None, float | None]]) -> None:
    """A unit in the gradebook with its two items, scored so; those without a row handed nothing in."""
    with gradebook_of(course) as gradebook:
        gradebook.add_assignment(unit)
        gradebook.add_notebook("other", unit)
        for name, points in (("one", 2), ("two", 8)):
            gradebook.add_grade_cell(f"{name}-check", "other", unit, max_score=points, cell_type="code")
        for student, scores in marks.items():
            gradebook.update_or_create_student(student)
            gradebook.add_submission(unit, student)
            for name, score in zip(("one", "two"), scores, strict=True):
                gradebook.find_grade(f"{name}-check", "other", unit, student).auto_score = score
        gradebook.db.commit()


def by_student(frame: pd.DataFrame, unit: str = TINY) -> pd.DataFrame:
    return frame[frame["unit"] == unit].set_index("student")


def test_numbers_are_the_gradebooks(course: Course) -> None:
    """Scores, what is possible, lateness, penalties: as nbgrader's own API has them after grading by that policy."""
    with gradebook_of(course) as gradebook:
        for student, hours in (("amy", -1), ("bob", 30), ("cy", 0)):
            gradebook.update_or_create_submission(TINY, student, timestamp=DUE + timedelta(hours=hours))
        gradebook.find_grade("letter-check", "tiny", TINY, "cy").manual_score = 0.75
        gradebook.find_grade("half-check", "tiny", TINY, "cy").extra_credit = 2.0
        gradebook.grant_extension(TINY, "bob", hours=3)
        gradebook.db.commit()
    say(course, LATE)
    rows = by_student(unit_grades(course, NOW))
    refresh(course, course.unit(TINY), ["amy", "bob", "cy"])
    with gradebook_of(course) as gradebook:
        for work in gradebook.assignment_submissions(TINY):
            row, notebook = rows.loc[work.student.id], work.notebooks[0]
            assert row["score"] == pytest.approx(notebook.score)
            assert row["out_of"] == notebook.max_score
            assert row["seconds_late"] == work.total_seconds_late
            assert row["penalty"] == (notebook.late_submission_penalty or 0)
            assert row["final"] == pytest.approx(notebook.score - (notebook.late_submission_penalty or 0))
            assert row["handed_in"] == work.timestamp
            assert row["due"] == work.duedate
    assert rows["score"].to_dict() == {"amy": 5.0, "bob": 4.0, "cy": 2.75}
    assert rows["penalty"].to_dict() == {"amy": 0.0, "bob": 0.8, "cy": 0.0}
    assert rows["final"].to_dict() == {"amy": 5.0, "bob": 3.2, "cy": 2.75}


def test_policy_shows_at_once(course: Course) -> None:
    """Nothing is written to the gradebook, and the numbers follow course.toml."""
    with gradebook_of(course) as gradebook:
        gradebook.update_or_create_submission(TINY, "bob", timestamp=DUE + timedelta(days=3))
    finals = []
    for policy in ("", LATE, LATE.replace("0.1", "0.5"), LATE + '[extensions.bob]\nall = "3 days"\n'):
        say(course, policy)
        finals.append(by_student(unit_grades(course, NOW)).loc["bob", "final"])
    assert finals == [4.0, 2.8, 0.0, 4.0]


def test_states_and_students(course: Course) -> None:
    """Whoever the gradebook or submitted/ knows, in every unit that is known; ids stay text, names come along."""
    with gradebook_of(course) as gradebook:
        gradebook.add_student("007", first_name="Zoë", last_name="=1+1", email="z@x.org", lms_user_id="0042")
    hand_in(course, "0012", OTHER)
    hand_in(course, "a*", OTHER)  # a name that no gradebook takes
    frame = unit_grades(course, NOW)
    assert list(frame.columns) == UNIT_COLUMNS
    assert list(zip(frame["student"], frame["unit"], frame["state"], strict=True)) == [
        ("0012", TINY, "missing"),
        ("0012", OTHER, "not graded"),
        ("007", TINY, "missing"),
        ("007", OTHER, "missing"),
        *(
            (name, unit, state)
            for name in ("amy", "bob", "cy")
            for unit, state in ((TINY, "graded"), (OTHER, "missing"))
        ),
    ]
    assert frame[frame["student"] == "007"][NAMES].iloc[0].tolist() == ["Zoë", "=1+1", "z@x.org", "0042"]
    ungraded = frame[frame["state"] != "graded"]
    assert ungraded[["score", "final"]].isna().all().all()
    assert (ungraded["penalty"] == 0).all()
    assert set(frame["out_of"]) == {5.0, 10.0}
    assert course_grades(course, frame)["student"].tolist() == ["0012", "007", "amy", "bob", "cy"]


def test_missing_counts_once_it_was_due(course: Course) -> None:
    """Not before the student's own due date; where nobody said when, at once. What could not be graded never does."""
    put_unit(course, OTHER, {"amy": (2.0, 6.0), "bob": (None, None)})
    say(course, '[due]\n"92" = 2026-10-12T12:00:00Z\n[extensions.cy]\n"92" = "1 day"\n')

    def shares(now: datetime) -> dict[str, float]:
        grades = course_grades(course, unit_grades(course, now)).set_index("student")
        return dict(grades["out_of"])

    assert shares(DUE - timedelta(hours=1)) == {"amy": 15.0, "bob": 5.0, "cy": 5.0}
    with gradebook_of(course) as gradebook:
        gradebook.remove_submission(OTHER, "bob")
    assert shares(DUE + timedelta(hours=1)) == {"amy": 15.0, "bob": 15.0, "cy": 5.0}
    assert shares(DUE + timedelta(hours=25)) == {"amy": 15.0, "bob": 15.0, "cy": 15.0}
    say(course, "")
    assert shares(DUE - timedelta(hours=1)) == {"amy": 15.0, "bob": 15.0, "cy": 15.0}


def grades(course: Course, policy: str) -> dict[str, tuple[float, float, float, str]]:
    say(course, policy)
    frame = course_grades(course, unit_grades(course, NOW))
    assert list(frame.columns) == COURSE_COLUMNS
    return {row.student: (row.points, row.out_of, row.share, row.dropped) for row in frame.itertuples()}


def test_course_by_hand(course: Course) -> None:
    """Points, weights, dropping and extra credit, counted by hand: amy 5/5, 8/10; bob 4/5, 10/10; cy 0/5, nothing."""
    put_unit(course, OTHER, {"amy": (2.0, 6.0), "bob": (2.0, 8.0)})
    assert grades(course, "") == {
        "amy": (13.0, 15.0, 13 / 15, ""),
        "bob": (14.0, 15.0, 14 / 15, ""),
        "cy": (0.0, 15.0, 0.0, ""),
    }
    assert grades(course, "[grades]\ndrop_lowest = 1\n") == {
        "amy": (5.0, 5.0, 1.0, OTHER),
        "bob": (10.0, 10.0, 1.0, TINY),
        "cy": (0.0, 5.0, 0.0, OTHER),
    }
    assert grades(course, '[grades]\nweights = "equal"\n') == {
        "amy": (1.8, 2.0, 0.9, ""),
        "bob": (1.8, 2.0, 0.9, ""),
        "cy": (0.0, 2.0, 0.0, ""),
    }
    weights = '[grades.weights]\n"91" = 30\n"92" = 10\n"93" = 60\n'
    assert grades(course, weights)["amy"] == (38.0, 40.0, 0.95, "")
    assert grades(course, '[grades]\nextra_credit = ["92"]\n') == {
        "amy": (13.0, 5.0, 13 / 5, ""),
        "bob": (14.0, 5.0, 14 / 5, ""),
        "cy": (0.0, 5.0, 0.0, ""),
    }
    assert grades(course, '[grades]\nextra_credit = ["92/one"]\n')["bob"] == (14.0, 13.0, 14 / 13, "")
    both = '[grades]\ndrop_lowest = 1\nextra_credit = ["91"]\n'
    assert grades(course, both)["cy"] == (0.0, 10.0, 0.0, ""), "the last unit that is asked for stays"


def test_units_are_counted(course: Course) -> None:
    """units_graded is of what is graded, whether or not it is dropped."""
    put_unit(course, OTHER, {"amy": (2.0, 6.0)})
    say(course, "[grades]\ndrop_lowest = 1\n")
    counted = course_grades(course).set_index("student")["units_graded"]
    assert counted.to_dict() == {"amy": 2, "bob": 1, "cy": 1}


def test_nobody_and_nothing(course: Course) -> None:
    """A course without a gradebook or a student gives empty tables with all their columns."""
    shutil.rmtree(course.root / "submitted")
    shutil.rmtree(course.gradebook)
    assert list(unit_grades(course).columns) == UNIT_COLUMNS
    assert list(course_grades(course).columns) == COURSE_COLUMNS
    assert course_grades(course).empty


def test_only_what_lies_in_submitted(course: Course) -> None:
    """Before the first grading: rows of those who handed in, with what the unit's items are worth."""
    shutil.rmtree(course.gradebook)
    shutil.rmtree(course.root / "submitted")
    hand_in(course, "0012", OTHER)
    frame = unit_grades(course)
    assert frame[["student", "unit", "state", "out_of"]].to_numpy().tolist() == [["0012", OTHER, "not graded", 10.0]]
    (grade,) = course_grades(course, frame).itertuples()
    assert (grade.points, grade.out_of, grade.units_graded) == (0.0, 0.0, 0)
    assert pd.isna(grade.share)
