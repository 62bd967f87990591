"""What belongs in an issue, as the design says it: days, verdicts, sections and their order.

Cases that take more than one step run them on a real database file.
"""
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from desk import SEOUL, TODAY, YESTERDAY, Desk, entry, seoul, utc

from devdigest import blogs, choose, intake
from devdigest.memory import HOLD, Held, Setting
from devdigest.parse import Feed
from devdigest.publish import publish
from devdigest.table import db

BERLIN = ZoneInfo("Europe/Berlin")


def reading(now=None, zone=SEOUL, first=False, fresh=True, late_days=30):
    return choose.Reading(now=now or seoul("2026-11-22 03:00"), zone=zone, late_days=late_days, first=first,
                          fresh=fresh)


# the day of a post

@pytest.mark.parametrize(("zone", "instant", "day"), [
    (SEOUL, "2026-11-20 14:59:59", "2026-11-20"),
    (SEOUL, "2026-11-20 15:00:00", "2026-11-21"),
    (SEOUL, "2026-11-21 14:59:59", "2026-11-21"),
    (BERLIN, "2026-03-28 22:59:59", "2026-03-28"),      # 2026-03-29 has 23 hours in Berlin
    (BERLIN, "2026-03-28 23:00:00", "2026-03-29"),
    (BERLIN, "2026-03-29 21:59:59", "2026-03-29"),
    (BERLIN, "2026-03-29 22:00:00", "2026-03-30"),
    (BERLIN, "2026-10-24 21:59:59", "2026-10-24"),      # 2026-10-25 has 25
    (BERLIN, "2026-10-24 22:00:00", "2026-10-25"),
    (BERLIN, "2026-10-25 22:59:59", "2026-10-25"),
    (BERLIN, "2026-10-25 23:00:00", "2026-10-26"),
])
def test_an_instant_belongs_to_the_calendar_day_of_the_sites_zone(zone, instant, day):
    now = utc(instant) + timedelta(days=2)
    seen = choose.sighting(entry(published=utc(instant)), "", reading(now, zone))
    assert seen.day == date.fromisoformat(day)


@pytest.mark.parametrize("zone", ["Asia/Seoul", "Europe/Berlin", "America/Los_Angeles", "Pacific/Kiritimati"])
@pytest.mark.parametrize("written", [date(1995, 1, 1), date(2026, 3, 29), date(2026, 10, 25), YESTERDAY])
def test_a_bare_date_is_its_written_day_whatever_the_zone(zone, written):
    seen = choose.sighting(entry(published=written), "", reading(utc("2026-11-22 12:00"), ZoneInfo(zone)))
    assert (seen.day, seen.published) == (written, written)


@pytest.mark.parametrize("declared", [
    None, date(2026, 11, 23), date(2027, 1, 1), date(1994, 12, 31), date(1, 1, 1), date(9999, 12, 31),
    seoul("2026-11-22 04:00:01"), seoul("2027-11-22 03:00"), seoul("1994-12-31 23:59:59"), utc("1970-01-01"),
    utc("0001-01-01"), datetime.max.replace(tzinfo=UTC),
])
@pytest.mark.parametrize("zone", [SEOUL, ZoneInfo("America/New_York")])
@pytest.mark.parametrize(("fresh", "days"), [(True, 1), (False, 0)])
def test_what_has_no_plausible_date_is_of_the_day_before_at_the_first_read_of_a_day_else_of_that_day(
        declared, zone, fresh, days):
    now = datetime(2026, 11, 22, 3, tzinfo=zone) if declared != seoul("2026-11-22 04:00:01") else None
    circumstances = reading(now, zone, fresh=fresh)
    seen = choose.sighting(entry(published=declared), "", circumstances)
    assert (seen.day, seen.published) == (circumstances.today - timedelta(days=days), None)


@pytest.mark.parametrize(("declared", "day"), [
    (seoul("2026-11-22 04:00"), TODAY),         # an hour ahead
    (TODAY, TODAY),
    (seoul("1995-01-01 00:00"), date(1995, 1, 1)),
])
def test_a_date_at_the_edge_is_plausible(declared, day):
    assert choose.sighting(entry(published=declared), "", reading()).day == day


def test_a_clock_that_is_fast_around_midnight_dates_a_post_tomorrow():
    seen = choose.sighting(entry(published=seoul("2026-11-23 00:20")), "", reading(seoul("2026-11-22 23:30")))
    assert seen.day == date(2026, 11, 23)


# the verdict at first sight

def verdict(published, **circumstances):
    read = reading(**circumstances)
    [found] = choose.judge([choose.sighting(entry(published=published), "ada.example/a", read)], [], read)
    return str(found.verdict)


@pytest.mark.parametrize(("published", "late_days", "expected"), [
    (TODAY, 30, "news"), (YESTERDAY, 30, "news"), (None, 30, "news"), (date(2026, 11, 23), 30, "news"),
    (date(2026, 10, 23), 30, "news"), (date(2026, 10, 22), 30, "too_old"),
    (seoul("2026-10-23 00:00"), 30, "news"), (seoul("2026-10-22 23:59:59"), 30, "too_old"),
    (date(2026, 11, 21), 1, "news"), (date(2026, 11, 20), 1, "too_old"),
    (date(1995, 1, 1), 365, "too_old"), (date(1994, 12, 31), 1, "news"),    # absurd: of its first sight
])
def test_a_post_found_late_is_news_up_to_late_days_after_its_day(published, late_days, expected):
    assert verdict(published, late_days=late_days) == expected


@pytest.mark.parametrize(("published", "expected"), [
    (TODAY, "news"), (YESTERDAY, "news"),
    (seoul("2026-11-21 00:00"), "news"), (seoul("2026-11-22 02:00"), "news"),
    (seoul("2026-11-20 23:59:59"), "history"), (date(2026, 11, 20), "history"), (date(2020, 1, 1), "history"),
    (None, "history"), (seoul("2026-11-25 00:00"), "history"), (date(1970, 1, 1), "history"),
])
def test_the_first_read_of_a_blog_makes_news_of_today_and_yesterday_alone(published, expected):
    assert verdict(published, first=True) == expected


# the order of an issue

@dataclass
class Placed:
    name: str
    group: str
    day: date
    published: datetime | date | None = None


def test_team_blogs_come_first_then_people_then_overseas_and_within_them_the_earlier():
    posts = [Placed("overseas", "overseas", YESTERDAY, seoul("2026-11-21 00:01")),
             Placed("people, evening", "people", YESTERDAY, seoul("2026-11-21 20:00")),
             Placed("people, no time", "people", YESTERDAY, YESTERDAY),
             Placed("people, morning", "people", YESTERDAY, seoul("2026-11-21 08:00")),
             Placed("team", "team", YESTERDAY, seoul("2026-11-21 23:00")),
             Placed("people, late", "people", date(2026, 11, 20)),
             Placed("team, late", "team", date(2026, 11, 20))]
    yesterday, late = choose.sections(posts, YESTERDAY, SEOUL)
    assert [post.name for post in yesterday] == [
        "team", "people, no time", "people, morning", "people, evening", "overseas"]
    assert [post.name for post in late] == ["team, late", "people, late"]


# cases that take steps

@pytest.fixture
def desk(tmp_path):
    yield Desk(tmp_path)
    db.close()


@pytest.fixture
def ada(desk):
    return desk.blog()


def test_a_post_of_yesterday_is_in_todays_issue_and_in_no_other(desk, ada):
    post = entry("A", seoul("2026-11-21 12:00"))
    desk.read(ada, "2026-11-22 09:00", post)
    assert desk.issue("2026-11-22 10:00") == (["A"], [])
    desk.read(ada, "2026-11-23 03:00", post)
    assert desk.issue("2026-11-23 10:00") == ([], [])


def test_a_post_of_today_waits_for_tomorrow(desk, ada):
    desk.read(ada, "2026-11-22 09:00", entry("A", seoul("2026-11-22 00:00")))
    assert desk.issue("2026-11-22 10:00") == ([], [])
    assert desk.issue("2026-11-23 10:00") == (["A"], [])


def test_an_issue_is_made_once_a_day(desk, ada):
    first, _ = publish(desk.config, seoul("2026-11-22 10:00"))
    desk.read(ada, "2026-11-22 10:01", entry("A", YESTERDAY))
    assert publish(desk.config, seoul("2026-11-22 10:02")) == (first, False)
    assert desk.issue("2026-11-23 10:00") == ([], ["A"])


def test_an_undated_post_is_yesterdays_if_the_days_first_read_shows_it(desk, ada):
    desk.read(ada, "2026-11-21 09:00")
    desk.read(ada, "2026-11-22 03:00", entry("A"))
    assert desk.issue("2026-11-22 10:00") == (["A"], [])


def test_an_undated_post_is_todays_if_a_later_read_shows_it(desk, ada):
    desk.read(ada, "2026-11-22 03:00")
    desk.read(ada, "2026-11-22 09:00", entry("A"))
    assert desk.issue("2026-11-22 10:00") == ([], [])
    assert desk.issue("2026-11-23 10:00") == (["A"], [])


def test_an_undated_post_is_yesterdays_at_nine_too_where_the_blog_could_not_be_read_before(desk, ada):
    desk.read(ada, "2026-11-21 09:00")
    desk.read(ada, "2026-11-22 09:00", entry("A"))
    assert desk.issue("2026-11-22 10:00") == (["A"], [])


def test_three_missed_issues_are_made_up_for_by_the_next_one(desk, ada):
    desk.issue("2026-11-18 10:00")
    posts = [entry(f"of {day}", date(2026, 11, day)) for day in (17, 18, 19, 20, 21)]
    desk.read(ada, "2026-11-22 03:00", *posts)
    assert desk.issue("2026-11-22 10:00") == (["of 18", "of 19", "of 20", "of 21"], ["of 17"])


def test_held_days_are_made_up_for_after_resume(desk, ada):
    desk.issue("2026-11-19 10:00")
    Setting.write(HOLD, "2026-11-19T12:00:00+00:00")
    for day in (19, 20, 21):
        desk.read(ada, f"2026-11-{day + 1} 03:00", *(entry(f"of {some}", date(2026, 11, some))
                                                      for some in range(19, day + 1)))
        with pytest.raises(Held):
            publish(desk.config, seoul(f"2026-11-{day + 1} 10:00"))
    Setting.clear(HOLD)
    assert desk.issue("2026-11-23 10:00") == (["of 19", "of 20", "of 21"], [])


def test_the_first_issue_ever_has_yesterdays_and_what_is_older_as_found_late(desk, ada):
    desk.read(ada, "2026-11-21 03:00", entry("older", date(2026, 11, 20)), entry("A", YESTERDAY))
    assert desk.issue("2026-11-22 10:00") == (["A"], ["older"])


def test_an_empty_day_is_an_issue_of_its_own(desk, ada):
    assert desk.issue("2026-11-21 10:00") == ([], [])
    desk.read(ada, "2026-11-22 03:00", entry("before", date(2026, 11, 20)), entry("A", YESTERDAY))
    assert desk.issue("2026-11-22 10:00") == (["A"], ["before"])


def test_a_day_of_85_posts_has_all_of_them(desk):
    for number in range(17):
        blog = desk.blog(f"blog{number}")
        desk.read(blog, "2026-11-22 03:00", *(entry(f"{number}.{post}", seoul(f"2026-11-21 0{post}:00"),
                                                    link=f"https://blog{number}.example/{post}")
                                              for post in range(5)))
    yesterday, late = desk.issue("2026-11-22 10:00")
    assert (len(set(yesterday)), late) == (85, [])


def test_a_first_read_without_an_entry_is_not_the_first(desk):
    blog = desk.blog(known=False)
    desk.read(blog, "2026-11-20 03:00")
    new = desk.read(blog, "2026-11-22 03:00",
                    entry("old", date(2026, 11, 19)), entry("none"), entry("A", YESTERDAY))
    assert new == {"old": "history", "none": "history", "A": "news"}
    assert desk.read(blog, "2026-11-22 09:00", entry("B", date(2026, 11, 19))) == {"B": "news"}


# exclusion

def test_an_excluded_blogs_posts_are_not_mailed_and_added_again_it_begins_anew(desk, ada):
    desk.read(ada, "2026-11-20 03:00", entry("unsent", date(2026, 11, 19)))
    assert blogs.exclude(ada) == 1
    assert desk.issue("2026-11-20 10:00") == ([], [])
    blogs.add(ada.feed, None, None, seoul("2026-11-22 00:00"))         # known, so nothing is fetched
    new = desk.read(ada, "2026-11-22 03:00", entry("unsent", date(2026, 11, 19)),
                    entry("meanwhile", date(2026, 11, 20)), entry("no date"), entry("A", YESTERDAY))
    assert new == {"meanwhile": "history", "no date": "history", "A": "news"}
    assert desk.issue("2026-11-22 10:00") == (["A"], [])


# a day played again

def test_what_is_dated_after_a_past_day_is_left_for_its_own_day(desk, ada):
    feed = Feed("", "", (entry("of then", date(2026, 11, 19)), entry("ahead", seoul("2026-11-20 10:01"))))
    with db.atomic():
        new = intake.receive(ada, feed, desk.config, seoul("2026-11-20 10:00"), past=True)
    assert [post.title for post in new] == ["of then"]
    assert desk.read(ada, "2026-11-21 03:00", *feed.entries) == {"ahead": "news"}
