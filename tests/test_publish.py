"""The issue of a day is made once, of what is due, and frozen with one outbox row per subscriber."""
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from conftest import NOW, a_blog

from devdigest.config import Config
from devdigest.locks import Busy, locked
from devdigest.memory import HOLD, Held, Run, Setting
from devdigest.models import Blog, Issue, IssuePost, Post
from devdigest.publish import preview, publish
from devdigest.readers import Delivery, Subscriber

pytestmark = pytest.mark.usefixtures("records")

TEN = NOW + timedelta(hours=1)      # 10:00 on Saturday 21 November in Seoul
FRIDAY = date(2026, 11, 20)


def a_post(blog: Blog, title: str = "post", day: date = FRIDAY, **values: object) -> Post:
    given = {"guid": title, "key": f"{blog.site_key}/{title}", "url": f"https://{blog.site_key}/{title}",
             "excerpt": "…", "first_seen": NOW, "verdict": "news"}
    return Post.create(blog=blog, title=title, day=day, **given | values)


def titles(issue: Issue, late: bool = False) -> list[str]:
    return [post.title for post in IssuePost.of(issue) if post.late == late]


def test_yesterdays_posts_are_in_todays_issue(config: Config) -> None:
    blog = a_blog()
    a_post(blog, "yesterday")
    a_post(blog, "today", date(2026, 11, 21))
    a_post(blog, "history", verdict="history")
    issue, made = publish(config, TEN)
    assert (issue.day, issue.state, made) == (date(2026, 11, 21), "published", True)
    assert titles(issue) == ["yesterday"]


def test_an_issue_is_made_once(config: Config, ada: Subscriber) -> None:
    a_post(a_blog())
    first, _ = publish(config, TEN)
    a_post(Blog.get(), "came later")
    second, made = publish(config, TEN + timedelta(hours=1))
    assert (second.id, made, len(titles(second)), Delivery.select().count()) == (first.id, False, 1, 1)


def test_a_post_already_mailed_is_not_mailed_again(config: Config) -> None:
    a_post(a_blog())
    publish(config, TEN)
    issue, _ = publish(config, TEN + timedelta(days=1))
    assert (issue.state, titles(issue)) == ("empty", [])


def test_what_turns_up_later_is_found_late(config: Config) -> None:
    blog = a_blog()
    a_post(blog, "first")
    publish(config, TEN)
    a_post(blog, "late")
    a_post(blog, "fresh", date(2026, 11, 21))
    issue, _ = publish(config, TEN + timedelta(days=1))
    assert (titles(issue), titles(issue, late=True)) == (["fresh"], ["late"])


def test_days_without_an_issue_wait_for_the_next(config: Config) -> None:
    blog = a_blog()
    publish(config, TEN)
    for number in range(4):
        a_post(blog, f"day {number}", date(2026, 11, 20) + timedelta(days=number))
    issue, _ = publish(config, TEN + timedelta(days=4))
    assert (titles(issue), titles(issue, late=True)) == (["day 1", "day 2", "day 3"], ["day 0"])


def test_nothing_is_published_while_held(config: Config) -> None:
    a_post(a_blog())
    Setting.write(HOLD, NOW.isoformat())
    with pytest.raises(Held, match="2026-11-21 00:00"):
        publish(config, TEN)
    assert Issue.select().count() == 0
    Setting.clear(HOLD)
    assert publish(config, TEN)[1]


def test_an_empty_day_is_stored_and_mails_nothing(config: Config, ada: Subscriber) -> None:
    issue, _ = publish(config, TEN)
    assert (issue.state, Delivery.select().count()) == ("empty", 0)


def test_every_subscriber_due_has_one_row(config: Config, ada: Subscriber, bob: Subscriber,
                                         carol: Subscriber) -> None:
    due = {"ada@example.org"}
    for name, values in {"weekly": {"frequency": "weekly"}, "both": {"frequency": "both"},
                         "paused": {"paused_until": date(2026, 11, 22)},
                         "back": {"paused_until": date(2026, 11, 21)}}.items():
        Subscriber.create(email=f"{name}@example.org", state="active", created=NOW, **values)
        due |= {f"{name}@example.org"} if name in ("both", "back") else set()
    a_post(a_blog())
    publish(config, TEN)
    queued = Delivery.select(Subscriber.email).join(Subscriber).where(Delivery.state == "queued").tuples()
    assert {email for email, in queued} == due


def test_issue_and_outbox_are_one_transaction(config: Config, ada: Subscriber) -> None:
    a_post(a_blog())
    Delivery._meta.database.execute_sql(
        "CREATE TRIGGER full BEFORE INSERT ON delivery BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    with pytest.raises(Exception, match="disk full"):
        publish(config, TEN)
    assert (Issue.select().count(), IssuePost.select().count()) == (0, 0)


def test_an_issue_stays_as_it_was_published(config: Config) -> None:
    blog = a_blog()
    post = a_post(blog)
    issue, _ = publish(config, TEN)
    Post.update(title="edited", excerpt="edited").where(Post.id == post.id).execute()
    Blog.update(name="renamed").where(Blog.id == blog.id).execute()
    assert [(shown.title, shown.blog) for shown in IssuePost.of(issue)] == [("post", "blog")]


def test_team_blogs_come_first_then_people_then_overseas_each_by_time(config: Config) -> None:
    for group in ("overseas", "people", "team"):
        blog = a_blog(group, group=group)
        for hour in (9, 3, 6):
            a_post(blog, f"{group} {hour}", published=datetime(2026, 11, 20, hour, tzinfo=NOW.tzinfo))
    issue, _ = publish(config, TEN)
    assert titles(issue) == [f"{group} {hour}"
                             for group in ("team", "people", "overseas") for hour in (3, 6, 9)]


def test_85_posts_in_a_day_are_all_in_the_issue(config: Config) -> None:
    blogs = [a_blog(f"b{number}") for number in range(17)]
    for blog in blogs:
        for number in range(5):
            a_post(blog, f"{blog.name} {number}")
    issue, _ = publish(config, TEN)
    assert len(titles(issue)) == 85


def test_an_issue_says_what_it_lacks(config: Config) -> None:
    a_post(a_blog())
    Run.create(job="collect", started=NOW, finished=NOW, blogs=100, reached=49, lacks=True)
    issue, _ = publish(config, TEN)
    assert (issue.lacks, issue.reached, issue.blogs) == (True, 49, 100)
    assert "49" in preview(config, TEN)


def test_a_preview_stores_nothing(config: Config) -> None:
    a_post(a_blog(), "봄맞이 리팩터링")
    assert "봄맞이 리팩터링" in preview(config, TEN)
    assert Issue.select().count() == 0
    publish(config, TEN)
    assert "봄맞이 리팩터링" in preview(config, TEN)


def test_a_second_publish_says_who_is_at_it(config: Config) -> None:
    with locked(config.folder, "publish"), pytest.raises(Busy, match="publish is running already"):
        publish(config, TEN)


@pytest.mark.parametrize(("change", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)])
def test_yesterday_is_a_whole_day_where_clocks_change(config: Config, change: date, hours: int) -> None:
    berlin = replace(config, site=replace(config.site, zone="Europe/Berlin"))
    blog = a_blog()
    a_post(blog, "on the day", change)
    a_post(blog, "the day after", change + timedelta(days=1))
    noon_after = datetime(change.year, change.month, change.day, 12, tzinfo=NOW.tzinfo) + timedelta(days=1)
    issue, _ = publish(berlin, noon_after)
    assert titles(issue) == ["on the day"]
