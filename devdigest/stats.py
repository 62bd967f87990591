"""The numbers: what was collected, mailed and read, and how many came and went. Changes nothing."""
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain

from peewee import Case, fn

from devdigest.config import Config
from devdigest.counts import ALIKE, Click, Event, Opened
from devdigest.days import local_day
from devdigest.models import Blog, Issue, IssuePost, Post
from devdigest.readers import STILL_MAILED, Subscriber

RANGES = (7, 30, 90, 365)       # days
FEWEST = 5                      # subscribers: what fewer than these do a day would tell of one of them
_LISTED = 10
_WEEK = 7
_APART = 90                     # bars that can be told from one another on a phone

Clicks = dict[tuple[date, int], tuple[int, int]]


@dataclass(frozen=True)
class Day:
    """What happened on a day in the site's zone."""
    day: date
    posts: int                  # in the issue of that day
    mails: int                  # of issues of that day, taken by the relay
    readers: int                # who opened a post, each once a post
    clicks: int                 # repetitions and machines too
    asked: int
    confirmed: int
    cancelled: int
    subscribers: int            # at the end of it


@dataclass(frozen=True)
class Read:
    """A post, and how many opened it in these days."""
    title: str
    url: str
    blog: str
    readers: int


@dataclass(frozen=True)
class Numbers:
    posts: int                  # collected, ever
    subscribers: int            # active, now
    left: float | None          # share of those who ever confirmed; None where nobody did
    days: list[Day]             # oldest first, up to today
    top: list[Read]             # most read first
    hours: list[list[int]]      # readers by weekday, Monday first, and hour


def numbers(config: Config, now: datetime, days: int) -> Numbers:
    """The numbers of the last `days` days, today among them; ready for JSON but for the dates."""
    today = local_day(now, config.site.timezone)
    first = today - timedelta(days=days - 1)
    clicks, subscribers = _clicks(first), Subscriber.active()
    return Numbers(posts=Post.collected(), subscribers=subscribers, left=_left(),
                   days=_days(first, today, subscribers, clicks), top=_top(first), hours=_by_hour(clicks))


def spans(days: list[Day]) -> list[list[Day]]:
    """The days as they are shown: each alone, or of many whole weeks, without the oldest that fill none."""
    if len(days) <= _APART:
        return [[day] for day in days]
    return [days[start:start + _WEEK] for start in range(len(days) % _WEEK, len(days), _WEEK)]


def _days(first: date, today: date, subscribers: int, clicks: Clicks) -> list[Day]:
    events, posts, found = _events(first, today), _posts(first), []
    for back in range((today - first).days + 1):
        day = today - timedelta(days=back)
        came, went = events[day, "confirmed"], events[day, "cancelled"]
        opened = [clicks.get((day, hour), (0, 0)) for hour in range(24)]
        found.append(Day(day=day, posts=posts.get(day, 0), mails=events[day, "mailed"],
                         readers=sum(readers for readers, _ in opened),
                         clicks=sum(times for _, times in opened),
                         asked=events[day, "asked"], confirmed=came, cancelled=went, subscribers=subscribers))
        subscribers = max(0, subscribers - came + went)     # the evening before
    return found[::-1]


def _posts(first: date) -> dict[date, int]:
    """Posts in the daily issues, by day."""
    placed = (Issue.select(Issue.day, fn.COUNT(IssuePost.id)).join(IssuePost)
              .where(Issue.kind == "daily", Issue.day >= first).group_by(Issue.day))
    return dict(placed.tuples())


def _events(first: date, today: date) -> Counter[tuple[date, str]]:
    kept = Event.select(Event.day, Event.name, Event.count).where(Event.day >= first).tuples()
    events = Counter({(day, name): count for day, name, count in kept})
    lately = Event.mails(since=max(first, today - STILL_MAILED))     # care counts them for good later
    return events | Counter({(day, "mailed"): count for day, count in lately.items()})


def _left() -> float | None:
    ever = dict(Event.select(Event.name, fn.SUM(Event.count)).group_by(Event.name).tuples())
    return ever.get("cancelled", 0) / ever["confirmed"] if ever.get("confirmed") else None


def _clicks(first: date) -> Clicks:
    """(readers, all times) by (day, hour): what was counted for good, and what is still being counted."""
    kept = (Click.select(Click.day, Click.hour, fn.SUM(Click.readers), fn.SUM(Click.times))
            .where(Click.day >= first).group_by(Click.day, Click.hour))
    fresh = (Opened.select(Opened.day, Opened.hour, fn.SUM(Case(None, ((Opened.machine, 0),), 1)),
                           fn.SUM(Opened.times))
             .where(Opened.day >= first).group_by(Opened.day, Opened.hour))
    found: Clicks = {}
    for day, hour, readers, times in chain(kept.tuples(), fresh.tuples()):
        before = found.get((day, hour), (0, 0))
        found[day, hour] = before[0] + readers, before[1] + times
    return found


def _by_hour(clicks: Clicks) -> list[list[int]]:
    hours = [[0] * 24 for _ in range(_WEEK)]
    for (day, hour), (readers, _) in clicks.items():
        hours[day.weekday()][hour] += readers
    return hours


def _top(first: date) -> list[Read]:
    readers = _most_read(first)
    posts = (Post.select(Post, Blog).join(Blog)
             .where(Post.id.in_(list(readers)), Post.title != "", Blog.state != "excluded"))
    found = sorted(posts, key=lambda post: (-readers[post.id], -post.id))
    return [Read(title=post.title, url=post.url, blog=post.blog.name, readers=readers[post.id])
            for post in found[:_LISTED]]


def _most_read(first: date) -> dict[int, int]:
    """Readers by post; more posts than are listed, as some may be of blogs that were left out."""
    kept = (Click.select(Click.post, fn.SUM(Click.readers).alias("readers"))
            .where(Click.day >= first, Click.post > 0).group_by(Click.post))
    fresh = (Opened.select(Opened.post, fn.COUNT(Opened.reader))
             .where(Opened.day >= first, ~Opened.machine).group_by(Opened.post))
    both = kept.union_all(fresh)
    readers = fn.SUM(both.c.readers)
    return dict(both.select_from(both.c.post, readers).group_by(both.c.post).having(readers >= ALIKE)
                .order_by(readers.desc(), both.c.post.desc()).limit(3 * _LISTED).tuples())
