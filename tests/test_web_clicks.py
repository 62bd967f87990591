"""The links of our mails over a socket: where they lead, and that nothing asked for becomes a target."""
from collections.abc import Iterator

import pytest
import requests
from conftest import a_blog
from web_site import a_post, served

from devdigest import clicks
from devdigest.config import Config
from devdigest.counts import Opened

FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux aarch64; rv:145.0) Gecko/20100101 Firefox/145.0"}


@pytest.fixture
def site(config: Config, records: None) -> Iterator[str]:
    with served(config) as site:
        yield site


def ask(url: str, method: str = "GET", **headers: str) -> requests.Response:
    return requests.request(method, url, headers=FIREFOX | headers, allow_redirects=False, timeout=10)


def test_a_link_leads_to_the_post_and_nobody_keeps_the_answer(site: str) -> None:
    post = a_post(a_blog(), "글", url="https://example.org/글?a=1&b=<2>")
    for method in ("GET", "HEAD"):
        answer = ask(f"{site}/go/{post.id}", method)
        assert (answer.status_code, answer.content) == (302, b"")
        assert answer.headers["Location"] == "https://example.org/%EA%B8%80?a=1&b=%3C2%3E"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Robots-Tag"] == "noindex"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_it_is_counted_by_who_asked_and_how(site: str) -> None:
    post = a_post(a_blog(), "글")
    ask(f"{site}/go/{post.id}", "HEAD")
    ask(f"{site}/go/{post.id}")
    ask(f"{site}/go/{post.id}", **{"User-Agent": "curl/8.14.1"})
    assert sorted((row.post, row.times, row.machine) for row in Opened.select()) == [
        (clicks.DECOY, 1, True), (post.id, 2, False)]


def test_the_link_that_nobody_sees_leads_to_the_front_page_of_wherever_one_is(site: str) -> None:
    answer = ask(f"{site}/go/0", Host="evil.example")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


@pytest.mark.parametrize("path", [
    "999999", "999999999999", "9999999999999", "-1", "1x", "", "https://evil.example/", "//evil.example",
    "1%0d%0aLocation:%20https://evil.example/", "1/https://evil.example", "٣"])
def test_what_is_no_post_of_ours_is_not_found(site: str, path: str) -> None:
    a_post(a_blog(), "글")
    answer = ask(f"{site}/go/{path}")
    assert (answer.status_code, answer.headers.get("Location")) == (404, None)
    assert "없는 페이지입니다" in answer.text
    assert "evil" not in answer.text


def test_nothing_that_is_asked_for_becomes_a_target(site: str) -> None:
    post = a_post(a_blog(), "글", url="https://example.org/1")
    answer = ask(f"{site}/go/{post.id}?url=https://evil.example/&next=//evil.example", Host="evil.example",
                 Referer="https://evil.example/", **{"X-Forwarded-Host": "evil.example"})
    assert answer.headers["Location"] == "https://example.org/1"
    assert "evil" not in str(answer.headers)
