"""The index by which posts are found by canonical link: FTS5 over a hash of each (sqlite.org/fts5.html).

No b-tree, in which the posts of a day would each change a page of their own, wherever its link falls: FTS5
writes what is new in one place, and puts it among the rest little by little. A post's link never changes.
"""
import hashlib
from collections.abc import Collection

from peewee import SQL

from devdigest import segments
from devdigest.table import db

# also the SQL of an upgrade: never change it, drop it and make a new one
TABLE = "CREATE VIRTUAL TABLE post_links USING fts5(link, content='', detail='none', tokenize='ascii')"
INDEX = "post_links"
SETTINGS = segments.settings(INDEX)
# In this table FTS5 has a row for each post that it knows: sqlite.org/fts5.html, %_docsize. Posts are stored
# in the order of their numbers, and stay.
_KNOWN = "(SELECT ifnull(max(id), 0) FROM post_links_docsize)"
PUT_IN = f"INSERT INTO post_links(rowid, link) SELECT id, link_word(key) FROM post WHERE id > {_KNOWN}"


def word(key: str) -> str:
    """What stands in the index for a canonical link; hardly ever for two."""
    return hashlib.blake2b(key.encode(), digest_size=8).hexdigest()


db.register_function(word, "link_word", 1)


def put_in() -> None:
    """Every post stored since the last time; once for many, as FTS5 writes a segment for each time."""
    db.execute_sql(PUT_IN)


def numbers(keys: Collection[str]) -> SQL:
    """The numbers of all posts with one of these canonical links, in the index or not yet; and by chance of
    another: so the caller compares the links too.
    """
    found = " OR ".join(f'"{word(key)}"' for key in keys)
    return SQL(f"(SELECT rowid FROM post_links WHERE post_links MATCH ? UNION ALL "
               f"SELECT id FROM post WHERE id > {_KNOWN} AND key IN ({', '.join('?' * len(keys))}))",
               [found, *keys])
