"""The night's housekeeping: whom it erases, whom it leaves, and what it writes down."""
from datetime import datetime, timedelta

import pytest

from devdigest import subscribers
from devdigest.care import care
from devdigest.memory import Run
from devdigest.readers import Confirmation, Delivery, Subscriber

pytestmark = pytest.mark.usefixtures("records")

WEEK, MINUTE = timedelta(days=7), timedelta(minutes=1)


def emails() -> set[str]:
    return {subscriber.email for subscriber in Subscriber.select()}


@pytest.mark.parametrize(("state", "age", "stays"), [
    ("pending", WEEK, False),
    ("pending", WEEK - MINUTE, True),
    ("active", 52 * WEEK, True),
    ("cancelled", 52 * WEEK, True),
])
def test_only_a_request_that_nobody_confirmed_in_a_week_is_erased(now: datetime, state: str, age: timedelta,
                                                                  stays: bool) -> None:
    Subscriber.create(email="ada@example.org", state=state, created=now - age)
    care(now)
    assert ("ada@example.org" in emails()) is stays


def test_with_a_request_its_links_go_and_its_mail_is_dropped(now: datetime) -> None:
    ada, _ = subscribers.add("ada@example.org", now - WEEK, confirmed=False, source="", language="ko")
    Delivery.update(reply="452 4.2.2 ada@example.org is full").execute()
    token = subscribers.new_confirmation(ada, now)
    care(now)
    assert subscribers.pending(token, now) is None
    assert Confirmation.select().count() == 0
    mail = Delivery.get()
    assert (mail.subscriber, mail.state, mail.reply) == (None, "dropped", "")


def test_links_that_have_expired_are_deleted_and_others_go_on_working(now: datetime,
                                                                      bob: Subscriber) -> None:
    subscribers.new_confirmation(bob, now - timedelta(hours=48))
    good = subscribers.new_confirmation(bob, now - timedelta(hours=48) + MINUTE)
    care(now)
    assert Confirmation.select().count() == 1
    assert subscribers.pending(good, now) == bob


def test_it_writes_down_when_it_was_done_and_how_many_were_erased(now: datetime, bob: Subscriber) -> None:
    for name in ("ada", "carol"):
        Subscriber.create(email=f"{name}@example.org", created=now - WEEK)
    care(now)
    done = Run.last("care")
    assert (done.started, done.said) == (now, "2 unconfirmed requests erased")
    assert now <= done.finished < now + MINUTE
    assert emails() == {bob.email}


def test_a_second_time_finds_nothing_to_do(now: datetime) -> None:
    Subscriber.create(email="ada@example.org", created=now - WEEK)
    care(now)
    assert care(now + MINUTE).said == "0 unconfirmed requests erased"
    assert Run.last("care").started == now + MINUTE
