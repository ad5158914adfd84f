"""The process that workers are forked from: a fork of ours where that is safe, a new Python where it is not."""

from __future__ import annotations

import subprocess
import sys

import pytest

SHOW = """
import os, sys, threading, time
from multiprocessing import forkserver
from pathlib import Path
from chainrule.grading import origin

def look(*names):
    settings = os.environ.copy()
    origin.start()
    server = Path("/proc", str(forkserver._forkserver._forkserver_pid))
    print(b"multiprocessing.forkserver" not in (server / "cmdline").read_bytes())
    print(any(os.readlink(fd) == __file__ for fd in (server / "fd").iterdir() if fd.exists()))
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
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True, timeout=200)
    assert done.stdout.split() == [str(forked), "False", "True", "False"], done.stderr
