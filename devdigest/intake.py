"""A feed that was read → new posts. A post's verdict changes here and nowhere else, but for exclusion."""
import logging
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby

from peewee import fn

from devdigest import bulk, choose, urls
from devdigest.config import Config
from devdigest.days import local_day
from devdigest.feed import Entry, Feed
from devdigest.memory import Restored
from devdigest.models import Blog, Post, Verdict
from devdigest.table import db

log = logging.getLogger(__name__)


def receive(blog: Blog, feed: Feed, config: Config, now: datetime,
            past: bool = False) -> list[bulk.NewPost]:
    """Stores what is new in a feed that could be read. Within the caller's transaction, who saves the blog
    and puts the posts into the index at its end: all at once, as FTS5 writes a segment for each time.
    """
    reading = reading_of(blog, config, now)
    entries = [entry for entry in feed.entries if not (past and choose.is_ahead(entry.published, reading))]
    posts = _store(blog, entries, reading)
    if entries and blog.first_read is None:
        blog.first_read = now
    if not blog.site and feed.site:
        blog.site, blog.site_key = feed.site, urls.canonical(feed.site)
    return posts


def reading_of(blog: Blog | None, config: Config, now: datetime) -> choose.Reading:
    """The circumstances of reading a blog now: for the first time where it is not on the list."""
    zone, read = config.site.timezone, blog and _last_read(blog)
    return choose.Reading(now=now, zone=zone, late_days=config.digest.late_days,
                          first=blog is None or blog.first_read is None,
                          fresh=read is None or local_day(read, zone) < local_day(now, zone),
                          closed=None if read is None else Restored.closed_since(read))


def _last_read(blog: Blog) -> datetime | None:
    """Also where a kill took the note of a good read: not the posts that it gave."""
    seen = Post.select(fn.MAX(Post.first_seen)).where(Post.blog == blog).scalar()
    return max((when for when in (blog.fetching.read, seen) if when), default=None)


def _store(blog: Blog, entries: Sequence[Entry], reading: choose.Reading) -> list[bulk.NewPost]:
    sightings = [choose.sighting(entry, urls.canonical(entry.link), reading) for entry in entries]
    stored: dict[int, bulk.NewPost] = {}        # by place in the document
    new = choose.judge(sightings, bulk.known_posts(blog), reading)
    for number, found in enumerate(new, bulk.next_post_id()):
        entry, same = entries[found.place], found.copy_of
        if entry.is_known:
            raise ValueError("its posts were changed while it was read; the next collect reads it anew")
        repeated = stored[same.place] if isinstance(same, choose.Found) else same
        stored[found.place] = bulk.NewPost(
            id=number, blog_id=blog.id, guid=found.guid, key=found.key, url=entry.link, title=entry.title,
            excerpt=entry.excerpt, minutes=entry.minutes, published=found.published, day=found.day,
            first_seen=reading.now, verdict=found.verdict, tags="\n".join(entry.tags),
            copy_of_id=repeated and (repeated.copy_of_id or repeated.id))
    bulk.insert(stored.values())
    settle(post.key for post in stored.values() if post.verdict == Verdict.NEWS)
    return list(stored.values())


def settle(keys: Iterable[str]) -> None:
    """News that repeats another blog's article becomes its copy, for each of these canonical links."""
    if not (wanted := set(keys) - {""}):
        return
    shared = Post.sharing(wanted)
    for key, group in groupby(shared, key=lambda post: post.key):
        posts = list(group)
        if len(posts) < 2:
            continue
        original = choose.original(posts, Blog.owning(key))
        for post in posts:
            if original and post.id != original.id and post.verdict == Verdict.NEWS and not post.mailed:
                post.verdict, post.copy_of = Verdict.COPY, original.id
                post.save(only=[Post.verdict, Post.copy_of])


def release(blog: Blog) -> int:
    """Held posts of a blog become news after all; how many there were."""
    with db.atomic():
        held = list(Post.select().where(Post.blog == blog, Post.verdict == Verdict.HELD))
        Post.update(verdict=Verdict.NEWS).where(Post.id.in_([post.id for post in held])).execute()
        settle(post.key for post in held)
    return len(held)


def let_go(now: datetime) -> int:
    """Posts held for three days that nobody released become history; how many."""
    return (Post.update(verdict=Verdict.HISTORY)
            .where(Post.verdict == Verdict.HELD, Post.first_seen <= now - choose.HELD_FOR).execute())
