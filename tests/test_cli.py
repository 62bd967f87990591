"""The command line: what is typed, what is said where, and the exit status."""
import csv
import json
import os
import re
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from conftest import begun
from feed_server import FeedServer

from devdigest import __version__, cli, config, database
from devdigest.locks import locked
from devdigest.memory import LAST_SEEN, Setting

ROOT = Path(__file__).parents[1]
DAY = ("--today", "2024-05-02")
RSS = b"""<rss version="2.0"><channel><title>Ada</title>
    <item><title>Notes on the Engine</title><guid>1</guid><link>https://ada.example.org/1</link>
    <pubDate>Wed, 01 May 2024 12:00:00 +0900</pubDate></item></channel></rss>"""


class Said(NamedTuple):
    status: int
    out: str
    err: str


class Owner:
    """Types sub-commands, and reads what they say."""

    def __init__(self, settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.settings, self._capsys = settings, capsys

    def types(self, *arguments: object) -> Said:
        return self.types_bare("--config", self.settings, *arguments)

    def types_bare(self, *arguments: object) -> Said:
        try:
            status = cli.main([str(argument) for argument in arguments])
        except SystemExit as end:       # argparse's own
            status = end.code
        return Said(status, *self._capsys.readouterr())

    def reads(self, *arguments: object) -> object:
        """The JSON document on stdout, which must be all that is there."""
        return json.loads(self.types(*arguments, "--json").out)


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(f"""
        [site]
        clock = "trust"
        [check]
        ignore = ["network"]
        [collect]
        allow_private = true
        gap = 0
        total_seconds = 60
        [mail]
        maildir = "{tmp_path}/mail"
        [database]
        path = "{tmp_path}/devdigest.db"
        """)
    return path


@pytest.fixture
def owner(settings: Path, capsys: pytest.CaptureFixture[str],
          monkeypatch: pytest.MonkeyPatch) -> Iterator[Owner]:
    monkeypatch.delenv("DEVDIGEST_CONFIG", raising=False)
    monkeypatch.chdir(settings.parent)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    owner = Owner(settings, capsys)
    owner.types("init")
    yield owner
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def ready(owner: Owner, feeds: FeedServer, tmp_path: Path) -> Owner:
    """With a blog on the list, and a reader."""
    feeds.serve("/rss", RSS)
    (tmp_path / "list.txt").write_text(feeds.url("/rss"))
    assert owner.types("blogs", "import", "list.txt").status == 0
    assert owner.types("subscribers", "add", "ada@example.org", "--confirmed").status == 0
    return owner


@contextmanager
def process(settings: Path, *arguments: str,
            stdout: int = subprocess.PIPE) -> Iterator[subprocess.Popen[str]]:
    """The same in a process of its own, whose output is buffered as usual."""
    with begun(settings, *arguments, stdout=stdout, env=os.environ | {"PYTHONUNBUFFERED": ""}) as started:
        try:
            yield started
        finally:
            started.kill()


def mails(owner: Owner) -> list[Path]:
    return list(owner.settings.parent.glob("mail/new/*"))


# The steps

def test_collect_publish_and_deliver_bring_yesterdays_posts_to_a_reader(ready: Owner) -> None:
    collected = ready.types("collect", *DAY)
    assert re.fullmatch(r"collect: 1 blogs, 1 read, 0 failed, 1 new posts, \d s, \d\.\d MB written\n",
                        collected.out)
    assert (collected.status, collected.err) == (0, "")
    assert ready.types("publish", *DAY).out == "publish: issue 2024-05-02 published, 1 posts, 1 mails\n"
    assert ready.types("deliver", *DAY).out == "deliver: 1 sent\n"
    [mail] = mails(ready)
    assert b"Delivered-To: ada@example.org" in mail.read_bytes()


def test_a_collect_in_which_a_blog_fails_says_in_80_columns_where_to_look(ready: Owner, feeds: FeedServer,
                                                                          tmp_path: Path) -> None:
    (tmp_path / "gone.txt").write_text(feeds.url("/gone"))
    ready.types("blogs", "import", "gone.txt")
    first, *rest = ready.types("collect", *DAY).out.splitlines()
    assert first.startswith("collect: 2 blogs, 1 read, 1 failed, 1 new posts, ")
    assert len(first) <= 80
    assert rest == ["         `devdigest blogs list --failing`"]


def test_run_does_the_same_in_one_and_may_be_repeated(ready: Owner) -> None:
    for _ in range(2):
        assert ready.types("run", *DAY).status == 0
        assert len(mails(ready)) == 1
    assert ready.reads("publish", *DAY)["made_now"] is False


def test_each_step_tells_scripts_what_it_did(ready: Owner) -> None:
    assert ready.reads("collect", *DAY) | {"seconds": 0, "written": 0} == {
        "blogs": 1, "reached": 1, "failed": 0, "not_reached": 0, "new_posts": 1, "lanes": 1, "seconds": 0,
        "written": 0}
    assert ready.reads("publish", *DAY) == {"day": "2024-05-02", "state": "published", "posts": 1, "mails": 1,
                                            "made_now": True, "weekly": None}
    assert ready.reads("deliver", *DAY) == {"rows": 1, "states": {"sent": 1}, "fault": ""}


def test_a_blog_that_fails_is_a_result_and_no_failure(ready: Owner, feeds: FeedServer) -> None:
    feeds.answer("/rss", 500)
    assert ready.types("collect", *DAY).status == 0
    [failing] = ready.reads("blogs", "list", "--failing")
    assert (failing["http_status"], failing["failures"]) == (500, 1)
    assert (failing["fault"], failing["fault_kind"]) == ("HTTP 500 Internal Server Error", "server")
    assert "HTTP 500" in ready.types("blogs", "list", "--failing").out


def test_mail_that_cannot_go_out_is_a_failure_and_said(ready: Owner, tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("a file where a folder belongs")
    ready.types("collect", *DAY)
    ready.types("publish", *DAY)
    said = ready.types("deliver", *DAY, "--json")
    assert (said.status, json.loads(said.out)["states"]) == (1, {})
    assert "check [mail] maildir" in said.err


def test_a_preview_publishes_nothing(ready: Owner, tmp_path: Path) -> None:
    ready.types("collect", *DAY)
    assert ready.types("publish", *DAY, "--preview", "issue.html").status == 0
    assert "Notes on the Engine" in (tmp_path / "issue.html").read_text()
    assert ready.reads("status")["issue"] is None


@pytest.mark.parametrize("step", ["collect", "publish", "deliver"])
def test_a_step_that_another_process_is_at_says_which(ready: Owner, tmp_path: Path, step: str) -> None:
    ready.types("collect", *DAY)        # without that there is nothing to publish
    with locked(tmp_path, step):
        said = ready.types(step, *DAY)
    assert said == (1, "", f"devdigest: {step}: {step} is running already, in process {os.getpid()}\n")


def test_no_day_is_wasted_on_an_issue_of_blogs_that_were_not_read(ready: Owner) -> None:
    said = ready.types("publish", *DAY)
    assert (said.status, said.err) == (
        1, "devdigest: publish: no blog was read since midnight; `devdigest collect` first\n")
    assert "publish: issue 2024-05-02 published, 1 posts" in ready.types("run", *DAY).out


def test_a_database_of_another_program_is_left_alone(ready: Owner, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "devdigest.db")
    for file in tmp_path.glob("devdigest.db*"):
        file.unlink()
    other.close()
    other = sqlite3.connect(tmp_path / "devdigest.db")
    other.execute("CREATE TABLE recipes (name TEXT)")
    other.close()
    said = ready.types("status")
    assert (said.status, "not a DevDigest database, it has 'recipes'" in said.err) == (1, True)
    other = sqlite3.connect(tmp_path / "devdigest.db")
    assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("recipes",)]
    other.close()


def test_while_held_nothing_is_published_or_mailed(ready: Owner) -> None:
    ready.types("collect", *DAY)
    ready.types("publish", *DAY)
    assert ready.types("hold").status == 0
    since = ready.reads("status")["held_since"]
    assert ready.types("hold").status == 0
    assert ready.reads("status")["held_since"] == since
    for step, day in (("publish", "2024-05-03"), ("deliver", "2024-05-02")):
        said = ready.types(step, "--today", day)
        assert said.status == 1
        assert "held since" in said.err
        assert "`devdigest resume` goes on" in said.err
    assert mails(ready) == []
    assert ready.types("resume").status == 0
    assert ready.types("deliver", *DAY).status == 0
    assert len(mails(ready)) == 1
    assert ready.types("resume").out == "was not held\n"


def test_by_a_clock_that_cannot_be_trusted_nothing_is_done(ready: Owner, settings: Path) -> None:
    settings.write_text(settings.read_text().replace('clock = "trust"', 'clock = "check"'))
    with sqlite3.connect(settings.with_name("devdigest.db")) as database:
        database.execute("INSERT INTO setting VALUES ('last seen', '2100-01-01T00:00:00+00:00')")
    database.close()
    for step in ("collect", "publish", "deliver", "run"):
        said = ready.types(step)
        assert said.status == 1
        assert "earlier than the last time seen, 2100-01-01" in said.err


def test_a_day_to_come_is_refused(owner: Owner) -> None:
    said = owner.types("publish", "--today", date.today() + timedelta(days=2))      # noqa: DTZ011
    assert said.status == 2
    assert "that day is still to come" in said.err


# Settings

@pytest.mark.parametrize("arguments", [
    ["frobnicate"], [], ["collect", "--today", "2024-13-01"], ["collect", "--today", "tomorrow"], ["blogs"],
    ["blogs", "add"], ["blogs", "import", "list.txt", "--group", "friends"], ["status", "--fast"]])
def test_what_is_no_command_is_told_with_its_usage(owner: Owner, arguments: list[str]) -> None:
    said = owner.types(*arguments)
    assert (said.status, said.out) == (2, "")
    assert said.err.startswith("usage: devdigest")


@pytest.mark.parametrize("name", ["missing.toml", "x" * 300])
def test_settings_that_are_named_and_missing_end_it(owner: Owner, name: str) -> None:
    said = owner.types_bare("--config", name, "status")
    assert (said.status, said.out) == (2, "")
    assert said.err.startswith(f"devdigest: {name}: ")


def test_every_fault_of_the_settings_is_a_line(owner: Owner) -> None:
    owner.settings.write_text('[site]\nzone = "Mars/Base"\n[digest]\ntiem = 1\n')
    said = owner.types("status")
    assert said.status == 2
    assert [line.partition("config.toml: ")[2].partition(":")[0] for line in said.err.splitlines()] == [
        "[site] zone", "[digest] tiem"]


def test_settings_may_be_named_by_the_environment(owner: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEVDIGEST_CONFIG", str(owner.settings))
    told = f"database {owner.settings.parent}/devdigest.db, version {database.VERSION}\n"
    assert owner.types_bare("init").out == told


@pytest.mark.skipif(config.SYSTEM_PATH.parent.exists(), reason="DevDigest is installed here")
def test_without_settings_everything_lies_in_var(owner: Owner, tmp_path: Path) -> None:
    assert owner.types_bare("init").status == 0
    assert (tmp_path / "var" / "devdigest.db").exists()


def test_init_writes_an_example_of_the_settings_that_can_be_used(owner: Owner, tmp_path: Path) -> None:
    path = tmp_path / "etc" / "config.toml"
    assert owner.types_bare("--config", path, "init").status == 0
    assert path.read_text() == config.EXAMPLE.read_text()
    assert owner.types_bare("--config", path, "status").status == 0


def test_init_writes_over_no_settings_and_may_be_repeated(owner: Owner) -> None:
    before = owner.settings.read_text()
    assert [owner.types("init").status for _ in range(2)] == [0, 0]
    assert owner.settings.read_text() == before


def test_a_file_that_is_no_database_any_more_is_told_with_its_cure(owner: Owner) -> None:
    owner.settings.with_name("devdigest.db").write_text("No database, but a long enough text.\n" * 100)
    said = owner.types("status")
    assert said.status == 1
    assert re.match(r"devdigest: status: .*devdigest\.db is damaged \(file is not a database\); it is kept ",
                    said.err)
    assert "devdigest restore FILE" in said.err


# The list of blogs

@pytest.mark.parametrize(("name", "content", "words"), [
    ("missing.yml", None, "missing.yml"),
    ("list.yml", b"- name: Ada\n  rss: [https://ada.example.org/rss\n", "not YAML: line "),
    ("list.yml", b"name: Ada\nrss: https://ada.example.org/rss\n", "not a list"),
    ("list.html", b"<!doctype html><title>Awesome Devblog</title>", "an HTML page"),
    ("list.yml", "- name: 에이다\n".encode("euc-kr"), "not UTF-8"),
])
def test_a_list_that_cannot_be_read_changes_nothing(owner: Owner, tmp_path: Path, name: str,
                                                    content: bytes | None, words: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    said = owner.types("blogs", "import", name)
    assert (said.status, said.out) == (1, "")
    assert re.fullmatch(rf"devdigest: blogs: .*{words}.*\n", said.err)
    assert owner.reads("blogs", "list") == []


def test_an_import_tells_what_was_added_known_and_refused(owner: Owner, tmp_path: Path) -> None:
    (tmp_path / "list.yml").write_text("""
- name: Ada
  rss: https://ada.example.org/rss
- name: Bob
  rss: ""
""")
    dry = owner.types("blogs", "import", "list.yml", "--dry-run")
    assert "1 added" in dry.out
    assert owner.reads("blogs", "list") == []
    assert "1 added, 0 known already, 0 excluded, 1 refused" in owner.types("blogs", "import", "list.yml").out
    again = owner.types("blogs", "import", "list.yml")
    assert "refused   Bob: rss is empty" in again.out
    assert "0 added, 1 known already" in again.out


def test_a_list_may_lie_on_the_web(owner: Owner, feeds: FeedServer) -> None:
    feeds.serve("/list.txt", b"https://ada.example.org/rss Ada", content_type="text/plain")
    assert "1 added" in owner.types("blogs", "import", feeds.url("/list.txt")).out
    said = owner.types("blogs", "import", feeds.url("/missing.txt"))
    assert (said.status, said.out) == (1, "")
    assert "HTTP 404" in said.err


def test_one_blog_is_looked_after_by_its_number_site_or_feed(owner: Owner, feeds: FeedServer) -> None:
    feeds.serve("/rss", RSS)
    url = feeds.url("/rss")
    assert owner.types("blogs", "add", url, "--group", "team").out.startswith(f"added Ada (team), feed {url}")
    assert owner.types("blogs", "add", url).status == 1
    assert owner.types("blogs", "pause", "1").out == "Ada is paused\n"
    assert owner.types("blogs", "pause", url).out == "Ada is paused already\n"
    assert owner.types("blogs", "resume", "1").out == "Ada is read again\n"
    assert owner.types("blogs", "release", "1").out == "Ada: 0 held posts are news now, for the next issue\n"
    assert url in owner.types("blogs", "export").out
    assert owner.types("blogs", "remove", "1").status == 0
    assert [blog["state"] for blog in owner.reads("blogs", "list")] == ["excluded"]
    assert url not in owner.types("blogs", "export").out
    assert owner.types("blogs", "resume", "1").out == "Ada is not paused, but excluded\n"


@pytest.mark.parametrize("verb", ["remove", "pause", "resume", "release"])
def test_a_blog_that_is_not_there_is_told(owner: Owner, verb: str) -> None:
    said = owner.types("blogs", verb, "https://nobody.example.org/")
    assert (said.status, said.out) == (1, "")
    assert "no blog 'https://nobody.example.org/'" in said.err


def test_a_feed_is_looked_at_before_it_is_added(owner: Owner, feeds: FeedServer) -> None:
    feeds.serve("/", b"<!doctype html><link rel=alternate type=application/rss+xml href=/rss>", "text/html")
    feeds.serve("/rss", RSS, etag='"1"')
    said = owner.types("blogs", "check", feeds.url("/"))
    assert (said.status, said.err) == (0, "")
    lines = said.out.splitlines()
    assert lines == [line.rstrip() for line in lines]
    assert [line.split()[:2] for line in lines if line.startswith(("asked", "feed"))] == [
        ["asked", feeds.url("/")], ["feed", feeds.url("/rss")]]
    assert "2024-05-01  Notes on the Engine  would be history, not for an issue" in lines
    told = owner.reads("blogs", "check", feeds.url("/"))
    assert (told["blog"], told["feed"]["etag"], told["feed"]["entries"]) == (None, '"1"', 1)
    assert [(post["verdict"], post["stored"]) for post in told["posts"]] == [("history", False)]
    assert owner.reads("blogs", "list") == []


def test_a_blog_is_checked_by_its_number(ready: Owner, feeds: FeedServer) -> None:
    ready.types("run", *DAY)
    told = ready.reads("blogs", "check", "1")
    assert (told["blog"]["id"], told["asked"][0]["http_status"]) == (1, 200)
    assert [(post["verdict"], post["issue"]) for post in told["posts"]] == [("news", "2024-05-02")]
    assert "in the issue of 2024-05-02" in ready.types("blogs", "check", feeds.url("/rss")).out


def test_what_cannot_be_read_is_a_result_with_its_cure(owner: Owner, feeds: FeedServer) -> None:
    said = owner.types("blogs", "check", feeds.url("/none"))
    assert (said.status, said.err) == (0, "")
    assert "answer  HTTP 404 Not Found" in said.out
    assert said.out.splitlines()[-1].startswith("→ has the blog moved?")
    assert owner.reads("blogs", "check", feeds.url("/none"))["feed"] is None


@pytest.mark.parametrize("typed", ["7", "Ada", "no blog"])
def test_what_is_neither_blog_nor_url_cannot_be_checked(owner: Owner, typed: str) -> None:
    said = owner.types("blogs", "check", typed)
    assert (said.status, said.out) == (1, "")
    assert f"no blog '{typed}'" in said.err


def test_all_failing_blogs_are_asked_again_but_those_that_want_to_be_left_alone(
        owner: Owner, feeds: FeedServer, tmp_path: Path) -> None:
    assert owner.types("blogs", "check").out == "no blog fails\n"
    with FeedServer("127.0.0.2") as other:      # whose wish concerns nobody else
        other.answer("/busy", 429, {"Retry-After": "3600"})
        listed = [feeds.url("/gone"), feeds.url("/back"), other.url("/busy")]
        (tmp_path / "list.txt").write_text("\n".join(listed))
        owner.types("blogs", "import", "list.txt")
        owner.types("collect")
    feeds.serve("/back", RSS)
    asked = len(feeds.requests)
    said = owner.types("blogs", "check")
    assert (said.status, sorted(feeds.paths[asked:])) == (0, ["/back", "/gone"])
    head, gone, back, busy, _, count, advice = said.out.splitlines()
    assert head.split() == ["id", "name", "last", "read", "now"]
    assert gone.endswith("HTTP 404 Not Found")
    assert "can be read, entries: 1, newest 2024-05-01" in back
    assert "not asked: the server wants to be left alone until" in busy
    assert count == "1 of 3 can be read again, at the next collect"
    assert advice.startswith("→ `devdigest blogs check ID`")
    told = owner.reads("blogs", "check")
    assert [(one["id"], one.get("http_status")) for one in told] == [(1, 404), (2, 200), (3, None)]


def test_a_check_of_all_that_is_stopped_says_so(ready: Owner, feeds: FeedServer) -> None:
    feeds.answer("/rss", 500)
    ready.types("collect", *DAY)
    feeds.hang("/rss")
    asked = len(feeds.requests)
    with process(ready.settings, "blogs", "check") as check:
        while len(feeds.requests) == asked and check.poll() is None:
            time.sleep(0.02)
        check.send_signal(signal.SIGINT)
        out, err = check.communicate(timeout=5)
    assert (check.returncode, err) == (1, "devdigest: blogs check: stopped before the end\n")
    assert "not asked" in out


def test_the_maintainers_of_the_list_get_what_was_found(owner: Owner, tmp_path: Path) -> None:
    (tmp_path / "db.yml").write_text("- name: Ada\n  rss: https://ada.example.org/rss\n")
    owner.types("blogs", "import", "db.yml")
    assert owner.types("blogs", "export", "--patch").out.endswith("\n# Nothing to change.\n")
    with sqlite3.connect(tmp_path / "devdigest.db") as database:
        database.execute("UPDATE blog SET state = 'paused', paused_for = 'HTTP 410 Gone'")
        database.execute("UPDATE fetching SET fetched = 1795219200")
    database.close()
    said = owner.types("blogs", "export", "--patch")
    assert said.status == 0
    assert said.out.endswith("- name: Ada\n  rss: https://ada.example.org/rss\n")
    assert "# dead: HTTP 410 Gone on 20" in said.out


# The readers

def test_a_reader_comes_and_goes(owner: Owner) -> None:
    def says(verb: str, *how: str) -> str:
        return owner.types("subscribers", verb, "ada@example.org", *how).out
    added = owner.types("subscribers", "add", "Ada@Example.org", "--language", "en")
    assert "is asked to confirm" in added.out
    [ada] = owner.reads("subscribers", "list")
    assert (ada["email"], ada["state"], ada["language"]) == ("Ada@example.org", "pending", "en")
    assert "was asked already" in says("add")
    assert "gets the next issue" in says("add", "--confirmed")
    assert "is active already" in says("add", "--confirmed")
    assert "gets no more mail" in says("remove")
    assert [one["state"] for one in owner.reads("subscribers", "list")] == ["cancelled"]
    assert owner.types("subscribers", "add", "ada@example.org", "--confirmed").status == 1
    assert "erased" in says("forget")
    assert owner.reads("subscribers", "list") == []


@pytest.mark.parametrize("verb", ["add", "remove", "forget"])
@pytest.mark.parametrize("email", ["ada", "에이다@example.org"], ids=["no at-sign", "Korean"])
def test_what_is_no_address_is_told(owner: Owner, verb: str, email: str) -> None:
    said = owner.types("subscribers", verb, email)
    assert (said.status, said.out) == (1, "")
    assert len(said.err.splitlines()) == 1


def test_addresses_are_imported_with_the_proof_of_consent(owner: Owner, tmp_path: Path) -> None:
    (tmp_path / "readers.csv").write_text("email\nada@example.org\nnobody\n")
    said = owner.types("subscribers", "import", "readers.csv", "--confirmed")
    assert said.status == 2
    assert "--source" in said.err
    assert owner.reads("subscribers", "list") == []
    said = owner.types("subscribers", "import", "readers.csv", "--confirmed", "--source", "our club's form")
    assert "1 added, 0 known already, 0 left alone, 1 refused" in said.out
    [row] = csv.DictReader(owner.types("subscribers", "export").out.splitlines())
    assert (row["email"], row["state"], row["paused_until"]) == ("ada@example.org", "active", "")


@pytest.mark.parametrize("data", ["에이다\n".encode("euc-kr"), b'"ada@example.org' + b"\n" * 200_000])
def test_a_file_that_is_no_csv_is_told_in_a_line(owner: Owner, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "readers.csv").write_bytes(data)
    said = owner.types("subscribers", "import", "readers.csv")
    assert (said.status, said.out) == (1, "")
    assert len(said.err.splitlines()) == 1


# How it stands

@pytest.mark.parametrize("arguments", [
    ["status"], ["check"], ["blogs", "list"], ["blogs", "list", "--failing"], ["blogs", "check"],
    ["subscribers", "list"]],
    ids=" ".join)
def test_lists_are_one_document_for_scripts_and_lines_for_people(ready: Owner,
                                                                 arguments: Sequence[str]) -> None:
    ready.types("run", *DAY)
    assert isinstance(ready.reads(*arguments), list if arguments != ["status"] else dict)
    lines = ready.types(*arguments).out.splitlines()
    assert lines
    assert all(line == line.rstrip() for line in lines)


def test_status_tells_in_lines_what_waits(ready: Owner) -> None:
    ready.types("subscribers", "add", "bob@example.org")
    ready.types("collect", *DAY)
    ready.types("hold")
    lines = dict(line.split(maxsplit=1) for line in ready.types("status").out.splitlines())
    assert lines["HELD"].endswith("`devdigest resume` goes on")
    assert lines["collect"].startswith("2024-05-02 10:00: 1 blogs, 1 read")
    assert lines["blogs"] == "1 active"
    assert lines["posts"] == "1 wait for the next issue"
    assert lines["readers"] == "1 active, 1 pending"
    assert lines["confirm"].startswith("1 mails wait")


def test_check_fails_where_something_is_red_and_tells_the_cure(owner: Owner, feeds: FeedServer) -> None:
    said = owner.types("check")
    assert said.status == 1
    assert "\n RED     blogs       none\n         → devdigest blogs import FILE-OR-URL\n" in said.out
    feeds.serve("/rss", RSS)
    owner.types("blogs", "add", feeds.url("/rss"))
    owner.types("collect")
    said = owner.types("check")
    assert said.status == 0
    assert "RED" not in said.out


def test_check_tells_the_whole_reason(owner: Owner) -> None:
    owner.settings.write_text(owner.settings.read_text().replace(
        "[mail]", '[mail]\ntransport = "smtp"\nhost = "127.0.0.1"\nport = 1\nsecurity = "none"'))
    [relay] = [finding for finding in owner.reads("check") if finding["name"] == "relay"]
    assert relay["fact"] in re.sub(r"\s+", " ", owner.types("check").out)


# As a process

def test_what_is_logged_does_not_mix_with_the_document(ready: Owner) -> None:
    with process(ready.settings, "collect", *DAY, "--json") as collect:
        out, err = collect.communicate(timeout=20)
    assert (collect.returncode, json.loads(out)["new_posts"]) == (0, 1)
    assert err == ""


def test_a_disk_that_takes_no_more_is_told_and_not_what_follows_from_it(ready: Owner,
                                                                        feeds: FeedServer) -> None:
    posts = "".join(f"<item><title>{number}</title><description>{'word ' * 100}</description></item>"
                    for number in range(400))
    feeds.serve("/many", f"<rss version='2.0'><channel>{posts}</channel></rss>".encode())
    (ready.settings.parent / "list.txt").write_text(feeds.url("/many"))
    ready.types("blogs", "import", "list.txt")
    with process(ready.settings, "collect", *DAY) as collect:
        resource.prlimit(collect.pid, resource.RLIMIT_FSIZE, (100_000, 100_000))
        out, err = collect.communicate(timeout=20)
    assert (collect.returncode, out, err) == (1, "", "devdigest: collect: disk I/O error\n")
    assert ready.reads("collect", *DAY)["new_posts"] == 401


@pytest.mark.parametrize("count", [1, 2000])      # less and more than a buffer takes
def test_nobody_reading_on_is_no_failure(owner: Owner, tmp_path: Path, count: int) -> None:
    urls = [f"https://blog{number}.example.org/rss" for number in range(count)]
    (tmp_path / "list.txt").write_text("\n".join(urls))
    owner.types("blogs", "import", "list.txt")
    reader, writer = os.pipe()
    os.close(reader)
    with process(owner.settings, "blogs", "list", stdout=writer) as listing:
        _, err = listing.communicate(timeout=20)
    os.close(writer)
    assert (listing.returncode, err) == (0, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_collect_that_is_stopped_ends_soon_and_says_that_it_goes_on(ready: Owner, feeds: FeedServer,
                                                                     number: signal.Signals) -> None:
    feeds.hang("/rss")
    with process(ready.settings, "collect", *DAY) as collect:
        while not feeds.requests and collect.poll() is None:
            time.sleep(0.02)
        collect.send_signal(number)
        _, err = collect.communicate(timeout=5)
    assert collect.returncode == 1
    assert err.splitlines()[-1] == "devdigest: collect: stopped; `devdigest collect` goes on where it was"
    assert "Traceback" not in err


@pytest.mark.parametrize(("module", "never"), [
    ("cli", {"bottle", "feedparser", "requests", "devdigest.smtp", "waitress", "yaml"}),
    ("state_commands", {"bottle", "feedparser", "requests", "devdigest.smtp", "waitress", "yaml"}),
    ("collect_command", {"bottle", "email_validator", "feedparser", "schedule", "devdigest.smtp", "waitress",
                         "yaml"}),
    ("deliver_command", {"feedparser", "imaplib", "requests", "schedule", "waitress", "yaml",
                         "devdigest.collect", "devdigest.worker"}),
    ("web_command", {"feedparser", "requests", "yaml", "devdigest.smtp", "devdigest.collect",
                     "devdigest.deliver"})])
def test_a_command_loads_nothing_that_it_does_not_need(module: str, never: set[str]) -> None:
    loaded = subprocess.run([sys.executable, "-c", f"import sys, devdigest.{module}; print(*sys.modules)"],
                            cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert never & set(loaded) == set()
    assert f"devdigest.{module}" in loaded


# What is written about it

def test_the_version_is_told(owner: Owner) -> None:
    assert owner.types_bare("--version") == (0, f"DevDigest {__version__}\n", "")


def commands(owner: Owner) -> list[str]:
    """Every sub-command, as `--help` tells: "init", "blogs import" …"""
    def verbs(*under: str) -> list[str]:
        return re.findall(r"^    (\w+)", owner.types_bare(*under, "--help").out, re.MULTILINE)
    groups = {"blogs": verbs("blogs"), "subscribers": verbs("subscribers")}
    return [command for verb in verbs()
            for command in ([f"{verb} {under}" for under in groups[verb]] if verb in groups else [verb])]


def test_every_command_says_what_it_does(owner: Owner) -> None:
    known = commands(owner)
    assert {"init", "run", "worker", "blogs import", "subscribers forget"} <= set(known)
    for command in known:
        said = owner.types_bare(*command.split(), "--help")
        assert said.status == 0
        assert re.search(r"\n\n[A-Z].*\.\n\n", said.out, re.DOTALL), command


def test_the_readme_names_every_command(owner: Owner) -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()

    def is_in(line: str, command: str) -> bool:
        group, _, verb = command.rpartition(" ")        # "`devdigest blogs list`, `export`" names both
        return bool(re.search(rf"`(devdigest )?{command}\b", line)
                    or (group and f"devdigest {group} " in line and re.search(rf"`{verb}\b", line)))
    assert [command for command in commands(owner) if not any(is_in(line, command) for line in lines)] == []


@pytest.mark.parametrize("command", [("worker",), ("web",), ("status",), ("blogs", "list")])
def test_only_init_makes_a_database(owner: Owner, tmp_path: Path, command: tuple[str, ...]) -> None:
    file = tmp_path / "elsewhere" / "devdigest.db"
    owner.settings.write_text(f'[database]\npath = "{file}"')
    said = owner.types(*command)
    assert (said.status, file.parent.exists()) == (2, False)
    assert said.err == (f"devdigest: {file}: there is no database; `devdigest init` makes a new one, "
                        f"`devdigest restore FILE` brings a backup back\n")
    assert owner.types("init").status == 0
    assert owner.types("status").status == 0


def test_a_clock_that_was_ahead_is_forgotten_by_a_word(owner: Owner, tmp_path: Path) -> None:
    settings = owner.settings.read_text().replace('"trust"', '"check"')
    owner.settings.write_text(settings)
    database.open(tmp_path / "devdigest.db")
    Setting.write(LAST_SEEN, "2099-01-01T00:00:00+00:00")
    refused = owner.types("collect")
    assert refused.status == 1
    assert ("the last time seen, 2099-01-01 00:00; where `timedatectl` shows the right time, "
            "`devdigest resume --clock`") in refused.err
    said = owner.types("resume", "--clock")
    assert said.status == 0
    assert said.out.endswith(" UTC, not 2099-01-01 00:00; the worker goes on within a minute\n")
    assert "last time seen" not in owner.types("collect").err
