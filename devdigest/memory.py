"""What the appliance itself remembers: hold, the key of links, the last time seen, what each step did, and
how the operators of many blogs want to be asked.
"""
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

from peewee import BooleanField, FloatField, IntegerField, TextField, fn

from devdigest.columns import UtcField
from devdigest.table import ZERO, Table

HOLD, LAST_SEEN, LINK_KEY = "hold", "last seen", "link key"       # settings
HOLD_REASON = "hold reason"                 # where the appliance holds itself
BY_LINK = "by the preview's link"           # such a reason that is the owner's own wish
# The bounce mailbox: when it was looked into last, how far, and what was wrong with that; "" for nothing.
MAILBOX_READ, MAILBOX_PLACE, MAILBOX_FAULT = "mailbox read", "mailbox place", "mailbox fault"
POSTS_FROM = "posts from"       # no post has a smaller number that came after a restore
_RESTORED = "restored"
# The owner: when all was looked over last; the days of the newest preview, summary and finished day; what
# was answered when that was told.
WATCHED, PREVIEWED, SUMMED_UP = "watched", "previewed", "summed up"
HEARTBEAT_DAY, HEARTBEAT_SAID = "heartbeat day", "heartbeat said"
ISSUES_WAIT, URGENT_WAIT = "issues wait until", "confirmations wait until"      # as the quota is used up

_LONGEST_WAIT = timedelta(hours=25)         # for a quota of 24 hours; later ones are a wrong clock's
_LONGEST_REST = timedelta(hours=7)          # of an operator: an hour more than pace.py grants


class Setting(Table):
    """What the appliance itself has to remember, each under the name that its module gives it."""
    name = TextField(primary_key=True)
    value = TextField()

    class Meta:
        without_rowid = True

    @classmethod
    def read(cls, name: str) -> str | None:
        row = cls.get_or_none(cls.name == name)
        return row and row.value

    @classmethod
    def write(cls, name: str, value: str) -> None:
        cls.replace(name=name, value=value).execute()

    @classmethod
    def clear(cls, name: str) -> None:
        cls.delete().where(cls.name == name).execute()

    @classmethod
    def last_seen(cls) -> datetime | None:
        """The latest time that the clock was believed."""
        text = cls.read(LAST_SEEN)
        return datetime.fromisoformat(text) if text else None

    @classmethod
    def held_since(cls) -> datetime | None:
        """Since when nothing is published or mailed; None where it is not held."""
        since = cls.read(HOLD)
        return datetime.fromisoformat(since) if since else None

    @classmethod
    def hold(cls, now: datetime, reason: str) -> None:
        """Holds all mail for a reason that the owner did not give. A hold that stands keeps its time."""
        if cls.read(HOLD) is None:
            cls.write(HOLD, now.isoformat())
        cls.write(HOLD_REASON, reason)

    @classmethod
    def wait(cls, name: str, now: datetime) -> datetime | None:
        """Until when what `name` says has to wait; None where it does not any more."""
        text = cls.read(name)
        until = datetime.fromisoformat(text) if text else None
        return until if until and now < until <= now + _LONGEST_WAIT else None


class Restored:
    """The last restore: until which day it closed issues, and when it was; None where it closed none."""

    @classmethod
    def note(cls, closed: date, now: datetime) -> None:
        Setting.write(_RESTORED, f"{closed} {now.isoformat()}")

    @classmethod
    def closed_since(cls, read: datetime) -> date | None:
        """The last day it closed, for a blog that was read last before it."""
        day, _, at = (Setting.read(_RESTORED) or "").partition(" ")
        return date.fromisoformat(day) if day and read < datetime.fromisoformat(at) else None


class Held(Exception):
    """Nothing is published or mailed now; says since when, why unless by the owner's wish, and what ends it.
    """

    def __init__(self, since: datetime) -> None:
        why = f" ({reason})" if (reason := Setting.read(HOLD_REASON)) else ""
        super().__init__(f"held since {since:%Y-%m-%d %H:%M} UTC{why}; `devdigest resume` goes on")


class Run(Table):
    """What a step did, and when: from this the worker knows what is due."""
    job = TextField()
    started = UtcField()
    finished = UtcField(null=True)              # None: running, or cut off
    blogs = IntegerField(default=0)             # collect: asked, of these read, and not; new posts
    reached = IntegerField(default=0)
    failed = IntegerField(default=0)
    posts = IntegerField(default=0)
    lacks = BooleanField(default=False)         # fewer than half of those that can be read at all
    said = TextField(default="")                # one line for `status`
    not_reached = IntegerField(constraints=[ZERO], default=0)   # collect: no fault of theirs
    lanes = IntegerField(constraints=[ZERO], default=0)         # collect: see lanes.py; asked side by side
    written = IntegerField(null=True)           # to the disk, bytes; None where nobody counts them

    class Meta:
        indexes = ((("job", "started"), False),)

    @classmethod
    def last(cls, job: str, finished: bool = True, until: datetime | None = None) -> "Run | None":
        """The newest, begun by `until`: a clock that was ahead, and `--today`, leave runs yet to come."""
        wanted = cls.select().where(cls.job == job)
        if until is not None:
            wanted = wanted.where(cls.started <= until)
        if finished:
            wanted = wanted.where(cls.finished.is_null(False))
        return wanted.order_by(cls.started.desc()).first()

    @classmethod
    def newest(cls, job: str, count: int) -> list["Run"]:
        """The last ones, newest first."""
        return list(cls.select().where(cls.job == job).order_by(cls.started.desc(), cls.id.desc())
                    .limit(count))

    @classmethod
    def forget(cls, jobs: Iterable[str], before: datetime) -> None:
        cls.delete().where(cls.job.in_(list(jobs)), cls.started < before).execute()

    @classmethod
    def left_by(cls, now: datetime) -> datetime | None:
        """When the last collect began, if it did not come to every blog."""
        last = cls.last("collect", until=now)
        return last.started if last and last.not_reached else None

    @classmethod
    def written_between(cls, start: datetime, end: datetime) -> int | None:
        """Bytes that the runs begun in [start, end) wrote; None where none was counted."""
        return cls.select(fn.SUM(cls.written)).where(cls.started >= start, cls.started < end).scalar()

    @classmethod
    def posts_since(cls, start: datetime | None) -> int:
        """New posts of the collects that ended, or were stopped, since `start`; without one, of all."""
        wanted = cls.select(fn.SUM(cls.posts)).where(cls.job.in_(("collect", "retry")))
        if start is not None:
            wanted = wanted.where(fn.COALESCE(cls.finished, cls.started) >= cls.started.db_value(start))
        return wanted.scalar() or 0

    @property
    def seconds(self) -> float | None:
        """How long it took; None for one that was cut off."""
        return self.finished and (self.finished - self.started).total_seconds()


class Operator(Table):
    """Who answers for the hosts of many blogs (urls.operator): its limits are kept over a restart."""
    name = TextField(primary_key=True)
    seconds = FloatField()                      # mean of its answers; the next forecast begins with it
    not_before = UtcField(null=True)            # left alone until then, as it asked (RFC 9110, 10.2.3)

    class Meta:
        without_rowid = True

    @classmethod
    def waiting(cls, now: datetime) -> dict[str, datetime]:
        """Those that are left alone still, and until when; not for a year, as a clock that was ahead said."""
        wanted = cls.select().where(cls.not_before > now, cls.not_before <= now + _LONGEST_REST)
        return {one.name: one.not_before for one in wanted}

    @classmethod
    def usual(cls) -> dict[str, float]:
        """Seconds that an answer takes, by name."""
        return {one.name: one.seconds for one in cls.select()}

    @classmethod
    def leave_alone(cls, name: str, seconds: float, until: datetime) -> None:
        cls.insert(name=name, seconds=seconds, not_before=until).on_conflict(
            conflict_target=[cls.name], preserve=[cls.not_before]).execute()

    @classmethod
    def note(cls, usual: Mapping[str, float]) -> None:
        """How long answers took, by name; keeps until when each is left alone."""
        rows = [{"name": name, "seconds": seconds} for name, seconds in sorted(usual.items())]
        if rows:
            cls.insert_many(rows).on_conflict(conflict_target=[cls.name], preserve=[cls.seconds]).execute()
