"""What the maintainers of Awesome Devblog may want to change: blogs that are dead, moved, doubled or lacking.

From what the database knows. Asks nobody, changes nothing, and says nothing of blogs on other lists.
"""
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import groupby
from typing import NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import yaml
from peewee import fn

from devdigest.days import local_day
from devdigest.discover import refusal
from devdigest.fetching import Fetching
from devdigest.models import Blog, Post
from devdigest.moves import CONFIRMATIONS
from devdigest.text import tidy
from devdigest.urls import canonical, http_url

# The lists of Awesome Devblog, by the group into which they are imported as a rule.
_LISTS = {"people": "db.yml", "team": "db_community.yml", "overseas": "db_overseas.yml"}
_DEAD_AFTER = timedelta(weeks=5)    # a name that has lapsed can be bought back for 30 days (ICANN, ERRP)
_TRIES = 8                          # in a row: a Pi that was off for weeks has tried once
_ALIKE = 5                          # links that two blogs have in common, at least
_KINDS = ("dead", "duplicate", "moved", "feed found")


class Proposal(NamedTuple):
    """A change to one entry of a list; the blog's values are those that the entry has, or should have."""
    file: str
    kind: str       # one of _KINDS
    why: str
    blog: Blog


def proposals(zone: ZoneInfo) -> list[Proposal]:
    """Every change that is due, at most one of a blog, by list, kind and name."""
    blogs = list(Fetching.blogs().where(Blog.state != "excluded", Blog.paused_for != "owner")
                 .order_by(Blog.id))
    listed = [blog for blog in blogs if blog.source.endswith((".yml", ".yaml"))]
    dead = list(_dead(listed, zone))
    doubled = list(_doubled(_without(listed, dead)))
    kept = _without(listed, dead + doubled)
    lacking = _lacking(blogs, kept, zone) if listed else ()     # else no list is theirs
    found = [*dead, *doubled, *_moved(kept, zone), *lacking]
    return sorted(found, key=lambda one: (one.file, _KINDS.index(one.kind), one.blog.name, one.blog.feed))


def _without(blogs: Iterable[Blog], found: Iterable[Proposal]) -> list[Blog]:
    ids = {one.blog.id for one in found}
    return [blog for blog in blogs if blog.id not in ids]


def _dead(blogs: Iterable[Blog], zone: ZoneInfo) -> Iterator[Proposal]:
    for blog in blogs:
        known = blog.fetching
        since, last = known.read or blog.added, known.fetched
        if last is None:
            continue
        day = local_day(last, zone)
        if blog.state == "paused":      # by HTTP 410, the server's own word
            yield Proposal(blog.source, "dead", f"{blog.paused_for} on {day}", blog)
        elif (known.fault_kind in ("gone", "host") and known.failures >= _TRIES
              and last - since >= _DEAD_AFTER):
            read = f"not read since {local_day(since, zone)}" if known.read else "never read"
            why = f"{known.fault}, {known.failures:,} times in a row up to {day}; {read}"
            yield Proposal(blog.source, "dead", f"{why}, {(last - since).days // 7} weeks", blog)


def _doubled(blogs: Iterable[Blog]) -> Iterator[Proposal]:
    """Of each two only one, and never both."""
    left = {blog.id: blog for blog in blogs}
    feeds = {blog.feed_key: blog.id for blog in blogs}
    for blog in list(left.values()):
        other = left.get(feeds.get(canonical(blog.fetching.moved_to), 0))
        if other and other.id != blog.id and blog.fetching.moved_times >= CONFIRMATIONS:
            del left[blog.id]
            why = f"redirects for good to the feed of {_named(other)}"
            yield Proposal(blog.source, "duplicate", why, blog)
    for first, second, common in _alike():
        if first in left and second in left:
            blog = left.pop(second)
            why = f"{common} of its posts are also those of {_named(left[first])}"
            yield Proposal(blog.source, "duplicate", why, blog)


def _named(blog: Blog) -> str:
    return f"{blog.name} in {blog.source}: {blog.feed}"


def _alike() -> Iterator[tuple[int, int, int]]:
    """(number of a blog, of a later one, links in common): where these are most of what either has had.

    Of both, as all posts of a writer may stand in the feed of a team too.
    """
    other, links = Post.alias(), fn.COUNT(Post.key.distinct())
    had = dict(Post.select(Post.blog, links).where(Post.key != "").group_by(Post.blog).tuples())
    pairs = (Post.select(Post.blog, other.blog, links)
             .join(other, on=(other.key == Post.key) & (other.blog > Post.blog)).where(Post.key != "")
             .group_by(Post.blog, other.blog).having(links >= _ALIKE).order_by(Post.blog, other.blog))
    return ((one, two, common) for one, two, common in pairs.tuples() if 2 * common > max(had[one], had[two]))


def _moved(blogs: Iterable[Blog], zone: ZoneInfo) -> Iterator[Proposal]:
    for blog in blogs:
        if blog.listed_key not in ("", blog.feed_key) and blog.fetching.read and _is_public(blog.feed):
            why = f"from {blog.listed_key} to this `rss`, read there on {local_day(blog.fetching.read, zone)}"
            yield Proposal(blog.source, "moved", why, blog)


def _lacking(blogs: Iterable[Blog], listed: Iterable[Blog], zone: ZoneInfo) -> Iterator[Proposal]:
    """Blogs that were added by hand: the lists name many sites without their feed."""
    sites = {blog.site_key for blog in listed}
    for blog in blogs:
        well = (blog.state == "active" and blog.first_read and not blog.fetching.fault
                and _is_public(blog.feed))
        if not blog.source and well and blog.site_key not in sites | {""}:
            why = f"for the entry without `rss`, or a new one; read since {local_day(blog.first_read, zone)}"
            yield Proposal(_LISTS[blog.group], "feed found", why, blog)


def _is_public(url: str) -> bool:
    """Whether strangers could open it, as far as the name tells."""
    host = urlsplit(url).hostname or ""
    return not refusal(url) and "." in host


def as_yaml(found: Iterable[Proposal]) -> str:
    """The entries as the lists write them, each under a comment that says what is the matter."""
    pieces = ["# For Awesome Devblog: what reading its feeds every day has shown. Please look at each.\n"]
    for file, of_file in groupby(found, key=lambda one: one.file):
        pieces.append(f"# {tidy(file)}\n")
        pieces += [f"# {one.kind}: {tidy(one.why)}\n{_entry(one.blog)}" for one in of_file]
    if len(pieces) == 1:
        pieces.append("# Nothing to change.\n")
    return "\n".join(pieces)


def _entry(blog: Blog) -> str:
    entry = {"name": tidy(blog.name), "blog": http_url(blog.site), "rss": http_url(blog.feed)}
    return yaml.safe_dump([{key: value for key, value in entry.items() if value}], allow_unicode=True,
                          sort_keys=False, width=10_000)
