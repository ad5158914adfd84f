"""What there is to grade follows from content alone: files, the unit's version, the kit's, and the gradebook."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from chainrule.course import Course, Unit
from chainrule.errors import CourseError
from chainrule.grading import database, submission
from chainrule.grading.plan import Planned, fingerprint, notes_of, plan
from chainrule.grading.submission import read_files
from helpers import TINY, graded_course, once, solved, submit


@pytest.fixture
def graded(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Course:
    """A copy of a course with amy, bob and cy graded."""
    shutil.copytree(once(tmp_path_factory, "graded", graded_course), tmp_path / "course")
    return Course((tmp_path / "course").resolve())


def todo(course: Course, **how: object) -> tuple[str, ...]:
    return plan(course, course.unit(TINY), **how).todo  # type: ignore[arg-type]


def test_nothing_to_do_where_nothing_changed(graded: Course) -> None:
    """All three are unchanged, without remarks."""
    assert plan(graded, graded.unit(TINY)) == Planned((), {"amy": (), "bob": (), "cy": ()})


def test_everything_is_new_where_nothing_was_graded(own: Course) -> None:
    """A first grading takes everyone, in order; a course without submissions has nobody."""
    unit = own.unit(TINY)
    assert plan(own, unit) == Planned((), {})
    for student in ("zoe", "0007", "amy"):
        submit(own, unit, student, solved(unit))
    assert todo(own) == ("0007", "amy", "zoe")


def edit_notebook(course: Course) -> None:
    path = course.root / "submitted" / "bob" / TINY / "tiny.ipynb"
    path.write_text(path.read_text() + "\n")


def add_file(course: Course) -> None:
    (course.root / "submitted" / "bob" / TINY / "data.csv").write_text("1")


def remove_file(course: Course) -> None:
    (course.root / "submitted" / "bob" / TINY / "check.py").unlink()


def rename_file(course: Course) -> None:
    folder = course.root / "submitted" / "bob" / TINY
    (folder / "check.py").rename(folder / "check2.py")


def lose_autograded(course: Course) -> None:
    (course.root / "autograded" / "bob" / TINY / "tiny.ipynb").unlink()


def damage_autograded(course: Course) -> None:
    path = course.root / "autograded" / "bob" / TINY / "tiny.ipynb"
    path.write_text(path.read_text()[:100])


def empty_score(course: Course) -> None:
    query = """
        update grade set auto_score = null where id in (
            select grade.id from grade
            join submitted_notebook on submitted_notebook.id = grade.notebook_id
            join submitted_assignment on submitted_assignment.id = submitted_notebook.assignment_id
            where submitted_assignment.student_id = 'bob' limit 1)
    """
    with closing(sqlite3.connect(course.gradebook / "gradebook.db")) as gradebook:
        assert gradebook.execute(query).rowcount == 1
        gradebook.commit()


@pytest.mark.parametrize(
    "change", [edit_notebook, add_file, remove_file, rename_file, lose_autograded, damage_autograded, empty_score]
)
def test_exactly_the_changed_one_is_graded_again(graded: Course, change: Callable[[Course], None]) -> None:
    """A change of one student's files or results concerns that student alone."""
    change(graded)
    assert todo(graded) == ("bob",)


def test_times_do_not_count(graded: Course) -> None:
    """A copied or touched submission is the same submission; Jupyter's checkpoints are none of it."""
    folder = graded.root / "submitted" / "bob" / TINY
    (folder / "tiny.ipynb").touch()
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "tiny-checkpoint.ipynb").write_text("{}")
    assert todo(graded) == ()


def test_a_changed_unit_is_graded_anew_for_all(graded: Course) -> None:
    """Another items.py or another instructor's notebook is another version of the unit."""
    path = graded.authoring / TINY / "items.py"
    path.write_text(path.read_text() + "# a comment\n")
    changed = Unit(graded.root, TINY, graded.unit(TINY).items)
    assert plan(graded, changed).todo == ("amy", "bob", "cy")


def test_another_kit_grades_anew(graded: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new version of the kit may judge otherwise."""
    monkeypatch.setattr(submission, "__version__", "99")
    assert todo(graded) == ("amy", "bob", "cy")


def test_fresh_and_named_students(graded: Course) -> None:
    """`fresh` takes the unchanged, too; naming students leaves the others out."""
    assert todo(graded, fresh=True) == ("amy", "bob", "cy")
    assert todo(graded, fresh=True, students=["cy"]) == ("cy",)
    edit_notebook(graded)
    assert todo(graded, students=["amy"]) == ()


def test_student_who_handed_in_nothing(graded: Course) -> None:
    """A name without a submission is an error that says where it was looked for."""
    with pytest.raises(CourseError, match=f"no submission of nobody.*submitted/nobody/{TINY}"):
        todo(graded, students=["amy", "nobody"])


def test_lost_gradebook_grades_everyone_again(graded: Course) -> None:
    """Autograded notebooks without scores are not enough; neither is an empty gradebook."""
    (graded.gradebook / "gradebook.db").unlink()
    assert todo(graded) == ("amy", "bob", "cy")
    (graded.gradebook / "gradebook.db").touch()
    assert todo(graded) == ("amy", "bob", "cy")


def test_corrupt_gradebook_is_refused(graded: Course) -> None:
    """It is named, left as it is, and the way out is said."""
    path = graded.gradebook / "gradebook.db"
    path.write_bytes(b"this is no database" * 1000)
    before = path.read_bytes()
    with pytest.raises(CourseError, match="put your backup back"):
        todo(graded)
    assert path.read_bytes() == before


def test_locked_gradebook_is_not_taken_for_an_empty_one(graded: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who writes for too long is named as the reason; nobody is graded again because of it."""
    monkeypatch.setattr(database, "WAIT", 0)
    monkeypatch.setattr(database, "STEP", 0)
    with closing(sqlite3.connect(graded.gradebook / "gradebook.db")) as writer:
        writer.execute("begin exclusive")
        with pytest.raises(CourseError, match="locked"):
            todo(graded)


def test_notes_of_what_was_graded(graded: Course) -> None:
    """Notes are read from the autograded notebook; a student without one, or a plain notebook, has none."""
    unit = graded.unit(TINY)
    notes = notes_of(graded, unit, "bob")
    assert notes is not None
    assert [verdict["slips"] for verdict in notes["verdicts"]] == [["added"], [], [], []]
    assert notes_of(graded, unit, "nobody") is None
    path = graded.root / "autograded" / "bob" / TINY / "tiny.ipynb"
    for damage in ("[]", '{"metadata": []}', '{"metadata": {"chainrule": 7}}', json.dumps({"metadata": {}})):
        path.write_text(damage)
        assert notes_of(graded, unit, "bob") is None, damage


def test_fingerprint_follows_no_link(own: Course, tmp_path: Path) -> None:
    """What a link points to is not part of a submission, and its change is no change."""
    unit = own.unit(TINY)
    folder = submit(own, unit, "amy", solved(unit))
    before = fingerprint(unit, folder)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").write_text("1")
    (folder / "file").symlink_to(tmp_path / "elsewhere" / "file")
    (folder / "folder").symlink_to(tmp_path / "elsewhere")
    assert fingerprint(unit, folder) == before
    assert {name for name, _ in read_files(folder)} == {"tiny.ipynb", "check.py", "check_data.json"}


def test_fingerprint_tells_names_from_contents(own: Course) -> None:
    """Two files that swap their contents are another submission."""
    unit = own.unit(TINY)
    folder = submit(own, unit, "amy", solved(unit))
    (folder / "a").write_text("1")
    (folder / "b").write_text("2")
    before = fingerprint(unit, folder)
    (folder / "a").write_text("2")
    (folder / "b").write_text("1")
    assert fingerprint(unit, folder) != before
