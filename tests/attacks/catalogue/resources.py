"""Taking more than its share: memory, disk, descriptors, processes, output, time."""

# ruff: noqa: E501  (the attacks' own texts)

from __future__ import annotations

from attack import HONEST, Attack, told
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

MEMORY = """
held = []
try:
    while True:
        held.append(bytearray(50_000_000))
except MemoryError:
    print(len(held) < 40)
    held.clear()
"""
MANY = """
import glob, os, time
end = time.monotonic() + 2.5
children = []
for _ in range(8):
    pid = os.fork()
    if pid == 0:
        try:
            held = bytearray(b"x") * 250_000_000
            open(f"/tmp/holds-{os.getpid()}", "w").close()
            while time.monotonic() < end:
                if len(glob.glob("/tmp/holds-*")) == 8:
                    open("/tmp/too-much", "w").close()
                time.sleep(0.05)
            os.unlink(f"/tmp/holds-{os.getpid()}")  # before it holds it no more
        except MemoryError:
            pass
        os._exit(0)
    children.append(pid)
for pid in children:
    os.waitpid(pid, 0)
print("held", "too much" if os.path.exists("/tmp/too-much") else "little")
"""
DISK = """
import os
for place in ("/tmp", "/dev/shm", "/home/student", "/var/tmp", "/chainrule", "/"):
    try:
        for k in range(40):
            with open(os.path.join(place, f"fill-{k}"), "wb") as file:
                for _ in range(8):
                    file.write(bytes(4_000_000))
    except OSError as error:
        print(place, error.strerror)
"""
FILES = """
import os
try:
    for k in range(20_000):
        os.close(os.open(f"/tmp/file-{k}", os.O_CREAT | os.O_WRONLY))
except OSError:
    pass
deep = ""
os.chdir("/tmp")
for _ in range(500):
    os.mkdir("d" * 200)
    os.chdir("d" * 200)
os.chdir("/home/student/work")
"""
DESCRIPTORS = """
import os
held = []
try:
    while True:
        held.append(os.open("/dev/null", os.O_RDONLY))
except OSError as error:
    print(error.strerror, len(held) < 5000)
for number in held:
    os.close(number)
"""
DESCRIPTORS_KEPT = """
import os, resource
held = []
try:
    while True:
        held += os.pipe()
except OSError:
    pass
"""
LIMITS = """
import resource
for kind in (resource.RLIMIT_AS, resource.RLIMIT_NPROC, resource.RLIMIT_FSIZE, resource.RLIMIT_CPU, resource.RLIMIT_NOFILE):
    try:
        resource.setrlimit(kind, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        print("raised", "a limit:", kind)
    except (ValueError, OSError):
        pass
"""
FORKS = """
import os, time
try:
    for _ in range(10_000):
        if os.fork() == 0:
            while True:
                try:
                    os.fork()
                except OSError:
                    time.sleep(0.01)
except OSError:
    pass
"""
THREADS = """
import threading, time
started = []
try:
    for _ in range(5000):
        thread = threading.Thread(target=time.sleep, args=(30,), daemon=True)
        thread.start()
        started.append(thread)
except RuntimeError:
    print(len(started) < 1000)
"""
BINARY = """
import os, sys
for number in (1, 2):
    try:
        os.write(number, os.urandom(1_000_000))
    except OSError:
        pass
try:
    sys.__stdout__.buffer.write(os.urandom(1_000_000))
except Exception:
    pass
print(os.urandom(300_000).decode("latin-1"))
print("".join(map(chr, range(0x2000))), "\\0" * 1000)
"""
PRINTS = "def half(x):\n    import sys\n    for _ in range(200):\n        sys.__stdout__.write('x' * 10**6)\n    return x / 2\nfor _ in range(200):\n    print('y' * 10**6)\n"
DISPLAYS = """
from IPython.display import display
for k in range(200):
    display({"text/plain": "x" * 1_000_000}, raw=True)
"""
LINES = "for k in range(200_000):\n    print(k)\n"
CLEARS = """
from IPython.display import clear_output
import time
end = time.monotonic() + 1.5
while time.monotonic() < end:
    clear_output()
"""
LARGE_MESSAGES = """
kernel = get_ipython().kernel
parent = kernel.get_parent()
import time
end = time.monotonic() + 1
while time.monotonic() < end:
    kernel.session.send(kernel.iopub_socket, "stream", {"name": "stdout", "text": "x" * 30_000_000}, parent=parent)
"""
SMALL_OUTPUTS = """
import json, os
kernel = get_ipython().kernel
line = json.dumps(["display_data", kernel.get_parent()["msg_id"], {"data": {}, "metadata": {}}]) + "\\n"
for _ in range(50):
    os.write(kernel.session.descriptor, line.encode() * 1000)
"""
STATES = """
kernel = get_ipython().kernel
parent = kernel.get_parent()
import time
end = time.monotonic() + 1
while time.monotonic() < end:
    kernel.session.send(kernel.iopub_socket, "status", {"execution_state": "busy"}, parent=parent)
    kernel.session.send(kernel.iopub_socket, "status", {"execution_state": "idle"}, parent=parent)
"""
ERROR = (
    "class Long(Exception):\n    def __str__(self):\n        return 'x' * 50_000_000\ndef half(x):\n    raise Long()\n"
)
RECURSION = """
import sys
sys.setrecursionlimit(10**8)
def down(k):
    return down(k + 1)
try:
    down(0)
except RecursionError:
    pass
"""
STUBBORN = """
import time
while True:
    try:
        time.sleep(0.01)
    except BaseException:
        pass
"""
IGNORES = """
import signal
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
    signal.signal(number, signal.SIG_IGN)
while True:
    pass
"""
IN_C = "import hashlib\nhashlib.pbkdf2_hmac('sha256', b'x', b'y', 2**31 - 1)\ntotal = 0.0\n"
SORTING = """
class Slow:
    def __lt__(self, other):
        while True:
            pass
total = sorted([Slow(), Slow()])
"""
REGEX = "import re\nre.match(r'(a+)+$', 'a' * 40 + 'b')\ntotal = 0.0"
ENDLESS = "def half(x):\n    while True:\n        pass\n"
FRESH = "def half(x):\n    while x.shape != (3,):\n        pass\n    return x / 2\n"
SLEEPS = "import time\ntime.sleep(1.5)"
BUSY = """
import os, time
for _ in range(20):
    if os.fork() == 0:
        while True:
            pass
"""
# Work for the machinery that makes the page: filters take time that grows with the square of such texts.
COLOURS = "print('\\x1b[m' * 400_000)"


def many_cells(notebook: NotebookNode) -> None:
    """3,000 cells that take no time each."""
    notebook.cells.extend(new_code_cell("1") for _ in range(300))
    notebook.cells.extend(new_markdown_cell("x") for _ in range(2700))


def sleepy_cells(notebook: NotebookNode) -> None:
    """Each cell within its limit, all of them far beyond the notebook's."""
    notebook.cells.extend(new_code_cell(SLEEPS) for _ in range(200))


def slow_prose(notebook: NotebookNode) -> None:
    notebook.cells.append(new_markdown_cell("a" + " " * 1_000_000 + "b"))


def slow_code(notebook: NotebookNode) -> None:
    notebook.cells.append(new_code_cell("'''" + "\\n" * 3 + "'''\n" + "@" * 500_000 + "." * 500_000))


TIMEOUT, UNRESPONSIVE, DIED, OUTPUT = told("timeout"), told("unresponsive"), told("kernel-died"), told("output-limit")
ENDS = told("timeout", "unresponsive", "kernel-died", "output-limit", "notebook-time")

ATTACKS = {
    "takes-memory": Attack("allocates without end", MEMORY, may=DIED),
    "takes-memory-many": Attack(
        "eight processes that hold 250 MB each, where 1024 MB are allowed",
        MANY,
        at_most=True,
        may=ENDS,
        survives=False,
        needs="control groups",
    ),
    "takes-disk": Attack("fills every folder that can be written", DISK),
    "takes-files": Attack("20,000 files, and folders 500 deep", FILES),
    "takes-descriptors": Attack("opens files until it cannot", DESCRIPTORS),
    "keeps-descriptors": Attack("the same, and keeps them", DESCRIPTORS_KEPT, at_most=True, may=ENDS, survives=False),
    "raises-limits": Attack("raises its own limits", LIMITS),
    "forks": Attack("a fork bomb", FORKS, at_most=True, may=ENDS, survives=False),
    "threads": Attack("5,000 threads", THREADS, at_most=True, may=ENDS),
    "prints-binary": Attack("a megabyte of noise to every output", BINARY, at_most=True, may=ENDS, survives=False),
    "prints-200-mb": Attack("prints 200 MB", answers={"half": PRINTS}, causes=OUTPUT, at_most=True, may=ENDS),
    "displays-200-mb": Attack("displays 200 MB", DISPLAYS, causes=OUTPUT, may=ENDS, survives=False),
    "prints-lines": Attack("200,000 lines", LINES, may=ENDS, survives=False),
    "clears-output": Attack("clears its output without end", CLEARS, at_most=True, may=ENDS, survives=False),
    "sends-large-messages": Attack(
        "messages of 30 MB as fast as it can", LARGE_MESSAGES, at_most=True, may=ENDS, survives=False
    ),
    "sends-small-outputs": Attack(
        "fifty thousand outputs with nothing in them", SMALL_OUTPUTS, causes=OUTPUT, may=ENDS, survives=False
    ),
    "sends-states": Attack("says that it is done, without end", STATES, at_most=True, may=ENDS, survives=False),
    "says-long-error": Attack(
        "an exception of 50 MB", answers={"half": ERROR}, earns={**HONEST, "half": 0.0}, at_most=True, may=ENDS
    ),
    "recurses": Attack("recurses until the stack is full", RECURSION, may=ENDS, at_most=True, survives=False),
    "loops": Attack("never ends", answers={"half": ENDLESS}, earns={**HONEST, "half": 0.0}, causes=TIMEOUT),
    "loops-on-fresh": Attack(
        "never ends on other cases than the worked one",
        answers={"half": FRESH},
        earns={**HONEST, "half": 0.0},
        causes=TIMEOUT,
    ),
    "loops-stubbornly": Attack("swallows interrupts", answers={"total": STUBBORN}, causes=UNRESPONSIVE),
    "loops-ignoring": Attack("ignores signals", answers={"total": IGNORES}, causes=UNRESPONSIVE, may=TIMEOUT),
    "loops-in-c": Attack("one call of C that takes an hour", answers={"total": IN_C}, causes=UNRESPONSIVE, may=ENDS),
    "loops-in-sort": Attack("a comparison that never ends", answers={"total": SORTING}, causes=TIMEOUT),
    "loops-in-regex": Attack("a pattern of exponential time", answers={"total": REGEX}, causes=TIMEOUT),
    "sleeps-in-cells": Attack(
        "two hundred cells within their limits", change=sleepy_cells, causes=told("notebook-time"), may=TIMEOUT
    ),
    "burns": Attack("twenty processes that take all processor time", BUSY, at_most=True, may=ENDS),
    "cells": Attack("three thousand cells", change=many_cells, at_most=True, may=told("notebook-time")),
    "page-colours": Attack(
        "400,000 changes of colour in one line",
        COLOURS,
    ),
    "page-prose": Attack(
        "a million spaces in a line of prose",
        change=slow_prose,
    ),
    "page-code": Attack(
        "a cell that takes hours to highlight",
        change=slow_code,
        may=told("timeout"),
    ),
}
