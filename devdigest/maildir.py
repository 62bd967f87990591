"""A folder that takes mail as a relay does: to try things out, or where another program carries the mail on.

A message repeated after a crash overwrites itself, as its file is named after its Message-ID.
"""
import contextlib
import hashlib
import os
from email.parser import BytesHeaderParser
from pathlib import Path

from devdigest.replies import Envelope, RelayError, Reply, Stage, check_envelope
from devdigest.wire import Stuffed, whole


class Maildir:
    eight_bit = True

    def __init__(self, folder: str | Path) -> None:
        """Makes the folder where it is missing. Raises RelayError."""
        self._folder = Path(folder)
        try:
            for part in ("tmp", "new", "cur"):
                (self._folder / part).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._unwritable(error) from error

    def send(self, sender: str, recipient: str, message: bytes) -> Reply:
        """250 once the message is safe on disk. Raises RelayError, and ValueError as Relay.send does."""
        check_envelope(sender, recipient)
        if isinstance(message, Stuffed):
            message = whole(message)
        name = _name(message)
        trace = f"Return-Path: <{sender}>\nDelivered-To: {recipient}\n".encode()
        try:
            _write(self._folder / "tmp" / name, self._folder / "new" / name,
                   trace + message.replace(b"\r\n", b"\n"))     # files on Unix end their lines so
        except OSError as error:
            raise self._unwritable(error) from error
        return Reply(Stage.DATA, 250, f"2.0.0 stored as new/{name}")

    def announce(self, envelope: Envelope) -> None:
        """As Relay's: it is always ready."""
        self._announced = envelope

    def transmit(self, message: bytes, then: Envelope | None = None) -> Reply:
        return self.send(self._announced.sender, self._announced.recipient, message)

    def close(self) -> None:
        """Nothing is kept open."""

    def _unwritable(self, error: OSError) -> RelayError:
        return RelayError(f"{self._folder}: cannot be written: {error.strerror}; check [mail] maildir")


def _name(message: bytes) -> str:
    identity = BytesHeaderParser().parsebytes(message)["Message-ID"]
    return hashlib.sha256(identity.strip().encode() if identity else message).hexdigest()[:32] + ".devdigest"


def _write(draft: Path, final: Path, content: bytes) -> None:
    """Whole or not at all, and still there after a power cut."""
    try:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(final)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise
    folder = os.open(final.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
