"""`sudo ./setup.sh`: looks, asks, and hands the work to a unit that a lost SSH line does not end.

Exit status: 0 done, 1 a step could not be finished, 2 usage, answers or a machine that does not fit.
"""
import os
import sys
from argparse import Namespace
from pathlib import Path

from installer import following, install, options, phases, preparing, recover, removal, tell
from installer.layout import Layout
from installer.tell import Refused

SOURCE = Path(__file__).parents[2]


def main(arguments: list[str]) -> int:
    args = options.parser().parse_args(arguments)
    layout = Layout()
    try:
        return _mode(layout, args)
    except Refused as refusal:
        tell.line(tell.FAIL, "setup", str(refusal), refusal.cure, sys.stderr)
        return refusal.status
    except (KeyboardInterrupt, EOFError):
        print("\nended by you; nothing was changed", file=sys.stderr)
        return 1


def _mode(layout: Layout, args: Namespace) -> int:
    if args.work:
        return install.work(layout, SOURCE, now=args.now, reconfigure=args.reconfigure)
    if os.geteuid() != 0:
        raise Refused("this needs root", f"sudo ./setup.sh {' '.join(sys.argv[1:])}".rstrip(), 2)
    if args.uninstall or args.purge or args.rollback:
        with recover.locked(layout):
            return _take_back(layout, args)
    return _set_up(layout, args)


def _take_back(layout: Layout, args: Namespace) -> int:
    if args.uninstall:
        removal.uninstall(layout, tell.line)
    elif args.purge:
        removal.purge(layout, tell.line, yes=args.yes, backups=args.purge_backups)
    else:
        if said := recover.recover(layout):
            tell.line(tell.OK, "recover", said)
        result = phases.rollback(layout, tell.line, yes=args.yes)
        tell.line(tell.OK, "code", f"{layout.current.resolve().name} runs again")
        print(f"result={result}")
    os.sync()
    return 0


def _set_up(layout: Layout, args: Namespace) -> int:
    plan = preparing.prepare(layout, SOURCE, args)
    if args.dry_run:
        print("\nnothing was changed")
        return 0
    preparing.keep(layout, plan)
    return following.follow(SOURCE, [word for word in ("--now", "--reconfigure") if _wanted(args, word)])


def _wanted(args: Namespace, word: str) -> bool:
    return bool(getattr(args, word.strip("-")))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
