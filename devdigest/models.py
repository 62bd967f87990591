"""The tables of blogs, posts and issues, and named questions over them. No decision is made here.

Instants are aware UTC, days calendar days in the site's zone. Foreign keys are lazy_load=False, so that no
attribute hides a query.
"""
from collections.abc import Collection
from datetime import date
from enum import StrEnum

from peewee import (
    BooleanField,
    Expression,
    ForeignKeyField,
    IntegerField,
    ModelSelect,
    TextField,
    fn,
)

from devdigest import links
from devdigest.columns import DayField, UtcField, WhenField
from devdigest.table import EMPTY, Table, one_of
from devdigest.urls import parents

GROUPS = ("team", "people", "overseas")     # also their order in an issue


class Verdict(StrEnum):
    NEWS = "news"
    HISTORY = "history"
    TOO_OLD = "too_old"
    COPY = "copy"
    HELD = "held"


class Blog(Table):
    """A site on the list, with its feed's URL. What became of asking for that is its Fetching."""
    name = TextField()
    site = TextField(default="")                # as the list or the feed gives it; "" where neither does
    site_key = TextField(default="")            # canonical `site`
    feed = TextField()                          # as it is asked for
    feed_key = TextField(unique=True)           # canonical `feed`: another spelling is the same blog
    listed_key = TextField(default="")          # of the URL on the list, from which the feed may have moved
    group = TextField(default="people", constraints=[one_of('"group"', GROUPS)])
    state = TextField(default="active", constraints=[one_of("state", ("active", "paused", "excluded"))])
    paused_for = TextField(default="")          # why, where paused: "owner" or the reason
    source = TextField(default="")              # the list it came from; "" where it was added by hand
    added = UtcField()
    first_read = UtcField(null=True)            # the first read that gave an entry; None: the next one is

    class Meta:
        only_save_dirty = True      # no index is written for a column that nobody touched
        indexes = ((("state",), False),)

    @classmethod
    def owning(cls, key: str) -> set[int]:
        """The ids of the blogs under whose site the page with this canonical link lies."""
        sites = parents(key)
        owners = list(cls.select().where(cls.site_key.in_(sites), cls.site_key != "",
                                         cls.state != "excluded"))
        closest = max((len(blog.site_key) for blog in owners), default=0)
        return {blog.id for blog in owners if len(blog.site_key) == closest}

    @classmethod
    def listed(cls) -> list["Blog"]:
        """Every blog that was not left out, by name."""
        return list(cls.select().where(cls.state != "excluded").order_by(cls.name, cls.id))

    @classmethod
    def on_the_list(cls) -> int:
        """How many there are that were not left out."""
        return cls.select().where(cls.state != "excluded").count()


class Post(Table):
    """An article as a blog's feed gave it.

    `day` is decided at first sight for ever; `verdict` changes only so: held → news or history,
    news → copy, news and held → history at exclusion and restore.
    """
    blog = ForeignKeyField(Blog, backref="posts", index=False, lazy_load=False)
    guid = TextField()                          # or its stand-in; with the title where two entries share it
    key = TextField()                           # canonical link, indexed by `links`; "" where there is none
    url = TextField()
    title = TextField()                         # "" where there is none
    excerpt = TextField()
    minutes = IntegerField(null=True)           # reading time, where the feed gives the whole text
    published = WhenField(null=True)            # as declared; None where missing or not plausible
    day = DayField()
    first_seen = UtcField()
    verdict = TextField(constraints=[one_of("verdict", Verdict)])
    copy_of = ForeignKeyField("self", null=True, index=False, lazy_load=False)
    tags = TextField(constraints=[EMPTY], default="")           # the blog's own, one a line

    class Meta:
        indexes = ((("blog", "guid"), True), (("verdict", "day"), False))

    @classmethod
    def of(cls, blog: Blog) -> list["Post"]:
        return list(cls.select().where(cls.blog == blog).order_by(cls.id))

    @classmethod
    def collected(cls) -> int:
        """How many there are, of every verdict."""
        return cls.select().count()

    @classmethod
    def news_before(cls, day: date) -> ModelSelect:
        """Posts judged news, of days before `day`, that no daily issue has had; oldest first."""
        return (cls.select(cls, Blog).join(Blog)
                .where(cls.verdict == Verdict.NEWS, cls.day < day, ~cls._in_a_daily_issue())
                .order_by(cls.day, cls.published, cls.id))

    @classmethod
    def linked(cls, keys: Collection[str]) -> Expression:
        """Whether a post has one of these canonical links."""
        return cls.id.in_(links.numbers(keys)) & cls.key.in_(keys)

    @classmethod
    def sharing(cls, keys: set[str]) -> ModelSelect:
        """Posts with one of these canonical links, with their blog and `mailed`, by link; no copies."""
        return (cls.select(cls, Blog, cls._in_a_daily_issue().alias("mailed")).join(Blog)
                .where(cls.linked(keys - {""}), cls.verdict != Verdict.COPY)
                .order_by(cls.key, cls.first_seen, cls.id))

    @classmethod
    def _in_a_daily_issue(cls) -> fn:
        return fn.EXISTS(IssuePost.select(IssuePost.id)
                         .where(IssuePost.kind == "daily", IssuePost.post == cls.id))

    @property
    def group(self) -> str:
        """The blog's group; only where the blog was selected along."""
        return self.blog.group


class Issue(Table):
    """One day's digest, or a week's most read, frozen: mails, pages and feeds are made from it and its
    IssuePosts alone.
    """
    kind = TextField(default="daily", constraints=[one_of("kind", ("daily", "weekly"))])
    day = DayField()
    state = TextField(constraints=[one_of("state", ("published", "empty", "closed"))])
    created = UtcField()
    blogs = IntegerField(default=0)             # blogs asked that day, and those that could be read
    reached = IntegerField(default=0)
    lacks = BooleanField(default=False)         # fewer than half of those that can be read at all

    class Meta:
        indexes = ((("kind", "day"), True),)

    @classmethod
    def of(cls, day: date, kind: str = "daily") -> "Issue | None":
        return cls.get_or_none(cls.kind == kind, cls.day == day)

    @classmethod
    def day_before(cls, day: date, kind: str = "daily") -> date | None:
        """The day of the newest issue before `day`, whatever its state."""
        newest = cls.select().where(cls.kind == kind, cls.day < day).order_by(cls.day.desc()).first()
        return newest and newest.day

    @classmethod
    def day_after(cls, day: date, kind: str = "daily") -> date | None:
        """The day of the oldest issue after `day`, whatever its state."""
        return cls.select(fn.MIN(cls.day)).where(cls.kind == kind, cls.day > day).scalar()

    @classmethod
    def newest(cls, count: int, kind: str = "daily") -> list["Issue"]:
        """The newest issues first, whatever their state, with `size`: how many posts each has."""
        size = IssuePost.select(fn.COUNT(IssuePost.id)).where(IssuePost.issue == cls.id)
        return list(cls.select(cls, size.alias("size")).where(cls.kind == kind).order_by(cls.day.desc())
                    .limit(count))

    @classmethod
    def between(cls, first: date, last: date) -> list["Issue"]:
        """The daily issues of these days, newest first, with `size`, and the `title` of their first post."""
        posts = IssuePost.select(fn.COUNT(IssuePost.id)).where(IssuePost.issue == cls.id)
        title = IssuePost.select(IssuePost.title).where(IssuePost.issue == cls.id, IssuePost.place == 1)
        return list(cls.select(cls, posts.alias("size"), title.alias("title"))
                    .where(cls.kind == "daily", cls.day.between(first, last)).order_by(cls.day.desc()))

    @classmethod
    def published(cls, count: int) -> list["Issue"]:
        """The newest daily issues that have posts, newest first."""
        return list(cls.select().where(cls.kind == "daily", cls.state == "published")
                    .order_by(cls.day.desc()).limit(count))

    @classmethod
    def days(cls, kind: str = "daily") -> list[date]:
        """The days of all issues, newest first, whatever their state."""
        return [issue.day for issue in cls.select(cls.day).where(cls.kind == kind).order_by(cls.day.desc())]


class IssuePost(Table):
    """A post's place in an issue, with what was said of it then."""
    issue = ForeignKeyField(Issue, backref="posts", index=False, lazy_load=False)
    kind = TextField()                          # the issue's, repeated for the index that keeps promise 2
    post = ForeignKeyField(Post, lazy_load=False)
    place = IntegerField()
    late = BooleanField()                       # in the section 'found late'
    title = TextField()
    url = TextField()
    excerpt = TextField()
    minutes = IntegerField(null=True)
    day = DayField()
    published = WhenField(null=True)
    blog_id = IntegerField()
    blog = TextField()                          # the blog's name and group as they were
    group = TextField()
    tags = TextField(constraints=[EMPTY], default="")
    readers = IntegerField(null=True)           # weekly: how many opened it; None in a daily issue

    class Meta:
        indexes = ((("issue", "place"), True),)

    @classmethod
    def drafts(cls, issue: Issue, yesterday: list[Post], late: list[Post]) -> list["IssuePost"]:
        """What the issue would show, in this order, as it is known now; not stored."""
        placed = [(post, False) for post in yesterday] + [(post, True) for post in late]
        return [cls(issue=issue, kind=issue.kind, post=post, place=place, late=found_late, title=post.title,
                    url=post.url, excerpt=post.excerpt, minutes=post.minutes, day=post.day,
                    published=post.published, blog_id=post.blog.id, blog=post.blog.name,
                    group=post.blog.group, tags=post.tags)
                for place, (post, found_late) in enumerate(placed, start=1)]

    @classmethod
    def of(cls, issue: Issue) -> list["IssuePost"]:
        """The posts of an issue, in its order."""
        return list(cls.select().where(cls.issue == issue).order_by(cls.place))


# A post stands in one daily issue, for ever.
IssuePost.add_index(IssuePost.index(IssuePost.post, unique=True, where=IssuePost.kind == "daily",
                                    name="issue_post_once"))
