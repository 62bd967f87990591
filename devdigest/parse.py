"""Feed bytes → entries, by feedparser or, for JSON Feed, our own reader. Raises NotAFeed and nothing else.

What comes out is plain text and http(s) links. Whether a date is plausible or a post new is not judged here.
"""
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from devdigest import documents, encoding, entries, jsonfeed, recognise
from devdigest.feed import Entry, Feed, NotAFeed
from devdigest.likeness import apart, likeness, stored
from devdigest.portions import portions
from devdigest.scan import Scan, scan
from devdigest.text import excerpt
from devdigest.urls import http_url

_MOST_ENTRIES = 500         # a feed with more is an archive
_PORTION = 65_536           # bytes of entries for feedparser at once: more needs more memory, less no less
_LARGE = 4                  # portions, in which a document is read of which nothing is known
_HTML_PAGE = re.compile(r"<!doctype\s+html\b", re.IGNORECASE)
_HTML_ROOTS = (b"html", b"head", b"body")
_ROOT = re.compile(rb"\n<([\w:.-]{1,40})")
_OF_A_FEED = re.compile(rb"<([\w.-]+:)?(rss|rdf|feed|channel|item|entry)\b", re.IGNORECASE)

Some = TypeVar("Some")


class _Way(NamedTuple):
    """How a document is to be read."""
    url: str
    zone: ZoneInfo
    known: Collection[bytes]
    portion: int


def parse(body: bytes, headers: Mapping[str, str], url: str, zone: ZoneInfo,
          known: bytes = b"", portion: int = _PORTION) -> Feed:
    """The feed that came from `url` (after redirects) with `headers` (names in lower case).

    A time without a zone is in `zone`. Entries of a likeness that is among the `known` ones are told without
    their text; where there are no others, the feed without its title and site. Raises NotAFeed.
    """
    way = _Way(url, zone, apart(known), portion)
    try:
        text = _text(body, headers.get("content-type", ""))
        del body        # it may be megabytes, of which more is made at every step
        if text.startswith("{"):
            return _whole(jsonfeed.read(text), way)
        xml = _xml(text)
        del text
        return _new(xml, way) or _whole(_document(xml), way)
    except ValueError as error:
        raise NotAFeed(str(error)) from error


def _whole(document: dict[str, Any], way: _Way) -> Feed:
    newest = _newest(document["entries"], lambda raw: entries.published(raw, way.zone))
    return _feed(document, newest, way)


def _feed(document: dict[str, Any], raws: Sequence[dict[str, Any]], way: _Way) -> Feed:
    channel = document["feed"]
    return Feed(title=excerpt(entries.plain(channel, "title"), entries.TITLE),
                site=http_url(entries.words(channel, "link"), way.url),
                entries=tuple(entries.entry(raw, way.url, way.zone) for raw in raws))


def _new(xml: "_Xml", way: _Way) -> Feed | None:
    """What is not known yet, read in portions; None where the whole document is to be read at once."""
    if not way.known and len(xml.source) <= _LARGE * way.portion:
        return None
    seen = scan(xml.source)
    if seen is None:
        return None
    found = _known(seen, _recent(seen, way.zone), way)
    unread = [place for place, entry in found.items() if entry is None]
    first: Feed | None = None
    for places, source in portions(xml.source, seen.entries, unread, way.portion):
        part = _part(xml._replace(source=source), len(places), way)
        if part is None:
            return None
        found.update(zip(places, part.entries, strict=True))
        first = first or part
    read = [entry for entry in found.values() if entry is not None]
    title, site = (first.title, first.site) if first else ("", "")
    return Feed(title, site, tuple(_newest(read, lambda entry: entry.published)))


def _part(xml: "_Xml", count: int, way: _Way) -> Feed | None:
    """A portion as records of ours, so that feedparser's are gone before the next; None if one was lost."""
    try:
        document = _document(xml)
    except ValueError:
        return None
    if len(document["entries"]) != count:
        return None
    return _feed(document, document["entries"], way)


def _recent(seen: Scan, zone: ZoneInfo) -> list[int]:
    """The places of the newest; of all where a date is unsure."""
    places = list(range(len(seen.entries)))
    try:
        return _newest(places, lambda place: recognise.published(seen.entries[place], zone))
    except ValueError:
        return places


def _known(seen: Scan, places: Sequence[int], way: _Way) -> dict[int, Entry | None]:
    """By their places, in the order of the document: the entries that are known, None for the others."""
    return {place: _stub(place, seen, way) if way.known else None for place in places}


def _stub(place: int, seen: Scan, way: _Way) -> Entry | None:
    stub = recognise.stub(seen.entries[place], seen, way.url, way.zone)
    if stub is None or likeness(stub.guid, stub.link, stub.title, stored(stub.published)) not in way.known:
        return None
    return stub


class _Xml(NamedTuple):
    source: bytes
    root: str
    is_page: bool


def _text(body: bytes, content_type: str) -> str:
    """XML to be read, or JSON. Raises ValueError in words for the owner."""
    text = encoding.decode(body, content_type)
    if not text:
        raise ValueError("empty")
    return text


def _xml(text: str) -> _Xml:
    """Raises ValueError in words for the owner."""
    source = encoding.xml(text)
    root = _ROOT.search(source)
    is_page = bool(_HTML_PAGE.match(text) or (root and root[1].lower() in _HTML_ROOTS))
    return _Xml(source, root[1].decode() if root else "…", is_page)


def _document(xml: _Xml) -> dict[str, Any]:
    """What feedparser makes of it. Raises ValueError in words for the owner."""
    if _OF_A_FEED.search(xml.source):       # feedparser takes seconds over a large page
        document = documents.read(xml.source)
        if document["entries"] or (document["version"] and not xml.is_page):
            return document
    raise ValueError("an HTML page" if xml.is_page else f"XML, but no feed (root <{xml.root}>)")


def _newest(found: Sequence[Some], published: Callable[[Some], datetime | date | None]) -> Sequence[Some]:
    """At most so many as are kept, in their order."""
    if len(found) <= _MOST_ENTRIES:
        return found
    days = [_day(published(one)) for one in found]
    newest = sorted(range(len(found)), key=days.__getitem__, reverse=True)[:_MOST_ENTRIES]
    return [found[place] for place in sorted(newest)]


def _day(published: datetime | date | None) -> date:
    if published is None:
        return date.min
    return published.date() if isinstance(published, datetime) else published
