"""The disk, the card, the supply and the memory: what the rest stands on."""
import os
from collections.abc import Iterator
from pathlib import Path

from devdigest import kernel_log, room
from devdigest.finding import NOT_ASKED, OK, RED, WARN, Finding
from devdigest.machine import Machine, ToolError

# Bytes; a day writes a few MB, an upgrade some hundred.
_LEAST_FREE, _LITTLE_FREE = 200_000_000, 500_000_000
_LEAST_FILES = 5_000                    # inodes; a release with its venv has some 3,000
_LEAST_MEMORY = 40_000                  # kB that programs could still have; one of ours takes that
_HOT = 80.0                             # °C; from there on a Pi slows down by itself
_NEW_CARD = "a new card, `sudo ./setup.sh` on it, then `sudo devdigest restore FILE` of a copied backup"
_SUPPLY = "use the official power supply and a short cable; then reboot"
# Bits of get_throttled (raspberrypi.com/documentation, vcgencmd): now, and since boot.
_NOW = {0: "the power is too low", 2: "it is slowed down", 3: "it is too hot"}
_SINCE_BOOT = {16: "the power was too low", 18: "it was slowed down", 19: "it was too hot"}


def disk(folder: Path) -> Finding:
    stat = os.statvfs(folder)
    free, files = stat.f_bavail * stat.f_frsize, stat.f_favail
    if stat.f_flag & os.ST_RDONLY:
        return Finding("disk", RED, f"{folder} is mounted read-only, as after errors of the card",
                       "sudo reboot; if it comes again, a new card, then restore")
    if not os.access(folder, os.W_OK):
        return Finding("disk", RED, f"{folder} cannot be written by this user",
                       f"sudo chown -R devdigest: {folder}")
    told = f"{free // 1_000_000:,} MB free at {folder}"
    if stat.f_files and files < _LEAST_FILES:
        return Finding("disk", RED, f"{told}, but room for {files:,} more files only",
                       "find what makes so many: `sudo du --inodes -x / | sort -n | tail`")
    state = OK if free > _LITTLE_FREE else WARN if free > _LEAST_FREE else RED
    return Finding("disk", state, told, "" if state == OK else room.MAKE_ROOM)


def card(machine: Machine) -> Finding:
    counts = {path.parent.name: int(text) for path in machine.root.glob("sys/fs/ext4/*/errors_count")
              if (text := machine.text(str(path.relative_to(machine.root)))).isdecimal()}
    broken = [name for name, count in sorted(counts.items()) if count]
    if broken:
        return Finding("card", RED, f"{counts[broken[0]]} errors in the file system on {broken[0]}",
                       _NEW_CARD)
    try:
        complaints = kernel_log.of_the_card(kernel_log.lines(machine))
    except ToolError as error:
        told = f"no errors in the file system; {error}"
        return Finding("card", OK, told) if counts else Finding("card", NOT_ASKED, str(error))
    if complaints:
        return Finding("card", RED, f"{len(complaints)} errors in seven days: {complaints[-1][:120]}",
                       _NEW_CARD)
    return Finding("card", OK, "no errors, in the file system or the kernel's log")


def power(machine: Machine) -> Iterator[Finding]:
    """Nothing on a machine that is no Pi."""
    bits, heat = _throttled(machine), _temperature(machine)
    if bits is None:
        return
    told = f", {heat:.0f} °C" if heat is not None else ""
    now = [words for bit, words in _NOW.items() if bits >> bit & 1]
    before = [words for bit, words in _SINCE_BOOT.items() if bits >> bit & 1]
    if now:
        yield Finding("power", RED, f"now {' and '.join(now)}{told}", _cure(bits))
    elif before:
        yield Finding("power", WARN, f"once since boot {' and '.join(before)}{told}", _cure(bits))
    elif heat is not None and heat >= _HOT:
        yield Finding("power", WARN, f"enough power{told}", "give it air: out of the drawer, or a heat sink")
    else:
        yield Finding("power", OK, f"enough since boot{told}")


def _cure(bits: int) -> str:
    low = bits & (1 << 0 | 1 << 16)
    hot = bits & (1 << 3 | 1 << 19)
    return "give it air: out of the drawer, or a heat sink" if hot and not low else _SUPPLY


def _throttled(machine: Machine) -> int | None:
    """From the kernel, which tells everyone, or by the tool, which only tells the group video."""
    for path in machine.root.glob("sys/devices/platform/soc/soc*firmware/get_throttled"):
        if text := machine.text(str(path.relative_to(machine.root))):
            return int(text, 16)
    try:
        _, _, value = machine.ask("vcgencmd", "get_throttled").partition("=")   # throttled=0x50000
        return int(value, 16)
    except (ToolError, ValueError):
        return None


def _temperature(machine: Machine) -> float | None:
    text = machine.text("sys/class/thermal/thermal_zone0/temp")
    if text.isdecimal():
        return int(text) / 1000
    try:
        _, _, value = machine.ask("vcgencmd", "measure_temp").partition("=")    # temp=48.3'C
        return float(value.partition("'")[0])
    except (ToolError, ValueError):
        return None


def memory(machine: Machine) -> Finding:
    kilobytes = {name: int(rest.split()[0]) for line in machine.text("proc/meminfo").splitlines()
                 if (name := line.partition(":")[0]) and (rest := line.partition(":")[2])}
    available = kilobytes.get("MemAvailable")
    if available is None:
        return Finding("memory", NOT_ASKED, "the kernel does not tell it here")
    swap, free = kilobytes.get("SwapTotal", 0), kilobytes.get("SwapFree", 0)
    swapped = f"swap {100 * (swap - free) // swap} % used" if swap else "no swap"
    told = f"{available // 1000:,} MB to be had, {swapped}"
    if kills := _kills(machine):
        return Finding("memory", WARN, f"{told}; since boot the kernel ended {kills}",
                       "journalctl --boot --dmesg --grep 'Out of memory'")
    if available < _LEAST_MEMORY:
        return Finding("memory", WARN, told, "see who takes it: `ps -eo rss,args --sort=-rss | head`")
    return Finding("memory", OK, told)


def _kills(machine: Machine) -> str:
    """Which programs, or how many, were ended for lack of memory; "" for none."""
    counted = [line.split()[1] for line in machine.text("proc/vmstat").splitlines()
               if line.startswith("oom_kill ")]
    if counted in ([], ["0"]):
        return ""
    try:
        names = kernel_log.killed(kernel_log.lines(machine))
    except ToolError:
        names = []
    return ", ".join(dict.fromkeys(names)) or f"{counted[0]} programs"
