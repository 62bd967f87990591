"""What a reader does with the links in their mails: confirm, leave, come back, settings.

Looking changes nothing, since scanners open every link; a button does. As mails are forwarded, no page tells
whose subscription it is.
"""
import logging
from datetime import date
from typing import NamedTuple

from bottle import abort, request

from devdigest import account, agenda, subscribers
from devdigest.days import local_day
from devdigest.edition import edition
from devdigest.models import Issue, IssuePost
from devdigest.readers import Subscriber
from devdigest.web.network import origin
from devdigest.web.private import nobodys, own
from devdigest.web.rows import rows
from devdigest.web.visit import Page, Visit
from devdigest.wording import WORDINGS

log = logging.getLogger(__name__)

FREQUENCIES = ("daily", "weekly", "both")
PAUSES = (7, 14, 30)            # days
_TO_BEGIN_WITH = 5              # posts of the newest issue, for who has just confirmed


class Choice(NamedTuple):
    """One of several options, as (value, words); its heading is the word of its name."""
    name: str
    chosen: str
    options: list[tuple[str, str]]


def ask_to_leave(visit: Visit, token: str) -> str:
    return _leaving(visit, _reader(visit, token), token)


def leave(visit: Visit, token: str) -> str:
    """For the button and for mail programs (RFC 8058). The body is not read, so that none is wrong."""
    subscriber = _reader(visit, token)
    ended = subscribers.cancel(subscriber, visit.now, visit.config.site.timezone)
    log.info("subscriber %d cancelled by link", subscriber.id)
    return _leaving(visit, subscriber, token, subscribers.undo_token(subscriber) if ended else "")


def come_back(visit: Visit, token: str) -> str:
    subscriber = subscribers.by_undo(token)
    if subscriber is None:
        raise nobodys(visit, "no_such_link")
    subscribers.take_back(subscriber, visit.now, visit.config.site.timezone)
    log.info("subscriber %d took it back, now %s", subscriber.id, subscriber.state)
    return _managing(visit, subscriber, subscribers.link_token(subscriber),
                     done="back" if subscriber.state == "active" else "")


def manage(visit: Visit, token: str) -> str:
    return _managing(visit, _reader(visit, token), token)


def change(visit: Visit, token: str) -> str:
    subscriber = _reader(visit, token)
    offered = _frequencies(visit, subscriber)
    frequency = _one_of("frequency", offered) if len(offered) > 1 else subscriber.frequency
    language = _one_of("language", tuple(WORDINGS))
    pause = _one_of("pause", ("", "0", *map(str, PAUSES)))      # "": as it is
    if subscriber.state != "active":
        return _managing(visit, subscriber, token)
    subscribers.prefer(subscriber, frequency, language)
    if pause:
        subscribers.pause(subscriber, int(pause), agenda.next_issue(visit.config, visit.now))
    return _managing(visit, subscriber, token, done="saved")


def ask_for_account(visit: Visit, token: str) -> str:
    subscriber = _reader(visit, token)
    account.ask(subscriber, visit.now)
    return own(visit, subscriber).notice("account_asked")


def ask_to_confirm(visit: Visit, token: str) -> str:
    subscriber = subscribers.pending(token, visit.now)
    if subscriber is None:
        raise nobodys(visit, "no_such_confirmation")
    if not subscribers.is_asked(subscriber):
        return _confirmed(visit, subscriber)
    mine = own(visit, subscriber)
    return mine.page("confirm", mine.words.confirm.headline, token=token,
                     promise=mine.words.confirm.promise(mine.config.digest.opens))


def confirm(visit: Visit, token: str) -> str:
    network, agent = origin()
    subscriber = subscribers.confirm(token, visit.now, visit.config.site.timezone, network, agent)
    if subscriber is None:
        raise nobodys(visit, "no_such_confirmation")
    log.info("subscriber %d confirmed", subscriber.id)
    return _confirmed(visit, subscriber)


def _reader(visit: Visit, token: str) -> Subscriber:
    """Whose link it is. Raises the answer to a link that is nobody's."""
    subscriber = subscribers.by_link(token)
    if subscriber is None:
        raise nobodys(visit, "no_such_link")
    return subscriber


def _one_of(name: str, words: tuple[str, ...]) -> str:
    """The field of this name, "" for one that is missing. Answers 400 where it is none of these words."""
    given = request.forms.getunicode(name, "")
    if given not in words:
        abort(400)
    return given


def _leaving(visit: Visit, subscriber: Subscriber, token: str, undo: str = "") -> str:
    mine, left = own(visit, subscriber), subscriber.state == "cancelled"
    return mine.page("leave", mine.say("left" if left else "leave"), token=token, left=left,
                     undo=undo, active=subscriber.state == "active")


def _managing(visit: Visit, subscriber: Subscriber, token: str, done: str = "") -> str:
    mine = own(visit, subscriber)
    since = {"pending": subscriber.created, "active": subscriber.confirmed,
             "cancelled": subscriber.cancelled}[subscriber.state].astimezone(mine.config.site.timezone)
    until = _paused_until(mine, subscriber)
    return mine.page("manage", mine.say("manage"), token=token, subscriber=subscriber,
                     state=mine.say(f"is_{subscriber.state}", since), until=until,
                     choices=_choices(mine, subscriber, until),
                     done=mine.say(done) if done else "")


def _paused_until(visit: Visit, subscriber: Subscriber) -> date | None:
    """The day on which mail comes again; None for who is not paused."""
    until, today = subscriber.paused_until, local_day(visit.now, visit.config.site.timezone)
    paused = subscriber.state == "active" and until is not None and until > today
    return agenda.first_issue(until, _kind(subscriber)) if paused else None


def _kind(subscriber: Subscriber) -> str:
    """Of the issues of which one is their next mail."""
    return "weekly" if subscriber.frequency == "weekly" else "daily"


def _frequencies(visit: Visit, subscriber: Subscriber) -> tuple[str, ...]:
    """Those to choose from; a site that has no weekly issue any more offers only what they chose before."""
    return tuple(one for one in FREQUENCIES
                 if visit.config.digest.weekly or one in ("daily", subscriber.frequency))


def _choices(visit: Visit, subscriber: Subscriber, until: date | None) -> list[Choice]:
    """`until`: the day on which mail comes again, for who is paused."""
    often = [(one, visit.say(f"often_{one}")) for one in _frequencies(visit, subscriber)]
    as_now = ([("", visit.say("pause_kept", visit.words.short_day(until))), ("0", visit.say("pause_end"))]
              if until else [("", visit.say("pause_none"))])
    pauses = as_now + [(str(days), visit.say("pause_days", days)) for days in PAUSES]
    choices = [Choice("frequency", subscriber.frequency, often),
               Choice("language", subscriber.language, [("ko", "한국어"), ("en", "English")]),
               Choice("pause", "", pauses)]
    return choices if len(often) > 1 else choices[1:]


def _confirmed(visit: Visit, subscriber: Subscriber) -> str:
    mine = own(visit, subscriber)
    newest = next(iter(Issue.newest(1)), None)
    shown = edition(newest, IssuePost.of(newest)) if newest else None
    first = agenda.next_issue(mine.config, mine.now, _kind(subscriber))
    return mine.page("confirmed", mine.say("confirmed"), first=first, issue=shown,
                     rows=rows(shown, mine)[:_TO_BEGIN_WITH] if shown else [])


PAGES = (
    Page("GET", "/u/<token>", ask_to_leave),
    Page("POST", "/u/<token>", leave),
    Page("POST", "/u/<token>/undo", come_back),
    Page("GET", "/manage/<token>", manage),
    Page("POST", "/manage/<token>", change),
    Page("POST", "/manage/<token>/account", ask_for_account),
    Page("GET", "/confirm/<token>", ask_to_confirm),
    Page("POST", "/confirm/<token>", confirm),
)
