"""Which blog is meant by what was typed or pasted, when it is read next, and what became of its posts."""
import threading
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from conftest import NOW, a_blog, noted
from feed_server import FeedServer
from web_site import TODAY, a_post, an_issue

from devdigest import agenda, urls, whereabouts
from devdigest.collect import collect
from devdigest.config import Config
from devdigest.memory import Operator
from devdigest.models import Blog

pytestmark = pytest.mark.usefixtures("records")


def blog(name: str, site: str = "", feed: str = "", **values: object) -> Blog:
    feed = feed or f"https://feeds.example.net/{name}"
    return a_blog(name, site=site, site_key=urls.canonical(site), feed=feed, feed_key=urls.canonical(feed),
                  **values)


def names(blogs: list[Blog]) -> list[str]:
    return [one.name for one in blogs]


# what was typed

def test_blogs_are_listed_by_name_but_those_left_out() -> None:
    for name in ("나", "b", "C", "가", "A"):
        blog(name)
    blog("left", state="excluded")
    assert names(whereabouts.listed()) == ["A", "b", "C", "가", "나"]


def test_a_part_of_the_name_finds_a_blog_however_it_is_written() -> None:
    woowa, node, elan = "우아한 기술블로그", "Node.js 이야기", "Élan"
    for name in (woowa, node, elan):
        blog(name)
    for typed, found in {
            "기술": [woowa], "우아한기술": [woowa], "기술 블로그": [woowa], "NODE": [node], "node.JS": [node],
            "É": [elan], "élan": [elan], "": [node, elan, woowa], "%": [], "_": [], "'": [], "없음": [],
            "\u110b\u116e\u110b\u1161": [woowa]}.items():      # 우아 in pieces, as macOS writes it
        assert names(whereabouts.listed(typed)) == found, typed


def test_who_is_listed_by_their_own_name_is_found_by_the_address_of_their_blog_too() -> None:
    blog("김민지", "https://velog.io/@minji_dev")
    blog("김민지 B", "https://MINJI.tistory.com/")
    blog("Minji Kim", "https://example.org/")
    for typed, found in {"minji": ["Minji Kim", "김민지", "김민지 B"], "@minji_dev": ["김민지"],
                         "Velog": ["김민지"], "민지": ["김민지", "김민지 B"], "velog.net": []}.items():
        assert names(whereabouts.listed(typed)) == found, typed


def test_the_list_can_be_of_one_group_or_of_those_that_fail() -> None:
    blog("team", group="team")
    blog("down", fault="timeout after 10 s")
    blog("rest", fault="HTTP 410 Gone", state="paused")
    assert names(whereabouts.listed(group="team")) == ["team"]
    assert names(whereabouts.listed(failing=True)) == ["down"]
    assert names(whereabouts.listed("dow", "people", failing=True)) == ["down"]


def test_an_address_is_told_from_a_name() -> None:
    for typed, url in {
            "https://example.org/글": "https://example.org/%EA%B8%80", "HTTP://example.org": "http://example.org",
            "example.org": "https://example.org", "velog.io/@ada/post": "https://velog.io/@ada/post",
            "한글.kr": "https://xn--bj0bj06e.kr", "Node.js": "https://node.js", "example.org:8080/a":
            "https://example.org:8080/a", "회고": "", "우아한 기술블로그": "", "ada lovelace.org": "",
            "https://": "", "javascript:alert(1)": "", "ada@example.org": "",
            "https://ada:secret@example.org/": "", "": "", "https://a.b/" + "x" * 3000: ""}.items():
        assert whereabouts.address(typed) == url, typed


# whose address it is

def a_neighbourhood() -> None:
    """Blogs at hosts of their own, on a platform, and two of one company."""
    posts = {"ada": "https://ada.example.org/2026/a-post", "tistory": "https://t.tistory.com/12",
             "naver": "https://blog.naver.com/nani/2234?fromRss=true&trackingCode=rss"}
    for made in (blog("ada", "https://ada.example.org/"), blog("tistory", "https://t.tistory.com"),
                 blog("naver", "https://blog.naver.com/nani", "https://rss.blog.naver.com/nani.xml"),
                 blog("bob", feed="https://bob.example.org/rss.xml"),
                 blog("company", "https://tech.example.com/"),
                 blog("company ai", "https://tech.example.com/ai"),
                 blog("left", "https://left.example.org/", state="excluded"),
                 *(blog(f"v{number}", f"https://velog.io/@v{number}", f"https://v2.velog.io/rss/v{number}")
                   for number in range(7)),
                 # its feed names the platform as its site
                 blog("eve", "https://velog.io/", "https://v2.velog.io/rss/eve")):
        if made.name in posts:
            a_post(made, "글", url=posts[made.name], key=urls.canonical(posts[made.name]))


def test_a_pasted_address_leads_to_its_blog() -> None:
    a_neighbourhood()
    for pasted, owner in {
            # a post that we have, as readers, phones and chats write it
            "https://ada.example.org/2026/a-post": "ada", "http://ada.example.org/2026/a-post/": "ada",
            "https://www.ada.example.org/2026/a-post?utm_source=x#end": "ada",
            "https://t.tistory.com/m/12": "tistory", "https://t.tistory.com/12?category=3": "tistory",
            "https://m.blog.naver.com/nani/2234": "naver",
            # a blog, its feed, a page of it that we do not have
            "https://ada.example.org": "ada", "https://ada.example.org/never-seen": "ada",
            "https://rss.blog.naver.com/nani.xml": "naver", "https://blog.naver.com/nani/999": "naver",
            "https://bob.example.org/2026/unknown": "bob", "https://bob.example.org/rss.xml": "bob",
            "https://tech.example.com/ai/1": "company ai", "https://tech.example.com/aim": "company",
            "https://velog.io/@v3/unknown": "v3", "https://v2.velog.io/rss/v3": "v3",
            "https://velog.io/@eve/unknown": "eve", "https://left.example.org/a": "left"}.items():
        assert names(whereabouts.meant(pasted)) == [owner], pasted


def test_what_platforms_write_in_two_ways_is_one_address() -> None:
    posts = {"naver": "https://blog.naver.com/nani/2234", "at": "https://medium.com/@ada/title-0c1f",
             "sub": "https://bob.medium.com/title-77aa"}
    for name, url in posts.items():
        made = blog(name, url.rpartition("/")[0], f"https://medium.com/feed/{name}")
        a_post(made, "글", url=url, key=urls.canonical(url))
    for number in range(7):         # as platforms have
        blog(f"m{number}", f"https://medium.com/@m{number}")
        blog(f"n{number}", f"https://blog.naver.com/n{number}")
    for pasted, owner in {
            "https://blog.naver.com/PostView.naver?blogId=nani&logNo=2234&navType=by": "naver",
            "https://m.blog.naver.com/PostView.nhn?logNo=2234&blogId=nani": "naver",
            "https://blog.naver.com/nani?Redirect=Log&logNo=2234": "naver",
            "https://ada.medium.com/title-0c1f": "at",
            "https://ada.medium.com/title-0c1f?source=friends_link&sk=1": "at",
            "https://medium.com/@bob/title-77aa": "sub"}.items():
        assert names(whereabouts.meant(pasted)) == [owner], pasted
        made = Blog.get(Blog.name == owner)
        assert whereabouts.post_at(made, pasted).url == posts[owner], pasted
    for pasted, owner in {"https://blog.naver.com/PostList.naver?blogId=nani&from=x": "naver",
                          "https://ada.medium.com/another-0c20": "at",
                          "https://medium.com/@bob/another-77ab": "sub"}.items():
        assert names(whereabouts.meant(pasted)) == [owner], pasted
    for pasted in ("https://blog.naver.com/PostView.naver?blogId=other&logNo=2234", "https://medium.com/@nobody/a",
                   "https://blog.naver.com/PostView.naver", "https://nobody.medium.com/a"):
        assert whereabouts.meant(pasted) == [], pasted


def test_the_address_of_a_blog_is_told_from_that_of_a_post() -> None:
    velog = blog("velog", "https://velog.io/@ada", "https://v2.velog.io/rss/ada")
    tistory, medium = blog("tistory", "https://t.tistory.com"), blog("medium", "https://medium.com/@ada")
    naver, plain = blog("naver", "https://blog.naver.com/nani"), blog("plain", "https://ada.example.org/")
    for made, url in ((velog, "https://velog.io/@ada/posts"), (velog, "https://velog.io/@ada/"),
                      (velog, "https://v2.velog.io/rss/ada"), (tistory, "https://t.tistory.com/m"),
                      (tistory, "https://t.tistory.com/m/"), (medium, "https://ada.medium.com/"),
                      (naver, "https://m.blog.naver.com/nani"),
                      (naver, "https://blog.naver.com/PostList.naver?blogId=nani"),
                      (plain, "https://www.ada.example.org/index.html")):
        assert whereabouts.is_front(made, url), url
    for made, url in ((velog, "https://velog.io/@ada/posts-of-2026"), (tistory, "https://t.tistory.com/12"),
                      (plain, "https://ada.example.org/?p=12"), (plain, "https://ada.example.org/posts/12"),
                      (naver, "https://blog.naver.com/PostView.naver?blogId=nani&logNo=1")):
        assert not whereabouts.is_front(made, url), url


def test_an_address_that_is_nobodys_leads_to_nobody() -> None:
    a_neighbourhood()
    for pasted in ("https://velog.io/@stranger/a", "https://velog.io", "https://example.com/", "https://org/",
                   "https://ada.example.org.evil.example/", "https://ada.example.or", "https://127.0.0.1/a"):
        assert whereabouts.meant(pasted) == [], pasted


def test_two_blogs_with_one_post_are_told_apart_by_whose_site_it_is() -> None:
    company, writer = blog("company", "https://tech.example.com/"), blog("writer", "https://writer.example.org/")
    for made in (company, writer):
        a_post(made, "글", url="https://tech.example.com/1", key="tech.example.com/1")
    assert names(whereabouts.meant("https://tech.example.com/1")) == ["company"]


def test_where_several_may_be_meant_all_are_offered() -> None:
    blog("one", feed="https://tech.example.com/one/feed")
    blog("two", feed="https://tech.example.com/two/feed")
    blog("left", feed="https://tech.example.com/left/feed", state="excluded")
    assert names(whereabouts.meant("https://tech.example.com/posts/1")) == ["one", "two"]


def test_a_post_is_found_by_its_link_and_the_first_of_its_copies_counts() -> None:
    made = blog("ada", "https://ada.example.org/")
    first = a_post(made, "one", key="ada.example.org/1")
    a_post(made, "one again", key="ada.example.org/1", verdict="copy", copy_of=first.id)
    assert whereabouts.post_at(made, "https://ada.example.org/1/").id == first.id
    assert whereabouts.post_at(made, "https://ada.example.org/2") is None
    assert whereabouts.post_at(blog("bob"), "https://ada.example.org/1") is None


# its posts

def test_the_latest_posts_know_their_issue() -> None:
    made = blog("ada")
    mailed, late = a_post(made, "mailed"), a_post(made, "late", date(2026, 11, 1))
    waiting = a_post(made, "waiting", first_seen=NOW + timedelta(hours=1))
    an_issue(mailed, late=(late,))
    an_issue(mailed, kind="weekly")
    assert [(post.title, post.issue_day, post.late) for post in whereabouts.latest(made, 10)] == [
        (waiting.title, None, None), (mailed.title, TODAY, False), (late.title, TODAY, True)]
    assert names_of(whereabouts.latest(made, 2)) == ["waiting", "mailed"]


def names_of(posts: list) -> list[str]:
    return [post.title for post in posts]


def test_copies_count_as_no_posts_and_held_ones_as_waiting() -> None:
    made = blog("ada")
    for number, verdict in enumerate(("news", "history", "too_old", "copy", "held", "held")):
        a_post(made, f"post {number}", verdict=verdict)
    assert (whereabouts.known(made), whereabouts.held(made)) == (5, 2)


def local(clock: str, day: int = 21) -> datetime:
    """That time in Seoul, in November 2026."""
    hour, minute = map(int, clock.split(":"))
    return datetime(2026, 11, day, tzinfo=NOW.tzinfo) + timedelta(hours=hour - 9, minutes=minute)


# when it is read next: at 03:00 and 09:00, what failed until 09:55

FAILED = {"fault": "HTTP 500", "status": 500, "failures": 1}


@pytest.mark.parametrize(("now", "values", "next_fetch"), [
    ("02:59", {}, local("03:00")), ("03:00", {}, local("09:00")), ("09:01", {}, local("03:00", 22)),
    ("09:01", FAILED | {"not_before": local("09:16")}, local("09:16")),
    ("09:20", FAILED | {"not_before": local("09:16")}, local("09:20")),         # at the worker's next look
    ("09:30", FAILED | {"not_before": local("10:00")}, local("03:00", 22)),     # too late for today's issue
    ("03:10", FAILED | {"not_before": local("09:30")}, local("09:00")),
    ("09:01", FAILED | {"status": 404, "not_before": None}, local("03:00", 22)),
    ("09:01", FAILED | {"asked_to_wait": True, "not_before": local("12:00")}, local("03:00", 22)),
    ("09:01", FAILED | {"asked_to_wait": True, "not_before": local("04:00", 22)}, local("04:00", 22)),
    ("09:01", FAILED | {"asked_to_wait": True, "not_before": local("11:00", 27)}, local("03:00", 28)),
    ("09:01", FAILED | {"failures": 40, "read": local("09:00", 1), "fetched": local("03:00")},
     local("03:00", 28)),                                       # for weeks
    ("02:59", {"feed": "https://busy.example.com/"}, local("03:00", 22)),
    ("09:01", {"state": "paused"}, None), ("09:01", {"state": "excluded"}, None)])
def test_it_is_told_when_a_blog_is_read_next(config: Config, now: str, values: dict[str, object],
                                             next_fetch: datetime | None) -> None:
    made = blog("ada", **values)
    blog("healthy", read=local("03:00"))
    Operator.leave_alone("example.com", 0.1, local("09:01"))
    assert whereabouts.next_fetch(config, made, local(now)) == next_fetch


@pytest.mark.parametrize(("status", "headers"), [
    (500, {}), (429, {"Retry-After": "1200"}), (503, {"Retry-After": "86400"}), (404, {})])
def test_what_is_told_is_what_the_worker_does(config: Config, feeds: FeedServer, status: int,
                                              headers: dict[str, str]) -> None:
    feeds.answer("/rss", status, headers)
    feeds.serve("/good", b"<rss version='2.0'><channel/></rss>")
    made, _ = (blog(path, feed=feeds.url(f"/{path}")) for path in ("rss", "good"))
    now = local("09:00")
    collect(config, now, threading.Event())
    told = whereabouts.next_fetch(config, noted(made), now)
    while feeds.paths.count("/rss") == 1:
        now += timedelta(minutes=5)
        if due := agenda.collect(config, now):
            collect(config, now, threading.Event(), retry=due == "retry")
    assert now - timedelta(minutes=5) < told <= now


def test_the_times_of_collecting_need_no_order(config: Config) -> None:
    config = replace(config, collect=replace(config.collect, times=("09:00", "03:00")))
    assert whereabouts.next_fetch(config, blog("ada"), local("01:00")) == local("03:00")
