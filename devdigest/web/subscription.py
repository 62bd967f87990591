"""What a reader does with the links in their mails: leave, come back, choose a language, confirm.

Looking changes nothing, since scanners open every link; a button does. As mails are forwarded, no page tells
whose subscription it is.
"""
import logging
from datetime import date, timedelta

from bottle import HTTPResponse, abort, request, response

from devdigest import subscribers
from devdigest.days import at, local_day
from devdigest.models import Issue
from devdigest.readers import Subscriber
from devdigest.web.visit import Page, Visit
from devdigest.wording import WORDINGS

log = logging.getLogger(__name__)


def ask_to_leave(visit: Visit, token: str) -> str:
    return _leaving(visit, _reader(visit, token), token)


def leave(visit: Visit, token: str) -> str:
    """For the button and for mail programs (RFC 8058). The body is not read, so that none is wrong."""
    subscriber = _reader(visit, token)
    subscribers.cancel(subscriber, visit.now)
    log.info("subscriber %d cancelled by link", subscriber.id)
    return _leaving(visit, subscriber, token)


def come_back(visit: Visit, token: str) -> str:
    subscriber = _reader(visit, token)
    subscribers.take_back(subscriber, visit.now)
    log.info("subscriber %d took it back, now %s", subscriber.id, subscriber.state)
    return _managing(visit, subscriber, token, done="back" if subscriber.state == "active" else "")


def manage(visit: Visit, token: str) -> str:
    return _managing(visit, _reader(visit, token), token)


def change_language(visit: Visit, token: str) -> str:
    subscriber = _reader(visit, token)
    language = request.forms.getunicode("language")
    if language not in WORDINGS:
        abort(400)
    subscribers.speak(subscriber, language)
    return _managing(visit, subscriber, token, done="saved")


def ask_to_confirm(visit: Visit, token: str) -> str:
    subscriber = subscribers.pending(token, visit.now)
    if subscriber is None or subscriber.state == "cancelled":
        raise _nobodys(visit, "no_such_confirmation")
    if subscriber.state == "active":
        return _confirmed(visit, subscriber)
    own = _own(visit, subscriber)
    return own.page("confirm", own.words.confirm_headline, token=token,
                    promise=own.words.confirm_promise(own.config.digest.opens))


def confirm(visit: Visit, token: str) -> str:
    subscriber = subscribers.confirm(token, visit.now)
    if subscriber is None or subscriber.state != "active":
        raise _nobodys(visit, "no_such_confirmation")
    log.info("subscriber %d confirmed", subscriber.id)
    return _confirmed(visit, subscriber)


def _reader(visit: Visit, token: str) -> Subscriber:
    """Whose link it is. Raises the answer to a link that is nobody's."""
    subscriber = subscribers.by_link(token)
    if subscriber is None:
        raise _nobodys(visit, "no_such_link")
    return subscriber


def _nobodys(visit: Visit, notice: str) -> HTTPResponse:
    return HTTPResponse(visit.notice(notice), 404, {"Cache-Control": "no-store"})


def _own(visit: Visit, subscriber: Subscriber) -> Visit:
    """The visit in the reader's own language, with an answer that is kept nowhere."""
    response.set_header("Cache-Control", "no-store")
    return visit.speaking(subscriber.language)


def _leaving(visit: Visit, subscriber: Subscriber, token: str) -> str:
    own, left = _own(visit, subscriber), subscriber.state == "cancelled"
    return own.page("leave", own.say("left" if left else "leave"), token=token, left=left,
                    confirmed=subscribers.can_take_back(subscriber, visit.now))


def _managing(visit: Visit, subscriber: Subscriber, token: str, done: str = "") -> str:
    own = _own(visit, subscriber)
    since = {"pending": subscriber.created, "active": subscriber.confirmed,
             "cancelled": subscriber.cancelled}[subscriber.state].astimezone(own.config.site.timezone)
    return own.page("manage", own.say("manage"), token=token, subscriber=subscriber,
                    undo=subscribers.can_take_back(subscriber, visit.now),
                    state=own.say(f"is_{subscriber.state}", since),
                    done=own.say(done) if done else "")


def _confirmed(visit: Visit, subscriber: Subscriber) -> str:
    own = _own(visit, subscriber)
    return own.notice("confirmed", own.words.day(_first_mail(own)), own.config.digest.opens)


def _first_mail(visit: Visit) -> date:
    """The day of the next issue: who confirms once today's is made gets tomorrow's."""
    zone = visit.config.site.timezone
    today = local_day(visit.now, zone)
    still_today = Issue.of(today) is None and visit.now < at(today, visit.config.digest.closes, zone)
    return today if still_today else today + timedelta(days=1)


PAGES = (
    Page("GET", "/u/<token>", ask_to_leave),
    Page("POST", "/u/<token>", leave),
    Page("POST", "/u/<token>/undo", come_back),
    Page("GET", "/manage/<token>", manage),
    Page("POST", "/manage/<token>", change_language),
    Page("GET", "/confirm/<token>", ask_to_confirm),
    Page("POST", "/confirm/<token>", confirm),
)
