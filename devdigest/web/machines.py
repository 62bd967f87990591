"""What programs ask a site for: which pages there are, and which they should leave alone."""
from bottle import response

from devdigest.models import Blog, Issue
from devdigest.web.visit import Page, Visit

_MOST = 50_000          # sitemaps.org/protocol.html
_LEFT_ALONE = ("/go/", "/u/", "/manage/", "/confirm/", "/account/", "/search")


def robots(visit: Visit) -> str:
    _answer("text/plain; charset=utf-8")
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in _LEFT_ALONE), "",
             f"Sitemap: {visit.config.site.url}/sitemap.xml", ""]
    return "\n".join(lines)


def sitemap(visit: Visit) -> str:
    """Pages that are there for good, the newest issues first, in case that there are too many."""
    _answer("application/xml; charset=utf-8")
    days = Issue.days()
    months = dict.fromkeys(f"{day:%Y-%m}" for day in days)
    paths = ["/", "/about", "/blogs/", "/issues/", "/popular/", "/stats", "/subscribe", "/tags/",
             *(f"/issues/{day}" for day in days), *(f"/issues/{month}" for month in months),
             *(f"/popular/{day}" for day in Issue.days("weekly")),
             *(f"/blogs/{blog.id}" for blog in Blog.listed())]
    return visit.part("sitemap", paths=paths[:_MOST])


def _answer(kind: str) -> None:
    response.content_type = kind
    response.set_header("Cache-Control", "public, max-age=3600")


PAGES = (
    Page("GET", "/robots.txt", robots, kept=True),
    Page("GET", "/sitemap.xml", sitemap, kept=True),
)
