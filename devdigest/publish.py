"""Today's issue of yesterday's posts, and on Mondays one of the week's most read.

Choose, freeze, one outbox row per subscriber: in one transaction.
"""
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from peewee import fn

from devdigest import choose, clicks
from devdigest.compose import preview_html
from devdigest.config import Config
from devdigest.counts import ALIKE, Click
from devdigest.days import local_day
from devdigest.edition import Edition, edition
from devdigest.locks import locked
from devdigest.memory import Held, Run, Setting
from devdigest.models import Blog, Issue, IssuePost, Post
from devdigest.readers import Delivery
from devdigest.table import db

log = logging.getLogger(__name__)

_WEEK = timedelta(days=7)
_MOST_READ = 10         # posts of a weekly issue


def publish(config: Config, now: datetime) -> tuple[Issue, bool]:
    """(the issue of today, whether it was made just now); repeated, it changes nothing. Raises Held, Busy."""
    return _once(_todays(config, now), _news, config)


def publish_weekly(config: Config, now: datetime) -> tuple[Issue, bool]:
    """The same of the posts that most readers opened in the seven days before today."""
    today = local_day(now, config.site.timezone)
    return _once(Issue(kind="weekly", day=today, created=now), _most_read, config)


def _once(issue: Issue, drafted: Callable[[Issue, Config], list[IssuePost]],
          config: Config) -> tuple[Issue, bool]:
    with locked(config.folder, "publish"), db.atomic():
        if (since := Setting.held_since()) is not None:
            raise Held(since)
        if (known := Issue.of(issue.day, issue.kind)) is not None:
            return known, False
        posts = drafted(issue, config)
        issue.state = "published" if posts else "empty"
        issue.save()
        IssuePost.bulk_create(posts, batch_size=100)
        queued = Delivery.queue_for_active(issue, issue.created) if posts else 0
    log.info("%s issue %s %s: %d posts, %d found late, %d mails queued", issue.kind, issue.day, issue.state,
             len(posts), sum(post.late for post in posts), queued)
    return issue, True


def _todays(config: Config, now: datetime) -> Issue:
    """The issue of today, not stored. If the last collect read under half of the usual blogs, it says so."""
    run = Run.last("collect")
    coverage = {"blogs": run.blogs, "reached": run.reached, "lacks": run.lacks} if run else {}
    return Issue(kind="daily", day=local_day(now, config.site.timezone), created=now, **coverage)


def _news(issue: Issue, config: Config) -> list[IssuePost]:
    previous = Issue.day_before(issue.day) or issue.day - timedelta(days=1)
    posts = Post.news_before(issue.day)
    return IssuePost.drafts(issue, *choose.sections(posts, previous, config.site.timezone))


def _most_read(issue: Issue, config: Config) -> list[IssuePost]:
    """Of the week's daily issues the posts that somebody opened, but of no blog that was left out since."""
    clicks.fold(issue.day)
    first, last = issue.day - _WEEK, issue.day - timedelta(days=1)
    readers = fn.SUM(Click.readers)
    found = list(Post.select(Post, Blog, readers.alias("readers")).join(Blog)
                 .join_from(Post, IssuePost).join(Issue)
                 .join_from(Post, Click, on=(Click.post == Post.id))
                 .where(Issue.kind == "daily", Issue.day.between(first, last), Click.day.between(first, last),
                        Blog.state != "excluded")
                 .group_by(Post.id).having(readers >= ALIKE)
                 .order_by(readers.desc(), Issue.day, IssuePost.place).limit(_MOST_READ))
    drafts = IssuePost.drafts(issue, found, [])
    for draft, post in zip(drafts, found, strict=True):
        draft.readers = post.readers
    return drafts


def preview(config: Config, now: datetime) -> str:
    """The HTML of today's issue, as it would be made now where there is none yet; stores nothing."""
    return preview_html(drafted(config, now), config, config.site.language)


def drafted(config: Config, now: datetime) -> Edition:
    """Today's issue, as it would be made now where there is none yet; stores nothing."""
    issue = Issue.of(local_day(now, config.site.timezone))
    if issue is not None:
        posts = IssuePost.of(issue)
    else:
        issue = _todays(config, now)
        posts = _news(issue, config)
    return edition(issue, posts)
