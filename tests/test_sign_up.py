"""The sign-up form: who is mailed and who is not, where a visitor sees no difference; and how often."""
import logging
from datetime import datetime, timedelta

import pytest
from conftest import NOW
from peewee import fn
from test_subscribers import counted, outbox, state_of, suppress

from devdigest import database, subscribers, suppressions
from devdigest.care import care
from devdigest.config import Config
from devdigest.counts import Attempt
from devdigest.days import local_day
from devdigest.readers import Consent, Delivery, Subscriber
from devdigest.recipients import NotAnAddress
from devdigest.sign_up import Form, TooMany, ask
from devdigest.table import db

pytestmark = pytest.mark.usefixtures("records")

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HOME = "203.0.113.7"


def a_form(email: str = "ada@example.org", network: str = HOME, language: str = "ko") -> Form:
    return Form(email=email, language=language, network=network, agent="Firefox",
                wording="매일 보내 드립니다.", page="https://devdigest.example.org/subscribe")


def asked_at(config: Config, *times: datetime, email: str = "ada@example.org") -> int:
    """How many mails are queued for forms sent at these times, each from a network of its own."""
    for number, now in enumerate(times):
        ask(config, a_form(email, f"198.51.100.{number}"), now)
    return queued()


def queued() -> int:
    return Delivery.select().where(Delivery.state == "queued").count()


# Who is mailed

def test_a_request_is_a_mail_to_confirm_and_the_proof_of_what_was_asked(config: Config) -> None:
    ask(config, a_form(" Ada@EXAMPLE.org ", language="en"), NOW)
    ada = Subscriber.of("Ada@example.org")
    assert (ada.state, ada.language, outbox()) == ("pending", "en", [(ada.id, "queued")])
    assert Delivery.get().purpose == "confirm"
    [proof] = ada.consents.dicts()
    assert proof | {"id": 0} == {
        "id": 0, "subscriber": ada.id, "source": "form", "language": "en", "asked": NOW, "asked_from": HOME,
        "asked_by": "Firefox", "wording": "매일 보내 드립니다.",
        "form": "https://devdigest.example.org/subscribe", "mailed": None, "token": "", "given": None,
        "given_from": "", "given_by": ""}
    assert counted("asked") == {local_day(NOW, config.site.timezone): 1}


@pytest.mark.parametrize(("state", "suppressed", "mails"), [
    (None, "", 1), (None, "erased", 1), (None, "bounce", 1), (None, "complaint", 0), (None, "the owner", 0),
    ("pending", "", 1), ("pending", "complaint", 0),
    ("cancelled", "", 1), ("cancelled", "bounce", 1), ("cancelled", "complaint", 0),
    ("active", "", 0), ("active", "bounce", 1), ("active", "complaint", 0)])
def test_only_who_may_be_mailed_is_and_nobody_is_changed_by_a_strangers_request(
        config: Config, state: str | None, suppressed: str, mails: int) -> None:
    if state:
        Subscriber.create(email="ada@example.org", state=state, created=NOW, language="ko")
    if suppressed:
        suppress("ada@example.org", suppressed)
    ask(config, a_form(language="en"), NOW)
    assert (queued(), Consent.select().count()) == (mails, mails)
    assert state_of("ada@example.org") == (state or ("pending" if mails else None))
    assert not state or Subscriber.of("ada@example.org").language == "ko"
    assert (suppressions.of("ada@example.org") is not None) is bool(suppressed)
    assert [(row.asked, row.mailed) for row in Attempt.select()] == [(NOW, bool(mails))]


@pytest.mark.parametrize("email", ["", "ada", "ada@example", "소식@example.org", "abuse@example.org"])
def test_what_is_no_persons_address_is_refused_and_leaves_no_trace(config: Config, email: str) -> None:
    with pytest.raises(NotAnAddress):
        ask(config, a_form(email), NOW)
    assert (Subscriber.select().count(), Attempt.select().count()) == (0, 0)


def test_nobody_can_make_an_import_bring_back_who_left(config: Config, carol: Subscriber) -> None:
    ask(config, a_form("carol@example.org"), NOW)
    care(config, NOW + timedelta(days=8))
    assert subscribers.why_not("carol@example.org") == "cancelled"
    assert Consent.select().count() == 0


@pytest.mark.parametrize("state", [None, "pending", "active", "cancelled"])
@pytest.mark.parametrize("suppressed", ["", "bounce", "complaint"])
def test_no_number_that_anybody_sees_tells_whose_address_was_asked_for(
        config: Config, state: str | None, suppressed: str) -> None:
    if state:
        Subscriber.create(email="ada@example.org", state=state, created=NOW)
    if suppressed:
        suppress("ada@example.org", suppressed)
    numbers = []
    for name in ("eve", "ada", "mallory"):      # of two there is a mail, with its number and theirs
        ask(config, a_form(f"{name}@example.org"), NOW)
        last = Subscriber.of(f"{name}@example.org")
        numbers.append((last.id if last else 0, Delivery.select(fn.MAX(Delivery.id)).scalar()))
    (eve, first), _, (mallory, third) = numbers
    assert (mallory - eve, third - first) == (2, 2)
    assert counted("asked") == {local_day(NOW, config.site.timezone): 3}, "on /stats, within the second"


# How often

@pytest.mark.parametrize("other", [
    "ADA@gmail.com", "ada+1@gmail.com", "a.da@gmail.com", "ada@googlemail.com"])
def test_a_mailbox_in_another_spelling_is_asked_no_more_often(config: Config, other: str) -> None:
    asked_at(config, NOW, email="ada@gmail.com")
    assert asked_at(config, NOW + HOUR, email=other) == 1
    assert asked_at(config, NOW + DAY, email=other) == 2


def test_who_complained_is_left_in_peace_in_every_spelling(config: Config) -> None:
    suppress("ada@example.org", "complaint")
    assert asked_at(config, NOW, email="ada+news@example.org") == 0


@pytest.mark.parametrize(("after", "mails"), [(DAY - timedelta(seconds=1), 1), (DAY, 2)])
def test_an_address_is_asked_once_a_day(config: Config, after: timedelta, mails: int) -> None:
    assert asked_at(config, NOW, NOW + after) == mails


def test_an_address_is_asked_three_times_in_thirty_days(config: Config) -> None:
    assert asked_at(config, *(NOW + number * DAY for number in range(30))) == 3
    assert asked_at(config, NOW + 30 * DAY) == 4
    assert asked_at(config, NOW + 31 * DAY) == 5
    assert asked_at(config, NOW + 31 * DAY, email="bob@example.org") == 6


def test_neither_erasing_nor_a_restart_makes_anyone_asked_more_often(config: Config) -> None:
    asked_at(config, NOW)
    subscribers.forget(Subscriber.of("ada@example.org"), NOW, config.site.timezone)
    db.close()
    database.open(config.database.path)
    assert asked_at(config, NOW + HOUR, email="ADA@example.org") == 0       # the one before was erased too


def test_the_owner_and_a_visitor_ask_no_more_often_together(config: Config) -> None:
    zone = config.site.timezone
    subscribers.add("ada@example.org", NOW, zone, confirmed=False, source="by hand", language="ko")
    assert asked_at(config, NOW + HOUR) == 1


@pytest.mark.parametrize("network", [HOME, "2001:db8:1:2::/64", ""])
def test_a_network_asks_five_times_an_hour_for_whomever(config: Config, ada: Subscriber,
                                                        network: str) -> None:
    suppress("carol@example.org", "complaint")
    for name in ("ada", "bob", "carol", "dora", "erin"):        # a reader, the silenced and strangers alike
        ask(config, a_form(f"{name}@example.org", network), NOW)
    for name in ("ada", "frank"):
        with pytest.raises(TooMany) as refused:
            ask(config, a_form(f"{name}@example.org", network), NOW + HOUR - timedelta(seconds=1))
        assert refused.value.scope == "network"
    assert state_of("frank@example.org") is None
    ask(config, a_form("frank@example.org", "203.0.113.8"), NOW)
    ask(config, a_form("grace@example.org", network), NOW + HOUR)


def test_no_more_than_a_hundred_an_hour_are_taken_and_the_owner_is_told_once_an_hour(
        config: Config, caplog: pytest.LogCaptureFixture) -> None:
    def flood(now: datetime, count: int) -> list[str]:
        refused = []
        for number in range(count):
            form = a_form(f"{now:%d%H%M}.{number}@example.org", f"10.{now.hour}.{now.minute}.{number}")
            try:
                ask(config, form, now)
            except TooMany as error:
                refused.append(error.scope)
        return refused

    with db.atomic():       # quicker: a hundred requests are a hundred commits
        assert flood(NOW, 103) == ["site"] * 3
        assert flood(NOW + HOUR / 2, 2) == ["site"] * 2
        told = [record.levelno for record in caplog.records]
        assert flood(NOW + HOUR, 101) == ["site"]
    assert told == [logging.ERROR]
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2
    assert Attempt.select().count() == 200
    assert "example.org" not in caplog.text


def test_what_the_owner_adds_is_no_visitors_request(config: Config) -> None:
    for number in range(6):
        subscribers.add(f"reader{number}@example.org", NOW, config.site.timezone, confirmed=False,
                        source="by hand", language="ko")
    ask(config, a_form(network=""), NOW)
    assert state_of("ada@example.org") == "pending"


def test_attempts_tell_neither_address_nor_network_and_last_thirty_days(config: Config) -> None:
    ask(config, a_form("ada@example.org"), NOW)
    [attempt] = Attempt.select()
    assert "ada" not in attempt.address
    assert HOME not in attempt.network
    care(config, NOW + HOUR - timedelta(seconds=1))
    assert Attempt.get().network
    care(config, NOW + HOUR)
    assert not Attempt.get().network, "four thousand million hashes are tried in a minute"
    care(config, NOW + 30 * DAY - timedelta(seconds=1))
    assert Attempt.select().count() == 1
    care(config, NOW + 30 * DAY)
    assert Attempt.select().count() == 0
