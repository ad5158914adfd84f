"""Walking through the process for what the checker knows. It knows no answers, so there are none to be found."""

from __future__ import annotations

from attack import HONEST, Attack

FRAMES = """
def half(x):
    import sys
    frame, seen = sys._getframe(1), {}
    while frame is not None:
        seen |= {**frame.f_globals, **frame.f_locals}
        for name in list(frame.f_locals):
            if name in ("want", "wants", "expected", "slips", "key", "solution", "drawn", "secret"):
                print("found", "it:", name)
        frame = frame.f_back
    for name in ("want", "wants", "expected", "answer", "result"):
        if name in seen:
            return seen[name]
    return None
"""
OBJECTS = """
import gc
found = set()
for thing in gc.get_objects():
    if type(thing) is dict:
        found |= {"want", "wants", "solution", "slips"} & {key for key in list(thing) if type(key) is str}
    elif type(thing).__name__ in ("Item", "Slip", "Key", "Drawn", "Verdict"):
        print("found", "an object:", thing)
    elif type(thing) is type(gc) and thing.__name__.startswith("chainrule"):
        print("found", "a module:", thing)
"""
LOCALS = """
def half(x):
    import ctypes, sys
    frame = sys._getframe(1)
    while frame.f_code.co_name not in ("gather", "collect") and frame.f_back is not None:
        for name in ("results", "run"):
            held = frame.f_locals.get(name)
            if isinstance(held, list):
                held[:] = [np.asarray(x) / 2, np.asarray(x) / 2]
            elif isinstance(held, dict):
                held["changed"], held["warned"] = [], []
        frame = frame.f_back
    return None
"""
CASES = """
def half(x):
    import sys
    frame = sys._getframe(1)
    while frame is not None:
        spec = frame.f_locals.get("spec")
        if spec is not None:
            print("seen", sorted(spec), len(spec["cases"]), [sorted(case) for case in spec["cases"]])
            return spec["cases"][0].get("want", 0.0)
        frame = frame.f_back
"""
SOURCE = """
import inspect, sys
module = sys.modules["check"]
for name in ("chainrule", "judge", "slips"):
    for line in inspect.getsource(module).splitlines():
        if "BEGIN " + "SOLUTION" in line:
            print("found", "it:", line)
print(len(inspect.getsource(module.collect)), vars(module).get("DATA"))
"""

ATTACKS = {
    "walks-frames": Attack(
        "looks for the answers in the callers", answers={"half": FRAMES}, earns={**HONEST, "half": 0.0}
    ),
    "walks-objects": Attack("looks for the judge's objects in memory", OBJECTS),
    "walks-locals": Attack(
        "changes the callers' variables", answers={"half": LOCALS}, earns={**HONEST, "half": 1.0}, at_most=True
    ),
    "walks-cases": Attack(
        "looks what the caller knows of its cases", answers={"half": CASES}, earns={**HONEST, "half": 0.0}
    ),
    "walks-source": Attack("reads the checker's own code", SOURCE),
}
