"""The night's housekeeping: what has expired goes, and the database is kept small and quick."""
from datetime import datetime

from devdigest import subscribers
from devdigest.clock import Running
from devdigest.memory import Run
from devdigest.readers import Confirmation
from devdigest.table import db


def care(now: datetime) -> Run:
    """May be repeated at will."""
    running = Running(now)
    run = Run.create(job="care", started=now)
    erased = subscribers.erase_unconfirmed(now)
    Confirmation.delete().where(Confirmation.expires <= now).execute()
    db.execute_sql("PRAGMA analysis_limit = 400")       # a million mails are not all read for it
    with db.atomic():       # on its own it would fail at once where another thread writes
        db.execute_sql("PRAGMA optimize")
    db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    run.said = f"{erased} unconfirmed requests erased"
    run.finished = running.now()
    run.save()
    return run
