"""One line to wherever mail goes, made when first needed, and again after a pause where it broke."""
import threading

from devdigest.config import Mail
from devdigest.letter import seven_bit
from devdigest.maildir import Maildir
from devdigest.replies import Dropped, InDoubt, Outcome, RelayError, Reply, Stage, check_envelope
from devdigest.smtp import Relay

PAUSES = (5.0, 30.0, 120.0)     # seconds; a relay that only restarts is back by then


class Line:
    """For one thread. A context manager: closes the connection at the end."""

    def __init__(self, mail: Mail, password: str, stop: threading.Event, pauses: tuple[float, ...]) -> None:
        self._mail, self._password, self._stop, self._pauses = mail, password, stop, pauses
        self._transport: Relay | Maildir | None = None
        self._reached = False       # a relay that was there and is gone is worth waiting for

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def send(self, recipient: str, message: bytes) -> Reply | None:
        """The relay's reply; None where it may have the mail. Raises RelayError where it surely has not."""
        try:
            check_envelope(self._mail.sender, recipient)
        except ValueError as error:
            return Reply(Stage.RCPT, 553, f"5.1.3 {error}")
        for pause in (*self._pauses, None):
            try:
                reply = self._try(recipient, message)
            except InDoubt:
                self._close()
                return None
            except RelayError as broken:
                self._close()
                if pause is None or not self._reached or broken.outcome is Outcome.ACCOUNT:
                    raise
            else:
                if reply.outcome not in (Outcome.THROTTLED, Outcome.PROTOCOL) or pause is None:
                    return reply
                self._close()
            if self._stop.wait(pause):
                break
        raise Dropped("stopped while waiting for the relay")

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
