import gzip
import os
import random
import shutil
import socket
import ssl
import subprocess
import threading
import time
import tracemalloc
import zlib
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from feed_server import FeedServer, bomb

from devdigest.fetch import FAULTS, Fetcher, FetchError, Limits

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
DOCUMENT = b"<rss><channel><title>Ada</title></channel></rss>"
AGENT = "DevDigest/1 (+https://digest.example/about)"
SECOND = Limits(total=0.5, allow_private=True)      # for those who never come to an end


@pytest.fixture
def server():
    with FeedServer() as running:
        yield running


@pytest.fixture(scope="module")
def fetcher():
    with Fetcher(Limits(max_bytes=1_000_000, allow_private=True), AGENT) as ready:
        yield ready


def fault(fetcher, url, **validators):
    with pytest.raises(FetchError) as caught:
        fetcher.get(url, NOW, **validators)
    return caught.value


def resolve(monkeypatch, names):
    """From now on these names have these addresses; returns the list of what is looked up."""
    looked_up = []

    def getaddrinfo(host, port, **_):
        looked_up.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in names[host]]
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return looked_up


@contextmanager
def ends_in_time(limits=SECOND):
    begun = time.monotonic()
    yield
    assert limits.total - 0.05 < time.monotonic() - begun < limits.total + 0.5


# What comes

def test_a_feed_comes_with_its_headers_and_validators(server, fetcher):
    server.serve("/rss", DOCUMENT, etag='W/"1 é"', modified="Sat, 21 Nov 2026 08:00:00 GMT")
    fetched = fetcher.get(server.url("/rss"), NOW)
    assert (fetched.status, fetched.url, fetched.body) == (200, server.url("/rss"), DOCUMENT)
    assert (fetched.etag, fetched.modified) == ('W/"1 é"', "Sat, 21 Nov 2026 08:00:00 GMT")
    assert fetched.headers["content-type"] == "application/rss+xml; charset=utf-8"
    assert fetched.moved_to == ""


def test_a_request_says_who_asks_and_for_what(server, fetcher):
    server.serve("/rss", DOCUMENT)
    fetcher.get(server.url("/rss"), NOW)
    [(_, headers)] = server.requests
    assert headers["User-Agent"] == AGENT
    assert headers["Accept-Encoding"] == "gzip, deflate"
    assert "application/atom+xml" in headers["Accept"]
    assert "If-None-Match" not in headers
    assert "If-Modified-Since" not in headers


@pytest.mark.parametrize("validators", [
    {"etag": '"a,b"'}, {"modified": "Sat, 21 Nov 2026 08:00:00 GMT"},
    {"etag": '"a,b"', "modified": "some day of the server's own"},
])
def test_a_feed_that_has_not_changed_is_not_sent_again(server, fetcher, validators):
    server.serve("/rss", DOCUMENT, etag='"a,b"', modified="Sat, 21 Nov 2026 08:00:00 GMT")
    fetched = fetcher.get(server.url("/rss"), NOW, **validators)
    assert (fetched.status, fetched.body) == (304, b"")


def test_validators_are_sent_to_where_a_redirect_leads(server, fetcher):
    server.redirect("/old", "/rss")
    server.serve("/rss", DOCUMENT, etag='"1"')
    assert fetcher.get(server.url("/old"), NOW, etag='"1"').status == 304


@pytest.mark.parametrize("etag", ['"1"\r\nX-Evil: 1', '"1"\n', "글", "\x00", " ", "x" * 1001])
def test_a_validator_that_is_no_header_is_not_sent(server, fetcher, etag):
    server.serve("/rss", DOCUMENT)
    assert fetcher.get(server.url("/rss"), NOW, etag=etag).body == DOCUMENT
    assert not {"If-None-Match", "X-Evil"} & set(server.requests[0][1])


@pytest.mark.parametrize(("sent", "kept"), [(b'W/"1\xea\xb8\x80"', 'W/"1\xea\xb8\x80"'),
                                            (b"x" * 1000, "x" * 1000), (b"x" * 1001, ""), (b'"\0"', "")])
def test_a_validator_is_kept_as_it_came_unless_it_could_not_be_sent_back(server, fetcher, sent, kept):
    server.say("/rss", b"HTTP/1.1 200 OK\r\nETag: %b\r\nLast-Modified: %b\r\n\r\n" % (sent, sent))
    fetched = fetcher.get(server.url("/rss"), NOW)
    assert (fetched.etag, fetched.modified) == (kept, kept)


def test_304_to_whoever_did_not_ask_is_no_answer(server, fetcher):
    server.answer("/rss", 304)
    error = fault(fetcher, server.url("/rss"))
    assert (error.reason, error.status, error.kind) == ("HTTP 304 without a question", 304, "broken")


@pytest.mark.parametrize(("coding", "encode"), [
    ("gzip", gzip.compress), ("X-GZip", gzip.compress), ("deflate", zlib.compress), ("identity", bytes),
    ("deflate", lambda body: zlib.compress(body, wbits=-15)),                   # without zlib's header
    ("gzip", lambda body: gzip.compress(body[:7]) + gzip.compress(body[7:])),   # two members
    ("gzip", lambda body: gzip.compress(body) + bytes(512)),                    # padded
])
@pytest.mark.parametrize("body", [DOCUMENT, b"", DOCUMENT * 10_000])
def test_a_compressed_body_is_decompressed(server, fetcher, coding, encode, body):
    server.answer("/rss", 200, {"Content-Encoding": coding}, encode(body))
    assert fetcher.get(server.url("/rss"), NOW).body == body


@pytest.mark.parametrize("headers", [b"Content-Length: 0\r\n", b"", b"Content-Encoding: gzip\r\n",
                                     b"Transfer-Encoding: chunked\r\n"])
def test_an_empty_document_is_a_document(server, fetcher, headers):
    end = b"0\r\n\r\n" if b"chunked" in headers else b""
    server.say("/rss", b"HTTP/1.1 200 OK\r\n" + headers + b"\r\n" + end)
    assert fetcher.get(server.url("/rss"), NOW).body == b""


def test_two_fetches_from_a_host_share_a_connection_also_after_304(server, fetcher):
    server.serve("/rss", DOCUMENT, etag='"1"', gzip=True)
    for etag in ("", '"1"', ""):
        fetcher.get(server.url("/rss"), NOW, etag=etag)
    assert (len(server.requests), server.connections) == (3, 1)


def test_a_kept_connection_that_the_server_has_ended_is_made_anew(server, fetcher):
    server.say("/rss", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    for _ in range(2):
        assert fetcher.get(server.url("/rss"), NOW).body == b"ok"
        time.sleep(0.05)
    assert server.connections == 2


@pytest.mark.parametrize("late", [b"", b"<p>what belongs to the answer before</p>\r\n"])
def test_a_kept_connection_that_ends_under_a_request_is_made_anew(server, fetcher, late):
    def answer(handler):
        again = server.paths.count("/rss") > 1
        handler.write(200, {}, DOCUMENT) if again else handler.say([late])
    server.serve("/before", DOCUMENT)
    server.do("/rss", answer)
    for path in ("/before", "/rss"):
        assert fetcher.get(server.url(path), NOW).body == DOCUMENT
    assert (server.paths, server.connections) == (["/before", "/rss", "/rss"], 2)


def test_a_connection_that_ends_without_an_answer_is_not_tried_again_if_it_was_new(server, fetcher):
    server.say("/rss")
    fault(fetcher, server.url("/rss"))
    assert len(server.requests) == 1


@pytest.mark.parametrize("interim", [
    b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 102 Processing\r\n\r\n" * 3,
    b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nETag: 0\r\n\r\n"])
def test_an_interim_answer_is_not_the_answer(server, fetcher, interim):
    def answer(handler):
        handler.wfile.write(interim)
        handler.write(200, {"ETag": "1"}, DOCUMENT)
    server.do("/rss", answer)
    for _ in range(2):
        fetched = fetcher.get(server.url("/rss"), NOW)
        assert (fetched.status, fetched.body, fetched.etag) == (200, DOCUMENT, "1")
    assert server.connections == 1


def test_no_cookie_is_kept(server, fetcher):
    server.redirect("/old", "/rss", headers={"Set-Cookie": "a=1"})
    server.answer("/rss", 200, {"Set-Cookie": "b=2; Path=/"}, DOCUMENT)
    for _ in range(2):
        fetcher.get(server.url("/old"), NOW)
    assert not any("Cookie" in headers for _, headers in server.requests)


def test_neither_proxies_nor_passwords_of_the_environment_are_used(server, fetcher, monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login ada password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    server.serve("/rss", DOCUMENT)
    fetcher.get(server.url("/rss"), NOW)
    assert "Authorization" not in server.requests[0][1]


def test_a_korean_address_is_asked_as_it_is_written(server, fetcher):
    server.serve("/%ED%94%BC%EB%93%9C", DOCUMENT)
    assert fetcher.get(server.url("/피드"), NOW).body == DOCUMENT


# Redirects

@pytest.mark.parametrize(("statuses", "moved_to"), [
    ((301,), "/1"), ((308, 301), "/2"), ((302,), ""), ((303,), ""), ((307,), ""),
    ((301, 302), "/1"), ((301, 302, 301), "/1"), ((302, 301), ""), ((301,) * 5, "/5"),
])
def test_a_feed_has_moved_where_permanent_redirects_from_the_start_lead(server, fetcher, statuses, moved_to):
    for step, status in enumerate(statuses):
        server.redirect(f"/{step}", f"/{step + 1}", status)
    server.serve(f"/{len(statuses)}", DOCUMENT)
    fetched = fetcher.get(server.url("/0"), NOW)
    assert fetched.url == server.url(f"/{len(statuses)}")
    assert fetched.moved_to == (server.url(moved_to) if moved_to else "")


@pytest.mark.parametrize(("location", "path"), [
    ("rss", "/blog/rss"), ("../rss", "/rss"), ("?page=2", "/blog/feed?page=2"), ("//{host}/rss", "/rss"),
    ("/%EC%85%85", "/%EC%85%85"), ("/셅".encode().decode("latin-1"), "/%EC%85%85"),
])
def test_a_redirect_may_be_relative_or_not_escaped(server, fetcher, location, path):
    host = server.url("").removeprefix("http://")
    server.redirect("/blog/feed", location.format(host=host), 302)
    server.serve(path, DOCUMENT)
    assert fetcher.get(server.url("/blog/feed"), NOW).url == server.url(path)


@pytest.mark.parametrize(("target", "shown"), [
    ("ftp://example.org/rss", "ftp://example.org/rss"),
    ("file:///etc/passwd", "file:///etc/passwd"),
    ("http://ada:secret@127.0.0.1/", "http://…@127.0.0.1/"),
    ("javascript:alert(1)", "javascript:alert(1)"),
    ("http://[::1/", "http://[::1/"),
    ("ftp://a\x1b[31mred\x07", "ftp://a[31mred"),        # it is shown on terminals and pages
    ("ftp://a/\u202ecod.exe".encode().decode("latin-1"), "ftp://a/cod.exe"),
])
def test_a_redirect_leads_to_the_web_or_nowhere(server, fetcher, target, shown):
    server.redirect("/old", target)
    error = fault(fetcher, server.url("/old"))
    assert (error.reason, error.status, error.kind) == (f"redirects to {shown}", 301, "moved")
    assert server.paths == ["/old"]


def test_redirects_in_a_circle_end(server, fetcher):
    server.redirect("/a", "/b")
    server.redirect("/b", "/a", 302)
    error = fault(fetcher, server.url("/a"))
    assert (error.reason, error.status, error.kind) == ("more than 5 redirects", 302, "moved")
    assert len(server.requests) == 6


def test_a_redirect_without_a_target_is_an_error(server, fetcher):
    server.answer("/rss", 302)
    assert fault(fetcher, server.url("/rss")).reason == "HTTP 302 Found"


@pytest.mark.parametrize("status", [302, 404])
def test_a_body_that_nobody_needs_is_not_read(server, fetcher, status):
    server.answer("/old", status, {"Location": "/rss", "Content-Encoding": "gzip"}, bomb(60))
    server.serve("/rss", DOCUMENT)
    with most_memory(5_000_000):
        if status == 302:
            assert fetcher.get(server.url("/old"), NOW).body == DOCUMENT
        else:
            assert fault(fetcher, server.url("/old")).status == 404


# What the server refuses

@pytest.mark.parametrize(("status", "reason", "kind"), [
    (404, "HTTP 404 Not Found", "gone"), (410, "HTTP 410 Gone", "gone"),
    (403, "HTTP 403 Forbidden", "refused"), (401, "HTTP 401 Unauthorized", "refused"),
    (204, "HTTP 204 No Content", "not_feed"), (206, "HTTP 206 Partial Content", "not_feed"),
    (500, "HTTP 500 Internal Server Error", "server"), (522, "HTTP 522", "server"),
    (999, "HTTP 999", "server"), (429, "HTTP 429 Too Many Requests", "busy"),
    (300, "HTTP 300 Multiple Choices", "moved"),
])
def test_any_other_status_is_an_error_with_that_status(server, fetcher, status, reason, kind):
    server.answer("/rss", status, body=b"" if status == 204 else b"sorry")
    error = fault(fetcher, server.url("/rss"))
    assert (error.url, error.reason) == (server.url("/rss"), reason)
    assert (error.status, error.kind, error.retry_after) == (status, kind, None)
    assert str(error) == f"{server.url('/rss')}: {reason}"


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("text", "seconds"), [
    ("3600", 3600), ("0", None), ("99999999", 7 * 86_400), ("9" * 5000, None),
    ("Sun, 22 Nov 2026 03:10:00 GMT", 600), ("Sunday, 22-Nov-26 03:10:00 GMT", 600),
    ("Sun Nov 22 03:10:00 2026", 600), ("Sun, 22 Nov 2026 02:00:00 GMT", None),
    ("Sat, 22 Nov 2036 03:00:00 GMT", 7 * 86_400),
    ("", None), ("-5", None), ("soon", None), ("1.5", None),
    ("Sun, 22 Nov 99999999999999999999 03:10:00 GMT", None),
])
def test_a_server_may_ask_to_wait(server, fetcher, status, text, seconds):
    server.answer("/rss", status, {"Retry-After": text})
    error = fault(fetcher, server.url("/rss"))
    assert (error.status, error.retry_after) == (status, seconds)
    assert ("asks to wait" in error.reason) == (seconds is not None)
    assert error.kind == ("busy" if status == 429 or seconds is not None else "server")


def test_the_error_names_the_url_that_failed(server, fetcher):
    server.redirect("/old", "/gone")
    assert fault(fetcher, server.url("/old")).url == server.url("/gone")


# What breaks

@pytest.mark.parametrize(("answer", "reason"), [
    (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<rss>", "the body breaks off"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n50\r\n<rss>", "the body breaks off"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<rss>\r\n", "the body breaks off"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n<rss>", "the body breaks off"),
    (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(DOCUMENT, mtime=0)[:-9],
     "cannot be decompressed: the gzip body breaks off"),
    (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + DOCUMENT,
     "cannot be decompressed: Error -3 while decompressing data: incorrect header check"),
    (b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\n" + DOCUMENT,
     "cannot be decompressed: Content-Encoding 'br' was not asked for"),
    (b"HTTP/1.1 200 OK\r\n" + b"X-Many: 1\r\n" * 101 + b"\r\n", "the answer is not HTTP"),
    (b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 70_000 + b"\r\n\r\n", "the answer is not HTTP"),
    (b"SSH-2.0-OpenSSH_9.2\r\n", "the answer is not HTTP"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n<rss>", "the answer has two lengths"),
    (b"", "connection closed without an answer"),
])
def test_half_an_answer_is_none(server, fetcher, answer, reason):
    server.say("/rss", answer)
    error = fault(fetcher, server.url("/rss"))
    assert (error.reason, error.status) == (reason, None)
    assert error.kind == ("broken" if answer else "silent")


def test_a_reset_connection_is_an_error(server, fetcher):
    server.reset("/rss")
    error = fault(fetcher, server.url("/rss"))
    assert (error.reason, error.kind) == ("connection reset", "silent")


def test_a_port_where_nobody_listens_is_an_error(fetcher):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    error = fault(fetcher, f"http://127.0.0.1:{port}/")
    assert (error.reason, error.kind) == ("connection refused", "silent")


def test_whatever_a_server_says_ends_in_an_answer_or_a_fetch_error(server, fetcher):
    chance = random.Random(22)
    parts = [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100\r\n\r\n", b"HTTP/9 999\r\n", b"HTTP/1.1 301 \r\n",
             b"\r\n", b"Content-Length: -1\r\n", b"Content-Length: 5, 6\r\n",
             b"Transfer-Encoding: chunked\r\n", b"-5\r\n", b"fffffffffffffffffff\r\n",
             b"5\r\n<rss>\r\n", b"0\r\n", b": \r\n", b"\x00",
             b"Content-Encoding: gzip\r\n", b"Content-Encoding: deflate\r\n", b"\x1f\x8b\x08\x04",
             b"Location: http://[::\r\n", b"Location: \xff\xfe\r\n"]
    faults = []
    for _ in range(150):
        start = b"HTTP/1.1 200 OK\r\n" * chance.randint(0, 1)
        server.say("/rss", start + b"".join(chance.choices(parts, k=7)))
        try:
            fetcher.get(server.url("/rss"), NOW)
        except FetchError as error:
            faults.append(error)
    assert len(faults) > 50
    assert all(error.reason.isprintable() and error.kind in FAULTS for error in faults)


# Time

@pytest.mark.parametrize("trouble", [
    lambda server: server.hang("/rss"), lambda server: server.drip_body("/rss"),
    lambda server: server.drip_headers("/rss"), lambda server: server.drip_headers("/rss", status=429),
], ids=["hang", "body", "headers", "headers of an error"])
def test_no_fetch_outlives_its_time(server, trouble):
    trouble(server)
    with Fetcher(SECOND, AGENT) as fetcher, ends_in_time():
        error = fault(fetcher, server.url("/rss"))
    assert (error.reason, error.status, error.kind) == ("timeout after 0.5 s", None, "slow")


def test_a_kept_connection_is_watched_too_and_the_next_fetch_has_its_own_time(server):
    server.serve("/rss", DOCUMENT)
    server.drip_headers("/slow")
    with Fetcher(SECOND, AGENT) as fetcher:
        fetcher.get(server.url("/rss"), NOW)
        with ends_in_time():
            assert fault(fetcher, server.url("/slow")).reason == "timeout after 0.5 s"
        assert server.connections == 1
        assert fetcher.get(server.url("/rss"), NOW).body == DOCUMENT


def test_redirects_share_the_time_of_the_fetch(server):
    def slowly(handler):
        time.sleep(0.2)
        handler.write(302, {"Location": "/rss"}, b"")
    server.do("/rss", slowly)
    with Fetcher(SECOND, AGENT) as fetcher, ends_in_time():
        assert fault(fetcher, server.url("/rss")).reason == "timeout after 0.5 s"


def test_a_name_server_that_does_not_answer_costs_no_more_than_the_time(monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: release.wait(5) and [])
    with Fetcher(SECOND, AGENT) as fetcher, ends_in_time():
        assert fault(fetcher, "http://slow.example/").reason == "timeout after 0.5 s"
    release.set()


def test_an_address_that_leads_nowhere_leaves_time_for_the_next(server, monkeypatch):
    server.serve("/rss", DOCUMENT)
    port = int(server.url("").rpartition(":")[2])
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.2", port))
        full.listen(0)
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        resolve(monkeypatch, {"one.example": ["127.0.0.2"], "two.example": ["127.0.0.2", "127.0.0.1"]})
        with Fetcher(SECOND, AGENT) as fetcher:
            with ends_in_time():
                assert fault(fetcher, server.url("/rss", "one.example")).reason == "timeout after 0.5 s"
            assert fetcher.get(server.url("/rss", "two.example"), NOW).body == DOCUMENT


# Size

@contextmanager
def most_memory(limit):
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < limit
    finally:
        tracemalloc.stop()


def test_a_body_announced_as_too_long_is_not_begun(server, fetcher):
    server.say("/rss", b"HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n")
    error = fault(fetcher, server.url("/rss"))
    assert (error.reason, error.status, error.kind) == ("more than 1,000,000 bytes", 200, "big")


@pytest.mark.parametrize(("piece", "headers"), [
    (bytes(65_536), b""),
    (b"10000\r\n" + bytes(65_536) + b"\r\n", b"Transfer-Encoding: chunked\r\n"),
    (b"\x1f\x8b\x08\x08" + b"name" * 16_000, b"Content-Encoding: gzip\r\n"),        # a file name without end
    (gzip.compress(b"", mtime=0) * 3000, b"Content-Encoding: gzip\r\n"),     # members with nothing in them
])
def test_a_body_without_end_is_left_at_the_limit(server, fetcher, piece, headers):
    server.endless("/rss", piece, headers)
    with most_memory(8_000_000):
        assert fault(fetcher, server.url("/rss")).reason == "more than 1,000,000 bytes"


def test_a_bomb_does_not_go_off(server, fetcher):
    server.bomb("/rss", 60)
    with most_memory(8_000_000):
        assert fault(fetcher, server.url("/rss")).reason == "more than 1,000,000 bytes"


def test_a_bomb_in_a_bomb_is_not_touched(server, fetcher):
    server.bomb("/rss", 60, layers=2)
    assert fault(fetcher, server.url("/rss")).reason.endswith("'gzip, gzip' was not asked for")


@pytest.mark.parametrize(("extra", "fits"), [(0, True), (1, False)])
@pytest.mark.parametrize("packed", [False, True])
def test_a_body_may_be_as_long_as_the_limit(server, fetcher, extra, fits, packed):
    server.serve("/rss", b"x" * (1_000_000 + extra), gzip=packed)
    if fits:
        assert len(fetcher.get(server.url("/rss"), NOW).body) == 1_000_000
    else:
        assert fault(fetcher, server.url("/rss")).reason == "more than 1,000,000 bytes"


# Addresses

@pytest.mark.parametrize(("host", "address"), [
    ("127.0.0.1", "127.0.0.1"), ("127.1", "127.0.0.1"), ("2130706433", "127.0.0.1"),
    ("0177.0.0.1", "127.0.0.1"), ("0x7f.1", "127.0.0.1"), ("0", "0.0.0.0"), ("[::1]", "::1"),
    ("[::ffff:127.0.0.1]", "::ffff:127.0.0.1"),
    ("192.168.0.1", "192.168.0.1"), ("169.254.169.254", "169.254.169.254"), ("１２７.0.0.1", "127.0.0.1"),
    ("[64:ff9b::7f00:1]", "64:ff9b::7f00:1"),
])
def test_an_address_at_home_is_not_asked_however_it_is_written(host, address):
    with Fetcher(Limits(), AGENT) as fetcher:
        error = fault(fetcher, f"http://{host}/rss")
    assert (error.reason, error.kind) == (f"address {address} is not public", "address")


def test_a_name_with_an_address_at_home_is_not_asked_at_its_others_either(monkeypatch):
    resolve(monkeypatch, {"rebinding.example": ["93.184.215.14", "10.0.0.1"]})
    with Fetcher(Limits(), AGENT) as fetcher:
        assert fault(fetcher, "https://rebinding.example/").reason == "address 10.0.0.1 is not public"


@pytest.mark.parametrize("name", ["nas.local", "NAS.Local.", "localhost", "router.home.arpa", "db.internal"])
def test_a_name_of_a_network_at_home_is_not_even_looked_up(monkeypatch, name):
    looked_up = resolve(monkeypatch, {name: ["93.184.215.14"]})
    with Fetcher(Limits(), AGENT) as fetcher:
        error = fault(fetcher, f"http://{name}/rss")
    assert (error.reason, error.kind) == ("the name is one of a network at home", "address")
    assert looked_up == []


def test_this_site_itself_is_not_asked_by_whatever_name(monkeypatch):
    looked_up = resolve(monkeypatch, {"digest.example": ["93.184.215.14", "93.184.215.16"],
                                      "blog.example": ["93.184.215.15", "93.184.215.14"]})
    with Fetcher(Limits(home="digest.example"), AGENT) as fetcher:
        for name in ("blog.example", "digest.example"):
            error = fault(fetcher, f"http://{name}/rss")
            assert (error.reason, error.kind) == ("address 93.184.215.14 is this site's own", "address")
    assert looked_up == ["blog.example", "digest.example", "digest.example"]


def test_the_address_that_was_judged_is_the_one_that_is_asked(server, fetcher, monkeypatch):
    looked_up = resolve(monkeypatch, {"blog.example": ["127.0.0.1"]})
    server.serve("/rss", DOCUMENT)
    fetcher.get(server.url("/rss", "blog.example"), NOW)
    assert looked_up == ["blog.example"]
    assert server.requests[0][1]["Host"].startswith("blog.example:")


@pytest.mark.parametrize(("port", "reason"), [
    (8080, "port 8080 is none of 80, 443"), (25, "port 25 is none of 80, 443"),
    (80, "address 127.0.0.1 is not public"), (443, "address 127.0.0.1 is not public"),
])
def test_only_the_ports_of_the_web_are_asked(port, reason):
    with Fetcher(Limits(), AGENT) as fetcher:
        error = fault(fetcher, f"http://127.0.0.1:{port}/")
    assert (error.reason, error.kind) == (reason, "address")


@pytest.mark.parametrize(("url", "reason"), [
    ("http://127.0.0.1:8080/", "address 127.0.0.1 is not public"),
    ("http://127.0.0.1/", "port 80 is none of 443, 8080"),
    ("http://127.0.0.1:8081/", "port 8081 is none of 443, 8080")])
def test_a_port_that_the_owner_allows_is_asked_and_opens_no_network_at_home(url, reason):
    with Fetcher(Limits(ports=(443, 8080)), AGENT) as fetcher:
        assert fault(fetcher, url).reason == reason


@pytest.mark.parametrize("url", [
    "", "rss", "ftp://example.org/", "file:///etc/passwd", "http:///rss", "http://[::1/",
    "http://ada:secret@127.0.0.1/", "http://127.0.0.1:http/", "http://a/" + "x" * 2000,
    "http://a_b-.한글..kr/",
])
def test_what_is_no_url_of_the_web_is_not_asked(fetcher, url):
    error = fault(fetcher, url)
    assert (error.reason, error.kind) == ("not an http(s) URL", "address")


@pytest.mark.parametrize("host", ["a..b", "a" * 70 + ".example", ".example"])
def test_a_host_that_cannot_be_is_an_error(fetcher, host):
    assert fault(fetcher, f"http://{host}/").reason in ("no such host", "not a URL that can be asked")


@pytest.mark.parametrize(("code", "reason", "kind"), [
    (socket.EAI_NONAME, "no such host", "host"),
    (socket.EAI_AGAIN, "no answer from the name server", "silent")])
def test_a_name_without_an_address_is_an_error(fetcher, monkeypatch, code, reason, kind):
    def unknown(*_, **__):
        raise socket.gaierror(code, "as the resolver says it")
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = fault(fetcher, "http://gone.example/")
    assert (error.reason, error.kind) == (reason, kind)


# TLS

def openssl(*arguments):
    if not shutil.which("openssl"):
        pytest.skip("needs openssl")
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


@pytest.fixture(scope="session")
def identity(tmp_path_factory):
    """(certificate, key) of localhost and 127.0.0.1, signed by themselves."""
    folder = tmp_path_factory.mktemp("tls")
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-keyout", folder / "key.pem", "-out", folder / "certificate.pem")
    return folder / "certificate.pem", folder / "key.pem"


def tls_server(certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return FeedServer(tls=context)


@pytest.fixture
def tls(identity, monkeypatch):
    """A server whose certificate is trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", str(identity[0]))
    with tls_server(*identity) as running:
        yield running


def test_a_certificate_that_nobody_vouches_for_is_refused(identity, fetcher):
    with tls_server(*identity) as server:
        error = fault(fetcher, server.url("/rss", "localhost"))
        assert (error.reason, error.kind) == ("TLS: self-signed certificate", "tls")
        assert server.requests == []


def test_an_expired_certificate_is_refused(identity, monkeypatch, tmp_path):
    certificate, key = identity
    again = ("x509", "-in", certificate, "-signkey", key, "-out", tmp_path / "expired.pem")
    try:
        openssl(*again, "-days", "-1")
    except subprocess.CalledProcessError:       # OpenSSL 3.5 takes no end before the start, but dates
        openssl(*again, "-not_before", "20200101000000Z", "-not_after", "20200102000000Z")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "expired.pem"))
    with tls_server(tmp_path / "expired.pem", key) as server, Fetcher(SECOND, AGENT) as fetcher:
        assert fault(fetcher, server.url("/rss")).reason == "TLS: certificate has expired"


def test_a_certificate_for_another_name_is_refused(tls, monkeypatch):
    resolve(monkeypatch, {"blog.example": ["127.0.0.1"]})
    with Fetcher(Limits(allow_private=True), AGENT) as fetcher:
        reason = fault(fetcher, tls.url("/rss", "blog.example")).reason
    assert reason == "TLS: Hostname mismatch, certificate is not valid for 'blog.example'"


def test_plain_http_on_a_tls_port_is_an_error(server, fetcher):
    url = server.url("/rss").replace("http://", "https://")
    error = fault(fetcher, url)
    assert (error.reason[:5], error.kind) == ("TLS: ", "tls")


def test_tls_connections_are_kept_and_watched(tls):
    tls.serve("/rss", DOCUMENT, gzip=True)
    tls.drip_headers("/slow")
    with Fetcher(SECOND, AGENT) as fetcher:
        for _ in range(2):
            assert fetcher.get(tls.url("/rss", "localhost"), NOW).body == DOCUMENT
        with ends_in_time():
            assert fault(fetcher, tls.url("/slow", "localhost")).reason == "timeout after 0.5 s"
    assert tls.connections == 1


@pytest.mark.parametrize("path", ["/slow", "/drip"])
def test_a_fresh_tls_connection_is_watched(tls, path):
    tls.drip_body("/drip")
    tls.drip_headers("/slow")
    with Fetcher(SECOND, AGENT) as fetcher, ends_in_time():
        assert fault(fetcher, tls.url(path)).reason == "timeout after 0.5 s"


def test_a_handshake_that_drips_ends_in_time():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        def drip():
            connection, _ = listening.accept()
            with connection:
                try:
                    connection.sendall(b"\x16\x03\x03\x40\x00")     # a record of 16 KiB is to follow
                    while True:
                        time.sleep(0.1)
                        connection.sendall(b"\x02")
                except OSError:
                    return
        thread = threading.Thread(target=drip)
        thread.start()
        with Fetcher(SECOND, AGENT) as fetcher, ends_in_time():
            error = fault(fetcher, f"https://127.0.0.1:{listening.getsockname()[1]}/")
        thread.join(2)
    assert error.reason == "timeout after 0.5 s"


# What is left behind

def test_no_descriptor_is_left_behind(server, tls):
    def descriptors():
        return len(os.listdir("/proc/self/fd"))         # noqa: PTH208
    paths = ["/rss", "/old", "/gone", "/reset", "/bomb", "/half", "/circle", "/endless", "/ftp"]
    for site in (server, tls):
        site.serve("/rss", DOCUMENT, gzip=True)
        site.redirect("/old", "/rss")
        site.redirect("/circle", "/circle")
        site.redirect("/ftp", "ftp://example.org/")
        site.answer("/gone", 410)
        site.reset("/reset")
        site.answer("/bomb", 200, {"Content-Encoding": "gzip"}, bomb(2))
        site.say("/half", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<rss>")
        site.endless("/endless")
    server.hang("/hang")
    before, remembered = descriptors(), []      # errors know where they come from, and so could keep it open
    with Fetcher(Limits(total=2, max_bytes=200_000, allow_private=True), AGENT) as fetcher:
        for turn in range(200):
            site = (server, tls)[turn % 2]
            try:
                fetcher.get(site.url(paths[turn // 2 % len(paths)]), NOW)
            except FetchError as error:
                remembered.append(error)
    with Fetcher(SECOND, AGENT) as fetcher:
        remembered += [fault(fetcher, server.url("/hang")),
                       fault(fetcher, "https" + server.url("/rss").removeprefix("http"))]
    ends = time.monotonic() + 3
    while (left := descriptors()) > before + 1 and time.monotonic() < ends:     # the server's side ends later
        time.sleep(0.05)
    assert left <= before + 1       # the one that still hangs, on the server's side
