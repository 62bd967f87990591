"""What the kernel has complained of in the last seven days, in the journal: a Pi has no kern.log.

Not since boot: which boot it is is not told to a service that sees of /proc only its own (ProcSubset=pid).
"""
import os
import re

from devdigest.machine import Machine, ToolError

_CARD = re.compile(r"(mmc\d|mmcblk\d|\bsd[a-z]\d*|\bnvme\d).*(error|timeout|timed out)|I/O error"
                   r"|EXT4-fs error|remounting filesystem read-only", re.IGNORECASE)
_CLOSED = "the kernel's log is closed to this user"
_MEMORY = re.compile(r"Out of memory: Killed process \d+ \(([^)]*)\)|oom-kill:.*task=([^,]*)")


def lines(machine: Machine) -> list[str]:
    """Warnings and worse, oldest first. Raises ToolError, also where the log is closed to us."""
    try:
        said = machine.ask("journalctl", "--since=-7days", "--priority=warning", "--output=cat",
                           "--no-pager", "--lines=2000", "_TRANSPORT=kernel").splitlines()
    except ToolError as error:
        raise ToolError(_CLOSED if "permission" in str(error) else str(error)) from error
    if said not in ([], ["-- No entries --"]):
        return said
    # it says so too where it may not look
    files = machine.root.glob("[rv]*[nr]/log/journal/*/system.journal")
    if not any(os.access(file, os.R_OK) for file in files):
        raise ToolError(_CLOSED)
    return []


def of_the_card(said: list[str]) -> list[str]:
    return [line for line in said if _CARD.search(line)]


def killed(said: list[str]) -> list[str]:
    """The programs that were ended as memory ran out."""
    return [found[1] or found[2] for line in said if (found := _MEMORY.search(line))]
