"""Where a blog's feed went: a redirect, or what a page says that came instead of the feed, is followed once
it was seen often enough. Changes the record, saves nothing.
"""
import logging
from urllib.parse import urlsplit

from devdigest import urls
from devdigest.fetch import FetchError
from devdigest.models import Blog

log = logging.getLogger(__name__)

CONFIRMATIONS = 3      # a redirect or a page by mistake is mended by then


def follow(blog: Blog, moved_to: str) -> None:
    """A permanent redirect (RFC 9110, 15.4.2, 15.4.9) becomes the feed's URL; "" for none: nothing counts."""
    _note(blog, moved_to)
    if blog.fetching.moved_times >= CONFIRMATIONS and not _is_taken(blog, moved_to):
        log.info("feed %s moved to %s", blog.feed, moved_to)
        _go(blog, moved_to)


def address(blog: Blog) -> str:
    """Where to ask for the feed: where the page that came instead of it says, once it did so often enough."""
    last = blog.fetching
    sought = last.fault_kind == "not_feed" and last.moved_times >= CONFIRMATIONS
    return last.moved_to if sought else blog.feed


def seek(blog: Blog, link: str) -> None:
    """Notes the feed that a page names which came instead of the feed; it must lie on the blog's own host."""
    own = {_host(blog.feed), _host(blog.site)}
    fits = (_host(link) in own and "comment" not in link.lower()
            and urls.canonical(link) != blog.feed_key and not _is_taken(blog, link))
    _note(blog, link if fits else "")


def found(blog: Blog, asked: str, error: FetchError | None) -> FetchError | None:
    """What became of asking where a page said that the feed is: its URL from now on, or the blog's fault.

    What that URL answers to is not the blog's: a 410 there pauses nothing.
    """
    taken = error is None and _is_taken(blog, asked)
    if error is not None or taken:
        _note(blog, "")
        why = error.reason if error else "another blog's"
        return FetchError(blog.feed, f"an HTML page; of the feed that it names, {asked}: {why}", "not_feed",
                          blog.fetching.status)
    log.info("feed %s is a page now, which says that it is at %s: followed", blog.feed, asked)
    _go(blog, asked)
    return None


def _note(blog: Blog, target: str) -> None:
    noted = blog.fetching
    noted.moved_times = noted.moved_times + 1 if target and target == noted.moved_to else int(bool(target))
    noted.moved_to = target


def _go(blog: Blog, target: str) -> None:
    blog.feed, blog.feed_key = target, urls.canonical(target)
    blog.fetching.moved_to, blog.fetching.moved_times = "", 0
    blog.fetching.validators = "both"       # another server


def _is_taken(blog: Blog, url: str) -> bool:
    return Blog.select().where(Blog.feed_key == urls.canonical(url), Blog.id != blog.id).exists()


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").removeprefix("www.")
