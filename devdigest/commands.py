"""The steps as sub-commands: each reads its arguments, calls one step, says what came of it."""
from argparse import Namespace
from typing import Any

from devdigest import agenda, publish
from devdigest.collect_command import collect_command
from devdigest.context import Context
from devdigest.days import local_day
from devdigest.deliver_command import deliver_command
from devdigest.fetch import FetchError
from devdigest.locks import Busy
from devdigest.memory import Held, Setting
from devdigest.models import Issue, IssuePost
from devdigest.readers import Delivery
from devdigest.replay import replay
from devdigest.replies import RelayError
from devdigest.room import NoRoom
from devdigest.step_command import ClockDoubt, say, when
from devdigest.worker import Worker


class NotCollected(Exception):
    """An issue made now would be without posts, and the day's one."""


EXPECTED = (Busy, Held, ClockDoubt, FetchError, RelayError, NotCollected, NoRoom)        # see cli.main


def publish_command(context: Context, args: Namespace) -> int:
    now, _ = when(context, args)
    if args.preview:
        args.preview.write_text(publish.preview(context.config, now), encoding="utf-8")
        print(f"wrote {args.preview}; nothing was published")
        return 0
    today = local_day(now, context.config.site.timezone)
    due = Issue.of(today) is None and Setting.held_since() is None
    if due and not agenda.is_collected(context.config, now):
        raise NotCollected("no blog was read since midnight; `devdigest collect` first")
    daily = _published(*publish.publish(context.config, now))
    weekly = (_published(*publish.publish_weekly(context.config, now))
              if agenda.has_weekly(context.config, now) else None)
    say(args, daily | {"weekly": weekly}, lambda: "\n".join(filter(None, (
        _published_line("issue", daily), weekly and _published_line("weekly issue", weekly)))))
    return 0


def _published(issue: Issue, made: bool) -> dict[str, Any]:
    return {"day": issue.day, "state": issue.state,
            "posts": IssuePost.select().where(IssuePost.issue == issue).count(),
            "mails": Delivery.select().where(Delivery.issue == issue).count(), "made_now": made}


def _published_line(name: str, said: dict[str, Any]) -> str:
    nobody = ", as no active subscriber is to get it" if said["posts"] and not said["mails"] else ""
    return (f"publish: {name} {said['day']} {'' if said['made_now'] else 'was already '}{said['state']}, "
            f"{said['posts']} posts, {said['mails']} mails{nobody}")


def run_command(context: Context, args: Namespace) -> int:
    """Collect, publish, deliver, each as if typed alone."""
    args.preview, args.json = None, False
    for step in (collect_command, publish_command, deliver_command):
        if code := step(context, args):
            return code
    return 0


def worker_command(context: Context, args: Namespace) -> int:
    replay(context.config.site.timezone)        # the database may be an older one, put back
    Worker(context.config, context.password, context.stop, context.path).run()
    return 0
