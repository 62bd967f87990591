"""The pages behind the links in mails, over a socket: looking changes nothing, and nothing said is echoed."""
import re
import socket
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit

import pytest
import requests
from conftest import NOW, a_blog
from web_site import TODAY, YESTERDAY, a_confirmation, a_post, a_week, an_issue, link, served

from devdigest import __version__, subscribers, web
from devdigest.config import Config, Web
from devdigest.models import Issue
from devdigest.readers import Consent, Subscriber
from devdigest.table import db
from devdigest.web import subscription
from devdigest.web.visit import Visit

PAGES = ("/", "/issues/", "/issues/2026-11-21", "/blogs/", "/blogs/2", "/about")


class Visitor:
    """Asks one site, and follows no redirect."""

    def __init__(self, site: str) -> None:
        self._site, self._session = site, requests.Session()

    def get(self, path: str, **headers: str) -> requests.Response:
        return self.ask("GET", path,
                        headers={name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, path: str, body: str | dict[str, str] = "") -> requests.Response:
        return self.ask("POST", path, data=body)

    def ask(self, method: str, path: str, **rest: object) -> requests.Response:
        return self._session.request(method, self._site + path, allow_redirects=False, timeout=10, **rest)

    def close(self) -> None:
        self._session.close()


@pytest.fixture
def visitor(config: Config, records: None) -> Iterator[Visitor]:
    with served(config) as site:
        visitor = Visitor(site)
        yield visitor
        visitor.close()


def state(subscriber: Subscriber) -> str:
    return Subscriber.get_by_id(subscriber.id).state


def everything() -> list[str]:
    """All that the database holds, as other processes see it."""
    with sqlite3.connect(db.database) as connection:
        rows = list(connection.iterdump())
    connection.close()
    return rows


# what every answer has

@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_page_is_there_in_both_languages(visitor: Visitor, language: str) -> None:
    a_week()
    for path in PAGES:
        answer = visitor.get(path, Accept_Language=language)
        assert (answer.status_code, answer.headers["Content-Language"]) == (200, language)
        assert answer.text.startswith(f'<!doctype html>\n<html lang="{language}">')
        assert answer.text.count("<h1") == 1
        hangul = re.search(r"<title>.*[가-힣].*</title>", answer.text)
        assert bool(hangul) == (language == "ko" or path == "/blogs/2")      # a blog's own name


def test_every_answer_has_the_security_headers(visitor: Visitor) -> None:
    for method, path, status in (
            ("GET", "/", 200), ("HEAD", "/", 200), ("GET", "/health", 200), ("GET", web.STYLE_PATH, 200),
            ("GET", "/nowhere", 404), ("GET", "/manage/1-aaaa", 404), ("POST", "/", 405)):
        answer = visitor.ask(method, path)
        assert answer.status_code == status
        assert answer.headers["Content-Security-Policy"] == (
            "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
            "frame-ancestors 'none'")
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert not {"Set-Cookie", "Server"} & set(answer.headers)


def test_a_page_brings_nothing_but_its_style(visitor: Visitor) -> None:
    a_week()
    for path in PAGES:
        page = visitor.get(path).text
        assert re.findall(r"<(?:script|img|iframe|object|style)| style=| on\w+=|src=", page) == []
        assert re.findall(r'<link [^>]*href="([^"]*)"', page) == [web.STYLE_PATH]


def test_the_style_is_kept_for_ever_under_a_name_that_changes_with_it(visitor: Visitor) -> None:
    style = visitor.get(web.STYLE_PATH)
    assert (style.status_code, style.headers["Content-Type"]) == (200, "text/css; charset=utf-8")
    assert style.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert visitor.get("/static/site.000000000000.css").status_code == 404


@pytest.mark.parametrize(("accepted", "language"), [
    ("", "ko"), ("ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7", "ko"), ("en-GB", "en"), ("EN", "en"),
    ("fr, en;q=0.5, ko;q=0.7", "ko"), ("en , ko ; q = 0.2", "en"), ("en;q=0, fr", "ko"), ("fr-FR", "ko"),
    ("*", "ko"), ("en;q=x, ;;,", "ko"), ("ende, kok", "ko"), ("en" + " " * 30_000 + "x", "ko")])
def test_the_language_is_what_the_browser_likes_best(config: Config, accepted: str, language: str) -> None:
    assert Visit.begun(config, accepted, NOW).language == language


def test_a_forged_host_changes_nothing(visitor: Visitor, ada: Subscriber) -> None:
    a_week()
    for path in (*PAGES, f"/u/{link(ada)}", f"/manage/{link(ada)}", "/nowhere"):
        forged = visitor.get(path, Host="evil.example", X_Forwarded_Host="evil.example")
        assert forged.text == visitor.get(path).text
        assert "evil" not in str(forged.headers)


def test_looking_changes_nothing(visitor: Visitor, ada: Subscriber, bob: Subscriber) -> None:
    a_week()
    paths = (*PAGES, "/health", "/nowhere", f"/u/{link(ada)}", f"/u/{link(ada)}/undo", f"/manage/{link(ada)}",
             f"/manage/{link(bob)}?language=en", f"/confirm/{a_confirmation(bob)}")
    before = everything()
    for path in paths:
        for method in ("GET", "HEAD", "OPTIONS"):
            visitor.ask(method, path)
    assert everything() == before


# errors

def test_an_error_page_echoes_nothing(visitor: Visitor) -> None:
    for method, path, status in (
            ("GET", "/marker", 404), ("GET", "/issues/marker", 404), ("GET", "/blogs/1?marker=marker", 404),
            ("GET", "/static/../marker", 404), ("GET", "/%EB%A7%88marker%FF", 404),
            ("PUT", "/about?marker", 405), ("GET", "/blogs/99999marker", 404),
            ("GET", "/%3Cscript%3Emarker", 404), ("GET", "/issues/2026-99-99?marker", 404),
            ("GET", "/blogs/9999999999999999999999?marker", 404)):
        answer = visitor.ask(method, path, headers={"Accept-Language": "marker", "Referer": "http://marker/"})
        assert (answer.status_code, answer.headers["Cache-Control"]) == (status, "no-store")
        assert "<h1>" in answer.text
        assert "marker" not in answer.text + str(answer.headers)


def test_a_fault_of_ours_tells_no_details(visitor: Visitor, ada: Subscriber) -> None:
    token = link(ada)
    db.execute_sql("DROP TABLE subscriber")
    answer = visitor.get(f"/u/{token}")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (500, "no-store")
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "문제가 생겼습니다" in answer.text
    assert re.findall(r"subscriber|Traceback|Error|sqlite", answer.text) == []


@pytest.mark.parametrize(("size", "ours"), [(150_000, True), (300_000, False)])      # the latter by waitress
def test_a_form_that_is_too_big_is_refused(visitor: Visitor, ada: Subscriber, size: int, ours: bool) -> None:
    answer = visitor.post(f"/manage/{link(ada)}", {"language": "en" * (size // 2)})
    assert (answer.status_code, "너무 큽니다" in answer.text) == (413, ours)


def test_health_is_well_while_the_database_answers(visitor: Visitor) -> None:
    assert visitor.get("/health").json() == {"status": "ok", "version": __version__}
    db.execute_sql("DROP TABLE setting")
    ill = visitor.get("/health")
    assert (ill.status_code, ill.json()["status"]) == (503, "the database does not answer")


# leaving

@pytest.mark.parametrize("body", ["List-Unsubscribe=One-Click", "", "%FF=&&", "x" * 200_000])
def test_one_click_ends_a_subscription_at_once(visitor: Visitor, ada: Subscriber, body: str) -> None:
    answer = visitor.post(f"/u/{link(ada)}", body)
    assert (answer.status_code, state(ada)) == (200, "cancelled")
    assert not {"Location", "Set-Cookie"} & set(answer.headers)
    assert answer.headers["Cache-Control"] == "no-store"


def test_one_click_may_come_as_a_multipart_form(visitor: Visitor, ada: Subscriber) -> None:
    answer = visitor.ask("POST", f"/u/{link(ada)}", files={"List-Unsubscribe": (None, "One-Click")})
    assert (answer.status_code, state(ada)) == (200, "cancelled")


def test_the_page_to_leave_has_one_button_and_waits_for_it(visitor: Visitor, ada: Subscriber) -> None:
    path = f"/u/{link(ada)}"
    page = visitor.get(path)
    assert re.findall(r'<form method="post" action="([^"]*)"', page.text) == [path]
    assert (page.text.count("<button"), state(ada)) == (1, "active")
    assert page.headers["Cache-Control"] == "no-store"


def test_leaving_can_be_undone(visitor: Visitor, ada: Subscriber) -> None:
    left = visitor.post(f"/u/{link(ada)}")
    undo = re.findall(r'action="([^"]*)"', left.text)
    assert undo == [f"/u/{link(ada)}/undo"]
    back = visitor.post(undo[0])
    assert (back.status_code, state(ada)) == (200, "active")
    assert "되돌렸습니다" in back.text


def test_leaving_twice_is_leaving_once(visitor: Visitor, ada: Subscriber) -> None:
    visitor.post(f"/u/{link(ada)}")
    first = Subscriber.get_by_id(ada.id).cancelled
    assert visitor.post(f"/u/{link(ada)}").status_code == 200
    assert Subscriber.get_by_id(ada.id).cancelled == first


def test_who_never_confirmed_cannot_begin_by_undoing(visitor: Visitor, bob: Subscriber) -> None:
    left = visitor.post(f"/u/{link(bob)}")
    assert (state(bob), "<form" in left.text) == ("cancelled", False)
    answer = visitor.post(f"/u/{link(bob)}/undo")
    assert (answer.status_code, state(bob)) == (200, "cancelled")
    assert "되돌렸습니다" not in answer.text


@pytest.mark.parametrize("path", ["/u/{}", "/manage/{}", "/confirm/{}"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_wrong_token_is_a_page_that_is_not_there(visitor: Visitor, ada: Subscriber, method: str,
                                                   path: str) -> None:
    before = everything()
    for token in ("1-aaaaaaaaaaaaaaaaaaaa", "x", "1", "%EA%B8%80", "1-%00", "%D9%A1-a",
                  "999999999999999999-a", "9999999999999999999999-a"):
        answer = visitor.ask(method, path.format(token))
        assert (answer.status_code, answer.headers["Cache-Control"]) == (404, "no-store")
        assert "쓸 수 없는" in answer.text
    assert everything() == before


def test_a_link_is_good_for_its_own_reader_only(visitor: Visitor, ada: Subscriber, bob: Subscriber) -> None:
    forged = f"{bob.id}-{link(ada).partition('-')[2]}"
    assert visitor.post(f"/u/{forged}").status_code == 404
    assert (state(ada), state(bob)) == ("active", "pending")


# settings

@pytest.mark.parametrize(("who", "says"), [("ada", "2026년 11월 21일부터 받고 계십니다"),
                                           ("bob", "확인 메일의 버튼"), ("carol", "에 취소하셨습니다")])
def test_the_settings_say_how_it_stands_and_since_when(visitor: Visitor, request: pytest.FixtureRequest,
                                                       who: str, says: str) -> None:
    subscriber = request.getfixturevalue(who)
    page = visitor.get(f"/manage/{link(subscriber)}")
    assert says in page.text
    assert (f"/u/{link(subscriber)}" in page.text) == (who != "carol")
    assert page.headers["Cache-Control"] == "no-store"


def test_no_page_tells_whose_link_it_is(visitor: Visitor, ada: Subscriber) -> None:
    for path in (f"/manage/{link(ada)}", f"/u/{link(ada)}"):
        assert "ada" not in visitor.get(path).text + visitor.post(path, {"language": "en"}).text


def test_a_reader_chooses_the_language_of_mails_and_of_these_pages(visitor: Visitor, ada: Subscriber) -> None:
    path = f"/manage/{link(ada)}"
    assert 'value="ko" checked' in visitor.get(path, Accept_Language="en").text
    saved = visitor.post(path, {"language": "en"})
    assert (saved.status_code, Subscriber.get_by_id(ada.id).language) == (200, "en")
    assert 'value="en" checked' in saved.text
    assert visitor.get(f"/u/{link(ada)}", Accept_Language="ko").headers["Content-Language"] == "en"


def test_a_language_that_is_none_of_ours_is_refused(visitor: Visitor, ada: Subscriber) -> None:
    for body in ("", "language=", "language=fr", "language=%C7%D1%B1%B9", "language=ko%00"):
        assert visitor.post(f"/manage/{link(ada)}", body).status_code == 400
    assert Subscriber.get_by_id(ada.id).language == "ko"


# confirming

def test_a_subscription_begins_with_the_button_and_not_before(visitor: Visitor, bob: Subscriber) -> None:
    path = f"/confirm/{a_confirmation(bob)}"
    page = visitor.get(path)
    assert re.findall(r'<form method="post" action="([^"]*)"', page.text) == [path]
    assert (state(bob), Consent.select().count()) == ("pending", 0)
    begun = visitor.post(path)
    assert (begun.status_code, state(bob), Consent.select().count()) == (200, "active", 1)
    assert begun.headers["Cache-Control"] == "no-store"
    assert "<form" not in visitor.get(path).text
    assert (visitor.post(path).text, Consent.select().count()) == (begun.text, 1)


def test_a_confirmation_that_is_too_old_changes_nothing(visitor: Visitor, bob: Subscriber) -> None:
    token = subscribers.new_confirmation(bob, datetime.now(UTC) - timedelta(hours=49))
    for method in ("GET", "POST"):
        answer = visitor.ask(method, f"/confirm/{token}")
        assert (answer.status_code, "48시간" in answer.text) == (404, True)
    assert state(bob) == "pending"


def test_who_left_does_not_come_back_by_an_old_confirmation(visitor: Visitor, bob: Subscriber) -> None:
    path = f"/confirm/{a_confirmation(bob)}"
    visitor.post(path)
    visitor.post(f"/u/{link(bob)}")
    assert visitor.get(path).status_code == 404
    assert (visitor.post(path).status_code, state(bob)) == (404, "cancelled")


# on 21 November in Seoul, where mails go out from 10 to 20 o'clock
@pytest.mark.parametrize(("hour", "issued", "first"), [
    (9, False, "21 November"), (11, False, "21 November"), (11, True, "22 November"),
    (21, False, "22 November")])
def test_the_page_says_when_the_first_mail_comes(config: Config, bob: Subscriber, hour: int, issued: bool,
                                                 first: str) -> None:
    now = NOW + timedelta(hours=hour - 9)
    if issued:
        an_issue(day=TODAY)
    bob.language = "en"
    bob.save()
    page = subscription.confirm(Visit(config, "ko", now), subscribers.new_confirmation(bob, now))
    assert re.search(r"first mail comes on \w+, (\d+ \w+)\.", page)[1] == first


# issues

def test_the_front_page_has_the_numbers_and_the_newest_issue(visitor: Visitor) -> None:
    a_week(readers=3)
    page = visitor.get("/").text
    assert re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page) == [
        ("구독자", "3"), ("어제의 글", "5"), ("모아 둔 글", "12")]
    assert "결제 서버의 p99를" in page
    assert "장애 회고를 쓰는" not in page            # found late
    assert "글 6편 모두 보기" in page
    assert "매일 오전 10시에" in page
    assert 'href="/issues/2026-11-21"' in page
    assert "owner@example.org" in page


def test_the_first_day_has_a_front_page_too(visitor: Visitor) -> None:
    assert "아직 나온 소식이 없습니다" in visitor.get("/").text
    assert "아직 나온 소식이 없습니다" in visitor.get("/issues/").text
    assert "아직 등록된 블로그가 없습니다" in visitor.get("/blogs/").text


def test_the_archive_lists_every_issue_newest_first(visitor: Visitor) -> None:
    a_week()
    Issue.create(kind="daily", day=date(2026, 10, 31), created=NOW, state="closed")
    page = visitor.get("/issues/").text
    assert re.findall(r'<li><a href="/issues/([^"]*)">.*?<span>(.*?)</span>', page, re.DOTALL) == [
        ("2026-11-21", "글 6편"), ("2026-11-20", "올라온 글이 없었습니다"), ("2026-11-19", "글 1편"),
        ("2026-10-31", "백업을 복원하느라 소식을 내지 않았습니다")]


def test_an_issue_shows_all_its_posts_by_section(visitor: Visitor) -> None:
    a_week()
    page = visitor.get("/issues/2026-11-21").text
    assert re.findall(r"<h2>(.*?)</h2>", page) == ["팀 블로그", "개인 블로그", "해외 블로그", "늦게 찾은 글"]
    assert page.count("<h3>") == 6
    assert "데이터베이스 노트 · 11월 17일 · 4분" in page
    assert 'href="/issues/2026-11-20" rel="prev"' in page
    assert 'rel="next"' not in page


def test_a_flood_of_one_blog_is_not_folded_on_the_web(visitor: Visitor) -> None:
    blog = a_blog()
    an_issue(*(a_post(blog, f"글 {number}") for number in range(60)))
    assert visitor.get("/issues/2026-11-21").text.count("<h3>") == 60


def test_a_long_word_stays_whole_on_the_web(visitor: Visitor) -> None:
    word = "Donaudampfschifffahrt" * 12
    an_issue(a_post(a_blog(), word))
    assert f">{word}</a>" in visitor.get("/issues/2026-11-21").text


def test_one_is_not_told_in_the_plural(visitor: Visitor) -> None:
    an_issue(a_post(a_blog(), "글"))
    assert "<span>1 post</span>" in visitor.get("/issues/", Accept_Language="en").text
    assert "We read 1 blog." in visitor.get("/blogs/", Accept_Language="en").text


def test_an_issue_that_lacks_much_says_so(visitor: Visitor) -> None:
    an_issue(a_post(a_blog(), "글"), blogs=1990, reached=812, lacks=True)
    assert "1,990곳 가운데 812곳만" in visitor.get("/issues/2026-11-21").text


def test_an_empty_day_says_so(visitor: Visitor) -> None:
    an_issue(day=TODAY)
    page = visitor.get("/issues/2026-11-21").text
    assert "올라온 글이 없었습니다" in page
    assert "다음 날 오전 10시에 보내 드립니다" in page
    assert "올라온 글이 없었습니다" in visitor.get("/").text


# what feeds say

def test_what_a_feed_says_is_shown_as_text(visitor: Visitor) -> None:
    evil = '<script>alert("1")</script>&amp;{{7*7}}'
    blog = a_blog(name=evil, site="javascript:alert(1)", fault=evil, status=200)
    an_issue(a_post(blog, evil, excerpt=evil))
    for path in ("/", "/issues/2026-11-21", "/blogs/", f"/blogs/{blog.id}"):
        page = visitor.get(path).text
        assert "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;amp;{{7*7}}" in page
        assert "<script" not in page


@pytest.mark.parametrize("url", ["javascript:alert(1)", "java\tScript:alert(1)", "data:text/html,x", "",
                                 "//evil.example/", "https://user@evil.example/"])
def test_a_link_that_is_not_http_is_not_shown(visitor: Visitor, url: str) -> None:
    blog = a_blog(feed="file:///etc/passwd")
    an_issue(a_post(blog, "제목은 남는다", url=url))
    for path in ("/", "/issues/2026-11-21", f"/blogs/{blog.id}"):
        page = visitor.get(path).text
        assert "제목은 남는다" in page
        assert "<h3>\n제목은 남는다\n</h3>" in page
        assert re.search(r'href="(?!/|https?://|mailto:)', page) is None


def test_links_to_blogs_carry_no_blessing_of_ours(visitor: Visitor) -> None:
    a_week()
    pages = "".join(visitor.get(path).text for path in PAGES)
    links = [tag for tag in re.findall(r"<a [^>]*>", pages) if "http" in tag]
    ours = [tag for tag in links if "github.com/awesome-devblog" in tag]
    assert 0 < len(ours) < len(links)
    assert all('rel="noopener nofollow"' in tag for tag in links if tag not in ours)


# blogs

def test_the_list_has_every_blog_by_group_but_those_left_out(visitor: Visitor) -> None:
    a_week()
    page = visitor.get("/blogs/").text
    assert re.findall(r"<h2>(.*?) <small>(\d+)", page) == [
        ("팀 블로그", "1"), ("개인 블로그", "4"), ("해외 블로그", "1")]
    assert re.findall(r"이사 간 블로그</a> <span class=\"fault\">(.*?)</span>", page) == [
        "피드 주소에 아무것도 없습니다 (HTTP 404)"]
    assert "11월 21일에 읽었습니다" in page
    assert "나가고 싶은 블로그" not in page


FAULTS = (
    (None, "timeout after 10 s", "did not answer in time"), (None, "no such host", "domain name"),
    (None, "TLS: certificate has expired", "certificate"), (None, "connection refused", "cannot be reached"),
    (404, "HTTP 404 Not Found", "nothing is at"), (410, "HTTP 410 Gone", "nothing is at"),
    (403, "HTTP 403 Forbidden", "refuses our requests (HTTP 403)"),
    (302, "more than 5 redirects", "to no feed"),
    (429, "HTTP 429, asks to wait 60 s", "come later"), (200, "more than 5,000,000 bytes", "too big"),
    (503, "HTTP 503 Service Unavailable", "has an error (HTTP 503)"), (200, "an HTML page", "no RSS or Atom"),
    (999, "HTTP 999", "has an error"))


def test_a_fault_is_told_in_words_that_a_blogger_understands(visitor: Visitor) -> None:
    for number, (status, fault, words) in enumerate(FAULTS):
        blog = a_blog(f"blog{number}", status=status, fault=fault, fetched=NOW)
        page = visitor.get(f"/blogs/{blog.id}", Accept_Language="en").text
        assert words in page
        assert f"<code>{fault}</code>" in page
    assert visitor.get("/blogs/").text.count('class="fault"') == len(FAULTS)


def test_a_blogs_page_tells_what_became_of_its_last_ten_posts(visitor: Visitor) -> None:
    a_week()
    page = visitor.get("/blogs/2", Accept_Language="en").text
    verdicts = [verdict.strip() for verdict in re.findall(r'<p class="verdict">(.*?)</p>', page, re.DOTALL)]
    assert [re.match("<a|waits|the same|left out|kept|goes", verdict)[0] for verdict in verdicts] == [
        "waits", "the same", "left out", "kept", "goes", "<a", "<a", "<a", "<a"]
    assert '<a href="/issues/2026-11-21">in the issue of 21 November</a>' in page
    assert "21 November 2026, 09:00 · HTTP 304" in page


def test_a_blogs_page_stops_at_ten_posts_newest_first(visitor: Visitor) -> None:
    blog = a_blog()
    for number in range(12):
        a_post(blog, f"post {number}", YESTERDAY - timedelta(days=number), verdict="history")
    shown = re.findall(r"post \d+", visitor.get(f"/blogs/{blog.id}").text)
    assert shown == [f"post {number}" for number in range(10)]


def test_a_blog_that_was_left_out_is_not_shown(visitor: Visitor) -> None:
    blog = a_blog(state="excluded")
    a_post(blog, "숨긴 제목")
    page = visitor.get(f"/blogs/{blog.id}").text
    assert "요청에 따라 목록에서 뺐습니다" in page
    assert "다시 싣기를 바라시면" in page
    assert "숨긴 제목" not in page
    assert "example.org/feed" not in page


# serving

def test_the_service_ends_when_told_and_frees_its_address(config: Config, records: None) -> None:
    with served(config) as site:
        address = urlsplit(site)
    with socket.create_server((address.hostname, address.port)):
        pass


def test_an_address_that_is_taken_is_an_error(config: Config, records: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(OSError, match="in use"):
            web.serve(replace(config, web=Web(listen=listen)), threading.Event())


def test_headers_without_end_are_refused(visitor: Visitor, config: Config) -> None:
    assert visitor.get("/", X_Long="x" * 40_000).status_code == 431


def test_a_head_is_a_get_without_its_body(visitor: Visitor) -> None:
    get, head = visitor.get("/about"), visitor.ask("HEAD", "/about")
    assert (head.status_code, head.text) == (200, "")
    assert head.headers["Content-Length"] == get.headers["Content-Length"]
