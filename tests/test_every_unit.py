"""nbgrader's command, the formgrader's button and `chainrule grade` agree on every unit. Long: `pytest -m slow`."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory

from chainrule.course import Course
from chainrule.demo.run import make_course
from chainrule.demo.students import mixture, solution
from chainrule.grading.pool import grade_unit
from chainrule.nbgrading import course_config
from helpers import HOME, scores, submit
from test_end_to_end import nbgrader

UNITS = [unit.name for unit in Course(HOME).units()]

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")]


@pytest.mark.parametrize("name", UNITS)
def test_three_ways_give_the_same_scores(name: str, tmp_path: Path) -> None:
    """A student with all right by the command, one with slips by the button, both by `chainrule grade`."""
    here = make_course(Course(HOME), tmp_path / "chainrule")
    unit, rng = here.unit(name), np.random.default_rng(7)
    students = [solution(unit, "amy", rng), mixture(unit, "bob", rng)]
    for student in students:
        submit(here, unit, student.name, student.text)
    (here.gradebook / "secret").write_text("5e" * 32 + "\n")
    shutil.copytree(here.root, tmp_path / "nbgrader")
    there = Course(tmp_path / "nbgrader")

    grade_unit(here, unit, jobs=2)
    nbgrader(there.root, "generate_assignment", name, "--force")
    nbgrader(there.root, "autograde", name, "--student", "amy")
    config = course_config(there.root)
    done = NbGraderAPI(CourseDirectory(config=config), config=config).autograde(name, "bob")
    assert done["success"], done
    for student in students:
        ours = scores(here, unit, student.name)
        assert ours == student.points
        assert scores(there, there.unit(name), student.name) == ours
    assert students[1].slips
