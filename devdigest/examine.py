"""What a feed gives at this moment, and the verdict that each of its newest posts has or would get.

Asks as a collect does, within the same limits; stores nothing.
"""
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain
from zoneinfo import ZoneInfo

from devdigest import choose
from devdigest.config import Config
from devdigest.days import midnight
from devdigest.discover import feed_links, guesses
from devdigest.feed import Feed, NotAFeed
from devdigest.fetch import Fetched, Fetcher, FetchError
from devdigest.fetching import Fetching
from devdigest.identity import Document, Found, Known, Shelf, Sighting
from devdigest.intake import reading_of
from devdigest.models import Blog, Issue, IssuePost, Post, Verdict
from devdigest.parsing import NoParser, Parser
from devdigest.urls import canonical, http_url, parents

_POSTS = 10             # told of each feed: two screens would hide what stands above them
_MOST_TRIES = 16        # places asked for a feed; a page may name thousands
_ELSEWHERE = ("gone", "host", "moved", "not_feed")      # faults after which the feed may have another address


@dataclass(frozen=True, slots=True)
class Asked:
    """One request and what came of it: the `feed`, else the `fault`."""
    url: str
    fetched: Fetched | None = None
    feed: Feed | None = None
    fault: FetchError | None = None
    seconds: float = 0.0        # that it took

    @property
    def redirect(self) -> str:
        """"permanent", "temporary", "mixed" where a temporary one follows permanent ones; "" without any."""
        if self.fetched is None or self.fetched.url == http_url(self.url):
            return ""
        if self.fetched.moved_to == self.fetched.url:
            return "permanent"
        return "mixed" if self.fetched.moved_to else "temporary"


@dataclass(frozen=True, slots=True)
class Contents:
    """The entries of a feed in numbers."""
    entries: int
    newest: date | None     # None where no entry has a plausible date
    undated: int            # entries without a plausible date
    shared: int             # entries whose guid is another one's too


@dataclass(frozen=True, slots=True)
class Fate:
    """What has become of a post (`stored`), or would if the feed were collected now."""
    title: str
    url: str
    day: date
    dated: bool             # by the feed; else `day` is that of first sight
    verdict: Verdict
    stored: bool
    first_seen: datetime
    issue: date | None      # the daily issue that has it, there among those found late
    late: bool
    copy_of: str            # the title of what it repeats, with the blog where it is another's


@dataclass(frozen=True, slots=True)
class Examined:
    """All that was found out."""
    asked: Sequence[Asked]      # what was given, then a blog's site where its feed may have moved
    tried: int                  # places asked after that, in search of a feed
    found: Asked | None         # the one that gave the feed
    blog: Blog | None           # where it is on the list
    contents: Contents | None
    fates: Sequence[Fate]       # of the newest posts, newest first

    @property
    def is_elsewhere(self) -> bool:
        """Whether the blog's feed was found, but not where it is asked for."""
        return bool(self.found and self.blog
                    and not _keys(self.found) & {self.blog.feed_key, self.blog.listed_key})


def examine(url: str, blog: Blog | None, fetcher: Fetcher, parser: Parser, config: Config, now: datetime,
            stop: threading.Event) -> Examined:
    """What the feed at `url`, or named by the page there, gives; with `blog` its feed, whatever `url` is.

    Waits the configured gap between requests; ends early once `stop` is set.
    """
    def ask(place: str) -> Asked:
        return _ask(place, fetcher, parser, now)

    asked = [ask(blog.feed if blog else url)]
    [first] = asked
    if (first.fault and first.fault.kind in _ELSEWHERE and blog and blog.site
            and not stop.wait(config.collect.gap)):
        asked.append(ask(blog.site))
    tried = [] if any(one.feed for one in asked) else _search(asked, ask, config, stop)
    found = next((one for one in chain(asked, tried) if one.feed), None)
    if found is None or found.feed is None:
        return Examined(asked, len(tried), None, blog, None, ())
    blog = blog or _listed(found)
    reading = reading_of(blog, config, now)
    return Examined(asked, len(tried), found, blog, contents(found.feed, reading),
                    _fates(found.feed, blog, reading))


def _ask(url: str, fetcher: Fetcher, parser: Parser, now: datetime) -> Asked:
    began = time.monotonic()
    try:
        fetched = fetcher.get(url, now)
    except FetchError as error:
        return Asked(url, fault=error, seconds=time.monotonic() - began)
    return understood(url, fetched, parser, time.monotonic() - began)


def understood(url: str, fetched: Fetched, parser: Parser, seconds: float = 0.0) -> Asked:
    """What an answer in full (not 304) holds."""
    try:
        feed = parser.parse(fetched.body, fetched.headers, fetched.url)
    except (NotAFeed, NoParser) as error:
        kind = "not_feed" if isinstance(error, NotAFeed) else "ours"
        fault = FetchError(url, str(error), kind, fetched.status)
        return Asked(url, fetched, fault=fault, seconds=seconds)
    return Asked(url, fetched, feed, seconds=seconds)


def _search(pages: Sequence[Asked], ask: Callable[[str], Asked], config: Config,
            stop: threading.Event) -> list[Asked]:
    """What was asked after these pages, in the order that they suggest, up to the first feed."""
    came = [page.fetched for page in pages if page.fetched]
    places = chain((link for page in came for link in feed_links(page.body, page.url)),
                   (place for page in came for place in guesses(page.url)))
    known = {page.url for page in pages}
    tried: list[Asked] = []
    for place in [place for place in dict.fromkeys(places) if place not in known][:_MOST_TRIES]:
        if stop.wait(config.collect.gap):
            break
        tried.append(ask(place))
        if tried[-1].feed:
            break
    return tried


def _listed(found: Asked) -> Blog | None:
    keys = _keys(found)
    return Fetching.blogs().where(Blog.feed_key.in_(keys) | Blog.listed_key.in_(keys)).first()


def _keys(found: Asked) -> set[str]:
    places = (found.url, found.fetched.url if found.fetched else "")
    return {canonical(place) for place in places} - {""}


def contents(feed: Feed, reading: choose.Reading) -> Contents:
    seen = _sightings(feed, reading)
    guids = Counter(one.guid for one in seen)
    return Contents(entries=len(seen), newest=max((one.day for one in seen if one.published), default=None),
                    undated=sum(one.published is None for one in seen),
                    shared=sum(count for count in guids.values() if count > 1))


def _sightings(feed: Feed, reading: choose.Reading) -> list[Sighting]:
    return [choose.sighting(entry, canonical(entry.link), reading) for entry in feed.entries]


def _fates(feed: Feed, blog: Blog | None, reading: choose.Reading) -> list[Fate]:
    posts, seen = Post.of(blog) if blog else [], _sightings(feed, reading)
    shelf = Shelf(posts, Document(seen))
    new = {one.place: one for one in choose.judge(seen, posts, reading)}
    # what is neither new nor known stands twice in the document
    ours = filter(None, (new.get(place) or shelf.by_guid(one) for place, one in enumerate(seen)))
    newest = sorted(dict.fromkeys(ours), key=lambda one: _written(one, reading.zone), reverse=True)[:_POSTS]
    stored = _stored([one for one in newest if isinstance(one, Post)], blog)
    return [_coming(one, feed, blog, reading) if isinstance(one, Found) else stored[one.id] for one in newest]


def _written(one: Known | Found, zone: ZoneInfo) -> datetime:
    return one.published if isinstance(one.published, datetime) else midnight(one.day, zone)


def _stored(posts: Sequence[Post], blog: Blog | None) -> dict[int, Fate]:
    """By the number of the post."""
    rows = (IssuePost.select(IssuePost.post, Issue.day, IssuePost.late).join(Issue)
            .where(IssuePost.kind == "daily", IssuePost.post.in_(posts)).tuples())
    issues = {post: (day, late) for post, day, late in rows}
    repeated = [post.copy_of_id for post in posts if post.copy_of_id]
    originals = {post.id: post for post in Post.select(Post, Blog).join(Blog).where(Post.id.in_(repeated))}
    return {post.id: Fate(post.title, post.url, post.day, post.published is not None, Verdict(post.verdict),
                          True, post.first_seen, *issues.get(post.id, (None, False)),
                          _named(originals.get(post.copy_of_id), blog)) for post in posts}


def _coming(found: Found, feed: Feed, blog: Blog | None, reading: choose.Reading) -> Fate:
    entry = feed.entries[found.place]
    verdict, copy_of = found.verdict, found.copy_of.title if found.copy_of else ""
    if verdict == Verdict.NEWS and (original := _elsewhere(found.key, feed, blog, reading)):
        verdict, copy_of = Verdict.COPY, _named(original, blog)
    return Fate(found.title, entry.link, found.day, found.published is not None, verdict, False, reading.now,
                None, False, copy_of)


@dataclass(slots=True)
class _Candidate:
    """News that is not stored, among posts that are: see choose.Shared."""
    blog_id: int
    group: str
    first_seen: datetime
    verdict: str = Verdict.NEWS
    mailed: bool = False
    id: int = sys.maxsize


def _elsewhere(key: str, feed: Feed, blog: Blog | None, reading: choose.Reading) -> Post | None:
    """The post of another blog that news with this canonical link would repeat."""
    ours = _Candidate(blog.id if blog else 0, blog.group if blog else "people", reading.now)
    owners = Blog.owning(key)
    if blog is None and not owners and canonical(feed.site) in parents(key):
        owners = {ours.blog_id}         # as it would be, were it on the list
    original = choose.original([*Post.sharing({key}), ours], owners)
    return original if isinstance(original, Post) else None


def _named(post: Post | None, blog: Blog | None) -> str:
    if post is None:
        return ""
    return post.title if blog and post.blog_id == blog.id else f"{post.title} · {post.blog.name}"
