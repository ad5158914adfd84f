"""What there is to grade, from content alone: a submission is done when what it was graded from is unchanged."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from chainrule import __version__
from chainrule.course import Unit


def fingerprint(unit: Unit, folder: Path) -> str:
    """Of the submission's files, the unit's version and the kit's."""
    digest = hashlib.sha256(f"{__version__}\0{unit.version}\0".encode())
    for path in sorted(files_of(folder)):
        digest.update(str(path.relative_to(folder)).encode(errors="surrogateescape") + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:32]


def files_of(folder: Path) -> list[Path]:
    """The regular files of a submission; links are not followed, checkpoints are not looked at."""
    found = []
    for place, folders, names in os.walk(folder, followlinks=False):
        folders[:] = [name for name in folders if name not in {".ipynb_checkpoints", "__pycache__"}]
        found += [
            Path(place, name) for name in names if not Path(place, name).is_symlink() and Path(place, name).is_file()
        ]
    return found
