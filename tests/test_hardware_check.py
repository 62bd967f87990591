"""The disk, the card, the supply, the memory."""
import os
from pathlib import Path

import pytest
from machines import a_machine, says

from devdigest import hardware_check, kernel_log
from devdigest.finding import NOT_ASKED, OK, RED, WARN
from devdigest.machine import Machine, ToolError

ERRORS = "sys/fs/ext4/mmcblk0p2/errors_count"
QUIET = "usb 1-1: device descriptor read/64, timeout\nBluetooth: hci0: command tx timeout"
MEMORY = "MemTotal: 443216 kB\nMemAvailable: {} kB\nSwapTotal: {} kB\nSwapFree: {} kB\n"


def kernel(said: str) -> dict[str, str]:
    return {"journalctl": says(said)}


def test_a_disk_with_room_is_well(tmp_path: Path) -> None:
    finding = hardware_check.disk(tmp_path)
    assert (finding.name, str(tmp_path) in finding.fact) == ("disk", True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_is_closed_to_us_is_red(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert hardware_check.disk(tmp_path).state == RED


def test_a_disk_that_is_read_only_is_red() -> None:
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    closed = [folder for _, folder, _, options, *_ in mounts
              if options.split(",")[0] == "ro" and Path(folder).is_dir() and os.access(folder, os.R_OK)]
    if not closed:
        pytest.skip("nothing is mounted read-only here")
    assert "read-only" in hardware_check.disk(Path(closed[0])).fact


@pytest.mark.parametrize("line", [
    "mmc0: error -110 whilst initialising SD card", "I/O error, dev mmcblk0, sector 2048 op 0x0:(READ)",
    "EXT4-fs error (device mmcblk0p2): ext4_lookup:1855: inode #131", "mmc1: Timeout waiting for hardware "
    "interrupt.", "EXT4-fs (mmcblk0p2): Remounting filesystem read-only"])
def test_a_card_of_which_the_kernel_complains_is_red(tmp_path: Path, line: str) -> None:
    card = hardware_check.card(a_machine(tmp_path, {ERRORS: "0\n"}, kernel(f"{QUIET}\n{line}")))
    assert (card.state, line[:40] in card.fact) == (RED, True)


def test_errors_that_the_file_system_has_counted_are_red(tmp_path: Path) -> None:
    card = hardware_check.card(a_machine(tmp_path, {ERRORS: "7\n"}))
    assert (card.state, card.fact) == (RED, "7 errors in the file system on mmcblk0p2")


def test_a_card_without_errors_is_well_also_where_the_log_is_closed(tmp_path: Path) -> None:
    assert hardware_check.card(a_machine(tmp_path, {ERRORS: "0\n"}, kernel(QUIET))).state == OK
    closed = a_machine(tmp_path, {ERRORS: "0\n"}, kernel("-- No entries --"))
    assert "closed to this user" in hardware_check.card(closed).fact
    assert hardware_check.card(Machine(tmp_path / "nothing", "")).state == NOT_ASKED


@pytest.mark.parametrize(("bits", "state", "words"), [
    ("0x0", OK, "enough since boot, 48 °C"),
    ("0x50000", WARN, "once since boot the power was too low and it was slowed down, 48 °C"),
    ("0x50005", RED, "now the power is too low and it is slowed down, 48 °C"),
    ("0x8", RED, "now it is too hot, 48 °C"), ("0x80000", WARN, "once since boot it was too hot, 48 °C")])
def test_what_the_supply_gives_is_told(tmp_path: Path, bits: str, state: str, words: str) -> None:
    tools = {"vcgencmd": f'[ "$1" = get_throttled ] && echo throttled={bits} || echo "temp=48.3\'C"'}
    [power] = hardware_check.power(a_machine(tmp_path, tools=tools))
    assert (power.state, power.fact) == (state, words)
    assert ("air" in power.cure, "supply" in power.cure) == (
        "hot" in words, state != OK and "hot" not in words)


def test_the_kernel_tells_it_too_to_whoever_has_no_right_to_ask_the_firmware(tmp_path: Path) -> None:
    files = {"sys/devices/platform/soc/soc:firmware/get_throttled": "50000\n",
             "sys/class/thermal/thermal_zone0/temp": "85210\n"}
    [power] = hardware_check.power(a_machine(tmp_path, files))
    assert (power.state, power.fact) == (
        WARN, "once since boot the power was too low and it was slowed down, 85 °C")
    files["sys/devices/platform/soc/soc:firmware/get_throttled"] = "0\n"
    [power] = hardware_check.power(a_machine(tmp_path, files))
    assert (power.state, power.fact) == (WARN, "enough power, 85 °C")


def test_what_is_no_pi_has_no_line_for_it(tmp_path: Path) -> None:
    files = {"sys/class/thermal/thermal_zone0/temp": "41000\n"}
    assert list(hardware_check.power(a_machine(tmp_path, files))) == []
    broken = a_machine(tmp_path, tools={"vcgencmd": "echo VCHI initialization failed; exit 255"})
    assert list(hardware_check.power(broken)) == []


@pytest.mark.parametrize(("available", "swap", "free", "state", "words"), [
    (250_000, 102_396, 51_198, OK, "250 MB to be had, swap 50 % used"),
    (250_000, 0, 0, OK, "250 MB to be had, no swap"), (30_000, 0, 0, WARN, "30 MB to be had, no swap")])
def test_memory_is_told(tmp_path: Path, available: int, swap: int, free: int, state: str, words: str) -> None:
    memory = hardware_check.memory(a_machine(tmp_path, {
        "proc/meminfo": MEMORY.format(available, swap, free), "proc/vmstat": "nr_free 1\noom_kill 0\n"}))
    assert (memory.state, memory.fact) == (state, words)


def test_whom_the_kernel_ended_for_lack_of_memory_is_named(tmp_path: Path) -> None:
    files = {"proc/meminfo": MEMORY.format(250_000, 0, 0), "proc/vmstat": "oom_kill 2\n"}
    memory = hardware_check.memory(a_machine(tmp_path, files))
    assert (memory.state, memory.fact) == (
        WARN, "250 MB to be had, no swap; since boot the kernel ended 2 programs")
    said = "Out of memory: Killed process 812 (python) total-vm:300000kB, anon-rss:200000kB\n" * 2
    assert "ended python" in hardware_check.memory(a_machine(tmp_path, files, kernel(said))).fact


def test_a_kernel_that_does_not_tell_is_no_fault(tmp_path: Path) -> None:
    assert hardware_check.memory(a_machine(tmp_path)).state == NOT_ASKED


def test_an_empty_log_is_closed_unless_its_file_may_be_read(tmp_path: Path) -> None:
    machine = a_machine(tmp_path, tools=kernel("-- No entries --"))
    with pytest.raises(ToolError, match="closed to this user"):
        kernel_log.lines(machine)
    assert kernel_log.lines(a_machine(tmp_path, {"run/log/journal/8f3c/system.journal": ""})) == []


def test_a_log_that_we_may_not_open_is_closed(tmp_path: Path) -> None:
    refusal = "echo 'No journal files were opened due to insufficient permissions.' >&2; exit 1"
    with pytest.raises(ToolError, match="the kernel's log is closed to this user"):
        kernel_log.lines(a_machine(tmp_path, tools={"journalctl": refusal}))
