"""The database → a proven copy beside the others, and one at a second place; the oldest goes after that."""
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from devdigest import backups, copies, departures, room, second_place, suppressions
from devdigest.clock import Running
from devdigest.config import Config
from devdigest.copies import Counts, Unsound
from devdigest.locks import locked
from devdigest.memory import Run, Setting
from devdigest.second_place import CopyError

log = logging.getLogger(__name__)

FAULT, COPY_FAULT = "backup fault", "backup copy fault"     # settings: what is wrong, or ""
COPIED = "backup copied"            # setting: when all was at the second place
_LOG_COPIED = "departures copied"   # setting: the number of the last line there
_MARGIN = 50_000_000                # bytes that others may want meanwhile

Report = Callable[[str], None]


@dataclass(frozen=True)
class Made:
    path: Path
    bytes: int
    seconds: float
    counts: Counts
    removed: int = 0
    copy_fault: str = ""


def backup(config: Config, now: datetime, stop: threading.Event, *, file: Path | None = None,
           report: Report = lambda _: None) -> Made:
    """Makes one, proven before it has its name; to `file` it is one apart, which removes and copies none.

    Raises Busy, NoRoom, Unsound, Stopped, OSError; what is at the second place's fault is in what it gives.
    """
    running = Running(now)
    with locked(config.folder, "backup"):
        if file is not None:
            return _made(config, now, running, stop, file, report)
        run = Run.create(job="backup", started=now)
        try:
            made = _nightly(config, now, running, stop, report)
        except copies.Stopped:
            raise
        except Exception as error:
            _tell(FAULT, "backup", str(error))
            raise
        _tell(FAULT, "backup", "")
        run.finished, run.said = running.now(), words(made)
        run.save()
        log.info("backup: %s", run.said)
        return made


def words(made: Made) -> str:
    """One line: '12.3 MB, 20,123 posts, 1,234 readers, proven in 3 s'."""
    counts = made.counts
    return (f"{made.bytes / 1e6:,.1f} MB, {counts['post']:,} posts, {counts['issue']:,} issues, "
            f"{counts['subscriber']:,} readers, proven in {made.seconds:.0f} s")


def copy_log(config: Config) -> bool:
    """Brings the log of who left to the second place, where it has grown since; whether it is there."""
    try:
        _copy_log(config)
    except (CopyError, OSError) as error:
        _tell(COPY_FAULT, "copy of the backup", str(error))
        return False
    return True


def _copy_log(config: Config) -> None:
    lines = departures.lines()
    if not config.backup.copy_to or not lines:
        return
    newest = str(lines[-1].number)
    if Setting.read(_LOG_COPIED) == newest:
        return
    place = second_place.reach(config.backup.copy_to, config.backups, config.folder)
    place.put(config.backups / departures.NAME, _log_name())
    Setting.write(_LOG_COPIED, newest)


def _nightly(config: Config, now: datetime, running: Running, stop: threading.Event, report: Report) -> Made:
    folder = config.backups
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    backups.sweep(folder)
    departures.begin()
    path = folder / backups.name(now, config.site.timezone)
    made = _made(config, now, running, stop, path, report)
    old = backups.superfluous(backups.of(one.name for one in folder.iterdir()), config.backup.keep)
    for one in old:
        (folder / one.name).unlink()
    copies.sync(folder)
    fault = ""
    if config.backup.copy_to:
        report("copying")
        fault = _copied(config, now, stop)
    return Made(path, made.bytes, running.seconds(), made.counts, len(old), fault)


def _made(config: Config, now: datetime, running: Running, stop: threading.Event, path: Path,
          report: Report) -> Made:
    source = Path(config.database.path)
    if path.exists():
        raise FileExistsError(17, "is there already: name another", str(path))
    room.require("backup", path.parent, copies.size(source) + _MARGIN)
    part = path.with_name(f".{path.name}{backups.PART}")
    part.unlink(missing_ok=True)
    try:
        report("copying the database")
        counted = copies.copy(source, part, stop.is_set)
        copies.scrub(part, now)
        report("proving the copy")
        if copies.prove(part) != counted:
            raise Unsound(f"{part}: what was read back is not what was written: a worn card?")
        part.replace(path)
        copies.sync(path.parent)
    finally:
        part.unlink(missing_ok=True)
        part.with_name(f"{part.name}-journal").unlink(missing_ok=True)
    return Made(path, path.stat().st_size, running.seconds(), counted)


def _copied(config: Config, now: datetime, stop: threading.Event) -> str:
    """Brings what is missing to the second place; why it could not, "" where it could."""
    ours = [path.name for path in backups.found(config.backups)]
    try:
        place = second_place.reach(config.backup.copy_to, config.backups, config.folder)
        theirs = set(place.names())
        for name in ours:
            if name not in theirs and not stop.is_set():
                place.put(config.backups / name, name)
        place.remove([one.name for one in backups.superfluous(backups.of(place.names()), config.backup.keep)])
        Setting.clear(_LOG_COPIED)
        _copy_log(config)
    except (CopyError, OSError) as error:
        _tell(COPY_FAULT, "copy of the backup", str(error))
        return str(error)
    Setting.write(COPIED, now.isoformat())
    _tell(COPY_FAULT, "copy of the backup", "")
    return ""


def _log_name() -> str:
    """By the database's key: an installation that begins anew must not write over what another one knew."""
    return f"departures-{suppressions.known_by(departures.NAME)[:12]}.log"


def _tell(setting: str, what: str, fault: str) -> None:
    """To the journal, when it begins and when it ends."""
    if fault != (Setting.read(setting) or ""):
        log.error("%s: %s", what, fault) if fault else log.info("%s: mended", what)
        Setting.write(setting, fault)
