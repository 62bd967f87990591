"""SMTP: messages to the relay over a kept connection, at one round trip each → what it said, as Replies.

That the relay could not be asked is a RelayError; whether it may have a message is never a guess.
"""
import contextlib
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Self

from devdigest.config import Mail
from devdigest.dialogue import OutOfStep, cause
from devdigest.greeting import meet
from devdigest.replies import Dropped, Envelope, InDoubt, RelayError, Reply, Stage, check_envelope
from devdigest.wire import Stuffed, Whole, stuffed, whole

_FAREWELL = 2       # seconds that QUIT may take
_LAST_WORD = 600    # seconds for the reply to a message (RFC 5321, 4.5.3.2.6): who hangs up sends it twice
_TRANSACTION = (Stage.MAIL, Stage.RCPT, Stage.DATA)


class Relay:
    """A connection to the relay, for one thread. After 421, Dropped or InDoubt it is dead: Dropped again.

    `extensions`: what its last EHLO offered; `size`, octets a message may have, and `limits`, mails that one
    connection may carry (RFC 9422), are None where it does not say; `tls`: "TLSv1.3", "" in the clear.
    """

    def __init__(self, mail: Mail, password: str, patience: float = _LAST_WORD) -> None:
        """Connects, by TLS unless on this machine; logs in where `mail.user` is set. Raises RelayError.

        `patience`: seconds for the relay's last word on a message, at least `mail.timeout`.
        """
        self._line, offers = meet(mail, password)
        self._patience = max(mail.timeout, patience)
        self.tls, self.extensions = self._line.tls, tuple(sorted(offers))
        self.eight_bit = "8BITMIME" in offers           # RFC 6152
        self.pipelining = "PIPELINING" in offers        # RFC 2920
        self.chunking = "CHUNKING" in offers            # RFC 3030
        self.window = mail.window if self.pipelining and self.chunking else 1
        self.size = _number(offers.get("SIZE", ""))
        limits = dict(limit.upper().partition("=")[::2] for limit in offers.get("LIMITS", "").split())
        self.limits = _number(limits.get("MAILMAX", ""))
        self._unsaid: deque[str] = deque()              # commands that wait for the reply to the one before
        self._owed: tuple[str, ...] = ()                # what ends a refused transaction before the next
        self._ahead: Envelope | None = None             # announced with the message before, replies unread
        self._awaited: Envelope | None = None           # whose message the relay waits for

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Says QUIT and waits little for the answer; may be called again."""
        # Where a message is due it would be a line of it; without its dot a message is none.
        if self._line.open and not (self._awaited or self._ahead):
            farewell = (".", "QUIT") if "." in self._owed else ("QUIT",)
            with contextlib.suppress(OSError):
                self._line.write(_lines(*farewell))
                for _ in farewell:
                    self._line.reply(Stage.CONNECT, _FAREWELL)
        self._line.close()

    def send(self, sender: str, recipient: str, message: bytes) -> Reply:
        """The relay's last word on this message; ACCEPTED only for the final dot. Line ends become CRLF.

        Raises Dropped, InDoubt; ValueError, before anything is sent, for an address that is not ASCII on one
        line, a line of the message that is too long, or an 8-bit message to a relay that takes none.
        """
        body = stuffed(message)
        return self.announce(Envelope(sender, recipient, not body.isascii())) or self.transmit(body)

    def announce(self, envelope: Envelope) -> Reply | None:
        """None where the relay now waits for the message of `envelope`; else why it does not want it.

        Costs no round trip after `transmit(…, envelope)`. Raises Dropped, ValueError as `send` does; Dropped
        also where another mail was announced there, as only hanging up takes that back.
        """
        commands = (*self._commands(envelope), "DATA")
        try:
            self._expect_no_other_than(envelope)
            owed, self._owed = self._owed, ()
            if self._ahead is None:
                self._say(*owed, *commands)
            self._ahead = None
            refusal = self._settle(owed) or self._verdict()
        except OSError as error:
            raise self._broken(error) from error
        self._awaited = None if refusal else envelope
        return refusal

    def transmit(self, message: bytes, then: Envelope | None = None) -> Reply:
        """The relay's last word on the message it waits for since `announce`; announces `then` with it.

        Raises Dropped, InDoubt; ValueError as `send` does, and then the line is closed, too.
        """
        try:
            body = self._fitting(self._awaited, stuffed(message))
            group = _lines(*self._commands(then), "DATA") if then and self.pipelining else b""
        except ValueError:
            self._line.close()
            raise
        whole_message = self._line.written + len(body) + len(b".\r\n")
        self._awaited = None
        try:
            self._line.expect_silence("thanks for a message not yet sent")
            self._line.write(b"".join((body, b".\r\n", group)))
            reply = _final(self._hear(Stage.DATA, self._patience))
        except OSError as error:
            # One octet short of the dot's line end and the relay cannot take it for whole.
            kind = Dropped if self._line.written < whole_message else InDoubt
            raise self._broken(error, kind) from error
        self._ahead = then if group else None
        if not _positive(reply) and not group:      # a group is on its way, and a refused dot ends its mail
            self._owed = ("RSET",)
        return reply

    def send_all(self, mails: Iterable[tuple[Envelope, bytes]]) -> list[Reply | None]:
        """What became of each, in order: None where the line broke and the relay may have it.

        With a window, as many are under way at once. Those missing at the end were surely not taken: the line
        broke before. Raises Dropped where that is all of them; ValueError as `send` does.
        """
        form = whole if self.window > 1 else stuffed
        ready = deque((envelope, self._fitting(envelope, form(message))) for envelope, message in mails)
        said: list[Reply | None] = []
        try:
            if self.window > 1:
                while ready:
                    said += self._burst(ready, min(self.window, len(ready)))
            else:
                while ready:
                    envelope, body = ready.popleft()
                    then = ready[0][0] if ready else None
                    said.append(self.announce(envelope) or self.transmit(body, then))
        except InDoubt:
            said.append(None)
        except Dropped:
            if not said:
                raise
        return said

    def _burst(self, ready: deque[tuple[Envelope, Whole]], count: int) -> list[Reply | None]:
        """`count` in one write. A refused one cannot spoil the next: RSET stands between (RFC 3030, 2)."""
        endings = [self._owed, *[("RSET",)] * (count - 1)]
        ends: list[int] = []
        said: list[Reply | None] = []
        try:
            self._expect_no_other_than(None)
            self._write_groups(endings, ready, ends)
            for ending in endings:
                said.append(self._settle(ending) or self._chunk_verdict())
                if said[-1].code == 421:        # what follows is not read any more (RFC 5321, 3.8)
                    return said
        except OSError as error:
            left = sum(end <= self._line.written for end in ends)
            broken = self._broken(error)
            if not left:
                raise broken from error
            return said + [None] * (left - len(said))
        self._owed = () if _positive(said[-1]) else ("RSET",)
        return said

    def _write_groups(self, endings: Sequence[tuple[str, ...]], ready: deque[tuple[Envelope, Whole]],
                      ends: list[int]) -> None:
        """Notes where each ends; nothing long outlives this, as many lines wait for replies at one time."""
        pieces, end = [], self._line.written
        for ending in endings:
            envelope, body = ready.popleft()
            pieces += _lines(*ending, *self._commands(envelope), f"BDAT {len(body)} LAST"), body
            ends.append(end := end + len(pieces[-2]) + len(body))
        self._line.write(b"".join(pieces))

    def _expect_no_other_than(self, envelope: Envelope | None) -> None:
        if self._awaited or self._ahead not in (None, envelope):
            raise OutOfStep("another mail was announced")

    def _fitting(self, envelope: Envelope | None, body: Stuffed | Whole) -> Stuffed | Whole:
        if envelope is None:
            raise ValueError("a message without an envelope")
        self._commands(envelope)
        if not body.isascii() and not envelope.eight_bit:
            raise ValueError("an 8-bit message, and its envelope says that it is none")
        return body

    def _commands(self, envelope: Envelope) -> tuple[str, str]:
        check_envelope(envelope.sender, envelope.recipient)
        if envelope.eight_bit and not self.eight_bit:
            raise ValueError("an 8-bit message, and the relay offers no 8BITMIME")
        options = " BODY=8BITMIME" if envelope.eight_bit else ""
        return f"MAIL FROM:<{envelope.sender}>{options}", f"RCPT TO:<{envelope.recipient}>"

    def _say(self, *commands: str) -> None:
        """In one write where the relay takes groups; else each once the one before is answered."""
        if self.pipelining:
            self._line.write(_lines(*commands))
        else:
            self._unsaid.extend(commands)

    def _hear(self, stage: Stage, seconds: float = 0) -> Reply:
        if self._unsaid:
            self._line.write(_lines(self._unsaid.popleft()))
        reply = self._line.reply(stage, seconds)
        # It closes now (RFC 5321, 3.8); or it would take our next commands for a message.
        if reply.code == 421 or (reply.code == 354 and stage is not Stage.DATA):
            self._line.close()
        return reply

    def _settle(self, owed: tuple[str, ...]) -> Reply | None:
        """Hears that the last transaction is over; a Reply where the relay closes instead."""
        for command in owed:
            reply = self._hear(Stage.MAIL)
            if reply.code == 421:
                return reply
            if command == "RSET" and not _positive(reply):      # its recipient might get the next mail
                raise OutOfStep(f"the refused mail is not forgotten: {reply}")
        return None

    def _replies(self, seconds: float = 0) -> list[Reply]:
        """To MAIL, RCPT and what follows; without a group, up to the first refusal."""
        said: list[Reply] = []
        for stage in _TRANSACTION:
            try:
                said.append(self._hear(stage, seconds if stage is Stage.DATA else 0))
            except OSError:
                if all(map(_positive, said)):
                    raise
                self._line.close()      # a refusal stands, whatever became of the rest
                break
            if self._unsaid and not _positive(said[-1]):
                self._unsaid.clear()
                break
        return said

    def _verdict(self) -> Reply | None:
        """Why the relay does not wait for the message; None where it does."""
        said = self._replies()
        refusal = next((reply for reply in said[:2] if not _positive(reply)), None)
        waits = len(said) == 3 and said[2].code == 354
        if len(said) == 3 and _positive(said[2]):       # a refusal before it may be another's, too
            raise OutOfStep(f"thanks for a message not yet sent: {said[2]}")
        if refusal is None:
            if waits:
                return None
            refusal = said[2]
        elif waits and _positive(said[1]):
            self._line.close()          # the dot would send an empty mail
        self._owed = (".", "RSET") if waits else ("RSET",)      # the dot: RFC 2920, 3.1
        if self._line.open:
            self._line.expect_silence(f"more replies than commands, and one refuses: {refusal}")
        return refusal

    def _chunk_verdict(self) -> Reply:
        said = self._replies(self._patience)
        return next((reply for reply in said[:2] if not _positive(reply)), None) or _final(said[2])

    def _broken(self, error: OSError, kind: type[RelayError] = Dropped) -> RelayError:
        self._line.close()
        when = "after" if kind is InDoubt else "before"
        return kind(f"{self._line.where}: the line broke {when} the final dot: {cause(error)}")


def _final(reply: Reply) -> Reply:
    if 300 <= reply.code < 400:
        raise OutOfStep(f"it asks for more than the message: {reply}")
    return reply


def _positive(reply: Reply) -> bool:
    return 200 <= reply.code < 300


def _lines(*commands: str) -> bytes:
    return "".join(f"{command}\r\n" for command in commands).encode("ascii")


def _number(text: str) -> int | None:
    """What an extension says of itself; 0 and none mean that nothing is said (RFC 1870, 4)."""
    return int(text) or None if text.isdecimal() else None
