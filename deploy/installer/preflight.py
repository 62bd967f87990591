"""Judges a machine before anything is changed on it: all faults together, then stop or go."""
from collections.abc import Iterator
from dataclasses import dataclass

from devdigest import RELEASED, room
from installer import tell
from installer.machine import PORTS, Facts
from installer.tell import FAIL, OK, WARN

SUITES = ("12", "13")
ARCHITECTURES = ("arm64", "armhf", "amd64")
_MEMORY, _DISK, _INODES = 400_000_000, 700_000_000, 20_000
_OURS = "caddy"
# vcgencmd get_throttled: under-voltage now, and since boot
_LOW_NOW, _LOW_ONCE = 0x1, 0x10000


@dataclass(frozen=True)
class Verdict:
    state: str
    name: str
    fact: str
    cure: str = ""
    status: int = 1             # exit status, where it stops


def judge(facts: Facts, name: str) -> list[Verdict]:
    """Everything that stops or is worth a word; `name` is the site's, "" where it is not known yet."""
    return [*_who(facts), *_system(facts), *_room(facts), *_ready(facts), *_ports(facts, name), *_past(facts)]


def _who(facts: Facts) -> Iterator[Verdict]:
    if not facts.root:
        yield Verdict(FAIL, "root", "this needs root", "sudo ./setup.sh", 2)
    if not facts.systemd:
        yield Verdict(FAIL, "systemd", "systemd does not run this machine", "install on Debian itself", 2)
    options = facts.root_options.split(",")
    if facts.root_type == "overlay" and not facts.container:
        yield Verdict(FAIL, "disk", "the root is an overlay that forgets all at reboot",
                      "sudo raspi-config, Performance, Overlay File System: off")
    elif "ro" in options:
        yield Verdict(FAIL, "disk", "the root is read-only", "sudo dmesg tells why; an old card does that")


def _system(facts: Facts) -> Iterator[Verdict]:
    if not {"debian", "raspbian"} & set(facts.ids) or facts.release not in SUITES:
        yield Verdict(FAIL, "system", f"{facts.called} is not supported",
                      "use Debian or Raspberry Pi OS 12 or 13", 2)
    if facts.architecture not in ARCHITECTURES:
        yield Verdict(FAIL, "system", f"{facts.architecture or 'this processor'} is not supported",
                      f"use one of {', '.join(ARCHITECTURES)}", 2)


def _room(facts: Facts) -> Iterator[Verdict]:
    if facts.memory < _MEMORY:
        yield Verdict(FAIL, "memory", f"{megabytes(facts.memory)} with swap, 400 MB are needed",
                      "add swap: sudo apt install dphys-swapfile")
    need = _DISK + 3 * facts.database           # a copy to rehearse on, one as before, room to grow
    if facts.free < need:
        yield Verdict(FAIL, "disk", f"{megabytes(facts.free)} free, {megabytes(need)} are needed",
                      room.MAKE_ROOM)
    if facts.inodes < _INODES:
        yield Verdict(FAIL, "disk", f"room for {facts.inodes:,} more files, {_INODES:,} are needed",
                      "find / -xdev -type f | cut -d/ -f2 | sort | uniq -c")


def _ready(facts: Facts) -> Iterator[Verdict]:
    if not facts.first_boot_over:
        yield Verdict(FAIL, "boot", "the first boot is still at work", "cloud-init status --wait")
    if facts.half_configured:
        yield Verdict(FAIL, "dpkg", "some packages are half installed", "sudo dpkg --configure -a")
    yield from _clock(facts)
    if facts.deaf:
        # what is installed can be set up again without
        yield Verdict(WARN if facts.installed else FAIL, "network",
                      f"{', '.join(facts.deaf)}: no such name, or no network", "ping -c1 1.1.1.1 tells which")
    power = int(facts.power, 16) if facts.power.startswith("0x") else 0
    if power & (_LOW_NOW | _LOW_ONCE):
        when = "is low" if power & _LOW_NOW else "was low once since boot"
        yield Verdict(WARN, "power", f"it {when}", "use the official supply")
    if facts.zone in ("UTC", "Etc/UTC"):
        yield Verdict(WARN, "zone", "the machine's is UTC; the digest's is asked for")


def _clock(facts: Facts) -> Iterator[Verdict]:
    if facts.now < RELEASED:
        yield Verdict(FAIL, "clock", f"it shows {facts.now:%Y-%m-%d %H:%M} UTC, before this release was made",
                      "sudo timedatectl set-ntp true, and a minute of patience")
    elif not facts.in_sync and facts.container:
        yield Verdict(WARN, "clock", "a container keeps no time; see that its host's is in sync")
    elif not facts.in_sync:
        yield Verdict(FAIL, "clock", "not in sync after 90 s",
                      "sudo timedatectl set-ntp true; the router must let UDP 123 out")


def _ports(facts: Facts, name: str) -> Iterator[Verdict]:
    """Our own web server may hold them; 443 is wanted for a public name alone."""
    for port in PORTS:
        holder = facts.holders.get(port, _OURS)
        if holder != _OURS:
            stops = port == 80 or name
            yield Verdict(FAIL if stops else WARN, "ports",
                          f"{port} is held by {holder}" + ("" if stops else "; a public name would need it"),
                          f"sudo systemctl disable --now {holder}, then again" if stops else "")


def _past(facts: Facts) -> Iterator[Verdict]:
    if facts.schema > facts.code_schema:
        yield Verdict(FAIL, "database",
                      f"has version {facts.schema}; this release knows up to {facts.code_schema}",
                      "git pull, or git checkout of the newer release", 2)


def show(facts: Facts, verdicts: list[Verdict], version: str) -> None:
    system = f"Debian {facts.release}, {megabytes(facts.free)} free"
    print(f"DevDigest {version}   {system}   (nothing changed yet)")
    for verdict in verdicts:
        tell.line(verdict.state, verdict.name, verdict.fact, verdict.cure)
    if all(verdict.state != FAIL for verdict in verdicts):
        tell.line(OK, "machine", f"{facts.architecture}, {megabytes(facts.memory)} of memory; "
                  + (f"runs {facts.installed}" if facts.installed else "nothing of ours yet"))


def megabytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
