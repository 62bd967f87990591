"""Where a site's feed may lie."""
import time

import pytest

from devdigest.discover import GUESSES, feed_links, guesses, refusal

RSS = '<link rel="alternate" type="application/rss+xml" href="{}">'


@pytest.mark.parametrize(("html", "links"), [
    (RSS.format("https://example.org/rss"), ["https://example.org/rss"]),
    (RSS.format("/rss"), ["https://example.org/rss"]),
    (RSS.format("rss?a=1&amp;b=2"), ["https://example.org/ada/rss?a=1&b=2"]),
    ("<LINK REL='Alternate' TYPE='Application/Atom+XML; charset=utf-8' HREF=/atom>", ["https://example.org/atom"]),
    ("<link type=application/feed+json rel='home alternate' href=/feed.json />", ["https://example.org/feed.json"]),
    (RSS.format("/a") + RSS.format("/b") + RSS.format("/a"), ["https://example.org/a", "https://example.org/b"]),
    (RSS.format("/comments/feed") + RSS.format("/feed"),
     ["https://example.org/feed", "https://example.org/comments/feed"]),
    ("<link rel=alternate type=application/rss+xml title='글 » 댓글 피드' href=/c>" + RSS.format("/feed"),
     ["https://example.org/feed", "https://example.org/c"]),
    ("<base href='https://cdn.example.org/x/'>" + RSS.format("rss"), ["https://cdn.example.org/x/rss"]),
    (RSS.format("rss") + "<base href='/x/'><base href='/y/'>", ["https://example.org/x/rss"]),
    ("<base href='javascript:1'>" + RSS.format("rss"), ["https://example.org/ada/rss"]),
])
def test_a_page_names_its_feeds(html, links):
    assert feed_links(html, "https://example.org/ada/") == links
    assert feed_links(html.encode(), "https://example.org/ada/") == links


@pytest.mark.parametrize("html", [
    "", "no page at all", "<p>" + "x" * 1000,
    RSS.format(""), RSS.format("javascript:alert(1)"), RSS.format("file:///etc/passwd"),
    "<!-- " + RSS.format("/rss") + " -->",
    "<script>document.write('" + RSS.format("/rss") + "')</script>",
    "<link rel=stylesheet type=application/rss+xml href=/rss>",
    "<link rel=alternate type=text/html hreflang=en href=/en>",
    "<link rel=alternate type=application/json href=/wp-json/wp/v2/pages/2>",
    "<link rel=alternate type=application/rss+xml>",
])
def test_what_is_no_feed_of_the_page_is_not_named(html):
    assert feed_links(html, "https://example.org/") == []


def test_a_page_in_another_encoding_still_names_its_feed():
    page = "<title>개발 블로그</title>" + RSS.format("/rss")
    assert feed_links(page.encode("euc-kr"), "https://example.org/") == ["https://example.org/rss"]


@pytest.mark.parametrize("end", ["<![foo[ x ]]>", "<![ endif]>", "<!['", "<![\ufffd["])
def test_what_no_browser_minds_in_a_page_takes_nothing_from_what_it_named(end):
    assert feed_links(RSS.format("/rss") + end, "https://example.org/") == ["https://example.org/rss"]


@pytest.mark.parametrize("piece", ["<!--", "<", "<a ", "<!", "<?", "&", "<![CDATA[", "</a ", "<a b='"])
def test_a_hostile_page_does_not_hold_us_up(piece):
    began = time.process_time()
    assert feed_links(piece * (1_000_000 // len(piece)), "https://example.org/") == []
    assert time.process_time() - began < 5


@pytest.mark.parametrize(("page", "feed"), [
    ("https://velog.io/@ada", "https://v2.velog.io/rss/ada"),
    ("https://velog.io/@ada/posts?tag=x", "https://v2.velog.io/rss/ada"),
    ("https://medium.com/@ada", "https://medium.com/feed/@ada"),
    ("https://medium.com/some-team", "https://medium.com/feed/some-team"),
    ("https://blog.naver.com/ada", "https://rss.blog.naver.com/ada.xml"),
    ("https://m.blog.naver.com/ada/221", "https://rss.blog.naver.com/ada.xml"),
])
def test_a_platform_has_one_place_for_a_feed(page, feed):
    assert guesses(page) == [feed]


@pytest.mark.parametrize(("page", "places"), [
    ("https://example.org", ["https://example.org"]),
    ("https://example.org/?page=2#top", ["https://example.org"]),
    ("https://example.org/blog/", ["https://example.org/blog", "https://example.org"]),
    ("https://example.org:8443/blog/index.html", ["https://example.org:8443/blog", "https://example.org:8443"]),
])
def test_elsewhere_the_usual_places_are_worth_asking(page, places):
    assert guesses(page) == [place + path for place in places for path in GUESSES]


@pytest.mark.parametrize(("url", "reason"), [
    ("https://example.org/feed", ""),
    ("http://8.8.8.8/feed", ""),
    ("HTTPS://[2606:4700::1]/feed", ""),
    ("http://ada.example/feed", ""),        # a name: judged by its addresses when it is asked
    ("http://localhost/feed", "name of a network at home"),
    ("http://nas.local./feed", "name of a network at home"),
    ("", "not an http(s) URL"),
    ("example.org/feed", "not an http(s) URL"),
    ("feed://example.org/rss", "not an http(s) URL"),
    ("https://ada:secret@example.org/", "not an http(s) URL"),
    ("http://[::1", "not an http(s) URL"),
    ("http://", "no host"),
    ("https:///feed", "no host"),
    ("http://:80/feed", "no host"),
    ("http://127.0.0.1/feed", "private address"),
    ("http://192.168.0.1:8080/feed", "private address"),
    ("http://169.254.169.254/latest/meta-data", "private address"),
    ("http://[::1]/feed", "private address"),
    ("http://[::ffff:10.0.0.1]/feed", "private address"),
    ("https://example.org/" + "a" * 2000, "URL longer than 2000"),
])
def test_a_url_that_cannot_be_a_feed_is_refused_with_the_reason(url, reason):
    assert refusal(url) == reason


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/feed", "http://[::1]/feed", "http://nas.local/"])
def test_the_own_network_may_be_allowed(url):
    assert refusal(url, allow_private=True) == ""
