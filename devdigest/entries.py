"""One entry as feedparser has it → plain text, an http(s) link and a date.

Whether a date is plausible or a post new is not judged here.
"""
import hashlib
import unicodedata
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from devdigest import dates
from devdigest.feed import Entry
from devdigest.text import excerpt, from_html, minutes, tidy
from devdigest.urls import http_url

TITLE = 300                 # characters
_GUID = 500                 # characters; a longer one is known by its hash
_WHOLE_TEXT = 1500          # characters from which a description is taken for the whole post
_TAG, _TAGS = 30, 8         # characters, and how many; what is longer was written for search engines
# What the software of blogs puts where the writer has chosen nothing: WordPress, Tistory, Naver, Ghost.
_NO_TAGS = {"미분류", "분류없음", "카테고리 없음", "기본 카테고리", "분류 전체보기", "전체보기", "전체 글",
            "전체", "uncategorized", "uncategorised", "all posts", "all", "default", "none", "null"}
_HTML = ("text/html", "application/xhtml+xml")


def entry(raw: dict[str, Any], url: str, zone: ZoneInfo) -> Entry:
    """The entry of the feed at `url`; a time without a zone is in `zone`."""
    title = excerpt(plain(raw, "title"), TITLE)
    summary, content = plain(raw, "summary"), _content(raw)
    whole = content or (summary if len(summary) > _WHOLE_TEXT else "")
    link = words(raw, "link")
    # Without a link element feedparser takes the guid for one; then only a whole URL leads anywhere.
    base = url if dict.get(raw, "links") else ""
    return Entry(guid=_guid(words(raw, "id") or link, title, summary or content),
                 link=http_url(link, base),
                 title=title,
                 excerpt=excerpt(next(filter(_says_something, (summary, content)), "")),
                 minutes=minutes(whole) if whole else None,
                 published=published(raw, zone),
                 tags=_tags(raw))


def _says_something(text: str) -> bool:
    return any(map(str.isalnum, text))


def words(raw: dict[str, Any], key: str) -> str:
    """The text under that name; "" where there is none."""
    # dict.get, as feedparser's own answers `updated` with `published`; and odd elements put records for text.
    value = dict.get(raw, key)
    return value.strip() if isinstance(value, str) else ""


def plain(raw: dict[str, Any], key: str) -> str:
    """The text under that name, without the markup that it may have."""
    detail = dict.get(raw, f"{key}_detail")     # without it, a `summary` is feedparser's copy of the content
    return _by_type(words(raw, key), detail.get("type")) if isinstance(detail, dict) else ""


def _content(raw: dict[str, Any]) -> str:
    contents = dict.get(raw, "content")
    parts = contents if isinstance(contents, list) else []
    return max((_by_type(words(part, "value"), part.get("type")) for part in parts), key=len, default="")


def _by_type(value: str, kind: str | None) -> str:
    if kind in _HTML:
        return tidy(from_html(value))
    return tidy(value) if (kind or "").startswith("text/") else ""      # a picture may be an entry's content


def _guid(own: str, title: str, text: str) -> str:
    if own and len(own) <= _GUID and own.isprintable():
        return own
    return hashlib.sha256((own or f"{title}\n{text}").encode("utf-8", "surrogatepass")).hexdigest()


def published(raw: dict[str, Any], zone: ZoneInfo) -> datetime | date | None:
    """When it was published, else updated, else created: the first of them that can be read."""
    read = (dates.read(words(raw, key), zone) for key in ("published", "updated", "created"))
    return next((when for when in read if when is not None), None)


def _tags(raw: dict[str, Any]) -> tuple[str, ...]:
    categories = dict.get(raw, "tags")
    tags: dict[str, str] = {}
    for category in categories if isinstance(categories, list) else []:
        if tag := _tag(words(category, "label") or words(category, "term")):    # RFC 4287, 4.2.2.3
            tags.setdefault(tag.casefold(), tag)
    return tuple(tags.values())[:_TAGS]


def _tag(written: str) -> str:
    tag = tidy(unicodedata.normalize("NFKC", written)).lstrip("#").strip()
    says_something = any(map(str.isalnum, tag)) and "://" not in tag and tag.casefold() not in _NO_TAGS
    return tag if says_something and len(tag) <= _TAG else ""       # half a tag would be another one
