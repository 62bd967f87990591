"""The command line: reads arguments and settings, opens the database, runs one sub-command.

Exit status: 0 done, 1 the step could not be finished (said on stderr), 2 usage or configuration.
"""
import argparse
import importlib
import logging
import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import peewee

from devdigest import __version__, backups, config, credentials, database, departures, heap, journal, presence
from devdigest.config import ConfigError
from devdigest.context import Context
from devdigest.models import GROUPS
from devdigest.table import db
from devdigest.terminal import complain

_NEED_NONE = ("init", "restore")        # commands that make the database
_DATABASE_FAULTS = (database.DatabaseError, sqlite3.OperationalError, peewee.OperationalError)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one sub-command; its exit status."""
    args = _parser().parse_args(arguments)
    heap.keep_little()
    expected = list(_DATABASE_FAULTS)   # with what the module adds: no faults of the program, said in a line
    try:
        return _run(args, expected)
    except ConfigError as error:
        complain(str(error))
        return 2
    except BrokenPipeError:
        # nobody reads on, as in `devdigest blogs list | head`; what is left must not be written at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else error
        complain(f"{args.command}: {what}")
        return 1
    except tuple(expected) as error:
        complain(f"{args.command}: {_begin(error)}")
        return 1
    finally:
        if not db.is_closed():
            db.close()


def _run(args: argparse.Namespace, expected: list[type[Exception]]) -> int:
    if args.command == "init" and args.config and not Path(args.config).exists():
        _write_example(Path(args.config))
    path = config.find(args.config)
    settings = config.load(path)
    password = credentials.smtp_password(settings.mail)
    _log_to_stderr(args.command)
    departures.keep_in(settings.backups)
    if getattr(args, "opens", True):
        _open(settings, may_make=path is None or args.command in _NEED_NONE)
    # a sub-command's module is loaded when it runs: all of them take half a second and 20 MB on a Pi
    module, _, function = args.run.partition(":")
    commands = importlib.import_module(f"devdigest.{module}")
    expected += getattr(commands, "EXPECTED", ())
    heap.settle()
    stop, serves = _stop_by_signal(), args.command in ("worker", "web")
    if serves:
        _leave_for_a_restore(settings.folder, stop)
    code = getattr(commands, function)(Context(settings, path, password, stop), args)
    sys.stdout.flush()
    # not 0 where it left for a restore, so that systemd starts it again
    return code or int(serves and presence.is_wanted(settings.folder))


def _open(settings: config.Config, may_make: bool) -> None:
    file = Path(settings.database.path)
    if not may_make and not presence.is_remembered(file):
        _must_exist(file)
    try:
        database.open(file)
    except database.Lost as error:
        raise database.Lost(f"{error}\n{_offer(settings)}") from error


def _offer(settings: config.Config) -> str:
    """What to type where the database is lost."""
    if found := backups.found(settings.backups):
        return f"nothing is mailed until it is there again; the newest backup: devdigest restore {found[0]}"
    return (f"nothing is mailed until it is there again, and {settings.backups} has no backup; is there one "
            f"on another disk? `devdigest restore FILE`")


def _leave_for_a_restore(folder: Path, stop: threading.Event) -> None:
    """Ends a service once a restore wants the database for itself."""
    def watch() -> None:
        while not stop.wait(1):
            if presence.is_wanted(folder):
                logging.getLogger(__name__).warning("a restore wants the database: this service ends, to be "
                                                    "started again after it")
                stop.set()
    threading.Thread(target=watch, daemon=True).start()


def _begin(error: BaseException) -> BaseException:
    """What went wrong first: after a full disk no transaction can be rolled back, which would be said."""
    before, faults = error.__context__, (sqlite3.OperationalError, peewee.OperationalError)
    return _begin(before) if isinstance(error, faults) and isinstance(before, faults) else error


def _must_exist(file: Path) -> None:
    """An appliance that makes a new database where its own is missing would have forgotten all its readers.

    Raises ConfigError.
    """
    if not file.exists():
        raise ConfigError(f"{file}: there is no database; `devdigest init` makes a new one, `devdigest "
                          f"restore FILE` brings a backup back")


def _write_example(path: Path) -> None:
    """An example configuration at `path`, never over an existing file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8") as file:
        file.write(config.EXAMPLE.read_text(encoding="utf-8"))
    print(f"wrote {path}; edit it, then run `devdigest --config {path} check`")


def _log_to_stderr(command: str) -> None:
    """One line per thing done by the two services; by hand only warnings, as the command says the rest."""
    handler = logging.StreamHandler(sys.stderr)
    clear = "\r\x1b[K" if sys.stderr.isatty() else ""      # a line of progress may stand there
    plain = logging.Formatter(f"{clear}%(message)s")
    handler.setFormatter(journal.Lines() if journal.reads_along() else plain)
    service = command in ("worker", "web")
    logging.basicConfig(level=logging.INFO if service else logging.WARNING, handlers=[handler], force=True)
    if service and journal.reads_along():       # which passes on what the unit's LogLevelMax lets through
        logging.getLogger("devdigest").setLevel(logging.DEBUG)
    logging.getLogger("schedule").setLevel(logging.WARNING)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)     # of every visitor who waits a moment
    logging.getLogger("urllib3").setLevel(logging.ERROR)    # it tells of every odd header a blog sends


def _stop_by_signal() -> threading.Event:
    """Set by the first Ctrl-C or SIGTERM, so that work ends well; a second Ctrl-C ends at once."""
    stop = threading.Event()

    def halt(number: int, frame: object) -> None:
        if stop.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        stop.set()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, halt)
        signal.signal(signal.SIGTERM, halt)
    return stop


def _parser() -> argparse.ArgumentParser:
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
