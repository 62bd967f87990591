"""The front page, the issues by date, and what is said about it all."""
from datetime import date
from itertools import groupby

from bottle import abort

from devdigest.days import clock
from devdigest.edition import Edition, Item, edition, tidy
from devdigest.models import Issue, IssuePost, Post
from devdigest.web.visit import Page, Visit

_ON_HOME = 8            # of yesterday's posts
_LISTED = 400           # issues, a good year; older ones are reached from one to the one before

Row = tuple[Item, str]  # and the line below its title


def home(visit: Visit) -> str:
    title, newest = visit.say("headline"), Issue.newest(1)
    if not newest:
        return visit.page("home", title, issue=None)
    shown = edition(newest[0], IssuePost.of(newest[0]))
    rows = [row for row in _rows(shown, visit) if not row[0].late]
    numbers = [(Issue.readers(), "readers"),
               (len(rows), "yesterdays_posts"),
               (Post.collected(), "collected")]
    return visit.page("home", title, issue=shown, numbers=numbers, rows=rows[:_ON_HOME])


def issues(visit: Visit) -> str:
    months = groupby(Issue.newest(_LISTED), key=lambda issue: (issue.day.year, issue.day.month))
    return visit.page("issues", visit.say("issues"), months=[list(month) for _, month in months])


def issue(visit: Visit, day: str) -> str:
    found = Issue.of(_date(day))
    if found is None:
        abort(404)
    shown, words = edition(found, IssuePost.of(found)), visit.words
    first, last = shown.first_day, shown.yesterday
    sections = [(name, list(rows))
                for name, rows in groupby(_rows(shown, visit), key=lambda row: row[0].section)]
    return visit.page("issue", words.span(first, last) if first < last else words.day(last), issue=shown,
                      state=found.state, sections=sections, counts=shown.summary(words),
                      before=Issue.day_before(found.day), after=Issue.day_after(found.day))


def about(visit: Visit) -> str:
    times = ", ".join(visit.words.clock(clock(text)) for text in visit.config.collect.times)
    return visit.page(f"about-{visit.language}", visit.say("about"), times=times)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        abort(404)


def _rows(shown: Edition, visit: Visit) -> list[Row]:
    return [(item, _meta(item, shown.yesterday, visit)) for item in shown.items]


def _meta(item: Item, yesterday: date, visit: Visit) -> str:
    day = visit.words.short_day(item.day) if item.day != yesterday else ""
    minutes = visit.words.minutes(item.minutes) if item.minutes else ""
    return " · ".join(filter(None, (tidy(item.blog, 80), day, minutes)))


PAGES = (
    Page("GET", "/", home, kept=True),
    Page("GET", "/issues/", issues, kept=True),
    Page("GET", "/issues/<day:re:[0-9]{4}-[0-9]{2}-[0-9]{2}>", issue, kept=True),
    Page("GET", "/about", about, kept=True),
)
