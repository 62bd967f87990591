"""What the owner does with the link in a preview: hold the issue before it is out. `resume` is a command."""
import logging

from devdigest import holding, publish
from devdigest.memory import Setting
from devdigest.web.private import keep_private, nobodys
from devdigest.web.visit import Page, Visit

log = logging.getLogger(__name__)


def ask_to_hold(visit: Visit, token: str) -> str:
    return _holding(visit, token, posted=False)


def hold(visit: Visit, token: str) -> str:
    return _holding(visit, token, posted=True)


def _holding(visit: Visit, token: str, posted: bool) -> str:
    visit = visit.speaking(visit.config.site.language)      # the owner's
    act = holding.hold if posted else holding.issue_of
    day = act(token, visit.config, visit.now)
    if day is None:
        raise nobodys(visit, "no_such_hold")
    if posted:
        log.info("issue %s held by the preview's link", day)
    keep_private()
    held = Setting.held_since()
    edition = publish.drafted(visit.config, visit.now)
    return visit.page("hold", visit.say("held" if held else "hold"), token=token, day=day, held=held,
                     posts=len(edition.items))


PAGES = (
    Page("GET", "/hold/<token>", ask_to_hold),
    Page("POST", "/hold/<token>", hold),
)
