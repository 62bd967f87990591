"""What is wrong and has been told to the owner or is about to be; which of the worker's jobs fail."""
import re
from datetime import datetime, timedelta

from peewee import IntegerField, TextField, fn

from devdigest.columns import UtcField
from devdigest.table import Table

MANY_TIMES = 3                              # failures in a row, before a job is a trouble of its own
AGAIN = timedelta(days=7)                   # of a trouble that stands for so long the owner is told once more


class Trouble(Table):
    """A finding that was RED, from the first look that saw it to the second that did not."""
    key = TextField(index=True)                 # by which it is the same at the next look: see key_of
    name = TextField()
    fact = TextField()
    cure = TextField()
    since = UtcField()
    seen = UtcField()                           # the last look that saw it
    told = UtcField(null=True)                  # the owner, last
    gone = UtcField(null=True)                  # the first look that did not see it any more
    over = UtcField(null=True)                  # the second one
    over_told = UtcField(null=True)

    @staticmethod
    def key_of(name: str, cure: str) -> str:
        """The name and what to do about it. A fact may differ at each look, and so may numbers."""
        return f"{name} {re.sub(r'[0-9]+', '#', cure)}".strip()

    @classmethod
    def open(cls) -> list["Trouble"]:
        """Those that stand, oldest first; seen once or more often."""
        return list(cls.select().where(cls.over.is_null()).order_by(cls.since, cls.id))

    @classmethod
    def to_tell(cls, now: datetime, sure: timedelta) -> list["Trouble"]:
        """Those that stand for `sure` at least and that the owner does not know of, or has let stand."""
        return [one for one in cls.open() if one.gone is None and one.seen - one.since >= sure
                and (one.told is None or one.told <= now - AGAIN)]

    @classmethod
    def over_untold(cls) -> list["Trouble"]:
        """Those that the owner was told of, and not yet that they are over."""
        return list(cls.select().where(cls.told.is_null(False), cls.over.is_null(False),
                                       cls.over_told.is_null()).order_by(cls.over, cls.id))

    @classmethod
    def between(cls, start: datetime, end: datetime) -> list["Trouble"]:
        """Those that were over in [start, end), and stood long enough to be told of."""
        return list(cls.select().where(cls.over >= start, cls.over < end).order_by(cls.since, cls.id))

    @classmethod
    def mails_since(cls, instant: datetime) -> int:
        """How many mails have told the owner of troubles."""
        return cls.select(fn.COUNT(fn.DISTINCT(cls.told))).where(cls.told >= instant).scalar()


class Failure(Table):
    """A job of the worker that ended by a fault of ours each time since it last went well."""
    job = TextField(primary_key=True)
    times = IntegerField()
    since = UtcField()
    said = TextField()

    class Meta:
        without_rowid = True

    @classmethod
    def note(cls, job: str, now: datetime, said: str) -> None:
        (cls.insert(job=job, times=1, since=now, said=said)
         .on_conflict(conflict_target=[cls.job], update={cls.times: cls.times + 1, cls.said: said}).execute())

    @classmethod
    def end(cls, job: str) -> None:
        if cls.select().where(cls.job == job).exists():     # a read each time spares the card a write
            cls.delete().where(cls.job == job).execute()

    @classmethod
    def again_and_again(cls) -> list["Failure"]:
        return list(cls.select().where(cls.times >= MANY_TIMES).order_by(cls.job))
