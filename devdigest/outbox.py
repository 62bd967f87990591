"""The outbox as a run reads and writes it: a few fixed statements, and a light row for each mail.

peewee takes longer to word a query than SQLite to run it; a statement known by heart is prepared once.
"""
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from devdigest.memory import HOLD
from devdigest.readers import MOST_DOUBTS, Delivery
from devdigest.table import db

_LOOK_UP = """
    SELECT d.id, d.issue_id, d.state, d.created, d.due, d.attempts, d.doubts, d.purpose,
        s.id, s.email, s.state, s.language, s.confirmed, s.moving_to
    FROM delivery AS d LEFT JOIN subscriber AS s ON s.id = d.subscriber_id WHERE d.id = ?"""
_IS_HELD = "SELECT 1 FROM setting WHERE name = ?"
_IS_SUPPRESSED = "SELECT 1 FROM suppression WHERE address = ?"
_IS_ERASED = "SELECT subscriber_id IS NULL FROM delivery WHERE id = ?"
_CLAIM = "UPDATE delivery SET state = 'sending', attempts = attempts + 1, changed = ? WHERE id = ?"
# Not whose mail it is: that may have been blanked meanwhile, and then nothing said of them is kept.
_END = """
    UPDATE delivery SET state = :state, reply = CASE WHEN subscriber_id IS NULL THEN '' ELSE :said END,
        changed = :changed, due = :due, attempts = :attempts, doubts = :doubts
    WHERE id = :id"""


class Reader(NamedTuple):
    """Of a subscriber, what a mail of an issue needs."""
    id: int
    email: str
    state: str
    language: str
    confirmed: datetime | None
    moving_to: str | None


@dataclass(eq=False, slots=True)
class Row:
    """Of a delivery, what a run looks at and changes."""
    id: int
    issue: int | None
    state: str
    created: datetime
    due: datetime
    attempts: int
    doubts: int
    purpose: str

    @property
    def is_urgent(self) -> bool:
        """Whether someone waits for it."""
        return self.issue is None

    def doubt(self) -> str:
        """The state after one more time in doubt: sent once more, but not for ever."""
        self.doubts += 1
        return "unknown" if self.doubts < MOST_DOUBTS else "given_up"

    def undecided(self) -> str:
        """The state of a row that the relay has, for certain, not taken this time."""
        return "unknown" if self.doubts else "queued"


def look_up(number: int) -> tuple[Row, Reader | None]:
    """The row, and to whom; None where they were erased."""
    found = db.execute_sql(_LOOK_UP, (number,)).fetchone()
    row, reader = found[:8], found[8:]
    row = Row(*row[:3], *map(datetime.fromisoformat, row[3:5]), *row[5:])
    if reader[0] is None:
        return row, None
    confirmed = reader[4] and datetime.fromisoformat(reader[4])
    return row, Reader(*reader[:4], confirmed, reader[5])


def is_held() -> bool:
    return db.execute_sql(_IS_HELD, (HOLD,)).fetchone() is not None


def is_suppressed(address_hash: str) -> bool:
    return db.execute_sql(_IS_SUPPRESSED, (address_hash,)).fetchone() is not None


def is_erased(row: Row) -> bool:
    return bool(db.execute_sql(_IS_ERASED, (row.id,)).fetchone()[0])


def claim(rows: Iterable[Row], now: datetime) -> None:
    """They stand as `sending` on the disk once the transaction is committed."""
    when = Delivery.changed.db_value(now)
    for row in rows:
        row.state, row.attempts = "sending", row.attempts + 1
        db.execute_sql(_CLAIM, (when, row.id))


def end(row: Row, said: str, now: datetime) -> None:
    """Keeps the row as it is now, with what was said of it."""
    instants = {"changed": Delivery.changed.db_value(now), "due": Delivery.due.db_value(row.due)}
    db.execute_sql(_END, {"id": row.id, "state": row.state, "said": said, "attempts": row.attempts,
                          "doubts": row.doubts, **instants})
