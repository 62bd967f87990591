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
        self._salt, self._place, self._pages = b"", _HEADER, set[bytes]()
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
            self._salt, self._place, self._pages = salt, _HEADER, set()
        while (frame := os.pread(log, _FRAME, self._place))[8:16] == salt and salt:
            page = frame[:4]
            self.written += _FRAME + size + (size if page not in self._pages else 0)
            self._pages.add(page)
            self._place += _FRAME + size


def in_words(count: int) -> str:
    """'2.9 MB'."""
    return f"{count / 1_000_000:,.1f} MB"
