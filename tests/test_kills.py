"""kill -9 at random moments of every step: work goes on where it was, nothing is lost or doubled."""
import random
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import begun
from feed_server import FeedServer
from relay import FakeRelay

from devdigest import database, urls
from devdigest.models import Blog, Issue, IssuePost, Post
from devdigest.readers import Delivery, Subscriber
from devdigest.table import db

BLOGS, POSTS, READERS = 120, 3, 400
MANY, LINES = 3000, 4
KILLS = {"collect": 7, "publish": 6, "deliver": 7}
WORK = {"collect": 0.8, "publish": 0.3, "deliver": 0.8}        # seconds, about, of a run's own work here

SETTINGS = """\
[site]
clock = "trust"
[collect]
allow_private = true
gap = 0.0
per_operator = 8
[mail]
transport = "smtp"
security = "none"
host = "{host}"
port = {port}
from = "digest@example.org"
connections = {lines}
[database]
path = "{folder}/devdigest.db"
"""


@pytest.fixture
def relay() -> Iterator[FakeRelay]:
    """One that takes its time after the dot, where a kill leaves a doubt."""
    with FakeRelay(delay=0.02) as server:
        yield server


@pytest.fixture
def command(tmp_path: Path, relay: FakeRelay) -> Callable[..., subprocess.Popen]:
    """Starts `devdigest …` as a process of its own."""
    path = tmp_path / "config.toml"
    path.write_text(SETTINGS.format(folder=tmp_path, lines=LINES, host=relay.host, port=relay.port))

    def start(*words: str) -> subprocess.Popen:
        return begun(path, *words, stdout=subprocess.DEVNULL, text=False)
    return start


def feed(blog: int) -> bytes:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    items = "".join(f"<item><title>post {blog}.{number}</title><guid>{blog}.{number}</guid>"
                    f"<link>https://blog{blog}.example.org/{number}</link>"
                    f"<pubDate>{yesterday:%a, %d %b %Y %H:%M:%S} +0000</pubDate></item>"
                    for number in range(POSTS))
    return f'<rss version="2.0"><channel><title>{blog}</title>{items}</channel></rss>'.encode()


def slowly(body: bytes) -> Callable[..., None]:
    def answer(handler: object) -> None:
        time.sleep(0.02)
        handler.write(200, {"ETag": '"1"'}, body)
    return answer


def fill(path: Path, feeds: FeedServer) -> None:
    database.open(path)
    now = datetime.now(UTC)
    with db.atomic():
        for number in range(BLOGS):
            feeds.do(f"/{number}", slowly(feed(number)))
            url = feeds.url(f"/{number}")
            Blog.create(name=f"blog {number}", feed=url, feed_key=urls.canonical(url), added=now)
        for number in range(READERS):
            Subscriber.create(email=f"reader{number}@example.org", state="active", created=now, confirmed=now)
    db.close()


def killed_at_random(start: Callable[..., subprocess.Popen], step: str, times: int, chance: random.Random,
                     idle: float) -> int:
    """Kills `step` that often, each time at another moment of its work; how often it was still at it.

    `idle`: the seconds a command takes that has nothing to do.
    """
    hit = 0
    # the early ones first: a step that came to its end has nothing left to be killed in
    for moment in sorted(chance.uniform(0, WORK[step]) for _ in range(times)):
        process = start(step)
        time.sleep(idle * 0.7 + moment)
        hit += process.poll() is None
        process.kill()
        process.communicate()
    return hit


def finished(start: Callable[..., subprocess.Popen], step: str) -> float:
    """The seconds that `step` took, to its good end."""
    began = time.monotonic()
    process = start(step)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said.decode()
    return time.monotonic() - began


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_after_twenty_kills_everyone_has_the_issue(tmp_path: Path, command: Callable[..., subprocess.Popen],
                                                  feeds: FeedServer, relay: FakeRelay, seed: int) -> None:
    chance, hits = random.Random(seed), {}
    fill(tmp_path / "devdigest.db", feeds)
    idle = min(finished(command, "status") for _ in range(3))
    for step, times in KILLS.items():
        hits[step] = killed_at_random(command, step, times, chance, idle)
        finished(command, step)

    database.open(tmp_path / "devdigest.db")
    shown = Counter(title for title, in IssuePost.select(IssuePost.title).tuples())
    doubts = dict(Delivery.select(Subscriber.email, Delivery.doubts).join(Subscriber).tuples())
    states = Counter(state for state, in Delivery.select(Delivery.state).tuples())
    # on a Monday there is a weekly one too
    issues, posts = Issue.select().where(Issue.kind == "daily").count(), Post.select().count()
    sound = db.execute_sql("PRAGMA integrity_check").fetchone()[0]
    db.close()

    assert (sound, issues, posts) == ("ok", 1, BLOGS * POSTS)
    assert shown == {f"post {blog}.{number}": 1 for blog in range(BLOGS) for number in range(POSTS)}
    got = Counter(recipient for _, recipient, _ in relay.messages)
    assert set(got) == {f"reader{number}@example.org" for number in range(READERS)}
    assert states == {"sent": READERS}
    twice = {email: count for email, count in got.items() if count > 1}
    assert all(count <= 1 + doubts[email] for email, count in twice.items()), "a mail twice without a doubt"
    print(f"kills that hit: {hits}; in doubt {sum(doubts.values())}, of these sent twice {len(twice)}")
    assert min(hits.values()) >= 1, "the kills came too late to prove anything"
    assert hits["collect"] + hits["deliver"] >= 8


@pytest.mark.slow
def test_fifty_kills_leave_at_most_one_row_in_doubt_for_each_line(tmp_path: Path,
                                                                 command: Callable[..., subprocess.Popen],
                                                                 relay: FakeRelay) -> None:
    chance, hits, doubts, path = random.Random(3), 0, [], tmp_path / "devdigest.db"
    database.open(path)
    now = datetime.now(UTC)
    with db.atomic():
        issue = Issue.create(day=now.date(), state="published", created=now)
        for number in range(MANY):
            Subscriber.create(email=f"reader{number}@example.org", state="active", created=now, confirmed=now)
        Delivery.queue_for_active(issue, now)
    db.close()
    idle = min(finished(command, "status") for _ in range(3))
    for _ in range(50):
        hits += killed_at_random(command, "deliver", 1, chance, idle)
        database.open(path)
        doubts.append(Delivery.select().where(Delivery.state == "sending").count())
        db.close()
    finished(command, "deliver")
    database.open(path)
    rows = dict(Delivery.select(Subscriber.email, Delivery.doubts).join(Subscriber).tuples())
    states = Counter(state for state, in Delivery.select(Delivery.state).tuples())
    db.close()
    got = Counter(recipient for _, recipient, _ in relay.messages)
    twice = {email: count for email, count in got.items() if count > 1}
    print(f"kills that hit: {hits}; in doubt {sum(doubts)}, at most {max(doubts)} at once; "
          f"sent twice {len(twice)}")
    assert states == {"sent": MANY}
    assert set(got) == set(rows)
    assert max(doubts) <= LINES
    assert all(count <= 1 + rows[email] for email, count in twice.items()), "a mail twice without a doubt"
    assert min(hits / 25, sum(doubts)) >= 1, "the kills proved nothing"
