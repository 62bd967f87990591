"""The site behind the links that mails carry: a table of pages, and what every answer has in common.

Knows neither who asks nor the Host they say: nothing here depends on either.
"""
import logging
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import peewee
from bottle import Bottle, HTTPError, request, response
from waitress import wasyncore

from devdigest import __version__, database, notify, tokens
from devdigest.config import Config
from devdigest.memory import LINK_KEY, Setting
from devdigest.table import db
from devdigest.web import (
    account,
    archive,
    blogs,
    clicks,
    feeds,
    holding,
    hooks,
    joining,
    machines,
    popular,
    search,
    stats,
    subscription,
)
from devdigest.web.faults import Faults
from devdigest.web.headers import common
from devdigest.web.kept import Kept
from devdigest.web.listening import listen
from devdigest.web.pulse import Pulse
from devdigest.web.visit import STYLE, STYLE_PATH, Page, Visit

log = logging.getLogger(__name__)

Handler = Callable[..., Any]

_PAGES: tuple[Page, ...] = (
    *account.PAGES, *archive.PAGES, *blogs.PAGES, *clicks.PAGES, *feeds.PAGES, *holding.PAGES, *hooks.PAGES,
    *joining.PAGES, *machines.PAGES, *popular.PAGES, *search.PAGES, *stats.PAGES, *subscription.PAGES,
)

_RELEASE = os.environ.get("DEVDIGEST_RELEASE", __version__)     # bin/devdigest of a release tells
_RETRY = "30"           # seconds after which a database that was busy is worth another try


def make_app(config: Config, faults: Faults) -> Bottle:
    """The pages as a WSGI application. The database must have been opened."""
    app = Bottle()
    for page in _PAGES:
        app.route(page.path, page.method, _answering(page, config))
    app.route(STYLE_PATH, "GET", _style)
    app.route("/health", "GET", _health)
    headers = common(config.site)
    app.add_hook("after_request", lambda: _set_headers(headers))
    app.default_error_handler = lambda error: _fault(error, faults)
    return app


def serve(config: Config, stop: threading.Event) -> None:
    """Serves the site on web.listen until `stop` is set; requests begun by then have 5 s to end.

    Raises DatabaseError, and OSError where the address is taken.
    """
    # Also keeps one connection open: the last one to close writes the WAL back, at every request otherwise.
    database.open(config.database.path)
    database.for_visitors()
    faults = Faults(config)
    kept = Kept(make_app(config, faults), config)
    sockets: dict[int, Any] = {}
    try:
        server = listen(kept, config.web, faults, sockets)
        log.info("site on http://%s for %s", config.web.listen, config.site.url)
        pulse = Pulse(server.task_dispatcher)
        notify.ready(f"site on http://{config.web.listen} for {config.site.url}")
        while not stop.is_set():
            wasyncore.loop(timeout=0.5, map=sockets, count=1)
            pulse.beat()
        notify.stopping()
        server.task_dispatcher.shutdown()
    finally:
        wasyncore.close_all(sockets)
        kept.close()
        db.close()


def _answering(page: Page, config: Config) -> Handler:
    """The handler of a page: with a connection to the database for this request, and the visit it answers."""
    def answer(**parts: str) -> Any:
        try:
            with database.connected():
                made = page.answer(_visit(config), **parts)
        except peewee.DatabaseError as error:           # locked, gone, full, damaged
            log.error("%s: the database does not answer: %s", page.path, error)
            raise HTTPError(503, **{"Retry-After": _RETRY}) from error
        except UnicodeDecodeError as error:             # a multipart form whose text is no UTF-8
            raise HTTPError(400) from error
        if page.kept and response.status_code == 200:
            made = made.encode()
            response.set_header("ETag", f'W/"{sha256(made).hexdigest()[:20]}"')
        return made
    return answer


def _visit(config: Config) -> Visit:
    return Visit.begun(config, _accepted(), datetime.now(UTC))


def _accepted() -> str:
    # bottle's get_header() fails where the bytes are no UTF-8
    return request.environ.get("HTTP_ACCEPT_LANGUAGE", "")


def _style() -> bytes:
    response.content_type = "text/css; charset=utf-8"
    response.set_header("Cache-Control", "public, max-age=31536000, immutable")     # its name has its hash
    return STYLE


def _health() -> dict[str, str]:
    response.set_header("Cache-Control", "no-store")
    try:
        with database.connected():
            ours = tokens.sign(Setting.read(LINK_KEY) or "", "health", 0)
    except peewee.PeeweeException as error:
        log.error("health: the database does not answer: %s", error)
        response.status = 503
        response.set_header("Retry-After", _RETRY)
        return {"status": "the database does not answer", "version": __version__, "release": _RELEASE}
    # `installation` is what `check` knows itself by
    return {"status": "ok", "version": __version__, "release": _RELEASE, "installation": ours}


def _set_headers(headers: tuple[tuple[str, str], ...]) -> None:
    for name, value in headers:
        response.set_header(name, value)
    if "Content-Language" in response.headers:
        response.set_header("Vary", "Accept-Language")
    if "Cache-Control" not in response.headers:
        response.set_header("Cache-Control", "no-cache")


def _fault(error: HTTPError, faults: Faults) -> bytes:
    headers, body = faults.answer(error.status_code, _accepted())
    for name, value in headers:
        response.set_header(name, value)
    if "GET" in (allowed := response.get_header("Allow", "").split(",")):
        response.set_header("Allow", ", ".join(sorted((*allowed, "HEAD"))))
    return body
