"""The steps as sub-commands: each reads its arguments, calls one step, says what came of it."""
import threading
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from devdigest import agenda, check, database, deliver, publish, status, web
from devdigest.collect import collect
from devdigest.config import EXAMPLE, Config, ConfigError
from devdigest.days import at, local_day
from devdigest.memory import HOLD, Setting
from devdigest.models import Issue, IssuePost
from devdigest.readers import Delivery
from devdigest.terminal import complain, counts, dump, progress, table
from devdigest.worker import Worker, clock_doubt


@dataclass(frozen=True)
class Context:
    """What every sub-command is given."""
    config: Config
    path: Path | None           # of the configuration file; None for the embedded defaults
    password: str               # the relay's
    stop: threading.Event       # set by the first Ctrl-C or SIGTERM


class NotCollected(Exception):
    """An issue made now would be without posts, and the day's one."""


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


def init(context: Context, args: Namespace) -> int:
    """The database is open by now, made or upgraded where that was needed."""
    print(f"database {context.config.database.path}, version {database.VERSION}")
    return 0


def write_example(path: Path) -> None:
    """An example configuration at `path`, never over an existing file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8") as file:
        file.write(EXAMPLE.read_text(encoding="utf-8"))
    print(f"wrote {path}; edit it, then run `devdigest --config {path} check`")


def collect_command(context: Context, args: Namespace) -> int:
    now, past = when(context, args)
    run = collect(context.config, now, context.stop, past=past, report=progress("collect"))
    _say(args, {"blogs": run.blogs, "reached": run.reached, "failed": run.failed, "new_posts": run.posts},
         lambda: f"collect: {run.said}")
    return _stopped(context, "collect")


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
    issue, made = publish.publish(context.config, now)
    posts = IssuePost.select().where(IssuePost.issue == issue).count()
    mails = Delivery.select().where(Delivery.issue == issue).count()
    document = {"day": issue.day, "state": issue.state, "posts": posts, "mails": mails, "made_now": made}
    _say(args, document, lambda: f"publish: issue {issue.day} {'' if made else 'was already '}{issue.state}, "
                                 f"{posts} posts, {mails} mails" + ("" if mails or not posts else
                                                                    ", as there is no active subscriber"))
    return 0


def deliver_command(context: Context, args: Namespace) -> int:
    now, _ = when(context, args)
    summary = deliver.deliver(context.config, now, context.password, context.stop, report=progress("deliver"))
    _say(args, {"rows": summary.rows, "states": dict(summary.states), "fault": summary.fault},
         lambda: f"deliver: {deliver.words(summary)}")
    if summary.fault:
        complain(f"deliver: {summary.fault}")
        return 1
    return _stopped(context, "deliver")


def run_command(context: Context, args: Namespace) -> int:
    """Collect, publish, deliver, each as if typed alone."""
    args.preview, args.json = None, False
    for step in (collect_command, publish_command, deliver_command):
        if code := step(context, args):
            return code
    return 0


def _stopped(context: Context, step: str) -> int:
    if context.stop.is_set():
        complain(f"{step}: stopped; `devdigest {step}` goes on where it was")
        return 1
    return 0


def _say(args: Namespace, document: dict[str, Any], line: Callable[[], str]) -> None:
    print(dump(document) if args.json else line())


def worker_command(context: Context, args: Namespace) -> int:
    Worker(context.config, context.password, context.stop).run()
    return 0


def web_command(context: Context, args: Namespace) -> int:
    try:
        web.serve(context.config, context.stop)
    except (OSError, ValueError) as error:      # waitress' word for a host that is none
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"[web] listen {context.config.web.listen}: {reason}; end the other program there, "
                          f"or change it") from error
    return 0


def hold_command(context: Context, args: Namespace) -> int:
    if Setting.held_since() is None:
        Setting.write(HOLD, datetime.now(UTC).isoformat())
    print("held: no issue is published or mailed until `devdigest resume`")
    return 0


def resume_command(context: Context, args: Namespace) -> int:
    was = Setting.held_since()
    Setting.clear(HOLD)
    print("goes on: what waited is published and mailed at the next due time" if was else "was not held")
    return 0


def status_command(context: Context, args: Namespace) -> int:
    facts = status.facts(context.config, datetime.now(UTC))
    print(dump(facts) if args.json else _status_lines(context.config, facts))
    return 0


def _status_lines(config: Config, facts: dict[str, Any]) -> str:
    issue, collected = facts["issue"], facts["collect"]
    rows = [
        ("collect", f"{_local(config, collected['started'])}: {collected['said']}" if collected else
         "never; `devdigest collect`"),
        ("blogs", counts(facts["blogs"])
         + ("; `devdigest blogs list --failing`" if facts["blogs"]["failing"] else "")),
        ("posts", f"{facts['waiting_posts']:,} wait for the next issue"),
        ("issue", f"{issue['day']} {issue['state']}: {issue['posts']} posts, {issue['late']} found late"
         if issue else "none yet"),
        ("mails", counts(facts["outbox"])),
        ("readers", counts(facts["subscribers"])),
        ("next issue", _local(config, facts["next_issue"])),
    ]
    if facts["held_since"]:
        rows.insert(0, ("HELD", f"since {_local(config, facts['held_since'])}; `devdigest resume` goes on"))
    if facts["confirmations_waiting"]:
        rows.append(("confirm", f"{facts['confirmations_waiting']} mails wait; `devdigest deliver`"))
    rows += [("held posts", f"{count} of {feed}; `devdigest blogs release {feed}`")
             for feed, count in facts["held_posts"].items()]
    return "\n".join(f"{name:<11} {text}" for name, text in rows)


def _local(config: Config, text: str) -> str:
    return f"{datetime.fromisoformat(text).astimezone(config.site.timezone):%Y-%m-%d %H:%M}"


def check_command(context: Context, args: Namespace) -> int:
    found = list(check.findings(context.config, context.path, datetime.now(UTC), context.password))
    if args.json:
        print(dump([vars(finding) for finding in found]))
    else:
        print(table([(finding.state, finding.name, finding.fact) for finding in found]))
        cures = [f"→ {finding.name}: {finding.cure}" for finding in found if finding.cure]
        print("\n".join(["", *cures]) if cures else "\neverything is as it should be")
    return 1 if any(finding.state == check.RED for finding in found) else 0
