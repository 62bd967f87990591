"""The front page, the issues by month and by day, and what is said about it all."""
from calendar import MONDAY, SUNDAY, Calendar, monthrange
from datetime import date
from itertools import groupby

from bottle import abort

from devdigest.days import clock
from devdigest.edition import edition
from devdigest.models import Blog, Issue, IssuePost, Post
from devdigest.readers import Subscriber
from devdigest.web import asked
from devdigest.web.rows import headline, longest_excerpt, rows
from devdigest.web.visit import Page, Visit

_ON_HOME = 8                            # of yesterday's posts
_CALENDARS = {"ko": Calendar(SUNDAY), "en": Calendar(MONDAY)}


def home(visit: Visit) -> str:
    title, blogs = visit.say("headline"), visit.words.blogs(Blog.on_the_list())
    about = visit.say("lead", blogs, visit.config.digest.opens)
    newest = Issue.newest(1)
    if not newest:
        return visit.page("home", title, path="/", about=about, issue=None)
    shown = edition(newest[0], IssuePost.of(newest[0]))
    yesterdays = [row for row in rows(shown, visit) if not row.item.late]
    numbers = [(Subscriber.active(), "readers"),
               (len(yesterdays), "yesterdays_posts"),
               (Post.collected(), "collected")]
    return visit.page("home", title, path="/", about=about, issue=shown, numbers=numbers,
                      rows=yesterdays[:_ON_HOME],
                      nothing=visit.say("closed" if newest[0].state == "closed" else "empty"))


def newest_month(visit: Visit) -> str:
    newest = Issue.newest(1)
    if not newest:
        return visit.page("issues", visit.say("issues"), path="/issues/", issues=[])
    return _month(visit, newest[0].day.replace(day=1), "/issues/")


def month(visit: Visit, month: str) -> str:
    return _month(visit, asked.day(f"{month}-01"), f"/issues/{month}")


def _month(visit: Visit, first: date, path: str) -> str:
    last = first.replace(day=monthrange(first.year, first.month)[1])
    issues = Issue.between(first, last)
    if not issues:
        abort(404)
    return visit.page("issues", f"{visit.say('issues')}, {visit.say('month', first)}", path=path,
                      about=visit.say("issues_about", visit.config.site.name), first=first, issues=issues,
                      by_day={issue.day: issue for issue in issues},
                      weeks=_CALENDARS[visit.language].monthdatescalendar(first.year, first.month),
                      before=Issue.day_before(first), after=Issue.day_after(last))


def issue(visit: Visit, day: str) -> str:
    found = Issue.of(asked.day(day))
    if found is None:
        abort(404)
    shown = edition(found, IssuePost.of(found))
    days, count = headline(shown, found.state, visit)
    sections = [(name, list(some))
                for name, some in groupby(rows(shown, visit), key=lambda row: row.item.section)]
    title = f'{visit.say("issue_of", found.day, visit.words.day(found.day))}: {count}'
    return visit.page("issue", title, path=f"/issues/{found.day}",
                      about=" · ".join(shown.titles(60)[:4]), days=days, count=count, issue=shown,
                      state=found.state, sections=sections, longest=longest_excerpt(shown),
                      counts=shown.summary(visit.words),
                      before=Issue.day_before(found.day), after=Issue.day_after(found.day))


def about(visit: Visit) -> str:
    times = ", ".join(visit.words.clock(clock(text)) for text in visit.config.collect.times)
    return visit.page(f"about-{visit.language}", visit.say("about"), path="/about",
                      about=visit.say("about_about", visit.config.site.name), times=times)


PAGES = (
    Page("GET", "/", home, kept=True),
    Page("GET", "/issues/", newest_month, kept=True),
    Page("GET", "/issues/<month:re:[0-9]{4}-[0-9]{2}>", month, kept=True),
    Page("GET", "/issues/<day:re:[0-9]{4}-[0-9]{2}-[0-9]{2}>", issue, kept=True),
    Page("GET", "/about", about, kept=True),
)
