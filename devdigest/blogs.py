"""The curated blog list → blogs: import, add, find, exclude, pause. No import brings back an excluded one."""
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from urllib.parse import urlsplit

from peewee import chunked

from devdigest import fulltext, urls
from devdigest.bloglists import Row, read
from devdigest.discover import feed_links, guesses, refusal
from devdigest.feed import Feed, NotAFeed
from devdigest.fetch import Fetcher, FetchError
from devdigest.fetching import Fetching
from devdigest.models import Blog, IssuePost, Post, Verdict
from devdigest.parsing import NoParser, Parser
from devdigest.table import db

_NEAR = 5           # blogs a message names as what may have been meant
_MOST_ASKED = 16    # places for the feed of one page: what it names, then the twelve that are guessed


class NotAdded(Exception):
    """The blog was not added; the message names the URL and says why."""


class NoSuchBlog(Exception):
    """No blog fits, or several do; the message names those that come near."""


@dataclass
class ImportReport:
    """What becomes of each row of a list, and which blogs it named once and names no more."""
    added: list[Row] = field(default_factory=list)
    known: list[Row] = field(default_factory=list)          # on the list already, or twice in this one
    excluded: list[Row] = field(default_factory=list)       # asked to be left out: not added
    refused: list[tuple[Row, str]] = field(default_factory=list)
    gone: list[Blog] = field(default_factory=list)          # told, not deleted


def import_list(data: bytes, name: str, group: str, now: datetime, allow_private: bool = False,
                dry_run: bool = False) -> ImportReport:
    """Adds the blogs that the list `name` (a path or URL) has and we have not; changes no other.

    In one transaction; may be repeated. Raises NotAList.
    """
    rows = read(data, name)
    source = name.rstrip("/").rpartition("/")[2].partition("?")[0]
    with db.atomic():
        blogs = list(Blog.select())
        report = _compare(rows, blogs, source, allow_private)
        if not dry_run:
            new = [_values(row) | {"group": group, "source": source, "added": now} for row in report.added]
            for some in chunked(new, 500):
                Blog.insert_many(some).execute()
    return report


def _compare(rows: Iterable[Row], blogs: Iterable[Blog], source: str, allow_private: bool) -> ImportReport:
    report = ImportReport()
    states = {key: blog.state for blog in blogs for key in (blog.listed_key, blog.feed_key)}
    # A list that gives another feed of the same site must not bring back who asked to be left out.
    left_out = {blog.site_key for blog in blogs if blog.state == "excluded"} - {""}
    listed: set[str] = set()
    for row in rows:
        key, site_key = urls.canonical(row.feed), urls.canonical(_site(row))
        if reason := refusal(row.feed, allow_private) if row.feed else "rss is empty":
            report.refused.append((row, reason))
            continue
        if key in listed or states.get(key) in ("active", "paused"):
            report.known.append(row)
        elif key in states or site_key in left_out:
            report.excluded.append(row)
        else:
            report.added.append(row)
        listed.add(key)
    report.gone = [blog for blog in blogs
                   if blog.source == source and blog.state != "excluded"
                   and not listed & {blog.feed_key, blog.listed_key}]
    return report


def _values(row: Row) -> dict[str, str]:
    feed, site = urls.http_url(row.feed), _site(row)
    return {"name": row.name or _host(feed), "site": site, "site_key": urls.canonical(site),
            "feed": feed, "feed_key": urls.canonical(feed), "listed_key": urls.canonical(feed)}


def _site(row: Row) -> str:
    return urls.http_url(row.site.partition(", ")[0])       # Awesome Devblog names two of one blog


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def add(url: str, fetcher: Fetcher, parser: Parser, now: datetime, *, group: str = "people", name: str = "",
        allow_private: bool = False, gap: float = 0.0) -> Blog:
    """The blog whose feed, or whose site's page, is at `url`; it is fetched to find out, with `gap` seconds
    between two requests.

    An excluded one becomes active again. Raises NotAdded, also for a blog that is on the list already.
    """
    if reason := refusal(url, allow_private):
        raise NotAdded(f"{url}: {reason}")
    if known := _at(url):
        return _revived(known[0])
    address, page, feed = _find_feed(url, fetcher, parser, now, gap)
    with db.atomic():
        if known := _at(address):
            return _revived(known[0])
        # the page may be one article of the site that the feed names
        inside = not page or urls.canonical(feed.site) in urls.parents(urls.canonical(page))
        values = _values(Row(name or feed.title, feed.site if inside else page, address))
        return Blog.create(**values, group=group, added=now)


def _find_feed(url: str, fetcher: Fetcher, parser: Parser, now: datetime,
               gap: float) -> tuple[str, str, Feed]:
    """(URL of the feed, URL of the page that led to it or "", feed)."""
    try:
        first = fetcher.get(url, now)
    except FetchError as error:
        raise NotAdded(str(error)) from error
    try:
        return url, "", parser.parse(first.body, first.headers, first.url)
    except NoParser as error:
        raise NotAdded(f"{url}: {error}") from error
    except NotAFeed:
        candidates = feed_links(first.body, first.url) + guesses(first.url)
    for candidate in list(dict.fromkeys(candidates))[:_MOST_ASKED]:
        time.sleep(gap)
        try:
            fetched = fetcher.get(candidate, now)
            return candidate, first.url, parser.parse(fetched.body, fetched.headers, fetched.url)
        except (FetchError, NotAFeed, NoParser):
            continue
    raise NotAdded(f"{url}: no feed, and none was found from there; give the feed's own URL")


def _revived(blog: Blog) -> Blog:
    if blog.state != "excluded":
        raise NotAdded(f"{blog.feed}: on the list already, {blog.state}, as {blog.id} {blog.name}")
    blog.state, blog.first_read = "active", None
    blog.save()
    # no failures: what was long dead would be asked within a week, and not at the next collect
    Fetching.update(etag="", modified="", essence="", validators="both", failures=0).where(
        Fetching.blog == blog).execute()
    return blog


def _at(url: str) -> list[Blog]:
    key = urls.canonical(url)
    if not key:
        return []
    return (list(Fetching.blogs().where((Blog.feed_key == key) | (Blog.listed_key == key)))
            or list(Fetching.blogs().where(Blog.site_key == key)))


def find(text: str) -> Blog:
    """The blog with this number, feed or site; `https://` may be missing. Raises NoSuchBlog."""
    text = text.strip()
    found = _at(text) or _at(f"https://{text}")
    if not found and text.isdecimal():
        found = list(Fetching.blogs().where(Blog.id == text[:18]))
    if len(found) == 1:
        return found[0]
    near = [f"{blog.id} {blog.name} {blog.feed}" for blog in found or _near(text)]
    raise NoSuchBlog("\n  ".join([f"{'several blogs' if found else 'no blog'} {text!r}", *near]))


def _near(text: str) -> list[Blog]:
    blogs, wanted = list(Blog.select()), text.casefold()
    holding = [blog for blog in blogs if wanted in f"{blog.name} {blog.site} {blog.feed}".casefold()]
    if holding:
        return holding[:_NEAR]
    spellings = {word.casefold(): blog
                 for blog in blogs for word in (blog.name, blog.site_key, blog.feed_key)}
    close = get_close_matches(urls.canonical(text) or wanted, spellings, n=_NEAR, cutoff=0.8)
    return list(dict.fromkeys(spellings[word] for word in close))


def exclude(blog: Blog, erase: bool = False) -> int:
    """How many posts are not mailed now, as the blog is left out; no import brings it back. May be repeated.

    With `erase` the titles, excerpts and tags of all its posts are blanked, also in the issues that had them.
    """
    in_an_issue = IssuePost.select(IssuePost.post).where(IssuePost.kind == "daily")
    with db.atomic():
        Blog.update(state="excluded", paused_for="").where(Blog.id == blog.id).execute()
        taken_back = (Post.update(verdict=Verdict.HISTORY)
                      .where(Post.blog == blog, Post.verdict.in_((Verdict.NEWS, Verdict.HELD)),
                             Post.id.not_in(in_an_issue)).execute())
        if erase:
            _erase(blog)
    return taken_back


def _erase(blog: Blog) -> None:
    posts = Post.of(blog)
    fulltext.take_out(posts)
    Post.update(title="", excerpt="", tags="").where(Post.blog == blog).execute()
    fulltext.put_in(posts)
    fulltext.forget()
    IssuePost.update(title="", excerpt="", tags="").where(IssuePost.blog_id == blog.id).execute()


def pause(blog: Blog) -> bool:
    """Whether the blog was active; if so it is not asked until `resume`."""
    return bool(Blog.update(state="paused", paused_for="owner")
                .where(Blog.id == blog.id, Blog.state == "active").execute())


def resume(blog: Blog) -> bool:
    """Whether the blog was paused; if so it is asked again. One that is excluded stays so."""
    return bool(Blog.update(state="active", paused_for="")
                .where(Blog.id == blog.id, Blog.state == "paused").execute())
