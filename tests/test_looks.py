"""Many checks at once, each in its time, ground first."""
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from devdigest.finding import NOT_ASKED, OK, RED, WARN, Finding
from devdigest.looks import Look, findings


def says(name: str, state: str = OK, after: tuple[str, ...] = (), seconds: float = 0.0) -> Look:
    def ask() -> Iterator[Finding]:
        time.sleep(seconds)
        yield Finding(name, state, "as it is")
    return Look((name,), ask, after)


def states(*looks: Look, each: float = 5, everything: float = 5) -> dict[str, str]:
    return {one.name: one.state for one in findings(looks, each, everything)}


def test_findings_come_in_the_order_of_the_looks() -> None:
    assert list(states(says("slow", seconds=0.1), says("b"), says("a"))) == ["slow", "b", "a"]


def test_what_stands_on_a_failed_ground_is_not_asked_nor_what_stands_on_that() -> None:
    looks = (says("network", RED), says("name", after=("network",)), says("outside", after=("name",)),
             says("disk"))
    found = list(findings(looks))
    assert [(one.name, one.state) for one in found] == [
        ("network", RED), ("name", NOT_ASKED), ("outside", NOT_ASKED), ("disk", OK)]
    assert (found[1].fact, found[2].fact) == ("waits for the network", "waits for the network")


@pytest.mark.parametrize("state", [OK, WARN, NOT_ASKED])
def test_a_ground_that_is_not_red_bears(state: str) -> None:
    assert states(says("address", state), says("name", after=("address",)))["name"] == OK


def test_only_the_finding_that_is_named_is_the_ground() -> None:
    both = Look(("spf", "dkim"), lambda: [Finding("spf", OK, ""), Finding("dkim", RED, "")])
    assert states(both, says("on spf", after=("spf",)), says("on dkim", after=("dkim",))) == {
        "spf": OK, "dkim": RED, "on spf": OK, "on dkim": NOT_ASKED}


def test_looks_are_asked_side_by_side() -> None:
    together = threading.Barrier(3, timeout=5)

    def meet(name: str) -> Callable[[], list[Finding]]:
        return lambda: [Finding(name, OK, str(together.wait() >= 0))]
    assert set(states(*(Look((name,), meet(name)) for name in "abc")).values()) == {OK}


def test_what_takes_too_long_is_not_known_and_hinders_nothing() -> None:
    begun = time.monotonic()
    looks = says("slow", seconds=2), says("after", after=("slow",)), says("quick")
    slow, after, quick = findings(looks, 0.5)
    assert time.monotonic() - begun < 2
    assert (slow.state, slow.fact) == (WARN, "not known: no answer within 0 s")
    assert slow.cure
    assert (after.state, quick.state) == (OK, OK)


def test_what_was_found_before_time_was_up_counts() -> None:
    def ask() -> Iterator[Finding]:
        yield Finding("certificate", OK, "good")
        time.sleep(1)
        yield Finding("outside", OK, "too late")
    found = list(findings([Look(("certificate", "outside"), ask)], 0.2))
    time.sleep(1)
    assert [(one.name, one.state) for one in found] == [("certificate", OK), ("outside", WARN)]


def test_a_chain_ends_in_the_time_that_all_have() -> None:
    begun = time.monotonic()
    names = [f"look {number}" for number in range(9)]
    chain = [says(name, after=(before,) if before else (), seconds=3)
             for name, before in zip(names, ["", *names], strict=False)]
    assert set(states(*chain, each=0.5, everything=0.6).values()) == {WARN}
    assert time.monotonic() - begun < 3


def test_a_check_that_fails_itself_says_so_and_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    def ask() -> list[Finding]:
        raise ZeroDivisionError("by zero")
    broken, other = findings([Look(("broken",), ask), says("other")])
    assert (broken.state, broken.fact, other.state) == (
        WARN, "the check itself failed: ZeroDivisionError: by zero", OK)
    assert "check broken failed" in caplog.text
