"""Everything that could be wrong, each with its cure."""
import time
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from conftest import NOW, a_blog
from machines import a_machine, silent
from mailboxes import ScriptedMailbox
from name_servers import SILENT, FakeNameServer
from relay import free_port
from web_site import served

from devdigest import RELEASED, bounce_check, check, clock, records_check
from devdigest.config import Bounces, Config
from devdigest.finding import IGNORED, NOT_ASKED, OK, RED, WARN, Finding
from devdigest.memory import HOLD, LAST_SEEN, Run, Setting
from devdigest.models import Issue
from devdigest.name_server import NameServer
from devdigest.readers import Subscriber
from devdigest.records_check import RESTORE
from devdigest.reports import Alarm
from devdigest.table import db

pytestmark = pytest.mark.usefixtures("records")

NOBODY = NameServer(("127.0.0.1", free_port()))      # in DNS nothing can be asked
TEN = NOW + timedelta(hours=1)      # in Seoul


def everything(config: Config, now: datetime = NOW, names: NameServer = NOBODY,
               path: Path | None = None) -> list[Finding]:
    """On a machine without anything but a router."""
    machine = a_machine(Path(config.database.path).parent)
    return list(check.findings(config, path, now, "", names, machine))


def found(config: Config, name: str, now: datetime = NOW) -> Finding:
    return next(one for one in everything(config, now) if one.name == name)


def state(config: Config, name: str, now: datetime = NOW) -> str:
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


def public(config: Config, url: str = "https://digest.example.org", *own_address: str) -> Config:
    return replace(config, site=replace(config.site, url=url),
                   check=replace(config.check, own_address=own_address))


def test_an_installation_that_works_has_nothing_red(by_relay: Config, ada: Subscriber) -> None:
    a_blog()
    Run.create(job="collect", started=NOW, finished=NOW, said="1 blogs, 1 reached")
    with served(by_relay) as url, FakeNameServer({"A 127.0.0.1": ["127.0.0.1"]}) as server:
        here = replace(by_relay, web=replace(by_relay.web, listen=url.removeprefix("http://")))
        findings = everything(here, path=Path("config.toml"), names=NameServer(server.server_address))
    assert [finding.name for finding in findings] == [
        "config", "release", "services", "disk", "card", "memory", "journal", "updates", "database", "clock",
        "zone", "network", "address", "cgnat", "ddns", "name", "certificate", "outside", "web", "site",
        "sender", "relay", "spf", "dkim", "dmarc", "mx", "bounces", "plan", "blogs", "collect", "backup",
        "issue", "mailing", "hold", "jobs", "heartbeat"]
    assert [finding.name for finding in findings if finding.state not in (OK, NOT_ASKED)] == [
        "clock", "site", "spf", "dkim", "dmarc", "mx", "bounces", "backup"]
    assert [finding.name for finding in findings if finding.state == RED] == ["site", "spf", "dmarc"]


def test_whatever_is_wrong_has_a_cure_and_what_is_right_has_none(config: Config) -> None:
    Setting.write(HOLD, NOW.isoformat())
    broken = public(by_smtp(config, "digest@home.duckdns.org"))
    for finding in everything(broken, TEN + timedelta(hours=2)):
        assert bool(finding.cure) == (finding.state in (WARN, RED)), finding


def test_without_a_public_name_the_world_is_not_asked(config: Config) -> None:
    with FakeNameServer() as server:
        findings = everything(config, names=NameServer(server.server_address))
        assert server.asked == []
    assert {one.name for one in findings if "LAN" in one.fact} == {
        "address", "cgnat", "ddns", "name", "certificate", "outside"}


def test_what_stands_on_a_damaged_database_or_no_network_is_not_asked(config: Config) -> None:
    machine = a_machine(Path(config.database.path).parent, {"proc/self/net/route": ""})
    findings = check.findings(public(config), None, NOW, "", NOBODY, machine)
    waiting = {one.name for one in findings if one.fact == "waits for the network"}
    assert waiting == {"address", "cgnat", "name", "certificate", "outside"}


def test_what_the_owner_knows_about_is_ignored(config: Config) -> None:
    known = replace(config, check=replace(config.check, ignore=("blogs", "disk")))
    assert found(known, "blogs") == Finding("blogs", IGNORED, "none")
    assert (state(known, "disk"), state(known, "collect")) == (OK, RED)


@pytest.mark.slow
def test_where_nothing_answers_it_ends_within_twenty_seconds(config: Config, ada: Subscriber) -> None:
    names = {f"{kind} {name}": SILENT for kind in ("A", "AAAA", "NS", "TXT", "MX")
             for name in ("digest.example.org", "example.org", "relay.example.org")}
    with silent() as (host, port), FakeNameServer(names) as server:
        there = public(by_smtp(config, "digest@example.org"), f"https://digest.example.org:{port}",
                       *[f"https://{host}:{port}"] * 2)
        there = replace(there, mail=replace(there.mail, host=host, port=port, security="tls"),
                        bounces=Bounces(address="b@example.org", imap=host, port=port, user="b"),
                        web=replace(config.web, listen=f"{host}:{port}"))
        begun = time.monotonic()
        findings = everything(there, names=NameServer(server.server_address))
    assert time.monotonic() - begun < 21
    # every name once, also of what could not be told in time
    assert len(findings) == len({finding.name for finding in findings}) == 36


def test_a_clock_that_is_wrong_is_red(config: Config) -> None:
    checked = replace(config, site=replace(config.site, clock="check"))
    assert "earlier than this release" in found(checked, "clock", RELEASED - timedelta(days=1)).fact
    Setting.write(LAST_SEEN, (RELEASED + timedelta(days=9)).isoformat())
    assert "earlier than the last time seen" in found(checked, "clock", RELEASED + timedelta(days=1)).fact
    assert state(checked, "clock", RELEASED + timedelta(days=1)) == RED
    cure = found(checked, "clock", RELEASED + timedelta(days=1)).cure
    assert cure == ("devdigest resume --clock" if clock.synchronised() else "sudo timedatectl set-ntp true")


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
    findings = everything(config)
    database = next(one for one in findings if one.name == "database")
    assert (database.state, database.cure) == (RED, RESTORE)
    assert {"clock", "sender", "blogs", "issue", "hold"} <= {
        one.name for one in findings if one.fact == "waits for the database"}


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


@pytest.mark.parametrize("sender", ["digest@localhost.localdomain", "me@gmail.com", "d@home.duckdns.org"])
def test_dns_is_not_asked_for_names_that_are_not_the_owners(config: Config, sender: str) -> None:
    with FakeNameServer() as server:
        names = NameServer(server.server_address)
        told = {one.name for one in everything(by_smtp(config, sender), names=names)}
    assert (told & {"spf", "dkim", "dmarc", "mx"}, server.asked) == (set(), [])


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
    everything(public(by_smtp(config, "digest@example.org")))
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


@pytest.mark.parametrize(("key", "tools", "words"), [
    ("arn:aws:sns:ap-northeast-2:111122223333:feedback", {"openssl": ":"}, ""),
    ("arn:aws:sns:ap-northeast-2:111122223333:feedback", {}, "there is no openssl"),
    ("https://sns.example.org/topic", {"openssl": ":"}, "no topic's ARN")])
def test_amazons_news_need_openssl_and_a_topic(config: Config, tmp_path: Path, key: str,
                                               tools: dict[str, str], words: str) -> None:
    hooked = a_webhook(config, tmp_path, secret="a-long-and-random-word", key=key)
    hooked = replace(hooked, bounces=replace(hooked.bounces, webhook="ses"))
    finding = bounce_check.bounces(hooked, a_machine(tmp_path, tools=tools))
    assert (finding.state, words in finding.fact) == (RED if words else OK, True)


def test_a_log_that_nobody_folds_in_is_worth_a_word(config: Config) -> None:
    path = Path(config.database.path)
    assert records_check.database(path).state == OK
    big = path.with_name("big.db")
    with big.with_name("big.db-wal").open("wb") as log:
        log.truncate(40_000_000)
    assert (records_check.database(big).state, "40 MB" in records_check.database(big).fact) == (WARN, True)
