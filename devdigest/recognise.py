"""What feedparser would make of what `scan` saw of an entry, by its own functions; None where unsure."""
import re
from contextlib import suppress
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import feedparser.mixin
import feedparser.urls

from devdigest import entries
from devdigest.feed import Entry
from devdigest.scan import Field, Scan, Scanned
from devdigest.urls import http_url

_DATES = ("published", "updated", "created")
_TEXT, _HTML = "text/plain", "text/html"
_TYPES = {"text": _TEXT, "plain": _TEXT, _TEXT: _TEXT, "html": _HTML, _HTML: _HTML}
_PAGES = ("html", "xhtml", _HTML, "application/xhtml+xml")
_REFERENCE = re.compile(r"&\w+;")
# Any two, as of a whole URL nothing is left to be resolved.
_BASES = ("http://a.invalid/b", "https://a.invalid/b")


class _UnsureError(Exception):
    """Only feedparser can tell."""


def stub(scanned: Scanned, scan: Scan, url: str, zone: ZoneInfo) -> Entry | None:
    """The entry with its guid, link, title and date, without its text and tags."""
    try:
        raw = _record(scanned, scan)
    except _UnsureError:
        return None
    if not entries.words(raw, "id") and not entries.words(raw, "link"):
        return None                 # its guid comes of its text
    link = entries.words(raw, "link")
    if "links" not in raw and http_url(link, url) != http_url(link):
        return None                 # an enclosure is a link, too
    return entries.entry(raw, url, zone)._replace(is_known=True)


def published(scanned: Scanned, zone: ZoneInfo) -> datetime | date | None:
    """Its date alone, which is less work. Raises ValueError where it is unsure."""
    if scanned.fields is None:
        raise ValueError
    raw = {field.kind: _mended(field.text.strip()) for field in scanned.fields if field.kind in _DATES}
    return entries.published(raw, zone)


def _record(scanned: Scanned, scan: Scan) -> dict[str, Any]:
    if scanned.fields is None:
        raise _UnsureError
    raw: dict[str, Any] = {}
    for field in scanned.fields:
        if field.kind == "id":
            _id(raw, field, scan.has_base)
        elif field.kind == "link":
            _link(raw, field, scan.has_base)
        elif field.kind == "title":
            _title(raw, field, scan.is_rss)
        else:
            raw["id" if field.kind == "about" else field.kind] = _mended(field.text.strip())
    return raw


def _id(raw: dict[str, Any], field: Field, has_base: bool) -> None:
    is_link = field.attributes.get("ispermalink", "true") == "true"
    text = field.text.strip()
    raw["id"] = _mended(_resolved(text, has_base) if is_link else text)
    if is_link:
        raw.setdefault("link", raw["id"])


def _link(raw: dict[str, Any], field: Field, has_base: bool) -> None:
    attributes = field.attributes
    if "url" in attributes or "uri" in attributes:
        raise _UnsureError
    raw["links"] = [{}]
    if "href" not in attributes:
        link = _mended(_resolved(field.text.strip(), has_base))
        if _REFERENCE.search(link):
            raise _UnsureError
        raw["link"] = link
    elif (attributes.get("rel", "alternate").lower() == "alternate"
          and attributes.get("type", _HTML).lower() in _PAGES):
        raw["link"] = _resolved(attributes["href"], has_base)


def _title(raw: dict[str, Any], field: Field, is_rss: bool) -> None:
    kind = _TYPES.get(field.attributes.get("type", _TEXT).lower())
    if raw.get("title"):
        return                      # the first counts
    if kind is None or "title" in raw or "mode" in field.attributes:
        raise _UnsureError
    text = field.text.strip()
    if kind == _TEXT and ("<" in text or "&" in text) and _looks_like_html(text):
        if not is_rss:
            raise _UnsureError      # in RSS it is taken for HTML, in Atom it is not
        kind = _HTML
    raw["title"], raw["title_detail"] = _mended(text), {"type": kind}


def _looks_like_html(text: str) -> bool:
    return feedparser.mixin._FeedParserMixin.looks_like_html(text)


def _resolved(link: str, has_base: bool) -> str:
    if not link:
        return link
    resolved = feedparser.urls._urljoin("", link)
    if has_base and any(feedparser.urls._urljoin(base, link) != resolved for base in _BASES):
        raise _UnsureError
    return resolved


def _mended(text: str) -> str:
    """UTF-8 that was taken for Latin-1, and characters of Windows, put right as feedparser does."""
    if text.isascii():
        return text
    with suppress(UnicodeError):
        text = text.encode("iso-8859-1").decode()
    return text.translate(feedparser.mixin._cp1252)
