"""Who gets the digest: added, confirmed, cancelled, erased. Queues the confirmation mail, never sends one."""
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from email_validator import EmailNotValidError, validate_email
from peewee import chunked

from devdigest import tokens
from devdigest.memory import LINK_KEY, Setting
from devdigest.readers import OPEN_STATES, Confirmation, Consent, Delivery, Subscriber, Suppression
from devdigest.table import db

CONFIRM, LINK = "confirm", "link"           # purposes of tokens
_VALID_FOR = timedelta(hours=48)
_ASK_AGAIN = timedelta(hours=24)
_TAKE_BACK = timedelta(hours=1)             # mails are forwarded: an old link must not bring anyone back
_PORTION = 100                              # rows of an import in one transaction: a second on a Pi
_PENDING_FOR = timedelta(days=7)            # a request nobody confirmed is erased then


class NotAnAddress(ValueError):
    """Not an address we can mail to; says why."""


class NotACsv(ValueError):
    """Not a file of addresses; says why."""


@dataclass
class Imported:
    """What an import did; `refused` and `left_alone` as (address as given, reason)."""
    added: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    left_alone: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)


def tidy(email: str) -> str:
    """The address in the one form we store: IDN as A-label, domain in lower case. Raises NotAnAddress."""
    try:
        checked = validate_email(email.strip(), check_deliverability=False, allow_smtputf8=True,
                                 test_environment=True, strict=True)    # at most 64 octets before the @
    except EmailNotValidError as error:
        raise NotAnAddress(str(error)) from error
    if checked.ascii_email is None:
        raise NotAnAddress("The part before the @-sign may only have ASCII letters, digits and signs: "
                           "too many relays refuse others.")
    return checked.ascii_email


def link_key() -> str:
    """The key of link tokens, made with the database."""
    return Setting.read(LINK_KEY) or ""


def suppressed(email: str) -> Suppression | None:
    return Suppression.get_or_none(Suppression.address == tokens.address_hash(link_key(), email))


def why_not(email: str) -> str:
    """Why an address is left alone by add and import; "" where it may be added."""
    if known := suppressed(email):
        return f"suppressed: {known.reason}"
    subscriber = Subscriber.of(email)
    return "cancelled" if subscriber and subscriber.state == "cancelled" else ""


def add(email: str, now: datetime, *, confirmed: bool, source: str,
        language: str) -> tuple[Subscriber, bool]:
    """(the subscriber, whether it is new); not confirmed, it gets a confirmation mail, one a day at most.

    Whoever calls has asked why_not() before. Raises NotAnAddress.
    """
    email = tidy(email)
    with db.atomic():
        known = Subscriber.of(email)
        if known is not None and known.state == "active":
            return known, False
        subscriber = known or Subscriber.create(email=email, created=now, language=language)
        if confirmed:
            _activate(subscriber, now, source)
        elif not was_asked_today(subscriber, now):
            Delivery.create(subscriber=subscriber, created=now, due=now, changed=now, purpose=CONFIRM)
        return subscriber, known is None


def was_asked_today(subscriber: Subscriber, now: datetime) -> bool:
    """Whether a confirmation mail was queued in the last 24 hours: nobody can have a stranger flooded."""
    return (Delivery.select().where(Delivery.subscriber == subscriber, Delivery.issue.is_null(),
                                    Delivery.created > now - _ASK_AGAIN).exists())


def _activate(subscriber: Subscriber, now: datetime, source: str) -> None:
    subscriber.state, subscriber.confirmed, subscriber.cancelled = "active", now, None
    subscriber.save()
    Consent.create(subscriber=subscriber, given=now, source=source)


def import_csv(data: bytes, now: datetime, *, confirmed: bool, source: str, language: str) -> Imported:
    """Adds every address of a CSV file, the first column of each row; may be repeated.

    In portions, between which others may write: a long list must not make an unsubscription or the outbox
    wait. Cancelled and suppressed addresses are never revived. Raises NotACsv, before anything is added.
    """
    done, rows = Imported(), list(_rows(data))
    for some in chunked(rows, _PORTION):
        with db.atomic():
            for given, row_language in some:
                _import_one(given, row_language or language, now, confirmed, source, done)
    return done


def _rows(data: bytes) -> Iterator[tuple[str, str]]:
    """(address, language or "") of each row; a header row and empty rows are passed over."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotACsv(f"not UTF-8 text: byte {error.start}; save it as CSV UTF-8") from error
    try:
        rows = list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error as error:
        raise NotACsv(f"not CSV: {error}; is a quotation mark left open?") from error
    for row in rows:
        cells = [cell.strip() for cell in row]
        if cells and cells[0] and cells[0].lower() not in ("email", "e-mail", "address"):
            yield cells[0], next((cell for cell in cells[1:] if cell in ("ko", "en")), "")


def _import_one(given: str, language: str, now: datetime, confirmed: bool, source: str,
                done: Imported) -> None:
    try:
        email = tidy(given)
    except NotAnAddress as error:
        done.refused.append((given, str(error)))
        return
    if reason := why_not(email):
        done.left_alone.append((given, reason))
        return
    _, new = add(email, now, confirmed=confirmed, source=source, language=language)
    (done.added if new else done.known).append(given)


def new_confirmation(subscriber: Subscriber, now: datetime) -> str:
    """A token for a confirmation link. Made when the mail is, so that it lies nowhere but in the mail."""
    token, digest = tokens.random_token()
    Confirmation.create(subscriber=subscriber, purpose=CONFIRM, digest=digest, expires=now + _VALID_FOR)
    return token


def pending(token: str, now: datetime) -> Subscriber | None:
    """Who may confirm with this token; None where it is unknown or expired. Changes nothing."""
    row = Confirmation.get_or_none(Confirmation.digest == tokens.hashed(token),
                                   Confirmation.purpose == CONFIRM, Confirmation.expires > now)
    return row and Subscriber.get_by_id(row.subscriber)


def confirm(token: str, now: datetime) -> Subscriber | None:
    """Makes the subscriber of this token active; may be repeated. None as for pending()."""
    with db.atomic():
        subscriber = pending(token, now)
        if subscriber and subscriber.state == "pending":
            _activate(subscriber, now, "form")
        return subscriber


def by_link(token: str) -> Subscriber | None:
    """Whose link this is, as it stands in their mails."""
    number = tokens.verify(link_key(), LINK, token)
    return Subscriber.get_or_none(Subscriber.id == number) if number is not None else None


def cancel(subscriber: Subscriber, now: datetime) -> None:
    """Ends a subscription; may be repeated. Mails still in the outbox are dropped when their turn comes."""
    if subscriber.state != "cancelled":
        subscriber.state, subscriber.cancelled = "cancelled", now
        subscriber.save()


def speak(subscriber: Subscriber, language: str) -> None:
    """From the next mail on, in this language; `ko` or `en`."""
    subscriber.language = language
    subscriber.save(only=[Subscriber.language])


def can_take_back(subscriber: Subscriber, now: datetime) -> bool:
    """Whether cancel() can be undone by the same link: within the hour, by who had confirmed before."""
    return bool(subscriber.state == "cancelled" and subscriber.confirmed
                and now - subscriber.cancelled < _TAKE_BACK)


def take_back(subscriber: Subscriber, now: datetime) -> None:
    """Undoes cancel() where that can be."""
    if can_take_back(subscriber, now):
        subscriber.state, subscriber.cancelled = "active", None
        subscriber.save()


def forget(subscriber: Subscriber, now: datetime) -> None:
    """Erases a subscriber: the address, the consents, what relays said of them. Counts stay.

    So does the keyed hash of the address, that no import brings it back.
    """
    with db.atomic():
        Suppression.insert(address=tokens.address_hash(link_key(), subscriber.email), reason="erased",
                           since=now).on_conflict_ignore().execute()
        _erase(subscriber)


def _erase(subscriber: Subscriber) -> None:
    with db.atomic():
        mails = Delivery.subscriber == subscriber
        Delivery.update(state="dropped").where(mails, Delivery.state.in_(OPEN_STATES)).execute()
        Delivery.update(reply="").where(mails).execute()
        subscriber.delete_instance()


def erase_unconfirmed(now: datetime) -> int:
    """Requests that nobody confirmed within seven days are erased; how many."""
    old = list(Subscriber.select().where(Subscriber.state == "pending",
                                         Subscriber.created <= now - _PENDING_FOR))
    for subscriber in old:
        _erase(subscriber)
    return len(old)
