"""The journal: each line with its level, a normal day on one screen, nobody's address in it."""
import logging
import os
import re
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from conftest import a_blog, begun, until
from feed_server import FeedServer
from relay import FakeRelay

from devdigest import journal
from devdigest.memory import LINK_KEY, Run, Setting
from devdigest.models import Issue
from devdigest.readers import Delivery, Subscriber
from devdigest.reports import Hook

pytestmark = pytest.mark.usefixtures("records")

BLOGS, NEW, FAILING, READERS = 100, 25, 5, 50       # a line for each would not fit
SCREEN = 40                                         # lines


def rss(title: str, when: datetime) -> bytes:
    return (f"<rss version='2.0'><channel><title>Blog</title><item><title>{title}</title><guid>1</guid>"
            f"<link>https://example.org/{title}</link><pubDate>{format_datetime(when)}</pubDate></item>"
            f"</channel></rss>").encode()


def a_world(feeds: FeedServer) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    for number in range(BLOGS):
        if number >= FAILING:
            feeds.serve(f"/{number}", rss(f"post-{number}", yesterday if number < FAILING + NEW else
                                          yesterday - timedelta(days=9)))
        a_blog(str(number), feed=feeds.url(f"/{number}"))
    now = datetime.now(UTC)
    for number in range(READERS):
        name = "gone" if number == 7 else f"reader{number}"
        Subscriber.create(email=f"{name}@example.org", state="active", created=now, confirmed=now)
    Hook.keep("postmark", "{}", b"{}", now)


def the_worker_says(settings: Path, done: Callable[[], object]) -> list[str]:
    """What it writes to the journal until it has `done` that, and was told to end."""
    reader, writer = os.pipe()
    there = os.fstat(writer)
    environment = os.environ | {"TZ": "UTC", "JOURNAL_STREAM": f"{there.st_dev}:{there.st_ino}"}
    with (begun(settings, "worker", stdout=None, stderr=writer, env=environment) as process,
          os.fdopen(reader, "rb") as lines):
        os.close(writer)
        try:
            until(done)
            process.send_signal(signal.SIGTERM)
            return lines.read().decode().splitlines()
        finally:
            process.kill()


@pytest.fixture
def settings(tmp_path: Path, relay: FakeRelay) -> Path:
    """In a zone in which it is between 12:00 and 13:00 now: everything is due."""
    path = tmp_path / "config.toml"
    path.write_text(f"""
        [site]
        zone = "Etc/GMT{datetime.now(UTC).hour - 12:+d}"
        clock = "trust"
        [collect]
        allow_private = true
        gap = 0
        per_operator = 8
        retry_until = "14:00"
        [mail]
        transport = "smtp"
        host = "{relay.host}"
        port = {relay.port}
        security = "none"
        from = "digest@example.org"
        [database]
        path = "{tmp_path}/devdigest.db"
        """)
    return path


def test_a_normal_day_fits_on_one_screen_and_names_nobody(settings: Path, feeds: FeedServer,
                                                          relay: FakeRelay) -> None:
    a_world(feeds)
    lines = the_worker_says(settings, lambda: Run.last("collect") and Run.last("care"))
    lines += the_worker_says(settings, Issue.select().exists)
    lines += the_worker_says(settings, lambda: Run.last("deliver"))
    assert Run.last("collect").failed == FAILING
    assert Delivery.select().where(Delivery.state == "sent").count() == READERS - 1
    assert all(re.match(r"<[2-7]>", line) for line in lines)
    shown = [line for line in lines if not line.startswith("<7>")]
    of_the_day = [line for line in shown if not re.search("worker (started|stopped)", line)]
    assert 5 <= len(of_the_day) <= SCREEN / 2       # there is a second collect, and who signs up
    said = "\n".join(lines)
    assert "@" not in said.replace("digest@example.org", "")
    assert Setting.read(LINK_KEY) not in said
    assert re.search(rf"<6>collect: {BLOGS} blogs, {BLOGS - FAILING} read, {FAILING} failed, ", said)
    [named] = [line for line in shown if "fail since now" in line]
    assert f"and {FAILING - 3} more; `devdigest blogs list --failing`" in named
    assert len(re.findall(r"<7>feed \S+ HTTP 404", said)) == FAILING        # with LogLevelMax=debug
    assert len(re.findall(r"<7>feed \S+ 1 new posts", said)) == BLOGS - FAILING


def test_a_blog_that_fails_still_is_no_news(settings: Path, feeds: FeedServer) -> None:
    a_blog("dead", feed=feeds.url("/nothing"))
    a_blog("alive", feed=feeds.url("/alive"))
    feeds.serve("/alive", rss("post", datetime.now(UTC)))
    first = the_worker_says(settings, lambda: Run.last("collect"))
    Run.delete().execute()
    second = the_worker_says(settings, lambda: Run.last("collect"))
    assert ["fail since now" in "\n".join(lines) for lines in (first, second)] == [True, False]


def test_every_line_of_a_traceback_has_its_level() -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError as error:
        record = logging.LogRecord("devdigest", logging.ERROR, "", 0, "it failed", (),
                                   (ValueError, error, error.__traceback__))
    lines = journal.Lines().format(record).splitlines()
    assert len(lines) > 4
    assert all(line.startswith("<3>") for line in lines)


def test_what_is_typed_by_hand_has_no_levels_though_a_service_started_the_shell() -> None:
    assert not journal.reads_along({"JOURNAL_STREAM": "8:1"})
    assert not journal.reads_along({})
