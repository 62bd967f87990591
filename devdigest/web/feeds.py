"""Our own feeds, an entry for each issue: Atom (RFC 4287) and JSON Feed 1.1. In the site's language.

What blogs said is text here, and rid of what XML 1.0 cannot hold: edition.tidy() keeps what can be seen.
"""
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from bottle import response

from devdigest.days import local_day, midnight
from devdigest.edition import edition
from devdigest.models import Issue, IssuePost
from devdigest.web.rows import headline, rows
from devdigest.web.visit import Page, Visit

_ENTRIES = 20
_POSTS = 100            # of one issue; its page has them all


@dataclass(frozen=True)
class Entry:
    """An issue as feeds tell it: its page, which is its id too, and its posts as HTML."""
    url: str
    title: str
    created: str
    content: str


def atom(visit: Visit) -> str:
    own, issues = _begun(visit, "application/atom+xml; charset=utf-8")
    return own.part("feed", entries=_entries(own, issues), updated=_instant(_updated(own, issues)))


def json_feed(visit: Visit) -> str:
    own, issues = _begun(visit, "application/feed+json; charset=utf-8")
    site = own.config.site
    return json.dumps({
        "version": "https://jsonfeed.org/version/1.1",
        "title": site.name,
        "home_page_url": f"{site.url}/",
        "feed_url": f"{site.url}/feed.json",
        "description": own.say("feed_about"),
        "language": own.language,
        "authors": [{"name": site.name, "url": f"{site.url}/"}],
        "items": [{"id": entry.url, "url": entry.url, "title": entry.title, "content_html": entry.content,
                   "date_published": entry.created} for entry in _entries(own, issues)],
    }, ensure_ascii=False)


def _begun(visit: Visit, kind: str) -> tuple[Visit, list[Issue]]:
    """The visit in the site's language, as a feed is one document for all who read it, and its issues."""
    own, issues = visit.speaking(visit.config.site.language), Issue.published(_ENTRIES)
    response.content_type = kind
    response.set_header("Content-Language", own.language)
    response.set_header("Cache-Control", "public, max-age=300")
    response.set_header("Last-Modified", format_datetime(_updated(own, issues), usegmt=True))
    return own, issues


def _updated(visit: Visit, issues: list[Issue]) -> datetime:
    """When the newest issue was made; an Atom feed needs a date on the first day too: today's beginning."""
    zone = visit.config.site.timezone
    return issues[0].created if issues else midnight(local_day(visit.now, zone), zone)


def _entries(visit: Visit, issues: list[Issue]) -> list[Entry]:
    return [_entry(issue, visit) for issue in issues]


def _entry(issue: Issue, visit: Visit) -> Entry:
    shown, url = edition(issue, IssuePost.of(issue)), f"{visit.config.site.url}/issues/{issue.day}"
    listed = rows(shown, visit)
    return Entry(url=url, title=", ".join(headline(shown, issue.state, visit)),
                 created=_instant(issue.created),
                 content=visit.part("entry", rows=listed[:_POSTS], more=len(listed[_POSTS:]), page=url))


def _instant(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


PAGES = (
    Page("GET", "/feed.xml", atom, kept=True),
    Page("GET", "/feed.json", json_feed, kept=True),
)
