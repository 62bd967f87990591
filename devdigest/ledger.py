"""The outbox during a run: which row is next, and what stands on the disk about those under way.

Each function is called within the transaction of a turn. What a reply means is not decided here.
"""
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from devdigest import outbox
from devdigest.clock import Running
from devdigest.config import Config
from devdigest.days import local_day
from devdigest.letters import Letters, recipient
from devdigest.line import Outgoing
from devdigest.outbox import Reader, Row
from devdigest.quota import WINDOW, Quota
from devdigest.readers import OPEN_STATES, Delivery, Subscriber

_PORTION = 1_000            # rows listed at once
_LOOKED = 1.0               # seconds between two looks for mails that someone waits for
_PARTS = 10                 # of a quota, not to begin a run for each mail that becomes possible
_TURNING = 0.618034         # of the list further each day: nobody is always last

@dataclass(eq=False)
class Mail:
    """A row and what is sent for it; `claimed` once it stands as `sending` on the disk."""
    row: Row
    out: Outgoing
    claimed: bool = False


@dataclass
class Ledger:
    """`issues`: whether mails of issues are due at all, until `until`."""
    config: Config
    running: Running
    issues: bool
    until: datetime | None = None
    ends: Counter[str] = field(default_factory=Counter)         # by state, each row once
    over: set[bool] = field(default_factory=set)                # whose quota is used up: urgent ones or not

    def __post_init__(self) -> None:
        now = self.now()
        per_day = self.config.mail.per_day
        # not what a clock that was ahead had noted, but what `--today` did, whose clock begins anew each time
        taken = Delivery.taken(now - WINDOW, now + WINDOW) if per_day else {True: (), False: ()}
        self.quota = Quota(per_day, taken[False], taken[True]) if per_day else None
        self.letters = Letters(self.config)
        self._first = _turn_of_the_day(local_day(now, self.config.site.timezone).toordinal())
        self._newest, self._looked = Delivery.newest(), 0.0
        self._back: deque[int] = deque()        # first of all: what the relay was too busy for
        self._ids: deque[int] = deque()
        self._hand: dict[int, Mail] = {}        # reserved or claimed
        self._unfinished: dict[int, str] = {}   # ended in this run, but not for good

    def now(self) -> datetime:
        return self.running.now()

    def due(self) -> int:
        return Delivery.due_now(self.now(), self.issues).count()

    def look(self) -> None:
        """Whether mails of issues may be begun still: asked in each turn, as a run may take hours."""
        late = self.until is not None and self.now() >= self.until
        self.issues = self.issues and not late and not outbox.is_held()

    def reserve(self) -> Mail | None:
        """The next mail, made but still untouched on the disk; None where there is none now."""
        while (number := self._next()) is not None:
            row, reader = outbox.look_up(number)
            if row.id in self._hand or row.due > self.now():
                continue
            if row.state not in OPEN_STATES:            # withdrawn during this run
                self._count(row, row.state)
            elif not (row.is_urgent or self.issues) or not self._has_room(row.is_urgent):
                self._ids.clear()
            elif reason := self.letters.unwanted(row, reader):
                self.end(row, "dropped", reason)
            elif (mail := self._made(row, reader)) is not None:
                self._hand[row.id] = mail
                return mail
        return None

    def claim(self, mails: list[Mail]) -> set[Mail]:
        """Those that may go, now that it is their turn: they stand as `sending` on the disk."""
        claimed = set()
        for mail in mails:
            row, reader = outbox.look_up(mail.row.id)
            if (row.state not in OPEN_STATES or not (row.is_urgent or self.issues)
                    or self.letters.unwanted(row, reader) or recipient(row, reader) != mail.out.recipient):
                self._hand.pop(row.id)
                self._back.append(row.id)       # looked at anew, and dropped if that is its end
            else:
                mail.row, mail.claimed = row, True
                claimed.add(mail)
        outbox.claim((mail.row for mail in claimed), self.now())
        return claimed

    def put_back(self, mail: Mail, said: str, tried: bool) -> None:
        """It was surely not taken; unless `tried`, it is as if it had not been its turn.

        It comes again with those not listed yet: where a mail breaks each line, the others come first.
        """
        if mail.claimed:
            mail.row.attempts -= not tried
            self.end(mail.row, mail.row.undecided(), said)
        self._hand.pop(mail.row.id, None)
        if mail.row.is_urgent:
            self._back.append(mail.row.id)

    def end(self, row: Row, state: str, said: str, wait: timedelta | None = None) -> None:
        """What became of a row. Of who was erased, maybe while it was sent, nothing said is kept."""
        if state in OPEN_STATES and outbox.is_erased(row):
            state = "dropped"       # nothing more goes out
        now = self.now()
        row.state, row.due = state, now + wait if wait else row.due
        outbox.end(row, said, now)
        self._hand.pop(row.id, None)
        self._count(row, state)
        if self.quota and state in ("sent", "unknown"):
            self.quota.of(row.is_urgent).spend(now)

    def goes_on(self, urgent: bool) -> datetime | None:
        """When the quota lets a good part of the rest through; None where it stopped none."""
        if self.quota is None or urgent not in self.over:
            return None
        window = self.quota.of(urgent)
        now, rest = self.now(), Delivery.due_now(self.now(), issues=not urgent).count()
        return window.again(now, min(rest, max(1, window.most // _PARTS)))

    def _next(self) -> int | None:
        if self.running.seconds() - self._looked >= _LOOKED:
            self._overtake()
        if self._back:
            return self._back.popleft()
        if not self._ids:
            self._list_more()
        return self._ids.popleft() if self._ids else None

    def _list_more(self) -> None:
        due = Delivery.due_now(self.now(), self.issues and False not in self.over, self._first)
        if True in self.over:
            due = due.where(Delivery.issue.is_null(False))
        due = due.where(Delivery.state != "sending", Delivery.id.not_in(list(self._hand))).limit(_PORTION)
        self._ids.extend(row_id for row_id, in due.tuples())
        self._newest = Delivery.newest()

    def _overtake(self) -> None:
        """Mails that someone waits for overtake."""
        self._looked = self.running.seconds()
        for row_id in reversed(Delivery.urgent_since(self._newest, self.now())):
            self._newest = max(self._newest, row_id)
            self._back.appendleft(row_id)

    def _has_room(self, urgent: bool) -> bool:
        """Whether the quota allows one more than those in hand."""
        if self.quota is not None and self.quota.of(urgent).left(self.now()) <= sum(
                mail.row.is_urgent == urgent for mail in self._hand.values()):
            self.over.add(urgent)
        return urgent not in self.over

    def _made(self, row: Row, reader: Reader) -> Mail | None:
        message = self.letters.mail(row, reader, self.now())
        try:
            eight_bit = not message().isascii()
        except ValueError as error:         # one address that no header can carry stops nobody else's mail
            row.attempts += 1
            self.end(row, "refused", f"not sent: {error}")
            return None
        return Mail(row, Outgoing(self.letters.sender(row), recipient(row, reader), eight_bit, message))

    def _count(self, row: Row, state: str) -> None:
        if (before := self._unfinished.pop(row.id, None)) is not None:
            self.ends -= Counter([before])
        self.ends[state] += 1
        if state in OPEN_STATES:
            self._unfinished[row.id] = state


def _turn_of_the_day(ordinal: int) -> int:
    """The number of the subscriber whose mail is the first today."""
    newest = Subscriber.select().order_by(Subscriber.id.desc()).first()
    return int(ordinal * _TURNING % 1 * newest.id) if newest else 0
