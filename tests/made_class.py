"""A class of twelve in three small units whose every mark is written down here: nothing is run, and nothing judged.

For what the report says of a class; ids and names are such as nobody wants to meet in HTML or in a spreadsheet.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook

from chainrule.build import build
from chainrule.course import TEST, Course, Unit
from chainrule.grading.record import Writer, prepare
from chainrule.grading.remark import Remark
from chainrule.grading.worker import Graded
from chainrule.nbgrading import course_config
from helpers import SETTINGS, solved, write_course

UNITS = ("91-tiny", "92-more", "93-last")
DUE = datetime(2026, 3, 1, 12)
POLICY = """
[late]
share_per_day = 0.1

[due]
"91-tiny" = 2026-03-01T12:00:00Z
"""
STUDENTS = ("0007", "=cmd", "<b>eve", "amy", "bob", "cy", "dan", "fay", "gus", "hal", "ida", "zoë")
NAMES = {"0007": ("James", "Bond"), "<b>eve": ("Eve", "<script>document.title='ran'</script>"), "zoë": ("Zoë", "Łąka")}

# by item: verdict's status, slips, follows, share of the points. Items: scale (2 points), half, total, letter (1 each)
RIGHT: dict[str, Any] = {name: ("right", [], [], 1.0) for name in ("scale", "half", "total", "letter")}
ADDED = {"scale": ("slip", ["added"], [], 0.5), "total": ("follows", [], ["scale"], 1.0)}
DIVIDED = {"scale": ("slip", ["divided"], [], 0.25)}
BOTH = {"scale": ("slip", ["added", "divided"], [], 0.13), "total": ("slip", ["mean"], ["scale"], 0.5)}
DOUBLED = {"half": ("slip", ["doubled"], [], 0.5)}
MEAN = {"total": ("slip", ["mean"], [], 0.5)}
LETTER = {"letter": ("wrong", [], [], 0.0)}
BLANK = {name: ("blank", [], [], 0.0) for name in RIGHT}
REFUSED = None

CLASS: dict[str, dict[str, Any]] = {
    "91-tiny": {
        "0007": {}, "=cmd": ADDED, "<b>eve": DIVIDED, "amy": {}, "bob": DOUBLED, "cy": BLANK, "dan": ADDED | LETTER,
        "fay": BOTH, "gus": MEAN, "hal": {}, "ida": DOUBLED | LETTER, "zoë": ADDED,
    },
    "92-more": {
        "0007": {}, "=cmd": {}, "<b>eve": DIVIDED | LETTER, "amy": {}, "bob": {}, "cy": BLANK, "dan": LETTER,
        "fay": DOUBLED, "gus": {}, "hal": {}, "ida": REFUSED, "zoë": MEAN,
    },
    # amy falls, gus handed in nothing
    "93-last": {
        "0007": {}, "=cmd": {}, "<b>eve": {}, "amy": DOUBLED | LETTER | DIVIDED, "bob": {}, "cy": BLANK, "dan": {},
        "fay": {}, "hal": LETTER, "ida": {}, "zoë": {},
    },
}  # fmt: skip
LATE = {("91-tiny", "bob"): timedelta(days=1, hours=1)}  # two days begun: a fifth of the score
BY_HAND = ("91-tiny", "dan", "letter", 0.75)  # marks that a person gave
EXTRA = ("92-more", "0007", "half", 0.5)  # and points beyond
# earlier submissions: unit, student, and what each earned before the last
EARLIER = {("91-tiny", "0007"): [BLANK, ADDED], ("91-tiny", "zoë"): [{}], ("92-more", "amy"): [REFUSED]}

OWN = """\
def scale(x, factor):
    # what comes out is gathered entry by entry, in a list
    gathered = []
    for position in range(len(x)):
        entry = x[position]
        if factor == 0:
            gathered.append(entry * 0)
        elif position >= 0 and not factor != factor:
            gathered.append(entry * factor)
        else:
            raise ValueError("<script>document.title = 'ran'</script>", position)
    return np.array(gathered).reshape(np.shape(x))
"""
RENAMED = (
    OWN.replace("gathered", "out").replace("position", "i").replace("entry", "e").replace("    # what comes out", "    #")
)
TEXTS = {("91-tiny", "amy"): {"scale": OWN}, ("91-tiny", "hal"): {"scale": RENAMED}}


def made_class(root: Path) -> None:
    """The course of that class, in `root`."""
    for name in UNITS:
        course = write_course(root, name=name)
        build(course, course.unit(name))
    (root / "course.toml").write_text(SETTINGS + POLICY, "utf-8")
    for name in UNITS:
        unit = course.unit(name)
        (root / "staging").mkdir(exist_ok=True)
        prepare(course, unit, root / "staging")
        for (where, student), works in EARLIER.items():
            for number, answers in enumerate(works):
                if where == name:
                    write(course, unit, outcome(unit, student, answers, f"work {number}"))
        last = [outcome(unit, student, answers, "last work") for student, answers in CLASS[name].items()]
        write(course, unit, *last)
        for student in CLASS[name]:
            (root / "submitted" / student / name).mkdir(parents=True)
    config = course_config(root).CourseDirectory
    with Gradebook(config.db_url, config.course_id) as gradebook:
        for student, (first, last_name) in NAMES.items():
            gradebook.update_or_create_student(student, first_name=first, last_name=last_name)
        for (name, student, item, points), field in ((BY_HAND, "manual_score"), (EXTRA, "extra_credit")):
            grade = gradebook.find_grade(item + TEST, course.unit(name).notebook, name, student)
            setattr(grade, field, points)
        gradebook.db.commit()


def write(course: Course, unit: Unit, *outcomes: Graded) -> None:
    with Writer(course, unit) as writer:
        writer.write(outcomes)


def outcome(unit: Unit, student: str, answers: Mapping[str, Any] | None, work: str) -> Graded:
    """What grading would give for these answers; those that are not named are right."""
    when = DUE + LATE.get((unit.name, student), timedelta(hours=-1))
    if answers is None:
        return Graded(student, 1.0, refused=Remark("corrupt-notebook", "x", "It is empty."), timestamp=when, work=work)
    verdicts = [verdict(unit, item, *(RIGHT | dict(answers))[item]) for item in unit.items]
    notebook = solved(unit, TEXTS.get((unit.name, student)))
    notebook.metadata["chainrule"] = {"fingerprint": "", "remarks": [], "incidents": [], "verdicts": verdicts}
    files = ((f"{unit.notebook}.ipynb", json.dumps(notebook).encode()),)
    marks = {verdict["item"] + TEST: float(verdict["points"]) for verdict in verdicts}
    made = Graded(student, 1.0, marks, {}, timestamp=when, autograded=files, feedback=(), work=work)
    return replace(made, late_penalty=0.0)


def verdict(
    unit: Unit, item: str, status: str, slips: list[str], follows: list[str], share: float
) -> dict[str, Any]:
    """As Verdict.to_json gives it."""
    points = unit.items[item].points
    blank: dict[str, Any] = dict.fromkeys(("where", "got", "want", "next_step")) | {"hints": [], "remarks": []}
    told = {"item": item, "status": status, "points": round(share * points, 2), "out_of": points, "says": "…"}
    return told | {"slips": slips, "follows": follows} | blank
