"""Whether the machine's clock can be believed, and a clock that goes on from a given instant.

A Pi has no battery for its clock: after a power cut it shows a time of the past until the network mends it.
"""
import ctypes
import time
from datetime import datetime, timedelta
from pathlib import Path

from devdigest import RELEASED

_TIMESYNCD = Path("/run/systemd/timesync/synchronized")
_STA_UNSYNC = 0x0040        # timex.status: the kernel was told by no one (adjtimex(2))


class Running:
    """Goes on from `now`: a step is told when it began, and what time it is later follows from that."""

    def __init__(self, now: datetime) -> None:
        self._began, self._since = now, time.monotonic()

    def now(self) -> datetime:
        return self._began + timedelta(seconds=self.seconds())

    def seconds(self) -> float:
        return time.monotonic() - self._since


class _Timex(ctypes.Structure):
    _fields_ = (("modes", ctypes.c_uint), ("offset", ctypes.c_long), ("freq", ctypes.c_long),
                ("maxerror", ctypes.c_long), ("esterror", ctypes.c_long), ("status", ctypes.c_int),
                ("rest", ctypes.c_char * 256))


def synchronised() -> bool:
    """Whether systemd-timesyncd, or the kernel on behalf of another daemon, says the clock is in sync."""
    if _TIMESYNCD.exists():
        return True
    timex = _Timex()
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError):
        return False
    return state >= 0 and not timex.status & _STA_UNSYNC


def doubt(now: datetime, last_seen: datetime | None, in_sync: bool) -> str:
    """Why the clock cannot be trusted, in words for the owner; "" where it can."""
    if now < RELEASED:
        return f"the clock shows {now:%Y-%m-%d %H:%M} UTC, earlier than this release ({RELEASED:%Y-%m-%d})"
    if last_seen is not None and now < last_seen - timedelta(minutes=5):
        return (f"the clock shows {now:%Y-%m-%d %H:%M} UTC, earlier than the last time seen, "
                f"{last_seen:%Y-%m-%d %H:%M}; where `timedatectl` shows the right time, "
                f"`devdigest resume --clock`")
    if not in_sync:
        return "the clock is not synchronised yet: `timedatectl` shows why; site.clock = 'trust' does without"
    return ""
