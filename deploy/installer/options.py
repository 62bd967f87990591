"""The words of `sudo ./setup.sh`: what it is to do, and each answer as a flag."""
import argparse
import os
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path

from installer.answers import Answers, flag, from_environment, parse
from installer.tell import Refused

_EPILOG = ("Each answer is also a variable (DEVDIGEST_SENDER=…) in the environment or in a file; a "
           "flag counts first, then the environment, the file, what was answered last time.")


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sudo ./setup.sh", epilog=_EPILOG, allow_abbrev=False,
                                     description="Installs DevDigest; run again, it upgrades.")
    do = parser.add_mutually_exclusive_group()
    do.add_argument("--reconfigure", action="store_true", help="ask again; what else you edited stays")
    do.add_argument("--dry-run", action="store_true", help="look and ask, and change nothing")
    do.add_argument("--rollback", action="store_true", help="the release before this one again")
    do.add_argument("--uninstall", action="store_true", help="remove the program; settings and data stay")
    do.add_argument("--purge", action="store_true", help="remove settings and data too; backups stay")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)      # see following.py
    parser.add_argument("--purge-backups", action="store_true", help="with --purge: the backups, too")
    parser.add_argument("--yes", action="store_true", help="ask nothing")
    parser.add_argument("--now", action="store_true", help="upgrade also while the digest goes out")
    parser.add_argument("--answers", type=Path, metavar="FILE", help="answers, as KEY=VALUE lines")
    parser.add_argument("--relay-password-file", metavar="FILE",
                        help="the relay's password; - for standard input; else $DEVDIGEST_SMTP_PASSWORD")
    parser.add_argument("--ddns-secret-file", metavar="FILE",
                        help="the DDNS password or token; - for standard input; else $DEVDIGEST_DDNS_SECRET")
    answers = parser.add_argument_group("answers")
    for one in fields(Answers):
        answers.add_argument(flag(one.name), default=None, metavar="TEXT",
                             help=one.metadata["help"])
    return parser


def given(args: argparse.Namespace, environ: Mapping[str, str] = os.environ) -> list[dict[str, str]]:
    """What was answered beforehand, by flag, environment and file, the strongest first. Raises Refused."""
    flags = {one.name: getattr(args, one.name) for one in fields(Answers)
             if getattr(args, one.name) is not None}
    return [flags, from_environment(environ), _file(args.answers)]


def _file(path: Path | None) -> dict[str, str]:
    if path is None:
        return {}
    try:
        return parse(path.read_text(encoding="utf-8"), path)
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}",
                      "name a file of KEY=VALUE lines after --answers", 2) from error


def secrets(args: argparse.Namespace, standard_input: Iterator[str],
            environ: Mapping[str, str] = os.environ) -> tuple[str, str]:
    """(the relay's password, that of the DDNS account); "" where none was given. Raises Refused."""
    return (_secret(args.relay_password_file, standard_input, environ.get("DEVDIGEST_SMTP_PASSWORD", "")),
            _secret(args.ddns_secret_file, standard_input, environ.get("DEVDIGEST_DDNS_SECRET", "")))


def _secret(file: str | None, standard_input: Iterator[str], otherwise: str) -> str:
    """From the file that was named, or the next line of standard input."""
    if file is None:
        return otherwise
    if file == "-":
        return next(standard_input, "").rstrip("\r\n")
    try:
        return Path(file).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{file}: cannot be read: {getattr(error, 'strerror', None) or error}",
                      "name a file that holds the password alone", 2) from error
