"""What only a fresh mailed link opens: a copy of the records, erasing them, another address."""
import json
from datetime import date, datetime, timedelta

import pytest
from conftest import NOW
from desk import SEOUL
from test_subscribers import add, counted, state_of, suppress

from devdigest import account, subscribers, suppressions, tokens
from devdigest.models import Issue
from devdigest.readers import Consent, Delivery, Subscriber
from devdigest.recipients import NotAnAddress

pytestmark = pytest.mark.usefixtures("records")

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NEW = "lovelace@example.org"


def queued() -> list[tuple[str, str]]:
    return [(row.purpose, row.state) for row in Delivery.select().order_by(Delivery.id)]


def mailed(subscriber: Subscriber, purpose: str = "move", now: datetime = NOW) -> str:
    """The token of a mail of this purpose, made now."""
    return subscribers.new_confirmation(subscriber, now, purpose)


# The link

def test_a_link_is_mailed_three_times_a_day(ada: Subscriber) -> None:
    for number in range(5):
        account.ask(ada, NOW + number * MINUTE)
    assert queued() == [("account", "queued")] * 3
    account.ask(ada, NOW + DAY)
    assert len(queued()) == 4


@pytest.mark.parametrize(("state", "mails"), [("active", 10), ("cancelled", 3)])
def test_nobody_is_mailed_links_for_ever_by_who_has_an_old_mail_of_theirs(state: str, mails: int) -> None:
    reader = Subscriber.create(email="ada@example.org", state=state, created=NOW)
    for hours in range(24 * 29):
        account.ask(reader, NOW + hours * HOUR)
    assert len(queued()) == mails
    account.ask(reader, NOW + 30 * DAY)
    assert len(queued()) == mails + 1


@pytest.mark.parametrize(("state", "mails"), [("active", 1), ("cancelled", 1), ("pending", 0)])
def test_who_left_may_still_see_and_erase_what_is_kept(state: str, mails: int) -> None:
    account.ask(Subscriber.create(email="ada@example.org", state=state, created=NOW), NOW)
    assert len(queued()) == mails


def test_the_link_opens_as_often_as_wanted_within_the_hour(ada: Subscriber) -> None:
    token = mailed(ada, "account")
    for age in (MINUTE, HOUR - MINUTE):
        assert account.open(token, NOW + age) == ada
    assert account.open(token, NOW + HOUR) is None


@pytest.mark.parametrize("token", ["", "x" * 10_000, "\ud800", "\x00"])
def test_what_is_no_token_opens_nothing(ada: Subscriber, token: str) -> None:
    assert account.open(token, NOW) is None
    assert account.moving(token, NOW) is None
    assert account.settle_move(token, NOW, SEOUL) is None


def test_a_link_is_good_for_one_purpose(ada: Subscriber) -> None:
    account.move(ada, NEW, NOW)
    links = {purpose: mailed(ada, purpose) for purpose in ("confirm", "account", "move")}
    links["link"] = tokens.sign(subscribers.link_key(), "link", ada.id)
    for purpose, token in links.items():
        assert (account.open(token, NOW) is not None) is (purpose == "account")
        assert (account.moving(token, NOW) is not None) is (purpose == "move")
        assert (subscribers.pending(token, NOW) is not None) is (purpose == "confirm")


# All that is kept

def test_a_download_holds_all_that_is_kept(ada: Subscriber) -> None:
    Consent.create(subscriber=ada, source="form", asked=NOW, asked_from="203.0.113.7", asked_by="Firefox",
                   wording="매일", given=NOW)
    issue = Issue.create(day=date(2026, 11, 21), state="published", created=NOW)
    Delivery.create(issue=issue, subscriber=ada, state="refused", created=NOW, due=NOW, changed=NOW,
                    attempts=1, reply="550 5.1.1 no such user")
    suppress("ada@example.org", "bounce")
    suppressions.remember_asking("ada@example.org", NOW, mailed=True)
    subscribers.pause(ada, 7, date(2026, 11, 21))
    mailed(ada, "account")
    account.ask(ada, NOW)
    told = json.loads(json.dumps(account.download(ada)))
    at = "2026-11-21T00:00:00+00:00"
    assert told == {
        "email": "ada@example.org", "state": "active", "frequency": "daily", "language": "ko",
        "paused_until": "2026-11-28", "created": at, "confirmed": at, "cancelled": None, "moving_to": None,
        "suppressed": {"reason": "bounce", "evidence": "", "since": at},
        "consents": [{"source": "form", "language": "", "asked": at, "asked_from": "203.0.113.7",
                      "asked_by": "Firefox", "wording": "매일", "form": "", "mailed": None, "token": "",
                      "given": at, "given_from": "", "given_by": ""}],
        "mails": [{"purpose": "issue", "day": "2026-11-21", "state": "refused", "created": at, "changed": at,
                   "attempts": 1, "reply": "550 5.1.1 no such user"},
                  {"purpose": "account", "day": None, "state": "queued", "created": at, "changed": at,
                   "attempts": 0, "reply": ""}],
        "bounces": [],
        "links": [{"purpose": "account", "expires": "2026-11-21T01:00:00+00:00"}],
        "requests": [{"asked": at, "mailed": True}]}


def test_a_download_tells_nothing_of_anyone_else(ada: Subscriber, bob: Subscriber) -> None:
    for one in (ada, bob):
        Delivery.create(subscriber=one, created=NOW, due=NOW, changed=NOW, reply=f"550 {one.email}")
        suppressions.remember_asking(one.email, NOW, mailed=True)
        subscribers.request(one, NOW, SEOUL, source=one.email)
    assert "bob" not in json.dumps(account.download(ada))
    assert json.dumps(account.download(ada)).count("ada@") == 3


def test_who_erases_themselves_is_forgotten(ada: Subscriber) -> None:
    token = mailed(ada, "account")
    account.erase(account.open(token, NOW), NOW, SEOUL)
    assert state_of("ada@example.org") is None
    assert account.open(token, NOW) is None
    assert subscribers.why_not("ada@example.org") == "suppressed: erased"
    assert counted("cancelled") == {date(2026, 11, 21): 1}


# Another address

def test_a_subscription_moves_once_the_new_address_confirms(ada: Subscriber) -> None:
    account.move(ada, " lovelace@EXAMPLE.org ", NOW)
    assert queued() == [("move", "queued")]
    token = mailed(ada)
    assert account.moving(token, NOW).moving_to == NEW
    assert state_of(NEW) is None            # looking is no consent
    moved = account.settle_move(token, NOW + HOUR, SEOUL, "203.0.113.7", "Firefox")
    assert moved.id == ada.id
    assert (moved.email, moved.moving_to, moved.state) == (NEW, None, "active")
    assert Subscriber.select().count() == 1
    [proof] = moved.consents
    assert (proof.source, proof.given, proof.token) == ("move", NOW + HOUR, tokens.hashed(token))
    assert (proof.given_from, proof.given_by) == ("203.0.113.7", "Firefox")


def test_an_address_that_was_moved_from_is_out_of_reach_of_old_links_and_old_lists(ada: Subscriber) -> None:
    account.move(ada, NEW, NOW)
    old, confirm, token = mailed(ada, "account"), mailed(ada, "confirm"), mailed(ada)
    account.settle_move(token, NOW, SEOUL)
    assert account.open(old, NOW) is None
    assert subscribers.pending(confirm, NOW) is None
    assert account.settle_move(token, NOW, SEOUL) is None
    assert subscribers.why_not("ada@example.org") == "suppressed: erased"


def test_a_link_to_move_expires_after_48_hours(ada: Subscriber) -> None:
    account.move(ada, NEW, NOW)
    token = mailed(ada)
    assert account.moving(token, NOW + 48 * HOUR - MINUTE) == ada
    assert account.settle_move(token, NOW + 48 * HOUR, SEOUL) is None


def test_the_link_to_one_new_address_does_not_confirm_another(ada: Subscriber) -> None:
    account.move(ada, NEW, NOW)
    first = mailed(ada)
    account.move(ada, "countess@example.org", NOW)
    assert account.settle_move(first, NOW, SEOUL) is None
    assert queued() == [("move", "dropped"), ("move", "queued")]
    assert account.settle_move(mailed(ada), NOW, SEOUL).email == "countess@example.org"


@pytest.mark.parametrize("state", ["pending", "cancelled"])
def test_an_address_that_gets_no_digest_is_taken_over(ada: Subscriber, state: str) -> None:
    Subscriber.create(email="Lovelace@example.org", state=state, created=NOW)
    account.move(ada, NEW, NOW)
    assert account.settle_move(mailed(ada), NOW, SEOUL).id == ada.id
    assert [(one.id, one.email) for one in Subscriber.select()] == [(ada.id, NEW)]


def test_of_two_readers_with_one_address_the_one_stays_who_had_it(ada: Subscriber) -> None:
    there, _ = add(NEW, confirmed=True)
    account.move(ada, NEW, NOW)
    assert account.settle_move(mailed(ada), NOW, SEOUL) == there
    assert [one.email for one in Subscriber.select()] == [NEW]
    assert subscribers.why_not("ada@example.org") == "suppressed: erased"
    assert counted("cancelled") == {date(2026, 11, 21): 1}


def test_the_same_address_in_other_letters_is_a_move_too(ada: Subscriber) -> None:
    account.move(ada, "ada@example.org", NOW)
    assert queued() == []
    account.move(ada, "Ada@example.org", NOW)
    assert account.settle_move(mailed(ada), NOW, SEOUL).email == "Ada@example.org"
    assert suppressions.of("Ada@example.org") is None


@pytest.mark.parametrize(("reason", "mails"), [("erased", 1), ("bounce", 1), ("complaint", 0)])
def test_to_a_suppressed_address_only_those_move_who_may_confirm_there(ada: Subscriber, reason: str,
                                                                       mails: int) -> None:
    suppress(NEW, reason)
    account.move(ada, NEW, NOW)
    assert len(queued()) == mails
    moved = account.settle_move(mailed(ada), NOW, SEOUL)
    assert (moved is not None) is bool(mails)
    assert (suppressions.of(NEW) is None) is bool(mails)


def test_who_is_erased_while_they_ask_is_mailed_nothing(ada: Subscriber) -> None:
    subscribers.forget(Subscriber.of("ada@example.org"), NOW, SEOUL)
    account.ask(ada, NOW)
    account.move(ada, NEW, NOW)
    assert queued() == []


@pytest.mark.parametrize("state", ["pending", "cancelled"])
def test_only_a_reader_moves(ada: Subscriber, state: str) -> None:
    account.move(ada, NEW, NOW)
    Subscriber.update(state=state).execute()
    assert account.settle_move(mailed(ada), NOW, SEOUL) is None
    account.move(Subscriber.of("ada@example.org"), "countess@example.org", NOW)
    assert queued() == [("move", "queued")]


@pytest.mark.parametrize("email", ["lovelace", "abuse@example.org", "소식@example.org"])
def test_what_is_no_persons_address_is_refused(ada: Subscriber, email: str) -> None:
    with pytest.raises(NotAnAddress):
        account.move(ada, email, NOW)
    assert queued() == []


def test_nobody_floods_a_stranger_with_requests_to_move(ada: Subscriber, bob: Subscriber) -> None:
    Subscriber.update(state="active").execute()
    for reader in (ada, Subscriber.of("bob@example.org")):
        account.move(reader, NEW, NOW)
    assert len(queued()) == 1, "an address is asked once a day, by whomever"


def test_nobody_floods_strangers_with_requests_to_move(ada: Subscriber) -> None:
    for number in range(9):
        account.move(ada, f"stranger{number}@example.org", NOW)
    assert len(queued()) == 3
    account.move(ada, NEW, NOW + DAY)
    assert len(queued()) == 4


def test_a_copy_of_ones_records_tells_nothing_about_another_mailbox(ada: Subscriber) -> None:
    Delivery.create(subscriber=ada, purpose="move", created=NOW, due=NOW, changed=NOW, state="refused",
                    reply="550 5.1.1 <stranger@example.org> no such user")
    [mail] = account.download(ada)["mails"]
    assert (mail["purpose"], mail["reply"]) == ("move", "")
