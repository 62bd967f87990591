"""One line to the relay: what it makes of a relay with little skill, and when it tries again."""
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from conftest import NOW
from relay import DROP, ScriptedRelay, settings

from devdigest import notices
from devdigest.config import Config
from devdigest.line import Again, Line, Outgoing
from devdigest.replies import Dropped, Outcome, RelayError, Reply

ADA = "ada@example.org"


def to_ada(message: bytes = b"Subject: digest\r\n\r\nnews\r\n") -> Outgoing:
    return Outgoing("digest@example.org", ADA, not message.isascii(), lambda: message)


MAIL = to_ada()
SLOWER = "451 4.7.0 slower"


@contextmanager
def a_line(relay: ScriptedRelay, *pauses: float, **changes: object) -> Iterator[Line]:
    with Line(settings(relay, **changes), "secret", pauses) as line:
        yield line


def tried(line: Line, mail: Outgoing = MAIL, then: Outgoing | None = None) -> Reply | None:
    return line.announce(mail) or line.transmit(mail, then)


def sent(line: Line, pauses: list[float] | None = None) -> Reply | None:
    """What became of a mail in the end; notes the pauses that were to be made."""
    while True:
        try:
            return tried(line)
        except Again as again:
            if pauses is not None:
                pauses.append(again.pause)


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
    letter = notices.confirmation(config, "ko", NOW, NOW).fill(to=ADA, delivery="7", token="t0ken",
                                                               since=None)
    with ScriptedRelay({"EHLO": ehlo}) as relay, a_line(relay) as line:
        assert tried(line, to_ada(letter)).outcome is Outcome.ACCEPTED
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


def test_each_try_is_to_be_a_longer_while_after_the_one_before_and_over_a_new_connection() -> None:
    with ScriptedRelay({"RCPT": [SLOWER, SLOWER, "250 OK"]}) as relay, a_line(relay, 4.0, 30.0) as line:
        pauses: list[float] = []
        assert sent(line, pauses).outcome is Outcome.ACCEPTED
        assert 4 <= pauses[0] <= 5 < 30 <= pauses[1] <= 37.5        # not all lines at the same moment
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


@pytest.mark.parametrize(("script", "crowded", "hurried"), [
    ({"RCPT": SLOWER}, False, True),
    ({".": "454 Throttling failure: Maximum sending rate exceeded."}, False, True),
    ({"RCPT": "421 4.7.0 try again later"}, True, False),
    ({"MAIL": "451 4.7.0 Too many concurrent SMTP connections"}, True, False),
    ({"DATA": DROP}, True, False),
    ({"MAIL": "503 5.5.1 nested MAIL command"}, False, False),
])
def test_what_the_relay_has_enough_of_is_told_apart(script: dict[str, str], crowded: bool,
                                                        hurried: bool) -> None:
    with ScriptedRelay(script) as relay, a_line(relay, 0.01) as line:
        with pytest.raises(Again) as again:
            tried(line)
        assert (again.value.crowded, again.value.hurried) == (crowded, hurried)


@pytest.mark.parametrize(("ehlo", "ours", "connections"), [
    ("250 relay", 0, 1), ("250 relay", 2, 3), ("250-relay\n250 LIMITS MAILMAX=3", 0, 2),
    ("250-relay\n250 LIMITS MAILMAX=3", 2, 3), ("250-relay\n250 LIMITS MAILMAX=2", 3, 3),
])
def test_a_connection_carries_no_more_mails_than_we_or_the_relay_want(ehlo: str, ours: int,
                                                                      connections: int) -> None:
    with ScriptedRelay({"EHLO": ehlo}) as relay, a_line(relay, per_connection=ours) as line:
        for _ in range(5):
            assert tried(line, then=MAIL).outcome is Outcome.ACCEPTED
        line.abandon()
        assert (len(relay.messages), relay.connections) == (5, connections)


def test_a_mail_that_was_announced_and_is_abandoned_never_arrives() -> None:
    with ScriptedRelay({}) as relay, a_line(relay) as line:
        assert line.announce(MAIL) is None
        line.abandon()
        assert tried(line).outcome is Outcome.ACCEPTED
        assert (len(relay.messages), relay.connections) == (1, 2)


def test_an_address_that_fits_no_command_is_refused_without_the_relay() -> None:
    with ScriptedRelay({}) as relay, a_line(relay) as line:
        nobody = Outgoing("digest@example.org", "a da@example.org", False, bytes)
        assert line.announce(nobody).outcome is Outcome.REFUSED
        assert relay.connections == 0
