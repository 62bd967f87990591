"""What follows from what came back: for the reader, and for the issue of which too much did."""
import threading
from datetime import date, datetime, timedelta

import pytest
from desk import SEOUL

from devdigest import subscribers, suppressions
from devdigest.config import Config
from devdigest.deliver import deliver
from devdigest.feedback import Feedback, Kind
from devdigest.memory import HOLD, HOLD_REASON, Held, Setting
from devdigest.models import Issue
from devdigest.readers import Delivery, Subscriber, Suppression
from devdigest.replies import Reply, Stage
from devdigest.reports import Alarm, Bounce
from devdigest.table import db

pytestmark = pytest.mark.usefixtures("records")

DAY = timedelta(days=1)
DEAD = Feedback(kind=Kind.HARD, reason="user-unknown", status="5.1.1", said="550 <ada@example.org> unknown")
DOUBTFUL = Feedback(kind=Kind.HARD, reason="host-unknown", status="5.4.4")
FULL = Feedback(kind=Kind.SOFT, reason="mailbox-full", status="4.2.2")
SPAM = Feedback(kind=Kind.COMPLAINT, reason="abuse")
REFUSED = Feedback(kind=Kind.SOFT, reason="auth-failure", status="5.7.26")
DELIVERED = Feedback(kind=Kind.OTHER, reason="delivered")


def an_issue(now: datetime, readers: int, day: date = date(2026, 11, 21)) -> list[Delivery]:
    """The mails of an issue to so many readers."""
    with db.atomic():
        issue = Issue.create(day=day, state="published", created=now)
        return [Delivery.create(issue=issue, state="sent", created=now, due=now, changed=now,
                                subscriber=Subscriber.get_or_create(
                                    email=f"reader{number}@example.org",
                                    defaults={"state": "active", "created": now})[0])
                for number in range(readers)]


def bounced(mail: Delivery | Subscriber, report: Feedback, now: datetime, **rest: object) -> str:
    reader = mail if isinstance(mail, Subscriber) else Subscriber.get_by_id(mail.subscriber)
    row = mail if isinstance(mail, Delivery) else None
    return suppressions.bounced(report, reader, row, now, SEOUL, **{"source": "mail"} | rest)


def suppressed() -> list[str]:
    return [one.reason for one in Suppression.select()]


def test_an_address_that_is_gone_is_suppressed_with_the_words_and_without_itself(ada: Subscriber,
                                                                                 now: datetime) -> None:
    assert bounced(ada, DEAD, now + DAY) == "suppressed"
    kept = suppressions.of("ada@example.org")
    assert (kept.reason, kept.since) == ("bounce", now + DAY)
    assert kept.evidence == "mail hard 5.1.1 550 … unknown"
    assert "ada" not in Bounce.get().said


def test_what_is_in_doubt_is_told_by_another_day_in_the_sites_zone(ada: Subscriber, now: datetime) -> None:
    late = now + timedelta(hours=14, minutes=59)            # 23:59 in Seoul
    assert [bounced(ada, DOUBTFUL, at) for at in (now + timedelta(hours=1), late)] == ["", ""]
    assert bounced(ada, DOUBTFUL, late + timedelta(minutes=1)) == "suppressed"


def test_a_mailbox_that_is_full_for_a_week_is_suppressed_and_not_before(ada: Subscriber,
                                                                        now: datetime) -> None:
    assert [bounced(ada, FULL, now + number * DAY) for number in range(1, 8)] == [""] * 6 + ["suppressed"]


def test_whoever_agrees_anew_begins_anew_unless_they_complained(ada: Subscriber, now: datetime) -> None:
    bounced(ada, DEAD, now + DAY)
    subscribers.request(ada, now + 2 * DAY, SEOUL, source="form")
    token = subscribers.new_confirmation(ada, now + 2 * DAY)
    subscribers.confirm(token, now + 2 * DAY, SEOUL)
    ada = Subscriber.get_by_id(ada.id)
    assert (suppressed(), bounced(ada, FULL, now + 3 * DAY)) == ([], "")
    assert bounced(ada, SPAM, now + 4 * DAY) == "suppressed"
    token = subscribers.new_confirmation(ada, now + 5 * DAY)
    assert subscribers.confirm(token, now + 5 * DAY, SEOUL) is None
    assert suppressed() == ["complaint"]


def test_a_complaint_outweighs_a_bounce_and_nothing_outweighs_a_complaint(ada: Subscriber,
                                                                          now: datetime) -> None:
    for report, reason in ((DEAD, "bounce"), (SPAM, "complaint"), (DEAD, "complaint")):
        bounced(ada, report, now + DAY)
        assert suppressed() == [reason]


def test_a_report_that_comes_twice_is_one(ada: Subscriber, now: datetime) -> None:
    report = Feedback(kind=Kind.HARD, reason="host-unknown", status="5.1.2", event="e1")
    for back in (1, 2):
        assert bounced(ada, report, now + back * DAY) == ""
    assert bounced(ada, report, now + 2 * DAY, source="ses") == "suppressed"
    assert Bounce.select().count() == 2


def test_what_nobody_proves_is_one_soft_point_of_its_day(ada: Subscriber, now: datetime) -> None:
    for day in range(1, 7):
        for report in (DEAD, SPAM, DEAD):
            assert bounced(ada, report, now + day * DAY, proven=False) == ""
    assert Bounce.select().count() == 6


def test_deliveries_are_kept_only_where_they_clear_something(ada: Subscriber, now: datetime) -> None:
    for _ in range(3):
        bounced(ada, DELIVERED, now + DAY)
    assert Bounce.select().count() == 0
    bounced(ada, DOUBTFUL, now + DAY)
    for _ in range(3):
        bounced(ada, DELIVERED, now + 2 * DAY)
    assert Bounce.select().count() == 2
    assert bounced(ada, DOUBTFUL, now + 3 * DAY) == ""


def test_that_our_relay_took_a_later_mail_clears_what_it_refused_itself(ada: Subscriber,
                                                                       now: datetime) -> None:
    suppressions.bounced(DOUBTFUL, ada, None, now + DAY, SEOUL)
    Delivery.create(subscriber=ada, state="sent", created=now, due=now, changed=now + 2 * DAY)
    assert suppressions.bounced(DOUBTFUL, ada, None, now + 3 * DAY, SEOUL) == ""
    assert suppressions.bounced(DOUBTFUL, ada, None, now + 4 * DAY, SEOUL) == "suppressed"


def test_with_the_reader_all_that_came_back_is_erased_but_not_the_suppression(ada: Subscriber,
                                                                             now: datetime) -> None:
    bounced(ada, DEAD, now + DAY)
    assert suppressions.of(ada.email).evidence
    subscribers.forget(ada, now + DAY, SEOUL)
    assert (Bounce.select().count(), suppressed()) == (0, ["bounce"])
    assert Suppression.get().evidence == ""         # a host may have said who it was


# too much of one issue

def test_too_much_of_an_issue_suppresses_nobody_and_holds_all_mail(config: Config, now: datetime) -> None:
    mails = an_issue(now, 60)
    assert [bounced(mail, DEAD, now) for mail in mails[:5]] == ["suppressed"] * 5
    assert bounced(mails[5], DEAD, now) == "in doubt"
    assert (suppressed(), {row.followed for row in Bounce.select()}) == ([], {"in doubt"})
    assert bounced(mails[6], DEAD, now) == "in doubt"
    assert Setting.held_since() == now
    Delivery.update(state="queued").execute()
    with pytest.raises(Held, match=r"6 of 60 mails bounced; see `devdigest bounces`"):
        deliver(config, now, "", threading.Event())


def test_who_is_believed_counts_after_all(now: datetime) -> None:
    mails = an_issue(now, 60)
    for mail in mails[:8]:
        bounced(mail, DEAD, now)
    bounced(mails[8], DOUBTFUL, now)
    [alarm] = Alarm.open()
    assert suppressions.decide(alarm.issue.id, True, now + DAY, SEOUL) == 8
    assert (suppressed(), Alarm.open()) == (["bounce"] * 8, [])
    assert bounced(mails[9], DEAD, now + DAY) == "suppressed"


def test_who_is_ignored_counts_never(now: datetime) -> None:
    mails = an_issue(now, 60)
    for mail in mails[:8]:
        bounced(mail, DOUBTFUL, now)
    suppressions.decide(Alarm.open()[0].issue.id, False, now, SEOUL)
    assert bounced(mails[9], DEAD, now) == "ignored"
    [later] = an_issue(now, 1, date(2026, 11, 22))
    assert bounced(later, DOUBTFUL, now + DAY) == ""
    assert suppressed() == []


def test_who_was_suppressed_for_an_earlier_issue_stays_so(now: datetime) -> None:
    earlier, mails = an_issue(now, 60), an_issue(now, 60, date(2026, 11, 22))
    bounced(earlier[0], DEAD, now)
    bounced(earlier[1], DOUBTFUL, now)
    for mail in mails[:6]:
        bounced(mail, DOUBTFUL, now + DAY)
    assert Alarm.get().issue == mails[0].issue.id
    assert [one.address for one in Suppression.select()] == [suppressions.known_by("reader0@example.org")]


@pytest.mark.parametrize(("report", "count", "words"), [
    (SPAM, 3, "3 of 60 mails were called spam"),
    (REFUSED, 6, "6 of 60 mails were refused for what we are or how we send")])
def test_complaints_and_what_is_our_own_fault_raise_the_alarm_too(now: datetime, report: Feedback, count: int,
                                                                  words: str) -> None:
    for mail in an_issue(now, 60)[:count]:
        assert Alarm.select().count() == 0
        bounced(mail, report, now)
    assert (Alarm.get().said, suppressed()) == (words, [])


def test_what_nobody_proves_raises_no_alarm(now: datetime) -> None:
    for mail in an_issue(now, 60):
        bounced(mail, DEAD, now, proven=False)
    assert (Alarm.select().count(), Setting.read(HOLD)) == (0, None)


def test_a_hold_of_the_owners_keeps_its_time_and_gets_the_reason(now: datetime) -> None:
    Setting.write(HOLD, (now - DAY).isoformat())
    for mail in an_issue(now, 60)[:6]:
        bounced(mail, DEAD, now)
    assert Setting.held_since() == now - DAY
    assert Setting.read(HOLD_REASON) == "6 of 60 mails bounced; see `devdigest bounces`"


@pytest.mark.parametrize(("code", "text", "followed", "reason"), [
    (550, "5.1.1 <ada@example.org> no such user", "suppressed", "user-unknown"),
    (550, "no such user", "", "user-unknown"),
    (452, "4.2.2 mailbox full", "", "mailbox-full"),
    (550, "5.7.1 blocked by policy", "", "policy")])
def test_what_our_own_relay_refuses_counts_like_a_bounce(ada: Subscriber, now: datetime, code: int, text: str,
                                                         followed: str, reason: str) -> None:
    mail = Delivery.create(subscriber=ada, state="refused", created=now, due=now, changed=now)
    reply = Reply(Stage.RCPT, code, text)
    assert suppressions.refused(reply, ada, mail, now + DAY, SEOUL) == followed
    row = Bounce.get()
    assert (row.source, row.reason, row.proven, row.delivery) == ("relay", reason, True, mail.id)
    assert "ada@" not in row.said


def test_that_a_new_address_is_refused_says_nothing_of_the_old_one(ada: Subscriber, now: datetime) -> None:
    mail = Delivery.create(subscriber=ada, purpose="move", state="refused", created=now, due=now, changed=now)
    reply = Reply(Stage.RCPT, 550, "5.1.1 no such user")
    assert suppressions.refused(reply, ada, mail, now, SEOUL) == ""
    assert Bounce.select().count() == 0
