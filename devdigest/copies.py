"""A database file as such: copied while others write to it, rid of what no backup may keep, and proven.

By sqlite3 alone: what is looked at here is not the database that is open.
"""
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

MADE = "backup made"        # setting, in a backup alone: when that was
_COUNTED = ("blog", "post", "issue", "issue_post", "subscriber", "consent", "suppression", "delivery")
_NEVER_LESS = ("blog", "post", "issue", "issue_post")
_STEPS = 50_000             # of SQLite's machine between two looks at `stop`
_AT_ONCE = 4_000_000        # bytes that wait for the disk: who commits meanwhile waits for all of them
_PATIENCE = 10              # seconds
_STOPPED = "stopped; nothing of it is kept"

Counts = dict[str, int]


class Unsound(Exception):
    """A file that is no whole database of ours: which, and what is wrong with it."""


class Stopped(Exception):
    """Broken off, as it was told to."""


def copy(source: Path, target: Path, halt: Callable[[], bool] = bool) -> Counts:
    """Writes a compact copy to a new file; what was counted. Raises Unsound where the copy lacks something.

    VACUUM INTO reads in one transaction, which in WAL mode keeps nobody from writing; sqlite3's backup
    begins anew each time somebody has. The copy has no free pages, in which erased words could stand.
    """
    if halt():
        raise Stopped(_STOPPED)
    with _open(source) as database, _gently(target, halt) as look:
        database.set_progress_handler(look, _STEPS)
        try:
            version, before = _version(database), counts(database)
            database.execute("VACUUM INTO ?", (str(target),))
            quiet, after = _version(database) == version, counts(database)
        except sqlite3.OperationalError as error:
            if halt():
                raise Stopped(_STOPPED) from error
            raise
    with _open(target) as made:
        found = counts(made)
    for table in _COUNTED if quiet else _NEVER_LESS:
        if not before[table] <= found[table] <= after[table]:
            raise Unsound(f"{target}: {found[table]:,} rows of {table}, not {before[table]:,}")
    return found


def scrub(path: Path, now: datetime) -> None:
    """Takes out what a backup may not keep, and writes down when it was made.

    By the salt of clicks, who opened what today could be told as long as the backup lives.
    """
    with _open(path) as database:
        database.execute("PRAGMA secure_delete = on")       # over the very bytes (sqlite.org/pragma.html)
        database.execute("PRAGMA journal_mode = memory")    # no other file ever holds them
        with database:
            database.execute("DELETE FROM opened")
            database.execute("DELETE FROM setting WHERE name = 'click salt'")
            database.execute("REPLACE INTO setting (name, value) VALUES (?, ?)", (MADE, now.isoformat()))


def prove(path: Path) -> Counts:
    """What is in a whole database of ours, read from the disk. Raises Unsound."""
    forget_cached(path)
    try:
        with _open(path) as database:
            said = database.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if said != "ok":
                raise Unsound(f"{path} is damaged: {said}")
            if (stray := database.execute("PRAGMA foreign_key_check").fetchone()) is not None:
                raise Unsound(f"{path} is damaged: a row of {stray[0]} belongs to nothing")
            return counts(database)
    except sqlite3.DatabaseError as error:
        raise Unsound(f"{path} is no whole database of DevDigest: {error}") from error


def looks_sound(path: Path) -> str:
    """What is wrong with a database at a first look, "" for nothing. Its log is left as it is.

    A third of a second for 200 MB, some seconds on a Pi.
    """
    try:
        with _open(path, "ro") as database:
            said = database.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.OperationalError:        # busy, no right to read it: says nothing of the file
        return ""
    except sqlite3.DatabaseError as error:
        said = str(error)
    return "" if said == "ok" else said


def facts(path: Path) -> tuple[int, str | None, Counts]:
    """(version, when it was made as a backup, counts). Raises Unsound."""
    try:
        with _open(path) as database:
            version = database.execute("PRAGMA user_version").fetchone()[0]
            made = database.execute("SELECT value FROM setting WHERE name = ?", (MADE,)).fetchone()
            return version, made and made[0], counts(database)
    except sqlite3.DatabaseError as error:
        raise Unsound(f"{path} is no whole database of DevDigest: {error}") from error


def counts(database: sqlite3.Connection) -> Counts:
    """Rows by table, of those that an owner would miss."""
    return {table: database.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] for table in _COUNTED}


def size(path: Path) -> int:
    """Bytes of a database with what stands in its write-ahead log."""
    files = (path, path.with_name(f"{path.name}-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


def sync(path: Path) -> None:
    """Waits until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def forget_cached(path: Path) -> None:
    """What is read next comes from the disk, not from memory that was right."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


@contextmanager
def _gently(target: Path, halt: Callable[[], bool]) -> Iterator[Callable[[], bool]]:
    """A new file, and what to call while it is written: whether to break it off."""
    file, synced = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), 0

    def look() -> bool:
        nonlocal synced
        size = os.fstat(file).st_size
        if size - synced >= _AT_ONCE:
            os.fdatasync(file)
            synced = size
        return halt()
    try:
        yield look
    finally:
        os.close(file)


def _version(database: sqlite3.Connection) -> int:
    return database.execute("PRAGMA data_version").fetchone()[0]


@contextmanager
def _open(path: Path, mode: str = "rw") -> Iterator[sqlite3.Connection]:
    # neither mode makes a file that is not there
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    with closing(sqlite3.connect(uri, uri=True, timeout=_PATIENCE)) as database:
        database.execute("PRAGMA cache_size = -2000")       # KiB
        yield database
