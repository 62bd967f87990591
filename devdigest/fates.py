"""What providers' words for the fate of a mail mean: a table for each, and one for the words of mail servers.

None: it says nothing of a mail's fate, or nothing that is known. No JSON here, and nothing of who said so.
"""
import re
from collections.abc import Callable
from typing import NamedTuple

from devdigest.feedback import NO_FAULT_OF_THE_READER, Kind
from devdigest.replies import enhanced, nameless


class Fate(NamedTuple):
    kind: Kind
    reason: str = ""            # "": as the mail server's status and words tell
    permanent: bool = False     # the provider itself mails there no more


_BOUNCES = (Kind.HARD, Kind.SOFT)

_ABUSE = Fate(Kind.COMPLAINT, "abuse")
_LEFT = Fate(Kind.UNSUBSCRIBE, "opt-out")
DELIVERED = Fate(Kind.OTHER, "delivered")
_ANSWERED = Fate(Kind.AUTO_REPLY, "auto-response")
DELAYED = Fate(Kind.SOFT, "delayed")                               # they go on trying
_SUPPRESSED = Fate(Kind.HARD, "provider-suppressed", True)          # on a list of theirs; nothing was tried
_DEAD, _HARD, _SOFT = Fate(Kind.HARD, permanent=True), Fate(Kind.HARD), Fate(Kind.SOFT)
_NO_USER = Fate(Kind.HARD, "user-unknown", True)
_EXPIRED = Fate(Kind.SOFT, "expired")
_OUR_FAULT = Fate(Kind.SOFT, "policy")                              # the mail's or the sender's

_SES_BOUNCES = {("Permanent", ""): _DEAD, ("Permanent", "Suppressed"): _SUPPRESSED,
                ("Permanent", "OnAccountSuppressionList"): _SUPPRESSED,
                ("Transient", "MailboxFull"): Fate(Kind.SOFT, "mailbox-full"),
                ("Transient", "MessageTooLarge"): Fate(Kind.SOFT, "too-big"),
                ("Transient", "ContentRejected"): _OUR_FAULT, ("Transient", "AttachmentRejected"): _OUR_FAULT,
                ("Transient", ""): _SOFT, ("Undetermined", ""): _SOFT}
_SES_COMPLAINTS = {"not-spam": None, "opt-out": _LEFT,      # else abuse, fraud, virus, other, or nothing said
                   "auth-failure": Fate(Kind.OTHER, "auth-failure-report")}
_MAILGUN = {"complained": _ABUSE, "unsubscribed": _LEFT, "delivered": DELIVERED, "rejected": _OUR_FAULT}
_MAILGUN_FAILURES = {"bounce": _DEAD, "old": _EXPIRED, "espblock": _OUR_FAULT}
_SENDGRID = {"spamreport": _ABUSE, "unsubscribe": _LEFT, "group_unsubscribe": _LEFT, "delivered": DELIVERED,
             "deferred": DELAYED}
_SENDGRID_BOUNCES = {"bounce": _DEAD, "blocked": _SOFT, "expired": _EXPIRED}
# dropped for other reasons: our headers, our content, our quota
_SENDGRID_LISTS = ("bounced address", "spam reporting address", "unsubscribed address", "invalid")
_BREVO = {"hard_bounce": _DEAD, "invalid_email": _NO_USER, "soft_bounce": _SOFT, "deferred": DELAYED,
          "blocked": _SUPPRESSED, "error": _OUR_FAULT, "spam": _ABUSE, "complaint": _ABUSE,
          "unsubscribed": _LEFT, "delivered": DELIVERED}
_POSTMARK = {"SpamComplaint": _ABUSE, "Delivery": DELIVERED}       # by RecordType
_POSTMARK_BOUNCES = {"HardBounce": _HARD, "BadEmailAddress": Fate(Kind.HARD, "user-unknown"),
                     "SoftBounce": _SOFT, "Undeliverable": _SOFT, "Unknown": _SOFT, "Transient": DELAYED,
                     "DnsError": Fate(Kind.SOFT, "host-unknown"), "SpamComplaint": _ABUSE,
                     "ManuallyDeactivated": _SUPPRESSED, "Unsubscribe": _LEFT, "AutoResponder": _ANSWERED,
                     "ChallengeVerification": _ANSWERED, "Blocked": _OUR_FAULT,
                     "SpamNotification": _OUR_FAULT, "VirusNotification": _OUR_FAULT,
                     "DMARCPolicy": Fate(Kind.SOFT, "auth-failure")}

# Said of a sender, some with the status of a dead address; hence before any status.
_OF_US = ((r"throttl|frequency limited|rate limit|too many (messages|mails|connections)", "throttled"),
          (r"\b(dmarc|dkim|spf)\b|unauthenticated", "auth-failure"))
_BY_STATUS = ((r".\.7\.650", "throttled"), (r".\.7\.(2\d|509|515)", "auth-failure"),
              (r".\.[67]\.\d+", "policy"),
              (r".\.1\.(1|6|10)", "user-unknown"), (r".\.1\.2|5\.4\.4", "host-unknown"),
              (r".\.2\.1", "disabled"), (r".\.2\.2", "mailbox-full"), (r".\.3\.4|.\.2\.3", "too-big"),
              (r"4\.4\.[17]|5\.4\.7", "expired"))
_BY_WORDS = ((r"\b(mailbox|inbox) (is )?full|over ?quota|quota exceeded", "mailbox-full"),
             (r"(host|domain)( name)? (unknown|not found)|no mx\b", "host-unknown"),
             (r"(account|mailbox|user) (is |has been )?(disabled|inactive|suspended)", "disabled"),
             (r"unknown user|no such user|(user|recipient|mailbox|address) (is )?(unknown|not found)"
              r"|(does not|doesn't) exist", "user-unknown"),
             (r"(message|mail) (is )?too (big|large)", "too-big"),
             (r"\bspam|block(ed|list)|blacklist|\bpolicy|reputation", "policy"),
             (r"expired|timed? ?out", "expired"))


def settle(fate: Fate, status: str, said: str) -> Fate:
    """The fate with its reason; what is no fault of the reader makes no address dead."""
    reason = fate.reason or _why(status, said) or "undetermined"
    if fate.kind in _BOUNCES and reason in NO_FAULT_OF_THE_READER:
        return Fate(Kind.SOFT, reason)
    return fate._replace(reason=reason, permanent=fate.permanent and fate.kind in _BOUNCES)


def _why(status: str, said: str) -> str:
    """One of feedback.REASONS; "" where neither tells."""
    told = enhanced(said) if status.endswith(".0.0") else status    # SES: 5.0.0, and 5.2.2 in the text
    words = nameless(said)                                          # a mailbox named spam@ decides nothing
    return (_first(_OF_US, words, re.search) or _first(_BY_STATUS, told, re.fullmatch)
            or _first(_BY_WORDS, words, re.search))


def _first(table: tuple[tuple[str, str], ...], text: str, fits: Callable[..., re.Match | None]) -> str:
    return next((reason for pattern, reason in table if fits(pattern, text, re.IGNORECASE)), "")


def ses_bounce(kind: str, sort: str) -> Fate | None:
    """By bounceType and bounceSubType."""
    return _SES_BOUNCES.get((kind, sort)) or _SES_BOUNCES.get((kind, ""))


def ses_complaint(sort: str, feedback_type: str) -> Fate | None:
    """By complaintSubType and complaintFeedbackType."""
    if sort == "OnAccountSuppressionList":      # complained earlier; this mail was not even tried
        return _SUPPRESSED
    return _SES_COMPLAINTS.get(feedback_type, _ABUSE)


def mailgun(event: str, severity: str, reason: str) -> Fate | None:
    if event != "failed":
        return _MAILGUN.get(event)
    if severity == "temporary":
        return DELAYED
    return _SUPPRESSED if reason.startswith("suppress-") else _MAILGUN_FAILURES.get(reason, _HARD)


def sendgrid(event: str, sort: str, reason: str) -> Fate | None:
    if event == "bounce":
        return _SENDGRID_BOUNCES.get(sort, _HARD)
    if event == "dropped":
        return _SUPPRESSED if reason.lower() in _SENDGRID_LISTS else _OUR_FAULT
    return _SENDGRID.get(event)


def brevo(event: str) -> Fate | None:
    return _BREVO.get(event)


def postmark(record: str, sort: str, inactive: bool) -> Fate | None:
    """By RecordType and Type: TypeCode 512 is a complaint to some, a refusal as spam to others."""
    fate = _POSTMARK_BOUNCES.get(sort) if record == "Bounce" else _POSTMARK.get(record)
    return fate._replace(permanent=True) if fate and inactive else fate
