"""Simulated blogs: true articles, and feeds that tell of them late, wrongly, twice and anew.

Delays, dates and re-issued ids have the shares here that were measured on 53 sites and 299 documents.
"""
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from random import Random
from zoneinfo import ZoneInfo

AUTHORS = [ZoneInfo(name) for name in ("Asia/Seoul", "Europe/Berlin", "UTC", "America/Los_Angeles")]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
Declared = datetime | date | None


@dataclass(eq=False)
class Article:
    """What somebody truly wrote, whatever feeds make of it."""
    number: int
    title: str
    written: datetime


@dataclass(frozen=True)
class Shown:
    """An entry as a feed gives it; in truth it is `article` on `page`."""
    article: Article
    guid: str
    link: str
    page: str
    title: str
    declared: Declared


@dataclass(eq=False)
class Item:
    """An article's place in one blog."""
    article: Article
    visible: datetime
    slug: str
    title: str
    source: "tuple[SimBlog, Item] | None" = None    # the blog whose page a cross-post links to
    page: str = ""                                  # of a cross-post, as the source had it then
    number: int = 0                                 # changes where the whole feed is issued anew
    moved_date: timedelta = timedelta(0)
    wrong: Declared = None
    hidden: bool = False


@dataclass(eq=False)
class SimBlog:
    """A blog with its habits. `advance` to an instant, then ask for its `document`."""
    name: str
    group: str
    random: Random
    ids: str                    # permanent, page (the link as written), shared
    links: str                  # own, fragment, home
    dates: str                  # instant, bare, none, stamp (the time of the build, on every entry)
    author: ZoneInfo
    window: int
    caches: bool                # answers 304 where nothing changed
    items: list[Item] = field(default_factory=list)
    events: list[tuple[datetime, Callable[[], None]]] = field(default_factory=list)
    outages: list[tuple[datetime, datetime]] = field(default_factory=list)
    stale: list[tuple[datetime, datetime]] = field(default_factory=list)
    scheme: str = "http"
    host: str = ""
    path: str = "posts"
    tracking: str = ""
    generation: int = 0
    build: datetime = datetime(2020, 1, 1, tzinfo=UTC)
    dated_anew: str = ""        # since the feed was issued anew: once, each, none
    _cached: "list[Shown] | None" = None

    def __post_init__(self) -> None:
        self.host = f"{self.name}.example"

    @property
    def site(self) -> str:
        return f"https://{self.name}.example/"

    def plan(self) -> None:
        for item in self.items:
            item.visible = item.visible.replace(microsecond=0)
        self.events += [(item.visible, partial(self._appear, item)) for item in self.items]
        for start, end in self.stale:
            self.events += [(start, partial(self._freeze, start)), (end, self._thaw)]
        self.events.sort(key=lambda event: event[0])

    def advance(self, at: datetime) -> None:
        while self.events and self.events[0][0] <= at:
            self.events.pop(0)[1]()

    def reachable(self, at: datetime) -> bool:
        return not any(start <= at < end for start, end in self.outages)

    def document(self, at: datetime) -> list[Shown]:
        if self._cached is not None:
            return self._cached
        there = [item for item in self.items if item.visible <= at and not item.hidden]
        there.sort(key=lambda item: item.article.written, reverse=True)
        return [self._shown(item, place) for place, item in enumerate(there[:self.window])]

    def page_of(self, item: Item) -> str:
        if item.source:
            return item.page
        if self.links == "home":
            return f"{self.host}/"
        if self.links == "fragment":
            return f"{self.host}/{self.path}#{item.slug}"
        return f"{self.host}/{self.path}/{item.slug}"

    def _appear(self, item: Item) -> None:
        self.build = max(self.build, item.visible)
        if item.source:
            source, original = item.source
            item.page = source.page_of(original)

    def _freeze(self, at: datetime) -> None:
        self._cached = self.document(at)

    def _thaw(self) -> None:
        self._cached = None

    def _shown(self, item: Item, place: int) -> Shown:
        page = self.page_of(item)
        link = f"{self.scheme}://{page}{self.tracking if '#' not in page else ''}"
        guid = {"permanent": f"{self.name}-{self.generation}-{item.slug}", "page": link,
                "shared": f"{self.host}-{self.generation}"}[self.ids]
        page = page.partition("#")[0].rstrip("/")
        return Shown(item.article, guid, link, page, item.title, self._declared(item, place))

    def _declared(self, item: Item, place: int) -> Declared:
        if item.visible <= self.build and self.dated_anew and item.number < self.generation:
            return {"once": self.build, "each": self.build - place * timedelta(minutes=1), "none": None}[
                self.dated_anew]
        if item.wrong is not None or self.dates == "none":
            return item.wrong
        if self.dates == "stamp":
            return self.build
        written = item.article.written + item.moved_date
        return written if self.dates == "instant" else written.astimezone(self.author).date()

    # what happens to a feed

    def reissue(self, at: datetime, what: str, dated: str) -> None:
        """The whole feed anew: `what` is ids, https, domain, permalinks, tracking or everything."""
        if what == "https":
            self.scheme = "https"
        elif what == "tracking":
            self.tracking = "?utm_source=rss"
        else:
            self.generation += 1
            if what in ("domain", "everything"):
                self.host = f"new{self.generation}-{self.name}.example"
            if what in ("permalinks", "everything"):
                self.path = f"p{self.generation}"
            self.dated_anew = dated
        self.build = at
        # what appears from now on has its own dates
        for item in self.items:
            item.number = self.generation if item.visible > at else 0

    def edit(self, item: Item, rng: Random) -> None:
        what = rng.choice(("title", "date", "both"))
        if what != "date":
            item.title += " (edited)"
        if what != "title":
            item.moved_date += rng.choice((-DAY, 2 * HOUR, DAY, 3 * DAY))

    def widen(self) -> None:
        self.window = 30

    def hide(self, item: Item) -> None:
        item.hidden = not item.hidden


def delay(rng: Random) -> timedelta:
    """From writing to standing in the feed: p5 0 h, median 7 h, p75 43 h, p90 40 days."""
    share = rng.random()
    for upto, low, high in ((0.05, 0, 0), (0.5, 0, 7), (0.75, 7, 43), (0.9, 43, 960), (1.0, 960, 1500)):
        if share <= upto:
            return timedelta(hours=rng.uniform(low, high))
    raise AssertionError(share)


def wrong_date(rng: Random, written: datetime) -> Declared:
    share = rng.random()
    if share < 0.06:
        return written + timedelta(days=rng.choice((1, 2, 30, 400)), hours=rng.randint(0, 3))
    if share < 0.09:
        return rng.choice((datetime(1970, 1, 1, tzinfo=UTC), datetime(1, 1, 2, tzinfo=UTC), date(1, 1, 1)))
    return None


def make_blogs(rng: Random, start: datetime, days: int, count: int) -> list[SimBlog]:
    """Blogs that have written for 60 days before `start`, and what they will do in the `days` after it."""
    numbers = iter(range(1, 1_000_000))
    blogs = [_blog(rng, place) for place in range(count)]
    for blog in blogs:
        _write(rng, blog, numbers, start, days)
    for blog in blogs:
        if rng.random() < 0.4:
            _cross_post(rng, blog, [other for other in blogs if other is not blog])
        _happenings(rng, blog, start, days)
        blog.plan()
    return blogs


def _blog(rng: Random, place: int) -> SimBlog:
    links = rng.choices(("own", "fragment", "home"), (94, 3, 3))[0]
    ids = rng.choices(("permanent", "page", "shared"), (55, 40, 5))[0]
    if links == "home" and ids == "page":
        ids = "permanent"
    return SimBlog(f"b{place}", rng.choice(("team", "people", "people", "overseas")), rng, ids, links,
                   rng.choices(("instant", "bare", "none", "stamp"), (62, 25, 7, 6))[0], rng.choice(AUTHORS),
                   rng.choice((5, 8, 10, 15, 20)), rng.random() < 0.7)


def _write(rng: Random, blog: SimBlog, numbers: Iterator[int], start: datetime, days: int) -> None:
    rate = rng.choice((0.03, 0.1, 0.3, 0.9))
    static = rng.random() < 0.4
    weekly = rng.random() < 0.06
    at = start - timedelta(days=60)
    while (at := at + timedelta(days=rng.expovariate(rate))) < start + timedelta(days=days):
        number = next(numbers)
        title = rng.choice(("Weekly notes", "Release")) if weekly else f"{blog.name} article {number}"
        article = Article(number, title, at.replace(microsecond=0))
        visible = at + (delay(rng) if static else timedelta(minutes=5))
        blog.items.append(Item(article, visible, f"a{number}", title, wrong=wrong_date(rng, article.written)))
    if rng.random() < 0.1:          # a drawer is emptied
        when = start + timedelta(days=rng.uniform(0, days))
        for _ in range(rng.randint(2, 8)):
            number = next(numbers)
            written = (when - timedelta(days=rng.uniform(0, 20))).replace(microsecond=0)
            title = f"{blog.name} from the drawer {number}"
            blog.items.append(Item(Article(number, title, written), when, f"a{number}", title))


def _cross_post(rng: Random, blog: SimBlog, others: list[SimBlog]) -> None:
    source = rng.choice(others)
    for item in [item for item in source.items if item.source is None]:
        if rng.random() < 0.3:
            visible = item.visible + timedelta(hours=rng.uniform(-12, 60))
            title = item.title if rng.random() < 0.5 else f"Link: {item.title}"
            blog.items.append(Item(item.article, max(visible, item.article.written), f"x{item.slug}", title,
                                   source=(source, item)))


def _happenings(rng: Random, blog: SimBlog, start: datetime, days: int) -> None:
    def some_time() -> datetime:
        return (start + timedelta(days=rng.uniform(1, days))).replace(microsecond=0)

    def often(share: float) -> bool:
        return rng.random() < share

    if often(0.3):
        at, what = some_time(), rng.choice(("ids", "https", "domain", "permalinks", "tracking", "everything"))
        dated = rng.choices(("", "once", "each", "none"), (80, 12, 2, 6))[0]
        blog.events.append((at, partial(blog.reissue, at, what, dated)))
    for item in blog.items:
        if often(0.06):
            blog.events.append((some_time(), partial(blog.edit, item, rng)))
        if often(0.03):
            blog.events += [(some_time(), partial(blog.hide, item)) for _ in range(2)]
    if often(0.2):
        blog.outages.append((at := some_time(), at + timedelta(hours=rng.choice((3, 30, 100)))))
    if often(0.15):
        blog.stale.append((at := some_time(), at + timedelta(hours=rng.choice((5, 30, 70)))))
    if often(0.1):
        blog.events.append((some_time(), blog.widen))
