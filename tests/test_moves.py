"""Where a feed went: a page that came instead of it says so, and is believed once it said so often enough."""
import logging
import threading
from datetime import timedelta

import pytest
from conftest import NOW, a_blog
from feed_server import FeedServer

from devdigest.collect import collect
from devdigest.config import Config
from devdigest.fetching import Fetching
from devdigest.models import Blog, Post

pytestmark = pytest.mark.usefixtures("records")

RSS = b"""<rss version="2.0"><channel><title>Blog</title><item><title>one</title><guid>1</guid>
<pubDate>Fri, 20 Nov 2026 09:00:00 +0900</pubDate></item></channel></rss>"""
FIRST = NOW - timedelta(days=3)


def page(link: str) -> bytes:
    return f'<!doctype html><link rel="alternate" type="application/rss+xml" href="{link}">'.encode()


def served(feeds: FeedServer, link: str, **values: object) -> Blog:
    """A blog whose feed became a page that names another."""
    feeds.serve("/feed", page(link), "text/html", etag='"page"')
    feeds.serve("/new", RSS)
    return a_blog(feed=feeds.url("/feed"), **values)


def runs(config: Config, count: int) -> Blog:
    for number in range(count):
        collect(config, FIRST + number * timedelta(hours=6), threading.Event())
    return Fetching.blogs().get()


def test_a_feed_that_became_a_page_is_found_again_through_that_page(
        config: Config, feeds: FeedServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    served(feeds, "/new", etag='"feed"')
    blog = runs(config, 3)
    assert (blog.feed, blog.fetching.fault) == (feeds.url("/feed"), "an HTML page")
    assert feeds.paths == ["/feed"] * 3
    blog = runs(config, 1)
    now = blog.fetching
    assert (blog.feed, now.fault, now.failures, now.moved_to) == (feeds.url("/new"), "", 0, "")
    assert "If-None-Match" not in feeds.requests[-1][1]         # that of another document
    assert f"which says that it is at {feeds.url('/new')}: followed" in caplog.text
    assert [post.title for post in Post.of(blog)] == ["one"]
    runs(config, 1)
    assert feeds.paths == ["/feed"] * 3 + ["/new"] * 2


def test_a_page_that_changes_its_mind_is_not_believed(config: Config, feeds: FeedServer) -> None:
    for number, link in enumerate(("/new", "/new", "/other", "/new", "/new")):
        served(feeds, link) if number == 0 else feeds.serve("/feed", page(link), "text/html")
        runs(config, 1)
    assert set(feeds.paths) == {"/feed"}


def test_a_feed_that_came_back_stays_where_it_is(config: Config, feeds: FeedServer) -> None:
    served(feeds, "/new")
    runs(config, 2)
    feeds.serve("/feed", RSS)
    assert (runs(config, 1).fetching.moved_to, runs(config, 3).feed) == ("", feeds.url("/feed"))


@pytest.mark.parametrize("link", [
    "/feed",                                    # itself: an error page of the platform's, as a rule
    "/comments/feed",
    "http://elsewhere.example/rss",             # where a domain is sold, or a hoster says sorry
    "http://127.0.0.1:1/taken",
    "javascript:alert(1)", ""])
def test_not_every_link_of_a_page_is_the_blogs_feed(config: Config, feeds: FeedServer, link: str) -> None:
    served(feeds, link)
    a_blog("other", feed="http://127.0.0.1:1/taken", state="paused")
    assert (runs(config, 4).fetching.moved_to, set(feeds.paths)) == ("", {"/feed"})


@pytest.mark.parametrize(("status", "fault"), [(404, "HTTP 404 Not Found"), (410, "HTTP 410 Gone")])
def test_what_a_page_names_must_be_a_feed_and_if_not_the_blog_is_where_it_was(
        config: Config, feeds: FeedServer, status: int, fault: str) -> None:
    served(feeds, "/new")
    feeds.answer("/new", status)
    blog = runs(config, 4)
    assert (blog.feed, blog.state, blog.fetching.fault_kind) == (feeds.url("/feed"), "active", "not_feed")
    assert blog.fetching.fault == f"an HTML page; of the feed that it names, {feeds.url('/new')}: {fault}"
    runs(config, 1)
    assert feeds.paths[-1] == "/feed"


def test_a_feed_that_another_blog_took_meanwhile_is_not_followed(config: Config, feeds: FeedServer) -> None:
    served(feeds, "/new")
    runs(config, 3)
    a_blog("other", feed=feeds.url("/new"), state="excluded")
    blog = runs(config, 1)
    assert blog.feed == feeds.url("/feed")
    assert blog.fetching.fault.endswith("another blog's")


def test_a_page_at_the_end_of_a_redirect_is_asked_too(config: Config, feeds: FeedServer) -> None:
    served(feeds, "/new")
    feeds.redirect("/feed", "/home", status=302)
    feeds.serve("/home", page("/new"), "text/html")
    assert runs(config, 4).feed == feeds.url("/new")
