"""A database to mail from, and what is committed and written on the way."""
import os
import random
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from bench.measured import written
from bench.site import a_blog, a_post, insert

from devdigest import database
from devdigest.models import Blog, Issue, IssuePost, Post
from devdigest.readers import Delivery, Subscriber
from devdigest.table import db

POSTS = 53          # a lively day of the original; with their excerpts the mail has about 60 KB
NOW = datetime.now(UTC)


class Ledger:
    """Counts what is committed and written to a database in a `with` block, by whichever process.

        with Ledger(path) as ledger:
            …
        ledger.commits, ledger.written
    """
    commits: int
    written: float      # MB, with what is checkpointed at the end; of this process and its ended children

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Self:
        # Held open, so that no other's closing takes the WAL and its index away; it keeps no snapshot.
        self._held = sqlite3.connect(self._path)
        self._held.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        # Closed after it: closing a file drops all locks that the process has on it (fcntl(2)).
        self._index = os.open(f"{self._path}-shm", os.O_RDONLY)
        self._before, self._begun = written(), self._changes()
        return self

    def __exit__(self, *_: object) -> None:
        self.commits = self._changes() - self._begun
        self._held.close()          # the last one to close checkpoints
        os.close(self._index)
        self.written = (written() - self._before) / 1e6

    def _changes(self) -> int:
        """Transactions so far: iChange of sqlite.org/walformat.html, 2.1."""
        return struct.unpack("=I", os.pread(self._index, 4, 8))[0]


@contextmanager
def opened(path: Path) -> Iterator[None]:
    database.open(path)
    try:
        yield
    finally:
        db.close()


def seed(path: Path, readers: int, queued: bool = True) -> None:
    """An issue of realistic length for reader1@example.org and so on, in the outbox if `queued`."""
    chance, blogs = random.Random(1), range(1, POSTS + 1)
    with opened(path), db.atomic():
        insert(Blog, [a_blog(chance, number) for number in blogs])
        insert(Post, [a_post(chance, number) | {"blog": number} for number in blogs])
        issue = Issue.create(day=NOW.date(), state="published", created=NOW, blogs=2_000, reached=1_960)
        posts = Post.select(Post, Blog).join(Blog).order_by(Post.id)
        IssuePost.bulk_create(IssuePost.drafts(issue, list(posts), []), 500)
        insert(Subscriber, [{"email": f"reader{number}@example.org", "state": "active", "created": NOW,
                             "confirmed": NOW - timedelta(days=200)} for number in range(1, readers + 1)])
        if queued:
            Delivery.queue_for_active(issue, NOW)


def queued(path: Path, readers: int) -> Ledger:
    """The rows of an issue, as publish makes them."""
    seed(path, readers, queued=False)
    with Ledger(path) as ledger, opened(path), db.atomic():
        Delivery.queue_for_active(Issue.get(), NOW)
    return ledger


def inserted(path: Path, readers: int) -> Ledger:
    """The same rows by an INSERT and a commit for each, in WAL/NORMAL, where a commit writes least."""
    seed(path, readers, queued=False)
    with Ledger(path) as ledger, opened(path), database.refetchable():
        for number in range(1, readers + 1):
            Delivery.create(issue=1, subscriber=number, created=NOW, due=NOW, changed=NOW)
    return ledger


def marked(path: Path, readers: int) -> Ledger:
    """Both marks of each mail, `sending` and `sent`, an UPDATE and a commit for each, as durable as ours."""
    seed(path, readers)
    with Ledger(path) as ledger, opened(path):
        for number in range(1, readers + 1):
            for marks in ({"state": "sending", "attempts": 1}, {"state": "sent", "reply": "250 2.0.0 OK"}):
                (Delivery.update(marks | {"changed": datetime.now(UTC)})
                 .where(Delivery.id == number).execute())
    return ledger
