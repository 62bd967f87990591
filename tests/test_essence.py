"""What changes the essence of a document and what does not: made up, and over all real feeds."""
import re
import time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from devdigest.essence import essence
from devdigest.parse import Entry, NotAFeed, parse

FOLDER = Path(__file__).parents[2] / "shared" / "feeds" / "real"
SEOUL = ZoneInfo("Asia/Seoul")

RSS = """<rss version="2.0"><channel><title>Blog</title><lastBuildDate>Fri, 20 Nov 2026</lastBuildDate>
<item><title>one</title><link>https://a.example.org/1</link><guid>1</guid>
<pubDate>Thu, 19 Nov 2026 09:00:00 +0900</pubDate><description><![CDATA[<p>first</p>]]></description></item>
<item><title>two</title><link>https://a.example.org/2</link><guid>2</guid>
<dc:date>2026-11-18</dc:date><description>second</description></item></channel></rss>"""
JSON = """{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1", "title": "one",
"date_published": "2026-11-19T09:00:00+09:00", "content_text": "first"}]}"""


def of(document: str | bytes, content_type: str = "text/xml", url: str = "https://a.example.org/rss") -> str:
    return essence(document if isinstance(document, bytes) else document.encode(), content_type, url)


@pytest.mark.parametrize(("old", "new"), [
    ("Fri, 20 Nov 2026", "Sat, 21 Nov 2026 10:00:00 GMT"),
    ("Thu, 19 Nov 2026 09:00:00 +0900", ""),
    ("2026-11-18", "<![CDATA[2026-11-19]]>"),
    ("<item>", "<item><atom:updated>2026-11-21T00:00:00Z</atom:updated>"),
    ("<channel>", "<channel><generator uri='https://e.org' version='2'>Engine 2</generator><ttl>60</ttl>"),
    ("</rss>", "</rss><!-- made in 0.2 seconds -->"),
    ("<pubDate>", "<PUBDATE xml:lang='ko'>x</PUBDATE><pubDate>"),
])
def test_a_build_that_brings_nothing_new_leaves_it(old: str, new: str) -> None:
    assert of(RSS.replace(old, new)) == of(RSS)


@pytest.mark.parametrize(("old", "new"), [
    ("<guid>1<", "<guid>3<"), ("org/1<", "org/3<"), ("<title>one<", "<title>three<"), ("first", "First"),
    ("<title>Blog<", "<title>Log<"),
    ("</channel>", "<item><guid>3</guid></item></channel>"),
    ("</item>\n", "</item>\n<item><guid>3</guid></item>\n"),
    ("</item>\n", "</item>\n<!-- <item><guid>3</guid></item> -->\n"),
    # what only looks like a comment, or like a date, takes no entry with it
    ("<p>first</p>", "<p>first</p><!-- more"),
    ("2026-11-18", "2026-11-18<guid>3</guid>"),
])
def test_whatever_may_be_news_changes_it(old: str, new: str) -> None:
    assert of(RSS.replace(old, new, 1)) != of(RSS)


def test_an_entry_between_two_half_comments_is_seen() -> None:
    half = RSS.replace("<p>first</p>", "<!-- more").replace("second", "--> second")
    assert of(half.replace("</item>\n", "</item>\n<item><guid>3</guid></item>", 1)) != of(half)


def test_it_knows_the_dates_of_a_json_feed() -> None:
    assert of(JSON.replace("2026-11-19", "2026-11-20")) == of(JSON)
    assert of(JSON.replace('"content', '"date_modified": "2026-11-20","content')) == of(JSON)
    for old in ('"1"', "one", "first"):
        assert of(JSON.replace(old, '"2"' if old == '"1"' else "2")) != of(JSON)


def test_the_same_bytes_read_in_another_way_have_another() -> None:
    assert len({of(RSS), of(RSS, "text/xml; charset=euc-kr"), of(RSS, url="https://b.example.org/rss")}) == 3


@pytest.mark.parametrize("bomb", [b"<", b"<!--", b"<pubDate>", b"<updated a ", b"<a:", b"<pubDate><![CDATA["])
def test_its_time_is_linear(bomb: bytes) -> None:
    began = time.thread_time()
    of(bomb * (2_000_000 // len(bomb)))
    assert time.thread_time() - began < 1.5


def real() -> list[Path]:
    return sorted(path for path in FOLDER.rglob("*") if path.is_file() and path.suffix not in (".tsv", ".md"))


DATE = re.compile(rb"(<(?:\w+:)?(?:pubDate|date|updated|published|modified|lastBuildDate)>)[^<]+(</)")
needs_real_feeds = pytest.mark.skipif(not FOLDER.exists(), reason="the collection of real feeds is not here")


def told(body: bytes) -> list[tuple[str, str, str, str]] | None:
    """What makes posts of its entries, but for their dates; None for what is no feed."""
    def words(entry: Entry) -> tuple[str, str, str, str]:
        return entry.guid, entry.link, entry.title, entry.excerpt
    try:
        return [words(entry) for entry in parse(body, {}, "https://a.example.org/rss", SEOUL).entries]
    except NotAFeed:
        return None


@needs_real_feeds
@pytest.mark.parametrize("path", real(), ids=lambda path: path.name)
def test_other_dates_in_a_real_feed_leave_it_and_its_entries(path: Path) -> None:
    body = path.read_bytes()
    other = DATE.sub(rb"\g<1>Mon, 02 Jan 2006 15:04:05 GMT\2", body)
    end = other.rfind(b"</")
    other = other[:end] + b"<!-- made just now -->" + other[end:] if b"\0" not in other and end > 0 else other
    if other[:1] != b"{" and body[:2] not in (b"\x1f\x8b", b"\xff\xfe", b"\xfe\xff"):
        assert of(other) == of(body)
    if told(body) is not None:
        assert told(other) == told(body)


@needs_real_feeds
def test_no_two_real_documents_share_one_but_those_that_tell_the_same() -> None:
    """Above all the versions of one feed on successive days."""
    seen: dict[str, Path] = {}
    for path in real():
        body = path.read_bytes()
        if (other := seen.setdefault(of(body), path)) != path:
            assert told(other.read_bytes()) == told(body), (path, other)


@needs_real_feeds
@pytest.mark.parametrize("path", real(), ids=lambda path: path.name)
def test_other_words_in_a_real_feed_change_it(path: Path) -> None:
    body = path.read_bytes()
    for name in (rb"guid", rb"id", rb"link", rb"title", rb"description", rb"content"):
        for found in list(re.finditer(rb"<%s(?:\s[^<>]*)?>(?=[^<\s])" % name, body))[:20]:
            assert of(body[:found.end()] + b"x" + body[found.end():]) != of(body)
    for entry in list(re.finditer(rb"<(item|entry)[\s>].*?</\1>", body, re.DOTALL))[:20]:
        assert of(body[:entry.start()] + body[entry.end():]) != of(body)
