"""Who gets the digest: asked, confirmed, cancelled, erased; nobody comes in without having agreed."""
import threading
from datetime import date, datetime, timedelta

import pytest
from conftest import NOW

from devdigest import subscribers, tokens
from devdigest.config import Config
from devdigest.database import connected
from devdigest.memory import Setting
from devdigest.models import Issue
from devdigest.readers import Confirmation, Consent, Delivery, Subscriber, Suppression
from devdigest.subscribers import Imported, NotACsv, NotAnAddress
from devdigest.table import db

pytestmark = pytest.mark.usefixtures("records")

LATER = NOW + timedelta(hours=1)
GOOD_FOR = timedelta(hours=48)


def add(email: str, now: datetime = NOW, confirmed: bool = False) -> tuple[Subscriber, bool]:
    return subscribers.add(email, now, confirmed=confirmed, source="by hand", language="ko")


def import_csv(data: str | bytes, confirmed: bool = False) -> Imported:
    data = data.encode() if isinstance(data, str) else data
    return subscribers.import_csv(data, NOW, confirmed=confirmed, source="old list", language="ko")


def suppress(email: str, reason: str = "bounce") -> None:
    Suppression.create(address=tokens.address_hash(subscribers.link_key(), email), reason=reason, since=NOW)


def state_of(email: str) -> str | None:
    subscriber = Subscriber.of(email)
    return subscriber and subscriber.state


def outbox() -> list[tuple[int | None, str]]:
    return [(row.subscriber, row.state) for row in Delivery.select().order_by(Delivery.id)]


# Addresses

@pytest.mark.parametrize(("given", "stored"), [
    ("ada@example.org", "ada@example.org"),
    ("  ada@example.org\n", "ada@example.org"),
    ("Ada@EXAMPLE.ORG", "Ada@example.org"),             # the local part is the mailbox's own
    ("ada@개발.한국", "ada@xn--h49al71a.xn--3e0b707e"),
    ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
    ("a.d+a_9@sub.example.org", "a.d+a_9@sub.example.org"),
])
def test_an_address_is_stored_in_one_form(given: str, stored: str) -> None:
    assert subscribers.tidy(given) == stored


@pytest.mark.parametrize("given", [
    "", "ada", "ada@", "@example.org", "ada@example", "ada@@example.org", "ada@example.org, bob@example.org",
    "Ada <ada@example.org>", "a b@example.org", '"a b"@example.org', "ada@example.org\r\nBcc: b@example.org",
    "ada@[127.0.0.1]", "ada@exa mple.org", "ada@-example.org", "a" * 65 + "@example.org"])
def test_what_is_no_address_is_refused_with_a_reason(given: str) -> None:
    with pytest.raises(NotAnAddress, match=r"\w+ \w+"):
        subscribers.tidy(given)


def test_a_local_part_that_relays_refuse_is_refused() -> None:
    with pytest.raises(NotAnAddress, match="ASCII"):
        subscribers.tidy("소식@example.org")


# Asking and confirming

def test_who_is_added_is_asked_to_confirm_and_gets_nothing_else() -> None:
    ada, new = add("ada@example.org")
    assert (ada.state, new, outbox()) == ("pending", True, [(ada.id, "queued")])
    assert Delivery.get().issue is None
    assert Consent.select().count() == 0


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
    assert subscribers.confirm(token, LATER) == bob
    assert subscribers.confirm(token, LATER + timedelta(minutes=1)) == bob
    assert [(row.given, row.source) for row in Consent.select()] == [(LATER, "form")]
    assert Subscriber.of("bob@example.org").confirmed == LATER


def test_a_confirmation_expires_after_48_hours(bob: Subscriber) -> None:
    token = subscribers.new_confirmation(bob, NOW)
    assert subscribers.pending(token, NOW + GOOD_FOR - timedelta(seconds=1)) == bob
    assert subscribers.pending(token, NOW + GOOD_FOR) is None
    assert subscribers.confirm(token, NOW + GOOD_FOR) is None
    assert state_of("bob@example.org") == "pending"


def test_a_token_is_stored_as_its_hash_alone(bob: Subscriber) -> None:
    token = subscribers.new_confirmation(bob, NOW)
    assert token not in "\n".join(db.connection().iterdump())


def test_a_token_of_another_purpose_confirms_nothing(bob: Subscriber) -> None:
    token, digest = tokens.random_token()
    Confirmation.create(subscriber=bob, purpose="address", digest=digest, expires=NOW + GOOD_FOR)
    assert subscribers.confirm(token, NOW) is None
    assert subscribers.confirm(tokens.sign(subscribers.link_key(), "link", bob.id), NOW) is None
    assert state_of("bob@example.org") == "pending"


@pytest.mark.parametrize("token", ["", "x" * 10_000, "\ud800", "' OR 1=1 --", "\x00"])
def test_what_is_no_token_confirms_nothing_and_opens_nothing(bob: Subscriber, token: str) -> None:
    subscribers.new_confirmation(bob, NOW)
    assert subscribers.confirm(token, NOW) is None
    assert subscribers.by_link(token) is None


def test_an_old_confirmation_does_not_bring_back_who_has_left(bob: Subscriber) -> None:
    token = subscribers.new_confirmation(bob, NOW)
    subscribers.confirm(token, NOW)
    subscribers.cancel(Subscriber.of("bob@example.org"), LATER)
    subscribers.confirm(token, LATER)
    assert state_of("bob@example.org") == "cancelled"


# Links in mails

def test_a_link_opens_its_subscriber_and_nobody_else(ada: Subscriber, bob: Subscriber) -> None:
    token = tokens.sign(subscribers.link_key(), "link", ada.id)
    assert subscribers.by_link(token) == ada
    assert subscribers.by_link(tokens.sign(subscribers.link_key(), "hold", ada.id)) is None
    assert subscribers.by_link(tokens.sign(tokens.new_key(), "link", ada.id)) is None
    subscribers.forget(ada, NOW)
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


# Leaving

def test_cancelling_ends_it_and_may_be_repeated(ada: Subscriber) -> None:
    subscribers.cancel(ada, NOW)
    subscribers.cancel(Subscriber.of("ada@example.org"), LATER)
    assert (state_of("ada@example.org"), Subscriber.of("ada@example.org").cancelled) == ("cancelled", NOW)


def test_who_cancelled_by_mistake_may_take_it_back(ada: Subscriber) -> None:
    subscribers.cancel(ada, NOW)
    subscribers.take_back(Subscriber.of("ada@example.org"), NOW)
    back = Subscriber.of("ada@example.org")
    assert (back.state, back.cancelled) == ("active", None)


def test_an_old_link_brings_nobody_back(ada: Subscriber) -> None:
    subscribers.cancel(ada, NOW)
    subscribers.take_back(Subscriber.of("ada@example.org"), NOW + timedelta(hours=1))
    assert state_of("ada@example.org") == "cancelled"


def test_taking_back_makes_nobody_active_who_never_confirmed(carol: Subscriber, bob: Subscriber) -> None:
    for subscriber in (carol, bob):
        subscribers.take_back(subscriber, NOW)
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
    subscribers.forget(ada, NOW)
    assert b"lovelace" not in bytes_on_disk(config)
    assert Consent.select().where(Consent.subscriber == ada.id).count() == 0


def test_what_was_sent_to_the_forgotten_still_counts_and_what_waits_is_dropped(ada: Subscriber) -> None:
    for day, state in ((19, "sent"), (20, "refused"), (21, "waiting")):
        issue = Issue.create(day=date(2026, 11, day), state="published", created=NOW)
        Delivery.create(issue=issue, subscriber=ada, state=state, created=NOW, due=NOW, changed=NOW)
    subscribers.forget(ada, NOW)
    assert outbox() == [(None, "sent"), (None, "refused"), (None, "dropped")]


def test_who_was_erased_is_not_brought_back_by_an_import(ada: Subscriber) -> None:
    subscribers.forget(ada, NOW)
    done = import_csv(b"ada@example.org\n", confirmed=True)
    assert (done.added, done.left_alone) == ([], [("ada@example.org", "suppressed: erased")])


def test_who_is_forgotten_stays_suppressed(ada: Subscriber) -> None:
    suppress("ada@example.org", "complaint")
    subscribers.forget(ada, NOW)
    assert subscribers.why_not("ADA@example.org") == "suppressed: complaint"


def test_a_request_that_nobody_confirms_within_a_week_is_erased(ada: Subscriber, carol: Subscriber) -> None:
    add("bob@example.org")
    assert subscribers.erase_unconfirmed(NOW + timedelta(days=7, seconds=-1)) == 0
    assert subscribers.erase_unconfirmed(NOW + timedelta(days=7)) == 1
    assert {row.email for row in Subscriber.select()} == {"ada@example.org", "carol@example.org"}
    assert outbox() == [(None, "dropped")]


# Importing

def test_an_import_adds_who_is_new_and_tells_the_end_of_each_row(ada: Subscriber, carol: Subscriber) -> None:
    suppress("dan@example.org")
    done = import_csv("Email,Name\nada@example.org,Ada\ncarol@example.org\ndan@example.org\n"
                      "erin@example.org,en\nnot an address\n\n,\nERIN@example.org\n")
    assert (done.added, done.known) == (["erin@example.org"], ["ada@example.org", "ERIN@example.org"])
    assert done.left_alone == [("carol@example.org", "cancelled"), ("dan@example.org", "suppressed: bounce")]
    assert [given for given, _ in done.refused] == ["not an address"]
    assert (state_of("erin@example.org"), Subscriber.of("erin@example.org").language) == ("pending", "en")
    assert len(outbox()) == 1


@pytest.mark.parametrize("confirmed", [False, True])
def test_an_import_never_revives_who_cancelled_or_is_suppressed(carol: Subscriber, confirmed: bool) -> None:
    suppress("dan@example.org")
    import_csv("CAROL@example.org\ndan@EXAMPLE.org\n", confirmed=confirmed)
    assert (state_of("carol@example.org"), state_of("dan@example.org"), outbox()) == ("cancelled", None, [])


def test_an_import_of_the_confirmed_keeps_where_their_consent_comes_from() -> None:
    import_csv("ada@example.org\n", confirmed=True)
    assert [(row.given, row.source) for row in Consent.select()] == [(NOW, "old list")]
    assert (state_of("ada@example.org"), outbox()) == ("active", [])


@pytest.mark.parametrize("data", [
    b"\xef\xbb\xbfemail\nada@example.org\n",                        # as Excel writes it
    b"e-mail\r\n\"ada@example.org\", ko\r\n",
    b"ADDRESS\rada@example.org",
    b"  ada@example.org  \n",
    b"ada@example.org,\"a note\nof two lines\"\n",
])
def test_an_import_reads_what_spreadsheets_write(data: bytes) -> None:
    assert import_csv(data).added == ["ada@example.org"]


@pytest.mark.parametrize(("data", "words"), [
    ("에이다@example.org\n".encode("euc-kr"), "not UTF-8 text: byte 0"),
    ("ada@example.org\n".encode("utf-16"), "not UTF-8"),
    (b'"ada@example.org\n' + b"x" * 200_000, "quotation mark"),     # never closed
])
def test_what_is_no_csv_is_refused_whole(data: bytes, words: str) -> None:
    with pytest.raises(NotACsv, match=words):
        import_csv(data)
    assert Subscriber.select().count() == 0


def test_a_list_that_is_broken_at_its_end_adds_nobody() -> None:
    data = b"\n".join(b"reader%d@example.org" % number for number in range(250)) + b"\n\xff@example.org"
    with pytest.raises(NotACsv):
        import_csv(data)
    assert (Subscriber.select().count(), outbox()) == (0, [])


def test_the_links_of_who_was_erased_open_nobody_elses_subscription() -> None:
    ada, _ = subscribers.add("ada@example.org", NOW, confirmed=True, source="", language="ko")
    old_link = tokens.sign(subscribers.link_key(), subscribers.LINK, ada.id)
    subscribers.forget(ada, NOW)
    subscribers.add("bob@example.org", NOW, confirmed=True, source="", language="ko")
    assert subscribers.by_link(old_link) is None
