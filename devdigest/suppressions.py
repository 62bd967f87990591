"""Addresses that are left in peace: suppressed ones for good, others as they were asked a short while ago.

All are known by a keyed hash alone, so that who is erased is still left in peace.
"""
from datetime import datetime, timedelta

from peewee import ModelSelect

from devdigest import tokens
from devdigest.counts import Attempt
from devdigest.memory import LINK_KEY, Setting
from devdigest.readers import Suppression
from devdigest.recipients import mailbox

_LIFTED = ("erased", "bounce")              # those that end when the address's owner agrees anew
_AN_HOUR, _A_DAY, _A_MONTH = timedelta(hours=1), timedelta(hours=24), timedelta(days=30)
_MAILS_A_MONTH = 3                          # to an address whose owner has not agreed, and one a day


def known_by(text: str) -> str:
    """What is kept instead of an address, or of the network of who asked."""
    return tokens.address_hash(Setting.read(LINK_KEY) or "", text)


def of(email: str) -> Suppression | None:
    return Suppression.get_or_none(Suppression.address == known_by(email))


def silenced(email: str) -> bool:
    """Whether an address gets no mail at all, not even one that asks: its mailbox complained, say."""
    known = (of(email), of(mailbox(email)))
    return any(one is not None and one.reason not in _LIFTED for one in known)


def lift(email: str) -> None:
    """Ends a suppression that the consent of the address's owner ends."""
    Suppression.delete().where(Suppression.address == known_by(email),
                               Suppression.reason.in_(_LIFTED)).execute()


def keep_out(email: str, now: datetime) -> None:
    """Suppresses an address that is erased, that no import brings it back."""
    Suppression.insert(address=known_by(email), reason="erased", since=now).on_conflict_ignore().execute()


def may_be_asked(email: str, now: datetime) -> bool:
    """Whether one more mail may go to an address that has not agreed: nobody can have a stranger flooded."""
    mailed = [row.asked for row in askings(email).where(Attempt.mailed, Attempt.asked > now - _A_MONTH)]
    return len(mailed) < _MAILS_A_MONTH and all(asked <= now - _A_DAY for asked in mailed)


def askings(email: str) -> ModelSelect:
    """All requests for the mailbox of an address, in whatever spelling."""
    return Attempt.select().where(Attempt.address == known_by(mailbox(email)))


def remember_asking(email: str, now: datetime, mailed: bool, network: str = "") -> None:
    """Of a visitor with `network`, as known_by() tells it; the owner has none."""
    Attempt.create(asked=now, address=known_by(mailbox(email)), network=network, mailed=mailed)


def forget_askings(now: datetime) -> None:
    """What may_be_asked() need not know any more; from which network, nobody asks after an hour."""
    Attempt.delete().where(Attempt.asked <= now - _A_MONTH).execute()
    Attempt.update(network="").where(Attempt.asked <= now - _AN_HOUR, Attempt.network != "").execute()
