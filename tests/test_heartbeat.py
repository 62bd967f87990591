"""One GET, and what came of it."""
import http.server
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from machines import dripping
from relay import HOST, free_port

from devdigest import heartbeat
from devdigest.heartbeat import NoAnswer


class Listener:
    """Answers each GET with `status`; `asked` has their paths."""

    def __init__(self, url: str) -> None:
        self.url, self.status, self.asked = url, 200, []


@contextmanager
def listening() -> Iterator[Listener]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            listener.asked.append(self.path)
            self.send_response(listener.status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"OK")

        def log_message(self, *_: object) -> None:
            """Nothing is told."""
    with http.server.ThreadingHTTPServer((HOST, 0), Handler) as server:
        listener = Listener(f"http://{HOST}:{server.server_port}/ping/secret")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield listener
        finally:
            server.shutdown()
            thread.join()


def test_it_asks_once_and_tells_what_was_answered() -> None:
    with listening() as listener:
        assert heartbeat.tell(listener.url) == "200 OK"
        assert listener.asked == ["/ping/secret"]


@pytest.mark.parametrize("status", [301, 302, 404, 500])
def test_any_other_answer_is_none_and_no_redirect_is_followed(status: int) -> None:
    with listening() as listener:
        listener.status = status
        with pytest.raises(NoAnswer, match=str(status)):
            heartbeat.tell(listener.url)
        assert listener.asked == ["/ping/secret"]


def test_of_who_cannot_be_reached_the_host_alone_is_told() -> None:
    with pytest.raises(NoAnswer) as said:
        heartbeat.tell(f"http://{HOST}:{free_port()}/ping/secret")
    assert str(said.value) == "127.0.0.1: cannot be reached"


def test_who_closes_without_an_answer_is_told_of() -> None:
    with socket.create_server((HOST, 0)) as server:
        def close() -> None:
            server.accept()[0].close()
        thread = threading.Thread(target=close)
        thread.start()
        with pytest.raises(NoAnswer, match="cannot be reached"):
            heartbeat.tell(f"http://{HOST}:{server.getsockname()[1]}/")
        thread.join()


@pytest.mark.parametrize("first", [b"HTTP/1.1 200 OK\r\nX: ", b""])
def test_who_answers_byte_by_byte_gives_no_answer(first: bytes) -> None:
    begun = time.monotonic()
    with dripping(first) as (host, port), pytest.raises(NoAnswer, match=r"^127.0.0.1: no answer in 0.3 s$"):
        heartbeat.tell(f"http://{host}:{port}/", 0.3)
    assert time.monotonic() - begun < 1.5
