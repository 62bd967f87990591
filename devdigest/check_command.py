"""`devdigest check`: everything that could be wrong, each with its cure; with --mail one real mail, too."""
from argparse import Namespace
from datetime import UTC, datetime

from devdigest import check, mail_check
from devdigest.config import ConfigError
from devdigest.context import Context
from devdigest.finding import RED
from devdigest.name_server import NameServer
from devdigest.recipients import NotAnAddress, tidy
from devdigest.terminal import dump, table

EXPECTED = (NotAnAddress,)      # see cli.main


def check_command(context: Context, args: Namespace) -> int:
    config, now = context.config, datetime.now(UTC)
    to = None if args.mail is None else tidy(args.mail or _owner(config.site.owner))
    found = list(check.findings(config, context.path, now, context.password, NameServer()))
    if to is not None and found[-1].name != "database":     # without records nobody knows who is not mailed
        found.append(mail_check.trial(config, context.password, to, now))
    if args.json:
        print(dump([vars(finding) for finding in found]))
    else:
        print(table([(finding.state, finding.name, finding.fact) for finding in found]))
        cures = [f"→ {finding.name}: {finding.cure}" for finding in found if finding.cure]
        print("\n".join(["", *cures]) if cures else "\neverything is as it should be")
    return 1 if any(finding.state == RED for finding in found) else 0


def _owner(address: str) -> str:
    if not address:
        raise ConfigError("check --mail: to whom? set [site] owner, or type `devdigest check --mail ADDRESS`")
    return address
