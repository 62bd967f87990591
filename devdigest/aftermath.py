"""What a restored database must know before it serves again: what may have been mailed since it was saved."""
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from peewee import fn

from devdigest.config import Config
from devdigest.days import at, local_day
from devdigest.memory import POSTS_FROM, Restored, Setting
from devdigest.models import Issue, IssuePost, Post, Verdict
from devdigest.readers import OPEN_STATES, Delivery
from devdigest.table import db

# Numbers stand in mails that went out after the backup: nothing new may have one of them. More readers and
# posts than come in a month; a list of ten thousand has a million mails in a hundred days.
_READERS, _POSTS, _MAILS = 10_000, 100_000, 1_000_000
_WEEKLY = 0                 # date.weekday()


@dataclass(frozen=True)
class Closed:
    """Days that get no issue any more, posts that became history, mails that were given up."""
    days: list[date]
    posts: int
    mails: int


def close(config: Config, made: datetime, now: datetime) -> Closed:
    """Closes the days from the backup's to today, before digest.time to yesterday, and holds all mail.

    What was on its way then may have arrived, so it is not sent again, neither by `deliveries --again`.
    """
    days = _days(config, made, now)
    closed = [day for day in days if _close(day, "daily", now)]
    for day in days:
        if config.digest.weekly and day.weekday() == _WEEKLY and day not in closed:
            _close(day, "weekly", now)
    posts = 0
    if days:
        Restored.note(days[-1], now)
        in_an_issue = IssuePost.select(IssuePost.post).where(IssuePost.kind == "daily")
        posts = (Post.update(verdict=Verdict.HISTORY)
                 .where(Post.verdict.in_((Verdict.NEWS, Verdict.HELD)), Post.day < days[-1],
                        Post.id.not_in(in_an_issue)).execute())
    mails = (Delivery.update(state="given_up", reply="restored", changed=now,
                             doubts=fn.MAX(Delivery.doubts, 1))
             .where(Delivery.state.in_(OPEN_STATES)).execute())
    Setting.hold(now, f"restored from the backup of {local_day(made, config.site.timezone)}")
    return Closed(closed, posts, mails)


def leave_gaps(now: datetime) -> None:
    """No number that a lost reader, post or mail had is given out again: links and bounces name them."""
    db.execute_sql("UPDATE sqlite_sequence SET seq = seq + ? WHERE name = 'subscriber'", (_READERS,))
    newest = Post.select(fn.MAX(Post.id)).scalar() or 0
    Setting.write(POSTS_FROM, str(newest + _POSTS))
    # without a reader, as one is whose reader was erased
    Delivery.create(id=Delivery.newest() + _MAILS, state="dropped", reply="restored", purpose="account",
                    created=now, due=now, changed=now)


def _days(config: Config, made: datetime, now: datetime) -> list[date]:
    zone = config.site.timezone
    last = local_day(now, zone)
    if now < at(last, config.digest.opens, zone):
        last -= timedelta(days=1)
    first = local_day(made, zone)
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _close(day: date, kind: str, now: datetime) -> bool:
    if Issue.of(day, kind) is not None:
        return False
    Issue.create(kind=kind, day=day, state="closed", created=now)
    return True
