"""`devdigest backup` and `devdigest restore`: the latter without a database, which may be damaged or gone."""
import sqlite3
from argparse import Namespace
from datetime import UTC, datetime
from pathlib import Path

from devdigest import backup, backups, copies, departures, second_place
from devdigest.config import ConfigError
from devdigest.context import Context
from devdigest.copies import Stopped, Unsound
from devdigest.locks import Busy
from devdigest.restore import CannotRestore, Done, restore
from devdigest.room import NoRoom
from devdigest.terminal import complain, counts, dump, saying, table

EXPECTED = (Busy, NoRoom, Unsound, Stopped, CannotRestore, second_place.CopyError, sqlite3.DatabaseError)


def backup_command(context: Context, args: Namespace) -> int:
    made = backup.backup(context.config, datetime.now(UTC), context.stop, file=args.file,
                         report=saying("backup"))
    if args.json:
        print(dump({"file": made.path, "bytes": made.bytes, "seconds": made.seconds, "counts": made.counts,
                    "removed": made.removed, "copy_fault": made.copy_fault}))
    else:
        print(f"backup: {made.path}, {backup.words(made)}")
    if made.copy_fault:
        complain(f"backup: it is here, but not copied: {made.copy_fault}")
        return 1
    return 0


def restore_command(context: Context, args: Namespace) -> int:
    if args.file is None:
        return _list(context)
    if not args.file.is_file():
        raise ConfigError(f"restore: {args.file}: no such file; `devdigest restore` lists the backups here")
    done = restore(context.config, args.file, datetime.now(UTC), resend=args.resend)
    print("\n".join(f"restore: {line}" for line in _told(context, args.file, done)))
    if not done.logs:
        ours = context.config.backups / departures.NAME
        complain(f"restore: there is NO LOG of who left, neither {ours} nor one beside {args.file}: who "
                 f"left, was erased or complained since the backup would be mailed again. Find it on the "
                 f"old card or at copy_to, put it beside the backup, and restore once more")
    return 0


def _told(context: Context, file: Path, done: Done) -> list[str]:
    made = done.made.astimezone(context.config.site.timezone)
    lines = [f"{file}, of {made:%Y-%m-%d %H:%M}, version {done.version}, is whole and in place: "
             f"{done.counts['post']:,} posts, {done.counts['subscriber']:,} readers"]
    if done.aside:
        lines.append(f"the database that was there is kept as {done.aside}; remove it once all is well")
    if done.logs:
        lines.append(f"left since: {counts(done.departed)}")
    if done.closed is None:
        return [*lines, "--resend: nothing was closed, so what was mailed since may be mailed again"]
    if days := done.closed.days:
        lines.append(f"closed, as their issues may be out: {len(days)} days, {days[0]} to {days[-1]}; "
                     f"{done.closed.posts:,} posts of before are history")
    return [*lines, f"{done.closed.mails:,} mails that were on their way then are given up",
            "HELD: look at `devdigest status`, then `devdigest resume`"]


def _list(context: Context) -> int:
    """The backups here, newest first."""
    found = backups.found(context.config.backups)
    if not found:
        complain(f"restore: no backup at {context.config.backups}; `devdigest restore FILE` takes one from "
                 f"anywhere")
        return 1
    now, zone = datetime.now(UTC), context.config.site.zone
    print(table([_row(path, now) for path in found], ("backup", "age", "MB", "holds")))
    print(f"\ntimes are {zone}'s; newest first. To go back: devdigest restore {found[0]}")
    return 0


def _row(path: Path, now: datetime) -> tuple[str, str, str, str]:
    try:
        _, made, held = copies.facts(path)
        age = f"{(now - datetime.fromisoformat(made)).total_seconds() / 86_400:.1f} days" if made else "?"
        holds = f"{held['post']:,} posts, {held['issue']:,} issues, {held['subscriber']:,} readers"
    except Unsound as error:
        age, holds = "?", str(error)
    return path.name, age, f"{path.stat().st_size / 1e6:,.1f}", holds
