"""What is counted: how often posts of our mails are opened, without knowing by whom; what happens a day."""
from collections import Counter
from datetime import date

from peewee import BooleanField, CompositeKey, IntegerField, TextField, fn

from devdigest.columns import DayField, UtcField
from devdigest.models import Issue
from devdigest.readers import Delivery
from devdigest.table import Table, one_of

ALIKE = 2               # readers, before a post is among the most read: one alone is nobody's business
EVENTS = ("asked", "confirmed", "cancelled", "mailed")


class Event(Table):
    """How often something happened on a day in the site's zone; kept when those it happened to are erased."""
    day = DayField()
    name = TextField(constraints=[one_of("name", EVENTS)])
    count = IntegerField()

    class Meta:
        primary_key = CompositeKey("day", "name")
        without_rowid = True

    @classmethod
    def add(cls, day: date, name: str, count: int = 1) -> None:
        """Counts `count` more; below zero for what was undone."""
        (cls.insert(day=day, name=name, count=count)
         .on_conflict(conflict_target=[cls.day, cls.name], update={cls.count: cls.count + count}).execute())

    @classmethod
    def mails(cls, since: date) -> dict[date, int]:
        """How many mails of the issues of each day the relay took, of those that had any."""
        days = {issue.id: issue.day for issue in Issue.select().where(Issue.day >= since)}
        sent = (Delivery.select(Delivery.issue, fn.COUNT(Delivery.id))
                .where(Delivery.issue.in_(list(days)), Delivery.state == "sent").group_by(Delivery.issue))
        mails: Counter[date] = Counter()
        for issue, count in sent.tuples():
            mails[days[issue]] += count         # a Monday has two
        return mails

    @classmethod
    def growth(cls, since: date) -> int:
        """How many more readers there are than before that day."""
        def count(name: str) -> int:
            return cls.select(fn.SUM(cls.count)).where(cls.name == name, cls.day >= since).scalar() or 0
        return count("confirmed") - count("cancelled")

    @classmethod
    def put(cls, day: date, name: str, count: int) -> None:
        """The count of a day, whatever it was before."""
        cls.replace(day=day, name=name, count=count).execute()


class Opened(Table):
    """A link of ours that someone opened today. `reader` is a hash whose salt is thrown away with the day."""
    reader = TextField()
    post = IntegerField()                       # 0: the link that nobody sees, and all that machines open
    day = DayField()
    at = UtcField()                             # the first time, and the hour of it in the site's zone
    hour = IntegerField()
    times = IntegerField(default=1)
    machine = BooleanField(default=False)       # a scanner, by its name, its haste or that link; or only HEAD

    class Meta:
        primary_key = CompositeKey("reader", "post")


class Click(Table):
    """How many readers first opened a post in an hour of a day, and how often it was opened by anything."""
    post = IntegerField()                       # 0: whatever machines opened
    day = DayField()
    hour = IntegerField()                       # 0 to 23, in the site's zone
    readers = IntegerField()                    # each counted once a day
    times = IntegerField()                      # repetitions, and what only asked about it, too

    class Meta:
        primary_key = CompositeKey("day", "hour", "post")      # in the order in which a year is added up
        without_rowid = True


class Attempt(Table):
    """A request of the sign-up form, kept for a month, so that nobody has strangers flooded with mail."""
    asked = UtcField(index=True)
    address = TextField(index=True)             # both known by their keyed hash alone
    network = TextField()                       # IPv4 address or IPv6 /64
    mailed = BooleanField()                     # whether a mail was queued for it
