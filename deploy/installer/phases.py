"""From one release to another: every phase on the disk before it begins, so that a power cut ends nowhere.

prepared (nothing changed yet, nothing written down) → stopped → switching → committed, the one commit point.
What ends within is made good by recover(), at once here, or at the next boot.
"""
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from devdigest import room
from installer import recover, release, services, state
from installer.effects import Effects
from installer.layout import Layout
from installer.release import Release, Tell
from installer.state import COMMITTED, STOPPED, SWITCHING, State
from installer.tell import OK, WARN, Refused

_READY = 60                 # seconds until the site must tell the new release
_WATCH = 10                 # seconds without a restart; what fails later failed at no start, and no upgrade
_SPARE = 100_000_000        # bytes free beside the copies of the database

Bring = Callable[[], Any]   # brings the database to the schema of the release


def switch(layout: Layout, folder: Path, tell: Tell, *, now: bool = False, on: Effects | None = None,
           watch: float = _WATCH) -> str:
    """Makes the release in `folder` (see release.build) the one that runs: "installed", "upgraded" or
    "unchanged".

    Rehearses on a copy first; places the units of the release, enables and starts them. The config, its
    credentials and the user must be there. `now`: also while an issue is mailed. Raises Refused; then the
    old release runs again. To be called within recover.locked(), after recover().
    """
    on = on or Effects(layout)
    new, old = release.read(folder), release.current(layout)
    before = on.database("facts", layout.database)
    if old and old.folder == new.folder and before["schema"] == new.schema:
        services.place(layout, on, folder)
        on.systemctl("start", services.TARGET, *services.SERVICES)
        return "unchanged"
    if before["schema"] is not None and before["schema"] > new.schema:
        raise Refused(f"the database has version {before['schema']}, written by a newer DevDigest; "
                      f"{new.name} knows up to {new.schema}", "install the newer release", 2)
    rehearsed = _rehearse(layout, on, new, before)
    if Path(rehearsed["database"]) != layout.database:
        raise Refused(f"[database] path is {rehearsed['database']}; the services may write "
                      f"{layout.database} alone", f"set it so in {layout.config}", 2)
    if rehearsed["mailing"] and old and not now:
        raise Refused(f"not now: {rehearsed['mailing']}", "try after it, or at once: sudo ./setup.sh --now")
    tell(OK, "rehearsal", _rehearsed(before, new))
    begun = State(STOPPED, old.name if old else "", new.name, before["schema"])
    upgrade = partial(on.by_release, folder, "devdigest.rehearse", str(layout.database), str(layout.config))
    _through(layout, on, begun, rehearsed["listen"], watch, upgrade)
    result = "upgraded" if old else "installed"
    _finish(layout, on, begun, result, f"{new.name} runs")
    return result


def rollback(layout: Layout, tell: Tell, *, yes: bool = False, ask: Callable[[str], str] = input,
             on: Effects | None = None, watch: float = _WATCH) -> str:
    """Back to the release before: "rolled-back". With its database, too, where that has another schema; then
    it says what is lost, and asks unless `yes`. Raises Refused. Within recover.locked(), after recover().
    """
    on = on or Effects(layout)
    now, old = release.current(layout), _before(layout)
    live = on.database("facts", layout.database)
    bring: Bring | None = None
    if live["schema"] != old.schema:
        kept = state.kept_folder(layout) / "before.db"
        as_it_was = _kept_for(on, kept, old, live)
        _agree(tell, _lost(live["counts"], as_it_was["counts"]), yes, ask)
        bring = partial(on.database, "put", kept, layout.database)
    begun = State(STOPPED, now.name if now else "", old.name, live["schema"], kept="after.db")
    _through(layout, on, begun, _listen(layout, on, old), watch, bring or dict)
    _finish(layout, on, begun, "rolled-back", f"{old.name} runs again, by your wish")
    return "rolled-back"


def _listen(layout: Layout, on: Effects, old: Release) -> str:
    """Where its site will, by the settings; a release is asked for that with a database, a new one."""
    asked = state.kept_folder(layout) / "settings.db"
    on.own_folder(asked.parent)
    try:
        return str(on.by_release(old.folder, "devdigest.rehearse", str(asked), str(layout.config))["listen"])
    finally:
        on.database("drop", asked)


def _before(layout: Layout) -> Release:
    now = release.current(layout)
    others = [one for one in release.complete(layout) if now is None or one.folder != now.folder]
    if not others:
        raise Refused("there is no release to go back to", "git checkout the one you want; sudo ./setup.sh")
    return others[0]


def _kept_for(on: Effects, kept: Path, old: Release, live: dict[str, Any]) -> dict[str, Any]:
    """What the copy from before the upgrade holds."""
    if old.schema > (live["schema"] or 0):
        raise Refused(f"{old.name}, the only other release, is the newer one", "sudo ./setup.sh")
    as_it_was = on.database("facts", kept)
    if as_it_was["schema"] != old.schema:
        raise Refused(f"{old.name} reads version {old.schema} of the database; no copy of that is kept",
                      "check that release out, set it up anew, then: sudo devdigest restore FILE")
    return as_it_was


def _agree(tell: Tell, lost: str, yes: bool, ask: Callable[[str], str]) -> None:
    tell(WARN, "database", f"goes back with it; lost is {lost or 'nothing that is counted'}")
    if not yes and ask("Type yes to go back: ").strip() != "yes":
        raise Refused("not confirmed; nothing was changed", "sudo ./setup.sh --rollback --yes")


def _lost(live: dict[str, int], kept: dict[str, int]) -> str:
    return ", ".join(f"{count - kept.get(name, 0):,} of {name}" for name, count in live.items()
                     if count > kept.get(name, 0))


def _rehearse(layout: Layout, on: Effects, new: Release, before: dict[str, Any]) -> dict[str, Any]:
    """What the new code makes of a copy and of the owner's config; the old release serves meanwhile."""
    folder = state.kept_folder(layout)
    on.own_folder(folder)
    _room(folder, before["size"])
    copy = folder / "rehearsal.db"
    if before["schema"] is not None:
        on.database("copy", layout.database, copy)
    try:
        rehearsed = on.by_release(new.folder, "devdigest.rehearse", str(copy), str(layout.config))
        after = on.database("facts", copy)["counts"]
    except Refused as error:
        raise Refused(f"{new.name} cannot take over: {error}; nothing was changed", error.cure) from error
    finally:
        on.database("drop", copy)
    if fewer := _lost(before["counts"], after):
        raise Refused(f"{new.name} would lose {fewer}; nothing was changed", "tell its maintainers")
    return rehearsed


def _rehearsed(before: dict[str, Any], new: Release) -> str:
    if before["schema"] is None:
        return f"a new database, version {new.schema}"
    to = "" if before["schema"] == new.schema else f" to {new.schema}"
    return f"database of version {before['schema']}{to}, whole; the settings are understood"


def _room(folder: Path, size: int) -> None:
    free, wanted = room.free(folder), 3 * size + _SPARE
    if free < wanted:
        raise Refused(f"{free // 1_000_000:,} MB are free at {folder}, {wanted // 1_000_000:,} MB are needed",
                      f"make room: {room.MAKE_ROOM}")


def _through(layout: Layout, on: Effects, begun: State, listen: str, watch: float, bring: Bring) -> None:
    """Until the commit point; whatever fails before it is taken back, and Refused says why."""
    try:
        _switch(layout, on, begun, bring)
        _stands(on, begun.new, listen, watch)
        state.write(layout, on, replace(begun, phase=COMMITTED))
    except (Exception, KeyboardInterrupt) as error:
        why = str(error) or type(error).__name__
        if (left := state.read(layout)) is not None:
            state.write(layout, on, replace(left, why=why))
        said = recover.recover(layout, on) + ("" if _serves_again(on, begun) else ", but it does not start")
        cure = error.cure if isinstance(error, Refused) else "sudo journalctl -u 'devdigest*' -n 50"
        raise Refused(said or why, cure) from error


def _serves_again(on: Effects, begun: State) -> bool:
    for _ in range(_READY if begun.old else 0):
        if _running(on).count("ActiveState=active") == len(services.SERVICES):
            return True
        on.wait(1)
    return not begun.old


def _switch(layout: Layout, on: Effects, begun: State, bring: Bring) -> None:
    new = layout.releases / begun.new
    on.guard(new)
    state.write(layout, on, begun)
    on.systemctl("stop", *services.SERVICES, fine=(0, 5))
    if begun.schema is not None:
        on.database("copy", layout.database, state.kept_folder(layout) / begun.kept)
    state.write(layout, on, replace(begun, phase=SWITCHING))
    bring()
    on.link(layout.current, new)
    services.place(layout, on, new, instead_of=layout.releases / begun.old if begun.old else None)


def _stands(on: Effects, name: str, listen: str, watch: float) -> None:
    """Both services are ready, the site tells that release, and neither is started again for a while."""
    on.systemctl("reset-failed", *services.SERVICES, fine=(0, 1))
    on.systemctl("start", services.TARGET, *services.SERVICES)
    for _ in range(_READY):
        if on.health(listen) == name:
            break
        on.wait(1)
    else:
        raise Refused(f"the site at {listen} did not answer as {name} within {_READY} s",
                      "sudo journalctl -u devdigest-web -n 50")
    first = _running(on)
    on.wait(watch)
    if first != _running(on) or first.count("ActiveState=active") != len(services.SERVICES):
        raise Refused(f"a service of {name} did not stay up", "sudo journalctl -u 'devdigest-w*' -n 50")


def _running(on: Effects) -> str:
    return on.systemctl("show", "-p", "ActiveState", "-p", "NRestarts", "-p", "MainPID", *services.SERVICES)


def _finish(layout: Layout, on: Effects, begun: State, result: str, said: str) -> None:
    """What recover() does too, should this be cut off."""
    state.tell_owner(layout, on, result, said)
    on.unguard()
    on.remove(state.path(layout))
    release.sweep(layout, keep=filter(None, (begun.old, begun.new)))
