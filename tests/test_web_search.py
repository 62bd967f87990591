"""Search and tags as a visitor meets them, over a socket."""
import re
from collections.abc import Iterator
from datetime import timedelta
from html import escape
from urllib.parse import quote, urlencode

import pytest
import requests
from conftest import NOW, a_blog
from web_site import YESTERDAY, Visitor, a_post, an_issue, visiting

from devdigest import fulltext
from devdigest.config import Config
from devdigest.models import Blog, Post


@pytest.fixture
def visitor(config: Config, records: None) -> Iterator[Visitor]:
    with visiting(config) as visitor:
        yield visitor


def get(visitor: Visitor, path: str) -> requests.Response:
    return visitor.get(path, Accept_Language="en")


def search(visitor: Visitor, typed: str, **rest: object) -> requests.Response:
    return get(visitor, "/search?" + urlencode({"q": typed} | rest))


def known(blog: Blog, title: str, **values: object) -> Post:
    post = a_post(blog, title, **values)
    fulltext.put_in([post])
    return post


def headlines(answer: requests.Response) -> list[str]:
    return [re.sub("<[^>]*>", "", headline).strip()
            for headline in re.findall("<h3>(.*?)</h3>", answer.text, re.DOTALL)]


def test_a_result_leads_to_the_post_its_blog_its_issue_and_its_tags(visitor: Visitor) -> None:
    blog = a_blog(name="가나 블로그")
    an_issue(known(blog, "무중단 배포 이야기", url="https://gana.example.org/1", minutes=7,
                   excerpt="서버 둘로 배포합니다.", tags="Java\nCI/CD\nC#"))
    page = search(visitor, "배포").text
    results = page.partition('<ol class="posts">')[2].partition("</ol>")[0]
    assert re.findall('<a href="([^"]*)"', results) == [
        "https://gana.example.org/1", f"/blogs/{blog.id}", "/issues/2026-11-21",
        "/tags/Java", "/tags/CI%2FCD", "/tags/C%23"]
    assert "가나 블로그</a> · 20 November 2026 · 7 min" in page
    assert "무중단 <mark>배포</mark> 이야기</a>" in page
    assert "서버 둘로 <mark>배포</mark>합니다." in page
    assert "1 post found" in page
    assert 'name="q" value="배포"' in page


def test_nothing_typed_suggests_tags(visitor: Visitor) -> None:
    an_issue(known(a_blog(), "글", tags="Java"))
    for path in ("/search", "/search?q=", "/search?q=%20", "/search?order=best"):
        answer = get(visitor, path)
        assert (answer.status_code, headlines(answer)) == (200, [])
        assert '<a href="/tags/Java">Java</a>' in answer.text
        assert "No post has" not in answer.text


def test_nothing_found_says_what_to_try(visitor: Visitor) -> None:
    an_issue(known(a_blog(), "글", tags="Java"))
    answer = search(visitor, "쿠버네티스")
    assert answer.status_code == 200
    assert "No post has “쿠버네티스”." in answer.text
    assert "react does not find reactive" in answer.text
    assert '<a href="/tags/Java">Java</a>' in answer.text


def test_newest_first_or_best_first_is_one_link_away(visitor: Visitor) -> None:
    blog = a_blog()
    known(blog, "redis", day=YESTERDAY - timedelta(days=9))
    known(blog, "하나", excerpt="redis를 쓰는 긴 이야기")
    newest = search(visitor, "redis")
    assert headlines(newest) == ["하나", "redis"]
    assert '<a href="/search?q=redis" aria-current="true">Newest</a>' in newest.text
    best = re.search('<a href="([^"]*)">Best match</a>', newest.text)[1]
    assert headlines(get(visitor, best.replace("&amp;", "&"))) == ["redis", "하나"]
    assert headlines(search(visitor, "redis", order="worst")) == headlines(newest)


def test_results_come_in_pages_that_lead_to_each_other(visitor: Visitor) -> None:
    blog = a_blog()
    for number in range(105):
        known(blog, f"글 {number}", excerpt="R&D")
    first = search(visitor, "글 r&d", order="best")
    assert (len(headlines(first)), first.text.count('rel="prev"')) == (20, 0)
    seen, answer = set(), first
    for page in range(1, 7):
        assert f'<span aria-current="page">{page}</span>' in answer.text
        seen |= set(headlines(answer))
        following = re.search('<a class="next" href="([^"]*)" rel="next">', answer.text)
        if following:
            answer = get(visitor, following[1].replace("&amp;", "&"))
    assert (len(seen), following) == (105, None)
    back = re.search('<a href="([^"]*)" rel="prev">', answer.text)[1]
    assert back == "/search?q=%EA%B8%80+r%26d&amp;order=best&amp;page=5"
    pager = search(visitor, "글", page=4).text.partition('class="pager"')[2]
    assert re.findall(r">(\d|…)<", pager) == ["1", "…", "3", "4", "5", "6"]


def test_a_page_that_is_not_there_is_not_found(visitor: Visitor) -> None:
    known(a_blog(), "글", tags="Java")
    for page in ("0", "-1", "2", "999999", "9" * 30, "1.0", "x", "%D9%A1", "1%00", "+1", "%C2%B2"):
        for path in ("/search?q=글", "/search?q=", "/tags/Java?"):
            answer = get(visitor, f"{path}&page={page}")
            assert (answer.status_code, answer.headers["Cache-Control"]) == (404, "no-store"), page


ODD = ("c++", "c#", ".net", "don't", "a:b", "-x", "(", '"', "AND", "OR NOT", "NEAR(", "*", "^", "\0", "%",
       "a" * 10_000, "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{7*7}}",
       "'; DROP TABLE post;--")


def test_whatever_is_typed_gets_an_answer_and_is_shown_as_text(visitor: Visitor) -> None:
    known(a_blog(), "<script>alert(1)</script> {{7*7}} c++ c# .net", excerpt="<img src=x>")
    for typed in ODD:
        answer = search(visitor, typed)
        assert answer.status_code == 200, typed
        assert re.search(r"<script|<img|\b49\b", answer.text) is None, typed


def test_what_is_marked_is_escaped(visitor: Visitor) -> None:
    known(a_blog(), 'a <b>&amp; "script"', excerpt="<script>")
    page = search(visitor, "script").text
    assert "a &lt;b&gt;&amp;amp; &quot;<mark>script</mark>&quot;" in page
    assert "&lt;<mark>script</mark>&gt;" in page


def test_words_in_no_known_encoding_are_refused(visitor: Visitor) -> None:
    assert get(visitor, "/search?q=%B0%B3%B9%DF").status_code == 400         # EUC-KR
    assert get(visitor, "/search?q=%EB%A7%88%FF").status_code == 400


def test_a_link_that_is_not_http_is_not_shown(visitor: Visitor) -> None:
    known(a_blog(), "제목은 남는다", url="javascript:alert(1)")
    page = search(visitor, "제목").text
    assert "<h3>\n<mark>제목</mark>은 남는다\n</h3>" in page
    assert "javascript" not in page


def test_a_post_without_a_title_is_found_by_its_excerpt(visitor: Visitor) -> None:
    known(a_blog(), "", excerpt="제목이 없는 글")
    assert headlines(search(visitor, "없는 글")) == ["(no title)"]


def test_tags_are_listed_with_how_many_posts_they_have(visitor: Visitor) -> None:
    assert "No post has had a tag yet." in get(visitor, "/tags/").text
    blog = a_blog()
    an_issue(known(blog, "하나", tags="CI/CD"), known(blog, "둘", tags="ci/cd\n무중단 배포"))
    page = get(visitor, "/tags/").text
    assert re.findall(r'<li><a href="/tags/([^"]*)">(.*?)</a> <span>(\d+)</span>', page) == [
        ("CI%2FCD", "CI/CD", "2"), (quote("무중단 배포"), "무중단 배포", "1")]


def test_a_tag_leads_to_its_posts(visitor: Visitor) -> None:
    blog = a_blog()
    tags = ("Java", "C#", "C++", "CI/CD", "무중단 배포", ".NET", "a?b&c", "100%", "<b>", "/x", "x/", ";")
    for tag in tags:
        known(blog, f"이 글의 태그는 {tag}", tags=tag)
    links = re.findall('href="(/tags/[^"]+)"', search(visitor, "글의").text)
    assert len(links) == len(tags)
    for tag, link in zip(reversed(tags), links, strict=True):
        answer = get(visitor, link)
        assert answer.status_code == 200, tag
        assert headlines(answer) == [escape(f"이 글의 태그는 {tag}")]


def test_a_tags_page_takes_any_case_and_shows_it_as_its_posts_do(visitor: Visitor) -> None:
    blog = a_blog()
    for number in range(21):
        known(blog, f"글 {number}", tags="Java")
    page = get(visitor, "/tags/JAVA").text
    assert "<h1>Java</h1>" in page
    assert '<a class="next" href="/tags/Java?page=2" rel="next">' in page
    assert len(headlines(get(visitor, "/tags/java?page=2"))) == 1


def test_an_unknown_tag_is_not_found(visitor: Visitor) -> None:
    known(a_blog(), "글", tags="Java")
    for tag in ("nothing", "%20", "%00", "jav", "*", "a/../b", "x" * 3000):
        assert get(visitor, f"/tags/{tag}").status_code == 404, tag


def test_posts_of_a_blog_that_was_left_out_are_not_shown(visitor: Visitor) -> None:
    known(a_blog(state="excluded"), "숨긴 제목", tags="Hidden", first_seen=NOW)
    assert headlines(search(visitor, "제목")) == []
    assert get(visitor, "/tags/Hidden").status_code == 404
    assert "Hidden" not in get(visitor, "/tags/").text
