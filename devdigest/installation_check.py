"""What setup.sh has put here: rights of files, the release, the services, the journal, Debian's updates."""
import json
import re
import stat
from pathlib import Path

from devdigest.config import Config
from devdigest.finding import NOT_ASKED, OK, RED, WARN, Finding
from devdigest.machine import Machine, ToolError

_OPT, _ETC = "opt/devdigest", "etc/devdigest"           # as deploy/installer/layout.py has them
UNDER_WAY = f"{_OPT}/upgrade/state"     # of an upgrade, below the root; gone when it has ended
_AGAIN = "sudo ./setup.sh"
_WISHED = "by your wish"        # as deploy/installer says of `--rollback`
_NOT_INSTALLED = "not installed by setup.sh"
_SERVICES = ("devdigest-web", "devdigest-worker")


def config(settings: Config, path: Path | None, machine: Machine) -> Finding:
    """Who may read the passwords, and change the settings."""
    if path is None:
        return Finding("config", OK, "embedded defaults")
    mail, bounces = settings.mail, settings.bounces
    named = [mail.password_file, bounces.password_file, bounces.secret_file, bounces.key_file]
    secrets = [Path(name) for name in named if name] + _credentials(machine)
    if path.is_relative_to(machine.root / _ETC):
        secrets.append(path)            # the owner's mailbox and the heartbeat's address are nobody else's
    for secret in secrets:
        if _mode(secret) & (stat.S_IROTH | stat.S_IWOTH):
            return Finding("config", RED, f"{secret} can be read by everyone on this machine",
                           f"sudo chmod o= {secret}")
    if _mode(path) & stat.S_IWOTH:
        return Finding("config", RED, f"{path} can be changed by everyone", f"sudo chmod o-w {path}")
    return Finding("config", OK, str(path))


def _credentials(machine: Machine) -> list[Path]:
    try:
        return sorted((machine.root / _ETC / "credentials").iterdir())
    except OSError:             # none, or closed to us, as it is to a service
        return []


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except OSError:
        return 0


def release(machine: Machine) -> Finding:
    if not machine.has(f"{_OPT}/releases"):
        return Finding("release", NOT_ASKED, _NOT_INSTALLED)
    current = machine.root / _OPT / "current"
    try:
        folder = current.resolve(strict=True)
    except OSError:
        return Finding("release", RED, f"{current} leads nowhere", _AGAIN)
    if fault := _fault(machine, folder):
        return Finding("release", RED, fault, _AGAIN)
    doubt = _doubt(machine, folder)
    return Finding("release", WARN, doubt, _AGAIN) if doubt else Finding("release", OK, folder.name)


def _doubt(machine: Machine, folder: Path) -> str:
    if state := machine.text(UNDER_WAY):
        return f"an upgrade is under way, or was broken off: {_phase(state)}"
    if changed := _changed_units(machine, folder):
        return f"{', '.join(changed)} is not as in {folder.name}"
    said = last_upgrade(machine)
    return said if said.startswith("rolled-back") and not said.endswith(_WISHED) else ""


def _fault(machine: Machine, folder: Path) -> str:
    if not (folder / ".complete").exists():
        return f"{folder.name} is not complete"
    return _other_python(machine, folder)


def _phase(state: str) -> str:
    """As deploy/installer/state.py leaves it."""
    try:
        told = json.loads(state)
        return f"{told['old'] or 'nothing'} → {told['new']}, {told['phase']}"
    except (ValueError, TypeError, KeyError):
        return "what is left of it cannot be read"


def last_upgrade(machine: Machine) -> str:
    """How the last upgrade ended, when, and why the old version runs again if it does; "" for nothing."""
    return machine.text(f"{_OPT}/upgrade/last")


def _other_python(machine: Machine, folder: Path) -> str:
    """Why the release's venv does not fit the system any more, as after Debian's own upgrade."""
    made = re.search(r"^version\s*=\s*(\d+\.\d+)", machine.text(str((folder / "venv/pyvenv.cfg").relative_to(
        machine.root))), re.MULTILINE)
    try:
        has = re.search(r"\d+\.\d+", machine.ask("python3", "--version"))
    except ToolError as error:
        return str(error)
    if made and has and made[1] != has[0]:
        return f"made for Python {made[1]}, this machine has {has[0]}"
    return ""


def _changed_units(machine: Machine, folder: Path) -> list[str]:
    theirs = sorted((folder / "deploy/systemd").glob("devdigest*.*"))
    return [unit.name for unit in theirs if unit.suffix in (".service", ".target", ".timer")
            and machine.text(f"etc/systemd/system/{unit.name}") != unit.read_text(encoding="utf-8").strip()]


def services(machine: Machine) -> Finding:
    try:
        said = machine.ask("systemctl", "show", *(f"{name}.service" for name in _SERVICES),
                           "--property=Id,LoadState,ActiveState,NRestarts,Result")
    except ToolError as error:
        return Finding("services", NOT_ASKED, str(error))
    units = [dict(line.partition("=")[::2] for line in block.splitlines()) for block in said.split("\n\n")]
    units = [unit for unit in units if unit.get("LoadState") == "loaded"]
    if not units:
        return Finding("services", NOT_ASKED, _NOT_INSTALLED)
    told = [_service(unit) for unit in units]
    worst = next((state for state in (RED, WARN) if state in [one for one, _ in told]), OK)
    names = [unit["Id"].removesuffix(".service") for unit, (state, _) in zip(units, told, strict=True)
             if state == worst]
    cure = {RED: f"sudo systemctl restart {' '.join(names)}", WARN: f"journalctl -u {names[0]} -n 50"}
    return Finding("services", worst, ", ".join(words for _, words in told), cure.get(worst, ""))


def _service(unit: dict[str, str]) -> tuple[str, str]:
    name = unit["Id"].removesuffix(".service").removeprefix("devdigest-")
    restarts, result = int(unit.get("NRestarts") or 0), unit.get("Result", "success")
    why = {"watchdog": "as it hung", "oom-kill": "as memory ran out", "success": ""}.get(result, result)
    if unit.get("ActiveState") not in ("active", "reloading"):
        return RED, " ".join(filter(None, (name, unit.get("ActiveState"), why)))
    if restarts or why:
        return WARN, f"{name} runs, restarted {restarts} times" + (f", {why}" if why else "")
    return OK, f"{name} runs"


def zone(settings: Config, machine: Machine) -> Finding:
    """The machine's own, in which the journal tells the hours; only said, as nothing else hangs on it."""
    link = machine.root / "etc/localtime"
    name = str(link.readlink()).partition("zoneinfo/")[2] if link.is_symlink() else ""
    own = name or machine.text("etc/timezone") or "UTC"
    told = settings.site.zone
    return Finding("zone", OK, told if own == told else f"{told}; this machine and its journal: {own}")


def journal(machine: Machine) -> Finding:
    """Whether the logs of earlier boots are kept: on Pi images since May 2025 they are not."""
    if not machine.has(f"{_OPT}/releases"):
        return Finding("journal", NOT_ASKED, _NOT_INSTALLED)
    try:
        said = machine.ask("systemd-analyze", "cat-config", "systemd/journald.conf")
    except ToolError as error:
        return Finding("journal", NOT_ASKED, str(error))
    storage = ([found.lower() for found in re.findall(r"^\s*Storage\s*=\s*(\w+)", said, re.MULTILINE)]
               or ["auto"])[-1]
    if storage == "persistent" or (storage == "auto" and machine.has("var/log/journal")):
        return Finding("journal", OK, "kept over reboots")
    return Finding("journal", WARN, "the logs of earlier boots are lost, and with them why it went wrong",
                   "sudo ./setup.sh --reconfigure --yes --keep-logs yes")


def updates(machine: Machine) -> Finding:
    if not machine.has(f"{_OPT}/releases"):
        return Finding("updates", NOT_ASKED, _NOT_INSTALLED)
    if machine.has("run/reboot-required"):
        return Finding("updates", WARN, "Debian's updates want a reboot", "sudo reboot")
    if machine.tool("unattended-upgrade") is None:
        return Finding("updates", WARN, "Debian's security updates are not installed by themselves",
                      "sudo apt install unattended-upgrades")
    if not re.search(r'Unattended-Upgrade\s+"[1-9]', machine.text("etc/apt/apt.conf.d/20auto-upgrades")):
        return Finding("updates", WARN, "unattended-upgrades is installed, but switched off",
                      "sudo dpkg-reconfigure -plow unattended-upgrades")
    return Finding("updates", OK, "Debian's security updates come by themselves")

