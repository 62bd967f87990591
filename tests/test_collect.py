"""A feed's answer becomes a blog's record and new posts; nothing one blog does stops another."""
import html.parser
import logging
import threading
import time
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import requests
from conftest import NOW, a_blog, noted
from feed_server import RSS, FeedServer

from devdigest import blogs, database, search, wear
from devdigest.collect import collect
from devdigest.config import Config
from devdigest.feed import Entry, Feed
from devdigest.fetch import Fetched, FetchError
from devdigest.fetching import Fetching
from devdigest.intake import let_go, release
from devdigest.lanes import Answer, Ask, fetcher
from devdigest.locks import Busy, locked
from devdigest.memory import Operator, Run
from devdigest.models import Blog, Post, Verdict
from devdigest.outcomes import Batch, Outcome, read, take
from devdigest.parsing import Parser

pytestmark = pytest.mark.usefixtures("records")


def rss(*items: str, title: str = "Blog") -> bytes:
    return f'<rss version="2.0"><channel><title>{title}</title>{"".join(items)}</channel></rss>'.encode()


def item(name: str, when: str = "Fri, 20 Nov 2026 09:00:00 +0900") -> str:
    return (f"<item><title>{name}</title><link>https://blog.example.org/{name}</link>"
            f"<guid>{name}</guid><pubDate>{when}</pubDate></item>")


def at(hour: int, day: int = 21) -> datetime:
    """That hour in Seoul."""
    return datetime(2026, 11, day, tzinfo=NOW.tzinfo) + timedelta(hours=hour - 9)


def run(config: Config, now: datetime = NOW, **how: bool | datetime) -> Run:
    return collect(config, now, threading.Event(), **how)


def served(feeds: FeedServer, path: str = "/rss", **values: object) -> Blog:
    return a_blog(path.strip("/"), feed=feeds.url(path), **values)


def again(blog: Blog) -> Blog:
    return noted(blog)


def last(blog: Blog) -> Fetching:
    return noted(blog).fetching


def test_new_posts_of_a_feed_are_stored(config: Config, feeds: FeedServer) -> None:
    feeds.serve("/rss", rss(item("one"), item("two")))
    blog = served(feeds)
    done = run(config)
    assert (done.blogs, done.reached, done.failed, done.posts) == (1, 1, 0, 2)
    assert {post.title for post in Post.of(blog)} == {"one", "two"}
    assert all(post.day == date(2026, 11, 20) and post.verdict == "news" for post in Post.of(blog))


def test_new_posts_are_found_at_once_and_keep_the_tags_they_came_with(config: Config,
                                                                      feeds: FeedServer) -> None:
    tagged = item("글").replace("</item>", "<category>Java</category><category>무중단 배포</category></item>")
    feeds.serve("/rss", rss(tagged, item("two")))
    blog = served(feeds)
    run(config)
    feeds.serve("/rss", rss(tagged.replace("Java", "Kotlin"), item("two")))
    run(config, NOW + timedelta(hours=6))
    assert {post.title: post.tags for post in Post.of(blog)} == {"글": "Java\n무중단 배포", "two": ""}
    assert [search.find(words).total for words in ("two", "중단", "java", "kotlin")] == [1, 1, 1, 0]
    assert search.tagged("java").total == 1


def test_a_document_with_nothing_new_but_its_build_date_is_not_read_again(config: Config,
                                                                         feeds: FeedServer) -> None:
    built = "<lastBuildDate>Fri, 20 Nov 2026</lastBuildDate>"
    feeds.serve("/rss", rss(built, item("one")), etag='"1"')
    blog = served(feeds)
    run(config)
    Post.delete().execute()
    feeds.serve("/rss", rss(built.replace("20", "21"), item("one")), etag='"2"')
    done = run(config, later := NOW + timedelta(hours=6))
    assert (done.reached, done.posts, Post.select().count()) == (1, 0, 0)
    assert (last(blog).status, last(blog).read, last(blog).etag) == (200, later, '"2"')
    feeds.serve("/rss", rss(item("one"), item("two")), etag='"3"')
    assert run(config, NOW + timedelta(hours=7)).posts == 2


def test_whoever_comes_back_to_the_list_is_read_from_the_beginning(config: Config, feeds: FeedServer,
                                                                  parser: Parser) -> None:
    feeds.serve("/rss", rss(item("one")))
    blog = served(feeds)
    run(config)
    blogs.exclude(blog)
    with fetcher(config) as session:
        blogs.add(blog.feed, session, parser, NOW, allow_private=True)
    assert last(blog).essence == ""
    run(config, NOW + timedelta(hours=6))
    assert (again(blog).first_read, last(blog).essence != "") == (NOW + timedelta(hours=6), True)


def test_who_was_left_out_and_added_again_while_it_was_asked_is_not_taken_for_read(
        config: Config, feeds: FeedServer, parser: Parser) -> None:
    def leave_and_return(handler: object) -> None:
        with database.connected(), fetcher(config) as session:
            blogs.exclude(Blog.get())
            blogs.add(Blog.get().feed, session, parser, NOW, allow_private=True)
        handler.write(304, {})

    feeds.serve("/rss", rss(item("one")), etag='"1"')
    blog = served(feeds)
    run(config)
    feeds.do("/rss", leave_and_return)
    run(config, NOW + timedelta(hours=6))
    assert (again(blog).first_read, last(blog).etag, last(blog).read) == (None, "", NOW)


def test_what_a_kill_takes_is_asked_and_found_again(config: Config, feeds: FeedServer) -> None:
    for number in range(60):
        posts = [item(f"post-{number}-{entry}") for entry in range(40)]
        feeds.serve(f"/{number}", rss(*posts), etag=f'"{number}"')
        served(feeds, f"/{number}")

    def cut_off(done: int, *_: int) -> None:
        if done == 55:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        collect(config, NOW, threading.Event(), report=cut_off)
    noted = Fetching.select().where(Fetching.etag != "")
    assert (Post.select().count(), noted.count()) == (52 * 40, 0)
    assert run(config, NOW + timedelta(minutes=5)).posts == 8 * 40
    assert (Post.select().count(), noted.count()) == (60 * 40, 60)


def stored_before_a_kill(config: Config, blog: Blog, now: datetime, **came: object) -> None:
    """A collect that ends when a batch of it is stored and its own end has not come."""
    values = {"fetched": None, "error": None} | came
    batch = Batch(config, now, False, wear.Log(config.database.path))
    batch.add(Outcome(Ask(blog.id, blog.feed), now, **values))
    batch.store()


def test_a_read_whose_note_a_kill_took_is_still_that_day_s_first(config: Config, feeds: FeedServer) -> None:
    undated = "<item><guid>{0}</guid><link>https://ada.example/{0}</link><title>{0}</title></item>"
    feeds.serve("/rss", rss(item("one")))
    blog = served(feeds)
    run(config, NOW - timedelta(days=1))
    fetched = Fetched(status=200, url=blog.feed, headers={})
    two = Entry(guid="two", link="https://ada.example/two", title="two", excerpt="", minutes=None,
                published=None)
    stored_before_a_kill(config, blog, NOW, fetched=fetched, feed=Feed("", "", (two,)))
    assert last(blog).read == NOW - timedelta(days=1)
    feeds.serve("/rss", rss(undated.format("three"), undated.format("two")))
    run(config, NOW + timedelta(hours=1))
    assert {post.title: post.day.day for post in Post.of(blog)} == {"one": 20, "two": 20, "three": 21}


def test_a_wish_to_be_left_alone_outlives_a_kill(config: Config, feeds: FeedServer) -> None:
    blog = served(feeds)
    error = FetchError(blog.feed, "HTTP 429", "busy", 429, retry_after=7200)
    stored_before_a_kill(config, blog, NOW, error=error)
    assert last(blog).not_before == NOW + timedelta(hours=2)


def test_what_became_of_asking_a_blog_is_written_once_in_a_run(config: Config, feeds: FeedServer) -> None:
    for number in range(3):
        feeds.serve(f"/{number}", rss(*(item(f"{number}-{entry}") for entry in range(450))), etag='"1"')
        served(feeds, f"/{number}")
    served(feeds, "/nowhere")
    Blog.update(first_read=NOW).execute()
    database.db.execute_sql("CREATE TABLE note (blog_id)")
    database.db.execute_sql("CREATE TRIGGER noted AFTER UPDATE ON fetching "
                            "BEGIN INSERT INTO note VALUES (new.blog_id); END")
    run(config)
    assert database.db.execute_sql("SELECT count(*), count(DISTINCT blog_id) FROM note").fetchone() == (4, 4)
    assert {blog.fetching.status for blog in Fetching.blogs()} == {200, 404}


def test_posts_that_cannot_be_stored_cost_no_other_blog_anything(config: Config, feeds: FeedServer) -> None:
    database.db.execute_sql("CREATE TRIGGER poison BEFORE INSERT ON post WHEN NEW.title = 'poison' "
                            "BEGIN SELECT RAISE(ABORT, 'poisoned'); END")
    for number, title in enumerate(("one", "poison", "two")):
        feeds.serve(f"/{number}", rss(item(title), item(f"more-{number}")), etag='"1"')
        served(feeds, f"/{number}")
    assert run(config).posts == 4
    [ill] = Fetching.blogs().where(Fetching.fault != "")
    found = ill.fetching
    assert (found.fault, found.fault_kind, found.etag) == ("cannot be stored: poisoned", "ours", "")


@pytest.mark.parametrize("values", [{"minutes": 2 ** 70}, {"link": None}])
def test_an_entry_as_only_a_hijacked_parser_gives_it_costs_no_other_blog_anything(
        config: Config, values: dict[str, object]) -> None:
    entry = Entry(guid="one", link="https://ada.example/1", title="one", excerpt="", minutes=None,
                  published=None)
    batch = Batch(config, NOW, False, wear.Log(config.database.path))
    for name, read_so in (("ada", entry), ("bad", entry._replace(**values)), ("bob", entry)):
        blog = a_blog(name)
        batch.add(Outcome(Ask(blog.id, blog.feed), NOW, Fetched(status=200, url=blog.feed, headers={}), None,
                          Feed("", "", (read_so,))))
    assert batch.end() == 2
    assert [blog.fetching.fault[:16] for blog in Fetching.blogs()] == ["", "cannot be stored", ""]


@pytest.mark.parametrize(("library", "name", "fault"), [
    (requests.Request, "prepare", "cannot be asked: KeyError"),
    (html.parser.HTMLParser, "feed", "cannot be understood: KeyError")])
def test_a_library_s_mistake_over_one_feed_stops_no_other(config: Config, feeds: FeedServer,
                                                         monkeypatch: pytest.MonkeyPatch, library: type,
                                                         name: str, fault: str) -> None:
    usual = getattr(library, name)

    def mistaken(self: object, *words: str) -> object:
        if "bad" in f"{words}{vars(self).get('url')}":
            raise KeyError
        return usual(self, *words)
    monkeypatch.setattr(library, name, mistaken)
    feeds.serve("/bad", b"<!doctype html><title>bad</title>")
    feeds.serve("/more", rss(item("one")))
    bad, more = served(feeds, "/bad"), served(feeds, "/more")
    run(replace(config, collect=replace(config.collect, connections=1, per_operator=1)))
    assert (last(bad).fault, last(bad).fault_kind, last(more).fault) == (fault, "ours", "")


def test_validators_of_posts_that_could_not_be_stored_are_not_kept_for_the_end(config: Config,
                                                                             feeds: FeedServer) -> None:
    feeds.serve("/rss", rss(item("one")), etag='"1"')
    blog = served(feeds, first_read=None)
    database.db.execute_sql("CREATE TRIGGER poison BEFORE UPDATE OF first_read ON blog "
                            "BEGIN SELECT RAISE(ABORT, 'poisoned'); END")
    assert run(config).posts == 0
    assert (last(blog).etag, last(blog).essence, last(blog).fault) == ("", "", "cannot be stored: poisoned")
    database.db.execute_sql("DROP TRIGGER poison")
    assert run(config, NOW + timedelta(hours=6)).posts == 1


def test_a_second_collect_stores_nothing_anew(config: Config, feeds: FeedServer) -> None:
    feeds.serve("/rss", rss(item("one")))
    served(feeds)
    run(config)
    assert run(config, NOW + timedelta(hours=6)).posts == 0
    assert Post.select().count() == 1


def test_validators_go_back_as_they_came_and_304_counts_as_read(config: Config, feeds: FeedServer) -> None:
    feeds.serve("/rss", rss(item("one")), etag='W/"odd, one"', modified="Fri, 20 Nov 2026 00:00:01 +0900")
    blog = served(feeds)
    run(config)
    run(config, later := NOW + timedelta(hours=6))
    headers = feeds.requests[-1][1]
    assert headers["If-None-Match"] == 'W/"odd, one"'
    assert headers["If-Modified-Since"] == "Fri, 20 Nov 2026 00:00:01 +0900"
    assert (last(blog).status, last(blog).read, last(blog).fault) == (304, later, "")


def test_the_validators_of_a_page_that_is_no_feed_are_not_kept(config: Config, feeds: FeedServer) -> None:
    feeds.serve("/rss", b"<!doctype html><title>soon</title>", content_type="text/html", etag='"page"')
    blog = served(feeds, etag='"feed"')
    run(config)
    found = last(blog)
    assert (found.etag, found.fault, found.fault_kind) == ('"feed"', "an HTML page", "not_feed")


def test_a_blog_that_fails_keeps_its_reason_and_stops_no_other(config: Config, feeds: FeedServer) -> None:
    feeds.answer("/404", 404)
    feeds.answer("/500", 500)
    feeds.reset("/reset")
    feeds.hang("/hang")
    feeds.serve("/good", rss(item("one")))
    blogs = {path: served(feeds, path) for path in ("/404", "/500", "/reset", "/hang", "/good")}
    done = run(config)
    faults = {path: (row.status, row.fault, row.fault_kind, row.failures)
              for path, row in ((path, last(blog)) for path, blog in blogs.items())}
    assert faults["/404"] == (404, "HTTP 404 Not Found", "gone", 1)
    assert faults["/500"] == (500, "HTTP 500 Internal Server Error", "server", 1)
    assert faults["/reset"] == (None, "connection reset", "silent", 1)
    assert faults["/hang"] == (None, "timeout after 1 s", "slow", 1)
    assert faults["/good"] == (200, "", "", 0)
    assert (done.reached, done.failed, done.posts) == (1, 4, 1)


def test_a_fault_is_forgotten_with_the_next_good_read(config: Config, feeds: FeedServer) -> None:
    feeds.serve("/rss", rss(item("one")))
    blog = served(feeds, fault="HTTP 404 Not Found", fault_kind="gone", failures=3, status=404)
    run(config)
    assert (last(blog).fault, last(blog).fault_kind, last(blog).failures) == ("", "", 0)


def test_what_may_pass_is_tried_again_this_morning_a_404_is_not(config: Config, feeds: FeedServer) -> None:
    feeds.answer("/404", 404)
    feeds.answer("/500", 500)
    served(feeds, "/404")
    served(feeds, "/500")
    run(config)
    assert run(config, NOW + timedelta(minutes=14), retry=True).blogs == 0
    run(config, NOW + timedelta(minutes=16), retry=True)
    assert feeds.paths.count("/500") == 2
    assert feeds.paths.count("/404") == 1


def test_a_retry_waits_longer_each_time(config: Config, feeds: FeedServer) -> None:
    feeds.answer("/500", 500)
    blog = served(feeds, "/500")
    for failures, wait in enumerate((15, 30, 60, 120, 240, 360, 360), start=1):
        run(config)
        assert (last(blog).failures, last(blog).not_before) == (failures, NOW + timedelta(minutes=wait))


def test_retry_after_is_kept_by_every_kind_of_collect(config: Config, feeds: FeedServer) -> None:
    feeds.answer("/rss", 429, {"Retry-After": "7200"})
    blog = served(feeds)
    run(config)
    assert timedelta(0) <= last(blog).not_before - NOW - timedelta(hours=2) < timedelta(seconds=5)
    run(config, NOW + timedelta(hours=1))
    run(config, NOW + timedelta(hours=1), retry=True)
    assert len(feeds.requests) == 1
    run(config, NOW + timedelta(hours=2, seconds=5))
    assert len(feeds.requests) == 2


def test_410_pauses_the_blog_with_the_reason(config: Config, feeds: FeedServer) -> None:
    feeds.answer("/rss", 410)
    blog = served(feeds)
    run(config)
    run(config)
    assert (again(blog).state, again(blog).paused_for, len(feeds.requests)) == ("paused", "HTTP 410 Gone", 1)


def test_a_permanent_move_is_followed_once_it_was_seen_three_times(config: Config, feeds: FeedServer) -> None:
    feeds.serve("/new", rss(item("one")))
    feeds.redirect("/old", "/new", status=301)
    blog = served(feeds, "/old")
    run(config)
    assert (last(blog).moved_to, last(blog).moved_times) == (feeds.url("/new"), 1)
    run(config)
    assert again(blog).feed == feeds.url("/old")
    run(config)
    assert (again(blog).feed, last(blog).moved_to) == (feeds.url("/new"), "")


def test_a_move_that_was_taken_back_does_not_count(config: Config, feeds: FeedServer) -> None:
    feeds.serve("/new", rss(item("one")))
    blog = served(feeds, "/old")
    for status in (301, 301, 302, 301, 301):
        feeds.redirect("/old", "/new", status=status)
        run(config)
    assert again(blog).feed == feeds.url("/old")


def test_a_blog_does_not_move_to_where_another_lives(config: Config, feeds: FeedServer) -> None:
    feeds.serve("/new", rss(item("one")))
    feeds.redirect("/old", "/new", status=308)
    blog = served(feeds, "/old")
    served(feeds, "/new", feed_key=feeds.url("/new").partition("//")[2])
    for _ in range(4):
        run(config)
    assert again(blog).feed == feeds.url("/old")


def test_addresses_off_the_net_are_refused_unless_allowed(config: Config, feeds: FeedServer) -> None:
    feeds.serve("/rss", rss(item("one")))
    blog = served(feeds)
    run(replace(config, collect=replace(config.collect, allow_private=False)))
    assert feeds.requests == []
    assert "not public" in last(blog).fault or "port" in last(blog).fault


def test_paused_and_excluded_blogs_are_not_asked(config: Config, feeds: FeedServer) -> None:
    served(feeds, "/a", state="paused")
    served(feeds, "/b", state="excluded")
    assert run(config).blogs == 0
    assert feeds.requests == []


def test_undated_entries_are_of_yesterday_only_at_the_first_read_of_a_day(config: Config,
                                                                          feeds: FeedServer) -> None:
    feeds.serve("/rss", rss("<item><title>early</title><guid>1</guid></item>"))
    blog = served(feeds, read=at(9, day=20))
    run(config, at(3))
    feeds.serve("/rss", rss("<item><title>early</title><guid>1</guid></item>",
                            "<item><title>late</title><guid>2</guid></item>"))
    run(config, at(9))
    assert {post.title: post.day for post in Post.of(blog)} == {"early": date(2026, 11, 20),
                                                               "late": date(2026, 11, 21)}


def test_a_day_that_is_played_again_stores_nothing_dated_after_it(config: Config, feeds: FeedServer) -> None:
    feeds.serve("/rss", rss(item("then"), item("after", "Sat, 21 Nov 2026 11:00:00 +0900")), etag='"1"')
    blog = served(feeds)
    run(config, at(10), past=True)
    assert [post.title for post in Post.of(blog)] == ["then"]
    run(config, at(12))     # with the validators of the first this would be a 304, and the post lost
    assert {post.title for post in Post.of(blog)} == {"then", "after"}


def batch(words: str, count: int = 6) -> bytes:
    return rss(*(f"<item><title>{words} {number}</title><guid>{words}-{number}</guid>"
                 f"<pubDate>{10 + number} Nov 2026 09:00:00 +0900</pubDate></item>"
                 for number in range(count)))


def test_a_suspicious_batch_is_held_until_it_is_released(config: Config, feeds: FeedServer) -> None:
    feeds.serve("/rss", rss(item("known")))
    blog = served(feeds)
    run(config)
    feeds.serve("/rss", batch("moved"))
    run(config, NOW + timedelta(hours=6))
    assert {post.verdict for post in Post.of(blog) if post.title != "known"} == {"held"}
    assert release(blog) == 6
    assert {post.verdict for post in Post.of(blog)} == {"news"}


def test_held_posts_become_history_after_three_days(config: Config, feeds: FeedServer) -> None:
    feeds.serve("/rss", rss(item("known")))
    blog = served(feeds)
    run(config)
    feeds.serve("/rss", batch("moved"))
    run(config, NOW + timedelta(hours=6))
    assert let_go(NOW + timedelta(days=3, hours=5)) == 0
    assert let_go(NOW + timedelta(days=3, hours=6)) == 6
    assert release(again(blog)) == 0
    assert Post.select().where(Post.verdict == Verdict.HISTORY).count() == 6


def test_a_second_collect_says_who_is_at_it(config: Config) -> None:
    with locked(config.folder, "collect"), pytest.raises(Busy, match="running already, in process"):
        run(config)


@pytest.mark.parametrize("answer", [(200, b"<!doctype html><title>log in</title>"), (502, b"")])
def test_a_proxy_that_answers_for_every_blog_is_no_collect_of_them(config: Config, feeds: FeedServer,
                                                                   answer: tuple[int, bytes]) -> None:
    status, body = answer
    for path in ("/a", "/b", "/c"):
        feeds.answer(path, status, body=body)
        served(feeds, path)
    assert run(config).lacks


def test_blogs_that_were_dead_before_are_not_missed(config: Config, feeds: FeedServer) -> None:
    feeds.serve("/good", rss(item("one")))
    served(feeds, "/good")
    for path in ("/a", "/b", "/c"):
        feeds.answer(path, 404)
        served(feeds, path, read=NOW - timedelta(days=8))
    assert not run(config).lacks


def test_a_stop_ends_a_collect_that_hangs_and_the_next_goes_on(config: Config, feeds: FeedServer) -> None:
    feeds.hang("/hang")
    blog = served(feeds, "/hang")
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    done = collect(config, NOW, stop)
    assert done.finished is None
    assert Run.last("collect") is None
    assert last(blog).failures == 0


def test_requests_to_one_operator_keep_their_gap(config: Config, feeds: FeedServer) -> None:
    times = []
    for number in range(3):
        feeds.do(f"/{number}", lambda handler: (times.append(datetime.now(NOW.tzinfo)),
                                                handler.write(200, {}, rss(item("one")))))
        served(feeds, f"/{number}")
    run(replace(config, collect=replace(config.collect, gap=0.2, per_operator=1)))
    gaps = [(after - before).total_seconds() for before, after in pairwise(times)]
    assert len(gaps) == 2
    assert min(gaps) >= 0.19


def test_a_blog_excluded_while_it_is_asked_stays_so(config: Config, feeds: FeedServer) -> None:
    def exclude_then_answer(handler: object) -> None:
        with database.connected():
            blogs.exclude(Blog.get())
        handler.write(200, {}, rss(item("one")))

    feeds.do("/rss", exclude_then_answer)
    blog = served(feeds)
    run(config)
    assert (again(blog).state, Post.of(blog)) == ("excluded", [])


def test_who_fails_for_weeks_and_is_added_again_is_asked_at_the_next_collect(config: Config,
                                                                           parser: Parser) -> None:
    a_blog("healthy", read=NOW)
    blog = a_blog("ada", **failing_for(20, 40))
    blogs.exclude(blog)
    with fetcher(config) as session:
        blogs.add(blog.feed, session, parser, NOW, allow_private=True)
    assert blog in Fetching.due(NOW + timedelta(hours=6))


def test_who_moved_and_was_added_again_while_it_was_asked_is_read_from_the_beginning(
        config: Config, feeds: FeedServer, parser: Parser) -> None:
    def leave_and_return(handler: object) -> None:
        with database.connected(), fetcher(config) as session:
            blogs.exclude(Blog.get())
            blogs.add(Blog.get().feed, session, parser, NOW, allow_private=True)
        handler.write(200, {"Content-Type": RSS, "ETag": '"1"'}, rss(item("one")))

    feeds.redirect("/rss", "/new", status=301)
    feeds.serve("/new", rss(item("one")), etag='"1"')
    blog = served(feeds)
    run(config)
    feeds.do("/new", leave_and_return)
    run(config, NOW + timedelta(hours=6))
    assert (again(blog).first_read, last(blog).etag, last(blog).essence) == (None, "", "")


def test_no_post_waits_long_for_a_transaction_however_little_follows_it(config: Config) -> None:
    blog, quiet = a_blog("ada"), a_blog("bob")
    entry = Entry("one", "", "one", "", None, None)
    fetched = Fetched(status=304, url=quiet.feed, headers={})
    batch = Batch(config, NOW, past=False, wal=wear.Log(config.database.path))
    batch.add(Outcome(Ask(blog.id, blog.feed), NOW, replace(fetched, status=200), None,
                      Feed("", "", (entry,))))
    assert batch.add(Outcome(Ask(quiet.id, quiet.feed), NOW + timedelta(minutes=4), fetched, None)) == 0
    assert batch.add(Outcome(Ask(quiet.id, quiet.feed), NOW + timedelta(minutes=5), fetched, None)) == 1


def test_a_feed_that_moved_is_still_known_by_the_url_on_its_list(config: Config, feeds: FeedServer) -> None:
    feeds.serve("/new", rss(item("one")))
    feeds.redirect("/old", "/new", status=301)
    listed = f"- name: moved\n  rss: {feeds.url('/old')}\n".encode()
    blogs.import_list(listed, "db.yml", "people", NOW, allow_private=True)
    for _ in range(3):
        run(config)
    assert Blog.get().feed == feeds.url("/new")
    report = blogs.import_list(listed, "db.yml", "people", NOW, allow_private=True)
    assert (len(report.known), report.added, report.gone) == (1, [], [])


def test_retry_after_is_counted_from_the_answer_and_not_from_the_begin_of_the_run(config: Config,
                                                                                feeds: FeedServer) -> None:
    """In a run of ten minutes whoever asks for five would be asked again at once."""
    config = replace(config, collect=replace(config.collect, per_operator=1, gap=0.5))
    feeds.serve("/first", rss(item("one")))
    feeds.answer("/rss", 429, {"Retry-After": "60"})
    served(feeds, "/first")
    blog = served(feeds, fetched=NOW - timedelta(days=1))      # so it comes after the one that never was
    run(config)
    assert last(blog).not_before >= NOW + timedelta(seconds=60.5)


def test_a_site_that_the_list_does_not_give_is_the_feeds(config: Config, feeds: FeedServer) -> None:
    feeds.serve("/rss", rss("<link>https://Ada.example.org/blog/</link>", item("one")))
    nameless, listed = served(feeds, site="", site_key=""), served(feeds, "/listed")
    feeds.serve("/listed", rss("<link>https://ada.example.org/blog/</link>", item("two")))
    run(config)
    assert again(nameless).site_key == "ada.example.org/blog"
    assert again(nameless).site.lower() == "https://ada.example.org/blog/"
    assert (again(listed).site, again(listed).site_key) == (listed.site, listed.site_key)


def test_only_while_it_collects_a_power_cut_may_cost_the_last_commits(config: Config,
                                                                      feeds: FeedServer) -> None:
    feeds.serve("/rss", rss(item("one")))
    served(feeds)
    seen = []
    collect(config, NOW, threading.Event(),
            report=lambda *_: seen.append(database.db.pragma("synchronous")))
    assert (seen, database.db.pragma("synchronous")) == ([1], 2)        # 1 normal, 2 full


def test_where_no_parser_can_be_started_the_blog_is_read_later_and_not_blamed(config: Config) -> None:
    blog = a_blog(etag='"before"')
    fetched = Fetched(status=200, url=blog.feed, body=rss(item("one")), headers={}, etag='"now"')
    with Path("/usr/share/zoneinfo/Asia/Seoul").open("rb") as file:
        nowhere = ZoneInfo.from_file(file, key="No/Where")
    with Parser(nowhere) as parser:
        outcome = read(Answer(Ask(blog.id, blog.feed), fetched, None), parser, NOW)
    take(outcome, blog, config, NOW, past=False)
    blog.fetching.save()
    blog = again(blog)
    assert (blog.fetching.fault_kind, blog.fetching.etag, blog.fetching.status) == ("ours", '"before"', None)
    assert "no process that reads feeds" in blog.fetching.fault
    assert list(Fetching.to_retry(NOW + timedelta(minutes=15))) == [blog]


def test_a_collect_that_fails_leaves_commits_as_safe_as_before(config: Config, feeds: FeedServer) -> None:
    feeds.serve("/rss", rss(item("one")))
    served(feeds)
    with pytest.raises(ZeroDivisionError):
        collect(config, NOW, threading.Event(), report=lambda *_: 1 / 0)
    assert database.db.pragma("synchronous") == 2


def test_after_weeks_without_power_a_network_that_hardly_works_is_told_from_one_that_does(
        config: Config, feeds: FeedServer) -> None:
    feeds.serve("/rss", rss(item("one")))
    served(feeds)
    for number in range(9):
        a_blog(f"blog{number}", feed=feeds.url(f"/missing{number}"))
    assert run(config, NOW + timedelta(days=20)).lacks


def apart(config: Config, **values: float) -> Config:
    """One connection to each operator."""
    return replace(config, collect=replace(config.collect, per_operator=1, **values))


def test_an_operator_that_asked_for_patience_is_left_alone_over_a_restart(config: Config,
                                                                          feeds: FeedServer) -> None:
    config = apart(config)
    with FeedServer("127.0.0.2") as platform:
        for number in range(4):
            platform.answer(f"/{number}", 429, {"Retry-After": "3600"})
            served(platform, f"/{number}")
        feeds.serve("/rss", rss(item("one")))
        served(feeds)
        done = run(config)
        assert (done.reached, done.failed, done.not_reached, done.lanes) == (1, 1, 3, 2)
        assert "1 failed, 3 not reached, " in done.said
        database.open(config.database.path)     # as after a restart
        run(config, NOW + timedelta(minutes=59))
        assert len(platform.requests) == 1
        run(config, NOW + timedelta(minutes=61))
        assert len(platform.requests) == 2
        assert platform.paths[0] != platform.paths[1]       # who was not reached comes first
    assert Fetching.select().where(Fetching.failures > 0).count() == 2


def test_a_platform_that_is_down_takes_no_more_of_a_run_than_a_few_fetches(
        config: Config, feeds: FeedServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with FeedServer("127.0.0.2") as platform:
        for number in range(12):
            platform.reset(f"/{number}")
            served(platform, f"/{number}", added=NOW - timedelta(days=1))
        feeds.serve("/rss", rss(item("one")))
        served(feeds)
        done = run(apart(config))
        assert (done.reached, done.failed, done.not_reached, done.posts) == (1, 5, 7, 1)
        assert caplog.text.count("127.0.0.2 does not answer, is left alone for 600 s") == 1
        run(apart(config), NOW + timedelta(minutes=9), retry=True)
        assert len(platform.requests) == 5
        for number in range(12):
            platform.serve(f"/{number}", rss(item(str(number))))
        done = run(apart(config), NOW + timedelta(minutes=16), retry=True)
    assert (done.reached, done.not_reached, Fetching.failing().count()) == (12, 0, 0)


def test_a_dead_blog_on_a_platform_stops_no_other_of_it_nor_do_many_in_a_retry(config: Config,
                                                                              feeds: FeedServer) -> None:
    for number in range(8):
        feeds.reset(f"/dead{number}")
        served(feeds, f"/dead{number}", fault="timeout", failures=9, not_before=NOW)
    for number in range(3):
        feeds.serve(f"/{number}", rss(item(str(number))))
        served(feeds, f"/{number}", fetched=NOW - timedelta(days=1))
    done = run(apart(config))
    assert (done.reached, done.failed, done.not_reached) == (3, 8, 0)


def test_what_a_run_did_not_come_to_is_no_fault_and_comes_first_next_time(config: Config,
                                                                          feeds: FeedServer) -> None:
    for number in range(12):
        feeds.serve(f"/{number}", rss(item(str(number))))
        served(feeds, f"/{number}", added=NOW - timedelta(days=1))
    short = apart(config, gap=0.3)
    done = run(short, until=NOW + timedelta(seconds=2.5))       # a fetch may take one of them
    first = set(feeds.paths)
    assert 1 <= done.reached == len(first) <= 6
    assert (done.not_reached, done.failed) == (12 - len(first), 0)
    untouched = Fetching.select().where(Fetching.fault == "", Fetching.fetched.is_null())
    assert untouched.count() == done.not_reached
    run(apart(config), NOW + timedelta(minutes=1), retry=True)
    assert len(feeds.requests) == len(set(feeds.paths)) == 12
    assert run(short, NOW + timedelta(minutes=2), retry=True).blogs == 0


def test_no_blog_is_last_every_day(config: Config, feeds: FeedServer) -> None:
    for number in range(8):
        feeds.serve(f"/{number}", rss(item(str(number))))
        served(feeds, f"/{number}")
    orders = []
    for day in range(4):
        asked = len(feeds.requests)
        run(apart(config), NOW + timedelta(days=day))
        orders.append(tuple(feeds.paths[asked:]))
    assert len({order[-1] for order in orders}) > 1
    asked = len(feeds.requests)
    run(apart(config), NOW + timedelta(days=3, hours=6))
    assert tuple(feeds.paths[asked:]) == orders[-1]


def test_a_forecast_is_made_of_what_answers_took_before(config: Config, feeds: FeedServer,
                                                        caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    for number in range(5):
        feeds.do(f"/{number}", lambda handler: time.sleep(0.1) or handler.write(200, {}, rss(item("one"))))
        served(feeds, f"/{number}")
    seen = []
    collect(apart(config, gap=0.3), NOW, threading.Event(), report=lambda *told: seen.append(told[3]()))
    assert "collect: 5 blogs, 1 lanes, about 10 s left" in caplog.text
    assert seen[-1] == "0 lanes, about 0 s left"
    assert 0.09 < Operator.get_by_id("127.0.0.1").seconds < 2


def failing_for(days: int, failures: int, **values: object) -> dict[str, object]:
    """A blog that was read last so many days ago."""
    return {"read": NOW - timedelta(days=days), "fault": "HTTP 404 Not Found", "failures": failures,
            "fetched": NOW, **values}


@pytest.mark.parametrize(("values", "again_after"), [
    (failing_for(15, 40), 7), (failing_for(800, 500), 7), (failing_for(15, 40, read=None), 0),
    (failing_for(15, 40, read=None, added=NOW - timedelta(days=15)), 7),
    (failing_for(13, 40), 0), (failing_for(15, 5), 0), ({"fetched": NOW, "read": NOW}, 0)])
def test_a_blog_that_fails_for_weeks_is_asked_once_a_week_for_ever(values: dict[str, object],
                                                                   again_after: int) -> None:
    blog = a_blog("ada", **values)
    a_blog("healthy", read=NOW)
    days = [day for day in range(30) if blog in Fetching.due(NOW + timedelta(days=day, seconds=1))]
    assert days[0] == again_after
    assert days == list(range(again_after, 30))     # once it is due it stays so until it is asked


def test_nobody_is_given_up_because_the_machine_was_off(config: Config) -> None:
    for number in range(3):
        a_blog(str(number), **failing_for(30, 40))
    assert Fetching.due(NOW + timedelta(minutes=1)).count() == 3


def test_it_is_said_that_a_blog_is_asked_once_a_week_only(config: Config, feeds: FeedServer,
                                                          caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    served(feeds, "/none", **failing_for(20, 40, fetched=NOW - timedelta(days=8)))
    a_blog("healthy", state="paused", read=NOW)
    run(config)
    assert "HTTP 404 Not Found; not read since 2026-11-01, asked once a week" in caplog.text
