"""From the mailbox and the provider's posts to what follows: whose word counts, what becomes of the mail."""
import base64
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from amazon import FILE, SUBSCRIBE, TOPIC, Amazon
from desk import SEOUL
from mailboxes import PASSWORD, Dovecot, inside, put

from devdigest import account, agenda, bounces, subscribers, suppressions, tokens
from devdigest.bounces import Summary
from devdigest.config import Bounces, Config
from devdigest.locks import Busy, locked
from devdigest.memory import MAILBOX_FAULT, MAILBOX_PLACE, MAILBOX_READ, Setting
from devdigest.models import Issue
from devdigest.readers import Delivery, Subscriber, Suppression
from devdigest.reports import Bounce, Hook

pytestmark = pytest.mark.usefixtures("records")

DAY = timedelta(days=1)
KEY = "provider:chosen words"
DSN = """\
From: MAILER-DAEMON@mx.example.net
To: {to}
Subject: Undelivered Mail Returned to Sender
Message-ID: <{id}@mx.example.net>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

{name} is not here.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; {name}
Action: failed
Status: {status}
Diagnostic-Code: smtp; 550 {status} <{name}> says no

--b
Content-Type: message/rfc822

From: DevDigest <digest@example.org>
To: {name}
Subject: yesterday
{given_back}

text
--b--
"""
ARF = """\
From: feedback@provider.example
To: bounces@example.org
Subject: complaint
Message-ID: <{id}@provider.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: text/plain

This is spam.
--b
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: provider/1.0
Version: 1
Original-Rcpt-To: ada@example.org

--b
Content-Type: message/rfc822

From: DevDigest <digest@example.org>
Subject: yesterday
{given_back}

text
--b--
"""
WISH = ("From: {name}\nTo: bounces@example.org\nSubject: unsubscribe {token}\n"
        "X-Apple-Unsubscribe: true\n\nbye\n")
LETTER = "From: bob@example.org\nTo: bounces@example.org\nSubject: thanks\n\nA fine digest.\n"
VACATION = ("From: bob@example.org\nTo: bounces@example.org\nSubject: Out of office\n"
            "Auto-Submitted: auto-replied\n\nAway.\n")


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    with Dovecot() as server:
        yield server


@pytest.fixture
def settings(config: Config, dovecot: Dovecot) -> Config:
    """The configuration with a mailbox of its own."""
    return replace(config, bounces=dovecot.mailbox())


@pytest.fixture
def posted(config: Config) -> Config:
    """The configuration with a provider that posts."""
    return replace(config, bounces=Bounces(webhook="postmark"))


@pytest.fixture
def mail(ada: Subscriber, now: datetime) -> Delivery:
    """Ada's mail of the day's issue."""
    issue = Issue.create(day=now.date(), state="published", created=now)
    return Delivery.create(issue=issue, subscriber=ada, state="sent", created=now, due=now, changed=now)


def signed(mail: Delivery) -> str:
    return tokens.sign(subscribers.link_key(), bounces.DELIVERY, mail.id)


def dsn(given_back: str = "X-Mailer: none", *, status: str = "5.1.1", name: str = "ada@example.org",
        to: str = "bounces@example.org", number: int = 1) -> str:
    return DSN.format(given_back=given_back, status=status, name=name, to=to, id=number)


def read(config: Config, now: datetime, *mails: str, password: str = PASSWORD) -> Summary:
    put(config.bounces, *(mail.replace("\n", "\r\n").encode() for mail in mails))
    return bounces.bounces(config, now, password, KEY, threading.Event())


def suppressed() -> list[str]:
    return [one.reason for one in Suppression.select()]


# whose word counts

def test_a_bounce_that_gives_back_our_signature_is_believed(settings: Config, mail: Delivery,
                                                            now: datetime) -> None:
    for number, given_back in enumerate((
            f"X-DevDigest-Delivery: {signed(mail)}",
            f"Message-ID: <issue-2026-11-21.{signed(mail)}@example.org>")):
        summary = read(settings, now, dsn(given_back, number=number, name="forwarded@example.net"))
        assert summary.followed == {"suppressed": 1}, given_back
        Suppression.delete().execute()
        Bounce.delete().execute()


@pytest.mark.parametrize("change", [str, str.upper], ids=["as it went out", "in capitals"])
def test_a_bounce_to_the_mails_own_envelope_sender_is_believed(settings: Config, mail: Delivery,
                                                               now: datetime, change: object) -> None:
    to = settings.bounces.sender(change(signed(mail)))
    assert read(settings, now, dsn(to=to)).followed == {"suppressed": 1}
    assert Bounce.get().delivery == mail.id


@pytest.mark.parametrize("purpose", ["", "link", "other"])
def test_a_bounce_that_only_names_a_reader_is_not(settings: Config, mail: Delivery, now: datetime,
                                                  purpose: str) -> None:
    forged = tokens.sign(subscribers.link_key(), purpose, mail.id) if purpose else f"{mail.id}"
    forged = forged.replace("-", "-a") if purpose == "link" else forged
    lines = f"X-DevDigest-Delivery: {forged}\nMessage-ID: <x.{forged}@example.org>"
    for day in range(6):
        summary = read(settings, now + day * DAY, dsn(lines, number=2 * day), dsn(lines, number=2 * day + 1))
        assert (summary.followed, summary.passed_over) == ({}, {"unproven": 2})
    assert suppressed() == []
    assert {row.proven for row in Bounce.select()} == {False}


def test_a_complaint_is_believed_with_our_signature_alone(settings: Config, mail: Delivery,
                                                          now: datetime) -> None:
    assert read(settings, now, ARF.format(id=1, given_back="X-Mailer: none")).followed == {}
    assert suppressed() == []
    given_back = f"X-DevDigest-Delivery: {signed(mail)}"
    assert read(settings, now, ARF.format(id=2, given_back=given_back)).followed == {"suppressed": 1}
    assert suppressed() == ["complaint"]


def test_who_was_forwarded_a_digest_can_end_the_subscription_and_no_more(
        settings: Config, ada: Subscriber, mail: Delivery, now: datetime) -> None:
    link = f"List-Unsubscribe: <https://example.org/u/{subscribers.link_token(ada)}>"
    summary = read(settings, now, dsn(link), dsn(link, status="5.2.2", number=2),
                   dsn(link, name="forwarded@example.net", number=3))
    assert (summary.followed, summary.passed_over) == ({}, {"unproven": 3})
    assert read(settings, now, ARF.format(id=4, given_back=link)).followed == {"cancelled": 1}
    assert (Subscriber.get().state, suppressed()) == ("cancelled", [])      # who may come back
    assert {row.proven for row in Bounce.select()} == {False}


def test_who_asks_by_mail_leaves_by_their_own_link_only(settings: Config, ada: Subscriber,
                                                        now: datetime) -> None:
    forged = tokens.sign(subscribers.link_key(), "undo", ada.id)
    summary = read(settings, now, WISH.format(name=ada.email, token=""),
                   WISH.format(name=ada.email, token=forged))
    assert (summary.passed_over, Subscriber.get().state) == ({"unproven": 2}, "active")
    summary = read(settings, now, WISH.format(name="other@example.org", token=subscribers.link_token(ada)))
    assert (summary.followed, Subscriber.get().state) == ({"cancelled": 1}, "cancelled")
    assert (inside(settings.bounces), suppressed()) == ([], [])


def test_what_came_back_from_an_address_that_a_reader_has_left_says_nothing_of_the_new_one(
        settings: Config, ada: Subscriber, mail: Delivery, now: datetime) -> None:
    given_back = f"X-DevDigest-Delivery: {signed(mail)}"
    account.move(ada, "ada@example.net", now)
    move = Delivery.get(Delivery.purpose == "move")
    token = subscribers.new_confirmation(ada, now, "move")
    summary = read(settings, now, dsn(f"X-DevDigest-Delivery: {signed(move)}", name="ada@example.net"))
    assert summary.passed_over == {"not of a reader": 1}
    account.settle_move(token, now + DAY, SEOUL)
    summary = read(settings, now + DAY, dsn(given_back, number=2))
    assert (summary.passed_over, Bounce.select().count()) == ({"not of a reader": 1}, 0)


def test_a_bounce_of_an_erased_reader_is_nobodys(settings: Config, ada: Subscriber, mail: Delivery,
                                                 now: datetime) -> None:
    subscribers.erase(ada)
    summary = read(settings, now, dsn(f"X-DevDigest-Delivery: {signed(mail)}"))
    assert (summary.passed_over, Bounce.select().count()) == ({"not of a reader": 1}, 0)


def test_nobodys_own_signature_blames_another_reader(settings: Config, ada: Subscriber, bob: Subscriber,
                                                     now: datetime) -> None:
    issue = Issue.create(day=now.date(), state="published", created=now)
    mail = Delivery.create(issue=issue, subscriber=bob, state="sent", created=now, due=now, changed=now)
    read(settings, now, dsn(f"X-DevDigest-Delivery: {signed(mail)}", name=ada.email))
    assert suppressions.of(ada.email) is None
    assert suppressions.of(bob.email).reason == "bounce"


def test_of_several_recipients_only_the_reader_is_meant(settings: Config, ada: Subscriber, mail: Delivery,
                                                        now: datetime) -> None:
    report = dsn(f"X-DevDigest-Delivery: {signed(mail)}", name="alias1@example.net")
    below = "\n--b\nContent-Type: message/rfc822"
    other = "\nFinal-Recipient: rfc822; alias2@example.net\nAction: failed\nStatus: 5.1.1\n"
    two = report.replace(below, other + below)
    assert read(settings, now, two).followed == {}
    summary = read(settings, now, two.replace("alias2@example.net", ada.email).replace("<1@", "<2@"))
    assert (summary.kinds, summary.followed) == ({"hard": 2}, {"suppressed": 1})


# what becomes of the mails

def test_what_a_human_being_wrote_stays_and_is_not_read_again(settings: Config, mail: Delivery,
                                                              now: datetime) -> None:
    bounce = dsn(f"X-DevDigest-Delivery: {signed(mail)}")
    summary = read(settings, now, LETTER, bounce, VACATION)
    assert (summary.mails, summary.kinds) == (3, {"not-a-bounce": 1, "hard": 1, "auto-reply": 1})
    [letter] = inside(settings.bounces)
    assert b"A fine digest." in letter
    assert len(inside(settings.bounces, "INBOX.DevDigest")) == 2
    assert read(settings, now).mails == 0


def test_a_mail_that_is_read_again_after_a_power_cut_counts_once(settings: Config, mail: Delivery,
                                                                 now: datetime) -> None:
    doubtful = dsn(f"X-DevDigest-Delivery: {signed(mail)}", status="5.4.4")
    read(settings, now, LETTER)
    Setting.clear(MAILBOX_PLACE)
    for day in range(2):
        assert read(settings, now + day * DAY, doubtful).followed == {}
    assert Bounce.select().count() == 1


def test_a_mailbox_that_refuses_the_login_is_told_once_and_posts_are_read_all_the_same(
        settings: Config, ada: Subscriber, now: datetime, caplog: pytest.LogCaptureFixture) -> None:
    both = replace(settings, bounces=replace(settings.bounces, webhook="postmark"))
    for number in range(2):
        post(number=number)
        summary = read(both, now, password="wrong")
        assert (summary.posts, summary.locked_out, len(summary.faults)) == (1, True, 1)
    assert len([line for line in caplog.messages if "login refused" in line]) == 1
    assert "login refused" in Setting.read(MAILBOX_FAULT)
    assert read(both, now).faults == []
    assert Setting.read(MAILBOX_FAULT) == ""


def test_the_mailbox_is_due_every_ten_minutes_and_posts_at_once(settings: Config, now: datetime) -> None:
    def due(minutes: float = 0, mailbox: bool = True) -> str:
        return agenda.bounces(settings, now + timedelta(minutes=minutes), mailbox)
    assert (due(), due(mailbox=False)) == ("mailbox", "")
    read(settings, now)
    read_at = datetime.fromisoformat(Setting.read(MAILBOX_READ))
    assert (due(1), due((read_at - now).total_seconds() / 60 + 10)) == ("", "mailbox")
    assert due(-60) == "mailbox"                # the clock was ahead
    post()
    assert due(1) == "posts"


# posts of a provider

def post(kind: str = "Bounce", email: str = "ada@example.org", number: int = 1, key: str = KEY,
         body: bytes | None = None, **fields: object) -> None:
    """A post of Postmark's that waits to be read."""
    values = {"RecordType": kind, "Type": "HardBounce", "ID": number, "Email": email, "Recipient": email,
              "Details": f"550 {email} is gone", "Inactive": True} | fields
    headers = {"authorization": f"Basic {base64.b64encode(key.encode()).decode()}"}
    Hook.keep("postmark", json.dumps(headers), json.dumps(values).encode() if body is None else body,
              datetime.now(UTC))


def work(config: Config, now: datetime) -> Summary:
    return bounces.bounces(config, now, "", KEY, threading.Event())


def test_what_a_provider_proves_is_believed_of_the_reader_it_names(posted: Config, mail: Delivery,
                                                                   now: datetime) -> None:
    post()
    assert work(posted, now).followed == {"suppressed": 1}
    row = Bounce.get()
    assert (row.source, row.delivery, row.issue, row.said) == ("postmark", mail.id, mail.issue.id,
                                                               "550 … is gone")


def test_a_post_is_gone_when_it_was_read(posted: Config, ada: Subscriber, now: datetime) -> None:
    post(email="stranger@example.org")
    post("SpamComplaint", number=2, Type="SpamComplaint")
    post("Open", number=3)
    post(number=4, key="somebody:else")
    post(body=b"{")
    post(body=b"[" * 100_000)
    summary = work(posted, now)
    assert (summary.posts, Hook.select().count()) == (6, 0)
    assert summary.passed_over == {"not the provider's": 3, "not of a reader": 1}
    assert suppressed() == ["complaint"]


def test_posts_of_a_provider_that_was_left_are_thrown_away(config: Config, ada: Subscriber,
                                                           now: datetime) -> None:
    post()
    assert work(config, now).passed_over == {"not the provider's": 1}
    assert (Hook.select().count(), suppressed()) == (0, [])


def test_an_event_that_is_posted_again_counts_once(posted: Config, ada: Subscriber, now: datetime) -> None:
    for day in range(2):
        post(Type="DnsError", Inactive=False)
        assert work(posted, now + day * DAY).followed == {}
    assert Bounce.select().count() == 1


def test_a_stop_leaves_the_rest_for_the_next_run(posted: Config, ada: Subscriber, now: datetime) -> None:
    post()
    stop = threading.Event()
    stop.set()
    assert bounces.bounces(posted, now, "", KEY, stop).posts == 0
    assert work(posted, now).posts == 1


def test_two_at_once_are_not_let_in(posted: Config, now: datetime) -> None:
    with locked(posted.folder, "bounces"), pytest.raises(Busy, match="bounces is running"):
        work(posted, now)


def test_nothing_that_is_logged_names_a_reader_or_a_token(
        settings: Config, ada: Subscriber, mail: Delivery, now: datetime,
        caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="devdigest")
    read(settings, now, dsn(f"X-DevDigest-Delivery: {signed(mail)}"),
         WISH.format(name=ada.email, token=subscribers.link_token(ada)))
    said = "\n".join(caplog.messages)
    assert "subscriber 1 suppressed" in said
    assert "subscriber 1 cancelled" in said
    assert not [word for word in ("ada@", signed(mail), subscribers.link_token(ada)) if word in said]
    assert suppressions.of(ada.email) is not None


@pytest.mark.parametrize("wild", ["\ud800", "\x00", "가" * 9_000, "\r\nBcc: x@example.org",
                                  "'; DROP TABLE bounce"])
def test_whatever_a_report_says_is_kept_as_text_or_not_at_all(
        settings: Config, mail: Delivery, now: datetime, wild: str) -> None:
    both = replace(settings, bounces=replace(settings.bounces, webhook="postmark"))
    post(email=f"{wild}@example.org", Details=wild, number=1)
    post(Details=wild, number=2, MessageID=wild, Metadata={"delivery": wild})
    lines = f"X-DevDigest-Delivery: {signed(mail)}\nMessage-ID: <{wild}>"
    put(both.bounces, dsn(lines, name=wild).encode("utf-8", "surrogatepass"))
    summary = bounces.bounces(both, now, PASSWORD, KEY, threading.Event())
    assert (summary.posts, summary.mails, Hook.select().count()) == (2, 1, 0)
    assert all(row.said.isprintable() and len(row.said) <= 300 for row in Bounce.select())


# Amazon SES, by SNS

@pytest.fixture
def amazon(tmp_path: Path) -> Iterator[Amazon]:
    with Amazon(tmp_path) as amazon:
        yield amazon


def from_ses(config: Config, amazon: Amazon, envelope: dict[str, object], now: datetime) -> Summary:
    """What becomes of a post of SNS."""
    Hook.keep("ses", "{}", json.dumps(envelope).encode(), now)
    with_ses = replace(config, bounces=Bounces(webhook="ses"))
    return bounces.bounces(with_ses, now, "", TOPIC, threading.Event(), sns=amazon.sns())


def test_the_topic_may_post_once_it_has_asked(config: Config, amazon: Amazon, now: datetime) -> None:
    summary = from_ses(config, amazon, amazon.confirmation(), now)
    assert (summary.kinds, Hook.select().count()) == ({"subscription confirmed": 1}, 0)
    assert amazon.server.paths.count(SUBSCRIBE) == 1


def test_a_post_that_cannot_be_judged_yet_waits(config: Config, amazon: Amazon, ada: Subscriber,
                                                now: datetime) -> None:
    event = {"notificationType": "Bounce", "mail": {"messageId": "1"}, "bounce": {
        "feedbackId": "f1", "bounceType": "Permanent", "bounceSubType": "General",
        "bouncedRecipients": [{"emailAddress": ada.email}]}}
    amazon.server.answer(FILE, 503)
    summary = from_ses(config, amazon, amazon.notice(event), now)
    assert (len(summary.faults), summary.posts, suppressed()) == (1, 0, [])
    amazon.server.serve(FILE, amazon.certificate.read_bytes())
    assert from_ses(config, amazon, amazon.notice(event), now).followed == {"suppressed": 1}
    assert Hook.select().count() == 0
