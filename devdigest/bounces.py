"""What came back, from the mailbox and from the provider → whose it is → points, suppression, cancellation.

Whoever knows the mailbox can write a bounce that names any reader: only what gives back a signature of ours,
or carries the provider's, is believed.
"""
import json
import logging
import threading
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

from devdigest import __version__, departures, dsn, provider, subscribers, suppressions, tokens
from devdigest.clock import Running
from devdigest.config import Config
from devdigest.events import Unreadable
from devdigest.feedback import Feedback, Kind
from devdigest.fetch import FetchError
from devdigest.imap import Mailbox, MailboxError, Place
from devdigest.locks import locked
from devdigest.memory import MAILBOX_FAULT, MAILBOX_PLACE, MAILBOX_READ, Setting
from devdigest.openssl import OpensslError
from devdigest.readers import Consent, Delivery, Subscriber
from devdigest.reports import MAIL, Hook
from devdigest.signatures import Confirm, NotTheirs
from devdigest.sns import Sns
from devdigest.table import db

log = logging.getLogger(__name__)

_MOST_MAILS, _MOST_HOOKS = 500, 2_000       # in one run; the next one comes at once
_LONGEST = 300.0                            # seconds in which another mail is begun
_MOST_TOKENS = 20                           # of one report that are looked at; a mail of ours holds three

DELIVERY = "delivery"       # purpose of the token that each mail carries as its own


@dataclass
class Summary:
    """What a run read, what was reported and what followed from it; why it could not read all."""
    mails: int = 0
    posts: int = 0
    kinds: Counter[str] = field(default_factory=Counter)        # feedback.Kind, delivered
    followed: Counter[str] = field(default_factory=Counter)     # suppressed, cancelled, in doubt
    passed_over: Counter[str] = field(default_factory=Counter)  # unproven, not of a reader …
    faults: list[str] = field(default_factory=list)
    more: bool = False          # more waits than one run takes
    locked_out: bool = False    # the mailbox refused the login: each further try may cost the account


class _Whose(NamedTuple):
    subscriber: Subscriber
    mail: Delivery | None
    proven: bool


def bounces(config: Config, now: datetime, password: str, key: str, stop: threading.Event, *,
            mailbox: bool = True, sns: Sns | None = None) -> Summary:
    """Reads the posts that wait and, with `mailbox`, the new mails. May be repeated at will. Raises Busy.

    `password` is the mailbox's, `key` what proves the provider's posts.
    """
    with locked(config.folder, "bounces"):
        run = _Run(config, Running(now), stop)
        run.read_posts(key, sns or Sns(f"DevDigest/{__version__} (+{config.site.url}/about)"))
        if mailbox and config.bounces.imap:
            run.read_mails(password)
        if run.summary.mails or run.summary.posts:
            log.info("bounces: %s", words(run.summary))
        return run.summary


def words(summary: Summary) -> str:
    """One line: '12 mails, 3 posts: 9 hard, 2 soft; 4 suppressed; 1 unproven'."""
    told = ("; ".join(filter(None, map(_counted, (summary.kinds, summary.followed, summary.passed_over))))
            or "nothing new")
    return f"{summary.mails:,} mails, {summary.posts:,} posts: {told}"


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.most_common())


class _Run:
    def __init__(self, config: Config, running: Running, stop: threading.Event) -> None:
        self._config, self._running, self._stop = config, running, stop
        self._key = subscribers.link_key()
        self.summary = Summary()

    def read_posts(self, key: str, sns: Sns) -> None:
        """Those that a provider has posted. One that cannot be judged yet waits for the next run."""
        for number in Hook.oldest(_MOST_HOOKS):
            if self._stop.is_set() or not self._in_time():
                break
            hook = Hook.get_by_id(number)
            try:
                self._read_post(hook, key, sns)
            except (NotTheirs, Unreadable) as error:
                log.warning("a post to /hooks/%s is passed over: %s", hook.provider, error)
                self.summary.passed_over["not the provider's"] += 1
            except (FetchError, OpensslError) as error:
                self.summary.faults.append(f"posts of {hook.provider}: {error}")
                return
            hook.delete_instance()
            self.summary.posts += 1

    def _read_post(self, hook: Hook, key: str, sns: Sns) -> None:
        if hook.provider != self._config.bounces.webhook:
            raise NotTheirs("this provider is not configured any more")
        said = provider.receive(hook.provider, key, json.loads(hook.headers), hook.body, hook.received, sns)
        if isinstance(said, Confirm):
            sns.confirm(said, self._running.now())
            self.summary.kinds["subscription confirmed"] += 1
            return
        with db.atomic(), departures.together():
            for report in said:
                self._take(report, hook.provider)

    def read_mails(self, password: str) -> None:
        """Those that came since the last run, as far as the time goes. What a human being wrote stays."""
        fault = ""
        try:
            with Mailbox(self._config.bounces, password) as mailbox:
                for place, mail in mailbox.new(_place()):
                    if self._stop.is_set() or self.summary.mails >= _MOST_MAILS or not self._in_time():
                        self.summary.more = True
                        break
                    if self._read_mail(place, mail):
                        mailbox.put_away(place)
        except MailboxError as error:
            fault, self.summary.locked_out = str(error), error.locked_out
            self.summary.faults.append(fault)
        if fault != (Setting.read(MAILBOX_FAULT) or ""):
            log.error("bounce mailbox: %s", fault) if fault else log.info("the bounce mailbox is read again")
            Setting.write(MAILBOX_FAULT, fault)
        if not self.summary.more:
            Setting.write(MAILBOX_READ, self._running.now().isoformat())

    def _read_mail(self, place: Place, mail: bytes) -> bool:
        """Whether it needs nobody's eyes any more. It counts once, even if it cannot be moved."""
        reports = dsn.read(mail, (self._config.bounces.address,))
        digest = sha256(mail).hexdigest()[:32]
        with db.atomic(), departures.together():
            for number, report in enumerate(reports):
                self._take(report, MAIL, f"{digest}.{number}", alone=len(reports) == 1)
            Setting.write(MAILBOX_PLACE, json.dumps(place))
        self.summary.mails += 1
        return any(report.reason != "plain-mail" for report in reports)

    def _in_time(self) -> bool:
        return self._running.seconds() < _LONGEST

    def _take(self, report: Feedback, source: str, event: str = "", alone: bool = True) -> None:
        """What one report leads to; `event`: for one without an id; `alone`: its mail holds no other."""
        said = "delivered" if report.reason == "delivered" else str(report.kind)
        self.summary.kinds[said] += 1
        if report.kind in (Kind.AUTO_REPLY, Kind.OTHER) and said != "delivered":
            return
        if report.reason == "list-unsubscribe-mailto":
            self._leave(report)
        elif (whose := self._whose(report, source, alone)) is None:
            self.summary.passed_over["not of a reader"] += 1
        else:
            if not whose.proven:
                self._doubt(report)
            followed = suppressions.bounced(
                replace(report, event=report.event or event), whose.subscriber, whose.mail,
                self._running.now(), self._config.site.timezone, source=source, proven=whose.proven)
            if followed:
                self.summary.followed[followed] += 1

    def _doubt(self, report: Feedback) -> None:
        """Who complains with a reader's link alone gets what the link is good for: the subscription ends."""
        if report.kind in (Kind.COMPLAINT, Kind.UNSUBSCRIBE):
            self._leave(report)
        else:
            self.summary.passed_over["unproven"] += 1

    def _leave(self, report: Feedback) -> None:
        """Ends the subscription of whose link it is: an address alone is anybody's to write."""
        for token in _tokens(report):
            if (subscriber := subscribers.by_link(token)) is not None:
                if subscribers.cancel(subscriber, self._running.now(), self._config.site.timezone):
                    log.info("subscriber %d cancelled by mail", subscriber.id)
                    self.summary.followed["cancelled"] += 1
                return
        self.summary.passed_over["unproven"] += 1

    def _whose(self, report: Feedback, source: str, alone: bool) -> _Whose | None:
        """Which reader's mail it is about. What a provider signed names its recipient for certain.

        What a mail gives back is one mail of ours: of several recipients only its own reader is meant, whose
        address may have been an alias of all. A link in it proves nothing: the digest is forwarded.
        """
        readers = (Subscriber.of(one) for one in (report.original, report.recipient) if one.isascii())
        named = next(filter(None, readers), None)
        mail, reader = self._given_back(report)
        if source != MAIL and named is not None:
            theirs = mail if mail is not None and mail.subscriber == named.id else None
            return _Whose(named, theirs or _newest(named), proven=True)
        if reader is not None and (alone or reader == named):
            return _Whose(reader, mail or _newest(reader), proven=mail is not None)
        return named and _Whose(named, _newest(named), proven=source != MAIL)

    def _given_back(self, report: Feedback) -> tuple[Delivery | None, Subscriber | None]:
        """The mail of ours that a report gives back, signed, and its reader; by a link the reader alone."""
        for token in _tokens(report):
            mail = Delivery.get_or_none(Delivery.id == tokens.verify(self._key, DELIVERY, token))
            if mail is not None:
                reader = Subscriber.get_or_none(Subscriber.id == mail.subscriber)
                # of an address that they had before, or never confirmed: says nothing of the one they have
                return (None, None) if reader is None or _moved(reader, mail) else (mail, reader)
        readers = (subscribers.by_link(token) for token in _tokens(report))
        return None, next(filter(None, readers), None)


def _tokens(report: Feedback) -> list[str]:
    """All that may be a token of ours. Mail servers change the case of what stands before an @."""
    of_message_id = report.message_id.partition("@")[0].rpartition(".")[2]
    given = (report.delivery, of_message_id, *report.tokens[:_MOST_TOKENS])
    return [token.lower() for token in given if token]


def _moved(reader: Subscriber, mail: Delivery) -> bool:
    return mail.purpose == "move" or Consent.select().where(
        Consent.subscriber == reader, Consent.source == "move", Consent.given > mail.created).exists()


def _newest(reader: Subscriber) -> Delivery | None:
    """The last issue that they were mailed, where a report does not say of which mail it is."""
    return (Delivery.select().where(Delivery.subscriber == reader, Delivery.issue.is_null(False))
            .order_by(Delivery.id.desc()).first())


def _place() -> Place:
    kept = Setting.read(MAILBOX_PLACE)
    return Place(*json.loads(kept)) if kept else Place()
