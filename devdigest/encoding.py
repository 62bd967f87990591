"""Feed bytes → text, whatever they claim to be, and from text a document that an XML parser may be given.

Nothing of the prolog is left in it: a DOCTYPE could declare entities that grow ten-thousandfold.
"""
import codecs
import encodings.aliases
import importlib
import re
import sys
import zlib
from contextlib import suppress
from functools import partial

from devdigest.inflate import Inflate

_INFLATED = 20_000_000      # bytes that a compressed body may become
_PROLOG = 8192              # characters within which the root element must begin; feeds need about 200

_GZIP = b"\x1f\x8b"
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
          (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
          (b"", "utf-8"))
_WITHOUT_MARK = {b"<\0": "utf-16-le", b"\0<": "utf-16-be"}      # XML 1.0, appendix F.1

_DECLARED = re.compile(rb"""\s*<\?xml[^>]{1,200}?encoding\s*=\s*["']([\w.:-]{1,40})["']""")
_CHARSET = re.compile(r"""charset\s*=\s*["']?([\w.:-]{1,40})""", re.IGNORECASE | re.ASCII)
# Python's names of what a document may claim. Not UTF-16: where that claim can be read, it is wrong. Not
# UTF-7, punycode or unicode_escape: no feed needs them.
_WIDE = re.compile(r"cp949|cp932|gb18030|big5\w*|euc_jp\w*|johab")
_NARROW = re.compile(r"iso8859-\d+|cp\d+|koi8-[rut]|tis-620|mac-\w+")
# What is claimed and what is meant: the wider set holds the narrower one (WHATWG Encoding, 4.2).
_MEANT = {"euc_kr": "cp949", "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932"}

_ASCII = re.compile(r"[\x00-\x7f]+")
_HANGUL = re.compile(r"[\uac00-\ud7a3]")
_NO_CHARACTER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")     # XML 1.0, 2.2
_NUMBERED = re.compile(r"&#(?:x0*+([0-9a-f]++)|0*+([0-9]++));?|&#x?0++;?", re.IGNORECASE)

_BLANKS = re.compile(r"[\t-\r ]{100,}+")      # feedparser takes a minute over a megabyte of them
_TENTH_OF_BLANKS = re.compile(r"[\t-\r ]{10}")

# Comments, instructions and a DOCTYPE with its declarations are passed over; the first other tag is the root.
_PASSED_OVER = re.compile(r"""<!--.*?(?:-->|\Z) | <\?.*?(?:\?>|\Z) | (?P<root><[^\W\d])
    | <!DOCTYPE (?:"[^"]*+"|'[^']*+'|[^][>"'])*+
                (?:\[ (?:<!--.*?(?:-->|\Z)|"[^"]*+"|'[^']*+'|[^]"'])*+ \]\s*+)?+ >
    """, re.VERBOSE | re.DOTALL | re.IGNORECASE)


_tables: dict[str, tuple[str, str]] = {}        # module's name → codec's name, its 256 characters


def load_codecs() -> None:
    """Every codec that a document or a host name may need, for where no file can be opened later.

    For all of this process, which can write nothing but UTF-8 then: of narrow codecs only the tables by which
    they are read stay in memory, a fortieth of their modules.
    """
    codecs.register(_narrow)
    for name in {"idna", "punycode", *encodings.aliases.aliases.values()}:
        with suppress(ImportError):     # of another system
            module = importlib.import_module(f"encodings.{name}")
            if _NARROW.fullmatch(codec := module.getregentry().name) and hasattr(module, "decoding_table"):
                _tables[name] = codec, module.decoding_table
                delattr(encodings, name)
                del sys.modules[module.__name__]
            else:
                codecs.lookup(name)


def _narrow(name: str) -> codecs.CodecInfo | None:
    aliases = encodings.aliases.aliases
    place = aliases.get(name) or aliases.get(name.replace(".", "_")) or name
    if place not in _tables:
        return None
    codec, table = _tables[place]
    return codecs.CodecInfo(None, partial(_by_table, table), name=codec)


def _by_table(table: str, coded: bytes, errors: str = "strict") -> tuple[str, int]:
    return codecs.charmap_decode(coded, errors, table)


def decode(body: bytes, content_type: str) -> str:
    """The text of `body`, without byte order mark and blanks around it; `content_type` is the HTTP header.

    Inflates what was compressed without saying so. Raises ValueError, in words for the owner, if it cannot.
    """
    if body.startswith(_GZIP):
        body = _inflate(body)
    return _text(body, content_type).strip("\ufeff\0 \t\r\n")


def xml(text: str) -> bytes:
    """The document from its root element on, legal characters only, as UTF-8 that is declared as such.

    Raises ValueError, in words for the owner, if no element begins.
    """
    if _TENTH_OF_BLANKS.search(text[::10]):     # at a tenth of the cost
        text = _BLANKS.sub("\n", text)
    for part in _PASSED_OVER.finditer(text[:_PROLOG]):
        if part["root"]:
            # feedparser searches the first line for an encoding, in quadratic time: this line has one
            return ("<?xml version='1.0' encoding='utf-8'?>\n"
                    + _NUMBERED.sub(_legal, _NO_CHARACTER.sub("", text[part.start():]))).encode()
    raise ValueError("no XML" if len(text) <= _PROLOG else f"no element in its first {_PROLOG:,} characters")


def _inflate(body: bytes) -> bytes:
    try:
        inflated = Inflate("gzip")(body, _INFLATED + 1)
    except zlib.error as error:
        raise ValueError("compressed, but broken") from error
    if len(inflated) > _INFLATED:
        raise ValueError(f"compressed, and over {_INFLATED // 1_000_000} MB when inflated")
    return inflated


def _text(body: bytes, content_type: str) -> str:
    mark, codec = next((mark, codec) for mark, codec in _MARKS if body.startswith(mark))
    if mark:
        return body[len(mark):].decode(codec, "replace")
    if body[:2] in _WITHOUT_MARK:
        return body.decode(_WITHOUT_MARK[body[:2]], "replace")
    return _reading(body, _claims(body, content_type))


def _reading(body: bytes, claims: list[str]) -> str:
    """The first reading that is mostly right. Claims are often wrong, so what is hardly right by chance comes
    first, UTF-8, and what is never wrong last: sets in which every byte is a letter."""
    with suppress(UnicodeDecodeError):
        return body.decode()
    wide = [codec for codec in claims if _WIDE.fullmatch(codec)]
    narrow = [codec for codec in claims if not _WIDE.fullmatch(codec)]
    for codec in ("utf-8", *wide, "cp949", *narrow):
        text = body.decode(codec, "replace")
        foreign = _ASCII.sub("", text)
        guessed = codec == "cp949" and codec not in wide
        right = len(_HANGUL.findall(foreign)) if guessed else len(foreign) - foreign.count("\ufffd")
        if right * 3 >= len(foreign) * 2:
            return text
    return body.decode("cp1252", "replace")


def _claims(body: bytes, content_type: str) -> list[str]:
    """Codecs named by the XML declaration and by HTTP, in this order."""
    declared = _DECLARED.match(body)
    names = [declared[1].decode()] if declared else []
    found = [_codec(name) for name in names + _CHARSET.findall(content_type)]
    return [codec for codec in found if _WIDE.fullmatch(codec) or _NARROW.fullmatch(codec)]


def _codec(name: str) -> str:
    if name.lower().startswith("ks_c_5601"):
        return "cp949"
    try:
        codec = codecs.lookup(name).name
    except LookupError:
        return ""
    return _MEANT.get(codec, codec)


def _legal(reference: re.Match[str]) -> str:
    digits = reference[1] or reference[2] or "0"
    number = int(digits, 16 if reference[1] else 10) if len(digits) < 8 else 0
    legal = 0 < number < 0x110000 and not _NO_CHARACTER.match(chr(number))
    return reference[0] if legal else "\ufffd"
