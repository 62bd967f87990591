"""Outbox rows due → filled message → relay → sent, waiting, refused …; committed around the dot.

A row is `sending` on the disk before its dot may leave, and has its end there before the next dot there:
a power cut leaves at most one row a line in doubt. A relay that cannot be asked blames no subscriber.
"""
import logging
import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from devdigest import suppressions
from devdigest.clock import Running
from devdigest.config import Config
from devdigest.crew import Crew, Report
from devdigest.days import at, local_day
from devdigest.ledger import Ledger, Mail
from devdigest.line import PAUSES
from devdigest.locks import locked
from devdigest.memory import ISSUES_WAIT, URGENT_WAIT, Held, Run, Setting
from devdigest.outbox import Row
from devdigest.readers import DELIVERY_STATES, Delivery, Subscriber
from devdigest.replies import Outcome, Reply, nameless
from devdigest.table import db

log = logging.getLogger(__name__)

# A reader's transient refusal is tried again after these; the last repeats until the day's latest hour.
_WAITS = (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=4))
_ASKED_FOR = timedelta(hours=48)            # whoever waits that long for a mail has asked again
_CONTENT_AGAIN = _QUOTA_AGAIN = timedelta(hours=1)
_CONTENT_IN_A_ROW = 5                       # then it is what we say that is refused, not to whom,
_CONTENT_PART, _CONTENT_LEAST = 0.02, 10    # as with this part of all: of a short list so few tell nothing
_STOPPED = "; stopped: "                    # between what was sent and why not all was
_DOUBTS_IN_A_ROW = 3                        # then the relay is broken, and each further mail might come twice


@dataclass
class Summary:
    """What a run did: rows by their end, and why it stopped early; "" where it did not."""
    rows: int = 0
    states: Counter[str] = field(default_factory=Counter)
    fault: str = ""
    locked_out: bool = False            # the login was refused: each further try may cost the account
    goes_on: datetime | None = None     # where our own count of the quota stopped it


def deliver(config: Config, now: datetime, password: str, stop: threading.Event, *, issues: bool = True,
            until: datetime | None = None, pauses: tuple[float, ...] = PAUSES,
            report: Report = lambda *_: None) -> Summary:
    """Sends what is due; without `issues`, or while held, only confirmation mails. May be repeated at will.

    From `until` on, or once `hold` was typed, no further mail of an issue is begun. Raises Busy, and Held
    where rows of an issue had to be left.
    """
    with locked(config.folder, "deliver"):
        with db.atomic():
            Delivery.recover(now)
            Delivery.give_up(local_day(now, config.site.timezone), now, _last_fault())
        mailed = issues and Setting.held_since() is None
        ledger = Ledger(config, Running(now), mailed, until)
        summary = _sent(config, ledger, Crew(config, ledger, password, stop, pauses, report))
        if summary.rows:
            log.log(logging.ERROR if summary.fault else logging.INFO, "deliver: %s", words(summary))
            Run.create(job="deliver" if mailed else "confirm", started=now, finished=ledger.now(),
                       said=_at_a_pace(summary, (ledger.now() - now).total_seconds()))
        held = Setting.held_since()
        if held is not None and issues and Delivery.due_now(now, issues=True).exists():
            raise Held(held)
        return summary


def _sent(config: Config, ledger: Ledger, crew: Crew) -> Summary:
    rows = crew.run(_Policy(config, ledger, crew, ledger.due()).settle)
    fault, goes_on = crew.fault, None
    if crew.over_quota:
        _wait_for_quota(ledger.now())
    for urgent, name in ((False, ISSUES_WAIT), (True, URGENT_WAIT)):
        if (again := ledger.goes_on(urgent)) is not None:
            Setting.write(name, again.isoformat())
            fault = fault or (f"the {config.mail.per_day:,} mails of 24 hours are used up; the rest goes on "
                              f"at {again.astimezone(config.site.timezone):%Y-%m-%d %H:%M}")
            goes_on = goes_on or again
    return Summary(rows, ledger.ends, fault, crew.locked_out, goes_on)


def _last_fault() -> str:
    """What stopped the last run; "" where nothing did."""
    last = Run.newest("deliver", 1)
    return last[0].said.partition(_STOPPED)[2] if last else ""


def words(summary: Summary, pace: str = "") -> str:
    """One line: '997 sent, 2 refused, 1 waiting'."""
    ordered = sorted((+summary.states).items(), key=lambda item: DELIVERY_STATES.index(item[0]))
    counted = ", ".join(f"{count:,} {state}" for state, count in ordered) or "nothing sent"
    counted += f" in {pace}" if pace else ""
    return f"{counted}{_STOPPED}{summary.fault}" if summary.fault else counted


def _at_a_pace(summary: Summary, seconds: float) -> str:
    """The same as `status` tells it later: without addresses, and with how fast it was."""
    pace = f"{seconds:,.0f} s" if seconds >= 1 else "under a second"
    if (sent := summary.states["sent"]) and seconds >= 1:
        pace += f", {sent / seconds:,.1f} a second"
    return nameless(words(summary, pace))


class _Policy:
    """What follows from what the relay says."""

    def __init__(self, config: Config, ledger: Ledger, crew: Crew, rows: int) -> None:
        self._config, self._ledger, self._halt = config, ledger, crew.halt
        self._alike: tuple[Outcome | None, int] = Outcome.ACCEPTED, 0      # the last, how often in a row
        self._refused_content, self._rows = 0, rows

    def settle(self, mail: Mail, reply: Reply | None) -> None:
        """What becomes of a mail after the relay's reply; None: the line broke after the dot."""
        row, end = mail.row, self._ledger.end
        said = str(reply or "the line broke after the mail was sent")
        outcome = reply and reply.outcome
        match outcome:
            case None:
                end(row, row.doubt(), said)
            case Outcome.ACCEPTED:
                end(row, "sent", said)
            case Outcome.REFUSED:
                end(row, "refused", said)
                self._tell(row, reply)
            case Outcome.DEFERRED if self._ledger.now() + (wait := _wait(row.attempts)) < self._latest(row):
                end(row, "waiting", said, wait)
            case Outcome.DEFERRED:
                end(row, "given_up", said)
                self._tell(row, reply)
            case Outcome.CONTENT:
                end(row, "queued", said, _CONTENT_AGAIN)
            case _:                         # throttled, quota, account, protocol: the queue stays as it is
                end(row, row.undecided(), said)
                self._halt(nameless(said))
        self._notice(outcome, nameless(said))

    def _tell(self, row: Row, reply: Reply) -> None:
        """Has a refusal count against the reader's address; too many of them hold all mail."""
        mail = Delivery.get_by_id(row.id)
        if (subscriber := Subscriber.get_or_none(Subscriber.id == mail.subscriber)) is not None:
            suppressions.refused(reply, subscriber, mail, self._ledger.now(), self._config.site.timezone)

    def _notice(self, outcome: Outcome | None, said: str) -> None:
        """What tells of the relay or of us, and not of a reader."""
        self._alike = outcome, self._alike[1] + 1 if outcome is self._alike[0] else 1
        self._refused_content += outcome is Outcome.CONTENT
        if (self._alike == (Outcome.CONTENT, _CONTENT_IN_A_ROW)
                or self._refused_content >= max(_CONTENT_LEAST, _CONTENT_PART * self._rows)):
            self._halt(f"what we send is refused, not to whom: {said}")
        if self._alike == (None, _DOUBTS_IN_A_ROW):
            self._halt("the relay breaks the line after each mail, and does not say whether it has it")
        if outcome is Outcome.QUOTA:
            _wait_for_quota(self._ledger.now())

    def _latest(self, row: Row) -> datetime:
        """Until when a transient refusal is worth another try: the next issue comes anyway."""
        if row.issue is None:
            return row.created + _ASKED_FOR
        day = self._ledger.letters.day(row.issue)
        return at(day, self._config.digest.closes, self._config.site.timezone)


def _wait_for_quota(now: datetime) -> None:
    Setting.write(ISSUES_WAIT, (now + _QUOTA_AGAIN).isoformat())


def _wait(attempts: int) -> timedelta:
    return _WAITS[min(attempts, len(_WAITS)) - 1]
