"""A desk to try the choosing at: a database file, blogs in it, and the two steps that fill an issue."""
from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from devdigest import database, intake
from devdigest.config import Config, Database, Site
from devdigest.fetching import Fetching
from devdigest.models import Blog, IssuePost, Post
from devdigest.parse import Entry, Feed
from devdigest.publish import publish
from devdigest.table import db

SEOUL = ZoneInfo("Asia/Seoul")
TODAY, YESTERDAY = date(2026, 11, 22), date(2026, 11, 21)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def seoul(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SEOUL).astimezone(UTC)


def entry(title="A", published=None, guid=None, link=None):
    link = f"https://ada.example/{title}" if link is None else link
    return Entry(guid=guid or link, link=link, title=title, excerpt="", minutes=None, published=published)


class Desk:
    """A database, blogs in it, and the two steps."""

    def __init__(self, folder):
        self.config = replace(Config(), site=replace(Site(), zone="Asia/Seoul"),
                              database=Database(path=str(folder / "devdigest.db")))
        database.open(self.config.database.path)

    def blog(self, name="ada", group="people", known=True):
        site = f"{name}.example"
        blog = Blog.create(name=name, site=f"https://{site}/", site_key=site, feed=f"https://{site}/feed",
                           feed_key=f"{site}/feed", group=group, added=seoul("2026-11-01 00:00"))
        if known:
            self.read(blog, "2026-11-10 03:00",
                      entry("first post", date(2026, 9, 1), "first", f"https://{site}/first"))
        return Fetching.blogs().where(Blog.id == blog.id).get()

    def read(self, blog, at, *entries):
        """The verdicts of what was new, by title."""
        blog = Fetching.blogs().where(Blog.id == blog.id).get()
        with db.atomic():
            new = intake.receive(blog, Feed("", "", entries), self.config, seoul(at))
            blog.fetching.read = seoul(at)
            blog.save()
            blog.fetching.save()
        return {post.title: Post.get_by_id(post.id).verdict for post in new}

    def issue(self, at):
        """The titles of (yesterday's, found late) in the issue published then."""
        issue, made = publish(self.config, seoul(at))
        assert made
        posts = IssuePost.of(issue)
        assert issue.state == ("published" if posts else "empty")
        return [post.title for post in posts if not post.late], [post.title for post in posts if post.late]
