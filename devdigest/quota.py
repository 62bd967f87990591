"""The relay's quota of any 24 hours: what is left of it, for whom, and when there is more. Time is given.

Mails that someone waits for keep a share of it free, and never use more than that.
"""
from bisect import insort
from collections.abc import Iterable
from datetime import datetime, timedelta

WINDOW = timedelta(hours=24)
_MINUTE = timedelta(minutes=1)
_SHARE, _LEAST_SHARE = 10, 20       # a tenth, but at least so many: on a small plan people sign up too


def share(per_day: int) -> int:
    """How many of `per_day` are for mails that someone waits for; never more than half."""
    return min(max(per_day // _SHARE, _LEAST_SHARE), per_day // 2)


class Window:
    """What was sent in 24 hours that never stop, counted by the minute; at most `most`."""

    def __init__(self, most: int, spent: Iterable[tuple[datetime, int]] = ()) -> None:
        """`spent`: minutes and how many mails the relay took in each."""
        self.most = most
        self._spent = sorted(spent)

    def spend(self, now: datetime) -> None:
        minute = now.replace(second=0, microsecond=0)
        if self._spent and self._spent[-1][0] == minute:
            self._spent[-1] = minute, self._spent[-1][1] + 1
        else:
            insort(self._spent, (minute, 1))        # a clock may be set back

    def left(self, now: datetime) -> int:
        """How many may still be sent now."""
        while self._spent and _over(self._spent[0][0]) <= now:
            self._spent.pop(0)
        return max(0, self.most - sum(count for _, count in self._spent))

    def again(self, now: datetime, wanted: int) -> datetime:
        """When `wanted` mails may be sent, or all that ever may be at once."""
        missing = min(wanted, self.most) - self.left(now)
        if missing <= 0:
            return now
        for minute, count in self._spent:
            missing -= count
            if missing <= 0:
                return _over(minute)
        return now      # not reached: what is missing was spent


def _over(minute: datetime) -> datetime:
    """When mails of this minute no longer count, the last of them too."""
    return minute + _MINUTE + WINDOW


class Quota:
    """`per_day` in two windows: of issues, and of mails that someone waits for."""

    def __init__(self, per_day: int, issues: Iterable[tuple[datetime, int]] = (),
                 urgent: Iterable[tuple[datetime, int]] = ()) -> None:
        kept = share(per_day)
        self.issues = Window(per_day - kept, issues)
        self.urgent = Window(kept, urgent)

    def of(self, is_urgent: bool) -> Window:
        return self.urgent if is_urgent else self.issues
