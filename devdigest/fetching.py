"""What became of asking each blog for its feed, and which are to be asked again.

Apart from the blogs themselves, as every collect writes all of it anew: so these rows are narrow.
"""
from datetime import datetime, timedelta

from peewee import BooleanField, Expression, ForeignKeyField, IntegerField, ModelSelect, TextField, fn

from devdigest.columns import NarrowUtcField, UsualField
from devdigest.models import Blog
from devdigest.table import EMPTY, ZERO, Table

TRIES = 20                                  # in a row: about ten days of two collects each
_LONG_DEAD = timedelta(days=14)
_LONGEST_WAIT = timedelta(days=7, hours=1)  # an hour more than fetch.py grants
WEEKLY = timedelta(days=7, hours=-1)        # an hour less, not to come later each week

# However a blog comes on the list: it has its row here, which can be joined without a thought.
# Also the SQL of an upgrade: never change it, drop it and make a new one.
TRIGGER = ("CREATE TRIGGER blog_fetching AFTER INSERT ON blog "
           "BEGIN INSERT INTO fetching (blog_id) VALUES (new.id); END")


class Fetching(Table):
    """Of one blog; `blog.fetching` where it was selected along, as by `blogs`."""
    blog = ForeignKeyField(Blog, primary_key=True, backref="+", lazy_load=False)
    fetched = NarrowUtcField(null=True)         # the last time
    read = NarrowUtcField(null=True)            # the last good read, 304 too
    status = IntegerField(null=True)            # HTTP status; None where there was no answer
    etag = TextField(constraints=[EMPTY], default="")           # validators as received (RFC 9110, 8.8)
    modified = TextField(constraints=[EMPTY], default="")
    validators = UsualField(constraints=[EMPTY], default="both")    # which are sent; see validators.py
    essence = TextField(constraints=[EMPTY], default="")        # of the document last read; see essence.py
    fault = TextField(constraints=[EMPTY], default="")          # why nothing could be read; "" where it could
    fault_kind = TextField(constraints=[EMPTY], default="")     # of `fault`: a word of fetch.FAULTS
    failures = IntegerField(constraints=[ZERO], default=0)      # in a row
    not_before = NarrowUtcField(null=True)      # Retry-After, or when a failed one is tried again
    asked_to_wait = BooleanField(constraints=[ZERO], default=False)     # by the server (RFC 9110, 10.2.3)
    moved_to = TextField(constraints=[EMPTY], default="")       # target of a permanent redirect, and how
    moved_times = IntegerField(constraints=[ZERO], default=0)   # often it was seen in a row

    class Meta:
        only_save_dirty = True

    @classmethod
    def blogs(cls) -> ModelSelect:
        """All blogs, each with its `fetching`."""
        return Blog.select(Blog, cls).join(cls, attr="fetching")

    @classmethod
    def due(cls, now: datetime) -> ModelSelect:
        """Active blogs that may be asked at `now`; whoever was reached longest ago first."""
        return (cls.blogs().where(Blog.state == "active", ~cls._rests(now),
                                  cls.not_before.is_null() | ~cls.asked_to_wait | cls._is_over(now))
                .order_by(cls.fetched, Blog.id))

    @classmethod
    def to_retry(cls, now: datetime, left_by: datetime | None = None) -> ModelSelect:
        """Active blogs whose last fetch failed in a way that may pass, and whose waiting time is over; and
        those that a collect begun at `left_by` did not come to.
        """
        wanted = (cls.fault != "") & cls._is_over(now)
        if left_by is not None:
            wanted |= ((Blog.added < left_by) & (cls.fetched.is_null() | (cls.fetched < left_by))
                       & (cls.not_before.is_null() | cls._is_over(now)))
        return (cls.blogs().where(Blog.state == "active", ~cls._rests(now), wanted)
                .order_by(cls.fetched, Blog.id))

    @classmethod
    def failing(cls) -> ModelSelect:
        """Active blogs that could not be read last time."""
        return cls.blogs().where(cls.is_failing())

    @classmethod
    def is_failing(cls) -> Expression:
        return (Blog.state == "active") & (cls.fault != "")

    @classmethod
    def expected(cls, now: datetime) -> int:
        """How many active blogs could be read in the last week in which any was; others are not missed."""
        week = cls._last_read(now) - timedelta(days=7)
        return cls.blogs().where(Blog.state == "active", cls.read > week).count()

    @classmethod
    def is_long_dead(cls, blog: Blog, now: datetime) -> bool:
        """Failing for weeks in which others could be read: such a blog is asked once a week, for ever."""
        return cls.blogs().where(Blog.id == blog.id, cls._is_long_dead(now)).exists()

    @classmethod
    def _rests(cls, now: datetime) -> Expression:
        return cls._is_long_dead(now) & (cls.fetched > now - WEEKLY) & (cls.fetched <= now)

    @classmethod
    def _is_over(cls, now: datetime) -> Expression:
        """Of a wait; one that is longer than any was noted by a clock that was ahead."""
        return (cls.not_before <= now) | (cls.not_before > now + _LONGEST_WAIT)

    @classmethod
    def _is_long_dead(cls, now: datetime) -> Expression:
        since = cls._last_read(now) - _LONG_DEAD
        never = cls.read.is_null()
        # each side asks for itself: what is compared with none is neither true nor false, nor is its opposite
        return (cls.failures >= TRIES) & (never & (Blog.added < since) | ~never & (cls.read < since))

    @classmethod
    def _last_read(cls, now: datetime) -> datetime:
        """When any blog was read last: nobody is dead because we were off, or without a network."""
        return cls.select(fn.MAX(cls.read)).where(cls.read <= now).scalar() or now
