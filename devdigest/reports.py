"""The tables of what comes back: what providers posted and nobody has read yet, what was reported of each
reader's mails, and the issues of which more came back than can be right.
"""
from datetime import date, datetime
from hashlib import sha256

from peewee import (
    SQL,
    BlobField,
    BooleanField,
    Case,
    Expression,
    ForeignKeyField,
    Function,
    IntegerField,
    ModelSelect,
    TextField,
    fn,
)

from devdigest.columns import DayField, UtcField
from devdigest.models import Issue
from devdigest.readers import Delivery, Subscriber
from devdigest.table import Table, one_of

RELAY, MAIL = "relay", "mail"       # sources; any other is the name of a provider

_MOST_WAITING = 10_000
_MOST_BYTES = 50_000_000            # of all that waits; a card of 8 GB has room for it, memory never sees it


class Hook(Table):
    """What a provider posted, as it came, until the worker has read it. It names readers, so it goes then."""
    digest = TextField(unique=True)
    provider = TextField()
    received = UtcField()
    headers = TextField()                       # those that its signature needs, as JSON
    body = BlobField()
    size = IntegerField(index=True)             # of the body: so that all can be added up without reading any

    @classmethod
    def is_full(cls) -> bool:
        count, size = cls.select(fn.COUNT(cls.size), fn.COALESCE(fn.SUM(cls.size), 0)).tuples().get()
        return count >= _MOST_WAITING or size >= _MOST_BYTES

    @classmethod
    def keep(cls, provider: str, headers: str, body: bytes, now: datetime) -> None:
        """Once, however often it is posted while it waits."""
        digest = sha256(b"\0".join((provider.encode(), headers.encode(), body))).hexdigest()
        (cls.insert(digest=digest, provider=provider, received=now, headers=headers, body=body,
                    size=len(body)).on_conflict_ignore().execute())

    @classmethod
    def oldest(cls, count: int) -> list[int]:
        """The ids alone: a body may have 256 KB, so they are read one by one."""
        return [row.id for row in cls.select(cls.id).order_by(cls.id).limit(count)]

    @classmethod
    def forget(cls, before: datetime) -> None:
        """Those that nobody could judge for so long."""
        cls.delete().where(cls.received < before).execute()


class Bounce(Table):
    """What was reported of one mail to one reader. It goes with the reader, and after 90 days."""
    subscriber = ForeignKeyField(Subscriber, on_delete="CASCADE", lazy_load=False)
    address = TextField(index=True)             # its keyed hash: the reader may have another one now
    delivery = ForeignKeyField(Delivery, null=True, on_delete="SET NULL", lazy_load=False)
    issue = ForeignKeyField(Issue, null=True, lazy_load=False)
    at = UtcField(index=True)
    day = DayField()                            # of `at` in the site's zone
    kind = TextField()                          # a feedback.Kind, and one of feedback.REASONS
    reason = TextField()
    status = TextField(default="")
    said = TextField(default="")                # in the reporter's words, without addresses
    source = TextField()
    proven = BooleanField()                     # that it is about a mail of ours, by a signature
    permanent = BooleanField(default=False)
    event = TextField(default="")               # the report's own id, so that a repetition is known
    followed = TextField(default="", constraints=[one_of("followed", ("", "suppressed", "in doubt",
                                                                      "ignored"))])

    @classmethod
    def counting(cls, address: str, since: datetime | None) -> list["Bounce"]:
        """What counts of an address, oldest first: not of issues in doubt, nor before its owner agreed."""
        doubted = Alarm.select(Alarm.issue).where(Alarm.decided != "believed")
        wanted = (cls.address == address) & (cls.issue.is_null() | cls.issue.not_in(doubted))
        if since is not None:
            wanted &= cls.at > since
        return list(cls.select().where(wanted).order_by(cls.at, cls.id))

    @classmethod
    def readers(cls, issue: int, ours: tuple[str, ...]) -> tuple[int, int, int]:
        """Of an issue, by proven reports: readers whose mails bounced hard, who complained, and whose mails
        came back for one of the reasons `ours`.
        """
        def those(condition: Expression) -> Function:
            return fn.COUNT(fn.DISTINCT(Case(None, [(condition, cls.subscriber)])))
        us = cls.kind.in_(("hard", "soft")) & cls.reason.in_(ours) & (cls.reason != "delayed")
        return (cls.select(those((cls.kind == "hard") & cls.reason.not_in(ours)),
                           those(cls.kind == "complaint"), those(us))
                .where(cls.issue == issue, cls.proven).tuples().get())

    @classmethod
    def newest(cls, count: int) -> ModelSelect:
        """The last ones first, each with its reader."""
        return (cls.select(cls, Subscriber).join(Subscriber).order_by(cls.at.desc(), cls.id.desc())
                .limit(count))

    @classmethod
    def since(cls, day: date) -> dict[str, int]:
        """How many there are from this day on, by kind."""
        query = cls.select(cls.kind, fn.COUNT(cls.id)).where(cls.day >= day).group_by(cls.kind)
        return dict(query.order_by(cls.kind).tuples())

    @classmethod
    def forget(cls, before: datetime) -> None:
        cls.delete().where(cls.at < before).execute()


# a report that comes twice, as providers warn it may, is one
Bounce.add_index(Bounce.index(Bounce.source, Bounce.event, Bounce.address, unique=True,
                              where=SQL("\"event\" != ''"), name="bounce_once"))


class Alarm(Table):
    """An issue of which so much came back that nobody is suppressed for it until the owner has decided."""
    issue = ForeignKeyField(Issue, primary_key=True, lazy_load=False)
    since = UtcField()
    said = TextField()
    decided = TextField(default="", constraints=[one_of("decided", ("", "believed", "ignored"))])

    @classmethod
    def open(cls) -> list["Alarm"]:
        """Those that wait for the owner's decision, with their issue, oldest first."""
        return list(cls.select(cls, Issue).join(Issue).where(cls.decided == "").order_by(cls.since))
