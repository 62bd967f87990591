"""What was found out about a blog's feed, told to the owner: lines for a terminal, a document for scripts."""
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from devdigest import choose, whereabouts
from devdigest.config import Config
from devdigest.days import local_day
from devdigest.examine import Asked, Contents, Examined, Fate
from devdigest.fetch import FetchError
from devdigest.memory import Operator
from devdigest.models import Blog, Verdict
from devdigest.terminal import sheet, table
from devdigest.text import excerpt, tidy
from devdigest.urls import operator

# What the owner can do, by the kind of fault: a word of fetch.FAULTS.
_CURES = {
    "slow": "ask again later; [collect] total_seconds gives it more time",
    "tls": "its writer has to mend the certificate; if all fail so, is our clock right? `devdigest check`",
    "host": "a typing error? a name that has lapsed may also come back: a blog on the list is asked on",
    "silent": "ask again later; if it stays so, the server is down, or keeps us out",
    "broken": "open it in a browser: does all of it come?",
    "gone": "has the blog moved? `devdigest blogs check` with the URL of its site looks for the feed",
    "refused": "its writer can let the User-Agent DevDigest through",
    "busy": "the server wants to be left alone for a while: ask again later",
    "server": "ask again later; its writer finds the reason in the server's log",
    "moved": "open it in a browser, and give the address at which it ends",
    "not_feed": "look for `application/rss+xml` in the page's source, and give the address that stands there",
    "big": "[collect] max_bytes allows more",
    "address": "give a public address; [collect] ports allows another port, allow_private one at home",
    "ours": "is there memory left? `devdigest check`",
}
_REDIRECTS = {"permanent": "for good", "temporary": "for the time being", "mixed": "in part for good"}


def lines(told: Examined, config: Config, now: datetime) -> Iterator[str]:
    yield sheet([*_facts(told, config, now)])
    if told.fates:
        yield ""
        yield table([(fate.day if fate.dated else "undated", fate.title or fate.url, _verdict(fate, config))
                     for fate in told.fates], ("day", "post", "verdict"))
    yield ""
    yield f"→ {_next(told)}"


def _facts(told: Examined, config: Config, now: datetime) -> Iterator[tuple[str, str]]:
    if blog := told.blog:
        last = blog.fetching
        since = f", {last.fault} {last.failures}×" if last.fault else ""
        state = " for ".join(filter(None, (blog.state, blog.paused_for)))
        yield "on the list", f"{blog.id} {blog.name}, {state}, last read {day(last.read, config)}{since}"
        if last.fault and (after := whereabouts.next_fetch(config, blog, now)):
            yield "asked next", f"{_minute(after, config)}{_patience(blog, config, now)}"
    elif told.found:
        yield "on the list", "no; nothing is stored, verdicts are those of a first read"
    elsewhere = [told.found] if told.found and all(one is not told.found for one in told.asked) else []
    for number, one in enumerate([*told.asked, *elsewhere]):
        yield ("feed" if one is told.found else "then") if number else "asked", one.url
        yield from _answer(one)
    if told.tried and not told.found:
        yield "then", f"{told.tried} places where a feed may be, in vain"
    if told.contents:
        yield "entries", entries(told.contents, local_day(now, config.site.timezone))


def _patience(blog: Blog, config: Config, now: datetime) -> str:
    """Who does not want to be asked before, if anybody."""
    name = operator(blog.feed)
    if until := Operator.waiting(now).get(name):
        return f"; {name} is left alone until {_minute(until, config)}"
    if blog.fetching.asked_to_wait and blog.fetching.not_before and blog.fetching.not_before > now:
        return f"; its server wants to be left alone until {_minute(blog.fetching.not_before, config)}"
    return ""


def _minute(instant: datetime, config: Config) -> str:
    return f"{instant.astimezone(config.site.timezone):%Y-%m-%d %H:%M}"


def _answer(one: Asked) -> Iterator[tuple[str, str]]:
    if one.fetched is None:
        yield "answer", f"{said(one.fault)}, {one.seconds:.1f} s"
        return
    if one.redirect:
        yield "redirect", f"{_REDIRECTS[one.redirect]}, to {one.fetched.url}"
    headers, packed = one.fetched.headers, _header(one, "content-encoding")
    yield "answer", ", ".join(filter(None, (
        f"HTTP {one.fetched.status}", _header(one, "content-type") or "no type",
        f"{len(one.fetched.body):,} bytes" + (f" out of {packed}" if packed else ""), f"{one.seconds:.1f} s",
        said(one.fault))))
    if one.feed:
        sent = [name for name in ("ETag", "Last-Modified") if headers.get(name.lower())]
        yield "validators", ", ".join(sent) or "none: the whole feed is sent at every collect"


def said(fault: FetchError | None) -> str:
    return tidy(fault.reason) if fault else ""      # it may quote what a server sent


def _header(one: Asked, name: str) -> str:
    return excerpt(tidy(one.fetched.headers.get(name, "")), 100) if one.fetched else ""


def entries(found: Contents, today: date) -> str:
    age = (today - found.newest).days if found.newest else 0
    return ", ".join(filter(None, (
        f"{found.entries:,}", found.newest and f"newest {found.newest}, {age} day{'s' * (age != 1)} old",
        found.undated and f"{found.undated:,} without a plausible date",
        found.shared and f"{found.shared:,} with a guid that another one has")))


def day(instant: datetime | None, config: Config) -> str:
    return f"{local_day(instant, config.site.timezone)}" if instant else "never"


def _verdict(fate: Fate, config: Config) -> str:
    if fate.issue:
        return f"in the issue of {fate.issue}" + (", found late" if fate.late else "")
    first_seen = local_day(fate.first_seen, config.site.timezone)
    match fate.verdict:
        case Verdict.NEWS:
            words = "news, for the next issue"
        case Verdict.TOO_OLD:
            words = f"too old, found {(first_seen - fate.day).days} days after its date"
        case Verdict.COPY:
            words = f"a copy of {fate.copy_of}" if fate.copy_of else "a copy"
        case Verdict.HELD:
            words = f"held until {day(fate.first_seen + choose.HELD_FOR, config)}, one of many at once"
        case Verdict.HISTORY:
            words = "history, not for an issue"
    return words if fate.stored else f"would be {words}"


def _next(told: Examined) -> str:
    """The one thing to do now."""
    if told.found is None:
        return _cure(told)
    if told.blog is None:
        return f"`devdigest blogs add {told.found.url}` puts it on the list"
    return _next_with(told.blog, told.found, told)


def _cure(told: Examined) -> str:
    first = told.asked[0]
    if told.blog and len(told.asked) > 1:
        return f"its site leads to no feed either; `devdigest blogs remove {told.blog.id}`, or it is asked on"
    return _CURES[first.fault.kind] if first.fault else ""


def _next_with(blog: Blog, found: Asked, told: Examined) -> str:
    if blog.state == "excluded":
        return f"left out on request; only `devdigest blogs add {blog.feed}` lifts it"
    if told.is_elsewhere:
        return (f"`devdigest blogs add {found.url}` reads it where it is now, "
                f"`devdigest blogs pause {blog.id}` asks no more where it was")
    if blog.state == "paused":
        return f"`devdigest blogs resume {blog.id}` reads it again"
    if any(fate.stored and fate.verdict == Verdict.HELD for fate in told.fates):
        return f"`devdigest blogs release {blog.id}` makes the held posts news"
    return "it can be read again; the next collect takes it up" if blog.fetching.fault else "nothing to do"


def document(told: Examined) -> dict[str, Any]:
    found, blog = told.found, told.blog
    return {
        "blog": blog and {"id": blog.id, "name": blog.name, "state": blog.state, "feed": blog.feed,
                          "fault": blog.fetching.fault, "failures": blog.fetching.failures,
                          "last_read": blog.fetching.read},
        "asked": [request(one) | {"seconds": round(one.seconds, 3)} for one in told.asked],
        "tried": told.tried,
        "feed": request(found) | asdict(told.contents) if found and told.contents else None,
        "posts": [asdict(fate) for fate in told.fates], "next": _next(told),
    }


def request(one: Asked) -> dict[str, Any]:
    fetched, fault = one.fetched, one.fault
    told = {"url": one.url, "redirect": one.redirect,
            "http_status": fetched.status if fetched else fault and fault.status,
            "fault": said(fault), "fault_kind": fault.kind if fault else ""}
    return told | ({"final_url": fetched.url, "content_type": _header(one, "content-type"),
                    "bytes": len(fetched.body), "etag": fetched.etag, "last_modified": fetched.modified}
                   if fetched else {})
