"""The web face: JupyterLab in the course folder, with nbgrader's formgrader, as a process of its own.

What Jupyter must know beside the user's own settings lies in `jupyter/`, a configuration folder that is named to this
one process: which extensions are on, and no news from outside. The user's own configuration is read and not changed.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from jupyter_core.paths import jupyter_path, jupyter_runtime_dir

from chainrule.course import Course
from chainrule.errors import CourseError, KitError

SETTINGS = Path(__file__).with_name("jupyter")
LABEXTENSION = "@jupyter/nbgrader"
LOG = "web.log"  # in gradebook/, of the last start
LAST_LINES = 8
START_SECONDS = 120.0  # of wall time, on a very busy machine; 3 on a quiet one
STOP_SECONDS = 15.0
POLL = 0.1


@dataclass(frozen=True, slots=True)
class Server:
    """A server that listens: what to open in a browser, the token in it."""

    process: subprocess.Popen[bytes]
    lab: str
    formgrader: str
    log: Path


def missing_parts() -> list[str]:
    """What the web face needs and does not find, by name."""
    enabled = json.loads((SETTINGS / "jupyter_server_config.d" / "chainrule.json").read_text("utf-8"))
    modules = list(enabled["ServerApp"]["jpserver_extensions"])
    # of a package that is not there, find_spec does not look inside
    missing = [name for name in modules if find_spec(name.partition(".")[0]) is None or find_spec(name) is None]
    if not any((Path(place) / "labextensions" / LABEXTENSION / "package.json").is_file() for place in jupyter_path()):
        missing.append(f"JupyterLab's extension {LABEXTENSION}")
    return missing


def let_gradebook_know(course: Course) -> list[str]:
    """Make known the units with submissions that the gradebook has not heard of: no button could grade them."""
    # nbgrader's models are slow to load, and the doctor, who asks for missing parts, has no need of them
    from nbgrader.api import Assignment
    from sqlalchemy import select

    from chainrule.grading.database import reading
    from chainrule.grading.lock import sole_grader
    from chainrule.grading.record import prepare

    with reading(course) as gradebook:
        known = set() if gradebook is None else set(gradebook.scalars(select(Assignment.__table__.c.name)))
    handed_in = {path.name for path in (course.root / "submitted").glob("*/*")}
    added = [unit for unit in course.units() if unit.name in handed_in - known]
    if added:
        with sole_grader(course):
            for unit in added:
                with tempfile.TemporaryDirectory(prefix="chainrule-") as staging:
                    prepare(course, unit, Path(staging))
    return [unit.name for unit in added]


@contextmanager
def running(course: Course, port: int, ip: str, browser: bool) -> Iterator[Server]:
    """The server, once it listens; stopped with its kernels at the end. KitError where it does not come up."""
    expect_free(ip, port)
    course.gradebook.mkdir(exist_ok=True)
    log = course.gradebook / LOG
    for sign in (signal.SIGTERM, signal.SIGHUP):  # a terminal that is closed must not leave a server behind
        signal.signal(sign, _leave)
    # the log holds the token; a group of its own, so that Ctrl-C is ours alone to answer
    with open(log, "wb", opener=_private) as file:
        process = subprocess.Popen(
            _command(port, ip, browser),
            cwd=course.root,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            process_group=0,
        )
    try:
        yield _listening(process, log)
    finally:
        _stop(process)


def _leave(*_: object) -> None:
    raise SystemExit(0)


def _private(path: str, flags: int) -> int:
    descriptor = os.open(path, flags, 0o600)
    os.fchmod(descriptor, 0o600)  # it may be there from before
    return descriptor


def expect_free(ip: str, port: int) -> None:
    """CourseError where another program listens there already, or where the address is not this machine's."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(ip, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Jupyter does: what just ended is no bar
            probe.bind(address)
    except PermissionError as error:
        raise CourseError(
            f"port {port} is for the administrator's programs. Name one above 1023: --port 8889"
        ) from error
    except socket.gaierror as error:
        raise CourseError(
            f"--ip {ip}: no such address ({error.strerror}). Leave it out for this machine alone"
        ) from error
    except OSError as error:
        raise CourseError(
            f"port {port} of {ip} cannot be used ({error.strerror}). Another server may be running there: end it, or "
            f"name another port: chainrule web --port {port + 1}"
        ) from error


def _command(port: int, ip: str, browser: bool) -> list[str]:
    command = [
        *(sys.executable, "-m", "jupyterlab"),
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",  # another port than the one that was said would be found by nobody
        f"--ServerApp.ip={ip}",
        "--ServerApp.root_dir=.",
        f"--ServerApp.open_browser={browser}",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    return [*command, "--allow-root"] if os.geteuid() == 0 else command


def _environment() -> dict[str, str]:
    others = os.environ.get("JUPYTER_CONFIG_PATH")
    return {**os.environ, "JUPYTER_CONFIG_PATH": os.pathsep.join([str(SETTINGS), *([others] if others else [])])}


def _listening(process: subprocess.Popen[bytes], log: Path) -> Server:
    """Jupyter writes down where it listens, and its token, in a file that only its user can read."""
    notes = Path(jupyter_runtime_dir()) / f"jpserver-{process.pid}.json"
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            said = json.loads(notes.read_text("utf-8"))
        except (OSError, ValueError):  # not there yet, or half written
            time.sleep(POLL)
            continue
        token = f"?token={said['token']}" if said["token"] else ""
        return Server(process, f"{said['url']}lab{token}", f"{said['url']}formgrader{token}", log)
    last = log.read_text("utf-8", "replace").splitlines()[-LAST_LINES:]
    raise KitError("\n".join([f"JupyterLab did not start. The last lines of {log}:", *last]))


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)  # it ends its kernels
        # and then, at times, waits for a thread of its own for ever
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
