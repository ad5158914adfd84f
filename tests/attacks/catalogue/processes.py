"""Ending, stopping, replacing and outliving processes; talking to the grader through whatever is open."""

# ruff: noqa: E501  (the attacks' own texts)

from __future__ import annotations

from attack import HONEST, Attack, told

DIED = told("kernel-died")
ENDS = told("kernel-died", "unresponsive", "timeout", "output-limit", "notebook-time")

EXIT_IN_TEST = "def half(x):\n    import os\n    os._exit(0)\n"
CRASH = "import ctypes\nctypes.string_at(0)\n"
ABORT = "import os\nos.abort()\n"
KILL_PARENT = """
import os, signal
for pid in (os.getppid(), 1, -1, 0, @DECOY@, *range(2, 200)):
    if pid != os.getpid():
        for number in (signal.SIGKILL, signal.SIGSTOP):
            try:
                if pid != 0:
                    os.kill(pid, number)
            except OSError:
                pass
"""
KILL_GROUP = "import os, signal\nos.killpg(0, signal.SIGKILL)\n"
STOP = "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)\n"
REPLACE = "import os\nos.execv('/bin/sleep', ['sleep', '86400.@MARK@'])\n"
DAEMON = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv("/bin/sleep", ["sleep", "86400.@MARK@"])
    os._exit(0)
"""
DAEMON_WRITES = """
import os, subprocess, sys
code = '''
import os, time
while True:
    for path in ("@ROOT@/late.txt", "/tmp/late", "/home/student/work/late"):
        try:
            open(path, "a").write("late")
        except OSError:
            pass
    time.sleep(0.2)
'''
subprocess.Popen([sys.executable, "-c", code, "86400.@MARK@"], start_new_session=True)
"""
FORK_KERNEL = "import os\nos.fork()\n"
ALARM = "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_DFL)\nsignal.setitimer(signal.ITIMER_REAL, 0.3)\nimport time\ntime.sleep(1)\n"
TERM = "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\nimport time\ntime.sleep(1)\n"
CLOSE = "import os\nos.closerange(3, 1000)\n"
TALK = """
import json, os
forged = [{"child-pid": @DECOY@}, {"pid": @DECOY@, "exit": 0}, {"msg_type": "shutdown"}, [], None, "quit"]
lines = b"".join(json.dumps(thing).encode() + b"\\n" for thing in forged) + bytes(range(256)) * 50 + b"\\n" * 10
for number in range(3, 300):
    try:
        os.set_blocking(number, False)
        os.write(number, lines)
    except OSError:
        pass
"""
READ_ALL = """
import os
for number in range(3, 300):
    try:
        os.set_blocking(number, False)
        while os.read(number, 65536):
            pass
    except OSError:
        pass
"""
SHUTDOWN = """
kernel = get_ipython().kernel
for kind in ("shutdown_reply", "kernel_info_reply", "execute_reply", "interrupt_reply"):
    for stream in ("iopub_socket", "shell_stream", "control_stream"):
        try:
            content = {"status": "ok", "restart": True, "execution_count": 1, "language_info": {"name": "evil"}}
            kernel.session.send(getattr(kernel, stream), kind, content, parent=kernel.get_parent())
        except Exception:
            pass
"""
PRIORITY = """
import os, ctypes
libc = ctypes.CDLL(None)
for action in (lambda: os.nice(-20), lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(99)),
               lambda: os.setuid(0), lambda: os.setgid(0), lambda: os.chroot("/"), lambda: os.setgroups([0])):
    try:
        action()
        print("got", "more rights")
    except OSError:
        pass
libc.prctl(38, 0, 0, 0, 0)  # no-new-privileges, which cannot be taken back
if os.getuid() == 0 or "CapEff:\\t0000000000000000" not in open("/proc/self/status").read():
    print("got", "more rights")
"""
SETUID = """
import subprocess
for command in (["su", "-c", "id"], ["sudo", "-n", "id"], ["mount", "-t", "tmpfs", "x", "/tmp"], ["newgrp"], ["passwd"]):
    try:
        done = subprocess.run(command, capture_output=True, timeout=1, stdin=subprocess.DEVNULL)
        print("got", "more rights" if done.returncode == 0 and b"uid=0" in done.stdout else "nothing")
    except (OSError, subprocess.TimeoutExpired):
        pass
"""
QUIT = "exit()"
EVENT_LOOP = """
import asyncio
loop = asyncio.get_event_loop()
loop.call_later(0.05, loop.stop)
"""

ATTACKS = {
    "exits-in-test": Attack(
        "ends the process while its answer is looked at",
        answers={"half": EXIT_IN_TEST},
        earns={**HONEST, "half": 0.0},
        causes=DIED,
    ),
    "crashes": Attack("a segmentation fault", answers={"total": CRASH}, causes=DIED),
    "aborts": Attack("aborts", answers={"total": ABORT}, causes=DIED),
    "kills-others": Attack("kills and stops every process that it can name", answers={"total": KILL_PARENT}, may=ENDS),
    "kills-group": Attack("kills its own process group", answers={"total": KILL_GROUP}, causes=DIED),
    "stops-itself": Attack("stops, without an end", answers={"total": STOP}, causes=told("unresponsive"), may=ENDS),
    "replaces-itself": Attack("becomes another program", answers={"total": REPLACE}, may=ENDS),
    "leaves-daemon": Attack("leaves a process in a session of its own", DAEMON),
    "leaves-writer": Attack("leaves a process that writes later", DAEMON_WRITES),
    "forks-kernel": Attack("two processes answer for one", answers={"total": FORK_KERNEL}, at_most=True, may=ENDS),
    "sets-alarm": Attack("is killed by its own alarm", answers={"total": ALARM}, causes=DIED),
    "terminates": Attack("asks itself to end", answers={"total": TERM}, may=ENDS),
    "closes-everything": Attack("closes all that is open", answers={"total": CLOSE}, may=ENDS),
    "talks-to-grader": Attack("writes orders and noise to all that is open", answers={"total": TALK}, may=ENDS),
    "reads-all-open": Attack("takes away what others should read", answers={"total": READ_ALL}, may=ENDS),
    "forges-replies": Attack("answers what nobody asked", SHUTDOWN, at_most=True, may=ENDS),
    "gets-rights": Attack("asks for more rights", PRIORITY),
    "gets-rights-by-programs": Attack("asks programs that have more rights", SETUID),
    "quits": Attack("quits", answers={"total": QUIT}, may=ENDS),
    "stops-loop": Attack("stops the kernel's own loop", answers={"total": EVENT_LOOP}, may=ENDS, at_most=True),
}
