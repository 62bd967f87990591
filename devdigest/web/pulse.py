"""The site's sign of life to systemd: given while requests find a thread that takes them up."""
import math
import time
from typing import Any

from devdigest import notify

_EVERY = 20         # seconds; a page takes a tenth of one, a database that is busy four


class Pulse:
    """Of the server's `dispatcher`. Stops once the request that waits longest is the same as a beat before:
    then every thread hangs.
    """

    def __init__(self, dispatcher: Any) -> None:
        self._queue = dispatcher.queue
        self._every = min(_EVERY, (notify.patience() or math.inf) / 3)
        self._next, self._waiting = 0.0, None

    def beat(self) -> None:
        """To be called at least once a second."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + self._every
        try:
            waiting = self._queue[0]
        except IndexError:
            waiting = None
        if waiting is None or waiting is not self._waiting:
            notify.alive()
        self._waiting = waiting
