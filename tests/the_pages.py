"""Every page of the site, with records that show it full, empty, long and wrong."""
from datetime import UTC, date, datetime, timedelta

from conftest import NOW, a_blog
from web_site import a_post, a_week, an_issue, link

from devdigest import fulltext, subscribers
from devdigest.counts import Click, Event
from devdigest.days import local_day
from devdigest.models import Blog, Issue, IssuePost, Post
from devdigest.readers import Subscriber

_MONDAY = date(2026, 11, 16)


def the_pages(language: str) -> dict[str, str]:
    """Where to look, by a name for the picture; the records are made on the way."""
    a_week(readers=120)
    wild = _a_wild_day()
    _a_busy_quarter()
    fulltext.put_in(Post.select())
    ada, bob, carol = (Subscriber.create(email=f"{state}@example.org", state=state, language=language,
                                         created=NOW, confirmed=NOW, cancelled=NOW)
                       for state in ("active", "pending", "cancelled"))
    Subscriber.update(moving_to="ada.lovelace@example.org").where(Subscriber.id == ada.id).execute()
    return {
        "home": "/", "issues": "/issues/", "issue": "/issues/2026-11-21", "empty": "/issues/2026-11-20",
        "wild-issue": "/issues/2026-11-18", "popular": "/popular/", "weekly": f"/popular/{_MONDAY}",
        "search": "/search", "found": "/search?q=SQLite", "found-nothing": "/search?q=zzz",
        "tags": "/tags/", "tag": "/tags/SQLite", "stats": "/stats", "stats-7": "/stats/7",
        "stats-365": "/stats/365",
        "blogs": "/blogs/", "blogs-found": "/blogs/?q=노트", "blogs-none": "/blogs/?q=zzz",
        "blog": "/blogs/2", "failing-blog": "/blogs/4", "wild-blog": f"/blogs/{wild.id}",
        "left-out-blog": "/blogs/7", "about": "/about",
        "subscribe": "/subscribe", "asked": "/subscribe/asked",
        "leave": f"/u/{link(ada)}", "left": f"/u/{link(carol)}", "manage": f"/manage/{link(ada)}",
        "manage-left": f"/manage/{link(carol)}", "confirm": f"/confirm/{_mailed(bob, 'confirm')}",
        "account": f"/account/{_mailed(ada, 'account')}",
        "erase": f"/account/{_mailed(ada, 'account')}/erase",
        "move": f"/account/move/{_mailed(ada, 'move')}", "no-such-link": "/u/1-x", "not-found": "/nowhere"}


def _mailed(subscriber: Subscriber, purpose: str) -> str:
    """The token of a link that was mailed just now."""
    return subscribers.new_confirmation(subscriber, datetime.now(UTC), purpose)


def _a_wild_day() -> Blog:
    wild = a_blog("wild", name="이름이길어서두줄을넘기는어느개발자의블로그" * 2, status=200, fetched=NOW,
                  fault="unreadable: SAXParseException " + "x" * 90, fault_kind="not_feed")
    an_issue(a_post(wild, "아주 긴 제목은 " * 30), a_post(wild, "Donaudampfschifffahrt" * 12),
             a_post(wild, "가" * 200), a_post(wild, "", url="", excerpt="https://example.org/" + "a" * 180),
             day=date(2026, 11, 18), blogs=1990, reached=812, lacks=True)
    return wild


def _a_busy_quarter() -> None:
    """Tags, clicks of the days until today, what happened on each, and a weekly issue."""
    posts = list(Post.select().where(Post.verdict == "news"))
    Post.update(tags="SQLite\n데이터베이스\nopen source").where(Post.id.in_(posts[:3])).execute()
    IssuePost.update(tags="SQLite\n데이터베이스\nopen source").where(IssuePost.post.in_(posts[:3])).execute()
    today = local_day(datetime.now(UTC), UTC)
    for ago in range(90):
        day = today - timedelta(days=ago)
        for place, post in enumerate(posts[:12]):
            Click.create(post=post.id, day=day, hour=(8 + ago * place) % 24, readers=2 + (ago * place) % 9,
                         times=14)
        for name, count in (("asked", 3 + ago % 4), ("confirmed", 2 + ago % 3), ("cancelled", ago % 2),
                            ("mailed", 110)):
            Event.put(day, name, count)
    weekly = Issue.create(kind="weekly", day=_MONDAY, created=NOW, state="published")
    best = list(Post.select(Post, Blog).join(Blog).where(Post.id.in_([post.id for post in posts[:10]])))
    drafts = IssuePost.drafts(weekly, best, [])
    for draft in drafts:
        draft.readers = 40 - 3 * draft.place
    IssuePost.bulk_create(drafts)
