"""How fast a round of fetches may go: who wants to be left alone, how long it takes, and when it must end.

Shared by all lanes of the round. An edge: knows operators by name, nothing of the records of them.
"""
import math
import threading
import time
from collections import Counter
from collections.abc import Mapping

from devdigest.fetch import FetchError

_USUAL = 0.5            # seconds that an answer takes where nothing is known
_WEIGHT = 8             # answers after which a mean has mostly forgotten what was before
_LEFT_ALONE = 900       # seconds, where 429 or 503 name none: as long as a failed blog waits
_LONGEST = 6 * 3600     # seconds; a platform is asked again then, though one blog's repairs may take a week
_IN_A_ROW = 2           # bare 503s: one is a single blog's own trouble
_SILENT_IN_A_ROW = 5    # blogs that answered the last time: a platform that is down, and not one dead blog
# seconds; short enough that a collect which reached too few blogs, repeated after 15 min, asks it again
_SILENT_FOR = 600
_SILENCE = ("slow", "silent")       # faults that a whole platform has at once


class Pace:
    """Of one round. `usual`: mean seconds of an answer, `waits`: seconds to be left alone, both by operator.

    After `most` seconds nothing more is asked.
    """

    def __init__(self, gap: float, usual: Mapping[str, float] | None = None,
                 waits: Mapping[str, float] | None = None, most: float = math.inf) -> None:
        self.gap = gap
        self.usual = dict(usual or {})
        self.heard: Counter[str] = Counter()        # answers of this round, by operator
        began = time.monotonic()
        self._ends = began + most
        self._not_before = {operator: began + seconds for operator, seconds in (waits or {}).items()}
        self._unavailable: Counter[str] = Counter()
        self._silent: Counter[str] = Counter()
        self._lock = threading.Lock()

    def may_ask(self, operator: str) -> bool:
        """Whether it may be asked now; a wait is not sat out, as its lane would hold up another."""
        return time.monotonic() < self._ends and not self.is_left_alone(operator)

    def is_left_alone(self, operator: str) -> bool:
        """Whether it wants to be, or seems to be down."""
        return time.monotonic() < self._not_before.get(operator, 0.0)

    def expected(self, operator: str, asks: int) -> float:
        """Seconds for so many asks one after the other."""
        return asks * (self.usual.get(operator, _USUAL) + self.gap)

    def well_known(self) -> dict[str, float]:
        """Mean seconds of those that answered more than once in this round."""
        return {name: self.usual[name] for name, count in self.heard.items() if count > 1}

    def hear(self, operator: str, seconds: float, error: FetchError | None, refused: str,
             failing: bool = False) -> float:
        """Takes note of an answer; for how many seconds `refused` is left alone from now on.

        It is the operator that gave the error: another one than was asked, where a redirect led there.
        `failing`: of a blog that failed before, whose silence says nothing of its operator.
        """
        with self._lock:
            mean = self.usual.get(operator, seconds)
            self.usual[operator] = mean + (seconds - mean) / _WEIGHT
            self.heard[operator] += 1
            bare = error is not None and error.status == 503 and error.retry_after is None
            self._unavailable[refused] = self._unavailable[refused] + 1 if bare else 0
            if error is None or error.status is not None:
                self._silent[refused] = 0
            silent = error is not None and error.status is None and error.kind in _SILENCE and not failing
            self._silent[refused] += silent
            wait = self._wait(refused, error, silent)
            if wait:
                self._not_before[refused] = max(self._not_before.get(refused, 0.0), time.monotonic() + wait)
            return wait

    def _wait(self, operator: str, error: FetchError | None, silent: bool) -> float:
        if error is None:
            return 0.0
        if error.status is None:
            # not for whom a redirect leads there meanwhile: nobody asked it
            return _SILENT_FOR if silent and self._silent[operator] >= _SILENT_IN_A_ROW else 0.0
        if error.retry_after is not None:
            return min(error.retry_after, _LONGEST)
        asked = error.status == 429 or self._unavailable[operator] >= _IN_A_ROW
        return _LEFT_ALONE if asked else 0.0


def about(seconds: float) -> str:
    """'about 40 s', 'about 4 min'."""
    return f"about {math.ceil(seconds / 10) * 10} s" if seconds <= 90 else f"about {round(seconds / 60)} min"
