"""The weekly issues: what readers opened most, week by week."""
from bottle import abort

from devdigest.edition import Edition, edition
from devdigest.models import Issue, IssuePost
from devdigest.web import asked
from devdigest.web.rows import Row, rows
from devdigest.web.visit import Page, Visit

_LISTED = 53            # issues, a good year; older ones are reached from one to the one before


def popular(visit: Visit) -> str:
    issues = Issue.newest(_LISTED, "weekly")
    newest = next((issue for issue in issues if issue.state == "published"), None)
    shown = newest and edition(newest, IssuePost.of(newest))
    return visit.page("popular", visit.say("popular"), path="/popular/", about=visit.say("popular_about"),
                      week=shown and _week(shown, visit), rows=_rows(shown, visit) if shown else [],
                      others=[(issue, _week(edition(issue, ()), visit))
                              for issue in issues if issue != newest])


def popular_issue(visit: Visit, day: str) -> str:
    found = Issue.of(asked.day(day), "weekly")
    if found is None:
        abort(404)
    shown = edition(found, IssuePost.of(found))
    week = _week(shown, visit)
    count = visit.words.most_read(len(shown.items)) if shown.items else visit.say("popular_nothing")
    return visit.page("popular_issue", f"{week}, {count}", path=shown.path,
                      about=" · ".join(shown.titles(60)[:4]), week=week, count=count,
                      rows=_rows(shown, visit), before=Issue.day_before(found.day, "weekly"),
                      after=Issue.day_after(found.day, "weekly"))


def _week(shown: Edition, visit: Visit) -> str:
    return visit.words.span(shown.first_day, shown.yesterday)


def _rows(shown: Edition, visit: Visit) -> list[Row]:
    return [Row(item, " · ".join(filter(None, (told, visit.words.readers(item.readers or 0)))))
            for item, told in rows(shown, visit)]


PAGES = (
    Page("GET", "/popular/", popular, kept=True),
    Page("GET", "/popular/<day:re:[0-9]{4}-[0-9]{2}-[0-9]{2}>", popular_issue, kept=True),
)
