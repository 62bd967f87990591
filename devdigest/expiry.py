"""Of subscribers, what is kept no longer than it is needed."""
from datetime import datetime, timedelta

from peewee import fn

from devdigest.readers import OPEN_STATES, Confirmation, Consent, Delivery, Subscriber
from devdigest.subscribers import MOVE, erase
from devdigest.table import db

_PENDING_FOR = timedelta(days=7)            # a request nobody confirmed is erased then
_ORIGINS_FOR = timedelta(days=30)           # after leaving


def erase_unconfirmed(now: datetime) -> int:
    """Requests that nobody confirmed within seven days are erased, and who never did; how many of these."""
    old = now - _PENDING_FOR
    with db.atomic():
        Consent.delete().where(Consent.given.is_null(), Consent.asked <= old).execute()
        asked_again = Consent.select(Consent.subscriber).where(Consent.given.is_null())
        never = list(Subscriber.select().where(Subscriber.state == "pending", Subscriber.created <= old,
                                               Subscriber.id.not_in(asked_again)))
        for subscriber in never:
            erase(subscriber)
    return len(never)


def forget_moves() -> None:
    """The address that a subscription was to move to, where no link to confirm it is left or under way."""
    link = Confirmation.select().where(Confirmation.subscriber == Subscriber.id, Confirmation.purpose == MOVE)
    mail = Delivery.select().where(Delivery.subscriber == Subscriber.id, Delivery.purpose == MOVE,
                                   Delivery.state.in_(OPEN_STATES))
    (Subscriber.update(moving_to=None)
     .where(Subscriber.moving_to.is_null(False), ~fn.EXISTS(link), ~fn.EXISTS(mail)).execute())


def forget_origins(now: datetime) -> None:
    """Of who left a month ago, the proof of consent keeps its times, no longer from where it was given."""
    left = Subscriber.select(Subscriber.id).where(Subscriber.state == "cancelled",
                                                  Subscriber.cancelled <= now - _ORIGINS_FOR)
    (Consent.update(asked_from="", asked_by="", given_from="", given_by="")
     .where(Consent.subscriber.in_(left), Consent.given.is_null(False)).execute())
