"""What the sub-commands of the steps share: the time they act at, and how they say what came of it."""
from argparse import Namespace
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from devdigest.config import ConfigError
from devdigest.context import Context
from devdigest.days import at, local_day
from devdigest.doubt import clock_doubt
from devdigest.terminal import complain, dump


class ClockDoubt(Exception):
    """Nothing is done by a clock that cannot be trusted."""


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
