"""A backup → the database, as after a dead card: nobody is mailed twice, nor who has left since.

Whatever cuts it off, what lies at [database] path is the old one or the new one.
"""
import logging
import os
import shutil
import sqlite3
from collections import Counter
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import peewee

from devdigest import aftermath, copies, database, departures, presence, room
from devdigest.aftermath import Closed
from devdigest.config import Config
from devdigest.copies import Counts
from devdigest.locks import locked
from devdigest.memory import Run, Setting
from devdigest.replay import replay
from devdigest.table import db

log = logging.getLogger(__name__)

STEPS = ("collect", "publish", "deliver", "bounces", "backup")
_MARGIN = 50_000_000        # bytes
_LOGS = "departures*.log"


class CannotRestore(Exception):
    """Nothing was changed; says why."""


@dataclass(frozen=True)
class Done:
    """`aside`: where the database is that was there, None for none. `closed`: None with --resend."""
    made: datetime
    version: int
    counts: Counts
    departed: Counter[str]
    logs: list[Path]
    closed: Closed | None
    aside: Path | None = None


def restore(config: Config, file: Path, now: datetime, *, resend: bool = False) -> Done:
    """Puts the backup in the database's place, which is kept beside it, and holds all mail.

    With `resend` nothing is held, closed or given up. Raises CannotRestore, Unsound, NoRoom, Busy, OSError.
    """
    target = Path(config.database.path)
    target.parent.mkdir(parents=True, exist_ok=True)
    presence.leave()
    with presence.alone(target), ExitStack() as held:
        for step in STEPS:
            held.enter_context(locked(config.folder, step))
        scratch = target.with_name(f".{target.name}.restoring")
        _sweep(scratch)
        try:
            done = _prepared(config, file, scratch, now, resend)
            return replace(done, aside=_exchange(target, scratch))
        finally:
            if not db.is_closed():
                db.close()
            _sweep(scratch)


def _prepared(config: Config, file: Path, scratch: Path, now: datetime, resend: bool) -> Done:
    """The backup, proven and made fit to serve, as one file on the disk."""
    version, counts = _taken(file, scratch)
    logs = _logs(config, file)
    if logs != [config.backups / departures.NAME] and logs:
        departures.merge(config.backups / departures.NAME, logs)
    departures.keep_in(config.backups)
    try:
        database.connect(scratch)
        with db.atomic():
            made = _made(file)
            aftermath.leave_gaps(now)
            departed = replay(config.site.timezone)
            closed = None if resend else aftermath.close(config, made, now)
            Setting.clear(copies.MADE)
        db.pragma("journal_mode", "delete")
    except (database.DatabaseError, sqlite3.DatabaseError, peewee.DatabaseError) as error:
        raise CannotRestore(f"{file}: {error}; nothing was changed") from error
    db.close()
    copies.sync(scratch)
    return Done(made, version, counts, departed, logs, closed)


def _taken(file: Path, scratch: Path) -> tuple[int, Counts]:
    room.require("restore", scratch.parent, file.stat().st_size + _MARGIN)
    os.close(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    shutil.copyfile(file, scratch)
    if (log_file := file.with_name(f"{file.name}-wal")).exists():      # of a copy made by hand
        shutil.copyfile(log_file, scratch.with_name(f"{scratch.name}-wal"))
    version, _, _ = copies.facts(scratch)
    if version > database.VERSION:
        raise CannotRestore(f"{file}: version {version}, written by a newer DevDigest; this one knows up to "
                            f"{database.VERSION}. Install the newer release first")
    return version, copies.prove(scratch)


def _made(file: Path) -> datetime:
    """When the backup was made; of a copy that does not say so, what it did last."""
    if (said := Setting.read(copies.MADE)) is not None:
        return datetime.fromisoformat(said)
    newest = Run.select(peewee.fn.MAX(Run.started)).scalar()
    if newest is None:
        raise CannotRestore(f"{file} does not say when it was made, and nothing was ever done with it")
    return newest


def _logs(config: Config, file: Path) -> list[Path]:
    """Logs of who left: ours, and those that lie beside the backup, as on the stick it came from."""
    ours = config.backups / departures.NAME
    theirs = sorted(path for path in file.absolute().parent.glob(_LOGS) if path.resolve() != ours.resolve())
    return [path for path in (ours, *theirs) if path.is_file()]     # a pipe would be waited for


def _exchange(target: Path, scratch: Path) -> Path | None:
    """The backup in the database's place, in one step; where that is now."""
    aside = None
    if target.exists():
        _fold(target)
        number = 1
        while (aside := target.with_name(f"{target.name}.before-restore-{number}")).exists():
            number += 1
    for end in ("-wal", "-shm"):            # a log left beside a restored file would be written into it
        if (left := target.with_name(target.name + end)).exists():
            left.replace(target.with_name(f"{(aside or target).name}{'' if aside else '.left'}{end}"))
    if aside is not None:
        os.link(target, aside)
    copies.sync(target.parent)
    scratch.replace(target)
    copies.sync(target.parent)
    presence.remember(target)
    target.with_name(f"{target.name}.lost").unlink(missing_ok=True)     # see lost.py
    return aside


def _fold(path: Path) -> None:
    """What stands in the log of a database goes into it; a damaged one is kept as it is."""
    if said := copies.looks_sound(path):
        log.warning("%s is damaged: %s; it is kept as it is", path, said)
        return
    with closing(sqlite3.connect(path)) as old:
        old.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _sweep(scratch: Path) -> None:
    for path in scratch.parent.glob(f"{scratch.name}*"):
        path.unlink()
