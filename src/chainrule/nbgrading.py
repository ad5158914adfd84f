"""nbgrader's own converters, called in this process with the course's configuration."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

import nbgrader.api
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from nbgrader.dbutil import ALEMBIC_DIR
from sqlalchemy.exc import SAWarning
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from chainrule.course import CONFIG


def alembic_version() -> str:
    """What a new gradebook is stamped with. nbgrader asks the `alembic` command, which loads all of nbgrader again."""
    from alembic.script import ScriptDirectory

    return str(ScriptDirectory(ALEMBIC_DIR).get_current_head())


nbgrader.api.get_alembic_version = alembic_version


def course_config(root: Path) -> Config:
    """What `nbgrader_config.py` says, as nbgrader's own commands read it."""
    config = PyFileConfigLoader(CONFIG, path=str(root)).load_config()
    config.CourseDirectory.root = str(root)
    return config


def generate_assignment(root: Path, unit: str, source: Path, release: Path, db_url: str | None = None) -> None:
    """nbgrader generate_assignment; with a `db_url` the gradebook learns the assignment, else it is left alone."""
    config = course_config(root)
    config.CourseDirectory.assignment_id = unit
    config.CourseDirectory.source_directory = str(source)
    config.CourseDirectory.release_directory = str(release)
    if db_url:
        config.CourseDirectory.db_url = db_url
    config.GenerateAssignment.no_database = db_url is None
    config.GenerateAssignment.force = True
    config.SaveCells.enabled = db_url is not None
    run(GenerateAssignment, config)


def run(converter: type[Any], config: Config) -> None:
    """Run one converter quietly: what goes wrong comes as its exception."""
    # nbgrader's own queries make SQLAlchemy warn three times a submission, of nothing that matters
    warnings.filterwarnings("ignore", category=SAWarning)
    # cell ids that repeat or are missing in a submission: nbformat gives new ones, and says so each time
    warnings.filterwarnings("ignore", module="nbformat")
    log = logging.getLogger(f"chainrule.nbgrader.{converter.__name__}")
    log.propagate = False
    log.handlers = [logging.NullHandler()]
    coursedir = CourseDirectory(config=config)
    converter(coursedir=coursedir, config=config, log=log).start()
