"""What is owed to the owner now: questions to the records, as agenda asks them for the readers."""
from datetime import date, datetime, timedelta

from devdigest import agenda
from devdigest.config import Config
from devdigest.days import at, clock, local_day, midnight
from devdigest.lookout import NO_MAIL, SURE
from devdigest.memory import HEARTBEAT_DAY, PREVIEWED, SUMMED_UP, WATCHED, Run, Setting
from devdigest.models import Issue
from devdigest.readers import Delivery
from devdigest.troubles import Trouble

_SETTLED = timedelta(minutes=5)          # after a start: the network may be on its way, a collect has begun
_LOOK = timedelta(hours=1)
_REFUSED = timedelta(hours=6)           # after a refused login: who tries on is locked out
_AFTER_THE_ISSUE = timedelta(hours=1)   # the summary: by then this Monday's own mails are counted, too
_SUMMARY_FOR = timedelta(days=3)        # a summary of a week that nobody was told of by then is of no use
_A_DAY, _MOST = timedelta(hours=24), 3  # mails of troubles; what comes on top waits and is told together


def look(now: datetime, up_since: datetime) -> bool:
    """Whether everything is to be looked over: each hour, sooner while something is not sure yet."""
    text = Setting.read(WATCHED)
    last = datetime.fromisoformat(text) if text else None
    if timedelta(0) <= now - up_since < _SETTLED:
        return False
    if last is None or now < last:
        return True
    standing = Trouble.open()
    if last < up_since:         # started anew, as after a change of the settings; but not in a tight circle
        return now - last >= SURE
    if any("login" in one.fact for one in standing if one.seen == last and one.seen - one.since >= SURE):
        return now - last >= _REFUSED
    unsure = any(one.seen - one.since < SURE or one.gone is not None for one in standing)
    return now - last >= (SURE if unsure else _LOOK)


def troubles(now: datetime) -> list[Trouble]:
    """Those to mail now, oldest first; none while enough mails have told of others."""
    found = Trouble.to_tell(now, SURE)
    return found if found and Trouble.mails_since(now - _A_DAY) < _MOST else []


def preview(config: Config, now: datetime) -> bool:
    """Between its hour and that of the issue, once blogs were read; not while held."""
    if not config.digest.preview or Setting.held_since():
        return False
    zone, today = config.site.timezone, local_day(now, config.site.timezone)
    begins = at(today, clock(config.digest.preview), zone)
    if not begins <= now < at(today, config.digest.opens, zone):
        return False
    return (Setting.read(PREVIEWED) != today.isoformat() and Issue.of(today) is None
            and agenda.is_collected(config, now))


def summary(config: Config, now: datetime) -> date | None:
    """The Monday whose week before is to be summed up now; None where that was done, or is too late."""
    zone, today = config.site.timezone, local_day(now, config.site.timezone)
    monday = today - timedelta(days=today.weekday())
    due = at(monday, config.digest.opens, zone) + _AFTER_THE_ISSUE
    until = midnight(monday, zone) + _SUMMARY_FOR
    if Setting.read(SUMMED_UP) == monday.isoformat() or not due <= now < until:
        return None
    # in its first week there is nothing to sum up yet
    return monday if Run.select().where(Run.started < midnight(monday, zone)).exists() else None


def heartbeat(config: Config, now: datetime) -> date | None:
    """The day that is finished and not told of: its issues made, every mail at its end or left for tomorrow.

    None while held, or while something stands by which no reader gets any mail.
    """
    newest = Issue.newest(1)
    if not config.site.heartbeat_url or not newest or newest[0].state == "closed":
        return None
    day, zone = newest[0].day, config.site.timezone
    if day < local_day(now, zone) - timedelta(days=1) or Setting.read(HEARTBEAT_DAY) == day.isoformat():
        return None
    if Setting.held_since() or agenda.publish_weekly(config, now):
        return None
    if any(one.name in NO_MAIL for one in Trouble.open() if one.gone is None):
        return None
    over = now >= at(day, config.digest.closes, zone)
    return day if over or not Delivery.outbox() else None
