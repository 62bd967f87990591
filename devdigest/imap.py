"""The bounce mailbox over IMAP: mails that came since the last look, one at a time; handled ones are moved.

Deletes nothing, marks nothing as read, and knows nothing of what the mails say.
"""
import imaplib
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from devdigest.config import Bounces
from devdigest.feedback import one_line
from devdigest.replies import nameless

FOLDER = "DevDigest"            # where handled mails go

_MOST_BYTES = 262_144           # of a mail; what matters stands above the returned copy's attachments
_PATIENCE = 30.0                # seconds for each answer
_LONGEST = 600.0                # for a session, as a byte every 20 s is an answer too
_PORTION = 5_000                # mails asked for at once: imaplib takes no line over 1 MB
# RFC 5530: a login that may well do in a moment
_PASSES = re.compile(r"\[(UNAVAILABLE|INUSE|LIMIT|SERVERBUG|CONTACTADMIN)\]", re.IGNORECASE)
_FAULTS = (imaplib.IMAP4.error, OSError, ValueError)    # ValueError: what is no answer at all


class MailboxError(Exception):
    """The mailbox cannot be read: where and why. `locked_out`: the login was refused, so that trying on may
    cost the account.
    """

    def __init__(self, said: str, locked_out: bool = False) -> None:
        super().__init__(said)
        self.locked_out = locked_out


class Place(NamedTuple):
    """How far a mailbox was read: numbers only grow while `validity` stays (RFC 9051, 2.3.1.1)."""
    validity: int = 0
    last: int = 0


class _Imap(imaplib.IMAP4_SSL):
    def read(self, size: int) -> bytes:
        # a literal is as long as the server says it is
        if size > 2 * _MOST_BYTES:
            raise self.abort(f"it announces {size:,} bytes where {_MOST_BYTES:,} were asked for")
        read = super().read(size)
        if len(read) < size:
            raise self.abort("the line broke")
        return read


class Mailbox:
    """Logged in, with the inbox selected. A context manager. All methods raise MailboxError."""

    def __init__(self, bounces: Bounces, password: str, patience: float = _PATIENCE,
                 longest: float = _LONGEST) -> None:
        self._where = f"{bounces.imap}:{bounces.port}"
        try:
            trust = ssl.create_default_context(cafile=bounces.ca_file or None)
            self._imap = _Imap(bounces.imap, bounces.port, ssl_context=trust, timeout=patience)
        except _FAULTS as error:
            raise self._error(error) from error
        self._watch = threading.Timer(longest, self._cut)
        self._watch.daemon = True
        self._watch.start()
        try:
            self._login(bounces.user, password)
            self._select()
        except _FAULTS as error:
            self.close()
            raise self._error(error) from error
        except MailboxError:
            self.close()
            raise

    def __enter__(self) -> "Mailbox":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with suppress(*_FAULTS):
            self._imap.logout()         # without CLOSE, which would delete what others have marked
        self._watch.cancel()
        with suppress(OSError):
            self._imap.shutdown()

    def new(self, place: Place) -> Iterator[tuple[Place, bytes]]:
        """Mails that came after `place`, oldest first, with the place reached by each; at most 256 KB of one.

        Those that are gone by the time of their turn are left out.
        """
        if place.validity != self._validity:
            place = Place(self._validity)
        for number in self._numbers(place.last):
            if (mail := self._mail(number)) is not None:
                yield Place(self._validity, number), mail

    def put_away(self, place: Place) -> None:
        """Moves a mail to the folder FOLDER; on a server that cannot move a single one it stays."""
        number = str(place.last)
        if "MOVE" in self._can:                                 # RFC 6851
            self._to_folder("MOVE", number)
        elif "UIDPLUS" in self._can:                            # RFC 4315: expunges this one alone
            self._to_folder("COPY", number)
            self._ask("STORE", number, "+FLAGS.SILENT", r"(\Deleted)")
            self._ask("EXPUNGE", number)

    def _login(self, user: str, password: str) -> None:
        try:
            if "AUTH=PLAIN" in self._imap.capabilities:         # which takes UTF-8 (RFC 4616)
                self._imap.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode())
            else:
                self._imap.login(user, password)
        except imaplib.IMAP4.abort:
            raise
        except (imaplib.IMAP4.error, UnicodeEncodeError) as error:
            said = _words(error)
            raise MailboxError(f"{self._where}: login refused: {said}",
                               locked_out=not _PASSES.search(said)) from error
        _, said = self._imap.capability()       # some tell what they can only to who is logged in
        self._can = (said[-1] or b"").decode("ascii", "replace").upper().split()

    def _select(self) -> None:
        status, said = self._imap.select("INBOX")
        if status != "OK":
            raise imaplib.IMAP4.error(said[-1])
        self._count = int(said[-1] or 0)
        self._validity = self._announced("UIDVALIDITY") or 0
        self._next = self._announced("UIDNEXT")

    def _announced(self, name: str) -> int | None:
        _, said = self._imap.response(name)
        return int(said[-1]) if said and said[-1] else None

    def _numbers(self, last: int) -> list[int]:
        """The UIDs after `last`, in order."""
        if self._next is not None and self._next <= last + 1:
            return []
        found: set[int] = set()
        for first in range(1, self._count + 1, _PORTION):
            portion = f"{first}:{min(first + _PORTION - 1, self._count)}"
            [said, *_] = self._ask("SEARCH", portion, "UID", f"{last + 1}:*")
            # n:* names the last mail even where its number is below n (RFC 9051, 9)
            found |= {int(number) for number in (said or b"").split() if int(number) > last}
        return sorted(found)

    def _mail(self, number: int) -> bytes | None:
        said = self._ask("FETCH", str(number), f"(UID BODY.PEEK[]<0.{_MOST_BYTES}>)")
        pieces = [one for one in said if isinstance(one, tuple) and b"BODY[" in one[0].upper()]
        return pieces[0][1][:_MOST_BYTES] if pieces else None

    def _to_folder(self, verb: str, number: str) -> None:
        try:
            self._ask(verb, number, self._folder())
        except MailboxError as error:
            if "TRYCREATE" not in str(error).upper():           # RFC 9051, 7.1
                raise
            self._imap.create(self._folder())
            self._ask(verb, number, self._folder())

    def _folder(self) -> str:
        """With the prefix that some servers want of one's own folders (RFC 2342)."""
        if "NAMESPACE" not in self._can:
            return FOLDER
        _, said = self._imap.namespace()
        found = re.match(rb'\(\("([A-Za-z0-9./]*)"', said[-1] or b"")
        return f"{found[1].decode()}{FOLDER}" if found else FOLDER

    def _ask(self, verb: str, *words: str) -> list:
        try:
            status, said = self._imap.uid(verb, *words)
        except _FAULTS as error:
            raise self._error(error) from error
        if status != "OK":
            raise MailboxError(f"{self._where}: {verb}: {_words(imaplib.IMAP4.error(said[-1]))}")
        return said

    def _cut(self) -> None:
        with suppress(OSError):
            self._imap.sock.shutdown(2)

    def _error(self, error: BaseException) -> MailboxError:
        return MailboxError(f"{self._where}: {_words(error)}")


def _words(error: BaseException) -> str:
    """What the server or the network says, without addresses: imaplib hands its words on as bytes, too."""
    said = error.args[0] if error.args and isinstance(error.args[0], bytes) else str(
        getattr(error, "strerror", None) or error)
    said = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return nameless(one_line(said)) or type(error).__name__
