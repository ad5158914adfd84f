"""Every number on the report's page, worked out again: by SQL, by pandas, by sets, or by hand."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections import Counter
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from chainrule.course import Course
from chainrule.report import similarity
from chainrule.report.page import ClassReport, class_report, html, write_page
from helpers import FULL, chainrule_here, once
from made_class import BY_HAND, CLASS, EXTRA, NAMES, OWN, STUDENTS, UNITS, made_class

Rows = list[list[str]]
SCORES = """
select a.name as unit, s.student_id as student, c.name as cell, g.auto_score, g.manual_score, g.extra_credit
from assignment a join submitted_assignment s on s.assignment_id = a.id
join submitted_notebook n on n.assignment_id = s.id join grade g on g.notebook_id = n.id
join base_cell c on c.id = g.cell_id
"""


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """For reading only."""
    return Course(once(tmp_path_factory, "made-class", made_class))


@pytest.fixture(scope="module")
def report(course: Course) -> ClassReport:
    return class_report(course, course.units())


@pytest.fixture(scope="module")
def text(report: ClassReport) -> str:
    return html(report, datetime(2026, 3, 9, 20, 15))


@pytest.fixture(scope="module")
def page(text: str) -> BeautifulSoup:
    return BeautifulSoup(text, "html.parser")


@pytest.fixture(scope="module")
def marks(course: Course) -> pd.DataFrame:
    """What the gradebook's file holds: unit, student, item, points; nothing where nothing is scored."""
    with sqlite3.connect(course.gradebook / "gradebook.db") as database:
        rows = pd.read_sql(SCORES, database)
    database.close()
    points = rows["manual_score"].fillna(rows["auto_score"]) + rows["extra_credit"].fillna(0)
    return rows.assign(item=rows["cell"].str.removesuffix("-check"), points=points)[["unit", "student", "item", "points"]]


@pytest.fixture(scope="module")
def finals(marks: pd.DataFrame) -> pd.Series:
    """(unit, student) -> points of those who are graded; bob was two days late, which costs a fifth."""
    sums = marks.groupby(["unit", "student"])["points"].sum(min_count=1).dropna()
    sums["91-tiny", "bob"] *= 0.8
    return sums


def table(page: BeautifulSoup, name: str) -> Rows:
    """A table's cells as text, its heading left out."""
    found = page.find(id=name)
    assert found is not None, name
    rows = [row for row in found.find_all("tr") if row.find("td")]
    return [[" ".join(cell.get_text(" ").split()) for cell in row.find_all(["th", "td"])] for row in rows]


def percent(share: float) -> str:
    return f"{share:.0%}"


def test_units(page: BeautifulSoup, finals: pd.Series) -> None:
    """Quartiles, counts of graded, not graded, missing, late; and the course's line."""
    rows = {row[0]: row[1:] for row in table(page, "table-units")}
    assert list(rows) == [*UNITS, "The course so far"]
    for unit in UNITS:
        told = (finals[unit] / 5).describe()
        assert rows[unit][:6] == [percent(told[key]) for key in ("mean", "min", "25%", "50%", "75%", "max")]
    assert {unit: rows[unit][6:] for unit in UNITS} == {
        "91-tiny": ["5", "12", "0", "0", "0", "1"],
        "92-more": ["5", "11", "1", "0", "0", "0"],
        "93-last": ["5", "11", "0", "1", "0", "0"],
    }
    told = totals(finals).describe()
    line = [percent(told[key]) for key in ("mean", "min", "25%", "50%", "75%", "max")]
    assert rows["The course so far"] == [*line, "", "12", "", "", "", ""]


def totals(finals: pd.Series) -> pd.Series:
    """Shares of the course: ida's work that could not be graded does not count, gus's missing unit does."""
    asked = pd.Series(15.0, index=list(STUDENTS))
    asked["ida"] = 10.0
    return finals.groupby("student").sum() / asked


def test_pictures(page: BeautifulSoup, finals: pd.Series) -> None:
    """A picture for each unit and the course; the table below it counts, and the picture says the same in words."""
    rows = {row[0]: [int(cell) for cell in row[1:]] for row in table(page, "table-bins")}
    shares = {unit: finals[unit] / 5 for unit in UNITS} | {"The course so far": totals(finals)}
    assert list(rows) == list(shares)
    pictures = {figure.figcaption.get_text(): figure for figure in page.select(".pictures figure")}
    for name, found in shares.items():
        tenths = [min(int(round(1000 * share) // 100), 9) for share in found]
        counts = [tenths.count(tenth) for tenth in range(10)]
        assert rows[name] == counts
        said = pictures[name].find("desc").get_text()
        assert re.findall(r"(\d+) from", said) == [str(count) for count in counts if count]
        assert said.endswith(f"{percent(found.median())}.")


def test_every_student(page: BeautifulSoup, finals: pd.Series) -> None:
    """Points of each unit, marked as late, missing or not graded; ids and names as they are."""
    rows = table(page, "table-students")
    names = [" ".join([student, *NAMES.get(student, ())]) for student in sorted(STUDENTS)]
    assert [row[0] for row in rows] == names
    shares = totals(finals)
    for row, student in zip(rows, sorted(STUDENTS), strict=True):
        cells = [f"{finals[unit, student]:g}" if (unit, student) in finals else "–" for unit in UNITS]
        cells[0] += "*" if student == "bob" else ""
        cells[1] = "not graded" if student == "ida" else cells[1]
        points = finals[:, student].sum()
        asked = 10 if student == "ida" else 15
        assert row[1:] == [percent(shares[student]), f"{round(points, 2):g} of {asked}", *cells]


def test_items(page: BeautifulSoup, marks: pd.DataFrame) -> None:
    """Mean share, discrimination by pandas, alpha by covariances, counts of the verdicts."""
    for number, unit in enumerate(UNITS, start=1):
        wide = marks[marks["unit"] == unit].pivot(index="student", columns="item", values="points").dropna()[list(FULL)]
        assert f"Cronbach's alpha is {alpha(wide):.2f}, over {len(wide)} students." in words(page)
        for row, item in zip(table(page, f"table-items-{number}"), FULL, strict=True):
            rest = wide.drop(columns=item)
            kinds = Counter((given or {}).get(item, ("right",))[0] for given in CLASS[unit].values() if given is not None)
            assert row[:4] == [item, f"{FULL[item]:g}", str(len(wide)), percent((wide[item] / FULL[item]).mean())]
            assert [int(cell) for cell in row[4:9]] == [
                *(kinds[kind] for kind in ("right", "follows", "slip", "wrong", "blank")),
            ]
            assert row[9:11] == [f"{wide[item].corr(rest.sum(axis=1)):.2f}", f"{alpha(rest):.2f}"]


def alpha(wide: pd.DataFrame) -> float:
    covariance = wide.cov().to_numpy()
    k = len(covariance)
    return k / (k - 1) * (1 - np.trace(covariance) / covariance.sum())


def words(page: BeautifulSoup) -> str:
    return " ".join(page.get_text(" ").split()).replace(" ,", ",")


def test_items_to_look_at(page: BeautifulSoup, report: ClassReport) -> None:
    """Those that cross a bound, and no others."""
    expected = set()
    for number, unit in enumerate(UNITS, start=1):
        of_unit = float(re.search(rf"{unit} Cronbach's alpha is (-?[\d.]+)", words(page))[1])  # type: ignore[index]
        for row in table(page, f"table-items-{number}"):
            share, rest, without = float(row[3].rstrip("%")) / 100, float(row[9]), float(row[10])
            if share > 0.9 or share < 0.3 or rest < 0.2 or without >= of_unit + 0.02:
                expected.add(f"{row[0]} {unit}")
    assert {row[0] for row in table(page, "table-look")} == expected != set()
    assert len(report.to_look_at) == len(expected)


def test_mistakes(page: BeautifulSoup, course: Course, marks: pd.DataFrame) -> None:
    """Counted again from the notebooks themselves: who made it, what follows, points lost and saved."""
    points = marks.set_index(["unit", "student", "item"])["points"]
    made: dict[tuple[str, str, str], list[float]] = {}
    for path in (course.root / "autograded").glob("*/*/*.ipynb"):
        unit, student = path.parent.name, path.parent.parent.name
        verdicts = json.loads(path.read_text())["metadata"]["chainrule"]["verdicts"]
        for verdict in verdicts:
            for slip in verdict["slips"]:
                later = [other["item"] for other in verdicts if verdict["item"] in other["follows"]]
                counts = made.setdefault((slip, verdict["item"], unit), [0, 0, 0.0, 0.0])
                counts[0] += 1
                counts[1] += len(later)
                counts[2] += verdict["out_of"] - points[unit, student, verdict["item"]]
                counts[3] += sum(points[unit, student, item] for item in later)
    graded = {"91-tiny": 12, "92-more": 11, "93-last": 11}
    rows = table(page, "table-mistakes")
    found = {tuple(row[0].split()): row[2:] for row in rows}
    assert found == {
        key: [f"{n} of {graded[key[2]]} ({n / graded[key[2]]:.0%})", str(later), f"{lost:g}", f"{lost + saved:g}"]
        for key, (n, later, lost, saved) in made.items()
    }
    assert [row[2] for row in rows] == sorted((row[2] for row in rows), key=lambda said: -int(said.split()[0]))
    assert {row[0].split()[0]: row[1] for row in rows}["added"] == "The factor was added."


def test_who_may_need_help(page: BeautifulSoup) -> None:
    """By hand: one is low, one has not handed in, one fell, one could not be graded."""
    assert table(page, "table-help") == [
        ["cy", "0% of the points so far", "0%", "3", "0"],
        ["gus", "1 of 3 units missing: 93-last", "63%", "2", "1"],
        ["amy", "fell from 100% on average to 40% in 93-last", "80%", "3", "0"],
        ["ida", "handed in, could not be graded: 92-more", "85%", "2", "0"],
    ]


def test_what_handing_in_again_brought(page: BeautifulSoup) -> None:
    """By hand: 0007 rose from 0 by 4 to 5 points, zoë fell from 5 to 4, amy's broken work was mended."""
    assert table(page, "table-again") == [
        ["91-tiny", "10", "2", "3", "1", "0", "1", "0", "50%", "90%"],
        ["92-more", "11", "1", "2", "0", "0", "0", "1", "–", "–"],
        ["93-last", "11", "0", "1", "0", "0", "0", "0", "–", "–"],
    ]
    assert table(page, "table-attempts") == [["1", "2", "50%"], ["2", "3", "87%"], ["3", "1", "100%"]]


def test_near_identical_work(page: BeautifulSoup, course: Course) -> None:
    """Share and weight by sets, without any matrix: only the renamed copy is named, with both texts beside each other."""
    unit = course.unit("91-tiny")
    texts = {
        path.parent.parent.name: {
            cell["metadata"]["nbgrader"]["grade_id"]: "".join(cell["source"])
            for cell in json.loads(path.read_text())["cells"]
            if cell["metadata"].get("nbgrader", {}).get("solution")
        }
        for path in (course.root / "autograded").glob("*/91-tiny/*.ipynb")
    }
    ours = similarity.course_fragments(unit)[similarity.SHAPE]
    held = {student: similarity.fragments_of(those, 1) - ours for student, those in texts.items()}
    counts = Counter(fragment for those in held.values() for fragment in those)

    def weight(fragments: frozenset[similarity.Fragment]) -> float:
        rare = [counts[fragment] for fragment in fragments if counts[fragment] <= 6]
        return sum(min(1.0, np.log(12 / count) / np.log(6)) for count in rare)

    both = weight(held["amy"] & held["hal"])
    share = both / min(weight(held["amy"]), weight(held["hal"]))
    rows = table(page, "table-pairs")
    assert rows == [["amy hal", "91-tiny", percent(share), f"{both:.1f}", "differ", "scale"]]
    sides = [side.get_text() for side in page.select(".pair pre")]
    assert len(sides) == 2
    assert OWN.splitlines()[4] in sides[0]
    marked = [mark.get_text() for mark in page.select(".pair pre")[0].find_all("mark")]
    assert OWN.splitlines()[4] in marked
    assert OWN.splitlines()[1] not in marked, "the comment is in one of the two alone"


def test_glance(page: BeautifulSoup, finals: pd.Series) -> None:
    """The first lines say what the sections say."""
    told = totals(finals).quantile([0.25, 0.5, 0.75]).map(percent).tolist()
    said = words(page)
    assert f"12 students have points that count so far, with a median of {told[1]}" in said
    assert f"between {told[0]} and {told[2]}" in said
    assert "added at scale (4 of 12)" in said
    assert "4 students may need some, first of all cy, gus, amy, ida" in said
    assert "1 pair for a person to compare" in said
    assert "For the course's staff only, not for students." in said


def test_page_is_whole_and_nothing_in_it_runs(text: str, page: BeautifulSoup) -> None:
    """No script, nothing from anywhere else, no id twice, each picture with its title; hostile names are text."""
    assert not page.find_all(["script", "link", "img", "iframe"])
    assert not re.findall(r"""(?:src|href)=["'](?!#)[^"']*""", text)
    assert not re.findall(r"url\((?!#)", text)
    ids = [tag["id"] for tag in page.find_all(id=True)]
    assert len(ids) == len(set(ids))
    for picture in page.find_all("svg"):
        names = picture["aria-labelledby"].split()
        assert [page.find(id=name).name for name in names] == ["title", "desc"]
        assert re.findall(r"#[0-9a-f]{6}", str(picture)) == [], "a colour that does not change with the page's"
        for used in re.findall(r'(?:href="#|url\(#)([\w-]+)', str(picture)):
            assert picture.find(id=used), used
    assert "&lt;script&gt;" in text
    assert not re.search(r"\b(nan|NaN|None|inf)\b", page.get_text())


def test_what_a_person_changes_shows(course: Course, tmp_path: Path) -> None:
    """A mark by hand, points beyond and a change of policy are in the next report, without any grading."""
    shutil.copytree(course.root, tmp_path / "course")
    own = Course((tmp_path / "course").resolve())
    assert BY_HAND[3] != EXTRA[3]
    settings = own.root / "course.toml"
    settings.write_text(settings.read_text().replace("share_per_day = 0.1", "share_per_day = 0.5"))
    path = write_page(own, class_report(own, own.units()), datetime(2026, 3, 9))
    rows = {row[0]: row for row in table(BeautifulSoup(path.read_text("utf-8"), "html.parser"), "table-students")}
    assert rows["bob"][3] == "0*"
    assert rows["dan"][3] == f"{1 + 1 + 1 + BY_HAND[3]:g}"
    assert rows["0007 James Bond"][4] == f"{5 + EXTRA[3]:g}"


def test_the_command(course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`chainrule report` writes the page and the CSV files and prints a short summary; a unit by itself as well."""
    shutil.copytree(course.root, tmp_path / "course")
    said = chainrule_here(monkeypatch, tmp_path / "course", "report")
    folder = tmp_path / "course" / "gradebook" / "report"
    assert said.status == 0
    assert sorted(path.name for path in folder.iterdir()) == [*(f"{unit}.csv" for unit in UNITS), "index.html"]
    assert "items to look at: 3; students who may need help: 4; near-identical pairs: 1" in said.out
    said = chainrule_here(monkeypatch, tmp_path / "course", "report", "92")
    page = BeautifulSoup((folder / "index.html").read_text("utf-8"), "html.parser")
    assert [row[0] for row in table(page, "table-units")] == ["92-more", "The course so far"]
    assert page.find(id="table-pairs") is None
    assert "No pair stands out." in page.get_text()
