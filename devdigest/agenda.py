"""What is due now: questions to the records, so that a night without power needs no special case.

Local hours bind only the worker, which asks here; a step run by hand acts at once.
"""
from datetime import date, datetime, timedelta

from devdigest.config import Config
from devdigest.days import at, clock, local_day, midnight
from devdigest.fetching import Fetching
from devdigest.memory import ISSUES_WAIT, MAILBOX_READ, URGENT_WAIT, Operator, Run, Setting
from devdigest.models import Blog, Issue
from devdigest.readers import Delivery
from devdigest.reports import Hook
from devdigest.urls import operator

_AFTER_A_CUT = timedelta(minutes=5)     # a collect that was cut off is begun again, but not in a tight circle
_AFTER_A_LACK = timedelta(minutes=15)   # one that hardly reached any blog: the network may be back
_PATIENCE = timedelta(minutes=30)       # of publish, for a collect that began late
_TO_SPARE = timedelta(minutes=5)        # between the end of a collect and the issue that is made of it
_ENOUGH = timedelta(minutes=15)         # for a collect to be of use
_LOOK = timedelta(minutes=10)           # into the bounce mailbox: who wants to leave by mail waits for it
_BACKUP = "01:30"                       # local: after the care, before the first collect
_AFTER_A_FAILURE = timedelta(hours=1)   # of a backup
_MONDAY = 0                             # date.weekday()
_LAST_CALL = timedelta(minutes=10)      # before `latest`: then an issue that lacks much is better than none


def collect(config: Config, now: datetime) -> str:
    """"collect", "retry" (only blogs that failed) or ""."""
    begun = Run.last("collect", finished=False, until=now)
    if begun is not None and begun.finished is None and now - begun.started < _AFTER_A_CUT:
        return ""
    done = Run.last("collect", until=now)
    if done is None or done.started < _last_time(config, now):
        return "collect"
    if not done.blogs and Fetching.due(now).exists():      # the list was imported since
        return "collect"
    if done.lacks and _open_without_issue(config, now) and now - done.started >= _AFTER_A_LACK:
        return "collect"
    zone = config.site.timezone
    until = at(local_day(now, zone), clock(config.collect.retry_until), zone)
    return "retry" if now < until and _any_to_retry(now) else ""


def _any_to_retry(now: datetime) -> bool:
    waiting = Operator.waiting(now)
    blogs = Fetching.to_retry(now, Run.left_by(now))
    return any(operator(blog.feed) not in waiting for blog in blogs) if waiting else blogs.exists()


def collect_ends(config: Config, now: datetime) -> datetime:
    """When a collect begun now must have ended: in time for the issue, and for the collect after it."""
    zone = config.site.timezone
    days = (local_day(now, zone), local_day(now, zone) + timedelta(days=1))
    following = min(time for day in days for text in config.collect.times
                    if (time := at(day, clock(text), zone)) > now)
    if Issue.of(days[0]) is not None or now >= closes(config, now):
        return following
    opens = at(days[0], config.digest.opens, zone)
    early = opens - _TO_SPARE
    # where that is hardly possible any more, publish waits for it
    return min(following, early) if early - now >= _ENOUGH else max(now, opens) + _PATIENCE - _TO_SPARE


def _last_time(config: Config, now: datetime) -> datetime:
    """The latest of the configured times that has passed."""
    zone = config.site.timezone
    days = (local_day(now, zone), local_day(now, zone) - timedelta(days=1))
    times = (at(day, clock(text), zone) for day in days for text in config.collect.times)
    return max(time for time in times if time <= now)


def _open_without_issue(config: Config, now: datetime) -> bool:
    return _is_by_day(config, now) and Issue.of(local_day(now, config.site.timezone)) is None


def _is_by_day(config: Config, now: datetime) -> bool:
    """Whether it is between `time` and `latest`."""
    zone = config.site.timezone
    return at(local_day(now, zone), config.digest.opens, zone) <= now < closes(config, now)


def publish(config: Config, now: datetime, up_since: datetime) -> bool:
    """Whether the issue of today is to be made now. `up_since`: when this worker began."""
    if not _open_without_issue(config, now) or Setting.held_since():
        return False
    if not Blog.select().where(Blog.state == "active").exists():
        return False
    zone = config.site.timezone
    today = local_day(now, zone)
    if not is_collected(config, now):
        return now >= max(at(today, config.digest.opens, zone), up_since) + _PATIENCE
    return not Run.last("collect", until=now).lacks or now >= closes(config, now) - _LAST_CALL


def mailing(config: Config, now: datetime) -> str:
    """Why the services should not be stopped now: an issue is about to be made, or mailed; "" where not."""
    zone = config.site.timezone
    today = local_day(now, zone)
    early = at(today, config.digest.opens, zone) - _TO_SPARE
    if not early <= now < closes(config, now) or Setting.held_since():
        return ""
    if Issue.of(today) is None:
        some = Blog.select().where(Blog.state == "active").exists()
        return f"the issue of {today} is about to be made" if some else ""
    waiting = Delivery.due_now(now, issues=True).count()
    return f"{waiting:,} mails are on their way" if waiting else ""


def publish_weekly(config: Config, now: datetime) -> bool:
    """Whether the weekly issue of today is to be made now: after the daily one, while that could be made too.

    A Monday that ends without one has none: the next Monday has a week of its own.
    """
    today = local_day(now, config.site.timezone)
    return (has_weekly(config, now) and Issue.of(today, "weekly") is None and Setting.held_since() is None
            and _is_by_day(config, now))


def has_weekly(config: Config, now: datetime) -> bool:
    """Whether today is a Monday whose daily issue was made; where a restore closed it, both may be out."""
    today = local_day(now, config.site.timezone)
    if not config.digest.weekly or today.weekday() != _MONDAY:
        return False
    daily = Issue.of(today)
    return daily is not None and daily.state != "closed"


def next_issue(config: Config, now: datetime, kind: str = "daily") -> date:
    """The day of the next issue to be made, unless it is held."""
    today = local_day(now, config.site.timezone)
    over = now >= closes(config, now) or Issue.of(today, kind) is not None
    return first_issue(today + timedelta(days=1) if over else today, kind)


def first_issue(day: date, kind: str) -> date:
    """The first day from `day` on that has such an issue: a weekly one comes on Mondays."""
    return day if kind == "daily" else day + timedelta(days=(_MONDAY - day.weekday()) % 7)


def is_collected(config: Config, now: datetime) -> bool:
    """Whether blogs were read today, so that an issue has what it needs."""
    done = Run.last("collect", until=now)
    zone = config.site.timezone
    return done is not None and done.blogs > 0 and done.started >= midnight(local_day(now, zone), zone)


def deliver(config: Config, now: datetime) -> str:
    """"issues", "confirmations" (they go at any hour, in hold too) or ""."""
    waits = Setting.held_since() or Setting.wait(ISSUES_WAIT, now)
    if _is_by_day(config, now) and not waits and Delivery.due_now(now, issues=True).exists():
        return "issues"
    if Setting.wait(URGENT_WAIT, now):
        return ""
    return "confirmations" if Delivery.due_now(now, issues=False).exists() else ""


def next_mail(config: Config, now: datetime) -> datetime | None:
    """When the worker next tries to send something; None where nothing waits, or only until `resume`."""
    times = []
    if (due := Delivery.next_due(issues=False)) is not None:
        times.append(max(now, due, Setting.wait(URGENT_WAIT, now) or now))
    if (due := Delivery.next_due(issues=True)) is not None and not Setting.held_since():
        times.append(_by_day(config, max(now, due, Setting.wait(ISSUES_WAIT, now) or now)))
    return min(times, default=None)


def _by_day(config: Config, instant: datetime) -> datetime:
    """The same, or the next `time` where that is after `latest`."""
    zone = config.site.timezone
    if instant >= closes(config, instant):
        return at(local_day(instant, zone) + timedelta(days=1), config.digest.opens, zone)
    return max(instant, at(local_day(instant, zone), config.digest.opens, zone))


def bounces(config: Config, now: datetime, mailbox: bool) -> str:
    """"mailbox", "posts" (only what providers have posted, as without `mailbox`) or ""."""
    if mailbox and config.bounces.imap:
        read = Setting.read(MAILBOX_READ)
        if read is None or not timedelta(0) <= now - datetime.fromisoformat(read) < _LOOK:
            return "mailbox"
    return "posts" if Hook.select().exists() else ""


def closes(config: Config, now: datetime) -> datetime:
    """The instant of today from which no issue is published or mailed."""
    zone = config.site.timezone
    return at(local_day(now, zone), config.digest.closes, zone)


def backup(config: Config, now: datetime) -> bool:
    """Once a night, after the care; later where the machine was off then, but not while the issue is on."""
    zone = config.site.timezone
    today = local_day(now, zone)
    due = at(today, clock(_BACKUP), zone)
    if now < due:
        due = at(today - timedelta(days=1), clock(_BACKUP), zone)
    done = Run.last("backup", until=now)
    if done is not None and done.started >= due:
        return False
    begun = Run.last("backup", finished=False, until=now)
    # each try is a write of all there is
    if begun is not None and begun.finished is None and now - begun.started < _AFTER_A_FAILURE:
        return False
    return not _issue_is_on(config, now)


def _issue_is_on(config: Config, now: datetime) -> bool:
    """Whether the issue is about to be made, or its mails are on their way."""
    opens = at(local_day(now, config.site.timezone), config.digest.opens, config.site.timezone)
    if opens - _AFTER_A_LACK <= now < opens + _PATIENCE and _unmade(config, now):
        return True
    return deliver(config, now) == "issues"


def _unmade(config: Config, now: datetime) -> bool:
    return Issue.of(local_day(now, config.site.timezone)) is None and Setting.held_since() is None


def care(config: Config, now: datetime) -> bool:
    """Once a night, before the first collect; later where the machine was off then."""
    zone = config.site.timezone
    done = Run.last("care", until=now)
    return done is None or done.started < midnight(local_day(now, zone), zone)
