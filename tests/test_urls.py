"""URLs as keys, and which links may be shown."""
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devdigest import urls


@pytest.mark.parametrize(("url", "other"), [
    ("https://example.org/post", "http://example.org/post"),
    ("https://example.org/post", "https://EXAMPLE.org/post/"),
    ("https://example.org", "https://example.org/"),
    ("https://example.org/", "https://example.org:443"),
    ("http://example.org/", "http://example.org:80"),
    ("https://example.org/post", "  https://example.org/post\n"),
    ("https://example.org/post", "https://example.org./post#comments"),
    ("https://example.org/post", "https://example.org/post?utm_source=rss&utm_medium=rss"),
    ("https://example.org/post?id=1", "https://example.org/post?UTM_Campaign=x&id=1"),
    ("https://example.org/post?id=1", "https://example.org/post?&id=1&"),
    ("https://blog.naver.com/a/1", "https://blog.naver.com/a/1?fromRss=true&trackingCode=rss"),
    ("https://medium.com/@a/b", "https://medium.com/@a/b?source=rss-1234------2"),
    ("https://example.org/글", "https://example.org/%EA%B8%80"),
    ("https://example.org/글", "https://example.org/%ea%b8%80/"),
    ("https://example.org/?q=글", "https://example.org/?q=%ea%b8%80"),
    ("https://example.org/~ada", "https://example.org/%7Eada"),
    ("https://한글.kr/", "https://xn--bj0bj06e.kr/"),
])
def test_two_spellings_of_a_page_have_one_key(url, other):
    assert urls.canonical(url) == urls.canonical(other) != ""


@pytest.mark.parametrize(("url", "other"), [
    ("https://example.org/a", "https://example.org/b"),
    ("https://example.org/a", "https://example.org/A"),
    ("https://example.org/", "https://example.org:8443/"),
    ("http://example.org/", "http://example.org:443/"),
    ("https://example.org/a/b", "https://example.org/a%2Fb"),
    ("https://example.org/?id=1", "https://example.org/?id=2"),
    ("https://example.org/?title=%B0%A1", "https://example.org/?title=%B0%A2"),      # EUC-KR
    ("https://example.org/?source=home", "https://example.org/"),
    ("https://example.org/?utmost=1", "https://example.org/"),
    ("https://example.org/#/posts/1", "https://example.org/#/posts/2"),
    ("https://example.org/#!posts/1", "https://example.org/"),
])
def test_two_pages_have_two_keys(url, other):
    assert urls.canonical(url) != urls.canonical(other)


@pytest.mark.parametrize("text", ["", "example.org", "//example.org/", "ftp://example.org/", "mailto:a@b.org",
                                  "http://", "http:///path", "http://[::1", "http://example.org:port/",
                                  "http://example.org:99999/", "javascript:alert(1)", "http://a b.org/",
                                  "http://{host}/", "http://a..한글.kr/", "http://[fe80::1%25eth0]/"])
def test_what_is_no_web_address_has_no_key_and_is_not_shown(text):
    assert urls.canonical(text) == urls.http_url(text) == ""


@pytest.mark.parametrize(("link", "base", "absolute"), [
    ("https://example.org/a", "", "https://example.org/a"),
    ("HTTPS://Example.org/A", "", "https://example.org/A"),
    (" https://example.org/a\r\nb ", "", "https://example.org/ab"),
    ("https://example.org/\u202ea", "", "https://example.org/a"),
    ("https://example.org/\ud800a", "", "https://example.org/a"),
    ("https://한글.kr/피드", "", "https://xn--bj0bj06e.kr/%ED%94%BC%EB%93%9C"),
    ("https://example.org/a b\"<>", "", "https://example.org/a%20b%22%3C%3E"),
    ("https://example.org/%EA%B8%80", "", "https://example.org/%EA%B8%80"),
    ("http://[2001:DB8::1]:8080/a", "", "http://[2001:db8::1]:8080/a"),
    ("/p/1", "https://example.org/feed.xml", "https://example.org/p/1"),
    ("p/1", "https://example.org/blog/feed.xml", "https://example.org/blog/p/1"),
    ("//cdn.example.org/p", "https://example.org/", "https://cdn.example.org/p"),
    ("?p=1", "https://example.org/blog/", "https://example.org/blog/?p=1"),
])
def test_a_link_becomes_an_absolute_ascii_url(link, base, absolute):
    assert urls.http_url(link, base) == absolute


@pytest.mark.parametrize("link", ["", "  ", "javascript:alert(1)", "java\nscript:alert(1)", "data:text/css,x",
                                  "mailto:ada@example.org", "file:///etc/passwd", "http://[x",
                                  "https://ada:secret@example.org/", "https://example.org\\@evil.example/",
                                  "https://example.org/" + "a" * urls.LONGEST])
def test_a_link_that_may_not_be_shown_is_none(link):
    assert urls.http_url(link, "https://example.org/feed.xml") == ""


@given(st.text(max_size=60), st.text(max_size=30))
def test_no_text_breaks_a_key_and_what_is_shown_has_the_key_of_what_was_written(path, query):
    for url in (path, f"https://example.org/{path}?{query}", f"http://{path}"):
        key, shown = urls.canonical(url), urls.http_url(url)
        assert shown.isascii()
        assert len(shown) <= urls.LONGEST
        assert "\n" not in shown
        if shown:
            assert urls.canonical(shown) == key != ""


@pytest.mark.parametrize(("url", "operator"), [
    ("https://ada.tistory.com/rss", "tistory.com"),
    ("https://bob.tistory.com/", "tistory.com"),
    ("https://v2.velog.io/rss/ada", "velog.io"),
    ("https://example.org", "example.org"),
    ("https://tech.example.co.kr/", "example.co.kr"),
    ("https://blog.tosco.kr/", "tosco.kr"),                 # ends like co.kr, and is not
    ("https://한글.kr/", "xn--bj0bj06e.kr"),
    ("https://ada.blogspot.kr/feeds", "blogspot.com"),      # one platform under many names
    ("https://ada.blogspot.co.uk/", "blogspot.com"),
    ("https://ada.blogspot.com/", "blogspot.com"),
    ("https://blogspot.example.org/", "example.org"),
    ("https://ada.hateblo.jp/rss", "hatenablog.com"),
    ("http://192.0.2.7:8000/feed", "192.0.2.7"),
    ("http://[2001:db8::1]/feed", "2001:db8::1"),
    ("http://localhost/", "localhost"),
])
def test_hosts_of_one_operator_are_told_from_others(url, operator):
    assert urls.operator(url) == operator


@pytest.mark.parametrize(("key", "sites"), [
    ("example.org/blog/2026/post?id=1", {"example.org", "example.org/blog", "example.org/blog/2026"}),
    ("example.org#/posts/1", {"example.org"}),
    ("example.org", {"example.org"}),
])
def test_a_page_lies_under_every_folder_above_it(key, sites):
    parents = urls.parents(key)
    assert sites <= set(parents)
    assert "example" not in parents
    assert parents == sorted(parents, key=len, reverse=True)
