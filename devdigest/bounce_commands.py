"""What came back, as a sub-command: read now, listed, and what the owner makes of it where it is too much."""
from argparse import Namespace
from datetime import UTC, datetime
from typing import Any

from devdigest import bounces, credentials, suppressions
from devdigest.context import Context
from devdigest.locks import Busy
from devdigest.memory import Setting
from devdigest.reports import Alarm, Bounce
from devdigest.terminal import complain, counts, dump, table

EXPECTED = (Busy,)      # see cli.main

_LISTED = 200
_TOLD = ("address", "day", "kind", "reason", "status", "said", "source", "proven", "followed")


def bounces_command(context: Context, args: Namespace) -> int:
    if args.list:
        return _list(args)
    if args.believe or args.ignore:
        return _decide(context, args)
    settings = context.config.bounces
    summary = bounces.bounces(context.config, datetime.now(UTC), credentials.imap_password(settings),
                              credentials.webhook_key(settings), context.stop)
    print(dump(_document(summary)) if args.json else "\n".join(_lines(context, summary)))
    for fault in summary.faults:
        complain(f"bounces: {fault}")
    return 1 if summary.faults else 0


def _document(summary: bounces.Summary) -> dict[str, Any]:
    return vars(summary) | {"in_doubt": [_said(alarm) for alarm in Alarm.open()]}


def _said(alarm: Alarm) -> str:
    """By now: the first reports raised it, more have come since."""
    return suppressions.too_much(alarm.issue.id) or alarm.said


def _lines(context: Context, summary: bounces.Summary) -> list[str]:
    """What was read, a line a kind, then what the owner should know."""
    lines = [f"bounces: {summary.mails:,} mails and {summary.posts:,} posts read"]
    lines += [f"{count:>7,} {kind}" for kind, count in summary.kinds.most_common()]
    if summary.followed:
        lines.append(f"readers: {counts(summary.followed)}")
    if summary.passed_over:
        lines.append(f"without consequence: {counts(summary.passed_over)}")
    if summary.more:
        lines.append("more is waiting: run it again")
    if not context.config.bounces.imap and not context.config.bounces.webhook:
        lines.append("nobody reads what comes back: set [bounces] imap, or webhook")
    for alarm in Alarm.open():
        lines.append(f"→ issue {alarm.issue.day} ({alarm.issue.kind}): {_said(alarm)}. Nothing is mailed and "
                     f"nobody suppressed for it: see `devdigest bounces --list`, then `bounces --believe` "
                     f"(these readers are gone) or `bounces --ignore` (the relay was wrong), then `resume`")
    return lines


def _list(args: Namespace) -> int:
    rows = [_told(bounce) for bounce in Bounce.newest(_LISTED)]
    if args.json:
        print(dump(rows))
    elif rows:
        columns = ("day", "address", "kind", "reason", "status", "followed", "source", "said")
        print(table([[row[name] for name in columns] for row in rows], columns))
    else:
        print("nothing came back in 90 days")
    return 0


def _told(bounce: Bounce) -> dict[str, Any]:
    values = {name: getattr(bounce, name) for name in _TOLD} | {"address": bounce.subscriber.email}
    if not bounce.proven:
        values["followed"] = "unproven"
    return values


def _decide(context: Context, args: Namespace) -> int:
    alarms = Alarm.open()
    if not alarms:
        complain("bounces: no issue is in doubt")
        return 1
    now, zone = datetime.now(UTC), context.config.site.timezone
    for alarm in alarms:
        suppressed = suppressions.decide(alarm.issue.id, args.believe, now, zone)
        what = f"believed, {suppressed:,} readers suppressed" if args.believe else "ignored"
        print(f"bounces of issue {alarm.issue.day}: {what}")
    if Setting.held_since():
        print("mail is still held: `devdigest resume` goes on")
    return 0
