"""Keeps out what grading never uses and what takes longer to load than all else together.

`import nbgrader` loads its four server extensions, and with them Jupyter's server and every nbgrader command; its
`utils` load setuptools to unpack archives. In their places stand modules that load the real ones when they are used.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

EXTENSIONS = ("assignment_list", "course_list", "formgrader", "validate_assignment")


def keep_out() -> None:
    """To be called before nbgrader is imported; where it is already, nothing is gained and nothing is done."""
    # jsonschema checks a form of address by it that no notebook has. Without it that one check is left out.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    found = importlib.util.find_spec("nbgrader")
    if "nbgrader" in sys.modules or found is None or found.origin is None:
        return
    for name in EXTENSIONS:
        folder = Path(found.origin).with_name("server_extensions") / name
        _put_off(f"nbgrader.server_extensions.{name}", ["load_jupyter_server_extension"], folder)
    _put_off("setuptools.archive_util", ["unpack_archive", "unpack_tarfile", "unpack_zipfile"])


def _put_off(name: str, functions: list[str], folder: Path | None = None) -> None:
    """Stand in for a module: it is loaded at the first call of one of its functions, or where more is asked of it.

    `folder` is a package's own; what lies in it can be imported as ever.
    """
    module = ModuleType(name)

    def real(wanted: str) -> Any:
        if sys.modules.get(name) is module:
            del sys.modules[name]
        return getattr(importlib.import_module(name), wanted)

    def later(function: str) -> Any:
        return lambda *args, **kwargs: real(function)(*args, **kwargs)

    def more(wanted: str) -> Any:
        if folder is not None or wanted.startswith("__"):  # the import system's questions
            raise AttributeError(wanted)
        return real(wanted)

    vars(module).update({function: later(function) for function in functions}, __getattr__=more)
    if folder is not None:
        module.__path__ = [str(folder)]
        # whoever asks whether the package is there is told of the real one
        module.__spec__ = importlib.util.spec_from_file_location(name, folder / "__init__.py")
    sys.modules.setdefault(name, module)
