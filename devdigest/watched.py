"""`stop` as a job is given it: that a job looks at it, between one thing and the next, is its progress."""
import threading
import time

_SLICE = 10.0       # seconds: who waits on purpose is alive all the while


class Watched(threading.Event):
    """The event `stop`, with a note of when this job last looked at it."""

    def __init__(self, stop: threading.Event) -> None:
        super().__init__()
        self._stop, self._looked = stop, time.monotonic()

    def silent(self) -> float:
        """Seconds since the last look."""
        return time.monotonic() - self._looked

    def set(self) -> None:
        self._stop.set()

    def look(self) -> None:
        self._looked = time.monotonic()

    def is_set(self) -> bool:
        self.look()
        return self._stop.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        until = None if timeout is None else time.monotonic() + timeout
        while not self.is_set():
            left = _SLICE if until is None else min(_SLICE, until - time.monotonic())
            if left <= 0:
                return False
            self._stop.wait(left)
        return True
