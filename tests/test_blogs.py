"""The blog list: what an import adds and leaves alone, how one blog is added, found, left out."""
import threading
import time
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import conftest
import pytest
from conftest import noted
from feed_server import FeedServer
from peewee import IntegrityError

from devdigest import blogs, database, urls
from devdigest.bloglists import NotAList
from devdigest.fetch import Fetcher, Limits
from devdigest.fetching import Fetching
from devdigest.models import Blog, Issue, IssuePost, Post, Verdict
from devdigest.opml import as_opml
from devdigest.parsing import Limits as Strictness
from devdigest.parsing import Parser
from devdigest.table import db

LISTS = Path(__file__).parents[2] / "shared" / "lists"
NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
SEOUL = ZoneInfo("Asia/Seoul")
RSS = """<?xml version="1.0"?><rss version="2.0"><channel><title>{}</title><link>{}</link>
<item><title>Hello</title><link>https://ada.example/1</link><guid>1</guid></item></channel></rss>"""


@pytest.fixture(autouse=True)
def opened(tmp_path):
    database.open(tmp_path / "devdigest.db")
    yield
    db.close()


@pytest.fixture
def server():
    with FeedServer() as server:
        server.serve("/rss", RSS.format("Ada's blog", server.url("/")).encode())
        yield server


@pytest.fixture
def fetcher():
    with Fetcher(Limits(total=5, allow_private=True), "test") as fetcher:
        yield fetcher


def dump() -> str:
    return "\n".join(db.connection().iterdump())


def yaml(*feeds: str) -> bytes:
    """A list of blogs with these feeds, whose names are 0, 1 …"""
    return "".join(f"- name: {number}\n  rss: {feed}\n" for number, feed in enumerate(feeds)).encode()


def a_blog(feed="https://ada.example/rss", site="https://ada.example/", **values) -> Blog:
    name = feed.removeprefix("https://").partition(".")[0].title()
    given = {"name": name, "site": site, "site_key": urls.canonical(site), "feed": feed,
             "feed_key": urls.canonical(feed), "read": None, "first_read": None}
    return conftest.a_blog(**given | values)


def a_post(blog: Blog, guid: str, verdict: Verdict, issue: Issue | None = None) -> Post:
    known = {"url": f"https://ada.example/{guid}", "title": f"Title {guid}", "excerpt": "How it began",
             "tags": "Java", "day": date(2026, 11, 21)}
    post = Post.create(blog=blog, guid=guid, key=guid, first_seen=NOW, verdict=verdict, **known)
    if issue:
        IssuePost.create(issue=issue, kind=issue.kind, post=post, place=post.id, late=False, blog_id=blog.id,
                         blog=blog.name, group=blog.group, **known)
    return post


def test_an_import_stores_what_the_list_says():
    report = blogs.import_list("""
- name: 우아한형제들
  blog: http://우아한.example/
  rss: HTTP://우아한.example/feed/
- rss: https://nameless.example/rss
- name: Nicolai
  blog: http://blog.nicolai.example/, https://medium.com/@nicolai
  rss: http://blog.nicolai.example/feed/
- name: typing error
  blog: https:/ada.example
  rss: https://ada.example/rss
""".encode(), "https://lists.example/raw/db_other.yml?raw=1", "team", NOW)
    assert len(report.added) == Blog.select().count() == 4
    first, nameless, two_sites, no_site = Blog.select().order_by(Blog.id)
    assert (first.name, first.feed, first.feed_key, first.site, first.site_key) == (
        "우아한형제들", "http://xn--he5b1z853a.example/feed/", "xn--he5b1z853a.example/feed",
        "http://xn--he5b1z853a.example/", "xn--he5b1z853a.example")
    assert (first.group, first.source, first.state, first.added) == ("team", "db_other.yml", "active", NOW)
    assert nameless.name == "nameless.example"
    assert two_sites.site == "http://blog.nicolai.example/"
    assert no_site.site == no_site.site_key == ""


@pytest.mark.skipif(not LISTS.is_dir(), reason="the real lists are not here")
def test_every_row_of_the_real_lists_is_accounted_for_and_a_second_import_changes_nothing():
    lists = [("db.yml", "people", (1728, 1, 1)), ("db_community.yml", "team", (190, 0, 0)),
             ("db_overseas.yml", "overseas", (75, 0, 0))]
    for name, group, counts in lists:
        report = blogs.import_list((LISTS / name).read_bytes(), name, group, NOW)
        assert (len(report.added), len(report.known), len(report.refused)) == counts
        assert report.excluded == report.gone == []
        if name == "db.yml":
            assert report.known[0].name == "신재헌"
            assert [(row.name, reason) for row, reason in report.refused] == [("김형철", "rss is empty")]
    assert Blog.select().count() == 1993
    before = dump()
    for name, group, (added, known, refused) in lists:
        report = blogs.import_list((LISTS / name).read_bytes(), name, group, NOW)
        assert (len(report.added), len(report.known), len(report.refused)) == (0, added + known, refused)
        assert report.excluded == report.gone == []
    assert dump() == before


def test_another_spelling_of_a_known_feed_is_known():
    blogs.import_list(yaml("https://ada.example/rss"), "db.yml", "people", NOW)
    before = dump()
    report = blogs.import_list(yaml("http://ADA.example:80/rss/", "https://ada.example/rss?utm_source=list"),
                               "other.yml", "team", NOW)
    assert [row.name for row in report.known] == ["0", "1"]
    assert dump() == before


def test_a_feed_listed_twice_is_one_blog():
    feeds = yaml("https://ada.example/rss", "http://ada.example/rss/")
    report = blogs.import_list(feeds, "db.yml", "people", NOW)
    assert [row.name for row in report.added] == ["0"]
    assert [row.name for row in report.known] == ["1"]


def test_refused_rows_do_not_keep_the_others_out():
    report = blogs.import_list(yaml("''", "ftp://ada.example/", "http://10.0.0.1/rss", "https:///rss",
                                    "https://ada.example/" + "a" * 2000, "https://bob.example/rss"),
                               "db.yml", "people", NOW)
    assert [reason for _, reason in report.refused] == [
        "rss is empty", "not an http(s) URL", "private address", "no host", "URL longer than 2000"]
    assert [blog.feed for blog in Blog.select()] == ["https://bob.example/rss"]
    report = blogs.import_list(yaml("http://10.0.0.1/rss"), "lan.yml", "people", NOW, allow_private=True)
    assert len(report.added) == 1


def test_a_dry_run_tells_and_stores_nothing():
    before = dump()
    report = blogs.import_list(yaml("https://ada.example/rss"), "db.yml", "people", NOW, dry_run=True)
    assert len(report.added) == 1
    assert dump() == before


def test_a_blog_that_left_its_list_is_told_and_kept():
    feeds = [f"https://{name}.example/rss" for name in ("ada", "bob", "carol", "dora")]
    blogs.import_list(yaml(*feeds), "db.yml", "people", NOW)
    blogs.import_list(yaml("https://team.example/rss"), "team.yml", "team", NOW)
    a_blog(feed="https://by-hand.example/rss")
    blogs.exclude(blogs.find("dora.example/rss"))
    before = dump()
    report = blogs.import_list(yaml(feeds[0], feeds[2]), "/elsewhere/db.yml", "people", NOW)
    assert [blog.feed for blog in report.gone] == ["https://bob.example/rss"]
    assert dump() == before


@pytest.mark.parametrize("row", ["rss: https://ada.example/rss",
                                 "{blog: http://ada.example, rss: https://ada.example/atom}"])
def test_an_import_does_not_bring_back_who_asked_to_be_left_out(row):
    a_blog(state="excluded")
    before = dump()
    report = blogs.import_list(f"- {row}".encode(), "db.yml", "people", NOW)
    assert len(report.excluded) == 1
    assert report.added == []
    assert dump() == before


def test_an_import_leaves_a_paused_blog_paused():
    a_blog(state="paused", paused_for="owner")
    before = dump()
    assert len(blogs.import_list(yaml("https://ada.example/rss"), "db.yml", "people", NOW).known) == 1
    assert dump() == before


@pytest.mark.parametrize("data", [b"", b"<html><body>Not found</body></html>", b"\x89PNG\r\n", b"- name: 'a",
                                  b"[" * 100_000, b"rss: https://ada.example/rss", b"- !!python/name:os.x a"])
def test_what_is_no_list_leaves_the_database_alone(data):
    a_blog(source="db.yml")
    before = dump()
    with pytest.raises(NotAList):
        blogs.import_list(data, "db.yml", "people", NOW)
    assert dump() == before


def test_an_import_that_is_cut_off_adds_nothing():
    db.execute_sql("CREATE TRIGGER cut BEFORE INSERT ON blog WHEN NEW.name = '700'"
                   " BEGIN SELECT RAISE(ABORT, 'no power'); END")
    feeds = yaml(*(f"https://{number}.example/" for number in range(1000)))
    before = dump()
    with pytest.raises(IntegrityError, match="no power"):
        blogs.import_list(feeds, "db.yml", "people", NOW)
    assert dump() == before


def test_what_is_exported_is_known_when_it_is_imported():
    blogs.import_list(yaml("https://ada.example/rss", "https://bob.example/rss"), "db.yml", "people", NOW)
    report = blogs.import_list(as_opml(Blog.select()).encode(), "devdigest.opml", "people", NOW)
    assert (len(report.known), report.added, report.refused) == (2, [], [])


def test_a_feed_is_added_under_its_own_title(server, fetcher, parser):
    blog = blogs.add(server.url("/rss"), fetcher, parser, NOW, allow_private=True)
    assert (blog.name, blog.feed, blog.site) == ("Ada's blog", server.url("/rss"), server.url("/"))
    stored = Blog.get()
    assert (stored.group, stored.state, stored.source, stored.added) == ("people", "active", "", NOW)
    assert stored.first_read is None


def test_a_blog_is_added_with_the_name_and_group_that_the_owner_gives(server, fetcher, parser):
    blogs.add(server.url("/rss"), fetcher, parser, NOW, group="team", name="우리 팀", allow_private=True)
    assert (Blog.get().name, Blog.get().group) == ("우리 팀", "team")


@pytest.mark.parametrize(("page", "site"), [("/", "/"), ("/2026/article", "/")])
def test_the_feed_that_a_page_names_is_added(server, fetcher, parser, page, site):
    server.serve(page, b"<link rel=alternate type=application/atom+xml href=/broken>"
                       b"<link rel=alternate type=application/rss+xml href=/rss>", "text/html")
    blog = blogs.add(server.url(page), fetcher, parser, NOW, allow_private=True)
    assert (blog.feed, blog.site) == (server.url("/rss"), server.url(site))
    assert server.paths == [page, "/broken", "/rss"]


def test_of_a_page_whose_feed_names_another_site_the_page_is_the_site(server, fetcher, parser):
    server.serve("/feed", RSS.format("Draft", "http://localhost:4000/").encode())
    server.serve("/", b"<p>no link", "text/html")
    blog = blogs.add(server.url("/"), fetcher, parser, NOW, allow_private=True)
    assert (blog.feed, blog.site) == (server.url("/feed"), server.url("/"))


def test_a_site_without_a_feed_is_not_added(server, fetcher, parser):
    server.serve("/no/", b"<link rel=alternate type=application/rss+xml href=/rss>", "text/html")
    server.serve("/rss", b"<html>no feed either", "text/html")
    with pytest.raises(blogs.NotAdded, match=r"/no/: no feed"):
        blogs.add(server.url("/no/"), fetcher, parser, NOW, allow_private=True)
    assert Blog.select().count() == 0
    assert len(server.paths) == len(set(server.paths)) == 13


def test_of_a_page_that_names_a_hundred_feeds_some_are_asked_with_a_gap_between(server, fetcher, parser):
    links = "".join(f"<link rel=alternate type=application/rss+xml href=/{number}>" for number in range(100))
    server.serve("/", links.encode(), "text/html")
    began = time.monotonic()
    with pytest.raises(blogs.NotAdded, match="no feed"):
        blogs.add(server.url("/"), fetcher, parser, NOW, allow_private=True, gap=0.02)
    assert server.paths == ["/", *(f"/{number}" for number in range(16))]
    assert time.monotonic() - began >= 16 * 0.02


@pytest.mark.parametrize(("url", "reason"), [("", "not an http"), ("ada.example", "not an http"),
                                             ("http://127.0.0.1/rss", "private address")])
def test_a_url_that_cannot_be_a_feed_is_not_even_asked(fetcher, parser, url, reason):
    with pytest.raises(blogs.NotAdded, match=reason):
        blogs.add(url, fetcher, parser, NOW)


def test_a_document_that_would_be_read_for_hours_is_not_added(server, fetcher):
    endless = f"<rss version='2.0'><channel><item><author>{'a.' * 200_000}</author></item></channel></rss>"
    server.serve("/endless", endless.encode())
    server.answer("/rss", 404)
    with (Parser(SEOUL, Strictness(seconds=1)) as strict,
          pytest.raises(blogs.NotAdded, match="/endless: no feed")):
        blogs.add(server.url("/endless"), fetcher, strict, NOW, allow_private=True)
    assert Blog.select().count() == 0


def test_where_no_parser_can_be_started_that_is_the_reason(server, fetcher):
    with Path("/usr/share/zoneinfo/Asia/Seoul").open("rb") as file:
        nowhere = ZoneInfo.from_file(file, key="No/Where")
    with (Parser(nowhere) as none, pytest.raises(blogs.NotAdded, match="/rss: no process that reads feeds")):
        blogs.add(server.url("/rss"), fetcher, none, NOW, allow_private=True)


def test_a_page_that_does_not_answer_is_not_added(server, fetcher, parser):
    with pytest.raises(blogs.NotAdded, match="HTTP 404"):
        blogs.add(server.url("/gone"), fetcher, parser, NOW, allow_private=True)
    assert server.paths == ["/gone"]


@pytest.mark.parametrize("state", ["active", "paused"])
def test_a_blog_on_the_list_is_told_and_not_added_again(server, fetcher, parser, state):
    blog = blogs.add(server.url("/rss"), fetcher, parser, NOW, allow_private=True)
    Blog.update(state=state).execute()
    server.serve("/about", b"<link rel=alternate type=application/rss+xml href=/rss>", "text/html")
    before = dump()
    for url in (server.url("/rss/"), server.url("/"), server.url("/about")):
        with pytest.raises(blogs.NotAdded, match=f"on the list already, {state}, as {blog.id} Ada's blog"):
            blogs.add(url, fetcher, parser, NOW, allow_private=True)
    assert dump() == before


def test_adding_an_excluded_blog_lifts_that_and_its_next_read_is_a_first_read(fetcher, parser):
    blog = a_blog(state="excluded", first_read=NOW, read=NOW, etag='"1"', modified="yesterday")
    post = a_post(blog, "1", Verdict.HISTORY)
    assert blogs.add("https://ada.example/", fetcher, parser, NOW) == blog
    blog = noted(blog)
    assert (blog.state, blog.first_read) == ("active", None)
    assert (blog.fetching.etag, blog.fetching.modified, blog.fetching.read) == ("", "", NOW)
    assert Post.get_by_id(post.id).verdict == Verdict.HISTORY


@pytest.mark.parametrize("text", ["https://ada.example/rss", "http://ada.example/rss/", "ada.example/rss",
                                  "https://ada.example", "ada.example/", "7", " ADA.example "])
def test_a_blog_is_found_by_feed_site_or_number(text):
    a_blog(id=7)
    a_blog(feed="https://bob.example/rss", site="https://bob.example/")
    assert blogs.find(text).id == 7


@pytest.mark.parametrize(("text", "told"), [
    ("ada", "no blog 'ada'\n  1 Ada https://ada.example/rss\n  2 Ada https://ada.example/atom"),
    ("https://carol-writes.exmaple/rss", "no blog 'https://carol-writes.exmaple/rss'\n"
                                         "  3 Carol-Writes https://carol-writes.example/rss"),
    ("ada.example", "several blogs 'ada.example'\n"
                    "  1 Ada https://ada.example/rss\n  2 Ada https://ada.example/atom"),
    ("4", "no blog '4'"), ("9" * 99, f"no blog '{'9' * 99}'"), ("회고", "no blog '회고'"),
])
def test_who_names_no_blog_is_told_which_come_near(text, told):
    a_blog()
    a_blog(feed="https://ada.example/atom")
    a_blog(feed="https://carol-writes.example/rss", site="https://carol-writes.example/")
    with pytest.raises(blogs.NoSuchBlog) as refusal:
        blogs.find(text)
    assert str(refusal.value) == told


@pytest.fixture
def cast():
    """Ada's and Bob's blog: of each a post of every verdict, and one in an issue."""
    issue = Issue.create(kind="daily", day=date(2026, 11, 22), state="published", created=NOW)
    weekly = Issue.create(kind="weekly", day=date(2026, 11, 22), state="published", created=NOW)
    ada = a_blog()
    bob = a_blog(feed="https://bob.example/rss", site="https://bob.example/")
    for blog in (ada, bob):
        for verdict in Verdict:
            a_post(blog, verdict, verdict)
        a_post(blog, "mailed", Verdict.NEWS, issue)
        a_post(blog, "most read", Verdict.NEWS, weekly)
    return ada, bob


def verdicts(blog: Blog) -> dict[str, str]:
    return {post.guid: post.verdict for post in Post.of(blog)}


def frozen(blog: Blog) -> list[IssuePost]:
    return list(IssuePost.select().where(IssuePost.blog_id == blog.id))


def test_an_excluded_blog_has_no_post_to_mail_and_keeps_what_was_mailed(cast):
    ada, bob = cast
    before = verdicts(bob)
    assert blogs.exclude(ada) == 3
    assert Blog.get_by_id(ada.id).state == "excluded"
    assert verdicts(ada) == {"news": "history", "held": "history", "most read": "history", "mailed": "news",
                             "history": "history", "too_old": "too_old", "copy": "copy"}
    assert verdicts(bob) == before
    assert {post.title for post in Post.of(ada)} & {""} == set()
    assert blogs.exclude(ada) == 0


def test_erasing_blanks_titles_excerpts_and_tags_of_that_blog_alone_and_keeps_what_tells_posts_apart(cast):
    ada, bob = cast
    guids = {(post.guid, post.key, post.day) for post in Post.of(ada)}
    blogs.exclude(ada, erase=True)
    assert {(post.title, post.excerpt, post.tags) for post in Post.of(ada)} == {("", "", "")}
    assert {(post.guid, post.key, post.day) for post in Post.of(ada)} == guids
    assert {(post.title, post.excerpt, post.tags) for post in frozen(ada)} == {("", "", "")}
    assert "" not in {words for post in [*Post.of(bob), *frozen(bob)] for words in (post.title, post.tags)}


def test_a_blog_is_paused_and_resumed():
    blog = a_blog()
    assert blogs.pause(blog) is True
    assert (Blog.get().state, Blog.get().paused_for) == ("paused", "owner")
    assert blogs.pause(blog) is False
    assert blogs.resume(blog) is True
    assert (Blog.get().state, Blog.get().paused_for) == ("active", "")
    assert blogs.resume(blog) is False


def test_neither_pause_nor_resume_lifts_an_exclusion():
    blog = a_blog(state="excluded")
    assert blogs.pause(blog) is blogs.resume(blog) is False
    assert Blog.get().state == "excluded"


def test_pausing_leaves_what_a_fetch_wrote_meanwhile():
    blog = a_blog()
    Fetching.update(etag='"2"', failures=3).execute()
    blogs.pause(blog)
    assert (noted(blog).fetching.etag, noted(blog).fetching.failures) == ('"2"', 3)


def test_two_imports_at_once_add_each_blog_once():
    feeds = yaml(*(f"https://{number}.example/" for number in range(200)))
    added: list[int] = []

    def work() -> None:
        with db.connection_context():
            added.append(len(blogs.import_list(feeds, "db.yml", "people", NOW).added))
    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(added) == [0, 0, 200]


def test_a_page_belongs_to_the_blog_with_the_closest_site():
    host = a_blog("https://host.example/rss", "https://host.example/")
    bob = a_blog("https://host.example/~bob/rss", "https://host.example/~bob/")
    team = a_blog("https://host.example/~bob/team.xml", "https://host.example/~bob")
    a_blog("https://host.example/~bob/2026/rss", "https://host.example/~bob/2026/", state="excluded")
    a_blog("https://nameless.example/rss", "")
    assert Blog.owning("host.example/~bob/2026/hello") == {bob.id, team.id}
    assert Blog.owning("host.example/~bobby/hello") == Blog.owning("host.example/?p=1") == {host.id}
    assert Blog.owning("elsewhere.example/hello") == Blog.owning("") == set()


def test_posts_that_share_a_link_are_those_that_are_no_copies():
    ada, bob, carol = (a_blog(f"https://{name}.example/rss") for name in ("ada", "bob", "carol"))
    original, held = a_post(bob, "link", Verdict.NEWS), a_post(ada, "link", Verdict.HELD)
    a_post(carol, "link", Verdict.COPY)
    a_post(ada, "", Verdict.NEWS)
    a_post(ada, "other", Verdict.NEWS)
    assert list(Post.sharing({"link", ""})) == [original, held]


def test_whoever_was_reached_longest_ago_is_due_first():
    late, early, never, same = (
        a_blog(f"https://{name}.example/rss", fetched=fetched)
        for name, fetched in (("late", NOW), ("early", NOW.replace(hour=0)), ("never", None), ("same", NOW)))
    assert list(Fetching.due(NOW)) == [never, early, late, same]
