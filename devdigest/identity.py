"""Which entries of a document are posts that we have already: by guid, by link, by title.

Pure; the rules are the design's, 'Identity within a blog'.
"""
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from devdigest.likeness import JOINT
from devdigest.models import Verdict


class Known(Protocol):
    """What is asked of a stored post."""
    id: int
    copy_of_id: int | None
    guid: str
    key: str
    title: str
    day: date
    published: datetime | date | None


@dataclass(frozen=True, slots=True)
class Sighting:
    """An entry as it stands in the document read now. `published` is None where missing or not plausible."""
    guid: str
    key: str
    title: str
    day: date
    published: datetime | date | None


@dataclass(frozen=True, slots=True)
class Found:
    """A decision: the entry at `place` of the document is to be stored so."""
    place: int
    guid: str
    key: str
    title: str
    day: date
    published: datetime | date | None
    verdict: Verdict
    copy_of: "Known | Found | None"


class Document:
    """The entries of one document: which guids, links and timestamps they share."""

    def __init__(self, sightings: Sequence[Sighting]) -> None:
        self.size = len(sightings)
        self.guids = {sighting.guid for sighting in sightings}
        self._guids = Counter(sighting.guid for sighting in sightings)
        self._keys = Counter(sighting.key for sighting in sightings if sighting.key)
        self._stamps = Counter(sighting.published for sighting in sightings
                               if isinstance(sighting.published, datetime))

    def shares_guid(self, sighting: Sighting) -> bool:
        return self._guids[sighting.guid] > 1

    def shares_link(self, sighting: Sighting) -> bool:
        return self._keys[sighting.key] > 1

    def one_of_three(self, sighting: Sighting) -> bool:
        """Whether two more entries declare the same instant, as after a build that stamps everything anew."""
        return self._stamps[sighting.published] > 2     # a bare date is not counted

    def identity(self, sighting: Sighting) -> str:
        """The guid to store: with the title added where another entry has the same guid."""
        return joined(sighting.guid, sighting.title) if self.shares_guid(sighting) else sighting.guid


def joined(guid: str, title: str) -> str:
    return guid + JOINT + title


class Shelf:
    """The posts of one blog, and those just found in its document, to look an entry up in."""

    def __init__(self, posts: Iterable[Known], document: Document) -> None:
        self._document = document
        self._guids: dict[str, Known | Found] = {}
        self._keys: dict[str, list[Known | Found]] = defaultdict(list)
        self._titles: dict[str, list[Known]] = defaultdict(list)
        self._standing: set[int | None] = set()     # posts that the document gives under a guid we know
        self.newest: Known | None = None
        posts = list(posts)
        own = {post.id for post in posts}
        for post in posts:
            self._stored(post, repeats_own=post.copy_of_id in own)
            self.add(post)

    def _stored(self, post: Known, repeats_own: bool) -> None:
        if not repeats_own:
            self._titles[post.title].append(post)
        if self._document.guids & {post.guid, post.guid.partition(JOINT)[0]}:
            self._standing |= {post.id, post.copy_of_id}
        if self.newest is None or is_later(post, self.newest):
            self.newest = post

    def add(self, post: Known | Found) -> None:
        """From now on `post` is found by guid and link; by title only what was there before this document."""
        self._guids[post.guid] = post
        if post.key:
            self._keys[post.key].append(post)

    def by_guid(self, sighting: Sighting) -> Known | Found | None:
        """A guid shared in this document, or in the one it was stored from, counts only with the title."""
        together = self._guids.get(joined(sighting.guid, sighting.title))
        alone = self._guids.get(sighting.guid)
        if together or not alone or not self._document.shares_guid(sighting):
            return together or alone
        return alone if alone.title == sighting.title else None

    def by_link(self, sighting: Sighting) -> Known | Found | None:
        """The same canonical link, and the same title or declared time; where entries share it, the title."""
        for post in self._keys.get(sighting.key, ()):
            if sighting.title and post.title == sighting.title:
                return post
            if (sighting.published and post.published == sighting.published
                    and not self._document.shares_link(sighting)):
                return post
        return None

    def by_title(self, sighting: Sighting, batch: bool) -> Known | None:
        """The same title and day; the title alone in a suspicious batch or among three with one timestamp.

        Asked only for an entry that cannot be a fresh one by its date.
        """
        if not sighting.title or not (self.is_old(sighting) or self._document.one_of_three(sighting)):
            return None
        alike = self._titles.get(sighting.title, [])
        for post in alike:
            if post.day == sighting.day and post.id not in self._standing:
                return post
        alone = len(alike) == 1 and (batch or self._document.one_of_three(sighting))
        return alike[0] if alone and alike[0].id not in self._standing else None

    def is_old(self, sighting: Sighting) -> bool:
        """Undated, or dated no later than the newest post that was there before this document."""
        return sighting.published is None or (self.newest is not None and not is_later(sighting, self.newest))


def is_later(one: Known | Sighting, other: Known | Sighting) -> bool:
    """By declared date: by the instant where both give one, else by the day."""
    if one.published is None or other.published is None:
        return one.published is not None
    if isinstance(one.published, datetime) and isinstance(other.published, datetime):
        return one.published > other.published
    return one.day > other.day
