"""What is no page for readers: what programs ask a site for, and the witness of `check --phone`."""
from bottle import HTTPError, request, response

from devdigest import phone as witness
from devdigest.models import Blog, Issue
from devdigest.web.visit import Page, Visit

_MOST = 50_000          # sitemaps.org/protocol.html
_LEFT_ALONE = ("/go/", "/u/", "/manage/", "/confirm/", "/account/", "/hold/", "/search")


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


def phone(visit: Visit, token: str) -> str:
    """The link of `check --phone`."""
    outside = witness.arrived(token, request.environ.get("REMOTE_ADDR", ""), visit.now)
    if outside is None:
        raise HTTPError(404)
    response.content_type = "text/plain; charset=utf-8"
    response.set_header("Cache-Control", "no-store")
    return ("DevDigest: the site is reached from outside.\n" if outside else
            "DevDigest: you came by the network at home. Switch off the Wi-Fi, and open this page again.\n")


def _answer(kind: str) -> None:
    response.content_type = kind
    response.set_header("Cache-Control", "public, max-age=3600")


PAGES = (
    Page("GET", "/robots.txt", robots, kept=True),
    Page("GET", "/sitemap.xml", sitemap, kept=True),
    Page("GET", "/phone/<token>", phone),
)
