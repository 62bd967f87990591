"""Lines for systemd's journal, each with its level before it (sd-daemon(3)), for `journalctl -p`."""
import logging
import os
import sys
from collections.abc import Mapping

_LEVELS = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}


def reads_along(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the journal reads what goes to stderr: $JOURNAL_STREAM names that file (systemd.exec(5))."""
    try:
        there = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError, AttributeError):
        return False
    return environ.get("JOURNAL_STREAM") == f"{there.st_dev}:{there.st_ino}"


class Lines(logging.Formatter):
    """A level before each line: a traceback has many."""

    def format(self, record: logging.LogRecord) -> str:
        level = f"<{_LEVELS.get(record.levelno, 5)}>"
        return "\n".join(level + line for line in super().format(record).splitlines() or [""])
