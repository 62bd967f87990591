"""Search over all posts, and posts by tag, in pages of twenty."""
from collections.abc import Callable
from datetime import date
from html import escape
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from bottle import abort

from devdigest import search, terms
from devdigest.days import local_day
from devdigest.edition import tidy
from devdigest.models import Post
from devdigest.search import Found
from devdigest.web import asked
from devdigest.web.visit import Page, Visit

_LONGEST = 200          # characters of what is searched for, and of an excerpt
_TITLE = 300
_SUGGESTED = 24         # tags, where nothing was typed or found
_LISTED = 200           # tags on their own page

Link = Callable[[int], str]     # to a page of the same, by its number


class Result(NamedTuple):
    """A post that was found. Title and excerpt are HTML, with what was searched for marked."""
    post: Post
    title: str
    excerpt: str
    told: str
    tags: list[str]


def find(visit: Visit) -> str:
    typed, order = tidy(asked.text("q"), _LONGEST), "best" if asked.text("order") == "best" else "newest"
    found = _existing(search.find(typed, order, asked.page()))
    link = _search_link(typed, order)
    orders = [(name, _search_link(typed, name)(1), name == order) for name in ("newest", "best")]
    suggested = [] if found.total else [tag for tag, _ in search.tags(_today(visit), _SUGGESTED)]
    return visit.page("search", visit.say("found_for", typed) if typed else visit.say("search"),
                      path="" if typed else "/search", about=visit.say("search_text"), typed=typed,
                      orders=orders, tags=suggested, **_results(found, link, visit, typed))


def tags(visit: Visit) -> str:
    return visit.page("tags", visit.say("tags"), path="/tags/", about=visit.say("tags_text"),
                      tags=search.tags(_today(visit), _LISTED))


def tag(visit: Visit, name: str) -> str:
    found = search.tagged(name, asked.page())
    if not found.total:
        abort(404)
    name = search.spelling(name, _existing(found).posts)
    path = f"/tags/{quote(name, safe='')}"
    return visit.page("tag", visit.say("tagged", name), path=path if found.page == 1 else "",
                      about=visit.say("tagged_text", name), tag=name,
                      **_results(found, lambda number: f"{path}?page={number}", visit))


def _existing(found: Found) -> Found:
    if found.page > max(1, found.pages):
        abort(404)
    return found


def _today(visit: Visit) -> date:
    return local_day(visit.now, visit.config.site.timezone)


def _search_link(typed: str, order: str) -> Link:
    def link(number: int) -> str:
        query = {"q": typed} | ({"order": order} if order != "newest" else {})
        return "/search?" + urlencode(query | ({"page": number} if number > 1 else {}))
    return link


def _results(found: Found, link: Link, visit: Visit, typed: str = "") -> dict[str, Any]:
    """What the template of the results shows."""
    return {"found": found, "results": [_result(post, typed, visit) for post in found.posts], "link": link,
            "numbers": _numbers(found.page, found.pages)}


def _result(post: Post, typed: str, visit: Visit) -> Result:
    minutes = visit.words.minutes(post.minutes) if post.minutes else ""
    return Result(post, title=_marked(tidy(post.title, _TITLE) or visit.words.no_title, typed),
                  excerpt=_marked(tidy(post.excerpt, _LONGEST), typed),
                  told=" · ".join(filter(None, (visit.say("whole_day", post.day), minutes))),
                  tags=[tag for tag in post.tags.split("\n") if tag])


def _marked(text: str, typed: str) -> str:
    return "".join(f"<mark>{escape(piece)}</mark>" if sought else escape(piece)
                   for piece, sought in terms.pieces(text, typed))


def _numbers(page: int, pages: int) -> list[int]:
    """The first, the last and those around this page; 0 where some are left out."""
    shown = sorted({1, pages, page - 1, page, page + 1} & set(range(1, pages + 1)))
    return [number for before, here in zip([0, *shown], shown, strict=False)
            for number in ([0, here] if here - before > 1 else [here])]


PAGES = (
    Page("GET", "/search", find),
    Page("GET", "/tags/", tags),
    Page("GET", "/tags/<name:path>", tag),
)
