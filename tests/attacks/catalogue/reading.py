"""Looking for what no student may see: keys, cases' answers, other students, the grader's own secrets.

Each prints what it finds; the tests look for the secrets in what is kept.
"""

# ruff: noqa: E501  (the attacks' own texts)

from __future__ import annotations

from attack import Attack

OPEN = """
from pathlib import Path
names = ["authoring/91-tiny/items.py", "authoring/91-tiny/notebook.py", "source/91-tiny/tiny.ipynb", "notes.txt",
         "gradebook/secret", "gradebook/gradebook.db", "submitted/mate/91-tiny/tiny.ipynb", "course.toml"]
for name in names:
    for path in (Path("@ROOT@", name), Path("/proc/1/root/@ROOT@", name), *(Path(*[".."] * n, name) for n in range(9))):
        try:
            print(path, path.read_bytes())
        except (OSError, RuntimeError):
            pass
"""

WALK = """
import os, sys
skip = ("/usr", "/proc", "/sys", "/bin", "/lib", sys.prefix, sys.base_prefix)
for folder, folders, names in os.walk("/"):
    folders[:] = [name for name in folders if not os.path.join(folder, name).startswith(skip)]
    for name in names:
        path = os.path.join(folder, name)
        try:
            if os.path.isfile(path) and os.path.getsize(path) < 2_000_000 and @NEEDLE@ in open(path, "rb").read():
                print(path, open(path, "rb").read())
        except OSError:
            pass
"""

ENVIRONMENT = """
import glob, os
print(dict(os.environ))
for path in glob.glob("/proc/*/environ") + glob.glob("/proc/*/cmdline") + glob.glob("/proc/*/mountinfo"):
    try:
        print(path, open(path, "rb").read())
    except OSError:
        pass
"""

PROCESSES = """
import glob, os
for path in glob.glob("/proc/[0-9]*/root/") + glob.glob("/proc/[0-9]*/cwd/") + glob.glob("/proc/[0-9]*/fd/*"):
    try:
        where = os.readlink(path.rstrip("/"))
        print(path, where, os.listdir(path) if os.path.isdir(path) else "")
        for name in ("@ROOT@/notes.txt", "@ROOT@/gradebook/secret"):
            print(open(path + name, "rb").read())
    except OSError:
        pass
"""

DESCRIPTORS = """
import os, stat
for number in range(3, 512):
    try:
        kind = stat.S_IFMT(os.fstat(number).st_mode)
        if kind == stat.S_IFREG:
            print(number, os.pread(number, 1_000_000, 0))
        elif kind == stat.S_IFDIR:
            print(number, os.listdir(number), os.open("notes.txt", os.O_RDONLY, dir_fd=number))
    except OSError:
        pass
"""

MEMORY = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
for pid in (1, os.getppid(), @DECOY@, *range(2, 12)):
    if pid in (0, os.getpid()):
        continue
    attached = libc.ptrace(16, pid, 0, 0) == 0  # PTRACE_ATTACH
    try:
        maps = open(f"/proc/{pid}/maps").read()
        memory = open(f"/proc/{pid}/mem", "rb")
        for line in maps.splitlines():
            if "[heap]" in line or "[stack]" in line:
                start, end = (int(word, 16) for word in line.split()[0].split("-"))
                memory.seek(start)
                held = memory.read(end - start)
                at = held.find(@NEEDLE@)
                print(pid, held[at : at + 40] if at >= 0 else "nothing")
    except OSError:
        pass
    print(pid, "attached" if attached else "")
    if attached:
        libc.ptrace(17, pid, 0, 0)
"""

NETWORK = """
import socket
for family, address in [
    (socket.AF_INET, ("127.0.0.1", @PORT@)), (socket.AF_INET, ("10.0.2.2", @PORT@)), (socket.AF_INET6, ("::1", @PORT@)),
    (socket.AF_UNIX, "\\0@ABSTRACT@"), (socket.AF_UNIX, "/var/run/docker.sock"), (socket.AF_UNIX, "/run/dbus/system_bus_socket"),
]:
    with socket.socket(family, socket.SOCK_STREAM) as s:
        s.settimeout(0.2)
        try:
            s.connect(address)
            print(s.recv(100))
        except OSError:
            pass
"""

CASES = """
import glob, json, os
held = json.load(open(os.environ["CHAINRULE_CASES"]))
print(json.dumps(held))
words = {"want", "wants", "slips", "slip", "expected", "says", "credit", "accept", "name", "public"}
def keys(tree):
    if isinstance(tree, dict):
        yield from tree
        for entry in tree.values():
            yield from keys(entry)
    elif isinstance(tree, list):
        for entry in tree:
            yield from keys(entry)
print("told", "too much:", words & set(keys(held))) if words & set(keys(held)) else None
"""

KIT = """
import glob, importlib.util, os, sys
found = []
for name in ("chainrule", "chainrule.judge", "chainrule.items", "chainrule.evidence"):
    try:
        found.append(importlib.util.find_spec(name).origin)
    except Exception:
        pass
found += [path for at in sys.path for path in glob.glob(os.path.join(at or ".", "chainrule", "judge", "*.py"))]
found += glob.glob("@KIT@/judge/*.py")
for path in filter(None, found):
    print("read", "the judge", len(open(path).read()))
"""

OWN_PATH = """
import os, sys
words = open("/proc/self/cmdline").read() + str(sys.orig_argv) + open("/proc/self/environ").read()
print("found", "it:", words) if "@KIT@" in words else None
"""

KEYRING = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for ring in (-1, -2, -3, -4, -5):  # thread's, process's, session's, user's, user session's
    number = libc.syscall(250, 10, ring, b"user", b"@KEY@", 0)  # KEYCTL_SEARCH
    if number > 0:
        held = ctypes.create_string_buffer(100)
        libc.syscall(250, 11, number, held, 100)  # KEYCTL_READ
        print(held.value)
"""

LEFT_BEHIND = """
import ctypes, glob, os, socket
libc = ctypes.CDLL(None, use_errno=True)
token = "left" + "-behind-" + "by-a-student"
for path in ("/tmp/x", "/dev/shm/x", "/var/tmp/x", "/home/student/x", os.path.expanduser("~/.ipython/x"), "/chainrule/x"):
    if os.path.exists(path):
        print("found", open(path).read())
    try:
        open(path, "w").write(token)
    except OSError:
        pass
number = libc.shmget(0x5E1F, 100, 0o1666)
libc.shmat.restype = ctypes.c_void_p
at = libc.shmat(number, None, 0)
if number >= 0 and at not in (None, ctypes.c_void_p(-1).value):
    print("found", ctypes.string_at(at, 40).rstrip(b"\\0").decode() or "nothing")
    ctypes.memmove(at, token.encode(), len(token))
"""

KEYS_LEFT = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
token = b"left" + b"-behind-" + b"in-a-keyring"
for ring in (-3, -4, -5):
    number = libc.syscall(250, 10, ring, b"user", b"chainrule-left", 0)
    if number > 0:
        held = ctypes.create_string_buffer(100)
        libc.syscall(250, 11, number, held, 100)
        print("found", held.value.decode())
    libc.syscall(248, b"user", b"chainrule-left", token, len(token), ring)
"""

ATTACKS = {
    "reads-course": Attack(
        "opens the course's files by their paths", OPEN, plain={"first": "print(open('tiny.ipynb').read())"}
    ),
    "reads-disk": Attack("searches the disk for the course's words", WALK),
    "reads-environment": Attack("prints all environments, command lines and mounts", ENVIRONMENT),
    "reads-proc": Attack("looks through other processes' folders and open files", PROCESSES),
    "reads-descriptors": Attack("reads whatever is open already", DESCRIPTORS),
    "reads-memory": Attack("reads the memory of other processes", MEMORY),
    "reads-network": Attack("asks services of this machine", NETWORK),
    "reads-cases": Attack("looks in the cases for what is wanted", CASES),
    "reads-kit": Attack("looks for the judge's own code", KIT),
    "reads-own-path": Attack("looks where its own process was started from", OWN_PATH),
    "reads-keyring": Attack(
        "searches the kernel's keyrings, which know no namespace", KEYRING, batch="keys", needs="system calls"
    ),
    # who comes later finds what the earlier one left, if anything is left
    "leaves-files-1": Attack("leaves answers for the next student", LEFT_BEHIND),
    "leaves-files-2": Attack("looks for what the last student left", LEFT_BEHIND),
    "leaves-files-3": Attack("and once more, in the other worker", LEFT_BEHIND),
    "z-finds-files": Attack("and the last of all", LEFT_BEHIND),
    "leaves-keys": Attack("leaves answers in the user's keyring", KEYS_LEFT, batch="keys"),
    "z-finds-keys": Attack("looks for keys of the last student", KEYS_LEFT, batch="keys", needs="system calls"),
}
