"""What the bookkeeper writes down of blogs, articles and issues."""
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from world_blogs import Article, Shown, SimBlog


@dataclass(frozen=True, eq=False)
class Face:
    """An entry as it was shown for the first time under this guid, link, title and date."""
    shown: Shown
    at: datetime
    day: date
    unknown: bool               # by guid and link
    old: bool                   # undated, no later than the newest before, or one of three with one timestamp
    later: bool                 # dated later than the newest before
    batch: bool                 # one of a suspicious batch
    standing: frozenset[str]    # the guids of its document


@dataclass(eq=False)
class Sight:
    """The first time that an article stood in a blog's document that was read."""
    article: Article
    blog: SimBlog
    face: Face
    news: bool                  # else: history or too old
    released: datetime | None = None
    cancelled: datetime | None = None       # the blog was excluded

    @property
    def at(self) -> datetime:
        return self.face.at

    @property
    def day(self) -> date:
        return self.face.day

    def due_from(self) -> list[datetime]:
        """The instants from which it may count as news: at once, or when it was released."""
        if not self.news:
            return []
        return [self.at, *([self.released] if self.face.batch and self.released else [])]


@dataclass(frozen=True)
class Print:
    """An article in a daily issue."""
    article: int
    blog: str
    late: bool


@dataclass(eq=False)
class Ledger:
    """What is known of one blog."""
    sights: dict[Article, Sight] = field(default_factory=dict)
    faces: dict[Article, list[Face]] = field(default_factory=lambda: defaultdict(list))
    pages: dict[str, list[tuple[Shown, bool]]] = field(default_factory=lambda: defaultdict(list))    # dated?
    shown: set[Shown] = field(default_factory=set)
    guids: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))     # with their titles
    released: list[datetime] = field(default_factory=list)
    newest: datetime = datetime(1, 1, 2, tzinfo=UTC)
    left_out: list[tuple[datetime, bool]] = field(default_factory=list)     # since when; False: listed
    last_read: datetime | None = None
    begun: bool = False         # a read gave an entry, since the blog was added or added again
