"""The list of blogs, and the page of each, which answers 'where is my post?'."""
import gzip
import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from html import escape, unescape

import pytest
import requests
from conftest import NOW, a_blog
from web_site import TODAY, YESTERDAY, Visitor, a_post, a_week, an_issue, visiting

from devdigest import bloglists, urls, web, whereabouts
from devdigest.blogs import exclude
from devdigest.config import Config
from devdigest.fetch import FAULTS
from devdigest.fetching import Fetching
from devdigest.memory import HOLD, Setting
from devdigest.models import Blog
from devdigest.web.verdicts import Story, stories
from devdigest.web.visit import Visit
from devdigest.web.words import say

EVIL = '<script>alert("1")</script>&amp;{{7*7}}'
PAGE = 30 * 1024        # bytes, compressed, with the style


@pytest.fixture
def visitor(config: Config, records: None) -> Iterator[Visitor]:
    with visiting(config) as visitor:
        yield visitor


def listed(page: str) -> list[str]:
    return [unescape(name) for name in re.findall(r'<li><a href="/blogs/[^"]*">(.*?)</a>', page)]


def find(visitor: Visitor, typed: str, **form: str) -> requests.Response:
    return visitor.ask("GET", "/blogs/", params={"q": typed} | form)


def many(count: int) -> None:
    """Blogs of which every ninth is slow."""
    Blog.insert_many([{"name": f"개발하는 블로거 {number:04}의 이야기", "added": NOW,
                       "feed": f"https://blog{number}.example.org/feed", "feed_key": f"blog{number}"}
                      for number in range(count)]).execute()
    Fetching.update(read=NOW).execute()
    Fetching.update(fault="timeout after 10 s", fault_kind="slow").where(Fetching.blog % 9 == 1).execute()


# the list

def test_the_list_has_every_blog_by_name_but_those_left_out(visitor: Visitor) -> None:
    a_week()
    page = visitor.get("/blogs/").text
    assert listed(page) == ["The Slow Computer", "가나 기술 블로그", "늘 꺼져 있는 서버", "데이터베이스 노트",
                            "쉬는 블로그", "이사 간 블로그"]
    assert "블로그 6곳</p>" in page
    assert "나가고 싶은 블로그" not in page
    assert page.count("<span>개인 블로그</span>") == 4


def test_the_list_tells_people_of_one_name_apart_by_the_address(visitor: Visitor) -> None:
    for site in ("https://velog.io/@minji", "https://minji.tistory.com/", ""):
        a_blog(site, name="김민지", site=site, site_key=urls.canonical(site), feed_key=site, read=NOW)
    told = re.findall(r'<span class="site">(.*?)</span>', visitor.get("/blogs/").text)
    assert told == ["velog.io/@minji", "minji.tistory.com"]


def test_what_is_wrong_with_a_blog_is_said_in_the_list(visitor: Visitor) -> None:
    a_blog("gone", name="이사 간 블로그", status=404, fault="HTTP 404 Not Found", fault_kind="gone")
    a_blog("rest", name="쉬는 블로그", state="paused", paused_for="owner")
    a_blog("new", name="새 블로그", read=None)
    a_blog("well", name="멀쩡한 블로그")
    told = re.findall(r'<span class="((?:fault )?told)">(.*?)</span>', visitor.get("/blogs/").text)
    assert told == [("told", "아직 읽지 않았습니다"), ("fault told", "지금은 읽지 않습니다"),
                    ("fault told", "피드 주소에 아무것도 없습니다 (HTTP 404)")]


@pytest.mark.parametrize(("query", "found"), [
    ("q=노트", ["데이터베이스 노트"]), ("q=slow", ["The Slow Computer"]),
    ("group=team", ["가나 기술 블로그"]), ("q=블로그&group=people", ["쉬는 블로그", "이사 간 블로그"]),
    ("state=failing", ["늘 꺼져 있는 서버", "이사 간 블로그"]),
    ("q=서버&state=failing&page=1", ["늘 꺼져 있는 서버"])])
def test_the_list_can_be_narrowed(visitor: Visitor, query: str, found: list[str]) -> None:
    a_week()
    page = visitor.get(f"/blogs/?{query}").text
    assert listed(page) == found
    assert '<meta name="robots" content="noindex">' in page


def test_the_form_keeps_what_was_typed_and_shows_it_as_text(visitor: Visitor) -> None:
    page = find(visitor, EVIL, group="team", state="failing").text
    assert f'value="{escape(EVIL)}"' in page
    assert "<script" not in page
    assert '<option value="team" selected>' in page
    assert 'value="failing" checked>' in page


@pytest.mark.parametrize(("query", "words"), [
    ("", "아직 등록된 블로그가 없습니다"), ("?q=없는것", "찾는 블로그가 없습니다"),
    ("?group=x", "찾는 블로그가 없습니다"), ("?state=failing", "모든 블로그를 잘 읽고"),
    ("?q=https://example.org/a", "이 주소의 블로그는 목록에 없습니다")])
def test_a_list_of_nothing_says_what_to_try(visitor: Visitor, query: str, words: str) -> None:
    page = visitor.get(f"/blogs/{query}").text
    assert words in page
    assert 'href="https://github.com/awesome-devblog/awesome-devblog"' in page
    assert "owner@example.org" in page


def test_two_thousand_blogs_are_told_by_the_hundred(visitor: Visitor) -> None:
    many(2000)
    style = len(gzip.compress(visitor.get(web.STYLE_PATH).content))
    path, seen, pages = "/blogs/?q=개발", [], 0
    while path:
        page = visitor.get(path)
        assert len(gzip.compress(page.content)) + style < PAGE
        seen += listed(page.text)
        pages += 1
        following = re.search(r'href="([^"]*)" rel="next"', page.text)
        path = following and unescape(following[1])
    assert (pages, len(seen), len(set(seen))) == (20, 2000, 2000)
    assert seen == sorted(seen)
    assert "블로그 2,000곳 · 1,901–2,000" in page.text
    assert 'rel="prev"' in page.text


@pytest.mark.parametrize("page", ["0", "2", "-1", "x", "1.0", "٢", "99999999999999999999", "%00", "1e1"])
def test_a_page_of_the_list_that_does_not_exist_is_not_there(visitor: Visitor, page: str) -> None:
    a_blog()
    assert visitor.get(f"/blogs/?page={page}").status_code == 404


def test_the_list_is_kept_and_its_questions_do_not_mix(visitor: Visitor) -> None:
    a_week()
    first = visitor.get("/blogs/")
    assert visitor.get("/blogs/", If_None_Match=first.headers["ETag"]).status_code == 304
    assert listed(visitor.get("/blogs/?q=노트").text) == ["데이터베이스 노트"]
    assert visitor.get("/blogs/").text == first.text


def test_the_list_can_be_taken_along_as_opml(visitor: Visitor) -> None:
    a_week()
    a_blog("evil", name=EVIL + "\x08", site="javascript:alert(1)")
    answer = visitor.get("/blogs.opml")
    assert answer.headers["Content-Type"] == "text/x-opml; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="blogs.opml"'
    assert visitor.get("/blogs.opml", If_None_Match=answer.headers["ETag"]).status_code == 304
    rows = bloglists.read(answer.content, "blogs.opml")
    assert {row.feed for row in rows} == {blog.feed for blog in Blog.listed()}
    assert [(row.name, row.site) for row in rows if "evil" in row.feed] == [(EVIL, "")]
    assert 'href="/blogs.opml"' in visitor.get("/blogs/").text


# an address leads to its blog

@pytest.fixture
def note(records: None) -> Blog:
    return a_blog("note", name="데이터베이스 노트", fetched=NOW, status=200)


def test_an_address_leads_to_its_blog_and_to_what_became_of_the_post(visitor: Visitor, note: Blog) -> None:
    an_issue(a_post(note, "찾던 글", key="note.example.org/%EA%B8%80", url="https://note.example.org/글"))
    for number in range(12):
        a_post(note, f"다른 글 {number}", first_seen=NOW + timedelta(hours=number))
    answer = find(visitor, " http://www.note.example.org/글/?utm_source=chat ")
    assert (answer.status_code, answer.text) == (303, "")
    assert answer.headers["Location"] == (f"/blogs/{note.id}?post=http%3A%2F%2Fwww.note.example.org%2F"
                                          "%25EA%25B8%2580%2F%3Futm_source%3Dchat")
    page = visitor.get(answer.headers["Location"]).text
    wanted = re.search(r'<section class="wanted".*?</section>', page, re.DOTALL)[0]
    assert "찾던 글" in wanted
    assert re.search(r'<a href="/issues/2026-11-21">(2026년 )?11월 21일 소식에 실었습니다</a>', wanted)
    assert page.count("찾던 글") == 1
    assert f'<link rel="canonical" href="http://127.0.0.1:8080/blogs/{note.id}">' in page


def test_a_post_that_we_do_not_have_is_told_with_when_we_look_again(visitor: Visitor, note: Blog) -> None:
    location = find(visitor, "note.example.org/unknown").headers["Location"]
    page = visitor.get(location).text
    assert "이 주소의 글이 없었습니다" in page
    assert "다음에 읽을 때(20" in page
    Blog.update(state="paused", paused_for="owner").execute()
    page = visitor.get(location).text
    assert "다음에 읽을 때" not in page
    assert "블로그를 다시 읽게 되면 찾습니다" in page


def test_the_address_of_a_blog_leads_to_its_page(visitor: Visitor, note: Blog) -> None:
    for typed in ("https://note.example.org", "note.example.org/", "https://note.example.org/feed"):
        assert find(visitor, typed).headers["Location"] == f"/blogs/{note.id}"


def test_an_address_of_several_blogs_lets_choose(visitor: Visitor) -> None:
    made = [a_blog(name, site="", site_key="", feed=f"https://tech.example.com/{name}.xml") for name in "ab"]
    page = find(visitor, "tech.example.com/post").text
    assert "골라 주세요" in page
    assert re.findall(r'<li><a href="([^"]*)">', page) == [
        f"/blogs/{blog.id}?post=https%3A%2F%2Ftech.example.com%2Fpost" for blog in made]


def test_a_pasted_address_goes_nowhere_but_to_our_pages(visitor: Visitor, note: Blog) -> None:
    for typed in ("https://note.example.org/\r\nSet-Cookie:%20a=1", "https://note.example.org//evil.example/",
                  "https://note.example.org/?q=\"><script>", "note.example.org/" + "가" * 150):
        answer = find(visitor, typed)
        assert answer.status_code == 303
        assert re.fullmatch(rf"/blogs/{note.id}\?post=[\w.%~-]+", answer.headers["Location"])
        assert "Set-Cookie" not in answer.headers
        assert "<script" not in visitor.get(answer.headers["Location"]).text


def test_words_in_place_of_an_address_change_nothing(visitor: Visitor, note: Blog) -> None:
    plain = visitor.get(f"/blogs/{note.id}").text
    for post in ("", "words", "javascript:alert(1)", "%00"):
        assert visitor.get(f"/blogs/{note.id}?post={post}").text == plain


def test_words_in_no_known_encoding_are_refused(visitor: Visitor, note: Blog) -> None:
    for path in ("/blogs/?q=%B0%B3%B9%DF", "/blogs/?group=%FF", f"/blogs/{note.id}?post=%FF"):
        assert visitor.get(path).status_code == 400


# a blog

@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_kind_of_fault_has_its_words_and_its_cure(language: str) -> None:
    told = {kind: (say(language, f"fault_{kind}", 404, 10), say(language, f"cure_{kind}"))
            for kind in ("", *FAULTS)}
    assert len({fault for fault, _ in told.values()}) == len(told)
    assert all(fault and cure.endswith(".") and not fault.endswith(".") for fault, cure in told.values())


def test_a_fault_is_told_in_words_that_a_blogger_understands(visitor: Visitor) -> None:
    for kind, status, fault, words in (
            ("slow", None, "timeout after 10 s", "the server does not answer within 1 seconds. It is tried"),
            ("gone", 404, "HTTP 404 Not Found", "nothing is at the feed’s address (HTTP 404). If the feed"),
            ("", None, "from before an upgrade", "its feed could not be read. It is tried again.")):
        blog = a_blog(f"blog-{kind}", status=status, fault=fault, fault_kind=kind, fetched=NOW, failures=12)
        page = visitor.get(f"/blogs/{blog.id}", Accept_Language="en").text
        assert f"cannot be read at present: {words}" in page
        assert f"<code>{fault}</code>" in page
        assert "12 times in a row" in page


@pytest.mark.parametrize(("values", "words"), [
    ({}, "Read without trouble."), ({"read": None}, "New on the list, and not read yet."),
    ({"state": "paused", "paused_for": "owner"}, "The owner has stopped reading this blog"),
    ({"state": "paused", "paused_for": "HTTP 410 Gone", "fault": "HTTP 410 Gone"}, "gone for good")])
def test_the_page_says_how_it_stands_with_the_blog(visitor: Visitor, values: dict[str, object],
                                                   words: str) -> None:
    blog = a_blog(**values)
    page = visitor.get(f"/blogs/{blog.id}", Accept_Language="en").text
    assert words in re.search(r'<p class="lead">(.*?)</p>', page, re.DOTALL)[1]
    assert ("<dt>Next request</dt>" in page) == ("state" not in values)


def test_the_page_tells_when_the_feed_was_asked_and_what_came(visitor: Visitor) -> None:
    blog = a_blog(fetched=NOW, status=304, read=NOW - timedelta(days=1))
    page = visitor.get(f"/blogs/{blog.id}", Accept_Language="en").text
    facts = dict(re.findall(r"<dt>(.*?)</dt>\s*<dd>(.*?)\s*</dd>", page, re.DOTALL))
    assert facts["Last request"] == "21 November 2026, 09:00 · HTTP 304 (nothing has changed)"
    assert facts["Last read"] == "20 November 2026, 09:00"
    assert re.fullmatch(r"\d+ \w+ 20\d\d, 0[39]:00", facts["Next request"])
    assert 'href="https://blog.example.org/feed" rel="noopener nofollow"' in facts["Feed"]
    assert facts["Posts found"] == "0 posts"


def test_a_blog_with_nothing_to_show_has_a_page_too(visitor: Visitor) -> None:
    blog = a_blog(name="", site="", site_key="", feed="file:///etc/passwd", read=None, first_read=None)
    page = visitor.get(f"/blogs/{blog.id}").text
    assert "아직 찾은 글이 없습니다" in page
    assert re.search(r'href="(?!/|https?://|mailto:)', page) is None


def test_the_page_stops_at_ten_posts_newest_first(visitor: Visitor) -> None:
    blog = a_blog()
    for number in range(12):
        a_post(blog, f"post {number}", YESTERDAY - timedelta(days=number), verdict="history")
    shown = re.findall(r"post \d+", visitor.get(f"/blogs/{blog.id}").text)
    assert shown == [f"post {number}" for number in range(10)]


def test_the_page_asks_for_the_address_of_a_post_that_is_missing(visitor: Visitor, note: Blog) -> None:
    page = visitor.get(f"/blogs/{note.id}").text
    assert re.findall(r'<form [^>]*method="get" action="([^"]*)"', page) == ["/blogs/"]
    assert '<input type="search" id="q" name="q"' in page


def test_a_blog_that_was_left_out_shows_that_and_nothing_else(visitor: Visitor) -> None:
    blog = a_blog(name="나가고 싶은 블로그")
    post = a_post(blog, "숨긴 제목", url="https://blog.example.org/1", key="blog.example.org/1")
    an_issue(post)
    exclude(blog)
    for path in (f"/blogs/{blog.id}", f"/blogs/{blog.id}?post=https://blog.example.org/1"):
        page = visitor.get(path).text
        assert "요청에 따라 목록에서 뺐습니다" in page
        assert "다시 싣기를 바라시면" in page
        assert '<meta name="robots" content="noindex">' in page
        assert re.findall("숨긴 제목|example.org/feed|<dl|<ol", page) == []
    assert find(visitor, "https://blog.example.org/1").headers["Location"].startswith(f"/blogs/{blog.id}?")


# what became of a post

def told(blog: Blog, config: Config, now: datetime = NOW, language: str = "en") -> list[Story]:
    blog = Blog.get_by_id(blog.id)
    return stories(blog, whereabouts.latest(blog, 10), Visit(config, language, now))


def verdict(blog: Blog, config: Config, now: datetime = NOW) -> tuple[str, str]:
    """(all that is said of the only post, where that leads)"""
    [story] = told(blog, config, now)
    return " ".join(piece.words for piece in story.verdict), "".join(piece.link for piece in story.verdict)


def later(**values: object) -> dict[str, object]:
    """A post found after the first read of its blog, on 21 November at 10 o'clock in Seoul."""
    return {"first_seen": NOW + timedelta(hours=1)} | values


@pytest.mark.parametrize(("day", "values", "said"), [
    (TODAY, later(verdict="too_old") | {"day": date(2026, 9, 1)},
     "left out, as it was found 81 days after its date; the limit is 30 days"),
    (YESTERDAY, {"verdict": "history"}, "not mailed, as it is from before we read this blog"),
    (YESTERDAY, later(verdict="history"), "taken for an older post, and not mailed"),
    (YESTERDAY, later(verdict="held"),
     "waits for the owner’s look, as many came at once; unless released by 24 November, it counts as old"),
    (YESTERDAY, later(verdict="copy"), "the same as another post, which stands for both"),
    (YESTERDAY, later(), "goes into the issue of 21 November, at 10:00"),
    (TODAY, later(), "goes into the issue of 22 November, at 10:00")])
def test_what_became_of_a_post_is_said_in_words(config: Config, note: Blog, day: date,
                                                values: dict[str, object], said: str) -> None:
    a_post(note, "글", **{"day": day} | values)
    assert verdict(note, config) == (said, "")


def test_a_post_that_was_mailed_leads_to_its_issue(config: Config, note: Blog) -> None:
    an_issue(a_post(note, "글"))
    assert verdict(note, config) == ("in the issue of 21 November", "/issues/2026-11-21")


def test_an_issue_of_another_year_is_told_with_its_year(config: Config, note: Blog) -> None:
    an_issue(a_post(note, "글"))
    assert verdict(note, config, NOW + timedelta(days=60))[0] == "in the issue of 21 November 2026"


def test_a_post_found_late_says_so(config: Config, note: Blog) -> None:
    an_issue(late=(a_post(note, "글", date(2026, 11, 3)),))
    assert verdict(note, config) == ("in the issue of 21 November, as found late", "/issues/2026-11-21")


def test_a_post_waits_for_tomorrow_once_todays_issue_is_made(config: Config, note: Blog) -> None:
    a_post(note, "글")
    an_issue(day=TODAY)
    assert verdict(note, config)[0] == "goes into the issue of 22 November, at 10:00"


def test_a_post_waits_for_the_end_of_hold(config: Config, note: Blog) -> None:
    a_post(note, "글")
    Setting.write(HOLD, NOW.isoformat())
    assert verdict(note, config)[0] == "goes into the first issue after the present pause"


def test_a_copy_leads_to_what_it_repeats(config: Config, note: Blog) -> None:
    gana = a_blog("gana", name="가나 기술 블로그")
    original = a_post(gana, "원래 글", url="https://gana.example.org/1?a=b", key="gana.example.org/1?a=b")
    a_post(note, "글", verdict="copy", copy_of=original.id)
    assert verdict(note, config) == (
        "the same as another post, which stands for both: 원래 글 · 가나 기술 블로그",
        f"/blogs/{gana.id}?post=https%3A%2F%2Fgana.example.org%2F1%3Fa%3Db")
    exclude(gana, erase=True)
    assert verdict(note, config) == ("the same as another post, which stands for both", "")


def test_a_copy_within_a_blog_names_the_post_alone(config: Config, note: Blog) -> None:
    original = a_post(note, "원래 글", url="")
    a_post(note, "글", verdict="copy", copy_of=original.id, first_seen=NOW + timedelta(hours=1))
    assert told(note, config)[0].verdict[1] == ("원래 글", f"/blogs/{note.id}")


def test_erased_titles_are_told_from_missing_ones(config: Config, note: Blog) -> None:
    a_post(note, "지울 글", url="https://note.example.org/1", excerpt="지울 말")
    exclude(note, erase=True)
    Blog.update(state="active", first_read=NOW + timedelta(days=1)).execute()
    a_post(note, "", url="https://note.example.org/2", guid="2", first_seen=NOW + timedelta(days=1))
    assert [(story.title, story.url) for story in told(note, config)] == [
        ("", "https://note.example.org/2"), ("(erased on request)", "")]


def test_the_year_is_told_where_it_is_another(config: Config, note: Blog) -> None:
    a_post(note, "글", date(2019, 3, 2))
    [story] = told(note, config, language="ko")
    assert (story.written, story.found) == ("2019년 3월 2일", "11월 21일 09:00")
