"""The index by which posts are found: FTS5 over the terms of each post (sqlite.org/fts5.html).

Contentless, as the posts themselves stand in their table: what goes must be taken out with the very terms it
was put in with. It changes in the transaction in which its posts do.
"""
from collections.abc import Iterable

from peewee import chunked

from devdigest import terms
from devdigest.models import Post
from devdigest.table import db

# also the SQL of an upgrade: never change it, drop it and make a new one
TABLE = ("CREATE VIRTUAL TABLE post_terms USING fts5(title, excerpt, tags, labels, content='', "
         "tokenize='unicode61 remove_diacritics 2')")
FILL = ("INSERT INTO post_terms(rowid, title, excerpt, tags, labels) "
        "SELECT id, terms(title), terms(excerpt), terms(tags), labels(tags) FROM post")
_TAKE = ("INSERT INTO post_terms(post_terms, rowid, title, excerpt, tags, labels) "
         "SELECT 'delete', id, terms(title), terms(excerpt), terms(tags), labels(tags) FROM post")

_PORTION = 500


def labels(tags: str) -> str:
    """The labels of a post's tags, which stand one a line."""
    return " ".join(filter(None, map(terms.label, tags.split("\n"))))


db.register_function(terms.terms, "terms", 1)
db.register_function(labels, "labels", 1)


def put_in(posts: Iterable[Post]) -> None:
    """Posts just stored, which the index does not know yet."""
    _each(FILL, [post.id for post in posts])


def take_out(posts: Iterable[Post]) -> None:
    """Posts as they stand in their table still, before these words of theirs change."""
    _each(_TAKE, [post.id for post in posts])


def _each(statement: str, numbers: list[int]) -> None:
    for some in chunked(numbers, _PORTION):
        db.execute_sql(f"{statement} WHERE id IN ({','.join('?' * len(some))})", some)
