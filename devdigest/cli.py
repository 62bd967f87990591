"""The command line: reads settings, opens the database, runs one sub-command.

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
from pathlib import Path

import peewee

from devdigest import config, credentials, database, departures, heap, journal, presence
from devdigest.arguments import parser
from devdigest.config import ConfigError
from devdigest.context import Context
from devdigest.table import db
from devdigest.terminal import complain

_NEED_NONE = ("init", "restore")        # commands that make the database
_DATABASE_FAULTS = (database.DatabaseError, sqlite3.OperationalError, peewee.OperationalError)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one sub-command; its exit status."""
    args = parser().parse_args(arguments)
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
        may_make = path is None or args.command in _NEED_NONE
        _open(settings, may_make, password if args.command == "worker" else None)
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


def _open(settings: config.Config, may_make: bool, password: str | None) -> None:
    """`password`: the relay's, where the owner is to be told of a database that is lost."""
    file = Path(settings.database.path)
    if not may_make and not presence.is_remembered(file):
        _must_exist(file)
    try:
        database.open(file)
    except database.Lost as error:
        lost = importlib.import_module("devdigest.lost")        # brings what makes mails: see _run
        if password is not None:
            lost.tell_owner(settings, password, str(error))
        raise database.Lost(f"{error}\nnothing is mailed until it is there again; {lost.cure(settings)}"
                            ) from error


def _leave_for_a_restore(folder: Path, stop: threading.Event) -> None:
    """Ends a service once a restore wants the database for itself."""
    def watch() -> None:
        while not stop.wait(1):
            if presence.is_wanted(folder):
                logging.getLogger(__name__).warning("a restore wants the database: this service ends, to be "
                                                    "started again after it")
                stop.set()
    threading.Thread(target=watch, daemon=True).start()


def _begin(error: BaseException) -> str:
    """What went wrong first: after a full disk no transaction can be rolled back, which would be said."""
    before, faults = error.__context__, (sqlite3.OperationalError, peewee.OperationalError)
    if isinstance(error, faults) and isinstance(before, faults):
        return _begin(before)
    is_full = isinstance(error, faults) and "is full" in str(error)
    return f"{error}; {database.cure(Path(db.database))}" if is_full else str(error)


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
