"""The attack suite's notebooks through plain nbgrader, beside what chainrule makes of them.

    python benchmarks/attacks_plain.py [NAME or THEME]... [--seconds 60] [--write FILE]

Plain nbgrader grades an equal small assignment by assert tests, hidden ones included, with its own settings: one
course and one `nbgrader autograde` for each attack, beside one honest student. It runs within bubblewrap, without
network and with limits, so that this machine is not hurt; what would hurt it all the same is not run and said so.
Attacks on chainrule's own evidence mean nothing there and are left out, unless they have a form for plain nbgrader.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

HOME = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(HOME / "tests" / "attacks"), str(HOME / "tests")]

import nbformat  # noqa: E402
from attack import HONEST, NEEDLE, WRONG, Attack, attacked_course  # noqa: E402
from catalogue import ATTACKS, THEME_OF, THEMES  # noqa: E402
from class_of_attackers import Outcome, all_scores, grade_class, tree  # noqa: E402
from nbformat.v4 import new_code_cell, new_notebook  # noqa: E402

from chainrule.grading.sandbox import find_sandbox, python_trees  # noqa: E402
from helpers import TINY  # noqa: E402

SETUP = "import numpy as np\n\ndata = np.array([1.0, 2.0, 4.0])"
SOLUTIONS = {
    "scale": "def scale(x, factor):\n    return factor * x",
    "half": "def half(x):\n    return np.asarray(x) / 2",
    "total": "total = scale(data, 3.0).sum()",
    "letter": 'letter = "b"',
}
TESTS = {
    "scale": "assert np.allclose(scale(data, 3.0), [3.0, 6.0, 12.0])\n"
    "### BEGIN HIDDEN TESTS\nassert np.allclose(scale(np.array([1.5, 2.5]), 4.0), [6.0, 10.0])\n### END HIDDEN TESTS",
    "half": "assert np.allclose(half(data), [0.5, 1.0, 2.0])\n"
    "### BEGIN HIDDEN TESTS\nassert np.allclose(half(np.array([3.0, 5.0])), [1.5, 2.5])\n### END HIDDEN TESTS",
    # the secret stands apart from the assert that fails, whose neighbours are in every traceback
    "total": f"### BEGIN HIDDEN TESTS\n# {NEEDLE}-test\nlow = 0.0\nhigh = 1e6\nexact = 21.0\n\n"
    "assert abs(total - exact) < 1e-6\n### END HIDDEN TESTS",
    "letter": 'assert letter in ("a", "b", "c")\n### BEGIN HIDDEN TESTS\nassert letter == "b"\n### END HIDDEN TESTS',
}
POINTS = {"scale": 2, "half": 1, "total": 1, "letter": 1}
CONFIG = 'c = get_config()\nc.CourseDirectory.course_id = "plain"\nc.ExecutePreprocessor.timeout = 10\n'
# a limit on processes does not bind root, and memory has none but the machine's
HARMFUL = {"forks", "threads", "burns", "takes-memory", "takes-memory-many", "takes-files", "kills-others"}
OURS = ("vnd.chainrule", 'modules["check"]', "CHAINRULE_CASES", "check as module")
INSIDE = Path("/tmp/course")  # below a folder that is empty inside


@dataclass(frozen=True)
class Row:
    """One attack in both. `deserved` and `plain` are points of 5; `seen` is what else plain nbgrader let happen."""

    name: str
    tries: str
    deserved: float | None
    plain: str
    seen: str
    ours: str


def main() -> None:
    """Print the table, and the counts below it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="attacks or themes; all where none is named")
    parser.add_argument("--seconds", type=float, default=60, help="longest run of one `nbgrader autograde`")
    parser.add_argument("--write", type=Path, help="put the table into this Markdown file, too")
    chosen = parser.parse_args()
    unknown = set(chosen.names) - set(ATTACKS) - set(THEMES)
    if unknown:
        parser.error(f"no attack or theme called {', '.join(sorted(unknown))}")
    attacks = {
        name: attack
        for name, attack in ATTACKS.items()
        if attack.runs_here() and (not chosen.names or {name, THEME_OF[name]} & set(chosen.names))
    }
    with tempfile.TemporaryDirectory(prefix="attacks-") as folder:
        ours = of_chainrule(Path(folder), attacks)
        lines = list(table(of_plain(Path(folder), attacks, ours, chosen.seconds)))
    if chosen.write:
        chosen.write.write_text("\n".join(lines) + "\n", "utf-8")


def table(rows: Iterator[Row]) -> Iterator[str]:
    """Markdown, line by line as it comes."""
    seen: list[Row] = []
    head = ["| attack | it tries | deserves | plain nbgrader | and there | chainrule |", "|---|---|---|---|---|---|"]

    def told(line: str) -> str:
        print(line, flush=True)
        return line

    yield from map(told, head)
    for row in rows:
        seen.append(row)
        deserved = "-" if row.deserved is None else f"{row.deserved:g}"
        yield told(f"| {row.name} | {row.tries} | {deserved} | {row.plain} | {row.seen} | {row.ours} |")
    run = [row for row in seen if row.plain[0].isdigit() or row.plain.startswith("no score")]
    raised = [
        row for row in run if row.plain[0].isdigit() and row.deserved is not None and float(row.plain) > row.deserved
    ]
    yield told("")
    yield told(
        f"Plain nbgrader: {len(run)} run, {len(raised)} with more points than deserved, "
        f"{sum(bool(row.seen) for row in run)} with a secret shown, something changed, or the run stopped."
    )


# --------------------------------------------------------------------------- chainrule


def of_chainrule(folder: Path, attacks: Mapping[str, Attack]) -> dict[str, str]:
    """What each attack got: points, "not graded", or what else came of it."""
    template = folder / "template"
    template.mkdir()
    attacked_course(template)
    got: dict[str, str] = {}
    for batch in sorted({attack.batch for attack in attacks.values()}):
        these = {name: attack for name, attack in attacks.items() if attack.batch == batch}
        (folder / f"batch-{batch}").mkdir()
        grade_class(folder / f"batch-{batch}", template, these, 60 + 20 * len(these))
        outcome = Outcome.read(folder / f"batch-{batch}")
        for name, attack in these.items():
            got[name] = points(outcome.scores.get(attack.student or name, {}))
            if outcome.said is None:
                got[name] += ", and the command did not end"
    return got


def points(scores: Mapping[str, float | None]) -> str:
    """The sum, or that there is none."""
    known = [score for score in scores.values() if score is not None]
    return f"{sum(known):g}" if known and len(known) == len(scores) else "no score"


# --------------------------------------------------------------------------- plain nbgrader


def of_plain(folder: Path, attacks: Mapping[str, Attack], ours: Mapping[str, str], seconds: float) -> Iterator[Row]:
    """One row an attack, each in a copy of one built course."""
    template = folder / "plain"
    plain_course(template)
    for name, attack in attacks.items():
        variant = dict(attack.plain or {})

        worth = float(variant.pop("deserves", sum(HONEST.values())))
        said = None if attack.earns is None else worth
        text = " ".join((attack.first, attack.last, *attack.answers.values(), *map(str, attack.files.values())))
        if name in HARMFUL:
            yield Row(name, attack.tries, said, "not run: it would harm this machine", "", ours[name])
        elif attack.plain is None and (any(word in text for word in OURS) or THEME_OF[name] == "forging"):
            yield Row(name, attack.tries, said, "not run: of chainrule's own evidence", "", ours[name])
        else:
            got, seen = one_plain(folder, template, name, attack, variant, seconds)
            yield Row(name, attack.tries, said, got, ", ".join(seen), ours[name])


def plain_course(root: Path) -> None:
    """nbgrader's own way: a source notebook with assert tests, released, and one honest submission."""
    (root / "source" / TINY).mkdir(parents=True)
    (root / "gradebook").mkdir()
    (root / "nbgrader_config.py").write_text(CONFIG, "utf-8")
    (root / "notes.txt").write_text(f"{NEEDLE}-notes", "utf-8")
    cells = [new_code_cell(SETUP)]
    for item, solution in SOLUTIONS.items():
        cells.append(cell(item, f"### BEGIN SOLUTION\n{solution}\n### END SOLUTION", solution=True))
        cells.append(cell(f"{item}-check", TESTS[item], grade=True, locked=True, points=POINTS[item]))
    notebook = new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    nbformat.write(notebook, root / "source" / TINY / "tiny.ipynb")
    nbgrader(root, "generate_assignment", TINY)
    hand_in_plain(root, "mate", Attack("", answers=SOLUTIONS), {})


def cell(grade_id: str, source: str, **fields: object) -> nbformat.NotebookNode:
    meta = {"grade": False, "solution": False, "locked": False, "task": False, "schema_version": 3, "cell_type": "code"}
    return new_code_cell(source, metadata={"nbgrader": {**meta, "grade_id": grade_id, **fields}})


def hand_in_plain(root: Path, student: str, attack: Attack, variant: Mapping[str, str]) -> None:
    """The attack in the plain release; `variant` gives other cells."""
    folder = root / "submitted" / student / TINY
    folder.mkdir(parents=True)
    notebook = nbformat.read(root / "release" / TINY / "tiny.ipynb", as_version=4)
    answers = {**SOLUTIONS, **WRONG, **attack.answers, **variant}
    words = {"ROOT": str(INSIDE), "DECOY": "999999", "PORT": "9", "ABSTRACT": "none", "MARK": "1", "KEY": "none"}
    words |= {"KIT": str(HOME / "src" / "chainrule"), "NEEDLE": repr(NEEDLE.encode()[:3]) + repr(NEEDLE.encode()[3:])}

    def filled(text: str) -> str:
        for word, meant in words.items():
            text = text.replace(f"@{word}@", meant)
        return text

    for each in notebook.cells:
        meta = each.metadata.get("nbgrader", {})
        if meta.get("solution"):
            each.source = filled(answers[meta["grade_id"]])
    first = variant.get("first", attack.first)
    if first:
        notebook.cells.insert(0, new_code_cell(filled(first.strip())))
    if attack.last:
        notebook.cells.append(new_code_cell(filled(attack.last.strip())))
    if attack.change is not None:
        attack.change(notebook)
    (folder / "tiny.ipynb").write_text(json.dumps(notebook), "utf-8")
    for name, content in attack.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content if isinstance(content, bytes) else filled(content).encode())
    if attack.place is not None:
        attack.place(folder)


def one_plain(
    folder: Path, template: Path, name: str, attack: Attack, variant: Mapping[str, str], seconds: float
) -> tuple[str, list[str]]:
    """Plain nbgrader's score and what else it let happen."""
    root = folder / "one"
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(template, root, symlinks=True)
    student = attack.student or name
    hand_in_plain(root, student, attack, variant)
    before = tree(root)
    status = nbgrader(root, "autograde", TINY, seconds=seconds)
    after = tree(root)
    scores = all_scores(root / "gradebook.db") if intact(root / "gradebook.db") else {}
    results = ("autograded", "gradebook", ".ipynb_checkpoints")
    changed = [
        path
        for path in before.keys() | after.keys()
        if before.get(path) != after.get(path) and not path.startswith(results)
    ]
    seen = []
    if status is None:
        seen.append(f"stopped after {seconds:g} s")
    if changed:
        seen.append(f"changed: {', '.join(sorted(changed)[:3])}")
    if points(scores.get("mate", {})) != "5":
        seen.append(f"the honest student has {points(scores.get('mate', {}))}")
    shown = root / "autograded" / student / TINY / "tiny.ipynb"
    if shown.is_file() and any(NEEDLE in text for text in outputs(shown)):
        seen.append("a secret shown")
    return points(scores.get(student, {})), seen


def intact(gradebook: Path) -> bool:
    return gradebook.exists() and gradebook.read_bytes()[:15] == b"SQLite format 3"


def outputs(notebook: Path) -> Iterator[str]:
    """The notebook's outputs as text: its tests hold the secret by themselves."""
    try:
        cells = json.loads(notebook.read_text("utf-8", "replace"))["cells"]
    except (ValueError, KeyError):
        return
    yield from (json.dumps(each.get("outputs", [])) for each in cells)


def nbgrader(root: Path, *words: str, seconds: float = 120) -> int | None:
    """The `nbgrader` command in an outer sandbox that sees the machine read-only. None where it did not end."""
    trees = [word for path in python_trees() for word in ("--ro-bind", str(path), str(path))]
    command = [
        *(
            str(find_sandbox().path),
            "--unshare-all",
            "--die-with-parent",
            "--new-session",
            "--uid",
            "1000",
            "--gid",
            "1000",
        ),
        *("--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", "--tmpfs", "/dev/shm"),
        *(*trees, "--bind", str(root), str(INSIDE), "--chdir", str(INSIDE), "--setenv", "HOME", "/tmp"),
        *("--setenv", "PYTHONPATH", "", "--setenv", "PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin", "--"),
        *(sys.executable, "-m", "nbgrader", *words, "--quiet"),
    ]

    def limits() -> None:
        for kind, most in ((resource.RLIMIT_AS, 4 * 2**30), (resource.RLIMIT_FSIZE, 2**28), (resource.RLIMIT_CORE, 0)):
            resource.setrlimit(kind, (most, most))

    try:
        done = subprocess.run(command, capture_output=True, timeout=seconds, check=False, preexec_fn=limits)
    except subprocess.TimeoutExpired:
        return None
    if done.returncode and words[0] == "generate_assignment":
        raise SystemExit(done.stderr.decode("utf-8", "replace"))
    return done.returncode


if __name__ == "__main__":
    main()
