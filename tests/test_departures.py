"""The log of who left: on the disk before the commit, obeyed by an older database, and without addresses."""
import multiprocessing
import resource
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import NOW
from desk import SEOUL

from devdigest import account, database, departures, subscribers, suppressions
from devdigest.departures import ERASED, LEFT, LIFTED, RETURNED, SUPPRESSED, Line
from devdigest.feedback import Feedback, Kind
from devdigest.memory import Setting
from devdigest.readers import Subscriber, Suppression
from devdigest.replay import replay
from devdigest.table import db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MARK = "a" * 64


@pytest.fixture
def folder(records: None, tmp_path: Path) -> Iterator[Path]:
    """Where the log is."""
    departures.keep_in(tmp_path / "backups")
    yield tmp_path / "backups"
    departures.keep_in(None)


def kinds() -> list[str]:
    return [line.kind for line in departures.lines()]


def state(email: str) -> str | None:
    reader = Subscriber.of(email)
    return reader and reader.state


def set_back() -> None:
    """The database as it was, as far as Ada is concerned."""
    Subscriber.delete().execute()
    Suppression.delete().execute()
    Setting.clear(departures.REPLAYED)
    Subscriber.create(id=1, email="ada@example.org", state="active", created=NOW, confirmed=NOW)


def test_whoever_cancelled_is_cancelled_in_an_older_database_too(folder: Path, ada: Subscriber) -> None:
    subscribers.cancel(ada, NOW + HOUR, SEOUL)
    set_back()
    assert replay(SEOUL) == {LEFT: 1}
    assert state("ada@example.org") == "cancelled"
    assert Subscriber.get().cancelled == NOW + HOUR
    assert replay(SEOUL) == {}


def test_whoever_is_erased_is_erased_in_an_older_database_too(folder: Path, ada: Subscriber) -> None:
    subscribers.forget(ada, NOW + HOUR, SEOUL)
    set_back()
    assert replay(SEOUL) == {ERASED: 1}
    assert (state("ada@example.org"), suppressions.of("ada@example.org").reason) == (None, "erased")


def test_whoever_complained_is_not_mailed_by_an_older_database_either(folder: Path, ada: Subscriber) -> None:
    suppressions.bounced(Feedback(kind=Kind.COMPLAINT, reason="complaint"), ada, None, NOW + HOUR, SEOUL)
    set_back()
    assert replay(SEOUL) == {SUPPRESSED: 1}
    assert suppressions.silenced("ada@example.org")


def test_a_cancellation_taken_back_does_not_count(folder: Path, ada: Subscriber) -> None:
    subscribers.cancel(ada, NOW + HOUR, SEOUL)
    subscribers.take_back(ada, NOW + HOUR, SEOUL)
    assert kinds() == [LEFT, RETURNED, LIFTED]
    set_back()
    assert not replay(SEOUL)
    assert state("ada@example.org") == "active"


def test_whoever_came_back_by_a_new_consent_stays(folder: Path, ada: Subscriber) -> None:
    subscribers.cancel(ada, NOW + HOUR, SEOUL)
    subscribers.request(ada, NOW + DAY, SEOUL, source="form")
    token = subscribers.new_confirmation(ada, NOW + DAY)
    subscribers.confirm(token, NOW + DAY, SEOUL)
    set_back()
    assert not replay(SEOUL)


def test_a_new_consent_that_a_power_cut_kept_from_the_log_counts_all_the_same(folder: Path,
                                                                             ada: Subscriber) -> None:
    subscribers.cancel(ada, NOW + HOUR, SEOUL)
    before = (folder / departures.NAME).read_bytes()
    subscribers.request(ada, NOW + DAY, SEOUL, source="form")
    subscribers.confirm(subscribers.new_confirmation(ada, NOW + DAY), NOW + DAY, SEOUL)
    (folder / departures.NAME).write_bytes(before)
    assert not replay(SEOUL)
    assert state("ada@example.org") == "active"


def test_a_line_whose_commit_was_cut_off_is_obeyed_at_the_next_start(folder: Path, ada: Subscriber) -> None:
    with db.atomic() as transaction:
        subscribers.cancel(ada, NOW + HOUR, SEOUL)
        transaction.rollback()
    assert state("ada@example.org") == "active"
    replay(SEOUL)
    assert state("ada@example.org") == "cancelled"


def test_a_clock_that_went_back_makes_no_cancellation_older_than_its_consent(folder: Path,
                                                                            ada: Subscriber) -> None:
    subscribers.cancel(ada, NOW - 9 * 365 * DAY, SEOUL)
    set_back()
    assert replay(SEOUL) == {LEFT: 1}


def test_who_moved_away_from_an_address_is_not_mailed_there_again(folder: Path, ada: Subscriber) -> None:
    account.move(ada, "ada@example.net", NOW + HOUR)
    account.settle_move(subscribers.new_confirmation(ada, NOW + HOUR, "move"), NOW + HOUR, SEOUL)
    assert not replay(SEOUL)
    assert state("ada@example.net") == "active"
    set_back()
    replay(SEOUL)
    assert state("ada@example.org") is None


def test_the_log_holds_no_address_and_is_nobody_elses_to_read(folder: Path, ada: Subscriber) -> None:
    subscribers.forget(ada, NOW, SEOUL)
    path = folder / departures.NAME
    assert "@" not in path.read_text()
    assert path.stat().st_mode & 0o077 == 0


def test_whoever_wants_to_leave_can_where_the_log_cannot_be_written_and_stands_in_it_later(
        folder: Path, ada: Subscriber) -> None:
    folder.write_text("a file where the folder should be")
    assert subscribers.cancel(ada, NOW + HOUR, SEOUL)
    assert state("ada@example.org") == "cancelled"
    folder.unlink()
    replay(SEOUL)
    assert kinds() == [LEFT]
    assert Setting.read("departures unwritten") is None


def test_half_a_line_that_a_power_cut_left_spoils_no_other(folder: Path, ada: Subscriber) -> None:
    folder.mkdir()
    (folder / departures.NAME).write_text(f"{1000} {LEFT} {MARK}\n2000 {LEFT} {MARK[:10]}")
    subscribers.cancel(ada, NOW + HOUR, SEOUL)
    assert [line.address for line in departures.lines()] == [MARK, suppressions.known_by("ada@example.org")]


def test_a_log_that_was_begun_anew_is_read_from_its_beginning(folder: Path, ada: Subscriber) -> None:
    Setting.write(departures.REPLAYED, "99999999999999")
    subscribers.cancel(ada, NOW + HOUR, SEOUL)
    set_back()
    assert replay(SEOUL) == {LEFT: 1}


def test_what_belongs_together_waits_for_the_disk_once_and_before_its_commit(folder: Path) -> None:
    with departures.together():
        for number in range(3):
            departures.note(SUPPRESSED, f"{number:064}", NOW, reason="bounce")
        assert kinds() == []
    assert kinds() == 3 * [SUPPRESSED]
    numbers = [line.number for line in departures.lines()]
    assert numbers == sorted(set(numbers))


def test_a_log_that_has_grown_keeps_the_last_line_of_each_address(folder: Path) -> None:
    for number in range(30):
        departures.note((LEFT, RETURNED)[number % 2], MARK, NOW)
        departures.note(SUPPRESSED, MARK, NOW, reason="bounce")
    departures.compact(most=1000)
    assert kinds() == [RETURNED, SUPPRESSED]
    departures.note(LEFT, MARK, NOW)
    assert kinds() == [RETURNED, SUPPRESSED, LEFT]


def test_lines_of_another_copy_are_brought_in_once(folder: Path) -> None:
    departures.note(LEFT, MARK, NOW)
    other = folder / "departures-0.log"
    other.write_text(f"1000 {ERASED} {'b' * 64}\n" + (folder / departures.NAME).read_text())
    assert departures.merge(folder / departures.NAME, [other]) == 1
    assert departures.merge(folder / departures.NAME, [other]) == 0
    assert departures.lines()[0] == Line(1000, ERASED, "b" * 64)


def _writer(database_path: str, folder: Path, letter: str) -> None:
    database.open(database_path)
    departures.keep_in(folder)
    for number in range(40):
        departures.note(LEFT, f"{letter}{number:063}", NOW)
        if number % 10 == 0:
            departures.compact(most=500)


def test_web_and_worker_write_side_by_side_and_nothing_is_lost(folder: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_writer, args=(db.database, folder, letter)) for letter in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert len({line.address for line in departures.lines()}) == 80
    numbers = [line.number for line in departures.lines()]
    assert numbers == sorted(set(numbers))


def test_erased_words_are_in_no_copy(folder: Path, ada: Subscriber) -> None:
    subscribers.forget(ada, NOW, SEOUL)
    db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"ada@example.org" not in Path(db.database).read_bytes()
    with sqlite3.connect(db.database) as other:
        assert other.execute("SELECT COUNT(*) FROM subscriber").fetchone() == (0,)
    other.close()


def test_a_line_that_the_disk_took_half_of_waits_whole_in_the_database(folder: Path, ada: Subscriber) -> None:
    path, before = folder / departures.NAME, resource.getrlimit(resource.RLIMIT_FSIZE)
    path.parent.mkdir()
    path.write_text("\n" * 2_000_000)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_050, before[1]))
    try:
        subscribers.cancel(ada, NOW + HOUR, SEOUL)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (path.stat().st_size, kinds()) == (2_000_050, [])
    departures.catch_up()
    assert kinds() == [LEFT]


@pytest.mark.parametrize("number", ["9" * 15, "9" * 5_000])
def test_a_number_that_a_bad_card_made_into_no_instant_is_no_line(folder: Path, ada: Subscriber,
                                                                 number: str) -> None:
    subscribers.cancel(ada, NOW + HOUR, SEOUL)
    with (folder / departures.NAME).open("a") as file:
        file.write(f"{number} left {MARK}\n")
    set_back()
    assert replay(SEOUL) == {LEFT: 1}


def test_who_left_again_before_their_return_was_in_the_log_has_left(folder: Path, ada: Subscriber) -> None:
    back = Subscriber.get_by_id(ada.id)             # as the other request has it still
    subscribers.cancel(ada, NOW + HOUR, SEOUL)
    subscribers.came_back(back, NOW + HOUR)
    set_back()
    assert replay(SEOUL) == {LEFT: 1}


def test_a_link_in_the_place_of_the_log_is_not_written_through(folder: Path, ada: Subscriber,
                                                              tmp_path: Path) -> None:
    (victim := tmp_path / "victim").touch()
    folder.mkdir()
    (folder / departures.NAME).symlink_to(victim)
    subscribers.cancel(ada, NOW + HOUR, SEOUL)
    assert (state("ada@example.org"), victim.read_text()) == ("cancelled", "")
    (folder / departures.NAME).unlink()
    departures.catch_up()
    assert kinds() == [LEFT]
