"""A redirect to another operator waits there for its turn, and nobody waits for ever."""
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import pairwise

import pytest
from conftest import NOW
from feed_server import FeedServer

from devdigest.config import Config
from devdigest.fetch import FetchError
from devdigest.lanes import Ask, Round, ask_all, fetcher
from devdigest.pace import Pace
from devdigest.turns import Seats, Turn

FEED = b"<rss version='2.0'><channel/></rss>"


class Watched:
    """Serves feeds and redirects, and counts the connections that are open during each request."""

    def __init__(self, server: FeedServer, most: int) -> None:
        self._server, self._most = server, most
        self.seen: list[int] = []
        self.times: list[float] = []

    def serve(self, path: str, target: str = "") -> None:
        def answer(handler: object) -> None:
            self.times.append(time.monotonic())
            time.sleep(0.02)
            until = time.monotonic() + 0.5      # a server is told of an end a little later
            while (left := self._server.open) > self._most and time.monotonic() < until:
                time.sleep(0.005)
            self.seen.append(left)
            headers = {"Location": target} if target else {}
            handler.write(302 if target else 200, headers, b"" if target else FEED)
        self._server.do(path, answer)


@pytest.fixture
def two() -> Iterator[tuple[FeedServer, FeedServer]]:
    """Of two operators."""
    with ExitStack() as stack:
        yield stack.enter_context(FeedServer()), stack.enter_context(FeedServer("127.0.0.2"))


def wanted(config: Config, per_operator: int = 1, gap: float = 0.0, seconds: int = 10) -> Config:
    return replace(config, collect=replace(config.collect, per_operator=per_operator, gap=gap,
                                           total_seconds=seconds))


@pytest.mark.parametrize("most", [1, 2])
def test_no_operator_sees_more_connections_than_it_allows_wherever_redirects_lead(
        config: Config, two: tuple[FeedServer, FeedServer], most: int) -> None:
    """Each leads to the other half of the time."""
    one, other = two
    watched = Watched(one, most), Watched(other, most)
    urls = []
    for number in range(8):
        for here, there, watch in ((one, other, watched[0]), (other, one, watched[1])):
            watch.serve(f"/{number}", there.url("/feed") if number % 2 else "")
            urls.append(here.url(f"/{number}"))
    for watch in watched:
        watch.serve("/feed")
    answers = list(ask_all([Ask(*ask) for ask in enumerate(urls)], wanted(config, most), NOW,
                           threading.Event()))
    assert sorted(answer.ask.id for answer in answers if answer.fetched) == list(range(16))
    assert [len(watch.seen) for watch in watched] == [12, 12]
    assert [max(watch.seen) for watch in watched] == [most, most]


def test_whoever_is_led_to_an_operator_keeps_its_gap(config: Config,
                                                     two: tuple[FeedServer, FeedServer]) -> None:
    one, other = two
    watch = Watched(other, 1)
    watch.serve("/feed")
    for number in range(3):
        one.redirect(f"/{number}", other.url("/feed"), status=302)
    urls = [one.url(f"/{number}") for number in range(3)] + [other.url("/feed")] * 3
    list(ask_all([Ask(*ask) for ask in enumerate(urls)], wanted(config, gap=0.2), NOW, threading.Event()))
    times = sorted(watch.times)
    assert len(times) == 6
    assert min(after - before for before, after in pairwise(times)) >= 0.19


def test_a_turn_that_does_not_come_ends_the_fetch_in_time_and_is_not_the_blogs_fault(
        config: Config, two: tuple[FeedServer, FeedServer]) -> None:
    one, other = two
    one.redirect("/rss", other.url("/feed"), status=302)
    seats = Seats(1, Pace(0.0), threading.Event())
    [taken] = seats.of("127.0.0.2")
    with fetcher(wanted(config, seconds=1)) as session, taken.lock:
        turn = Turn(seats, "127.0.0.1", 0, session)
        assert turn.begin()
        began, open_meanwhile = time.monotonic(), []
        threading.Timer(0.5, lambda: open_meanwhile.append(one.open)).start()
        with pytest.raises(FetchError, match=r"leads to 127\.0\.0\.2, where its turn did not come") as caught:
            session.get(one.url("/rss"), NOW, move=turn.move)
        turn.end()
        assert 0.9 < time.monotonic() - began < 2.5
        assert turn.begin()     # its own seat is free
        turn.end()
    assert (caught.value.kind, caught.value.status, other.requests) == ("ours", None, [])
    assert open_meanwhile == [0]        # where it waits no more, its seat is another's


def test_a_gap_that_ends_too_late_for_a_guest_is_not_taken_for_silence(
        config: Config, two: tuple[FeedServer, FeedServer]) -> None:
    """Five of them, and a platform that answers would be left alone."""
    one, other = two
    one.redirect("/rss", other.url("/feed"), status=302)
    seats = Seats(1, Pace(0.0), threading.Event())
    [seat] = seats.of("127.0.0.2")
    seat.free_from = time.monotonic() + 60
    with fetcher(wanted(config, seconds=1)) as session:
        turn = Turn(seats, "127.0.0.1", 0, session)
        assert turn.begin()
        with pytest.raises(FetchError, match=r"leads to 127\.0\.0\.2, where its turn did not come") as caught:
            session.get(one.url("/rss"), NOW, move=turn.move)
        turn.end()
    assert (caught.value.kind, other.requests, seat.lock.locked()) == ("ours", [], False)


def test_who_is_led_to_an_operator_that_wants_to_be_left_alone_does_not_ask_it(
        config: Config, two: tuple[FeedServer, FeedServer]) -> None:
    one, other = two
    one.redirect("/rss", other.url("/feed"), status=302)
    planned = Round([Ask(1, one.url("/rss"))], wanted(config), NOW, Pace(0.0, waits={"127.0.0.2": 60.0}))
    [answer] = planned.answers(threading.Event())
    assert (answer.error.reason, answer.error.kind) == (
        "leads to 127.0.0.2, which wants to be left alone", "busy")
    assert other.requests == []


def test_whoever_waits_for_its_turn_when_the_round_ends_waits_no_longer(config: Config) -> None:
    ended = threading.Event()
    seats = Seats(1, Pace(0.0), ended)
    with fetcher(config) as session, seats.of("127.0.0.1")[0].lock:
        threading.Timer(0.1, ended.set).start()
        began = time.monotonic()
        assert not Turn(seats, "127.0.0.1", 0, session).begin()
        assert time.monotonic() - began < 1
