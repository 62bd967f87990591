"""The tables of those who get the digest, and of the mails to them. No decision is made here."""
from datetime import date, datetime, timedelta

from peewee import SQL, AutoField, Case, ForeignKeyField, IntegerField, ModelSelect, TextField, Value, fn

from devdigest.columns import DayField, UtcField
from devdigest.models import Issue
from devdigest.table import Table, one_of

STILL_MAILED = timedelta(days=3)        # after its day an issue's last mails are given up


class Subscriber(Table):
    """Someone who asked for the digest. Erasing one leaves deliveries without a name behind."""
    # never given out again: links in old mails are signed for the number (sqlite.org/autoinc.html)
    id = AutoField(constraints=[SQL("AUTOINCREMENT")])
    email = TextField(unique=True, collation="NOCASE")
    state = TextField(default="pending", constraints=[one_of("state", ("pending", "active", "cancelled"))])
    frequency = TextField(default="daily", constraints=[one_of("frequency", ("daily", "weekly", "both"))])
    paused_until = DayField(null=True)          # the first day on which mail comes again
    language = TextField(default="ko", constraints=[one_of("language", ("ko", "en"))])
    created = UtcField()
    confirmed = UtcField(null=True)
    cancelled = UtcField(null=True)
    moving_to = TextField(null=True)            # the address that has not confirmed yet that it takes over

    @classmethod
    def of(cls, email: str) -> "Subscriber | None":
        return cls.get_or_none(cls.email == email)

    @classmethod
    def active(cls) -> int:
        """How many there are who confirmed and have not left."""
        return cls.select().where(cls.state == "active").count()


class Consent(Table):
    """The proof that someone asked and agreed: when, from where, in which words (GDPR 7(1)).

    A row for each time they asked; `given` once they agreed. By an import it has `given` and `source` alone.
    """
    subscriber = ForeignKeyField(Subscriber, backref="consents", on_delete="CASCADE", lazy_load=False)
    source = TextField()                        # "form", or what the owner said at import
    language = TextField(default="")
    asked = UtcField(null=True)                 # when the form was sent, from which address and program
    asked_from = TextField(default="")
    asked_by = TextField(default="")
    wording = TextField(default="")             # what the form said, word for word, and its URL
    form = TextField(default="")
    mailed = UtcField(null=True)                # when the confirmation mail was made, and its token's hash
    token = TextField(default="")
    given = UtcField(null=True)                 # when the button was pressed, from where, with what
    given_from = TextField(default="")
    given_by = TextField(default="")


# What a mail without an issue is for, and the link in it: to confirm a request; to change the address,
# download or erase; to take a subscription over at a new address.
PURPOSES = ("confirm", "account", "move")


class Confirmation(Table):
    """A random link token, stored hashed, good for one purpose until it expires: see PURPOSES."""
    subscriber = ForeignKeyField(Subscriber, on_delete="CASCADE", lazy_load=False)
    purpose = TextField()
    digest = TextField(unique=True)
    expires = UtcField()


class Suppression(Table):
    """An address that gets no mail, known by its keyed hash alone."""
    address = TextField(primary_key=True)
    reason = TextField()
    evidence = TextField(default="")
    since = UtcField()

    class Meta:
        without_rowid = True


DELIVERY_STATES = ("sent", "queued", "sending", "waiting", "unknown", "refused", "given_up", "dropped")
OPEN_STATES = ("queued", "sending", "waiting", "unknown")
# In these very words, as literals: only so SQLite knows that the index below has all that is asked for
# (sqlite.org/partialindex.html, 3.1); with bound values it reads every mail ever sent.
_OPEN = SQL(f""""state" IN ({', '.join(map(repr, OPEN_STATES))})""")
_TO_THE_MINUTE = len("2026-11-22T01:00")
MOST_DOUBTS = 3         # a mail that is cut off each time may be what cuts us off


class Delivery(Table):
    """One mail to one subscriber: a row of the outbox. One that someone waits for has no issue."""
    issue = ForeignKeyField(Issue, backref="deliveries", null=True, index=False, lazy_load=False)
    subscriber = ForeignKeyField(Subscriber, null=True, on_delete="SET NULL", lazy_load=False)
    state = TextField(default="queued", constraints=[one_of("state", DELIVERY_STATES)])
    created = UtcField()
    due = UtcField()                            # not before
    changed = UtcField()
    attempts = IntegerField(default=0)
    doubts = IntegerField(default=0)            # how often a power cut left open whether the relay had it
    reply = TextField(default="")               # the relay's last words
    purpose = TextField(default="issue", constraints=[SQL("DEFAULT 'issue'"),
                                                      one_of("purpose", ("issue", *PURPOSES))])

    class Meta:
        indexes = ((("issue", "subscriber"), True),)

    @classmethod
    def queue_for_active(cls, issue: Issue, now: datetime) -> int:
        """A row for everyone due: active, not paused that day, with a frequency that fits; how many."""
        fits = Subscriber.frequency.in_((issue.kind, "both"))
        due = (Subscriber.select(Value(issue.id), Subscriber.id, *map(cls._instant, (now, now, now)),
                                 Value("queued"), Value(0), Value(0), Value(""))
               .where(Subscriber.state == "active", fits,
                      Subscriber.paused_until.is_null() | (Subscriber.paused_until <= issue.day))
               .order_by(Subscriber.id))
        return cls.insert_from(due, [cls.issue, cls.subscriber, cls.created, cls.due, cls.changed,
                                     cls.state, cls.attempts, cls.doubts, cls.reply]).as_rowcount().execute()

    @classmethod
    def recover(cls, now: datetime) -> None:
        """Rows that a killed run left claimed: whether the relay has them is not known."""
        doubts = cls.doubts + 1
        again = Case(None, ((doubts < MOST_DOUBTS, "unknown"),), "given_up")
        (cls.update(doubts=doubts, state=again, changed=now, reply="cut off while it was sent")
         .where(_OPEN, cls.state == "sending").execute())

    @classmethod
    def outbox(cls) -> dict[str, int]:
        """How many mails of issues wait, by state."""
        rows = (cls.select(cls.state, fn.COUNT(cls.id)).where(_OPEN, cls.issue.is_null(False))
                .group_by(cls.state).tuples())
        return dict(sorted(rows, key=lambda row: OPEN_STATES.index(row[0])))

    @classmethod
    def next_due(cls, issues: bool) -> datetime | None:
        """When the first of them is due, of issues or of those that someone waits for; None without any."""
        return (cls.select(cls.due).where(_OPEN, cls.issue.is_null(not issues)).order_by(cls.due)
                .limit(1).scalar())

    @classmethod
    def give_up(cls, today: date, now: datetime, said: str = "") -> int:
        """Rows still in the outbox, of issues three days old, end with the relay's last words.

        What waits for its reader's mailbox ends with the day of its issue: the next one is coming.
        `said`: why nothing was sent, for mails that no relay ever answered.
        """
        old = Issue.select(Issue.id).where(Issue.day <= today - STILL_MAILED)
        past = Issue.select(Issue.id).where(Issue.day < today)
        issue = cls.issue + 0           # not by the index of issues
        words = Case(None, ((cls.reply == "", said),), cls.reply)
        return (cls.update(state="given_up", changed=now, reply=words)
                .where(_OPEN, issue.in_(old) | ((cls.state == "waiting") & issue.in_(past))).execute())

    @classmethod
    def due_now(cls, now: datetime, issues: bool, first: int = 0) -> ModelSelect:
        """The rows due: confirmation mails first (alone, without `issues`), those in doubt last.

        What was tried twice goes after all that was not: a mail at which the relay balks each time would
        end every run before the others had their turn. Of an issue the subscriber with number `first` begins.
        """
        due = (cls.select(cls.id).where(_OPEN, cls.due <= now)
               .order_by(cls.attempts > 1, cls.issue.is_null(False), cls.state == "unknown", cls.issue,
                         cls.attempts, cls.subscriber < first, cls.id))
        return due if issues else due.where(cls.issue.is_null())

    @classmethod
    def urgent_since(cls, newest: int, now: datetime) -> list[int]:
        """Mails that someone waits for, queued after the row `newest`: a look at the end of the table."""
        new = cls.select(cls.id).where(cls.id > newest, cls.issue.is_null(), _OPEN, cls.due <= now)
        return [row_id for row_id, in new.order_by(cls.id).tuples()]

    @classmethod
    def newest(cls) -> int:
        return cls.select(fn.MAX(cls.id)).scalar() or 0

    @classmethod
    def taken(cls, since: datetime, until: datetime) -> dict[bool, list[tuple[datetime, int]]]:
        """What the relay took, or may have, in each minute since; by whether someone waited for it.

        By issue, as no index has `changed`: one would cost each mail two writes more. What changed in a day
        is of an issue of the last few.
        """
        lately = [issue.id for issue in Issue.select(Issue.id)
                  .where(Issue.day >= since.date() - STILL_MAILED - timedelta(days=1))]
        minute, urgent = fn.SUBSTR(cls.changed, 1, _TO_THE_MINUTE), cls.issue.is_null()
        rows = (cls.select(urgent, minute, fn.COUNT(cls.id))
                .where(urgent | cls.issue.in_(lately), cls.changed > since, cls.changed <= until,
                       cls.state.in_(("sent", "unknown")))
                .group_by(urgent, minute).tuples())
        found: dict[bool, list[tuple[datetime, int]]] = {True: [], False: []}
        for is_urgent, text, count in rows:
            found[bool(is_urgent)].append((datetime.fromisoformat(f"{text}:00+00:00"), count))
        return found

    @classmethod
    def _instant(cls, instant: datetime) -> Value:
        return Value(cls.due.db_value(instant))


# partial: what is final grows for ever and is never searched for
Delivery.add_index(Delivery.index(Delivery.due, where=_OPEN, name="delivery_open"))
