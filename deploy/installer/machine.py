"""What this machine is like, read and not judged. Changes nothing; may wait for the first boot to end."""
import ast
import os
import re
import shutil
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from devdigest import clock
from installer.children import ask
from installer.effects import Effects
from installer.layout import Layout
from installer.tell import Refused

PORTS = (80, 443)
_FIRST_BOOT = 300           # seconds
_IN_SYNC = 90               # a Pi's clock is in sync 37 to 55 s after its boot
_HOLDER = re.compile(r'users:\(\("([^"]+)"')


@dataclass(frozen=True, kw_only=True)
class Facts:
    root: bool = True
    systemd: bool = True                # PID 1
    container: bool = False
    root_type: str = "ext4"
    root_options: str = "rw"
    ids: tuple[str, ...] = ("debian",)  # ID and ID_LIKE
    release: str = "12"
    called: str = "Debian GNU/Linux 12 (bookworm)"
    architecture: str = "arm64"
    memory: int = 1 << 30               # bytes, with swap
    free: int = 8 << 30                 # bytes, where code and data will lie
    inodes: int = 1_000_000
    database: int = 0                   # bytes
    first_boot_over: bool = True
    half_configured: str = ""           # dpkg's words
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    in_sync: bool = True
    holders: dict[int, str] = field(default_factory=dict)       # of the ports that are taken
    deaf: tuple[str, ...] = ()          # hosts of apt that cannot be looked up
    installed: str = ""                 # release that runs
    schema: int = 0                     # of the database; 0 without one
    code_schema: int = 0                # of this code
    power: str = ""                     # vcgencmd's word on under-voltage
    zone: str = "Asia/Seoul"


def gather(layout: Layout, source: Path, patience: float = _IN_SYNC) -> Facts:
    """`patience`: seconds for the clock to come in sync; a container's is its host's, and not waited for."""
    told = _os_release()
    container = ask("systemd-detect-virt", "--container", "--quiet")[0] == 0
    root_type, _, root_options = ask("findmnt", "-no", "FSTYPE,OPTIONS", "/")[1].strip().partition(" ")
    free, inodes = _room(layout)
    return Facts(
        root=os.geteuid() == 0, systemd=Path("/run/systemd/system").is_dir(), container=container,
        root_type=root_type, root_options=root_options.strip(),
        ids=(told.get("ID", ""), *told.get("ID_LIKE", "").split()), release=told.get("VERSION_ID", ""),
        called=told.get("PRETTY_NAME", "an unknown system"),
        architecture=ask("dpkg", "--print-architecture")[1].strip(), memory=_memory(), free=free,
        inodes=inodes, database=_size(layout.database),
        first_boot_over=_first_boot_over(), half_configured=ask("dpkg", "--audit")[1].strip(),
        in_sync=_in_sync(0 if container else patience),
        now=datetime.now(UTC), holders=_holders(), deaf=_deaf(),
        installed=layout.current.resolve().name if layout.current.exists() else "",
        schema=schema(layout.database, Effects(layout)), code_schema=code_schema(source),
        power=ask("vcgencmd", "get_throttled")[1].partition("throttled=")[2].strip(), zone=_zone())


def code_schema(source: Path) -> int:
    """Which version of the database this code reads; not imported, as its packages may not be here yet."""
    tree = ast.parse((source / "devdigest/upgrades.py").read_text(encoding="utf-8"))
    steps = next(node.value for node in tree.body
                 if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "UPGRADES")
    return 1 + len(steps.elts)          # type: ignore[union-attr]


def _os_release() -> dict[str, str]:
    try:
        rows = Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    return {key: value.strip("\"'") for key, _, value in (row.partition("=") for row in rows)}


def _memory() -> int:
    rows = dict(row.split(":") for row in Path("/proc/meminfo").read_text(encoding="ascii").splitlines())
    return sum(int(rows[key].split()[0]) for key in ("MemTotal", "SwapTotal")) * 1024


def _room(layout: Layout) -> tuple[int, int]:
    """Bytes and inodes that are free, the least of the places that are used; 0 inodes are no limit."""
    free, inodes = [], []
    for place in (layout.opt, layout.data):
        there = next(folder for folder in (place, *place.parents) if folder.exists())
        free.append(shutil.disk_usage(there).free)
        found = os.statvfs(there)
        inodes.append(found.f_favail if found.f_files else 1_000_000)
    return min(free), min(inodes)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def schema(database: Path, on: Effects) -> int:
    """Which version a database has; asked as its user: root opens nothing in a folder of another's."""
    if not database.exists():
        return 0
    try:
        return on.database("facts", database)["schema"] or 0
    except (Refused, LookupError):
        return 0        # damaged: the services say so, and offer a backup; or here before its user


def _first_boot_over() -> bool:
    if shutil.which("cloud-init") is None or "cloud-init" in _ancestors():
        return True                     # as its child we would wait for ourselves
    print("waiting for the first boot to end, 5 min at most …", flush=True)
    return ask("cloud-init", "status", "--wait", seconds=_FIRST_BOOT)[0] != 124


def _ancestors() -> set[str]:
    names, pid = set(), os.getppid()
    while pid > 1:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        names.add(stat[stat.index("(") + 1:stat.rindex(")")])
        pid = int(stat[stat.rindex(")") + 1:].split()[1])
    return names


def _in_sync(patience: float) -> bool:
    if patience and not clock.synchronised():
        print(f"waiting for the clock to be in sync, {patience:.0f} s at most …", flush=True)
    until = time.monotonic() + patience
    while not (synchronised := clock.synchronised()) and time.monotonic() < until:
        time.sleep(1)
    return synchronised


def _holders() -> dict[int, str]:
    rows = ask("ss", "-ltnpH")[1].splitlines()
    return {port: (found[1] if (found := _HOLDER.search(row)) else "a program")
            for row in rows for port in PORTS if len(row.split()) > 3 and row.split()[3].endswith(f":{port}")}


def _deaf() -> tuple[str, ...]:
    """A proxy is asked instead, where apt has one, so its names need not be known here."""
    if 'http::Proxy "' in ask("apt-config", "dump")[1]:
        return ()
    # without caches, which it would write
    sites = ask("apt-get", "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=", "indextargets",
                "--format", "$(SITE)")[1].split()
    hosts = sorted({host for site in sites if (host := site.partition("://")[2].partition("/")[0])})
    return tuple(host for host in hosts if ask("getent", "hosts", host.partition(":")[0], seconds=20)[0])


def _zone() -> str:
    return str(Path("/etc/localtime").resolve()).partition("/zoneinfo/")[2] or "UTC"
