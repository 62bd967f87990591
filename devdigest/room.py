"""How much room the disk has. Nearly full, nothing is collected; leaving, joining and mailing go on."""
import shutil
from pathlib import Path

# A day writes a few MB, and the log of a long collect 16: this lasts sign-ups and mails for weeks.
LEAST_TO_COLLECT = 100_000_000      # bytes
MAKE_ROOM = "sudo apt clean; sudo journalctl --vacuum-size=50M"
_MORE = 20_000_000                  # bytes before it is begun again, so that it does not flicker


class NoRoom(Exception):
    """What was not begun, so that the rest goes on; says how much is left, and how to make room."""

    def __init__(self, step: str, folder: Path, free: int, wanted: int) -> None:
        super().__init__(f"{step} waits: {free // 1_000_000:,} MB are free at {folder}, and it wants "
                         f"{wanted // 1_000_000:,} MB; make room: {MAKE_ROOM}")


def free(folder: Path) -> int:
    """Bytes, at a folder that may be still to be made."""
    there = next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists())
    return shutil.disk_usage(there).free


def require(step: str, folder: Path, wanted: int = LEAST_TO_COLLECT, *, again: bool = False) -> None:
    """Raises NoRoom where less is free. `again`: it was so before."""
    there = free(folder)
    if there < wanted + again * _MORE:
        raise NoRoom(step, folder, there, wanted)
