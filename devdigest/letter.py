"""A mail that is serialised once and then only filled: bytes are joined, nothing is encoded again.

Knows the message format, not what is said in it.
"""
import email
import html
import re
from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass, fields
from datetime import date
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from functools import cached_property
from hashlib import sha256

from devdigest.wire import Stuffed

# What a header carries as it is: an unquoted local part and a domain in ASCII (RFC 5322, 3.4.1), together as
# long as RFC 5321, 4.5.3.1 allows. The longest once escaped has the longest local part.
_ADDRESS = re.compile(r"(?=.{3,254}\Z)[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]+")
_TOKEN = re.compile(r"[A-Za-z0-9._~-]{1,200}")
_LONGEST_LINE = 900     # octets before filling; filled, none may be over 998 (RFC 5322, 2.1.1)


@dataclass(frozen=True)
class Places:
    """What stands, while a mail is composed, where one recipient's own words will be."""
    address: str
    address_in_html: str
    delivery: str
    token: str
    since: str

    @classmethod
    def in_a_mail_on(cls, content: object) -> "Places":
        """Marks that `content` cannot hold, being made from its hash: no feed can write one."""
        stem = "x" + sha256(repr(content).encode("utf-8", "backslashreplace")).hexdigest()[:16]
        return cls(*(f"{stem}{letter}" for letter in "ahdts"))


@dataclass(frozen=True)
class Letter:
    """A serialised mail: constant pieces, and between each two the name of the place to fill."""
    pieces: tuple[bytes, ...]
    places: tuple[str, ...]
    since: Callable[[date | None], str]     # the words for the day on which someone signed up

    @cached_property
    def _stuffed(self) -> tuple[bytes, ...]:
        """The pieces with their dots doubled: once, not for each recipient."""
        return tuple(piece.replace(b"\n.", b"\n..") for piece in self.pieces)

    @cached_property
    def _at_line_starts(self) -> tuple[int, ...]:
        """Of the places, those that follow a line's end, by their index among what is filled."""
        return tuple(2 * number + 1 for number in range(len(self.places))
                     if self.pieces[number].endswith(b"\n"))

    def ready(self, *, to: str, delivery: str, token: str, since: date | None) -> Stuffed:
        """The same as fill(), its dots doubled already."""
        filled = self._filled(self._stuffed, to, delivery, token, since)
        for place in self._at_line_starts:
            first = filled[place] or filled[place + 1]
            if first.startswith(b"."):
                filled[place] = b"." + filled[place]
        return Stuffed(b"".join(filled))

    def fill(self, *, to: str, delivery: str, token: str, since: date | None) -> bytes:
        """The mail to one recipient. Raises ValueError for what must not stand in it."""
        return b"".join(self._filled(self.pieces, to, delivery, token, since))

    def _filled(self, pieces: tuple[bytes, ...], to: str, delivery: str, token: str,
                since: date | None) -> list[bytes]:
        if not _ADDRESS.fullmatch(to):
            raise ValueError("not an address that a header can carry")
        if not (_TOKEN.fullmatch(token) and _TOKEN.fullmatch(delivery)):
            raise ValueError("not a token that a link can carry")
        values = {"address": to.encode(), "address_in_html": html.escape(to).encode(),
                  "delivery": delivery.encode(), "token": token.encode(), "since": self.since(since).encode()}
        filled = [b""] * (2 * len(self.places) + 1)
        filled[::2] = pieces
        filled[1::2] = [values[place] for place in self.places]
        return filled


def write(lines: Iterable[str], text: str, page: str, places: Places,
          since: Callable[[date | None], str]) -> Letter:
    """A multipart/alternative mail of `text` and the HTML `page`, split at its places.

    `lines` are its headers, folded and in ASCII. They go out as they are: EmailMessage makes an encoded word
    of what is longer than a line (cpython#74717), and mail providers find no List-Unsubscribe in that.
    """
    message = EmailMessage(policy=SMTP)
    message.set_content(_short_lines(text), cte="8bit")
    message.add_alternative(_short_lines(page), subtype="html", cte="8bit")
    message.set_boundary(f"=_{places.address[:-1]}")
    message["Content-Transfer-Encoding"] = "8bit"       # of a whole that holds 8bit parts: RFC 2045, 6.4
    serialised = "".join(f"{line}\r\n" for line in lines).encode("ascii") + message.as_bytes()
    names = dict(zip(astuple(places), (field.name for field in fields(places)), strict=True))
    pieces = re.split("|".join(names).join("()").encode(), serialised)
    return Letter(tuple(pieces[::2]), tuple(names[mark.decode()] for mark in pieces[1::2]), since)


def _short_lines(text: str) -> str:
    """`text` with its long lines broken at spaces, where neither HTML nor plain text minds."""
    return "\n".join(piece for line in text.splitlines() for piece in _broken(line)) + "\n"


def _broken(line: str) -> list[str]:
    if len(line.encode()) <= _LONGEST_LINE:
        return [line]
    pieces = [""]
    for word in line.split(" "):
        longer = f"{pieces[-1]} {word}" if pieces[-1] else word
        if len(longer.encode()) <= _LONGEST_LINE:
            pieces[-1] = longer
        else:
            pieces.append(word)
    return pieces


def phrase(text: str) -> str:
    """`text` as it may stand before an address: atoms, or encoded words (RFC 5322, 3.2.5)."""
    return text if re.fullmatch(r"[A-Za-z0-9 ]{1,60}", text) else _encoded(text)


def unstructured(text: str) -> str:
    """`text` as a subject: as it is where it fits a line of 78 and is not read as an encoded word."""
    return text if text.isascii() and len(text) <= 66 and "=?" not in text else _encoded(text)


def _encoded(text: str) -> str:
    # maxlinelen: what an encoded word may have (RFC 2047, 2)
    return Header(text, "utf-8", maxlinelen=75, header_name="Subject").encode(linesep="\r\n")


def seven_bit(message: bytes) -> bytes:
    """The same mail in base64, for a relay without 8BITMIME (RFC 6152); its headers stay octet by octet."""
    parsed = email.message_from_bytes(message, policy=SMTP.clone(refold_source="none"))
    del parsed["Content-Transfer-Encoding"]
    for part in parsed.iter_parts():
        part.set_content(part.get_content(), subtype=part.get_content_subtype(), cte="base64")
    return parsed.as_bytes()
