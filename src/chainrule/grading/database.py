"""The gradebook's database, SQLite or PostgreSQL: opened by its address, and its troubles in words."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from nbgrader.api import Grade
from sqlalchemy import Engine, create_engine, event, inspect, text, update
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from chainrule.course import Course
from chainrule.errors import CourseError
from chainrule.nbgrading import course_config

WAIT = 30  # seconds that a locked gradebook is waited for
STEP = 1  # of them at a time, so that Ctrl-C is heard
PAUSE = 0.1  # seconds between two tries where the database answers at once
CONNECT = 10  # seconds until a server that does not answer is given up


def gradebook_url(course: Course) -> URL:
    """What course.toml or nbgrader_config.py names; CourseError where that is no database that grading can use."""
    try:
        url = make_url(course_config(course.root).CourseDirectory.db_url)
    except ArgumentError:
        raise CourseError(f"db_url is no address of a database. {ADDRESS}") from None  # it may hold a password
    if url.get_backend_name() not in ("sqlite", "postgresql") or not url.database:
        raise CourseError(f"the gradebook {shown(url)} is neither a SQLite file nor a PostgreSQL database. {ADDRESS}")
    return url


ADDRESS = (
    'In course.toml, [course] takes db_url = "postgresql+psycopg://user@host/database"; '
    "without one the gradebook is gradebook/gradebook.db."
)


def sqlite_file(url: URL) -> Path | None:
    """The gradebook's file; None where a server holds it."""
    return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None


def shown(url: URL) -> str:
    """The gradebook's name for people: a file's path, or the address without password and options."""
    path = sqlite_file(url)
    return str(path) if path else url.set(query={}).render_as_string(hide_password=True)


def engine_of(url: URL, write: bool) -> Engine:
    """An engine on a gradebook that is there: a SQLite file is never made by it.

    With `write`, a transaction has SQLite's one write lock from its first statement on: it cannot fail halfway
    because of another writer.
    """
    path = sqlite_file(url)
    if path is None:
        args: dict[str, object] = {}
        if url.get_driver_name().startswith("psycopg"):
            args = {"connect_timeout": CONNECT, "options": f"-c lock_timeout={1000 * STEP}"}
        try:
            return create_engine(url, pool_pre_ping=True, connect_args=args)
        except (ImportError, NoSuchModuleError) as error:
            raise CourseError(
                f"{shown(url)}: the driver of this address is not installed ({error}). "
                "Run: pip install 'chainrule[postgres]', and begin the address with postgresql+psycopg://"
            ) from error
    # not mode=ro: what a killed writer left half done is rolled back by the next who opens the file
    file = URL.create("sqlite", database=path.absolute().as_uri(), query={"mode": "rw", "uri": "true"})
    # a commit that fails keeps its locks until the connection is closed, and a pool would keep that open
    engine = create_engine(file, connect_args={"timeout": STEP}, poolclass=NullPool)
    # sqlite3 would begin a transaction at the first change only, after what was read for it
    event.listen(engine, "connect", lambda raw, _: setattr(raw, "isolation_level", None))
    begin = "begin immediate" if write else "begin"
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


@contextmanager
def reading(course: Course) -> Iterator[Connection | None]:
    """A connection to read by; None where there is no gradebook yet, or nothing in it. CourseError on trouble."""
    url = gradebook_url(course)
    path = sqlite_file(url)
    if path is not None and not path.exists():
        yield None
        return
    engine = engine_of(url, write=False)
    try:
        known = patiently(lambda: inspect(engine).has_table(Grade.__tablename__))
        with engine.connect() as connection:
            yield connection if known else None
    except SQLAlchemyError as error:
        raise CourseError(trouble(url, error)) from error
    finally:
        engine.dispose()


def expect_writable(url: URL) -> None:
    """CourseError where the gradebook is not whole or cannot be written; waits where another program is writing.

    Of one that is not there yet, which nbgrader makes, nothing is expected but that a server lets us in.
    """
    path = sqlite_file(url)
    if path is not None and not path.exists():
        return
    engine = engine_of(url, write=True)
    try:
        patiently(lambda: _try_to_write(engine, url))
    except SQLAlchemyError as error:
        raise CourseError(trouble(url, error)) from error
    finally:
        engine.dispose()


def _try_to_write(engine: Engine, url: URL) -> None:
    with engine.connect() as connection:  # a transaction that is rolled back
        if sqlite_file(url) is not None:
            said = connection.execute(text("pragma quick_check(1)")).scalar()
            if said != "ok":
                raise CourseError(_damaged(shown(url), str(said)))
        # of a file that is read-only, SQLite says so at a change, not at the beginning of a transaction
        if inspect(connection).has_table(Grade.__tablename__):
            connection.execute(update(Grade.__table__).where(text("false")).values(auto_score=None))


T = TypeVar("T")


def patiently(work: Callable[[], T], also_away: bool = False) -> T:
    """The result of `work`, which is tried again while another program holds the gradebook, for WAIT seconds.

    With `also_away`, while its server is away, too: one that is started anew costs a run nothing.
    """
    end = time.monotonic() + WAIT
    while True:
        try:
            return work()
        except SQLAlchemyError as error:
            signs = LOCKED + AWAY if also_away else LOCKED
            if time.monotonic() >= end or not any(sign in _words(error) for sign in signs):
                raise
            time.sleep(PAUSE)


LOCKED = ("locked", "lock timeout")
AWAY = (
    "Connection refused",
    "No such file",
    "server closed the connection",
    "terminating connection",
    "connection is lost",
    "the connection is closed",
    "starting up",
    "shutting down",
)


def trouble(url: URL, error: Exception) -> str:
    """Why a gradebook cannot be used, and what to do. Names no password."""
    name, words = shown(url), _words(error)

    def said(*signs: str) -> bool:
        return any(sign in words for sign in signs)

    if said(*LOCKED):
        return f"{name} was locked for {WAIT} s. Close what uses it (the formgrader?), then run this again."
    if said("is full", "No space left", "Disk quota"):
        return f"{name}: its disk is full ({words}). Free some space and run this again; what is graded is kept."
    if sqlite_file(url) is not None:
        if said("readonly", "unable to open"):
            return f"{name} cannot be written ({words}). Give yourself the right to (chmod u+w) and run this again."
        if said("disk I/O"):
            return f"{name}: the disk failed ({words}). See that it is whole and not full, then run this again."
        return _damaged(name, words)
    if said("authentication failed", "no password supplied"):
        return f"{name} refused you ({words}). Put the right user into db_url and the password into ~/.pgpass."
    if said("permission denied", "read-only"):
        return f"{name} cannot be written ({words}). Have its owner grant you its schema and tables."
    if said("database") and said("does not exist"):
        return f"{name} does not exist ({words}). Make it: createdb {url.database}"
    return f"{name} cannot be used ({words}). Is the server running, and db_url in course.toml right?"


def _damaged(name: str, words: str) -> str:
    return (
        f"{name} cannot be used ({words}). It was left as it is: put your backup back, or move it away to start anew."
    )


def _words(error: Exception) -> str:
    """What the database itself said, on one line."""
    said = " ".join(str(getattr(error, "orig", None) or error).split())
    return said[:300] or type(error).__name__
