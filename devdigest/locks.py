"""One process a step: a file lock that dies with its process, and says who holds it."""
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Busy(Exception):
    """Another process is at this step; says which."""


@contextmanager
def locked(folder: Path, step: str) -> Iterator[None]:
    """Holds the lock of `step` while the block runs. Raises Busy at once where another process has it."""
    path = folder / f"{step}.lock"
    # "a": opening must not empty what the holder wrote. No link is followed: `sudo devdigest backup FILE` may
    # write what is root's, and the folder is the service's own
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, 0o666), "a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise Busy(f"{step} is running already, in process {file.read().strip() or 'unknown'}") from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
