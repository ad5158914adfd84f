"""Keeps out what grading never uses and what takes longer to load than all else together.

`import nbgrader` loads its four server extensions, and with them Jupyter's server and every nbgrader command; its
`utils` load setuptools to unpack archives. In their places stand modules that load the real ones when they are used.
So it is with what nbconvert and nbgrader's plugin for JupyterHub load for what grading never asks of them.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

# jsonschema checks forms of text by them (addresses, times, colours) that no notebook's schema asks for; without them
# it leaves these checks out
FORMS = (
    *("fqdn", "isoduration", "jsonpointer", "rfc3339_validator", "rfc3986_validator", "rfc3987", "rfc3987_syntax"),
    *("uri_template", "webcolors"),
)
# bs4's selectors and its guesses of encodings; nbgrader's talk with JupyterHub
SELDOM = ("soupsieve", "charset_normalizer", "requests")
OF_PACKAGES = ("__path__", "__version__")  # asked of a module by who is about to use it
EXTENSIONS = ("assignment_list", "course_list", "formgrader", "validate_assignment")


def keep_out() -> None:
    """To be called before nbgrader is imported; where it is already, nothing is gained and nothing is done."""
    found = importlib.util.find_spec("nbgrader")
    if "nbgrader" in sys.modules or found is None or found.origin is None:
        return
    _without(FORMS, "jsonschema")
    for name in SELDOM:
        spec = None if name in sys.modules else importlib.util.find_spec(name)
        if spec is not None:
            _put_off(name, spec=spec)
    for name in EXTENSIONS:
        folder = Path(found.origin).with_name("server_extensions") / name
        _put_off(f"nbgrader.server_extensions.{name}", ["load_jupyter_server_extension"], folder)
    _put_off("setuptools.archive_util", ["unpack_archive", "unpack_tarfile", "unpack_zipfile"])


def _without(names: tuple[str, ...], wanted: str) -> None:
    """Import a module as if others were not installed, which it can do without. Afterwards they are there."""
    absent = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]  # None: to import it is an ImportError
    try:
        importlib.import_module(wanted)
    finally:
        for name in absent:
            del sys.modules[name]


def _put_off(
    name: str, functions: Sequence[str] = (), folder: Path | None = None, spec: ModuleSpec | None = None
) -> None:
    """Stand in for a module: it is loaded at the first call of one of its functions, or where more is asked of it.

    `folder` is a package's own; what lies in it can be imported as ever. `spec` tells whoever asks where it is.
    """
    module = ModuleType(name)
    module.__spec__ = spec

    def real(wanted: str) -> Any:
        if sys.modules.get(name) is module:
            del sys.modules[name]
        return getattr(importlib.import_module(name), wanted)

    def later(function: str) -> Any:
        return lambda *args, **kwargs: real(function)(*args, **kwargs)

    def more(wanted: str) -> Any:
        # names like __file__ are asked for by the import system, and by who looks at all modules; they load nothing
        if folder is not None or (wanted.startswith("__") and (spec is None or wanted not in OF_PACKAGES)):
            raise AttributeError(wanted)
        return real(wanted)

    vars(module).update({function: later(function) for function in functions}, __getattr__=more)
    if folder is not None:
        module.__path__ = [str(folder)]
        # whoever asks whether the package is there is told of the real one
        module.__spec__ = importlib.util.spec_from_file_location(name, folder / "__init__.py")
    sys.modules.setdefault(name, module)
