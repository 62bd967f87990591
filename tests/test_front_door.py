"""What a visitor meets at an address under a name."""
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from feed_server import FeedServer, behind
from machines import dripping, silent
from relay import certificate, free_port

from devdigest.finding import WARN, Finding
from devdigest.front_door import Seen, look
from devdigest.own_address import AddressError, ask

NAME = "digest.example.org"


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    return certificate(tmp_path, f"DNS:{NAME}")


@pytest.fixture
def server(pem: Path) -> Iterator[FeedServer]:
    with behind(pem) as one:
        one.serve("/health", b'{"status": "ok"}', "application/json")
        yield one


def met(address: tuple[str, int], name: str = NAME, tls: bool = True, ca_file: Path | str = "",
        seconds: float = 2) -> Seen:
    return look(name, address, "/health", tls=tls, seconds=seconds, ca_file=str(ca_file))


def where(server: FeedServer) -> tuple[str, int]:
    return "127.0.0.1", int(server.url().rstrip("/").rpartition(":")[2])


def test_a_page_comes_with_the_life_of_its_certificate(server: FeedServer, pem: Path) -> None:
    seen = met(where(server), ca_file=pem)
    assert (seen.trouble, seen.status, seen.body, seen.issuer) == (
        "", 200, b'{"status": "ok"}', "a relay for tests")
    assert seen.ends - seen.begins == timedelta(days=2)
    assert abs(seen.begins - datetime.now(UTC)) < timedelta(hours=1)
    assert server.requests[0][1]["Host"].startswith(NAME)


@pytest.mark.parametrize(("name", "trusted", "words"), [
    (NAME, False, "self-signed certificate"), ("other.example.org", True, "Hostname mismatch")])
def test_a_certificate_of_another_is_none(server: FeedServer, pem: Path, name: str, trusted: bool,
                                          words: str) -> None:
    seen = met(where(server), name, ca_file=pem if trusted else "")
    assert (seen.trouble, words in seen.words, seen.begins) == ("certificate", True, None)
    assert server.requests == []


def test_a_page_without_tls_has_no_certificate() -> None:
    with FeedServer() as plain:
        plain.serve("/health", b"here")
        seen = met(where(plain), tls=False)
        assert (seen.body, seen.begins) == (b"here", None)
        assert met(where(plain)).trouble == "other"


def test_refusal_and_silence_are_told_apart() -> None:
    assert met(("127.0.0.1", free_port())).trouble == "refused"
    with silent() as address:
        assert met(address, tls=False, seconds=0.2).trouble == "silent"
        assert met(address, seconds=0.2).trouble == "silent"


@pytest.mark.parametrize("first", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n", b""])
def test_who_answers_byte_by_byte_is_silent(first: bytes) -> None:
    begun = time.monotonic()
    with dripping(first) as address:
        assert met(address, tls=False, seconds=0.3).trouble == "silent"
    assert time.monotonic() - begun < 1


# our own address

def test_who_we_are_is_asked_of_a_server() -> None:
    with FeedServer() as server:
        server.serve("/ip", b"203.0.113.7\n", "text/plain")
        assert ask(server.url("/ip"), 2) == "203.0.113.7"


@pytest.mark.parametrize("answer", [b"<html>blocked</html>", b"", b"2001:db8::1", b"203.0.113.7" * 9])
def test_what_is_no_address_is_an_error(answer: bytes) -> None:
    with FeedServer() as server:
        server.serve("/ip", answer)
        with pytest.raises(AddressError, match=r"^127\.0\.0\.1 does not tell an address \(200\)$"):
            ask(server.url("/ip"), 2)


def test_a_server_that_cannot_be_asked_is_an_error() -> None:
    with pytest.raises(AddressError, match=r"127\.0\.0\.1: connection refused"):
        ask(f"http://127.0.0.1:{free_port()}/", 2)
    with pytest.raises(AddressError, match="x: "):
        ask(f"http://{'x' * 64}/", 2)       # no name at all, so that nobody is asked for it


def test_what_a_stranger_says_steers_no_terminal_and_fills_none() -> None:
    with dripping(b"\x1b]0;mine\x07\x1b[2J" + b"a" * 9_000 + b"\r\n") as address:
        seen = met(address, tls=False)
    assert "\x1b" in seen.words
    fact = Finding("outside", WARN, f"from inside {seen.words}").fact
    assert fact.isprintable()
    assert len(fact) <= 1_000
