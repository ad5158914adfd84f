"""What is special about kernels that are forked: nothing that a notebook can see, and a way out where it cannot be."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from chainrule.course import Course
from chainrule.grading import cgroup, forked
from chainrule.grading.cgroup import Group, make_group
from chainrule.grading.forked import ForkedKernel
from chainrule.grading.forkserver import ForkUnavailable, imported_modules, server_for
from chainrule.grading.kernel import SandboxExecute
from chainrule.grading.sandbox import MIB, Limits

GIVEN = "import statistics, fractions\nimport numpy as np"
MODULES = ("statistics", "fractions", "numpy")
INSIDE_FILES = Path(cgroup.__file__).parent / "inside"


def given(source: str) -> NotebookNode:
    """A locked cell of the course."""
    meta = {"grade": False, "grade_id": "given-setup", "locked": True, "solution": False, "schema_version": 3}
    return new_code_cell(source, metadata={"nbgrader": meta})


def run(*cells: str, folder: Path | None = None, first: str = GIVEN, **config: Any) -> list[str]:
    """What each cell said, after a given cell that imports; errors by their names."""
    nodes = [given(first), *(new_code_cell(cell) for cell in cells)]
    resources = {"metadata": {"path": str(folder) if folder else None}}
    nb, _ = SandboxExecute(**config).preprocess(new_notebook(cells=nodes), resources)
    return [
        "".join(o.get("text") or o.get("ename") or o.data.get("text/plain", "") for o in cell.outputs).strip()
        for cell in nb.cells[1:]
    ]


def warm(*cells: str, **more: Any) -> list[str]:
    """As `run`, and the kernel was really forked."""
    number = server_for(MODULES).process.pid
    said = run("import os; os.getppid()", *cells, **more)
    assert server_for(MODULES).process.pid == number
    assert said[0] == "0", "the parent is outside of the sandbox, which a cold kernel's is not"
    return said[1:]


def test_only_what_the_course_itself_imports_is_imported() -> None:
    """Names inside functions and conditions, relative ones, magics and `check` are left to the notebook."""
    cells = [
        "import a.b as c\nfrom d.e import f, g",
        "%matplotlib inline",
        "if x:\n    import h",
        "from check import check",
    ]
    cells += ["def f():\n    import i", "from . import j", "import k, a.b"]
    theirs = new_code_cell("import l")
    assert imported_modules(new_notebook(cells=[*map(given, cells), theirs])) == ("a.b", "d.e", "k")


def test_what_the_units_import_can_be_forked(course: Course) -> None:
    """A library that starts a thread would make every notebook's kernel a cold one, four times slower, unseen."""
    for modules in {imported_modules(unit.handed_out) for unit in course.units()}:
        assert server_for(modules).process.poll() is None


def test_nothing_is_loaded_that_the_notebook_did_not_ask_for() -> None:
    """A notebook that forgot an import fails as it does at home."""
    assert warm("import sys; 'pandas' in sys.modules, 'matplotlib' in sys.modules", "pandas") == [
        "(False, False)",
        "NameError",
    ]


def test_random_numbers_differ_between_notebooks() -> None:
    """A fork would share the generators' state with all others."""
    draws = "import random; print(np.random.rand(), random.random(), np.random.default_rng().random())"
    first, second = warm(draws)[0].split(), warm(draws)[0].split()
    assert not set(first) & set(second)


def test_notebooks_do_not_see_each_other() -> None:
    """What one notebook does to shared modules, files and the environment is gone in the next."""
    harm = "np.mean = None; fractions.Fraction = 3; os.environ['LEFT'] = '1'; print(file=open('/tmp/left', 'w'))"
    look = "callable(np.mean), fractions.Fraction(1, 2) == .5, 'LEFT' in os.environ, os.path.exists('/tmp/left')"
    harm += "\nimport sys; sys.modules['check'].left = get_ipython().left = get_ipython().kernel.left = 1"
    harm += "\nget_ipython().events.register('pre_run_cell', print)"
    look += ", any(hasattr(thing, 'left') for thing in (get_ipython(), get_ipython().kernel, __import__('check')))"
    clean = "(True, True, False, False, False)"
    with pytest.raises(AssertionError):  # the look sees harm where there is some
        assert warm(harm, look)[1] == clean
    assert warm(look, "list(Out), len(In)") == [clean, "([2, 3], 5)"]


IDS = "k = get_ipython().kernel; print(k.ident, k.session.session, k.session.key, os.getpid() - k.session.pid)"


def test_kernels_have_names_of_their_own() -> None:
    """A kernel is built before the fork: what identifies it is made after."""
    *first, gap = warm(IDS)[0].split()
    *second, _ = warm(IDS)[0].split()
    assert len(first) == len(second) == 3
    assert not set(first) & set(second)
    assert gap == "0"


PLACES = """
ip = get_ipython()
folders = sorted(os.path.join(at, name) for at, names, _ in os.walk(ip.ipython_dir) for name in names)
modes = [oct(os.stat(folder).st_mode) for folder in folders]
print(os.getcwd(), _dh, ip.history_manager.dir_hist, ip.starting_dir, ip.home_dir, ip.ipython_dir, ip.db)
print(ip.profile_dir.location, ip.profile_dir.startup_dir, ip.history_manager.hist_file, folders, modes)
"""
BUILT = """
import builtins, sys, threading, time, warnings
ip = get_ipython()
print(sys.path[0], sys.ps1, sorted(dir(builtins)), *map(str, warnings.filters))
print(sys.modules['__main__'].__dict__ is ip.user_ns, sys.displayhook is ip.displayhook, type(ip))
print(ip.execution_count, In, Out, ip.meta, ip.tempfiles, ip.dir_stack, ip.stdin_encoding, ip.colors)
print(sys.stdout is ip._orig_sys_module_state['stdout'], sys.stderr is ip.kernel._stderr, os.environ['TERM'])
print(*(formatter.type_printers.keys() for formatter in ip.display_formatter.formatters.values()))
print('IOPub' in [thread.name for thread in threading.enumerate()], threading.current_thread().name)
print([os.environ[name] for name in ('CLICOLOR', 'CLICOLOR_FORCE', 'FORCE_COLOR', 'PAGER', 'GIT_PAGER')], os.umask(18))
os.system('echo of a program'); time.sleep(0.3)  # a thread of the kernel's passes a program's words on
"""


LOGGING = """
import logging
logging.basicConfig(level=logging.DEBUG)
print(sorted(set(logging.root.manager.loggerDict) - {"IPKernelApp", "SandboxApp"}))
get_ipython().kernel.log.warning("not the notebook's")
"""


@pytest.mark.parametrize("look", [PLACES, BUILT, LOGGING])
def test_kernel_is_as_one_that_was_started_cold(look: str) -> None:
    """Its folders, namespaces and hooks are the sandbox's, although it was built outside."""
    cold, warmed = (run("import os", look, engine=engine)[1] for engine in ("cold", "auto"))
    assert warmed == cold
    assert "chainrule-run" not in warmed


def test_file_of_the_same_name_is_found_first(tmp_path: Path) -> None:
    """A submission's own module hides a module of that name, warm or cold: where it would not, the kernel is cold."""
    (tmp_path / "wave.py").write_text("owner = 'student'")
    assert run("wave.owner", folder=tmp_path, first="import wave") == ["'student'"]


@pytest.mark.parametrize("engine", ["auto", "cold"])
def test_tables_are_wide_as_in_a_notebook(engine: str) -> None:
    """pandas decides when it is imported how many columns it shows."""
    assert run("pd.get_option('display.max_columns')", first="import pandas as pd", engine=engine) == ["20"]


def test_rights_are_gone() -> None:
    """No capability, no way to new privileges, another user, a filter of calls: before the first cell."""
    (said,) = warm("print(open('/proc/self/status').read())")
    found = dict(line.split(":\t") for line in said.splitlines() if ":\t" in line)
    assert {name: int(value, 16) for name, value in found.items() if name.startswith("Cap")} == dict.fromkeys(
        ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"), 0
    )
    assert found["NoNewPrivs"] == "1"
    assert found["Seccomp"] == ("2" if has_filter() else "0")
    assert "0" not in found["Uid"].split() + found["Gid"].split()


def has_filter() -> bool:
    """Whether libseccomp is on this machine."""
    try:
        import pyseccomp  # noqa: F401
    except (ImportError, RuntimeError):
        return False
    return True


def has_landlock() -> bool:
    """Whether this kernel and the library offer it."""
    try:
        import landlock
    except ImportError:
        return False
    try:
        return bool(landlock.landlock_abi_version())
    except OSError:
        return False


FORBIDDEN = """
import ctypes, socket
libc = ctypes.CDLL(None, use_errno=True)
def fails(call, *args):
    return libc[call](*args) == -1 and ctypes.get_errno()
print(fails('ptrace', 0, 0, 0, 0), fails('unshare', 0x10000000), fails('mount', b'x', b'/tmp', b'tmpfs', 0, 0))
for family in (40, 38, 17):
    try:
        socket.socket(family, socket.SOCK_RAW if family == 17 else socket.SOCK_STREAM)
        print('open')
    except OSError as error:
        print(error.errno)
socket.socket(); socket.socketpair()
import subprocess, threading, multiprocessing
print(subprocess.run(['echo', 'started'], capture_output=True, text=True).stdout.strip())
"""


@pytest.mark.skipif(not has_filter(), reason="libseccomp is not installed")
@pytest.mark.parametrize("engine", ["auto", "cold"])
def test_calls_that_reach_far_are_refused(engine: str) -> None:
    """Namespaces, tracing, mounts and rare sockets are refused; threads, programs and plain sockets are not."""
    assert run(FORBIDDEN, engine=engine)[0].splitlines() == ["1 1 1", "97", "97", "97", "started"]


ELSEWHERE = """
for path in ('/proc/self/comm', '/tmp/x', '/dev/null', '/dev/shm/x', 'x'):
    try:
        open(path, 'w').write('x')
        print('written')
    except OSError as error:
        print(error.errno)
print(os.listdir('/proc/self/fd') != [], os.path.exists('/usr/bin/env'))
"""


@pytest.mark.skipif(not has_landlock(), reason="this kernel has no Landlock")
@pytest.mark.parametrize("engine", ["auto", "cold"])
def test_writing_elsewhere_is_refused(engine: str) -> None:
    """Landlock holds where the mounts and the file's own rights would let a notebook write."""
    said = run("import os", ELSEWHERE, engine=engine)[1].splitlines()
    assert said == ["13", "written", "written", "written", "written", "True True"]


KEYS = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
print(libc.syscall({"x86_64": 250, "aarch64": 219}[os.uname().machine], 10, -3, b"user", b"chainrule-test", 0))
"""


@pytest.mark.parametrize("engine", ["auto", "cold"])
def test_keys_of_the_session_are_out_of_reach(engine: str) -> None:
    """What the grader's own session holds is not found."""
    libc, add_key = ctypes.CDLL(None, use_errno=True), {"x86_64": 248, "aarch64": 217}.get(os.uname().machine)
    if add_key is None or libc.syscall(add_key, b"user", b"chainrule-test", b"secret", 6, -3) < 0:
        pytest.skip("this kernel has no session keyring")
    assert run(KEYS, engine=engine) == ["-1"]


def test_keyring_is_left_also_without_a_filter() -> None:
    """Where libseccomp is not installed: a process that left the keyring does not find its parent's key."""
    libc, add_key = ctypes.CDLL(None, use_errno=True), {"x86_64": 248, "aarch64": 217}.get(os.uname().machine)
    if add_key is None or libc.syscall(add_key, b"user", b"chainrule-test", b"secret", 6, -3) < 0:
        pytest.skip("this kernel has no session keyring")
    leave = f"import sys; sys.path.insert(0, {str(INSIDE_FILES)!r}); import confine; confine.leave_keyring()\n"
    said = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
        for code in (KEYS, leave + KEYS)
    ]
    assert said[0] != "-1", "the key is there to be found"
    assert said[1] == "-1"


def test_interrupt_reaches_programs_that_a_cell_started() -> None:
    """As a front end's interrupt button does."""
    said = run("import subprocess; subprocess.run(['sleep', '60'])", "1 + 1", timeout=1)
    assert said == ["KeyboardInterruptCellTimeoutError", "2"]


def test_what_was_printed_before_the_end_is_kept() -> None:
    """A kernel that dies had sent its output."""
    assert run("print('last words', flush=True); import os; os._exit(3)")[0].startswith("last words")


def test_server_that_died_is_started_again() -> None:
    """The next notebook gets a new one."""
    server = server_for(MODULES)
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    assert warm("1 + 1") == ["2"]
    assert server_for(MODULES) is not server


def test_where_no_kernel_can_be_forked_it_is_cold(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same notebook, the same result."""

    def refuse(modules: tuple[str, ...]) -> None:
        raise ForkUnavailable("not here")

    monkeypatch.setattr(forked, "server_for", refuse)
    assert run("import os; os.getppid() != 0", "int(np.arange(3).sum())") == ["True", "3"]


def test_where_the_sandbox_cannot_be_joined_it_is_cold(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that refuses setns is told by the keeper; nothing is left of the attempt."""
    monkeypatch.setattr(ForkedKernel, "_namespaces", lambda self: 1)
    assert run("import os; os.getppid() != 0", "int(np.arange(3).sum())") == ["True", "3"]


def test_servers_are_few() -> None:
    """A process that grades unit after unit keeps only the last ones."""
    servers = [server_for((name,)) for name in ("json", "csv", "html", "wave")]
    assert [server.process.poll() is None for server in servers] == [False, True, True, True]


# --------------------------------------------------------------------------- control groups


def groups_can_be_made() -> bool:
    made = make_group(Limits())
    if made is not None:
        made.remove()
    return made is not None


needs_groups = pytest.mark.skipif(not groups_can_be_made(), reason="this machine lets us make no control group")


@pytest.fixture(autouse=True)
def nothing_is_left() -> Any:
    yield
    try:
        left = [path for place in cgroup.homes()[1].values() for path in place.glob(f"chainrule-{os.getpid()}-*")]
    except (OSError, KeyError):
        return
    assert [path for path in left if path.exists()] == [], "a control group was left behind"


EAT = """
import os, time
for _ in range(4):
    if os.fork() == 0:
        held = bytearray(60 << 20)
        held[::4096] = b'x' * len(held[::4096])
        time.sleep(1)
        os._exit(0)
print(sorted(os.waitstatus_to_exitcode(os.wait()[1]) for _ in range(4)))
"""


@needs_groups
def test_memory_of_all_processes_together_is_bounded() -> None:
    """Processes that are each below the limit do not pass it together."""
    group = make_group(Limits(memory_bytes=150 * MIB, tmp_bytes=0))
    assert group is not None
    command = [*group.enter_first(), sys.executable, "-c", EAT]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    group.remove()
    assert "-9" in said.stdout or said.returncode == -signal.SIGKILL


@needs_groups
@pytest.mark.parametrize("engine", ["auto", "cold"])
def test_notebook_is_in_a_group(engine: str) -> None:
    """Both kinds of kernels are, and in every controller's."""
    seen: list[int] = []

    class Watched(SandboxExecute):
        def on_cell_executed(self, **kwargs: Any) -> None:
            for place in set(cgroup.homes()[1].values()):
                (members,) = place.glob(f"chainrule-{os.getpid()}-*/cgroup.procs")
                seen.append(len(members.read_text().split()))
            super().on_cell_executed(**kwargs)

    Watched(engine=engine).preprocess(new_notebook(cells=[new_code_cell("1 + 1")]), {})
    assert len(seen) == len(set(cgroup.homes()[1].values()))
    assert all(seen)


@needs_groups
def test_a_group_can_be_entered_by_any_command(tmp_path: Path) -> None:
    """What `enter_first` puts before a command leaves the command's own words as they are."""
    made = make_group(Limits())
    assert isinstance(made, Group)
    done = subprocess.run([*made.enter_first(), "cat", "/proc/self/cgroup"], capture_output=True, text=True, check=True)
    made.remove()
    assert made.folders[0].name in done.stdout
    assert not any(folder.exists() for folder in made.folders)


def fake_group(folder: Path, control: str) -> Path:
    """A group of version 2 as far as files go."""
    folder.mkdir()
    (folder / "cgroup.subtree_control").write_text(control)
    return folder


@pytest.fixture
def all_can_be_entered(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a fake tree no process can move."""
    monkeypatch.setattr(cgroup, "_can_be_entered", lambda place: True)


def test_version_2_is_found_and_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, all_can_be_entered: None) -> None:
    """On a tree as systemd has it: our own group has processes and hands nothing down, the slice above it does."""
    home = fake_group(tmp_path / "user.slice", "cpu memory pids")
    fake_group(home / "session.scope", "")
    monkeypatch.setattr(Path, "write_text", refuse_control(Path.write_text))
    mounts = [
        f"30 23 0:27 / {tmp_path} rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate",
        "1 1 0:1 / / rw - ext4 x rw",
    ]
    found = cgroup._homes("0::/user.slice/session.scope\n", mounts)
    assert found == (2, {"memory": home, "pids": home})
    monkeypatch.setattr(cgroup, "homes", lambda: found)
    group = make_group(Limits(memory_bytes=100 * MIB, tmp_bytes=MIB, processes=10))
    assert group is not None
    (folder,) = group.folders
    assert (folder / "memory.max").read_text() == str(103 * MIB)
    assert (folder / "pids.max").read_text() == "18"
    for name in ("memory.max", "pids.max"):  # which the real tree takes away by itself
        (folder / name).unlink()
    group.remove()
    assert not folder.exists()


def refuse_control(write: Any) -> Any:
    """The kernel's answer to a group with processes that is to hand a controller down."""

    def written(path: Path, text: str) -> int:
        if path.name == "cgroup.subtree_control":
            raise OSError(errno.EBUSY, "Device or resource busy")
        return int(write(path, text))

    return written


@pytest.fixture
def slice_and_scope() -> Iterator[tuple[Path, Path, str]]:
    """Of this machine's own tree of version 2: a slice, a scope in it with a process, and a controller to hand down."""
    try:
        lines = Path("/proc/self/mountinfo").read_text().splitlines()
        top = next(Path(line.split()[4]) for line in lines if " - cgroup2 " in line)
        wanted = (top / "cgroup.controllers").read_text().split()[0]
        scope = top / f"chainrule-{os.getpid()}-slice" / "scope"
        scope.mkdir(parents=True)
    except (OSError, StopIteration, IndexError):
        pytest.skip("no control groups of version 2 that can be written, or no controller left for them")
    before = (top / cgroup.CONTROL).read_text().split()
    process = subprocess.Popen(["/bin/sh", "-c", f"echo $$ > {scope}/cgroup.procs; echo in; exec sleep 60"], stdout=-1)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        (top / cgroup.CONTROL).write_text(f"+{wanted}")
        yield scope.parent, scope, wanted
    finally:
        process.kill()
        process.communicate()
        scope.rmdir()
        scope.parent.rmdir()
        if wanted not in before:
            (top / cgroup.CONTROL).write_text(f"-{wanted}")


def test_a_group_beside_our_own_where_processes_are(slice_and_scope: tuple[Path, Path, str]) -> None:
    """By this machine's kernel: a scope with a process hands nothing down, its slice does once it is told to."""
    above, scope, wanted = slice_and_scope
    assert cgroup.handing_down(scope, [wanted]) != above
    (above / cgroup.CONTROL).write_text(f"+{wanted}")
    assert cgroup.handing_down(scope, [wanted]) == above
    assert (scope / cgroup.CONTROL).read_text().split() == []
    assert list(above.glob("*trial")) == []


def test_without_control_groups_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """No group, and no error: the limits of each process hold."""
    with pytest.raises(OSError, match="no control groups"):
        cgroup._homes("", ["1 1 0:1 / / rw - ext4 x rw"])
    monkeypatch.setattr(cgroup, "homes", lambda: cgroup._homes("", []))
    assert make_group(Limits()) is None


ORPHANS = """
import ctypes, os, subprocess, time
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # orphans come to us, as to a container's first process
from nbformat.v4 import new_code_cell, new_notebook
from chainrule.grading.kernel import SandboxExecute
from chainrule.grading.sandbox import find_sandbox

def dead():
    listed = subprocess.run(["ps", "-o", "stat=", "--ppid", str(os.getpid())], capture_output=True, text=True)
    return sum(line.startswith("Z") for line in listed.stdout.splitlines())

find_sandbox()
time.sleep(0.5)
before = dead()
for _ in range(3):
    SandboxExecute().preprocess(new_notebook(cells=[new_code_cell("1 + 1")]), {})
time.sleep(0.5)
print(dead() - before)
"""


def test_nobody_is_left_for_the_systems_first_process() -> None:
    """Where that takes no orphans, as in many containers, a class would otherwise fill its table of processes."""
    done = subprocess.run([sys.executable, "-c", ORPHANS], capture_output=True, text=True, check=True, timeout=100)
    assert done.stdout == "0\n"
