"""The lines of one run: as many as the relay bears and as fast as it bears, sharing one ledger in turns."""
import logging
import threading
from collections.abc import Callable

from devdigest import departures, forecast
from devdigest.config import Config
from devdigest.courier import Answer, Ask, Courier
from devdigest.group_commit import Failed, Turns
from devdigest.ledger import Ledger, Mail
from devdigest.line import Again, Line
from devdigest.replies import Outcome, RelayError, Reply, Stage, nameless
from devdigest.table import db
from devdigest.throttle import Throttle, Width

log = logging.getLogger(__name__)

_TOLD = 60.0            # seconds between two lines on how far it is
_MANY = 100             # mails; fewer are done before anyone looks

Report = Callable[[int, int], None]                     # done, of how many
Settle = Callable[[Mail, Reply | None], None]           # None: in doubt


class Crew:
    """One thread for each line; the one that runs the crew keeps the books. `settle` decides what a reply
    means, and may halt all.
    """

    def __init__(self, config: Config, ledger: Ledger, password: str, stop: threading.Event,
                 pauses: tuple[float, ...], report: Report) -> None:
        self._mail, self._password, self._stop, self._pauses = config.mail, password, stop, pauses
        self._ledger, self._running, self._report = ledger, ledger.running, report
        self._zone = config.site.timezone
        self._most = config.mail.connections if config.mail.transport == "smtp" else 1
        self._throttle, self._width = Throttle(config.mail.per_second), Width(self._most)
        self._turns: Turns[Ask, Answer] = Turns(self._act, lambda answer: answer.is_work)
        self._rows, self._told = ledger.due(), 0.0
        self._idle = False                  # a line found nothing more to do
        self._open = threading.Event()      # a line stands, or the first has failed
        self._stands = False
        self._at_work: set[int] = set()
        self._settle: Settle
        self.fault = ""
        self.locked_out = False
        self.over_quota = False             # by the relay's word, before it heard of any mail

    def run(self, settle: Settle) -> int:
        """Carries what is due; how many mails that were at the beginning."""
        self._settle = settle
        if self._rows >= _MANY:
            last = forecast.planned(self._running.now(), self._rows, self._mail.per_second)
            log.info("deliver: %s", forecast.progress(0, self._rows, last and last.astimezone(self._zone)))
        # daemons: a relay that does not answer must not keep a stopping process alive
        threads = [threading.Thread(target=self._line, args=(number,), name=f"deliver-{number}", daemon=True)
                   for number in range(min(self._rows, self._most))]
        for number, thread in enumerate(threads):
            self._turns.enter(number)
            thread.start()
        try:
            self._turns.serve()
        except Exception:
            self._open.set()
            for thread in threads:      # the next run must not claim what a line may be sending still
                thread.join()
            raise
        return self._rows

    def halt(self, fault: str) -> None:
        self.fault = self.fault or fault

    def _is_over(self) -> bool:
        return self._idle or self._ends()

    def _is_crowded(self, number: int) -> bool:
        """Whether so many lines are there before it already."""
        before = sum(other < number for other in tuple(self._at_work))
        open_now, of_use = self._width.lines(self._running.seconds()), self._throttle.lines
        return before >= open_now or (of_use is not None and before >= of_use)

    def _line(self, number: int) -> None:
        try:
            if number and self._mail.user:
                self._open.wait()   # one login, not one for each line, tells that the password is wrong
            self._at_work.add(number)
            self._work(number)
        except Failed:
            return                  # who keeps the books says why
        except RelayError as error:
            self._lost(number, error)
        except BaseException as error:
            self.halt(f"{type(error).__name__}: {error}")
            raise
        finally:
            self._open.set()
            self._at_work.discard(number)
            self._turns.leave(number)

    def _work(self, number: int) -> None:
        with Line(self._mail, self._password, self._pauses, lambda: self._stands) as line:
            Courier(number, line, self._turns, self._stop, over=self._is_over, opened=self._opened,
                    crowded=lambda: self._is_crowded(number)).work()

    def _opened(self) -> None:
        self._stands = True
        self._open.set()

    def _lost(self, number: int, error: RelayError) -> None:
        """A line that does not come back; the others do its work, if there are any."""
        refused = error.reply is not None and error.reply.stage is Stage.LOGIN
        self.locked_out |= refused and error.outcome is Outcome.ACCOUNT
        self.over_quota |= error.outcome is Outcome.QUOTA
        self._at_work.discard(number)
        if not self._at_work or error.outcome in (Outcome.ACCOUNT, Outcome.QUOTA):
            self.halt(nameless(str(error)))
        elif self._stands:
            log.warning("deliver: line %d is given up: %s", number, nameless(str(error)))

    def _act(self, asks: list[Ask]) -> list[Answer]:
        """Settles what the lines have carried and claims the next for each, in one transaction."""
        with db.atomic(), departures.together():
            for ask in asks:
                self._hear(ask)
            self._ledger.look()
            claimed = self._ledger.claim([mail for ask in asks if not self._ends() for mail in ask.ready])
            answers = [self._next(ask, claimed) for ask in asks]
        delay = self._throttle.take(self._running.seconds(), sum(len(answer.claimed) for answer in answers))
        for answer in answers:
            answer.delay = delay    # of all alike, so that they stay in step
        self._tell()
        return answers

    def _hear(self, ask: Ask) -> None:
        for mail, reply in ask.ends:
            mail.row.attempts += not mail.claimed       # refused before its message
            if reply is None:
                self._width.halve(self._running.seconds())
            self._settle(mail, reply)
            done = sum(self._ledger.ends.values())
            self._report(done, max(done, self._rows))
        if isinstance(ask.broken, Again) and ask.broken.crowded:
            self._width.halve(self._running.seconds())
        if isinstance(ask.broken, Again) and ask.broken.hurried:
            self._throttle.complain(self._running.seconds())
        for mail in ask.back:
            self._idle = False
            self._ledger.put_back(mail, str(ask.broken or ""), tried=isinstance(ask.broken, RelayError))

    def _ends(self) -> bool:
        return bool(self.fault) or self._stop.is_set()

    def _next(self, ask: Ask, claimed: set[Mail]) -> Answer:
        answer = Answer([mail for mail in ask.ready if mail in claimed], ask.announced)
        if self._ends():
            return answer       # what is announced and not claimed ends with the line
        answer.taken_back = ask.announced and not answer.claimed
        while len(answer.spare) < ask.want and (mail := self._ledger.reserve()) is not None:
            answer.spare.append(mail)
        self._idle = self._idle or (ask.want > 0 and not answer.is_work)
        return answer

    def _tell(self) -> None:
        now = self._running.seconds()
        if now - self._told >= _TOLD:
            self._told = now
            done = sum(self._ledger.ends.values())
            last = forecast.ends(self._running.now(), done, max(done, self._rows), now)
            log.debug("deliver: %s", forecast.progress(done, max(done, self._rows),
                                                       last and last.astimezone(self._zone)))
