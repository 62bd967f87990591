"""How FTS5 keeps what it is given: a segment for each transaction, put together at night and not before.

As it comes it would do so while posts are stored, so that every few days a collect wrote three times as much
(sqlite.org/fts5.html, 6.8: the merge commands).
"""
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from devdigest import wear
from devdigest.table import db

# segments of one size that are put together: as many as FTS5 allows, as they are written anew each time
_TOGETHER = 16
# From so many on FTS5 does it at once, in the middle of a collect: a first import of 10,000 feeds leaves 400
_CRISIS = 1000
_PORTION = 256      # pages a transaction: a second of a Pi's time, in which a visitor who writes waits


def settings(index: str) -> tuple[str, ...]:
    """The SQL that leaves the merging to the night; that of an upgrade too: never change it."""
    return tuple(f"INSERT INTO {index}({index}, rank) VALUES ('{name}', {value})"
                 for name, value in (("automerge", 0), ("usermerge", _TOGETHER), ("crisismerge", _CRISIS)))


def merge(index: str, pages: int, wal: wear.Log, stop: threading.Event) -> None:
    """Puts segments together, where there are enough of a size, until about so many pages are written."""
    with _sparing():
        while pages > 0 and not stop.is_set():
            before = db.connection().total_changes
            with db.atomic():
                db.execute_sql(f"INSERT INTO {index}({index}, rank) VALUES ('merge', ?)",
                               (min(pages, _PORTION),))
            wal.look()
            if db.connection().total_changes - before < 2:      # as documented: there was nothing to do
                return
            pages -= _PORTION


@contextmanager
def _sparing() -> Iterator[None]:
    """While pages that come free are not overwritten, which would double what is written: the words on them
    stand in the index still. fulltext.forget sees to the words of whom we forget.
    """
    db.execute_sql("PRAGMA secure_delete = fast")
    try:
        yield
    finally:
        db.execute_sql("PRAGMA secure_delete = on")
