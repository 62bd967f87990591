"""What every answer of the site has, over a socket: looking changes nothing, and nothing said is echoed."""
import re
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from conftest import NOW, a_blog
from web_site import (
    Visitor,
    a_confirmation,
    a_post,
    a_week,
    an_issue,
    everything,
    link,
    served,
    visiting,
)

from devdigest import __version__, tokens, web
from devdigest.config import Config, Web
from devdigest.memory import LINK_KEY, Setting
from devdigest.readers import Subscriber
from devdigest.table import db
from devdigest.web.visit import Visit

PAGES = ("/", "/subscribe", "/issues/", "/issues/2026-11", "/issues/2026-11-21", "/blogs/", "/blogs/2",
         "/about", "/search", "/tags/", "/popular/", "/stats", "/stats/365")
COMMON = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
                               "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()", "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY"}


@pytest.fixture
def visitor(config: Config, records: None) -> Iterator[Visitor]:
    with visiting(config) as visitor:
        yield visitor


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


@pytest.mark.parametrize(("method", "path", "told", "status"), [
    ("GET", "/", {}, 200), ("HEAD", "/", {}, 200), ("GET", "/", {"If-None-Match": "*"}, 304),
    ("GET", "/health", {}, 200), ("GET", web.STYLE_PATH, {}, 200), ("GET", "/feed.xml", {}, 200),
    ("GET", "/robots.txt", {}, 200), ("GET", "/nowhere", {}, 404), ("GET", "/manage/1-aaaa", {}, 404),
    ("POST", "/manage/1-aaaa", {}, 404), ("POST", "/subscribe", {}, 400), ("POST", "/", {}, 405),
    ("GET", "/", {"X-Long": "x" * 40_000}, 431)])
def test_every_answer_has_the_security_headers(visitor: Visitor, method: str, path: str, told: dict[str, str],
                                               status: int) -> None:
    answer = visitor.ask(method, path, headers=told)
    assert answer.status_code == status
    assert answer.headers.items() >= COMMON.items()
    assert not {"Set-Cookie", "Server"} & set(answer.headers)


@pytest.mark.parametrize(("path", "cached", "varies"), [
    ("/", "no-cache", True), ("/issues/2026-11-21", "no-cache", True), ("/search?q=p99", "no-cache", True),
    (web.STYLE_PATH, "public, max-age=31536000, immutable", False), ("/health", "no-store", False),
    ("/subscribe/asked", "no-store", True), ("/nowhere", "no-store", True)])
def test_caches_are_told_for_how_long_and_for_whom(visitor: Visitor, path: str, cached: str,
                                                   varies: bool) -> None:
    a_week()
    answer = visitor.get(path)
    assert answer.headers["Cache-Control"] == cached
    assert answer.headers.get("Vary") == ("Accept-Language" if varies else None)


def test_a_page_that_a_visitor_has_is_not_sent_again_until_it_changes(visitor: Visitor) -> None:
    etag = visitor.get("/issues/").headers["ETag"]
    again = visitor.get("/issues/", If_None_Match=etag)
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)
    assert visitor.get("/issues/", If_None_Match=etag, Accept_Language="en").status_code == 200
    a_week()
    time.sleep(1.1)         # for a second nobody looks
    assert visitor.get("/issues/", If_None_Match=etag).status_code == 200


def test_a_page_brings_nothing_but_its_style(visitor: Visitor) -> None:
    a_week()
    for path in PAGES:
        page = visitor.get(path).text
        assert re.findall(r"<(?:script|img|iframe|object|style)| style=| on\w+=|src=", page) == []
        assert re.findall(r'<link rel="(?!alternate|canonical)[^>]*href="([^"]*)"', page) == [web.STYLE_PATH]


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


def test_forged_headers_change_nothing(visitor: Visitor, ada: Subscriber) -> None:
    a_week()
    names = ("Host", "X_Forwarded_Host", "X_Forwarded_For", "X_Forwarded_Port", "X_Forwarded_By", "Forwarded",
             "X_Original_URL", "X_Rewrite_URL", "X_HTTP_Method_Override")
    forged = dict.fromkeys(names, "evil.example") | {"X_Forwarded_Proto": "https"}
    for path in (*PAGES, f"/u/{link(ada)}", f"/manage/{link(ada)}", "/nowhere", "/feed.xml", "/sitemap.xml"):
        answer = visitor.get(path, **forged)
        assert unstamped(answer.text) == unstamped(visitor.get(path).text)
        assert "evil" not in str(answer.headers)


def unstamped(page: str) -> str:
    """The page without the time at which its form was given out."""
    return re.sub(r'name="stamp" value="[^"]*"', "", page)


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
    db.execute_sql("UPDATE subscriber SET created = 'long ago'")
    answer = visitor.get(f"/u/{token}")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (500, "no-store")
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "문제가 생겼습니다" in answer.text
    assert re.findall(r"subscriber|Traceback|Error|sqlite", answer.text) == []


@pytest.mark.parametrize("size", [150_000, 300_000])       # to bottle, to waitress
def test_a_form_that_is_too_big_is_refused(visitor: Visitor, ada: Subscriber, size: int) -> None:
    answer = visitor.post(f"/manage/{link(ada)}", {"language": "en" * (size // 2)})
    assert (answer.status_code, "너무 큽니다" in answer.text) == (413, True)


def test_health_is_well_while_the_database_answers(visitor: Visitor) -> None:
    told = visitor.get("/health").json()
    assert (told["status"], told["version"], told["release"]) == ("ok", __version__, __version__)
    assert told["installation"] == tokens.sign(Setting.read(LINK_KEY), "health", 0)
    db.execute_sql("DROP TABLE setting")
    ill = visitor.get("/health")
    assert (ill.status_code, ill.json()["status"]) == (503, "the database does not answer")


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


def test_a_head_is_a_get_without_its_body(visitor: Visitor) -> None:
    get, head = visitor.get("/about"), visitor.ask("HEAD", "/about")
    assert (head.status_code, head.text) == (200, "")
    assert head.headers["Content-Length"] == get.headers["Content-Length"]
