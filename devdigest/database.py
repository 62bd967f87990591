"""Opens the one SQLite file: pragmas for a Pi with an SD card, and numbered upgrades on `user_version`."""
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import peewee

from devdigest import copies, fetching, fulltext, links, presence, room, tokens
from devdigest.counts import Attempt, Click, Event, Opened
from devdigest.fetching import Fetching
from devdigest.locks import Busy
from devdigest.memory import LINK_KEY, Operator, Run, Setting
from devdigest.models import Blog, Issue, IssuePost, Post
from devdigest.readers import Confirmation, Consent, Delivery, Subscriber, Suppression
from devdigest.reports import Alarm, Bounce, Hook
from devdigest.table import db
from devdigest.troubles import Failure, Trouble
from devdigest.upgrades import UPGRADES

TABLES = (Setting, Run, Operator, Blog, Fetching, Post, Issue, IssuePost,
          Subscriber, Consent, Confirmation, Suppression, Delivery, Event, Opened, Click, Attempt,
          Hook, Bounce, Alarm, Trouble, Failure)

VERSION = 1 + len(UPGRADES)

_TOO_LITTLE = 1_000_000     # bytes free
_PATIENCE = 10      # seconds for another process to end its transaction
_DAMAGED = ("not a database", "malformed")      # sqlite.org/rescode.html: SQLITE_NOTADB, SQLITE_CORRUPT
_VISITOR = 4        # the same where somebody waits for a page
_LONG_LOG = 4000    # pages
_SMALL_CACHE = -1000        # KiB, of whoever changes many pages and comes back to few
_PAGE_CACHE = -500          # KiB, of each thread that answers visitors
_PRAGMAS = {
    "foreign_keys": 1,
    "synchronous": "full",              # a commit must outlive a power cut: sqlite.org, pragma synchronous
    "secure_delete": 1,                 # whom we forget is gone from the file; Debian's default
    "temp_store": "memory",
    "cache_size": -2000,                # KiB
    "journal_size_limit": 16_777_216,
}


class DatabaseError(Exception):
    """The file cannot be used: which one, why, and what to do."""


class Lost(DatabaseError):
    """It is damaged, empty or gone, though there was one: no other is made in its place."""


def open(path: str | Path) -> None:
    """Opens, creates or upgrades the database and leaves this thread connected. May be called again.

    Other threads connect by `connected()`. Raises DatabaseError.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        presence.enter(path)
        _look_at(path)
        connect(path)
        presence.remember(path)
    except Busy as error:
        raise DatabaseError(f"{path}: {error}") from error
    except (OSError, sqlite3.DatabaseError, peewee.DatabaseError) as error:
        if not db.is_closed():          # nor may it be closed before it was told of a file
            db.close()
        if presence.is_remembered(path) and any(words in str(error) for words in _DAMAGED):
            raise Lost(f"{path} is damaged ({error}){_set_aside(path)}") from error
        raise DatabaseError(f"{path}: {error}; {cure(path)}") from error


def connect(path: Path) -> None:
    """Opens a file whatever others do with it, and brings it to this version."""
    if not db.is_closed():
        db.close()
    db.init(str(path), pragmas=_PRAGMAS, timeout=_PATIENCE)
    db.connect()
    db.pragma("journal_mode", "wal", permanent=False)
    upgrade()


def _look_at(path: Path) -> None:
    """Raises Lost for what is not to be opened: nobody writes over it, and nothing is mailed without it."""
    if not path.exists() or not path.stat().st_size:
        if presence.is_remembered(path):
            aside = sorted(path.parent.glob(f"{path.name}.damaged-*[0-9]"))
            if aside:
                raise Lost(f"{path} was damaged and is kept as {aside[-1].name}")
            raise Lost(f"{path} is gone or empty, though there was one; to begin anew without it, remove "
                       f"{path.name}.lock")
        return
    log = path.with_name(f"{path.name}-wal")
    # whoever had it open last was cut off: only then is it worth the seconds
    if log.exists() and log.stat().st_size and presence.is_alone() and presence.is_remembered(path) and (
            said := copies.looks_sound(path)):
        raise Lost(f"{path} is damaged ({said}){_set_aside(path)}")


def _set_aside(path: Path) -> str:
    """Out of the way, with its log, and kept; not while another process goes on with it."""
    if not presence.is_alone():
        return ""
    number = 1
    while path.with_name(f"{path.name}.damaged-{number}").exists():
        number += 1
    for end in ("-wal", "-shm", ""):
        file = path.with_name(path.name + end)
        if file.exists():
            file.replace(path.with_name(f"{path.name}.damaged-{number}{end}"))
    copies.sync(path.parent)
    return f"; it is kept as {path.name}.damaged-{number}"


def cure(path: Path) -> str:
    """What to do about a database that does not answer, though it is not damaged."""
    folder = next(folder for folder in path.absolute().parents if folder.exists())
    if room.free(folder) < _TOO_LITTLE:
        return f"no space is left at {folder}: make room: {room.MAKE_ROOM}"
    if path.exists() and os.statvfs(folder).f_flag & os.ST_RDONLY:
        return f"{folder} is mounted read-only, as after errors of the card: `sudo reboot`"
    return "is [database] path right, and may we write there?"


def upgrade(steps: Iterable[Iterable[str]] = UPGRADES) -> None:
    """Brings the open database to the version after the last of `steps`, each in a transaction of its own.

    Raises DatabaseError for one that a newer release has written.
    """
    steps = tuple(steps)
    newest = 1 + len(steps)
    version = db.pragma("user_version")
    if version > newest:
        path = db.database
        db.close()
        raise DatabaseError(f"{path}: version {version}, written by a newer DevDigest; this one knows up to "
                            f"{newest}. Install the newer release again, or restore a backup from before it")
    if version == 0:
        ours = {table._meta.table_name for table in TABLES}
        if strangers := set(db.get_tables()) - ours:
            raise DatabaseError(f"{db.database}: not a DevDigest database, it has {sorted(strangers)[0]!r}; "
                                f"is [database] path right?")
        _create(newest)
        return
    for number, step in enumerate(steps[version - 1:], start=version + 1):
        with db.atomic():
            if db.pragma("user_version") >= number:
                continue        # web and worker start together: the other one was quicker
            for statement in step:
                db.execute_sql(statement)
            db.pragma("user_version", number)


def _create(version: int) -> None:
    with db.atomic():
        if db.pragma("user_version") == 0:      # nor made by another process meanwhile
            db.create_tables(TABLES)
            db.execute_sql(fetching.TRIGGER)
            for statement in (fulltext.TABLE, *fulltext.SETTINGS, links.TABLE, *links.SETTINGS):
                db.execute_sql(statement)
            Setting.write(LINK_KEY, tokens.new_key())
            db.pragma("user_version", version)


def is_lost(error: BaseException) -> bool:
    """Whether it tells that the open database is damaged, or that a file of no tables stands in its place."""
    if not isinstance(error, (sqlite3.DatabaseError, peewee.DatabaseError)):
        return False
    return any(words in str(error) for words in _DAMAGED) or not copies.size(Path(db.database))


@contextmanager
def connected() -> Iterator[None]:
    """A connection for a thread of its own, closed at the end whatever happens."""
    with db.connection_context():
        yield


def for_visitors() -> None:
    """From now on this process's connections are those of many short visits: little memory, less patience."""
    db.timeout = _VISITOR
    db.pragma("cache_size", _PAGE_CACHE, permanent=True)


@contextmanager
def refetchable() -> Iterator[None]:
    """While what this connection writes may be lost at a power cut, as it can be fetched again."""
    db.execute_sql("PRAGMA synchronous = normal")
    # pages that several transactions change go to the database once
    db.execute_sql(f"PRAGMA wal_autocheckpoint = {_LONG_LOG}")
    db.execute_sql(f"PRAGMA cache_size = {_SMALL_CACHE}")
    try:
        yield
    finally:
        db.execute_sql("PRAGMA synchronous = full")
        db.execute_sql("PRAGMA wal_autocheckpoint = 1000")      # SQLite's own
        db.execute_sql(f"PRAGMA cache_size = {_PRAGMAS['cache_size']}")
