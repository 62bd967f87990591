"""The night's housekeeping: what has expired goes, and the database is kept small and quick."""
import threading
from datetime import date, datetime, timedelta
from pathlib import Path

from devdigest import clicks, expiry, fulltext, links, segments, suppressions, wear
from devdigest.clock import Running
from devdigest.config import Config
from devdigest.counts import Event
from devdigest.days import local_day
from devdigest.memory import Run
from devdigest.readers import STILL_MAILED, Confirmation
from devdigest.reports import Bounce, Hook
from devdigest.table import db

_BOUNCES_FOR = timedelta(days=90)       # three times what points remember: the owner may want to know why
_MAILINGS_FOR = timedelta(days=90)      # a run for each that signs up, where there are many
_POSTS_FOR = timedelta(days=3)          # by then a provider is not going to prove it any more
_ASIDE_FOR = timedelta(days=30)         # a database set aside has addresses that were erased since
# Pages of the index of words that a night writes anew at most, but after many posts: those of a day are some
# 20, which are written anew after a week and after three months. The index of links is far smaller.
_MERGED, _POSTS_A_PAGE, _LINKS = 96, 4, 8
_ASIDE = (".before-restore-*", ".damaged-*")


def care(config: Config, now: datetime, stop: threading.Event | None = None) -> Run:
    """May be repeated at will; where it was stopped, it is due again."""
    running, zone = Running(now), config.site.timezone
    today, before = local_day(now, zone), Run.last("care", until=now)
    wal = wear.Log(db.database)
    run = Run.create(job="care", started=now)
    erased = expiry.erase_unconfirmed(now)
    expiry.forget_origins(now)
    suppressions.forget_askings(now)
    Confirmation.delete().where(Confirmation.expires <= now).execute()
    expiry.forget_moves()
    Bounce.forget(before=now - _BOUNCES_FOR)
    Run.forget(("deliver", "confirm"), before=now - _MAILINGS_FOR)
    Hook.forget(before=now - _POSTS_FOR)
    _forget_set_aside(Path(config.database.path), now - _ASIDE_FOR)
    clicks.fold(today)
    counted = local_day(before.started, zone) + timedelta(days=1) if before else None
    _count_mails(since=counted - STILL_MAILED if counted else date.min)
    db.execute_sql("PRAGMA analysis_limit = 400")       # a million mails are not all read for it
    with db.atomic():       # on its own it would fail at once where another thread writes
        db.execute_sql("PRAGMA optimize")
    wal.look()
    stop = stop or threading.Event()
    _merge(Run.posts_since(before.started if before else None), wal, stop)
    db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    run.written = wal.written
    run.said = f"{erased} unconfirmed requests erased"
    if not stop.is_set():
        run.finished = running.now()
    run.save()
    return run


def _merge(posts: int, wal: wear.Log, stop: threading.Event) -> None:
    """Puts both indexes in order: a bounded part of it each night, after a first import nearly all."""
    pages = max(_MERGED, posts // _POSTS_A_PAGE)
    segments.merge(links.INDEX, max(1, pages // _LINKS), wal, stop)
    segments.merge(fulltext.INDEX, pages, wal, stop)


def _forget_set_aside(database: Path, before: datetime) -> None:
    for pattern in _ASIDE:
        for path in database.parent.glob(f"{database.name}{pattern}"):
            if path.stat().st_mtime < before.timestamp():
                path.unlink()


def _count_mails(since: date) -> None:
    """Keeps how many mails went out a day, so that nobody has to count a year of them.

    `since`: the first day whose issues could still be mailed when they were counted last.
    """
    with db.atomic():
        for day, count in Event.mails(since).items():
            Event.put(day, "mailed", count)
