"""Changing Python, numpy, IPython or `check` under the grader's hands.

In plain nbgrader the tests run there too, and many of these earn full marks. Here they change what the student's own
process computes, and nothing else.
"""

from __future__ import annotations

from attack import HONEST, Attack

from helpers import NOTHING

ASSERTS = """
import ast
class NoAsserts(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.copy_location(ast.Pass(), node)
get_ipython().ast_transformers.append(NoAsserts())
"""
INPUT = """
def no_tests(lines):
    return ["pass\\n" if line.lstrip().startswith(("assert", "check(", "__import__")) else line for line in lines]
get_ipython().input_transformers_cleanup.append(no_tests)
"""
INPUT_ASSERTS = """
def no_tests(lines):
    return ["pass\\n" if line.lstrip().startswith("assert") else line for line in lines]
get_ipython().input_transformers_cleanup.append(no_tests)
"""
NUMPY = """
import numpy as np, numpy.testing
for name in ("allclose", "isclose", "array_equal", "all", "any", "array_equiv"):
    setattr(np, name, lambda *a, **k: True)
for name in dir(numpy.testing):
    if name.startswith("assert"):
        setattr(numpy.testing, name, lambda *a, **k: None)
"""
BUILTINS = """
import builtins
builtins.abs = builtins.round = lambda *a: 0
builtins.all = builtins.any = lambda *a: True
builtins.AssertionError = type("Never", (BaseException,), {"__new__": lambda *a: None})
"""
CHECK = """
import builtins, check as module
module.check = builtins.check = check = lambda *a: print("right")
module.first_gap = module.home_verdict = lambda *a, **k: None
module.FLOAT32_RTOL = module.MAX_BYTES = 1e300
"""
COLLECT = """
import sys
sys.modules["check"].collect = lambda item: None
"""
IMPORTS = """
import sys, types
class Finder:
    def find_spec(self, name, path=None, target=None):
        raise ImportError(name)
sys.meta_path[:] = [Finder()]
sys.modules["nbformat"] = types.ModuleType("nbformat")
"""
DISPLAY = """
import IPython.display, IPython.core.display_functions as functions
shown = functions.publish_display_data
def publish(data, *args, **kwargs):
    if "application/vnd.chainrule.evidence+json" in data:
        data = {**data, "application/vnd.chainrule.verdict+json": '{"points": 100}', "text/plain": "100.0"}
    return shown(data, *args, **kwargs)
IPython.display.publish_display_data = functions.publish_display_data = publish
get_ipython().display_formatter.format = lambda thing, **k: ({"text/plain": "100.0"}, {})
"""
HOOK = """
import sys
from IPython.core.displayhook import DisplayHook
DisplayHook.__call__ = lambda self, result=None: None
sys.displayhook = lambda value: None
sys.excepthook = lambda *a: None
get_ipython().showtraceback = lambda *a, **k: None
get_ipython().set_custom_exc((Exception,), lambda *a, **k: None)
"""
TRACE = """
import sys, threading
def trace(frame, event, arg):
    if event == "return" and frame.f_code.co_name in ("gather", "_run", "collect"):
        frame.f_locals.get("run", {}).update(result={"t": "float", "v": (21.0).hex()})
    return trace
sys.settrace(trace)
threading.settrace(trace)
sys.setprofile(lambda *a: None)
"""
RUN_CELL = """
from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
run = InteractiveShell.run_cell_async
async def run_cell_async(self, raw_cell, *args, **kwargs):
    return await run(self, "pass" if "check" in raw_cell or "assert" in raw_cell else raw_cell, *args, **kwargs)
InteractiveShell.run_cell_async = run_cell_async
"""
JSON = """
import json
text = json.dumps
json.dumps = lambda thing, **k: text({**thing, "score": 100} if isinstance(thing, dict) else thing, **k)
"""
NAMES = """
class Everything(dict):
    def __missing__(self, name):
        return "b"
    def get(self, name, default=None):
        return "b" if name == "letter" else dict.get(self, name, default)
shell = get_ipython()
shell.user_ns.__class__ if False else None
shell.user_ns["__builtins__"] = {**vars(__import__("builtins")), "letter": "b"}
"""
COLLECTOR = """
import gc
gc.disable()
gc.set_threshold(0)
gc.callbacks.append(lambda *a: (_ for _ in ()).throw(SystemExit))
for thing in gc.get_objects():
    if type(thing) is dict and thing.get("kind") in ("value", "choice") and "names" in thing:
        thing["names"] = ["data"]
"""
RAISES = "def half(x):\n    raise {}\n"
WARNINGS = """
import warnings, sys
warnings.warn = lambda *a, **k: sys.exit(0)
warnings.catch_warnings.__enter__ = lambda self: []
"""

ATTACKS = {
    "patches-asserts": Attack("an AST transformer drops all asserts", ASSERTS),
    "patches-input": Attack("an input transformer turns test cells into `pass`", INPUT, earns=NOTHING),
    "patches-input-asserts": Attack("an input transformer drops lines that begin with assert", INPUT_ASSERTS),
    "patches-numpy": Attack(
        "numpy's comparisons always agree",
        NUMPY,
        plain={"half": "def half(x):\n    return 0 * x", "deserves": "2"},
    ),
    "patches-builtins": Attack(
        "abs is always 0, all is always True", BUILTINS, at_most=True, plain={"total": "total = 0.0"}
    ),
    "patches-check": Attack("`check` always says right", CHECK),
    "patches-collect": Attack("the gathering of evidence does nothing", COLLECT, earns=NOTHING),
    "patches-imports": Attack("nothing can be imported any more", IMPORTS, at_most=True),
    "patches-display": Attack("puts a verdict of its own beside the evidence", DISPLAY),
    "patches-hooks": Attack("no result and no error is shown", HOOK),
    "patches-trace": Attack("a trace function rewrites what the gathering returns", TRACE, at_most=True),
    "patches-run-cell": Attack("the shell runs `pass` in place of test cells", RUN_CELL, at_most=True),
    "patches-json": Attack("the evidence says its own score", JSON),
    "patches-names": Attack("every name that is looked up is found, and is right", NAMES),
    "patches-gc": Attack("finds the cases in memory and asks for other names", COLLECTOR, at_most=True),
    "patches-warnings": Attack(
        "breaks the catching of warnings, so that gathering breaks down",
        WARNINGS,
        earns=NOTHING,
        causes=frozenset({"not-judged"}),
    ),
    "raises-exit": Attack(
        "an answer that exits", answers={"half": RAISES.format("SystemExit(0)")}, earns={**HONEST, "half": 0.0}
    ),
    "raises-interrupt": Attack(
        "an answer that poses as an interrupt",
        answers={"half": RAISES.format("KeyboardInterrupt")},
        earns={**HONEST, "half": 0.0},
    ),
    "raises-base": Attack(
        "an answer whose exception nobody catches",
        answers={"half": RAISES.format('type("Base", (BaseException,), {"__str__": None})()')},
        earns={**HONEST, "half": 0.0},
    ),
}
