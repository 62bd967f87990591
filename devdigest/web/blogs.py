"""The list of blogs, and for each of them an answer to 'where is my post?'."""
from urllib.parse import quote, urlencode

from bottle import abort, response

from devdigest import whereabouts
from devdigest.edition import tidy
from devdigest.fetching import Fetching
from devdigest.models import GROUPS, Blog
from devdigest.opml import as_opml
from devdigest.web import asked
from devdigest.web.verdicts import stories
from devdigest.web.visit import Page, Visit

_POSTS = 10
_LISTED = 100           # blogs on one page
_LONGEST = 80           # characters of a blog's name


def blogs(visit: Visit) -> str:
    """The list, or what of it was asked for. An address that means one blog leads there."""
    form = {name: asked.text(name).strip() for name in ("q", "group", "state")}
    url = whereabouts.address(form["q"])
    meant = whereabouts.meant(url) if url else []
    if len(meant) == 1:
        response.status = 303
        response.set_header("Location", _where(meant[0], url))
        return ""
    found = meant or whereabouts.listed(form["q"], form["group"], form["state"] == "failing")
    number, pages = asked.page(), max(1, -(-len(found) // _LISTED))
    if number > pages:
        abort(404)
    first = (number - 1) * _LISTED
    rows = [(_where(blog, url if meant else ""), tidy(blog.name, _LONGEST), tidy(blog.site_key, _LONGEST),
             blog.group, _trouble(blog, visit), _is_read(blog)) for blog in found[first:first + _LISTED]]
    path = "" if any(form.values()) else _turned(form, number)
    return visit.page("blogs", visit.words.blog_list, path=path,
                      about=visit.say("blogs_about", visit.config.site.name), form=form, groups=GROUPS,
                      rows=rows, count=len(found), first=first, url=url, meant=meant,
                      before=number > 1 and _turned(form, number - 1),
                      after=number < pages and _turned(form, number + 1))


def _turned(form: dict[str, str], number: int) -> str:
    """Where the page of that number is."""
    query = {name: value for name, value in form.items() if value} | ({"page": number} if number > 1 else {})
    return "/blogs/" + (f"?{urlencode(query)}" if query else "")


def _where(blog: Blog, url: str) -> str:
    """A blog's page, on which the post at `url` is told of first, unless that is the blog itself or ""."""
    itself = not url or whereabouts.is_front(blog, url)
    return f"/blogs/{blog.id}" + ("" if itself else f"?post={quote(url, safe='')}")


def _trouble(blog: Blog, visit: Visit) -> str:
    """What is wrong with a blog, in a few words; "" where nothing is."""
    if blog.state == "paused":
        return visit.say("paused")
    if blog.fetching.fault:
        return visit.say(f"fault_{blog.fetching.fault_kind}", blog.fetching.status,
                         visit.config.collect.total_seconds)
    return "" if blog.fetching.read else visit.say("unread")


def _is_read(blog: Blog) -> bool:
    """Whether nothing has gone wrong with it so far."""
    return blog.state == "active" and not blog.fetching.fault


def blog(visit: Visit, number: str) -> str:
    found = Fetching.blogs().where(Blog.id == int(number)).first()
    if found is None:
        abort(404)
    name = tidy(found.name, _LONGEST)
    if found.state == "excluded":
        return visit.page("blog_left_out", name)
    url = whereabouts.address(asked.text("post").strip())
    wanted = whereabouts.post_at(found, url) if url else None
    latest = [post for post in whereabouts.latest(found, _POSTS) if wanted is None or post.id != wanted.id]
    return visit.page("blog", name, path=f"/blogs/{found.id}", about=visit.say("blog_about", name),
                      blog=found, state=_state(found, visit), is_read=_is_read(found),
                      next=whereabouts.next_fetch(visit.config, found, visit.now),
                      known=whereabouts.known(found), held=whereabouts.held(found), url=url,
                      wanted=stories(found, [wanted] if wanted else [], visit),
                      latest=stories(found, latest, visit))


def _state(blog: Blog, visit: Visit) -> str:
    """How it stands with a blog, and what its writer can do where it does not stand well."""
    if blog.state == "paused":
        return visit.say("state_paused" if blog.paused_for == "owner" else "state_gone")
    if blog.fetching.fault:
        cure = visit.say(f"cure_{blog.fetching.fault_kind}")
        return f"{visit.say('state_failing', _trouble(blog, visit))} {cure}"
    return visit.say("state_fine" if blog.fetching.read else "state_unread")


def opml(_: Visit) -> str:
    response.content_type = "text/x-opml; charset=utf-8"
    response.set_header("Content-Disposition", 'attachment; filename="blogs.opml"')
    return as_opml(Blog.listed())


PAGES = (
    Page("GET", "/blogs/", blogs, kept=True),
    Page("GET", "/blogs/<number:re:[0-9]{1,9}>", blog),
    Page("GET", "/blogs.opml", opml, kept=True),
)
