"""Ends what an interrupted upgrade left: the old code with the old schema, or the new with the new.

Run at every setup and, after a power cut, by devdigest-recover.service before both services.
"""
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from installer import release, services, state, tell
from installer.effects import Effects, lock
from installer.layout import Layout
from installer.state import COMMITTED, STOPPED, SWITCHING, State
from installer.tell import OK, Refused


class Busy(Refused):
    """Another setup is at work."""


@contextmanager
def locked(layout: Layout) -> Iterator[None]:
    """Holds the one lock of setup, upgrade, rollback and removal. Raises Busy where another has it."""
    layout.upgrade.mkdir(parents=True, exist_ok=True)
    layout.upgrade.chmod(0o755)         # the worker looks for the state, whatever root's umask was
    if (descriptor := lock(layout.upgrade / "lock")) is None:
        raise Busy("another setup is running", "wait for it: sudo journalctl -fu devdigest-setup")
    try:
        yield
    finally:
        os.close(descriptor)


def recover(layout: Layout, on: Effects | None = None) -> str:
    """What was done, in a sentence for the owner; "" where nothing was left to do. May be called again.

    The services are told to start, and not waited for: this may run before them. Within locked().
    """
    on = on or Effects(layout)
    if (left := state.read(layout)) is None:
        return ""
    result, said = _ended(layout, on, left)
    state.tell_owner(layout, on, result, said)
    if services.are_placed(layout):
        on.systemctl("start", "--no-block", services.TARGET, *services.SERVICES)
    on.unguard()
    # last: whatever ends this before is made good by the next recover()
    on.remove(state.path(layout))
    return said


def _ended(layout: Layout, on: Effects, left: State) -> tuple[str, str]:
    """The result and the sentence. Each part may have been done before."""
    why = left.why or "it was cut off"
    what = f"the {'upgrade to' if left.old else 'installation of'} {left.new}"
    match left.phase:
        case phase if phase == COMMITTED:
            _point(layout, on, left.new, left.old)
            return "upgraded", f"{left.new} runs; the end of the upgrade was made good"
        case phase if phase == STOPPED:
            return "rolled-back", f"{what} ended before it changed anything: {why}"
        case phase if phase == SWITCHING:
            on.systemctl("stop", *services.SERVICES, fine=(0, 5))
            _put_back(layout, on, left)
            _point(layout, on, left.old, left.new)
            runs = f"{left.old} runs again" if left.old else "nothing is installed"
            return "rolled-back", f"{what} failed: {why}; {runs}"
    raise Refused(f"{state.path(layout)}: unknown phase {left.phase!r}", "run setup.sh of the newer release")


def _put_back(layout: Layout, on: Effects, left: State) -> None:
    """The database as it was, where it is not that: with the same schema nothing of it need be lost."""
    if left.schema is None:
        return
    try:
        as_it_was = on.database("facts", layout.database)["schema"] == left.schema
    except Refused:                     # cut off within an upgrade of it, or worse
        as_it_was = False
    if not as_it_was:
        on.database("put", state.kept_folder(layout) / left.kept, layout.database)


def _point(layout: Layout, on: Effects, to: str, away_from: str) -> None:
    """Link and units are those of the release `to`; none, where that is ""."""
    if not to:
        services.take_away(layout, on, layout.releases / away_from)
        on.remove(layout.current)
        return
    on.link(layout.current, layout.releases / to)
    services.place(layout, on, layout.releases / to, instead_of=layout.releases / away_from)


def main() -> int:
    layout = Layout()
    try:
        with locked(layout):
            if said := recover(layout):
                tell.line(OK, "recover", said)
                release.sweep(layout)
    except Busy:
        return 0                        # whoever is at it ends it
    except Refused as error:
        tell.line(tell.FAIL, "recover", str(error), error.cure)
        return error.status
    return 0


if __name__ == "__main__":
    sys.exit(main())
