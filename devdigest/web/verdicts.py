"""What became of a blog's posts, in words for whoever wrote them."""
from datetime import date, timedelta
from typing import NamedTuple
from urllib.parse import quote

from devdigest import agenda, choose, whereabouts
from devdigest.days import local_day
from devdigest.edition import tidy
from devdigest.memory import Setting
from devdigest.models import Blog, Post, Verdict
from devdigest.web.visit import Visit


class Told(NamedTuple):
    """A piece of what is said of a post, and where it leads or ""."""
    words: str
    link: str = ""


class Story(NamedTuple):
    """A post with its title, or what stands for one that was erased, and what became of it."""
    title: str
    url: str
    verdict: list[Told]
    written: str
    found: str


def stories(blog: Blog, posts: list[Post], visit: Visit) -> list[Story]:
    """Posts of a blog as whereabouts.py tells them, in their order."""
    originals = whereabouts.originals(posts)
    return [_story(blog, post, originals.get(post.copy_of_id), visit) for post in posts]


def _story(blog: Blog, post: Post, original: Post | None, visit: Visit) -> Story:
    # what was there before the first read that counts is of a blog that left and came back
    returned = blog.first_read is None or post.first_seen < blog.first_read
    erased = returned and not (post.title or post.excerpt)
    found = post.first_seen.astimezone(visit.config.site.timezone)
    return Story(visit.say("post_erased") if erased else post.title, "" if erased else post.url,
                 _verdict(blog, post, original, visit), _day(post.day, visit),
                 f"{_day(found.date(), visit)} {found:%H:%M}")


def _day(day: date, visit: Visit) -> str:
    this_year = local_day(visit.now, visit.config.site.timezone).year
    return visit.words.short_day(day) if day.year == this_year else visit.say("whole_day", day)


def _verdict(blog: Blog, post: Post, original: Post | None, visit: Visit) -> list[Told]:
    say, words, zone = visit.say, visit.words, visit.config.site.timezone
    if post.issue_day:
        return [Told(say("verdict_late" if post.late else "verdict_mailed", _day(post.issue_day, visit)),
                     f"/issues/{post.issue_day}")]
    match post.verdict:
        case Verdict.NEWS:
            return [Told(_coming(post, visit))]
        case Verdict.HELD:
            until = local_day(post.first_seen + choose.HELD_FOR, zone)
            return [Told(say("verdict_held", words.short_day(until)))]
        case Verdict.TOO_OLD:
            late = local_day(post.first_seen, zone) - post.day
            return [Told(say("verdict_too_old", late.days, visit.config.digest.late_days))]
        case Verdict.COPY:
            return _copy(blog, original, visit)
    before = blog.first_read is None or post.first_seen <= blog.first_read
    return [Told(say("verdict_before" if before else "verdict_history"))]


def _coming(post: Post, visit: Visit) -> str:
    if Setting.held_since():
        return visit.say("verdict_on_hold")
    day = max(agenda.next_issue(visit.config, visit.now), post.day + timedelta(days=1))
    return visit.say("verdict_news", visit.words.short_day(day), visit.config.digest.opens)


def _copy(blog: Blog, original: Post | None, visit: Visit) -> list[Told]:
    if original is None or original.blog_state == "excluded":
        return [Told(visit.say("verdict_copy"))]
    title = tidy(original.title, 80) or visit.words.no_title
    if original.blog_id != blog.id:
        title = f"{title} · {tidy(original.blog_name, 40)}"
    link = f"/blogs/{original.blog_id}" + (f"?post={quote(original.url, safe='')}" if original.url else "")
    return [Told(visit.say("verdict_copy_of")), Told(title, link)]
