"""How it stands now, as plain facts: what `status` prints. Changes nothing."""
from datetime import datetime, timedelta
from typing import Any

from peewee import fn

from devdigest import agenda, backup_check, installation_check, plan, records_check, room
from devdigest.config import Config
from devdigest.days import at, local_day, midnight
from devdigest.fetching import Fetching
from devdigest.machine import Machine
from devdigest.memory import HOLD_REASON, MAILBOX_FAULT, MAILBOX_READ, Run, Setting
from devdigest.models import Blog, Issue, IssuePost, Post, Verdict
from devdigest.readers import Delivery, Subscriber, Suppression
from devdigest.reports import Alarm, Bounce, Hook
from devdigest.troubles import Trouble

_LATELY = timedelta(days=30)
_MAILINGS = 3
_HERE = Machine()


def facts(config: Config, now: datetime, machine: Machine = _HERE) -> dict[str, Any]:
    """Everything `status` tells, ready for JSON: instants in ISO 8601 UTC, counts by state."""
    issue = next(iter(Issue.newest(1)), None)
    held, next_issue = Setting.held_since(), _next(config, now, issue)
    return {
        "now": now.isoformat(timespec="seconds"),
        "clock_doubt": records_check.clock_doubt(config, now),
        "held_since": held and held.isoformat(timespec="seconds"),
        "held_because": Setting.read(HOLD_REASON) or "",
        "collect": _run("collect"),
        "written": _written(config, now),
        "blogs": _counts(Blog, Blog.state) | {"failing": Fetching.failing().count()},
        "held_posts": _held_posts(),
        "waiting_posts": Post.news_before(local_day(next_issue, config.site.timezone)).count(),
        "issue": issue and _issue(issue),
        "next_issue": next_issue.isoformat(timespec="seconds"),
        "subscribers": _counts(Subscriber, Subscriber.state),
        "outbox": _outbox(issue) if issue else {},
        "mailing": _mailing(config, now),
        "sending": plan.sending(now, issue) if issue else None,
        "quota_waits_until": plan.waits_until(now),
        "plan": plan.outgrown(config, now),
        "confirmations_waiting": Delivery.due_now(now, issues=False).count(),
        "bounces": _bounces(config, now),
        "upgrade": installation_check.last_upgrade(machine),
        "backup": backup_check.facts(config),
        "free": room.free(config.folder),
        "troubles": [{"name": one.name, "fact": one.fact, "cure": one.cure,
                      "since": one.since.isoformat(timespec="seconds")}
                     for one in Trouble.open() if one.gone is None],
    }


def _mailing(config: Config, now: datetime) -> dict[str, Any]:
    """The last runs of deliver, newest first, those for confirmation mails alone apart; what waits still."""
    runs, alone = Run.newest("deliver", _MAILINGS), Run.newest("confirm", 1)
    following = agenda.next_mail(config, now)
    return {"runs": list(map(_delivered, runs)), "confirmations": _delivered(alone[0]) if alone else None,
            "queue": Delivery.outbox(),
            "next_attempt": following and following.isoformat(timespec="seconds")}


def _delivered(run: Run) -> dict[str, Any]:
    return {"started": run.started.isoformat(timespec="seconds"), "seconds": run.seconds, "said": run.said}


def _bounces(config: Config, now: datetime) -> dict[str, Any]:
    """What came back in the last 30 days, by kind; everyone who gets no mail for it; what waits."""
    since = local_day(now - _LATELY, config.site.timezone)
    return {"reports": Bounce.since(since),
            "suppressed": _counts(Suppression, Suppression.reason,
                                  Suppression.reason.in_(("bounce", "complaint"))),
            "mailbox_read": Setting.read(MAILBOX_READ), "mailbox_fault": Setting.read(MAILBOX_FAULT) or "",
            "posts_waiting": Hook.select().count(),
            "in_doubt": [{"kind": alarm.issue.kind, "day": alarm.issue.day.isoformat(), "said": alarm.said}
                         for alarm in Alarm.open()]}


def _counts(table: Any, column: Any, *where: Any) -> dict[str, int]:
    query = table.select(column, fn.COUNT(column)).group_by(column).order_by(column)
    return dict((query.where(*where) if where else query).tuples())


def failing() -> list[Blog]:
    """Active blogs that could not be read last time; those longest unread first."""
    return list(Fetching.failing().order_by(Fetching.read.asc(nulls="first"), Blog.id))


def _run(job: str) -> dict[str, Any] | None:
    run = Run.last(job)
    return run and {"started": run.started.isoformat(timespec="seconds"), "said": run.said,
                    "blogs": run.blogs, "reached": run.reached, "failed": run.failed,
                    "not_reached": run.not_reached, "posts": run.posts, "written": run.written}


def _written(config: Config, now: datetime) -> dict[str, int | None]:
    """Bytes written to the disk by all collects of a day; None where nobody counted them."""
    zone = config.site.timezone
    today = local_day(now, zone)
    days = {"today": today, "yesterday": today - timedelta(days=1)}
    return {name: Run.written_between(midnight(day, zone), midnight(day + timedelta(days=1), zone))
            for name, day in days.items()}


def _issue(issue: Issue) -> dict[str, Any]:
    posts = list(IssuePost.select(IssuePost.late).where(IssuePost.issue == issue))
    return {"day": issue.day.isoformat(), "state": issue.state, "posts": len(posts),
            "late": sum(post.late for post in posts)}


def _outbox(daily: Issue) -> dict[str, int]:
    """Of all issues of its day: a Monday has two."""
    of_the_day = Issue.select(Issue.id).where(Issue.day == daily.day)
    return _counts(Delivery, Delivery.state, Delivery.issue.in_(of_the_day))


def _held_posts() -> dict[str, int]:
    """Posts of suspicious batches, by feed: `blogs release` makes them news."""
    query = (Post.select(Blog.feed, fn.COUNT(Post.id)).join(Blog).where(Post.verdict == Verdict.HELD)
             .group_by(Blog.feed))
    return dict(query.tuples())


def _next(config: Config, now: datetime, last: Issue | None) -> datetime:
    zone = config.site.timezone
    today = local_day(now, zone)
    done = last is not None and last.day >= today
    if not done and now < at(today, config.digest.closes, zone):
        return max(now, at(today, config.digest.opens, zone))
    return at(today.fromordinal(today.toordinal() + 1), config.digest.opens, zone)
