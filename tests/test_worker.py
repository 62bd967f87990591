"""The loop: does by itself what is due, lives through what fails, and ends when it is told to."""
import logging
import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from conftest import NOW, a_blog, begun, until
from feed_server import FeedServer
from mailboxes import ScriptedMailbox
from relay import STALL, ScriptedRelay
from test_heartbeat import listening

from devdigest.config import Config
from devdigest.days import local_day
from devdigest.doubt import clock_doubt
from devdigest.fetching import TRIES, Fetching
from devdigest.memory import (
    HEARTBEAT_DAY,
    HOLD,
    ISSUES_WAIT,
    LAST_SEEN,
    MAILBOX_FAULT,
    MAILBOX_READ,
    Operator,
    Run,
    Setting,
)
from devdigest.models import Blog, Issue, Post
from devdigest.publish import publish
from devdigest.readers import Delivery, Subscriber
from devdigest.reports import Hook
from devdigest.table import db
from devdigest.troubles import Failure
from devdigest.urls import operator
from devdigest.worker import Worker, collect_if_due

pytestmark = pytest.mark.usefixtures("records")

PATIENCE = 60       # seconds until a test gives up
FAREWELL = 5        # seconds that SIGTERM may take


@pytest.fixture
def noon(config: Config) -> Config:
    """The configuration in a zone in which it is between 12:00 and 13:00 now: everything is due."""
    hours = 12 - datetime.now(UTC).hour
    return replace(config, site=replace(config.site, zone=f"Etc/GMT{-hours:+d}"))   # POSIX: east is minus


@pytest.fixture
def blog(feeds: FeedServer) -> Blog:
    """A blog with a post of about yesterday's noon."""
    written = format_datetime(datetime.now(UTC) - timedelta(days=1))
    feeds.serve("/rss", f"""<rss version="2.0"><channel><title>Blog</title><item><title>Hello</title>
        <guid>1</guid><pubDate>{written}</pubDate></item></channel></rss>""".encode())
    return a_blog(feed=feeds.url("/rss"))


@contextmanager
def working(config: Config, **more: Path) -> Iterator[threading.Event]:
    stop = threading.Event()
    thread = threading.Thread(target=Worker(config, "", stop, **more).run)
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join()


def mails(config: Config) -> list[Path]:
    return list(Path(config.mail.maildir).glob("new/*"))


def an_issue_is_out(config: Config, blog: Blog) -> Issue:
    """Today's issue, with a mail to every active subscriber in the outbox."""
    now = datetime.now(UTC)
    yesterday = local_day(now, config.site.timezone) - timedelta(days=1)
    Post.create(blog=blog, guid="0", key="", url="", title="Hello", excerpt="", day=yesterday, first_seen=now,
                verdict="news")
    issue, _ = publish(config, now)
    return issue


def said(caplog: pytest.LogCaptureFixture, words: str) -> int:
    return sum(words in record.getMessage() for record in caplog.records)


def test_a_worker_that_is_restarted_again_and_again_does_the_whole_day(noon: Config, blog: Blog,
                                                                       ada: Subscriber) -> None:
    with working(noon):
        until(lambda: Run.last("collect") and Run.last("care"))
    assert [post.verdict for post in Post.select()] == ["news"]
    with working(noon):
        until(lambda: Issue.select().exists())
    assert (Issue.get().state, Delivery.select().count()) == ("published", 1)
    with working(noon):
        until(lambda: mails(noon))
    assert Delivery.get().state == "sent"
    with working(noon):
        time.sleep(0.5)
    assert (Run.select().where(Run.job == "collect").count(), Run.select().where(Run.job == "care").count(),
            Issue.select().where(Issue.kind == "daily").count(), len(mails(noon))) == (1, 1, 1, 1)


@pytest.mark.slow
def test_a_worker_does_the_whole_day_by_itself(noon: Config, blog: Blog, ada: Subscriber) -> None:
    with working(noon):
        until(lambda: mails(noon), patience=90)
    assert Delivery.get().state == "sent"


def test_while_a_new_release_is_watched_nothing_is_begun(noon: Config, blog: Blog, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.touch()
    with working(noon, probation=state):
        time.sleep(0.5)
    assert Run.select().count() == 0
    state.unlink()
    with working(noon, probation=state):
        until(lambda: Run.select().count())


def test_a_job_that_raises_is_told_and_the_others_go_on(noon: Config, blog: Blog, ada: Subscriber,
                                                       caplog: pytest.LogCaptureFixture) -> None:
    an_issue_is_out(noon, blog)
    (noon.folder / "collect.lock").mkdir()          # cannot be opened as a file
    with caplog.at_level(logging.INFO), working(noon):
        until(lambda: said(caplog, "collect failed") and mails(noon) and Run.last("care"))
    [failure] = [record for record in caplog.records if "collect failed" in record.getMessage()]
    assert failure.exc_info[0] is IsADirectoryError
    assert [(one.job, one.times) for one in Failure.select()] == [("collect", 1)]
    (noon.folder / "collect.lock").rmdir()
    with working(noon):
        until(lambda: not Failure.select().exists())


def test_a_finished_day_is_told_by_the_worker_itself_and_by_the_next_one_not_again(
        noon: Config, blog: Blog, ada: Subscriber) -> None:
    an_issue_is_out(noon, blog)
    with listening() as listener:
        told = replace(noon, site=replace(noon.site, heartbeat_url=listener.url),
                       digest=replace(noon.digest, weekly=False))
        with working(told):
            until(lambda: mails(told))
        for _ in range(2):
            with working(told):
                until(lambda: Setting.read(HEARTBEAT_DAY))
        assert listener.asked == ["/ping/secret"]


def test_a_collect_leaves_the_issue_its_time_and_the_retry_takes_what_is_left(
        config: Config, feeds: FeedServer) -> None:
    """Two seconds and a half before it must have ended, one of which a fetch may take."""
    for number in range(12):
        feeds.serve(f"/{number}", b"<rss version='2.0'><channel/></rss>")
        a_blog(str(number), feed=feeds.url(f"/{number}"), added=NOW - timedelta(days=1))
    slow = replace(config, collect=replace(config.collect, per_operator=1, gap=0.3,
                                           times=("03:00", "09:00", "09:01")))
    now = NOW + timedelta(seconds=57.5)
    collect_if_due(slow, now, threading.Event())
    done = Run.last("collect")
    assert 1 <= done.reached == len(feeds.requests) <= 6
    assert (done.reached + done.not_reached, done.failed) == (12, 0)
    assert done.finished <= NOW + timedelta(minutes=1)
    quick = replace(config, collect=replace(config.collect, times=("03:00", "09:00")))
    collect_if_due(quick, now + timedelta(seconds=20), threading.Event())
    assert Run.last("retry").reached == done.not_reached
    assert len(set(feeds.paths)) == len(feeds.paths) == 12


def test_mail_that_cannot_go_out_stops_nothing_else(noon: Config, blog: Blog, ada: Subscriber,
                                                   caplog: pytest.LogCaptureFixture) -> None:
    an_issue_is_out(noon, blog)
    Path(noon.mail.maildir).write_text("a file where a folder belongs")
    with working(noon):
        until(lambda: said(caplog, "check [mail] maildir") and Run.last("collect") and Run.last("care"))
    assert Delivery.get().state == "queued"


def test_while_held_it_collects_and_publishes_nothing(noon: Config, blog: Blog, ada: Subscriber) -> None:
    Setting.write(HOLD, datetime.now(UTC).isoformat())
    for _ in range(2):
        with working(noon):
            until(lambda: Run.last("collect") and Run.last("care"))
    assert (Post.select().count(), Issue.select().count(), mails(noon)) == (1, 0, [])


# The clock

@pytest.fixture
def ahead(noon: Config) -> Config:
    """A machine whose clock was seen to show a later time than now."""
    Setting.write(LAST_SEEN, (datetime.now(UTC) + timedelta(days=30)).isoformat())
    return replace(noon, site=replace(noon.site, clock="check"))


def test_by_a_clock_that_cannot_be_trusted_nothing_is_done_and_that_is_said_once(
        ahead: Config, blog: Blog, feeds: FeedServer, caplog: pytest.LogCaptureFixture) -> None:
    with working(ahead):
        until(lambda: said(caplog, "waiting: the clock shows"))
    assert said(caplog, "waiting: ") == 1
    assert (feeds.requests, Run.select().count()) == ([], 0)


def test_asking_for_the_clock_leaves_the_database_open(ahead: Config) -> None:
    assert "earlier than the last time seen" in clock_doubt(ahead, datetime.now(UTC))
    assert Setting.read(LAST_SEEN) is not None


def test_a_clock_that_is_not_trusted_is_not_noted_as_seen(ahead: Config) -> None:
    before = Setting.read(LAST_SEEN)
    clock_doubt(ahead, datetime.now(UTC))
    assert Setting.read(LAST_SEEN) == before


def test_by_a_clock_of_1970_nothing_is_done_or_noted(ahead: Config) -> None:
    checked = replace(ahead, site=replace(ahead.site, clock="check"))
    Setting.clear(LAST_SEEN)
    assert "earlier than this release" in clock_doubt(checked, datetime(1970, 1, 1, tzinfo=UTC))
    assert Setting.read(LAST_SEEN) is None


def test_what_a_clock_noted_that_was_a_year_ahead_keeps_nobody_waiting(
        ahead: Config, noon: Config, blog: Blog, ada: Subscriber, caplog: pytest.LogCaptureFixture) -> None:
    """Neither blog, operator nor mail, once the owner has typed what the log names."""
    now = datetime.now(UTC)
    wrong = now + timedelta(days=365)
    Setting.write(LAST_SEEN, wrong.isoformat())
    Setting.write(ISSUES_WAIT, (wrong + timedelta(hours=1)).isoformat())
    Operator.leave_alone(operator(blog.feed), 1.0, wrong + timedelta(hours=1))
    Fetching.update(fault="HTTP 503", not_before=wrong, asked_to_wait=True, fetched=wrong,
                    failures=TRIES).execute()
    Run.create(job="collect", started=wrong, finished=wrong, blogs=1, reached=1)
    with working(ahead):
        until(lambda: said(caplog, "`devdigest resume --clock`"))
    assert not Post.select().exists()
    Setting.clear(LAST_SEEN)                # which is what that does; tests/test_cli.py
    for done in (lambda: Run.last("collect", until=datetime.now(UTC)) and Run.last("care"),
                 lambda: Issue.of(local_day(now, noon.site.timezone)), lambda: mails(noon)):
        with working(noon):
            until(done)
    assert Post.get().verdict == "news"
    assert Delivery.get().state == "sent"


# The end

@contextmanager
def service(config: Config, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """The worker as systemd runs it."""
    path = folder / "config.toml"
    path.write_text(f"""
        [site]
        zone = "{config.site.zone}"
        clock = "trust"
        [collect]
        total_seconds = 60
        allow_private = true
        [mail]
        transport = "smtp"
        host = "{config.mail.host}"
        port = {config.mail.port}
        security = "none"
        from = "digest@example.org"
        [database]
        path = "{config.database.path}"
        """)
    with begun(path, "worker", stdout=None, env=os.environ | {"TZ": "UTC"}) as process:
        try:
            yield process
        finally:
            process.kill()


def test_sigterm_ends_it_soon_though_a_feed_hangs_and_the_relay_says_nothing(
        noon: Config, feeds: FeedServer, ada: Subscriber, tmp_path: Path) -> None:
    feeds.hang("/rss")
    an_issue_is_out(noon, a_blog(feed=feeds.url("/rss")))
    with ScriptedRelay({".": STALL}) as relay:
        by_relay = replace(noon, mail=replace(noon.mail, host=relay.host, port=relay.port))
        with service(by_relay, tmp_path) as process:
            until(lambda: feeds.requests and relay.messages)
            process.send_signal(signal.SIGTERM)
            told = time.monotonic()
            _, log = process.communicate(timeout=2 * FAREWELL)
            assert time.monotonic() - told < FAREWELL
    assert process.returncode == 0
    assert log.splitlines()[-1] == "worker stopped"
    assert "Traceback" not in log
    assert Delivery.get().state == "sending"        # whether the relay has it is not known


def test_what_a_provider_posts_and_what_is_in_the_mailbox_is_read(noon: Config, ada: Subscriber,
                                                                  tmp_path: Path) -> None:
    Hook.keep("postmark", "{}", b"{}", datetime.now(UTC))
    with ScriptedMailbox(tmp_path, {"LOGIN": b"X NO [AUTHENTICATIONFAILED] wrong"}) as server:
        with working(replace(noon, bounces=server.settings)):
            until(lambda: not Hook.select().exists() and Setting.read(MAILBOX_READ))
        assert "login refused" in Setting.read(MAILBOX_FAULT)
        with working(replace(noon, bounces=server.settings)):
            time.sleep(0.3)
        assert len([command for command in server.commands if command.startswith("LOGIN")]) == 1


# The watchdog

@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The end at which systemd listens, and expects a sign of life every 0.6 s."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(tmp_path / "notify"))
        line.settimeout(PATIENCE)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "600000")
        yield line


def heard(systemd: socket.socket, words: str) -> str:
    """The first that holds these words."""
    return next(said for said in iter(lambda: systemd.recv(1000).decode(), None) if words in said)


def alive(systemd: socket.socket, seconds: float) -> int:
    """How many signs of life come in this time; what came before is not counted."""
    systemd.setblocking(False)
    with suppress(BlockingIOError):
        while systemd.recv(1000):
            pass
    time.sleep(seconds)
    count = 0
    with suppress(BlockingIOError):
        while said := systemd.recv(1000):
            count += said == b"WATCHDOG=1"
    systemd.settimeout(PATIENCE)
    return count


def test_it_tells_systemd_that_it_is_ready_alive_and_what_it_waits_for(noon: Config,
                                                                      systemd: socket.socket) -> None:
    with working(noon):
        assert heard(systemd, "READY=1")
        # a job may be done before the first sign of life
        assert re.fullmatch(r"STATUS=waiting; next issue \d{4}-\d\d-\d\d 10:00", heard(systemd, "=waiting"))
        begun_at = time.monotonic()
        for _ in range(4):
            assert heard(systemd, "WATCHDOG=1")
        assert time.monotonic() - begun_at < 20         # its ordinary look is every 20 s
    assert heard(systemd, "STOPPING=1")


def test_a_job_that_hangs_starves_the_watchdog_and_the_log_says_which(
        noon: Config, systemd: socket.socket, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A password on a disk that does not answer: opening a pipe into which nobody writes never ends."""
    os.mkfifo(tmp_path / "password")
    hanging = replace(noon, bounces=replace(noon.bounces, imap="127.0.0.1",
                                            password_file=str(tmp_path / "password")))
    stop = threading.Event()
    worker = Worker(hanging, "", stop)
    worker.jobs["bounces"] = replace(worker.jobs["bounces"], silence=0.02)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        until(lambda: said(caplog, "bounces: no progress"))
        assert alive(systemd, 1) == 0
        (tmp_path / "password").write_text("secret")        # and the disk answers again
        until(lambda: alive(systemd, 1))
        assert said(caplog, "bounces: no progress") == 1
    finally:
        stop.set()
        thread.join()


def test_a_worker_that_collects_shows_how_far_it_is(noon: Config, feeds: FeedServer,
                                                    systemd: socket.socket) -> None:
    for number in range(40):
        feeds.serve(f"/{number}", b"<rss version='2.0'><channel/></rss>")
        a_blog(str(number), feed=feeds.url(f"/{number}"))
    quick = replace(noon, collect=replace(noon.collect, per_operator=8, gap=0))
    with working(quick):
        assert heard(systemd, "collecting") == "STATUS=collecting: 20 of 40 blogs"


@pytest.mark.parametrize("harm", [b"\xff" * 8192, b""])
def test_with_a_database_that_is_damaged_or_gone_it_ends_and_says_so_once(
        noon: Config, blog: Blog, ada: Subscriber, harm: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with working(noon) as stop:
        until(lambda: Run.last("care"))
        db.close()
        path = Path(noon.database.path)
        path.with_name(f"{path.name}-wal").unlink(missing_ok=True)
        path.write_bytes(harm)
        until(stop.is_set, patience=30)
    assert said(caplog, "the database is damaged or gone") == 1
    assert "Traceback" not in caplog.text
