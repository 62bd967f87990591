"""The farm of the benchmark: the same feeds each time, as ill-mannered as planned, and a true record."""
import socket
import sqlite3
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
import requests
from bench import references
from bench.crops import BUILT, Feed, document, plan, version
from bench.farm import Farm

from devdigest.blogs import import_list
from devdigest.collect import collect
from devdigest.config import Config
from devdigest.models import Blog, Post
from devdigest.parse import parse
from devdigest.urls import operator

SCALE = 0.02


@pytest.fixture(scope="module")
def running() -> Iterator[Farm]:
    with Farm(60, seed=3, scale=SCALE, drip=30.0) as farm:
        yield farm


@pytest.fixture
def farm(running: Farm) -> Farm:
    running.begin(day=1)
    return running


def one(farm: Farm, **wanted: object) -> Feed:
    return next(feed for feed in farm.feeds
                if all(getattr(feed, name) == value for name, value in wanted.items()))


def url(farm: Farm, feed: Feed) -> str:
    return farm.urls[feed.number]


def unbuilt(body: bytes) -> list[bytes]:
    """Its lines without that of the build date."""
    return [line for line in body.splitlines() if b"<lastBuildDate>" not in line and line[:9] != b"<updated>"]


def guids(body: bytes) -> set[str]:
    return {entry.guid for entry in parse(body, {}, "http://127.0.0.1/", ZoneInfo("UTC")).entries}


def posts(feeds: list[Feed], day: int) -> int:
    """How many there have been up to that day in those that can be read."""
    return sum(feed.entries + version(feed, day) - 1 for feed in feeds if feed.manner == "answers")


def test_from_day_two_on_one_feed_in_twenty_has_a_new_post_each_day() -> None:
    feeds = plan(2_000)
    new = [sum(version(feed, day) - version(feed, day - 1) for feed in feeds) for day in range(2, 8)]
    assert new[0] == 100
    assert all(70 < count < 130 for count in new)
    assert all(version(feed, 1) == 1 for feed in feeds)


def test_a_farm_of_2000_is_shaped_like_the_real_list() -> None:
    feeds = plan(2_000)
    at = Counter(feed.operator for feed in feeds if not feed.operator.startswith("own"))
    assert at == {"tistory": 485, "medium": 277, "velog": 266, "github": 256, "brunch": 149, "naver": 90}
    assert len({feed.host for feed in feeds if feed.operator == "tistory"}) == 485
    assert len({feed.host for feed in feeds if feed.operator == "velog"}) == 1
    manners = Counter(feed.manner for feed in feeds)
    assert manners == {"answers": 1_920, "hangs": 10, "drips": 10, "resets": 20, "gone": 40}
    fresh = Counter(feed.fresh for feed in feeds)
    assert fresh == {"etag": 400, "modified": 400, "both": 400, "built": 400, "": 400}
    assert sum(feed.changes for feed in feeds) == 100


def test_latencies_are_those_of_the_net() -> None:
    latencies = sorted(feed.latency for feed in plan(2_000))
    assert latencies[1_000] == pytest.approx(0.14, rel=0.15)
    assert latencies[1_900] == pytest.approx(1.3, rel=0.2)


def test_documents_have_some_60_kilobytes_and_at_most_a_megabyte(farm: Farm) -> None:
    sizes = [len(document(feed, 1, farm.today)) for feed in plan(150)]
    assert 45_000 < statistics.median(sizes) < 75_000
    assert max(sizes) < 1_200_000


def test_another_seed_grows_other_feeds() -> None:
    assert plan(60, seed=3) == plan(60, seed=3) != plan(60, seed=4)


def test_what_is_served_is_what_was_planned(farm: Farm) -> None:
    for feed in farm.feeds[:20]:
        if feed.manner == "answers":
            body = requests.get(url(farm, feed), timeout=5).content
            assert unbuilt(body) == unbuilt(document(feed, 1, farm.today))
            assert BUILT not in body


def test_addresses_are_operators_as_lanes_see_them(farm: Farm) -> None:
    seen = {feed.number: operator(url(farm, feed)) for feed in farm.feeds}
    for feed in farm.feeds:
        for other in farm.feeds:
            assert (seen[feed.number] == seen[other.number]) == (feed.operator == other.operator)
    assert all(address.startswith("127.") for address in seen.values())


def test_a_sub_domain_is_a_port_of_its_own(farm: Farm) -> None:
    hosts = {name: {urlsplit(url(farm, feed)).netloc for feed in farm.feeds if feed.operator == name}
             for name in ("tistory", "velog")}
    assert (len(hosts["tistory"]), len(hosts["velog"])) == (15, 1)


def test_a_feed_stands_at_its_own_address_alone(farm: Farm) -> None:
    here, there = one(farm, operator="velog"), one(farm, operator="brunch")
    assert requests.get(f"{url(farm, here).rpartition('/')[0]}/{there.number}", timeout=5).status_code == 404
    assert farm.report().asked == []


@pytest.mark.parametrize(("fresh", "sent"), [("etag", {"If-None-Match"}),
                                             ("modified", {"If-Modified-Since"}),
                                             ("both", {"If-None-Match", "If-Modified-Since"})])
def test_who_has_a_document_already_is_told_so(farm: Farm, fresh: str, sent: set[str]) -> None:
    place = url(farm, one(farm, fresh=fresh, manner="answers"))
    first = requests.get(place, timeout=5).headers
    given = {"If-None-Match": first.get("etag"), "If-Modified-Since": first.get("last-modified")}
    assert {name for name, value in given.items() if value} == sent
    assert requests.get(place, headers=given, timeout=5).status_code == 304


def test_a_build_date_that_changes_is_all_that_changes(farm: Farm) -> None:
    feed = one(farm, fresh="built", manner="answers")
    first, second = (requests.get(url(farm, feed), timeout=5).content for _ in range(2))
    assert first != second
    assert unbuilt(first) == unbuilt(second)


def test_on_day_two_those_that_change_have_one_new_post(farm: Farm) -> None:
    feed = one(farm, changes=True, manner="answers")
    first = requests.get(url(farm, feed), timeout=5)
    farm.begin(day=2)
    given = {"If-None-Match": first.headers.get("etag"),
             "If-Modified-Since": first.headers.get("last-modified")}
    second = requests.get(url(farm, feed), headers=given, timeout=5)
    assert second.status_code == 200
    assert len(guids(second.content) - guids(first.content)) == 1


def test_on_day_two_the_others_are_as_they_were(farm: Farm) -> None:
    feed = one(farm, changes=False, fresh="", manner="answers")
    first = requests.get(url(farm, feed), timeout=5).content
    farm.begin(day=2)
    assert requests.get(url(farm, feed), timeout=5).content == first


def test_one_that_is_gone_says_so(farm: Farm) -> None:
    assert requests.get(url(farm, one(farm, manner="gone")), timeout=5).status_code == 404


def test_one_that_resets_gives_no_answer(farm: Farm) -> None:
    feed = one(farm, manner="resets")
    with pytest.raises(requests.ConnectionError):
        requests.get(url(farm, feed), timeout=5)
    assert [(asked.number, asked.status) for asked in farm.report().asked] == [(feed.number, 0)]


@pytest.mark.parametrize(("manner", "said"), [("hangs", b""), ("drips", b"HTTP/1.1 200 OK\r\n")])
def test_how_long_somebody_waited_in_vain_is_recorded(farm: Farm, manner: str, said: bytes) -> None:
    feed, began = one(farm, manner=manner), time.monotonic()
    with closing(connection(farm, feed)) as line:
        line.sendall(b"GET /%d HTTP/1.1\r\n\r\n" % feed.number)
        time.sleep(0.4)
        line.setblocking(False)
        assert heard(line).replace(b"X-Drop: 1\r\n", b"") == said
    while not (asked := farm.report().asked):       # the farm hears of the end a moment later
        time.sleep(0.01)
    assert asked[0].status == 0
    assert 0.2 < asked[0].seconds < time.monotonic() - began


def heard(line: socket.socket) -> bytes:
    try:
        return line.recv(1_000)
    except BlockingIOError:
        return b""


def test_an_answer_takes_its_latency(farm: Farm) -> None:
    feed = max((feed for feed in farm.feeds if feed.manner == "answers"), key=lambda feed: feed.latency)
    requests.get(url(farm, feed), timeout=5)
    assert farm.report().asked[0].seconds >= feed.latency * SCALE


def connection(farm: Farm, feed: Feed) -> socket.socket:
    parts = urlsplit(url(farm, feed))
    return socket.create_connection((parts.hostname, parts.port), timeout=5)


def used(line: socket.socket, number: int) -> None:
    """Asks on it, so that the farm has surely seen it."""
    line.sendall(b"HEAD /%d HTTP/1.1\r\n\r\n" % number)
    assert line.recv(100)


def test_connections_are_counted_by_operator_whatever_the_sub_domain(farm: Farm) -> None:
    blogs = [feed for feed in farm.feeds if feed.operator == "tistory" and feed.manner == "answers"][:3]
    lines = [connection(farm, feed) for feed in blogs]
    for line, feed in zip(lines, blogs, strict=True):
        used(line, feed.number)
        line.close()
    assert farm.report().connections == {operator(url(farm, blogs[0])): 3}


def test_connections_one_after_the_other_count_as_one(farm: Farm) -> None:
    feed = one(farm, operator="velog", manner="answers")
    for _ in range(30):
        with closing(connection(farm, feed)) as line:
            used(line, feed.number)
    assert farm.report().connections == {operator(url(farm, feed)): 1}


def read_plainly(database: Path, urls: Path) -> list[tuple[str, str]]:
    subprocess.run([sys.executable, references.__file__, database, urls, "--timeout", "0.5"], check=True,
                   timeout=60)
    with closing(sqlite3.connect(database)) as plain:
        return plain.execute("SELECT feed, guid FROM post JOIN blog ON blog.id = post.blog").fetchall()


def test_ours_and_a_plain_reader_find_every_post(farm: Farm, config: Config, records: None,
                                                 tmp_path: Path) -> None:
    small = sorted((feed for feed in farm.feeds if not feed.changes), key=lambda feed: feed.size)
    chosen = [*[feed for feed in small if feed.manner == "answers"][:12],
              *[one(farm, manner=manner) for manner in ("hangs", "resets", "gone")],
              one(farm, changes=True, manner="answers")]
    urls = tmp_path / "urls.txt"
    urls.write_text("\n".join(url(farm, feed) for feed in chosen))
    import_list(urls.read_bytes(), "urls.txt", "people", datetime.now(UTC), allow_private=True)
    for day in (1, 2):
        farm.begin(day)
        collect(config, datetime.now(UTC), Event())
        theirs = read_plainly(tmp_path / "reference.db", urls)
        ours = [(post.blog.feed, post.guid) for post in Post.select(Post, Blog).join(Blog)]
        assert sorted(ours) == sorted(theirs)
        assert len(ours) == posts(chosen, day)
