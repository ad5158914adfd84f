"""A class of six in two units, as hard to export as may be, with its scores put into the gradebook directly."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from chainrule.build import build
from chainrule.course import TEST, Course, Unit
from chainrule.grading.record import Writer, prepare
from chainrule.grading.remark import Remark
from chainrule.grading.worker import Graded
from chainrule.judge import Verdict
from chainrule.judge.verdict import Status
from chainrule.nbgrading import course_config
from helpers import SETTINGS, TINY, once, write_course

MORE = "92-more"
UNITS = (TINY, MORE)
POLICY = """
[late]
share_per_day = 0.1

[due]
"92" = 2026-10-12T23:59:00+02:00
"""
IN_TIME = datetime(2026, 10, 11, 10)
LATE = datetime(2026, 10, 13, 10)  # UTC: a day begun after 92-more was due
SAYS = 'It says "<b>1 < 2</b>\\" and\nends in \\'

# id: first name, last name, e-mail address, LMS id
STUDENTS = {
    "007": ("Zoë", "Ångström", "zoe@x.org", None),
    "=1+1": (None, 'O"Neill, Jr.', "=cmd@x.org", "0815"),
    "+49": ("Two\nlines", "Smith;=2+3", "plus@x.org", None),
    "@at": ("-minus", "'t Hooft", "at@x.org", None),
    "李雷": ("雷", "李", None, None),
    "0012": ("Points Possible", "=HYPERLINK(0)", "twelve@x.org", None),
}
# points by item; None: handed in, not graded. Who is not here handed nothing in.
MARKS: dict[tuple[str, str], dict[str, float] | None] = {
    ("007", TINY): {"scale": 2.0, "half": 1.0, "total": 1.0, "letter": 1.0},
    ("007", MORE): {"scale": 1.33, "half": 0.5, "total": 1.0, "letter": 0.0},
    ("=1+1", TINY): {"scale": 1.0, "half": 0.33, "total": 1.0, "letter": 0.0},
    ("=1+1", MORE): {"scale": 2.0, "half": 0.0, "total": 0.5, "letter": 1.0},
    ("+49", TINY): {"scale": 0.0, "half": 0.0, "total": 0.0, "letter": 0.0},
    ("@at", TINY): None,
    ("李雷", TINY): {"scale": 1.0, "half": 1.0, "total": 0.0, "letter": 0.0},
    ("李雷", MORE): None,
}
BY_HAND = ("李雷", TINY, "letter", 0.75)  # a person's mark, before ours
FINALS = {
    ("007", TINY): 5.0,
    ("007", MORE): 2.547,  # 2.83 less a tenth
    ("=1+1", TINY): 2.33,
    ("=1+1", MORE): 3.5,
    ("+49", TINY): 0.0,
    ("李雷", TINY): 2.75,
}
OUT_OF = 5.0


def hard_class(root: Path) -> None:
    """The course with its gradebook and autograded notebooks."""
    for name in UNITS:
        course = write_course(root, name=name)
    (root / "course.toml").write_text(SETTINGS + POLICY, "utf-8")
    config = course_config(root).CourseDirectory
    for name in UNITS:
        unit = course.unit(name)
        build(course, unit)
        (root / "staging").mkdir()
        prepare(course, unit, root / "staging")
        shutil.rmtree(root / "staging")
        with Writer(course, unit) as writer:
            writer.write([outcome(unit, student, marks) for (student, of), marks in MARKS.items() if of == name])
    with Gradebook(config.db_url, config.course_id) as gradebook:
        for student, (first, last, email, lms) in STUDENTS.items():
            gradebook.update_or_create_student(student, first_name=first, last_name=last, email=email, lms_user_id=lms)
        student, name, item, points = BY_HAND
        gradebook.find_grade(item + TEST, course.unit(name).notebook, name, student).manual_score = points
        gradebook.db.commit()


def outcome(unit: Unit, student: str, marks: Mapping[str, float] | None) -> Graded:
    """What a worker hands over of one submission."""
    if marks is None:
        return Graded(student, 1.0, refused=Remark("corrupt-notebook", "tiny.ipynb", "It is empty."))
    verdicts = [
        Verdict(item.id, *judged(marks[item.id], item.points), item.points, SAYS).to_json()
        for item in unit.items.values()
    ]
    notes = {"verdicts": verdicts, "remarks": []}
    notebook = json.dumps({"cells": [], "metadata": {"chainrule": notes}, "nbformat": 4, "nbformat_minor": 5})
    return Graded(
        student,
        1.0,
        scores={item + TEST: points for item, points in marks.items()},
        comments={},
        late_penalty=0.0,
        timestamp=LATE if student == "007" else IN_TIME,
        autograded=((f"{unit.notebook}.ipynb", notebook.encode()),),
        feedback=(("page.html", b""),),
    )


def judged(points: float, out_of: float) -> tuple[Status, float]:
    return (Status.RIGHT if points == out_of else Status.PARTLY if points else Status.WRONG), points


def copy_of_class(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Course:
    """A copy of the class's course, to do with as a test likes."""
    shutil.copytree(once(tmp_path_factory, "hard-class", hard_class), folder)
    return Course(folder.resolve())


def gradebook_scores(course: Course) -> dict[tuple[str, str, str], float]:
    """By student, unit and item, what nbgrader's own rule makes of the gradebook's tables."""
    query = """
        SELECT w.student_id, a.name, c.name, COALESCE(g.manual_score, g.auto_score) + COALESCE(g.extra_credit, 0)
        FROM grade g JOIN base_cell c ON c.id = g.cell_id JOIN submitted_notebook n ON n.id = g.notebook_id
        JOIN submitted_assignment w ON w.id = n.assignment_id JOIN assignment a ON a.id = w.assignment_id
        WHERE g.manual_score IS NOT NULL OR g.auto_score IS NOT NULL
    """
    with closing(sqlite3.connect(course.gradebook / "gradebook.db")) as gradebook:
        return {(who, unit, cell.removesuffix(TEST)): points for who, unit, cell, points in gradebook.execute(query)}


def state_of(student: str, unit: str) -> str:
    """What the exports call it."""
    if (student, unit) not in MARKS:
        return "missing"
    return "not graded" if MARKS[student, unit] is None else "graded"
