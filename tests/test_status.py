"""How it stands now, as plain facts."""
import json
import threading
from argparse import Namespace
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from conftest import NOW, a_blog
from machines import a_machine

from devdigest import state_commands, status
from devdigest.config import Config
from devdigest.context import Context
from devdigest.memory import HOLD, ISSUES_WAIT, LAST_SEEN, Run, Setting
from devdigest.models import Blog, Issue, IssuePost, Post
from devdigest.readers import Delivery, Subscriber, Suppression
from devdigest.reports import Bounce
from devdigest.troubles import Trouble

pytestmark = pytest.mark.usefixtures("records")

YESTERDAY, TODAY = date(2026, 11, 20), date(2026, 11, 21)
TEN = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)         # 10:00 in Seoul


def at(clock: str) -> datetime:
    """That time of today in Seoul."""
    return datetime.fromisoformat(f"2026-11-21T{clock}+09:00").astimezone(UTC)


def a_post(blog: Blog, guid: str, day: date = YESTERDAY, verdict: str = "news") -> Post:
    return Post.create(blog=blog, guid=guid, key="", url="", title=guid, excerpt="", day=day, first_seen=NOW,
                       verdict=verdict)


def an_issue(day: date, state: str = "published") -> Issue:
    return Issue.create(day=day, state=state, created=NOW)


def test_of_a_new_installation_everything_is_told_too(config: Config) -> None:
    facts = status.facts(config, NOW)
    assert (facts["collect"], facts["issue"], facts["held_since"]) == (None, None, None)
    assert (facts["blogs"], facts["subscribers"], facts["outbox"]) == ({"failing": 0}, {}, {})
    assert facts["next_issue"] == TEN.isoformat()


def test_blogs_and_readers_are_counted_by_state(config: Config, ada: Subscriber, bob: Subscriber,
                                               carol: Subscriber) -> None:
    a_blog("good")
    a_blog("failing", fault="timeout after 10 s")
    a_blog("left", state="excluded", fault="HTTP 404 Not Found")
    facts = status.facts(config, NOW)
    assert facts["blogs"] == {"active": 2, "excluded": 1, "failing": 1}
    assert facts["subscribers"] == {"active": 1, "pending": 1, "cancelled": 1}


def test_the_failing_are_told_with_those_longest_unread_first() -> None:
    a_blog("good")
    a_blog("left", state="excluded", fault="timeout")
    a_blog("lately", fault="timeout", read=NOW)
    a_blog("long ago", fault="timeout", read=NOW - timedelta(days=9))
    a_blog("never", fault="timeout", read=None)
    assert [blog.name for blog in status.failing()] == ["never", "long ago", "lately"]


def test_posts_that_wait_for_the_next_issue_are_counted(config: Config) -> None:
    blog = a_blog()
    mailed = a_post(blog, "mailed")
    mailed.blog = blog
    IssuePost.bulk_create(IssuePost.drafts(an_issue(YESTERDAY), [mailed], []))
    a_post(blog, "waits")
    a_post(blog, "of today", day=TODAY)
    a_post(blog, "old", verdict="history")
    assert status.facts(config, NOW)["waiting_posts"] == 1


def test_held_posts_are_told_by_the_feed_that_releases_them(config: Config) -> None:
    blog = a_blog()
    for guid in "123":
        a_post(blog, guid, verdict="held")
    assert status.facts(config, NOW)["held_posts"] == {blog.feed: 3}


def test_the_newest_issue_is_told_with_what_became_of_its_mails(config: Config, ada: Subscriber,
                                                              bob: Subscriber) -> None:
    blog, older, issue = a_blog(), an_issue(YESTERDAY), an_issue(TODAY)
    early, late = a_post(blog, "1"), a_post(blog, "2", day=date(2026, 11, 1))
    early.blog = late.blog = blog
    IssuePost.bulk_create(IssuePost.drafts(issue, [early], [late]))
    for subscriber, of, state in ((ada, older, "sent"), (ada, issue, "sent"), (bob, issue, "waiting")):
        Delivery.create(subscriber=subscriber, issue=of, state=state, created=NOW, due=NOW, changed=NOW)
    facts = status.facts(config, NOW)
    assert facts["issue"] == {"day": "2026-11-21", "state": "published", "posts": 2, "late": 1}
    assert facts["outbox"] == {"sent": 1, "waiting": 1}


def test_mails_of_the_weekly_issue_are_told_with_those_of_the_daily_one(config: Config,
                                                                       ada: Subscriber) -> None:
    for kind, state in (("daily", "sent"), ("weekly", "refused")):
        issue = Issue.create(kind=kind, day=TODAY, state="published", created=NOW)
        Delivery.create(subscriber=ada, issue=issue, state=state, created=NOW, due=NOW, changed=NOW)
    assert status.facts(config, NOW)["outbox"] == {"refused": 1, "sent": 1}


def test_the_last_runs_of_deliver_are_told_with_those_for_confirmations_apart(config: Config) -> None:
    for hour in range(5):
        begun = NOW + timedelta(hours=hour)
        Run.create(job="deliver", started=begun, finished=begun + timedelta(hours=1), said=f"{hour} sent")
    Run.create(job="confirm", started=TEN, finished=TEN, said="1 sent")
    mailing = status.facts(config, TEN)["mailing"]
    assert [run["said"] for run in mailing["runs"]] == ["4 sent", "3 sent", "2 sent"]
    assert mailing["runs"][0] == {"started": "2026-11-21T04:00:00+00:00", "seconds": 3600, "said": "4 sent"}
    assert mailing["confirmations"]["said"] == "1 sent"


@pytest.mark.parametrize(("clock", "due", "following"), [
    ("09:00", "09:00", "10:00"), ("10:30", "10:00", "10:30"), ("10:30", "11:30", "11:30"),
    ("20:00", "11:00", "10:00 tomorrow"), ("12:00", "20:30", "10:00 tomorrow")])
def test_what_waits_is_told_with_its_next_attempt(config: Config, ada: Subscriber, clock: str, due: str,
                                                  following: str) -> None:
    issue = an_issue(TODAY)
    Delivery.create(issue=issue, subscriber=ada, state="waiting", created=NOW, due=at(due), changed=NOW)
    mailing = status.facts(config, at(clock))["mailing"]
    assert mailing["queue"] == {"waiting": 1}
    expected = at(following.split()[0]) + timedelta(days="tomorrow" in following)
    assert mailing["next_attempt"] == expected.isoformat()


def test_confirmations_are_attempted_at_any_hour_and_in_hold(config: Config, ada: Subscriber,
                                                             bob: Subscriber) -> None:
    assert status.facts(config, NOW)["mailing"]["next_attempt"] is None
    Delivery.create(issue=an_issue(TODAY), subscriber=ada, created=NOW, due=NOW, changed=NOW)
    Setting.write(HOLD, NOW.isoformat())
    assert status.facts(config, TEN)["mailing"]["next_attempt"] is None
    Delivery.create(subscriber=bob, created=NOW, due=NOW, changed=NOW)
    assert status.facts(config, at("23:00"))["mailing"]["next_attempt"] == at("23:00").isoformat()


def test_a_used_up_quota_puts_the_next_attempt_off(config: Config, ada: Subscriber) -> None:
    Delivery.create(issue=an_issue(TODAY), subscriber=ada, created=NOW, due=NOW, changed=NOW)
    Setting.write(ISSUES_WAIT, at("14:00").isoformat())
    assert status.facts(config, TEN)["mailing"]["next_attempt"] == at("14:00").isoformat()


def test_confirmations_that_wait_are_counted(config: Config, bob: Subscriber) -> None:
    Delivery.create(subscriber=bob, created=NOW, due=NOW, changed=NOW)
    assert status.facts(config, NOW)["confirmations_waiting"] == 1


def test_the_last_collect_that_ended_is_told(config: Config) -> None:
    counted = {"blogs": 12, "reached": 9, "failed": 1, "not_reached": 2, "posts": 4, "said": "10 blogs",
               "written": 2_900_000}
    Run.create(job="collect", started=NOW, finished=NOW, **counted)
    Run.create(job="collect", started=NOW + timedelta(hours=1))
    assert status.facts(config, TEN)["collect"] == {"started": NOW.isoformat()} | counted


def test_what_all_collects_of_a_day_wrote_is_told_together(config: Config) -> None:
    for hours, written in ((-24, 5), (-12, 7), (-8, None), (0, 11), (24, 13)):
        Run.create(job="collect", started=NOW + timedelta(hours=hours), written=written)
    assert status.facts(config, TEN)["written"] == {"today": 11, "yesterday": 12}


def test_what_nobody_counted_is_not_told_as_nothing(config: Config) -> None:
    Run.create(job="collect", started=NOW)
    assert status.facts(config, TEN)["written"] == {"today": None, "yesterday": None}


def test_hold_is_told_with_its_time(config: Config) -> None:
    Setting.write(HOLD, NOW.isoformat())
    assert status.facts(config, TEN)["held_since"] == NOW.isoformat()


@pytest.mark.parametrize(("now", "published", "following"), [
    (NOW, False, TEN),                                                  # 09:00
    (TEN, True, TEN + timedelta(days=1)),
    (TEN + timedelta(hours=2), False, TEN + timedelta(hours=2)),        # late, but not too late
    (TEN + timedelta(hours=10), False, TEN + timedelta(days=1)),        # 20:00: too late for today
])
def test_the_next_issue_is_told(config: Config, now: datetime, published: bool, following: datetime) -> None:
    if published:
        an_issue(TODAY)
    assert status.facts(config, now)["next_issue"] == following.isoformat()


def test_all_of_it_can_be_written_as_json(config: Config, ada: Subscriber) -> None:
    a_post(a_blog(), "1", verdict="held")
    an_issue(TODAY)
    Setting.write(HOLD, NOW.isoformat())
    facts = status.facts(config, NOW)
    assert json.loads(json.dumps(facts)) == facts


def test_what_came_back_in_thirty_days_is_told_by_kind(config: Config, ada: Subscriber) -> None:
    for back, kind in ((0, "hard"), (29, "soft"), (30, "soft"), (31, "hard")):
        at = NOW - timedelta(days=back)
        Bounce.create(subscriber=ada, address="a", at=at, day=at.date(), kind=kind, reason="", source="mail",
                      proven=True)
    for reason in ("bounce", "complaint", "erased"):
        Suppression.create(address=reason, reason=reason, since=NOW)
    facts = status.facts(config, NOW)["bounces"]
    assert (facts["reports"], facts["suppressed"]) == ({"hard": 1, "soft": 2}, {"bounce": 1, "complaint": 1})


def test_a_hold_of_its_own_is_told_with_the_reason(config: Config) -> None:
    Setting.hold(NOW, "60 of 100 mails bounced")
    assert status.facts(config, TEN)["held_because"] == "60 of 100 mails bounced"


def test_what_the_last_upgrade_left_to_say_is_told(config: Config, tmp_path: Path) -> None:
    assert status.facts(config, NOW, a_machine(tmp_path))["upgrade"] == ""
    said = "rolled-back 2026-11-20T01:02Z the upgrade to 0.2.0 failed: a service of it did not stay up"
    machine = a_machine(tmp_path, {"opt/devdigest/upgrade/last": f"{said}\n"})
    assert status.facts(config, NOW, machine)["upgrade"] == said


def test_what_is_wrong_comes_first_with_its_cure(config: Config, capsys: pytest.CaptureFixture) -> None:
    for name, gone in (("relay", None), ("disk", NOW)):
        Trouble.create(key=name, name=name, fact="timed out", cure="mend [mail]", since=NOW, seen=NOW,
                       gone=gone)
    assert [one["name"] for one in status.facts(config, NOW)["troubles"]] == ["relay"]
    state_commands.status_command(Context(config, None, "", threading.Event()), Namespace(json=False))
    assert capsys.readouterr().out.splitlines()[0] == (
        "TROUBLE     relay, since 2026-11-21 09:00: timed out; mend [mail]")


def test_a_clock_that_is_not_believed_comes_before_all(config: Config,
                                                      capsys: pytest.CaptureFixture) -> None:
    assert status.facts(config, NOW)["clock_doubt"] == ""
    checked = replace(config, site=replace(config.site, clock="check"))
    Setting.write(LAST_SEEN, datetime(2099, 1, 1, tzinfo=UTC).isoformat())
    state_commands.status_command(Context(checked, None, "", threading.Event()), Namespace(json=False))
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.startswith("CLOCK       nothing is done: the clock shows ")
    assert any(line.endswith(" `devdigest resume --clock`") for line in rest)
    assert all(len(line) <= 80 for line in [first, *rest])
