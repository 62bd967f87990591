"""How fast, and over how many lines at once, a relay is mailed to: less when it complains, then more again.

For the threads of one run, each asking under the lock of its turn. Time is an argument: seconds that go on.
"""
from collections import deque

_GIVE_WAY = 0.7             # of the rate is left after a complaint
_ONE_COMPLAINT = 2.0        # seconds: what all lines hear at the same moment is said once
_STEP, _EVERY = 1.1, 15.0   # the rate comes back by a tenth, each so many seconds without a complaint
_LEAST = 5.0                # mails a second that are no hurry anywhere
_SLOWEST = 0.1              # mails a second
_LINE_BACK = 30.0           # seconds without trouble, and one more line is tried
_MEASURED = 10.0            # seconds over which the rate is measured
_IDLE = 5.0                 # seconds: Amazon SES closes a line that is silent for ten


class Throttle:
    """A token bucket of one second's mails, shared by all lines. `per_second`: the setting, 0 for none."""

    def __init__(self, per_second: float = 0.0) -> None:
        self._most, self.rate = per_second, per_second      # a rate of 0 is no limit
        self._next = 0.0                # when the bucket, drawn on in advance, is even
        self._changed = float("-inf")
        self._taken: deque[tuple[float, int]] = deque()

    def take(self, now: float, count: int = 1) -> float:
        """The seconds to wait before `count` mails may go."""
        self._note(now, count)
        if not self.rate:
            return 0.0
        self._recover(now)
        burst = max(1.0, self.rate) / self.rate
        self._next = max(self._next, now - burst) + count / self.rate
        return max(0.0, self._next - now)

    def complain(self, now: float) -> None:
        """The relay says that we are too fast."""
        if now - self._changed < _ONE_COMPLAINT and self.rate < (self._most or float("inf")):
            return
        self.rate = max(_SLOWEST, _GIVE_WAY * (self.rate or self._measured(now)))
        self._changed = now

    @property
    def lines(self) -> int | None:
        """How many are of use at this rate: more would only wait, until the relay closes them."""
        return max(1, round(self.rate * _IDLE)) if self.rate else None

    def _recover(self, now: float) -> None:
        while now - self._changed >= _EVERY and self._changed > float("-inf"):
            self._changed += _EVERY
            self.rate *= _STEP
            if self._most and self.rate >= self._most:
                self.rate, self._changed = self._most, float("-inf")

    def _note(self, now: float, count: int) -> None:
        self._taken.append((now, count))
        while self._taken[0][0] < now - _MEASURED:
            self._taken.popleft()

    def _measured(self, now: float) -> float:
        """Mails a second of late; a run that has just begun tells nothing."""
        since = self._taken[0][0] if self._taken else now
        return max(_LEAST, sum(count for _, count in self._taken) / max(1.0, now - since))


class Width:
    """How many lines may be open: half after one was turned away or broke, then one more at a time."""

    def __init__(self, most: int) -> None:
        self._most, self._open = most, most
        self._changed = float("-inf")

    def halve(self, now: float) -> None:
        if now - self._changed >= _ONE_COMPLAINT or self._open == self._most:
            self._open = max(1, self._open // 2)
            self._changed = now

    def lines(self, now: float) -> int:
        while self._open < self._most and now - self._changed >= _LINE_BACK:
            self._open, self._changed = self._open + 1, self._changed + _LINE_BACK
        return self._open
