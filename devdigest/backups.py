"""The files of backups: their names, which of them stay, and which is the newest."""
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

_NAME = re.compile(r"devdigest-(\d{4}-\d\d-\d\d-\d{6})\.db")
_TIME = "%Y-%m-%d-%H%M%S"
PART = ".part"              # at the end of what is not proven yet
_MONTHS = 3


@dataclass(frozen=True, order=True)
class Backup:
    """`at` is naive, in the site's zone, as its name has it."""
    at: datetime
    name: str


def name(now: datetime, zone: ZoneInfo) -> str:
    return f"devdigest-{now.astimezone(zone):{_TIME}}.db"


def of(names: Iterable[str]) -> list[Backup]:
    """Those that are backups, newest first."""
    known = filter(None, map(_NAME.fullmatch, names))
    return sorted((Backup(datetime.strptime(one[1], _TIME), one[0]) for one in known), reverse=True)  # noqa: DTZ007


def found(folder: Path) -> list[Path]:
    """The proven backups of a folder, newest first."""
    if not folder.is_dir():
        return []
    return [folder / backup.name for backup in of(path.name for path in folder.iterdir())]


def superfluous(backups: Sequence[Backup], keep: int) -> list[Backup]:
    """Of backups, newest first, those to go: neither of the newest `keep`, nor a month's first.

    Of the newest's month and the two before it, as far back as a slip of the owner may lie unseen.
    """
    if not backups:
        return []
    newest = _month(backups[0])
    firsts = {}
    for backup in backups:                      # the oldest of each month remains
        if newest - _month(backup) < _MONTHS:
            firsts[_month(backup)] = backup
    return [backup for backup in backups[keep:] if backup not in firsts.values()]


def sweep(folder: Path) -> None:
    """Removes what a cut left half made; to be called by whoever alone makes backups here."""
    for path in folder.glob(f".devdigest-*{PART}*"):
        path.unlink()


def _month(backup: Backup) -> int:
    return 12 * backup.at.year + backup.at.month
