"""Whether the time it is said to be can be trusted; if so, it is noted as seen."""
from datetime import datetime, timedelta

from devdigest import clock
from devdigest.config import Config
from devdigest.memory import LAST_SEEN, Setting

_SEEN_EVERY = timedelta(minutes=10)         # a write each time; a clock set back is told by days, not minutes


def clock_doubt(config: Config, now: datetime) -> str:
    """Why `now` cannot be trusted, "" where it can; then it is noted as seen."""
    if config.site.clock == "trust":
        return ""
    seen = Setting.last_seen()
    doubt = clock.doubt(now, seen, clock.synchronised())
    if not doubt and (seen is None or now - seen >= _SEEN_EVERY):
        Setting.write(LAST_SEEN, now.isoformat())
    return doubt
