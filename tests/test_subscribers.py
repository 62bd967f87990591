"""Who gets the digest: asked, confirmed, cancelled, erased; nobody comes in without having agreed."""
import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from conftest import NOW
from desk import SEOUL

from devdigest import expiry, subscribers, suppressions, tokens
from devdigest.config import Config
from devdigest.counts import Event
from devdigest.database import connected
from devdigest.memory import Setting
from devdigest.models import Issue
from devdigest.readers import Confirmation, Consent, Delivery, Subscriber, Suppression
from devdigest.table import db

pytestmark = pytest.mark.usefixtures("records")

LATER = NOW + timedelta(hours=1)
GOOD_FOR = timedelta(hours=48)


def add(email: str, now: datetime = NOW, confirmed: bool = False) -> tuple[Subscriber, bool]:
    return subscribers.add(email, now, SEOUL, confirmed=confirmed, source="by hand", language="ko")


def suppress(email: str, reason: str = "bounce") -> None:
    Suppression.create(address=tokens.address_hash(subscribers.link_key(), email), reason=reason, since=NOW)


def state_of(email: str) -> str | None:
    subscriber = Subscriber.of(email)
    return subscriber and subscriber.state


def counted(name: str) -> dict[date, int]:
    return {row.day: row.count for row in Event.select().where(Event.name == name).order_by(Event.day)}


def outbox() -> list[tuple[int | None, str]]:
    return [(row.subscriber, row.state) for row in Delivery.select().order_by(Delivery.id)]


# Asking and confirming

def test_who_is_added_is_asked_to_confirm_and_gets_nothing_else() -> None:
    ada, new = add("ada@example.org")
    assert (ada.state, new, outbox()) == ("pending", True, [(ada.id, "queued")])
    assert Delivery.get().issue is None
    assert [(row.source, row.asked, row.given) for row in Consent.select()] == [("by hand", NOW, None)]


def test_who_is_added_as_confirmed_gets_no_confirmation_mail_and_the_proof_is_kept() -> None:
    ada, _ = add("ada@example.org", confirmed=True)
    assert (ada.state, ada.confirmed, outbox()) == ("active", NOW, [])
    assert [(row.subscriber, row.given, row.source) for row in Consent.select()] == [(ada.id, NOW, "by hand")]


@pytest.mark.parametrize("spelling", ["ada@example.org", "ADA@example.org", "ada@EXAMPLE.org"])
def test_the_same_address_in_other_letters_is_known_and_not_asked(ada: Subscriber, spelling: str) -> None:
    known, new = add(spelling)
    assert (known.id, new, outbox()) == (ada.id, False, [])


def test_who_was_asked_already_is_not_asked_again() -> None:
    add("ada@example.org")
    assert add("ada@example.org", LATER)[1] is False
    assert len(outbox()) == 1


def test_who_is_pending_becomes_active_when_the_owner_says_they_agreed(bob: Subscriber) -> None:
    known, new = add("bob@example.org", LATER, confirmed=True)
    assert (known.id, new, state_of("bob@example.org")) == (bob.id, False, "active")
    assert Consent.select().count() == 1


def test_a_confirmation_makes_active_and_may_be_repeated(bob: Subscriber) -> None:
    token = subscribers.new_confirmation(bob, NOW)
    assert subscribers.pending(token, LATER) == bob
    assert state_of("bob@example.org") == "pending"        # looking is no consent
    assert subscribers.confirm(token, LATER, SEOUL) == bob
    assert subscribers.confirm(token, LATER + timedelta(minutes=1), SEOUL) == bob
    assert [(row.given, row.source) for row in Consent.select()] == [(LATER, "form")]
    assert Subscriber.of("bob@example.org").confirmed == LATER


def test_the_proof_of_consent_is_complete() -> None:
    ada, _ = add("ada@example.org")
    Consent.update(asked_from="203.0.113.7", asked_by="Firefox", wording="매일 보내 드립니다.", form="https://x/",
                   language="en").execute()
    mailed = LATER + timedelta(minutes=1)
    token = subscribers.new_confirmation(ada, mailed)
    subscribers.confirm(token, mailed + timedelta(hours=1), SEOUL, "2001:db8::/64", "Safari")
    [proof] = Consent.select().dicts()
    assert proof == {
        "id": 1, "subscriber": ada.id, "source": "by hand", "language": "en", "asked": NOW,
        "asked_from": "203.0.113.7", "asked_by": "Firefox", "wording": "매일 보내 드립니다.",
        "form": "https://x/", "mailed": mailed, "token": tokens.hashed(token),
        "given": mailed + timedelta(hours=1), "given_from": "2001:db8::/64", "given_by": "Safari"}
    assert Subscriber.of("ada@example.org").language == "en"        # of the form that was agreed to


def test_of_two_requests_the_one_whose_mail_was_answered_is_the_proof(bob: Subscriber) -> None:
    answered = []
    for number in range(2):
        subscribers.request(bob, NOW + timedelta(days=number), SEOUL, source=f"form {number}")
        answered.append(subscribers.new_confirmation(bob, NOW + timedelta(days=number)))
    subscribers.confirm(answered[0], NOW + timedelta(days=1), SEOUL)
    assert [row.source for row in Consent.select().where(Consent.given.is_null(False))] == ["form 0"]


def test_a_mail_that_had_to_be_made_twice_is_answered_by_either_link(bob: Subscriber) -> None:
    subscribers.request(bob, NOW, SEOUL, source="form")
    first, _second = (subscribers.new_confirmation(bob, NOW) for _ in range(2))
    subscribers.confirm(first, LATER, SEOUL)
    assert [(row.token, row.given) for row in Consent.select()] == [(tokens.hashed(first), LATER)]


@pytest.mark.parametrize(("reason", "stays"), [("erased", False), ("bounce", False), ("complaint", True),
                                               ("the owner", True)])
def test_consent_ends_a_suppression_that_it_can_end(bob: Subscriber, reason: str, stays: bool) -> None:
    suppress("bob@example.org", reason)
    token = subscribers.new_confirmation(bob, NOW)
    assert (subscribers.confirm(token, LATER, SEOUL) is None) is stays
    assert (suppressions.of("bob@example.org") is not None) is stays
    assert state_of("bob@example.org") == ("pending" if stays else "active")


def test_a_reader_whose_mails_bounced_may_confirm_anew(ada: Subscriber) -> None:
    old = subscribers.new_confirmation(ada, NOW)
    Consent.update(given=NOW).execute()
    suppress("ada@example.org", "bounce")
    assert subscribers.confirm(old, LATER, SEOUL) == ada
    assert suppressions.of("ada@example.org"), "an old link is no new consent"
    subscribers.request(ada, LATER, SEOUL, source="form")
    subscribers.confirm(subscribers.new_confirmation(ada, LATER), LATER, SEOUL)
    assert suppressions.of("ada@example.org") is None
    assert counted("confirmed") == {}


def test_a_confirmation_expires_after_48_hours(bob: Subscriber) -> None:
    token = subscribers.new_confirmation(bob, NOW)
    assert subscribers.pending(token, NOW + GOOD_FOR - timedelta(seconds=1)) == bob
    assert subscribers.pending(token, NOW + GOOD_FOR) is None
    assert subscribers.confirm(token, NOW + GOOD_FOR, SEOUL) is None
    assert state_of("bob@example.org") == "pending"


def test_a_token_is_stored_as_its_hash_alone(bob: Subscriber) -> None:
    token = subscribers.new_confirmation(bob, NOW)
    assert token not in "\n".join(db.connection().iterdump())


def test_a_token_of_another_purpose_confirms_nothing(bob: Subscriber) -> None:
    token, digest = tokens.random_token()
    Confirmation.create(subscriber=bob, purpose="address", digest=digest, expires=NOW + GOOD_FOR)
    assert subscribers.confirm(token, NOW, SEOUL) is None
    assert subscribers.confirm(tokens.sign(subscribers.link_key(), "link", bob.id), NOW, SEOUL) is None
    assert state_of("bob@example.org") == "pending"


@pytest.mark.parametrize("token", ["", "x" * 10_000, "\ud800", "' OR 1=1 --", "\x00"])
def test_what_is_no_token_confirms_nothing_and_opens_nothing(bob: Subscriber, token: str) -> None:
    subscribers.new_confirmation(bob, NOW)
    assert subscribers.confirm(token, NOW, SEOUL) is None
    assert subscribers.by_link(token) is None


def test_an_old_confirmation_does_not_bring_back_who_has_left(bob: Subscriber) -> None:
    token = subscribers.new_confirmation(bob, NOW)
    subscribers.confirm(token, NOW, SEOUL)
    subscribers.cancel(Subscriber.of("bob@example.org"), LATER, SEOUL)
    subscribers.confirm(token, LATER, SEOUL)
    assert state_of("bob@example.org") == "cancelled"


# Links in mails

def test_a_link_opens_its_subscriber_and_nobody_else(ada: Subscriber, bob: Subscriber) -> None:
    token = tokens.sign(subscribers.link_key(), "link", ada.id)
    assert subscribers.by_link(token) == ada
    assert subscribers.by_link(tokens.sign(subscribers.link_key(), "hold", ada.id)) is None
    assert subscribers.by_link(tokens.sign(tokens.new_key(), "link", ada.id)) is None
    subscribers.forget(ada, NOW, SEOUL)
    assert subscribers.by_link(token) is None


def test_all_who_come_first_at_once_get_one_key(config: Config) -> None:
    keys, start = [], threading.Barrier(6)

    def ask() -> None:
        with connected():
            start.wait()
            keys.append(subscribers.link_key())
    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(keys) == {Setting.read("link key")}


# Preferences

def test_preferences_are_kept(ada: Subscriber) -> None:
    subscribers.prefer(ada, "both", "en")
    kept = Subscriber.of("ada@example.org")
    assert (kept.frequency, kept.language) == ("both", "en")


@pytest.mark.parametrize(("first", "days", "missed"), [
    (date(2026, 11, 21), 1, [21]),              # asked at nine: today's issue, at ten, is the next
    (date(2026, 11, 22), 1, [22]),              # asked at eleven: today's has come
    (date(2026, 11, 22), 3, [22, 23, 24]),
    (date(2026, 11, 21), 0, []),
])
def test_a_pause_of_some_days_misses_as_many_issues(ada: Subscriber, first: date, days: int,
                                                    missed: list[int]) -> None:
    subscribers.pause(ada, 30, date(2026, 11, 1))
    subscribers.pause(ada, days, first)
    issues = [Issue.create(day=date(2026, 11, day), state="published", created=NOW)
              for day in range(first.day, 27)]
    assert [issue.day.day for issue in issues if not Delivery.queue_for_active(issue, NOW)] == missed


@pytest.mark.parametrize("days", [-1, 366])
def test_nobody_can_pause_for_longer_than_a_year_or_backwards(ada: Subscriber, days: int) -> None:
    with pytest.raises(ValueError, match="pause"):
        subscribers.pause(ada, days, date(2026, 11, 21))


def test_each_change_leaves_alone_what_others_changed_meanwhile(ada: Subscriber) -> None:
    pages = [Subscriber.of("ada@example.org") for _ in range(4)]
    Subscriber.update(email="lovelace@example.org").execute()
    subscribers.prefer(pages[0], "weekly", "en")
    subscribers.pause(pages[1], 7, date(2026, 11, 21))
    subscribers.cancel(pages[2], NOW, SEOUL)
    subscribers.cancel(pages[3], LATER, SEOUL)
    subscribers.take_back(pages[2], NOW + timedelta(minutes=59), SEOUL)
    kept = Subscriber.get()
    assert (kept.email, kept.frequency, kept.language) == ("lovelace@example.org", "weekly", "en")
    assert (kept.paused_until, kept.state, kept.cancelled) == (date(2026, 11, 28), "active", None)
    assert counted("cancelled") == {date(2026, 11, 21): 0}


# Leaving

def test_cancelling_ends_it_and_may_be_repeated(ada: Subscriber) -> None:
    subscribers.cancel(ada, NOW, SEOUL)
    subscribers.cancel(Subscriber.of("ada@example.org"), LATER, SEOUL)
    assert (state_of("ada@example.org"), Subscriber.of("ada@example.org").cancelled) == ("cancelled", NOW)


def test_a_second_window_tells_the_same_of_a_cancellation(ada: Subscriber) -> None:
    windows = [Subscriber.get_by_id(ada.id) for _ in range(3)]
    for number, window in enumerate(windows[:2]):
        subscribers.cancel(window, NOW + timedelta(minutes=number), SEOUL)
        assert (window.cancelled, subscribers.can_take_back(window, NOW)) == (NOW, True)
    subscribers.forget(ada, NOW, SEOUL)
    subscribers.cancel(windows[2], NOW, SEOUL)
    assert not subscribers.can_take_back(windows[2], NOW)


def test_who_leaves_takes_back_what_was_asked_before_in_their_name(carol: Subscriber) -> None:
    subscribers.request(carol, NOW, SEOUL, source="form")
    token = subscribers.new_confirmation(carol, NOW)
    subscribers.request(carol, NOW, SEOUL, source="form")
    subscribers.cancel(carol, LATER, SEOUL)
    assert subscribers.confirm(token, LATER, SEOUL) is None
    assert (state_of("carol@example.org"), subscribers.is_asked(carol)) == ("cancelled", False)
    assert outbox() == [(carol.id, "dropped")] * 2
    assert Consent.select().count() == 0


def test_who_left_stays_away_until_they_confirm_anew(carol: Subscriber) -> None:
    Subscriber.update(confirmed=NOW, paused_until=date(2026, 12, 24)).execute()
    subscribers.request(carol, LATER, SEOUL, source="form", language="en")
    token = subscribers.new_confirmation(carol, LATER)
    assert state_of("carol@example.org") == "cancelled"
    subscribers.confirm(token, LATER, SEOUL)
    back = Subscriber.of("carol@example.org")
    assert (back.state, back.cancelled, back.paused_until, back.language) == ("active", None, None, "en")


def test_what_happens_is_counted_for_the_day_at_the_site(bob: Subscriber) -> None:
    midnight = datetime(2026, 11, 21, 15, tzinfo=UTC)       # in Seoul the 22nd begins
    before = midnight - timedelta(minutes=1)
    add("ada@example.org", before, confirmed=True)
    subscribers.request(bob, before, SEOUL, source="form")
    subscribers.confirm(subscribers.new_confirmation(bob, before), midnight, SEOUL)
    ada, bob = Subscriber.of("ada@example.org"), Subscriber.of("bob@example.org")
    subscribers.cancel(ada, before, SEOUL)
    subscribers.take_back(ada, midnight, SEOUL)             # undoes the one of the day before
    subscribers.forget(ada, midnight, SEOUL)
    subscribers.cancel(bob, midnight, SEOUL)
    subscribers.forget(bob, midnight, SEOUL)
    on, after = date(2026, 11, 21), date(2026, 11, 22)
    assert counted("asked") == {on: 2}
    assert counted("confirmed") == {on: 1, after: 1}
    assert counted("cancelled") == {on: 0, after: 2}


def test_the_end_of_a_request_is_no_cancellation(bob: Subscriber) -> None:
    subscribers.cancel(bob, NOW, SEOUL)
    add("ada@example.org")
    expiry.erase_unconfirmed(NOW + timedelta(days=8))
    assert counted("cancelled") == {}


def test_who_cancelled_by_mistake_may_take_it_back(ada: Subscriber) -> None:
    subscribers.cancel(ada, NOW, SEOUL)
    subscribers.take_back(Subscriber.of("ada@example.org"), NOW, SEOUL)
    back = Subscriber.of("ada@example.org")
    assert (back.state, back.cancelled) == ("active", None)


def test_an_old_link_brings_nobody_back(ada: Subscriber) -> None:
    subscribers.cancel(ada, NOW, SEOUL)
    subscribers.take_back(Subscriber.of("ada@example.org"), NOW + timedelta(hours=1), SEOUL)
    assert state_of("ada@example.org") == "cancelled"


def test_taking_back_makes_nobody_active_who_never_confirmed(carol: Subscriber, bob: Subscriber) -> None:
    for subscriber in (carol, bob):
        subscribers.take_back(subscriber, NOW, SEOUL)
    assert (state_of("carol@example.org"), state_of("bob@example.org")) == ("cancelled", "pending")


# Erasing

def bytes_on_disk(config: Config) -> bytes:
    """Every byte of the database and its journals, once all is in the one file."""
    db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return b"".join(path.read_bytes() for path in config.folder.glob("devdigest.db*"))


def test_forgetting_erases_the_address_from_every_table_and_from_the_disk(config: Config) -> None:
    with db.atomic():
        for number in range(300):               # so that the address lies on one page of several
            add(f"reader{number}@example.org", confirmed=True)
    ada, _ = add("ada.lovelace@example.org", confirmed=True)
    subscribers.new_confirmation(ada, NOW)
    issue = Issue.create(day=date(2026, 11, 21), state="published", created=NOW)
    Delivery.create(issue=issue, subscriber=ada, state="refused", created=NOW, due=NOW, changed=NOW,
                    reply="550 5.1.1 <ada.lovelace@example.org> unknown")
    assert b"lovelace" in bytes_on_disk(config)
    subscribers.forget(ada, NOW, SEOUL)
    assert b"lovelace" not in bytes_on_disk(config)
    assert Consent.select().where(Consent.subscriber == ada.id).count() == 0


def test_what_was_sent_to_the_forgotten_still_counts_and_what_waits_is_dropped(ada: Subscriber) -> None:
    for day, state in ((19, "sent"), (20, "refused"), (21, "waiting")):
        issue = Issue.create(day=date(2026, 11, day), state="published", created=NOW)
        Delivery.create(issue=issue, subscriber=ada, state=state, created=NOW, due=NOW, changed=NOW)
    subscribers.forget(ada, NOW, SEOUL)
    assert outbox() == [(None, "sent"), (None, "refused"), (None, "dropped")]


def test_who_is_forgotten_stays_suppressed(ada: Subscriber) -> None:
    suppress("ada@example.org", "complaint")
    subscribers.forget(ada, NOW, SEOUL)
    assert subscribers.why_not("ADA@example.org") == "suppressed: complaint"


def test_a_request_that_nobody_confirms_within_a_week_is_erased(ada: Subscriber, carol: Subscriber) -> None:
    add("bob@example.org")
    assert expiry.erase_unconfirmed(NOW + timedelta(days=7, seconds=-1)) == 0
    assert expiry.erase_unconfirmed(NOW + timedelta(days=7)) == 1
    assert {row.email for row in Subscriber.select()} == {"ada@example.org", "carol@example.org"}
    assert outbox() == [(None, "dropped")]


def test_who_asked_again_a_week_later_has_another_week() -> None:
    bob, _ = add("bob@example.org")
    subscribers.request(bob, NOW + timedelta(days=6), SEOUL, source="form")
    assert expiry.erase_unconfirmed(NOW + timedelta(days=7)) == 0
    assert expiry.erase_unconfirmed(NOW + timedelta(days=13)) == 1


def test_of_who_left_only_the_request_is_erased_that_they_never_confirmed(carol: Subscriber) -> None:
    Consent.create(subscriber=carol, source="form", given=NOW)
    subscribers.request(carol, NOW, SEOUL, source="form", asked_from="203.0.113.7")
    assert expiry.erase_unconfirmed(NOW + timedelta(days=7)) == 0
    assert [row.asked_from for row in carol.consents] == [""]
    assert not subscribers.is_asked(carol)


@pytest.mark.parametrize(("state", "days", "kept"), [
    ("cancelled", 30, ""), ("cancelled", 29, "203.0.113.7"), ("active", 3000, "203.0.113.7")])
def test_a_month_after_leaving_it_is_forgotten_from_where_someone_agreed(state: str, days: int,
                                                                         kept: str) -> None:
    ada, _ = add("ada@example.org", confirmed=True)
    Subscriber.update(state=state, cancelled=NOW if state == "cancelled" else None).execute()
    Consent.update(asked=NOW, **dict.fromkeys(("asked_from", "asked_by", "given_from", "given_by"),
                                              "203.0.113.7")).execute()
    expiry.forget_origins(NOW + timedelta(days=days))
    [proof] = ada.consents
    assert {proof.asked_from, proof.asked_by, proof.given_from, proof.given_by} == {kept}
    assert (proof.asked, proof.given, proof.source) == (NOW, NOW, "by hand")


def test_the_links_of_who_was_erased_open_nobody_elses_subscription() -> None:
    ada, _ = subscribers.add("ada@example.org", NOW, SEOUL, confirmed=True, source="", language="ko")
    old_link = tokens.sign(subscribers.link_key(), subscribers.LINK, ada.id)
    subscribers.forget(ada, NOW, SEOUL)
    subscribers.add("bob@example.org", NOW, SEOUL, confirmed=True, source="", language="ko")
    assert subscribers.by_link(old_link) is None
