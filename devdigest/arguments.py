"""The words of the command line: each sub-command with its options, and `module:function` that runs it.

Loads none of those modules.
"""
import argparse
from datetime import date
from pathlib import Path

from devdigest import __version__
from devdigest.models import GROUPS


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="devdigest", description="Reads developer blogs and mails yesterday's posts every morning.",
        epilog="Settings: see devdigest/config.example.toml")
    parser.add_argument("--config", metavar="FILE", help="settings; else $DEVDIGEST_CONFIG, else "
                        "/etc/devdigest/config.toml")
    parser.add_argument("--version", action="version", version=f"DevDigest {__version__}")
    verbs = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _verb(verbs, "init", "state_commands:init",
          "make the database; with --config, an example of that file too")
    _steps(verbs)
    _verb(verbs, "worker", "commands:worker_command", "the service that does all this by itself")
    _verb(verbs, "web", "web_command:web_command", "the service that shows the pages")
    verb = _verb(verbs, "bounces", "bounce_commands:bounces_command", "read what came back, now", json=True)
    choice = verb.add_mutually_exclusive_group()
    choice.add_argument("--list", action="store_true", help="the last ones, and what followed from each")
    choice.add_argument("--believe", action="store_true",
                        help="an issue of which too much came back: it is true, suppress those readers")
    choice.add_argument("--ignore", action="store_true", help="it is not: forget it")
    _deliveries(verbs)
    _verb(verbs, "status", "state_commands:status_command", "how it stands now", json=True)
    verb = _verb(verbs, "stats", "stats_command:stats_command", "the numbers of the last days", json=True)
    verb.add_argument("--days", type=int, choices=(7, 30, 90, 365), default=30, help="how many; else 30")
    verb = _verb(verbs, "check", "check_command:check_command", json=True,
                 does="everything that could be wrong, each with its cure")
    verb.add_argument("--mail", nargs="?", const="", metavar="ADDRESS",
                      help="also send one real mail, now: to the owner, or to ADDRESS")
    verb.add_argument("--phone", action="store_true", help="instead, wait for a look from outside by a phone")
    _backups(verbs)
    _verb(verbs, "hold", "state_commands:hold_command", "publish and mail nothing until `resume`")
    verb = _verb(verbs, "resume", "state_commands:resume_command", "go on after `hold`")
    verb.add_argument("--clock", action="store_true",
                      help="believe the clock, though it once showed a later time")
    _blogs(verbs.add_parser("blogs", help="the list of blogs: import, add, remove, list …"))
    _subscribers(verbs.add_parser("subscribers", help="who gets the digest: add, import, list, remove …"))
    return parser


def _verb(verbs: argparse._SubParsersAction, name: str, run: str, does: str,
          json: bool = False) -> argparse.ArgumentParser:
    verb = verbs.add_parser(name, help=does, description=does[0].upper() + does[1:] + ".")
    verb.set_defaults(run=run)
    if json:
        verb.add_argument("--json", action="store_true", help="one JSON document on stdout")
    return verb


def _steps(verbs: argparse._SubParsersAction) -> None:
    steps = {"collect": ("collect_command:collect_command", "read every blog's feed and store new posts"),
             "publish": ("commands:publish_command", "make today's issue of yesterday's posts"),
             "deliver": ("deliver_command:deliver_command", "send what the outbox holds"),
             "run": ("commands:run_command", "collect, publish and deliver, one after the other")}
    for name, (run, does) in steps.items():
        verb = _verb(verbs, name, run, does, json=name != "run")
        verb.add_argument("--today", type=_day, metavar="DATE", help="as if it were that day, at digest.time")
        if name == "publish":
            verb.add_argument("--preview", type=Path, metavar="FILE", help="only write the HTML to FILE")


def _backups(verbs: argparse._SubParsersAction) -> None:
    verb = _verb(verbs, "backup", "backup_commands:backup_command", json=True,
                 does="a copy of the database, proven, beside the others and at copy_to")
    verb.add_argument("file", metavar="FILE", nargs="?", type=Path, help="to this file instead")
    verb = _verb(verbs, "restore", "backup_commands:restore_command",
                 "put a backup in the database's place; without FILE, list them")
    verb.add_argument("file", metavar="FILE", nargs="?", type=Path)
    verb.add_argument("--resend", action="store_true",
                      help="hold and close nothing: what was mailed since may be mailed again")
    verb.set_defaults(opens=False)


def _deliveries(verbs: argparse._SubParsersAction) -> None:
    verb = _verb(verbs, "deliveries", "delivery_commands:deliveries_command", json=True,
                 does="who got an issue, who did not and why")
    verb.add_argument("issue", metavar="ISSUE", nargs="?", type=_day, help="its day; else the newest")
    verb.add_argument("--weekly", action="store_true", help="the weekly issue of that day, or the newest")
    verb.add_argument("--failed", action="store_true", help="only who did not get it, and all of them")
    verb.add_argument("--again", action="store_true", help="send it again to those only, where that may be")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a date such as 2026-11-22, got {text!r}") from None


def _blogs(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    verb = _verb(verbs, "import", "blog_commands:import_blogs",
                 "add every blog of a list: awesome-devblog YAML, OPML or a text file of URLs")
    verb.add_argument("list", metavar="FILE-OR-URL")
    verb.add_argument("--group", choices=GROUPS, default="people")
    verb.add_argument("--dry-run", action="store_true", help="only say what would be done")
    verb = _verb(verbs, "add", "blog_commands:add", "add one blog; finds the feed of a site's page")
    verb.add_argument("url", metavar="URL")
    verb.add_argument("--group", choices=GROUPS, default="people")
    for name, run, does in (("remove", "blog_commands:remove", "leave a blog out; no import brings it back"),
                            ("pause", "blog_commands:pause", "do not read a blog until `resume`"),
                            ("resume", "blog_commands:resume", "read a paused blog again"),
                            ("release", "blog_commands:release", "make a blog's held posts news")):
        verb = _verb(verbs, name, run, does)
        verb.add_argument("blog", metavar="URL", help="its feed, its site or its number in `list`")
        if name == "remove":
            verb.add_argument("--erase", action="store_true", help="also blank its titles and excerpts")
    verb = _verb(verbs, "list", "blog_commands:list_blogs", "every blog", json=True)
    verb.add_argument("--failing", action="store_true", help="only those that could not be read, and why")
    verb = _verb(verbs, "check", "examine_command:check", json=True,
                 does="what a feed gives now, and each post's verdict; without URL, how failing blogs do")
    verb.add_argument("url", metavar="URL", nargs="?", help="a feed, a site, or a blog's number in `list`")
    verb = _verb(verbs, "export", "blog_commands:export", "the list as OPML, on stdout")
    verb.add_argument("--patch", action="store_true",
                      help="instead, what the maintainers of Awesome Devblog may want to change, as YAML")


def _subscribers(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    verb = _verb(verbs, "add", "subscriber_commands:add", "add one address; it is asked to confirm")
    verb.add_argument("email", metavar="EMAIL")
    verb.add_argument("--language", choices=("ko", "en"))
    _consent(verb)
    verb = _verb(verbs, "import", "subscriber_commands:import_subscribers",
                 "add every address of a CSV file: address first, then language if wanted")
    verb.add_argument("file", metavar="CSV", type=Path)
    _consent(verb)
    _verb(verbs, "export", "subscriber_commands:export", "everyone as CSV, on stdout")
    _verb(verbs, "list", "subscriber_commands:list_subscribers", "everyone", json=True)
    for name, run, does in (("remove", "subscriber_commands:remove", "end a subscription"),
                            ("forget", "subscriber_commands:forget", "erase an address and all of its data")):
        _verb(verbs, name, run, does).add_argument("email", metavar="EMAIL")


def _consent(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--confirmed", action="store_true", help="they agreed already: no confirmation mail")
    verb.add_argument("--source", metavar="TEXT", help="where their consent comes from, kept as its proof")
