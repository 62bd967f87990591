"""When a row of the outbox is due again, and when it is not worth another try."""
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes

import pytest
from conftest import NOW
from desk import SEOUL
from relay import FakeRelay, ScriptedRelay, settings
from test_deliver import TEN, published, row, send, states

from devdigest import agenda, outbox, status, subscribers, tokens
from devdigest.config import Config
from devdigest.counts import Event
from devdigest.memory import ISSUES_WAIT, URGENT_WAIT, Setting
from devdigest.outbox import Reader, Row
from devdigest.quota import WINDOW
from devdigest.readers import Delivery, Subscriber

pytestmark = pytest.mark.usefixtures("records")

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def test_a_mail_whose_content_was_refused_is_due_again_only_after_an_hour(config: Config) -> None:
    with ScriptedRelay({".": ["554 5.7.1 looks like spam", "250 queued"]}) as relay:
        config = replace(config, mail=settings(relay, connections=1))
        published(config, "ada")
        assert send(config).states == {"queued": 1}
        assert row("ada").due - row("ada").changed == HOUR
        assert send(config, TEN + HOUR - MINUTE).rows == 0
        assert send(config, TEN + HOUR + MINUTE).states == {"sent": 1}
        assert len(relay.messages) == 2


@pytest.mark.parametrize(("age", "state"), [
    (44 * HOUR - MINUTE, "waiting"),        # the next try, four hours later, is still within the 48
    (44 * HOUR + MINUTE, "given_up"),
])
def test_a_confirmation_is_tried_no_longer_than_its_first_link_is_good(by_relay: Config, age: timedelta,
                                                                       state: str) -> None:
    subscribers.add("full@example.org", NOW, SEOUL, confirmed=False, source="", language="ko")
    Delivery.update(attempts=2, state="waiting").execute()
    assert send(by_relay, NOW + age).states == {state: 1}
    assert row("full").reply.startswith("452 4.2.2")


def test_a_confirmation_that_was_given_up_is_left_alone(by_relay: Config) -> None:
    subscribers.add("full@example.org", NOW, SEOUL, confirmed=False, source="", language="ko")
    assert send(by_relay, NOW + 48 * HOUR).states == {"given_up": 1}
    assert send(by_relay, NOW + 96 * HOUR).rows == 0


def reader_numbers(relay: FakeRelay) -> list[int]:
    return [int(recipient.partition("@")[0].removeprefix("reader")) for _, recipient, _ in relay.messages]


def test_each_day_another_reader_is_first_and_another_last(by_relay: Config, relay: FakeRelay) -> None:
    by_relay = replace(by_relay, mail=replace(by_relay.mail, connections=1))
    published(by_relay, *(f"reader{number}" for number in range(12)))
    firsts, lasts = set(), set()
    for day in range(3):           # then it is too old to be mailed
        relay.messages.clear()
        Delivery.update(state="queued", attempts=0, due=TEN).execute()
        send(by_relay, TEN + timedelta(days=day))
        numbers = reader_numbers(relay)
        assert numbers == [*range(numbers[0], 12), *range(numbers[0])]      # neighbours share pages
        firsts.add(numbers[0])
        lasts.add(numbers[-1])
    assert len(firsts) == len(lasts) == 3


def test_who_asks_to_confirm_during_a_run_is_mailed_before_its_end(config: Config) -> None:
    with FakeRelay(delay=0.05) as relay:
        config = replace(config, mail=settings(relay, connections=1))
        published(config, *(f"reader{number}" for number in range(60)))

        def asks(done: int, of: int) -> None:
            if done == 5:
                subscribers.add("bob@example.org", NOW, SEOUL, confirmed=False, source="", language="ko")
        assert send(config, report=asks).states == {"sent": 61}
        recipients = [recipient for _, recipient, _ in relay.messages]
    assert 5 <= recipients.index("bob@example.org") < 40       # it is looked for once a second


def limited(config: Config, per_day: int) -> Config:
    return replace(config, mail=replace(config.mail, per_day=per_day, connections=2))


def test_the_quota_leaves_the_rest_queued_until_it_frees_even_after_a_restart(by_relay: Config,
                                                                             relay: FakeRelay) -> None:
    config = limited(by_relay, 40)                          # 20 of them for who waits for a mail
    published(config, *(f"reader{number}" for number in range(30)))
    summary = send(config)
    assert summary.states == {"sent": 20}
    assert summary.goes_on is not None
    assert "the 40 mails of 24 hours are used up" in summary.fault
    assert timedelta(0) < summary.goes_on - (TEN + WINDOW) <= 2 * MINUTE
    assert send(config, TEN + HOUR).states == {}            # nothing of it is kept but in the outbox
    assert len(relay.messages) == 20
    assert agenda.deliver(config, TEN + HOUR) == ""         # nor is it tried in vain
    assert Setting.wait(ISSUES_WAIT, TEN + HOUR) is not None
    Delivery.update(changed=TEN - WINDOW).where(Delivery.state == "sent").execute()
    assert send(config, TEN + HOUR).states == {"sent": 10}
    assert sorted(reader_numbers(relay)) == list(range(30))


def test_a_used_up_quota_leaves_room_for_who_waits_for_a_mail_but_not_without_end(by_relay: Config,
                                                                                 relay: FakeRelay) -> None:
    config = limited(by_relay, 40)
    published(config, *(f"reader{number}" for number in range(25)))
    send(config)
    for number in range(22):
        subscribers.add(f"new{number}@example.org", NOW, SEOUL, confirmed=False, source="", language="ko")
    assert send(config).states == {"sent": 20}
    assert Setting.wait(URGENT_WAIT, TEN + HOUR) is not None
    assert len(relay.messages) == 40
    assert send(config).states == {}


def test_a_relay_that_says_that_the_day_is_used_up_is_left_alone_for_an_hour(config: Config) -> None:
    said = "454 Throttling failure: Daily message quota exceeded."
    with ScriptedRelay({".": ["250 ok", "250 ok", said, "250 ok"]}) as relay:
        config = replace(config, mail=settings(relay, connections=1))
        published(config, *(f"reader{number}" for number in range(5)))
        summary = send(config)
        assert (summary.states, said in summary.fault) == ({"sent": 2, "queued": 1}, True)
        assert agenda.deliver(config, TEN + 59 * MINUTE) == ""
        assert agenda.deliver(config, TEN + 62 * MINUTE) == "issues"
        assert send(config, TEN + 62 * MINUTE).states == {"sent": 3}


@pytest.mark.parametrize("stage", ["greeting", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "."])
def test_at_whatever_stage_it_says_so_nobody_is_blamed_and_it_is_not_asked_again(config: Config,
                                                                                stage: str) -> None:
    offer = "250-relay\n250-AUTH PLAIN\n250 8BITMIME"
    said = "550 5.4.5 Daily user sending limit exceeded"
    with ScriptedRelay({"EHLO": offer, stage: said}) as relay:
        config = replace(config, mail=settings(relay, connections=1, user="digest"))
        published(config, "ada", "bob", "carol")
        assert "550 5.4.5" in send(config, pauses=(60,)).fault
        assert relay.connections == 1
    assert set(states().values()) == {"queued"}
    assert agenda.deliver(config, TEN + 59 * MINUTE) == ""


def test_a_mail_is_known_by_its_signed_number_alone(by_relay: Config, relay: FakeRelay) -> None:
    published(by_relay, "ada")
    send(by_relay)
    [(sender, _, message)] = relay.messages
    number = message_from_bytes(message)["X-DevDigest-Delivery"]
    assert tokens.verify(subscribers.link_key(), "delivery", number) == row("ada").id
    assert message_from_bytes(message)["Message-ID"] == f"<2026-11-21.{number}@example.org>"
    assert tokens.verify(subscribers.link_key(), "link", number) is None
    assert sender == "digest@example.org"


def test_while_mails_are_sent_it_is_told_how_far_and_when_the_last_leaves(by_relay: Config) -> None:
    published(by_relay, *(f"reader{number}" for number in range(10)))
    for number, one in enumerate(Delivery.select().limit(5)):
        one.state, one.changed = "sent", TEN + number * MINUTE / 4
        one.save()
    facts = status.facts(by_relay, TEN + MINUTE)["sending"]
    assert facts == {"sent": 5, "of": 10, "last_at": (TEN + 2 * MINUTE).isoformat(timespec="seconds")}
    assert status.facts(by_relay, TEN + HOUR)["sending"] is None


def test_the_growth_of_a_month_warns_before_the_plan_is_too_small(by_relay: Config) -> None:
    published(by_relay, *(f"reader{number}" for number in range(18)))
    Event.add(TEN.date(), "confirmed", 18)
    assert "in about 3 days more than the 20" in status.facts(limited(by_relay, 40), TEN)["plan"]
    assert status.facts(limited(by_relay, 4_000), TEN)["plan"] == ""
    assert Subscriber.active() == 18


def test_a_row_is_read_as_the_tables_keep_it(config: Config) -> None:
    [ada] = published(config, "ada")
    kept = Delivery.get()
    found, reader = outbox.look_up(kept.id)
    assert all(getattr(found, name) == getattr(kept, name) for name in Row.__slots__)
    assert reader._asdict() == {name: getattr(ada, name) for name in Reader._fields}
    subscribers.forget(ada, TEN, SEOUL)
    assert outbox.look_up(kept.id)[1] is None


def test_a_row_is_kept_as_the_tables_keep_it(config: Config) -> None:
    published(config, "ada")
    found, _ = outbox.look_up(Delivery.get().id)
    outbox.claim([found], TEN)
    assert (Delivery.get().state, Delivery.get().attempts, Delivery.get().changed) == ("sending", 1, TEN)
    found.state, found.due, found.doubts = "waiting", TEN + timedelta(hours=1), 2
    outbox.end(found, "451 later", TEN)
    kept = Delivery.get()
    assert all(getattr(found, name) == getattr(kept, name) for name in Row.__slots__)
    assert (kept.reply, kept.changed) == ("451 later", TEN)


def test_a_row_found_claimed_for_the_third_time_is_given_up(config: Config) -> None:
    published(config, "ada")
    ends = []
    for _ in range(3):
        Delivery.update(state="sending").execute()
        Delivery.recover(TEN)
        ends.append(Delivery.get().state)
    assert ends == ["unknown", "unknown", "given_up"]
