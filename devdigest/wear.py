"""What this thread has had written to the disk, as the kernel counts it: an SD card wears out by that."""
from pathlib import Path

# of the thread, as mails are sent and backups made beside it: proc_pid_io(5), CONFIG_TASK_IO_ACCOUNTING
_COUNTS = Path("/proc/thread-self/io")


def written() -> int | None:
    """Bytes so far; None where the kernel does not tell. What another process writes is not among them."""
    try:
        lines = _COUNTS.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith("write_bytes:")), None)


def in_words(count: int) -> str:
    """'2.9 MB'."""
    return f"{count / 1_000_000:,.1f} MB"
