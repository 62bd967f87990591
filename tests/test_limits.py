"""How fast, over how many lines and how many a day: pure, with time as an argument."""
from datetime import UTC, datetime, timedelta

import pytest

from devdigest import forecast
from devdigest.quota import Quota, Window, share
from devdigest.throttle import Throttle, Width

TEN = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def sent_in(throttle: Throttle, begin: float, seconds: float, lines: int = 4) -> int:
    """How many mails leave in that time, each line waiting as it is told."""
    free, sent = [begin] * lines, 0
    while (now := min(free)) < begin + seconds:
        free[free.index(now)] = now + max(0.001, throttle.take(now))
        sent += 1
    return sent


def test_without_a_setting_and_a_complaint_nothing_waits() -> None:
    throttle = Throttle()
    assert [throttle.take(0.0, 8) for _ in range(100)] == [0.0] * 100
    assert throttle.lines is None


def test_all_lines_together_keep_to_the_rate_but_for_the_mails_of_a_second() -> None:
    assert 100 <= sent_in(Throttle(10.0), 0.0, 10.0) <= 100 + 10 + 4


def test_a_group_waits_for_as_long_as_all_its_mails_need() -> None:
    throttle = Throttle(4.0)
    assert throttle.take(100.0, 4) == 0.0
    assert throttle.take(100.0, 8) == 2.0


def test_after_a_complaint_the_rate_gives_way_and_comes_back_up_to_the_setting() -> None:
    throttle = Throttle(10.0)
    throttle.complain(0.0)
    throttle.complain(1.0)          # of the same moment, heard on another line
    assert throttle.rate == pytest.approx(7.0)
    throttle.complain(3.0)
    assert throttle.rate == pytest.approx(4.9)
    throttle.take(17.9)
    assert throttle.rate == pytest.approx(4.9)
    throttle.take(18.1)
    assert throttle.rate == pytest.approx(5.39)
    throttle.take(1000.0)
    assert throttle.rate == 10.0


def test_without_a_setting_the_rate_begins_with_what_was_measured() -> None:
    throttle = Throttle()
    for tenth in range(100):
        throttle.take(tenth / 10, 2)
    throttle.complain(10.0)
    assert throttle.rate == pytest.approx(0.7 * 20, rel=0.05)


def test_however_often_it_complains_something_is_sent_still() -> None:
    throttle = Throttle(1.0)
    for moment in range(100):
        throttle.complain(moment * 10.0)
    assert throttle.rate == pytest.approx(0.1)
    assert throttle.lines == 1


def test_lines_are_halved_once_for_what_all_hear_and_come_back_one_by_one() -> None:
    width = Width(8)
    width.halve(100.0)
    width.halve(100.5)
    assert width.lines(100.5) == 4
    width.halve(103.0)
    assert [width.lines(moment) for moment in (103.0, 132.9, 133.1, 163.1, 1000.0)] == [2, 2, 3, 4, 8]


def test_a_window_forgets_what_is_older_than_a_day_and_nothing_before() -> None:
    window = Window(100, [(TEN - timedelta(hours=24), 60), (TEN - timedelta(hours=2), 30)])
    assert window.left(TEN) == 10
    assert window.left(TEN + MINUTE) == 70
    for _ in range(5):
        window.spend(TEN + MINUTE)
    assert window.left(TEN + MINUTE) == 65


def test_it_is_told_when_enough_is_free_again() -> None:
    window = Window(100, [(TEN - 3 * MINUTE, 40), (TEN - 2 * MINUTE, 60)])
    day = timedelta(hours=24)
    assert window.left(TEN) == 0
    assert window.again(TEN, 1) == TEN - 2 * MINUTE + day
    assert window.again(TEN, 41) == window.again(TEN, 5_000) == TEN - MINUTE + day


@pytest.mark.parametrize(("per_day", "kept"), [(20, 10), (100, 20), (500, 50), (10_000, 1_000)])
def test_mails_that_someone_waits_for_keep_a_tenth_and_use_no_more(per_day: int, kept: int) -> None:
    quota = Quota(per_day)
    assert share(per_day) == quota.of(True).left(TEN) == kept
    assert quota.of(False).left(TEN) == per_day - kept
    for _ in range(kept):
        quota.urgent.spend(TEN)
    assert (quota.urgent.left(TEN), quota.issues.left(TEN)) == (0, per_day - kept)


def test_a_clock_that_was_set_back_loses_no_count() -> None:
    window = Window(3)
    for moment in (TEN, TEN - 5 * MINUTE, TEN):
        window.spend(moment)
    assert window.left(TEN) == 0


def test_the_last_mail_leaves_when_the_rest_has_gone_at_the_same_pace() -> None:
    last = forecast.ends(TEN, 4_213, 10_000, 168.52)
    assert forecast.progress(4_213, 10_000, last) == "4,213 of 10,000 sent, last at about 01:03"
    assert forecast.ends(TEN, 0, 10, 5.0) is None
    assert forecast.planned(TEN, 600, 10.0) == TEN + MINUTE


@pytest.mark.parametrize(("readers", "growth", "per_day", "per_second", "said"), [
    (900, 100, 0, 0.0, ""),                                     # no limit that we know
    (800, 100, 1_000, 0.0, ""),                                 # 100 to go, a month
    (850, 150, 1_000, 0.0, "in about 10 days more than the 900 that [mail] per_day"),
    (901, 0, 1_000, 0.0, "901 readers are more than the 900 that [mail] per_day"),
    (899, -50, 1_000, 0.0, ""),
    (36_001, 0, 0, 1.0, "more than the 36,000 that [mail] per_second"),
    (35_990, 30, 100_000, 1.0, "in about 10 days"),
])
def test_the_owner_is_warned_days_before_the_plan_is_outgrown(readers: int, growth: int, per_day: int,
                                                             per_second: float, said: str) -> None:
    warning = forecast.outgrown(readers, growth, per_day, per_second, hours=10)
    assert said in warning
    assert bool(said) == bool(warning)
