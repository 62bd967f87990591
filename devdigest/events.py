"""Providers' events: JSON as they post it → Feedback. Believes all that it reads: `signatures` comes before.

Fields that nobody knows are passed over, as are events that say nothing of a mail's fate (opened, clicked).
"""
import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from devdigest import fates
from devdigest.fates import Fate
from devdigest.feedback import Feedback, one_line
from devdigest.replies import enhanced

MOST_BYTES = 256 * 1024         # of a body; SNS sends no more, and batches of others stay far below
_LONGEST_ADDRESS = 254          # RFC 5321, 4.5.3.1.3
# SES returns our headers; others only what was set by headers of their own, under a name without X-
_OUR_ID = ("x-devdigest-delivery", "delivery")


class Unreadable(Exception):
    """Not JSON, or not of the shape that the provider documents."""


def document(body: bytes) -> Any:
    """The JSON of a post. Raises Unreadable."""
    if len(body) > MOST_BYTES:
        raise Unreadable(f"more than {MOST_BYTES:,} bytes")
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:       # RecursionError: [[[[[…
        raise Unreadable(f"not JSON: {type(error).__name__}") from error


def read(provider: str, posted: Any) -> list[Feedback]:
    """What a post says of each mail, in its order; nothing where it speaks of other things.

    `event` differs for each Feedback of a post, and is the same where an event is posted again.
    Raises Unreadable.
    """
    return list(_READERS[provider](posted))


def _ses(envelope: Any) -> Iterator[Feedback]:
    text = _text(envelope, "Message")
    if _text(envelope, "Type") != "Notification" or not text.startswith("{"):
        return              # "Successfully validated SNS topic …" comes as plain words
    message = document(text.encode("utf-8", "surrogatepass"))
    what = _text(message, "notificationType") or _text(message, "eventType")
    about = _at(message, what[:1].lower() + what[1:])
    fate, recipients = _ses_fate(what, about)
    if fate is None:
        return
    headers = {_text(header, "name").lower(): _at(header, "value")
               for header in _list(_at(message, "mail", "headers"))}
    event = f"{_id(envelope, 'MessageId')} {_id(about, 'feedbackId')}".strip()
    for number, recipient in enumerate(recipients, 1):
        yield _feedback(
            fate, _text(recipient, "emailAddress"), status=_text(recipient, "status"),
            said=_text(recipient, "diagnosticCode") or _text(about, "smtpResponse"),
            # SES sends under a Message-ID of its own, which is also what its 250 told us
            message_id=_text(headers, "message-id") or _text(message, "mail", "messageId"), ours=headers,
            envelope=_text(message, "mail", "source"),
            event=event if len(recipients) == 1 else f"{event} {number}")


def _ses_fate(what: str, about: Any) -> tuple[Fate | None, list[Any]]:
    """(fate, recipients), each with an emailAddress."""
    match what:
        case "Bounce":
            return (fates.ses_bounce(_text(about, "bounceType"), _text(about, "bounceSubType")),
                    _list(_at(about, "bouncedRecipients")))
        case "Complaint":
            # All who may have complained, where the mailbox provider keeps to itself who did. A mail of ours
            # has one reader, whom our own id names; of several, nobody is blamed by address.
            listed = _list(_at(about, "complainedRecipients"))
            sort, said = _text(about, "complaintSubType"), _text(about, "complaintFeedbackType")
            return fates.ses_complaint(sort, said), listed if len(listed) == 1 else [{}]
        case "Delivery":
            return fates.DELIVERED, [{"emailAddress": one} for one in _list(_at(about, "recipients"))]
        case "DeliveryDelay":
            return fates.DELAYED, _list(_at(about, "delayedRecipients"))
    return None, []


def _mailgun(posted: Any) -> Iterator[Feedback]:
    data = _at(posted, "event-data")
    if not isinstance(data, dict):
        raise Unreadable("no event-data")
    status, headers = _at(data, "delivery-status"), _at(data, "message", "headers")
    words = _text(status, "message") or _text(status, "description") or _text(data, "reject", "reason")
    fate = fates.mailgun(_text(data, "event"), _text(data, "severity"), _text(data, "reason"))
    if fate:
        yield _feedback(fate, _text(data, "recipient"), said=f"{_id(status, 'code')} {words}",
                        event=_id(data, "id"), message_id=_text(headers, "message-id"),
                        ours=_at(data, "user-variables"), envelope=_text(data, "envelope", "sender"))


def _sendgrid(posted: Any) -> Iterator[Feedback]:
    if not isinstance(posted, list):
        raise Unreadable("not a list of events")
    for data in posted:
        reason = _text(data, "reason")
        fate = fates.sendgrid(_text(data, "event"), _text(data, "type"), reason)
        if fate:
            yield _feedback(fate, _text(data, "email"), status=_text(data, "status"),
                            said=reason or _text(data, "response"), event=_id(data, "sg_event_id"),
                            message_id=_text(data, "smtp-id"), ours=data)


def _brevo(posted: Any) -> Iterator[Feedback]:
    for data in posted if isinstance(posted, list) else [posted]:
        if not isinstance(data, dict):
            raise Unreadable("not an event")
        fate = fates.brevo(_text(data, "event"))
        if fate:
            # Brevo's `id` is the webhook's, not the event's
            named = "\n".join(_id(data, name) for name in ("event", "email", "message-id", "ts_event"))
            pairs = _text(data, "X-Mailin-custom").split("|")           # "delivery:17|…"
            yield _feedback(fate, _text(data, "email"), said=_text(data, "reason"),
                            message_id=_text(data, "message-id"),
                            ours=dict(pair.partition(":")[::2] for pair in pairs),
                            event=hashlib.sha256(named.encode()).hexdigest())


def _postmark(posted: Any) -> Iterator[Feedback]:
    if not isinstance(posted, dict):
        raise Unreadable("not an event")
    fate = fates.postmark(_text(posted, "RecordType"), _text(posted, "Type"), posted.get("Inactive") is True)
    if fate:
        yield _feedback(fate, _text(posted, "Email") or _text(posted, "Recipient"),
                        said=_text(posted, "Details") or _text(posted, "Description"),
                        event=_id(posted, "ID") or _text(posted, "MessageID"),      # a delivery has no ID
                        message_id=_text(posted, "MessageID"), ours=_at(posted, "Metadata"))


_READERS: dict[str, Callable[[Any], Iterator[Feedback]]] = {
    "ses": _ses, "mailgun": _mailgun, "sendgrid": _sendgrid, "brevo": _brevo, "postmark": _postmark}
PROVIDERS = tuple(_READERS)


def _feedback(fate: Fate, recipient: str, *, said: str, event: str, message_id: str, ours: Any,
              status: str = "", envelope: str = "") -> Feedback:
    said = one_line(said)
    status = enhanced(status) or enhanced(said)
    settled = fates.settle(fate, status, said)
    values = {name.lower(): value for name, value in ours.items()} if isinstance(ours, dict) else {}
    delivery = next(filter(None, (_id(values, name) for name in _OUR_ID)), "")
    token = envelope.rpartition("@")[0].partition("+")[2]       # VERP: bounce+TOKEN@
    return Feedback(kind=settled.kind, reason=settled.reason, permanent=settled.permanent,
                    recipient=_address(recipient), status=status, said=said, event=event,
                    message_id=one_line(message_id).strip("<>"), delivery=delivery,
                    tokens=(one_line(token),) if token else ())


def _address(text: str) -> str:
    """As reported, `Ada <ada@example.org>` too; "" where it is none."""
    address = text.partition("<")[2].partition(">")[0] if "<" in text else text.strip()
    local, at, domain = address.rpartition("@")
    fine = local and domain and address.isprintable() and " " not in address
    return f"{local}{at}{domain.lower()}" if fine and len(address) <= _LONGEST_ADDRESS else ""


def _at(value: Any, *path: str) -> Any:
    """What lies there; None where nothing does."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _text(value: Any, *path: str) -> str:
    found = _at(value, *path)
    return found if isinstance(found, str) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _id(value: Any, name: str) -> str:
    """A text or a whole number, exact beyond 2^53 as well; "" where it is neither."""
    found = _at(value, name)
    return one_line(str(found)) if isinstance(found, str | int) and not isinstance(found, bool) else ""


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")
