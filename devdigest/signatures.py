"""Who says so: what a provider's post must carry to be believed. No socket, file or clock.

Shared secrets are judged here; of RSA and ECDSA it says what must fit which key. To judge a post later,
its body must be kept byte for byte, with HEADERS and the time it came.
"""
import base64
import binascii
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

# All that is needed of a post's headers. Authorization holds a secret: it goes when the post is worked off.
HEADERS = ("x-twilio-email-event-webhook-signature", "x-twilio-email-event-webhook-timestamp",
           "authorization")

# Mailgun posts again for 8 hours, as it seems with the first signature; clocks may differ a little.
_MAILGUN_OLD, _MAILGUN_AHEAD = timedelta(hours=9), timedelta(minutes=5)

_TOPIC = re.compile(r"arn:(aws|aws-cn|aws-us-gov):sns:([a-z]{2}(?:-[a-z]+)+-\d):\d{12}:[A-Za-z0-9_-]{1,256}")
_DIGESTS = {"1": "sha1", "2": "sha256"}                 # SNS's SignatureVersion
_NOTICE = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_SIGNED_FIELDS = {"Notification": _NOTICE, "SubscriptionConfirmation": _CONFIRMATION,
                  "UnsubscribeConfirmation": _CONFIRMATION}
_PEM_BEGINS, _PEM_ENDS = "-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----"


class NotTheirs(Exception):
    """Nothing proves that it comes from the provider; says what is missing."""


@dataclass(frozen=True)
class Claim:
    """Theirs if, and only if, `signature` over `text` fits their public key."""
    text: bytes
    signature: bytes
    digest: str                     # "sha1" or "sha256"


@dataclass(frozen=True)
class Confirm:
    """SNS asks whether its topic may post here: opening `url` says yes."""
    url: str


def is_topic(arn: str) -> bool:
    """Whether it is the ARN of an SNS topic, such as arn:aws:sns:ap-northeast-2:111122223333:feedback."""
    return bool(_TOPIC.fullmatch(arn))


def sns(envelope: Any, topic: str) -> tuple[str, Claim]:
    """(URL of the certificate, what must fit its key), of a message to `topic`. Raises NotTheirs."""
    fields = envelope if isinstance(envelope, dict) else {}
    if fields.get("TopicArn") != topic:
        raise NotTheirs("not of the topic that is configured")
    certificate = _text(fields, "SigningCertURL")
    # AWS serves much else under its name, so the file's name counts as well as the host's
    if not re.fullmatch(rf"https://{re.escape(_host(topic))}/SimpleNotificationService-[0-9a-f]{{32}}\.pem",
                        certificate):
        raise NotTheirs("the certificate does not lie at SNS")
    digest = _DIGESTS.get(_text(fields, "SignatureVersion"))
    names = _SIGNED_FIELDS.get(_text(fields, "Type"))
    if digest is None or names is None:
        raise NotTheirs("a type of message, or of signature, that is not known")
    signed = [(name, _text(fields, name)) for name in names
              if not (name == "Subject" and fields.get(name) is None)]
    text = "".join(f"{name}\n{value}\n" for name, value in signed)
    return certificate, Claim(_octets(text), _base64(_text(fields, "Signature")), digest)


def subscription(envelope: Mapping[str, Any], topic: str) -> Confirm:
    """What confirms the subscription, of a message whose claim held. Raises NotTheirs."""
    url = _text(envelope, "SubscribeURL")
    query = parse_qs(urlsplit(url).query) if re.fullmatch(
        rf"https://{re.escape(_host(topic))}/\?[A-Za-z0-9=&:%._~-]+", url) else {}
    if query.get("Action") != ["ConfirmSubscription"] or query.get("TopicArn") != [topic]:
        raise NotTheirs("the subscription is not confirmed at SNS, or not of this topic")
    return Confirm(url)


def mailgun(document: Any, key: str, now: datetime) -> None:
    """Raises NotTheirs unless signed with `key`, not long before `now`, the time when the post came.

    Mailgun's signature does not cover the body, so it is good for a short while only.
    """
    given = document.get("signature") if isinstance(document, dict) else None
    fields = given if isinstance(given, dict) else {}
    timestamp, token = str(fields.get("timestamp", "")), _text(fields, "token")
    if not re.fullmatch(r"[0-9]{9,11}", timestamp):
        raise NotTheirs("no signature")
    expected = hmac.new(_secret(key), _octets(timestamp + token), "sha256").hexdigest()
    if not _same(_text(fields, "signature"), expected):
        raise NotTheirs("the signature is not Mailgun's")
    age = timedelta(seconds=now.timestamp() - int(timestamp))
    if not -_MAILGUN_AHEAD <= age <= _MAILGUN_OLD:
        raise NotTheirs("the signature is too old, or of the future")


def sendgrid(headers: Mapping[str, str], body: bytes) -> Claim:
    """What must fit SendGrid's verification key. Raises NotTheirs."""
    timestamp = _header(headers, "x-twilio-email-event-webhook-timestamp")
    signature = _base64(_header(headers, "x-twilio-email-event-webhook-signature"))
    if not timestamp or not signature:
        raise NotTheirs("no signature")
    return Claim(_octets(timestamp) + body, signature, "sha256")


def pem(key: str) -> bytes:
    """A public key as openssl reads it, from what SendGrid shows: base64 on one line. Raises NotTheirs."""
    lines = re.findall(r".{1,64}", "".join(key.replace(_PEM_BEGINS, "").replace(_PEM_ENDS, "").split()))
    if not _base64("".join(lines)):
        raise NotTheirs("no public key is configured")
    return "\n".join([_PEM_BEGINS, *lines, _PEM_ENDS, ""]).encode()


def authorized(headers: Mapping[str, str], secret: str) -> None:
    """Raises NotTheirs unless they carry `secret`: "USER:PASSWORD" by Basic, any by Bearer (RFC 7617, 6750).

    For providers that sign nothing. Nobody has an empty one.
    """
    scheme, _, given = _header(headers, "authorization").strip().partition(" ")
    shown = given.strip().encode("utf-8", "surrogatepass")
    if scheme.lower() == "basic":
        shown = _base64(given.strip())
    if scheme.lower() not in ("basic", "bearer") or not hmac.compare_digest(shown, _secret(secret)):
        raise NotTheirs("it carries no credentials of ours")


def _host(topic: str) -> str:
    """Where SNS answers for the topic's region: no other host's word counts, and none other is asked."""
    found = _TOPIC.fullmatch(topic)
    if not found:
        raise NotTheirs("not of the topic that is configured")
    return f"sns.{found[2]}.amazonaws.com{'.cn' if found[1] == 'aws-cn' else ''}"


def _secret(key: str) -> bytes:
    if not key:
        raise NotTheirs("no key is configured")
    return key.encode()


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(_octets(given), expected.encode())


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((value for key, value in headers.items() if key.lower() == name), "")


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")        # JSON may hold what is no text


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
