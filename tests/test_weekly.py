"""On Mondays the week's most read posts are an issue of their own, for those who chose that."""
import threading
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from conftest import NOW, a_blog
from web_site import a_post, an_issue

from devdigest import cli
from devdigest.config import Config
from devdigest.counts import Click, Opened
from devdigest.deliver import deliver
from devdigest.locks import Busy, locked
from devdigest.memory import HOLD, Held, Run, Setting
from devdigest.models import Blog, Issue, IssuePost, Post
from devdigest.publish import publish, publish_weekly
from devdigest.readers import Delivery, Subscriber

pytestmark = pytest.mark.usefixtures("records")

MONDAY = date(2026, 11, 23)
TEN = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)      # in Seoul
SUNDAY, BEFORE = MONDAY - timedelta(days=1), MONDAY - timedelta(days=7)


@pytest.fixture
def blog(records: None) -> Blog:
    return a_blog()


def opened(post: Post, readers: int, day: date = SUNDAY, hour: int = 11, times: int = 0) -> None:
    Click.create(post=post.id, day=day, hour=hour, readers=readers, times=times or readers)


def a_reader(name: str, **values: object) -> Subscriber:
    return Subscriber.create(**{"email": f"{name}@example.org", "state": "active", "created": NOW,
                                "confirmed": NOW} | values)


def ranked(issue: Issue) -> list[tuple[str, int]]:
    return [(post.title, post.readers) for post in IssuePost.of(issue)]


def weekly(config: Config) -> Issue:
    issue, made = publish_weekly(config, TEN)
    assert made
    return issue


def addressed(issue: Issue) -> set[str]:
    rows = Delivery.select(Subscriber.email).join(Subscriber).where(Delivery.issue == issue).tuples()
    return {email.partition("@")[0] for email, in rows}


# what is in it

def test_it_has_what_most_readers_opened_in_the_week(config: Config, blog: Blog) -> None:
    one, two, three = (a_post(blog, title) for title in ("one", "two", "three"))
    an_issue(one, two, three, day=SUNDAY)
    opened(one, 2)
    opened(two, 2, hour=12)
    opened(two, 2, hour=13)
    opened(three, 3)
    issue = weekly(config)
    assert (issue.kind, issue.day, issue.state) == ("weekly", MONDAY, "published")
    assert ranked(issue) == [("two", 4), ("three", 3), ("one", 2)]


def test_equals_come_in_the_order_of_their_issues(config: Config, blog: Blog) -> None:
    posts = {title: a_post(blog, title) for title in ("d", "c", "b", "a")}
    an_issue(posts["d"], posts["c"], day=SUNDAY)
    an_issue(posts["a"], late=(posts["b"],), day=BEFORE)
    for post in posts.values():
        opened(post, 2)
    assert [title for title, _ in ranked(weekly(config))] == ["a", "b", "d", "c"]


def test_it_has_ten_posts_at_most(config: Config, blog: Blog) -> None:
    posts = [a_post(blog, f"post {number}") for number in range(12)]
    an_issue(*posts, day=SUNDAY)
    for number, post in enumerate(posts):
        opened(post, 20 - number)
    assert [readers for _, readers in ranked(weekly(config))] == list(range(20, 10, -1))


@pytest.mark.parametrize(("day", "there"), [
    (BEFORE - timedelta(days=1), False), (BEFORE, True), (SUNDAY, True), (MONDAY, False)])
def test_it_is_of_the_seven_issues_before_it(config: Config, blog: Blog, day: date, there: bool) -> None:
    post = a_post(blog, "post")
    an_issue(post, day=day)
    opened(post, 5)
    assert ranked(weekly(config)) == ([("post", 5)] if there else [])


@pytest.mark.parametrize(("day", "readers"), [
    (BEFORE - timedelta(days=1), 2), (BEFORE, 7), (SUNDAY, 7), (MONDAY, 2)])
def test_only_what_was_opened_in_these_days_counts(config: Config, blog: Blog, day: date,
                                                   readers: int) -> None:
    post = a_post(blog, "post")
    an_issue(post, day=BEFORE)
    opened(post, 2, day=BEFORE + timedelta(days=1))
    opened(post, 5, day=day)
    assert ranked(weekly(config)) == [("post", readers)]


def test_what_machines_alone_opened_is_not_read(config: Config, blog: Blog) -> None:
    post = a_post(blog, "post")
    an_issue(post, day=SUNDAY)
    opened(post, 0, times=40)
    assert ranked(weekly(config)) == []


def test_yesterdays_readers_count_though_nobody_has_counted_them_yet(config: Config, blog: Blog) -> None:
    post = a_post(blog, "post")
    an_issue(post, day=SUNDAY)
    for reader, day in (("ada", SUNDAY), ("bob", SUNDAY), ("ada again", MONDAY)):
        Opened.create(reader=reader, post=post.id, day=day, at=TEN, hour=11)
    assert ranked(weekly(config)) == [("post", 2)]
    assert [row.reader for row in Opened.select()] == ["ada again"]


def test_what_one_reader_alone_opened_is_nobodys_business(config: Config, blog: Blog) -> None:
    post = a_post(blog, "post")
    an_issue(post, day=SUNDAY)
    opened(post, 1)
    assert ranked(weekly(config)) == []


def test_a_blog_that_was_left_out_since_is_not_in_it(config: Config, blog: Blog) -> None:
    other = a_blog("other", state="excluded")
    kept, gone = a_post(blog, "kept"), a_post(other, "gone")
    an_issue(kept, gone, day=SUNDAY)
    opened(kept, 2)
    opened(gone, 9)
    assert ranked(weekly(config)) == [("kept", 2)]


def test_a_post_may_be_in_a_daily_and_in_a_weekly_issue(config: Config, blog: Blog) -> None:
    post = a_post(blog, "post")
    daily = an_issue(post, day=SUNDAY)
    opened(post, 2)
    issue = weekly(config)
    assert [row.issue_id for row in IssuePost.select().where(IssuePost.post == post)] == [daily.id, issue.id]


# how it is made

def test_it_is_made_once(config: Config, blog: Blog) -> None:
    a_reader("ada", frequency="both")
    post = a_post(blog, "post")
    an_issue(post, day=SUNDAY)
    opened(post, 2)
    first = weekly(config)
    opened(post, 4, hour=20)
    second, made = publish_weekly(config, TEN + timedelta(hours=1))
    assert (second, made, ranked(second)) == (first, False, [("post", 2)])
    assert Delivery.select().count() == 1


def test_a_week_in_which_nothing_was_opened_is_stored_and_mails_nothing(config: Config, blog: Blog) -> None:
    a_reader("ada", frequency="weekly")
    an_issue(a_post(blog, "post"), day=SUNDAY)
    issue = weekly(config)
    assert (issue.state, ranked(issue), Delivery.select().count()) == ("empty", [], 0)


def test_while_held_there_is_none(config: Config) -> None:
    Setting.write(HOLD, NOW.isoformat())
    with pytest.raises(Held):
        publish_weekly(config, TEN)
    assert not Issue.select().exists()


def test_it_says_who_is_publishing_already(config: Config) -> None:
    with locked(config.folder, "publish"), pytest.raises(Busy, match="publish is running already"):
        publish_weekly(config, TEN)


def test_by_hand_it_is_made_on_mondays_together_with_the_daily_issue(
        config: Config, blog: Blog, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    monday = date(2024, 5, 6)
    a_reader("ada", frequency="weekly")
    read = a_post(blog, "read")
    an_issue(read, day=monday - timedelta(days=3))
    opened(read, 2, day=monday - timedelta(days=2))
    for day in range(2):
        started = TEN.replace(year=2024, month=5, day=6 + day, hour=0)
        Run.create(job="collect", started=started, finished=started, blogs=1, reached=1)
    settings = tmp_path / "config.toml"
    settings.write_text(f'[site]\nclock = "trust"\n[database]\npath = "{config.database.path}"\n')
    for day in ("2024-05-06", "2024-05-06", "2024-05-07"):
        assert cli.main(["--config", str(settings), "publish", "--today", day]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "publish: issue 2024-05-06 empty, 0 posts, 0 mails",
        "publish: weekly issue 2024-05-06 published, 1 posts, 1 mails",
        "publish: issue 2024-05-06 was already empty, 0 posts, 0 mails",
        "publish: weekly issue 2024-05-06 was already published, 1 posts, 1 mails",
        "publish: issue 2024-05-07 empty, 0 posts, 0 mails"]


def test_it_and_its_mails_are_one_transaction(config: Config, blog: Blog) -> None:
    a_reader("ada", frequency="weekly")
    post = a_post(blog, "post")
    an_issue(post, day=SUNDAY)
    for reader in ("ada", "bob"):
        Opened.create(reader=reader, post=post.id, day=SUNDAY, at=NOW, hour=9)
    Delivery._meta.database.execute_sql(
        "CREATE TRIGGER full BEFORE INSERT ON delivery BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    with pytest.raises(Exception, match="disk full"):
        publish_weekly(config, TEN)
    assert (Issue.of(MONDAY, "weekly"), Click.select().count(), Opened.select().count()) == (None, 0, 2)


# who gets which

def test_each_gets_what_they_chose(config: Config, blog: Blog) -> None:
    a_reader("daily")
    a_reader("weekly", frequency="weekly")
    a_reader("both", frequency="both")
    a_reader("paused", frequency="weekly", paused_until=MONDAY + timedelta(days=1))
    a_reader("back", frequency="weekly", paused_until=MONDAY)
    a_reader("pending", frequency="weekly", state="pending")
    a_reader("cancelled", frequency="both", state="cancelled")
    read = a_post(blog, "read")
    an_issue(read, day=SUNDAY)
    opened(read, 3)
    a_post(blog, "news", SUNDAY)
    daily, _ = publish(config, TEN)
    assert addressed(daily) == {"daily", "both"}
    assert addressed(weekly(config)) == {"weekly", "both", "back"}


def test_who_chose_both_gets_two_different_mails(config: Config, blog: Blog) -> None:
    a_reader("ada", frequency="both", language="en")
    read = a_post(blog, "What was read")
    an_issue(read, day=SUNDAY)
    opened(read, 3)
    new = a_post(blog, "What is new", SUNDAY)
    publish(config, TEN)
    weekly(config)
    assert deliver(config, TEN, "", threading.Event()).states == {"sent": 2}
    mails = [message_from_bytes(path.read_bytes(), policy=policy.default)
             for path in Path(config.mail.maildir).glob("new/*")]
    assert {mail["Subject"] for mail in mails} == {"1 developer blog post: What is new",
                                                   "Last week’s most read post: What was read"}
    assert len({mail["Message-ID"] for mail in mails}) == 2
    pages = {mail["Subject"]: mail.get_body("html").get_content() for mail in mails}
    for title, path, post in (("What was read", "popular", read), ("What is new", "issues", new)):
        [page] = [page for subject, page in pages.items() if title in subject]
        assert f'href="{config.site.url}/{path}/{MONDAY}"' in page
        assert f'href="{config.site.url}/go/{post.id}"' in page


def test_mails_of_it_that_are_left_end_as_those_of_the_daily_issue_do(config: Config, blog: Blog) -> None:
    a_reader("ada", frequency="weekly")
    post = a_post(blog, "post")
    an_issue(post, day=SUNDAY)
    opened(post, 2)
    issue = weekly(config)
    Delivery.give_up(MONDAY + timedelta(days=2), TEN)
    assert Delivery.get().state == "queued"
    Delivery.give_up(MONDAY + timedelta(days=3), TEN)
    assert [(row.state, row.issue) for row in Delivery.select()] == [("given_up", issue.id)]
