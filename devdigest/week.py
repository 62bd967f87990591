"""The week before a Monday in numbers, and what wants a look on it. Changes nothing."""
from collections.abc import Iterable
from datetime import date, timedelta

from peewee import fn

from devdigest import room
from devdigest.config import Config
from devdigest.counts import Event
from devdigest.days import midnight
from devdigest.fetching import Fetching
from devdigest.finding import OK, RED, WARN, Finding
from devdigest.memory import Run
from devdigest.models import Blog, Issue, IssuePost
from devdigest.owner_mails import Line, Told, Week
from devdigest.readers import Delivery, Subscriber
from devdigest.replies import nameless
from devdigest.troubles import Trouble

_WEEK = timedelta(days=7)
_POWER = "power"            # the finding that tells whether the supply is strong enough


def week(config: Config, monday: date, found: Iterable[Finding]) -> Week:
    """`found`: what `check` says now."""
    found, first = list(found), monday - _WEEK
    start, end = (midnight(day, config.site.timezone) for day in (first, monday))
    issues = list(Issue.select().where(Issue.day >= first, Issue.day < monday))
    daily = [issue for issue in issues if issue.kind == "daily" and issue.state != "closed"]
    ends = _ends(issues)
    failing = Fetching.failing()
    power = next((one for one in found if one.name == _POWER and one.state in (OK, WARN, RED)), None)
    backup = Run.last("backup")
    return Week(
        monday=monday, issues=len(daily), empty=sum(issue.state == "empty" for issue in daily),
        posts=IssuePost.select().where(IssuePost.issue.in_(daily)).count(),
        sent=ends.get("sent", 0), refused=ends.get("refused", 0), given_up=ends.get("given_up", 0),
        readers=Subscriber.active(), new=_counted("confirmed", first, monday),
        lost=_counted("cancelled", first, monday),
        blogs=Blog.select().where(Blog.state == "active").count(), failing=failing.count(),
        # the last good read tells when the trouble began
        failing_new=failing.where(Fetching.read >= start).count(),
        free=room.free(config.folder), backup=backup and backup.started,
        power=power and ("" if power.state == OK else power.fact),
        hands=tuple(Line(one.name, nameless(one.fact), cure=one.cure) for one in found if one.state == RED),
        hints=tuple(dict.fromkeys(one.name for one in found if one.state == WARN)),
        over=tuple(told(one) for one in Trouble.between(start, end)))


def told(trouble: Trouble) -> Told:
    """A trouble as mails tell it."""
    return Told(trouble.name, trouble.fact, trouble.cure, trouble.since, trouble.over and trouble.gone)


def _ends(issues: list[Issue]) -> dict[str, int]:
    query = (Delivery.select(Delivery.state, fn.COUNT(Delivery.id)).where(Delivery.issue.in_(issues))
             .group_by(Delivery.state))
    return dict(query.tuples())


def _counted(name: str, first: date, end: date) -> int:
    return (Event.select(fn.SUM(Event.count)).where(Event.name == name, Event.day >= first, Event.day < end)
            .scalar()) or 0
