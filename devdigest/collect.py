"""Feeds due → fetch → parse → new posts and the next check. A post's verdict changes here and nowhere else,
but for exclusion.
"""
import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from peewee import IntegrityError

from devdigest import bulk, choose, database, fulltext, urls
from devdigest.clock import Running
from devdigest.config import Config
from devdigest.days import local_day
from devdigest.essence import essence
from devdigest.fetch import Fetched, FetchError
from devdigest.lanes import Answer, Ask, ask_all
from devdigest.locks import locked
from devdigest.memory import Run
from devdigest.models import Blog, Post, Verdict
from devdigest.parse import Entry, Feed, NotAFeed, parse
from devdigest.table import db

log = logging.getLogger(__name__)

_FIRST_RETRY, _LAST_RETRY = timedelta(minutes=15), timedelta(hours=6)
_MOST_WAITING, _LONGEST_WAIT = 50, timedelta(seconds=30)       # outcomes to be stored; the first of them
_CONFIRMATIONS = 3                          # a redirect by mistake is mended by then

Report = Callable[[int, int, int], None]    # done, of how many, failed so far


def collect(config: Config, now: datetime, stop: threading.Event, *, retry: bool = False,
            past: bool = False, report: Report = lambda *_: None) -> Run:
    """Reads every blog that is due, with `retry` only those whose failure may have passed; may be repeated.

    `past`: `now` is not the time it is but a day's own clock, so entries dated after it are left alone.
    One blog's failure is a line in the log and on its record. Raises Busy.
    """
    with locked(config.folder, "collect"), database.refetchable():
        running = Running(now)
        let_go(now)
        expected = Blog.expected(now)
        due = Blog.to_retry(now) if retry else Blog.due(now)
        asks = [Ask(blog.id, blog.feed, blog.etag, blog.modified, blog.essence) for blog in due.iterator()]
        run = Run.create(job="retry" if retry else "collect", started=now, blogs=len(asks))
        batch = _Batch(config, now, past)
        for done, answer in enumerate(ask_all(asks, config, now, stop), start=1):
            outcome = read(answer, config, running.now())
            run.reached += outcome.error is None
            run.failed += outcome.error is not None
            run.posts += batch.add(outcome)
            report(done, len(asks), run.failed)
        run.posts += batch.end()
        # A proxy that answers for every blog, or no network at all, is no reason for an issue without posts.
        run.lacks = 2 * run.reached < max(expected, min(run.blogs, 1))
        if not stop.is_set():
            run.finished = running.now()
        run.said = (f"{run.blogs:,} blogs, {run.reached:,} read, {run.failed:,} failed, "
                    f"{run.posts:,} new posts, {running.seconds():.0f} s")
        run.save()
        log.info("%s: %s%s", run.job, run.said, ", stopped early" if stop.is_set() else "")
        return run


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an answer comes to, before anything of it is stored. The body is not kept."""
    ask: Ask
    heard: datetime             # when it came
    fetched: Fetched | None
    error: FetchError | None
    feed: Feed | None = None    # None where there is nothing new in it, too
    essence: str = ""           # of a feed that could be read

    @property
    def is_quiet(self) -> bool:
        """Whether all that is to be noted is that it was read."""
        return self.error is None and self.feed is None and not self.fetched.moved_to


def read(answer: Answer, config: Config, heard: datetime) -> Outcome:
    """What is in an answer; a document that tells nothing new is not parsed."""
    ask, fetched, error = answer.ask, answer.fetched, answer.error
    if fetched is None or fetched.status == 304:
        return Outcome(ask, heard, fetched, error)
    bare = replace(fetched, body=b"")
    found = essence(fetched.body, fetched.headers.get("content-type", ""), fetched.url)
    if found == ask.essence:
        return Outcome(ask, heard, bare, None, essence=found)
    try:
        feed = parse(fetched.body, fetched.headers, fetched.url, config.site.timezone)
    except NotAFeed as reason:
        return Outcome(ask, heard, None, FetchError(ask.url, str(reason), "not_feed", fetched.status))
    return Outcome(ask, heard, bare, None, feed, found)


class _Batch:
    """Outcomes to be stored together: each transaction is a write of whole pages to an SD card.

    What a kill takes from it is asked and found again: validators are stored with the posts they stand for.
    """

    def __init__(self, config: Config, now: datetime, past: bool) -> None:
        self._config, self._now, self._past = config, now, past
        self._waiting: list[Outcome] = []
        self._quiet: list[bulk.Unchanged] = []

    def add(self, outcome: Outcome) -> int:
        """How many new posts were stored now, of this and others."""
        if outcome.is_quiet:
            self._quiet.append(_unchanged(outcome.ask, outcome.fetched))
            return 0
        self._waiting.append(outcome)
        waited = outcome.heard - self._waiting[0].heard
        return self.store() if len(self._waiting) >= _MOST_WAITING or waited >= _LONGEST_WAIT else 0

    def store(self) -> int:
        """How many new posts were stored."""
        numbers, posts = [outcome.ask.id for outcome in self._waiting], 0
        with db.atomic():
            # paused or excluded while it was asked: then nothing of it is stored
            active = Blog.select().where(Blog.id.in_(numbers), Blog.state == "active")
            blogs = {blog.id: blog for blog in active}
            for outcome in self._waiting:
                if blog := blogs.get(outcome.ask.id):
                    posts += take(outcome, blog, self._config, self._now, self._past)
        self._waiting.clear()
        return posts

    def end(self) -> int:
        """Stores what is waiting, as `store` does, and notes who was read without anything new.

        Once, at the end: who is asked again after a kill has lost nothing but a 304.
        """
        with db.atomic():
            posts = self.store()
            bulk.read_again(self._quiet, self._now)
        return posts


def _unchanged(ask: Ask, fetched: Fetched) -> bulk.Unchanged:
    validators = (ask.etag, ask.modified) if fetched.status == 304 else (fetched.etag, fetched.modified)
    return bulk.Unchanged(ask.id, ask.etag, ask.modified, ask.essence, fetched.status, *validators)


def take(outcome: Outcome, blog: Blog, config: Config, now: datetime, past: bool) -> int:
    """Stores what one outcome leads to, or all of nothing; how many new posts."""
    try:
        with db.atomic():
            if outcome.error is not None:
                _failed(blog, outcome.error, now, outcome.heard)
                return 0
            posts = receive(blog, outcome.feed, config, now, past) if outcome.feed else []
            _was_read(blog, outcome, now, past)
    except (IntegrityError, ValueError) as reason:      # of this feed's words; what others need is stored
        log.exception("feed %s cannot be stored", blog.feed)
        error = FetchError(blog.feed, f"cannot be stored: {reason}"[:200], "ours", outcome.fetched.status)
        _failed(Blog.get_by_id(blog.id), error, now, outcome.heard)
        return 0
    if posts:
        log.info("feed %s %d new posts", blog.feed, len(posts))
    return len(posts)


def receive(blog: Blog, feed: Feed, config: Config, now: datetime, past: bool = False) -> list[Post]:
    """Stores what is new in a feed that could be read. Within the caller's transaction."""
    zone = config.site.timezone
    reading = choose.Reading(now=now, zone=zone, late_days=config.digest.late_days,
                             first=blog.first_read is None,
                             fresh=blog.read is None or local_day(blog.read, zone) < local_day(now, zone))
    entries = [entry for entry in feed.entries if not (past and choose.is_ahead(entry.published, reading))]
    posts = _store(blog, entries, reading)
    if entries and blog.first_read is None:
        blog.first_read = now
    if not blog.site and feed.site:
        blog.site, blog.site_key = feed.site, urls.canonical(feed.site)
    blog.read = now
    blog.save()
    return posts


def _store(blog: Blog, entries: Sequence[Entry], reading: choose.Reading) -> list[Post]:
    sightings = [choose.sighting(entry, urls.canonical(entry.link), reading) for entry in entries]
    stored: dict[int, Post] = {}        # by place in the document
    new = choose.judge(sightings, bulk.known_posts(blog), reading)
    for number, found in enumerate(new, bulk.next_post_id()):
        entry, same = entries[found.place], found.copy_of
        repeated = stored[same.place] if isinstance(same, choose.Found) else same
        stored[found.place] = Post(
            id=number, blog=blog, guid=found.guid, key=found.key, url=entry.link, title=entry.title,
            excerpt=entry.excerpt, minutes=entry.minutes, published=found.published, day=found.day,
            first_seen=reading.now, verdict=found.verdict, tags="\n".join(entry.tags),
            copy_of=repeated and (repeated.copy_of_id or repeated.id))
    bulk.insert(list(stored.values()))
    fulltext.put_in(stored.values())
    settle(post.key for post in stored.values() if post.verdict == Verdict.NEWS)
    return list(stored.values())


def _was_read(blog: Blog, outcome: Outcome, now: datetime, past: bool) -> None:
    fetched = outcome.fetched
    blog.fetched = blog.read = now
    blog.status, blog.fault, blog.fault_kind, blog.failures = fetched.status, "", "", 0
    blog.not_before, blog.asked_to_wait = None, False
    if fetched.status != 304:
        # In a past day's run entries were left alone that these would hide from the next.
        blog.etag, blog.modified, blog.essence = (
            ("", "", "") if past else (fetched.etag, fetched.modified, outcome.essence))
    _follow(blog, fetched.moved_to)
    blog.save()


def _follow(blog: Blog, moved_to: str) -> None:
    """A permanent redirect (RFC 9110, 15.4.2, 15.4.9) becomes the feed's URL once seen often enough."""
    blog.moved_times = blog.moved_times + 1 if moved_to and moved_to == blog.moved_to else int(bool(moved_to))
    blog.moved_to = moved_to
    if blog.moved_times < _CONFIRMATIONS:
        return
    key = urls.canonical(moved_to)
    if Blog.get_or_none(Blog.feed_key == key, Blog.id != blog.id) is None:
        log.info("feed %s moved to %s", blog.feed, moved_to)
        blog.feed, blog.feed_key, blog.moved_to, blog.moved_times = moved_to, key, "", 0


def _failed(blog: Blog, error: FetchError, now: datetime, heard: datetime) -> None:
    log.warning("feed %s %s", blog.feed, error.reason)
    blog.fetched, blog.status, blog.failures = now, error.status, blog.failures + 1
    blog.fault, blog.fault_kind = error.reason, error.kind
    blog.not_before, blog.asked_to_wait = None, error.retry_after is not None
    if error.retry_after is not None:
        blog.not_before = heard + timedelta(seconds=error.retry_after)
    elif error.status is None or error.status == 429 or error.status >= 500:
        # what may pass by itself is tried again this morning; a 404, or what is no feed, at the next collect
        blog.not_before = now + min(_FIRST_RETRY * 2 ** min(blog.failures - 1, 10), _LAST_RETRY)
    elif error.status == 410:
        blog.state, blog.paused_for = "paused", error.reason
    blog.save()


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
