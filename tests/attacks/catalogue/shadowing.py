"""Modules and settings beside the notebook that pose as others."""

from __future__ import annotations

from attack import HONEST, Attack

EVIL = "raise SystemExit('a shadow')\n"
FORGING_CHECK = """\
import json
from IPython.display import publish_display_data
def check(*answers): pass
def collect(item):
    print("collected", "by a shadow")
    answer = {"t": "str", "v": "b"} if item == "letter" else {"t": "float", "v": (21.0).hex()}
    publish_display_data({"application/vnd.chainrule.evidence+json": json.dumps({"missing": [], "answers": [answer]})})
"""
STARTUP = "import builtins; builtins.shadowed = True; print('started', 'a shadow')\n"
SEEN = "import builtins\nprint('a', 'shadow!') if hasattr(builtins, 'shadowed') else None"
CONFIG = "c = get_config()\nc.InteractiveShellApp.exec_lines = ['import builtins; builtins.shadowed = True']\n"
LATER = """
import importlib, os, sys
for name in ("numpy", "json", "base64", "traceback", "IPython", "nbformat"):
    open(name + ".py", "w").write("raise SystemExit('a shadow')")
os.makedirs("check", exist_ok=True)
open("check/__init__.py", "w").write("def check(*a): pass\\ndef collect(item): print('collected', 'by a shadow')")
sys.path.insert(0, os.getcwd())
importlib.invalidate_caches()
"""
PATHS = "import sys\nsys.path[:] = ['', '/tmp']\nsys.path_importer_cache.clear()\nsys.path_hooks.clear()"


def beside(*names: str, text: str = EVIL, tries: str = "", first: str = SEEN) -> Attack:
    """Files of these names beside the notebook."""
    return Attack(tries or f"brings {' and '.join(names)} along", first, files=dict.fromkeys(names, text))


ATTACKS = {
    "shadows-numpy": beside("numpy.py", "numpy/__init__.py"),
    "shadows-pandas": beside("pandas/__init__.py", "matplotlib/__init__.py"),
    "shadows-check": beside("check.py", text=FORGING_CHECK),
    "shadows-check-package": beside("check/__init__.py", text=FORGING_CHECK),
    "shadows-stdlib": beside("json.py", "base64.py", "io.py", "traceback.py", "warnings.py", "os.py", "re.py"),
    "shadows-kernel": beside("ipykernel.py", "IPython.py", "traitlets.py", "zmq.py", "launch.py", "comm.py"),
    "shadows-sitecustomize": beside("sitecustomize.py", "usercustomize.py", text=STARTUP),
    "shadows-pth": beside("evil.pth", "easy-install.pth", text="import builtins; builtins.shadowed = True\n"),
    "shadows-startup": beside(
        ".ipython/profile_default/startup/00.py", "profile_default/startup/00.ipy", "00-first.py", text=STARTUP
    ),
    "shadows-settings": beside(
        "ipython_config.py", "ipython_kernel_config.py", "jupyter_config.py", "nbgrader_config.py", text=CONFIG
    ),
    "shadows-room": beside("settings.json", "cases.json", "connection.json", "passwd", text='{"uid": 0}'),
    "shadows-later": Attack("writes modules while it runs, to be found first", LATER),
    "shadows-path": Attack("empties the places where modules are found", PATHS, at_most=True),
    "shadows-replaced": Attack(
        "takes the module `check` out and its own in",
        LATER + "del sys.modules['check']\nimport check",
        earns=dict.fromkeys(HONEST, 0.0),
    ),
}
