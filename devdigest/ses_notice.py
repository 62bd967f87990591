"""Amazon's news of a mail, where its topic is subscribed to by e-mail: JSON in plain text, unsigned."""
import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from devdigest.bounce_notice import address
from devdigest.bounce_words import meaning, status_in
from devdigest.feedback import Feedback, Kind
from devdigest.mime import Mail

_FOLD = "!\n "          # what Amazon's own relay puts into lines of over 998 octets


def notified(mail: Mail) -> list[Feedback]:
    """[] where it is no such mail."""
    with suppress(ValueError, RecursionError):      # cut off, no JSON, or JSON as deep as a stranger likes
        news = words(mail)
        document, _ = json.JSONDecoder().raw_decode(news[news.index("{"):])
        return list(_told(_table(document)))
    return []


def words(mail: Mail) -> str:
    """The news as it was before the relay folded it, with the headers of our mail; "" where it is none."""
    return mail.words.replace(_FOLD, "") if mail.headers.first("x-amz-sns-message-id") else ""


def _told(news: dict[str, Any]) -> Iterator[Feedback]:
    kind = news.get("notificationType") or news.get("eventType")
    sent, event = _table(news.get("mail")), {}
    match kind:
        case "Bounce":
            event = _table(news.get("bounce"))
            for one in _tables(event.get("bouncedRecipients")):
                yield _bounced(one, event.get("bounceType") == "Permanent", _word(event, "feedbackId"))
        case "Complaint":
            event = _table(news.get("complaint"))
            for one in _tables(event.get("complainedRecipients")):
                yield Feedback(kind=Kind.COMPLAINT, reason="abuse", event=_word(event, "feedbackId"),
                               recipient=address(_word(one, "emailAddress")))
        case "Delivery":
            recipients = sent.get("destination")
            for one in recipients if isinstance(recipients, list) else []:
                yield Feedback(kind=Kind.OTHER, reason="delivered", recipient=address(str(one)))


def _bounced(one: dict[str, Any], permanent: bool, event: str) -> Feedback:
    said = _word(one, "diagnosticCode")
    status = status_in(_word(one, "status"))
    kind, reason = meaning(status, said)
    return Feedback(kind=kind, reason=reason, recipient=address(_word(one, "emailAddress")), status=status,
                    said=said, permanent=permanent and kind is Kind.HARD, event=event)


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _tables(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _word(table: dict[str, Any], name: str) -> str:
    value = table.get(name)
    return value if isinstance(value, str) else ""
