"""`devdigest check`: everything that could be wrong, each with its cure; with --mail one real mail, too."""
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

from devdigest import check, mail_check
from devdigest.config import ConfigError
from devdigest.context import Context
from devdigest.finding import NOT_ASKED, OK, RED, WARN, Finding
from devdigest.name_server import NameServer
from devdigest.recipients import NotAnAddress, tidy
from devdigest.terminal import dump, wrapped

EXPECTED = (NotAnAddress,)      # see cli.main

_STATES = (RED, WARN, "ignored", OK)
_ARROW = "         → "
_INDENT = 21                    # where facts begin


def check_command(context: Context, args: Namespace) -> int:
    config, now = context.config, datetime.now(UTC)
    to = None if args.mail is None else tidy(args.mail or _owner(config.site.owner))
    found = list(check.findings(config, context.path, now, context.password, NameServer()))
    damaged = any(finding.name == "database" and finding.state == RED for finding in found)
    if to is not None and not damaged:      # without records nobody knows who is not mailed
        found.append(mail_check.trial(config, context.password, to, now))
    if args.json:
        print(dump([vars(finding) for finding in found]))
    else:
        print("\n".join(lines(found)))
    return 1 if any(finding.state == RED for finding in found) else 0


def lines(found: list[Finding]) -> Iterator[str]:
    """How many of each state; then each with its cure under it; last what was not asked."""
    counted = Counter(finding.state for finding in found)
    yield ", ".join(f"{counted[state]} {state}" for state in _STATES if counted[state])
    for finding in found:
        if finding.state != NOT_ASKED:
            yield from wrapped(f" {finding.state:<7} {finding.name:<11}", finding.fact, _INDENT)
        if finding.cure:
            yield from [_ARROW + finding.cure] if " TXT " in finding.cure else wrapped(
                _ARROW, finding.cure, len(_ARROW))      # a record is copied whole
    reasons = dict.fromkeys(finding.fact for finding in found if finding.state == NOT_ASKED)
    for reason in reasons:
        names = [one.name for one in found if (one.state, one.fact) == (NOT_ASKED, reason)]
        yield from wrapped(f" {NOT_ASKED:<7}", f"{', '.join(names)}: {reason}", 9)


def _owner(address: str) -> str:
    if not address:
        raise ConfigError("check --mail: to whom? set [site] owner, or type `devdigest check --mail ADDRESS`")
    return address
