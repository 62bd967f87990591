"""What a clock that was a year ahead noted is put right, so that the day's issue is as if it had not been."""
from datetime import date, timedelta

import pytest
from conftest import NOW, a_blog

from devdigest.config import Config
from devdigest.hindsight import put_right
from devdigest.memory import LAST_SEEN, Run, Setting
from devdigest.models import Blog, Issue, IssuePost, Post
from devdigest.publish import publish

pytestmark = pytest.mark.usefixtures("records")

AHEAD = NOW + timedelta(days=366)
TODAY, YESTERDAY = date(2026, 11, 21), date(2026, 11, 20)


def seen_ahead(blog: Blog, day: date, verdict: str, dated: bool = True) -> Post:
    return Post.create(blog=blog, guid=f"{day}", key="", url="", title=f"{day}", excerpt="", day=day,
                       published=day if dated else None, first_seen=AHEAD, verdict=verdict)


def test_what_was_taken_for_old_is_in_the_issue_of_the_day(config: Config) -> None:
    known, new = a_blog("known", first_read=NOW - timedelta(days=9)), a_blog("new", first_read=AHEAD)
    seen_ahead(known, YESTERDAY, "too_old")
    seen_ahead(new, YESTERDAY, "history")
    assert put_right(config, NOW) == 2
    issue, _ = publish(config, NOW)
    assert (issue.day, issue.state, IssuePost.select().count()) == (TODAY, "published", 2)
    assert Blog.get(Blog.name == "new").first_read == NOW


def test_what_is_old_by_the_right_clock_stays_so(config: Config) -> None:
    known, new = a_blog("known", first_read=NOW - timedelta(days=9)), a_blog("new", first_read=AHEAD)
    long_ago = TODAY - timedelta(days=config.digest.late_days + 1)
    seen_ahead(known, long_ago, "too_old")
    seen_ahead(known, YESTERDAY, "history")         # left out by a restore or the owner
    seen_ahead(new, YESTERDAY - timedelta(days=1), "history")
    assert put_right(config, NOW) == 0
    assert {post.verdict for post in Post.select()} == {"too_old", "history"}


def test_a_post_without_a_date_is_of_the_day_it_is(config: Config) -> None:
    seen_ahead(a_blog(first_read=NOW), date(2027, 11, 22), "news", dated=False)
    put_right(config, NOW)
    post = Post.get()
    assert (post.day, post.first_seen, post.verdict) == (TODAY, NOW, "news")


def test_runs_and_empty_issues_yet_to_come_are_forgotten(config: Config) -> None:
    Setting.write(LAST_SEEN, AHEAD.isoformat())
    for at in (NOW - timedelta(hours=1), AHEAD):
        Run.create(job="collect", started=at, finished=at)
    for day, state in ((TODAY, "empty"), (date(2027, 11, 22), "empty"), (date(2027, 11, 23), "published")):
        Issue.create(day=day, state=state, created=NOW)
    put_right(config, NOW)
    assert [run.started for run in Run.select()] == [NOW - timedelta(hours=1)]
    assert Issue.days() == [date(2027, 11, 23), TODAY]
    assert Setting.last_seen() is None
