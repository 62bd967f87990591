"""What a feed gives now, and its posts' verdicts: foretold as a collect then decides; nothing is stored."""
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from conftest import NOW, a_blog, noted
from feed_server import FeedServer

from devdigest import examined, lanes, urls
from devdigest.collect import collect
from devdigest.config import Config
from devdigest.examine import Asked, Contents, Examined, Fate, examine
from devdigest.fetch import FAULTS, Fetcher, FetchError
from devdigest.memory import Operator
from devdigest.models import Blog, Issue, IssuePost, Post, Verdict
from devdigest.parsing import Limits, Parser
from devdigest.publish import publish
from devdigest.table import db

pytestmark = pytest.mark.usefixtures("records")

DAY = timedelta(days=1)
YESTERDAY, EARLIER = NOW - timedelta(hours=20), NOW - timedelta(hours=30)     # both Friday, as NOW's eve
SITE = "https://ada.example.org"


@pytest.fixture
def fetcher(config: Config) -> Iterator[Fetcher]:
    with lanes.fetcher(config) as fetcher:
        yield fetcher


@pytest.fixture
def look(config: Config, fetcher: Fetcher, parser: Parser):
    def look(url: str, blog: Blog | None = None, stop: threading.Event | None = None) -> Examined:
        return examine(url, blog, fetcher, parser, config, NOW, stop or threading.Event())
    return look


def item(name: str, when: datetime | None = None, guid: str = "", link: str = "") -> str:
    dated = f"<pubDate>{when:%a, %d %b %Y %H:%M:%S +0000}</pubDate>" if when else ""
    return (f"<item><title>{name}</title><guid>{guid or name}</guid><link>{link or f'{SITE}/{name}'}</link>"
            f"{dated}</item>")


def rss(*items: str) -> bytes:
    return (f"<rss version='2.0'><channel><title>Ada</title><link>{SITE}/</link>{''.join(items)}"
            "</channel></rss>").encode()


def page(*links: str) -> bytes:
    return ("<!doctype html><title>Ada</title>" + "".join(
        f"<link rel=alternate type=application/rss+xml href='{link}'>" for link in links)).encode()


def listed(feeds: FeedServer, path: str = "/rss", site: str = f"{SITE}/", **values: object) -> Blog:
    """A blog on the list that was never read."""
    feed = feeds.url(path)
    key = urls.canonical(feed)
    return a_blog(path.strip("/"), **{"feed": feed, "feed_key": key, "listed_key": key, "site": site,
                                     "site_key": urls.canonical(site), "first_read": None, "read": None}
                  | values)


def stopped() -> threading.Event:
    stop = threading.Event()
    stop.set()
    return stop


def told(found: Examined, config: Config) -> list[str]:
    return "\n".join(examined.lines(found, config, NOW)).splitlines()


def verdicts(fates: Sequence[Fate]) -> dict[str, Verdict]:
    return {fate.title: fate.verdict for fate in fates}


# What is asked

BOMB = f"<rss version='2.0'><channel><item><author>{'a.' * 200_000}</author></item></channel></rss>".encode()


def test_a_document_that_would_be_read_for_hours_is_told_as_one(feeds: FeedServer, config: Config,
                                                                fetcher: Fetcher) -> None:
    feeds.serve("/rss", BOMB)
    with Parser(config.site.timezone, Limits(seconds=1)) as strict:
        [one] = examine(feeds.url("/rss"), None, fetcher, strict, config, NOW, stopped()).asked
    assert (one.fault.reason, one.fault.kind) == ("reading it took longer than 1 s", "not_feed")


def test_a_blog_that_fails_is_told_with_when_it_is_asked_next_and_who_wants_patience(
        feeds: FeedServer, look, config: Config) -> None:
    def line(state: str = "active", **values: object) -> list[str]:
        Blog.update(state=state).execute()
        found = look(blog.feed, noted(blog, **values))
        facts = re.split(r"\n(?=\S)", "\n".join(told(found, config)))
        return [" ".join(fact.split()) for fact in facts if fact.startswith("asked next")]

    feeds.answer("/rss", 500)
    blog, later = listed(feeds), NOW + timedelta(minutes=20)
    assert line() == []
    assert line(fault="timeout", not_before=later) == ["asked next 2026-11-21 09:20"]
    assert line(asked_to_wait=True) == ["asked next 2026-11-21 09:20; its server wants to be left alone "
                                        "until 2026-11-21 09:20"]
    Operator.leave_alone("127.0.0.1", 1.0, NOW + timedelta(minutes=50))
    assert line(asked_to_wait=False) == ["asked next 2026-11-21 09:50; 127.0.0.1 is left alone "
                                         "until 2026-11-21 09:50"]
    assert line(state="paused") == []


def test_a_feed_is_told_with_what_its_server_says_of_it(feeds: FeedServer, look, config: Config) -> None:
    body = rss(item("one", YESTERDAY))
    feeds.serve("/rss", body, etag='"1"', gzip=True)
    found = look(feeds.url("/rss"))
    assert found.contents == Contents(entries=1, newest=date(2026, 11, 20), undated=0, shared=0)
    assert (found.blog, found.tried, len(found.asked)) == (None, 0, 1)
    lines = told(found, config)
    answer = " ".join(" ".join(lines[2:4]).split())
    assert f"HTTP 200, application/rss+xml; charset=utf-8, {len(body)} bytes out of gzip, 0." in answer
    assert [len(line) <= 80 for line in lines] == [True] * len(lines)
    assert "validators   ETag" in lines
    assert "entries      1, newest 2026-11-20, 1 day old" in lines
    assert lines[-1] == f"→ `devdigest blogs add {feeds.url('/rss')}` puts it on the list"


@pytest.mark.parametrize(("status", "then", "kind"), [
    (301, None, "permanent"), (302, None, "temporary"), (308, 307, "mixed"), (302, 301, "temporary")])
def test_redirects_are_told_apart(feeds: FeedServer, look, status: int, then: int | None, kind: str) -> None:
    feeds.redirect("/old", "/between" if then else "/rss", status)
    feeds.redirect("/between", "/rss", then or 302)
    feeds.serve("/rss", rss(item("one")))
    found = look(feeds.url("/old")).found
    assert found.redirect == kind
    assert found.fetched.url == feeds.url("/rss")


def test_a_page_leads_to_the_feed_that_it_names(feeds: FeedServer, look) -> None:
    feeds.serve("/", page("/", "/gone.xml", "/rss"), "text/html")
    feeds.serve("/rss", rss(item("one")))
    found = look(feeds.url("/"))
    assert (found.found.url, found.tried) == (feeds.url("/rss"), 2)
    assert [one.fault.kind for one in found.asked] == ["not_feed"]


def test_a_page_with_a_thousand_links_is_not_followed_to_all(feeds: FeedServer, look, config: Config) -> None:
    feeds.serve("/", page(*(f"/{number}" for number in range(1000))), "text/html")
    found = look(feeds.url("/"))
    assert (found.found, found.tried, len(feeds.requests)) == (None, 16, 17)
    assert "then    16 places where a feed may be, in vain" in told(found, config)


def test_a_stop_ends_the_search(feeds: FeedServer, look) -> None:
    stop = threading.Event()
    stop.set()
    feeds.serve("/", page("/rss"), "text/html")
    assert look(feeds.url("/"), stop=stop).found is None
    assert feeds.paths == ["/"]


@pytest.mark.parametrize("is_listed", [False, True])
def test_between_two_requests_there_is_the_gap(feeds: FeedServer, config: Config, fetcher: Fetcher,
                                               parser: Parser, is_listed: bool) -> None:
    feeds.serve("/", page("/rss"), "text/html")
    feeds.serve("/rss", rss(item("one")))
    blog = listed(feeds, "/", site=feeds.url("/site")) if is_listed else None
    slow = replace(config, collect=replace(config.collect, gap=30.0))
    stop = threading.Event()
    timer = threading.Timer(0.2, stop.set)
    timer.start()
    assert examine(feeds.url("/"), blog, fetcher, parser, slow, NOW, stop).found is None
    timer.join()
    assert feeds.paths == ["/"]


def test_the_feed_of_a_blog_that_moved_is_sought_from_its_site(feeds: FeedServer, look,
                                                               config: Config) -> None:
    feeds.serve("/site", page("/new"), "text/html")
    feeds.serve("/new", rss(item("one")))
    blog = listed(feeds, site=feeds.url("/site"))
    found = look(blog.feed, blog)
    assert feeds.paths == ["/rss", "/site", "/new"]
    assert found.is_elsewhere
    assert told(found, config)[-1].startswith(f"→ `devdigest blogs add {feeds.url('/new')}`")


@pytest.mark.parametrize("status", [403, 429, 500])
def test_a_server_in_trouble_is_not_asked_for_more(feeds: FeedServer, look, status: int) -> None:
    feeds.answer("/rss", status)
    blog = listed(feeds, site=feeds.url("/site"))
    assert look(blog.feed, blog).found is None
    assert feeds.paths == ["/rss"]


@pytest.mark.parametrize("moved", [{}, {"feed": "https://new.example.org/", "feed_key": "new.example.org"}])
def test_a_page_of_a_blog_on_the_list_is_known_by_its_feed(feeds: FeedServer, look, config: Config,
                                                           moved: dict[str, str]) -> None:
    feeds.serve("/post", page("/rss"), "text/html")
    feeds.serve("/rss", rss(item("one")))
    blog = listed(feeds, **moved)
    found = look(feeds.url("/post"))
    assert (found.blog, found.is_elsewhere) == (blog, False)
    assert told(found, config)[-1] == "→ nothing to do"


@pytest.mark.parametrize("kind", FAULTS)
def test_each_fault_comes_with_its_cure(config: Config, kind: str) -> None:
    fault = FetchError(f"{SITE}/rss", "the reason", kind)
    lines = told(Examined([Asked(fault.url, fault=fault)], 0, None, None, None, ()), config)
    assert lines[1] == "answer  the reason, 0.0 s"
    assert len(lines[-1]) > 20


def test_what_a_server_sends_does_not_steer_the_terminal(feeds: FeedServer, look, config: Config) -> None:
    feeds.answer("/type", 200, {"Content-Type": "text/\x1b[2Jxml"}, rss(item("one")))
    feeds.answer("/moved", 301, {"Location": "ftp://\x1b[2Jada"})
    for path, words in (("/type", "text/[2Jxml"), ("/moved", "redirects to ftp://[2Jada")):
        lines = "\n".join(told(look(feeds.url(path)), config))
        assert "\x1b" not in lines
        assert words in lines


# What its posts get

def test_the_newest_ten_are_told_newest_first(feeds: FeedServer, look) -> None:
    days = [3, 1, 4, 15, 9, 2, 6, 5, 35, 8, 7, 93]
    feeds.serve("/rss", rss(*(item(f"{day}", NOW - day * DAY) for day in days)))
    newest = [fate.title for fate in look(feeds.url("/rss")).fates]
    assert newest == ["1", "2", "3", "4", "5", "6", "7", "8", "9", "15"]


def test_entries_without_a_date_or_guid_of_their_own_are_counted(feeds: FeedServer, look) -> None:
    never = [datetime(year, 1, 1, tzinfo=UTC) for year in (1000, 2999)]
    feeds.serve("/rss", rss(item("one", guid="x"), *[item("two", YESTERDAY, guid="y")] * 2,
                            *(item(f"of {when.year}", when) for when in never)))
    found = look(feeds.url("/rss"))
    assert found.contents == Contents(entries=5, newest=date(2026, 11, 20), undated=3, shared=2)
    assert [(fate.title, fate.dated) for fate in found.fates if fate.dated] == [("two", True)]
    assert len(found.fates) == 4        # one stands in it twice


WAS = [item(f"was {number}", NOW - 3 * DAY - timedelta(minutes=number)) for number in range(6)]
BOBS = "https://bob.example.org/bobs"
# what stood in the feed on the day before, what stands in it now, and what that is
READS = {
    "a first read": ([], [item("new", YESTERDAY), item("undated"), item("old", NOW - 2 * DAY)],
                     {"new": "news", "undated": "history", "old": "history"}),
    "a later read": ([item("one", NOW - 3 * DAY)],
                     [item("new", YESTERDAY), item("one", NOW - 3 * DAY), item("late", NOW - 2 * DAY),
                      item("undated"), item("ancient", NOW - 50 * DAY)],
                     {"new": "news", "late": "news", "undated": "news", "ancient": "too_old"}),
    "a guid made anew": ([item("one", EARLIER)], [item("one", EARLIER, guid="other")], {"one": "copy"}),
    "a moved blog": ([item("last", EARLIER)], WAS, {f"was {number}": "held" for number in range(6)}),
    "another's article": ([item("last", NOW - 5 * DAY)], [item("bobs", YESTERDAY, link=BOBS)],
                          {"bobs": "copy"}),
    "an article that another took": ([item("last", NOW - 5 * DAY)], [item("taken", YESTERDAY)],
                                     {"taken": "news"}),
}


@pytest.mark.parametrize("read", READS)
def test_what_is_foretold_is_what_the_next_collect_decides(feeds: FeedServer, look, config: Config,
                                                           read: str) -> None:
    before, after, expected = READS[read]
    blog = listed(feeds, state="active" if before else "paused")
    feeds.serve("/rss", rss(*before))
    feeds.serve("/bob", rss(item("bobs", EARLIER, link=BOBS), item("taken", EARLIER, link=f"{SITE}/taken")))
    listed(feeds, "/bob", site="https://bob.example.org/")
    collect(config, NOW - DAY, threading.Event())
    known = {post.id for post in Post.of(blog)}
    Blog.update(state="active").execute()
    feeds.serve("/rss", rss(*after))
    fates = look(blog.feed, noted(blog)).fates
    assert {fate.title: fate.verdict for fate in fates if not fate.stored} == expected
    collect(config, NOW, threading.Event())
    assert {post.title: post.verdict for post in Post.of(blog) if post.id not in known} == expected
    again = look(blog.feed, noted(blog)).fates
    assert [(fate.title, fate.verdict) for fate in again] == [(fate.title, fate.verdict) for fate in fates]
    assert all(fate.stored for fate in again)


def test_a_blog_that_is_not_listed_is_judged_as_at_a_first_read(feeds: FeedServer, look) -> None:
    feeds.serve("/rss", rss(item("new", YESTERDAY), item("undated"), item("old", NOW - 3 * DAY)))
    assert verdicts(look(feeds.url("/rss")).fates) == {
        "new": Verdict.NEWS, "undated": Verdict.HISTORY, "old": Verdict.HISTORY}


def test_a_blog_not_listed_owns_what_lies_under_its_site(feeds: FeedServer, look, config: Config) -> None:
    feeds.serve("/bob", rss(item("taken", YESTERDAY, link=f"{SITE}/taken")))
    listed(feeds, "/bob", site="https://bob.example.org/")
    feeds.serve("/rss", rss(item("taken", YESTERDAY)))
    collect(config, NOW, threading.Event())
    assert verdicts(look(feeds.url("/rss")).fates) == {"taken": Verdict.NEWS}
    publish(config, NOW + timedelta(hours=1))
    assert verdicts(look(feeds.url("/rss")).fates) == {"taken": Verdict.COPY}


def test_a_post_is_told_with_the_issue_that_has_it(feeds: FeedServer, look, config: Config) -> None:
    feeds.serve("/rss", rss(item("one", YESTERDAY), item("two", NOW - 8 * DAY)))
    blog = listed(feeds)
    collect(config, NOW, threading.Event())
    publish(config, NOW + timedelta(hours=1))
    weekly = Issue.create(kind="weekly", day=date(2026, 11, 23), state="published", created=NOW)
    [one] = IssuePost.drafts(weekly, list(Post.select(Post, Blog).join(Blog).where(Post.title == "one")), [])
    one.save()
    found = look(blog.feed, noted(blog))
    assert [(fate.stored, fate.issue, fate.late) for fate in found.fates] == [
        (True, date(2026, 11, 21), False), (True, None, False)]
    assert told(found, config)[-4:-2] == ["2026-11-20  one   in the issue of 2026-11-21",
                                          "2026-11-13  two   history, not for an issue"]


def test_a_copy_is_told_with_what_it_repeats(feeds: FeedServer, look, config: Config) -> None:
    feeds.serve("/bob", rss(item("Original", YESTERDAY, link="https://bob.example.org/1")))
    feeds.serve("/rss", rss(item("Reprint", YESTERDAY, link="https://bob.example.org/1")))
    listed(feeds, "/bob", site="https://bob.example.org/")
    collect(config, NOW, threading.Event())
    [foretold] = look(feeds.url("/rss")).fates
    blog = listed(feeds)
    collect(config, NOW, threading.Event())
    [stored] = look(blog.feed, blog).fates
    assert (foretold.copy_of, stored.copy_of) == ("Original · bob", "Original · bob")


@pytest.mark.parametrize(("state", "words"), [
    ({"state": "excluded"}, "left out on request; only `devdigest blogs add"),
    ({"state": "paused", "paused_for": "owner"}, "`devdigest blogs resume 1` reads it again"),
    ({"fault": "HTTP 404 Not Found", "failures": 3}, "it can be read again; the next collect takes it up"),
    ({}, "nothing to do")])
def test_the_last_line_tells_what_to_do(feeds: FeedServer, look, config: Config, state: dict[str, object],
                                        words: str) -> None:
    feeds.serve("/rss", rss(item("one")))
    blog = listed(feeds, **state)
    assert told(look(blog.feed, blog), config)[-1].startswith(f"→ {words}")


def test_held_posts_can_be_released(feeds: FeedServer, look, config: Config) -> None:
    before, after, _ = READS["a moved blog"]
    blog = listed(feeds)
    for items, now in ((before, NOW - DAY), (after, NOW)):
        feeds.serve("/rss", rss(*items))
        collect(config, now, threading.Event())
    lines = told(look(blog.feed, noted(blog)), config)
    assert lines[-3].endswith("held until 2026-11-24, one of many at once")
    assert lines[-1] == "→ `devdigest blogs release 1` makes the held posts news"


def test_nothing_is_stored(feeds: FeedServer, look, config: Config) -> None:
    feeds.serve("/rss", rss(item("one", YESTERDAY)))
    blog = listed(feeds)
    collect(config, NOW - DAY, threading.Event())
    feeds.serve("/rss", rss(item("one", YESTERDAY), item("two", YESTERDAY)))
    feeds.serve("/unlisted", rss(item("three", YESTERDAY)))
    before = list(db.connection().iterdump())
    look(blog.feed, noted(blog))
    look(feeds.url("/unlisted"))
    look(feeds.url("/missing"))
    assert list(db.connection().iterdump()) == before
