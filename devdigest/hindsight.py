"""Puts right what was noted by a clock that was ahead, once the owner says that it is right again."""
from datetime import datetime, timedelta

from devdigest.config import Config
from devdigest.days import local_day
from devdigest.memory import LAST_SEEN, Run, Setting
from devdigest.models import Blog, Issue, IssuePost, Post, Verdict
from devdigest.table import db


def put_right(config: Config, now: datetime) -> int:
    """How many posts that it took for old are news after all. May be repeated at will."""
    today = local_day(now, config.site.timezone)
    with db.atomic():
        Setting.clear(LAST_SEEN)
        Run.delete().where(Run.started > now).execute()
        # one that was made, and perhaps mailed, stays: nobody gets a post twice
        Issue.delete().where(Issue.day > today, Issue.state == "empty").execute()
        news = _judge_again(config, now)
        Blog.update(first_read=now).where(Blog.first_read > now).execute()
    return news


def _judge_again(config: Config, now: datetime) -> int:
    """By choose.py's rules for what a feed dated, which are about `today`; copies remain copies."""
    today = local_day(now, config.site.timezone)
    too_late = today - timedelta(days=config.digest.late_days)
    seen_then = (Post.first_seen > now) & Post.id.not_in(IssuePost.select(IssuePost.post))
    new_blogs = Blog.select(Blog.id).where(Blog.first_read > now)
    old_blogs = Blog.select(Blog.id).where(Blog.first_read <= now)
    dated = seen_then & Post.published.is_null(False)
    news = Post.update(verdict=Verdict.NEWS).where(dated & (
        ((Post.verdict == Verdict.TOO_OLD) & Post.blog.in_(old_blogs) & (Post.day >= too_late))
        | ((Post.verdict == Verdict.HISTORY) & Post.blog.in_(new_blogs)
           & (Post.day >= today - timedelta(days=1))))).execute()
    Post.update(day=today).where(seen_then, Post.day > today).execute()
    Post.update(first_seen=now).where(seen_then).execute()
    return news
