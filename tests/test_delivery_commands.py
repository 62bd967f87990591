"""`devdigest deliveries`: what the owner reads, and types to send again."""
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from devdigest import cli, database
from devdigest.models import Issue
from devdigest.readers import Delivery, Subscriber
from devdigest.table import db

Run = Callable[..., tuple[int, str, str]]

SEOUL = ZoneInfo("Asia/Seoul")
NOW = datetime.now(UTC)
TODAY = NOW.astimezone(SEOUL).date()
TEN = datetime(TODAY.year, TODAY.month, TODAY.day, 10, tzinfo=SEOUL).astimezone(UTC)
WORDS = "550 5.2.1 mailbox disabled"


@pytest.fixture
def devdigest(tmp_path: Path, capsys: pytest.CaptureFixture) -> Run:
    (tmp_path / "config.toml").write_text(f"""
        [site]
        clock = "trust"
        [mail]
        maildir = "{tmp_path}/mail"
        [database]
        path = "{tmp_path}/devdigest.db"
        """)

    def run(*words: object) -> tuple[int, str, str]:
        code = cli.main(["--config", str(tmp_path / "config.toml"), *map(str, words)])
        said = capsys.readouterr()
        database.open(tmp_path / "devdigest.db")        # for the test to look into
        return code, said.out, said.err
    run("init")
    yield run
    db.close()


def an_issue(sent: int, refused: int, days: int = 0, kind: str = "daily") -> Issue:
    issue = Issue.create(kind=kind, day=TODAY - timedelta(days=days), state="published", created=NOW)
    with db.atomic():
        for number in range(sent + refused):
            known = {"state": "active", "created": NOW, "confirmed": NOW}
            reader, _ = Subscriber.get_or_create(email=f"r{number}@example.org", defaults=known)
            state, said = ("refused", WORDS) if number < refused else ("sent", "250 queued")
            Delivery.create(issue=issue, subscriber=reader, state=state, reply=said, attempts=1, created=TEN,
                            due=TEN, changed=TEN + timedelta(minutes=number))
    return issue


def test_who_got_it_who_did_not_and_why_stand_in_a_few_lines(devdigest: Run) -> None:
    an_issue(sent=3, refused=2)
    assert devdigest("deliveries") == (0, f"""\
issue {TODAY}, published: 3 sent, 2 refused
sent from {TODAY} 10:02 to {TODAY} 10:04

address         state    tries  why
r0@example.org  refused  1      550 5.2.1 mailbox disabled
r1@example.org  refused  1      550 5.2.1 mailbox disabled
→ again to those refused or given up: `devdigest deliveries {TODAY} --again`
""", "")


def test_where_everyone_got_it_nothing_more_is_said(devdigest: Run) -> None:
    an_issue(sent=1, refused=0)
    assert devdigest("deliveries")[1].splitlines() == [
        f"issue {TODAY}, published: 1 sent", f"sent from {TODAY} 10:00 to {TODAY} 10:00"]
    assert devdigest("deliveries", "--failed")[1] == "nobody missed it\n"


def test_of_many_the_first_are_shown_and_all_of_them_when_asked(devdigest: Run) -> None:
    an_issue(sent=0, refused=1_025)
    lines = devdigest("deliveries")[1].splitlines()
    assert sum(WORDS in line for line in lines) == 20
    assert f"and 1,005 more: `devdigest deliveries {TODAY} --failed`" in lines
    lines = devdigest("deliveries", TODAY, "--failed")[1].splitlines()
    assert (lines[0].split()[0], sum(WORDS in line for line in lines)) == ("address", 1_025)


def test_a_day_or_the_weekly_issue_may_be_named(devdigest: Run) -> None:
    an_issue(sent=1, refused=0)
    an_issue(sent=0, refused=1, days=1)
    an_issue(sent=0, refused=1, kind="weekly")
    yesterday = TODAY - timedelta(days=1)
    assert f"issue {yesterday}, published: 1 refused" in devdigest("deliveries", yesterday)[1]
    said = devdigest("deliveries", TODAY, "--weekly")[1]
    assert f"issue {TODAY} --weekly, published: 1 refused" in said
    assert f"`devdigest deliveries {TODAY} --weekly --again`" in said
    assert said == devdigest("deliveries", "--weekly")[1]


def test_an_issue_that_is_not_there_is_a_failure_and_said(devdigest: Run) -> None:
    assert devdigest("deliveries") == (1, "", "devdigest: deliveries: there is no daily issue yet\n")
    assert devdigest("deliveries", "2024-05-02")[2] == (
        "devdigest: deliveries: there is no daily issue of 2024-05-02\n")


def test_again_says_what_it_did_and_that_deliver_mails_them(devdigest: Run) -> None:
    an_issue(sent=2, refused=3)
    Subscriber.update(state="cancelled").where(Subscriber.email == "r0@example.org").execute()
    code, out, _ = devdigest("deliveries", "--again")
    assert (code, out.splitlines()) == (0, [
        f"2 queued again: `devdigest deliver` mails them now, the worker by itself between 10:00 and 20:00, "
        f"until {TODAY + timedelta(days=2)}", "1 not: cancelled since"])
    assert devdigest("deliver")[1] == "deliver: 2 sent\n"
    assert devdigest("deliveries", "--again")[1] == "nobody to send it to again\n1 not: cancelled since\n"
    assert "4 sent, 1 refused" in devdigest("deliveries")[1]


def test_again_says_that_mail_is_held(devdigest: Run) -> None:
    an_issue(sent=0, refused=1)
    devdigest("hold")
    assert "nothing of it goes out before `devdigest resume`" in devdigest("deliveries", "--again")[1]


def test_an_old_issue_is_shown_but_not_sent_again(devdigest: Run) -> None:
    an_issue(sent=0, refused=1, days=3)
    assert "--again" not in devdigest("deliveries")[1]
    code, out, err = devdigest("deliveries", "--again")
    assert (code, out, "is mailed any more" in err) == (1, "", True)
    assert Delivery.get().state == "refused"


def test_scripts_get_all_of_it_in_one_document(devdigest: Run) -> None:
    an_issue(sent=1, refused=25)
    told = json.loads(devdigest("deliveries", "--json")[1])
    assert (told["kind"], told["day"], told["mails"], told["again"]) == (
        "daily", str(TODAY), {"sent": 1, "refused": 25}, None)
    assert len(told["failed"]) == 25
    assert told["failed"][0] == {"address": "r0@example.org", "state": "refused", "attempts": 1,
                                 "said": WORDS, "came_back": False}
    assert json.loads(devdigest("deliveries", "--again", "--json")[1])["again"]["queued"] == 25


def test_status_tells_the_last_mailings_and_what_waits(devdigest: Run) -> None:
    an_issue(sent=1, refused=1)
    devdigest("deliveries", "--again")
    assert any(line.startswith("outbox      1 queued; next attempt ")
               for line in devdigest("status")[1].splitlines())
    devdigest("deliver")
    lines = devdigest("status")[1].splitlines()
    assert any(line.startswith("mailing     ") and line.endswith(": 1 sent in under a second")
               for line in lines)
    assert not any(line.startswith("outbox") for line in lines)


def test_check_sends_a_mail_only_where_it_is_told_to(devdigest: Run, tmp_path: Path) -> None:
    new = tmp_path / "mail" / "new"
    devdigest("check")
    assert not new.exists()
    code, out, err = devdigest("check", "--mail")
    assert (code, out, "set [site] owner" in err) == (2, "", True)
    assert devdigest("check", "--mail", "no address")[0] == 1
    out = devdigest("check", "--mail", "Owner@EXAMPLE.org")[1]
    assert "mail" in out
    assert "to Owner@example.org: 250 2.0.0 stored as new/" in " ".join(out.split())
    [mail] = new.iterdir()
    assert b"Delivered-To: Owner@example.org" in mail.read_bytes()
