"""A reader's bookkeeping: knows the true articles, sees what feeds showed and what issues had, and objects.

Written from the design alone. Which guid or link an entry has is asked only to tell what may be held.
"""
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from world_blogs import DAY, HOUR, Article, Shown, SimBlog
from world_excuses import why_anew, why_missing, why_twice
from world_ledgers import Face, Ledger, Print, Sight

LATE_DAYS = 30


@dataclass(frozen=True)
class Deviation:
    name: str                   # "" where nothing explains it
    what: str
    article: Article


class Bookkeeper:
    """Told of every good read, exclusion, release and issue; `deviations` at the end."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self.ledgers: dict[SimBlog, Ledger] = {}
        self.issues: list[tuple[date, datetime]] = []
        self.prints: dict[int, list[tuple[date, Print]]] = defaultdict(list)
        self.story: dict[int, list[str]] = defaultdict(list)

    # what happens

    def added(self, blog: SimBlog, at: datetime) -> None:
        self.ledgers.setdefault(blog, Ledger())
        self.ledgers[blog].left_out.append((at, False))

    def read(self, blog: SimBlog, at: datetime, document: list[Shown]) -> None:
        book = self.ledgers[blog]
        faces = self._faces(book, at, document)
        for face in faces:
            article = face.shown.article
            if article not in book.sights:
                book.sights[article] = Sight(article, blog, face, self._is_news(book, face))
            if face.shown not in book.shown:
                book.shown.add(face.shown)
                book.faces[article].append(face)
                self._tell_of(blog, face)
        self._remember(book, at, faces)

    def _faces(self, book: Ledger, at: datetime, document: list[Shown]) -> list[Face]:
        today = self._day(at)
        fresh = book.last_read is None or self._day(book.last_read) < today
        first_sight = today - DAY if fresh else today
        stamps = Counter(shown.declared for shown in document if isinstance(shown.declared, datetime))
        shared = {page for page, count in Counter(shown.page for shown in document).items() if count > 1}
        shared_ids = {guid for guid, count in Counter(shown.guid for shown in document).items() if count > 1}
        standing = frozenset(shown.guid for shown in document)
        drafts = []
        for shown in document:
            day = self._plausible(shown, at)
            later = bool(day) and _from(shown.declared, self.zone) > book.newest
            old = not later or stamps[shown.declared] > 2
            known = self._known(book, shown, shown.guid in shared_ids, shown.page in shared, bool(day))
            drafts.append((shown, day or first_sight, not known, old, later))
        batch = sum(unknown and old for _, _, unknown, old, _ in drafts)
        suspicious = book.begun and batch >= 5 and 2 * batch >= len(document)
        return [Face(shown, at, day, unknown, old, later, suspicious and unknown and old, standing)
                for shown, day, unknown, old, later in drafts]

    def _known(self, book: Ledger, shown: Shown, shared_id: bool, shared_page: bool, dated: bool) -> bool:
        """Whether the blog showed this guid or link before; a shared one counts only with the title."""
        if shown.guid in book.guids and (not shared_id or shown.title in book.guids[shown.guid]):
            return True
        return any(other.title == shown.title
                   or (dated and was_dated and other.declared == shown.declared and not shared_page)
                   for other, was_dated in book.pages.get(shown.page, ()))

    def _is_news(self, book: Ledger, face: Face) -> bool:
        today = self._day(face.at)
        if not book.begun:
            return self._plausible(face.shown, face.at) is not None and face.day >= today - DAY
        return today - face.day <= timedelta(days=LATE_DAYS)

    def _plausible(self, shown: Shown, at: datetime) -> date | None:
        """The declared day, where one can believe it."""
        if isinstance(shown.declared, datetime):
            too_early = shown.declared < datetime(1995, 1, 1, tzinfo=self.zone)
            return None if too_early or shown.declared > at + HOUR else self._day(shown.declared)
        if shown.declared is None or not date(1995, 1, 1) <= shown.declared <= self._day(at):
            return None
        return shown.declared

    def _remember(self, book: Ledger, at: datetime, faces: list[Face]) -> None:
        for face in faces:
            if face.unknown or face.shown.guid not in book.guids:
                dated = self._plausible(face.shown, at) is not None
                book.guids[face.shown.guid].add(face.shown.title)
                book.pages[face.shown.page].append((face.shown, dated))
                if dated:
                    book.newest = max(book.newest, _until(face.shown.declared, self.zone))
        book.last_read = at
        book.begun |= bool(faces)

    def _tell_of(self, blog: SimBlog, face: Face) -> None:
        shown = face.shown
        known = "" if face.unknown else ", known"
        self.tell(shown.article.number, face.at, f"{blog.name} shows {shown.title!r} dated {shown.declared}, "
                  f"{shown.guid} at {shown.link}{known}{', in a batch' if face.batch else ''}")

    def unchanged(self, blog: SimBlog, at: datetime) -> None:
        self.ledgers[blog].last_read = at

    def excluded(self, blog: SimBlog, at: datetime) -> None:
        book = self.ledgers[blog]
        book.begun = False
        book.left_out.append((at, True))
        for sight in book.sights.values():
            sight.cancelled = sight.cancelled or at

    def released(self, blog: SimBlog, at: datetime) -> None:
        self.ledgers[blog].released.append(at)
        for sight in self.ledgers[blog].sights.values():
            if sight.face.batch and not sight.released and at - sight.at < 3 * DAY:
                sight.released = at

    def issue(self, day: date, at: datetime, prints: list[Print]) -> None:
        self.issues.append((day, at))
        for one in prints:
            self.prints[one.article].append((day, one))
            self.tell(one.article, at, f"issue {day}: of {one.blog}{', found late' if one.late else ''}")

    def tell(self, article: int, at: datetime, what: str) -> None:
        self.story[article].append(f"{at.astimezone(self.zone):%m-%d %H:%M} {what}")

    def tale(self, seed: int, deviation: Deviation) -> str:
        """What happened to the article, a line each."""
        article = deviation.article
        head = f"seed {seed}: {deviation.what}: article {article.number}"
        written = f"{article.written.astimezone(self.zone):%m-%d %H:%M} written"
        return "\n  ".join([head, written, *self.story[article.number]])

    # what was to be expected

    def deviations(self) -> list[Deviation]:
        sights: dict[Article, list[Sight]] = defaultdict(list)
        for book in self.ledgers.values():
            for article, sight in book.sights.items():
                sights[article].append(sight)
        found = []
        for article, seen in sights.items():
            found += self._of(article, seen, self.prints.get(article.number, []))
        return found

    def _of(self, article: Article, seen: list[Sight], prints: list[tuple[date, Print]]) -> list[Deviation]:
        due = [(day, sight) for sight in seen for day in self._due(sight)]
        sure = [(day, sight) for day, sight in due if not sight.face.batch]
        if not prints and any(self._waits(sight) for sight in seen):
            return []
        what = self._fault(due, sure, prints)
        if not what:
            return []
        if what == "missing":
            return [Deviation(why_missing(self.ledgers, [sight for _, sight in sure], seen), what, article)]
        if what == "twice":
            names = [one.blog for _, one in prints]
            return [Deviation(why_twice(self.ledgers, article, names), what, article)]
        if what in ("held", "later"):
            return [Deviation("new, but held with a re-issued feed" if what == "held" else
                              "waited with another blog's day", what, article)]
        return [Deviation(why_anew(self.ledgers, article, prints[0][1].blog), what, article)]

    def _fault(self, due: list[tuple[date, Sight]], sure: list[tuple[date, Sight]],
               prints: list[tuple[date, Print]]) -> str:
        if len(prints) > 1:
            return "twice"
        if not prints:
            return "missing" if sure else "held" if due else ""
        day, one = prints[0]
        there = [sight for other, sight in due if other == day]
        if not there:
            return "wrong issue" if due else "unwanted"
        if all(self._late(sight, day) != one.late for sight in there):
            return "wrong section"
        return "later" if any(other < day for other, _ in sure) else ""

    def _due(self, sight: Sight) -> list[date]:
        """The days of the issues it may stand in: the first published when it was news, and its day over."""
        days = []
        for since in sight.due_from():
            first = next(((day, at) for day, at in self.issues if at >= since and day > sight.day), None)
            if first and (sight.cancelled is None or not since <= sight.cancelled <= first[1]):
                days.append(first[0])
        return days

    def _waits(self, sight: Sight) -> bool:
        """Whether it may be in an issue after the last of this world."""
        last_day, last = self.issues[-1]
        return sight.news and not sight.cancelled and (sight.at > last or sight.day >= last_day)

    def _late(self, sight: Sight, issue: date) -> bool:
        before = [day for day, _ in self.issues if day < issue]
        return sight.day < (max(before) if before else issue - DAY)

    def _day(self, instant: datetime) -> date:
        return instant.astimezone(self.zone).date()


def _from(declared: datetime | date, zone: ZoneInfo) -> datetime:
    """The instant declared; of a bare date the first."""
    if isinstance(declared, datetime):
        return declared
    return datetime.combine(declared, datetime.min.time(), zone)


def _until(declared: datetime | date, zone: ZoneInfo) -> datetime:
    """The instant declared; of a bare date the last."""
    return declared if isinstance(declared, datetime) else _from(declared + DAY, zone) - timedelta(seconds=1)
