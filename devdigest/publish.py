"""Today's issue of yesterday's posts: choose, freeze, one outbox row per subscriber, in one transaction."""
import logging
from datetime import datetime, timedelta

from devdigest import choose
from devdigest.compose import preview_html
from devdigest.config import Config
from devdigest.days import local_day
from devdigest.edition import edition
from devdigest.locks import locked
from devdigest.memory import Held, Run, Setting
from devdigest.models import Issue, IssuePost, Post
from devdigest.readers import Delivery
from devdigest.table import db

log = logging.getLogger(__name__)


def publish(config: Config, now: datetime) -> tuple[Issue, bool]:
    """(the issue of today, whether it was made just now); repeated, it changes nothing. Raises Held, Busy."""
    today = local_day(now, config.site.timezone)
    with locked(config.folder, "publish"), db.atomic():
        if (since := Setting.held_since()) is not None:
            raise Held(since)
        if (issue := Issue.of(today)) is not None:
            return issue, False
        yesterday, late = _chosen(config, now)
        issue = Issue.create(kind="daily", day=today, created=now, **_coverage(),
                             state="published" if yesterday or late else "empty")
        IssuePost.bulk_create(IssuePost.drafts(issue, yesterday, late), batch_size=100)
        queued = Delivery.queue_for_active(issue, now) if issue.state == "published" else 0
    log.info("issue %s %s: %d posts, %d found late, %d mails queued", today, issue.state, len(yesterday),
             len(late), queued)
    return issue, True


def _chosen(config: Config, now: datetime) -> tuple[list[Post], list[Post]]:
    today = local_day(now, config.site.timezone)
    previous = Issue.day_before(today) or today - timedelta(days=1)
    return choose.sections(Post.news_before(today), previous, config.site.timezone)


def _coverage() -> dict[str, int | bool]:
    """How many blogs the last collect asked and read; under half of the usual is worth a word."""
    run = Run.last("collect")
    if run is None:
        return {"blogs": 0, "reached": 0, "lacks": False}
    return {"blogs": run.blogs, "reached": run.reached, "lacks": run.lacks}


def preview(config: Config, now: datetime) -> str:
    """The HTML of today's issue, as it would be made now where there is none yet; stores nothing."""
    today = local_day(now, config.site.timezone)
    issue = Issue.of(today)
    if issue is not None:
        posts = IssuePost.of(issue)
    else:
        issue = Issue(kind="daily", day=today, created=now, **_coverage())
        posts = IssuePost.drafts(issue, *_chosen(config, now))
    return preview_html(edition(issue, posts), config, config.site.language)
