"""dates.py: every shape of date that feeds were seen to write, and what must not be guessed."""
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from devdigest import dates

SEOUL = ZoneInfo("Asia/Seoul")
TWO_TO_MIDNIGHT = datetime(2020, 9, 29, 14, 58, 5, tzinfo=UTC)      # 23:58:05 on 29 September in Seoul


@pytest.mark.parametrize("raw", [
    # RFC 822, RFC 5322
    "Tue, 29 Sep 2020 23:58:05 +0900",
    "29 Sep 2020 23:58:05 +0900",
    "Mon, 29 Sep 2020 23:58:05 +0900",                  # a wrong weekday
    "Tue, 29 Sep 20 23:58:05 +0900",
    "Tue, 29 September 2020 23:58:05 +09:00",
    "Tuesday, 29-Sept-2020 23:58:05 KST",
    "  tue,29 sep 2020\n 23:58:05 kst ",
    "Tue, 29 Sep 2020 14:58:05 GMT",
    "Tue, 29 Sep 2020 14:58:05 UT",
    "Tue, 29 Sep 2020 14:58:05 Z",
    "Tue, 29 Sep 2020 14:58:05 -0000",
    "Tue, 29 Sep 2020 10:58:05 EDT",
    "Tue, 29 Sep 2020 07:58:05 PDT",
    "Tue, 29 Sep 2020 15:58:05 BST",
    "Tue, 29 Sep 2020 16:58:05 CEST",
    "Tue, 29 Sep 2020 17:58:05 MSK",
    "Tue, 29 Sep 2020 23:58:05 JST",
    "Tue, 29 Sep 2020 23:58:05 +0900 (KST)",
    "Tue, 29 Sep 2020 23:58:05",                        # without a zone: the site's
    "화, 29 9월 2020 23:58:05 +0900",
    "Di, 29 Sep 2020 23:58:05 +0900",
    # RFC 3339, ISO 8601
    "2020-09-29T23:58:05+09:00",
    "2020-09-29T14:58:05Z",
    "2020-09-29t14:58:05z",
    "2020-09-29 23:58:05+0900",
    "2020-09-29T23:58:05",
    "2020-09-29 23:58:05",
    "2020-09-29T23:04:05+08:06",                        # Seoul's local mean time, nearly
    "2020-09-29T23:58:05+09",
    "2020-09-29 23:58:05 +0900 KST",                    # Go
    "2020-09-29T23:58:05+09:00[Asia/Seoul]",            # Java
    # Korean
    "2020-09-29 오후 11:58:05",
    "2020-09-29 오후 11:58:5",
    "2020년 9월 29일 오후 11:58:05",
    "2020년 9월 29일 화요일 오후 11:58:05",
    "2020. 9. 29. 오후 11:58:05",
    "2020.09.29 23:58:05",
    "2020.09.29. (화) 23:58:05",
    "2020/09/29 23:58:05",
    # US
    "9/29/2020 11:58:05 PM",
    "September 29, 2020 11:58:05 PM",
    "Tuesday, September 29th, 2020 at 11:58:05 p.m.",
    # asctime, `date`, JavaScript, epoch
    "Tue Sep 29 23:58:05 2020",
    "Tue Sep 29 23:58:05 KST 2020",
    "Tue Sep 29 2020 23:58:05 GMT+0900 (한국 표준시)",
    "1601391485",
    "1601391485123",
])
def test_an_instant_is_read_from_every_shape(raw):
    assert dates.read(raw, SEOUL) == TWO_TO_MIDNIGHT
    assert dates.read(raw, SEOUL).tzinfo is UTC


@pytest.mark.parametrize("raw", [
    "2024-10-02", "2024. 10. 2.", "2024.10.02", "2024/10/02", "2024년 10월 2일", "2024년 10월 2일 수요일",
    "Oct 2, 2024", "October 2, 2024", "2 Oct 2024", "Wed, 02 Oct 2024", "2 10월 2024", "10/2/2024",
    "2024-10-02Z",
    "Wed, 02 Oct 2024 00:00:00 +0900", "Wed, 02 Oct 2024 00:00:00 GMT", "Wed, 02 Oct 2024 00:00 -0700",
    "2024-10-02T00:00:00Z", "2024-10-02T00:00:00.000Z", "2024-10-02T00:00:00+09:00", "2024-10-02 00:00:00",
    "2024년 10월 2일 오전 12:00", "10/2/2024 12:00 AM", "Wed Oct  2 00:00:00 2024",
    "Tue, 01 Oct 2024 24:00:00 +0900", "2024-10-01T24:00:00Z",      # the end of a day is the next one's start
])
def test_no_time_or_midnight_in_any_zone_is_a_bare_date_as_written(raw):
    read = dates.read(raw, SEOUL)
    assert read == date(2024, 10, 2)
    assert not isinstance(read, datetime)


@pytest.mark.parametrize(("raw", "minute"), [
    ("2024-10-02 00:01", 1), ("2024-10-02T00:00:00.5", 0), ("2024-10-02 12:01 AM", 1),
    ("2024-10-02 오전 0:01", 1),
])
def test_a_moment_after_midnight_is_an_instant(raw, minute):
    read = dates.read(raw, ZoneInfo("UTC"))
    assert isinstance(read, datetime)
    assert (read.day, read.hour, read.minute) == (2, 0, minute)


def test_fractions_of_any_length_are_kept_to_the_microsecond():
    for digits, microseconds in (("1", 100_000), ("123", 123_000), ("123456789", 123_456)):
        read = dates.read(f"2020-09-29T14:58:05.{digits}Z", SEOUL)
        assert read == TWO_TO_MIDNIGHT + timedelta(microseconds=microseconds)


def test_noon_and_midnight_by_the_twelve_hour_clock():
    assert dates.read("2020-09-29 오후 12:30", ZoneInfo("UTC")) == datetime(2020, 9, 29, 12, 30, tzinfo=UTC)
    assert dates.read("9/29/2020 12:30 AM", ZoneInfo("UTC")) == datetime(2020, 9, 29, 0, 30, tzinfo=UTC)


def test_a_leap_second_stays_on_its_day():
    last = datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert dates.read("Sat, 31 Dec 2016 23:59:60 GMT", SEOUL) == last


@pytest.mark.parametrize(("year", "meant"), [("49", 2049), ("50", 1950), ("99", 1999), ("120", 2020)])
def test_a_short_year_is_completed_as_rfc_5322_says(year, meant):
    assert dates.read(f"1 Feb {year}", SEOUL) == date(meant, 2, 1)


@pytest.mark.parametrize(("raw", "read"), [
    ("0001-01-01T00:00:00Z", date(1, 1, 1)),                # Hugo, for a page without a date
    ("2999-01-01T10:00:00Z", datetime(2999, 1, 1, 10, tzinfo=UTC)),
    ("Thu, 01 Jan 1970 09:00:00 +0900", datetime(1970, 1, 1, tzinfo=UTC)),
])
def test_no_year_is_too_odd_to_be_read(raw, read):
    assert dates.read(raw, SEOUL) == read


@pytest.mark.parametrize("raw", [
    "", " ", "yesterday", "어제", "3일 전", "2020", "2020-09", "20.09.29", "2020-13-01", "2020-02-30",
    "0000-01-01", "29/9/2020", "32 Sep 2020", "29 Foo 2020", "Seg, 24 Set 2018 19:42:40 -0300",
    "Fri, 05/03/2019 - 15:21",
    "2020-09-29 25:00", "2020-09-29 23:60", "2020-09-29 23:58:61", "2020-09-29 24:00:01",
    "2020-09-29T23:58 +24:00",
    "Tue, 29 Sep 2020 23:58:05 XYZ",                        # in a zone nobody knows it may be another day
    "0001-01-01T00:30:00+09:00", "9999-12-31T23:30:00-09:00", "9999-12-31T24:00:00",      # years 0 and 10000
    "160139148", "16013914850", "-1601391485", "1601391485.5", "٢٠٢٠-٠٩-٢٩",
    "2020-09-29T23:58:05Z and more", "Tue, " * 1000 + "29 Sep 2020", "1" * 5000,
])
def test_what_fits_no_shape_is_unreadable(raw):
    assert dates.read(raw, SEOUL) is None


def test_a_time_without_a_zone_follows_the_clocks_of_the_site():
    berlin = ZoneInfo("Europe/Berlin")
    assert dates.read("2026-03-28 12:00", berlin) == datetime(2026, 3, 28, 11, tzinfo=UTC)
    assert dates.read("2026-03-29 12:00", berlin) == datetime(2026, 3, 29, 10, tzinfo=UTC)
