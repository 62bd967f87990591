"""`devdigest collect`, in a module of its own, so that a collect loads what it needs and no more."""
from argparse import Namespace
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from devdigest.collect import collect
from devdigest.config import ConfigError
from devdigest.context import Context
from devdigest.days import at, local_day
from devdigest.doubt import clock_doubt
from devdigest.locks import Busy
from devdigest.terminal import complain, dump, progress


class ClockDoubt(Exception):
    """Nothing is done by a clock that cannot be trusted."""


EXPECTED = (Busy, ClockDoubt)       # see cli.main


def collect_command(context: Context, args: Namespace) -> int:
    now, past = when(context, args)
    run = collect(context.config, now, context.stop, past=past, report=progress("collect"))
    say(args, {"blogs": run.blogs, "reached": run.reached, "failed": run.failed,
               "not_reached": run.not_reached, "new_posts": run.posts, "lanes": run.lanes,
               "seconds": run.seconds, "written": run.written},
        lambda: f"collect: {run.said}" + ("; `devdigest blogs list --failing`" if run.failed else ""))
    return stopped(context, "collect")


def when(context: Context, args: Namespace) -> tuple[datetime, bool]:
    """(now, whether it is a day's own clock): the time it is, or `--today` at digest.time.

    Raises ClockDoubt, and ConfigError for a day to come.
    """
    now, zone = datetime.now(UTC), context.config.site.timezone
    if args.today is None:
        if doubt := clock_doubt(context.config, now):
            raise ClockDoubt(doubt)
        return now, False
    if args.today > local_day(now, zone):
        raise ConfigError(f"--today {args.today}: that day is still to come")
    return at(args.today, context.config.digest.opens, zone), True


def stopped(context: Context, step: str) -> int:
    """The exit status of a step, said where it was stopped."""
    if context.stop.is_set():
        complain(f"{step}: stopped; `devdigest {step}` goes on where it was")
        return 1
    return 0


def say(args: Namespace, document: dict[str, Any], line: Callable[[], str]) -> None:
    """What came of a step: the document with `--json`, else the line."""
    print(dump(document) if args.json else line())
