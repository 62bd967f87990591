"""The provider that mails for us, as it posts what became of the mails: proven first, read afterwards.

For work later: a post is kept as it came (its body, `signatures.HEADERS`, when), and answered at once.
"""
from collections.abc import Mapping
from datetime import datetime

from devdigest import events, openssl, signatures
from devdigest.feedback import Feedback
from devdigest.signatures import Confirm, NotTheirs
from devdigest.sns import Sns


def receive(provider: str, key: str, headers: Mapping[str, str], body: bytes, now: datetime,
            sns: Sns) -> list[Feedback] | Confirm:
    """What a post says, or what SNS asks. Order and single delivery are not promised: see Feedback.event.

    `key`, by provider: ses the topic's ARN, mailgun the HTTP webhook signing key, sendgrid the verification
    key, postmark and brevo the credentials that were chosen (`signatures.authorized`). `now`: when it came.
    Raises NotTheirs, Unreadable; FetchError and OpensslError mean that it could not be judged yet.
    """
    if provider in ("postmark", "brevo"):
        signatures.authorized(headers, key)
    elif provider == "sendgrid":
        _believe(signatures.sendgrid(headers, body), signatures.pem(key))
    document = events.document(body)
    if provider == "mailgun":
        signatures.mailgun(document, key, now)
    elif provider == "ses":
        certificate, claim = signatures.sns(document, key)
        _believe(claim, sns.public_key(certificate, now))
        if document["Type"] == "SubscriptionConfirmation":
            return signatures.subscription(document, key)
    return events.read(provider, document)


def _believe(claim: signatures.Claim, key: bytes) -> None:
    if not openssl.fits(claim, key):
        raise NotTheirs("the signature is not theirs")
