"""Where the links to posts in our mails lead: to the post, by way of the count."""
from bottle import abort, request, response

from devdigest import clicks
from devdigest.compose import UNCOUNTED
from devdigest.web.network import origin
from devdigest.web.visit import Page, Visit

_UNCOUNTED = UNCOUNTED.removeprefix("?")        # in the owner's first look at an issue


def go(visit: Visit, number: str) -> str:
    """A redirect to a URL that was stored, never to one that was asked for."""
    url = clicks.target(int(number)) if request.query_string == _UNCOUNTED else _counted(visit, int(number))
    if url is None and int(number) != clicks.DECOY:
        abort(404)
    response.status = 302
    response.set_header("Location", url or "/")
    response.set_header("Cache-Control", "no-store")        # a second reader behind a proxy counts too
    response.set_header("X-Robots-Tag", "noindex")
    return ""


def _counted(visit: Visit, number: int) -> str | None:
    network, agent = origin()
    return clicks.open(number, visit.now, visit.config.site.timezone, network=network, agent=agent,
                       head=request.method == "HEAD")


PAGES = (
    Page("GET", "/go/<number:re:[0-9]{1,12}>", go),
)
