"""The processes that kernels are forked from: each has imported what one unit's notebooks import.

Importing beforehand must not be seen by a notebook: only what the unit's own cells import on every run is imported.
"""

from __future__ import annotations

import ast
import atexit
import json
import os
import select
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from typing import Any

from chainrule.grading.room import CHECK, check_source
from chainrule.grading.rooms import own_folder
from chainrule.grading.sandbox import INSIDE, environment

START_SECONDS = 60
WORD_BYTES = 1_000_000  # of what it says when it is ready
SERVER = Path(__file__).parent / "inside" / "server.py"
# Under a name that is no path of ours: the notebook's process shows it where it prints its stack. Nor is one in the
# command line, which `ps` shows there: what it is told comes through its standard input.
START = (
    "import json, sys; "
    "exec(compile(open(json.loads(sys.stdin.readline()), encoding='utf-8').read(), '/chainrule/server.py', 'exec'))"
)

NO_THREADS = {"JE_ARROW_MALLOC_CONF": "background_thread:false"}  # pyarrow's, which pandas imports where it finds it


class ForkUnavailable(Exception):
    """No kernel can be forked here: the notebook is run cold. The text says why."""


class ForkServer:
    """A running fork server, to be asked for kernels. It ends when all processes that can ask it have ended."""

    def __init__(self, control: socket.socket, loaded: frozenset[str]) -> None:
        self.control, self.loaded = control, loaded

    def fork(self, request: dict[str, Any], holder: int, talk: socket.socket, keeper: socket.socket) -> None:
        """Ask for a kernel in the sandbox whose first process is `holder` (a pidfd)."""
        try:
            socket.send_fds(self.control, [json.dumps(request).encode()], [holder, talk.fileno(), keeper.fileno()])
        except OSError as error:
            raise ForkUnavailable(f"the fork server is gone: {error}") from error

    def runs(self) -> bool:
        """Whether it is there to be asked: it says nothing more once it is ready, so only its end is heard."""
        return not select.select([self.control], [], [], 0)[0]

    def close(self) -> None:
        """Ask no more; kernels that are running go on."""
        self.control.close()


class OwnServer(ForkServer):
    """A fork server that this process starts, and ends. `wait` before it is used: it imports meanwhile."""

    def __init__(self, modules: Iterable[str]) -> None:
        # whole messages: several processes may ask at the same time
        control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        super().__init__(control, frozenset())
        self._folder = Path(tempfile.mkdtemp(dir=own_folder()))  # of use while it imports
        with theirs:
            _copy_fonts(_font_cache(), self._folder)
            source = check_source()
            check = None if source is None else {"source": str(source), "seen": str(INSIDE / CHECK)}
            settings = {
                "folder": str(SERVER.parent),
                "control": theirs.fileno(),
                "modules": list(modules),
                "check": check,
            }
            self.process = Popen(
                [sys.executable, "-I", "-B", "-c", START],
                env=environment(self._folder) | {"MPLCONFIGDIR": str(self._folder)} | NO_THREADS,
                cwd="/",
                stdin=PIPE,
                stdout=DEVNULL,
                stderr=PIPE,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is the grader's to hear
            )
        atexit.register(self.close)
        assert self.process.stdin is not None
        with suppress(BrokenPipeError), self.process.stdin as stdin:  # `wait` hears why
            stdin.write(f"{json.dumps(str(SERVER))}\n{json.dumps(settings)}\n".encode())

    def wait(self) -> None:
        """Return when it is ready. Raises ForkUnavailable, and is closed, where it cannot be."""
        self.control.settimeout(START_SECONDS)
        said = b""
        with suppress(OSError):
            said = self.control.recv(WORD_BYTES)
        self.control.settimeout(None)
        _copy_fonts(self._folder, _font_cache())
        shutil.rmtree(self._folder, ignore_errors=True)
        if not said:
            self.process.kill()
            complaint = self.process.communicate()[1].decode("utf-8", "replace")[-2000:]
            self.close()
            raise ForkUnavailable(f"the fork server did not start: {complaint.strip()}")
        tree = json.loads(said)
        if tree["threads"]:
            self.close()
            threads = ", ".join(tree["threads"])
            raise ForkUnavailable(f"a module that the notebooks import starts threads ({threads}); a fork loses them")
        self.loaded = frozenset(tree["loaded"])

    def close(self) -> None:
        atexit.unregister(self.close)
        super().close()
        self.process.kill()
        self.process.wait()
        if self.process.stderr is not None:
            self.process.stderr.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def _font_cache() -> Path:
    """Where this user's matplotlib keeps its lists of fonts. Without one it searches the disk, for 2 s."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("MPLCONFIGDIR") or Path(cache, "matplotlib"))


def _copy_fonts(source: Path, target: Path) -> None:
    """Lists of fonts that are not there yet; each version of matplotlib has its own."""
    with suppress(OSError, RuntimeError):  # no such folder, nor a home to have it in
        for path in source.glob("fontlist-*.json"):
            if not (target / path.name).exists():
                target.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target / path.name)


_servers: dict[tuple[str, ...], ForkServer | ForkUnavailable] = {}
MAX_SERVERS = 3


def server_for(modules: tuple[str, ...]) -> ForkServer:
    """This process's server that has imported `modules`. Raises ForkUnavailable, each time the same, without one."""
    found = _servers.get(modules)
    if isinstance(found, ForkServer) and not found.runs():
        found.close()
        found = _servers.pop(modules, None) and None
    if found is None:
        while len(_servers) >= MAX_SERVERS:  # several units in one process, as in nbgrader's own commands
            oldest = _servers.pop(next(iter(_servers)))
            if isinstance(oldest, ForkServer):
                oldest.close()
        try:
            found = OwnServer(modules)
            found.wait()
        except (ForkUnavailable, OSError) as error:
            found = ForkUnavailable(str(error))
        _servers[modules] = found
    if isinstance(found, ForkUnavailable):
        raise found
    return found


def share(modules: tuple[str, ...], server: ForkServer | ForkUnavailable) -> None:
    """Let `server_for` find what another process has started, or could not."""
    _servers[modules] = server


def imported_modules(notebook: Mapping[str, Any]) -> tuple[str, ...]:
    """The modules that a notebook imports for certain: at the top level of the course's own cells, by absolute name.

    These cells are locked, put back where they were changed, and run in every submission.
    """
    found: dict[str, None] = {}
    for cell in notebook["cells"]:
        meta = cell["metadata"].get("nbgrader") or {}
        if cell["cell_type"] == "code" and meta.get("locked") and not meta.get("grade"):
            found |= dict.fromkeys(_imported_by(cell["source"]))
    found.pop("check", None)  # the kit's own, which each notebook gets anew
    return tuple(found)


@lru_cache  # the same cells in every submission
def _imported_by(source: str) -> tuple[str, ...]:
    try:
        body = ast.parse(source).body
    except SyntaxError:  # magics and the like
        return ()
    names: list[str] = []
    for node in body:
        if isinstance(node, ast.Import):
            names += [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.append(node.module)
    return tuple(names)
