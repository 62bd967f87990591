"""The list of blogs, and for each of them an answer to 'where is my post?'."""
import re
from itertools import groupby

from bottle import abort

from devdigest.days import local_day
from devdigest.edition import tidy
from devdigest.models import GROUPS, Blog, Post
from devdigest.web.visit import Page, Visit

_POSTS = 10

# What a failed fetch means to whoever writes the blog: by fetch.py's words for it, by HTTP status, by its
# first digit; 0 where no answer came.
_BY_WORDS = (("timeout", "fault_slow"), ("TLS", "fault_tls"), ("no such host", "fault_host"),
             ("more than .* bytes", "fault_big"))
_BY_STATUS = {404: "fault_gone", 410: "fault_gone", 429: "fault_busy"}
_BY_CLASS = {0: "fault_silent", 2: "fault_feed", 3: "fault_moved", 4: "fault_refused", 5: "fault_server"}


def blogs(visit: Visit) -> str:
    listed = sorted(Blog.listed(), key=lambda blog: GROUPS.index(blog.group))
    groups = [(name, [(blog.id, tidy(blog.name, 80), *_state(blog, visit)) for blog in some])
              for name, some in groupby(listed, key=lambda blog: blog.group)]
    return visit.page("blogs", visit.words.blog_list, groups=groups, count=len(listed))


def blog(visit: Visit, number: str) -> str:
    found = Blog.get_or_none(Blog.id == int(number))
    if found is None:
        abort(404)
    posts = [] if found.state == "excluded" else Post.latest(found, _POSTS)
    fine = found.state == "active" and found.read and not found.fault
    return visit.page("blog", tidy(found.name, 80), blog=found,
                      state=visit.say("fine") if fine else _state(found, visit)[0],
                      posts=[(post, _verdict(post, visit)) for post in posts])


def _state(blog: Blog, visit: Visit) -> tuple[str, bool]:
    """(how it stands with a blog, in words; whether somebody should look into it)."""
    if blog.state != "active":
        return visit.say(blog.state), False
    if blog.fault:
        return visit.say(_fault(blog), blog.status), True
    if blog.read is None:
        return visit.say("unread"), False
    return visit.say("read", visit.words.short_day(local_day(blog.read, visit.config.site.timezone))), False


def _fault(blog: Blog) -> str:
    said = next((name for words, name in _BY_WORDS if re.match(words, blog.fault)), "")
    return said or _BY_STATUS.get(blog.status) or _BY_CLASS.get((blog.status or 0) // 100, "fault_server")


def _verdict(post: Post, visit: Visit) -> str:
    if post.issue_day:
        return visit.say("verdict_mailed", visit.words.short_day(post.issue_day))
    return visit.say(f"verdict_{post.verdict}", visit.config.digest.late_days)


PAGES = (
    Page("GET", "/blogs/", blogs),
    Page("GET", "/blogs/<number:re:[0-9]{1,9}>", blog),
)
