"""Answers for one visitor alone: kept by no cache, in the reader's own language, saying nothing to others."""
from bottle import HTTPResponse, response

from devdigest.readers import Subscriber
from devdigest.web.visit import Visit

_UNKEPT = {"Cache-Control": "no-store"}


def keep_private() -> None:
    """The answer that is being made is stored nowhere on its way (RFC 9111, 5.2.2.5)."""
    for name, value in _UNKEPT.items():
        response.set_header(name, value)


def own(visit: Visit, subscriber: Subscriber) -> Visit:
    """The visit in the reader's own language, with a private answer."""
    keep_private()
    return visit.speaking(subscriber.language)


def nobodys(visit: Visit, notice: str) -> HTTPResponse:
    """The answer to a link that is nobody's, or is not good any more; to be raised."""
    return HTTPResponse(visit.notice(notice), 404, _UNKEPT)


def see_other(path: str) -> HTTPResponse:
    """Sends on to a page of ours, so that reloading it sends no form again (RFC 9110, 15.4.4); to be raised.

    By its path alone: bottle's redirect() believes the Host header.
    """
    return HTTPResponse("", 303, _UNKEPT | {"Location": path})
