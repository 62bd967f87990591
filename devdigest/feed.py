"""A feed as it was read: plain text and http(s) links. Apart from `parse`, which loads feedparser."""
from datetime import date, datetime
from typing import NamedTuple


class NotAFeed(ValueError):
    """What a body is instead of a feed, in a few words; the owner reads them as the blog's fault."""


class Entry(NamedTuple):
    guid: str                           # the feed's own; else the link as written; else a hash of the text
    link: str                           # absolute http(s) URL; "" where there is none
    title: str                          # one line, at most 300 characters; "" where there is none
    excerpt: str                        # one line, at most 200 characters
    minutes: int | None                 # reading time, where the feed gives the whole text
    published: datetime | date | None   # an instant in UTC, a bare date, or unreadable: see `dates.read`
    tags: tuple[str, ...] = ()          # the blog's own, each on one line, at most 8 of 30 characters
    is_known: bool = False              # a post as it is stored: told without excerpt, minutes and tags


class Feed(NamedTuple):
    title: str
    site: str                           # absolute http(s) URL of the site; "" where the feed names none
    entries: tuple[Entry, ...]          # in the order of the document, at most the 500 newest
