"""A private folder of the host for one notebook: what the sandbox shows of it, and what stays outside."""

from __future__ import annotations

import importlib.util
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from chainrule.grading.rooms import new_room, own_folder
from chainrule.grading.sandbox import HOME, INSIDE, INSIDE_UID, WORK, Bwrap, Limits, Sandbox, environment

MAX_FILES = 1000
WRITABLE = [str(HOME), "/tmp", "/dev"]  # inside, where Landlock holds


class Room:
    """A private folder of the host for one notebook: its files, `check`, the cases, the settings, the sockets.

    What the sandbox may see lies in `inside`, which is mounted read-only; the folder itself is closed to other users.
    """

    def __init__(
        self,
        limits: Limits,
        bwrap: Bwrap | None,
        submission: Path | None = None,
        cases: str | None = None,
        pictures: bool = True,
    ) -> None:
        self.limits, self.bwrap, self.submission = limits, bwrap, submission
        self.cases, self.pictures = cases is not None, pictures
        self.uid = bwrap.uid() if bwrap is not None else INSIDE_UID
        self.path = new_room()
        try:
            self.inside = self.path / "inside"
            self.files = self.inside / "files"
            self.home = self.path / "home"  # without a sandbox only
            for folder in (self.inside, self.files, self.home, self.home / "work"):
                folder.mkdir(mode=0o755)
            self.left_out = list(_copy_files(submission, self.files, limits.submission_bytes)) if submission else []
            self.check = put(_source("chainrule.check"), self.inside / "check.py")
            if cases is not None:
                (self.inside / "cases.json").write_text(cases, "utf-8")
        except BaseException:
            self.remove()
            raise

    def __enter__(self) -> Room:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)

    def module_names(self) -> set[str]:
        """The names under which Python could import the submission's files from its work folder."""
        return {path.name.partition(".")[0] for path in self.files.iterdir()}

    def settings(self) -> dict[str, Any]:
        """What the process inside is told: paths as it sees them, limits, what to give up."""
        seen, work = (INSIDE, WORK) if self.bwrap is not None else (self.inside, self.home / "work")
        return {
            "limits": self._rlimits(),
            "uid": self.uid if self.bwrap is not None and self.bwrap.drops_root else None,
            "trusted": self.bwrap is None,
            "writable": WRITABLE,
            "check": str(seen / "check.py") if self.check else None,
            "files": str(seen / "files"),
            "work": str(work),
            "output_bytes": self.limits.output_bytes + 1_000_000,
            "pictures": self.pictures,
        }

    def command(self, argv: list[str], info_fd: int) -> list[str]:
        """The command line that runs `argv` in this room's sandbox, or as it is where there is none."""
        if self.bwrap is None:
            return argv
        cases = (("CHAINRULE_CASES", str(INSIDE / "cases.json")),) if self.cases else ()
        hidden = (self.submission,) if self.submission is not None else ()
        sandbox = Sandbox(self.inside, self.limits, self.uid, hidden, cases)
        sandbox.prepare()
        return self.bwrap.command(sandbox, argv, info_fd)

    def environment(self) -> dict[str, str]:
        """What a notebook finds in its environment."""
        home, seen = (HOME, INSIDE) if self.bwrap is not None else (self.home, self.inside)
        return environment(home) | ({"CHAINRULE_CASES": str(seen / "cases.json")} if self.cases else {})

    def _rlimits(self) -> dict[str, int]:
        limits = {
            "AS": self.limits.memory_bytes,
            "CPU": self.limits.cpu_seconds,
            "FSIZE": self.limits.file_bytes,
            "NOFILE": self.limits.open_files,
        }
        if self.bwrap is not None and self.bwrap.bounds_processes:
            limits["NPROC"] = self.limits.processes
        return limits


def _copy_files(source: Path, target: Path, room: int) -> Iterator[str]:
    """Copy the regular files that a notebook may read; yield what is left out, and why.

    Links are not followed: what they point to is not part of a submission. Notebooks hold the students' answers and
    stay outside, and so does whatever poses as `check`.
    """
    count = 0
    for folder, folders, names in os.walk(source):
        here = Path(folder)
        at_top = here == source
        for name in [*folders]:
            if (here / name).is_symlink():
                yield f"{(here / name).relative_to(source)} is a link"
            if (here / name).is_symlink() or (at_top and name == "check") or name == ".ipynb_checkpoints":
                folders.remove(name)
        for name in sorted(names):
            path = here / name
            if name.endswith(".ipynb") or (at_top and name == "check.py"):
                continue
            shown = path.relative_to(source)
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            except OSError as error:
                yield f"{shown} cannot be read ({error.strerror})"
                continue
            with os.fdopen(descriptor, "rb") as file:
                status = os.fstat(descriptor)
                if not stat.S_ISREG(status.st_mode):
                    yield f"{shown} is no regular file"
                    continue
                room, count = room - status.st_size, count + 1
                if room < 0 or count > MAX_FILES:
                    yield f"{shown} and what follows: too large or too many"
                    return
                (target / shown).parent.mkdir(mode=0o755, parents=True, exist_ok=True)
                with open(target / shown, "wb") as copy:
                    copy.write(file.read(status.st_size))
                (target / shown).chmod(0o644)


@cache
def font_list() -> tuple[str, str]:
    """Matplotlib's list of fonts as a file's name and text: every new home would search the disk for them, for 2 s."""
    from matplotlib import font_manager

    with tempfile.TemporaryDirectory(dir=own_folder()) as folder:
        path = Path(folder) / f"fontlist-v{font_manager.FontManager.__version__}.json"
        font_manager.json_dump(font_manager.fontManager, path)
        return path.name, path.read_text("utf-8")


def put(source: Path | None, target: Path) -> bool:
    if source is None:
        return False
    shutil.copyfile(source, target)
    target.chmod(0o644)
    return True


def _source(module: str) -> Path | None:
    spec = importlib.util.find_spec(module)
    return Path(spec.origin) if spec is not None and spec.origin is not None else None
