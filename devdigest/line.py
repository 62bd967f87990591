"""One line to wherever mail goes, made when first needed, and again after a pause where it broke."""
import threading

from devdigest.config import Mail
from devdigest.letter import seven_bit
from devdigest.maildir import Maildir
from devdigest.replies import Dropped, InDoubt, Outcome, RelayError, Reply, Stage, check_envelope
from devdigest.smtp import Relay

PAUSES = (5.0, 30.0, 120.0)     # seconds; a relay that only restarts is back by then


class Again(Exception):
    """The mail was not taken, the pause after that is over, and it is worth another try."""


class Line:
    """For one thread. A context manager: closes the connection at the end."""

    def __init__(self, mail: Mail, password: str, stop: threading.Event, pauses: tuple[float, ...]) -> None:
        self._mail, self._password, self._stop, self._pauses = mail, password, stop, pauses
        self._transport: Relay | Maildir | None = None
        self._left = list(pauses)   # until the relay takes or refuses a mail again
        self._reached = False       # a relay that was there and is gone is worth waiting for

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def send(self, recipient: str, message: bytes) -> Reply | None:
        """The relay's reply; None where it may have the mail. Raises RelayError where it surely has not.

        Raises Again after a pause: much may have changed meanwhile, so the caller asks anew what to send.
        """
        try:
            check_envelope(self._mail.sender, recipient)
        except ValueError as error:
            return Reply(Stage.RCPT, 553, f"5.1.3 {error}")
        try:
            reply = self._try(recipient, message)
        except InDoubt:
            self._close()
            return None
        except RelayError as broken:
            self._close()
            if not self._reached or broken.outcome is Outcome.ACCOUNT or not self._has_paused():
                raise
            raise Again from broken
        if reply.outcome not in (Outcome.THROTTLED, Outcome.PROTOCOL):
            self._left = list(self._pauses)
        elif self._left:
            self._close()
            self._has_paused()
            raise Again
        return reply

    def _has_paused(self) -> bool:
        """Whether there was a pause left; it is over now. Raises Dropped where we are to stop meanwhile."""
        if not self._left:
            return False
        if self._stop.wait(self._left.pop(0)):
            raise Dropped("stopped while waiting for the relay")
        return True

    def _try(self, recipient: str, message: bytes) -> Reply:
        if self._transport is None:
            self._transport = (Relay(self._mail, self._password) if self._mail.transport == "smtp"
                               else Maildir(self._mail.maildir))
            self._reached = True
        if not self._transport.eight_bit:
            message = seven_bit(message)
        return self._transport.send(self._mail.sender, recipient, message)

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None
