"""waitress as the site needs it: limits on size and time, whom to believe, our words where it refuses."""
from typing import Any

import waitress
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import BaseWSGIServer
from waitress.task import ErrorTask

from devdigest.config import Web
from devdigest.web.faults import Faults
from devdigest.web.kept import App

# waitress takes a body of 1 GiB and headers of 256 KiB unless told otherwise; our largest form is one line.
_LIMITS = {
    "max_request_body_size": 262_144,           # bytes, all of these
    "max_request_header_size": 32_768,
    "inbuf_overflow": 262_144,                  # so that no body ever goes to a file
    "outbuf_high_watermark": 1_048_576,
    "channel_timeout": 30,                      # seconds without a word, or for a whole request
    "cleanup_interval": 10,                     # seconds
    "connection_limit": 200,
    "ident": None,
}
_TOGETHER = 1_400       # bytes before any are sent: a page goes with its headers, not after them


class Refusal(ErrorTask):
    """The answer to what never gets to the pages: too big, too long, not HTTP; or where they failed."""

    def execute(self) -> None:
        error = self.request.error
        headers, body = self.channel.server.faults.answer(
            error.code, self.request.headers.get("ACCEPT_LANGUAGE", ""))
        self.status = f"{error.code} {error.reason}"
        self.response_headers.extend(headers)
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(b"" if getattr(self.request, "command", "") == "HEAD" else body)


class Parser(HTTPRequestParser):
    """Refuses a request of two lengths: a server in front may believe the other one (RFC 9112, 11.2)."""

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        if self.chunked and "CONTENT_LENGTH" in self.headers:
            raise ParsingError("Content-Length beside Transfer-Encoding")


class Channel(HTTPChannel):
    """A connection on which a request has to come whole in time.

    To waitress every byte is a sign of life, so that one a minute would hold a connection for ever.
    """
    parser_class, error_task_class = Parser, Refusal
    _begun = 0.0

    def received(self, data: bytes) -> bool:
        if self.request is None:
            self._begun = self.last_activity
        else:
            self.last_activity = self._begun
        return super().received(data)


def listen(app: App, web: Web, faults: Faults, sockets: dict[int, Any]) -> Any:
    """The server, whose connections will be in `sockets`. Raises OSError where the address is taken."""
    server = waitress.create_server(app, map=sockets, listen=web.listen, threads=web.threads,
                                    **_LIMITS, **_believing(web.proxy))
    for listener in sockets.values():           # a name such as localhost may stand for two addresses
        if isinstance(listener, BaseWSGIServer):
            listener.channel_class, listener.faults = Channel, faults
            # as an argument it is deprecated; a third of all time went into sending the headers alone
            listener.adj.send_bytes = _TOGETHER
    return server


def _believing(proxy: str) -> dict[str, Any]:
    """Who a visitor is, by the word of the web server in front; what anybody else says of it is dropped."""
    if not proxy:
        return {}
    return {"trusted_proxy": proxy, "trusted_proxy_count": 1, "trusted_proxy_headers": {"x-forwarded-for"}}
