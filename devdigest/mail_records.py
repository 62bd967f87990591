"""What stands in DNS for a sender: SPF (RFC 7208), DKIM (RFC 6376), DMARC (RFC 7489). Asks nobody itself."""
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

MOST_LOOKUPS = 10           # RFC 7208, 4.6.4: beyond them the record counts for nothing

Ask = Callable[[str], list[str]]        # name → its TXT records

_SPF = re.compile(r"v=spf1( |\Z)", re.IGNORECASE)
_TERM = re.compile(r"[+?~-]?(include|a|mx|ptr|exists|redirect)(?:[:=]([^/]*))?(?:/.*)?", re.IGNORECASE)
_ALL = re.compile(r"([+?~-]?)all", re.IGNORECASE)
_INTEGER, _SEQUENCE = 0x02, 0x30        # tags of DER (X.690)


def spf_records(texts: Iterable[str]) -> list[str]:
    return [text.strip() for text in texts if _SPF.match(text)]


@dataclass
class Survey:
    """What a receiver has to ask for an SPF record, at most; `fault` is why it counts for nothing."""
    lookups: int = 0
    names: set[str] = field(default_factory=set)        # whose records it takes in
    fault: str = ""


def survey(record: str, ask: Ask) -> Survey:
    """Asks for included records too, as many as a receiver would, and no more."""
    found = Survey()
    _walk(record, ask, found)
    if found.lookups > MOST_LOOKUPS:
        found.fault = f"asks for more than {MOST_LOOKUPS} lookups"
    return found


def _walk(record: str, ask: Ask, found: Survey) -> None:
    for term in record.split()[1:]:
        known = _TERM.fullmatch(term)
        if known is None or found.lookups > MOST_LOOKUPS:
            continue
        kind, target = known[1].lower(), (known[2] or "").lower().removesuffix(".")
        if kind == "redirect" and openness(record) is not None:     # `all` has the last word (RFC 7208, 6.1)
            continue
        found.lookups += 1
        if kind in ("include", "redirect") and "%" not in target:   # a macro is each receiver's own
            _take_in(target, ask, found)


def _take_in(target: str, ask: Ask, found: Survey) -> None:
    found.names.add(target)
    inner = spf_records(ask(target))
    if len(inner) == 1:
        _walk(inner[0], ask, found)
    else:
        found.fault = f"takes in {target}, which has {len(inner) or 'no'} SPF records"


def openness(record: str) -> str | None:
    """What is said of everyone else: "+", "?", "~" or "-"; None where nothing is."""
    said = next(filter(None, map(_ALL.fullmatch, record.split())), None)
    return said and (said[1] or "+")


def merged(records: Iterable[str], *more: str) -> str:
    """One SPF record of several, with these terms too; everyone else fails, softly unless all say else."""
    records = list(records)
    terms = dict.fromkeys(term for record in records for term in record.split()[1:]
                          if not _ALL.fullmatch(term))
    last = "-all" if records and all(openness(record) == "-" for record in records) else "~all"
    return " ".join(("v=spf1", *dict.fromkeys((*terms, *more)), last))


def tags(text: str) -> dict[str, str]:
    """A list of tags (RFC 6376, 3.2), such as `v=DMARC1; p=none`; names in lower case."""
    pairs = (pair.partition("=") for pair in text.split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs if name.strip()}


def dmarc_records(texts: Iterable[str]) -> list[dict[str, str]]:
    return [tags(text) for text in texts if re.match(r"v\s*=\s*DMARC1\s*(;|\Z)", text)]


def rsa_bits(key: bytes) -> int:
    """The length of a public key in DER, bare or with its algorithm. Raises ValueError for anything else."""
    _, inner, _ = _element(key)
    kind, value, rest = _element(inner)
    if kind == _SEQUENCE:                   # the algorithm; after it a bit string with the bare key
        _, bits, _ = _element(rest)
        _, bare, _ = _element(bits[1:])
        kind, value, _ = _element(bare)
    if kind != _INTEGER:
        raise ValueError("no RSA key")
    return int.from_bytes(value, "big").bit_length()


def _element(data: bytes) -> tuple[int, bytes, bytes]:
    """(its tag, its content, what follows it)."""
    if len(data) < 2:
        raise ValueError("cut off")
    tag, length, start = data[0], data[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(data[2:start], "big")
    if start + length > len(data):
        raise ValueError("cut off")
    return tag, data[start:start + length], data[start + length:]
