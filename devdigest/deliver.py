"""Outbox rows due → filled message → relay → sent, waiting, refused …; committed around the dot.

A row is `sending` on the disk before the relay hears of it, and has its end there before the next is begun: a
power cut leaves at most one row per connection in doubt. A relay that cannot be asked blames no subscriber.
"""
import logging
import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from devdigest.clock import Running
from devdigest.config import Config
from devdigest.database import connected
from devdigest.days import at, local_day
from devdigest.letters import Letters, recipient, unwanted
from devdigest.line import PAUSES, Again, Line
from devdigest.locks import locked
from devdigest.memory import Held, Setting
from devdigest.readers import DELIVERY_STATES, OPEN_STATES, Delivery, Subscriber
from devdigest.replies import Outcome, RelayError, Reply, Stage, nameless
from devdigest.table import db

log = logging.getLogger(__name__)

# A reader's transient refusal is tried again after these; the last repeats until the day's latest hour.
_WAITS = (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=4))
_ASKED_FOR = timedelta(hours=48)            # whoever waits that long for a mail has asked again
_CONTENT_AGAIN = timedelta(hours=1)
_CONTENT_IN_A_ROW = 5                       # then it is what we say that is refused, not to whom
_DOUBTS_IN_A_ROW = 3                        # then the relay is broken, and each further mail might come twice

# Not whose mail it is: they may have been erased while it was under way.
_WRITTEN = (Delivery.state, Delivery.reply, Delivery.changed, Delivery.due, Delivery.attempts,
            Delivery.doubts)

Report = Callable[[int, int], None]         # done, of how many


@dataclass
class Summary:
    """What a run did: each row's end by its id, and why it stopped early; "" where it did not."""
    rows: int = 0
    ends: dict[int, str] = field(default_factory=dict)
    fault: str = ""
    locked_out: bool = False    # the login was refused: each further try may cost the account

    @property
    def states(self) -> Counter[str]:
        return Counter(self.ends.values())


@dataclass(frozen=True)
class _Mail:
    row: Delivery
    recipient: str
    message: bytes


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
            Delivery.give_up(local_day(now, config.site.timezone), now)
        mailed = issues and Setting.held_since() is None
        due = [row.id for row in Delivery.due_now(now, issues=mailed)]
        summary = _Run(config, Running(now), password, stop, until, pauses, due, report).run()
        if summary.rows:
            log.log(logging.ERROR if summary.fault else logging.INFO, "deliver: %s", words(summary))
        held = Setting.held_since()
        if held is not None and issues and Delivery.due_now(now, issues=True).exists():
            raise Held(held)
        return summary


def words(summary: Summary) -> str:
    """One line: '997 sent, 2 refused, 1 waiting'."""
    ordered = sorted(summary.states.items(), key=lambda item: DELIVERY_STATES.index(item[0]))
    counted = ", ".join(f"{count:,} {state}" for state, count in ordered) or "nothing sent"
    return f"{counted}; stopped: {summary.fault}" if summary.fault else counted


class _Run:
    """One pass over the rows due, shared by the threads that hold a connection each."""

    def __init__(self, config: Config, running: Running, password: str, stop: threading.Event,
                 until: datetime | None, pauses: tuple[float, ...], due: list[int], report: Report) -> None:
        self.config, self.running, self.password = config, running, password
        self.stop, self.until, self.pauses = stop, until, pauses
        self.summary = Summary(rows=len(due))
        self._report = report
        self._todo = deque(due)
        self._letters = Letters(config)
        self._alike: tuple[Outcome | None, int] = Outcome.ACCEPTED, 0      # the last, how often in a row
        self._turns = threading.Lock()      # SQLite would make them wait too, but by sleeping
        self._open = threading.Event()      # the first line stands, or has failed

    def run(self) -> Summary:
        lines = self.config.mail.connections if self.config.mail.transport == "smtp" else 1
        # daemons: a relay that does not answer must not keep a stopping process alive
        threads = [threading.Thread(target=self._work, name=f"deliver-{number}", daemon=True)
                   for number in range(min(len(self._todo), lines))]
        started = []
        for thread in threads:
            thread.start()
            started.append(thread)
            self._open.wait()       # one login, not one for each line, tells that the password is wrong
            if self.summary.fault:
                break
        for thread in started:
            thread.join()
        return self.summary

    def _work(self) -> None:
        try:
            with connected(), Line(self.config.mail, self.password, self.stop, self.pauses) as line:
                mail = self._turn(None, None)
                while mail is not None:
                    mail = self._after(line, mail)
        except RelayError as error:
            refused = error.reply is not None and error.reply.stage is Stage.LOGIN
            self.summary.locked_out |= refused and error.outcome is Outcome.ACCOUNT
            self._halt(str(error))
        except BaseException as error:
            self._halt(f"{type(error).__name__}: {error}")
            raise
        finally:
            self._open.set()

    def _after(self, line: Line, mail: _Mail) -> _Mail | None:
        """Sends one mail; the next to send, which is the same again where the relay was busy."""
        try:
            reply = line.send(mail.recipient, mail.message)
        except (Again, RelayError) as error:    # for certain not accepted: as if it had not been tried
            with self._turns, db.atomic():
                mail.row.attempts -= isinstance(error, Again)
                self._end(mail.row, mail.row.undecided(), str(error))
            if isinstance(error, RelayError):
                raise
            self._once_more(mail.row, first=True)
            return self._turn(None, None)
        self._open.set()
        return self._turn(mail, reply)

    def _halt(self, fault: str) -> None:
        self.summary.fault = self.summary.fault or fault
        self._todo.clear()

    def _turn(self, done: _Mail | None, reply: Reply | None) -> _Mail | None:
        """Settles one mail and claims the next, in one transaction; None where there is none, or no more."""
        with self._turns, db.atomic():
            if done is not None:
                self._settle(done.row, reply)
                self._report(len(self.summary.ends), self.summary.rows)
            while self._todo and not self.stop.is_set():
                if (mail := self._claim(self._todo.popleft())) is not None:
                    return mail
        return None

    def _claim(self, row_id: int) -> _Mail | None:
        row = Delivery.get_by_id(row_id)
        if row.state not in OPEN_STATES:    # withdrawn during this run
            self.summary.ends[row.id] = row.state
            return None
        if row.issue is not None and self._is_over():
            return None                     # it stays queued
        subscriber = Subscriber.get_or_none(Subscriber.id == row.subscriber)
        if subscriber is None or (reason := unwanted(row, subscriber)):
            self._end(row, "dropped", reason if subscriber else "erased")
            return None
        row.state, row.attempts, row.changed = "sending", row.attempts + 1, self.running.now()
        try:
            message = self._letters.fill(row, subscriber, row.changed)
        except ValueError as error:         # one address that no header can carry stops nobody else's mail
            self._end(row, "refused", f"not sent: {error}")
            return None
        row.save(only=_WRITTEN)
        return _Mail(row, recipient(row, subscriber), message)

    def _is_over(self) -> bool:
        """Whether no further mail of an issue may be begun: asked of each, as a run may take hours."""
        late = self.until is not None and self.running.now() >= self.until
        return late or Setting.held_since() is not None

    def _settle(self, row: Delivery, reply: Reply | None) -> None:
        """What becomes of a mail after the relay's reply; None: the line broke after the dot."""
        said = str(reply or "the line broke after the mail was sent")
        outcome = reply and reply.outcome
        self._alike = outcome, self._alike[1] + 1 if outcome is self._alike[0] else 1
        match outcome:
            case None:
                self._end(row, row.doubt(), said)
            case Outcome.ACCEPTED:
                self._end(row, "sent", said)
            case Outcome.REFUSED:
                self._end(row, "refused", said)
            case Outcome.DEFERRED if self.running.now() + (wait := _wait(row.attempts)) < self._latest(row):
                self._end(row, "waiting", said, wait)
            case Outcome.DEFERRED:
                self._end(row, "given_up", said)
            case Outcome.CONTENT:
                self._end(row, "queued", said, _CONTENT_AGAIN)
            case _:                         # throttled, quota, account, protocol: the queue stays as it is
                self._end(row, row.undecided(), said)
                self._halt(nameless(said))
        if self._alike == (Outcome.CONTENT, _CONTENT_IN_A_ROW):
            self._halt(f"what we send is refused, not to whom: {nameless(said)}")
        if self._alike == (None, _DOUBTS_IN_A_ROW):
            self._halt("the relay breaks the line after each mail, and does not say whether it has it")

    def _end(self, row: Delivery, state: str, said: str, wait: timedelta | None = None) -> None:
        if not Subscriber.select().where(Subscriber.id == row.subscriber).exists():
            # erased, maybe while it was sent: nothing said of them is kept, nothing more goes out
            state, said = "dropped" if state in OPEN_STATES else state, ""
        row.state, row.reply, row.changed = state, said, self.running.now()
        row.due = row.changed + wait if wait else row.due
        row.save(only=_WRITTEN)
        self.summary.ends[row.id] = state
        if state == "unknown":              # after the others
            self._once_more(row, first=False)

    def _once_more(self, row: Delivery, first: bool) -> None:
        """Puts a mail back on the list of this run, unless it was stopped meanwhile."""
        if not self.summary.fault:
            (self._todo.appendleft if first else self._todo.append)(row.id)

    def _latest(self, row: Delivery) -> datetime:
        """Until when a transient refusal is worth another try: the next issue comes anyway."""
        if row.issue is None:
            return row.created + _ASKED_FOR
        return at(self._letters.day(row.issue), self.config.digest.closes, self.config.site.timezone)


def _wait(attempts: int) -> timedelta:
    return _WAITS[min(attempts, len(_WAITS)) - 1]
