"""Calendar days as instants, also where clocks are changed."""
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from devdigest.days import at, clock, local_day, midnight

SEOUL, BERLIN, KATHMANDU = ZoneInfo("Asia/Seoul"), ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kathmandu")


def utc(*numbers: int) -> datetime:
    return datetime(*numbers, tzinfo=UTC)


@pytest.mark.parametrize(("zone", "instant", "day"), [
    (SEOUL, utc(2026, 11, 21, 14, 59, 59), date(2026, 11, 21)),
    (SEOUL, utc(2026, 11, 21, 15, 0), date(2026, 11, 22)),
    (BERLIN, utc(2026, 3, 28, 22, 59, 59), date(2026, 3, 28)),      # +01:00, before clocks go forward
    (BERLIN, utc(2026, 3, 28, 23, 0), date(2026, 3, 29)),
    (BERLIN, utc(2026, 3, 29, 21, 59, 59), date(2026, 3, 29)),      # +02:00, after it
    (BERLIN, utc(2026, 3, 29, 22, 0), date(2026, 3, 30)),
    (BERLIN, utc(2026, 10, 24, 22, 0), date(2026, 10, 25)),         # before clocks go back
    (BERLIN, utc(2026, 10, 25, 22, 59, 59), date(2026, 10, 25)),    # after it
    (BERLIN, utc(2026, 10, 25, 23, 0), date(2026, 10, 26)),
    (KATHMANDU, utc(2026, 11, 21, 18, 15), date(2026, 11, 22)),     # +05:45
])
def test_an_instant_falls_on_a_local_day(zone: ZoneInfo, instant: datetime, day: date) -> None:
    assert local_day(instant, zone) == day


@pytest.mark.parametrize(("zone", "day", "hours"), [
    (SEOUL, date(2026, 3, 29), 24),
    (BERLIN, date(2026, 3, 28), 24),
    (BERLIN, date(2026, 3, 29), 23),
    (BERLIN, date(2026, 10, 25), 25),
    (BERLIN, date(2026, 10, 26), 24),
])
def test_a_day_lasts_from_midnight_to_midnight(zone: ZoneInfo, day: date, hours: int) -> None:
    begin, end = midnight(day, zone), midnight(day + timedelta(days=1), zone)
    assert end - begin == timedelta(hours=hours)
    assert (local_day(begin, zone), local_day(end - timedelta(microseconds=1), zone)) == (day, day)


@pytest.mark.parametrize("day", [date(2026, 3, 30), date(2026, 10, 26), date(2026, 11, 22)])
def test_yesterday_is_the_day_that_ended_at_midnight(day: date) -> None:
    just_before = midnight(day, BERLIN) - timedelta(seconds=1)
    assert local_day(just_before, BERLIN) == day - timedelta(days=1)


@pytest.mark.parametrize(("zone", "day", "hour", "instant"), [
    (SEOUL, date(2026, 11, 22), time(10), utc(2026, 11, 22, 1)),
    (BERLIN, date(2026, 3, 28), time(10), utc(2026, 3, 28, 9)),
    (BERLIN, date(2026, 3, 29), time(10), utc(2026, 3, 29, 8)),
    (BERLIN, date(2026, 3, 29), time(2, 30), utc(2026, 3, 29, 1, 30)),      # skipped: clocks show 03:30
    (BERLIN, date(2026, 10, 25), time(2, 30), utc(2026, 10, 25, 0, 30)),    # twice: the first
    (BERLIN, date(2026, 10, 25), time(10), utc(2026, 10, 25, 9)),
])
def test_a_local_time_is_an_instant(zone: ZoneInfo, day: date, hour: time, instant: datetime) -> None:
    assert at(day, hour, zone) == instant
    assert at(day, hour, zone).tzinfo is UTC


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="an instant without a zone"):
        local_day(datetime(2026, 11, 22), SEOUL)    # noqa: DTZ001


def test_a_time_is_read_as_it_is_written() -> None:
    assert [clock("00:00"), clock("09:55"), clock("23:59")] == [time(0), time(9, 55), time(23, 59)]


@pytest.mark.parametrize("text", [
    "", "9:55", "24:00", "10:60", "10:00:00", "10.00", "-1:00", "ab:cd", " 9:5"])
def test_nothing_else_is_a_time(text: str) -> None:
    with pytest.raises(ValueError):     # noqa: PT011
        clock(text)
