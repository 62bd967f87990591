"""A relay that has its troubles: nothing is lost, nobody blamed, and twice comes only what was in doubt."""
import re
import threading
import time
from collections import Counter
from dataclasses import replace

import pytest
from desk import SEOUL
from relay import CHUNKED, DROP, PIPELINED, STALL, FakeRelay, ScriptedRelay, settings
from test_deliver import TEN, published, send

from devdigest import database, subscribers
from devdigest.config import Config
from devdigest.readers import Delivery, Subscriber

pytestmark = pytest.mark.usefixtures("records")

MANY = 60
WELL = ["250 ok"] * 9


def got(relay: ScriptedRelay) -> Counter[str]:
    """Who was sent the mail, and how often; without the lone dots after refused envelopes (RFC 2920, 3.1)."""
    recipients = (re.search(rb"^To: (\S+)", message, re.MULTILINE) for message in relay.messages)
    return Counter(found[1].decode() for found in recipients if found)


def many(config: Config) -> set[str]:
    return {one.email for one in published(config, *(f"reader{number}" for number in range(MANY)))}


def assert_all_is_well(config: Config, relay: ScriptedRelay, everyone: set[str], runs: int = 3,
                       turned_away: int = 0) -> None:
    """`turned_away`: mails whose dot the relay answers with a refusal, so that they come once more."""
    for _ in range(runs):
        if send(config).states == {} and not Delivery.select().where(Delivery.state != "sent").exists():
            break
    assert Counter(state for state, in Delivery.select(Delivery.state).tuples()) == {"sent": MANY}
    assert not Subscriber.select().where(Subscriber.state != "active").exists()
    doubts = sum(doubts for doubts, in Delivery.select(Delivery.doubts).tuples())
    times = got(relay)
    assert set(times) == everyone
    assert times.total() - MANY <= doubts + turned_away


TROUBLES = {
    "421 after some mails": {".": [*WELL, "421 4.3.2 closing", *WELL, "421 4.7.0 enough", "250 ok"]},
    "421 for an envelope": {"RCPT": [*WELL, "421 4.7.0 too many connections", "250 ok"]},
    "one in twenty busy": {"RCPT": [*WELL, *WELL,
                                    "451 4.7.0 slower", *WELL, *WELL, "451 4.7.0 slower", "250 ok"]},
    "too fast": {".": [*WELL, "454 Throttling failure: Maximum sending rate exceeded.", "250 ok"]},
    "cut before the dot": {"DATA": [*["354 go"] * 9, DROP, *["354 go"] * 9, DROP, "354 go"]},
    "cut after the dot": {".": [*WELL, DROP, *WELL, DROP, "250 ok"]},
    "cut at the envelope": {"RCPT": [*WELL, DROP, "250 ok"]},
    "no word any more": {"RCPT": [*WELL, STALL, "250 ok"]},
    "quota": {".": [*WELL, "454 Throttling failure: Daily message quota exceeded.", "250 ok"]},
    "login gone": {"MAIL": [*WELL, "530 5.7.0 authentication required", "250 ok"]},
}


@pytest.mark.parametrize("ehlo", [PIPELINED, "250-relay\n250 8BITMIME"], ids=["in groups", "plain"])
@pytest.mark.parametrize("trouble", TROUBLES)
def test_in_any_trouble_of_the_relay_everyone_has_the_mail_in_the_end(config: Config, trouble: str,
                                                                      ehlo: str) -> None:
    with ScriptedRelay({"EHLO": ehlo} | TROUBLES[trouble]) as relay:
        config = replace(config, mail=settings(relay, connections=4, timeout=1, per_second=500.0))
        turned_away = sum(reply[0] == "4" for reply in TROUBLES[trouble].get(".", ()))
        assert_all_is_well(config, relay, many(config), turned_away=turned_away)


@pytest.mark.parametrize("trouble", ["421 for an envelope", "one in twenty busy", "cut at the envelope"])
def test_in_trouble_with_a_window_everyone_has_the_mail_in_the_end(config: Config, trouble: str) -> None:
    with ScriptedRelay({"EHLO": CHUNKED} | TROUBLES[trouble]) as relay:
        config = replace(config, mail=settings(relay, connections=2, window=4, timeout=1, per_second=500.0))
        everyone = many(config)
        for _ in range(3):
            send(config)
        assert Counter(state for state, in Delivery.select(Delivery.state).tuples()) == {"sent": MANY}
        assert set(got(relay)) == everyone      # BDAT: what a refused envelope was given counts here too


def test_with_a_window_each_has_one_mail(config: Config) -> None:
    with ScriptedRelay({"EHLO": CHUNKED}) as relay:
        config = replace(config, mail=settings(relay, connections=2, window=8, timeout=2))
        assert_all_is_well(config, relay, many(config), runs=1)
        assert any(command.startswith("BDAT") for command in relay.commands)


def test_of_dead_addresses_each_is_refused_and_the_others_have_the_mail(config: Config) -> None:
    with FakeRelay() as relay:
        config = replace(config, mail=settings(relay, connections=4))
        many(config)
        dead = {f"reader{number}" for number in range(0, MANY, 15)}
        relay.to_rcpt |= dict.fromkeys(dead, "550 5.1.1 no such user")
        assert send(config).states == {"sent": MANY - len(dead), "refused": len(dead)}
        assert dead.isdisjoint(recipient.partition("@")[0] for _, recipient, _ in relay.messages)


def test_who_leaves_while_their_envelope_is_announced_gets_no_mail(config: Config) -> None:
    """The second envelope rides along with the first mail, and its reader leaves before the reply to that."""
    with ScriptedRelay({"EHLO": PIPELINED}, delay=0.3) as relay:
        config = replace(config, mail=settings(relay, connections=1, timeout=5))
        people = published(config, "ada", "bob", "carol")
        left = []

        def leave() -> None:
            with database.connected():
                while (first := Delivery.get_or_none(Delivery.state == "sending")) is None:
                    time.sleep(0.001)
                left.append(people[first.id % 3])
                subscribers.cancel(left[0], TEN, SEOUL)
        meanwhile = threading.Thread(target=leave)
        meanwhile.start()
        assert send(config).states == {"sent": 2, "dropped": 1}
        meanwhile.join()
        assert got(relay) == {one.email: 1 for one in people if one != left[0]}
        assert f"RCPT TO:<{left[0].email}>" in relay.commands


def test_a_relay_that_takes_few_lines_is_mailed_to_over_those(config: Config) -> None:
    greetings = ["220 relay", *["421 4.7.0 too many connections"] * 3, "220 relay"]
    with ScriptedRelay({"greeting": greetings}) as relay:
        config = replace(config, mail=settings(relay, connections=4, timeout=2))
        assert_all_is_well(config, relay, many(config), runs=1)


def test_refused_content_here_and_there_stops_a_run_too(config: Config) -> None:
    """Never five in a row, but more than one in fifty."""
    with ScriptedRelay({".": ["250 ok", "550 5.7.1 looks like spam"] * 40}) as relay:
        config = replace(config, mail=settings(relay, connections=1, timeout=2))
        many(config)
        summary = send(config)
        assert "not to whom" in summary.fault
        assert summary.states == {"sent": 10, "queued": 10}
