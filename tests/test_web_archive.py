"""The front page, the archive by month and by day, and what is said about it all."""
import gzip
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from conftest import NOW, a_blog
from web_site import TODAY, YESTERDAY, Visitor, a_post, a_week, an_issue, link, visiting

from devdigest import web
from devdigest.config import Config
from devdigest.models import Issue
from devdigest.readers import Subscriber

ISSUE = "/issues/2026-11-21"


@pytest.fixture
def visitor(config: Config, records: None) -> Iterator[Visitor]:
    with visiting(config) as visitor:
        yield visitor


# the front page

def test_the_front_page_has_the_numbers_and_the_newest_issue(visitor: Visitor, carol: Subscriber) -> None:
    a_week(readers=3)
    page = visitor.get("/").text
    assert re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page) == [
        ("구독자", "3"), ("어제의 글", "5"), ("모아 둔 글", "12")]
    assert "결제 서버의 p99를" in page
    assert "장애 회고를 쓰는" not in page            # found late
    assert "글 6편 모두 보기" in page
    assert "매일 오전 10시에" in page
    assert f'href="{ISSUE}"' in page


def test_the_first_day_has_its_pages_too(visitor: Visitor) -> None:
    assert "아직 나온 소식이 없습니다" in visitor.get("/").text
    assert "아직 나온 소식이 없습니다" in visitor.get("/issues/").text
    assert visitor.get("/issues/2026-11").status_code == 404


def test_an_empty_day_says_so(visitor: Visitor) -> None:
    an_issue(day=TODAY)
    page = visitor.get(ISSUE).text
    assert "올라온 글이 없었습니다" in page
    assert "다음 날 오전 10시에 보내 드립니다" in page
    assert "올라온 글이 없었습니다" in visitor.get("/").text


# months

class Calendar(HTMLParser):
    """The table of a page as a screen reader says it: rows of cells, and which of these are links."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.links: dict[str, str] = {}
        self._cell = self._hidden = False
        self.feed(page[page.index("<table"):page.index("</table>")])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
            self._cell = True
        elif tag == "a":
            self._link = str(given["href"])
            self.links[self._link] = ""
        self._hidden = given.get("aria-hidden") == "true"

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self.links[self._link] = self.rows[-1][-1]
        self._cell = self._cell and tag not in ("td", "th")
        self._hidden = False

    def handle_data(self, data: str) -> None:
        if self._cell and not self._hidden:
            self.rows[-1][-1] += data


def test_the_newest_month_is_a_calendar_with_the_posts_of_each_day(visitor: Visitor) -> None:
    a_week()
    Issue.create(kind="daily", day=date(2026, 11, 2), created=NOW, state="closed")
    page = visitor.get("/issues/").text
    calendar = Calendar(page)
    assert calendar.links == {
        "/issues/2026-11-02": "2, 백업을 복원하느라 소식을 내지 않았습니다",
        "/issues/2026-11-19": "19, 글 1편", "/issues/2026-11-20": "20, 올라온 글이 없었습니다",
        ISSUE: "21, 글 6편"}
    assert "<caption>2026년 11월</caption>" in page
    assert sorted(cell for row in calendar.rows[1:] for cell in row if cell.isdecimal()) == sorted(
        str(day) for day in range(1, 31) if day not in (2, 19, 20, 21))


@pytest.mark.parametrize(("language", "first", "weekday"), [("ko", "일", "일요일"), ("en", "Mon", "Monday")])
def test_a_week_begins_as_people_are_used_to(visitor: Visitor, language: str, first: str,
                                             weekday: str) -> None:
    an_issue(day=TODAY)
    page = visitor.get("/issues/", Accept_Language=language).text
    assert re.findall(r'<th scope="col"><abbr title="(.*?)">(.*?)</abbr>', page)[0] == (weekday, first)
    saturday = next(row for row in Calendar(page).rows if any(cell.startswith("21") for cell in row))
    assert [cell[:2] for cell in saturday].index("21") == (6 if language == "ko" else 5)


def test_the_list_below_has_the_months_issues_newest_first(visitor: Visitor) -> None:
    a_week()
    an_issue(a_post(a_blog(), ""), day=date(2026, 11, 3))
    Issue.create(kind="daily", day=date(2026, 10, 31), created=NOW, state="closed")
    page = visitor.get("/issues/").text
    assert re.findall(r'<li><a href="/issues/([^"]*)">.*?<span>(.*?)</span></a>(?:\s<p>(.*?)</p>)?', page,
                      re.DOTALL) == [
        ("2026-11-21", "글 6편", "결제 서버의 p99를 절반으로 줄인 커넥션 풀 이야기"),
        ("2026-11-20", "올라온 글이 없었습니다", ""),
        ("2026-11-19", "글 1편", "타입스크립트의 새 추론 규칙 정리"),
        ("2026-11-03", "글 1편", "(제목 없음)")]


def test_a_month_leads_to_those_before_and_after_that_have_issues(visitor: Visitor) -> None:
    for day in (date(2026, 3, 31), date(2026, 9, 1), date(2026, 9, 30), TODAY):
        an_issue(day=day)
    page = visitor.get("/issues/2026-09").text
    assert re.findall(r'<a (?:class="next" )?href="/issues/([0-9-]*)" rel="(\w+)">', page) == [
        ("2026-03", "prev"), ("2026-11", "next")]
    assert "rel=" not in "".join(re.findall("<nav class=.*?</nav>", visitor.get("/issues/2026-11").text,
                                            re.DOTALL)).replace('rel="prev"', "")
    assert "지난 소식, 2026년 9월" in page
    assert visitor.get("/issues/").text.count('<table class="calendar">') == 1


@pytest.mark.parametrize("path", ["/issues/2026-10", "/issues/2026-13", "/issues/0000-01", "/issues/9999-12",
                                  "/issues/2026-11-31", "/issues/2026-11-20", "/issues/2026-1"])
def test_a_month_or_day_without_an_issue_is_not_there(visitor: Visitor, path: str) -> None:
    an_issue(day=TODAY)
    assert visitor.get(path).status_code == 404


def test_one_is_not_told_in_the_plural(visitor: Visitor) -> None:
    an_issue(a_post(a_blog(), "글"))
    page = visitor.get("/issues/", Accept_Language="en").text
    assert "<span>1 post</span>" in page
    assert Calendar(page).links == {ISSUE: "21, 1 post"}


# days

def test_an_issue_shows_all_its_posts_by_section(visitor: Visitor) -> None:
    a_week()
    page = visitor.get(ISSUE).text
    assert re.findall(r"<h2>(.*?)</h2>", page) == ["팀 블로그", "개인 블로그", "해외 블로그", "늦게 찾은 글"]
    assert page.count("<h3>") == 6
    assert '<a href="/blogs/2">데이터베이스 노트</a> · 11월 17일 · 4분' in page
    assert 'href="/issues/2026-11-20" rel="prev"' in page
    assert 'href="/issues/2026-11"' in page
    assert 'rel="next"' not in page


def test_a_post_tells_when_it_came_in_the_sites_zone_and_its_tags(visitor: Visitor) -> None:
    blog = a_blog(name="가나다")
    an_issue(a_post(blog, "글 1", published=datetime(2026, 11, 19, 16, 5, tzinfo=UTC), minutes=3,
                    tags="SQLite\n개발 일기"),
             a_post(blog, "글 2", published=YESTERDAY),
             late=(a_post(blog, "글 3", date(2026, 11, 9), published=datetime(2026, 11, 9, 2, tzinfo=UTC)),))
    page = visitor.get(ISSUE).text
    assert re.findall(r'<p class="meta"><a href="/blogs/1">가나다</a>(.*?)</p>', page) == [
        " · 01:05 · 3분", "", " · 11월 9일 11:00"]
    assert re.findall(r'<a href="/tags/([^"]+)">(.*?)</a>', page) == [
        ("SQLite", "SQLite"), ("%EA%B0%9C%EB%B0%9C%20%EC%9D%BC%EA%B8%B0", "개발 일기")]


def test_a_flood_of_one_blog_is_not_folded_on_the_web(visitor: Visitor) -> None:
    blog = a_blog()
    an_issue(*(a_post(blog, f"글 {number}") for number in range(60)))
    assert visitor.get(ISSUE).text.count("<h3>") == 60


@pytest.mark.parametrize(("count", "longest"), [(61, 130), (80, 100), (100, 80), (101, 0)])
def test_excerpts_get_shorter_where_there_are_many_posts(visitor: Visitor, count: int, longest: int) -> None:
    blog = a_blog()
    an_issue(*(a_post(blog, f"글 {number}", excerpt="가" * 200, tags="회고") for number in range(count)))
    page = visitor.get(ISSUE).text
    excerpts = re.findall(r'<p class="excerpt">(.*?)</p>', page)
    assert {len(excerpt) for excerpt in excerpts} == ({longest} if longest else set())
    assert page.count("회고") == (count if longest else 0)


def test_a_long_word_stays_whole_on_the_web(visitor: Visitor) -> None:
    word = "Donaudampfschifffahrt" * 12
    an_issue(a_post(a_blog(), word))
    assert f">{word}</a>" in visitor.get(ISSUE).text


def test_an_issue_that_lacks_much_says_so(visitor: Visitor) -> None:
    an_issue(a_post(a_blog(), "글"), blogs=1990, reached=812, lacks=True)
    assert "1,990곳 가운데 812곳만" in visitor.get(ISSUE).text


def test_a_day_without_an_issue_after_a_restore_says_why(visitor: Visitor) -> None:
    an_issue(day=TODAY, state="closed")
    page = visitor.get(ISSUE).text
    assert "백업을 복원하느라 소식을 내지 않았습니다" in page
    assert "다음 소식은 평소처럼 오전 10시에" in page
    home = visitor.get("/").text
    assert ("백업을 복원하느라" in home, "올라온 글이 없었습니다" in home) == (True, False)


def korean(seed: int, words: int) -> str:
    """Words of the page about us in an order that tells a compressor no more than real text does."""
    page = Path(web.__file__).parents[1] / "templates" / "web" / "about-ko.html"
    known = sorted(set(re.findall("[가-힣]{2,}", page.read_text(encoding="utf-8"))))
    return " ".join(random.Random(seed).choices(known, k=words))


@pytest.mark.parametrize("count", [61, 100, 300])
def test_a_very_long_issue_fits_30_kb_compressed_with_its_style(visitor: Visitor, count: int) -> None:
    blogs = [a_blog(f"blog{number}", name=korean(number, 2)) for number in range(count // 2)]
    an_issue(*(a_post(blogs[number % len(blogs)], korean(number, 7), minutes=number % 20 + 1,
                      url=f"https://blog{number * 7919 % 10_007}.example.org/2026/11/20/{number * 31_337}",
                      published=NOW - timedelta(minutes=number * 7 % 1440), excerpt=korean(number + 500, 40),
                      tags="\n".join(korean(number + 900, 3).split())) for number in range(count)))
    page = visitor.get(ISSUE).content
    assert page.count(b"<h3>") == count
    assert len(gzip.compress(page, 6)) + len(gzip.compress(web.STYLE, 6)) < 30_000


# for search engines and where links are shown

@pytest.mark.parametrize("path", ["/", "/issues/", "/issues/2026-11", ISSUE, "/about"])
def test_a_page_that_stays_says_where_it_is_for_good(config: Config, records: None, path: str) -> None:
    a_week()
    config = replace(config, site=replace(config.site, url="https://digest.example.org"))
    with visiting(config) as visitor:
        page = visitor.get(path, Host="evil.example").text
    assert f'<link rel="canonical" href="https://digest.example.org{path}">' in page
    told = dict(re.findall(r'<meta property="og:(\w+)" content="([^"]*)">', page))
    assert told == {"type": "website", "site_name": "DevDigest", "url": f"https://digest.example.org{path}",
                    "title": re.search(r"<title>(.*) · DevDigest</title>", page)[1],
                    "description": re.search(r'<meta name="description" content="([^"]*)">', page)[1]}
    assert len(told["description"]) > 20
    assert "noindex" not in page


def test_a_page_that_is_for_one_reader_or_for_nobody_is_kept_out_of_search(visitor: Visitor,
                                                                           ada: Subscriber) -> None:
    for path in (f"/u/{link(ada)}", f"/manage/{link(ada)}", "/confirm/x", "/nowhere"):
        page = visitor.get(path).text
        assert '<meta name="robots" content="noindex">' in page
        assert "canonical" not in page


# about

@pytest.mark.parametrize("language", ["ko", "en"])
def test_what_is_said_about_the_fetcher_is_how_it_is_set(config: Config, records: None,
                                                         language: str) -> None:
    config = replace(config, collect=replace(config.collect, times=("04:30",), per_operator=3, gap=2.5))
    with visiting(config) as visitor:
        page = visitor.get("/about", Accept_Language=language).text
    assert {"ko": "오전 4시 30분", "en": "04:30"}[language] in page
    assert {"ko": "요청 3개만, 2.5초", "en": "3 of our requests at a time, at least 2.5 s"}[language] in page
    with visiting(replace(config, collect=replace(config.collect, gap=0.0))) as visitor:
        page = visitor.get("/about", Accept_Language=language).text
    assert {"ko": "요청 3개만 보냅니다", "en": "3 of our requests at a time, and"}[language] in page


@pytest.mark.parametrize(("language", "told"), [
    ("ko", ("IP 주소와 브라우저 정보", "30일", "7일", "발송 서버", "클릭 수", "내려받", "지우", "118")),
    ("en", ("IP address", "30 days", "7 days", "relay", "Clicks", "download", "erase", "authority"))])
def test_privacy_is_told_in_full_under_its_own_address(visitor: Visitor, language: str,
                                                       told: tuple[str, ...]) -> None:
    privacy = visitor.get("/about", Accept_Language=language).text.partition('<h2 id="privacy">')[2]
    assert [words for words in told if words not in privacy] == []


def test_nothing_is_said_of_a_weekly_mail_where_there_is_none(config: Config, records: None) -> None:
    config = replace(config, digest=replace(config.digest, weekly=False))
    with visiting(config) as visitor:
        assert "주간 메일" not in visitor.get("/about").text
