"""Whether the day goes as it should: what `check` says of it, and with it the owner's mail."""
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from conftest import NOW, a_blog
from web_site import a_post, an_issue

from devdigest import day_check
from devdigest.config import Config
from devdigest.finding import OK, RED, WARN, Finding
from devdigest.memory import BY_LINK, HEARTBEAT_DAY, HEARTBEAT_SAID, HOLD, ISSUES_WAIT, Run, Setting
from devdigest.readers import Delivery, Subscriber
from devdigest.troubles import Failure

pytestmark = pytest.mark.usefixtures("records")

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
TEN = NOW + HOUR
EIGHT_IN_THE_EVENING = NOW + 11 * HOUR


def found(config: Config, name: str, now: datetime) -> Finding:
    return next(one for one in day_check.findings(config, now) if one.name == name)


def state(config: Config, name: str, now: datetime) -> str:
    return found(config, name, now).state


def collected(at: datetime, blogs: int = 1) -> None:
    Run.create(job="collect", started=at, finished=at + MINUTE, blogs=blogs, reached=blogs)


# the issue

def test_an_issue_is_late_after_an_hour_and_lost_with_the_latest(config: Config) -> None:
    an_issue(day=date(2026, 11, 20))
    collected(NOW)
    states = [state(config, "issue", at) for at in (TEN, TEN + HOUR + MINUTE, EIGHT_IN_THE_EVENING - MINUTE,
                                                    EIGHT_IN_THE_EVENING, NOW + 23 * HOUR)]
    assert states == [OK, WARN, WARN, RED, RED]
    assert found(config, "issue", EIGHT_IN_THE_EVENING).fact == "none was made for 2026-11-21"


def test_the_next_issue_ends_it(config: Config) -> None:
    collected(NOW)
    an_issue(day=date(2026, 11, 22))
    assert state(config, "issue", TEN + timedelta(days=1)) == OK


def test_no_issue_is_missed_on_the_day_before_anything_was_read_nor_while_held(config: Config) -> None:
    assert state(config, "issue", EIGHT_IN_THE_EVENING) == WARN
    collected(EIGHT_IN_THE_EVENING + MINUTE)
    assert state(config, "issue", EIGHT_IN_THE_EVENING + HOUR) == WARN
    collected(NOW)
    assert state(config, "issue", EIGHT_IN_THE_EVENING + HOUR) == RED
    Setting.write(HOLD, NOW.isoformat())
    assert state(config, "issue", EIGHT_IN_THE_EVENING + HOUR) == WARN


# its mails

def a_mail(reader: Subscriber, state: str = "queued", changed: datetime = TEN) -> Delivery:
    issue = an_issue(a_post(a_blog(), "글"), created=TEN)
    return Delivery.create(issue=issue, subscriber=reader, state=state, created=TEN, due=TEN, changed=changed)


def test_mails_that_nobody_takes_for_an_hour_are_red(config: Config, ada: Subscriber) -> None:
    a_mail(ada)
    assert [state(config, "mailing", at) for at in (TEN, TEN + HOUR - MINUTE, TEN + HOUR)] == [OK, OK, RED]
    Run.create(job="deliver", started=TEN, finished=TEN, said="1 queued; stopped: the relay is tired")
    assert "1 mails of an issue wait" in found(config, "mailing", TEN + HOUR).fact
    assert "the relay is tired" in found(config, "mailing", TEN + HOUR).fact


def test_a_long_mailing_that_goes_on_is_not(config: Config, ada: Subscriber, bob: Subscriber) -> None:
    waiting = a_mail(ada)
    now = TEN + 3 * HOUR
    Delivery.create(issue=waiting.issue_id, subscriber=bob, state="sent", created=TEN, due=TEN,
                    changed=now - 10 * MINUTE)
    assert state(config, "mailing", now) == OK
    assert state(config, "mailing", now + HOUR) == RED


def test_nor_is_what_a_quota_or_hold_or_a_full_mailbox_lets_wait(config: Config, ada: Subscriber) -> None:
    mail, now = a_mail(ada), TEN + 3 * HOUR
    Setting.write(ISSUES_WAIT, (now + HOUR).isoformat())
    assert state(config, "mailing", now) == OK
    Setting.clear(ISSUES_WAIT)
    Setting.write(HOLD, NOW.isoformat())
    assert state(config, "mailing", now) == OK
    Setting.clear(HOLD)
    Delivery.update(state="waiting").where(Delivery.id == mail.id).execute()
    assert state(config, "mailing", now) == OK


# hold, jobs, heartbeat

@pytest.mark.parametrize(("reason", "expected"), [("", WARN), (BY_LINK, WARN), ("60 mails bounced", RED)])
def test_hold_is_a_trouble_only_where_it_was_not_wished_for(config: Config, reason: str,
                                                           expected: str) -> None:
    Setting.hold(NOW, reason)
    assert state(config, "hold", NOW) == expected


def test_a_job_that_fails_three_times_in_a_row_is_red_until_it_goes_well(config: Config) -> None:
    for times in range(3):
        assert state(config, "jobs", NOW) == OK
        Failure.note("care", NOW + times * HOUR, f"OSError: {times}")
    assert found(config, "jobs", NOW) == Finding(
        "jobs", RED, "care fails since 2026-11-21 09:00: OSError: 2",
        "journalctl -u devdigest-worker --grep=care")
    Failure.end("care")
    assert state(config, "jobs", NOW) == OK


def test_the_last_answer_to_the_heartbeat_is_told(config: Config) -> None:
    assert state(config, "heartbeat", NOW) == OK
    config = replace(config, site=replace(config.site, heartbeat_url="https://hc.example.org/secret"))
    assert state(config, "heartbeat", NOW) == OK
    Setting.write(HEARTBEAT_SAID, "2026-11-21 hc.example.org: 503 busy")
    assert found(config, "heartbeat", NOW).state == WARN
    assert "secret" not in str(found(config, "heartbeat", NOW))
    Setting.write(HEARTBEAT_DAY, "2026-11-21")
    Setting.write(HEARTBEAT_SAID, "2026-11-21 200 OK")
    assert found(config, "heartbeat", NOW) == Finding("heartbeat", OK, "for 2026-11-21: 200 OK")
