"""An issue as pages and feeds show it: its headline, and its posts as rows."""
from datetime import date, datetime
from typing import NamedTuple

from devdigest.edition import Edition, Item
from devdigest.web.visit import Visit

# A page may weigh 30 KB compressed: an excerpt does 1.3 octets a character, a headline with its link 60.
_EXCERPTS = 8_000       # characters of all excerpts of an issue
_LONGEST, _SHORTEST = 130, 80           # of one: as in mails; a shorter one says nothing


class Row(NamedTuple):
    """A post, and what is said of it after its blog's name."""
    item: Item
    told: str


def rows(shown: Edition, visit: Visit) -> list[Row]:
    """Every post of an issue, in its order."""
    return [Row(item, _told(item, shown.yesterday, visit)) for item in shown.items]


def longest_excerpt(shown: Edition) -> int:
    """How many characters of an excerpt there is room for; 0 where there are very many posts."""
    share = _EXCERPTS // max(1, len(shown.items))
    return min(share, _LONGEST) if share >= _SHORTEST else 0


def headline(shown: Edition, state: str, visit: Visit) -> tuple[str, str]:
    """(the days whose posts a daily issue has, how many these are or why there are none)."""
    words, first, last = visit.words, shown.first_day, shown.yesterday
    return (words.span(first, last) if first < last else words.day(last),
            words.posts(len(shown.items)) if state == "published" else visit.say(state))


def _told(item: Item, yesterday: date, visit: Visit) -> str:
    day = visit.words.short_day(item.day) if item.day != yesterday else ""
    minutes = visit.words.minutes(item.minutes) if item.minutes else ""
    when = " ".join(filter(None, (day, _time(item.published, visit))))
    return " · ".join(filter(None, (when, minutes)))


def _time(published: datetime | date | None, visit: Visit) -> str:
    if not isinstance(published, datetime):
        return ""
    return f"{published.astimezone(visit.config.site.timezone):%H:%M}"
