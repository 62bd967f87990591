"""Servers that lie with a 304, or never give one: found out by asking, over real sockets, and remembered."""
from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from conftest import NOW
from feed_server import FeedServer
from test_collect import again, item, last, rss, run, served

from devdigest import blogs
from devdigest.config import Config
from devdigest.models import Blog
from devdigest.validators import SENDS, after_a_lie, after_vain, is_doubted, sent

pytestmark = pytest.mark.usefixtures("records")

DATE, OTHER_DATE = "Fri, 20 Nov 2026 00:00:00 GMT", "Sat, 21 Nov 2026 00:00:00 GMT"
Heeds = Callable[[str, str, str, str], bool]        # whether to say 304: to what was asked, having what


@pytest.mark.parametrize(("sends", "validators"), [
    ("both", ('"1"', DATE)), ("etag", ('"1"', "")), ("modified", ("", DATE)), ("none", ("", ""))])
def test_what_is_sent(sends: str, validators: tuple[str, str]) -> None:
    assert sent(sends, '"1"', DATE) == validators


def test_every_blog_is_doubted_once_a_week_and_a_seventh_of_them_each_day() -> None:
    days = [date(2026, 12, 28) + timedelta(days=more) for more in range(7)]
    assert all(sum(is_doubted(number, day) for day in days) == 1 for number in range(70))
    assert all(sum(is_doubted(number, day) for number in range(70)) == 10 for day in days)


@pytest.mark.parametrize(("sends", "etag", "modified", "then"), [
    ("both", '"1"', DATE, "etag"), ("both", '"1"', "", "none"), ("both", "", DATE, "none"),
    ("etag", '"1"', DATE, "none"), ("modified", '"1"', DATE, "none")])
def test_what_lied_is_not_sent_again(sends: str, etag: str, modified: str, then: str) -> None:
    assert after_a_lie(sends, etag, modified) == then


def test_where_the_same_is_sent_whole_each_validator_has_its_try() -> None:
    had = ('"1"', DATE)
    assert [after_vain(sends, had, had) for sends in SENDS] == ["etag", "modified", "both", "none"]


@pytest.mark.parametrize(("had", "given"), [
    (('"1"', ""), ('"1"', "")), (("", ""), ('"1"', DATE)), (('"1"', DATE), ('"2"', DATE))])
def test_there_is_nothing_to_try_with_one_validator_or_one_that_changes(had: tuple[str, str],
                                                                       given: tuple[str, str]) -> None:
    assert after_vain("both", had, given) == "both"


def serve(feeds: FeedServer, body: bytes, etag: str, modified: str, heeds: Heeds) -> None:
    def answer(handler: object) -> None:
        asked = handler.headers.get("If-None-Match", ""), handler.headers.get("If-Modified-Since", "")
        known = any(asked) and heeds(*asked, etag, modified)
        headers = {"Content-Type": "application/rss+xml", "ETag": etag, "Last-Modified": modified}
        handler.write(304 if known else 200, headers, b"" if known else body)
    feeds.do("/rss", answer)


def always(*_: str) -> bool:
    return True


def the_date_first(asked_etag: str, asked_date: str, etag: str, modified: str) -> bool:
    return asked_date == modified if asked_date else asked_etag == etag


def one_alone(asked_etag: str, asked_date: str, etag: str, _: str) -> bool:
    return asked_etag == etag and not asked_date


def properly(asked_etag: str, asked_date: str, etag: str, modified: str) -> bool:
    return asked_etag == etag if asked_etag else asked_date == modified


def day_of(blog: Blog, doubted: bool, after: datetime = NOW) -> datetime:
    """The first morning after that one on which a 304 of the blog is doubted, or is not."""
    mornings = (after + timedelta(days=more) for more in range(1, 9))
    return next(one for one in mornings if is_doubted(blog.id, one.date()) is doubted)


def asked(feeds: FeedServer) -> list[tuple[str, ...]]:
    """The validators of each request, by their initials."""
    return [tuple(name for name in ("If-None-Match", "If-Modified-Since") if name in headers)
            for _, headers in feeds.requests]


BOTH, ETAG, NONE = ("If-None-Match", "If-Modified-Since"), ("If-None-Match",), ()


def test_a_feed_that_says_304_for_ever_is_found_out_within_a_week_and_then_asked_for_all(
        config: Config, feeds: FeedServer, caplog: pytest.LogCaptureFixture) -> None:
    blog = served(feeds)
    serve(feeds, rss(item("one")), '"1"', DATE, always)
    run(config)
    serve(feeds, rss(item("two"), item("one")), '"2"', OTHER_DATE, always)
    assert run(config, day_of(blog, doubted=False)).posts == 0
    assert run(config, day := day_of(blog, doubted=True)).posts == 1
    assert (last(blog).validators, last(blog).etag) == ("etag", '"2"')
    assert "said 304 though it had 1 new posts; of its validators, etag is sent from now on" in caplog.text
    serve(feeds, rss(item("three"), item("two")), '"3"', OTHER_DATE, always)
    assert run(config, day := day_of(blog, doubted=True, after=day)).posts == 1
    serve(feeds, rss(item("four"), item("three")), '"4"', OTHER_DATE, always)
    assert run(config, day + timedelta(days=1)).posts == 1
    assert last(blog).validators == "none"
    assert asked(feeds) == [NONE, BOTH, BOTH, NONE, ETAG, NONE, NONE]


def test_a_date_that_never_changes_is_not_sent_again_and_the_etag_is(config: Config,
                                                                    feeds: FeedServer) -> None:
    blog = served(feeds)
    serve(feeds, rss(item("one")), '"1"', DATE, the_date_first)
    run(config)
    serve(feeds, rss(item("two")), '"2"', DATE, the_date_first)
    run(config, day := day_of(blog, doubted=True))
    serve(feeds, rss(item("three")), '"3"', DATE, the_date_first)
    assert run(config, day + timedelta(days=1)).posts == 1
    assert run(config, day + timedelta(days=2)).reached == 1
    assert (last(blog).validators, last(blog).status) == ("etag", 304)
    assert asked(feeds) == [NONE, BOTH, NONE, ETAG, ETAG]


def test_an_honest_304_is_doubted_once_that_day_and_believed(config: Config, feeds: FeedServer) -> None:
    blog = served(feeds)
    serve(feeds, rss(item("one")), '"1"', DATE, properly)
    run(config)
    morning = day_of(blog, doubted=True)
    run(config, morning)
    run(config, later := morning + timedelta(hours=6))
    assert asked(feeds) == [NONE, BOTH, NONE, BOTH]
    assert (last(blog).validators, last(blog).read, last(blog).status) == ("both", later, 304)


def test_a_doubt_that_is_not_answered_is_a_failure_as_any_other(config: Config, feeds: FeedServer) -> None:
    blog = served(feeds)
    serve(feeds, rss(item("one")), '"1"', DATE, properly)
    run(config)
    feeds.do("/rss", lambda handler: handler.write(304 if "If-None-Match" in handler.headers else 429,
                                                   {"Retry-After": "60"}, b""))
    done = run(config, morning := day_of(blog, doubted=True))
    assert (done.failed, last(blog).status, last(blog).etag) == (1, 429, '"1"')
    assert last(blog).not_before >= morning + timedelta(seconds=60)


def test_a_server_that_heeds_no_two_validators_is_sent_the_one_that_it_heeds(config: Config,
                                                                            feeds: FeedServer) -> None:
    blog = served(feeds)
    serve(feeds, rss(item("one")), '"1"', DATE, one_alone)
    for hours in range(5):
        run(config, NOW + timedelta(hours=hours))
    assert asked(feeds) == [NONE, BOTH, ETAG, ETAG, ETAG]
    assert (last(blog).validators, last(blog).status) == ("etag", 304)


def test_another_server_has_told_no_lie_yet(config: Config, feeds: FeedServer) -> None:
    serve(feeds, rss(item("one")), '"1"', DATE, properly)
    feeds.redirect("/old", "/rss", status=301)
    moved, left_out = served(feeds, "/old", validators="none"), served(feeds, "/out", validators="none")
    for _ in range(3):
        run(config)
    blogs.exclude(again(left_out))
    blogs.add(left_out.feed, None, None, NOW, allow_private=True)       # known: nothing is fetched
    assert (again(moved).feed, last(moved).validators) == (feeds.url("/rss"), "both")
    assert last(left_out).validators == "both"
