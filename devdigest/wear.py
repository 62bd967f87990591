"""What is written to the disk for a database: an SD card wears out by that.

Counted in its write-ahead log (sqlite.org/fileformat2.html, 4): the kernel's count for a process takes whole
folios of its cache for the few pages that changed in them.
"""
import os
from pathlib import Path

_HEADER, _FRAME = 32, 24        # bytes of the log's header, and of that before each page


class Log:
    """The write-ahead log of a database, read along from now on; `written` counts bytes since then.

    A page counts as it comes into the log, and once more for the checkpoint that takes its last state from
    there to the database. What visitors and other jobs write meanwhile is among it.
    """

    def __init__(self, database: str | Path) -> None:
        self._path = Path(f"{database}-wal")
        self._salt, self._place = b"", _HEADER
        self._seen = bytearray()        # by number of a page, 1 where it is in the log: there are thousands
        self.written = 0
        self.look()
        self.written = 0        # what stood there before

    def look(self) -> None:
        """To be called after each transaction: the next one may begin the log anew."""
        try:
            log = os.open(self._path, os.O_RDONLY)
        except FileNotFoundError:       # until the first transaction
            return
        try:
            self._read(log)
        finally:
            os.close(log)

    def _read(self, log: int) -> None:
        header = os.pread(log, _HEADER, 0)
        size, salt = int.from_bytes(header[8:12], "big"), header[16:24]
        if salt != self._salt:
            self._salt, self._place, self._seen = salt, _HEADER, bytearray()
        while (frame := os.pread(log, _FRAME, self._place))[8:16] == salt and salt:
            self.written += _FRAME + size + (size if self._is_new(int.from_bytes(frame[:4], "big")) else 0)
            self._place += _FRAME + size

    def _is_new(self, page: int) -> bool:
        if page >= len(self._seen):
            self._seen.extend(bytes(page + 1 - len(self._seen)))
        known, self._seen[page] = self._seen[page], 1
        return not known


def in_words(count: int) -> str:
    """'2.9 MB'."""
    return f"{count / 1_000_000:,.1f} MB"
