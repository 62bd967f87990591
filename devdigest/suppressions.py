"""Addresses that are left in peace: suppressed ones for good, others as they were asked a short while ago.

All are known by a keyed hash alone, so that who is erased is still left in peace.
"""
import logging
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from peewee import ModelSelect, fn

from devdigest import bounce_words, departures, points, tokens
from devdigest.counts import Attempt
from devdigest.days import local_day
from devdigest.feedback import NO_FAULT_OF_THE_READER, Feedback, Kind, one_line
from devdigest.memory import LINK_KEY, Setting
from devdigest.points import Mark
from devdigest.readers import Delivery, Subscriber, Suppression
from devdigest.recipients import mailbox
from devdigest.replies import Reply, enhanced, nameless
from devdigest.reports import RELAY, Alarm, Bounce
from devdigest.table import db

log = logging.getLogger(__name__)

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


def lift(email: str) -> bool:
    """Ends a suppression that the consent of the address's owner ends; whether there was one."""
    return bool(Suppression.delete().where(Suppression.address == known_by(email),
                                           Suppression.reason.in_(_LIFTED)).execute())


def keep_out(email: str, now: datetime) -> None:
    """Suppresses an address that is erased, that no import brings it back."""
    keep_out_hash(known_by(email), now)


def keep_out_hash(address: str, now: datetime) -> None:
    """The same for who is known by the hash alone."""
    Suppression.insert(address=address, reason="erased", since=now).on_conflict_ignore().execute()


def again(address: str, reason: str, since: datetime) -> bool:
    """Suppresses an address that was so before a restore; whether this is new."""
    known = Suppression.get_or_none(Suppression.address == address)
    if not _outweighs(reason, known):
        return False
    Suppression.replace(address=address, reason=reason, evidence="before a restore", since=since).execute()
    return True


def forget_words(email: str) -> None:
    """What a host said of an erased reader may name them, though by no address; why and since when stays."""
    Suppression.update(evidence="").where(Suppression.address == known_by(email)).execute()


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


# what came back

def bounced(report: Feedback, subscriber: Subscriber, mail: Delivery | None, now: datetime, zone: ZoneInfo, *,
            source: str = RELAY, proven: bool = True) -> str:
    """Records what was reported of a reader's mail; what followed, as in Bounce.followed. May come twice.

    `proven`: a signature shows that it is about a mail of ours, or our own relay says so. May hold all mail.
    """
    row = Bounce(subscriber=subscriber, address=known_by(subscriber.email), delivery=mail,
                 issue=mail and mail.issue, at=now, day=local_day(now, zone), kind=report.kind,
                 reason=report.reason, status=one_line(report.status),
                 said=nameless(one_line(report.said)), source=source, proven=proven,
                 permanent=report.permanent and proven, event=one_line(report.event))
    with db.atomic():
        if not _tells_something(row):
            return ""
        row.save()
        if proven and row.issue is not None:
            _look_at(row.issue, now)
        _judge(row, subscriber, now, zone)
    return row.followed


def refused(reply: Reply, subscriber: Subscriber, mail: Delivery, now: datetime, zone: ZoneInfo) -> str:
    """The same for what our own relay says of a recipient, whom it takes no mail for."""
    if mail.purpose == "move":
        return ""               # that address is not theirs yet
    kind, reason = bounce_words.meaning(enhanced(reply.text), reply.text)
    report = Feedback(kind=kind, reason=reason, status=enhanced(reply.text), said=str(reply))
    return bounced(report, subscriber, mail, now, zone)


def decide(issue: int, believed: bool, now: datetime, zone: ZoneInfo) -> int:
    """Ends the alarm of an issue: what came back counts after all, or never; how many are suppressed."""
    with db.atomic(), departures.together():
        Alarm.update(decided="believed" if believed else "ignored").where(Alarm.issue == issue).execute()
        reports = Bounce.issue == issue
        if not believed:
            Bounce.update(followed="ignored").where(reports).execute()
            return 0
        rows = list(Bounce.select(Bounce, Subscriber).join(Subscriber).where(reports).order_by(Bounce.id))
        for row in rows:
            _judge(row, row.subscriber, now, zone)
    return sum(row.followed == "suppressed" for row in rows)


def too_much(issue: int) -> str:
    """What came back of an issue by now, if more than can be right; "" where not."""
    mailed = Delivery.select().where(Delivery.issue == issue).count()
    return points.alarm(mailed, *Bounce.readers(issue, NO_FAULT_OF_THE_READER))


def _tells_something(row: Bounce) -> bool:
    """Not so what came before, the delivery to who never bounced, and what nobody proves a second time."""
    before = Bounce.select().where(Bounce.address == row.address)
    if row.event and before.where(Bounce.source == row.source, Bounce.event == row.event).exists():
        return False
    if row.reason == "delivered":
        last = before.order_by(Bounce.id.desc()).first()
        return row.proven and last is not None and last.reason != "delivered"
    return row.proven or not before.where(Bounce.day == row.day, ~Bounce.proven).exists()


def _look_at(issue: int, now: datetime) -> None:
    """Raises the alarm of an issue of which too much came back, and takes back what followed from it."""
    if Alarm.select().where(Alarm.issue == issue).exists():
        return
    if said := too_much(issue):
        Alarm.create(issue=issue, since=now, said=said)
        Setting.hold(now, f"{said}; see `devdigest bounces`")
        log.error("held: %s; nobody is suppressed for it before the owner has decided", said)
        for row in Bounce.select(Bounce, Subscriber).join(Subscriber).where(
                Bounce.issue == issue, Bounce.followed == "suppressed"):
            _take_back(row, now)


def _judge(row: Bounce, subscriber: Subscriber, now: datetime, zone: ZoneInfo) -> None:
    """Suppresses the address of a report if that is due and its issue not in doubt; notes what followed."""
    alarm = row.issue and Alarm.get_or_none(Alarm.issue == row.issue)
    if alarm and alarm.decided != "believed":
        row.followed = "in doubt" if alarm.decided == "" else "ignored"
    elif _suppress(row, points.verdict(_history(subscriber, row.address), local_day(now, zone)), now):
        row.followed = "suppressed"
        log.info("subscriber %d suppressed: %s, %s", subscriber.id, row.kind, row.reason)
    row.save(only=[Bounce.followed])


def _suppress(row: Bounce, reason: str, now: datetime) -> bool:
    """Whether this is new. A complaint outweighs what a new agreement would end."""
    known = Suppression.get_or_none(Suppression.address == row.address)
    if not reason or not _outweighs(reason, known):
        return False
    departures.note(departures.SUPPRESSED, row.address, now, reason=reason)
    evidence = " ".join(filter(None, (row.source, row.kind, row.status, row.said)))
    Suppression.replace(address=row.address, reason=reason, evidence=evidence, since=now).execute()
    return True


def _outweighs(reason: str, known: Suppression | None) -> bool:
    return known is None or (reason == "complaint" and known.reason in _LIFTED)


def _take_back(row: Bounce, now: datetime) -> None:
    """Ends the suppression that followed from a report, unless other reports are enough for one."""
    row.followed = "in doubt"
    row.save(only=[Bounce.followed])
    Suppression.delete().where(Suppression.address == row.address,
                               Suppression.reason.in_(("bounce", "complaint"))).execute()
    departures.note(departures.LIFTED, row.address, now)
    _suppress(row, points.verdict(_history(row.subscriber, row.address), row.day), now)


def _history(subscriber: Subscriber, address: str) -> list[Mark]:
    """What counts of an address. Whoever agreed anew since did so at this address, so it takes mail."""
    rows = Bounce.counting(address, since=subscriber.confirmed)
    marks = [(row.at, Mark(day=row.day, kind=Kind(row.kind), reason=row.reason, status=row.status,
                           by_relay=row.source == RELAY, proven=row.proven, permanent=row.permanent))
             for row in rows]
    if any(mark.by_relay for _, mark in marks):
        taken = (Delivery.select(fn.MAX(Delivery.changed))
                 .where(Delivery.subscriber == subscriber, Delivery.state == "sent").scalar())
        if taken is not None:
            day = marks[0][1].day       # of no meaning here
            marks.append((taken, Mark(day=day, kind=Kind.OTHER, reason="delivered", by_relay=True)))
    return [mark for _, mark in sorted(marks, key=lambda one: one[0])]
