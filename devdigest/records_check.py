"""What the database tells: whether it is whole, what time it saw, which blogs were read, whom it mails."""
from datetime import datetime, timedelta
from pathlib import Path

from peewee import DatabaseError

from devdigest import RELEASED, clock, plan
from devdigest.config import Config
from devdigest.database import VERSION, cure, is_lost
from devdigest.fetching import Fetching
from devdigest.finding import OK, RED, WARN, Finding
from devdigest.memory import Run, Setting
from devdigest.models import Blog
from devdigest.readers import Subscriber
from devdigest.table import db

RESTORE = "`devdigest restore` lists the backups, and says what to type"

_LONG_LOG = 32_000_000          # bytes of the -wal: some reader keeps it from being folded in
_OVERDUE = timedelta(hours=26)


def database(path: Path) -> Finding:
    try:
        said = db.execute_sql("PRAGMA quick_check(1)").fetchone()[0]
        with db.atomic():       # IMMEDIATE: asks for the right to write
            pass
    except DatabaseError as error:      # damaged where even that question ends
        if not is_lost(error):
            again = "sudo systemctl restart devdigest-web devdigest-worker"
            return Finding("database", RED, f"{path}: {error}",
                           again if "locked" in str(error) else cure(path))
        said = str(error)
    if said != "ok":
        return Finding("database", RED, f"{path} is damaged: {said}", RESTORE)
    log = path.with_name(f"{path.name}-wal")
    size = log.stat().st_size if log.exists() else 0
    if size > _LONG_LOG:
        return Finding("database", WARN, f"{log.name} has grown to {size // 1_000_000} MB",
                       "sudo systemctl restart devdigest-web devdigest-worker")
    return Finding("database", OK, f"{path}, version {VERSION}, intact")


def clock_set(config: Config, now: datetime) -> Finding:
    if config.site.clock == "trust":
        return Finding("clock", WARN, "trusted unseen", 'remove site.clock = "trust" on a real installation')
    if not (doubt := clock_doubt(config, now)):
        return Finding("clock", OK, f"in sync, {now.astimezone(config.site.timezone):%H:%M} in "
                                    f"{config.site.zone}")
    # a clock in sync that was ahead once is not mended by asking the network again
    seen = Setting.last_seen()
    goes_on = clock.synchronised() and seen is not None and RELEASED <= now < seen
    return Finding("clock", RED, doubt, "devdigest resume --clock" if goes_on else
                   "sudo timedatectl set-ntp true")


def clock_doubt(config: Config, now: datetime) -> str:
    """Why nothing is done by this clock, "" where it is believed; notes nothing."""
    if config.site.clock == "trust":
        return ""
    return clock.doubt(now, Setting.last_seen(), clock.synchronised())


def carries(config: Config, now: datetime) -> Finding:
    if said := plan.outgrown(config, now):
        return Finding("plan", WARN, said, "ask for a larger one; set [mail] per_day and per_second")
    return Finding("plan", OK, f"carries {Subscriber.active():,} readers")


def blogs() -> Finding:
    count = Blog.select().where(Blog.state == "active").count()
    failing = Fetching.failing().count()
    if not count:
        return Finding("blogs", RED, "none", "devdigest blogs import FILE-OR-URL")
    state = OK if 2 * failing < count else WARN
    return Finding("blogs", state, f"{count:,} active, {failing:,} failing",
                   "" if state == OK else "devdigest blogs list --failing")


def collected(config: Config, now: datetime) -> Finding:
    run = Run.last("collect", until=now)
    if run is None or now - run.started > _OVERDUE:
        told = f"last {run.started.astimezone(config.site.timezone):%Y-%m-%d %H:%M}" if run else "never"
        return Finding("collect", RED, told, "is the worker running? `devdigest collect` does it by hand")
    return Finding("collect", OK, f"{run.started.astimezone(config.site.timezone):%m-%d %H:%M}: {run.said}")
