"""What a relay says and what that means for the queue: a table, judged without a socket.

Also the words both ways of mailing share: the reply, the errors, and which addresses an envelope may hold.
"""
import re
from collections.abc import Container
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import NamedTuple

_SHOWN = 300                    # characters of a reply that are kept; enough for the reason and a link
_LONGEST_ADDRESS = 254          # RFC 5321, 4.5.3.1.3, without the angle brackets
_ENVELOPE_ADDRESS = re.compile(r"[!-;=?-~]+@[!-;=?-~]+")        # printable ASCII without space, < and >


class Stage(StrEnum):
    CONNECT = "connect"         # greeting and EHLO
    TLS = "tls"
    LOGIN = "login"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"               # refused before the message, and the reply to its final dot


class Outcome(Enum):
    ACCEPTED = "accepted"       # 2yz: the relay is now responsible for the message (RFC 5321, 4.2.5)
    DEFERRED = "deferred"       # this reader, later
    REFUSED = "refused"         # this reader, not again
    THROTTLED = "throttled"     # busy, or we are too fast: the same message again, slower
    QUOTA = "quota"             # the day's quota is used up: stop, keep the queue
    ACCOUNT = "account"         # login, sender or account refused: stop, keep the queue, tell the owner
    CONTENT = "content"         # what we say is refused, not to whom: blames no subscriber
    PROTOCOL = "protocol"       # our fault or a misunderstanding: once more after RSET, then stop


class _Row(NamedTuple):
    stages: Container[Stage]
    code: str                   # patterns that must fit whole; "" fits everything
    status: str                 # enhanced status code (RFC 3463)
    words: str                  # pattern found anywhere in the text, addresses left out
    outcome: Outcome


_ANY = tuple(Stage)
_READER = (Stage.RCPT, Stage.DATA)      # one recipient a transaction: a reply to the data may speak of them
_ENTRY = (Stage.CONNECT, Stage.TLS, Stage.MAIL)

_QUOTA_WORDS = r"daily\b.{0,40}\b(quota|limit)"                         # SES, Gmail
_RATE_WORDS = (r"throttl|(sending|message|submission) rate|rate limit|relay limit|frequency limited"
               r"|too many (messages|mails|e-?mails|connections|concurrent)")
_SENDER_WORDS = (r"\bnot verified|sender address rejected|sender verif(y|ication) failed|client host rejected"
                 r"|relay(ing)? (access )?(denied|not permitted|prohibited)|send as this sender")

# The first row that fits decides: first what can only mean the address, then words and statuses that name the
# cause, at last the bare code.
_TABLE = (
    _Row(_ANY, "2..", "", "", Outcome.ACCEPTED),
    _Row(_READER, "5..", r"5\.1\.([1-6]|10)|5\.2\.1", "", Outcome.REFUSED),             # no such mailbox
    _Row(_READER, "5..", r"5\.2\.2", "", Outcome.DEFERRED),                             # mailbox full
    # quota and speed
    _Row(_ANY, "[45]..", "", _QUOTA_WORDS, Outcome.QUOTA),
    _Row(_ANY, "5..", r"5\.4\.5", "", Outcome.QUOTA),
    _Row(_ANY, "421|454", "", "", Outcome.THROTTLED),
    _Row(_ANY, "4..", r"4\.3\.[12]|4\.4\.[25]|4\.5\.3|4\.7\.0|4\.1\.[78]", "", Outcome.THROTTLED),
    _Row(_ANY, "[45]..", "", _RATE_WORDS, Outcome.THROTTLED),
    # login, sender, account
    _Row(_ANY, "525|530|534|535|538", "", "", Outcome.ACCOUNT),
    _Row(_ANY, "5..", r"5\.7\.[89]|5\.1\.[78]", "", Outcome.ACCOUNT),
    _Row(_ANY, "5..", "", _SENDER_WORDS, Outcome.ACCOUNT),
    _Row((Stage.LOGIN,), "[35]..", "", "", Outcome.ACCOUNT),
    # the message
    _Row((*_READER, Stage.MAIL), "5..", r"5\.3\.4|5\.2\.3", "", Outcome.CONTENT),       # too big
    _Row((Stage.RCPT,), "5..", r"5\.6\.7", "", Outcome.REFUSED),                        # needs SMTPUTF8
    _Row(_READER, "5..", r"5\.[67]\..*", "", Outcome.CONTENT),
    _Row(_ENTRY, "5..", r"5\.7\..*", "", Outcome.ACCOUNT),
    # syntax: of the address where it is one, else ours
    _Row((Stage.RCPT,), "501", "", "", Outcome.REFUSED),
    _Row((Stage.RCPT,), "504", r"5\.5\.2", "", Outcome.REFUSED),                        # no full domain
    _Row(_ANY, "5..", r"5\.5\.[14]", "", Outcome.PROTOCOL),
    _Row(_ANY, "50[0234]|555", "", "", Outcome.PROTOCOL),
    # what is left: by first digit and stage
    _Row((Stage.RCPT,), "552", "", "", Outcome.DEFERRED),
    _Row((Stage.RCPT,), "4..", "", "", Outcome.DEFERRED),
    _Row((Stage.DATA,), "4..", r"4\.[12]\..*", "", Outcome.DEFERRED),
    _Row(_ANY, "4..", "", "", Outcome.THROTTLED),
    _Row((Stage.RCPT,), "5..", "", "", Outcome.REFUSED),
    _Row((Stage.DATA,), "5..", "", "", Outcome.CONTENT),
    _Row(_ENTRY, "5..", "", "", Outcome.ACCOUNT),
    _Row(_ANY, "...", "", "", Outcome.PROTOCOL),
)
_STATUS = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?!\d|\.\d)")     # not a part of an IP address
_ECHOED_ADDRESS = re.compile(r"\S+@\S+")


def judge(stage: Stage, code: int, text: str) -> Outcome:
    """What a reply at `stage` means; `code` has three digits, `text` is what follows it, of all lines."""
    status = enhanced(text)
    if not status.startswith(str(code)[0]):     # they must agree (RFC 2034, 4); where not, the code is obeyed
        status = ""
    said = _ECHOED_ADDRESS.sub("", text)        # a mailbox named throttle@ decides nothing
    return next(row.outcome for row in _TABLE if stage in row.stages
                and re.fullmatch(row.code, str(code))
                and re.fullmatch(row.status or ".*", status)
                and re.search(row.words, said, re.IGNORECASE))


def nameless(said: str) -> str:
    """A reply for the log, where no addresses stand."""
    return _ECHOED_ADDRESS.sub("…", said)


def enhanced(text: str) -> str:
    """The first enhanced status code in a reply's text, "5.1.1"; "" where there is none."""
    found = _STATUS.search(text)
    return found[0] if found else ""


@dataclass(frozen=True)
class Reply:
    """What the relay said; str() is one printable line for the records."""
    stage: Stage
    code: int
    text: str

    @property
    def outcome(self) -> Outcome:
        return judge(self.stage, self.code, self.text)

    @property
    def is_busy(self) -> bool:
        """Whether the same mail may go after a while, or over another line."""
        return self.outcome in (Outcome.THROTTLED, Outcome.PROTOCOL)

    def __str__(self) -> str:
        printable = "".join(char if char.isprintable() else " " for char in f"{self.code} {self.text}")
        return " ".join(printable.split())[:_SHOWN]


class RelayError(Exception):
    """The relay could not be asked, which blames no subscriber: where, why and, where known, the cure.

    `reply` is its refusal, if it gave one; `outcome` is None where it is plainly down.
    """

    def __init__(self, words: str, reply: Reply | None = None, outcome: Outcome | None = None) -> None:
        super().__init__(words)
        self.reply = reply
        self.outcome = outcome or (reply.outcome if reply else None)


class Dropped(RelayError):
    """The line broke before the final dot was sent: the relay has not got the message, for certain."""


class InDoubt(RelayError):
    """The line broke, or stayed silent, after the final dot was sent: the relay may have the message."""


class Envelope(NamedTuple):
    """From whom to whom, and whether the message has bytes above 127, which is announced (RFC 6152)."""
    sender: str
    recipient: str
    eight_bit: bool = False


def check_envelope(sender: str, recipient: str) -> None:
    """Raises ValueError unless both are ASCII addresses that fit a command (RFC 5321, 4.1.2) or a header."""
    for role, address in (("sender", sender), ("recipient", recipient)):
        if len(address) > _LONGEST_ADDRESS or not _ENVELOPE_ADDRESS.fullmatch(address):
            raise ValueError(f"{role}: not an ASCII address on one line")
