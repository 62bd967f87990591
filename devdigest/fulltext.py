"""The index by which posts are found: FTS5 over the terms of each post (sqlite.org/fts5.html).

Contentless, as the posts themselves stand in their table: what goes must be taken out with the very terms it
was put in with. It changes in the transaction in which its posts do.
"""
from collections.abc import Iterable

from peewee import chunked

from devdigest import segments, terms
from devdigest.models import Post
from devdigest.table import db

# also the SQL of an upgrade: never change it, drop it and make a new one
TABLE = ("CREATE VIRTUAL TABLE post_terms USING fts5(title, excerpt, tags, labels, content='', "
         "tokenize='unicode61 remove_diacritics 2')")
INDEX = "post_terms"
SETTINGS = segments.settings(INDEX)
FILL = ("INSERT INTO post_terms(rowid, title, excerpt, tags, labels) "
        "SELECT id, terms(title), terms(excerpt), terms(tags), labels(tags) FROM post")
_TAKE = ("INSERT INTO post_terms(post_terms, rowid, title, excerpt, tags, labels) "
         "SELECT 'delete', id, terms(title), terms(excerpt), terms(tags), labels(tags) FROM post")
# in the table in which FTS5 counts the terms of each: sqlite.org/fts5.html, %_docsize. Without a look there a
# post could be put in twice, and to take out one that is not in is SQLITE_CORRUPT
_IS_IN = "EXISTS (SELECT 1 FROM post_terms_docsize WHERE post_terms_docsize.id = post.id)"

# Posts that nobody is shown: copies, those not yet judged, and those of blogs that were left out. Two indexes
# know them all; to ask the table about each post that is found would take most of the time of a search.
_HIDDEN = ("SELECT id FROM post WHERE verdict IN ('copy', 'held') UNION ALL "
           "SELECT id FROM post WHERE blog_id IN (SELECT id FROM blog WHERE state = 'excluded')")
_FOUND = f"FROM post_terms WHERE post_terms MATCH ? AND rowid NOT IN ({_HIDDEN})"
ORDERS = {
    "newest": "(SELECT day FROM post WHERE post.id = post_terms.rowid) DESC",
    "best": "bm25(post_terms, 5, 1, 3, 0)",     # a title says more than an excerpt, a tag is in between
}

_PORTION = 500


def labels(tags: str) -> str:
    """The labels of a post's tags, which stand one a line."""
    return " ".join(filter(None, map(terms.label, tags.split("\n"))))


db.register_function(terms.terms, "terms", 1)
db.register_function(labels, "labels", 1)


def put_in(posts: Iterable[Post]) -> None:
    """Posts as they stand in their table now; those that the index has are passed over."""
    _each(f"{FILL} WHERE NOT {_IS_IN}", posts)


def put_in_from(number: int) -> None:
    """Every post with this number or a later one, which the index does not have yet."""
    db.execute_sql(f"{FILL} WHERE id >= ?", (number,))


def take_out(posts: Iterable[Post]) -> None:
    """Posts as they stand in their table still, before words of theirs change; passes over what is not in."""
    _each(f"{_TAKE} WHERE {_IS_IN}", posts)


def forget() -> None:
    """Writes the index anew, and over every free page: what was taken out stays in the file until then
    (sqlite.org/fts5.html), and on the pages that the night's merging left.
    """
    db.execute_sql("INSERT INTO post_terms(post_terms) VALUES ('optimize')")
    free = db.pragma("freelist_count") * db.pragma("page_size")
    db.execute_sql("CREATE TABLE wiped (zeros BLOB)")
    db.execute_sql("INSERT INTO wiped VALUES (zeroblob(?))", (free,))       # on those pages before others
    db.execute_sql("DROP TABLE wiped")


def count(question: str) -> int:
    """How many posts there are to show for an expression in FTS5's language."""
    return db.execute_sql(f"SELECT COUNT(*) {_FOUND}", (question,)).fetchone()[0]


def numbers(question: str, order: str, limit: int, offset: int) -> list[int]:
    """The ids of these posts in one of ORDERS, of equals the newest first."""
    rows = db.execute_sql(f"SELECT rowid {_FOUND} ORDER BY {ORDERS[order]}, rowid DESC LIMIT ? OFFSET ?",
                          (question, limit, offset))
    return [number for number, in rows]


def _each(statement: str, posts: Iterable[Post]) -> None:
    for some in chunked([post.id for post in posts], _PORTION):
        db.execute_sql(f"{statement} AND id IN ({','.join('?' * len(some))})", some)
