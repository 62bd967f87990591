"""A database file copied, put in place, counted. A program of its own: it is run as the service user.

Root opens nothing in a folder that the service user owns: it could be made to follow a link. Imports
nothing of ours, so that its text can be handed to `python3 -I -`, wherever the code lies.
"""
import json
import os
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

KEPT = ("blog", "post", "issue", "issue_post", "subscriber", "consent", "suppression", "delivery")

Step = Callable[[], None]


def facts(path: Path) -> dict[str, Any]:
    """`schema`, None where there is no such file; `size` in bytes; `counts` of the tables that matter."""
    if not path.is_file():
        return {"schema": None, "size": 0, "counts": {}}
    with closing(_opened(path)) as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        counts = {name: database.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
                  for name in KEPT if name in tables}
        schema = database.execute("PRAGMA user_version").fetchone()[0]
    return {"schema": schema, "size": path.stat().st_size, "counts": counts}


def _opened(path: Path) -> sqlite3.Connection:
    """Never made anew where it is missing."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=10)


def copy(source: Path, target: Path, step: Step = lambda: None) -> dict[str, Any]:
    """A copy of a database in use, whole and proven, at `target`; one file, with nothing beside it."""
    new = target.with_name(f"{target.name}.new")
    for name in (new.name, f"{new.name}-journal", f"{new.name}-wal", f"{new.name}-shm"):
        new.with_name(name).unlink(missing_ok=True)
    step()
    new.touch(mode=0o600, exist_ok=False)
    with closing(_opened(source)) as database, closing(sqlite3.connect(new)) as made:
        database.backup(made)
        made.execute("PRAGMA journal_mode = delete")
        if (said := made.execute("PRAGMA integrity_check(1)").fetchone()[0]) != "ok":
            raise sqlite3.DatabaseError(f"{source} is damaged: {said}")
    _sync(new)
    step()
    new.replace(target)
    _sync(target.parent)
    return facts(target)


def put(source: Path, target: Path, step: Step = lambda: None) -> dict[str, Any]:
    """A copy of `source` in the place of `target`, which nobody has open. May be cut off and called again."""
    ready = target.with_name(f"{target.name}.ready")
    copy(source, ready)
    step()
    for end in ("-wal", "-shm"):        # a log left beside another file is replayed into it
        target.with_name(target.name + end).unlink(missing_ok=True)
        step()
    _sync(target.parent)
    ready.replace(target)
    step()
    _sync(target.parent)
    return facts(target)


def drop(path: Path) -> dict[str, Any]:
    """Removes a copy, and what lies beside it."""
    for end in ("", "-wal", "-shm", "-journal", ".new", ".lock"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    return {}


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def main(verb: str, *paths: str) -> int:
    try:
        known = {"facts": facts, "copy": copy, "put": put, "drop": drop}
        print(json.dumps(known[verb](*map(Path, paths))))
    except (OSError, sqlite3.Error) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
