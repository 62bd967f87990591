"""Subscribers from a list that the owner brings along: a CSV file of addresses."""
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from peewee import chunked

from devdigest import subscribers
from devdigest.recipients import NotAnAddress, tidy
from devdigest.table import db

_PORTION = 100                              # rows of an import in one transaction: a second on a Pi


class NotACsv(ValueError):
    """Not a file of addresses; says why."""


@dataclass
class Imported:
    """What an import did; `refused` and `left_alone` as (address as given, reason)."""
    added: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    left_alone: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)


def import_csv(data: bytes, now: datetime, zone: ZoneInfo, *, confirmed: bool, source: str,
               language: str) -> Imported:
    """Adds every address of a CSV file, the first column of each row; may be repeated.

    In portions, between which others may write: a long list must not make an unsubscription or the outbox
    wait. Cancelled and suppressed addresses are never revived. Raises NotACsv, before anything is added.
    """
    done, rows = Imported(), list(_rows(data))
    for some in chunked(rows, _PORTION):
        with db.atomic():
            for given, row_language in some:
                email = _accepted(given, done)
                if email:
                    _, new = subscribers.add(email, now, zone, confirmed=confirmed, source=source,
                                             language=row_language or language)
                    (done.added if new else done.known).append(given)
    return done


def _rows(data: bytes) -> Iterator[tuple[str, str]]:
    """(address, language or "") of each row; a header row and empty rows are passed over."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotACsv(f"not UTF-8 text: byte {error.start}; save it as CSV UTF-8") from error
    try:
        rows = list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error as error:
        raise NotACsv(f"not CSV: {error}; is a quotation mark left open?") from error
    for row in rows:
        cells = [cell.strip() for cell in row]
        if cells and cells[0] and cells[0].lower() not in ("email", "e-mail", "address"):
            yield cells[0], next((cell for cell in cells[1:] if cell in ("ko", "en")), "")


def _accepted(given: str, done: Imported) -> str:
    """The address to add; "" where it is not to be, and `done` has why."""
    try:
        email = tidy(given)
    except NotAnAddress as error:
        done.refused.append((given, str(error)))
        return ""
    if reason := subscribers.why_not(email):
        done.left_alone.append((given, reason))
        return ""
    return email
