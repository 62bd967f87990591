"""The night's housekeeping: what has expired goes, and the database is kept small and quick."""
from datetime import date, datetime, timedelta

from devdigest import clicks, subscribers, suppressions
from devdigest.clock import Running
from devdigest.config import Config
from devdigest.counts import Event
from devdigest.days import local_day
from devdigest.memory import Run
from devdigest.readers import Confirmation
from devdigest.table import db

_STILL_MAILED = timedelta(days=3)       # after its day an issue's last mails are given up


def care(config: Config, now: datetime) -> Run:
    """May be repeated at will."""
    running, today = Running(now), local_day(now, config.site.timezone)
    run = Run.create(job="care", started=now)
    erased = subscribers.erase_unconfirmed(now)
    subscribers.forget_origins(now)
    suppressions.forget_askings(now)
    Confirmation.delete().where(Confirmation.expires <= now).execute()
    clicks.fold(today)
    _count_mails(today)
    db.execute_sql("PRAGMA analysis_limit = 400")       # a million mails are not all read for it
    with db.atomic():       # on its own it would fail at once where another thread writes
        db.execute_sql("PRAGMA optimize")
    db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    run.said = f"{erased} unconfirmed requests erased"
    run.finished = running.now()
    run.save()
    return run


def _count_mails(today: date) -> None:
    """Keeps how many mails went out a day, so that nobody has to count a year of them."""
    with db.atomic():
        for day, count in Event.mails(since=today - _STILL_MAILED).items():
            Event.put(day, "mailed", count)
