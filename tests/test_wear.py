"""What is counted as written is what goes to the disk, counted by hand in small databases."""
import sqlite3
from pathlib import Path

import pytest

from devdigest.wear import Log, in_words

PAGE, FRAME = 4096, 4096 + 24


@pytest.fixture
def database(tmp_path: Path) -> sqlite3.Connection:
    found = sqlite3.connect(tmp_path / "one.db", isolation_level=None)
    found.executescript("PRAGMA journal_mode = wal; CREATE TABLE note (id INTEGER PRIMARY KEY, said TEXT)")
    return found


def log_of(database: sqlite3.Connection) -> Log:
    return Log(database.execute("PRAGMA database_list").fetchone()[2])


def write(database: sqlite3.Connection, log: Log, said: str = "a word") -> int:
    """What a transaction of one row adds to the count."""
    before = log.written
    database.execute("INSERT INTO note (said) VALUES (?)", (said,))
    log.look()
    return log.written - before


def test_a_page_counts_each_time_it_comes_into_the_log_and_once_for_the_database(database) -> None:
    log = log_of(database)
    assert [write(database, log) for _ in range(3)] == [FRAME, FRAME, FRAME]    # seen before: made as a table
    assert write(database, log, "x" * 3 * PAGE) > 3 * (FRAME + PAGE)


def test_what_was_written_before_it_began_is_not_counted(database) -> None:
    database.execute("INSERT INTO note (said) VALUES ('before')")
    log = log_of(database)
    log.look()
    assert log.written == 0


def test_a_log_that_begins_anew_after_a_checkpoint_is_read_on(database) -> None:
    log = log_of(database)
    write(database, log)
    database.execute("PRAGMA wal_checkpoint(RESTART)")
    assert write(database, log) == FRAME + PAGE         # to the database it goes a second time
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert write(database, log) == FRAME + PAGE


def test_a_database_that_has_no_log_yet_costs_nothing(tmp_path: Path) -> None:
    log = Log(tmp_path / "none.db")
    log.look()
    assert log.written == 0


def test_it_is_told_in_megabytes() -> None:
    assert in_words(2_948_123) == "2.9 MB"
