"""How it stands, and whether it goes on: sub-commands that need no network, and load quickly."""
from argparse import Namespace
from datetime import UTC, datetime
from typing import Any

from devdigest import backup_check, database, forecast, hindsight, room, status, wear
from devdigest.config import Config
from devdigest.context import Context
from devdigest.memory import HOLD, HOLD_REASON, Setting
from devdigest.reports import Alarm
from devdigest.terminal import complain, counts, dump, sheet


def init(context: Context, args: Namespace) -> int:
    """The database is open by now, made or upgraded where that was needed."""
    print(f"database {context.config.database.path}, version {database.VERSION}")
    return 0


def hold_command(context: Context, args: Namespace) -> int:
    if Setting.held_since() is None:
        Setting.write(HOLD, datetime.now(UTC).isoformat())
    print("held: no issue is published or mailed until `devdigest resume`")
    return 0


def resume_command(context: Context, args: Namespace) -> int:
    if args.clock:
        return _believe_the_clock(context.config)
    if doubts := Alarm.open():
        complain(f"resume: of issue {doubts[0].issue.day} {doubts[0].said}; first say what to make of it: "
                 f"`devdigest bounces --believe` or `--ignore`")
        return 1
    was = Setting.held_since()
    Setting.clear(HOLD)
    Setting.clear(HOLD_REASON)
    print("goes on: what waited is published and mailed at the next due time" if was else "was not held")
    return 0


def _believe_the_clock(config: Config) -> int:
    """After a clock that was ahead: what it showed then would be waited for."""
    now, seen = datetime.now(UTC), Setting.last_seen()
    news = hindsight.put_right(config, now)
    was = f", not {seen:%Y-%m-%d %H:%M}" if seen else ""
    found = f"; {news:,} posts that were taken for old are news" if news else ""
    print(f"clock: it is {now:%Y-%m-%d %H:%M} UTC{was}{found}; the worker goes on within a minute")
    return 0


def status_command(context: Context, args: Namespace) -> int:
    facts = status.facts(context.config, datetime.now(UTC))
    print(dump(facts) if args.json else _status_lines(context.config, facts))
    return 0


def _status_lines(config: Config, facts: dict[str, Any]) -> str:
    issue, collected = facts["issue"], facts["collect"]
    written = [f"{wear.in_words(count)} {day}" for day, count in facts["written"].items()
               if count is not None]
    rows = [
        *_wrong_rows(config, facts),
        ("collect", f"{_local(config, collected['started'])}: {collected['said']}" if collected else
         "never; `devdigest collect`"),
        *([("card", f"written by collecting: {', '.join(written)}")] if written else []),
        ("blogs", counts(facts["blogs"])
         + ("; `devdigest blogs list --failing`" if facts["blogs"]["failing"] else "")),
        ("posts", f"{facts['waiting_posts']:,} wait for the next issue"),
        ("issue", f"{issue['day']} {issue['state']}: {issue['posts']} posts, {issue['late']} found late"
         if issue else "none yet"),
        ("mails", counts(facts["outbox"])),
        *_mailing_rows(config, facts["mailing"]),
        ("readers", counts(facts["subscribers"])),
        ("bounces", _bounces_line(facts["bounces"])),
        ("backup", backup_check.line(kept := facts["backup"], _local(config, kept["made"] or facts["now"]))),
        ("next issue", _local(config, facts["next_issue"])),
        *_more_rows(config, facts),
        *(("held posts", f"{count} of {feed}; `devdigest blogs release {feed}`")
          for feed, count in facts["held_posts"].items()),
    ]
    return sheet(rows)


def _wrong_rows(config: Config, facts: dict[str, Any]) -> list[tuple[str, str]]:
    """What wants a hand, first."""
    rows = [("CLOCK", f"nothing is done: {facts['clock_doubt']}")] if facts["clock_doubt"] else []
    if facts["held_since"]:
        why = facts["held_because"] and f" ({facts['held_because']})"
        rows.append(("HELD", f"since {_local(config, facts['held_since'])}{why}; `devdigest resume` goes on"))
    rows += [("TROUBLE", f"{one['name']}, since {_local(config, one['since'])}: {one['fact']}; {one['cure']}")
             for one in facts["troubles"]]
    if facts["free"] < room.LEAST_TO_COLLECT:
        rows.append(("DISK", f"{facts['free'] // 1_000_000:,} MB free: nothing is collected; make room: "
                             f"{room.MAKE_ROOM}"))
    return rows


def _more_rows(config: Config, facts: dict[str, Any]) -> list[tuple[str, str]]:
    """What is there to tell on some days only."""
    rows = []
    if (on := facts["sending"]) is not None:
        last = datetime.fromisoformat(on["last_at"]).astimezone(config.site.timezone)
        rows.append(("sending", forecast.progress(on["sent"], on["of"], last)))
    if facts["quota_waits_until"]:
        rows.append(("quota", f"used up; the rest goes on at {_local(config, facts['quota_waits_until'])}"))
    if facts["plan"]:
        rows.append(("plan", facts["plan"]))
    if facts["confirmations_waiting"]:
        rows.append(("confirm", _confirmations_line(config, facts)))
    if facts["upgrade"]:
        rows.append(("upgrade", facts["upgrade"]))
    return rows


def _mailing_rows(config: Config, facts: dict[str, Any]) -> list[tuple[str, str]]:
    """When mails went, how many and how fast, or why not; then those that wait."""
    rows = [("mailing", f"{_local(config, run['started'])}: {run['said']}") for run in facts["runs"]]
    if facts["queue"]:
        again = facts["next_attempt"]
        rows.append(("outbox", f"{counts(facts['queue'])}; "
                               + (f"next attempt {_local(config, again)}" if again else "held")))
    return rows


def _confirmations_line(config: Config, facts: dict[str, Any]) -> str:
    last = facts["mailing"]["confirmations"]
    told = f"; last try {_local(config, last['started'])}: {last['said']}" if last else ""
    return f"{facts['confirmations_waiting']} mails wait; `devdigest deliver`{told}"


def _bounces_line(facts: dict[str, Any]) -> str:
    told = f"{counts(facts['reports'])} in 30 days"
    if facts["suppressed"]:
        told += f"; suppressed: {counts(facts['suppressed'])}"
    if facts["posts_waiting"]:
        told += f"; {facts['posts_waiting']:,} posts wait"
    return f"{told}; MAILBOX: {facts['mailbox_fault']}" if facts["mailbox_fault"] else told


def _local(config: Config, text: str) -> str:
    return f"{datetime.fromisoformat(text).astimezone(config.site.timezone):%Y-%m-%d %H:%M}"
