"""What the worker does for the owner: looks everything over, mails what is owed, tells that a day is done.

None of it may keep a mail from a reader; what cannot be told now is tried again, and nothing is lost.
"""
import logging
import sqlite3
from datetime import datetime
from pathlib import Path

import peewee

from devdigest import check, heartbeat, holding, lookout, owed, owner_mails, to_owner
from devdigest.config import Config
from devdigest.database import connected
from devdigest.days import local_day, midnight
from devdigest.finding import Finding
from devdigest.memory import HEARTBEAT_DAY, HEARTBEAT_SAID, PREVIEWED, SUMMED_UP, Setting
from devdigest.name_server import NameServer
from devdigest.publish import drafted
from devdigest.readers import Subscriber
from devdigest.replies import RelayError, nameless
from devdigest.table import db
from devdigest.troubles import Failure, Trouble
from devdigest.week import told, week

log = logging.getLogger(__name__)

_LONGEST = 200          # characters of what is noted of a failure


def findings(config: Config, path: Path | None, now: datetime, password: str) -> list[Finding]:
    return list(check.findings(config, path, now, password, NameServer()))


def look_if_due(config: Config, path: Path | None, now: datetime, password: str, up_since: datetime) -> None:
    """Looks everything over; what is RED is told only once a second look has seen it, too."""
    if owed.look(now, up_since):
        lookout.note(findings(config, path, now, password), now)


def mail_if_due(config: Config, path: Path | None, now: datetime, password: str) -> bool:
    """Mails the owner what is owed: troubles, the week, a first look. Whether that went well."""
    if not config.site.owner:
        return True
    well = True
    for mail in (_troubles, _summary, _preview):
        try:
            mail(config, path, now, password)
        except RelayError as error:
            log.warning("the mail to the owner waits: %s", error)
            well = False
    return well


def _troubles(config: Config, path: Path | None, now: datetime, password: str) -> None:
    """A power cut before the note sends it again, under the same Message-ID."""
    new = owed.troubles(now)
    if not new:
        return
    over, still = Trouble.over_untold(), [one for one in Trouble.open() if one.gone is None and one.told]
    still = [one for one in still if one not in new]
    zone = config.site.timezone
    number = 1 + Trouble.mails_since(midnight(local_day(now, zone), zone))
    letter = owner_mails.trouble(config, map(told, new), map(told, still), map(told, over), now)
    to_owner.send(config, password, letter, number)
    with db.atomic():
        Trouble.update(told=now).where(Trouble.id.in_([one.id for one in new])).execute()
        Trouble.update(over_told=now).where(Trouble.id.in_([one.id for one in over])).execute()
    log.info("owner told of %s", ", ".join(one.name for one in new))


def _summary(config: Config, path: Path | None, now: datetime, password: str) -> None:
    monday = owed.summary(config, now)
    if monday is None:
        return
    found = week(config, monday, findings(config, path, now, password))
    to_owner.send(config, password, owner_mails.summary(config, found, now))
    with db.atomic():
        Setting.write(SUMMED_UP, monday.isoformat())
        Trouble.update(over_told=now).where(Trouble.over < midnight(monday, config.site.timezone)).execute()
    log.info("owner told of the week before %s", monday)


def _preview(config: Config, path: Path | None, now: datetime, password: str) -> None:
    """Of a day without posts there is nothing to look at."""
    if not owed.preview(config, now):
        return
    edition = drafted(config, now)
    if not edition.items:
        return
    link = holding.link(config, edition.day)
    to_owner.send(config, password, owner_mails.preview(edition, config, link, Subscriber.active(), now))
    Setting.write(PREVIEWED, edition.day.isoformat())
    log.info("owner got a first look at issue %s: %d posts", edition.day, len(edition.items))


def heartbeat_if_due(config: Config, now: datetime) -> bool:
    """Tells who listens that a day is done, once for each; whether that went well."""
    day = owed.heartbeat(config, now)
    if day is None:
        return True
    try:
        said = heartbeat.tell(config.site.heartbeat_url)
    except heartbeat.NoAnswer as error:
        log.warning("heartbeat of %s: %s", day, error)
        _note_heartbeat(f"{day} {error}")
        return False
    Setting.write(HEARTBEAT_DAY, day.isoformat())
    _note_heartbeat(f"{day} {said}")
    log.info("heartbeat of %s: %s", day, said)
    return True


def _note_heartbeat(said: str) -> None:
    if Setting.read(HEARTBEAT_SAID) != said:        # else a write each quarter of an hour
        Setting.write(HEARTBEAT_SAID, said)


def note_failure(job: str, error: Exception, now: datetime) -> None:
    """For `check`, from which the owner hears of a job that fails again and again."""
    try:
        with connected():
            Failure.note(job, now, f"{type(error).__name__}: {nameless(str(error))}"[:_LONGEST])
    except (peewee.PeeweeException, sqlite3.Error):
        log.warning("%s: nor can that be noted", job)
