"""The link in the owner's first look at an issue: it holds that issue, until it is out."""
from datetime import date, datetime

from devdigest import agenda, subscribers, tokens
from devdigest.config import Config
from devdigest.memory import BY_LINK, Setting
from devdigest.table import db

_PURPOSE = "hold"


def link(config: Config, day: date) -> str:
    """The URL that holds the issue of `day`."""
    number = int(day.strftime("%Y%m%d"))
    return f"{config.site.url}/hold/{tokens.sign(subscribers.link_key(), _PURPOSE, number)}"


def issue_of(token: str, config: Config, now: datetime) -> date | None:
    """The day of the issue that the token may hold still; None where it may not any more."""
    number = tokens.verify(subscribers.link_key(), _PURPOSE, token)
    following = agenda.next_issue(config, now)
    return following if number == int(following.strftime("%Y%m%d")) else None


def hold(token: str, config: Config, now: datetime) -> date | None:
    """The same, and from now on all is held. A hold that stands keeps its time and its reason."""
    with db.atomic():       # IMMEDIATE: publish makes its issue before or after this, and not meanwhile
        day = issue_of(token, config, now)
        if day is not None and Setting.held_since() is None:
            Setting.hold(now, BY_LINK)
    return day
