"""What became of an issue's mails: who did not get it and why, and again to those only."""
import re
from datetime import date, timedelta

import pytest
from conftest import NOW
from desk import SEOUL
from relay import FakeRelay
from test_deliver import TEN, published, row, send, states

from devdigest import deliveries, subscribers, suppressions
from devdigest.config import Config
from devdigest.deliveries import IN_DOUBT, Fate, NoSuchIssue, TooOld
from devdigest.feedback import Feedback, Kind
from devdigest.models import Issue
from devdigest.readers import DELIVERY_STATES, Delivery, Subscriber
from devdigest.reports import Bounce

pytestmark = pytest.mark.usefixtures("records")

TODAY = NOW.date()
DISABLED = "550 5.2.1 mailbox disabled"     # suppresses nobody at the first time


def an_issue(day: date = TODAY, kind: str = "daily") -> Issue:
    return Issue.create(kind=kind, day=day, state="published", created=NOW)


def a_mail(issue: Issue, name: str, state: str, **values: object) -> Delivery:
    reader, _ = Subscriber.get_or_create(email=f"{name}@example.org",
                                         defaults={"state": "active", "created": NOW, "confirmed": NOW})
    return Delivery.create(issue=issue, subscriber=reader, state=state, created=NOW, due=NOW,
                           **{"changed": NOW} | values)


def came_back(mail: Delivery, kind: Kind = Kind.HARD, reason: str = "host-unknown", **how: object) -> None:
    suppressions.bounced(Feedback(kind=kind, reason=reason, said="554 5.4.4 no such host"),
                         Subscriber.get_by_id(mail.subscriber), mail, NOW, SEOUL,
                         **{"source": "mail"} | how)


def failed(issue: Issue) -> list[tuple[str, str]]:
    return [(fate.address.partition("@")[0], fate.state) for fate in deliveries.failed(issue)]


# which issue

def test_the_newest_issue_is_found_or_that_of_a_day(records: None) -> None:
    older, newer = an_issue(date(2026, 11, 20)), an_issue(date(2026, 11, 21))
    weekly = an_issue(date(2026, 11, 16), "weekly")
    assert deliveries.find(None, "daily") == newer
    assert deliveries.find(date(2026, 11, 20), "daily") == older
    assert deliveries.find(None, "weekly") == weekly == deliveries.find(date(2026, 11, 16), "weekly")


@pytest.mark.parametrize(("day", "kind", "words"), [
    (None, "daily", "no daily issue yet"), (date(2026, 11, 21), "weekly", "no weekly issue of 2026-11-21")])
def test_an_issue_that_is_not_there_is_said(day: date | None, kind: str, words: str) -> None:
    with pytest.raises(NoSuchIssue, match=words):
        deliveries.find(day, kind)


# what became of it

def test_mails_are_counted_by_state_and_with_their_hours(records: None) -> None:
    issue, other = an_issue(), an_issue(date(2026, 11, 20))
    a_mail(other, "ada", "refused")
    for name, hours in (("ada", 2), ("bob", 1), ("cyd", 3)):
        a_mail(issue, name, "sent", changed=NOW + timedelta(hours=hours))
    a_mail(issue, "dan", "refused", changed=NOW + timedelta(hours=9))
    assert deliveries.states(issue) == {"sent": 3, "refused": 1}
    assert deliveries.sent_between(issue) == (NOW + timedelta(hours=1), NOW + timedelta(hours=3))
    assert deliveries.sent_between(other) == (None, None)


def test_who_did_not_get_it_is_told_with_the_relays_words(by_relay: Config, relay: FakeRelay) -> None:
    relay.to_rcpt |= {"gone": DISABLED}
    published(by_relay, "ada", "bob", "full", "gone")
    subscribers.cancel(Subscriber.of("bob@example.org"), TEN, SEOUL)
    send(by_relay)
    issue = deliveries.find(None, "daily")
    assert list(deliveries.failed(issue)) == [
        Fate("gone@example.org", "refused", 1, DISABLED, False),
        Fate("full@example.org", "waiting", 1, "452 4.2.2 mailbox full", False),
        Fate("bob@example.org", "dropped", 0, "cancelled since", False)]
    assert deliveries.count_failed(issue) == 3


def test_who_was_erased_is_told_without_an_address(by_relay: Config, relay: FakeRelay) -> None:
    relay.to_rcpt |= {"gone": DISABLED}
    published(by_relay, "gone")
    send(by_relay)
    subscribers.forget(Subscriber.of("gone@example.org"), TEN, SEOUL)
    [fate] = deliveries.failed(deliveries.find(None, "daily"))
    assert (fate.address, fate.state, fate.said) == ("", "refused", "")


def test_whose_turn_is_still_to_come_has_not_missed_it(records: None) -> None:
    issue = an_issue()
    a_mail(issue, "first", "queued")
    a_mail(issue, "now", "sending", attempts=1)
    a_mail(issue, "tried", "queued", attempts=1, reply="451 4.7.1 try later")
    assert failed(issue) == [("tried", "queued")]
    assert deliveries.count_failed(issue) == 1


def test_every_state_but_sent_and_those_under_way_is_told(records: None) -> None:
    issue = an_issue()
    for state in DELIVERY_STATES:
        a_mail(issue, state, state)
    told = [state for _, state in failed(issue)]
    assert told == ["refused", "given_up", "waiting", "unknown", "dropped"]


def test_a_mail_that_came_back_did_not_arrive_though_it_was_sent(records: None) -> None:
    issue = an_issue()
    back, slow, recovered, unproven = (a_mail(issue, name, "sent", attempts=1)
                                       for name in ("back", "slow", "recovered", "unproven"))
    came_back(back)
    came_back(slow, Kind.SOFT, "delayed")
    came_back(recovered, Kind.SOFT, "mailbox-full")
    came_back(recovered, Kind.OTHER, "delivered")
    came_back(unproven, proven=False)
    assert list(deliveries.failed(issue)) == [
        Fate("back@example.org", "sent", 1, "came back: 554 5.4.4 no such host", True)]
    assert (deliveries.count_failed(issue), deliveries.count_came_back(issue)) == (1, 1)


# again

def test_again_goes_to_those_alone_who_did_not_get_it_under_the_same_message_id(by_relay: Config,
                                                                                relay: FakeRelay) -> None:
    relay.to_rcpt |= {"gone": DISABLED}
    published(by_relay, "ada", "gone")
    refused: list[str] = []
    numbers = {name: row(name).id for name in ("ada", "gone")}
    send(by_relay)
    refused.append(states()["gone@example.org"])
    relay.messages.clear()
    del relay.to_rcpt["gone"]
    done = deliveries.again(by_relay, deliveries.find(None, "daily"), TEN + timedelta(hours=1))
    assert (refused, done.queued, done.left, done.until) == (["refused"], 1, {}, date(2026, 11, 23))
    assert row("gone").reply == DISABLED        # why, until there is a newer answer
    assert send(by_relay, TEN + timedelta(hours=2)).states == {"sent": 1}
    [(_, recipient, message)] = relay.messages
    assert recipient == "gone@example.org"
    assert re.search(rb"^Message-ID: <[^>]*\b%d-" % numbers["gone"], message, re.MULTILINE)
    assert deliveries.count_failed(deliveries.find(None, "daily")) == 0


def test_again_to_who_is_sent_under_way_or_in_doubt_never_goes(config: Config) -> None:
    issue = an_issue()
    for state in ("sent", "unknown", "waiting", "queued", "sending", "dropped"):
        a_mail(issue, state, state, reply="as before")
    a_mail(issue, "doubted", "given_up", doubts=3)
    a_mail(issue, "refused after a doubt", "refused", doubts=1)
    before = list(Delivery.select().order_by(Delivery.id).dicts())
    done = deliveries.again(config, issue, TEN)
    assert (done.queued, done.left) == (0, {IN_DOUBT: 2})
    assert list(Delivery.select().order_by(Delivery.id).dicts()) == before


def test_again_to_who_left_is_suppressed_or_erased_never_goes(config: Config) -> None:
    issue = an_issue()
    for name in ("left", "dead", "erased", "here"):
        a_mail(issue, name, "refused")
    subscribers.cancel(Subscriber.of("left@example.org"), NOW, SEOUL)
    suppressions.keep_out("dead@example.org", NOW)
    subscribers.forget(Subscriber.of("erased@example.org"), NOW, SEOUL)
    done = deliveries.again(config, issue, TEN)
    assert (done.queued, done.left) == (1, {"cancelled since": 1, "suppressed: erased": 1, "erased": 1})
    assert row("here").state == "queued"


def test_again_may_be_typed_twice_and_touches_no_other_issue(config: Config) -> None:
    issue, other = an_issue(), an_issue(date(2026, 11, 20))
    for one in (issue, other):
        a_mail(one, "ada", "given_up")
    assert deliveries.again(config, issue, TEN).queued == 1
    assert deliveries.again(config, issue, TEN).queued == 0
    assert deliveries.states(other) == {"given_up": 1}


def test_again_of_many_is_done_in_portions(config: Config) -> None:
    issue = an_issue()
    with Delivery._meta.database.atomic():
        for number in range(1_001):
            a_mail(issue, f"reader{number}", "refused")
    assert deliveries.again(config, issue, TEN).queued == 1_001
    assert deliveries.states(issue) == {"queued": 1_001}


@pytest.mark.parametrize(("days", "works"), [(0, True), (2, True), (3, False)])
def test_again_ends_with_the_days_in_which_an_issue_is_mailed(by_relay: Config, relay: FakeRelay, days: int,
                                                              works: bool) -> None:
    """What is queued again is really sent then, and what is refused would only have been given up."""
    issue = an_issue(TODAY - timedelta(days=days))
    a_mail(issue, "ada", "refused")
    if not works:
        with pytest.raises(TooOld, match="is mailed any more: that ended with 2026-11-20"):
            deliveries.again(by_relay, issue, TEN)
        Delivery.update(state="queued").execute()
    else:
        assert deliveries.again(by_relay, issue, TEN).queued == 1
    send(by_relay)
    assert states() == {"ada@example.org": "sent" if works else "given_up"}


def test_an_earlier_refusal_is_no_mail_that_came_back(by_relay: Config, relay: FakeRelay) -> None:
    relay.to_rcpt |= {"gone": DISABLED}
    published(by_relay, "gone")
    send(by_relay)
    issue = deliveries.find(None, "daily")
    assert Bounce.select().where(Bounce.issue == issue).count() == 1
    del relay.to_rcpt["gone"]
    deliveries.again(by_relay, issue, TEN)
    send(by_relay)
    assert list(deliveries.failed(issue)) == []
