"""Changing what is not the student's: the gradebook, the course, other work, the cases, the machine."""

# ruff: noqa: E501  (the attacks' own texts)

from __future__ import annotations

from attack import HONEST, Attack

COURSE = """
import os, shutil
from pathlib import Path
for name in ("gradebook/gradebook.db", "gradebook/secret", "source/91-tiny/tiny.ipynb", "release/91-tiny/tiny.ipynb",
             "submitted/mate/91-tiny/tiny.ipynb", "authoring/91-tiny/items.py", "nbgrader_config.py", "new.txt"):
    for root in ("@ROOT@", "/proc/1/root/@ROOT@", "../../../../../../../..@ROOT@"):
        try:
            Path(root, name).write_text("mine now")
        except OSError:
            pass
shutil.rmtree("@ROOT@", ignore_errors=True)
"""

GRADEBOOK = """
import glob, sqlite3
for path in ["@ROOT@/gradebook/gradebook.db", "../gradebook.db", *glob.glob("/[!u]*/*/gradebook.db")]:
    try:
        with sqlite3.connect(path, timeout=0.1) as gradebook:
            gradebook.execute("update grade set auto_score = 100, extra_credit = 100")
    except sqlite3.Error:
        pass
"""

PLAIN_GRADEBOOK = """
import sqlite3
with sqlite3.connect("@ROOT@/gradebook.db", timeout=5) as gradebook:
    gradebook.execute("update grade set auto_score = 100, extra_credit = 100")
"""

SYSTEM = """
import os, site, sys
places = [*site.getsitepackages(), sys.prefix, "/usr/lib/python3/dist-packages", "/etc", "/usr/local/bin", "/root", "/bin"]
for place in places:
    for name in ("evil.pth", "sitecustomize.py", "numpy/__init__.py"):
        try:
            open(os.path.join(place, name), "w").write("import os; os.environ['PWNED'] = '1'")
            print("has", "overwritten", place)
        except OSError:
            pass
"""

KERNEL_SETTINGS = """
import glob
for path in ["/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/sys/vm/drop_caches", "/proc/self/uid_map",
             *glob.glob("/sys/fs/cgroup/**/cgroup.procs", recursive=True)[:20]]:
    try:
        with open(path, "w") as file:
            file.write("0")
        print("has", "overwritten", path)
    except OSError:
        pass
"""

CASES = """
import json, os
path = os.environ["CHAINRULE_CASES"]
held = json.load(open(path))
for item in held["items"].values():  # fresh cases become the worked one, whose answers are public
    item["cases"] = item["cases"][:1] * len(item["cases"])
try:
    os.chmod(path, 0o666)
    open(path, "w").write(json.dumps(held))
except OSError:
    pass
open("easy.json", "w").write(json.dumps(held))
os.environ["CHAINRULE_CASES"] = os.path.abspath("easy.json")
"""

MOUNTS = """
import ctypes, json, os
libc = ctypes.CDLL(None, use_errno=True)
uid = os.getuid()
libc.unshare(0x10000000 | 0x00020000)  # a user and a mount namespace of its own, where that is allowed
for path, text in (("/proc/self/setgroups", "deny"), ("/proc/self/uid_map", f"0 {uid} 1"), ("/proc/self/gid_map", f"0 {uid} 1")):
    try:
        open(path, "w").write(text)
    except OSError:
        pass
libc.mount(b"none", b"/chainrule", None, 32 | 4096, None)  # remounted with write permission
libc.mount(b"none", b"/", None, 32 | 4096, None)
libc.umount2(b"/tmp", 2)
for path in ("/chainrule/cases.json", "/chainrule/x", "/usr/x"):
    try:
        open(path, "a").write(" ")
        print("has", "overwritten", path)
    except OSError:
        pass
"""

NOTEBOOK = """
import json
forged = {"cells": [], "metadata": {"chainrule": {"verdicts": []}}, "nbformat": 4, "nbformat_minor": 5}
for name in ("tiny.ipynb", "check_data.json", "check.py", "timestamp.txt", "../tiny.ipynb"):
    open(name, "w").write(json.dumps(forged))
"""

ATTACKS = {
    "writes-course": Attack("overwrites and removes the course's files", COURSE),
    "writes-gradebook": Attack("gives everyone a hundred points", GRADEBOOK, plain={"first": PLAIN_GRADEBOOK}),
    "writes-system": Attack("puts code where every Python loads it", SYSTEM),
    "writes-kernel-settings": Attack("writes to the machine's settings and control groups", KERNEL_SETTINGS),
    "writes-cases": Attack(
        "puts the worked case, whose answer is public, in place of the fresh ones",
        CASES,
        answers={"half": "def half(x):\n    return np.array([0.5, 1.0, 2.0])"},
        earns={**HONEST, "scale": 0.0, "half": 0.0},  # an honest answer to other questions is no answer
    ),
    "writes-mounts": Attack("mounts its own folders over the grader's", MOUNTS),
    "writes-notebook": Attack("puts a graded notebook in its own one's place", NOTEBOOK),
}
