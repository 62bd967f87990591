"""Many fetches side by side, politely: a lane per operator, one request after the other with a gap in each.

An edge: knows URLs and validators, nothing of the records they come from.
"""
import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from queue import Empty, Full, Queue

from devdigest import __version__
from devdigest.config import Config
from devdigest.connections import authorities
from devdigest.fetch import Fetched, Fetcher, FetchError, Limits
from devdigest.urls import operator


@dataclass(frozen=True, slots=True)
class Ask:
    """What to fetch; `id` and `essence` are the caller's own. `etag` and `modified` as they were received."""
    id: int
    url: str
    etag: str = ""
    modified: str = ""
    essence: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it: `fetched`, or the `error`."""
    ask: Ask
    fetched: Fetched | None
    error: FetchError | None


def fetcher(config: Config, trust: ssl.SSLContext | None = None) -> Fetcher:
    """A fetcher with the configured limits that says who asks and where to complain."""
    collect = config.collect
    return Fetcher(Limits(total=collect.total_seconds, max_bytes=collect.max_bytes,
                          allow_private=collect.allow_private),
                   f"DevDigest/{__version__} (+{config.site.url}/about)", trust)


def plan(asks: Iterable[Ask], per_operator: int) -> list[list[Ask]]:
    """The asks in lanes, at most `per_operator` for one operator, the longest first; order kept within."""
    operators: dict[str, list[Ask]] = defaultdict(list)
    for ask in asks:
        operators[operator(ask.url)].append(ask)
    lanes = [lane for asked in operators.values()
             for lane in (asked[start::per_operator] for start in range(per_operator)) if lane]
    return sorted(lanes, key=len, reverse=True)


def ask_all(asks: Iterable[Ask], config: Config, now: datetime, stop: threading.Event) -> Iterator[Answer]:
    """Every answer, as it comes. Ends early once `stop` is set; what was not asked then has no answer."""
    lanes: Queue[list[Ask]] = Queue()
    for lane in plan(asks, config.collect.per_operator):
        lanes.put(lane)
    # bounded, so that bodies wait on the net and not in memory
    answers: Queue[Answer | None] = Queue(maxsize=config.collect.connections)
    # daemons: a fetch that hangs in a name server must not keep the process from ending
    ended, trust = threading.Event(), authorities()
    threads = [threading.Thread(target=_work, daemon=True, args=(lanes, answers, config, now, ended, trust))
               for _ in range(min(config.collect.connections, lanes.qsize()))]
    for thread in threads:
        thread.start()
    try:
        yield from _until(stop, answers, len(threads))
    finally:
        ended.set()


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


def _work(lanes: Queue[list[Ask]], answers: Queue[Answer | None], config: Config, now: datetime,
          ended: threading.Event, trust: ssl.SSLContext) -> None:
    try:
        with fetcher(config, trust) as session:
            while not ended.is_set():
                try:
                    lane = lanes.get_nowait()
                except Empty:
                    return
                _drive(lane, session, answers, config.collect.gap, now, ended)
                session.close()     # what is kept open would count at the operator who was just left
    finally:
        _hand_over(None, answers, ended)


def _drive(lane: list[Ask], session: Fetcher, answers: Queue[Answer | None], gap: float, now: datetime,
           ended: threading.Event) -> None:
    last = time.monotonic() - gap
    for ask in lane:
        if ended.wait(max(0.0, last + gap - time.monotonic())):
            return
        try:
            answer = Answer(ask, session.get(ask.url, now, ask.etag, ask.modified), None)
        except FetchError as error:
            answer = Answer(ask, None, error)
        except RuntimeError as error:       # no thread could be started: the machine is short of memory
            answer = Answer(ask, None, FetchError(ask.url, str(error), "ours"))
        last = time.monotonic()
        _hand_over(answer, answers, ended)


def _hand_over(answer: Answer | None, answers: Queue[Answer | None], ended: threading.Event) -> None:
    while not ended.is_set():
        try:
            return answers.put(answer, timeout=0.2)
        except Full:
            continue
    return None
