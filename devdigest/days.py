"""Local calendar days as instants. Knows no clock: whoever asks brings `now`."""
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """The calendar day that `instant` (aware) falls on in `zone`."""
    if instant.tzinfo is None:
        raise ValueError(f"an instant without a zone: {instant}")
    return instant.astimezone(zone).date()


def at(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """The instant (UTC) at which clocks in `zone` show `clock` on `day`.

    A time that clocks skip is read as if they had not (02:30 becomes 03:30), of two alike the first.
    """
    return datetime.combine(day, clock, zone).astimezone(UTC)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant (UTC) at which `day` begins in `zone`."""
    return at(day, time(0), zone)


def clock(text: str) -> time:
    """'10:00' as a time. Raises ValueError for anything but HH:MM."""
    if len(text) != 5 or text[2] != ":" or not (text[:2] + text[3:]).isdecimal():
        raise ValueError(f"expected HH:MM, got {text!r}")
    return time(int(text[:2]), int(text[3:]))
