"""`devdigest deliveries`: who got an issue, who did not and why; and again to those only."""
from argparse import Namespace
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from devdigest import deliveries
from devdigest.context import Context
from devdigest.days import local_day
from devdigest.deliveries import Again, Fate, NoSuchIssue, TooOld
from devdigest.memory import Setting
from devdigest.models import Issue
from devdigest.terminal import counts, dump, table

EXPECTED = (NoSuchIssue, TooOld)        # see cli.main

_SHOWN = 20


def deliveries_command(context: Context, args: Namespace) -> int:
    issue = deliveries.find(args.issue, "weekly" if args.weekly else "daily")
    now = datetime.now(UTC)
    done = deliveries.again(context.config, issue, now) if args.again else None
    if args.json:
        print(dump(_document(issue, done)))
        return 0
    for line in _lines(context, issue, args, done, now):
        print(line)
    return 0


def _document(issue: Issue, done: Again | None) -> dict[str, Any]:
    first, last = deliveries.sent_between(issue)
    return {"kind": issue.kind, "day": issue.day, "state": issue.state, "mails": deliveries.states(issue),
            "came_back": deliveries.count_came_back(issue), "first_sent": first, "last_sent": last,
            "failed": [vars(fate) for fate in deliveries.failed(issue)],
            "again": done and {"queued": done.queued, "left": done.left, "until": done.until}}


def _lines(context: Context, issue: Issue, args: Namespace, done: Again | None,
           now: datetime) -> Iterator[str]:
    if done is not None:
        yield from _again_lines(context, done)
        return
    if not args.failed:
        yield from _summary(context, issue)
    found = deliveries.failed(issue)
    shown = list(found if args.failed else islice(found, _SHOWN))
    if shown:
        if not args.failed:
            yield ""
        yield table([_row(fate) for fate in shown], ("address", "state", "tries", "why"))
    elif args.failed:
        yield "nobody missed it"
    if (more := deliveries.count_failed(issue) - len(shown)) > 0:
        yield f"and {more:,} more: `devdigest deliveries {_named(issue)} --failed`"
    if (any(fate.state in ("refused", "given_up") for fate in shown)
            and local_day(now, context.config.site.timezone) <= deliveries.mailed_until(issue)):
        yield f"→ again to those refused or given up: `devdigest deliveries {_named(issue)} --again`"


def _summary(context: Context, issue: Issue) -> Iterator[str]:
    told, zone = deliveries.states(issue), context.config.site.timezone
    back = deliveries.count_came_back(issue)
    first, last = deliveries.sent_between(issue)
    yield f"issue {_named(issue)}, {issue.state}: " + (counts(told) if told else "nobody was to get it")
    if back:
        yield f"of those sent, {back:,} came back"
    if first is not None:
        yield f"sent from {first.astimezone(zone):%Y-%m-%d %H:%M} to {last.astimezone(zone):%Y-%m-%d %H:%M}"


def _named(issue: Issue) -> str:
    """As it is typed."""
    return f"{issue.day} --weekly" if issue.kind == "weekly" else f"{issue.day}"


def _row(fate: Fate) -> tuple[str, str, int, str]:
    return fate.address or "(erased)", fate.state, fate.attempts, fate.said


def _again_lines(context: Context, done: Again) -> Iterator[str]:
    digest = context.config.digest
    if done.queued:
        yield (f"{done.queued:,} queued again: `devdigest deliver` mails them now, the worker by itself "
               f"between {digest.time} and {digest.latest}, until {done.until}")
        if Setting.held_since() is not None:
            yield "mail is held: nothing of it goes out before `devdigest resume`"
    else:
        yield "nobody to send it to again"
    for reason, count in done.left.most_common():
        yield f"{count:,} not: {reason}"
