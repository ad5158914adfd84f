"""The kit's steps in nbgrader's autograde, in order: reset, look, restore, draw, (execute), judge.

They are nbgrader preprocessors, so `nbgrader autograde`, the formgrader's button and `chainrule grade`
all grade by the same code.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Unicode

from chainrule.cases import case_file, draw, rng_for
from chainrule.course import TEST, Course, Unit
from chainrule.errors import KitError, SubmissionError
from chainrule.evidence import Evidence, read
from chainrule.grading.database import gradebook_url
from chainrule.grading.plan import fingerprint
from chainrule.grading.preflight import notebook_of
from chainrule.grading.remark import Remark
from chainrule.grading.restore import restore
from chainrule.grading.submission import Standing, read_files, read_submission, shown
from chainrule.judge import Verdict, judge_unit
from chainrule.render import VERDICT_MIME, verdict_html

NOT_JUDGED = "the check stopped and could not look at this answer; your instructor is told"
META = "chainrule"  # the autograded notebook's metadata: fingerprint, remarks, verdicts


class CoursePreprocessor(NbGraderPreprocessor):  # type: ignore[misc]
    """A step that needs the course: `root` is set by `configure`."""

    root = Unicode("", help="the course folder").tag(config=True)
    pinned: Unit | None = None  # a run's own unit, whatever happens to the course meanwhile

    def unit(self, resources: Mapping[str, Any]) -> Unit:
        return self.pinned or Course(Path(self.root)).unit(resources["nbgrader"]["assignment"])


class ResetScores(CoursePreprocessor):
    """No old score outlives a grading that fails: scores are emptied before anything runs."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        place = resources["nbgrader"]
        _reset(place["db_url"], place["notebook"], place["assignment"], place["student"])
        return nb, resources


def before_reading(assignment: str, student: str, notebooks: list[str]) -> None:
    """nbgrader's hook before a submission is read: a notebook that cannot be read comes to no preprocessor.

    assignment and student may be patterns; the notebooks' paths are of one submission.
    """
    for path in map(Path, notebooks):
        url = gradebook_url(Course(path.parents[3])).render_as_string(hide_password=False)
        _reset(url, path.stem, path.parts[-2], path.parts[-3])


def _reset(db_url: str, notebook: str, assignment: str, student: str) -> None:
    with Gradebook(db_url) as gradebook:
        try:
            found = gradebook.find_submission_notebook(notebook, assignment, student)
        except MissingEntry:
            return
        for grade in found.grades:
            grade.auto_score = None
            grade.needs_manual_grade = True
        gradebook.db.commit()


class LookFirst(CoursePreprocessor):
    """Refuses what `chainrule grade` refuses, where nbgrader reads the submitted folder itself.

    The error is nbgrader's to report, in its log and the formgrader's, and nbgrader then removes what it had copied.
    """

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        unit, student = self.unit(resources), resources["nbgrader"]["student"]
        try:
            submission = read_submission(student, Path(resources["metadata"]["path"]), Standing())
            _, resources["nbgrader"]["remarks"] = notebook_of(unit, submission)
        except SubmissionError as error:
            way_out = Remark(error.cause, error.where, error.says).way_out(unit.name, student)
            raise SubmissionError(error.cause, error.where, f"{error.says} {way_out}") from None
        # nbgrader has copied the folder by now, and has followed its links: what they led to is not the student's
        copied = Path(self.root) / "autograded" / student / unit.name
        kept = {name for name, _ in (*submission.files, *read_files(unit.source.parent))}
        for path in copied.rglob("*"):
            if not path.is_dir() and str(path.relative_to(copied)) not in kept:
                path.unlink()
        return nb, resources


class RestoreCells(CoursePreprocessor):
    """The course's own cells as they were handed out; what was done to them becomes a remark."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        unit = self.unit(resources)
        nb.metadata.pop(META, None)
        remarks = [*resources["nbgrader"].get("remarks", ()), *restore(nb, unit)]
        # in nbgrader's own autograde, the first of its two passes reads the submitted folder itself
        mark = resources["nbgrader"].get("fingerprint") or fingerprint(unit, Path(resources["metadata"]["path"]))
        nb.metadata[META] = {"fingerprint": mark, "remarks": [remark.to_json() for remark in remarks]}
        return nb, resources


class DrawCases(CoursePreprocessor):
    """The student's own cases: arguments go into the sandbox, everything else stays out here."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        unit, student = self.unit(resources), resources["nbgrader"]["student"]
        secret = Course(Path(self.root)).secret()
        drawn = {
            item.id: draw(item, unit.key, rng_for(secret, unit.name, item, student)) for item in unit.items.values()
        }
        resources[META] = {
            "drawn": drawn,
            "cases": json.dumps(case_file(unit.name, unit.items.values(), drawn)),
            "incidents": [],
        }
        return nb, resources


class Judge(CoursePreprocessor):
    """Evidence in the test cells' outputs becomes verdicts and scores; nothing else of the outputs stays."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        unit = self.unit(resources)
        tests = {
            cell.metadata.nbgrader.grade_id: cell for cell in nb.cells if cell.metadata.get("nbgrader", {}).get("grade")
        }
        incidents, drawn = resources[META]["incidents"], resources[META]["drawn"]
        evidence, crashed = {}, {}
        for item in unit.items.values():
            if item.id + TEST not in tests:
                raise KitError(f"{unit.name}: the test cell of item {item.id} is gone after it was restored")
            outputs = tests[item.id + TEST].outputs
            found = read(outputs, item, len(drawn[item.id]))
            if found is None:
                found = Evidence(refused=_why_none(item.id + TEST, outputs, incidents))
            elif found.crash is not None:
                crashed[item.id] = found.crash
                found = Evidence(refused=NOT_JUDGED)
            evidence[item.id] = found
        verdicts = judge_unit(unit, evidence, drawn)
        for name, verdict in verdicts.items():
            tests[name + TEST].outputs = [_output(verdict, tests[name + TEST])]
        notes = nb.metadata.setdefault(META, {})
        notes["remarks"] = [*notes.get("remarks", ()), *(remark.to_json() for remark in _not_judged(crashed))]
        notes.update(
            verdicts=[verdict.to_json() for verdict in verdicts.values()],
            incidents=[
                [incident.cause, incident.grade_id or f"cell {incident.cell + 1}", incident.says]
                for incident in incidents
            ],
        )
        return nb, resources


def _output(verdict: Verdict, cell: NotebookNode) -> NotebookNode:
    """One result: nbgrader reads the float, people see the words. A cell without output would earn full marks."""
    data = {
        "text/plain": repr(float(verdict.points)),
        "text/html": verdict_html(verdict),
        VERDICT_MIME: json.dumps(verdict.to_json(), ensure_ascii=False),
    }
    return new_output("execute_result", data=data, execution_count=cell.get("execution_count") or 1)


def _why_none(test: str, outputs: list[Any], incidents: list[Any]) -> str:
    """Why a test cell sent nothing, in words for the student."""
    own = [incident for incident in incidents if incident.grade_id == test]
    if own:
        return str(own[0].says).rstrip(".")
    error = next((output for output in outputs if output.get("output_type") == "error"), None)
    if error is not None:
        return f"the test cell stopped with {shown(str(error.get('ename'))[:80])}"
    if incidents:
        return f"the test cell did not run: {str(incidents[-1].says).rstrip('.')}"
    return "the test cell gave no answer"


def _not_judged(crashed: Mapping[str, str]) -> Iterator[Remark]:
    """`check.collect` says so itself when it stops, or the student has it say so: nobody can tell, so a person looks.

    To stop the whole submission would let a student take work out of the grading that is already lost.
    """
    if crashed:
        names = ", ".join(f"`{name}`" for name in crashed)
        causes = ", ".join(sorted({cause for cause in crashed.values() if cause})) or "no reason given"
        says = f"The check stopped ({causes}) and could not look at the answer to {names}; 0 points for now."
        yield Remark("not-judged", f"{next(iter(crashed))}{TEST}", says)
