"""Who gets the digest: added, confirmed, paused, cancelled, erased. Queues mails, never sends one.

What happens to a subscription is counted for its day in the site's `zone`. Each change saves only its own
fields: the reader's pages, the owner's commands and the outbox write side by side.
"""
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from peewee import fn

from devdigest import departures, suppressions, tokens
from devdigest.counts import Event
from devdigest.days import local_day
from devdigest.memory import LINK_KEY, Setting
from devdigest.readers import OPEN_STATES, Confirmation, Consent, Delivery, Subscriber
from devdigest.recipients import tidy
from devdigest.table import db

LINK = "link"                               # purpose of the token in every issue
CONFIRM, ACCOUNT, MOVE = "confirm", "account", "move"
_GOOD_FOR = {CONFIRM: timedelta(hours=48), ACCOUNT: timedelta(hours=1), MOVE: timedelta(hours=48)}
_TAKE_BACK = timedelta(hours=1)             # mails are forwarded: an old link must not bring anyone back


def link_key() -> str:
    """The key of link tokens, made with the database."""
    return Setting.read(LINK_KEY) or ""


def why_not(email: str) -> str:
    """Why an address is left alone by add and import; "" where it may be added."""
    if known := suppressions.of(email):
        return f"suppressed: {known.reason}"
    subscriber = Subscriber.of(email)
    return "cancelled" if subscriber and subscriber.state == "cancelled" else ""


# asking and confirming

def add(email: str, now: datetime, zone: ZoneInfo, *, confirmed: bool, source: str,
        language: str) -> tuple[Subscriber, bool]:
    """(the subscriber, whether it is new); not confirmed, it gets a confirmation mail where it may.

    Whoever calls has asked why_not() before. Raises NotAnAddress.
    """
    email = tidy(email)
    with db.atomic():
        known = Subscriber.of(email)
        if known is not None and known.state == "active":
            return known, False
        subscriber = known or Subscriber.create(email=email, created=now, language=language)
        if confirmed:
            _activate(subscriber, Consent(subscriber=subscriber, source=source), now, zone)
            if known is None:
                Event.add(local_day(now, zone), "asked")
        elif suppressions.may_be_asked(email, now):
            suppressions.remember_asking(email, now, mailed=True)
            request(subscriber, now, zone, source=source)
        return subscriber, known is None


def request(subscriber: Subscriber, now: datetime, zone: ZoneInfo, **proof: str) -> None:
    """Queues the mail that asks them to confirm; `proof` are fields of Consent."""
    Consent.create(subscriber=subscriber, asked=now, **proof)
    queue(subscriber, CONFIRM, now)
    Event.add(local_day(now, zone), "asked")


def queue(subscriber: Subscriber, purpose: str, now: datetime) -> None:
    Delivery.create(subscriber=subscriber, purpose=purpose, created=now, due=now, changed=now)


def request_of(subscriber: Subscriber) -> Consent:
    """Their newest request that is not confirmed; a new one, not stored, where none is kept."""
    return (Consent.select().where(Consent.subscriber == subscriber, Consent.given.is_null())
            .order_by(Consent.id.desc()).first()
            or Consent(subscriber=subscriber, source="form", asked=subscriber.created))


def is_asked(subscriber: Subscriber) -> bool:
    """Whether it is open that they confirm: also who left, or whose mails bounced, and has asked anew."""
    if subscriber.state == "pending":
        return True
    anew = subscriber.state == "cancelled" or suppressions.of(subscriber.email) is not None
    return anew and request_of(subscriber).id is not None


def new_confirmation(subscriber: Subscriber, now: datetime, purpose: str = CONFIRM) -> str:
    """A token for a link of this purpose. Made when the mail is, so that it lies nowhere but in the mail."""
    token, digest = tokens.random_token()
    Confirmation.create(subscriber=subscriber, purpose=purpose, digest=digest,
                        expires=now + _GOOD_FOR[purpose])
    if purpose == CONFIRM:
        proof = request_of(subscriber)
        proof.mailed, proof.token = now, digest
        proof.save()
    return token


def whose(token: str, purpose: str, now: datetime) -> Subscriber | None:
    """Who was mailed this token for this purpose; None where it is unknown or expired."""
    row = Confirmation.get_or_none(Confirmation.digest == tokens.hashed(token),
                                   Confirmation.purpose == purpose, Confirmation.expires > now)
    return row and Subscriber.get_or_none(Subscriber.id == row.subscriber)     # erased since, maybe


def pending(token: str, now: datetime) -> Subscriber | None:
    """Who may confirm with this token, or has; None where it is nobody's. Changes nothing."""
    subscriber = whose(token, CONFIRM, now)
    return None if subscriber is None or suppressions.silenced(subscriber.email) else subscriber


def confirm(token: str, now: datetime, zone: ZoneInfo, given_from: str = "",
            given_by: str = "") -> Subscriber | None:
    """Makes the subscriber of this token active; may be repeated. None as for pending().

    `given_from` and `given_by`, the address and the program of who confirms, complete the proof.
    """
    returns = False
    with db.atomic():
        subscriber = pending(token, now)
        if subscriber and is_asked(subscriber):
            digest = tokens.hashed(token)
            proof = (Consent.get_or_none(Consent.subscriber == subscriber, Consent.token == digest)
                     or request_of(subscriber))
            proof.token, proof.given_from, proof.given_by = digest, given_from, given_by
            returns = subscriber.state == "cancelled"
            returns = suppressions.lift(subscriber.email) or returns
            _activate(subscriber, proof, now, zone)
    if returns:
        came_back(subscriber, now)
    return subscriber


def came_back(subscriber: Subscriber, now: datetime) -> None:
    """Told to the log once it is committed: what a power cut takes of this, they can say again.

    Unless they have left again meanwhile, by another click: that is their last word, and so is the log's.
    """
    address = suppressions.known_by(subscriber.email)
    with db.atomic(), departures.together():
        if state_now(subscriber) == "active":
            departures.note(departures.RETURNED, address, now)
            departures.note(departures.LIFTED, address, now)


def _activate(subscriber: Subscriber, proof: Consent, now: datetime, zone: ZoneInfo) -> None:
    proof.given = now
    proof.save()
    if subscriber.state != "active":
        Event.add(local_day(now, zone), "confirmed")
    subscriber.state, subscriber.confirmed, subscriber.cancelled = "active", now, None
    subscriber.paused_until, subscriber.language = None, proof.language or subscriber.language
    subscriber.save(only=[Subscriber.state, Subscriber.confirmed, Subscriber.cancelled,
                          Subscriber.paused_until, Subscriber.language])


# preferences

def by_link(token: str) -> Subscriber | None:
    """Whose link this is, as it stands in their mails."""
    number = tokens.verify(link_key(), LINK, token)
    return Subscriber.get_or_none(Subscriber.id == number) if number is not None else None


def prefer(subscriber: Subscriber, frequency: str, language: str) -> None:
    """From the next issue on: `daily`, `weekly` or `both`, in `ko` or `en`."""
    subscriber.frequency, subscriber.language = frequency, language
    subscriber.save(only=[Subscriber.frequency, Subscriber.language])


def pause(subscriber: Subscriber, days: int, first: date) -> None:
    """No mail on `days` days (1 to 365) from `first` on, the day of the next issue; 0 ends the pause.

    Who pauses for a day after the day's issue is out misses the next one, not none.
    """
    if not 0 <= days <= 365:
        raise ValueError(f"a pause of {days} days")
    subscriber.paused_until = first + timedelta(days=days) if days else None
    subscriber.save(only=[Subscriber.paused_until])


# leaving

def cancel(subscriber: Subscriber, now: datetime, zone: ZoneInfo) -> bool:
    """Whether this ended a subscription; takes back what was asked for before; may be repeated.

    Mails of issues in the outbox are dropped when their turn comes.
    """
    with db.atomic():
        stored = Subscriber.get_or_none(Subscriber.id == subscriber.id)
        before = stored and stored.state
        subscriber.state, subscriber.cancelled = "cancelled", stored and stored.cancelled
        if before in ("pending", "active"):
            departures.note(departures.LEFT, suppressions.known_by(stored.email), now,
                            after=newest_word(stored))
            subscriber.cancelled = now
            subscriber.save(only=[Subscriber.state, Subscriber.cancelled])
        if before == "active":
            Event.add(local_day(now, zone), "cancelled")
        withdraw(subscriber, CONFIRM, now)
        Consent.delete().where(Consent.subscriber == subscriber, Consent.given.is_null()).execute()
    return before == "active"


def newest_word(subscriber: Subscriber) -> datetime:
    """When they last said that they want mail."""
    said = (Consent.select(fn.MAX(Consent.asked), fn.MAX(Consent.given))
            .where(Consent.subscriber == subscriber).tuples().get())
    instants = (datetime.fromisoformat(text) if isinstance(text, str) else text for text in said)
    return max(filter(None, (subscriber.created, subscriber.confirmed, *instants)))


def state_now(subscriber: Subscriber) -> str | None:
    """Within a transaction: whoever asks has read it before; None for who was erased meanwhile."""
    return Subscriber.select(Subscriber.state).where(Subscriber.id == subscriber.id).scalar()


def withdraw(subscriber: Subscriber, purpose: str, now: datetime) -> None:
    """Ends all links of this purpose; mails with one are not sent any more."""
    Confirmation.delete().where(Confirmation.subscriber == subscriber,
                                Confirmation.purpose == purpose).execute()
    (Delivery.update(state="dropped", changed=now)
     .where(Delivery.subscriber == subscriber, Delivery.purpose == purpose, Delivery.state.in_(OPEN_STATES))
     .execute())


def can_take_back(subscriber: Subscriber, now: datetime) -> bool:
    """Whether cancel() can be undone: within the hour, by who had confirmed before."""
    return bool(subscriber.state == "cancelled" and subscriber.confirmed and subscriber.cancelled
                and now - subscriber.cancelled < _TAKE_BACK)


def link_token(subscriber: Subscriber) -> str:
    """The token of the links in this reader's mails."""
    return tokens.sign(link_key(), LINK, subscriber.id)


def undo_token(subscriber: Subscriber) -> str:
    """For take_back() of this one cancellation, to be shown to who made it and to nobody else: a link in a
    forwarded mail must not undo what its reader has done.
    """
    return tokens.sign(link_key(), _undoing(subscriber), subscriber.id)


def by_undo(token: str) -> Subscriber | None:
    """Whose undo_token() this is, unless they came back or left once more since."""
    subscriber = Subscriber.get_or_none(Subscriber.id == tokens.claimed(token))
    return subscriber if subscriber and tokens.verify(link_key(), _undoing(subscriber), token) else None


def _undoing(subscriber: Subscriber) -> str:
    return f"undo {subscriber.cancelled}"


def take_back(subscriber: Subscriber, now: datetime, zone: ZoneInfo) -> None:
    """Undoes cancel() where that can be."""
    with db.atomic():
        if can_take_back(subscriber, now) and state_now(subscriber) == "cancelled":
            Event.add(local_day(subscriber.cancelled, zone), "cancelled", -1)
            subscriber.state, subscriber.cancelled = "active", None
            subscriber.save(only=[Subscriber.state, Subscriber.cancelled])
    if subscriber.state == "active":
        came_back(subscriber, now)


def forget(subscriber: Subscriber, now: datetime, zone: ZoneInfo) -> None:
    """Erases a subscriber: the address, the consents, what relays said of them. Counts stay.

    So does the keyed hash of the address, that no import brings it back.
    """
    with db.atomic():
        if state_now(subscriber) == "active":
            Event.add(local_day(now, zone), "cancelled")
        departures.note(departures.ERASED, suppressions.known_by(subscriber.email), now,
                        after=newest_word(subscriber))
        suppressions.keep_out(subscriber.email, now)
        erase(subscriber)


def erase(subscriber: Subscriber) -> None:
    """The same without a trace: for who never agreed."""
    with db.atomic():
        mails = Delivery.subscriber == subscriber
        Delivery.update(state="dropped").where(mails, Delivery.state.in_(OPEN_STATES)).execute()
        Delivery.update(reply="").where(mails).execute()
        suppressions.forget_words(subscriber.email)
        subscriber.delete_instance()
