"""The end of a fetch: whatever its connection waits for then, it is cut off.

One thread sees to all of them: one for each fetch would cost more than some fetches do.
"""
import os
import socket
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Self


class Deadline:
    """The end of one fetch: once it has passed, the connection in use is shut down, whatever it waits for.

    A socket's timeout begins anew with every byte, so it ends neither headers nor a body that drip in.
    A connection shut down within the headers looks like a short, normal answer: `check` after every wait.
    """

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self.ends = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._line: socket.socket | None = None

    def __enter__(self) -> Self:
        _watch.begin(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        _watch.end(self)
        self.let_go()

    def left(self) -> float:
        """Seconds until the end. Raises TimeoutError where there are none."""
        self.check()
        return max(self.ends - time.monotonic(), 0.001)

    def check(self) -> None:
        """Raises TimeoutError once the deadline has passed."""
        if self.passed:
            raise TimeoutError

    def hold(self, connection: socket.socket) -> None:
        """From now on it is `connection` that is cut off."""
        # a duplicate: a TLS handshake takes the descriptor out of the socket that it is given
        line = socket.socket(fileno=os.dup(connection.fileno()))
        with self._lock:
            self._let_go()
            self._line = line
            if self.passed:
                self._cut(line)

    def let_go(self) -> None:
        """The connection is of no use any more; closed elsewhere, it would stay open for being watched."""
        with self._lock:
            self._let_go()

    def run_out(self) -> None:
        """It is over."""
        with self._lock:
            self.passed = True
            if self._line is not None:
                self._cut(self._line)

    def _let_go(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    @staticmethod
    def _cut(line: socket.socket) -> None:
        with suppress(OSError):     # the other side may have ended it before
            line.shutdown(socket.SHUT_RDWR)


class _Watch:
    """The thread, which lives while there is a deadline, and those that it waits for."""

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._running: set[Deadline] = set()
        self._thread: threading.Thread | None = None
        self._wakes = 0.0       # monotonic

    def begin(self, deadline: Deadline) -> None:
        """Raises RuntimeError where no thread can be started."""
        with self._change:
            if self._thread is None:
                self._wakes = deadline.ends
                thread = threading.Thread(target=self._run, name="deadlines", daemon=True)
                thread.start()
                self._thread = thread
            self._running.add(deadline)
            # as a rule all are of the same length, and whoever began before ends before
            if deadline.ends < self._wakes:
                self._change.notify()

    def end(self, deadline: Deadline) -> None:
        with self._change:
            self._running.discard(deadline)
            if not self._running:
                self._change.notify()

    def _run(self) -> None:
        while (late := self._late()) is not None:
            for deadline in late:
                deadline.run_out()

    def _late(self) -> list[Deadline] | None:
        """Those that are over; None where there is none left to wait for."""
        with self._change:
            if not self._running:
                self._thread = None
                return None
            self._wakes = min(deadline.ends for deadline in self._running)
            self._change.wait(max(0.0, self._wakes - time.monotonic()))
            now = time.monotonic()
            late = [deadline for deadline in self._running if deadline.ends <= now]
            self._running.difference_update(late)
            return late


_watch = _Watch()
