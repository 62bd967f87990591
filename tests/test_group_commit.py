"""Turns shared by many lines: what the relay has just answered on them is committed together."""
import sqlite3
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from relay import PIPELINED, ScriptedRelay, settings
from test_deliver import published, send

from devdigest.config import Config
from devdigest.table import db

_FRAME_HEADER, _WAL_HEADER = 24, 32         # sqlite.org/fileformat2.html, 4.1


class Journal:
    """What the write-ahead log took while this was open: as long as one reads, it only grows."""

    def __init__(self, path: str) -> None:
        self._path = Path(f"{path}-wal")
        db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        self._reader = sqlite3.connect(path, isolation_level=None)
        self._reader.execute("BEGIN")
        self._reader.execute("SELECT count(*) FROM delivery").fetchone()

    def count(self) -> tuple[int, int]:
        """(commits, bytes) since then."""
        log = self._path.read_bytes()
        [page] = struct.unpack(">I", log[8:12])
        frames = range(_WAL_HEADER, len(log), _FRAME_HEADER + page)
        commits = sum(struct.unpack(">I", log[frame + 4:frame + 8])[0] > 0 for frame in frames)
        return commits, len(log)

    def close(self) -> None:
        self._reader.close()


@contextmanager
def journal(config: Config) -> Iterator[Journal]:
    one = Journal(config.database.path)
    yield one
    one.close()


def measured(config: Config, lines: int, mails: int, delay: float) -> tuple[float, float, float]:
    """(commits, bytes, seconds) for each mail."""
    published(config, *(f"reader{number}" for number in range(mails)))
    with ScriptedRelay({"EHLO": PIPELINED}, delay=delay) as relay:
        config = replace(config, mail=settings(relay, connections=lines))
        with journal(config) as log:
            began = time.monotonic()
            assert send(config).states == {"sent": mails}
            seconds = time.monotonic() - began
            commits, size = log.count()
        assert len(relay.messages) == mails
    return commits / mails, size / mails, seconds / mails


@pytest.mark.usefixtures("records")
def test_eight_lines_settle_together_what_they_have_just_heard(config: Config) -> None:
    commits, _, _ = measured(config, 8, 240, 0.05)
    assert commits <= 0.4       # an eighth; a machine that is busy with others brings lines out of step


@pytest.mark.slow
@pytest.mark.usefixtures("records")
@pytest.mark.parametrize("lines", [1, 4, 8, 10, 16])
def test_of_lines_in_step_each_group_is_one_commit(config: Config, lines: int) -> None:
    commits, size, seconds = measured(config, lines, 60 * lines, 0.1)
    print(f"{lines} lines: {commits:.3f} commits and {size:,.0f} bytes a mail; {1 / seconds:.1f} mails a "
          f"second, where {lines / 0.1:.0f} is the limit")
    # alone 2.3 a group of 16; beside other work lines come out of step, and one commit a mail would be 16
    assert commits <= 4 / lines + 0.01
    assert seconds * 60 * lines <= 60 * 0.1 * 2 + 3
