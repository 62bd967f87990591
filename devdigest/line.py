"""One line to wherever mail goes, made when first needed, and again after a pause where it broke."""
import random
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from devdigest.config import Mail
from devdigest.letter import seven_bit
from devdigest.maildir import Maildir
from devdigest.replies import Envelope, InDoubt, Outcome, RelayError, Reply, Stage, check_envelope
from devdigest.smtp import Relay
from devdigest.wire import whole

PAUSES = (5.0, 30.0, 120.0, 600.0)      # seconds; a relay that only restarts is back by then
_JITTER = 1.25                          # of a pause at most, so that lines do not come back all at once
_TOO_MANY_LINES = re.compile(r"too many .{0,20}(connection|session)|concurrent", re.IGNORECASE)


@dataclass(frozen=True)
class Outgoing:
    """`message` makes it, each time the same: nobody keeps it but while it is sent."""
    sender: str
    recipient: str
    eight_bit: bool
    message: Callable[[], bytes]


class Again(Exception):
    """The relay has not taken the mail, for certain, and it is worth another try after `pause` seconds.

    `crowded`: it had enough of this line; `hurried`: of our speed.
    """

    def __init__(self, words: str, pause: float, reply: Reply | None) -> None:
        super().__init__(words)
        self.pause = pause
        self.crowded = reply is None or reply.code == 421 or bool(_TOO_MANY_LINES.search(reply.text))
        self.hurried = not self.crowded and reply.outcome is Outcome.THROTTLED


class Line:
    """For one thread. A context manager: closes the connection at the end.

    `reached`: whether another line has found the relay; one that was there and is gone is worth a pause.
    """

    def __init__(self, mail: Mail, password: str, pauses: tuple[float, ...] = PAUSES,
                 reached: Callable[[], bool] = lambda: False) -> None:
        self._mail, self._password, self._pauses = mail, password, pauses
        self._transport: Relay | Maildir | None = None
        self._left = list(pauses)       # until the relay takes or refuses a mail again
        self._elsewhere, self._reached = reached, False
        self._mails = 0                 # over this connection

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def window(self) -> int:
        """How many mails may be under way at once: more than one only where the relay can, and we may."""
        able = isinstance(self._transport, Relay) and self._transport.chunking and self._transport.pipelining
        return min(self._mail.window, self._room()) if able else 1

    def announce(self, mail: Outgoing) -> Reply | None:
        """None: the relay waits for the mail; a Reply says why not. Raises Again, RelayError."""
        if (fault := _unfit(mail)) is not None:
            return fault
        try:
            reply = self._open().announce(self._envelope(mail))
        except RelayError as broken:
            raise self._again(broken) from broken
        return None if reply is None else self._heard(reply)

    def transmit(self, mail: Outgoing, then: Outgoing | None) -> Reply | None:
        """The reply to the mail just announced; None where the relay may have it. Raises Again, RelayError.

        The envelope of `then` rides along, unless the relay has had enough mails over this line by then.
        """
        transport = self._open()
        self._mails += 1
        last = self._room() <= 0
        try:
            rides = then is not None and not last and _unfit(then) is None
            reply = transport.transmit(self._fit(mail), self._envelope(then) if rides else None)
        except InDoubt:
            self.abandon()
            return None
        except RelayError as broken:
            raise self._again(broken) from broken
        reply = self._heard(reply)
        if last:
            self.close()
        return reply

    def send_all(self, mails: Sequence[Outgoing]) -> list[Reply | None]:
        """The replies to up to `window` mails at once; None where the relay may have one, none at the end
        where it surely has not. Raises Again, RelayError.
        """
        if self._room() < len(mails):
            self.close()
        try:
            relay = self._open()
            assert isinstance(relay, Relay)
            self._mails += len(mails)
            replies = relay.send_all((self._envelope(mail), self._fit(mail)) for mail in mails)
        except RelayError as broken:
            raise self._again(broken) from broken
        if len(replies) < len(mails) or None in replies or self._room() <= 0:
            self.close()
        return replies

    def open(self) -> None:
        """Where it is not yet. Raises Again, RelayError."""
        try:
            self._open()
        except RelayError as broken:
            raise self._again(broken) from broken

    def abandon(self) -> None:
        """What was announced is not sent after all: only the end of the line takes that back."""
        self.close()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def _open(self) -> Relay | Maildir:
        if self._transport is None:
            self._transport = (Relay(self._mail, self._password) if self._mail.transport == "smtp"
                               else Maildir(self._mail.maildir))
            self._reached, self._mails = True, 0
        return self._transport

    def _room(self) -> int:
        """How many mails this connection may still carry: by our setting, and by RFC 9422."""
        ours, theirs = self._mail.per_connection, getattr(self._transport, "limits", None)
        return min(ours or sys.maxsize, theirs or sys.maxsize) - self._mails

    def _envelope(self, mail: Outgoing) -> Envelope:
        return Envelope(mail.sender, mail.recipient, self._open().eight_bit and mail.eight_bit)

    def _fit(self, mail: Outgoing) -> bytes:
        message = mail.message()
        return message if self._open().eight_bit else seven_bit(whole(message))

    def _heard(self, reply: Reply) -> Reply:
        if (again := self.again(reply)) is not None:
            raise again
        return reply

    def again(self, reply: Reply | None) -> Again | None:
        """Where the relay is busy, or out of step, and there is a pause left."""
        if reply is None or not reply.is_busy:
            self._left = list(self._pauses)
            return None
        return self._paused(str(reply), reply) if self._left else None

    def _again(self, broken: RelayError) -> Exception:
        """What to raise for a line that broke."""
        for_long = broken.outcome in (Outcome.ACCOUNT, Outcome.QUOTA)
        if not (self._reached or self._elsewhere()) or for_long or not self._left:
            self.close()
            return broken
        return self._paused(str(broken), broken.reply)

    def _paused(self, words: str, reply: Reply | None) -> Again:
        self.close()
        return Again(words, self._left.pop(0) * random.uniform(1.0, _JITTER), reply)


def _unfit(mail: Outgoing) -> Reply | None:
    """What a relay would say of an address that fits no command."""
    try:
        check_envelope(mail.sender, mail.recipient)
    except ValueError as error:
        return Reply(Stage.RCPT, 553, f"5.1.3 {error}")
    return None
