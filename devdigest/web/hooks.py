"""Where a provider posts what became of our mails: kept as it comes, answered at once, read by the worker."""
import hmac
import json
import logging

from bottle import abort, request, response

from devdigest import credentials
from devdigest.config import ConfigError
from devdigest.reports import Hook
from devdigest.signatures import HEADERS
from devdigest.web.visit import Page, Visit

log = logging.getLogger(__name__)


def receive(visit: Visit, provider: str, secret: str) -> str:
    """200 for what is kept, also a second time; providers post anything else again, for hours."""
    if provider != visit.config.bounces.webhook or not _is_theirs(visit, secret):
        abort(404)
    if Hook.is_full():
        log.error("/hooks/%s: too many posts wait to be read: does the worker run?", provider)
        abort(503)
    headers = {name: request.environ.get(f"HTTP_{name.upper().replace('-', '_')}", "") for name in HEADERS}
    # waitress has refused more than 256 KB with 413
    Hook.keep(provider, json.dumps(headers), request.body.read(), visit.now)
    response.content_type = "text/plain; charset=utf-8"
    response.set_header("Cache-Control", "no-store")
    return "kept\n"


def _is_theirs(visit: Visit, secret: str) -> bool:
    try:
        wanted = credentials.webhook_secret(visit.config.bounces)
    except ConfigError as error:
        log.error("/hooks/: %s", error)
        abort(503)
    # as octets: a path may hold what is no text
    same = hmac.compare_digest(secret.encode("utf-8", "surrogatepass"), wanted.encode())
    return same and len(wanted) >= credentials.LEAST_SECRET


PAGES = (
    Page("POST", "/hooks/<provider:re:[a-z]{1,20}>/<secret>", receive),
)
