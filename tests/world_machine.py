"""The machine in its drawer: collects, publishes, is off, held, and its owner excludes and releases blogs.

Steps are the real ones on a real database; only the fetch is left out: documents come from simulated blogs.
"""
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from bookkeeper import Bookkeeper
from world_blogs import DAY, Shown, SimBlog, make_blogs
from world_ledgers import Print

from devdigest import blogs, database, intake
from devdigest.config import Config, Database, Site
from devdigest.fetching import Fetching
from devdigest.memory import HOLD, Held, Setting
from devdigest.models import Blog, IssuePost, Post
from devdigest.parse import Entry, Feed
from devdigest.publish import publish
from devdigest.table import db

# clocks change on 2026-03-29 and 2026-10-25 in Berlin
STARTS = [("Asia/Seoul", date(2026, 5, 4)), ("Europe/Berlin", date(2026, 3, 16)),
          ("Europe/Berlin", date(2026, 10, 12)), ("Asia/Seoul", date(2026, 12, 20))]
MORNING, SECOND, OPENS = time(3), time(9), time(10)


class Machine:
    """One world, wholly decided by its seed."""

    def __init__(self, seed: int, folder: Path, days: int = 25, count: int = 6) -> None:
        self.random = Random(seed)
        name, self.start = STARTS[seed % len(STARTS)]
        self.zone = ZoneInfo(name)
        self.days = days
        self.config = replace(Config(), site=replace(Site(), zone=name),
                              database=Database(path=str(folder / f"{seed}.db")))
        self.books = Bookkeeper(self.zone)
        self.blogs = make_blogs(self.random, self._at(self.start, time(0)), days, count)
        self.added = {blog: self.start + self.random.choice((0, 0, 0, 3, 9)) * DAY for blog in self.blogs}
        self.rows: dict[SimBlog, int] = {}
        self.seen: dict[SimBlog, list[Shown]] = {}
        self.verdicts: Counter[str] = Counter()
        self.off = self._stretch(0.4, (1, 2, 3, 5))
        self.held = self._stretch(0.2, (1, 3, 4))
        self.excluded = dict.fromkeys([self.random.choice(self.blogs)], self._stretch(0.15, (2, 6)))

    def run(self) -> Bookkeeper:
        database.open(self.config.database.path)
        try:
            for number in range(self.days):
                self._live(self.start + number * DAY)
        finally:
            db.close()
        return self.books

    def _stretch(self, share: float, lengths: tuple[int, ...]) -> set[date]:
        if self.random.random() >= share:
            return set()
        first = self.start + self.random.randint(2, self.days - 2) * DAY
        return {first + number * DAY for number in range(self.random.choice(lengths))}

    def _live(self, day: date) -> None:
        kind = self.random.choices(("whole", "noon", "night"), (90, 7, 3))[0]
        if day in self.off:
            return
        self._owner(day)
        for clock in {"whole": (MORNING, SECOND), "noon": (time(12),), "night": (time(23, 40),)}[kind]:
            self._collect(self._at(day, clock))
        if kind == "whole":
            self._publish(day, self._at(day, OPENS))
        elif kind == "noon":
            self._publish(day, self._at(day, time(12, 30)))
        if self.random.random() < 0.5:
            self._release(self._at(day, time(22)))

    def _owner(self, day: date) -> None:
        at = self._at(day, time(0, 10))
        for blog, since in self.added.items():
            if since <= day and blog not in self.rows:
                self.rows[blog] = Blog.create(name=blog.name, site=blog.site, site_key=f"{blog.name}.example",
                                              feed=blog.site + "feed", feed_key=f"{blog.name}.example/feed",
                                              group=blog.group, added=at).id
                self.books.added(blog, at)
        for blog, left_out in self.excluded.items():
            if blog in self.rows:
                self._exclude(blog, day in left_out, at)

    def _exclude(self, blog: SimBlog, left_out: bool, at: datetime) -> None:
        row = Blog.get_by_id(self.rows[blog])
        if left_out and row.state == "active":
            blogs.exclude(row)
            self.books.excluded(blog, at)
        elif not left_out and row.state == "excluded":
            blogs.add(row.feed, None, None, at)        # known: nothing is fetched
            self.books.added(blog, at)
            self.seen.pop(blog, None)

    def _collect(self, at: datetime) -> None:
        with db.atomic():
            intake.let_go(at)
            rows = {row.id: row for row in Fetching.blogs().where(Blog.state == "active")}
            unchanged = []
            for blog, number in self.rows.items():
                blog.advance(at)
                if number in rows and blog.reachable(at) and not self._read(blog, rows[number], at):
                    unchanged.append(number)            # 304 Not Modified
                    self.books.unchanged(blog, at)
            if unchanged:
                Fetching.update(read=at).where(Fetching.blog.in_(unchanged)).execute()

    def _read(self, blog: SimBlog, row: Blog, at: datetime) -> bool:
        document = blog.document(at)
        if blog.caches and self.seen.get(blog) == document:
            return False
        self.seen[blog] = document
        self.books.read(blog, at, document)
        for post in intake.receive(row, Feed(blog.name, blog.site, [_entry(one) for one in document]),
                                    self.config, at):
            self.verdicts[post.verdict] += 1
            self.books.tell(int(post.excerpt), at, f"stored as {post.verdict} of {post.day}")
        row.fetching.read = at
        row.save()
        row.fetching.save()
        return True

    def _release(self, at: datetime) -> None:
        intake.let_go(at)
        held = {post.blog_id for post in Post.select(Post.blog).where(Post.verdict == "held")}
        for blog, number in self.rows.items():
            if number in held and self.random.random() < 0.3:
                intake.release(Blog.get_by_id(number))
                self.books.released(blog, at)

    def _publish(self, day: date, at: datetime) -> None:
        if day in self.held:
            Setting.write(HOLD, at.astimezone(UTC).isoformat())
            try:
                publish(self.config, at)
            except Held:
                return
            raise AssertionError(f"published on {day}, though held")
        Setting.clear(HOLD)
        issue, made = publish(self.config, at)
        assert made
        posts = IssuePost.of(issue)
        assert issue.state == ("published" if posts else "empty")
        self.books.issue(day, at, [Print(int(post.excerpt), post.blog, post.late) for post in posts])

    def _at(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, self.zone).astimezone(UTC)


def _entry(shown: Shown) -> Entry:
    return Entry(guid=shown.guid, link=shown.link, title=shown.title, excerpt=str(shown.article.number),
                 minutes=None, published=shown.declared)
