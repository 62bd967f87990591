"""Feed bytes → entries, by feedparser or, for JSON Feed, our own reader. Raises NotAFeed and nothing else.

What comes out is plain text and http(s) links. Whether a date is plausible or a post new is not judged here.
"""
import hashlib
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import feedparser
import feedparser.api
import feedparser.mixin

from devdigest import dates, encoding, jsonfeed
from devdigest.feed import Entry, Feed, NotAFeed
from devdigest.text import excerpt, from_html, minutes, tidy
from devdigest.urls import http_url

_MOST_ENTRIES = 500         # a feed with more is an archive
_TITLE = 300                # characters
_GUID = 500                 # characters; a longer one is known by its hash
_WHOLE_TEXT = 1500          # characters from which a description is taken for the whole post
_TAG, _TAGS = 30, 8         # characters, and how many; what is longer was written for search engines
# What the software of blogs puts where the writer has chosen nothing: WordPress, Tistory, Naver, Ghost.
_NO_TAGS = {"미분류", "분류없음", "카테고리 없음", "기본 카테고리", "분류 전체보기", "전체보기", "전체 글",
            "전체", "uncategorized", "uncategorised", "all posts", "all", "default", "none", "null"}
_HTML = ("text/html", "application/xhtml+xml")
_HTML_PAGE = re.compile(r"<!doctype\s+html\b", re.IGNORECASE)
_HTML_ROOTS = (b"html", b"head", b"body")
_ROOT = re.compile(rb"\n<([\w:.-]{1,40})")
# Not the one it prefers, for which it would look in vain at each document.
feedparser.api.PREFERRED_XML_PARSERS[:] = ["devdigest.expat_driver"]
_MOST_CHARACTERS = 20_000   # that are remembered; a Korean blog has two thousand
_OF_A_FEED = re.compile(rb"<([\w.-]+:)?(rss|rdf|feed|channel|item|entry)\b", re.IGNORECASE)
# Also within CDATA; no matter, as only a document that cannot be read is cut by it.
_ENTRY = re.compile(rb"<((?:[\w.-]+:)?(?:item|entry))(?=[\s>]).*?</\1\s*>", re.IGNORECASE | re.DOTALL)


class _Remembering(dict[int, int | str]):
    """A table for `str.translate` that raises no KeyError for each character it leaves alone."""

    def __missing__(self, character: int) -> int:
        if len(self) < _MOST_CHARACTERS:
            self[character] = character
        return character


# A tenth of its time goes into looking for what stands in no text but some of the nineties.
feedparser.mixin._cp1252 = _Remembering(feedparser.mixin._cp1252)


def parse(body: bytes, headers: Mapping[str, str], url: str, zone: ZoneInfo) -> Feed:
    """The feed that came from `url` (after redirects) with `headers` (names in lower case).

    A time without a zone is in `zone`. Raises NotAFeed.
    """
    try:
        source = _source(body, headers.get("content-type", ""))
        del body        # it may be megabytes, and feedparser makes the same again of them
        document = jsonfeed.read(source) if isinstance(source, str) else _document(source)
    except ValueError as error:
        raise NotAFeed(str(error)) from error
    channel = document["feed"]
    return Feed(title=excerpt(_plain(channel, "title"), _TITLE),
                site=http_url(_text(channel, "link"), url),
                entries=tuple(_entry(raw, url, zone) for raw in _newest(document["entries"], zone)))


class _Xml(NamedTuple):
    source: bytes
    root: str
    is_page: bool


def _source(body: bytes, content_type: str) -> _Xml | str:
    """XML to be read, or JSON. Raises ValueError in words for the owner."""
    text = encoding.decode(body, content_type)
    if not text:
        raise ValueError("empty")
    if text.startswith("{"):
        return text
    source = encoding.xml(text)
    root = _ROOT.search(source)
    is_page = bool(_HTML_PAGE.match(text) or (root and root[1].lower() in _HTML_ROOTS))
    return _Xml(source, root[1].decode() if root else "…", is_page)


def _document(xml: _Xml) -> dict[str, Any]:
    """What feedparser makes of it. Raises ValueError in words for the owner."""
    if _OF_A_FEED.search(xml.source):       # feedparser takes seconds over a large page
        document = _by_feedparser(xml.source)
        if document["entries"] or (document["version"] and not xml.is_page):
            return document
    raise ValueError("an HTML page" if xml.is_page else f"XML, but no feed (root <{xml.root}>)")


def _by_feedparser(source: bytes) -> dict[str, Any]:
    """What feedparser gives; an entry over which it raises what Python can is left out, by halves."""
    try:
        return _feedparser(source)
    except MemoryError:
        raise
    except Exception as error:
        halves = list(_readable(_halves(source)))
        if not halves:
            said = excerpt(tidy(str(error)), 100)
            raise ValueError(f"unreadable: {type(error).__name__} {said}") from error
    document = halves[0]
    document["entries"] = [entry for half in halves for entry in half["entries"]]
    return document


def _feedparser(source: bytes) -> dict[str, Any]:
    # A stream: feedparser opens bytes that are the name of a file. Without the URL: it would make guids
    # absolute, and they are to outlive a blog's move to https.
    return feedparser.parse(io.BytesIO(source), sanitize_html=False, resolve_relative_uris=False,
                            response_headers={"content-type": "application/xml; charset=utf-8"})


def _halves(source: bytes) -> list[bytes]:
    """Two documents, each with the channel and half of the entries; none where there are not two."""
    spans = [entry.span() for entry in _ENTRY.finditer(source)]
    if len(spans) < 2:
        return []
    begin, middle, end = spans[0][0], spans[len(spans) // 2][0], spans[-1][1]
    return [source[:middle] + source[end:], source[:begin] + source[middle:]]


def _readable(sources: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    for source in sources:
        with suppress(ValueError):
            yield _by_feedparser(source)


def _entry(raw: dict[str, Any], url: str, zone: ZoneInfo) -> Entry:
    title = excerpt(_plain(raw, "title"), _TITLE)
    summary, content = _plain(raw, "summary"), _content(raw)
    whole = content or (summary if len(summary) > _WHOLE_TEXT else "")
    link = _text(raw, "link")
    # Without a link element feedparser takes the guid for one; then only a whole URL leads anywhere.
    base = url if dict.get(raw, "links") else ""
    return Entry(guid=_guid(_text(raw, "id") or link, title, summary or content),
                 link=http_url(link, base),
                 title=title,
                 excerpt=excerpt(next(filter(_says_something, (summary, content)), "")),
                 minutes=minutes(whole) if whole else None,
                 published=_published(raw, zone),
                 tags=_tags(raw))


def _says_something(text: str) -> bool:
    return any(map(str.isalnum, text))


def _text(raw: dict[str, Any], key: str) -> str:
    # dict.get, as feedparser's own answers `updated` with `published`; and odd elements put records for text.
    value = dict.get(raw, key)
    return value.strip() if isinstance(value, str) else ""


def _plain(raw: dict[str, Any], key: str) -> str:
    detail = dict.get(raw, f"{key}_detail")     # without it, a `summary` is feedparser's copy of the content
    return _by_type(_text(raw, key), detail.get("type")) if isinstance(detail, dict) else ""


def _content(raw: dict[str, Any]) -> str:
    contents = dict.get(raw, "content")
    parts = contents if isinstance(contents, list) else []
    return max((_by_type(_text(part, "value"), part.get("type")) for part in parts), key=len, default="")


def _by_type(value: str, kind: str | None) -> str:
    if kind in _HTML:
        return tidy(from_html(value))
    return tidy(value) if (kind or "").startswith("text/") else ""      # a picture may be an entry's content


def _guid(own: str, title: str, text: str) -> str:
    if own and len(own) <= _GUID and own.isprintable():
        return own
    return hashlib.sha256((own or f"{title}\n{text}").encode("utf-8", "surrogatepass")).hexdigest()


def _published(raw: dict[str, Any], zone: ZoneInfo) -> datetime | date | None:
    read = (dates.read(_text(raw, key), zone) for key in ("published", "updated", "created"))
    return next((when for when in read if when is not None), None)


def _tags(raw: dict[str, Any]) -> tuple[str, ...]:
    categories = dict.get(raw, "tags")
    tags: dict[str, str] = {}
    for category in categories if isinstance(categories, list) else []:
        if tag := _tag(_text(category, "label") or _text(category, "term")):    # RFC 4287, 4.2.2.3
            tags.setdefault(tag.casefold(), tag)
    return tuple(tags.values())[:_TAGS]


def _tag(written: str) -> str:
    tag = tidy(unicodedata.normalize("NFKC", written)).lstrip("#").strip()
    says_something = any(map(str.isalnum, tag)) and "://" not in tag and tag.casefold() not in _NO_TAGS
    return tag if says_something and len(tag) <= _TAG else ""       # half a tag would be another one


def _newest(entries: list[dict[str, Any]], zone: ZoneInfo) -> list[dict[str, Any]]:
    if len(entries) <= _MOST_ENTRIES:
        return entries
    days = [_day(_published(raw, zone)) for raw in entries]
    newest = sorted(range(len(entries)), key=days.__getitem__, reverse=True)[:_MOST_ENTRIES]
    return [entries[place] for place in sorted(newest)]


def _day(published: datetime | date | None) -> date:
    if published is None:
        return date.min
    return published.date() if isinstance(published, datetime) else published
