"""Control groups: how much memory and how many processes a sandbox may have as a whole.

Limits that a process sets for itself count each process alone, so that many small ones pass them together. A group
counts all, and what they hold in /tmp. It is made where this machine lets us: by root as a rule, by an ordinary user
where the system has handed a part of the tree over (systemd: `systemd-run --user --scope chainrule grade ...`).
"""

from __future__ import annotations

import itertools
import os
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from chainrule.grading.sandbox import Limits

PREFIX = "chainrule-"
OWN_PROCESSES = 8  # bwrap's and the keeper's
LIMIT_FILES = {  # by version: controller, file, which limit
    1: (("memory", "memory.limit_in_bytes", "memory"), ("pids", "pids.max", "processes")),
    2: (("memory", "memory.max", "memory"), ("pids", "pids.max", "processes")),
}
CONTROLLERS = tuple(controller for controller, _, _ in LIMIT_FILES[2])
CONTROL = "cgroup.subtree_control"
REMOVE_SECONDS = 1.0
_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class Group:
    """A group that was made, in one folder (v2) or one a controller (v1)."""

    folders: tuple[Path, ...]

    @property
    def entrances(self) -> list[str]:
        """The files to which a process writes its id to be in the group, with all that it starts."""
        return [str(folder / "cgroup.procs") for folder in self.folders]

    def enter_first(self) -> list[str]:
        """The words before a command line that make the command enter the group, whatever it does then."""
        enter = "".join(f'echo $$ > "${number}"; ' for number, _ in enumerate(self.folders, start=1))
        return ["/bin/sh", "-c", f'{enter}shift {len(self.folders)}; exec "$@"', "sh", *self.entrances]

    def remove(self) -> None:
        """Remove the group. Its last processes may still be ending."""
        end = time.monotonic() + REMOVE_SECONDS
        for folder in self.folders:
            while folder.exists() and time.monotonic() < end:
                try:
                    folder.rmdir()
                except OSError:
                    time.sleep(0.002)


def make_group(limits: Limits) -> Group | None:
    """A new group with these limits, or None where this machine lets us make none."""
    values = {"memory": limits.memory_bytes + 3 * limits.tmp_bytes, "processes": limits.processes + OWN_PROCESSES}
    name = f"{PREFIX}{os.getpid()}-{next(_numbers)}"
    made: list[Path] = []
    try:
        version, places = homes()
        for controller, file, limit in LIMIT_FILES[version]:
            folder = places[controller] / name
            if folder not in made:
                folder.mkdir()
                made.append(folder)
            (folder / file).write_text(str(values[limit]))
    except (OSError, KeyError):
        Group(tuple(made)).remove()
        return None
    return Group(tuple(made))


@cache
def homes() -> tuple[int, dict[str, Path]]:
    """The version of control groups here, and by controller the folder below which ours are made.

    Raises OSError or KeyError where there is none. Groups of runs that are dead are removed on the way.
    """
    version, places = _homes(
        Path("/proc/self/cgroup").read_text(), Path("/proc/self/mountinfo").read_text().splitlines()
    )
    for place in set(places.values()):
        for left in place.glob(f"{PREFIX}*-*"):
            if not Path("/proc", left.name.split("-")[1]).exists():
                with suppress(OSError):
                    left.rmdir()
    return version, places


def _homes(own: str, mounts: list[str]) -> tuple[int, dict[str, Path]]:
    groups: dict[str, str] = {}
    for line in own.splitlines():
        _, names, path = line.split(":", 2)
        groups |= dict.fromkeys(names.split(","), path)
    found: dict[str, Path] = {}
    unified: Path | None = None
    for line in mounts:
        fields, _, rest = line.partition(" - ")
        kind, _, options = rest.split(" ", 2)
        root, point = fields.split()[3:5]
        if kind == "cgroup2":
            unified = _below(Path(point), root, groups.get("", "/"))
        elif kind == "cgroup":
            for name in CONTROLLERS:
                if name in options.split(" ")[-1].split(","):
                    found[name] = _below(Path(point), root, groups.get(name, "/"))
    if found:
        return 1, found
    if unified is None:
        raise OSError("no control groups are mounted")
    return 2, dict.fromkeys(CONTROLLERS, handing_down(unified, CONTROLLERS))


def handing_down(own: Path, wanted: Iterable[str]) -> Path:
    """The nearest group, from `own` up, that hands the wanted controllers down and lets us make groups to enter.

    Version 2 has processes in the leaves of its tree alone: a group with processes, as our own, hands nothing down,
    and ours are made beside it. systemd's slices hand memory and pids down. Raises OSError where there is none.
    """
    with suppress(OSError):  # it has processes, or is not ours
        (own / CONTROL).write_text(" ".join(f"+{name}" for name in wanted))
    for place in (own, *own.parents):
        if not (place / CONTROL).exists():  # above the tree
            break
        if set(wanted) <= set((place / CONTROL).read_text().split()) and _can_be_entered(place):
            return place
    raise OSError(f"{own}: no group from here up hands down {' and '.join(wanted)} and can be written")


def _can_be_entered(place: Path) -> bool:
    """Whether a group can be made below `place` and a process moved into it. Tried: rights alone do not tell."""
    group = Group((place / f"{PREFIX}{os.getpid()}-trial",))
    try:
        group.folders[0].mkdir()
    except OSError:
        return False
    try:
        enter = ["/bin/sh", "-c", 'echo $$ > "$1"', "sh", *group.entrances]
        return subprocess.run(enter, capture_output=True, check=False).returncode == 0
    finally:
        group.remove()


def _below(point: Path, root: str, group: str) -> Path:
    """Where a group lies in a tree that is mounted from `root` on: a container may see a part of it only."""
    return point / os.path.relpath(group, root) if Path(group).is_relative_to(root) else point
