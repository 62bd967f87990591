"""What is due when: the day as the design tells it, asked of the records at any instant."""
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from conftest import a_blog

from devdigest import agenda
from devdigest.config import Config
from devdigest.fetching import Fetching
from devdigest.memory import HOLD, Operator, Run, Setting
from devdigest.models import Blog, Issue
from devdigest.readers import Delivery, Subscriber

pytestmark = pytest.mark.usefixtures("records")

SEOUL, BERLIN = ZoneInfo("Asia/Seoul"), ZoneInfo("Europe/Berlin")
LONG_UP = datetime(2026, 11, 1, tzinfo=UTC)         # the worker has been running for weeks


def at(clock: str, day: int = 21, zone: ZoneInfo = SEOUL, month: int = 11) -> datetime:
    """That time of a day in November 2026, in UTC as steps are told it."""
    hour, minute = clock.split(":")
    return datetime(2026, month, day, int(hour), int(minute), tzinfo=zone).astimezone(UTC)


def collected(started: datetime, blogs: int = 10, reached: int = 10, finished: bool = True) -> Run:
    return Run.create(job="collect", started=started, blogs=blogs, reached=reached, lacks=2 * reached < blogs,
                      finished=started + timedelta(minutes=2) if finished else None)


def publish(config: Config, now: datetime, up_since: datetime = LONG_UP) -> bool:
    return agenda.publish(config, now, up_since)


def an_issue(day: int = 21) -> Issue:
    return Issue.create(day=date(2026, 11, day), state="published", created=at("10:00", day))


def a_mail(subscriber: Subscriber, issue: Issue | None, due: datetime) -> Delivery:
    return Delivery.create(subscriber=subscriber, issue=issue, created=due, due=due, changed=due)


@pytest.fixture
def blog(records: None) -> Blog:
    return a_blog()


# Collect

@pytest.mark.parametrize(("now", "due"), [
    (at("02:59"), ""), (at("03:00"), "collect"), (at("08:59"), "collect"), (at("23:59"), "collect")])
def test_collect_is_due_from_three_in_the_morning(config: Config, now: datetime, due: str) -> None:
    collected(at("09:00", day=20))
    assert agenda.collect(config, now) == due


@pytest.mark.parametrize(("now", "ends"), [
    (at("03:00"), at("09:00")),                 # the next one begins then
    (at("09:00"), at("09:55")),                 # the issue is made of it at ten
    (at("09:40"), at("09:55")),
    (at("09:41"), at("10:25")),                 # no use any more: publish waits for it
    (at("10:00"), at("10:25")), (at("12:30"), at("12:55")),
    (at("20:00"), at("03:00", day=22)),         # too late for an issue
    (at("23:30"), at("03:00", day=22))])
def test_a_collect_ends_in_time_for_the_issue_and_for_the_next_collect(config: Config, now: datetime,
                                                                       ends: datetime) -> None:
    assert agenda.collect_ends(config, now) == ends


def test_once_the_issue_is_out_a_collect_has_until_the_next(config: Config) -> None:
    an_issue()
    assert agenda.collect_ends(config, at("12:30")) == at("03:00", day=22)


def test_blogs_that_a_collect_did_not_come_to_are_asked_by_a_retry(config: Config, blog: Blog) -> None:
    Blog.update(added=at("08:00", day=20)).execute()
    Fetching.update(fetched=at("03:00")).execute()
    done = collected(at("09:00"))
    assert agenda.collect(config, at("09:10")) == ""
    Run.update(not_reached=1).where(Run.id == done.id).execute()
    assert agenda.collect(config, at("09:10")) == "retry"
    assert agenda.collect(config, at("09:55")) == ""
    Operator.leave_alone("example.org", 0.1, at("09:20"))
    assert agenda.collect(config, at("09:19")) == ""
    assert agenda.collect(config, at("09:20")) == "retry"
    Fetching.update(fetched=at("09:20")).execute()
    assert agenda.collect(config, at("09:21")) == ""


def test_collect_is_due_once_for_each_of_its_times(config: Config) -> None:
    collected(at("03:00"))
    assert agenda.collect(config, at("08:59")) == ""
    assert agenda.collect(config, at("09:00")) == "collect"
    collected(at("09:00"))
    assert [agenda.collect(config, at(clock)) for clock in ("09:01", "15:00", "23:59")] == ["", "", ""]
    assert agenda.collect(config, at("02:59", day=22)) == ""
    assert agenda.collect(config, at("03:00", day=22)) == "collect"


def test_the_first_collect_of_all_is_due_at_once(config: Config) -> None:
    assert agenda.collect(config, at("00:01")) == "collect"


def test_after_days_without_power_one_collect_is_due_at_any_hour(config: Config) -> None:
    collected(at("09:00", day=10))
    assert agenda.collect(config, at("01:30")) == "collect"
    collected(at("01:30"))
    assert agenda.collect(config, at("01:40")) == ""


def test_a_collect_that_was_cut_off_is_begun_again_but_not_in_a_tight_circle(config: Config) -> None:
    collected(at("03:00"), finished=False)
    assert agenda.collect(config, at("03:04")) == ""
    assert agenda.collect(config, at("03:05")) == "collect"


@pytest.mark.parametrize(("now", "due"), [
    (at("09:14"), ""), (at("09:15"), "retry"), (at("09:54"), "retry"), (at("09:55"), "")])
def test_blogs_that_failed_are_tried_again_until_shortly_before_the_issue(config: Config, now: datetime,
                                                                         due: str) -> None:
    collected(at("09:00"))
    a_blog("failing", fault="timeout after 10 s", not_before=at("09:15"))
    assert agenda.collect(config, now) == due


def test_what_will_not_pass_is_not_tried_again(config: Config) -> None:
    collected(at("09:00"))
    a_blog("gone", fault="HTTP 404 Not Found")
    a_blog("paused", state="paused", fault="timeout", not_before=at("09:01"))
    assert agenda.collect(config, at("09:30")) == ""


def test_a_collect_that_hardly_reached_anyone_is_repeated_until_there_is_an_issue(config: Config) -> None:
    collected(at("09:50"), reached=4)
    assert agenda.collect(config, at("09:59")) == ""            # retries are at it before
    assert agenda.collect(config, at("10:04")) == ""
    assert agenda.collect(config, at("10:05")) == "collect"
    collected(at("10:05"), reached=4)
    assert agenda.collect(config, at("10:19")) == ""
    assert agenda.collect(config, at("19:59")) == "collect"
    assert agenda.collect(config, at("20:00")) == ""
    an_issue()
    assert agenda.collect(config, at("19:59")) == ""


def test_a_collect_that_reached_half_is_not_repeated(config: Config) -> None:
    collected(at("09:00"), reached=5)
    assert agenda.collect(config, at("12:00")) == ""


# Publish

@pytest.mark.usefixtures("blog")
class TestPublish:
    @pytest.mark.parametrize(("now", "due"), [
        (at("09:59"), False), (at("10:00"), True), (at("19:59"), True), (at("20:00"), False),
        (at("23:59"), False)])
    def test_it_is_due_from_its_time_until_latest(self, config: Config, now: datetime, due: bool) -> None:
        collected(at("09:00"))
        assert publish(config, now) is due

    def test_there_is_one_issue_a_day(self, config: Config) -> None:
        collected(at("09:00"))
        an_issue()
        assert publish(config, at("10:01")) is False
        collected(at("09:00", day=22))
        assert publish(config, at("10:00", day=22)) is True

    def test_an_empty_issue_is_one_too(self, config: Config) -> None:
        collected(at("09:00"))
        Issue.create(day=date(2026, 11, 21), state="empty", created=at("10:00"))
        assert publish(config, at("10:01")) is False

    def test_it_waits_for_a_collect_of_the_day(self, config: Config) -> None:
        collected(at("23:59", day=20))
        assert publish(config, at("10:00")) is False
        collected(at("00:00"))
        assert publish(config, at("10:00")) is True

    def test_a_collect_that_is_still_running_is_waited_for(self, config: Config) -> None:
        collected(at("09:00", day=20))
        running = collected(at("09:55"), finished=False)
        assert publish(config, at("10:05")) is False
        running.finished = at("10:06")
        running.save()
        assert publish(config, at("10:06")) is True

    def test_without_one_it_waits_half_an_hour_at_most(self, config: Config) -> None:
        collected(at("09:00", day=20))
        assert publish(config, at("10:29")) is False
        assert publish(config, at("10:30")) is True

    def test_after_a_late_start_it_waits_half_an_hour_from_then(self, config: Config) -> None:
        started = at("13:00")
        assert publish(config, at("13:29"), started) is False
        assert publish(config, at("13:30"), started) is True
        collected(at("13:00"))
        assert publish(config, at("13:03"), started) is True

    def test_after_a_start_shortly_before_latest_only_a_collect_brings_an_issue(self, config: Config) -> None:
        started = at("19:45")
        assert publish(config, at("19:59"), started) is False
        collected(at("19:46"))
        assert publish(config, at("19:59"), started) is True

    @pytest.mark.parametrize(("reached", "due"), [(5, True), (4, False), (0, False)])
    def test_a_collect_that_reached_less_than_half_is_no_ground(self, config: Config, reached: int,
                                                               due: bool) -> None:
        collected(at("09:00"), reached=reached)
        assert publish(config, at("10:31")) is due

    def test_one_that_reached_more_is_waited_for_until_latest(self, config: Config) -> None:
        collected(at("09:00"), reached=1)
        assert publish(config, at("19:49")) is False
        collected(at("15:00"), reached=9)
        assert publish(config, at("15:02")) is True

    def test_before_latest_an_issue_that_lacks_much_is_better_than_none(self, config: Config) -> None:
        collected(at("19:30"), reached=1)
        assert publish(config, at("19:49")) is False
        assert publish(config, at("19:50")) is True
        assert publish(config, at("20:00")) is False

    def test_while_held_there_is_none(self, config: Config) -> None:
        collected(at("09:00"))
        Setting.write(HOLD, at("09:30").isoformat())
        assert publish(config, at("12:00")) is False
        Setting.clear(HOLD)
        assert publish(config, at("12:00")) is True


def test_without_blogs_nothing_is_published(config: Config) -> None:
    collected(at("09:00"), blogs=0, reached=0)
    assert publish(config, at("10:30")) is False


# The weekly issue; Monday is the 23rd

@pytest.mark.parametrize(("now", "due"), [
    (at("09:59", day=23), False), (at("10:00", day=23), True), (at("19:59", day=23), True),
    (at("20:00", day=23), False)])
def test_the_weekly_issue_is_due_on_monday_between_time_and_latest(config: Config, now: datetime,
                                                                  due: bool) -> None:
    an_issue(23)
    assert agenda.publish_weekly(config, now) is due


@pytest.mark.parametrize("day", [21, 22, 24, 25, 26, 27, 28])
def test_on_other_days_no_weekly_issue_is_due_though_mondays_was_missed(config: Config, day: int) -> None:
    an_issue(day)
    assert agenda.publish_weekly(config, at("10:01", day)) is False


def test_the_weekly_issue_waits_for_the_daily_one(config: Config) -> None:
    an_issue(22)
    assert agenda.publish_weekly(config, at("10:01", day=23)) is False
    Issue.create(day=date(2026, 11, 23), state="empty", created=at("10:01", day=23))
    assert agenda.publish_weekly(config, at("10:01", day=23)) is True


def test_there_is_one_weekly_issue_on_a_monday(config: Config) -> None:
    an_issue(23)
    Issue.create(kind="weekly", day=date(2026, 11, 23), state="empty", created=at("10:01", day=23))
    assert agenda.publish_weekly(config, at("10:02", day=23)) is False


def test_while_held_no_weekly_issue_is_due(config: Config) -> None:
    an_issue(23)
    Setting.write(HOLD, at("10:01", day=23).isoformat())
    assert agenda.publish_weekly(config, at("10:02", day=23)) is False


def test_where_a_restore_closed_the_day_no_weekly_issue_goes_out_again(config: Config) -> None:
    Issue.create(day=date(2026, 11, 23), state="closed", created=at("09:00", day=23))
    assert agenda.publish_weekly(config, at("12:00", day=23)) is False


def test_whoever_wants_no_weekly_issue_has_none(config: Config) -> None:
    an_issue(23)
    never = replace(config, digest=replace(config.digest, weekly=False))
    assert agenda.publish_weekly(never, at("12:00", day=23)) is False


def test_monday_is_a_day_of_the_sites_zone(config: Config) -> None:
    an_issue(23)
    early = replace(config, digest=replace(config.digest, time="05:00"))
    assert at("05:00", day=23).weekday() == 6           # still Sunday in UTC
    assert agenda.publish_weekly(early, at("05:00", day=23)) is True


# A pause for an upgrade

@pytest.mark.parametrize(("clock", "why"), [
    ("09:54", ""), ("09:55", "the issue of 2026-11-21 is about to be made"), ("20:00", "")])
def test_no_pause_is_made_where_an_issue_is_about_to_be(config: Config, blog: Blog, clock: str,
                                                        why: str) -> None:
    assert agenda.mailing(config, at(clock)) == why


def test_no_pause_is_made_while_an_issue_is_mailed(config: Config, blog: Blog, ada: Subscriber) -> None:
    mail = a_mail(ada, an_issue(), at("10:00"))
    assert agenda.mailing(config, at("10:01")) == "1 mails are on their way"
    mail.state = "sent"
    mail.save()
    assert agenda.mailing(config, at("10:01")) == ""


def test_while_held_any_pause_will_do(config: Config, blog: Blog) -> None:
    Setting.hold(at("09:00"), "")
    assert agenda.mailing(config, at("10:00")) == ""


# Deliver

@pytest.mark.parametrize(("now", "due"), [
    (at("09:59"), ""), (at("10:00"), "issues"), (at("19:59"), "issues"), (at("20:00"), "")])
def test_issues_are_mailed_between_their_time_and_latest(config: Config, ada: Subscriber, now: datetime,
                                                       due: str) -> None:
    a_mail(ada, an_issue(day=20), at("10:00", day=20))
    assert agenda.deliver(config, now) == due


def test_a_mail_is_not_due_before_its_time(config: Config, ada: Subscriber) -> None:
    a_mail(ada, an_issue(), at("11:00"))
    assert agenda.deliver(config, at("10:59")) == ""
    assert agenda.deliver(config, at("11:00")) == "issues"


@pytest.mark.parametrize("clock", ["00:00", "03:00", "09:59", "20:00", "23:59"])
def test_confirmations_are_mailed_at_any_hour(config: Config, ada: Subscriber, bob: Subscriber,
                                             clock: str) -> None:
    a_mail(ada, an_issue(day=20), at("10:00", day=20))
    a_mail(bob, None, at("00:00"))
    assert agenda.deliver(config, at(clock)) == "confirmations"


def test_while_held_confirmations_alone_are_mailed(config: Config, ada: Subscriber, bob: Subscriber) -> None:
    Setting.write(HOLD, at("09:30").isoformat())
    a_mail(ada, an_issue(), at("10:00"))
    assert agenda.deliver(config, at("10:01")) == ""
    a_mail(bob, None, at("10:00"))
    assert agenda.deliver(config, at("10:01")) == "confirmations"


@pytest.mark.parametrize("state", ["sent", "refused", "given_up", "dropped"])
def test_what_has_its_end_is_not_mailed(config: Config, ada: Subscriber, state: str) -> None:
    mail = a_mail(ada, an_issue(), at("10:00"))
    mail.state = state
    mail.save()
    assert agenda.deliver(config, at("12:00")) == ""


@pytest.mark.parametrize("state", ["sending", "waiting", "unknown"])
def test_what_was_cut_off_or_put_off_is_mailed(config: Config, ada: Subscriber, state: str) -> None:
    mail = a_mail(ada, an_issue(), at("10:00"))
    mail.state = state
    mail.save()
    assert agenda.deliver(config, at("12:00")) == "issues"


# Care

def test_care_is_due_once_a_day_and_later_where_the_night_was_missed(config: Config) -> None:
    assert agenda.care(config, at("15:00")) is True
    Run.create(job="care", started=at("15:00"), finished=at("15:01"))
    assert [agenda.care(config, at(clock)) for clock in ("15:02", "23:59")] == [False, False]
    assert agenda.care(config, at("00:00", day=22)) is True


def test_care_that_was_cut_off_is_due_again(config: Config) -> None:
    Run.create(job="care", started=at("00:00"))
    assert agenda.care(config, at("00:10")) is True


# Where clocks are changed

@pytest.fixture
def berlin(config: Config) -> Config:
    return replace(config, site=replace(config.site, zone="Europe/Berlin"),
                   collect=replace(config.collect, times=("02:30", "09:00")))


@pytest.mark.parametrize(("month", "day"), [(3, 29), (10, 25)])
def test_when_clocks_change_everything_is_due_by_the_new_time(berlin: Config, blog: Blog, month: int,
                                                            day: int) -> None:
    def clock(text: str, on: int = day) -> datetime:
        return at(text, on, BERLIN, month)
    collected(clock("09:00", day - 1))
    assert agenda.collect(berlin, clock("01:59")) == ""
    assert agenda.collect(berlin, clock("03:30")) == "collect"
    collected(clock("09:00"))
    assert publish(berlin, clock("09:59")) is False
    assert publish(berlin, clock("10:00")) is True
    assert publish(berlin, clock("20:00")) is False


def test_a_time_that_clocks_show_twice_is_due_once(berlin: Config) -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)       # 02:30 +02:00; an hour later it is 02:30 again
    collected(datetime(2026, 10, 24, 7, 0, tzinfo=UTC))
    assert agenda.collect(berlin, first - timedelta(minutes=1)) == ""
    assert agenda.collect(berlin, first) == "collect"
    collected(first)
    assert agenda.collect(berlin, first + timedelta(hours=1, minutes=5)) == ""


def test_a_time_that_clocks_skip_is_not_skipped(berlin: Config) -> None:
    collected(datetime(2026, 3, 28, 8, 0, tzinfo=UTC))
    assert agenda.collect(berlin, datetime(2026, 3, 29, 1, 29, tzinfo=UTC)) == ""       # clocks show 03:29
    assert agenda.collect(berlin, datetime(2026, 3, 29, 1, 30, tzinfo=UTC)) == "collect"


# What stands for no collect of now

@pytest.mark.parametrize("finished", [True, False])
def test_a_run_of_a_time_to_come_stands_for_none_of_now(config: Config, blog: Blog, finished: bool) -> None:
    collected(at("10:00"), finished=finished)       # `--today` before digest.time, or a clock that was ahead
    Run.create(job="care", started=at("10:00"), finished=at("10:01"))
    assert agenda.collect(config, at("03:00")) == "collect"
    assert agenda.care(config, at("03:00")) is True
    collected(at("03:00"))
    assert agenda.collect(config, at("03:10")) == ""
    assert agenda.collect(config, at("09:00")) == "collect"


def test_a_list_that_was_imported_since_is_read_before_anything_is_published(config: Config,
                                                                            blog: Blog) -> None:
    collected(at("11:00"), blogs=0, reached=0)
    assert agenda.collect(config, at("12:00")) == "collect"
    assert publish(config, at("12:00"), up_since=at("11:50")) is False


@pytest.mark.parametrize(("now", "issued", "day"), [
    ("08:00", False, 21), ("19:59", False, 21), ("20:00", False, 22), ("10:01", True, 22)])
def test_the_next_issue_is_todays_until_it_is_made_or_too_late(config: Config, now: str, issued: bool,
                                                               day: int) -> None:
    an_issue(20)
    if issued:
        an_issue(21)
    assert agenda.next_issue(config, at(now)) == date(2026, 11, day)


@pytest.mark.parametrize(("day", "monday"), [(16, 16), (17, 23), (22, 23), (23, 23), (24, 30)])
def test_the_first_weekly_issue_from_a_day_on_is_that_of_a_monday(day: int, monday: int) -> None:
    assert agenda.first_issue(date(2026, 11, day), "weekly") == date(2026, 11, monday)
    assert agenda.first_issue(date(2026, 11, day), "daily") == date(2026, 11, day)
