"""Who left, as address hashes in a synced log beside the backups, so that no restored backup mails them.

A line is on the disk before what it tells is committed: a power cut between the two loses no wish, and a line
without its commit is obeyed later (replay.py). It holds no address.
"""
import fcntl
import logging
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from devdigest.copies import sync
from devdigest.memory import Setting

log = logging.getLogger(__name__)

NAME = "departures.log"
LEFT, ERASED, RETURNED = "left", "erased", "returned"       # of the last of these an address has, one counts,
SUPPRESSED, LIFTED = "suppressed", "lifted"                 # and one of these
REPLAYED = "departures replayed"        # setting: the number of the newest line that this database knows
_UNWRITTEN = "departures unwritten"     # setting: lines that a full disk left no room for
_MOST_BYTES = 4_000_000                 # about 40,000 lines; then each address keeps its last ones
_LONGEST_LINE = 200                     # bytes
_LONGEST_NUMBER = 14                    # digits, until the year 5138

_place: Path | None = None              # of this process's log
_local = threading.local()


class Line(NamedTuple):
    """`number`: milliseconds since 1970, but never less than that of the line before, whatever the clock."""
    number: int
    kind: str
    address: str
    reason: str = ""

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp(self.number / 1000, UTC)

    @property
    def track(self) -> tuple[str, bool]:
        """What later lines of the same track outdate."""
        return self.address, self.kind in (SUPPRESSED, LIFTED)


def keep_in(folder: Path | None) -> None:
    """Where this process writes its lines from now on; None for nowhere, as in a trial."""
    global _place
    _place = folder and folder / NAME


def note(kind: str, address: str, now: datetime, *, after: datetime | None = None, reason: str = "") -> None:
    """Writes one line and waits for the disk, within the transaction that does what the line tells.

    `after`: the reader's own word that this ends, so that it is the newer one by any clock. Where the log
    cannot be written the line waits in the database: nobody is kept from leaving.
    """
    if _place is None or getattr(_local, "muted", False):
        return
    line = Line(max(_number(now), _number(after) + 1 if after else 0), kind, address, reason)
    if (waiting := getattr(_local, "waiting", None)) is not None:
        waiting.append(line)
    else:
        _write([line])


@contextmanager
def together() -> Iterator[None]:
    """What is noted meanwhile waits for the disk once; to be left before the transaction is."""
    if getattr(_local, "waiting", None) is not None:
        yield
        return
    _local.waiting = []
    try:
        yield
        _write(_local.waiting)
    finally:
        _local.waiting = None


@contextmanager
def muted() -> Iterator[None]:
    """While what happens is read from the log, and is not to be written there again."""
    _local.muted = True
    try:
        yield
    finally:
        _local.muted = False


def begin() -> None:
    """Makes the log where nobody has left yet, so that one that is missing at a restore is a loss."""
    if _place is not None and Setting.read(REPLAYED) is None and not _place.exists():
        with _opened(_place):
            sync(_place.parent)


def catch_up() -> None:
    """Writes what there was no room for."""
    _write([])


def lines(path: Path | None = None) -> list[Line]:
    """All of a log, of this process's without a path, oldest first; what a power cut left half is no line."""
    path = path or _place
    if path is None or not path.exists():
        return []
    text = path.read_text(encoding="ascii", errors="replace")
    return [line for line in map(_read, text.split("\n")) if line]


def size() -> int:
    """Bytes of this process's log."""
    return _place.stat().st_size if _place is not None and _place.exists() else 0


def merge(target: Path, others: Iterable[Path]) -> int:
    """Brings lines of other logs, as of a copy on a stick, into one; how many were new there."""
    with _opened(target) as file:
        known = set(lines(target))
        new = {line for other in others for line in lines(other)} - known
        if new:
            _replace(target, sorted(known | new))
        os.fsync(file)
    return len(new)


def compact(most: int = _MOST_BYTES) -> None:
    """Keeps of a log that has grown the last line of each address and track."""
    if _place is None or not _place.exists() or _place.stat().st_size <= most:
        return
    with _opened(_place):
        last = {line.track: line for line in lines(_place)}
        _replace(_place, sorted(last.values()))


def _number(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)


def _write(new: Iterable[Line]) -> None:
    if _place is None:
        return
    kept = Setting.read(_UNWRITTEN)
    waiting = [*filter(None, map(_read, (kept or "").split("\n"))), *new]
    if not waiting:
        return
    try:
        _append(_place, waiting)
    except OSError as error:
        log.error("%s cannot be written: %s; %d lines wait in the database", _place, error.strerror,
                  len(waiting))
        Setting.write(_UNWRITTEN, "\n".join(map(_text, waiting)))
    else:
        if kept is not None:
            Setting.clear(_UNWRITTEN)


def _append(path: Path, new: Iterable[Line]) -> None:
    with _opened(path) as file:
        size = os.lseek(file, 0, os.SEEK_END)
        tail = os.pread(file, _LONGEST_LINE, max(0, size - _LONGEST_LINE)).decode("ascii", "replace")
        last = next((line.number for line in map(_read, reversed(tail.split("\n"))) if line), 0)
        text = "" if not tail or tail.endswith("\n") else "\n"      # after the half line of a power cut
        for line in new:
            last = max(line.number, last + 1)
            text += _text(line._replace(number=last)) + "\n"
        _write_all(file, text.encode("ascii"))
        os.fsync(file)
        if not size:
            sync(path.parent)


def _write_all(file: int, text: bytes) -> None:
    """Raises OSError. A disk that is nearly full takes a part, and says so only when it is asked again."""
    while text:
        text = text[os.write(file, text):]


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """The log, for this process alone; web and worker both write it, and one may have it replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)   # as in locks.py
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            if path.exists() and os.path.samestat(os.fstat(file), path.stat()):
                yield file
                return
        finally:
            os.close(file)


def _replace(path: Path, kept: Iterable[Line]) -> None:
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.writelines(f"{_text(line)}\n" for line in kept)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    sync(path.parent)


def _text(line: Line) -> str:
    return " ".join(map(str, filter(None, line)))


def _read(text: str) -> Line | None:
    number, *rest = text.split(" ")
    known = len(rest) in (2, 3) and rest[0] in (LEFT, ERASED, RETURNED, SUPPRESSED, LIFTED)
    # hexadecimal SHA-256; and an instant that there is, whatever a bad card made of its digits
    whole = (number.isdecimal() and len(number) <= _LONGEST_NUMBER and len(rest) > 1 and len(rest[1]) == 64)
    return Line(int(number), *rest) if known and whole else None
