"""An incoming mail opened within bounds: its headers and parts, whatever it claims to be. Never raises.

Not by the email package, which calls itself once for every level that a stranger nests. What a part carries
of other mails stays shut: a bounce within a forwarded mail is no bounce.
"""
import codecs
import re
from binascii import a2b_base64, a2b_qp
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from devdigest.text import from_html

_READ = 1_000_000       # octets of a mail; a report stands at its beginning, the returned copy at its end
_LINES = 2000           # of one block of headers
_VALUE = 10_000         # characters of a header: a hundred addresses
_DEEP = 8               # levels of multiparts; reports have three
_PARTS = 100
_PAGE = 200_000         # characters of HTML

_NAME = re.compile(r"[!-9;-~]{1,100}")
_BOUNDARY = re.compile(r"""\bboundary\s{0,9}=\s{0,9}(?:"([^"]{1,200})"|([^\s;"]{1,200}))""", re.IGNORECASE)
_USED_BOUNDARY = re.compile(rb"^--(\S{1,200})\n(?=content-)", re.IGNORECASE | re.MULTILINE)
_CHARSET = re.compile(r"""\bcharset\s{0,9}=\s{0,9}["']?([\w.:-]{1,40})""", re.IGNORECASE)
_ENCODED_WORD = re.compile(r"=\?([\w.:-]{1,40})(?:\*[\w-]{0,20})?\?([bq])\?([^?\s]{0,1000})\?=",
                           re.IGNORECASE)
_BETWEEN_WORDS = re.compile(r"\?=\s{1,9}(?==\?)")
_LINE_END_TAG = re.compile(r"<(?:br|/?p|/?div|/?tr|/?li|/?h\d|/?table|/?pre)\b[^<>]*>", re.IGNORECASE)
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")

# Python's names of what a mail may claim; none whose time or result a stranger could use (punycode, utf-7).
_ASIAN = {"euc-kr": "cp949", "ks_c_5601-1987": "cp949", "ksc5601": "cp949", "cp949": "cp949", "uhc": "cp949",
          "gb2312": "gb18030", "gbk": "gb18030", "gb18030": "gb18030", "big5": "big5hkscs",
          "shift_jis": "cp932", "euc-jp": "euc_jp"}
_WESTERN = re.compile(r"utf-8|iso-8859-\d{1,2}|windows-125\d|koi8-[ru]")
_SHIFTED = ((b"\x1b$)C", "iso2022_kr"), (b"\x1b$", "iso2022_jp"))       # they say it themselves
_GUESSES = ("utf-8", "cp949", "gb18030")        # where 8-bit text claims nothing, or what it is not


@dataclass(frozen=True)
class Headers:
    """Names in lower case, values unfolded, both in the order of the mail."""
    fields: tuple[tuple[str, str], ...]

    def all(self, name: str) -> list[str]:
        return [value for other, value in self.fields if other == name]

    def first(self, name: str) -> str:
        return next(iter(self.all(name)), "")


@dataclass(frozen=True)
class Part:
    """What is no multipart."""
    headers: Headers
    body: bytes

    @property
    def kind(self) -> str:
        """Of a multipart that could not be parted, and of what says nothing: plain text."""
        kind = _kind(self.headers)
        return "text/plain" if kind.startswith("multipart/") or "/" not in kind else kind

    @property
    def text(self) -> str:
        """Its words, without tags where it is HTML; a transfer encoding or charset that lies does no harm."""
        encoding = self.headers.first("content-transfer-encoding").lower()
        words = decoded(_unwrapped(self.body, encoding), _parameter(_CHARSET, self.headers))
        return _without_tags(words) if self.kind == "text/html" else words


@dataclass(frozen=True)
class Mail:
    headers: Headers
    parts: tuple[Part, ...]

    @property
    def kind(self) -> str:
        return _kind(self.headers)

    @property
    def words(self) -> str:
        """What it says to who reads it: its plain texts; its HTML where it has none."""
        for kind in ("text/plain", "text/html"):
            texts = [part.text for part in self.parts if part.kind == kind]
            if any(text.strip() for text in texts):
                return "\n".join(texts)
        return ""

    def part(self, *kinds: str) -> Part | None:
        return next((part for part in self.parts if part.kind in kinds), None)


def opened(mail: bytes) -> Mail:
    """The beginning of `mail`, taken apart."""
    mail = mail[:_READ].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if mail.startswith((b"From ", b">From ")):      # as mbox files begin a mail
        mail = mail.partition(b"\n")[2]
    return Mail(_cut(mail)[0], tuple(islice(_leaves(mail, 0), _PARTS)))


def fields(block: str) -> Headers:
    """The headers in `block`, or the fields of a report, which look the same (RFC 3464, 2.1)."""
    found: list[tuple[str, list[str]]] = []
    for line in islice(block.split("\n"), _LINES):
        name, colon, value = line.partition(":")
        if line.startswith((" ", "\t")) and found:
            found[-1][1].append(line.strip())
        elif colon and _NAME.fullmatch(name.rstrip()):
            found.append((name.rstrip().lower(), [value.strip()]))
    return Headers(tuple((name, " ".join(values).strip()[:_VALUE]) for name, values in found))


def readable(value: str) -> str:
    """A header's value with its encoded words read (RFC 2047)."""
    return _ENCODED_WORD.sub(_word, _BETWEEN_WORDS.sub("?=", value))


def _word(found: re.Match[str]) -> str:
    charset, way, octets = found[1], found[2].lower(), found[3].encode("ascii", "ignore")
    return decoded(_from_base64(octets) if way == "b" else a2b_qp(octets, header=True), charset)


def decoded(octets: bytes, charset: str) -> str:
    """Text by its charset; by the next best guess where that is unknown or wrong."""
    shifted = next((codec for mark, codec in _SHIFTED if mark in octets), "")
    if shifted:
        return octets.decode(shifted, "replace")
    claim = _codec(charset)
    for codec in filter(None, (claim, *_GUESSES)):
        with suppress(UnicodeDecodeError):
            return octets.decode(codec)
    return octets.decode(claim or "latin-1", "replace")


def _codec(charset: str) -> str:
    name = charset.lower()
    if name in _ASIAN:
        return _ASIAN[name]
    with suppress(LookupError):
        return codecs.lookup(name).name if _WESTERN.fullmatch(name) else ""
    return ""


def _leaves(entity: bytes, deep: int) -> Iterator[Part]:
    headers, body = _cut(entity)
    mark = _mark(headers, body) if deep < _DEEP and _kind(headers).startswith("multipart/") else b""
    if mark:
        for piece in _pieces(body, mark):
            yield from _leaves(piece, deep + 1)
    else:
        yield Part(headers, body)


def _cut(entity: bytes) -> tuple[Headers, bytes]:
    head, body = (b"", entity[1:]) if entity.startswith(b"\n") else entity.partition(b"\n\n")[::2]
    return fields(decoded(head, "")), body


def _mark(headers: Headers, body: bytes) -> bytes:
    """The boundary as declared; the one that is used, where a gateway changed or lost the declaration."""
    declared = _parameter(_BOUNDARY, headers).encode("utf-8", "replace")
    if declared and b"--" + declared in body:
        return declared
    used = _USED_BOUNDARY.search(body)
    return used[1] if used else b""


def _pieces(body: bytes, mark: bytes) -> Iterator[bytes]:
    """What lies between the delimiters (RFC 2046, 5.1.1). Blanks before them are a gateway's."""
    delimiters = re.finditer(rb"^[ \t]{0,9}--" + re.escape(mark) + rb"(--)?[ \t]*$", body, re.MULTILINE)
    begin = None
    for delimiter in islice(delimiters, _PARTS):
        if begin is not None:
            yield body[begin:delimiter.start()]
        begin = delimiter.end() + 1
        if delimiter[1]:
            return
    if begin is not None:       # cut off before its end
        yield body[begin:]


def _kind(headers: Headers) -> str:
    return headers.first("content-type").partition(";")[0].strip().lower()


def _parameter(pattern: re.Pattern[str], headers: Headers) -> str:
    found = pattern.search(headers.first("content-type"))
    return next(filter(None, found.groups()), "") if found else ""


def _unwrapped(body: bytes, encoding: str) -> bytes:
    if encoding.startswith("base64"):
        return _from_base64(body)
    return a2b_qp(body) if encoding.startswith("quoted-printable") else body


def _from_base64(octets: bytes) -> bytes:
    """What can be read of it: of the last four characters one alone says nothing."""
    clean = _NOT_BASE64.sub(b"", octets)
    clean = clean[:-1] if len(clean) % 4 == 1 else clean
    return a2b_base64(clean + b"=" * (-len(clean) % 4))


def _without_tags(source: str) -> str:
    lines = _LINE_END_TAG.sub("\n", source[:_PAGE].replace("\n", " ")).split("\n")
    return "\n".join(map(from_html, lines))
