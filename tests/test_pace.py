"""How fast a round may go: whom it leaves alone for how long, when it ends, what it expects."""
import time

import pytest

from devdigest.fetch import FetchError
from devdigest.pace import Pace, about

URL = "https://ada.example.org/rss"


def refusal(status: int | None, retry_after: int | None = None) -> FetchError:
    return FetchError(URL, "", "busy", status, retry_after)


def heard(pace: Pace, error: FetchError | None, seconds: float = 0.1, failing: bool = False) -> float:
    return pace.hear("example.org", seconds, error, "example.org", failing)


def silence(kind: str = "slow") -> FetchError:
    return FetchError(URL, "", kind)


@pytest.mark.parametrize(("error", "pause"), [
    (None, 0), (refusal(None), 0), (refusal(404), 0), (refusal(500), 0),
    (refusal(429), 900), (refusal(429, 5), 5), (refusal(503, 60), 60),
    (refusal(503), 0),                          # one alone is one blog's own trouble
    (refusal(503, 604_800), 6 * 3600),          # nor does one blog's week of repairs stop its neighbours
])
def test_an_operator_is_left_alone_for_as_long_as_it_asks(error: FetchError | None, pause: float) -> None:
    pace = Pace(1.0)
    assert heard(pace, error) == pause
    assert pace.may_ask("example.org") is (pause == 0)
    assert pace.may_ask("example.net")


def test_a_platform_that_says_twice_in_a_row_that_it_is_unavailable_is_left_alone() -> None:
    pace, bare = Pace(1.0), refusal(503)
    assert [heard(pace, error) for error in (bare, None, bare, bare)] == [0, 0, 0, 900]


def test_a_platform_that_does_not_answer_five_times_in_a_row_is_left_alone() -> None:
    pace = Pace(1.0)
    row = [silence(), silence("silent")] * 3
    assert [heard(pace, error) for error in row] == [0, 0, 0, 0, 600, 600]
    assert not pace.may_ask("example.org")
    assert pace.may_ask("example.net")


def test_whom_a_redirect_leads_to_a_silent_platform_makes_it_no_longer_silent() -> None:
    pace = Pace(1.0)
    for _ in range(5):
        heard(pace, silence())
    led_there = silence("busy"), silence("ours")
    assert [heard(pace, error) for error in led_there] == [0, 0]
    assert heard(pace, silence(), failing=True) == 0


@pytest.mark.parametrize("answer", [None, refusal(404), refusal(500)])
def test_an_answer_between_is_that_of_a_platform_with_dead_blogs(answer: FetchError | None) -> None:
    pace = Pace(1.0)
    assert [heard(pace, error) for error in (*[silence()] * 4, answer, *[silence()] * 4)] == [0.0] * 9
    assert pace.may_ask("example.org")


@pytest.mark.parametrize(("kind", "failing"), [("slow", True), ("host", False), ("tls", False),
                                               ("ours", False)])
def test_what_is_a_blogs_own_trouble_says_nothing_of_its_operator(kind: str, failing: bool) -> None:
    """Or a retry, which asks only those that failed, would end for all others of their platform."""
    pace = Pace(1.0)
    assert [heard(pace, silence(kind), failing=failing) for _ in range(9)] == [0.0] * 9
    assert [heard(pace, silence()) for _ in range(5)] == [0, 0, 0, 0, 600]


def test_whoever_refuses_is_left_alone_and_not_who_led_there() -> None:
    pace = Pace(1.0)
    pace.hear("example.org", 0.1, refusal(429), "medium.com")
    assert (pace.may_ask("example.org"), pace.may_ask("medium.com")) == (True, False)


def test_a_shorter_wish_does_not_end_a_longer_one() -> None:
    pace = Pace(1.0, waits={"example.org": 2.0})
    heard(pace, refusal(429, 1))
    time.sleep(1.01)
    assert not pace.may_ask("example.org")
    time.sleep(1.0)
    assert pace.may_ask("example.org")


def test_after_its_time_nobody_is_asked() -> None:
    assert not Pace(1.0, most=0).may_ask("example.org")
    assert Pace(1.0, most=60).may_ask("example.org")


def test_what_is_expected_follows_what_was_heard_but_not_at_once() -> None:
    pace = Pace(1.0, usual={"example.org": 1.0})
    assert pace.expected("example.org", 10) == 20
    heard(pace, None, seconds=9.0)
    assert pace.expected("example.org", 10) == 30
    assert pace.expected("example.net", 10) == 15


@pytest.mark.parametrize(("seconds", "words"), [
    (0, "about 0 s"), (1, "about 10 s"), (41, "about 50 s"), (90, "about 90 s"), (91, "about 2 min"),
    (660, "about 11 min")])
def test_a_time_is_told_as_exactly_as_it_is_known(seconds: float, words: str) -> None:
    assert about(seconds) == words
