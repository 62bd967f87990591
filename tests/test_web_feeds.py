"""The feeds of ours, the sitemap and robots.txt: read back by those who read such things."""
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from html.parser import HTMLParser
from urllib.parse import urlsplit
from urllib.robotparser import RobotFileParser
from xml.etree import ElementTree

import feedparser
import pytest
from conftest import NOW, a_blog
from web_site import TODAY, Visitor, a_post, a_week, an_issue, visiting

from devdigest.config import Config
from devdigest.models import Issue

SITE = "https://digest.example.org"
ATOM = "{http://www.w3.org/2005/Atom}"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
EVIL = '<script>alert("1")</script>&amp;]]>\x01\x08\ufffe\uffff\x7f{{7*7}}'      # four that XML 1.0 lacks
SEEN = '<script>alert("1")</script>&amp;]]>{{7*7}}'

# How many times an element may stand in another (RFC 4287, 4.1.1 and 4.1.2), where it has text that must be.
FEED = {"id": (1, 1), "title": (1, 1), "updated": (1, 1), "author": (1, 1), "subtitle": (0, 1),
        "link": (1, 9), "entry": (0, 20)}
ENTRY = {"id": (1, 1), "title": (1, 1), "updated": (1, 1), "published": (0, 1), "content": (1, 1),
         "link": (1, 9)}


@pytest.fixture
def visitor(config: Config, records: None) -> Iterator[Visitor]:
    with visiting(replace(config, site=replace(config.site, url=SITE))) as visitor:
        yield visitor


def conforms(element: ElementTree.Element, allowed: dict[str, tuple[int, int]]) -> None:
    """Only what Atom allows here, as often as it does, and links that are one of each kind."""
    names = [child.tag.removeprefix(ATOM) for child in element]
    assert set(names) <= set(allowed)
    for name, (least, most) in allowed.items():
        assert least <= names.count(name) <= most, name
    for name in {"id", "title", "updated", "published"} & set(names):
        assert element.findtext(ATOM + name).strip()
    for name in {"updated", "published"} & set(names):
        said = element.findtext(ATOM + name)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", said)       # RFC 3339
    assert urlsplit(element.findtext(ATOM + "id")).scheme == "https"
    kinds = [(link.get("rel"), link.get("type")) for link in element.findall(ATOM + "link")]
    assert len(kinds) == len(set(kinds))
    assert ("alternate", "text/html") in kinds


class Content(HTMLParser):
    """The links of an entry as (target, words); any element that is none of ours fails."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[tuple[str, str]] = []
        self._within = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ("h3", "ul", "li", "a", "br", "p"), tag
        if tag == "a":
            self.links.append((str(dict(attrs)["href"]), ""))
        self._within = tag == "a"

    def handle_endtag(self, tag: str) -> None:
        self._within = False

    def handle_data(self, data: str) -> None:
        if self._within:
            target, words = self.links[-1]
            self.links[-1] = target, words + data


def links(html: str) -> list[tuple[str, str]]:
    return Content(html).links


def test_the_feed_is_an_atom_feed_as_the_standard_wants_it(visitor: Visitor) -> None:
    a_week()
    root = ElementTree.fromstring(visitor.get("/feed.xml").content)
    assert (root.tag, root.get(LANG)) == (f"{ATOM}feed", "ko")
    conforms(root, FEED)
    entries = root.findall(f"{ATOM}entry")
    for entry in entries:
        conforms(entry, ENTRY)
        assert entry.find(f"{ATOM}content").get("type") == "html"
    assert root.findtext(f"{ATOM}author/{ATOM}name") == "DevDigest"
    assert root.find(f"{ATOM}link[@rel='self']").get("href") == f"{SITE}/feed.xml"
    assert len({entry.findtext(f"{ATOM}id") for entry in entries}) == len(entries) == 2


def test_a_feed_reader_is_given_an_entry_for_each_issue_with_posts(visitor: Visitor) -> None:
    a_week()
    read = feedparser.parse(visitor.get("/feed.xml").content)
    assert (read.bozo, read.version, read.feed.title) == (False, "atom10", "DevDigest")
    assert [(entry.id, entry.link, entry.title) for entry in read.entries] == [
        (f"{SITE}/issues/2026-11-21", f"{SITE}/issues/2026-11-21", "11월 20일 금요일, 개발 블로그 글 6편"),
        (f"{SITE}/issues/2026-11-19", f"{SITE}/issues/2026-11-19", "11월 18일 수요일, 개발 블로그 글 1편")]
    assert read.entries[0].updated == read.feed.updated == "2026-11-21T00:00:00Z"
    content = read.entries[0].content[0].value
    assert links(content)[0] == ("https://example.org/1", "결제 서버의 p99를 절반으로 줄인 커넥션 풀 이야기")
    assert re.findall("<h3>(.*?)</h3>", content) == [
        "팀 블로그", "개인 블로그", "해외 블로그", "늦게 찾은 글"]
    assert "데이터베이스 노트 · 11월 17일 · 4분" in content


def test_the_json_feed_says_the_same(visitor: Visitor) -> None:
    a_week()
    said = visitor.get("/feed.json").json()
    read = feedparser.parse(visitor.get("/feed.xml").content)
    assert said["version"] == "https://jsonfeed.org/version/1.1"
    assert (said["title"], said["home_page_url"], said["feed_url"], said["language"]) == (
        "DevDigest", f"{SITE}/", f"{SITE}/feed.json", "ko")
    assert [(item["id"], item["url"], item["title"], item["date_published"]) for item in said["items"]] == [
        (entry.id, entry.link, entry.title, entry.published) for entry in read.entries]
    assert [links(item["content_html"]) for item in said["items"]] == [
        links(entry.content[0].value) for entry in read.entries]


@pytest.mark.parametrize(("path", "kind"), [("/feed.xml", "application/atom+xml"),
                                            ("/feed.json", "application/feed+json")])
def test_a_feed_is_fetched_again_only_when_there_is_a_new_issue(visitor: Visitor, path: str,
                                                                kind: str) -> None:
    an_issue(a_post(a_blog(), "글"))
    first = visitor.get(path)
    assert first.headers["Content-Type"] == f"{kind}; charset=utf-8"
    assert first.headers["Cache-Control"] == "public, max-age=300"
    assert first.headers["Last-Modified"] == "Sat, 21 Nov 2026 00:00:00 GMT"
    again = visitor.get(path, If_None_Match=first.headers["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    dated = visitor.get(path, If_Modified_Since=first.headers["Last-Modified"])     # some know no ETag
    assert (dated.status_code, dated.content) == (304, b"")
    an_issue(a_post(a_blog("other"), "새 글", TODAY), day=date(2026, 11, 22), created=NOW + timedelta(days=1))
    time.sleep(1.1)         # an answer that is kept may lag a second behind
    new = visitor.get(path, If_None_Match=first.headers["ETag"])
    assert "새 글" in new.text
    assert visitor.get(path, If_Modified_Since=first.headers["Last-Modified"]).status_code == 200
    assert new.headers["Last-Modified"] == "Sun, 22 Nov 2026 00:00:00 GMT"


def test_a_feed_is_one_document_whatever_language_its_reader_asks_for(visitor: Visitor) -> None:
    a_week()
    for path in ("/feed.xml", "/feed.json"):
        korean, english = (visitor.get(path, Accept_Language=language) for language in ("ko", "en"))
        assert (korean.content, korean.headers["ETag"]) == (english.content, english.headers["ETag"])
        assert english.headers["Content-Language"] == "ko"


def test_what_a_blog_says_is_text_in_our_feeds_and_nothing_that_xml_cannot_hold(visitor: Visitor) -> None:
    an_issue(a_post(a_blog(name=EVIL), EVIL, url="https://example.org/?a=1&b=<'\">"),
             a_post(a_blog("other"), "javascript", url="javascript:alert(1)"))
    read = feedparser.parse(visitor.get("/feed.xml").content, sanitize_html=False)
    assert not read.bozo
    for content in (read.entries[0].content[0].value,
                    visitor.get("/feed.json").json()["items"][0]["content_html"]):
        assert links(content) == [("https://example.org/?a=1&b=%3C'%22%3E", SEEN)]
        assert "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;amp;" in content


def test_a_feed_has_the_twenty_newest_issues_and_no_weekly_one(visitor: Visitor) -> None:
    blog = a_blog()
    for back in range(25):
        day = TODAY - timedelta(days=back)
        post = a_post(blog, f"글 {back}", day - timedelta(days=1))
        an_issue(post, day=day)
    an_issue(post, day=date(2026, 11, 23), kind="weekly")
    read = feedparser.parse(visitor.get("/feed.xml").content)
    assert [entry.id[-10:] for entry in read.entries] == [
        str(TODAY - timedelta(days=back)) for back in range(20)]


def test_an_issue_with_very_many_posts_leads_to_its_page_for_the_rest(visitor: Visitor) -> None:
    blog = a_blog()
    an_issue(*(a_post(blog, f"글 {number}") for number in range(130)))
    found = links(feedparser.parse(visitor.get("/feed.xml").content).entries[0].content[0].value)
    assert len(found) == 101
    assert found[-1] == (f"{SITE}/issues/2026-11-21", "웹에서 30편 더 보기")


def test_there_is_a_feed_before_there_is_an_issue(visitor: Visitor) -> None:
    answer = visitor.get("/feed.xml")
    conforms(ElementTree.fromstring(answer.content), FEED)
    assert feedparser.parse(answer.content).bozo is False
    assert visitor.get("/feed.json").json()["items"] == []


def test_every_page_leads_to_the_feeds(visitor: Visitor) -> None:
    a_week()
    for path in ("/", "/issues/2026-11-21", "/blogs/2", "/nowhere"):
        assert re.findall(r'<link rel="alternate" type="(.*?)" title=".*?" href="(.*?)">',
                          visitor.get(path).text) == [("application/atom+xml", "/feed.xml"),
                                                      ("application/feed+json", "/feed.json")]


# the sitemap and robots.txt

def test_the_sitemap_names_every_page_that_stays_and_each_is_there(visitor: Visitor) -> None:
    a_week()
    Issue.create(kind="weekly", day=date(2026, 11, 16), created=NOW, state="published")
    root = ElementTree.fromstring(visitor.get("/sitemap.xml").content)
    found = [loc.text.removeprefix(SITE) for loc in root.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    assert {"/", "/about", "/issues/", "/issues/2026-11", "/issues/2026-11-19", "/popular/2026-11-16",
            "/blogs/1", "/blogs/6"} <= set(found)
    assert "/blogs/7" not in found                      # left out on request
    assert len(found) == len(set(found))
    for path in found:
        page = visitor.get(path)
        assert (page.status_code, path) == (200, path)
        assert f'<link rel="canonical" href="{SITE}{path}">' in page.text, path


def test_search_engines_leave_alone_what_is_for_readers(visitor: Visitor) -> None:
    robots = visitor.get("/robots.txt")
    assert robots.headers["Content-Type"] == "text/plain; charset=utf-8"
    rules = RobotFileParser()
    rules.parse(robots.text.splitlines())
    assert rules.site_maps() == [f"{SITE}/sitemap.xml"]
    for path in ("/go/1", "/u/1-x", "/manage/1-x", "/confirm/x", "/account/x", "/search?q=x"):
        assert not rules.can_fetch("Anybot", SITE + path), path
    for path in ("/", "/issues/2026-11-21", "/blogs/2", "/about", "/feed.xml", "/stats"):
        assert rules.can_fetch("Anybot", SITE + path), path
