"""Documents and answers made to hurt, through the collector over real sockets: each costs its own blog alone.

What an attack meets inside fetch and parse is told in their own tests; here it is that the others are read.
"""
import gzip
import socket
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from urllib.parse import urlsplit

import pytest
from conftest import NOW, a_blog
from feed_server import FeedServer
from test_collect import again, run

from devdigest.config import Config
from devdigest.fetching import Fetching
from devdigest.models import Blog, Post

pytestmark = pytest.mark.usefixtures("records")

OTHERS = ("/ada", "/bob")


def rss(inside: str, title: str = "말로리가 개발하며 배운 것들을 적어 두는 블로그") -> bytes:
    return f'<rss version="2.0"><channel><title>{title}</title>{inside}</channel></rss>'.encode()


def item(inside: str, title: str = "One") -> str:
    return f"<item><title>{title}</title>{inside}</item>"


def met(config: Config, feeds: FeedServer, most: float = 5.0,
        url: Callable[[str], str] | None = None) -> tuple[str, list[Post]]:
    """The fault of the blog at /bad and its posts, after a collect in which all others are read in time."""
    for path in OTHERS:
        feeds.serve(path, rss(item(f"<guid>{path}</guid>")))
    url = url or feeds.url
    others = [a_blog(path.strip("/"), feed=url(path)) for path in OTHERS]
    bad = a_blog("bad", feed=url("/bad"))
    began = time.monotonic()
    done = run(config)
    assert time.monotonic() - began < most
    assert [again(blog).fetching.fault for blog in others] == ["", ""]
    assert [len(Post.of(blog)) for blog in others] == [1, 1]
    fault = again(bad).fetching.fault
    assert (done.blogs, done.failed) == (3, int(fault != ""))
    return fault, Post.of(bad)


STYLED = f"&lt;p style='{'url(' * 16_000}'&gt;"
ENTITIES = item(f"<description>{'&a;' * 20_000}</description>")


@pytest.mark.parametrize("document", [
    rss("\n" * 80_000 + item("")),
    b"<?xml version='1.0'?>" + b"\n" * 80_000 + rss(item("")),
    rss(item(f"<description>{STYLED}</description>")),
    rss(item(f"<description>{'&lt;!--' * 40_000}</description>")),
    rss(item(f"<guid>{'x' * 1_000_000}</guid>")),
    rss(item(f"<description>{'word ' * 980_000}</description>")),
    f'<!DOCTYPE rss [<!ENTITY a "{"x" * 8000}">]>'.encode() + rss(ENTITIES),
    b'<!DOCTYPE rss [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + rss(item("<description>&a;</description>")),
    gzip.compress(rss(item(""))),
], ids=["newlines", "newlines before the root", "style", "comments", "guid of 1 MB", "entry of 5 MB",
        "entity bomb", "external entity", "compressed without saying so"])
def test_a_document_that_only_looks_dangerous_is_read(config, feeds, document):
    feeds.serve("/bad", document)
    fault, posts = met(config, feeds)
    assert (fault, [post.title for post in posts]) == ("", ["One"])
    assert "root:" not in posts[0].excerpt
    assert len(posts[0].guid) <= 500


@pytest.mark.parametrize(("body", "fault"), [
    (b"", "empty"), (b" \r\n", "empty"), (b"<!doctype html><title>Sign in</title>", "an HTML page"),
    (b"<!doctype html><![ endif]><title>Soon</title>", "an HTML page"),
    (b"<?xml " + b"encoding='" * 5_000 + b"?>" + rss(item("")), "no element in its first 8,192 characters"),
    (gzip.compress(bytes(21_000_000)), "compressed, and over 20 MB when inflated"),
    (gzip.compress(gzip.compress(rss(item("")))), "no XML"),
    (b"[" * 1_000_000, "no element in its first 8,192 characters"), (b'{"a":' * 500_000, "broken JSON"),
], ids=["empty", "blank", "page", "odd page", "encodings", "gzip bomb", "nested gzip", "brackets",
        "nested JSON"])
def test_what_is_no_feed_is_the_fault_of_its_blog_alone(config, feeds, body, fault):
    feeds.serve("/bad", body)
    assert met(config, feeds) == (fault, [])


@pytest.mark.parametrize(("prepare", "fault"), [
    (lambda feeds: feeds.bomb("/bad", 60), "more than 5,000,000 bytes"),
    (lambda feeds: feeds.bomb("/bad", 60, layers=2),
     "cannot be decompressed: Content-Encoding 'gzip, gzip' was not asked for"),
    (lambda feeds: feeds.answer("/bad", 200, {}, bytes(50_000_000)),
     "more than 5,000,000 bytes"),
    (lambda feeds: feeds.endless("/bad"), "more than 5,000,000 bytes"),
    (lambda feeds: feeds.drip_headers("/bad"), "timeout after 1 s"),
    (lambda feeds: feeds.drip_body("/bad"), "timeout after 1 s"),
    (lambda feeds: feeds.redirect("/bad", "/bad"), "more than 5 redirects"),
], ids=["gzip bomb", "nested gzip", "50 MB", "endless", "header drip", "body drip", "redirect loop"])
def test_an_answer_without_end_is_the_fault_of_its_blog_alone(
        config: Config, feeds: FeedServer, prepare: Callable[[FeedServer], None], fault: str) -> None:
    prepare(feeds)
    assert met(config, feeds) == (fault, [])


PUBLIC = "93.184.215.14"


@pytest.fixture
def out_there(config: Config, feeds: FeedServer, monkeypatch: pytest.MonkeyPatch) -> Config:
    """No address at home may be asked, and the test's server stands at a public one, as `*.example`.

    The machine's names and routes are made up for that; rebinding.example is at home from the second look on.
    """
    looks, connect, look_up = Counter(), socket.socket.connect, socket.getaddrinfo
    server = urlsplit(feeds.url())

    def getaddrinfo(host: str, port: int, **how: int) -> list[tuple]:
        if not host.endswith(".example"):
            return look_up(host, port, **how)
        looks[host] += 1
        address = "127.0.0.1" if host == "rebinding.example" and looks[host] > 1 else PUBLIC
        return look_up(address, port, **how)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(socket.socket, "connect", lambda line, address: connect(
        line, (server.hostname, server.port) if address[0] == PUBLIC else address))
    return replace(config, collect=replace(config.collect, allow_private=False))


@pytest.mark.parametrize(("target", "address"), [
    ("http://127.0.0.1/", "127.0.0.1"), ("http://192.168.0.1/admin", "192.168.0.1"),
    ("http://169.254.169.254/latest/meta-data/", "169.254.169.254"), ("http://[::1]/", "::1"),
    ("http://2130706433/", "127.0.0.1"), ("http://0177.0.0.1/", "127.0.0.1"), ("http://0/", "0.0.0.0"),
    ("http://0x7f.1/", "127.0.0.1"), ("http://[::ffff:127.0.0.1]/", "::ffff:127.0.0.1"),
    ("http://rebinding.example/again", "127.0.0.1"),
])
def test_a_redirect_home_is_not_followed_and_the_others_are_read(out_there: Config, feeds: FeedServer,
                                                                 target: str, address: str) -> None:
    start = "http://rebinding.example/bad" if "rebinding" in target else "http://mallory.example/bad"
    feeds.redirect("/bad", target, status=302, headers={"Connection": "close"})
    feeds.serve("/again", rss(item("")))
    fault, posts = met(out_there, feeds, url=lambda path: start if path == "/bad" else f"http://ada.example{path}")
    assert (fault, posts) == (f"address {address} is not public", [])
    assert sorted(feeds.paths) == ["/ada", "/bad", "/bob"]
    assert Fetching.blogs().where(Blog.name == "bad").get().fetching.fault_kind == "address"


@pytest.mark.slow
def test_a_document_that_would_be_read_for_hours_is_given_up(config, feeds):
    feeds.serve("/bad", rss(item(f"<author>{'a.' * 200_000}</author>")))
    assert met(config, feeds, most=30) == ("reading it took longer than 5 s", [])
    assert Fetching.blogs().where(Blog.name == "bad").get().fetching.fault_kind == "not_feed"


@pytest.mark.slow
def test_a_hundred_thousand_entries_are_cut_or_given_up(config, feeds):
    """As the machine is fast or slow; no blog has them."""
    feeds.serve("/bad", rss("".join(item(f"<guid>{number}</guid>") for number in range(100_000))))
    fault, posts = met(config, feeds, most=30)
    assert (fault, len(posts)) in (("", 500), ("reading it took longer than 5 s", 0))


def test_an_entry_that_no_parser_survives_is_lost_alone(config, feeds):
    place = "<r:where><g:Point srsName='urn:EPSG:abc'><g:pos>1 2</g:pos></g:Point></r:where>"
    document = rss(item("", "One") + item(place, "Two") + item("", "Three")).replace(
        b"<rss", b"<rss xmlns:r='http://www.georss.org/georss' xmlns:g='http://www.opengis.net/gml'")
    feeds.serve("/bad", document)
    fault, posts = met(config, feeds)
    assert (fault, [post.title for post in posts]) == ("", ["One", "Three"])


@pytest.mark.parametrize(("written", "stored"), [
    ("a\x07b\x00c", "abc"), ("a&#x1f;b", "a\ufffdb"), ("a\u202eb\u2066c\u200fd", "abcd"),
    ("a\ud800b", "a\ufffdb"),
])
def test_control_and_bidi_characters_are_not_stored(config, feeds, written, stored):
    feeds.serve("/bad", rss(item("", "X")).replace(b"X", written.encode("utf-8", "surrogatepass")))
    fault, posts = met(config, feeds)
    assert fault == ""
    assert posts[0].title.replace("\ufffd\ufffd\ufffd", "\ufffd") == stored


@pytest.mark.parametrize("declared", ["utf-8", "euc-kr", "iso-8859-1", "utf-16", "x-nonsense", "tis-620"])
@pytest.mark.parametrize("encoding", ["cp949", "utf-8"])
def test_a_wrong_charset_in_header_and_declaration_spoils_no_title(config, feeds, encoding, declared):
    document = f'<?xml version="1.0" encoding="{declared}"?>{rss(item("", "똠방각하, 펲시콜라")).decode()}'
    feeds.serve("/bad", document.encode(encoding), content_type=f"text/xml; charset={declared}")
    fault, posts = met(config, feeds)
    assert (fault, [post.title for post in posts]) == ("", ["똠방각하, 펲시콜라"])


def test_broken_utf_8_costs_its_letters(config, feeds):
    feeds.serve("/bad", rss(item("", "한국어 X 제목")).replace(b"X", b"\xff\xc0\x80"))
    fault, posts = met(config, feeds)
    assert fault == ""
    assert posts[0].title.replace("\ufffd", "") == "한국어  제목"


SIGHT = date(2026, 11, 21)
YESTERDAY = SIGHT - timedelta(days=1)


@pytest.mark.parametrize(("written", "day"), [
    ("0001-01-01T00:00:00Z", SIGHT), ("Mon, 01 Jan 0001 00:00:00 +0000", SIGHT),
    ("2999-12-31T00:00:00Z", SIGHT),
    ("9999-12-31T23:59:59-12:00", SIGHT), ("99999-01-01", SIGHT), ("9" * 5000, SIGHT), ("2026-11-99", SIGHT),
    ("2026. 11. 20.", YESTERDAY), ("2026.11.20 10:00", YESTERDAY), ("2026년 11월 20일", YESTERDAY),
    ("2026년 11월 20일 금요일 오후 11:58", YESTERDAY), ("2026-11-20 오후 1:2:3", YESTERDAY),
    ("2026/11/20", YESTERDAY), ("20 11월 2026 10:00", YESTERDAY),
    ("Fri, 20 Nov 2026 23:30:00 KST", YESTERDAY), ("2026-11-20 23:30", YESTERDAY), ("1795100400", YESTERDAY),
])
def test_a_date_that_cannot_be_is_that_of_first_sight_and_korean_ones_are_read(config, feeds, written, day):
    feeds.serve("/bad", rss(item(f"<pubDate>{written}</pubDate>")))
    fault, posts = met(config, feeds)
    assert (fault, [post.day for post in posts]) == ("", [day])
    assert posts[0].first_seen == NOW
