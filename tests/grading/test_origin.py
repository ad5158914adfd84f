"""The process that workers are forked from: a fork of ours where that is safe, a new Python where it is not."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from chainrule.grading import origin

SHOW = """
import os, sys, threading, time
from multiprocessing import forkserver
from pathlib import Path
from chainrule.grading import origin

def look(*names):
    settings = os.environ.copy()
    origin.start()
    server = Path("/proc", str(forkserver._forkserver._forkserver_pid))
    print((server / "cmdline").read_bytes() == Path("/proc/self/cmdline").read_bytes())
    for _ in range(100):  # it begins by closing them
        ours = [fd for fd in (server / "fd").iterdir() if fd.exists() and os.readlink(fd) == __file__]
        if not ours:
            break
        time.sleep(0.1)
    print(bool(ours))
    print(settings == os.environ)
    origin.stop()
    print(server.exists())

file = open(__file__)
os.set_inheritable(file.fileno(), True)
"""
ALONE = "origin.one_thread()\nlook()"
THREADED = "origin.one_thread()\nthreading.Thread(target=time.sleep, args=(600,), daemon=True).start()\nlook()"
UNSETTLED = "look()"


@pytest.mark.parametrize(("how", "forked"), [(ALONE, True), (THREADED, False), (UNSETTLED, False)])
def test_it_is_forked_where_that_is_safe(tmp_path: object, how: str, forked: bool) -> None:
    """With another thread here, or numpy's libraries free to start some, it is a new Python. It keeps no file of ours,
    our environment stays as it is, and it has ended when we go on."""
    script = f"{tmp_path}/show.py"
    with open(script, "w") as file:
        file.write(SHOW + how)
    # a test that graded in this very process has left its settings
    free = {name: value for name, value in os.environ.items() if name not in origin.ONE_THREAD}
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True, timeout=200, env=free)
    assert done.stdout.split() == [str(forked), "False", "True", "False"], done.stderr


HEAD = """
import os, signal
from multiprocessing import forkserver
from pathlib import Path
from chainrule.grading import origin

def start():
    origin.start()
    return forkserver._forkserver._forkserver_pid

def grade():
    worker = origin.CONTEXT.Process(target=print, args=("graded",))
    origin.launch(worker)
    worker.join()

if __name__ == "__main__":
    origin.one_thread()
"""
DEAF = """
    origin.FAREWELL = 1
    pid = start()
    os.kill(pid, signal.SIGSTOP)
    origin.stop()
    print(Path("/proc", str(pid)).exists())
"""
KILLED = """
    os.kill(start(), signal.SIGKILL)
    grade()
"""
UNKNOWN = """
    origin.PARTS = (*origin.PARTS, "a part that the next Python may lack")
    line = Path("/proc", str(start()), "cmdline").read_bytes()
    print(b"from multiprocessing.forkserver import main" in line)
    grade()
    origin.stop()
"""


@pytest.mark.parametrize(
    ("how", "says"),
    [(DEAF, ["False"]), (KILLED, ["graded"]), (UNKNOWN, ["True", "graded"])],
    ids=["deaf", "killed", "unknown"],
)
def test_trouble_with_it(tmp_path: object, how: str, says: list[str]) -> None:
    """Stopped, it keeps nobody waiting; killed, another takes its place; in a Python whose multiprocessing is another
    inside, it is what multiprocessing makes of it, and workers work."""
    script = f"{tmp_path}/trouble.py"
    with open(script, "w") as file:
        file.write(HEAD + how)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True, timeout=200)
    assert done.stdout.split() == says, done.stderr
    assert done.stderr == ""
