"""What the appliance itself remembers: hold, the key of links, the last time seen, and what each step did."""
from datetime import datetime

from peewee import BooleanField, IntegerField, TextField

from devdigest.columns import UtcField
from devdigest.table import Table

HOLD, LAST_SEEN, LINK_KEY = "hold", "last seen", "link key"       # settings


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


class Held(Exception):
    """Nothing is published or mailed now, as the owner wishes; says since when and what ends it."""

    def __init__(self, since: datetime) -> None:
        super().__init__(f"held since {since:%Y-%m-%d %H:%M} UTC; `devdigest resume` goes on")


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
