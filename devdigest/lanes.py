"""Many fetches side by side, politely: a lane per operator, one request after the other with a gap in each.
What `pace` says decides whether the next one is made.

An edge: knows URLs and validators, nothing of the records they come from.
"""
import logging
import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from queue import Empty, Full, Queue
from urllib.parse import urlsplit

from devdigest import __version__
from devdigest.config import Config
from devdigest.connections import authorities
from devdigest.fetch import Fetched, Fetcher, FetchError, Limits
from devdigest.pace import Pace, about
from devdigest.turns import Seats, Turn
from devdigest.urls import operator
from devdigest.validators import sent

log = logging.getLogger(__name__)

_WAITING = 1        # answers, besides the one that each connection may hold: whoever reads them never waits


@dataclass(frozen=True, slots=True)
class Ask:
    """What to fetch; `id` and `essence` are the caller's own. `etag` and `modified` are as received, and
    `sends` says which of them are sent (validators.py).
    """
    id: int
    url: str
    etag: str = ""
    modified: str = ""
    essence: str = ""
    sends: str = "both"
    failing: bool = False       # it failed the last time
    doubted: bool = False       # where it says that nothing has changed, it is asked for all of it at once


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it: `fetched`, or the `error`."""
    ask: Ask
    fetched: Fetched | None
    error: FetchError | None
    pause: float = 0.0      # seconds for which `operator` is left alone
    denied: bool = False    # it said 304 to the same question a moment before

    @property
    def operator(self) -> str:
        """Who gave it: of an error, whom a redirect led to."""
        return operator(self.error.url if self.error else self.ask.url)


@dataclass(slots=True, eq=False)
class Lane:
    """Asks to one operator, one after the other; `left` counts those still to be made."""
    operator: str
    asks: list[Ask]
    seat: int = 0           # the operator's first, second …
    left: int = field(init=False)

    def __post_init__(self) -> None:
        self.left = len(self.asks)


def fetcher(config: Config, trust: ssl.SSLContext | None = None) -> Fetcher:
    """A fetcher with the configured limits that says who asks and where to complain."""
    collect = config.collect
    return Fetcher(Limits(total=collect.total_seconds, max_bytes=collect.max_bytes,
                          ports=collect.ports, allow_private=collect.allow_private,
                          home=urlsplit(config.site.url).hostname or ""),
                   f"DevDigest/{__version__} (+{config.site.url}/about)", trust)


def plan(asks: Iterable[Ask], per_operator: int, pace: Pace) -> list[Lane]:
    """The asks in lanes, at most `per_operator` for one operator, the longest first; order kept within."""
    operators: dict[str, list[Ask]] = defaultdict(list)
    for ask in asks:
        operators[operator(ask.url)].append(ask)
    lanes = [Lane(name, lane, seat) for name, asked in operators.items() for seat in range(per_operator)
             if (lane := asked[seat::per_operator])]
    return sorted(lanes, key=lambda lane: pace.expected(lane.operator, lane.left), reverse=True)


class Round:
    """All asks of one run, planned in `lanes`; `answers` makes them."""

    def __init__(self, asks: Iterable[Ask], config: Config, now: datetime, pace: Pace | None = None) -> None:
        self.pace = pace or Pace(config.collect.gap)
        self.lanes = plan(asks, config.collect.per_operator, self.pace)
        self.asks = sum(lane.left for lane in self.lanes)
        self._config, self._now = config, now
        self._workers = min(config.collect.connections, len(self.lanes))

    @property
    def busy(self) -> int:
        """How many lanes have asks left."""
        return sum(lane.left > 0 for lane in self.lanes)

    def forecast(self) -> float:
        """Seconds that are left: those of the longest lane, or of all where the connections are the limit."""
        left = [self.pace.expected(lane.operator, lane.left) for lane in self.lanes if lane.left]
        return max(max(left, default=0.0), sum(left) / max(self._workers, 1))

    def outlook(self) -> str:
        """'12 lanes, about 4 min left'."""
        return f"{self.busy:,} lanes, {about(self.forecast())} left"

    def answers(self, stop: threading.Event) -> Iterator[Answer]:
        """Every answer, as it comes. Ends early once `stop` is set; what was not asked has no answer."""
        lanes: Queue[Lane] = Queue()
        for lane in self.lanes:
            lanes.put(lane)
        # bounded, so that bodies wait on the net and not in memory
        answers: Queue[Answer | None] = Queue(maxsize=_WAITING)
        # daemons: a fetch that hangs in a name server must not keep the process from ending
        ended, trust = threading.Event(), authorities()
        seats = Seats(self._config.collect.per_operator, self.pace, ended)
        threads = [threading.Thread(target=_work, daemon=True,
                                    args=(lanes, answers, self._config, self._now, seats, trust))
                   for _ in range(self._workers)]
        for thread in threads:
            thread.start()
        try:
            yield from _until(stop, answers, len(threads))
        finally:
            ended.set()


def ask_all(asks: Iterable[Ask], config: Config, now: datetime, stop: threading.Event) -> Iterator[Answer]:
    """A round of which nothing is known and nothing is asked but the answers."""
    return Round(asks, config, now).answers(stop)


def _until(stop: threading.Event, answers: Queue[Answer | None], working: int) -> Iterator[Answer]:
    while working and not stop.is_set():
        try:
            answer = answers.get(timeout=0.2)
        except Empty:
            continue
        if answer is None:
            working -= 1
        else:
            yield answer


def _work(lanes: Queue[Lane], answers: Queue[Answer | None], config: Config, now: datetime, seats: Seats,
          trust: ssl.SSLContext) -> None:
    try:
        with fetcher(config, trust) as session:
            while not seats.ended.is_set():
                try:
                    lane = lanes.get_nowait()
                except Empty:
                    return
                _drive(lane, session, answers, seats, now)
    finally:
        _hand_over(None, answers, seats.ended)


def _drive(lane: Lane, session: Fetcher, answers: Queue[Answer | None], seats: Seats, now: datetime) -> None:
    turn = Turn(seats, lane.operator, lane.seat, session)
    while lane.asks:
        ask = lane.asks.pop(0)      # kept by nobody but whoever is given the answer
        answer = _heard(ask, lane, session, turn, seats.pace, now)
        if answer is None:
            break
        lane.left -= 1
        if ask.doubted and answer.fetched and answer.fetched.status == 304:
            # whoever is not asked without validators now and then may say 304 for ever
            whole = _heard(replace(ask, sends="none"), lane, session, turn, seats.pace, now)
            answer = replace(whole, ask=ask, denied=True) if whole else answer
        _hand_over(answer, answers, seats.ended)
    turn.close()
    lane.left = 0


def _heard(ask: Ask, lane: Lane, session: Fetcher, turn: Turn, pace: Pace, now: datetime) -> Answer | None:
    """The answer, when its turn came; None where it does not come any more."""
    if not turn.begin():
        return None
    try:
        if not pace.may_ask(lane.operator):
            return None
        began = time.monotonic()
        answer = _ask(ask, session, turn, now)
        pause = pace.hear(lane.operator, time.monotonic() - began, answer.error, answer.operator, ask.failing)
        return replace(answer, pause=pause)
    finally:
        turn.end()


def _ask(ask: Ask, session: Fetcher, turn: Turn, now: datetime) -> Answer:
    etag, modified = sent(ask.sends, ask.etag, ask.modified)
    try:
        return Answer(ask, session.get(ask.url, now, etag, modified, turn.move), None)
    except FetchError as error:
        # without the frames it came through: one may hold what came of a body, and an error is kept for long
        error.__cause__ = error.__context__ = None
        return Answer(ask, None, error.with_traceback(None))
    except RuntimeError as error:       # no thread could be started: the machine is short of memory
        return Answer(ask, None, FetchError(ask.url, str(error), "ours"))
    except Exception as error:          # a mistake, ours or a library's: it costs its lane no other blog
        log.exception("feed %s cannot be asked", ask.url)
        return Answer(ask, None, FetchError(ask.url, f"cannot be asked: {type(error).__name__}", "ours"))


def _hand_over(answer: Answer | None, answers: Queue[Answer | None], ended: threading.Event) -> None:
    while not ended.is_set():
        try:
            return answers.put(answer, timeout=0.2)
        except Full:
            continue
    return None
