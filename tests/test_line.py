"""One line to the relay: what it makes of a relay with little skill, and when it tries again."""
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from conftest import NOW
from relay import DROP, ScriptedRelay, settings

from devdigest import notices
from devdigest.config import Config
from devdigest.line import Again, Line
from devdigest.replies import Dropped, Outcome, RelayError, Reply

ADA = "ada@example.org"
MAIL = b"Subject: digest\r\n\r\nnews\r\n"
SLOWER = "451 4.7.0 slower"


@contextmanager
def a_line(relay: ScriptedRelay, *pauses: float, stop: threading.Event | None = None,
           user: str = "") -> Iterator[Line]:
    with Line(settings(relay, user=user), "secret", stop or threading.Event(), pauses) as line:
        yield line


def sent(line: Line) -> Reply | None:
    """What became of a mail in the end."""
    while True:
        try:
            return line.send(ADA, MAIL)
        except Again:
            continue


def parsed(message: bytes) -> EmailMessage:
    return message_from_bytes(message, policy=policy.default)


def without_encoding(message: EmailMessage) -> list[tuple[str, str]]:
    return [(name, value) for name, value in message.items() if name != "Content-Transfer-Encoding"]


@pytest.mark.parametrize(("ehlo", "announced", "in_seven_bits"), [
    ("250 relay", "MAIL FROM:<digest@example.org>", True),
    ("250-relay\n250 8BITMIME", "MAIL FROM:<digest@example.org> BODY=8BITMIME", False),
])
def test_a_letter_arrives_with_the_same_words_whether_or_not_the_relay_takes_eight_bits(
        config: Config, ehlo: str, announced: str, in_seven_bits: bool) -> None:
    letter = notices.confirmation(config, "ko", NOW, NOW).fill(to=ADA, delivery=7, token="t0ken", since=None)
    with ScriptedRelay({"EHLO": ehlo}) as relay, a_line(relay) as line:
        assert line.send(ADA, letter).outcome is Outcome.ACCEPTED
        [arrived] = relay.messages
    assert announced in relay.commands
    assert arrived.isascii() is in_seven_bits
    before, after = parsed(letter), parsed(arrived.replace(b"\r\n..", b"\r\n."))
    assert without_encoding(after) == without_encoding(before)
    for kind in ("plain", "html"):
        words = after.get_body((kind,)).get_content()
        assert words.splitlines() == before.get_body((kind,)).get_content().splitlines()
        assert "구독" in words


def test_a_login_that_is_refused_on_coming_back_is_not_tried_again() -> None:
    script = {"EHLO": "250-relay\n250 AUTH PLAIN", "AUTH": ["235 welcome", "535 5.7.8 bad credentials"],
              "DATA": ["354 go ahead", DROP]}
    with ScriptedRelay(script) as relay, a_line(relay, 0.01, 0.01, 0.01, user="digest") as line:
        assert sent(line).outcome is Outcome.ACCEPTED
        with pytest.raises(RelayError, match="535") as refused:
            sent(line)
        assert refused.value.outcome is Outcome.ACCOUNT
        assert relay.connections == 2


def test_each_try_is_a_pause_after_the_one_before_and_over_a_new_connection() -> None:
    with ScriptedRelay({"RCPT": [SLOWER, SLOWER, "250 OK"]}) as relay, a_line(relay, 0.1, 0.3) as line:
        began = time.monotonic()
        assert sent(line).outcome is Outcome.ACCEPTED
        assert time.monotonic() - began >= 0.4
        assert relay.connections == 3


def test_after_the_last_pause_it_is_tried_once_more_and_the_relays_word_stands() -> None:
    with ScriptedRelay({"RCPT": SLOWER}) as relay, a_line(relay, 0.01, 0.01) as line:
        assert str(sent(line)) == SLOWER
        assert relay.connections == 3


def test_after_the_last_pause_a_line_that_breaks_again_is_an_error() -> None:
    with ScriptedRelay({"DATA": DROP}) as relay, a_line(relay, 0.01, 0.01) as line:
        with pytest.raises(Dropped, match="before the final dot"):
            sent(line)
        assert relay.connections == 3


@pytest.mark.parametrize("script", [{"RCPT": SLOWER}, {"DATA": DROP}])
def test_a_stop_ends_a_pause_at_once(script: dict[str, str]) -> None:
    stop = threading.Event()
    with ScriptedRelay(script) as relay, a_line(relay, 10.0, stop=stop) as line:
        threading.Timer(0.2, stop.set).start()
        began = time.monotonic()
        with pytest.raises(Dropped, match="stopped while waiting"):
            sent(line)
        assert 0.1 < time.monotonic() - began < 5
        assert relay.connections == 1
