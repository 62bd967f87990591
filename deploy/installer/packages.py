"""Debian's packages: only what is missing is installed, and what came with us is remembered."""
from collections.abc import Iterable

from installer import files
from installer.children import ask, must
from installer.layout import Layout

# tzdata: Python reads zones from the system; ca-certificates: whom TLS is believed
BASE = ("python3-venv", "ca-certificates", "tzdata", "util-linux")
# first boot holds the lock for minutes; edited settings of other packages stay as they are
_APT = ("apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=600", "-o", "Dpkg::Options::=--force-confdef",
        "-o", "Dpkg::Options::=--force-confold")
_CURE = "the lines above say why; then again: sudo ./setup.sh"


def install(layout: Layout, wanted: Iterable[str]) -> str:
    """Which were installed; "" where all were there. Raises Refused."""
    missing = [name for name in wanted if not _there(name)]
    if not missing:
        return ""
    must("is there a network? ping -c1 1.1.1.1; then again: sudo ./setup.sh", *_APT, "update")
    wish = (*_APT, "install", "--no-install-recommends", *missing)
    # noted before: what a power cut leaves half installed was not there before us either
    new = {*noted(layout), *_brought(must(_CURE, *wish, "--simulate"))}
    files.replace(layout.opt / "packages", "".join(f"{name}\n" for name in sorted(new)))
    must(_CURE, *wish, seconds=3600)
    # what dpkg unpacked is not on the disk before: after a power cut it would be files of no bytes
    must("sudo dmesg tells what the disk has", "sync")
    return ", ".join(missing)


def _there(name: str) -> bool:
    status, said = ask("dpkg-query", "-W", "-f", "${db:Status-Status}", name)
    return status == 0 and said == "installed"


def _brought(simulated: str) -> list[str]:
    """What apt would install, `Inst NAME (…)`, and not what it would renew, `Inst NAME [OLD] (…)`."""
    rows = [row.split() for row in simulated.splitlines() if row.startswith("Inst ")]
    return [row[1] for row in rows if not row[2].startswith("[")]


def noted(layout: Layout) -> list[str]:
    """Those that were absent before us."""
    path = layout.opt / "packages"
    return path.read_text(encoding="utf-8").split() if path.exists() else []
