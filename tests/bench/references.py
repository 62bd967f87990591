"""What DevDigest is measured against: a plain reader, by requests and feedparser with their defaults.

    python references.py DATABASE URLS --workers 32 --timeout 10

Sends validators back, keeps what it finds in SQLite, one transaction per feed. Prints what it wrote.
"""
import argparse
import io
import sqlite3
import sys
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple

import feedparser
import requests

sys.path.insert(0, str(Path(__file__).parents[2]))

from devdigest.wear import Log

TABLES = """
CREATE TABLE IF NOT EXISTS blog (id INTEGER PRIMARY KEY, feed TEXT UNIQUE, etag TEXT DEFAULT '',
    modified TEXT DEFAULT '', status INTEGER, fault TEXT DEFAULT '', fetched TEXT);
CREATE TABLE IF NOT EXISTS post (id INTEGER PRIMARY KEY, blog INTEGER, guid TEXT, url TEXT, title TEXT,
    excerpt TEXT, published TEXT, first_seen TEXT DEFAULT CURRENT_TIMESTAMP, UNIQUE (blog, guid));
"""
_FAILURES = (requests.RequestException, OSError, ValueError)
_of_thread = threading.local()


class Blog(NamedTuple):
    id: int
    feed: str
    etag: str
    modified: str


class Read(NamedTuple):
    blog: Blog
    status: int | None
    etag: str = ""
    modified: str = ""
    posts: tuple[tuple[str, ...], ...] = ()     # guid, url, title, excerpt, published
    fault: str = ""


def read(blog: Blog, timeout: float) -> Read:
    given = {"If-None-Match": blog.etag, "If-Modified-Since": blog.modified}
    headers = {name: value for name, value in given.items() if value}
    try:
        answer = _session().get(blog.feed, headers=headers, timeout=timeout)
        answer.raise_for_status()
    except _FAILURES as error:
        return Read(blog, None, fault=str(error)[:200])
    if answer.status_code == 304:
        return Read(blog, 304, blog.etag, blog.modified)
    document = feedparser.parse(io.BytesIO(answer.content),
                                response_headers={"content-type": answer.headers.get("content-type", ""),
                                                  "content-location": answer.url})
    posts = tuple((entry.get("id") or entry.get("link", ""), entry.get("link", ""), entry.get("title", ""),
                   entry.get("summary", "")[:200], entry.get("published", "")) for entry in document.entries)
    return Read(blog, 200, answer.headers.get("etag", ""), answer.headers.get("last-modified", ""), posts)


def _session() -> requests.Session:
    if not hasattr(_of_thread, "session"):
        _of_thread.session = requests.Session()
    return _of_thread.session


def side_by_side(blogs: list[Blog], workers: int, timeout: float) -> Iterable[Read]:
    with ThreadPoolExecutor(workers) as pool:
        for done in as_completed([pool.submit(read, blog, timeout) for blog in blogs]):
            yield done.result()


def store(database: sqlite3.Connection, found: Read) -> None:
    with database:
        database.executemany("INSERT OR IGNORE INTO post (blog, guid, url, title, excerpt, published) "
                             "VALUES (?, ?, ?, ?, ?, ?)", [(found.blog.id, *post) for post in found.posts])
        database.execute("UPDATE blog SET status = ?, etag = ?, modified = ?, fault = ?, "
                         "fetched = CURRENT_TIMESTAMP WHERE id = ?",
                         (found.status, found.etag or found.blog.etag,
                          found.modified or found.blog.modified, found.fault, found.blog.id))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("database")
    parser.add_argument("urls", type=Path)
    parser.add_argument("--workers", type=int, default=32, help="1 reads one feed after the other")
    parser.add_argument("--timeout", type=float, default=10.0)
    chosen = parser.parse_args()
    database = sqlite3.connect(chosen.database)
    database.executescript("PRAGMA journal_mode = wal; PRAGMA synchronous = normal;" + TABLES)
    with database:
        database.executemany("INSERT OR IGNORE INTO blog (feed) VALUES (?)",
                             [(url,) for url in chosen.urls.read_text().split()])
    blogs = [Blog(*row) for row in database.execute("SELECT id, feed, etag, modified FROM blog ORDER BY id")]
    reads = (side_by_side(blogs, chosen.workers, chosen.timeout) if chosen.workers > 1
             else (read(blog, chosen.timeout) for blog in blogs))
    wal = Log(chosen.database)
    for found in reads:
        store(database, found)
        wal.look()
    database.close()
    print(wal.written)


if __name__ == "__main__":
    main()
