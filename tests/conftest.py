"""The fixed cast and the real servers: a database file, a relay, a web server with feeds."""
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from feed_server import FeedServer
from relay import FakeRelay, settings

from devdigest import database
from devdigest.config import Config
from devdigest.fetching import Fetching
from devdigest.models import Blog
from devdigest.parsing import Parser
from devdigest.readers import Subscriber
from devdigest.table import db

# Saturday morning in Seoul, an hour before the issue.
NOW = datetime(2026, 11, 21, 0, 0, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Everything in a folder of its own; feeds may lie on loopback; no gap between requests."""
    base = Config()
    return replace(base, site=replace(base.site, clock="trust", owner="owner@example.org"),
                   collect=replace(base.collect, allow_private=True, gap=0.0, total_seconds=1,
                                   per_operator=8),
                   mail=replace(base.mail, maildir=str(tmp_path / "mail"), sender="digest@example.org"),
                   backup=replace(base.backup, where=str(tmp_path / "backups")),
                   database=replace(base.database, path=str(tmp_path / "devdigest.db")))


@pytest.fixture
def records(config: Config) -> Iterator[None]:
    """The database, open for this thread."""
    database.open(config.database.path)
    yield
    db.close()


@pytest.fixture(scope="module")
def parser() -> Iterator[Parser]:
    """The process that reads feeds."""
    with Parser(Config().site.timezone) as parser:
        yield parser


@pytest.fixture
def feeds() -> Iterator[FeedServer]:
    with FeedServer() as server:
        yield server


@pytest.fixture
def relay() -> Iterator[FakeRelay]:
    with FakeRelay() as server:
        yield server


@pytest.fixture
def by_relay(config: Config, relay: FakeRelay) -> Config:
    """The configuration with mails going to `relay`."""
    return replace(config, mail=settings(relay, sender="digest@example.org", connections=2))


@pytest.fixture
def ada(records: None, now: datetime) -> Subscriber:
    return Subscriber.create(email="ada@example.org", state="active", created=now, confirmed=now)


@pytest.fixture
def bob(records: None, now: datetime) -> Subscriber:
    return Subscriber.create(email="bob@example.org", state="pending", created=now)


@pytest.fixture
def carol(records: None, now: datetime) -> Subscriber:
    return Subscriber.create(email="carol@example.org", state="cancelled", created=now, cancelled=now)


def until(done: Callable[[], object], patience: float = 180) -> None:
    """Waits for that; `patience`: seconds, for a machine that has much else to do."""
    end = time.monotonic() + patience
    while not done():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.02)


def begun(settings: Path, *words: str, **how: Any) -> "subprocess.Popen[Any]":
    """`devdigest …` in a process of its own. `how`: as for Popen; else what it says is text in pipes."""
    usual = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True,
             "cwd": Path(__file__).parents[1]}
    return subprocess.Popen([sys.executable, "-m", "devdigest", "--config", str(settings), *words],
                            **usual | how)


def noted(blog: Blog, **values: object) -> Blog:
    """The blog as it stands now, with its `fetching`, of which these values are set before."""
    if values:
        Fetching.update(values).where(Fetching.blog == blog).execute()
    return Fetching.blogs().where(Blog.id == blog.id).get()


def a_blog(path: str = "blog", **values: object) -> Blog:
    """A blog on the list that was read before."""
    columns = Fetching._meta.fields.keys()
    of_fetching = {"read": NOW} | {name: values.pop(name) for name in columns & values.keys()}
    feed = values.pop("feed", f"https://{path}.example.org/feed")
    given = {"name": path, "site": f"https://{path}.example.org/", "site_key": f"{path}.example.org",
             "feed": feed, "feed_key": str(feed).partition("//")[2], "added": NOW, "first_read": NOW}
    return noted(Blog.create(**given | values), **of_fetching)
