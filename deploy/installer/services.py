"""The units of a release: put in place, enabled, taken away."""
from pathlib import Path

from installer.effects import Effects
from installer.layout import Layout

TARGET = "devdigest.target"
SERVICES = ("devdigest-web.service", "devdigest-worker.service")

_UNITS = (".service", ".target", ".timer", ".path")
NOT_LOADED = (0, 1, 5)                  # of stop and disable: not there, or not enabled, is what is wanted


def place(layout: Layout, on: Effects, release: Path, instead_of: Path | None = None) -> bool:
    """The units that the release brings, enabled, and no others of `instead_of`; whether any changed."""
    units = _units(release)
    changed = False
    for unit in units:
        changed |= on.write(layout.units / unit.name, unit.read_text(encoding="utf-8"))
    stale = {unit.name for unit in _units(instead_of)} - {unit.name for unit in units} if instead_of else ()
    for name in sorted(stale):
        on.systemctl("disable", "--now", name, fine=NOT_LOADED)
        changed |= on.remove(layout.units / name)
    for rule in _rules(release):
        on.write(layout.tmpfiles / rule.name, rule.read_text(encoding="utf-8"))
    # also where nothing changed: a run that was cut off may have written them, and systemd not read them
    on.systemctl("daemon-reload")
    if wanted := [unit.name for unit in units if "\n[Install]" in unit.read_text(encoding="utf-8")]:
        on.systemctl("enable", "--quiet", *wanted)
    return changed


def take_away(layout: Layout, on: Effects, release: Path) -> None:
    """Those that a release brought."""
    for unit in _units(release):
        on.systemctl("disable", "--now", unit.name, fine=NOT_LOADED)
        on.remove(layout.units / unit.name)
    for rule in _rules(release):
        on.remove(layout.tmpfiles / rule.name)
    on.systemctl("daemon-reload")


def are_placed(layout: Layout) -> bool:
    return all((layout.units / name).exists() for name in (TARGET, *SERVICES))


def _units(release: Path) -> list[Path]:
    return sorted(path for path in (release / "deploy/systemd").glob("devdigest*") if path.suffix in _UNITS)


def _rules(release: Path) -> list[Path]:
    """What systemd-tmpfiles is to forget."""
    return sorted((release / "deploy/systemd").glob("devdigest*.conf"))
