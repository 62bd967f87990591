"""The page of numbers over a socket: what it shows, what it leaves out, and what it weighs."""
import re
import zlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from xml.etree import ElementTree

import pytest
import requests
from conftest import NOW, a_blog
from web_site import a_post, an_issue, served

from devdigest import web
from devdigest.config import Config
from devdigest.counts import Click, Event
from devdigest.days import local_day
from devdigest.models import Blog
from devdigest.readers import Subscriber
from devdigest.table import db

PATHS = ("/stats", "/stats/7", "/stats/90", "/stats/365")
CHARTS = ["subscribers", "posts", "mails", "clicks", "changes", "hours"]


@pytest.fixture
def site(config: Config, records: None) -> Iterator[str]:
    with served(config) as site:
        yield site


@pytest.fixture
def today(config: Config) -> date:
    return local_day(datetime.now(UTC), config.site.timezone)


def page(url: str, language: str = "ko") -> str:
    answer = requests.get(url, headers={"Accept-Language": language}, timeout=10)
    assert answer.status_code == 200
    return answer.text


def readers(count: int) -> None:
    for number in range(count):
        Subscriber.create(email=f"reader{number}@example.org", state="active", created=NOW)


def busy(today: date, days: int, subscribers: int = 5) -> None:
    """Every day an issue that is read, and people who come and go."""
    blog = a_blog("gana", name="가나 기술 블로그")
    with db.atomic():
        readers(subscribers)
        for back in range(days):
            a_day(blog, today - timedelta(days=back), back)


def a_day(blog: Blog, day: date, back: int) -> None:
    posts = [a_post(blog, f"결제 서버의 p99를 절반으로 <b>줄인</b> 이야기 {back} {number}",
                    url=f"https://example.org/{back}?a=1&b={number}") for number in range(2)]
    an_issue(*posts, day=day)
    for number, (name, count) in enumerate({"mailed": 1190, "asked": 7, "confirmed": 5,
                                            "cancelled": 2}.items()):
        Event.put(day, name, count + (back * (number + 3)) % 5)
    Click.insert_many([{"post": post.id, "day": day, "hour": hour, "readers": 2 + (back * hour) % 7,
                        "times": 9 + hour} for post in posts for hour in range(24)]).execute()


def charts(html: str) -> list[str]:
    return re.findall(r'<svg [^>]*aria-labelledby="chart-(\w+)"', html)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_range_shows_every_chart_with_words_and_a_table(site: str, today: date, language: str) -> None:
    busy(today, 10)
    for path in PATHS:
        html = page(site + path, language)
        assert charts(html) == CHARTS
        for name in CHARTS:
            assert html.count(f'"chart-{name}"') == 3       # the caption, and what it is the caption of
        assert html.count("<table") == html.count("<summary>") == len(CHARTS)
        assert html.count('aria-current="page"') == 1
        assert f'<a href="{path}" aria-current="page">' in html
        assert re.findall(r"<script|<style| style=", html) == []


def test_what_is_drawn_is_well_formed_and_each_bar_says_what_it_is(site: str, today: date) -> None:
    busy(today, 3)
    drawings = {name: ElementTree.fromstring(svg) for name, svg in zip(
        CHARTS, re.findall(r"<svg.*?</svg>", page(f"{site}/stats/7"), re.DOTALL), strict=True)}
    titles = {name: [title.text for title in drawing.iter("title")] for name, drawing in drawings.items()}
    assert [len(titles[name]) for name in CHARTS] == [7] * 5 + [7 * 24]
    assert re.fullmatch(r"\d+월 \d+일 .요일: 2편", titles["posts"][-1])
    assert titles["mails"][-2].endswith(": 1,193통")
    assert titles["clicks"][-1].endswith(": 독자 96회, 모두 984회")
    assert titles["changes"][-1].endswith(": 신청 7건, 확인 5건, 취소 2건")
    assert titles["subscribers"][-1].endswith(": 5명")
    assert {"front", "behind", "below"} <= {rect.get("class") for rect in drawings["changes"].iter("rect")}
    assert any(title.startswith("월요일 0시: ") for title in titles["hours"])


def test_a_table_tells_the_same_for_copying(site: str, today: date) -> None:
    busy(today, 1)
    html = page(f"{site}/stats/7")
    table = html.partition('<table aria-labelledby="chart-changes">')[2].partition("</table>")[0]
    rows = [re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", row) for row in table.split("<tr>")[1:]]
    assert rows[0] == ["날짜", "신청", "확인", "취소"]
    assert len(rows) == 8
    assert [row[1:] for row in rows[-2:]] == [["0", "0", "0"], ["7", "5", "2"]]


def test_the_most_read_are_listed_with_links_to_the_posts_themselves(site: str, today: date) -> None:
    busy(today, 6)
    html = page(f"{site}/stats")
    section = re.search(r'<section class="ranked">.*</section>', html, re.DOTALL)[0]
    assert section.count("<li>") == 10
    assert '<a href="https://example.org/5?a=1&amp;b=1" rel="noopener nofollow">' in section
    assert "&lt;b&gt;줄인&lt;/b&gt; 이야기" in section
    assert re.search(r"가나 기술 블로그 · 독자\s\d+명", section)


@pytest.mark.parametrize(("subscribers", "shown"), [(4, ["posts", "mails"]), (5, CHARTS)])
def test_with_few_subscribers_nothing_is_told_that_is_about_one_of_them(
        site: str, today: date, subscribers: int, shown: list[str]) -> None:
    busy(today, 3, subscribers)
    html = page(f"{site}/stats")
    assert charts(html) == shown
    assert ('class="ranked"' in html, "취소" in html.partition("5명보다")[0]) == ((subscribers == 5,) * 2)
    assert "구독자가 5명보다 적을 때는" in html


@pytest.mark.parametrize(("subscribers", "shown", "empty"), [(0, [], 2), (5, ["subscribers"], 4)])
def test_where_nothing_happened_it_says_so(site: str, subscribers: int, shown: list[str], empty: int) -> None:
    readers(subscribers)
    for path in PATHS:
        html = page(site + path)
        assert (charts(html), html.count("이 기간에는 아직 기록이 없습니다.")) == (shown, empty)


def test_it_weighs_little_however_much_happened(site: str, today: date) -> None:
    busy(today, 365)
    style = requests.get(site + web.STYLE_PATH, timeout=10).content
    for path in PATHS:
        html = page(site + path)
        assert len(zlib.compress(html.encode())) + len(zlib.compress(style)) < 30_000


def test_it_is_made_once_until_something_happens(site: str, today: date) -> None:
    busy(today, 1)
    first = requests.get(f"{site}/stats", timeout=10)
    again = requests.get(f"{site}/stats", headers={"If-None-Match": first.headers["ETag"]}, timeout=10)
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["/stats/30", "/stats/1", "/stats/8", "/stats/"])
def test_there_are_no_other_ranges(site: str, path: str) -> None:
    assert requests.get(site + path, timeout=10).status_code == 404
