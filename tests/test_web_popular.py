"""The pages of what was read most: one a week, and the newest in full."""
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
import requests
from conftest import NOW, a_blog
from web_site import a_post, served

from devdigest.config import Config
from devdigest.models import Blog, Issue, IssuePost, Post

MONDAY = date(2026, 11, 23)
WEEK = timedelta(days=7)


class Site:
    """The pages in one language."""

    def __init__(self, url: str) -> None:
        self._url, self._session = url, requests.Session()

    def __call__(self, path: str, language: str = "ko", if_none_match: str = "") -> requests.Response:
        headers = {"Accept-Language": language, "If-None-Match": if_none_match}
        return self._session.get(self._url + path, timeout=10, headers=headers)

    def close(self) -> None:
        self._session.close()


@pytest.fixture
def site(config: Config, records: None) -> Iterator[Site]:
    with served(config) as url:
        site = Site(url)
        yield site
        site.close()


@pytest.fixture
def blog(records: None) -> Blog:
    return a_blog("note", name="데이터베이스 노트")


def a_weekly_issue(*posts: tuple[Post, int], day: date = MONDAY) -> None:
    """Of these posts, each with how many opened it."""
    issue = Issue.create(kind="weekly", day=day, created=NOW, state="published" if posts else "empty")
    for post, _ in posts:
        post.blog = Blog.get_by_id(post.blog_id)
    drafts = IssuePost.drafts(issue, [post for post, _ in posts], [])
    for draft, (_, readers) in zip(drafts, posts, strict=True):
        draft.readers = readers
    IssuePost.bulk_create(drafts)


def in_order(page: str, *words: str) -> bool:
    main = page.partition("<main>")[2].replace("\u00a0", " ")
    places = [main.find(one) for one in words]
    return -1 not in places and places == sorted(places)


@pytest.mark.parametrize(("language", "words"), [("ko", "아직 모인 글이 없습니다"), ("en", "Nothing yet")])
def test_before_the_first_one_the_page_says_when_there_will_be_one(site: Site, language: str,
                                                                   words: str) -> None:
    answer = site("/popular/", language)
    assert (answer.status_code, answer.headers["Content-Language"]) == (200, language)
    assert words in answer.text


@pytest.mark.parametrize(("language", "said"), [
    ("ko", ("11월 16일부터 22일까지", "첫째", "데이터베이스 노트", "독자 1,234명", "둘째", "독자 1명")),
    ("en", ("16 to 22 November", "첫째", "데이터베이스 노트", "1,234 readers", "둘째", "1 reader"))])
def test_the_newest_is_shown_in_full_and_as_a_page_of_its_own(site: Site, blog: Blog, language: str,
                                                              said: tuple[str, ...]) -> None:
    a_weekly_issue((a_post(blog, "첫째"), 1234), (a_post(blog, "둘째"), 1))
    for path in ("/popular/", "/popular/2026-11-23"):
        assert in_order(site(path, language).text, *said)


def test_a_post_leads_to_itself_to_its_blog_and_nothing_a_feed_says_is_markup(site: Site, blog: Blog) -> None:
    a_weekly_issue((a_post(blog, "<b>제목</b>", url="https://example.org/?a=1&b=2"), 5),
                   (a_post(blog, "링크 없음", url="javascript:alert(1)"), 4))
    page = site("/popular/2026-11-23").text
    assert '<a href="https://example.org/?a=1&amp;b=2" rel="noopener nofollow">&lt;b&gt;제목' in page
    assert f'<a href="/blogs/{blog.id}">데이터베이스 노트</a>' in page
    assert "javascript" not in page


def test_older_ones_are_listed_and_follow_each_other(site: Site, blog: Blog) -> None:
    a_weekly_issue((a_post(blog, "오래된 글"), 1), day=MONDAY - 2 * WEEK)
    a_weekly_issue(day=MONDAY - WEEK)
    a_weekly_issue((a_post(blog, "새 글"), 1))
    assert in_order(site("/popular/").text, "새 글", "/popular/2026-11-16", "열어 본 글이 없었습니다",
                    "/popular/2026-11-09", "글 1편")
    assert '<a href="/popular/2026-11-16" rel="prev">' in site("/popular/2026-11-23").text
    middle = site("/popular/2026-11-16").text
    assert in_order(middle, "11월 9일부터 15일까지", "열어 본 글이 없었습니다",
                    '<a href="/popular/2026-11-09" rel="prev">', "/popular/2026-11-23")
    assert 'rel="prev"' not in site("/popular/2026-11-09").text


def test_the_newest_in_which_nothing_was_opened_does_not_hide_the_one_before(site: Site, blog: Blog) -> None:
    a_weekly_issue((a_post(blog, "지난 글"), 1), day=MONDAY - WEEK)
    a_weekly_issue()
    page = site("/popular/").text
    assert in_order(page, "11월 9일부터 15일까지", "지난 글", "/popular/2026-11-23")


@pytest.mark.parametrize("path", ["/popular/2026-11-22", "/popular/2026-11-21", "/popular/2026-13-45",
                                  "/popular/x"])
def test_what_is_no_weekly_issue_is_not_found(site: Site, blog: Blog, path: str) -> None:
    a_weekly_issue((a_post(blog, "글"), 1))
    Issue.create(day=date(2026, 11, 21), created=NOW, state="empty")
    assert site(path).status_code == 404


def test_a_weekly_issue_is_no_issue_of_the_archive(site: Site, blog: Blog) -> None:
    a_weekly_issue((a_post(blog, "글"), 1))
    assert site("/issues/2026-11-23").status_code == 404
    assert "2026-11-23" not in site("/issues/").text


def test_a_page_that_a_browser_has_is_not_sent_again(site: Site, blog: Blog) -> None:
    a_weekly_issue((a_post(blog, "글"), 1))
    first = site("/popular/")
    again = site("/popular/", if_none_match=first.headers["ETag"])
    assert (again.status_code, again.content) == (304, b"")
