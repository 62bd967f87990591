"""The bench of mailing tells the truth: what its sink saw, how far it is away, what the references do."""
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from bench import building, outbox, senders
from bench.sink import HOST, Sink
from relay import settings

from devdigest import database
from devdigest.config import Config
from devdigest.readers import Delivery
from devdigest.smtp import Relay
from devdigest.table import db

RTT = 0.25
ABLE = ("PIPELINING", "CHUNKING", "8BITMIME")
MAIL = b"From: digest@example.org\r\nTo: reader0@example.org\r\n\r\n.one dot\r\n" + b"news\r\n" * 20_000
ENVELOPE = b"MAIL FROM:<digest@example.org>\r\nRCPT TO:<ada@example.org>\r\n"


@pytest.fixture(scope="module")
def near() -> Iterator[Sink]:
    """No time away, with all extensions."""
    with Sink(0, *ABLE) as sink:
        yield sink


@pytest.fixture(scope="module")
def far() -> Iterator[Sink]:
    with Sink(RTT, *ABLE) as sink:
        yield sink


@pytest.fixture(scope="module")
def plain() -> Iterator[Sink]:
    """A round trip away, with no extension."""
    with Sink(RTT) as sink:
        yield sink


class Talk:
    """A client that writes what it likes when it likes."""

    def __init__(self, sink: Sink) -> None:
        sink.begin()
        self._line = socket.create_connection((HOST, sink.port), 10)
        self._replies = self._line.makefile("rb")

    def say(self, words: bytes) -> None:
        self._line.sendall(words)

    def hear(self, count: int = 1) -> list[int]:
        """The codes of the next replies; 0 where the line is cut."""
        codes = []
        while len(codes) < count:
            try:
                line = self._replies.readline()
            except ConnectionResetError:
                line = b""
            if line[3:4] != b"-":
                codes.append(int(line[:3] or 0))
        return codes

    def close(self) -> None:
        self._replies.close()
        self._line.close()


@contextmanager
def talk(sink: Sink) -> Iterator[Talk]:
    one = Talk(sink)
    try:
        yield one
    finally:
        one.close()


def took(one: Talk, words: bytes, replies: int) -> float:
    """Round trips until these many replies were there."""
    began = time.monotonic()
    one.say(words)
    one.hear(replies)
    return (time.monotonic() - began) / RTT


@pytest.mark.parametrize(("sender", "connections", "at_once"), [("each", 25, 1), ("kept", 1, 1),
                                                                ("pool", 25, senders.PROCESSES)])
def test_each_mail_of_a_reference_arrives_once_and_whole(near: Sink, tmp_path: Path, sender: str,
                                                         connections: int, at_once: int) -> None:
    (tmp_path / "message").write_bytes(MAIL)
    near.begin()
    subprocess.run([sys.executable, senders.__file__, sender, str(near.port), tmp_path / "message", "25"],
                   check=True)
    seen = near.report()
    assert seen.mails == {f"reader{number}@example.org": 1 for number in range(1, 26)}
    # the dot at a line's begin is doubled; 16 readers' numbers have a digit more
    assert seen.octets == 25 * (len(MAIL) + 1) + 16
    assert (seen.connections, seen.early) == (connections, 0)
    assert 1 <= seen.at_once <= at_once


def test_mails_by_our_own_relay_arrive_once_and_whole(near: Sink) -> None:
    near.begin()
    with Relay(settings(near), "") as relay:
        for number in range(10):
            relay.send("digest@example.org", f"reader{number}@example.org", MAIL)
    seen = near.report()
    assert seen.mails == {f"reader{number}@example.org": 1 for number in range(10)}
    assert (seen.octets, seen.connections, seen.early) == (10 * (len(MAIL) + 1), 1, 0)


def test_a_greeting_takes_two_round_trips_and_each_command_one(far: Sink) -> None:
    with talk(far) as one:
        assert 2 <= took(one, b"", 1) < 3
        for command in (b"EHLO me\r\n", *ENVELOPE.splitlines(True), b"DATA\r\n", MAIL + b".\r\n"):
            assert 1 <= took(one, command, 1) < 2


def test_a_group_takes_one_round_trip_and_the_next_envelope_rides_along(far: Sink) -> None:
    with talk(far) as one:
        one.say(b"EHLO me\r\n")
        one.hear(2)
        assert 1 <= took(one, ENVELOPE + b"DATA\r\n", 3) < 2
        assert 1 <= took(one, MAIL + b".\r\n" + ENVELOPE + b"DATA\r\n", 4) < 2
    assert far.report().mails == {"ada@example.org": 1}


def test_mails_in_chunks_share_one_round_trip(far: Sink) -> None:
    chunks = ENVELOPE + b"BDAT %d\r\n" % len(MAIL) + MAIL + b"BDAT 6 LAST\r\nlast\r\n"
    with talk(far) as one:
        one.say(b"EHLO me\r\n")
        one.hear(2)
        assert 1 <= took(one, 4 * chunks + ENVELOPE + b"BDAT 0 LAST\r\n", 4 * 4 + 3) < 2
    seen = far.report()
    assert seen.mails == {"ada@example.org": 5}
    assert seen.octets == 4 * (len(MAIL) + 6)


def test_the_seconds_are_those_from_the_connection_to_the_last_reply(far: Sink) -> None:
    far.begin()
    with smtplib.SMTP(HOST, far.port, "me") as client:
        client.sendmail("digest@example.org", "ada@example.org", MAIL)
    seconds = far.report().seconds / RTT        # greeting, EHLO, MAIL, RCPT, DATA, the dot
    assert 7 <= seconds < 9


def test_what_was_offered_is_what_is_said(far: Sink, plain: Sink) -> None:
    for sink, offered in ((far, {"pipelining", "chunking", "8bitmime"}), (plain, set())):
        with smtplib.SMTP(HOST, sink.port, "me") as client:
            client.ehlo()
            assert set(client.esmtp_features) == offered


@pytest.mark.parametrize("words", [b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n", b"NOOP\r\n" * 2])
def test_who_sends_ahead_without_pipelining_is_cut_off(plain: Sink, words: bytes) -> None:
    with talk(plain) as one:
        one.hear()
        one.say(words)
        assert one.hear() == [0]
    assert plain.report().early == 1


def test_a_message_before_its_354_is_cut_off_and_does_not_count(far: Sink) -> None:
    with talk(far) as one:
        one.hear()
        one.say(ENVELOPE + b"DATA\r\n" + MAIL + b".\r\n")
        assert one.hear() == [0]
    seen = far.report()
    assert (seen.early, seen.mails) == (1, {})


def test_chunks_that_were_not_offered_are_refused(plain: Sink) -> None:
    with talk(plain) as one:
        one.hear()
        one.say(b"BDAT 4 LAST\r\n")
        assert one.hear() == [502]


def test_a_message_for_nobody_does_not_count(near: Sink) -> None:
    with talk(near) as one:
        one.hear()
        one.say(b"DATA\r\n")
        assert one.hear() == [503]
        one.say(b"BDAT 6 LAST\r\nnews\r\n" + ENVELOPE + b"RSET\r\nDATA\r\nQUIT\r\n")
        assert one.hear(7) == [503, 250, 250, 250, 503, 221, 0]
    assert near.report().mails == {}


@pytest.mark.usefixtures("records")
def test_the_ledger_counts_each_commit_by_whichever_connection_past_checkpoints(config: Config) -> None:
    path = Path(config.database.path)
    with outbox.Ledger(path) as ledger:
        for _ in range(30):
            with db.atomic():
                outbox.Subscriber.insert_many(
                    [{"email": f"{number}@example.org", "created": outbox.NOW} for number in range(100)]
                ).on_conflict_ignore().execute()
                outbox.Subscriber.delete().execute()
        db.execute_sql("PRAGMA wal_checkpoint(RESTART)").fetchall()
        outbox.Subscriber.select().count()
        db.close()
        database.open(path)
        outbox.Issue.create(day=outbox.NOW.date(), state="empty", created=outbox.NOW)
    assert ledger.commits == 31


def test_rows_queued_one_by_one_are_those_that_publish_queues(tmp_path: Path) -> None:
    rows = {}
    for way in (outbox.queued, outbox.inserted):
        ledger = way(tmp_path / f"{way.__name__}.db", 20)
        with outbox.opened(tmp_path / f"{way.__name__}.db"):
            rows[way] = list(Delivery.select().order_by(Delivery.id).dicts())
        assert ledger.commits == (1 if way is outbox.queued else 20)
    assert rows[outbox.queued] == rows[outbox.inserted]


def test_marks_one_by_one_are_two_commits_a_mail_and_end_as_ours(tmp_path: Path) -> None:
    ledger = outbox.marked(tmp_path / "a.db", 20)
    assert ledger.commits == 40
    with outbox.opened(tmp_path / "a.db"):
        assert {row.state for row in Delivery.select()} == {"sent"}


def test_the_built_mail_says_what_the_filled_one_says(config: Config, tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    outbox.seed(path, 1)
    config = replace(config, database=replace(config.database, path=str(path)))
    filled = building.a_mail(path, config)
    assert 55_000 < len(filled) < 65_000
    built = senders.Said(filled).built("carol@example.org")
    ours, theirs = (message_from_bytes(mail, policy=policy.default) for mail in (filled, built))
    assert theirs["To"] == "carol@example.org"
    for name in ("From", "Subject", "Date", "Message-ID", "List-Unsubscribe", "List-Id"):
        assert theirs[name] == ours[name]
    for kind in ("plain", "html"):
        words = ours.get_body((kind,)).get_content().replace(senders.READER, "carol@example.org")
        assert theirs.get_body((kind,)).get_content().splitlines() == words.splitlines()
