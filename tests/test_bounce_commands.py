"""`devdigest bounces`: read, list, believe, ignore, as the owner types it."""
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from devdigest import cli, database, suppressions
from devdigest.feedback import Feedback, Kind
from devdigest.models import Issue
from devdigest.readers import Delivery, Subscriber, Suppression
from devdigest.reports import Hook
from devdigest.table import db

Run = Callable[..., tuple[int, str, str]]

SETTINGS = """\
[site]
clock = "trust"
[bounces]
webhook = "postmark"
key_file = "{folder}/key"
[database]
path = "{folder}/devdigest.db"
"""
ZONE = ZoneInfo("Asia/Seoul")


@pytest.fixture
def devdigest(tmp_path: Path, capsys: pytest.CaptureFixture) -> Run:
    (tmp_path / "config.toml").write_text(SETTINGS.format(folder=tmp_path))
    (tmp_path / "key").write_text("user:password\n")

    def run(*words: str) -> tuple[int, str, str]:
        code = cli.main(["--config", str(tmp_path / "config.toml"), *words])
        said = capsys.readouterr()
        database.open(tmp_path / "devdigest.db")        # for the test to look into
        return code, said.out, said.err
    run("init")
    yield run
    db.close()


def a_bad_issue() -> None:
    """Ten mails, seven of which came back."""
    now = datetime.now(UTC)
    issue = Issue.create(day=date(2026, 11, 21), state="published", created=now)
    readers = [Subscriber.create(email=f"reader{number}@example.org", state="active", created=now)
               for number in range(10)]
    mails = [Delivery.create(issue=issue, subscriber=reader, state="sent", created=now, due=now, changed=now)
             for reader in readers]
    for reader, mail in zip(readers[:7], mails, strict=False):
        report = Feedback(kind=Kind.HARD, reason="user-unknown", status="5.1.1",
                          said=f"<{reader.email}> gone")
        suppressions.bounced(report, reader, mail, now, ZONE,
                             source="mail")


def test_it_says_what_came_and_what_followed(devdigest: Run) -> None:
    assert devdigest("bounces")[:2] == (0, "bounces: 0 mails and 0 posts read\n")
    a_bad_issue()
    body = json.dumps({"RecordType": "SpamComplaint", "Type": "SpamComplaint", "ID": 1,
                       "Email": "reader9@example.org"}).encode()
    Hook.keep("postmark", json.dumps({"authorization": "Bearer user:password"}), body, datetime.now(UTC))
    Hook.keep("postmark", "{}", body, datetime.now(UTC))
    code, out, _ = devdigest("bounces")
    assert (code, out.splitlines()[:4]) == (0, [
        "bounces: 0 mails and 2 posts read", "      1 complaint", "readers: 1 in doubt",
        "without consequence: 1 not the provider's"])
    assert "7 of 10 mails bounced. Nothing is mailed" in out
    document = json.loads(devdigest("bounces", "--json")[1])
    assert (document["posts"], document["in_doubt"]) == (0, ["7 of 10 mails bounced"])


def test_the_owner_is_asked_before_mail_goes_on(devdigest: Run) -> None:
    a_bad_issue()
    assert "6 of 10 mails bounced; see `devdigest bounces`" in " ".join(devdigest("status")[1].split())
    code, _, err = devdigest("resume")
    assert (code, "first say what to make of it: `devdigest bounces --believe`" in err) == (1, True)
    code, out, _ = devdigest("bounces", "--believe")
    assert out == ("bounces of issue 2026-11-21: believed, 7 readers suppressed\n"
                   "mail is still held: `devdigest resume` goes on\n")
    assert Suppression.select().count() == 7
    assert devdigest("resume")[0] == 0
    code, out, _ = devdigest("status")
    assert ("HELD" in out, "7 hard in 30 days; suppressed: 7 bounce" in out) == (False, True)


def test_what_is_ignored_suppresses_nobody(devdigest: Run) -> None:
    a_bad_issue()
    assert devdigest("bounces", "--ignore")[1].startswith("bounces of issue 2026-11-21: ignored\n")
    assert (devdigest("resume")[0], Suppression.select().count()) == (0, 0)


@pytest.mark.parametrize("word", ["--believe", "--ignore"])
def test_where_nothing_is_in_doubt_there_is_nothing_to_decide(devdigest: Run, word: str) -> None:
    assert devdigest("bounces", word) == (1, "", "devdigest: bounces: no issue is in doubt\n")


def test_the_last_ones_are_listed_with_what_followed(devdigest: Run) -> None:
    assert devdigest("bounces", "--list")[1] == "nothing came back in 90 days\n"
    assert devdigest("bounces", "--list", "--json")[1] == "[]\n"
    a_bad_issue()
    lines = devdigest("bounces", "--list")[1].splitlines()
    assert lines[0].split() == ["day", "address", "kind", "reason", "status", "followed", "source", "said"]
    assert lines[1].split()[1:] == ["reader6@example.org", "hard", "user-unknown", "5.1.1", "in", "doubt",
                                    "mail", "…", "gone"]
    assert len(json.loads(devdigest("bounces", "--list", "--json")[1])) == 7


def test_a_mailbox_that_cannot_be_read_is_a_failure_and_said(devdigest: Run, tmp_path: Path) -> None:
    text = (tmp_path / "config.toml").read_text().replace(
        "[bounces]\n", '[bounces]\naddress = "b@example.org"\nimap = "127.0.0.1"\nport = 1\nuser = "b"\n')
    (tmp_path / "config.toml").write_text(text)
    code, _, err = devdigest("bounces")
    assert (code, "127.0.0.1:1: " in err) == (1, True)
    assert "MAILBOX: 127.0.0.1:1: " in devdigest("status")[1]
