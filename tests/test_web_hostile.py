"""Visitors who mean harm, or whose programs are broken, on real sockets; the others are served meanwhile."""
import re
import resource
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from waitress import wasyncore
from web_site import Visitor, a_confirmation, everything, link, visiting

from devdigest.config import Config, Web
from devdigest.readers import Subscriber
from devdigest.table import db
from devdigest.web.faults import Faults
from devdigest.web.listening import listen

HOST = b"Host: 127.0.0.1\r\n"
LAST = HOST + b"Connection: close\r\n\r\n"
CRITICAL = {"Content-Security-Policy", "Referrer-Policy", "X-Content-Type-Options", "X-Frame-Options"}


@pytest.fixture
def visitor(config: Config, records: None) -> Iterator[Visitor]:
    with visiting(config) as visitor:
        yield visitor


@contextmanager
def connected(visitor: Visitor) -> Iterator[socket.socket]:
    address = urlsplit(visitor.site)
    with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
        yield connection


def rest(connection: socket.socket) -> bytes:
    """All that comes until the other side ends it, or resets it, as it does where it has not read it all."""
    pieces = []
    with suppress(ConnectionResetError):
        while piece := connection.recv(65_536):
            pieces.append(piece)
    return b"".join(pieces)


def said(visitor: Visitor, *pieces: bytes) -> bytes:
    """What comes back for these bytes, sent as they are."""
    with connected(visitor) as connection:
        for piece in pieces:
            connection.sendall(piece)
        return rest(connection)


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def headers(answer: bytes) -> dict[str, str]:
    lines = answer.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return dict(line.split(": ", 1) for line in lines)


# Requests

@pytest.mark.parametrize(("request_line", "code"), [
    (b"GET /%00 HTTP/1.1", 404), (b"GET /issues/%FF%FEmarker HTTP/1.1", 404),
    (b"GET /\xff\xfemarker HTTP/1.1", 400),
    (b"GET /" + b"marker/" * 4_000 + b" HTTP/1.1", 404), (b"GET /" + b"marker/" * 6_000 + b" HTTP/1.1", 431),
    (b"GET /blogs/..%2f..%2fetc%2fpasswd HTTP/1.1", 404), (b"GET //marker.example/ HTTP/1.1", 404),
    (b"GET http://marker.example/about HTTP/1.1", 200), (b"GET /about#marker HTTP/1.1", 200),
    (b"GET /about?%FF=%00&marker HTTP/1.1", 200), (b"GET /search?q=%FF%00%ED%A0%80&page=%FF HTTP/1.1", 400),
    (b"GET /search?q=%B0%B3%B9%DF HTTP/1.1", 400), (b"GET /tags/%FF%00 HTTP/1.1", 404),
    (b"GET /about HTTP/1.0", 200), (b"GET /about HTTP/9.9", 200), (b"HEAD /marker HTTP/1.1", 404),
    (b"OPTIONS * HTTP/1.1", 404), (b"MARKER /about HTTP/1.1", 405), (b"DELETE / HTTP/1.1", 405),
    (b"marker", 400), (b"get /marker HTTP/1.1", 400), (b"GET /marker HTTP/1.1 marker", 400),
    (b"\x16\x03\x01\x02", 400), (b"GET /marker\rHTTP/1.1", 400)])
def test_an_odd_request_gets_a_page_that_echoes_nothing(visitor: Visitor, request_line: bytes,
                                                        code: int) -> None:
    answer = said(visitor, request_line + b"\r\n" + LAST)
    assert status(answer) == code
    assert headers(answer).keys() >= CRITICAL | {"Content-Language", "Cache-Control"}
    assert b"marker" not in answer
    assert b"<h1>" in answer or request_line.startswith(b"HEAD")
    assert visitor.get("/about").status_code == 200


@pytest.mark.parametrize(("header", "code"), [
    (b"marker", 400), (b"Mark er: x", 400), (b": marker", 400), (b"X-Marker: a\x00b", 400),
    (b"X-Marker: a\nb", 400), (b"Content-Length: marker", 400), (b"Content-Length: -1", 400),
    (b"Content-Length: 1, 2", 400),
    (b"Transfer-Encoding: marker", 501), (b"Transfer-Encoding: chunked\r\nContent-Length: 3", 400),
    (b"Expect: marker", 200), (b"Accept-Language: \xff\xfe,en\xff", 200),
    (b"If-None-Match: \xff\"marker", 200),
    (b"User-Agent: \xffmarker\x80", 200), (b"Cookie: marker=\xff", 200), (b"Range: bytes=0-marker", 200),
    (b"X-Marker: " + b"x" * 40_000, 431), (b"X-Marker: x\r\n" * 2_600, 431)])
def test_an_odd_header_changes_nothing_or_is_refused(visitor: Visitor, header: bytes, code: int) -> None:
    answer = said(visitor, b"GET /about HTTP/1.1\r\n" + header + b"\r\n" + LAST)
    assert status(answer) == code
    assert headers(answer).keys() >= CRITICAL
    assert b"marker" not in answer.lower()


@pytest.mark.parametrize("name", [b"\xff\xfe", "한글".encode(), b"x" * 20_000, b""])
def test_a_program_may_call_itself_anything(visitor: Visitor, bob: Subscriber, name: bytes) -> None:
    button = f"POST /confirm/{a_confirmation(bob)} HTTP/1.1\r\n".encode()
    assert status(said(visitor, button + b"User-Agent: " + name + b"\r\n" + LAST)) == 200
    assert Subscriber.get_by_id(bob.id).state == "active"


def test_what_waitress_refuses_is_told_in_the_visitors_language(visitor: Visitor) -> None:
    for accepted, words in (("ko", "보내신 내용이 너무 큽니다"), ("en", "That was too much")):
        answer = said(visitor, b"POST /subscribe HTTP/1.1\r\nContent-Length: 10000000\r\nAccept-Language: "
                      + accepted.encode() + b"\r\n" + LAST)
        assert (status(answer), headers(answer)["Content-Language"]) == (413, accepted)
        assert headers(answer).keys() >= CRITICAL
        assert words in answer.decode()


def test_a_405_says_what_is_allowed(visitor: Visitor) -> None:
    for method, path, allowed in (("POST", "/about", "GET, HEAD"), ("PUT", "/subscribe", "GET, HEAD, POST")):
        answer = visitor.ask(method, path)
        assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)


def test_requests_in_one_go_are_answered_in_turn(visitor: Visitor) -> None:
    both = b"GET /about HTTP/1.1\r\n" + HOST + b"\r\nGET /nowhere HTTP/1.1\r\n" + LAST
    assert re.findall(rb"HTTP/1.1 (\d+)", said(visitor, both)) == [b"200", b"404"]


def test_a_request_hidden_behind_two_lengths_is_not_read(visitor: Visitor, ada: Subscriber) -> None:
    hidden = f"POST /u/{link(ada)} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    answer = said(visitor, b"POST /about HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: "
                  + str(5 + len(hidden)).encode() + b"\r\n" + HOST + b"\r\n0\r\n\r\n" + hidden)
    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"400"]
    assert Subscriber.get_by_id(ada.id).state == "active"


# Bodies

def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss       # KiB


def test_a_body_of_ten_megabytes_is_refused_without_being_held(visitor: Visitor) -> None:
    visitor.get("/about")
    before, piece = peak(), b"x" * 65_536

    def send(framing: bytes, piece: bytes) -> bytes:
        with connected(visitor) as connection:
            connection.sendall(b"POST /subscribe HTTP/1.1\r\n" + framing + b"\r\n" + LAST)
            with suppress(ConnectionError):
                for _ in range(160):
                    connection.sendall(piece)
            return rest(connection)

    told = [(b"Content-Length: 10485760", piece)] * 4 + [
        (b"Transfer-Encoding: chunked", b"10000\r\n" + piece + b"\r\n")] * 4
    with ThreadPoolExecutor(len(told)) as senders:
        answers = list(senders.map(send, *zip(*told, strict=True)))
    # whoever speaks on after the refusal may lose it to the reset
    assert {status(answer) for answer in answers if answer} <= {413}
    assert peak() - before < 15_000
    assert visitor.get("/about").status_code == 200


def test_fifty_thousand_fields_are_nothing_to_wait_for(visitor: Visitor) -> None:
    visitor.get("/subscribe")
    began = time.monotonic()
    assert visitor.post("/subscribe", "a&" * 50_000).status_code == 400
    assert time.monotonic() - began < 2
    assert visitor.post("/subscribe", "a=1&" * 50_000).status_code == 413


@pytest.mark.parametrize(("content_type", "body"), [
    ("application/x-www-form-urlencoded", b"email=%FF%FE&stamp=%00"),
    ("application/x-www-form-urlencoded", "email=한글@example.org".encode("euc-kr")),
    ("application/x-www-form-urlencoded; charset=marker", b"email=%ED%A0%80"),
    ("multipart/form-data; boundary=x",
     b"--x\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\n\xff\r\n--x--"),
    ("multipart/form-data; boundary=x", b"--x\r\nmarker"), ("multipart/form-data", b"marker"),
    ("application/json", b'{"email": "marker'), ("", b"\x00\xff"), ("text/plain", b"")])
def test_a_form_that_is_no_form_changes_nothing(visitor: Visitor, ada: Subscriber, content_type: str,
                                                body: bytes) -> None:
    before = everything()
    for path in ("/subscribe", f"/manage/{link(ada)}"):
        answer = visitor.ask("POST", path, data=body, headers={"Content-Type": content_type})
        assert answer.status_code == 400
        assert "marker" not in answer.text
    assert everything() == before


# Slow ones

def test_those_who_dawdle_keep_nobody_waiting(visitor: Visitor) -> None:
    visitor.get("/about")
    with ExitStack() as open_sockets:
        idle = [open_sockets.enter_context(connected(visitor)) for _ in range(25)]
        for number, connection in enumerate(idle):      # none of them ever ends its request
            connection.sendall((b"G", b"GET / HTTP/1.1\r\nX",
                                b"POST /u/1-x HTTP/1.1\r\nContent-Length: 9\r\n\r\n",
                                b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5")[number % 4])
        began = time.monotonic()
        assert visitor.get("/about").status_code == 200
        assert time.monotonic() - began < 1


def test_a_request_may_come_byte_by_byte(visitor: Visitor) -> None:
    request = b"POST /subscribe HTTP/1.1\r\nContent-Length: 9\r\n" + LAST + b"email=x%4"
    pieces = [request[place:place + 1] for place in range(len(request))]
    assert status(said(visitor, *pieces)) == 400


@contextmanager
def listening(config: Config, web: Web, app: Callable[..., Any], **limits: float) -> Iterator[str]:
    """The address of a server as the site's, for an app of our own, with limits that a test can wait for."""
    sockets: dict[int, Any] = {}
    server, stop = listen(app, web, Faults(config), sockets), threading.Event()
    for name, value in limits.items():
        setattr(server.adj, name, value)

    def loop() -> None:
        while not stop.is_set():
            wasyncore.loop(timeout=0.05, map=sockets, count=1)
    thread = threading.Thread(target=loop)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    stop.set()
    thread.join()
    server.task_dispatcher.shutdown()
    wasyncore.close_all(sockets)


def hello(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
    start("200 OK", [])
    return [b"hello"]


def test_a_request_has_to_come_whole_in_time_however_steadily_it_drips(config: Config) -> None:
    with listening(config, Web(listen="127.0.0.1:0"), hello, channel_timeout=1, cleanup_interval=0.1) as site:
        visitor = Visitor(site)
        with connected(visitor) as dripping, connected(visitor) as asking:
            dripping.sendall(b"POST / HTTP/1.1\r\nContent-Length: 99\r\n\r\n")
            asking.settimeout(5)
            cut = False
            for _ in range(15):
                time.sleep(0.15)
                asking.sendall(b"GET / HTTP/1.1\r\n\r\n")
                assert b"hello" in asking.recv(9_999)
                if not cut:
                    try:
                        dripping.sendall(b"x")
                    except ConnectionError:
                        cut = True
            assert cut
        visitor.close()


# Whom to believe

def who(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
    start("200 OK", [])
    forwarded = [name for name in environ if "FORWARDED" in name]
    return [f"{environ['REMOTE_ADDR']} {environ['wsgi.url_scheme']} {forwarded}".encode()]


@pytest.mark.parametrize(("proxy", "forwarded_for", "visitor_is"), [
    ("", "203.0.113.7", "127.0.0.1"), ("", "6.6.6.6, 203.0.113.7", "127.0.0.1"),
    ("127.0.0.1", "203.0.113.7", "203.0.113.7"), ("127.0.0.1", "6.6.6.6, 203.0.113.7", "203.0.113.7"),
    ("127.0.0.1", "6.6.6.6, 2001:db8::7", "2001:db8::7")])
def test_only_the_web_server_in_front_says_who_a_visitor_is(config: Config, proxy: str, forwarded_for: str,
                                                            visitor_is: str) -> None:
    with listening(config, Web(listen="127.0.0.1:0", proxy=proxy), who) as site:
        visitor = Visitor(site)
        told = visitor.get("/", X_Forwarded_For=forwarded_for, X_Forwarded_Proto="https",
                           X_Forwarded_Host="evil.example", X_Forwarded_Port="1", X_Forwarded_By="6.6.6.6",
                           Forwarded="for=6.6.6.6").text
        visitor.close()
    assert told == f"{visitor_is} http {['HTTP_X_FORWARDED_FOR'] if proxy else []}"


# Without a database

def test_a_database_that_is_busy_too_long_is_a_page_that_says_so(visitor: Visitor, ada: Subscriber) -> None:
    db.timeout = 0.2        # seconds
    with sqlite3.connect(db.database, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = visitor.post(f"/u/{link(ada)}")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
        assert "잠시 쉬고 있습니다" in answer.text
        assert visitor.get("/issues/").status_code == 200       # to read is still possible
        other.execute("ROLLBACK")
    other.close()
    assert visitor.post(f"/u/{link(ada)}").status_code == 200


def test_a_database_that_is_gone_is_a_page_that_says_so(config: Config, visitor: Visitor) -> None:
    folder = Path(config.database.path).parent
    folder.rename(folder.with_name("elsewhere"))
    try:
        answer, health = visitor.get("/blogs/?page=1", Accept_Language="en"), visitor.get("/health")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
        assert "Back in a moment" in answer.text
        assert (health.status_code, health.headers["Retry-After"]) == (503, "30")
    finally:
        folder.with_name("elsewhere").rename(folder)


def test_names_are_kept_to_https_once_the_site_has_it(config: Config, records: None) -> None:
    for url, told in (("https://digest.example.org", "max-age=31536000"), ("http://127.0.0.1:8080", None)):
        with visiting(replace(config, site=replace(config.site, url=url))) as visitor:
            for path in ("/", "/nowhere", "/health", "/robots.txt"):
                assert visitor.get(path).headers.get("Strict-Transport-Security") == told
