"""Answers kept until the database changes: an issue's page is made once a day, not once a visitor."""
import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

_MOST = 200             # answers
_FRESH = 1.0            # seconds in which one is given without a look at the database


@dataclass
class Answer:
    """What a page answered: its bytes, and the headers of its own; without ETag."""
    body: bytes
    headers: list[tuple[str, str]]
    etag: str
    version: int = 0
    looked: float = field(default=0.0)      # when the database was last seen to be as it was then


class Kept:
    """Safe for several threads. `fresh`: seconds for which an answer may lag behind the database."""

    def __init__(self, path: str | Path, fresh: float = _FRESH) -> None:
        self._answers: OrderedDict[object, Answer] = OrderedDict()
        self._lock = threading.Lock()
        self._fresh = fresh
        self._watcher = sqlite3.connect(path, check_same_thread=False, isolation_level=None)

    def close(self) -> None:
        self._watcher.close()

    def get(self, key: object, make: Callable[[], Answer | None]) -> Answer | None:
        """The answer kept under `key`, or what `make` gives; None, which is not kept, where it gives that."""
        version = None
        with self._lock:
            known = self._answers.get(key)
            now = time.monotonic()
            if known is not None and now - known.looked < self._fresh:
                return known
            version = self._version()
            if known is not None and known.version == version:
                known.looked = now
                return known
        made = make()
        if made is not None:
            made.version, made.looked = version, now        # as it was before: a change meanwhile counts
            self._keep(key, made)
        return made

    def _keep(self, key: object, made: Answer) -> None:
        with self._lock:
            self._answers[key] = made
            self._answers.move_to_end(key)
            while len(self._answers) > _MOST:
                self._answers.popitem(last=False)

    def _version(self) -> int:
        """Changes when any connection commits: sqlite.org, pragma data_version."""
        return self._watcher.execute("PRAGMA data_version").fetchone()[0]
