"""Everything that could be wrong, each with its cure."""
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import NOW, a_blog
from mailboxes import ScriptedMailbox
from relay import FakeRelay, ScriptedRelay, free_port, settings

from devdigest import RELEASED, check
from devdigest.check import OK, RED, WARN, Finding
from devdigest.config import Bounces, Config
from devdigest.memory import HOLD, LAST_SEEN, Run, Setting
from devdigest.models import Issue
from devdigest.readers import Subscriber
from devdigest.reports import Alarm
from devdigest.table import db

pytestmark = pytest.mark.usefixtures("records")

TEN = NOW + timedelta(hours=1)      # in Seoul


def found(config: Config, name: str, now=NOW, password: str = "") -> Finding:
    [finding] = [one for one in check.findings(config, None, now, password) if one.name == name]
    return finding


def state(config: Config, name: str, now=NOW) -> str:
    return found(config, name, now).state


def a_webhook(config: Config, folder: Path, **files: str) -> Config:
    """With Mailgun's posts taken, and these files."""
    for name, text in files.items():
        (folder / name).write_text(text)
    return replace(config, bounces=Bounces(webhook="mailgun", **{
        f"{name}_file": str(folder / name) for name in files}))


def by_smtp(config: Config, sender: str) -> Config:
    return replace(config, mail=replace(config.mail, transport="smtp", host="127.0.0.1", port=free_port(),
                                        security="none", sender=sender))


def test_an_installation_that_works_has_nothing_red(by_relay: Config, ada: Subscriber) -> None:
    a_blog()
    Run.create(job="collect", started=NOW, finished=NOW, said="1 blogs, 1 reached")
    findings = list(check.findings(by_relay, Path("config.toml"), NOW, ""))
    assert [finding.name for finding in findings] == [
        "config", "disk", "database", "clock", "sender", "relay", "plan", "bounces", "site", "blogs",
        "collect", "issue", "hold"]
    assert [finding.name for finding in findings if finding.state != OK] == ["clock", "bounces", "site"]


def test_whatever_is_wrong_has_a_cure_and_what_is_right_has_none(config: Config) -> None:
    Setting.write(HOLD, NOW.isoformat())
    broken = by_smtp(config, "digest@home.duckdns.org")
    for finding in check.findings(broken, None, TEN + timedelta(hours=2), ""):
        assert bool(finding.cure) == (finding.state != OK), finding


def test_a_clock_that_is_wrong_is_red(config: Config) -> None:
    checked = replace(config, site=replace(config.site, clock="check"))
    assert "earlier than this release" in found(checked, "clock", RELEASED - timedelta(days=1)).fact
    Setting.write(LAST_SEEN, (RELEASED + timedelta(days=9)).isoformat())
    assert "earlier than the last time seen" in found(checked, "clock", RELEASED + timedelta(days=1)).fact
    assert state(checked, "clock", RELEASED + timedelta(days=1)) == RED


def test_looking_at_the_clock_notes_nothing(config: Config) -> None:
    found(replace(config, site=replace(config.site, clock="check")), "clock", RELEASED + timedelta(days=1))
    assert Setting.read(LAST_SEEN) is None


def test_a_damaged_database_is_red(config: Config, records: None) -> None:
    for number in range(200):
        a_blog(f"blog{number}")
    db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    path = Path(config.database.path)
    data = bytearray(path.read_bytes())
    data[-6 * 4096:] = b"\xa5" * 6 * 4096          # a card that lost its last pages
    db.close()
    path.write_bytes(data)
    db.connect()
    database = list(check.findings(config, None, NOW, ""))[-1]
    assert (database.name, database.state, database.cure) == ("database", RED, "restore the newest backup")


@pytest.mark.parametrize(("sender", "expected"), [
    ("digest@example.org", OK),
    ("digest@home.duckdns.org", RED),
    ("digest@home.MOOO.com", RED),
    ("me@gmail.com", OK),
    ("me@notmooo.com", OK),
])
def test_a_shared_name_cannot_send(config: Config, sender: str, expected: str) -> None:
    assert state(by_smtp(config, sender), "sender") == expected


@pytest.mark.parametrize(("readers", "expected"), [(100, OK), (101, RED)])
def test_a_mailbox_does_for_a_hundred_readers(config: Config, readers: int, expected: str) -> None:
    with db.atomic():
        for number in range(readers):
            Subscriber.create(email=f"{number}@example.org", state="active", created=NOW)
        Subscriber.create(email="pending@example.org", created=NOW)
    assert state(by_smtp(config, "me@gmail.com"), "sender") == expected
    assert state(by_smtp(config, "me@example.org"), "sender") == OK


def test_a_folder_for_mails_is_worth_a_word(config: Config) -> None:
    assert state(config, "sender") == WARN


def test_a_relay_that_is_down_is_red(config: Config) -> None:
    finding = found(by_smtp(config, "digest@example.org"), "relay")
    assert finding.state == RED
    assert "connection refused" in finding.fact


def test_a_relay_that_refuses_the_login_is_red_with_its_words(config: Config) -> None:
    script = {"EHLO": "250-relay\n250 AUTH PLAIN",
              "AUTH": "535-5.7.8 Username and Password not accepted.\n535 5.7.8 see https://example.org/help"}
    with ScriptedRelay(script) as relay:
        finding = found(replace(config, mail=settings(relay, user="ada")), "relay", password="wrong")
    assert finding.state == RED
    assert "535 5.7.8 Username and Password not accepted. 5.7.8 see https://example.org/help" in finding.fact
    assert "wrong" not in finding.fact


def test_a_relay_that_lets_us_in_is_told_so(config: Config) -> None:
    with FakeRelay(user="ada", password="right") as relay:
        finding = found(replace(config, mail=settings(relay, user="ada")), "relay", password="right")
    assert (finding.state, finding.fact) == (OK, f"127.0.0.1:{relay.port} none, logged in")
    assert relay.messages == []


@pytest.mark.parametrize(("failing", "good", "expected"), [
    (0, 0, RED), (1, 2, OK), (1, 1, WARN), (2, 1, WARN)])
def test_a_list_that_is_empty_or_fails_is_told(config: Config, failing: int, good: int,
                                               expected: str) -> None:
    for number in range(failing):
        a_blog(f"failing{number}", fault="timeout after 10 s")
    for number in range(good):
        a_blog(f"good{number}")
    a_blog("left", state="excluded", fault="timeout after 10 s")
    assert state(config, "blogs") == expected


@pytest.mark.parametrize(("hours", "expected"), [(1, OK), (26, OK), (27, RED)])
def test_a_collect_that_is_overdue_is_red(config: Config, hours: int, expected: str) -> None:
    assert state(config, "collect") == RED
    Run.create(job="collect", started=NOW - timedelta(hours=hours), finished=NOW)
    assert state(config, "collect") == expected


def test_an_issue_that_is_overdue_is_worth_a_word(config: Config) -> None:
    assert state(config, "issue", TEN + timedelta(minutes=59)) == OK
    assert state(config, "issue", TEN + timedelta(minutes=61)) == WARN
    Issue.create(day=NOW.date(), state="empty", created=TEN)
    assert state(config, "issue", TEN + timedelta(minutes=61)) == OK


def test_hold_is_worth_a_word(config: Config) -> None:
    assert state(config, "hold") == OK
    Setting.write(HOLD, NOW.isoformat())
    assert found(config, "hold") == Finding("hold", WARN, "since 2026-11-21 00:00 UTC", "devdigest resume")


def test_checking_changes_nothing(config: Config) -> None:
    before = list(db.connection().iterdump())
    list(check.findings(by_smtp(config, "digest@example.org"), None, NOW, ""))
    assert list(db.connection().iterdump()) == before


# what comes back

def test_the_bounce_mailbox_is_logged_in_to(config: Config, tmp_path: Path,
                                            monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEVDIGEST_IMAP_PASSWORD", "secret")
    with ScriptedMailbox(tmp_path, {}) as server:
        with_mailbox = replace(config, bounces=server.settings)
        assert found(with_mailbox, "bounces") == Finding(
            "bounces", OK, "bounces@example.org at 127.0.0.1, logged in")
        assert 'LOGIN user "secret"' in server.commands
    assert "refused" in found(with_mailbox, "bounces").fact


@pytest.mark.parametrize(("files", "words"), [
    ({}, "secret has less than 16 characters"),
    ({"secret": "short"}, "secret has less than 16 characters"),
    ({"secret": "a-long-and-random-word"}, "the key of mailgun is missing"),
    ({"secret": "a-long-and-random-word", "key": "key-1"}, "")])
def test_a_webhook_needs_a_secret_and_a_key(config: Config, tmp_path: Path, files: dict[str, str],
                                            words: str) -> None:
    finding = found(a_webhook(config, tmp_path, **files), "bounces")
    assert finding.state == (RED if words else OK)
    assert words in finding.fact


def test_an_issue_in_doubt_is_red_until_it_is_decided(config: Config) -> None:
    issue = Issue.create(day=NOW.date(), state="published", created=NOW)
    Alarm.create(issue=issue, since=NOW, said="60 of 100 mails bounced")
    Setting.hold(NOW, "60 of 100 mails bounced")
    assert found(config, "bounces") == Finding(
        "bounces", RED, "issue 2026-11-21: 60 of 100 mails bounced", "devdigest bounces")
    assert "60 of 100 mails bounced" in found(config, "hold").fact
    Alarm.update(decided="ignored").execute()
    assert state(config, "bounces") == OK
