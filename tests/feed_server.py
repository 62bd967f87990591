"""A real web server for the tests: what each path does is set beforehand, what was asked is recorded."""
import gzip as gzip_codec
import socket
import ssl
import struct
import zlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

RSS = "application/rss+xml; charset=utf-8"


class FeedServer:
    """Serves until the `with` block ends; what then still hangs or drips is let go.

        with FeedServer() as server:
            server.serve("/rss", b"<rss/>", etag='"1"')
            server.redirect("/old", "/rss")
            … server.url("/old") … server.requests
    """

    def __init__(self, address: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[tuple[str, Mapping[str, str]]] = []     # path and headers, in order
        self.connections = 0                                        # TCP connections taken so far
        self._answers: dict[str, Callable[[_Handler], None]] = {}
        self._server = _Server((address, 0), self, tls)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def __enter__(self) -> "FeedServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        for connection in list(self._server.open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    @property
    def paths(self) -> list[str]:
        """The paths asked for, in order, with their queries."""
        return [path for path, _ in self.requests]

    @property
    def open(self) -> int:
        """How many connections are open now."""
        return len(self._server.open)

    def url(self, path: str = "/", host: str = "") -> str:
        address, port = self._server.server_address[:2]
        return f"{'https' if self._server.tls else 'http'}://{host or address}:{port}{path}"

    def do(self, path: str, answer: "Callable[[_Handler], None]") -> None:
        """Whoever asks for `path` gets what `answer` writes."""
        self._answers[path] = answer

    def serve(self, path: str, body: bytes, content_type: str = RSS, etag: str = "", modified: str = "",
              gzip: bool = False) -> None:
        """A document; 304 to whoever has it, by its validators."""
        headers = {"Content-Type": content_type, "ETag": etag, "Last-Modified": modified,
                   "Content-Encoding": "gzip" if gzip else ""}
        sent = gzip_codec.compress(body) if gzip else body

        def answer(handler: _Handler) -> None:
            asked = handler.headers.get("If-None-Match", ""), handler.headers.get("If-Modified-Since", "")
            known = asked[0] == etag if asked[0] else modified and asked[1] == modified
            handler.write(304 if known else 200, headers, b"" if known else sent)
        self.do(path, answer)

    def answer(self, path: str, status: int, headers: Mapping[str, str] | None = None,
               body: bytes = b"") -> None:
        self.do(path, lambda handler: handler.write(status, headers or {}, body))

    def redirect(self, path: str, target: str, status: int = 301, headers: Mapping[str, str] | None = None,
                 body: bytes = b"moved") -> None:
        self.answer(path, status, {"Location": target, **(headers or {})}, body)

    def say(self, path: str, *pieces: bytes) -> None:
        """Exactly these bytes, then the end of the connection."""
        self.do(path, lambda handler: handler.say(pieces))

    def hang(self, path: str) -> None:
        """No answer."""
        self.do(path, lambda handler: handler.server.stopping.wait() and None)

    def reset(self, path: str) -> None:
        """The connection is reset instead of an answer."""
        self.do(path, _reset)

    def drip_headers(self, path: str, pause: float = 0.1, status: int = 200) -> None:
        """A header line every `pause` seconds, without end."""
        start = b"HTTP/1.1 %d \r\n" % status
        self.do(path, lambda handler: handler.say(_endless(start, b"X-Drop: 1\r\n"), pause))

    def drip_body(self, path: str, pause: float = 0.1) -> None:
        """A byte of the body every `pause` seconds, without end."""
        self.do(path, lambda handler: handler.say(_endless(b"HTTP/1.1 200 OK\r\n\r\n", b"x"), pause))

    def endless(self, path: str, piece: bytes = bytes(65_536), headers: bytes = b"") -> None:
        """A body as fast as it can be read, without end."""
        start = b"HTTP/1.1 200 OK\r\n" + headers + b"\r\n"
        self.do(path, lambda handler: handler.say(_endless(start, piece)))

    def bomb(self, path: str, megabytes: int = 100, layers: int = 1) -> None:
        """A small body that grows to `megabytes`, compressed `layers` times over."""
        body = bomb(megabytes)
        for _ in range(layers - 1):
            body = gzip_codec.compress(body)
        self.answer(path, 200, {"Content-Encoding": ", ".join(["gzip"] * layers)}, body)


def behind(certificate: Path) -> FeedServer:
    """One by TLS, with this certificate and its key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return FeedServer(tls=context)


def bomb(megabytes: int) -> bytes:
    """Zeros under gzip."""
    codec = zlib.compressobj(wbits=31)
    return b"".join([*(codec.compress(bytes(1_000_000)) for _ in range(megabytes)), codec.flush()])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "_Server"

    def do_GET(self) -> None:
        site = self.server.site
        site.requests.append((self.path, dict(self.headers.items())))
        site._answers.get(self.path, lambda handler: handler.write(404, {}, b"not here"))(self)

    def write(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        given = {"Content-Length": str(len(body)), **headers} if status != 304 else headers
        for name, value in given.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def say(self, pieces: Iterable[bytes], pause: float = 0.0) -> None:
        self.close_connection = True
        for piece in pieces:
            self.wfile.write(piece)
            if self.server.stopping.wait(pause) if pause else self.server.stopping.is_set():
                break

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], site: FeedServer, tls: ssl.SSLContext | None) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.site, self.tls = site, tls
        self.stopping = Event()
        self.open: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def get_request(self) -> tuple[socket.socket, tuple]:
        connection, client = super().get_request()
        if self.tls:        # the handshake comes with the first read, in the handler's thread
            connection = self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        self.site.connections += 1
        self.open.add(connection)
        return connection, client

    def shutdown_request(self, request: socket.socket) -> None:
        self.open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, *_: object) -> None:
        """Whoever asked went away, as tests want it."""


def _endless(start: bytes, piece: bytes) -> Iterable[bytes]:
    yield start
    while True:
        yield piece


def _reset(handler: _Handler) -> None:
    handler.close_connection = True
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
