"""What is RED in two looks a quarter of an hour apart is a trouble; what is gone in two is over.

Alarms that vanish on a rerun train people to delete them. Decides what the owner is told; mails nothing.
"""
import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from devdigest.finding import NOT_ASKED, RED, Finding
from devdigest.memory import WATCHED, Setting
from devdigest.records_check import RESTORE
from devdigest.replies import nameless
from devdigest.table import db
from devdigest.troubles import Trouble

log = logging.getLogger(__name__)

SURE = timedelta(minutes=15)
# Of these names RED means that nothing reaches any reader, so the day is not finished.
NO_MAIL = frozenset(("database", "relay", "blogs", "collect", "issue", "mailing"))

_KEPT = timedelta(days=90)
_LONGEST = 300              # characters of a fact


def note(found: Iterable[Finding], now: datetime) -> None:
    """Keeps what a look has seen. May be repeated at will."""
    found = list(found)
    red = {Trouble.key_of(one.name, one.cure): one for one in found if one.state == RED}
    seen = {one.name for one in found if one.state != NOT_ASKED}
    blind = any(one.name == "database" and one.state == RED for one in found)      # no more was asked for
    if any(one.cure == RESTORE for one in found):
        # as at a start: who left may be among what cannot be read
        Setting.hold(now, f"the database is damaged; {RESTORE}")
    with db.atomic():
        for trouble in Trouble.open():
            finding = red.pop(trouble.key, None)
            if finding is not None:
                _stands(trouble, finding, now)
            elif not blind and (trouble.name in seen or trouble.name not in {one.name for one in found}):
                _is_gone(trouble, now)
        for key, finding in red.items():
            log.info("watch: %s is RED: %s", finding.name, nameless(finding.fact))
            Trouble.create(key=key, name=finding.name, fact=_told(finding.fact), cure=finding.cure, since=now,
                           seen=now)
        Trouble.delete().where(Trouble.over < now - _KEPT).execute()
        Setting.write(WATCHED, now.isoformat())


def _stands(trouble: Trouble, finding: Finding, now: datetime) -> None:
    trouble.seen, trouble.gone, trouble.fact = now, None, _told(finding.fact)
    trouble.save()


def _is_gone(trouble: Trouble, now: datetime) -> None:
    if trouble.seen - trouble.since < SURE:         # a blip: it never was a trouble
        trouble.delete_instance()
    elif trouble.gone is None:
        trouble.gone = now
        trouble.save()
    elif now - trouble.gone >= SURE:
        log.info("watch: %s is over", trouble.name)
        trouble.over = now
        trouble.save()


def _told(fact: str) -> str:
    """A fact as it may stand in a mail: on one line, not too long, and no reader's address in it."""
    return nameless(" ".join(fact.split()))[:_LONGEST]
