"""A relay and a blog for the box, run by its own Python; each mail taken becomes a file."""
import itertools
import os
import socketserver
import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

RELAY, BLOG = 2525, 8099
MAILS = Path("/srv/mails")
_DAYS = 9               # of posts, one each day, ending with yesterday's
_numbers = itertools.count()


class Relay(socketserver.StreamRequestHandler):
    """As much of SMTP as one mail after the other needs (RFC 5321)."""

    def handle(self) -> None:
        self._say("220 relay")
        recipient = ""
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb == b"RCPT":
                recipient = line.partition(b"<")[2].partition(b">")[0].decode()
            if verb == b"DATA":
                self._say("354 go on")
                self._take(recipient)
            else:
                self._say("250 ok")

    def _take(self, recipient: str) -> None:
        text = b"".join(iter(self.rfile.readline, b".\r\n"))
        (MAILS / f"{os.getpid()}-{next(_numbers):04}").write_bytes(recipient.encode() + b"\n" + text)
        self._say("250 taken")

    def _say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())


class Blog(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        days = [datetime.now(UTC) - timedelta(days=ago) for ago in range(1, _DAYS + 1)]
        items = "".join(f"<item><title>Post of {day:%m-%d}</title><guid>{day:%m-%d}</guid>"
                        f"<pubDate>{format_datetime(day)}</pubDate></item>" for day in days)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"<rss version='2.0'><channel><title>Blog</title>{items}</channel></rss>".encode())

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


class _Relay(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


if __name__ == "__main__":
    MAILS.mkdir(parents=True, exist_ok=True)
    server = _Relay(("127.0.0.1", RELAY), Relay) if sys.argv[1] == "relay" else ThreadingHTTPServer(
        ("127.0.0.1", BLOG), Blog)
    server.serve_forever()
