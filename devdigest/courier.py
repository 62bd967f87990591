"""One line at work: takes turns, and between two carries a mail; the next one's envelope rides along."""
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from devdigest.group_commit import Turns
from devdigest.ledger import Mail
from devdigest.line import Again, Line
from devdigest.replies import RelayError, Reply

_LOOK = 0.2         # seconds until a line that is too many asks again whether it is


@dataclass
class Ask:
    """What became of the mails of a line, and what it is ready for."""
    ends: list[tuple[Mail, Reply | None]] = field(default_factory=list)     # None: in doubt
    back: list[Mail] = field(default_factory=list)      # surely not taken
    broken: Again | RelayError | None = None            # why
    ready: list[Mail] = field(default_factory=list)     # to be claimed: the relay waits for it, or for all
    announced: bool = False
    want: int = 0                                       # mails to be ready for next


@dataclass
class Answer:
    claimed: list[Mail] = field(default_factory=list)
    announced: bool = False
    spare: list[Mail] = field(default_factory=list)     # to be announced
    delay: float = 0.0                                  # seconds, not to be too fast
    taken_back: bool = False                            # what was announced must not go after all

    @property
    def is_work(self) -> bool:
        return bool(self.claimed or self.spare or self.taken_back)


class Courier:
    """For one thread. `crowded`: whether this line is one too many; `over`: whether there is no more to do.

    `opened` is told once the line stands; `stop` ends each wait.
    """

    def __init__(self, number: int, line: Line, turns: Turns[Ask, Answer], stop: threading.Event, *,
                 crowded: Callable[[], bool], over: Callable[[], bool], opened: Callable[[], None]) -> None:
        self._number, self._line, self._turns, self._stop = number, line, turns, stop
        self._crowded, self._over, self._opened = crowded, over, opened
        self._parked = False

    def work(self) -> None:
        """Until there is nothing to do any more. Raises RelayError where the relay is gone."""
        answer = self._take(Ask(want=1))
        while answer.is_work or self._parked:
            if answer.is_work:
                answer = self._take(ask := self._carry(answer))
                pause = self._after(ask.broken)
            else:
                self._line.close()
                pause = _LOOK
            if pause:
                if self._stop.wait(pause) or (self._parked and self._over()):
                    return
                answer = self._take(Ask(want=1))

    def _after(self, broken: Again | RelayError | None) -> float:
        """Seconds to wait, now that all is settled that the line has carried."""
        if isinstance(broken, RelayError):
            raise broken
        return broken.pause if broken else 0.0

    def _take(self, ask: Ask) -> Answer:
        self._parked = self._crowded()
        if self._parked:
            ask.want = 0
        return self._turns.take(self._number, ask, patient=bool(ask.ends or ask.ready))

    def _carry(self, answer: Answer) -> Ask:
        ask = Ask()
        try:
            if answer.taken_back:
                self._line.abandon()
            if answer.claimed and not self._stop.wait(answer.delay):
                self._send(answer, ask)
            if answer.spare and not self._stop.is_set():
                self._announce(answer.spare, ask)
            ask.want = self._line.window
        except (Again, RelayError) as broken:
            ask.broken = broken
        settled = {mail for mail, _ in ask.ends} | set(ask.ready)
        ask.back = [mail for mail in (*answer.claimed, *answer.spare) if mail not in settled]
        return ask

    def _send(self, answer: Answer, ask: Ask) -> None:
        if answer.announced:
            [mail] = answer.claimed
            then = answer.spare[0].out if answer.spare else None
            ask.ends.append((mail, self._line.transmit(mail.out, then)))
            return
        replies = self._line.send_all([mail.out for mail in answer.claimed])
        busy = None
        for mail, reply in zip(answer.claimed, replies, strict=False):      # the line may have broken between
            again = None if busy and reply and reply.is_busy else self._line.again(reply)
            busy = busy or again
            if not (busy and reply and reply.is_busy):
                ask.ends.append((mail, reply))
        if busy:
            raise busy

    def _announce(self, spare: list[Mail], ask: Ask) -> None:
        self._line.open()
        self._opened()
        if self._line.window > 1:
            ask.ready = spare
        elif (refused := self._line.announce(spare[0].out)) is not None:
            ask.ends.append((spare[0], refused))
        else:
            ask.ready, ask.announced = spare[:1], True
