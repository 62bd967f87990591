"""A row of the outbox as a mail: to which address, in which words, with which link; or why no more."""
from collections.abc import Sequence
from datetime import date, datetime

from devdigest import compose, notices, subscribers, suppressions, tokens
from devdigest.config import Config
from devdigest.days import local_day
from devdigest.edition import edition
from devdigest.letter import Letter
from devdigest.models import Issue, IssuePost
from devdigest.readers import Delivery, Subscriber, Suppression
from devdigest.subscribers import ACCOUNT, CONFIRM, LINK, MOVE
from devdigest.wire import Stuffed

DELIVERY = "delivery"       # purpose of the token that numbers a mail

# Whose data are asked for may have left; only then and to confirm is a mail sent to who is not active.
_STATES = {"issue": ("active",), ACCOUNT: ("active", "cancelled"), MOVE: ("active",)}


def recipient(row: Delivery, subscriber: Subscriber) -> str:
    """The address; "" where a move to another was settled or withdrawn."""
    return (subscriber.moving_to or "") if row.purpose == MOVE else subscriber.email


def unwanted(row: Delivery, subscriber: Subscriber) -> str:
    """Why a mail in the outbox must not go out any more; "" where it may (promise 3)."""
    to = recipient(row, subscriber)
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

    def unwanted(self, mails: Sequence[tuple[Delivery, Subscriber | None]]) -> list[str]:
        """Of each why it must not go out any more: unwanted() with one query for all that are as usual."""
        known = {tokens.address_hash(self._key, to.email) for _, to in mails if to is not None}
        found = {one.address for one in Suppression.select().where(Suppression.address.in_(list(known)))}
        return ["erased" if to is None else
                "" if self._is_usual(row, to, found) else unwanted(row, to) for row, to in mails]

    def _is_usual(self, row: Delivery, to: Subscriber, suppressed: set[str]) -> bool:
        active = row.purpose == "issue" and to.state == "active"
        return active and tokens.address_hash(self._key, to.email) not in suppressed

    def sender(self, row: Delivery) -> str:
        """The envelope sender: one for each mail, where there is a mailbox for it and the relay keeps it."""
        mail, bounces = self._config.mail, self._config.bounces
        named = bounces.verp and mail.relay.keeps_sender
        return bounces.sender(self.number(row)) if named else mail.sender

    def number(self, row: Delivery) -> str:
        """By what a mail is known when it comes back: signed, so that nobody else can make one up."""
        return tokens.sign(self._key, DELIVERY, row.id)

    def fill(self, row: Delivery, subscriber: Subscriber, now: datetime) -> Stuffed:
        """The mail itself. Raises ValueError for an address that no header can carry."""
        if row.issue is None:
            letter = self._notice(row, subscriber, now)
            token = subscribers.new_confirmation(subscriber, now, row.purpose)
        else:
            letter = self._letter(row.issue, subscriber.language)
            token = tokens.sign(self._key, LINK, subscriber.id)
        since = subscriber.confirmed and local_day(subscriber.confirmed, self._config.site.timezone)
        return letter.ready(to=recipient(row, subscriber), delivery=self.number(row), token=token,
                            since=since)

    def _notice(self, row: Delivery, subscriber: Subscriber, now: datetime) -> Letter:
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
