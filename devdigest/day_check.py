"""Whether the day goes as it should: its issue and mails, hold, the worker's jobs, who is told of its end."""
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from devdigest.config import Config
from devdigest.days import at, local_day
from devdigest.finding import OK, RED, WARN, Finding
from devdigest.memory import (
    BY_LINK,
    HEARTBEAT_DAY,
    HEARTBEAT_SAID,
    HOLD_REASON,
    ISSUES_WAIT,
    Run,
    Setting,
)
from devdigest.models import Issue
from devdigest.readers import Delivery
from devdigest.troubles import Failure

_LATE = timedelta(hours=1)      # after `time` an issue, and what of it is not sent, asks for a look
_STUCK = timedelta(minutes=30)  # without a mail that was taken: then it is not only slow


def findings(config: Config, now: datetime) -> Iterator[Finding]:
    """One after the other."""
    yield _issue(config, now)
    yield _mailing(config, now)
    yield _hold()
    yield from _jobs(config)
    yield _heartbeat(config)


def _issue(config: Config, now: datetime) -> Finding:
    zone, today = config.site.timezone, local_day(now, config.site.timezone)
    if (missed := _missed(config, now)) is not None:
        return Finding("issue", RED, f"none was made for {missed}", "journalctl -u devdigest-worker -n 50")
    if Issue.of(today) is None and now > at(today, config.digest.opens, zone) + _LATE:
        return Finding("issue", WARN, f"none for {today} yet", "devdigest status")
    last = Issue.newest(1)
    return Finding("issue", OK, f"last {last[0].day}, {last[0].state}" if last else "none yet")


def _missed(config: Config, now: datetime) -> date | None:
    """The last day that ended without an issue, though blogs were read by then and nothing was held."""
    zone, day = config.site.timezone, local_day(now, config.site.timezone)
    if now < at(day, config.digest.closes, zone):
        day -= timedelta(days=1)
    if Issue.of(day) is not None or Setting.held_since() is not None:
        return None
    if (newest := Issue.newest(1)) and newest[0].day > day:     # made since
        return None
    read = Run.last("collect", until=at(day, config.digest.closes, zone))
    return day if read is not None and read.blogs else None


def _mailing(config: Config, now: datetime) -> Finding:
    """That mails wait for a quota, for their readers' mailboxes or for the end of hold is no trouble."""
    waiting = Delivery.outbox()
    stuck = sum(waiting.values()) - waiting.get("waiting", 0)
    if not stuck:
        return Finding("mailing", OK, "every mail is sent or has its reason")
    due = Delivery.next_due(issues=True)
    mails = f"{stuck:,} mails of an issue wait"
    excused = Setting.held_since() or Setting.wait(ISSUES_WAIT, now) or due is None or now < due + _LATE
    if excused or any(count for _, count in Delivery.taken(now - _STUCK, now)[False]):
        return Finding("mailing", OK, mails)
    run = Run.newest("deliver", 1)
    said = f"; {run[0].said}" if run else ""
    return Finding("mailing", RED, f"{mails}, none was taken for a while{said}", "devdigest status")


def _hold() -> Finding:
    since, reason = Setting.held_since(), Setting.read(HOLD_REASON)
    if since is None:
        return Finding("hold", OK, "not held")
    by_itself = reason and reason != BY_LINK
    why = f": {reason}" if reason else ""
    return Finding("hold", RED if by_itself else WARN, f"since {since:%Y-%m-%d %H:%M} UTC{why}",
                   "devdigest resume")


def _jobs(config: Config) -> Iterator[Finding]:
    failing = Failure.again_and_again()
    for failure in failing:
        since = failure.since.astimezone(config.site.timezone)
        yield Finding("jobs", RED, f"{failure.job} fails since {since:%Y-%m-%d %H:%M}: {failure.said}",
                      f"journalctl -u devdigest-worker --grep={failure.job}")
    if not failing:
        yield Finding("jobs", OK, "none of the worker's fails")


def _heartbeat(config: Config) -> Finding:
    if not config.site.heartbeat_url:
        return Finding("heartbeat", OK, "none; set [site] heartbeat_url, and its silence is an alarm")
    said = Setting.read(HEARTBEAT_SAID)
    if said is None:
        return Finding("heartbeat", OK, "no day has ended yet")
    day, _, answer = said.partition(" ")
    if day != Setting.read(HEARTBEAT_DAY):
        return Finding("heartbeat", WARN, f"for {day}: {answer}", "is [site] heartbeat_url right?")
    return Finding("heartbeat", OK, f"for {day}: {answer}")
