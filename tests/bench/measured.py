"""What a command costs as a process of its own: CPU, time, memory, and bytes written to a disk."""
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

_PAUSE = 0.05       # seconds between two looks at the memory


class Cost(NamedTuple):
    cpu: float          # seconds, of the process and its children
    wall: float         # seconds
    peak: float         # MB, proportional set size of all of them together
    written: float      # MB


def measured(command: Sequence[object], folder: Path, cwd: Path) -> Cost:
    """Runs it; its stdout and stderr are kept in `folder`. Ends the program where the command fails."""
    before, began, peak = written(), time.monotonic(), 0.0
    out, err = folder / "stdout", folder / "stderr"
    with out.open("wb") as said, err.open("wb") as complained:
        process = subprocess.Popen([str(word) for word in command], cwd=cwd, stdout=said, stderr=complained)
        while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
            peak = max(peak, _memory(process.pid))
            time.sleep(_PAUSE)
    wall, (_, status, used) = time.monotonic() - began, ended
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command}: exit {process.returncode}\n{err.read_text()[-2_000:]}")
    return Cost(used.ru_utime + used.ru_stime, wall, peak, (written() - before) / 1e6)


def _memory(pid: int) -> float:
    """MB at this moment."""
    kilobytes = 0
    try:
        for one in _tree(pid):
            lines = Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
            kilobytes += next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
    except OSError:     # one of them has just ended
        pass
    return kilobytes / 1_000


def _tree(pid: int) -> Iterator[int]:
    """A process and those that it started."""
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from _tree(int(child))


def written() -> int:
    """Bytes so far by this process and all its ended children, whose count Linux adds to their parent's."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))
