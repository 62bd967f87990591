"""Takes the appliance away: what `--uninstall` and `--purge` do. Both may be repeated, or find half of it.

Packages are never removed: what was absent before us is printed as a command, as others may use it by now.
"""
import shutil
from collections.abc import Callable
from pathlib import Path

from installer import answers, front, packages, services
from installer.effects import Effects
from installer.layout import USER, Layout
from installer.release import Tell
from installer.tell import OK, WARN, Refused

_BACKUPS = "backups"


def uninstall(layout: Layout, tell: Tell, *, on: Effects | None = None) -> None:
    """Units, wrapper, link, releases, drop-ins, our import in the Caddyfile. Keeps config, data, backups.

    Within recover.locked(). Nothing of the installer may be imported after it: its code is gone.
    """
    _take_away(layout, tell, on or Effects(layout))
    for what, path, cure in (("config", layout.etc, ""),
                             ("data", layout.data, "sudo ./setup.sh --purge ends it")):
        if path.exists():
            tell(OK, what, f"kept in {path}", cure)


def _take_away(layout: Layout, tell: Tell, on: Effects) -> None:
    ours = packages.noted(layout)
    in_front = front.remove(layout)
    _end_services(layout, on)
    if in_front:
        on.systemctl("try-restart", *in_front, fine=services.NOT_LOADED)
    tell(OK, "services", "stopped and taken away")
    for path in (layout.wrapper, layout.journal, *layout.tmpfiles.glob("devdigest*.conf"), layout.current):
        on.remove(path)
    if layout.journal.parent.is_dir() and not any(layout.journal.parent.iterdir()):
        on.remove_folder(layout.journal.parent)
    for folder in (layout.releases, layout.upgrade, layout.opt):
        on.remove_folder(folder)
    tell(OK, "code", "releases and the command `devdigest` are gone")
    if ours:
        tell(OK, "packages", f"came with DevDigest: {' '.join(ours)}",
             f"if nothing else needs them: sudo apt purge {' '.join(ours)}")


def purge(layout: Layout, tell: Tell, *, yes: bool = False, backups: bool = False,
          ask: Callable[[str], str] = input, on: Effects | None = None) -> None:
    """Also config, data and user; with `backups` those too. Asks for the site's name unless `yes`.

    Raises Refused where another name is typed.
    """
    on = on or Effects(layout)
    counts = on.database("facts", layout.database)["counts"] if layout.database.exists() else {}
    tell(WARN, "purge", ", ".join(f"{name} {count:,}" for name, count in counts.items() if count)
         or "no records are here")
    name = _site(layout)
    if not yes and ask(f"All of it goes for good. Type {name} to go on: ").strip() != name:
        raise Refused(f"that is not {name}; nothing was changed", "sudo ./setup.sh --purge --yes", 2)
    _last_backup(layout, tell, on)
    _take_away(layout, tell, on)
    on.remove_folder(layout.etc)
    _empty(layout.data, on, keep=() if backups else (_BACKUPS,))
    on.forget_user(USER)
    left = layout.data / _BACKUPS
    tell(OK, "data", f"gone; backups are kept in {left}" if left.exists() else "gone")


def _end_services(layout: Layout, on: Effects) -> None:
    on.unguard()
    names = sorted(path.name for path in layout.units.glob("devdigest*") if path.is_file())
    # the target first: its end asks the others to end
    for name in sorted(names, key=lambda name: name != services.TARGET):
        on.systemctl("disable", "--now", name, fine=services.NOT_LOADED)
        on.remove(layout.units / name)
    for folder in layout.units.glob("devdigest*.d"):
        on.remove_folder(folder)
    on.systemctl("daemon-reload")
    on.systemctl("reset-failed", "devdigest*", fine=services.NOT_LOADED)


def _site(layout: Layout) -> str:
    """What is to be typed: the public name, or a word where there is none."""
    try:
        return answers.saved(layout.answers).get("name") or "purge"
    except Refused:                     # who wants all of it gone need not mend it first
        return "purge"


def _last_backup(layout: Layout, tell: Tell, on: Effects) -> None:
    """To copy_to, where one is set; that it cannot be made stops nobody who wants all of it gone."""
    if not (layout.wrapper.exists() and layout.database.exists()):
        return
    try:
        on.command(str(layout.wrapper), "backup")
        tell(OK, "backup", "a last one was made, and copied where backup.copy_to says")
    except Refused as error:
        tell(WARN, "backup", f"no last one could be made: {error}")


def _empty(folder: Path, on: Effects, keep: tuple[str, ...]) -> None:
    """The folder without what is in `keep`; without anything, it goes too."""
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.name in keep:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            on.remove(path)
    if any(folder.iterdir()):
        on.close_folder(folder)
    else:
        on.remove_folder(folder)
