"""Mailing to a real Postfix that passes on what arrived: groups, chunks, refusals in the middle of them."""
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from postfix import MISSING, Postfix
from relay import FakeRelay, certificate, settings

from devdigest.replies import Envelope, Outcome
from devdigest.smtp import Relay

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(MISSING), reason=MISSING)]

DIGEST = "digest@example.org"
BODIES = [b"news\r\n", b".\r\n..\r\n.hidden\r\n", "안녕하세요, 🙂\r\n".encode(), b"QUIT\r\nno end",
          b"x" * 998]


@pytest.fixture(scope="module")
def inbox() -> Iterator[FakeRelay]:
    with FakeRelay() as server:
        yield server


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("postfix"))


@pytest.fixture(scope="module")
def postfix(inbox: FakeRelay, pem: Path) -> Iterator[Postfix]:
    with Postfix(pem, inbox.port) as server:
        yield server


def the_mails(test: str) -> list[tuple[Envelope, bytes]]:
    """Each body to someone, and after each a mail to someone who is not there."""
    mails = []
    for number, body in enumerate(BODIES):
        message = f"From: <{DIGEST}>\r\nSubject: {test} {number}\r\n\r\n".encode() + body
        for recipient in (f"{test}-{number}@example.org", "gone@example.org"):
            mails.append((Envelope(DIGEST, recipient, not body.isascii()), message))
    return mails


def arrived(inbox: FakeRelay, test: str) -> list[bytes]:
    """The bodies that were passed on, once they are all there."""
    deadline = time.monotonic() + 30
    while True:
        mails = sorted((to, message) for _, to, message in inbox.messages if to.startswith(test))
        if len(mails) == len(BODIES):
            return [message.partition(b"\r\n\r\n")[2] for _, message in mails]
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(("test", "changes"), [
    ("groups", {}),
    ("window", {"window": 4}),
    ("groups-tls", {"security": "starttls"}),
    ("window-tls", {"security": "starttls", "window": 10}),
])
def test_every_mail_arrives_whole_and_refused_ones_spoil_none(
        postfix: Postfix, inbox: FakeRelay, pem: Path, test: str, changes: dict[str, object]) -> None:
    with Relay(settings(postfix, ca_file=str(pem), **changes), "") as connection:
        assert (connection.pipelining, connection.chunking, connection.eight_bit) == (True, True, True)
        assert connection.tls == ("TLSv1.3" if "security" in changes else "")
        replies = connection.send_all(the_mails(test))
    assert [reply.outcome for reply in replies] == [Outcome.ACCEPTED, Outcome.REFUSED] * len(BODIES)
    assert str(replies[1]).startswith("550 5.1.1 ")
    expected = [body.removesuffix(b"\r\n") + b"\r\n" for body in BODIES]
    assert arrived(inbox, f"{test}-") == expected


def test_mails_sent_one_by_one_arrive_too(postfix: Postfix, inbox: FakeRelay) -> None:
    with Relay(settings(postfix), "") as connection:
        for envelope, message in the_mails("single"):
            reply = connection.send(envelope.sender, envelope.recipient, message)
            gone = envelope.recipient.startswith("gone")
            assert reply.outcome is (Outcome.REFUSED if gone else Outcome.ACCEPTED)
    assert len(arrived(inbox, "single-")) == len(BODIES)
