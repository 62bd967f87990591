"""Who has the database open: each process says so by a lock that dies with it, until a restore wants it.

The file of that lock also remembers that there was a database, so that none is made anew where one is lost.
"""
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from devdigest.locks import Busy, locked

RESTORE = "restore"         # the step whose lock asks all others to leave
_PATIENCE = 60              # seconds for the services to leave: mails under way have their end first

_here: int | None = None    # this process's lock


def enter(path: Path) -> None:
    """Says that this process has the database open, from now on. Raises Busy during a restore."""
    global _here
    leave()
    if is_wanted(path.parent):
        raise Busy("a restore is at work on it; try again when it has ended")
    _here = _open(path)
    fcntl.flock(_here, fcntl.LOCK_SH)


def leave() -> None:
    global _here
    if _here is not None:
        os.close(_here)
        _here = None


def is_wanted(folder: Path) -> bool:
    """Whether a restore waits for everybody to leave, or is at work."""
    try:
        file = os.open(folder / f"{RESTORE}.lock", os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def is_alone() -> bool:
    """Whether no other process has it open now."""
    if _here is None:
        return False
    try:
        fcntl.flock(_here, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fcntl.flock(_here, fcntl.LOCK_SH)       # lost while another one is asked for: flock(2)
        return False
    fcntl.flock(_here, fcntl.LOCK_SH)
    return True


def remember(path: Path) -> None:
    """That there is a database here, for ever."""
    file = _file(path)
    if not is_remembered(path) and os.access(file, os.W_OK):
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_NOFOLLOW), "w", encoding="ascii") as remembered:
            remembered.write("there is a database beside this file\n")


def is_remembered(path: Path) -> bool:
    file = _file(path)
    return file.exists() and file.stat().st_size > 0


@contextmanager
def alone(path: Path, patience: float = _PATIENCE) -> Iterator[None]:
    """While no other process has it open: the services see that it is wanted, and end. Raises Busy."""
    with _asking(path.parent):
        file = _open(path)
        try:
            until = time.monotonic() + patience
            while not _taken(file):
                if time.monotonic() > until:
                    raise Busy(f"{path} is still open in another process; `sudo systemctl stop "
                               f"devdigest.target`, then the same again")
                time.sleep(0.1)
            yield
        finally:
            os.close(file)


@contextmanager
def _asking(folder: Path) -> Iterator[None]:
    with ExitStack() as held:
        for tries in reversed(range(20)):
            try:
                held.enter_context(locked(folder, RESTORE))
                break
            except Busy:        # also where somebody just looks whether it is held
                if not tries:
                    raise
                time.sleep(0.05)
        yield


def _taken(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _open(path: Path) -> int:
    return os.open(_file(path), os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW, 0o644)        # as in locks.py


def _file(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")
