"""What became of an issue's mails: who did not get it and why; queued again for those alone. Sends none."""
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from peewee import JOIN, Expression, ModelSelect, fn

from devdigest import outbox
from devdigest.config import Config
from devdigest.days import local_day
from devdigest.letters import Letters
from devdigest.models import Issue
from devdigest.readers import DELIVERY_STATES, STILL_MAILED, Delivery, Subscriber
from devdigest.reports import RELAY, Bounce
from devdigest.table import db

_FAILED = ("refused", "given_up", "waiting", "unknown", "dropped")      # and told in this order
_ENDED_BADLY = ("refused", "given_up")
_PORTION = 500              # in one transaction: readers and visitors write meanwhile
IN_DOUBT = "in doubt: the relay may have it"


class NoSuchIssue(Exception):
    """None of that day, or none at all."""


class TooOld(Exception):
    """Nothing of the issue is mailed any more."""


@dataclass(frozen=True)
class Fate:
    """Of one mail that did not arrive: `address` is "" where its reader was erased; `came_back` after all."""
    address: str
    state: str
    attempts: int
    said: str
    came_back: bool


def find(day: date | None, kind: str) -> Issue:
    """The issue of that day, the newest for None. Raises NoSuchIssue."""
    found = Issue.of(day, kind) if day else next(iter(Issue.newest(1, kind)), None)
    if found is None:
        named = f"{kind} issue of {day}" if day else f"{kind} issue yet"
        raise NoSuchIssue(f"there is no {named}")
    return found


def states(issue: Issue) -> dict[str, int]:
    """How many mails there are in each state."""
    rows = (Delivery.select(Delivery.state, fn.COUNT(Delivery.id)).where(Delivery.issue == issue)
            .group_by(Delivery.state).tuples())
    return dict(sorted(rows, key=lambda row: DELIVERY_STATES.index(row[0])))


def sent_between(issue: Issue) -> tuple[datetime | None, datetime | None]:
    """When the relay took the first mail, and the last; None where it took none."""
    return (Delivery.select(fn.MIN(Delivery.changed), fn.MAX(Delivery.changed))
            .where(Delivery.issue == issue, Delivery.state == "sent").tuples().get())


def failed(issue: Issue) -> Iterator[Fate]:
    """Who did not get it, at least so far: refused first, what came back last. Not whose turn comes still."""
    for state in _FAILED:
        yield from _fates(issue, Delivery.state == state)
    yield from _fates(issue, (Delivery.state == "queued") & (Delivery.attempts > 0))
    for row in _came_back(issue):
        yield Fate(row.email or "", "sent", row.attempts, f"came back: {row.said or row.reason}", True)


def count_failed(issue: Issue) -> int:
    tried = (Delivery.state == "queued") & (Delivery.attempts > 0)
    told = Delivery.select().where(Delivery.issue == issue, Delivery.state.in_(_FAILED) | tried).count()
    return told + count_came_back(issue)


def count_came_back(issue: Issue) -> int:
    return _came_back(issue).count()


def _fates(issue: Issue, which: Expression) -> Iterator[Fate]:
    rows = (Delivery.select(Delivery.state, Delivery.attempts, Delivery.reply, Subscriber.email)
            .join(Subscriber, JOIN.LEFT_OUTER).where(Delivery.issue == issue, which).order_by(Delivery.id))
    for row in rows.namedtuples().iterator():
        yield Fate(row.email or "", row.state, row.attempts, row.reply, False)


def _came_back(issue: Issue) -> ModelSelect:
    """Mails that the relay took, of which it was said last that they did not arrive."""
    last = (Bounce.select(fn.MAX(Bounce.id))
            .where(Bounce.issue == issue, Bounce.proven, Bounce.source != RELAY, Bounce.reason != "delayed",
                   Bounce.kind.in_(("hard", "soft")) | (Bounce.reason == "delivered"))
            .group_by(Bounce.delivery))
    return (Delivery.select(Delivery.attempts, Subscriber.email, Bounce.said, Bounce.reason)
            .join(Bounce, on=Bounce.delivery == Delivery.id)
            .join(Subscriber, JOIN.LEFT_OUTER, on=Delivery.subscriber == Subscriber.id)
            .where(Bounce.id.in_(last), Bounce.kind.in_(("hard", "soft")), Delivery.state == "sent")
            .order_by(Delivery.id).namedtuples())


@dataclass(frozen=True)
class Again:
    """How many are queued again, and why the others are not."""
    queued: int
    left: Counter[str]
    until: date             # the last day on which they are mailed


def mailed_until(issue: Issue) -> date:
    """The last day on which anything of it is mailed."""
    return issue.day + STILL_MAILED - timedelta(days=1)


def again(config: Config, issue: Issue, now: datetime) -> Again:
    """Queues what was refused or given up once more, to who may be mailed still; under the same Message-ID.

    Never what the relay may have already. Raises TooOld.
    """
    until = mailed_until(issue)
    if local_day(now, config.site.timezone) > until:
        raise TooOld(f"nothing of the {issue.kind} issue of {issue.day} is mailed any more: that ended with "
                     f"{until}, as newer ones are out; it stands in the archive")
    letters, counted = Letters(config), Counter[str]()
    ended = Delivery.select(Delivery.id).where(Delivery.issue == issue, Delivery.state.in_(_ENDED_BADLY))
    ids = [row_id for row_id, in ended.order_by(Delivery.id).tuples()]
    for first in range(0, len(ids), _PORTION):
        with db.atomic():
            counted.update(_queued_again(letters, ids[first:first + _PORTION], now))
    return Again(counted.pop("", 0), counted, until)


def _queued_again(letters: Letters, ids: list[int], now: datetime) -> list[str]:
    """Of each of these rows why it was left; "" where it was not."""
    found = [(row, reader) for row, reader in map(outbox.look_up, ids) if row.state in _ENDED_BADLY]
    reasons = [letters.unwanted(row, reader) or (IN_DOUBT if row.doubts else "") for row, reader in found]
    wanted = [row.id for (row, _), reason in zip(found, reasons, strict=True) if not reason]
    Delivery.update(state="queued", due=now, changed=now).where(Delivery.id.in_(wanted)).execute()
    return reasons
