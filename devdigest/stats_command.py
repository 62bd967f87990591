"""The numbers on a terminal."""
from argparse import Namespace
from dataclasses import asdict
from datetime import UTC, datetime

from devdigest import charts, stats
from devdigest.context import Context
from devdigest.edition import tidy
from devdigest.stats import Numbers
from devdigest.terminal import dump

_COUNTED = {"posts": "posts", "mails": "mails", "clicks": "readers", "all clicks": "clicks",
            "asked": "asked", "confirmed": "confirmed", "cancelled": "cancelled"}
_TOP = 5


def stats_command(context: Context, args: Namespace) -> int:
    found = stats.numbers(context.config, datetime.now(UTC), args.days)
    print(dump(asdict(found)) if args.json else "\n".join(_lines(found)))
    return 0


def _lines(found: Numbers) -> list[str]:
    if not found.posts:
        return ["nothing to count yet: `devdigest blogs import LIST`, then `devdigest run`"]
    left = "" if found.left is None else f", {found.left:.1%} of all who ever confirmed have left"
    lines = [f"{found.posts:,} posts collected", f"{found.subscribers:,} active subscribers{left}"]
    if not found.subscribers:
        lines[1:] = ["no active subscribers: `devdigest subscribers add EMAIL`, or the front page"]
    spans = stats.spans(found.days)
    lines += ["", f"{found.days[0].day} to {found.days[-1].day}, a column a "
                  f"{'day' if len(spans[0]) == 1 else 'week'}"]
    for name, counted in _COUNTED.items():
        total = sum(getattr(day, counted) for day in found.days)
        each = [sum(getattr(day, counted) for day in span) for span in spans]
        lines.append(f"{name:<11}{total:>9,}  {charts.spark(each)}".rstrip())
    if found.top:
        lines += ["", "most read, by readers",
                  *(f"{post.readers:>8,}  {tidy(post.title, 60)} · {tidy(post.blog, 30)}"
                    for post in found.top[:_TOP])]
    return lines
