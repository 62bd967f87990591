"""When the machine's clock is believed, and a clock that goes on from a given instant."""
import time
from datetime import UTC, datetime, timedelta

import pytest

from devdigest import RELEASED
from devdigest.clock import Running, doubt, synchronised

NOW = RELEASED + timedelta(days=400)


def test_a_clock_in_sync_that_goes_forward_is_trusted() -> None:
    assert doubt(NOW, None, in_sync=True) == ""
    assert doubt(NOW, NOW - timedelta(days=90), in_sync=True) == ""


@pytest.mark.parametrize(("now", "last_seen", "in_sync", "words"), [
    (datetime(1970, 1, 1, tzinfo=UTC), None, True, "1970-01-01 00:00 UTC, earlier than this release"),
    (RELEASED - timedelta(seconds=1), None, True, "earlier than this release"),
    (NOW, NOW + timedelta(hours=1), True, "earlier than the last time seen"),
    (NOW, None, False, "not synchronised yet"),
])
def test_the_reason_of_a_doubt_is_told(now: datetime, last_seen: datetime | None, in_sync: bool,
                                       words: str) -> None:
    assert words in doubt(now, last_seen, in_sync)


def test_a_small_step_back_is_no_reason_for_doubt() -> None:
    assert doubt(NOW, NOW + timedelta(minutes=5), in_sync=True) == ""
    assert doubt(NOW, NOW + timedelta(minutes=5, seconds=1), in_sync=True) != ""


def test_the_kernel_can_be_asked_without_special_rights() -> None:
    assert isinstance(synchronised(), bool)


def test_a_running_clock_goes_on_from_where_it_was_set() -> None:
    running = Running(NOW)
    time.sleep(0.02)
    first, second = running.now(), running.now()
    assert NOW + timedelta(seconds=0.02) <= first <= second < NOW + timedelta(seconds=5)
    assert running.seconds() >= 0.02
