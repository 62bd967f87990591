"""When a run's last mail leaves, and whether the plan carries the list in two weeks. Pure; time is given."""
from datetime import datetime, timedelta

from devdigest.quota import share

_WARN = timedelta(days=14)      # a larger plan is to be asked for, and at some relays approved
MONTH = 30                     # days over which growth is measured


def ends(now: datetime, done: int, of: int, seconds: float) -> datetime | None:
    """When the last of `of` mails leaves, if it goes on as in the `seconds` for the first `done` of them."""
    return now + timedelta(seconds=seconds / done * (of - done)) if done else None


def planned(now: datetime, rows: int, per_second: float) -> datetime | None:
    """The same before the first; None without a rate."""
    return now + timedelta(seconds=rows / per_second) if per_second else None


def progress(done: int, of: int, last: datetime | None) -> str:
    """'4,213 of 10,000 sent, last at about 10:04'; `last` in the zone in which it is told."""
    return f"{done:,} of {of:,} sent" + (f", last at about {last:%H:%M}" if last else "")


def outgrown(readers: int, growth: int, per_day: int, per_second: float, hours: float) -> str:
    """What of the plan is too small, or is within two weeks; "" where it lasts.

    `growth`: how many more there were after the last 30 days. `hours`: from `time` to `latest`.
    """
    limits = {"[mail] per_day": per_day - share(per_day), "[mail] per_second": int(per_second * hours * 3600)}
    most, key = min(((most, key) for key, most in limits.items() if most), default=(0, ""))
    if not most:
        return ""
    if readers > most:
        return f"{readers:,} readers are more than the {most:,} that {key} lets through a day"
    if growth <= 0 or (days := (most - readers) * MONTH / growth) > _WARN.days:
        return ""
    return (f"{readers:,} readers now, {growth:+,} in {MONTH} days: in about {days:.0f} days more than the "
            f"{most:,} that {key} lets through a day")
