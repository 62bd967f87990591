"""The night's housekeeping: whom it erases, whom it leaves, and what it writes down."""
import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from conftest import a_blog
from desk import SEOUL
from web_site import a_post, an_issue

from devdigest import account, clicks, subscribers
from devdigest.care import care
from devdigest.config import Config
from devdigest.counts import Click, Event, Opened
from devdigest.memory import Run, Setting
from devdigest.readers import Confirmation, Consent, Delivery, Subscriber
from devdigest.reports import Bounce, Hook

pytestmark = pytest.mark.usefixtures("records")

WEEK, DAY, MINUTE = timedelta(days=7), timedelta(days=1), timedelta(minutes=1)


def emails() -> set[str]:
    return {subscriber.email for subscriber in Subscriber.select()}


@pytest.mark.parametrize(("state", "age", "stays"), [
    ("pending", WEEK, False),
    ("pending", WEEK - MINUTE, True),
    ("active", 52 * WEEK, True),
    ("cancelled", 52 * WEEK, True),
])
def test_only_a_request_that_nobody_confirmed_in_a_week_is_erased(
        config: Config, now: datetime, state: str, age: timedelta, stays: bool) -> None:
    Subscriber.create(email="ada@example.org", state=state, created=now - age)
    care(config, now)
    assert ("ada@example.org" in emails()) is stays


def test_with_a_request_its_links_go_and_its_mail_is_dropped(config: Config, now: datetime) -> None:
    ada, _ = subscribers.add("ada@example.org", now - WEEK, SEOUL, confirmed=False, source="", language="ko")
    Delivery.update(reply="452 4.2.2 ada@example.org is full").execute()
    token = subscribers.new_confirmation(ada, now)
    care(config, now)
    assert subscribers.pending(token, now) is None
    assert Confirmation.select().count() == 0
    mail = Delivery.get()
    assert (mail.subscriber, mail.state, mail.reply) == (None, "dropped", "")


def test_links_that_have_expired_are_deleted_and_others_go_on_working(config: Config, now: datetime,
                                                                      bob: Subscriber) -> None:
    subscribers.new_confirmation(bob, now - timedelta(hours=48))
    good = subscribers.new_confirmation(bob, now - timedelta(hours=48) + MINUTE)
    care(config, now)
    assert Confirmation.select().count() == 1
    assert subscribers.pending(good, now) == bob


def test_a_month_after_leaving_it_is_forgotten_from_where_someone_agreed(config: Config, now: datetime,
                                                                         carol: Subscriber) -> None:
    Consent.create(subscriber=carol, source="form", given=now, given_from="203.0.113.7")
    care(config, now + timedelta(days=30) - MINUTE)
    assert Consent.get().given_from == "203.0.113.7"
    care(config, now + timedelta(days=30))
    assert (Consent.get().given_from, Consent.get().given) == ("", now)


def test_by_night_the_clicks_of_the_day_become_numbers_and_who_it_was_is_forgotten(config: Config,
                                                                                  now: datetime) -> None:
    post = a_post(a_blog(), "글")
    clicks.open(post.id, now, config.site.timezone, network="192.0.2.7", agent="Mozilla/5.0 Firefox/145.0")
    care(config, now + timedelta(hours=14))
    assert Opened.select().count() == 1
    for hours in (15, 16):          # after midnight in Seoul
        care(config, now + timedelta(hours=hours))
        assert list(Click.select().tuples()) == [(post.id, now.date(), 9, 1, 1)]
        assert (Opened.select().count(), Setting.read(clicks.SALT)) == (0, None)


def test_how_many_mails_went_out_is_kept_as_long_as_it_can_change(config: Config, now: datetime) -> None:
    for back in range(6):
        issue = an_issue(day=now.date() - back * DAY)
        for state in ("sent", "refused"):
            Delivery.create(issue=issue, state=state, created=now, due=now, changed=now)
    care(config, now)
    assert list(Event.select(Event.day, Event.count).tuples()) == [
        (now.date() - back * DAY, 1) for back in (5, 4, 3, 2, 1, 0)]    # also from before the first night
    Delivery.update(state="sent").execute()
    an_issue(kind="weekly", day=now.date())
    care(config, now + DAY)
    assert list(Event.select(Event.count).tuples()) == [(1,), (1,), (1,), (2,), (2,), (2,)]


def test_mails_of_days_on_which_the_machine_went_off_are_counted_when_it_is_back(config: Config,
                                                                                now: datetime) -> None:
    care(config, now)
    issue = an_issue(day=now.date())
    Delivery.create(issue=issue, state="sent", created=now, due=now, changed=now)
    care(config, now + 9 * DAY)
    assert list(Event.select(Event.day, Event.count).tuples()) == [(now.date(), 1)]


def test_an_address_that_nobody_moved_to_is_forgotten_with_the_link_to_confirm_it(
        config: Config, now: datetime, ada: Subscriber) -> None:
    account.move(ada, "ada@example.net", now)
    care(config, now)                       # its mail is not out yet
    token = subscribers.new_confirmation(ada, now, "move")
    Delivery.update(state="sent").execute()
    care(config, now + 2 * DAY - MINUTE)
    assert account.moving(token, now + 2 * DAY - MINUTE).moving_to == "ada@example.net"
    care(config, now + 2 * DAY)
    assert Subscriber.get_by_id(ada.id).moving_to is None


def test_it_writes_down_when_it_was_done_and_how_many_were_erased(config: Config, now: datetime,
                                                                  bob: Subscriber) -> None:
    for name in ("ada", "carol"):
        Subscriber.create(email=f"{name}@example.org", created=now - WEEK)
    care(config, now)
    done = Run.last("care")
    assert (done.started, done.said) == (now, "2 unconfirmed requests erased")
    assert now <= done.finished < now + MINUTE
    assert emails() == {bob.email}


def test_runs_of_deliver_are_forgotten_after_90_days_and_no_others(config: Config, now: datetime) -> None:
    for job in ("deliver", "confirm", "collect"):
        for days in (89, 91):
            Run.create(job=job, started=now - days * DAY, said=f"{days} days ago")
    care(config, now)
    assert {(run.job, run.said) for run in Run.select().where(Run.job != "care")} == {
        ("deliver", "89 days ago"), ("confirm", "89 days ago"), ("collect", "89 days ago"),
        ("collect", "91 days ago")}


def test_a_second_time_finds_nothing_to_do(config: Config, now: datetime) -> None:
    Subscriber.create(email="ada@example.org", created=now - WEEK)
    care(config, now)
    assert care(config, now + MINUTE).said == "0 unconfirmed requests erased"
    assert Run.last("care").started == now + MINUTE


def test_what_came_back_is_forgotten_after_90_days_and_posts_that_nobody_can_judge_after_three(
        config: Config, now: datetime, ada: Subscriber) -> None:
    Bounce.create(subscriber=ada, address="a", at=now, day=now.date(), kind="hard", reason="", source="mail",
                  proven=True)
    Hook.keep("ses", "{}", b"{}", now)
    for later, bounces, hooks in ((3 * DAY, 1, 1), (3 * DAY + MINUTE, 1, 0), (90 * DAY, 1, 0),
                                  (90 * DAY + MINUTE, 0, 0)):
        care(config, now + later)
        assert (Bounce.select().count(), Hook.select().count()) == (bounces, hooks)


@pytest.mark.parametrize(("name", "age", "stays"), [
    ("devdigest.db.before-restore-1", 31 * DAY, False), ("devdigest.db.before-restore-2", 29 * DAY, True),
    ("devdigest.db.damaged-1-wal", 31 * DAY, False), ("other.db.damaged-1", 31 * DAY, True)])
def test_a_database_that_was_set_aside_goes_after_a_month_with_its_addresses(
        config: Config, now: datetime, name: str, age: timedelta, stays: bool) -> None:
    aside = Path(config.database.path).with_name(name)
    aside.touch()
    os.utime(aside, ((now - age).timestamp(),) * 2)
    care(config, now)
    assert aside.exists() is stays
