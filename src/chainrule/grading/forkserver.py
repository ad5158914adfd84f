"""The processes that kernels are forked from: each has imported what one unit's notebooks import.

Importing beforehand must not be seen by a notebook: only what the unit's own cells import on every run is imported.
"""

from __future__ import annotations

import ast
import atexit
import json
import socket
import sys
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from typing import Any

from chainrule.grading.room import font_list
from chainrule.grading.rooms import own_folder
from chainrule.grading.sandbox import environment

START_SECONDS = 60
SERVER = Path(__file__).parent / "inside" / "server.py"
# under a name that is no path of ours: the notebook's process shows it where it prints its stack
START = "import sys; exec(compile(open(sys.argv[1], encoding='utf-8').read(), '/chainrule/server.py', 'exec'))"

NO_THREADS = {"JE_ARROW_MALLOC_CONF": "background_thread:false"}  # pyarrow's, which pandas imports where it finds it


class ForkUnavailable(Exception):
    """No kernel can be forked here: the notebook is run cold. The text says why."""


class ForkServer:
    """A running fork server. It ends when this process does: it waits on a socket of ours."""

    def __init__(self, modules: Iterable[str]) -> None:
        self.control, theirs = socket.socketpair()
        self.control.settimeout(START_SECONDS)
        atexit.register(self.close)
        with theirs, tempfile.TemporaryDirectory(dir=own_folder()) as folder:  # of use while it imports
            name, fonts = font_list()
            Path(folder, name).write_text(fonts, "utf-8")
            settings = {"control": theirs.fileno(), "modules": list(modules)}
            self.process = Popen(
                [sys.executable, "-I", "-B", "-c", START, str(SERVER), json.dumps(settings)],
                env=environment(Path(folder)) | {"MPLCONFIGDIR": folder} | NO_THREADS,
                cwd="/",
                stdin=DEVNULL,
                stdout=DEVNULL,
                stderr=PIPE,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is the grader's to hear
            )
            theirs.close()
            said = self._hear()
        if not said:
            self.process.kill()
            complaint = self.process.communicate()[1].decode("utf-8", "replace")[-2000:]
            self.close()
            raise ForkUnavailable(f"the fork server did not start: {complaint.strip()}")
        tree = json.loads(said)
        self.loaded = frozenset(tree["loaded"])
        if tree["threads"]:
            self.close()
            threads = ", ".join(tree["threads"])
            raise ForkUnavailable(f"a module that the notebooks import starts threads ({threads}); a fork loses them")

    def _hear(self) -> bytes:
        """The line that the server says when it is ready, or nothing."""
        said = b""
        with suppress(TimeoutError):
            while not said.endswith(b"\n") and (more := self.control.recv(65536)):
                said += more
        return said if said.endswith(b"\n") else b""

    def fork(self, request: dict[str, Any], holder: int, talk: socket.socket, keeper: socket.socket) -> None:
        """Ask for a kernel in the sandbox whose first process is `holder` (a pidfd)."""
        try:
            socket.send_fds(self.control, [json.dumps(request).encode()], [holder, talk.fileno(), keeper.fileno()])
        except OSError as error:
            raise ForkUnavailable(f"the fork server is gone: {error}") from error

    def close(self) -> None:
        """End the server; kernels that are running go on."""
        atexit.unregister(self.close)
        self.control.close()
        self.process.kill()
        self.process.wait()
        if self.process.stderr is not None:
            self.process.stderr.close()


_servers: dict[tuple[str, ...], ForkServer | ForkUnavailable] = {}
MAX_SERVERS = 3


def server_for(modules: tuple[str, ...]) -> ForkServer:
    """This process's server that has imported `modules`. Raises ForkUnavailable, each time the same, without one."""
    found = _servers.get(modules)
    if isinstance(found, ForkServer) and found.process.poll() is not None:
        found.close()
        found = _servers.pop(modules, None) and None
    if found is None:
        while len(_servers) >= MAX_SERVERS:  # several units in one process, as in nbgrader's own commands
            oldest = _servers.pop(next(iter(_servers)))
            if isinstance(oldest, ForkServer):
                oldest.close()
        try:
            found = ForkServer(modules)
        except (ForkUnavailable, OSError) as error:
            found = ForkUnavailable(str(error))
        _servers[modules] = found
    if isinstance(found, ForkUnavailable):
        raise found
    return found


def imported_modules(notebook: Mapping[str, Any]) -> tuple[str, ...]:
    """The modules that a notebook imports for certain: at the top level of the course's own cells, by absolute name.

    These cells are locked, put back where they were changed, and run in every submission.
    """
    found: dict[str, None] = {}
    for cell in notebook["cells"]:
        meta = cell["metadata"].get("nbgrader") or {}
        if cell["cell_type"] != "code" or not meta.get("locked") or meta.get("grade"):
            continue
        try:
            tree = ast.parse(cell["source"])
        except SyntaxError:  # magics and the like
            continue
        for node in tree.body:
            if isinstance(node, ast.Import):
                found |= dict.fromkeys(name.name for name in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found[node.module] = None
    found.pop("check", None)  # the kit's own, which each notebook gets anew
    return tuple(found)
