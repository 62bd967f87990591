"""The site behind the links that mails carry: a table of pages, and what every answer has in common.

Knows neither who asks nor the Host they say: nothing here depends on either.
"""
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import peewee
import waitress
from bottle import Bottle, HTTPError, HTTPResponse, request, response
from waitress import wasyncore

from devdigest import __version__, database
from devdigest.config import Config
from devdigest.days import local_day
from devdigest.memory import Setting
from devdigest.table import db
from devdigest.web import archive, blogs, subscription
from devdigest.web.kept import Answer, Kept
from devdigest.web.visit import STYLE, STYLE_PATH, Page, Visit

log = logging.getLogger(__name__)

Handler = Callable[..., Any]

_PAGES: tuple[Page, ...] = (*archive.PAGES, *blogs.PAGES, *subscription.PAGES)
_ERRORS = (400, 403, 404, 405, 413, 500)        # those with words of their own

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
                               "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",           # addresses of pages carry tokens
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept-Language",
}

# waitress takes a body of 1 GiB and headers of 256 KiB unless told otherwise; our largest form is one word.
_LIMITS = {
    "max_request_body_size": 262_144,           # bytes, all of these
    "max_request_header_size": 32_768,
    "inbuf_overflow": 262_144,                  # so that no body ever goes to a file
    "outbuf_high_watermark": 1_048_576,
    "channel_timeout": 30,                      # seconds without a byte
    "connection_limit": 200,
    "ident": None,
}


def make_app(config: Config, kept: Kept | None = None) -> Bottle:
    """The site as a WSGI application. The database must have been opened; without `kept` no answer is kept."""
    app = Bottle()
    for page in _PAGES:
        answer = _answering(page, config)
        if page.kept and kept is not None:
            answer = _keeping(answer, config, kept)
        app.route(page.path, page.method, answer)
    app.route(STYLE_PATH, "GET", _style)
    app.route("/health", "GET", _health)
    app.add_hook("after_request", _set_headers)
    app.default_error_handler = lambda error: _error_page(error, config)
    return app


def serve(config: Config, stop: threading.Event) -> None:
    """Serves the site on web.listen until `stop` is set; requests begun by then have 5 s to end.

    Raises DatabaseError, and OSError where the address is taken.
    """
    # Also keeps one connection open: the last one to close writes the WAL back, at every request otherwise.
    database.open(config.database.path)
    kept = Kept(config.database.path)
    sockets: dict[int, Any] = {}
    try:
        server = waitress.create_server(make_app(config, kept), map=sockets, listen=config.web.listen,
                                        threads=config.web.threads, **_LIMITS)
        log.info("site on http://%s for %s", config.web.listen, config.site.url)
        while not stop.is_set():
            wasyncore.loop(timeout=0.5, map=sockets, count=1)
        server.task_dispatcher.shutdown()
    finally:
        wasyncore.close_all(sockets)
        kept.close()
        db.close()


def _answering(page: Page, config: Config) -> Handler:
    """The handler of a page: with a connection to the database for this request, and the visit it answers."""
    def answer(**parts: str) -> str:
        with database.connected():
            return page.answer(_visit(config), **parts)
    return answer


def _keeping(answer: Handler, config: Config, kept: Kept) -> Handler:
    """The same for a page that is alike for all who speak a language, with a validator (RFC 9110, 8.8)."""
    def made(**parts: str) -> Answer | None:
        text = answer(**parts)
        if response.status_code != 200:
            return None
        body = text.encode()
        return Answer(body, list(response.headers.items()), f'W/"{sha256(body).hexdigest()[:20]}"')

    def answer_kept(**parts: str) -> bytes | HTTPResponse:
        visit = _visit(config)
        key = request.path, visit.language, local_day(visit.now, config.site.timezone)
        known = kept.get(key, lambda: made(**parts))
        for name, value in known.headers:
            response.set_header(name, value)
        response.set_header("ETag", known.etag)
        if known.etag in request.get_header("If-None-Match", ""):
            response.status = 304
            return b""
        return known.body
    return answer_kept


def _visit(config: Config) -> Visit:
    return Visit.begun(config, request.get_header("Accept-Language", ""), datetime.now(UTC))


def _style() -> bytes:
    response.content_type = "text/css; charset=utf-8"
    response.set_header("Cache-Control", "public, max-age=31536000, immutable")     # its name has its hash
    return STYLE


def _health() -> dict[str, str]:
    response.set_header("Cache-Control", "no-store")
    try:
        with database.connected():
            Setting.held_since()
    except peewee.PeeweeException as error:
        log.error("health: the database does not answer: %s", error)
        response.status = 503
        return {"status": "the database does not answer", "version": __version__}
    return {"status": "ok", "version": __version__}


def _set_headers() -> None:
    for name, value in _HEADERS.items():
        response.set_header(name, value)
    if "Cache-Control" not in response.headers:
        response.set_header("Cache-Control", "no-cache")


def _error_page(error: HTTPError, config: Config) -> str:
    """Says what went wrong and echoes nothing of what was asked."""
    code = error.status_code
    known = code if code in _ERRORS else 500 if code >= 500 else 400
    _set_headers()              # what the hook set is gone where a handler failed
    response.set_header("Cache-Control", "no-store")
    return _visit(config).notice(f"error_{known}", status=code)
