"""In front of the pages: answers kept until the database changes, and 304 for those who have them already.

An issue's page is made once a day, not once a visitor. Kept is what answers a GET with an ETag.
"""
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from devdigest.config import Config
from devdigest.days import local_day
from devdigest.web.joining import STAMP, stamp
from devdigest.web.visit import preferred

_MOST = 2_000_000       # bytes of all answers
_FRESH = 1.0            # seconds in which they are given without a look at the database
_LATELY = 5.0           # seconds: what nobody has looked at for longer may be wrong by far

_STAMP = STAMP.encode()
_TAG = re.compile(r'"[^"]*"|^\*$')
_OF_A_BODY = ("Content-Length", "Content-Type")     # not told where there is none

Environ = dict[str, Any]
Start = Callable[..., Any]
App = Callable[[Environ, Start], Iterable[bytes]]
Key = tuple[str, str]   # path and language


class Answer(NamedTuple):
    status: str
    headers: list[tuple[str, str]]
    body: bytes             # with STAMP where a form says when it was given out
    etag: str               # weak, as it knows nothing of the stamp (RFC 9110, 8.8.1); "" where not kept


class Kept:
    """`app` with a memory, safe for several threads. `fresh`: seconds it may lag behind the database.

    While one visitor has a page made anew, the others get what was right a moment ago: during a collect the
    database changes all the time.
    """

    def __init__(self, app: App, config: Config, fresh: float = _FRESH) -> None:
        self._app, self._site, self._fresh = app, config.site, fresh
        self._answers: dict[Key, Answer] = {}
        self._size = 0
        self._former: dict[Key, Answer] = {}
        self._making: set[Key] = set()
        self._lock = threading.Lock()
        self._watcher = sqlite3.connect(config.database.path, check_same_thread=False, isolation_level=None)
        self._state: object = None      # of all that an answer depends on, when last looked at
        self._looked = 0.0

    def close(self) -> None:
        self._watcher.close()

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        # bottle passes over bytes of a path that are no UTF-8, so one page would be kept under any number
        # of names; paths of pages that are kept are ASCII
        if (environ["QUERY_STRING"] or environ["REQUEST_METHOD"] not in ("GET", "HEAD")
                or not environ["PATH_INFO"].isascii()):
            answer = _ask(self._app, environ)
        else:
            language = preferred(environ.get("HTTP_ACCEPT_LANGUAGE", "")) or self._site.language
            key = environ["PATH_INFO"], language
            answer = self._known(key) or self._learn(key, environ)
        return _give(answer, environ, start)

    def _known(self, key: Key) -> Answer | None:
        """None for who has to have it made."""
        if time.monotonic() - self._looked > self._fresh:
            self._look()
        return self._answers.get(key) or (self._former.get(key) if key in self._making else None)

    def _look(self) -> None:
        with self._lock:
            try:
                # changes when any connection commits: sqlite.org, pragma data_version
                version = self._watcher.execute("PRAGMA data_version").fetchone()[0]
                state = version, local_day(datetime.now(UTC), self._site.timezone)
            except sqlite3.Error:       # the page will say so
                state = None
            now = time.monotonic()
            if state is None or state != self._state:
                self._former = self._answers if state and now - self._looked < _LATELY else {}
                self._state, self._answers, self._size = state, {}, 0
            self._looked = now

    def _learn(self, key: Key, environ: Environ) -> Answer:
        state = self._state
        self._making.add(key)
        try:
            answer = _ask(self._app, environ)
            if answer.etag and environ["REQUEST_METHOD"] == "HEAD":
                answer = _ask(self._app, environ | {"REQUEST_METHOD": "GET"})
            if answer.etag:
                self._keep(key, answer, state)
        finally:
            self._making.discard(key)
        return answer

    def _keep(self, key: Key, answer: Answer, state: object) -> None:
        with self._lock:
            if state != self._state or key in self._answers:
                return      # made from what has changed since, or by another thread as well
            self._former.pop(key, None)
            self._answers[key] = answer
            self._size += len(answer.body)
            while self._size > _MOST:
                self._size -= len(self._answers.pop(next(iter(self._answers))).body)


def _ask(app: App, environ: Environ) -> Answer:
    said: list[tuple[str, list[tuple[str, str]]]] = []
    body = b"".join(app(environ, lambda status, headers, fault=None: said.append((status, headers))))
    status, headers = said[-1]
    return Answer(status, headers, body, next((value for name, value in headers if name == "Etag"), ""))


def _give(answer: Answer, environ: Environ, start: Start) -> Iterable[bytes]:
    headers, body = answer.headers, answer.body
    if _is_known(answer, environ):
        start("304 Not Modified", [header for header in headers if header[0] not in _OF_A_BODY])
        return []
    if _STAMP in body:
        body = body.replace(_STAMP, stamp(datetime.now(UTC)).encode())
        headers = [header for header in headers if header[0] != "Content-Length"]
        headers.append(("Content-Length", str(len(body))))
    start(answer.status, headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def _is_known(answer: Answer, environ: Environ) -> bool:
    """Whether the visitor has it: by its ETag, or, where none was sent, by its date (RFC 9110, 13.2.2)."""
    if "HTTP_IF_NONE_MATCH" in environ:
        return bool(answer.etag) and _has(environ["HTTP_IF_NONE_MATCH"], answer.etag)
    return ("Last-Modified", environ.get("HTTP_IF_MODIFIED_SINCE", "")) in answer.headers


def _has(if_none_match: str, etag: str) -> bool:
    """By weak comparison (RFC 9110, 13.1.2)."""
    tags = _TAG.findall(if_none_match)
    return "*" in tags or etag.removeprefix("W/") in tags
