"""What every table shares: the one database, and constraints in words."""
from collections.abc import Iterable

from peewee import SQL, Check, Model, SqliteDatabase

# Opened by database.py. IMMEDIATE: a transaction that reads before it writes waits, instead of failing.
db = SqliteDatabase(None, autoconnect=False, lock_type="IMMEDIATE")

EMPTY = SQL("DEFAULT ''")       # of a column that came with an upgrade
ZERO = SQL("DEFAULT 0")


def one_of(column: str, words: Iterable[str]) -> Check:
    return Check(f"{column} IN ({', '.join(repr(str(word)) for word in words)})")


class Table(Model):
    class Meta:
        database = db
        legacy_table_names = False
