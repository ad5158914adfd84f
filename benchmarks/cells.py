"""What the cells of notebooks cost by themselves: `python cells.py [--no-pictures] NOTEBOOK...` prints JSON.

Each notebook runs in a process of its own, forked from one that has started IPython and done the imports. Its code
cells run one after the other in IPython's shell, with pictures drawn or not, without the test cells: no kernel, no
messages, no files. One number comes out for each notebook: seconds of processor time of its cells and their child
processes.
"""

from __future__ import annotations

import ast
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

import nbformat

NO_PICTURES = "--no-pictures"


def main(paths: list[Path], pictures: bool) -> None:
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    class Shell(InteractiveShell):
        def enable_gui(self, gui: str | None = None) -> None:
            """There is no window; pictures are drawn into the outputs."""

    config = Config()
    config.HistoryManager.enabled = False
    if not pictures:
        config.InlineBackend.figure_formats = set()
    shell = Shell.instance(config=config)
    notebooks = [nbformat.read(path, as_version=4) for path in paths]
    os.chdir(paths[0].parent)  # the notebooks of one unit import the same `check`
    sys.path.insert(0, "")
    import_all(notebooks[0])
    shell.enable_matplotlib("inline")
    print(json.dumps([forked_seconds(shell, path, notebook) for path, notebook in zip(paths, notebooks, strict=True)]))


def import_all(notebook: Any) -> None:
    """Run the import statements that stand at the outer level of a notebook's cells."""
    space: dict[str, Any] = {}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            wanted: list[ast.stmt] = [
                node for node in ast.parse(cell.source).body if isinstance(node, ast.Import | ast.ImportFrom)
            ]
            exec(compile(ast.Module(wanted, []), "<imports>", "exec"), space)


def forked_seconds(shell: Any, path: Path, notebook: Any) -> float:
    """Run one notebook's cells in a forked process; seconds of processor time."""
    read, write = os.pipe()
    if os.fork() == 0:
        os.chdir(path.parent)
        os.write(write, str(seconds(shell, notebook)).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        text = answer.read()
    os.wait()
    return float(text)


def seconds(shell: Any, notebook: Any) -> float:
    from IPython.utils.capture import capture_output

    spent = 0.0
    for cell in notebook.cells:
        if cell.cell_type == "code" and not cell.metadata.get("nbgrader", {}).get("grade"):
            with capture_output():
                before = processor_seconds()
                shell.run_cell(cell.source, store_history=True)
                spent += processor_seconds() - before
    return spent


def processor_seconds() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


if __name__ == "__main__":
    main([Path(word).resolve() for word in sys.argv[1:] if word != NO_PICTURES], NO_PICTURES not in sys.argv)
