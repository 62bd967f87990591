"""What became of a mail after the relay took it, as a bounce, a complaint or a provider's event tells it.

One form for all of them. Says what was reported; whether that is believed, and what follows, is the step's.
"""
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    HARD = "hard"                   # the address is dead, as far as the reporter says
    SOFT = "soft"                   # this mail did not arrive, or late; says little of the address
    COMPLAINT = "complaint"         # the reader called it spam
    UNSUBSCRIBE = "unsubscribe"     # the reader wants no more
    AUTO_REPLY = "auto-reply"
    OTHER = "not-a-bounce"          # a delivery notice, a report about us, a human being


# Why, in one word. Of a hard or soft bounce; only the first seven speak of the address and not of us.
REASONS = ("user-unknown", "host-unknown", "mailbox-full", "disabled", "rejected", "expired", "undetermined",
           "delayed", "policy", "auth-failure", "throttled", "too-big",
           # of the other kinds
           "abuse", "opt-out", "list-unsubscribe-mailto", "vacation", "auto-response", "delivered",
           "auth-failure-report", "not-spam", "plain-mail", "provider-suppressed")
NO_FAULT_OF_THE_READER = ("delayed", "policy", "auth-failure", "throttled", "too-big")

_SHOWN = 300        # characters of a diagnostic that are kept


@dataclass(frozen=True, kw_only=True)
class Feedback:
    """About one recipient of one mail. A report about several is a Feedback for each."""
    kind: Kind
    reason: str                     # one of REASONS
    recipient: str = ""             # as reported, lower-cased domain; "" where it is withheld
    original: str = ""              # whom we had mailed, where that is another, as with an alias: rather this
    status: str = ""                # enhanced status code as the report carries it (RFC 3463)
    said: str = ""                  # in the reporter's words, one printable line
    permanent: bool = False         # the provider itself calls the address dead for good
    # What of our own the report gives back. None of it is proof before its signature was checked.
    message_id: str = ""            # without angle brackets
    delivery: str = ""              # our X-DevDigest-Delivery
    tokens: tuple[str, ...] = ()    # of links, List-Unsubscribe and the envelope sender
    event: str = ""                 # the reporter's own id of this report; "" where it has none


def one_line(text: str) -> str:
    """A diagnostic as it is kept: printable, on one line, not too long."""
    printable = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.split())[:_SHOWN]
