"""What becomes of each row of the outbox, over a real relay; the relay's troubles blame no subscriber."""
import re
import threading
import time
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from email import message_from_bytes, policy
from itertools import product
from pathlib import Path

import pytest
from conftest import NOW, a_blog
from desk import SEOUL
from peewee import IntegrityError
from relay import DROP, PIPELINED, FakeRelay, ScriptedRelay, settings
from test_publish import a_post

from devdigest import account, database, sign_up, subscribers, suppressions, tokens
from devdigest.config import Config
from devdigest.deliver import Summary, deliver
from devdigest.memory import HOLD, Held, Run, Setting
from devdigest.models import Issue
from devdigest.publish import publish
from devdigest.readers import PURPOSES, Consent, Delivery, Subscriber, Suppression
from devdigest.reports import Bounce
from devdigest.sign_up import Form
from devdigest.table import db

pytestmark = pytest.mark.usefixtures("records")

TEN = NOW + timedelta(hours=1)


def send(config: Config, now=TEN, pauses=(0.01, 0.01), **how) -> Summary:
    return deliver(config, now, "", threading.Event(), pauses=pauses, **how)


def readers(*names: str) -> list[Subscriber]:
    return [Subscriber.create(email=f"{name}@example.org", state="active", created=NOW, confirmed=NOW)
            for name in names]


def published(config: Config, *names: str) -> list[Subscriber]:
    people = readers(*names)
    a_post(a_blog())
    publish(config, TEN)
    return people


def states() -> dict[str, str]:
    return dict(Delivery.select(Subscriber.email, Delivery.state).join(Subscriber).tuples())


def row(name: str) -> Delivery:
    return Delivery.select().join(Subscriber).where(Subscriber.email == f"{name}@example.org").get()


def test_every_recipient_gets_the_issue_once(by_relay: Config, relay: FakeRelay) -> None:
    published(by_relay, *(f"reader{number}" for number in range(25)))
    assert send(by_relay).states == {"sent": 25}
    assert send(by_relay).rows == 0
    recipients = Counter(recipient for _, recipient, _ in relay.messages)
    assert recipients == {f"reader{number}@example.org": 1 for number in range(25)}
    for _, recipient, message in relay.messages:
        mail = message_from_bytes(message, policy=policy.default)
        assert mail["To"] == recipient
        token = mail["List-Unsubscribe"].split("/u/")[1].split(">")[0]
        assert subscribers.by_link(token).email == recipient


def test_the_relay_decides_what_becomes_of_a_mail(by_relay: Config) -> None:
    published(by_relay, "ada", "full", "gone")
    send(by_relay)
    assert states() == {"ada@example.org": "sent", "full@example.org": "waiting",
                        "gone@example.org": "refused"}
    assert row("gone").reply.startswith("550 5.1.1")
    assert row("full").due - row("full").changed == timedelta(minutes=15)


def test_a_readers_transient_refusal_ends_at_the_latest_hour(by_relay: Config) -> None:
    published(by_relay, "full")
    waits = []
    now = TEN
    while row("full").state in ("queued", "waiting"):
        send(by_relay, now)
        waits.append(row("full").due - row("full").changed)
        now = row("full").due
    assert [round(wait / timedelta(minutes=1)) for wait in waits[:-1]] == [15, 60, 240, 240]
    assert row("full").state == "given_up"
    assert row("full").reply.startswith("452 4.2.2")


def test_a_confirmation_mail_is_an_outbox_row_and_goes_first(by_relay: Config, relay: FakeRelay) -> None:
    published(by_relay, "ada")
    subscribers.add("bob@example.org", NOW, SEOUL, confirmed=False, source="", language="ko")
    send(replace(by_relay, mail=replace(by_relay.mail, connections=1)))
    assert [recipient for _, recipient, _ in relay.messages] == ["bob@example.org", "ada@example.org"]
    text = message_from_bytes(relay.messages[0][2], policy=policy.default).get_body(("plain",)).get_content()
    token = text.split("/confirm/")[1].split()[0]
    assert subscribers.confirm(token, TEN, SEOUL).email == "bob@example.org"
    assert Subscriber.of("bob@example.org").state == "active"


def test_who_left_or_is_suppressed_after_publish_gets_no_mail(by_relay: Config, relay: FakeRelay) -> None:
    _, bob, _, dora = published(by_relay, "ada", "bob", "carol", "dora")
    subscribers.cancel(bob, TEN, SEOUL)
    Suppression.create(address=tokens.address_hash(subscribers.link_key(), "Carol@Example.org"),
                       reason="complaint", since=TEN)
    subscribers.forget(dora, TEN, SEOUL)
    send(by_relay)
    assert [recipient for _, recipient, _ in relay.messages] == ["ada@example.org"]
    assert states() == {"ada@example.org": "sent", "bob@example.org": "dropped",
                        "carol@example.org": "dropped"}
    assert Delivery.select().where(Delivery.state == "dropped").count() == 3


def link_in(relay: FakeRelay, recipient: str, path: str) -> str:
    """The token of the link with this path in the newest mail to `recipient`."""
    message = [message for _, to, message in relay.messages if to == recipient][-1]
    text = message_from_bytes(message, policy=policy.default).get_body(("plain",)).get_content()
    return text.split(f"/{path}/")[1].split()[0]


def test_who_signs_up_is_mailed_in_the_language_of_the_form_and_from_where_it_was_asked(
        by_relay: Config, relay: FakeRelay) -> None:
    Subscriber.create(email="carol@example.org", state="cancelled", language="ko", created=NOW)
    sign_up.ask(by_relay, Form("carol@example.org", "en", "203.0.113.7", "Firefox <b>", "", ""), TEN)
    send(by_relay)
    [(_, _, message)] = relay.messages
    assert "203.0.113.x" in message.decode()
    assert "Firefox" not in message.decode()
    assert message_from_bytes(message)["Content-Language"] == "en"
    subscribers.confirm(link_in(relay, "carol@example.org", "confirm"), TEN, SEOUL)
    carol = Subscriber.of("carol@example.org")
    assert (carol.state, carol.language) == ("active", "en")


def test_a_link_to_ones_account_is_good_for_an_hour_from_when_it_is_mailed(by_relay: Config,
                                                                          relay: FakeRelay) -> None:
    [ada] = readers("ada")
    account.ask(ada, NOW)
    send(by_relay, NOW + timedelta(hours=5))        # the relay was down
    token = link_in(relay, "ada@example.org", "account")
    assert account.open(token, NOW + timedelta(hours=5, minutes=59)) == ada
    assert account.open(token, NOW + timedelta(hours=6, minutes=1)) is None


def test_the_link_to_move_goes_to_the_new_address_which_gets_the_next_issue(by_relay: Config,
                                                                            relay: FakeRelay) -> None:
    [ada] = readers("ada")
    account.move(ada, "lovelace@example.org", NOW)
    send(by_relay, NOW)
    [(_, recipient, message)] = relay.messages
    assert recipient == message_from_bytes(message)["To"] == "lovelace@example.org"
    assert b"ada@example.org" not in message        # the new address may be a stranger's
    account.settle_move(link_in(relay, "lovelace@example.org", "account/move"), NOW, SEOUL)
    published(by_relay)
    send(by_relay)
    assert [recipient for _, recipient, _ in relay.messages] == ["lovelace@example.org"] * 2


def test_no_mail_goes_to_who_has_not_agreed_whatever_happened_since_it_was_queued(config: Config) -> None:
    """Promise 3 in every combination: purpose, state, suppression of the address, whether they asked anew."""
    issue = Issue.create(day=date(2026, 11, 21), state="published", created=NOW)
    combinations = list(product(("issue", *PURPOSES), ("pending", "active", "cancelled"),
                                ("", "bounce", "erased", "complaint"), ("", "asked")))
    with db.atomic():
        for purpose, state, reason, asked in combinations:
            email = f"{purpose}.{state}.{reason}.{asked}".strip(".").replace("..", ".") + "@example.org"
            to = f"new.{email}" if purpose == "move" else email
            one = Subscriber.create(email=email, state=state, created=NOW, moving_to=to)
            Delivery.create(issue=issue if purpose == "issue" else None, subscriber=one, purpose=purpose,
                            created=NOW, due=NOW, changed=NOW)
            if asked:
                Consent.create(subscriber=one, source="form", asked=NOW)
            if reason:
                Suppression.create(address=suppressions.known_by(to), reason=reason, since=NOW)
    send(config)
    states = [row.state for row in Delivery.select().order_by(Delivery.id)]
    mailed = {one for one, state in zip(combinations, states, strict=True) if state == "sent"}
    assert set(states) == {"sent", "dropped"}
    lifted = ("", "bounce", "erased")
    assert mailed == {
        *product(["issue"], ["active"], [""], ("", "asked")),
        *product(["confirm"], ["pending"], lifted, ("", "asked")),
        *product(["confirm"], ["cancelled"], lifted, ["asked"]),
        *product(["confirm"], ["active"], ("bounce", "erased"), ["asked"]),
        *product(["account"], ["active", "cancelled"], [""], ("", "asked")),
        *product(["move"], ["active"], lifted, ("", "asked"))}


def test_a_move_that_was_settled_or_made_again_mails_nobody_twice(config: Config) -> None:
    [ada] = readers("ada")
    account.move(ada, "first@example.org", NOW)
    account.move(ada, "second@example.org", NOW)
    assert send(config).states == {"sent": 1}
    Delivery.update(state="waiting").execute()
    Subscriber.update(moving_to=None).execute()
    assert send(config).states == {"dropped": 2}


def test_a_move_made_again_during_a_run_mails_the_newer_address_once(config: Config) -> None:
    [ada] = readers("ada")
    subscribers.add("bob@example.org", NOW, SEOUL, confirmed=False, source="", language="ko")
    account.move(ada, "first@example.org", NOW)
    first = send(config, report=lambda done, of: account.move(ada, "second@example.org", NOW))
    assert (first.states, send(config).rows) == ({"sent": 2, "dropped": 1}, 0)


def test_who_leaves_while_their_confirmation_mail_is_under_way_is_not_mailed_again(config: Config) -> None:
    """The first try is refused for now, and they leave during it."""
    [ada] = readers("ada")
    subscribers.cancel(ada, NOW, SEOUL)
    subscribers.request(ada, NOW, SEOUL, source="form")
    Delivery.update(state="sending").execute()
    subscribers.cancel(ada, NOW, SEOUL)
    Delivery.update(state="waiting").execute()
    assert send(config).states == {"dropped": 1}


def test_while_held_only_confirmations_go(by_relay: Config, relay: FakeRelay) -> None:
    published(by_relay, "ada")
    subscribers.add("bob@example.org", NOW, SEOUL, confirmed=False, source="", language="ko")
    Setting.write(HOLD, NOW.isoformat())
    with pytest.raises(Held):
        send(by_relay)
    assert [recipient for _, recipient, _ in relay.messages] == ["bob@example.org"]
    assert row("ada").state == "queued"


def test_a_hold_stops_a_run_that_is_on(by_relay: Config, relay: FakeRelay) -> None:
    published(by_relay, *(f"reader{number}" for number in range(30)))
    with pytest.raises(Held):
        send(by_relay, report=lambda done, of: Setting.write(HOLD, NOW.isoformat()) if done == 5 else None)
    sent = len(relay.messages)
    assert 5 <= sent <= 8
    assert Counter(states().values()) == {"sent": sent, "queued": 30 - sent}


def test_the_latest_hour_stops_a_run_that_is_on(by_relay: Config, relay: FakeRelay) -> None:
    published(by_relay, *(f"reader{number}" for number in range(30)))
    subscribers.add("bob@example.org", NOW, SEOUL, confirmed=False, source="", language="ko")
    send(by_relay, until=TEN)
    assert [recipient for _, recipient, _ in relay.messages] == ["bob@example.org"]
    assert Counter(states().values()) == {"sent": 1, "queued": 30}


def test_an_address_that_no_header_can_carry_stops_nobody_else(by_relay: Config, relay: FakeRelay) -> None:
    Subscriber.create(email="a b@example.org", state="active", created=NOW)
    published(by_relay, "ada", "bob")
    assert send(by_relay).states == {"sent": 2, "refused": 1}
    assert {recipient for _, recipient, _ in relay.messages} == {"ada@example.org", "bob@example.org"}


def test_a_relay_that_is_down_leaves_the_outbox_untouched(config: Config) -> None:
    config = replace(config, mail=replace(config.mail, transport="smtp", host="127.0.0.1", port=9,
                                          security="none"))
    published(config, "ada", "bob")
    summary = send(config, pauses=(60,))        # it was never there: not worth a pause
    assert "127.0.0.1:9" in summary.fault
    assert set(states().values()) == {"queued"}


def test_a_wrong_password_stops_the_run_and_blames_nobody(config: Config) -> None:
    with FakeRelay(user="digest", password="right") as relay:
        config = replace(config, mail=settings(relay, user="digest", sender="digest@example.org"))
        published(config, "ada", "bob")
        summary = deliver(config, TEN, "wrong", threading.Event(), pauses=(60,))
        assert "535" in summary.fault
        assert set(states().values()) == {"queued"}
        assert relay.messages == []


SCRIPTS = [
    # what the relay says, the states after one run, the words of the stop
    ({"MAIL": "550 5.7.1 sender not verified"}, {"queued"}, "sender not verified"),
    ({".": "454 4.7.0 Daily message quota exceeded"}, {"queued"}, "quota"),
    ({"RCPT": "421 4.7.0 too many connections"}, {"queued"}, "421"),
    ({"MAIL": "503 5.5.1 bad sequence"}, {"queued"}, "503"),
]


@pytest.mark.parametrize(("script", "after", "fault"), SCRIPTS)
def test_what_is_the_relays_own_keeps_the_queue(config: Config, script: dict, after: set, fault: str) -> None:
    with ScriptedRelay(script) as relay:
        config = replace(config, mail=settings(relay, sender="digest@example.org", connections=1, timeout=2))
        published(config, "ada", "bob")
        summary = send(config)
    assert fault in summary.fault
    assert set(states().values()) == after


def test_content_that_is_refused_stops_the_run_and_blames_nobody(config: Config) -> None:
    with ScriptedRelay({".": "554 5.7.1 looks like spam"}) as relay:
        config = replace(config, mail=settings(relay, sender="digest@example.org", connections=1, timeout=2))
        published(config, *(f"reader{number}" for number in range(9)))
        summary = send(config)
        assert "not to whom" in summary.fault
        assert len(relay.messages) == 5
    assert set(states().values()) == {"queued"}


def test_a_relay_that_is_busy_for_a_moment_is_asked_again(config: Config) -> None:
    with ScriptedRelay({"RCPT": ["451 4.7.0 slower", "250 ok"]}) as relay:
        config = replace(config, mail=settings(relay, sender="digest@example.org", connections=1, timeout=2))
        published(config, "ada")
        assert send(config).states == {"sent": 1}


def test_a_line_that_breaks_before_the_dot_costs_a_pause_and_no_duplicate(config: Config) -> None:
    with ScriptedRelay({"DATA": ["354 go", DROP, "354 go"]}) as relay:
        config = replace(config, mail=settings(relay, sender="digest@example.org", connections=1, timeout=2))
        published(config, "ada", "bob")
        assert send(config).states == {"sent": 2}
        assert len(relay.messages) == 2


def test_a_relay_that_breaks_off_every_mail_costs_few_doubts_and_keeps_the_queue(config: Config) -> None:
    with ScriptedRelay({".": DROP}) as relay:
        config = replace(config, mail=settings(relay, sender="digest@example.org", connections=1, timeout=2))
        published(config, *(f"reader{number}" for number in range(9)))
        assert "breaks the line" in send(config).fault
        assert len(relay.messages) == 3
    assert Counter(states().values()) == {"unknown": 3, "queued": 6}


def test_a_line_that_breaks_after_the_dot_leaves_a_doubt_and_the_mail_goes_once_more(config: Config) -> None:
    with ScriptedRelay({".": [DROP, "250 ok"]}) as relay:
        config = replace(config, mail=settings(relay, sender="digest@example.org", connections=1, timeout=2))
        published(config, "ada", "bob")
        assert send(config).states == {"sent": 2}
        ids = [message_from_bytes(message)["Message-ID"] for message in relay.messages]
        recipients = [message_from_bytes(message)["To"] for message in relay.messages]
    assert recipients == ["ada@example.org", "bob@example.org", "ada@example.org"]
    assert ids[0] == ids[2] != ids[1]
    assert (row("ada").doubts, row("bob").doubts) == (1, 0)


def test_a_mail_that_is_cut_off_each_time_is_given_up(config: Config) -> None:
    with ScriptedRelay({".": DROP}) as relay:
        config = replace(config, mail=settings(relay, sender="digest@example.org", connections=1, timeout=2))
        published(config, "ada")
        assert send(config).states == {"given_up": 1}
        assert len(relay.messages) == 3


def test_rows_found_claimed_become_unknown_and_go_last(by_relay: Config, relay: FakeRelay) -> None:
    published(by_relay, "ada", "bob", "carol")
    Delivery.update(state="sending").where(Delivery.id == row("ada").id).execute()
    send(replace(by_relay, mail=replace(by_relay.mail, connections=1)))
    assert [recipient.split("@")[0] for _, recipient, _ in relay.messages] == ["bob", "carol", "ada"]
    assert row("ada").doubts == 1


def test_mails_for_which_there_was_no_relay_are_given_up_with_why(by_relay: Config) -> None:
    published(by_relay, "ada")
    nowhere = replace(by_relay, mail=replace(by_relay.mail, port=1))
    send(nowhere)
    send(nowhere, TEN + timedelta(days=3))
    assert row("ada").state == "given_up"
    assert "connection refused" in row("ada").reply


def test_rows_of_an_issue_three_days_old_are_given_up_with_the_relays_last_words(by_relay: Config,
                                                                              relay: FakeRelay) -> None:
    published(by_relay, "ada")
    Delivery.update(reply="454 quota").execute()
    send(by_relay, TEN + timedelta(days=2))
    assert row("ada").state == "sent"
    Delivery.update(state="queued", reply="454 quota").execute()
    send(by_relay, TEN + timedelta(days=3))
    assert (row("ada").state, row("ada").reply) == ("given_up", "454 quota")
    assert len(relay.messages) == 1


def test_a_stop_leaves_the_rest_queued_and_the_next_run_finishes(by_relay: Config, relay: FakeRelay) -> None:
    published(by_relay, *(f"reader{number}" for number in range(30)))
    stop = threading.Event()
    deliver(by_relay, TEN, "", stop, report=lambda done, of: stop.set() if done >= 5 else None)
    sent = len(relay.messages)
    assert 5 <= sent <= 8
    assert Counter(states().values()) == {"sent": sent, "queued": 30 - sent}
    send(by_relay)
    assert Counter(states().values()) == {"sent": 30}
    assert len(relay.messages) == 30


def test_each_language_has_its_own_mail(by_relay: Config, relay: FakeRelay) -> None:
    _, bob = published(by_relay, "ada", "bob")
    Subscriber.update(language="en").where(Subscriber.id == bob.id).execute()
    send(by_relay)
    languages = {recipient: message_from_bytes(message)["Content-Language"]
                 for _, recipient, message in relay.messages}
    assert languages == {"ada@example.org": "ko", "bob@example.org": "en"}


def test_into_a_folder_a_repeated_mail_stays_one(config: Config) -> None:
    published(config, "ada", "bob")
    send(config)
    Delivery.update(state="sending").where(Delivery.id == row("ada").id).execute()
    send(config)
    assert len(list((Path(config.mail.maildir) / "new").iterdir())) == 2


def test_a_folder_that_cannot_be_written_is_said_and_loses_nothing(config: Config, tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("a file where the folder should be")
    published(config, "ada")
    assert "cannot be written" in send(config).fault
    assert row("ada").state == "queued"


def test_an_issue_of_no_posts_mails_nobody(by_relay: Config, relay: FakeRelay) -> None:
    readers("ada")
    publish(by_relay, TEN)
    assert Issue.of(date(2026, 11, 21)).state == "empty"
    assert send(by_relay).rows == 0
    assert relay.messages == []


def test_who_is_erased_while_their_mail_is_under_way_stays_erased(config: Config) -> None:
    def forget_ada_once_her_mail_is_under_way() -> None:
        with database.connected():
            until = time.monotonic() + 10
            while not Delivery.select().where(Delivery.state == "sending").exists():
                assert time.monotonic() < until
            subscribers.forget(Subscriber.of("ada@example.org"), TEN, SEOUL)

    with FakeRelay(delay=0.2) as relay:
        config = replace(config, mail=settings(relay, sender="digest@example.org", connections=1))
        published(config, "ada", "bob")
        meanwhile = threading.Thread(target=forget_ada_once_her_mail_is_under_way)
        meanwhile.start()
        assert send(config).states == {"sent": 2}
        meanwhile.join()
    rows = Delivery.select(Delivery.subscriber, Delivery.state, Delivery.reply != "").order_by(Delivery.id)
    assert list(rows.tuples()) == [(None, "sent", 0), (2, "sent", 1)]


@pytest.mark.parametrize("said", ["451 4.7.0 <{}>: slower", "550 5.7.1 <{}>: spam", "503 5.5.1 {}?"])
def test_no_address_that_the_relay_quotes_is_told_to_the_log(config: Config, said: str,
                                                             caplog: pytest.LogCaptureFixture) -> None:
    with ScriptedRelay({".": said.format("reader0@example.org")}) as relay:
        config = replace(config, mail=settings(relay, sender="digest@example.org", connections=1, timeout=2))
        published(config, *(f"reader{number}" for number in range(5)))
        fault = send(config).fault
    assert said[:9] in fault
    assert "reader0@" not in fault + caplog.text
    assert any("reader0@" in row.reply for row in Delivery.select())


@pytest.mark.parametrize("said", ["451 local error in processing", "503 5.5.1 what?"])
def test_a_mail_at_which_the_relay_balks_each_time_lets_the_others_pass(by_relay: Config, relay: FakeRelay,
                                                                        said: str) -> None:
    config = replace(by_relay, mail=replace(by_relay.mail, connections=1))
    published(config, "ada", "bob", "carol")
    relay.to_data |= {"ada": said}
    for _ in range(4):
        assert said in send(config).fault
    assert states() == {"ada@example.org": "queued", "bob@example.org": "sent", "carol@example.org": "sent"}


def test_a_refused_login_is_tried_once_and_not_on_every_line(config: Config) -> None:
    with ScriptedRelay({"EHLO": "250-relay\n250 AUTH PLAIN", "AUTH": "535 5.7.8 bad credentials"}) as relay:
        config = replace(config, mail=settings(relay, sender="digest@example.org", connections=4,
                                               user="digest"))
        published(config, *(f"reader{number}" for number in range(9)))
        summary = deliver(config, TEN, "wrong", threading.Event())
        assert relay.connections == 1
    assert summary.locked_out
    assert set(states().values()) == {"queued"}


def test_a_login_that_stands_is_followed_by_all_lines(config: Config) -> None:
    with ScriptedRelay({"EHLO": "250-relay\n250 AUTH PLAIN", "AUTH": "235 ok"}, delay=0.05) as relay:
        config = replace(config, mail=settings(relay, sender="digest@example.org", connections=4,
                                               user="digest"))
        published(config, *(f"reader{number}" for number in range(20)))
        assert deliver(config, TEN, "right", threading.Event()).states == {"sent": 20}
        assert relay.connections == 4


def test_a_relay_that_is_down_is_told_of_once_whatever_the_lines(config: Config,
                                                                caplog: pytest.LogCaptureFixture) -> None:
    with ScriptedRelay({"greeting": DROP}) as relay:
        config = replace(config, mail=settings(relay, sender="digest@example.org", connections=4))
        published(config, *(f"reader{number}" for number in range(9)))
        assert send(config).fault
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert set(states().values()) == {"queued"}


def test_a_disk_that_is_full_ends_the_run_and_what_was_under_way_is_in_doubt(config: Config) -> None:
    with ScriptedRelay({"EHLO": PIPELINED}, delay=0.02) as relay:
        config = replace(config, mail=settings(relay, sender="digest@example.org", connections=4))
        published(config, *(f"reader{number}" for number in range(20)))
        db.execute_sql("CREATE TRIGGER full BEFORE UPDATE ON delivery WHEN NEW.state = 'sent' "
                       "BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        with pytest.raises(IntegrityError, match="disk full"):
            send(config)
        claimed = list(states().values()).count("sending")
        assert 1 <= claimed <= 4
        assert len(relay.messages) <= claimed
        db.execute_sql("DROP TRIGGER full")
        assert send(config).states == {"sent": 20}
    assert Delivery.select().where(Delivery.doubts == 1).count() == claimed


def test_what_waits_for_its_reader_over_the_latest_hour_is_not_mailed_next_day(by_relay: Config,
                                                                               relay: FakeRelay) -> None:
    published(by_relay, "full")
    send(by_relay)
    assert row("full").state == "waiting"
    relay.to_rcpt.clear()
    send(by_relay, TEN + timedelta(days=1))     # the machine was off, or the relay down, at the last try
    assert (row("full").state, relay.messages) == ("given_up", [])
    assert row("full").reply.startswith("452 4.2.2")


def test_a_doubt_stays_one_where_the_relay_is_gone_when_the_mail_is_to_go_once_more(config: Config) -> None:
    with ScriptedRelay({"greeting": ["220 relay", DROP], ".": DROP}) as relay:
        config = replace(config, mail=settings(relay, sender="digest@example.org", connections=1, timeout=2))
        published(config, "ada")
        assert send(config).fault
    assert (row("ada").state, row("ada").doubts) == ("unknown", 1)


def test_who_leaves_while_we_wait_for_the_relay_gets_no_mail(config: Config) -> None:
    with ScriptedRelay({"RCPT": ["451 4.7.0 slower", "250 ok"]}) as relay:
        config = replace(config, mail=settings(relay, sender="digest@example.org", connections=1, timeout=2))
        published(config, "ada", "bob")

        def everyone_leaves() -> None:
            with database.connected():
                for one in Subscriber.select():
                    subscribers.cancel(one, TEN, SEOUL)
        threading.Timer(0.2, everyone_leaves).start()
        assert send(config, pauses=(0.6,)).states == {"dropped": 2}
        assert relay.messages == []


def test_a_hold_while_we_wait_for_the_relay_is_kept(config: Config) -> None:
    def hold() -> None:
        with database.connected():
            Setting.write(HOLD, NOW.isoformat())

    with ScriptedRelay({"RCPT": ["451 4.7.0 slower", "250 ok"]}) as relay:
        config = replace(config, mail=settings(relay, sender="digest@example.org", connections=1, timeout=2))
        published(config, "ada")
        threading.Timer(0.2, hold).start()
        with pytest.raises(Held):
            send(config, pauses=(0.6,))
        assert relay.messages == []
    assert (row("ada").state, row("ada").attempts) == ("queued", 0)


def test_who_the_relay_says_is_gone_is_suppressed_and_who_is_full_is_not(by_relay: Config) -> None:
    published(by_relay, "ada", "gone", "full", "bob")
    send(by_relay)
    kept_out = [name for name in ("ada", "gone", "full", "bob") if suppressions.of(f"{name}@example.org")]
    assert kept_out == ["gone"]
    reports = [(report.reason, report.followed) for report in Bounce.select()]
    assert reports == [("user-unknown", "suppressed")]


def test_a_relay_that_refuses_too_many_holds_all_mail_and_suppresses_nobody(by_relay: Config,
                                                                           relay: FakeRelay) -> None:
    names = [f"reader{number}" for number in range(40)]
    relay.to_rcpt |= dict.fromkeys(names[::2], "550 5.1.1 no such user")
    published(by_relay, *names)
    with pytest.raises(Held, match="bounced"):
        send(by_relay)
    assert Suppression.select().count() == 0
    assert 0 < len(relay.messages) < 20
    assert "queued" in states().values()


# what is remembered of a run

def test_a_run_is_remembered_with_what_became_of_its_mails_and_how_fast(by_relay: Config) -> None:
    published(by_relay, "ada", "full", "gone")
    send(by_relay)
    [run] = Run.newest("deliver", 5)
    assert (run.started, run.said) == (TEN, "1 sent, 1 waiting, 1 refused in under a second")
    assert run.finished >= TEN


def test_a_run_that_takes_its_time_tells_the_pace(config: Config) -> None:
    with FakeRelay(delay=0.6) as relay:
        slow = replace(config, mail=settings(relay, connections=1))
        published(slow, "ada", "bob")
        send(slow)
    [run] = Run.newest("deliver", 5)
    assert re.fullmatch(r"2 sent in \d s, \d\.\d a second", run.said)


def test_a_run_that_stops_is_remembered_with_the_reason_and_no_address(config: Config) -> None:
    with ScriptedRelay({"MAIL": "550 5.7.1 <digest@example.org> may not send"}) as relay:
        refused = replace(config, mail=settings(relay))
        published(refused, "ada")
        send(refused)
    [run] = Run.newest("deliver", 5)
    assert "; stopped: 550 5.7.1 … may not send" in run.said


def test_where_nothing_is_due_no_run_is_remembered_and_confirmations_are_kept_apart(
        by_relay: Config, bob: Subscriber) -> None:
    send(by_relay)
    assert Run.select().count() == 0
    subscribers.queue(bob, "confirm", NOW)
    send(by_relay, issues=False)
    assert (Run.newest("deliver", 5), [run.said for run in Run.newest("confirm", 5)]) == (
        [], ["1 sent in under a second"])
