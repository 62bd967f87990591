"""`devdigest blogs check`: what a feed gives now, and what becomes of its posts."""
from argparse import Namespace
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from devdigest import blogs, examined, lanes, status, whereabouts
from devdigest.config import Config
from devdigest.context import Context
from devdigest.days import local_day
from devdigest.examine import Asked, contents, examine, understood
from devdigest.intake import reading_of
from devdigest.models import Blog
from devdigest.parsing import Parser
from devdigest.terminal import complain, dump, progress, table

EXPECTED = (blogs.NoSuchBlog,)      # see cli.main


def check(context: Context, args: Namespace) -> int:
    """One blog with all that can be told, or every failing one in a line."""
    now = datetime.now(UTC)
    return _one(context, args, now) if args.url else _failing(context, args, now)


def _one(context: Context, args: Namespace, now: datetime) -> int:
    url, blog = _meant(args.url)
    config = context.config
    with lanes.fetcher(config) as fetcher, Parser(config.site.timezone) as parser:
        told = examine(url, blog, fetcher, parser, config, now, context.stop)
    if args.json:
        print(dump(examined.document(told)))
    else:
        print("\n".join(examined.lines(told, config, now)))
    return _stopped(context)


def _meant(typed: str) -> tuple[str, Blog | None]:
    """(what to ask, the blog that it is on the list). Raises NoSuchBlog for what is neither URL nor blog."""
    try:
        blog = blogs.find(typed)
    except blogs.NoSuchBlog:
        if url := whereabouts.address(typed.strip()):
            return url, None
        raise
    return blog.feed, blog


def _failing(context: Context, args: Namespace, now: datetime) -> int:
    config = context.config
    # what was said and not what was sent: some fail by sending too much
    rows = {blog.id: {"id": blog.id, "name": blog.name, "last_read": blog.fetching.read, "feed": blog.feed,
                      "now": _left_alone(blog, config, now)} for blog in status.failing()}
    asks = [lanes.Ask(row["id"], row["feed"]) for row in rows.values() if not row["now"]]
    report, readable = progress("blogs check"), 0
    with Parser(config.site.timezone) as parser:
        for done, answer in enumerate(lanes.ask_all(asks, config, now, context.stop), start=1):
            one = _heard(answer, parser)
            rows[answer.ask.id] |= examined.request(one) | {"now": _now(one, config, now)}
            readable += one.feed is not None
            report(done, len(asks), done - readable)
    print(dump(list(rows.values())) if args.json else _table(list(rows.values()), readable, config))
    return _stopped(context)


def _left_alone(blog: Blog, config: Config, now: datetime) -> str:
    """Why a blog is not asked; "" where it may be."""
    wait, asked_to_wait = blog.fetching.not_before, blog.fetching.asked_to_wait
    if not (asked_to_wait and wait and wait > now):
        return ""
    until = wait.astimezone(config.site.timezone)
    return f"not asked: the server wants to be left alone until {until:%Y-%m-%d %H:%M}"


def _heard(answer: lanes.Answer, parser: Parser) -> Asked:
    if answer.fetched is None:
        return Asked(answer.ask.url, fault=answer.error)
    return understood(answer.ask.url, answer.fetched, parser)


def _now(one: Asked, config: Config, now: datetime) -> str:
    if one.feed is None:
        return examined.said(one.fault)
    found = contents(one.feed, reading_of(None, config, now))
    return f"can be read, entries: {examined.entries(found, local_day(now, config.site.timezone))}"


def _table(rows: Sequence[Mapping[str, Any]], readable: int, config: Config) -> str:
    if not rows:
        return "no blog fails"
    cells = [(row["id"], row["name"], examined.day(row["last_read"], config), row["now"] or "not asked")
             for row in rows]
    return (f"{table(cells, ('id', 'name', 'last read', 'now'))}\n\n"
            f"{readable:,} of {len(rows):,} can be read again, at the next collect\n"
            "→ `devdigest blogs check ID` tells all of one, and looks for its feed")


def _stopped(context: Context) -> int:
    if context.stop.is_set():
        complain("blogs check: stopped before the end")
        return 1
    return 0
