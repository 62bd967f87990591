"""`devdigest check`: everything that could be wrong, each with its cure; with --mail one real mail, too;
--phone has the owner look from outside.
"""
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

from devdigest import check, mail_check, network_check, phone
from devdigest.config import ConfigError
from devdigest.context import Context
from devdigest.finding import NOT_ASKED, OK, RED, WARN, Finding
from devdigest.name_server import NameServer
from devdigest.recipients import NotAnAddress, tidy
from devdigest.terminal import complain, dump, wrapped

EXPECTED = (NotAnAddress,)      # see cli.main

_STATES = (RED, WARN, "ignored", OK)
_ARROW = "         → "
_PHONE = 300                    # seconds
_INDENT = 21                    # where facts begin


def check_command(context: Context, args: Namespace) -> int:
    if args.phone:
        return _ask_a_phone(context)
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


def _ask_a_phone(context: Context) -> int:
    url = context.config.site.url
    if not network_check.public_name(context.config):
        raise ConfigError(f"check --phone: {url} is for the LAN alone; set [site] url to the public name")
    print(f"Open this on a phone whose Wi-Fi is off, within five minutes:\n\n  {url}/phone/{phone.begin()}\n",
          flush=True)
    until = time.monotonic() + _PHONE
    while phone.is_wanted() and time.monotonic() < until and not context.stop.wait(0.5):
        pass
    if not phone.is_wanted():
        print("it came from outside: the site is open to the world")
        return 0
    phone.give_up()
    complain("check: it came by the network at home: is its Wi-Fi off?" if phone.was_nearby() else
             "check: nobody came; forward TCP 80 and 443 in the router to this machine")
    return 1


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
