"""A new entry's day and verdict, decided once at first sight; the order and sections of an issue.

Pure: no query, no clock. The rules are the design's, 'What belongs in an issue'.
"""
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from devdigest.days import local_day, midnight
from devdigest.identity import Document, Found, Known, Shelf, Sighting
from devdigest.models import GROUPS, Verdict

_EARLIEST = date(1995, 1, 1)                # nobody wrote a web log before
_AHEAD = timedelta(hours=1)                 # clocks of blogs go wrong, and summer time is forgotten
HELD_FOR = timedelta(days=3)                # then nobody looks into it any more, and it is history
_BATCH = 5                                  # fewer old entries at once are a writer emptying the drawer


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The circumstances of one good read of a blog's feed."""
    now: datetime           # aware
    zone: ZoneInfo
    late_days: int
    first: bool             # no read of this blog gave an entry before
    fresh: bool             # the first good read of a known blog on this calendar day
    closed: date | None = None      # at the first read after a restore, the last day that it closed

    @property
    def today(self) -> date:
        return local_day(self.now, self.zone)


class Read(Protocol):
    """What is asked of an entry; `guid` is its stand-in where the feed gives none."""
    @property
    def guid(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def published(self) -> datetime | date | None: ...


def plausible(declared: datetime | date | None, reading: Reading) -> bool:
    """Whether a declared date can be the day something was written and published."""
    if declared is None:
        return False
    if isinstance(declared, datetime):
        # as instants: the year 1, Go's and Hugo's way to write "no date", has no local time west of Greenwich
        return midnight(_EARLIEST, reading.zone) <= declared <= reading.now + _AHEAD
    return _EARLIEST <= declared <= reading.today


def is_ahead(declared: datetime | date | None, reading: Reading) -> bool:
    """Whether an entry is dated after the reading: it did not exist yet on the day that is played again."""
    if isinstance(declared, datetime):
        return declared > reading.now
    return declared is not None and declared > reading.today


def sighting(entry: Read, key: str, reading: Reading) -> Sighting:
    """The entry with its day: the declared one, else that of first sight, or the day before.

    The day before, where nobody looked since: what is new since the last read is most likely yesterday's.
    """
    declared = entry.published if plausible(entry.published, reading) else None
    if isinstance(declared, datetime):
        day = local_day(declared, reading.zone)
    elif declared is not None:
        day = declared
    else:
        day = reading.today - timedelta(days=1) if reading.fresh else reading.today
    return Sighting(entry.guid, key, entry.title, day, declared)


def judge(sightings: Sequence[Sighting], posts: Iterable[Known], reading: Reading) -> list[Found]:
    """What is to be stored of a document, in its order: the entries that are no post of the blog by guid.

    `posts`: all that is stored of this blog.
    """
    document = Document(sightings)
    shelf = Shelf(posts, document)
    held = set() if reading.first else _suspicious(sightings, document, shelf)
    found = []
    for place, seen in enumerate(sightings):
        if shelf.by_guid(seen):
            continue
        same = shelf.by_link(seen) or shelf.by_title(seen, batch=place in held)
        verdict = Verdict.COPY if same else _verdict(seen, place in held, reading)
        one = Found(place, document.identity(seen), seen.key, seen.title, seen.day, seen.published, verdict,
                    same)
        shelf.add(one)
        found.append(one)
    return found


def _suspicious(sightings: Sequence[Sighting], document: Document, shelf: Shelf) -> set[int]:
    """The places of a batch that a moved blog may have issued anew; empty where there is none."""
    batch = {place for place, seen in enumerate(sightings)
             if not shelf.by_guid(seen) and not shelf.by_link(seen)
             and (shelf.is_old(seen) or document.one_of_three(seen))}
    return batch if len(batch) >= _BATCH and 2 * len(batch) >= document.size else set()


def _verdict(seen: Sighting, held: bool, reading: Reading) -> Verdict:
    if reading.first and (seen.published is None or seen.day < reading.today - timedelta(days=1)):
        return Verdict.HISTORY
    # It may have been in an issue that was lost with the card; without a date nobody can tell.
    if reading.closed is not None and (seen.published is None or seen.day < reading.closed):
        return Verdict.HISTORY
    if reading.today - seen.day > timedelta(days=reading.late_days):
        return Verdict.TOO_OLD
    return Verdict.HELD if held else Verdict.NEWS


class Shared(Protocol):
    """What is asked of posts with one canonical link, of several blogs."""
    blog_id: int
    group: str
    verdict: str
    mailed: bool            # in a daily issue
    first_seen: datetime
    id: int


Sharing = TypeVar("Sharing", bound=Shared)


def original(posts: Sequence[Sharing], owners: set[int]) -> Sharing | None:
    """Of all blogs' posts with one canonical link, the one that the others repeat; None where they do not.

    `owners`: the blogs under whose site the link lies. Only what was or may be mailed can stand for the
    others: a copy of what nobody was ever sent would be a post lost.
    """
    if not owners or max(Counter(post.blog_id for post in posts).values(), default=0) > 1:
        return None
    mailed = [post for post in posts if post.mailed]
    return min(mailed or [post for post in posts if post.verdict == Verdict.NEWS], default=None,
               key=lambda post: (post.blog_id not in owners, post.group != "team", post.first_seen, post.id))


class Placed(Protocol):
    """What is asked of a post to place it in an issue."""
    group: str
    day: date
    published: datetime | date | None


Post = TypeVar("Post", bound=Placed)


def sections(posts: Iterable[Post], previous: date, zone: ZoneInfo) -> tuple[list[Post], list[Post]]:
    """(yesterday's, found late): split at the day of the previous issue; by group, within it by time."""
    placed = sorted(posts, key=lambda post: (GROUPS.index(post.group), _moment(post, zone)))
    return ([post for post in placed if post.day >= previous],
            [post for post in placed if post.day < previous])


def _moment(post: Placed, zone: ZoneInfo) -> datetime:
    return post.published if isinstance(post.published, datetime) else midnight(post.day, zone)
