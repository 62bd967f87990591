"""What of our own a mail gives back: the ids and tokens by which a reader is found. None of it is proof.

It stands in the returned copy, in the address the report was sent to, and in what it answers.
"""
import re
from dataclasses import dataclass

from devdigest import ses_notice, tokens
from devdigest.bounce_notice import address, cut
from devdigest.mime import Headers, Mail, fields

_COPIES = ("message/rfc822", "message/global", "text/rfc822-headers", "text/rfc822-header",
           "message/global-headers", "message/rfc822-headers")      # RFC 6522, RFC 6533; mistaken
_COPY = 300_000         # characters: our mails have less
_MOST = 20              # tokens; a mail of ours has one

_TOKEN = re.compile(rf"(?<![0-9a-z])({tokens.SHAPE})(?![0-9a-z])", re.IGNORECASE)
_ID = re.compile(r"<?([!-;=?-~]{1,250})>?")
_NUMBER = re.compile(r"[\w.-]{1,100}", re.ASCII)


@dataclass(frozen=True)
class Returned:
    message_id: str
    delivery: str
    tokens: tuple[str, ...]
    to: str             # whom the copy was addressed to; "" where it names nobody, or several


def returned(mail: Mail) -> Returned:
    """What can be found, wherever the reporter put it."""
    copy = _copy(mail)
    head, _, body = copy.partition("\n\n")
    headers = fields(head)
    ours = "\n".join(value for found in (mail.headers, headers) for _, value in found.fields)
    addressed = headers.all("to")
    named = addressed[0].split(",") if len(addressed) == 1 else []
    return Returned(message_id=_message_id(mail, headers), delivery=_number(headers),
                    tokens=_tokens(f"{ours}\n{body}\n{ses_notice.words(mail)[:_COPY]}"),
                    to=address(named[0]) if len(named) == 1 else "")


def _copy(mail: Mail) -> str:
    """Soft line breaks, where a gateway quoted the copy without saying so, would cut a token in two."""
    part = mail.part(*_COPIES)
    text = part.text if part else cut(mail.words)[1]
    return text[:_COPY].replace("=\n", "").lstrip("\n")


def _message_id(mail: Mail, copy: Headers) -> str:
    report = mail.part("message/delivery-status", "message/global-delivery-status")
    said = fields(report.text).first("x-original-message-id") if report else ""      # Gmail's
    found = _ID.search(copy.first("message-id") or said or mail.headers.first("in-reply-to"))
    return found[1] if found else ""


def _number(copy: Headers) -> str:
    found = _NUMBER.search(copy.first("x-devdigest-delivery"))
    return found[0] if found else ""


def _tokens(text: str) -> tuple[str, ...]:
    """In order, each once; in lower case, since a local part may come back in capitals."""
    plain = text.replace("%20", " ").replace("=3D", "=")      # as our List-Unsubscribe spells its subject
    found = dict.fromkeys(match[1].lower() for match in _TOKEN.finditer(plain))
    return tuple(found)[:_MOST]
