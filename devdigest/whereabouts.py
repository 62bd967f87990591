"""Answers 'where is my post?': which blog a name or a pasted address means, what became of its posts, when it
is read next. Changes nothing.
"""
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import reduce
from itertools import count
from operator import or_
from typing import Any

from peewee import JOIN, ModelSelect

from devdigest.config import Config
from devdigest.days import at, clock, local_day
from devdigest.discover import guesses
from devdigest.fetching import WEEKLY, Fetching
from devdigest.memory import Operator
from devdigest.models import Blog, Issue, IssuePost, Post, Verdict
from devdigest.text import tidy
from devdigest.urls import canonical, http_url, operator, parents

_SCHEME = re.compile(r"https?://", re.IGNORECASE)
_BARE = re.compile(r"[\w-]+(?:\.[\w-]+)+(?::\d+)?(?:/\S*)?")        # example.org/post; Node.js as well
_FOR_PHONES = re.compile(r"^([^/]+)/m(?=/)")                # how Tistory and others write it there
_OTHER_HOST = re.compile(r"^(?:www|m)\.")
_FRONT = re.compile(r"/(?:posts|m|index\.html?)$")          # a blog itself at Velog, Tistory and elsewhere
# What platforms write in more than one way: a post with and without the frame at Naver, a name at Medium.
_OTHER_WAYS = [(re.compile(pattern), other) for pattern, other in (
    (r"^(?:m\.)?(blog\.naver\.com)/PostView\.\w+\?(?=.*\bblogId=([\w-]+))(?=.*\blogNo=(\d+)).*", r"\1/\2/\3"),
    (r"^(?:m\.)?(blog\.naver\.com)/PostList\.\w+\?.*\bblogId=([\w-]+).*", r"\1/\2"),
    (r"^(?:m\.)?(blog\.naver\.com/[\w-]+)\?.*\blogNo=(\d+).*", r"\1/\2"),
    (r"^([\w-]+)\.medium\.com(?=/|$)", r"medium.com/@\1"),
    (r"^medium\.com/@([\w-]+)(?=/|$)", r"\1.medium.com"))]
_FEW = 5        # blogs at one host, any of which may be meant; a platform has more


def listed(name: str = "", group: str = "", failing: bool = False) -> list[Blog]:
    """Blogs not left out, by name; only those with `name` in theirs, of a group, or that fail at present.

    Those with `name` in the address of their site follow: people are listed by their names alone.
    """
    query = Fetching.blogs().where(Blog.state != "excluded")
    if group:
        query = query.where(Blog.group == group)
    if failing:
        query = query.where(Fetching.is_failing())
    wanted = _letters(name)
    # not in SQL, which knows upper and lower case of ASCII alone
    found = [blog for blog in query
             if wanted in _letters(blog.name) or wanted in blog.site_key.casefold()]
    return sorted(found, key=lambda blog: (wanted not in _letters(blog.name), tidy(blog.name).casefold(),
                                           blog.id))


def _letters(name: str) -> str:
    return "".join(tidy(name).casefold().split())


def address(typed: str) -> str:
    """The URL that was typed, perhaps without its `https://`; "" where it is none, but words."""
    if _SCHEME.match(typed):
        return http_url(typed)
    return http_url(f"https://{typed}") if _BARE.fullmatch(typed) else ""


def meant(url: str) -> list[Blog]:
    """The blogs that the post, feed or site at `url` may belong to: one as a rule, none where it is unknown.

    One that was left out is among them only alone.
    """
    ways = _spellings(canonical(url))
    found = _with_post(ways) or _with_feed(ways) or _nearby(url, ways)
    return [blog for blog in found if blog.state != "excluded"] or found


def is_front(blog: Any, url: str) -> bool:
    """Whether `url` is that of the blog itself or of its feed, and of no post."""
    ways = _written([canonical(url)])
    return not {blog.site_key, blog.feed_key, blog.listed_key}.isdisjoint(
        ways + [_FRONT.sub("", way) for way in ways])


def _spellings(key: str) -> list[str]:
    """A canonical link, and as the feed may have it: without what readers, phones and categories add."""
    bare = key.partition("?")[0].partition("#")[0]
    return _written([key, bare] if "/" in bare else [key])


def _written(ways: list[str]) -> list[str]:
    """These canonical links, and as they are written for phones and under other hosts."""
    ways = ways + [pattern.sub(other, way) for pattern, other in _OTHER_WAYS for way in ways]
    ways += [_FOR_PHONES.sub(r"\1", way) for way in ways]
    ways += [_OTHER_HOST.sub("", way) for way in ways]
    ways += [f"www.{way}" for way in ways]
    return list(dict.fromkeys(ways))


def _with_post(ways: list[str]) -> list[Blog]:
    blogs = list(Fetching.blogs().where(Blog.id.in_(Post.select(Post.blog).where(Post.linked(ways)))))
    owners = Blog.owning(ways[0]) if len(blogs) > 1 else set()
    return [blog for blog in blogs if blog.id in owners] or blogs


def _with_feed(keys: Iterable[str]) -> list[Blog]:
    keys = list(keys)
    return list(Fetching.blogs().where(Blog.feed_key.in_(keys) | Blog.listed_key.in_(keys)))


def _nearby(url: str, ways: list[str]) -> list[Blog]:
    """The blogs in whose site or beside whose feed the page lies; a whole platform is nobody's site."""
    neighbours, host = _at_host(ways[0]), _host(ways[0])
    alone = len(neighbours) <= _FEW
    sites = {site for way in ways for site in parents(way) if alone or "/" in site or _host(site) != host}
    around = list(Fetching.blogs().where(Blog.site_key.in_(sites)))
    longest = max((len(blog.site_key) for blog in around), default=0)
    return ([blog for blog in around if len(blog.site_key) == longest]
            or _with_feed(map(canonical, guesses(url))) or (neighbours if alone else []))


def _at_host(key: str) -> list[Blog]:
    """The blogs with site or feed at the host of `key`; where these are more than a few, not all."""
    hosts = [f"{start}{_host(key)}" for start in ("", "www.", "m.")]
    there = [(column == one) | column.startswith(f"{one}/")
             for column in (Blog.site_key, Blog.feed_key) for one in hosts]
    return list(Fetching.blogs().where(reduce(or_, there)).limit(_FEW + 1))


def _host(key: str) -> str:
    return _OTHER_HOST.sub("", key.partition("/")[0].partition("?")[0])


def latest(blog: Blog, most: int) -> list[Post]:
    """The posts of a blog seen last; `issue_day` and `late` tell of the daily issue that has one, or None."""
    return list(_with_issue().where(Post.blog == blog)
                .order_by(Post.first_seen.desc(), Post.day.desc(), Post.id.desc()).limit(most).objects())


def post_at(blog: Blog, url: str) -> Post | None:
    """The post of a blog that has this link, told as by `latest`."""
    ways = _spellings(canonical(url))
    return min(_with_issue().where(Post.blog == blog, Post.key.in_(ways)).objects(), default=None,
               key=lambda post: (ways.index(post.key), post.verdict == Verdict.COPY, -post.id))


def originals(posts: Iterable[Post]) -> dict[int, Post]:
    """What these posts repeat, by number, told as by `latest`, with `blog_name` and `blog_state`."""
    numbers = [post.copy_of_id for post in posts if post.copy_of_id]
    return {post.id: post for post in _with_issue().where(Post.id.in_(numbers)).objects()}


def _with_issue() -> ModelSelect:
    daily = (IssuePost.post == Post.id) & (IssuePost.kind == "daily")
    return (Post.select(Post, Issue.day.alias("issue_day"), IssuePost.late,
                        Blog.name.alias("blog_name"), Blog.state.alias("blog_state"))
            .join(Blog).switch(Post).join(IssuePost, JOIN.LEFT_OUTER, on=daily)
            .join(Issue, JOIN.LEFT_OUTER, on=(IssuePost.issue == Issue.id)))


def known(blog: Blog) -> int:
    """How many different posts of a blog have been found."""
    return Post.select().where(Post.blog == blog, Post.verdict != Verdict.COPY).count()


def held(blog: Blog) -> int:
    """How many posts of a blog wait for the owner's look."""
    return Post.select().where(Post.blog == blog, Post.verdict == Verdict.HELD).count()


def next_fetch(config: Config, blog: Blog, now: datetime) -> datetime | None:
    """When a blog is asked next: at a time of collecting, or earlier that morning where it failed; else None.

    What the worker does by agenda.py, seen from one blog.
    """
    if blog.state != "active":
        return None
    zone = config.site.timezone
    earliest = _earliest(blog, now)
    times = sorted(map(clock, config.collect.times))
    days = (local_day(earliest, zone) + timedelta(days=more) for more in count())
    planned = next(time for day in days for start in times
                   if (time := at(day, start, zone)) > now and time >= earliest)
    if blog.fetching.fault and blog.fetching.not_before:
        again = max(earliest, blog.fetching.not_before)
        if again < at(local_day(again, zone), clock(config.collect.retry_until), zone):
            return min(again, planned)
    return planned


def _earliest(blog: Blog, now: datetime) -> datetime:
    last = blog.fetching
    waits = [last.not_before if last.asked_to_wait else None, Operator.waiting(now).get(operator(blog.feed))]
    if last.fetched and Fetching.is_long_dead(blog, now):
        waits.append(last.fetched + WEEKLY)
    return max([now, *filter(None, waits)])
