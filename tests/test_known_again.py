"""A feed of which most is stored already, through the collector over sockets: only the rest is read."""
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from conftest import NOW
from feed_server import FeedServer
from test_collect import again, item, last, rss, run, served

from devdigest import bulk, wear
from devdigest.config import Config
from devdigest.feed import Feed
from devdigest.fetch import Fetched
from devdigest.fetching import Fetching
from devdigest.lanes import Answer, Ask
from devdigest.models import Blog, Post, Verdict
from devdigest.outcomes import Batch, read
from devdigest.parsing import Parser

pytestmark = pytest.mark.usefixtures("records")

SEOUL = ZoneInfo("Asia/Seoul")
SITE = "<link>https://blog.example.org/</link>"
LATER = NOW + timedelta(hours=6)


def told(blog: Blog, document: bytes) -> Feed:
    """What the parser tells of a document of which the blog's posts are known."""
    with Parser(SEOUL) as parser:
        return parser.parse(document, {}, blog.feed, bulk.likenesses(blog.id))


def known(blog: Blog, document: bytes) -> list[bool]:
    return [entry.is_known for entry in told(blog, document).entries]


def test_all_that_was_stored_is_known_again(config: Config, feeds: FeedServer) -> None:
    link = "<link>https://blog.example.org/글?utm_source=rss</link>"
    odd = [f"{link}<guid>a</guid><title>&lt;b&gt;굵은&lt;/b&gt; 글</title><pubDate>2026-11-20</pubDate>",
           f"{link}<guid>b</guid><title>undated</title>", f"{link}<guid>{'x' * 900}</guid>",
           f"{link}<guid>c</guid><title>exact</title><pubDate>2026-11-20T01:02:03.000456Z</pubDate>",
           f"{link}<guid>same</guid><title>one</title>", f"{link}<guid>same</guid><title>two</title>",
           "<link>/relative</link>", "<guid>https://blog.example.org/guid</guid>"]
    document = rss(SITE, item("one"), *(f"<item>{inside}</item>" for inside in odd))
    feeds.serve("/rss", document)
    blog = served(feeds)
    assert run(config).posts == len(odd) + 1
    assert known(blog, document) == [True] * (len(odd) + 1)


def test_a_date_that_cannot_be_is_read_each_time(config: Config, feeds: FeedServer) -> None:
    document = rss(SITE, item("one"), item("ahead", "Fri, 20 Nov 2099 09:00:00 +0900"))
    feeds.serve("/rss", document)
    blog = served(feeds)
    run(config)
    assert known(blog, document) == [True, False]


def test_the_one_new_entry_is_stored_with_all_that_it_has(config: Config, feeds: FeedServer) -> None:
    feeds.serve("/rss", rss(SITE, item("one"), item("two")))
    blog = served(feeds)
    run(config)
    new = item("three").replace("</item>", "<description>세 번째 글의 요약</description>"
                                           "<category>Java</category></item>")
    feeds.serve("/rss", rss(SITE, new, item("one"), item("two")))
    assert run(config, LATER).posts == 1
    post = Post.of(blog)[-1]
    assert (post.title, post.excerpt, post.tags, post.day, post.verdict) == (
        "three", "세 번째 글의 요약", "Java", date(2026, 11, 20), Verdict.NEWS)
    assert (last(blog).fault, last(blog).read) == ("", LATER)


@pytest.mark.parametrize(("change", "posts"), [
    (("<title>one", "<title>renamed"), 0), (("09:00:00", "10:00:00"), 0),
    (("<guid>one", "<guid>other"), 1)])
def test_an_edit_is_judged_as_if_all_had_been_read(config: Config, feeds: FeedServer, change: tuple[str, str],
                                                   posts: int) -> None:
    feeds.serve("/rss", rss(SITE, item("one"), item("two")))
    blog = served(feeds)
    run(config)
    edited = rss(SITE, item("one").replace(*change), item("two"))
    feeds.serve("/rss", edited)
    assert known(blog, edited) == [False, True]
    assert run(config, LATER).posts == posts
    assert [post.verdict for post in Post.of(blog)] == [Verdict.NEWS] * 2 + [Verdict.COPY] * posts


def test_where_no_site_is_known_the_head_of_the_document_is_read(config: Config, feeds: FeedServer) -> None:
    feeds.serve("/rss", rss(item("one")))
    blog = served(feeds, site="")
    run(config)
    assert again(blog).site == ""
    feeds.serve("/rss", rss(SITE, item("one")))
    run(config, LATER)
    assert again(blog).site == "https://blog.example.org/"


def test_posts_that_go_while_their_feed_is_read_are_not_stored_without_their_text(
        config: Config, feeds: FeedServer) -> None:
    text = item("one").replace("</item>", "<description>요약</description></item>")
    document = rss(SITE, text, item("two"))
    feeds.serve("/rss", document, etag='"1"')
    blog = served(feeds)
    run(config)
    fetched = Fetched(status=200, url=blog.feed, headers={}, body=document, etag='"2"')
    with Parser(SEOUL) as parser:
        outcome = read(Answer(Ask(blog.id, blog.feed), fetched, None), parser, LATER)
    Post.delete().where(Post.guid == "one").execute()
    batch = Batch(config, LATER, past=False, wal=wear.Log(config.database.path))
    batch.add(outcome)
    assert batch.end() == 0
    assert last(blog).fault.startswith("cannot be stored: its posts were changed while it was read")
    assert [post.title for post in Post.of(blog)] == ["two"]
    feeds.serve("/rss", document + b"\n<!-- -->\n", etag='"2"')
    assert last(blog).etag == '"1"'
    Fetching.update(essence="").execute()       # as where another document had been read before
    assert run(config, LATER + timedelta(hours=6)).posts == 1
    assert [(post.title, post.excerpt) for post in Post.of(blog)] == [("two", ""), ("one", "요약")]
    assert last(blog).fault == ""
