"""What needs a fresh mailed link, as digests are forwarded: a new address, a copy of all records, erasing."""
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from peewee import JOIN

from devdigest import departures, subscribers, suppressions, tokens
from devdigest.models import Issue
from devdigest.readers import Confirmation, Consent, Delivery, Subscriber
from devdigest.recipients import of_a_person
from devdigest.reports import Bounce
from devdigest.subscribers import ACCOUNT, CONFIRM, MOVE
from devdigest.table import Table, db

# Mails of each purpose in a day and in thirty: a forwarded digest must not be a way to flood its reader, and
# least of all one who has left.
_MOST = {"active": (3, 10), "cancelled": (1, 3)}

_OF_SUBSCRIBER = ("state", "frequency", "language", "paused_until", "created", "confirmed", "cancelled",
                  "moving_to")
_OF_CONSENT = ("source", "language", "asked", "asked_from", "asked_by", "wording", "form", "mailed", "token",
               "given", "given_from", "given_by")
_OF_BOUNCE = ("at", "kind", "reason", "status", "said", "source", "proven", "followed")
_OF_MAIL = ("purpose", "day", "state", "created", "changed", "attempts", "reply")


def ask(subscriber: Subscriber, now: datetime) -> None:
    """Queues a mail with a link for open(), which is good for an hour; not more often than _MOST says."""
    with db.atomic():
        if _may_be_mailed(subscriber, ACCOUNT, now):
            subscribers.queue(subscriber, ACCOUNT, now)


def open(token: str, now: datetime) -> Subscriber | None:
    """Whose link this is, as often as it is opened; None where it is nobody's any more."""
    return subscribers.whose(token, ACCOUNT, now)


def _may_be_mailed(subscriber: Subscriber, purpose: str, now: datetime) -> bool:
    limits = _MOST.get(subscribers.state_now(subscriber) or "", (0, 0))
    mails = Delivery.select().where(Delivery.subscriber == subscriber, Delivery.purpose == purpose)
    return all(mails.where(Delivery.created > now - timedelta(days=days)).count() < most
               for days, most in zip((1, 30), limits, strict=True))


def download(subscriber: Subscriber) -> dict[str, Any]:
    """All that is kept about a subscriber, ready for JSON; instants in UTC."""
    suppression = suppressions.of(subscriber.email)
    mails = (Delivery.select(Delivery, Issue.day).join(Issue, JOIN.LEFT_OUTER)
             .where(Delivery.subscriber == subscriber).order_by(Delivery.id).objects())
    return {"email": subscriber.email, **_told(subscriber, _OF_SUBSCRIBER),
            "suppressed": suppression and _told(suppression, ("reason", "evidence", "since")),
            "consents": [_told(one, _OF_CONSENT) for one in subscriber.consents.order_by(Consent.id)],
            # what a relay said of another address is that address's
            "mails": [_told(one, _OF_MAIL) | ({"reply": ""} if one.purpose == MOVE else {}) for one in mails],
            "bounces": [_told(one, _OF_BOUNCE) for one in Bounce.select().where(
                Bounce.subscriber == subscriber).order_by(Bounce.id)],
            "links": [_told(one, ("purpose", "expires")) for one in Confirmation.select().where(
                Confirmation.subscriber == subscriber)],
            "requests": [_told(one, ("asked", "mailed")) for one in suppressions.askings(subscriber.email)]}


def _told(row: Table, names: Iterable[str]) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in names}
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}


def erase(subscriber: Subscriber, now: datetime, zone: ZoneInfo) -> None:
    """Erases a subscriber, as the owner's `subscribers forget` does."""
    subscribers.forget(subscriber, now, zone)


def move(subscriber: Subscriber, email: str, now: datetime) -> None:
    """Queues a mail to the new address, whose link takes the subscription over; it ends the links before it.

    Nothing happens where the address may not be asked, and nobody is told. Raises NotAnAddress.
    """
    email = of_a_person(email)
    with db.atomic():
        if (subscribers.state_now(subscriber) == "active" and email != subscriber.email
                and not suppressions.silenced(email) and suppressions.may_be_asked(email, now)
                and _may_be_mailed(subscriber, MOVE, now)):
            suppressions.remember_asking(email, now, mailed=True)
            # a link that was mailed to the address named before must not confirm this one
            subscribers.withdraw(subscriber, MOVE, now)
            subscriber.moving_to = email
            subscriber.save(only=[Subscriber.moving_to])
            subscribers.queue(subscriber, MOVE, now)


def moving(token: str, now: datetime) -> Subscriber | None:
    """Whose address this link would change to `moving_to`; None where it is nobody's. Changes nothing."""
    subscriber = subscribers.whose(token, MOVE, now)
    if subscriber is None or subscriber.state != "active" or subscriber.moving_to is None:
        return None
    return None if suppressions.silenced(subscriber.moving_to) else subscriber


def settle_move(token: str, now: datetime, zone: ZoneInfo, given_from: str = "",
                given_by: str = "") -> Subscriber | None:
    """Who has the new address now: another subscriber, if one was active with it. None as for moving()."""
    with db.atomic():
        subscriber = moving(token, now)
        if subscriber is None:
            return None
        before, email = subscriber.email, subscriber.moving_to
        other = Subscriber.get_or_none(Subscriber.email == email, Subscriber.id != subscriber.id)
        if other is not None and other.state == "active":
            subscribers.forget(subscriber, now, zone)
            subscriber = other
        else:
            if other is not None:
                subscribers.erase(other)
            _take_over(subscriber, now)
            Consent.create(subscriber=subscriber, source="move", language=subscriber.language, given=now,
                           token=tokens.hashed(token), given_from=given_from, given_by=given_by)
        suppressions.lift(email)
    # once it is committed: a power cut between must not end the subscription at both addresses
    departures.note(departures.ERASED, suppressions.known_by(before), now)
    subscribers.came_back(subscriber, now)
    return subscriber


def _take_over(subscriber: Subscriber, now: datetime) -> None:
    suppressions.keep_out(subscriber.email, now)        # no old list of addresses brings it back
    subscriber.email, subscriber.moving_to = subscriber.moving_to, None
    subscriber.save(only=[Subscriber.email, Subscriber.moving_to])
    for purpose in (CONFIRM, ACCOUNT, MOVE):            # mailed to an address that is theirs no more
        subscribers.withdraw(subscriber, purpose, now)
