"""What the router says of itself, by RFC 6886."""
import time

import pytest
from machines import udp
from relay import free_port

from devdigest.nat_pmp import external_address

GOOD = bytes((0, 128, 0, 0, 0, 0, 1, 0, 203, 0, 113, 7))


def test_the_address_of_the_router_is_told() -> None:
    with udp(GOOD) as (port, heard):
        assert external_address("127.0.0.1", port, 1) == "203.0.113.7"
    assert heard == [b"\0\0"]


def test_what_gets_lost_is_asked_again() -> None:
    with udp(b"", GOOD) as (port, heard):
        assert external_address("127.0.0.1", port, 2) == "203.0.113.7"
    assert heard == [b"\0\0", b"\0\0"]


@pytest.mark.parametrize("answer", [
    bytes((0, 128, 0, 2, 0, 0, 1, 0, 203, 0, 113, 7)), bytes((0, 128, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0)),
    bytes((2, 128, 0, 1)), bytes((0, 0)), b"HTTP/1.1 400 Bad Request\r\n\r\n"],
    ids=["refused", "no address", "another version", "short", "another protocol"])
def test_what_is_no_address_is_none(answer: bytes) -> None:
    with udp(answer) as (port, _):
        assert external_address("127.0.0.1", port, 0.2) == ""


def test_a_router_that_does_not_speak_it_costs_little_time() -> None:
    begun = time.monotonic()
    assert external_address("127.0.0.1", free_port(), 9) == ""      # refused at once
    assert time.monotonic() - begun < 5
    with udp(b"", b"", b"", b"", b"") as (port, _):
        assert external_address("127.0.0.1", port, 0.5) == ""
    assert time.monotonic() - begun < 8
