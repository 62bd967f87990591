"""When what came back ends in silence: points of an address, and the alarm of an issue. Pure.

One wrong word of one server must not cost a reader, and one broken relay must not empty the list.
"""
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from devdigest.feedback import NO_FAULT_OF_THE_READER, Kind

# The mailbox itself says that it is not there, or moved without a word (RFC 3463, 3.2; RFC 7505 has 5.1.10).
_DEAD = ("5.1.1", "5.1.6", "5.1.10")

_DAYS_OF_DOUBT = 2          # on which it is hard in any other way: DNS and directories have bad days
_SOFT_DAYS = 7              # a point a day: a mailbox that is full for a week may yet be emptied, not after
_MEMORY = timedelta(days=30)

# Of an issue's mails. Five dead addresses in a list of eighty are nothing strange after an import, nor is one
# who calls it spam among a hundred: so few of them are no sign of a fault, unless nobody gets it at all.
_MOST_HARD, _LEAST_HARD = 0.05, 6
_MOST_COMPLAINTS, _LEAST_COMPLAINTS = 0.003, 3      # 0.3 %: from there on Gmail refuses a sender's mails


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One report of an address, as it counts."""
    day: date
    kind: Kind
    reason: str
    status: str = ""
    by_relay: bool = False      # refused by our own relay, or accepted: no word of the mailbox's own server
    proven: bool = True
    permanent: bool = False


def verdict(history: Iterable[Mark], today: date) -> str:
    """Why an address is to be suppressed: "bounce", "complaint"; "" where it is not. Oldest first."""
    standing = _standing(history)
    if any(_is_complaint(mark) for mark in standing):
        return "complaint"
    counted = [mark for mark in standing if _counts(mark)]
    hard = [mark for mark in counted if mark.kind is Kind.HARD and mark.proven]
    if any(mark.permanent or mark.status in _DEAD for mark in hard):
        return "bounce"
    if len({mark.day for mark in hard}) >= _DAYS_OF_DOUBT:
        return "bounce"
    lately = [mark for mark in counted if mark.day > today - _MEMORY]
    # Whoever knows our bounce address can write a report a day: alone these end nothing.
    proven = any(mark.proven for mark in lately)
    return "bounce" if proven and len({mark.day for mark in lately}) >= _SOFT_DAYS else ""


def clears(mark: Mark) -> bool:
    """Whether it tells that the mailbox takes mail after all."""
    return mark.proven and mark.reason == "delivered"


def _standing(history: Iterable[Mark]) -> list[Mark]:
    """What no later delivery has cleared. That our relay took a mail clears only what it refused itself."""
    standing: list[Mark] = []
    for mark in history:
        if clears(mark):
            standing = [one for one in standing
                        if _is_complaint(one) or (mark.by_relay and not one.by_relay)]
        else:
            standing.append(mark)
    return standing


def _is_complaint(mark: Mark) -> bool:
    return mark.proven and (mark.kind is Kind.COMPLAINT or mark.reason == "opt-out")


def _counts(mark: Mark) -> bool:
    return mark.kind in (Kind.HARD, Kind.SOFT) and mark.reason not in NO_FAULT_OF_THE_READER


def alarm(mailed: int, hard: int, complaints: int, ours: int = 0) -> str:
    """Why what came back of an issue cannot be right, or is our own fault; "" where it can.

    `ours`: mails refused for what we are or how we send. All count readers, each once.
    """
    for count, most, least, words in (
            (hard, _MOST_HARD, _LEAST_HARD, "bounced"),
            (complaints, _MOST_COMPLAINTS, _LEAST_COMPLAINTS, "were called spam"),
            (ours, _MOST_HARD, _LEAST_HARD, "were refused for what we are or how we send")):
        if count > most * mailed and (count >= least or 1 < mailed <= count):
            return f"{count:,} of {mailed:,} mails {words}"
    return ""
