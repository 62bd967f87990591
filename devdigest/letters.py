"""A row of the outbox as a mail: to which address, in which words, with which link; or why no more."""
from collections.abc import Callable
from datetime import date, datetime
from functools import partial

from devdigest import compose, notices, outbox, subscribers, suppressions, tokens
from devdigest.config import Config
from devdigest.days import local_day
from devdigest.edition import edition
from devdigest.letter import Letter
from devdigest.models import Issue, IssuePost
from devdigest.outbox import Reader, Row
from devdigest.readers import Subscriber
from devdigest.subscribers import ACCOUNT, CONFIRM, LINK, MOVE
from devdigest.wire import Stuffed

DELIVERY = "delivery"       # purpose of the token that numbers a mail

# Whose data are asked for may have left; only then and to confirm is a mail sent to who is not active.
_STATES = {"issue": ("active",), ACCOUNT: ("active", "cancelled"), MOVE: ("active",)}


def recipient(row: Row, reader: Reader) -> str:
    """The address; "" where a move to another was settled or withdrawn."""
    return (reader.moving_to or "") if row.purpose == MOVE else reader.email


def _unwanted(row: Row, reader: Reader) -> str:
    to, subscriber = recipient(row, reader), Subscriber.get_by_id(reader.id)
    suppression = suppressions.of(to)
    asks = row.purpose in (CONFIRM, MOVE)       # whose answer ends some suppressions
    if suppression and (not asks or suppressions.silenced(to)):
        return f"suppressed: {suppression.reason}"
    if row.purpose == CONFIRM:
        return "" if subscribers.is_asked(subscriber) else f"{subscriber.state} since"
    if subscriber.state not in _STATES[row.purpose]:
        return f"{subscriber.state} since"
    return "" if to else "the address is settled"


class Letters:
    """The letters of one run, those of issues serialised once for each language."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._issues: dict[int, Issue] = {}
        self._letters: dict[tuple[int, str], Letter] = {}
        self._key = subscribers.link_key()

    def day(self, issue_id: int) -> date:
        return self._issue(issue_id).day

    def _issue(self, issue_id: int) -> Issue:
        if issue_id not in self._issues:
            self._issues[issue_id] = Issue.get_by_id(issue_id)
        return self._issues[issue_id]

    def unwanted(self, row: Row, reader: Reader | None) -> str:
        """Why a mail in the outbox must not go out any more; "" where it may (promise 3)."""
        if reader is None:
            return "erased"
        return "" if self._is_usual(row, reader) else _unwanted(row, reader)

    def _is_usual(self, row: Row, reader: Reader) -> bool:
        active = row.purpose == "issue" and reader.state == "active"
        return active and not outbox.is_suppressed(tokens.address_hash(self._key, reader.email))

    def sender(self, row: Row) -> str:
        """The envelope sender: one for each mail, where there is a mailbox for it and the relay keeps it."""
        mail, bounces = self._config.mail, self._config.bounces
        named = bounces.verp and mail.relay.keeps_sender
        return bounces.sender(self.number(row)) if named else mail.sender

    def number(self, row: Row) -> str:
        """By what a mail is known when it comes back: signed, so that nobody else can make one up."""
        return tokens.sign(self._key, DELIVERY, row.id)

    def mail(self, row: Row, reader: Reader, now: datetime) -> Callable[[], Stuffed]:
        """What makes the mail itself, each time the same and in no time: none is kept while it waits.

        That raises ValueError for an address that no header can carry.
        """
        if row.issue is None:
            subscriber = Subscriber.get_by_id(reader.id)
            letter = self._notice(row, subscriber, now)
            token = subscribers.new_confirmation(subscriber, now, row.purpose)
        else:
            letter = self._letter(row.issue, reader.language)
            token = tokens.sign(self._key, LINK, reader.id)
        since = reader.confirmed and local_day(reader.confirmed, self._config.site.timezone)
        return partial(letter.ready, to=recipient(row, reader), delivery=self.number(row), token=token,
                       since=since)

    def _notice(self, row: Row, subscriber: Subscriber, now: datetime) -> Letter:
        if row.purpose == CONFIRM:
            request = subscribers.request_of(subscriber)
            return notices.confirmation(self._config, request.language or subscriber.language, now,
                                        request.asked, request.asked_from)
        notice = {ACCOUNT: notices.account, MOVE: notices.move}[row.purpose]
        return notice(self._config, subscriber.language, now, row.created)

    def _letter(self, issue_id: int, language: str) -> Letter:
        if (issue_id, language) not in self._letters:
            issue = self._issue(issue_id)
            shown = edition(issue, IssuePost.of(issue))
            self._letters[issue_id, language] = compose.issue(shown, self._config, language, issue.created)
        return self._letters[issue_id, language]
