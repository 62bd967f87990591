"""The sign-up form: a request becomes a confirmation mail, or silence. What a visitor sees is alike for both.

Whoever asks may be anyone, so all that is limited is limited for known and unknown addresses alike.
"""
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from devdigest import subscribers, suppressions
from devdigest.config import Config
from devdigest.counts import Attempt
from devdigest.memory import Setting
from devdigest.readers import Subscriber
from devdigest.recipients import of_a_person
from devdigest.table import db

log = logging.getLogger(__name__)

_HOUR = timedelta(hours=1)
_OF_A_NETWORK = 5           # requests an hour
_OF_ALL = 100               # more is no crowd of readers, but someone who makes us a nuisance
_FULL = "sign-ups full"     # setting: when that was last told to the owner


class TooMany(Exception):
    """Asked too often within the hour; `scope` is "network" or "site"."""

    def __init__(self, scope: str) -> None:
        super().__init__(f"too many sign-ups: {scope}")
        self.scope = scope


@dataclass(frozen=True)
class Form:
    """What the form said, and what it had said itself; `network` is an IPv4 address, an IPv6 /64 or ""."""
    email: str
    language: str
    network: str
    agent: str
    wording: str
    page: str


def ask(config: Config, form: Form, now: datetime) -> None:
    """Queues a confirmation mail, unless there is a reason not to that is nobody's business.

    Raises NotAnAddress and TooMany.
    """
    email = of_a_person(form.email)
    network = suppressions.known_by(form.network)
    with db.atomic():
        scope = _too_many(network, now)
        if not scope:
            mailed = _may_be_mailed(email, now)
            suppressions.remember_asking(email, now, mailed, network)
            _request(config, email, form, now, mailed)
    if scope:
        raise TooMany(scope)


def _too_many(network: str, now: datetime) -> str:
    """Whose limit is reached: "network", "site" or ""; what the owner adds is of no network."""
    lately = Attempt.select().where(Attempt.asked > now - _HOUR, Attempt.network != "")
    if lately.where(Attempt.network == network).count() >= _OF_A_NETWORK:
        return "network"
    if lately.count() < _OF_ALL:
        return ""
    told = Setting.read(_FULL)
    if told is None or now - datetime.fromisoformat(told) >= _HOUR:
        Setting.write(_FULL, now.isoformat())
        log.error("sign-up: %d requests in an hour, from many networks; more are refused until it is over",
                  _OF_ALL)
    return "site"


def _may_be_mailed(email: str, now: datetime) -> bool:
    known = Subscriber.of(email)
    is_reader = known is not None and known.state == "active" and suppressions.of(email) is None
    return not is_reader and not suppressions.silenced(email) and suppressions.may_be_asked(email, now)


def _request(config: Config, email: str, form: Form, now: datetime, mailed: bool) -> None:
    """Without a mail it is the same work, and undone, so that nobody sees from outside whose address it is.

    The statistics count it, and it uses up the numbers of a subscriber and of a mail: mails carry them, and
    whoever asks for two addresses of their own, and another's in between, could count.
    """
    known = Subscriber.of(email)
    subscriber = Subscriber.create(email="" if known else email, created=now, language=form.language)
    if mailed and known:
        subscriber.delete_instance()
        subscriber = known
    subscribers.request(subscriber, now, config.site.timezone, source="form", language=form.language,
                        asked_from=form.network, asked_by=form.agent, wording=form.wording, form=form.page)
    if mailed:
        log.info("subscriber %d asked by form", subscriber.id)
    else:
        subscribers.erase(subscriber)
