"""Whether the plan at the relay carries the list, now and soon; and how far today's mails are."""
from datetime import datetime, timedelta
from typing import Any

from peewee import fn

from devdigest import forecast
from devdigest.config import Config
from devdigest.counts import Event
from devdigest.days import at, local_day
from devdigest.memory import ISSUES_WAIT, Setting
from devdigest.models import Issue
from devdigest.readers import OPEN_STATES, Delivery, Subscriber

_AT_WORK = timedelta(minutes=2)     # since the last mail left, and a run is on


def outgrown(config: Config, now: datetime) -> str:
    """What of the plan is too small, or soon is; "" where it lasts."""
    zone, digest = config.site.timezone, config.digest
    today = local_day(now, zone)
    hours = (at(today, digest.closes, zone) - at(today, digest.opens, zone)) / timedelta(hours=1)
    growth = Event.growth(today - timedelta(days=forecast.MONTH))
    return forecast.outgrown(Subscriber.active(), growth, config.mail.per_day, config.mail.per_second, hours)


def sending(now: datetime, issue: Issue) -> dict[str, Any] | None:
    """How many mails of the day are sent, of how many, and when the last leaves; None while nothing is."""
    of_the_day = Delivery.issue.in_(Issue.select(Issue.id).where(Issue.day == issue.day))
    changed = Delivery.changed
    done, first, last = (Delivery.select(fn.COUNT(Delivery.id), fn.MIN(changed), fn.MAX(changed))
                         .where(of_the_day, Delivery.state == "sent").tuples().get())
    rest = Delivery.select().where(of_the_day, Delivery.state.in_(OPEN_STATES)).count()
    if not done or not rest or now - last > _AT_WORK:
        return None
    ends = forecast.ends(now, done, done + rest, (last - first).total_seconds())
    return {"sent": done, "of": done + rest, "last_at": ends.isoformat(timespec="seconds")}


def waits_until(now: datetime) -> str | None:
    """Until when the rest waits, as the relay's quota is used up."""
    until = Setting.wait(ISSUES_WAIT, now)
    return until and until.isoformat(timespec="seconds")
