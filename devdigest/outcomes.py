"""What an answer to a fetch comes to, and the storing of many such outcomes at once."""
import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from peewee import IntegrityError, PeeweeException

from devdigest import bulk, fulltext, links, moves, validators, wear
from devdigest.config import Config
from devdigest.discover import feed_links
from devdigest.essence import essence
from devdigest.feed import Feed, NotAFeed
from devdigest.fetch import Fetched, FetchError
from devdigest.fetching import TRIES, Fetching
from devdigest.intake import receive
from devdigest.lanes import Answer, Ask
from devdigest.models import Blog
from devdigest.parsing import NoParser, Parser
from devdigest.table import db

log = logging.getLogger(__name__)

# Raised over what one feed says; whatever else the database raises is everybody's trouble.
_OF_ITS_WORDS = (IntegrityError, ValueError, TypeError, AttributeError, LookupError, ArithmeticError)
_FIRST_RETRY, _LAST_RETRY = timedelta(minutes=15), timedelta(hours=6)
# To be stored together: entries, so that a visitor who wants to write never waits long, and until the first
# of them is stored at last.
_MOST_WAITING, _LONGEST_WAIT = 500, timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an answer comes to, before anything of it is stored. The body is not kept."""
    ask: Ask
    heard: datetime             # when it came
    fetched: Fetched | None
    error: FetchError | None
    feed: Feed | None = None    # None where there is nothing new in it, too
    essence: str = ""           # of a feed that could be read
    named: str = ""             # the feed that a page names which came instead of one
    denied: bool = False        # a 304 had said a moment before that nothing is new

    @property
    def is_quiet(self) -> bool:
        """Whether all that is to be noted is that it was read."""
        return self.error is None and self.feed is None and not self.fetched.moved_to


def read(answer: Answer, parser: Parser, heard: datetime) -> Outcome:
    """What is in an answer; a document that tells nothing new is not parsed.

    A mistake over it, ours or a library's, is a fault of its blog: the collect goes on.
    """
    try:
        return _read(answer, parser, heard)
    except PeeweeException:     # everybody's trouble
        raise
    except Exception as error:
        log.exception("feed %s cannot be understood", answer.ask.url)
        reason = f"cannot be understood: {type(error).__name__}"
        return Outcome(answer.ask, heard, None, FetchError(answer.ask.url, reason, "ours"))


def _read(answer: Answer, parser: Parser, heard: datetime) -> Outcome:
    ask, fetched, error = answer.ask, answer.fetched, answer.error
    if fetched is None or fetched.status == 304:
        return Outcome(ask, heard, fetched, error)
    bare = replace(fetched, body=b"")
    found = essence(fetched.body, fetched.headers.get("content-type", ""), fetched.url)
    if found == ask.essence:
        return Outcome(ask, heard, bare, None, essence=found, denied=answer.denied)
    try:
        feed = parser.parse(fetched.body, fetched.headers, fetched.url, bulk.likenesses(ask.id))
    except (NotAFeed, NoParser) as reason:
        kind, status = ("not_feed", fetched.status) if isinstance(reason, NotAFeed) else ("ours", None)
        named = next(iter(feed_links(fetched.body, fetched.url)), "") if status else ""
        return Outcome(ask, heard, None, FetchError(ask.url, str(reason), kind, status), named=named)
    return Outcome(ask, heard, bare, None, feed, found, denied=answer.denied)


class Batch:
    """Outcomes to be stored together: each transaction is a write of whole pages to an SD card.

    What a kill takes from it is asked and found again: validators are stored with the posts they stand for.
    """

    def __init__(self, config: Config, now: datetime, past: bool, wal: wear.Log) -> None:
        self._config, self._now, self._past, self._wal = config, now, past, wal
        self._waiting: list[Outcome] = []
        self._entries = 0
        self._quiet: list[bulk.Unchanged] = []
        self._noted: list[bulk.Noted] = []

    def add(self, outcome: Outcome) -> int:
        """How many new posts were stored now, of this and others."""
        if outcome.is_quiet:
            self._quiet.append(_unchanged(outcome))
        else:
            self._waiting.append(outcome)
            self._entries += 1 + (_weight(outcome.feed) if outcome.feed else 0)
        waited = outcome.heard - self._waiting[0].heard if self._waiting else timedelta(0)
        return self.store() if self._entries >= _MOST_WAITING or waited >= _LONGEST_WAIT else 0

    def store(self) -> int:
        """How many new posts were stored; in the order of blogs, so that each page is written once."""
        self._waiting.sort(key=lambda outcome: outcome.ask.id)
        numbers, posts = [outcome.ask.id for outcome in self._waiting], 0
        with db.atomic():
            first = bulk.next_post_id()
            # paused or excluded while it was asked: then nothing of it is stored
            active = Fetching.blogs().where(Blog.id.in_(numbers), Blog.state == "active")
            blogs = {blog.id: blog for blog in active}
            for outcome in self._waiting:
                if blog := blogs.get(outcome.ask.id):
                    had = bulk.had(blog.fetching)
                    posts += take(outcome, blog, self._config, self._now, self._past)
                    if blog.fetching.is_dirty():
                        self._noted.append(bulk.Noted(*had, bulk.values(blog.fetching)))
            fulltext.put_in_from(first)
            links.put_in()
        self._wal.look()
        self._waiting.clear()
        self._entries = 0
        return posts

    def end(self) -> int:
        """Stores what is waiting, as `store` does, and notes what became of asking each blog.

        Once, at the end: who is asked again after a kill has lost nothing but a 304, and its posts are known.
        """
        with db.atomic():
            posts = self.store()
            bulk.read_again(self._quiet, self._now)
            bulk.note(self._noted)
        self._wal.look()
        self._quiet.clear()
        self._noted.clear()
        return posts


def _weight(feed: Feed) -> int:
    """Of its entries while they wait: a known one has no text, and is not stored."""
    known = sum(entry.is_known for entry in feed.entries)
    return len(feed.entries) - known + known // 16


def _unchanged(outcome: Outcome) -> bulk.Unchanged:
    ask, fetched = outcome.ask, outcome.fetched
    had, given, sends = (ask.etag, ask.modified), (fetched.etag, fetched.modified), ask.sends
    if fetched.status != 304 and not outcome.denied:
        sends = validators.after_vain(sends, had, given)
    if fetched.status == 304 or given == had:
        given = had     # the same strings: it is kept until the end
    return bulk.Unchanged(ask.id, *had, ask.essence, fetched.status, *given, sends)


def take(outcome: Outcome, blog: Blog, config: Config, now: datetime, past: bool) -> int:
    """Stores what one outcome leads to, or all of nothing; how many posts are new. What became of asking is
    noted in the blog's `fetching`, for the caller to store; it is stored where it is to outlive a kill.
    """
    try:
        with db.atomic():
            if (error := _moved(blog, outcome)) is not None:
                _failed(blog, error, now, outcome.heard)
                return 0
            posts = len(receive(blog, outcome.feed, config, now, past)) if outcome.feed else 0
            if outcome.denied and posts:
                _no_more_304(blog, posts)
            _was_read(blog, outcome, now, past)
    except _OF_ITS_WORDS as reason:     # what others need is stored
        log.exception("feed %s cannot be stored", blog.feed)
        error = FetchError(blog.feed, f"cannot be stored: {reason}"[:200], "ours",
                           outcome.fetched and outcome.fetched.status)
        stored = Fetching.blogs().where(Blog.id == blog.id).get()
        _failed(stored, error, now, outcome.heard)
        blog.fetching = stored.fetching     # without the validators of what is not stored
        return 0
    if posts:
        log.debug("feed %s %d new posts", blog.feed, posts)
    return posts


def _no_more_304(blog: Blog, posts: int) -> None:
    noted = blog.fetching
    noted.validators = validators.after_a_lie(noted.validators, noted.etag, noted.modified)
    log.warning("feed %s said 304 though it had %d new posts; of its validators, %s is sent from now on",
                blog.feed, posts, noted.validators)


def _moved(blog: Blog, outcome: Outcome) -> FetchError | None:
    """The blog's fault, once it is noted where its feed may have gone."""
    if outcome.ask.url != blog.feed:
        return moves.found(blog, outcome.ask.url, outcome.error)
    if outcome.error is not None and outcome.error.kind == "not_feed":
        moves.seek(blog, outcome.named)
    return outcome.error


def _was_read(blog: Blog, outcome: Outcome, now: datetime, past: bool) -> None:
    fetched, noted = outcome.fetched, blog.fetching
    noted.fetched = noted.read = now
    noted.status, noted.fault, noted.fault_kind, noted.failures = fetched.status, "", "", 0
    noted.not_before, noted.asked_to_wait = None, False
    # of who was left out and added again since, a document that was not read is to be read from the beginning
    if fetched.status != 304 and (outcome.feed or noted.essence == outcome.essence):
        # In a past day's run entries were left alone that these would hide from the next.
        noted.etag, noted.modified, noted.essence = (
            ("", "", "") if past else (fetched.etag, fetched.modified, outcome.essence))
    moves.follow(blog, fetched.moved_to)
    _save(blog)


def _failed(blog: Blog, error: FetchError, now: datetime, heard: datetime) -> None:
    noted = blog.fetching
    noted.fetched, noted.status, noted.failures = now, error.status, noted.failures + 1
    log.debug("feed %s %s%s", blog.feed, error.reason, _for_how_long(blog, now))
    noted.fault, noted.fault_kind = error.reason, error.kind
    noted.not_before, noted.asked_to_wait = None, error.retry_after is not None
    if error.retry_after is not None:
        # up to a whole second, as only those are kept: nobody is asked again before the time
        rest = -heard.microsecond % 1_000_000
        noted.not_before = heard + timedelta(seconds=error.retry_after, microseconds=rest)
    elif error.status is None or error.status == 429 or error.status >= 500:
        # what may pass by itself is tried again this morning; a 404, or what is no feed, at the next collect
        noted.not_before = now + min(_FIRST_RETRY * 2 ** min(noted.failures - 1, 10), _LAST_RETRY)
    elif error.status == 410:
        blog.state, blog.paused_for = "paused", error.reason
    _save(blog)


def _save(blog: Blog) -> None:
    """What cannot wait for the end of the run: the blog itself, and a server's wish to be left alone."""
    if blog.is_dirty() or blog.fetching.asked_to_wait:
        blog.save()
        blog.fetching.save()


def _for_how_long(blog: Blog, now: datetime) -> str:
    last_read = blog.fetching.read
    if blog.fetching.failures <= TRIES or not Fetching.is_long_dead(blog, now):
        return ""
    since = f"not read since {last_read:%Y-%m-%d}" if last_read else "never read"
    return f"; {since}, asked once a week"
