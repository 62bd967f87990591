"""What a collect reads and writes of many rows at once, without a record for each."""
from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

from devdigest.fetching import Fetching
from devdigest.likeness import JOINT, likeness
from devdigest.memory import POSTS_FROM
from devdigest.models import Blog, Post, Verdict
from devdigest.table import db

# Who was left out and added again meanwhile is to be read from the beginning.
_AS_IT_WAS = """blog_id = ? AND etag = ? AND modified = ? AND essence = ?
        AND (SELECT state FROM blog WHERE id = blog_id) = 'active'"""
_KEPT = object()        # the value of a column that stays as it is
# As SQL where it is asked for each feed: peewee takes longer to write a question than SQLite to answer it.
_KNOWN_POSTS = """
    SELECT id, copy_of_id, guid, key, title, day, published FROM post WHERE blog_id = ? ORDER BY id"""
_NEXT_ID = """
    SELECT max(1 + ifnull((SELECT max(id) FROM post), 0),
               ifnull((SELECT CAST(value AS INTEGER) FROM setting WHERE name = ?), 0))"""
_READ_AGAIN = """
    UPDATE fetching SET fetched = :when, read = :when, status = :status, etag = :new_etag,
        modified = :new_modified, validators = :new_sends, fault = '', fault_kind = '', failures = 0,
        not_before = NULL, asked_to_wait = 0, moved_to = '', moved_times = 0
    WHERE blog_id = :id AND etag = :etag AND modified = :modified AND essence = :essence
        AND (SELECT state FROM blog WHERE id = :id) = 'active'"""

# Without a site, the head of the document is to be read, too: it may name one.
_TOLD_APART = """
    SELECT guid, url, title, published FROM post
    WHERE blog_id = :id AND (SELECT site FROM blog WHERE id = :id) <> ''"""


class KnownPost(NamedTuple):
    """Of a post, what tells it apart from others of its blog."""
    id: int
    copy_of_id: int | None
    guid: str
    key: str
    title: str
    day: date
    published: datetime | date | None


class NewPost(NamedTuple):
    """A row of the table of posts, in the order of its columns: a tenth of what a record of it takes."""
    id: int
    blog_id: int
    guid: str
    key: str
    url: str
    title: str
    excerpt: str
    minutes: int | None
    published: datetime | date | None
    day: date
    first_seen: datetime
    verdict: Verdict
    copy_of_id: int | None
    tags: str


class Unchanged(NamedTuple):
    """A blog whose feed gave what it had given before: how it was asked, and how it is to be asked."""
    id: int
    etag: str
    modified: str
    essence: str
    status: int
    new_etag: str
    new_modified: str
    new_sends: str


class Noted(NamedTuple):
    """What became of asking a blog that had these validators: of each column the value, or `_KEPT`."""
    id: int
    etag: str
    modified: str
    essence: str
    values: tuple[object, ...]


def had(fetching: Fetching) -> tuple[int, str, str, str]:
    """Whose it is, and by what it can be told that nobody has begun it anew."""
    return fetching.blog_id, fetching.etag, fetching.modified, fetching.essence


def values(fetching: Fetching) -> tuple[object, ...]:
    """Of each column what is not stored yet: a third of the memory that a dict of it takes."""
    changed = fetching.dirty_fields
    return tuple(getattr(fetching, field.name) if field in changed else _KEPT
                 for field in Fetching._meta.sorted_fields)


def known_posts(blog: Blog) -> list[KnownPost]:
    """All of the blog, oldest first."""
    day, published = Post.day.python_value, Post.published.python_value
    return [KnownPost(*told, day(on), published(at))
            for *told, on, at in db.execute_sql(_KNOWN_POSTS, (blog.id,))]


def likenesses(blog: int) -> bytes:
    """Of all its posts, one after the other: of their entries only these need be told."""
    rows = db.execute_sql(_TOLD_APART, {"id": blog})
    # the guid as the feed gave it, without the title that tells those who share it apart
    return b"".join(likeness(guid.partition(JOINT)[0], url, title, published or "")
                    for guid, url, title, published in rows)


def next_post_id() -> int:
    """The number that the next post gets; in the transaction that stores it."""
    return db.execute_sql(_NEXT_ID, (POSTS_FROM,)).fetchone()[0]


def insert(posts: Iterable[NewPost]) -> None:
    fields = Post._meta.sorted_fields
    columns = ", ".join(f'"{field.column_name}"' for field in fields)
    # one statement for all, as peewee takes longer to write one than SQLite to run it
    statement = f"INSERT INTO post ({columns}) VALUES ({', '.join('?' * len(fields))})"
    for post in posts:
        db.execute_sql(statement, [field.db_value(value) for field, value in zip(fields, post, strict=True)])


def read_again(blogs: Iterable[Unchanged], now: datetime) -> None:
    """Notes a good read at `now`, in the order of numbers: so each page of the table is written once."""
    when = Fetching.read.db_value(now)
    with db.atomic():
        for blog in sorted(blogs):
            sends = Fetching.validators.db_value(blog.new_sends)
            db.execute_sql(_READ_AGAIN, blog._asdict() | {"when": when, "new_sends": sends})


def note(blogs: Iterable[Noted]) -> None:
    """Stores what became of asking each, in the order of numbers, where the blog is as it was."""
    fields = Fetching._meta.sorted_fields
    with db.atomic():
        for blog in sorted(blogs):
            changed = [(field, value) for field, value in zip(fields, blog.values, strict=True)
                       if value is not _KEPT]
            columns = ", ".join(f"{field.column_name} = ?" for field, _ in changed)
            db.execute_sql(f"UPDATE fetching SET {columns} WHERE {_AS_IT_WAS}",
                           [*(field.db_value(value) for field, value in changed), *blog[:4]])
