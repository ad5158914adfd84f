"""Starts the ordinary ipykernel inside the sandbox, cold. Run as a file, never imported.

    python -I launch.py SETTINGS.json

From the first cell on the process belongs to the student, so nothing here is a secret and nothing here is relied on
afterwards.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import traceback
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import confine
import start

del sys.path[0]


def main(settings: dict[str, Any]) -> None:
    """Set up the process as `settings` says, and serve the notebook until it is killed."""
    complaints = os.dup(2)  # the grader reads what goes wrong here, until the kernel is up
    start.silence()
    try:
        confine.confine(settings)
        if os.getpid() != os.getpgid(0):
            os.setpgid(0, 0)  # an interrupt reaches the cell's child processes too
        start.load_check(settings["check"])
        start.enter(Path(settings["files"]), Path(settings["work"]))
        shutil.copytree(settings["fonts"], os.environ["MPLCONFIGDIR"], copy_function=shutil.copyfile)
        start.bound_output(settings["output_bytes"])
        app = kernel_app(settings)
        if not settings["pictures"]:
            start.leave_out_pictures(app.shell)
        sys.path.insert(0, "")  # the work folder, as in any notebook; -I left it out while we loaded our own
    except BaseException:
        os.write(complaints, traceback.format_exc().encode())
        raise SystemExit(1) from None
    os.close(complaints)
    app.start()


def kernel_app(settings: dict[str, Any]) -> Any:
    """The ordinary ipykernel, listening on sockets that were opened outside and handed in."""
    import zmq
    from ipykernel.kernelapp import IPKernelApp
    from traitlets.config import Config

    class SandboxApp(IPKernelApp):  # type: ignore[misc]
        def _try_bind_socket(self, s: Any, port: int) -> int:
            s.setsockopt(zmq.USE_FD, settings["sockets"][str(port)])
            s.bind(f"ipc://{self.ip}-{port}")  # the path is a name only: the socket is open already
            return port

        def init_heartbeat(self) -> None:
            """The grader sees the process itself."""

        def write_connection_file(self, **kwargs: Any) -> None:
            """It is written outside, and read-only here."""

        def cleanup_connection_file(self) -> None:
            """As above."""

    config = Config()
    config.SandboxApp.connection_file = settings["connection_file"]
    config.HistoryManager.enabled = False
    config.InteractiveShellApp.exec_PYTHONSTARTUP = False
    app = SandboxApp.instance(config=config)
    app.initialize([])
    return app


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text("utf-8")))
