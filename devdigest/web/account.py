"""What needs a fresh mailed link, as digests are forwarded: to change the address, to download, to erase.

No other page shows the address.
"""
import json
import logging

from bottle import request, response

from devdigest import account
from devdigest.readers import Subscriber
from devdigest.recipients import LONGEST, NotAnAddress
from devdigest.web.network import origin
from devdigest.web.private import keep_private, nobodys, own
from devdigest.web.visit import Page, Visit

log = logging.getLogger(__name__)


def show(visit: Visit, token: str) -> str:
    return _account(visit, _reader(visit, token), token)


def change_address(visit: Visit, token: str) -> str:
    subscriber = _reader(visit, token)
    email = request.forms.getunicode("email", "").strip()[:LONGEST]
    try:
        account.move(subscriber, email, visit.now)
    except NotAnAddress as error:
        return _account(visit, subscriber, token, 400, email=email, fault=f"address_{error.reason}")
    log.info("subscriber %d asked for another address", subscriber.id)
    return own(visit, subscriber).notice("move_asked")


def download(visit: Visit, token: str) -> str:
    records = account.download(_reader(visit, token))
    keep_private()
    response.content_type = "application/json; charset=utf-8"
    response.set_header("Content-Disposition", 'attachment; filename="subscription.json"')
    return json.dumps(records, ensure_ascii=False, indent=2) + "\n"


def ask_to_erase(visit: Visit, token: str) -> str:
    mine = own(visit, _reader(visit, token))
    return mine.page("erase", mine.say("erase"), token=token)


def erase(visit: Visit, token: str) -> str:
    subscriber = _reader(visit, token)
    account.erase(subscriber, visit.now, visit.config.site.timezone)
    log.info("subscriber %d erased by link", subscriber.id)
    return own(visit, subscriber).notice("erased")


def ask_to_move(visit: Visit, token: str) -> str:
    subscriber = account.moving(token, visit.now)
    if subscriber is None:
        raise nobodys(visit, "no_such_move")
    mine = own(visit, subscriber)
    return mine.page("move", mine.say("move"), token=token, email=subscriber.moving_to)


def move(visit: Visit, token: str) -> str:
    network, agent = origin()
    subscriber = account.settle_move(token, visit.now, visit.config.site.timezone, network, agent)
    if subscriber is None:
        raise nobodys(visit, "no_such_move")
    log.info("subscriber %d moved to another address", subscriber.id)
    return own(visit, subscriber).notice("moved")


def _reader(visit: Visit, token: str) -> Subscriber:
    """Whose fresh link it is. Raises the answer to a link that is nobody's, or too old."""
    subscriber = account.open(token, visit.now)
    if subscriber is None:
        raise nobodys(visit, "no_such_account")
    return subscriber


def _account(visit: Visit, subscriber: Subscriber, token: str, status: int = 200, email: str = "",
             fault: str = "") -> str:
    mine = own(visit, subscriber)
    return mine.page("account", mine.say("account"), status, token=token, subscriber=subscriber, email=email,
                     fault=mine.say(fault) if fault else "")


PAGES = (
    Page("GET", "/account/<token>", show),
    Page("POST", "/account/<token>/address", change_address),
    Page("GET", "/account/<token>/data", download),
    Page("GET", "/account/<token>/erase", ask_to_erase),
    Page("POST", "/account/<token>/erase", erase),
    Page("GET", "/account/move/<token>", ask_to_move),
    Page("POST", "/account/move/<token>", move),
)
