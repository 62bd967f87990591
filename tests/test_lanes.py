"""Many fetches side by side: who shares a lane, and that a stop or a failure ends them all."""
import threading
import time
from dataclasses import replace

import pytest
from conftest import NOW
from feed_server import FeedServer

from devdigest.config import Config
from devdigest.lanes import Ask, Lane, Round, ask_all, plan
from devdigest.pace import Pace


def asks(*urls: str) -> list[Ask]:
    return [Ask(number, url) for number, url in enumerate(urls)]


def numbers(lanes: list[Lane]) -> list[list[int]]:
    return [[ask.id for ask in lane.asks] for lane in lanes]


SHORT, OTHER = "https://ada.example.org/rss", "https://bob.example.net/rss"
TISTORY = [f"https://blog{number}.tistory.com/rss" for number in range(5)]


@pytest.mark.parametrize(("urls", "per_operator", "lanes"), [
    ([], 1, []),
    ([SHORT, OTHER], 1, [[0], [1]]),
    (TISTORY, 1, [[0, 1, 2, 3, 4]]),                        # sub-domains are one operator
    (TISTORY, 2, [[0, 2, 4], [1, 3]]),
    (TISTORY[:2], 8, [[0], [1]]),                           # no lane without an ask
    ([SHORT, *TISTORY], 1, [[1, 2, 3, 4, 5], [0]]),         # the longest first
    ([SHORT, OTHER, *TISTORY], 2, [[2, 4, 6], [3, 5], [0], [1]]),
])
def test_an_operator_has_so_many_lanes_and_the_longest_is_first(urls: list[str], per_operator: int,
                                                                lanes: list[list[int]]) -> None:
    assert numbers(plan(asks(*urls), per_operator, Pace(1.0))) == lanes


def patient(config: Config, **collect: float) -> Config:
    """A fetch may take so long that no test here sees one time out."""
    return replace(config, collect=replace(config.collect, total_seconds=30, **collect))


def test_every_ask_has_one_answer(config: Config, feeds: FeedServer) -> None:
    feeds.serve("/rss", b"<rss/>")
    answers = list(ask_all(asks(feeds.url("/rss"), feeds.url("/none"), "https:///"), patient(config), NOW,
                           threading.Event()))
    assert {answer.ask.id: answer.fetched and answer.fetched.status for answer in answers} == {
        0: 200, 1: None, 2: None}
    assert all((answer.error is None) is (answer.fetched is not None) for answer in answers)


def test_nothing_of_a_body_is_kept_with_an_error_nor_an_ask_with_its_lane(config: Config,
                                                                          feeds: FeedServer) -> None:
    feeds.endless("/endless")
    tour = Round(asks(feeds.url("/endless"), feeds.url("/none")), patient(config), NOW)
    answers = list(tour.answers(threading.Event()))
    assert {answer.error.kind for answer in answers} == {"big", "gone"}
    assert {(one.__traceback__, one.__cause__, one.__context__) for one in (a.error for a in answers)} == {
        (None, None, None)}
    assert (numbers(tour.lanes), tour.asks) == ([[]] * len(tour.lanes), 2)


def left_behind(before: set[threading.Thread]) -> set[threading.Thread]:
    """The threads begun since that do not end by themselves within seconds."""
    until = time.monotonic() + 5
    while (left := set(threading.enumerate()) - before) and time.monotonic() < until:
        time.sleep(0.02)
    return left


def test_a_stop_ends_it_within_a_second_though_a_fetch_hangs(config: Config, feeds: FeedServer) -> None:
    feeds.serve("/rss", b"<rss/>")
    feeds.hang("/hang")
    stop = threading.Event()
    answers = ask_all(asks(feeds.url("/hang"), feeds.url("/rss")), patient(config), NOW, stop)
    assert next(answers).ask.id == 1
    threading.Timer(0.3, stop.set).start()
    began = time.monotonic()
    assert list(answers) == []
    assert 0.2 < time.monotonic() - began < 1.3


def test_an_ask_whose_turn_did_not_come_before_the_stop_is_not_made(config: Config,
                                                                    feeds: FeedServer) -> None:
    feeds.serve("/rss", b"<rss/>")
    stop, before = threading.Event(), set(threading.enumerate())
    for _ in ask_all(asks(*[feeds.url("/rss")] * 5), patient(config, per_operator=1, gap=2.0), NOW, stop):
        stop.set()
    assert left_behind(before) == set()
    assert len(feeds.requests) == 1


def test_who_fails_over_an_answer_leaves_no_thread_behind(config: Config, feeds: FeedServer) -> None:
    def fail_over_the_first() -> None:
        for answer in ask_all(asks(*[feeds.url("/rss")] * 20), patient(config, connections=2), NOW,
                              threading.Event()):
            raise LookupError(f"{answer.ask.id}, while {len(set(threading.enumerate()) - before)} at work")

    feeds.serve("/rss", b"<rss/>")
    before = set(threading.enumerate())
    with pytest.raises(LookupError, match=r"while [1-9]"):
        fail_over_the_first()
    assert left_behind(before) == set()
    assert len(feeds.requests) < 20     # more than had room: some threads were waiting to hand over


def test_a_lane_keeps_one_connection_and_leaves_none_behind(config: Config) -> None:
    """Two hosts of one operator, then another operator: what is kept open counts as well."""
    with FeedServer() as one, FeedServer() as two, FeedServer("127.0.0.2") as other:
        servers, seen = (one, two, other), []

        def count(handler: object) -> None:
            until = time.monotonic() + 2        # a server is told of an end a little later
            while (left := sum(server.open for server in servers)) > 1 and time.monotonic() < until:
                time.sleep(0.005)
            seen.append(left)
            handler.write(200, {}, b"<rss/>")

        for server in servers:
            server.do("/rss", count)
        urls = [server.url("/rss") for server in (one, two, one, other)]
        wanted = patient(config, per_operator=1, connections=1)
        assert len(list(ask_all(asks(*urls), wanted, NOW, threading.Event()))) == 4
    assert seen == [1, 1, 1, 1]
def test_the_lane_that_takes_longest_is_first_though_it_has_fewer_asks() -> None:
    pace = Pace(1.0, usual={"example.org": 9.0, "tistory.com": 0.2})
    assert numbers(plan(asks(*TISTORY, SHORT), 1, pace)) == [[5], [0, 1, 2, 3, 4]]


@pytest.mark.parametrize(("connections", "seconds"), [(8, 7.5), (2, 7.5), (1, 10.5)])
def test_the_forecast_is_that_of_the_longest_lane_or_of_the_connections(config: Config, connections: int,
                                                                        seconds: float) -> None:
    planned = Round(asks(SHORT, OTHER, *TISTORY), replace(config, collect=replace(
        config.collect, per_operator=1, connections=connections)), NOW, Pace(1.0))
    assert (planned.forecast(), planned.busy) == (seconds, 3)
    assert planned.outlook() == f"3 lanes, about {10 if seconds < 10 else 20} s left"


def test_whoever_asks_for_patience_is_asked_no_more_and_the_others_are(config: Config,
                                                                       feeds: FeedServer) -> None:
    with FeedServer("127.0.0.2") as busy:
        busy.answer("/rss", 429, {"Retry-After": "60"})
        feeds.serve("/rss", b"<rss/>")
        wanted = asks(*[busy.url("/rss")] * 3, *[feeds.url("/rss")] * 3)
        planned = Round(wanted, patient(config, per_operator=1), NOW)
        answers = list(planned.answers(threading.Event()))
        assert [len(busy.requests), len(feeds.requests)] == [1, 3]
    assert [(answer.operator, answer.pause) for answer in answers if answer.error] == [("127.0.0.2", 60)]
    assert (planned.busy, planned.forecast()) == (0, 0)


def test_who_is_led_to_one_that_asks_for_patience_is_asked_on_but_not_that_one(config: Config,
                                                                               feeds: FeedServer) -> None:
    with FeedServer("127.0.0.2") as busy:
        busy.answer("/rss", 429)
        feeds.redirect("/to", busy.url("/rss"), status=302)
        feeds.serve("/rss", b"<rss/>")
        pace = Pace(0.0)
        planned = Round(asks(feeds.url("/to"), feeds.url("/rss")), patient(config, per_operator=1), NOW, pace)
        first, second = planned.answers(threading.Event())
    assert (first.operator, first.pause, second.pause) == ("127.0.0.2", 900, 0)
    assert (pace.may_ask("127.0.0.1"), pace.may_ask("127.0.0.2")) == (True, False)


def test_when_the_time_of_a_round_is_over_no_lane_asks_on(config: Config, feeds: FeedServer) -> None:
    feeds.serve("/rss", b"<rss/>")
    with FeedServer("127.0.0.2") as other:
        other.serve("/rss", b"<rss/>")
        wanted = asks(*[feeds.url("/rss")] * 50, *[other.url("/rss")] * 50)
        planned = Round(wanted, patient(config, per_operator=1), NOW, Pace(0.1, most=1.5))
        began = time.monotonic()
        answers = list(planned.answers(threading.Event()))
    assert 2 <= len(answers) <= 30
    assert time.monotonic() - began < 4


def test_a_port_that_the_owner_does_not_allow_is_not_asked(config: Config, feeds: FeedServer) -> None:
    feeds.serve("/rss", b"<rss/>")
    port = int(feeds.url("").rpartition(":")[2])
    home = replace(config, collect=replace(config.collect, allow_private=False))
    allowed = replace(home, collect=replace(home.collect, ports=(443, port)))
    reasons = [answer.error.reason for which in (home, allowed)
               for answer in ask_all(asks(feeds.url("/rss")), which, NOW, threading.Event())]
    assert reasons == [f"port {port} is none of 80, 443", "address 127.0.0.1 is not public"]
    assert feeds.paths == []
