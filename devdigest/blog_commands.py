"""`devdigest blogs …`: the list of blogs, as the owner looks after it."""
from argparse import Namespace
from datetime import UTC, datetime
from pathlib import Path

from devdigest import blogs, intake, lanes, patch, status
from devdigest.bloglists import NotAList
from devdigest.context import Context
from devdigest.days import local_day
from devdigest.fetch import FetchError
from devdigest.fetching import Fetching
from devdigest.models import Blog
from devdigest.opml import as_opml
from devdigest.parsing import Parser
from devdigest.terminal import dump, table

EXPECTED = (NotAList, blogs.NotAdded, blogs.NoSuchBlog, FetchError)     # see cli.main


def import_blogs(context: Context, args: Namespace) -> int:
    now, config = datetime.now(UTC), context.config
    data = _list(context, args.list, now)
    try:
        report = blogs.import_list(data, args.list, args.group, now,
                                   allow_private=config.collect.allow_private, dry_run=args.dry_run)
    except NotAList as error:
        raise NotAList(f"{args.list}: {error}; nothing was changed") from error
    for row, reason in report.refused:
        print(f"refused   {row.name}: {reason}{f': {row.feed}' if row.feed else ''}")
    for row in report.excluded:
        print(f"excluded  {row.name}: left out on request, not added; `blogs add {row.feed}` lifts it")
    for blog in report.gone:
        print(f"gone      {blog.name}: not on this list any more, still read; `blogs remove {blog.feed}`")
    print(f"{args.list}: {len(report.added):,} added, {len(report.known):,} known already, "
          f"{len(report.excluded):,} excluded, {len(report.refused):,} refused, {len(report.gone):,} gone"
          + (" (dry run: nothing was changed)" if args.dry_run else ""))
    return 0


def _list(context: Context, name: str, now: datetime) -> bytes:
    if name.startswith(("http://", "https://")):
        with lanes.fetcher(context.config) as fetcher:
            return fetcher.get(name, now).body
    return Path(name).read_bytes()


def add(context: Context, args: Namespace) -> int:
    config, now = context.config, datetime.now(UTC)
    with lanes.fetcher(config) as fetcher, Parser(config.site.timezone) as parser:
        blog = blogs.add(args.url, fetcher, parser, now, group=args.group,
                         allow_private=config.collect.allow_private, gap=config.collect.gap)
    print(f"added {blog.name} ({blog.group}), feed {blog.feed}; it is read at the next collect")
    return 0


def remove(context: Context, args: Namespace) -> int:
    blog = blogs.find(args.blog)
    taken_back = blogs.exclude(blog, erase=args.erase)
    print(f"{blog.name} is left out from now on, {taken_back} of its posts will not be mailed"
          + ("; titles and excerpts are erased" if args.erase else ""))
    return 0


def pause(context: Context, args: Namespace) -> int:
    blog = blogs.find(args.blog)
    print(f"{blog.name} is {'paused' if blogs.pause(blog) else f'{blog.state} already'}")
    return 0


def resume(context: Context, args: Namespace) -> int:
    blog = blogs.find(args.blog)
    print(f"{blog.name} is {'read again' if blogs.resume(blog) else f'not paused, but {blog.state}'}")
    return 0


def release(context: Context, args: Namespace) -> int:
    blog = blogs.find(args.blog)
    print(f"{blog.name}: {intake.release(blog)} held posts are news now, for the next issue")
    return 0


def list_blogs(context: Context, args: Namespace) -> int:
    shown = status.failing() if args.failing else list(Fetching.blogs().order_by(Blog.id))
    if args.json:
        print(dump([{"id": blog.id, "name": blog.name, "group": blog.group, "state": blog.state,
                     "feed": blog.feed, "site": blog.site, "http_status": fetching.status,
                     "fault": fetching.fault, "fault_kind": fetching.fault_kind,
                     "failures": fetching.failures, "last_read": fetching.read}
                    for blog in shown for fetching in [blog.fetching]]))
    elif not shown:
        print(_nothing(args.failing))
    elif args.failing:
        print(table([(blog.id, blog.name, blog.fetching.fault, f"{blog.fetching.failures}×",
                      _day(context, blog.fetching.read), blog.feed) for blog in shown],
                    ("id", "name", "fault", "times", "last read", "feed")))
    else:
        print(table([(blog.id, blog.group, " for ".join(filter(None, (blog.state, blog.paused_for))),
                      blog.name, blog.feed) for blog in shown],
                    ("id", "group", "state", "name", "feed")))
    return 0


def _nothing(failing: bool) -> str:
    if not failing:
        return "none; `devdigest blogs import FILE-OR-URL`"
    read = Fetching.select().where(Fetching.read.is_null(False)).exists()
    return "every blog could be read" if read else "no blog was read yet; `devdigest collect`"


def _day(context: Context, instant: datetime | None) -> str:
    return f"{local_day(instant, context.config.site.timezone)}" if instant else "never"


def export(context: Context, args: Namespace) -> int:
    if args.patch:
        print(patch.as_yaml(patch.proposals(context.config.site.timezone)), end="")
        return 0
    print(as_opml(Blog.select().where(Blog.state != "excluded").order_by(Blog.id)), end="")
    return 0
