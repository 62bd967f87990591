"""A backup counts once it was read back whole; what it must not keep is not in it; the second place."""
import sqlite3
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from conftest import NOW, a_blog
from desk import SEOUL
from web_site import a_post

from devdigest import (
    agenda,
    backup_check,
    backups,
    clicks,
    copies,
    departures,
    room,
    second_place,
    subscribers,
)
from devdigest.backup import Made, backup, copy_log
from devdigest.backups import Backup
from devdigest.config import Config
from devdigest.copies import Stopped, Unsound
from devdigest.finding import OK, RED, WARN
from devdigest.locks import Busy, locked
from devdigest.memory import Run, Setting
from devdigest.readers import Delivery, Subscriber
from devdigest.room import NoRoom
from devdigest.table import db

pytestmark = pytest.mark.usefixtures("records")

DAY = timedelta(days=1)
NIGHT = datetime.fromisoformat("2026-11-20T16:40:00+00:00")         # 01:40 of Saturday in Seoul


def made(config: Config, now: datetime = NOW, **how: object) -> Made:
    return backup(config, now, threading.Event(), **how)


def rows(path: Path, query: str) -> list[tuple]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(query).fetchall()


def names(config: Config) -> list[str]:
    return sorted(path.name for path in config.backups.iterdir())


def test_a_backup_holds_all_and_only_its_owner_may_read_it(config: Config, ada: Subscriber) -> None:
    a_post(a_blog(), "Hello")
    done = made(config)
    assert done.path.name == "devdigest-2026-11-21-090000.db"
    assert rows(done.path, "SELECT title FROM post") == [("Hello",)]
    assert (done.counts["post"], done.counts["subscriber"]) == (1, 1)
    assert stat.S_IMODE(done.path.stat().st_mode) == 0o600
    assert Run.last("backup").said.startswith("0.")
    assert names(config) == [done.path.name]


def test_by_a_backup_nobody_can_tell_who_opened_what_that_day(config: Config) -> None:
    post = a_post(a_blog(), "Hello")
    clicks.open(post.id, NOW, config.site.timezone, network="203.0.113.7", agent="Mozilla/5.0")
    salt = Setting.read(clicks.SALT).split()[1]
    [(reader,)] = rows(Path(db.database), "SELECT reader FROM opened")
    done = made(config)
    assert rows(done.path, "SELECT * FROM opened") == []
    body = done.path.read_bytes()
    assert salt.encode() not in body
    assert reader.encode() not in body
    assert Setting.read(clicks.SALT)


def test_what_was_erased_before_is_nowhere_in_a_backup(config: Config) -> None:
    for number in range(300):
        Subscriber.create(email=f"reader{number}@example.org", created=NOW)
    Subscriber.delete().execute()
    assert b"@example.org" not in made(config).path.read_bytes()


def test_a_copy_that_cannot_be_read_back_does_not_count_and_the_others_stay(config: Config,
                                                                           ada: Subscriber) -> None:
    good = made(config)
    part = config.backups / "torn.db"
    copies.copy(Path(db.database), part)
    with part.open("r+b") as file:
        file.seek(3 * 4096)
        file.write(b"\xff" * 8192)
    with pytest.raises(Unsound, match=r"torn\.db"):
        copies.prove(part)
    assert good.path.exists()


def test_a_damaged_database_makes_no_backup_and_status_and_check_say_so(config: Config) -> None:
    for number in range(2000):
        Subscriber.create(email=f"reader{number}@example.org", created=NOW)
    db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    root, = db.execute_sql("SELECT rootpage FROM sqlite_master WHERE name = 'subscriber'").fetchone()
    made(config)
    with Path(db.database).open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xff" * 4096)
    with pytest.raises(sqlite3.DatabaseError, match="malformed"):
        made(config, NOW + DAY)
    assert len(names(config)) == 1
    assert backup_check.finding(config, NOW).state == RED
    assert "FAILED" in backup_check.line(backup_check.facts(config), "")


def test_half_a_backup_of_a_cut_is_removed_by_the_next(config: Config) -> None:
    config.backups.mkdir()
    (config.backups / ".devdigest-2026-11-20-013000.db.part").write_bytes(b"half")
    (config.backups / ".devdigest-2026-11-20-013000.db.part-journal").write_bytes(b"half")
    done = made(config)
    assert names(config) == [done.path.name]


def test_the_newest_stay_and_the_first_of_each_of_three_months(config: Config) -> None:
    config.backups.mkdir()
    days = [NOW - number * DAY for number in range(1, 130)]
    for day in days:
        (config.backups / backups.name(day, config.site.timezone)).touch()
    (config.backups / "mine.db").touch()
    made(config)
    kept = [path.name[10:20] for path in backups.found(config.backups)]
    assert kept == ["2026-11-21", "2026-11-20", "2026-11-19", "2026-11-18", "2026-11-17", "2026-11-16",
                    "2026-11-15", "2026-11-01", "2026-10-01", "2026-09-01"]
    assert (config.backups / "mine.db").exists()


def test_nothing_goes_where_there_are_few() -> None:
    at = datetime(2026, 11, 21)                                     # noqa: DTZ001
    assert backups.superfluous([Backup(at, "")], keep=2) == []
    assert backups.superfluous([], keep=2) == []


def test_a_backup_to_a_file_of_ones_own_stands_apart(config: Config, tmp_path: Path) -> None:
    done = made(config, file=tmp_path / "mine.db")
    assert done.path == tmp_path / "mine.db"
    assert Run.last("backup") is None
    with pytest.raises(FileExistsError):
        made(config, file=tmp_path / "mine.db")


def test_a_disk_without_room_for_it_is_not_filled(config: Config) -> None:
    with pytest.raises(NoRoom, match=r"backup waits: .* make room"):
        room.require("backup", config.folder, room.free(config.folder) + 1_000_000_000)


def test_one_backup_at_a_time(config: Config) -> None:
    with locked(config.folder, "backup"), pytest.raises(Busy):
        made(config)


def test_a_backup_that_is_told_to_stop_leaves_nothing(config: Config) -> None:
    for number in range(3000):
        Subscriber.create(email=f"reader{number}@example.org", created=NOW)
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        backup(config, NOW, stop)
    assert names(config) == []


def test_sign_ups_go_on_while_a_backup_is_made(config: Config) -> None:
    for first in range(0, 40_000, 500):
        Subscriber.insert_many([{"email": f"reader{number}@example.org", "created": NOW, "state": "active"}
                                for number in range(first, first + 500)]).execute()
    worst, over = [], threading.Event()

    def sign_up() -> None:
        with db.connection_context():
            while not over.is_set():
                began = time.monotonic()
                Subscriber.create(email=f"new{len(worst)}@example.org", created=NOW)
                worst.append(time.monotonic() - began)
    visitor = threading.Thread(target=sign_up)
    visitor.start()
    try:
        for number in range(3):
            made(config, NOW + number * DAY)
    finally:
        over.set()
        visitor.join()
    assert len(worst) > 20
    assert max(worst) < 1
    assert len(backups.found(config.backups)) == 3


# when

@pytest.mark.parametrize(("last", "now", "due"), [
    (None, NIGHT, True),
    (NIGHT - DAY, NIGHT, True),
    (NIGHT - DAY, NIGHT - timedelta(minutes=20), False),
    (NIGHT, NIGHT + timedelta(hours=20), False),
    (NIGHT - 3 * DAY, NIGHT + timedelta(hours=4), True),            # a night without power
])
def test_once_a_night_and_later_where_there_was_no_power(config: Config, last: datetime | None, now: datetime,
                                                         due: bool) -> None:
    if last:
        Run.create(job="backup", started=last, finished=last)
    assert agenda.backup(config, now) is due


def test_not_while_the_issue_is_on(config: Config, ada: Subscriber) -> None:
    ten = NOW + timedelta(hours=1)
    assert not agenda.backup(config, ten - timedelta(minutes=5))
    assert agenda.backup(config, NOW)
    assert agenda.backup(config, ten + timedelta(hours=1))
    Delivery.create(issue=_issue(), subscriber=ada, created=ten, due=ten, changed=ten)
    assert not agenda.backup(config, ten + timedelta(hours=1))


def _issue() -> int:
    db.execute_sql("INSERT INTO issue (kind, day, state, created, blogs, reached, lacks) "
                   "VALUES ('daily', '2026-11-21', 'published', '2026-11-21T01:00:00.000Z', 0, 0, 0)")
    return 1


def test_one_that_failed_is_not_tried_at_once_again(config: Config) -> None:
    Run.create(job="backup", started=NIGHT)
    assert not agenda.backup(config, NIGHT + timedelta(minutes=59))
    assert agenda.backup(config, NIGHT + timedelta(minutes=61))


# the second place

@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    (folder / second_place.ON_PURPOSE).touch()
    return folder


def with_copy(config: Config, to: object) -> Config:
    return replace(config, backup=replace(config.backup, copy_to=str(to), keep=2))


@pytest.fixture
def logged(config: Config) -> Iterator[None]:
    departures.keep_in(config.backups)
    departures.note(departures.LEFT, "a" * 64, NOW)
    yield
    departures.keep_in(None)


def copied(folder: Path) -> list[str]:
    return sorted(path.name[:20] for path in folder.iterdir() if path.name != second_place.ON_PURPOSE)


def test_a_backup_and_the_log_of_who_left_are_copied(config: Config, stick: Path, logged: None) -> None:
    config = with_copy(config, stick)
    assert made(config).copy_fault == ""
    assert copied(stick) == ["departures-" + copied(stick)[0][11:], "devdigest-2026-11-21"]
    assert backup_check.finding(config, NOW).fact.endswith(f"copied to {stick}")
    departures.note(departures.LEFT, "b" * 64, NOW)
    assert copy_log(config)
    assert "b" * 64 in next(stick.glob("departures-*.log")).read_text()


def test_the_second_place_keeps_as_many_and_a_fresh_card_does_not_empty_it(config: Config,
                                                                          stick: Path) -> None:
    for number in range(3):
        (stick / backups.name(NOW - (number + 1) * DAY, config.site.timezone)).touch()
    made(with_copy(config, stick))
    assert [name[10:] for name in copied(stick)] == ["2026-11-18", "2026-11-20", "2026-11-21"]


def test_a_stick_that_is_not_in_fills_no_card_and_stops_no_backup(config: Config, tmp_path: Path) -> None:
    (tmp_path / "mnt").mkdir()
    config = with_copy(config, tmp_path / "mnt")
    done = made(config)
    assert "is the stick mounted?" in done.copy_fault
    assert copied(tmp_path / "mnt") == []
    assert done.path.exists()
    assert backup_check.finding(config, NOW).state == RED
    Setting.write("backup copied", NOW.isoformat())
    assert backup_check.finding(config, NOW).state == WARN


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="no other file system to write to")
def test_a_folder_of_another_disk_needs_no_word(config: Config, tmp_path: Path) -> None:
    other = Path(f"/dev/shm/devdigest-{tmp_path.name}")
    config = with_copy(config, other)
    try:
        assert made(config).copy_fault == ""
        assert copied(other) == ["devdigest-2026-11-21"]
    finally:
        for path in other.glob("*"):
            path.unlink()
        other.rmdir()


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A program of that name, which does on this machine what it is told to do on the other."""
    def write(script: str) -> None:
        path = tmp_path / "bin/ssh"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{path.parent}:/usr/bin:/bin")
    return write


def test_another_machine_gets_it_by_ssh_and_nothing_half(config: Config, tmp_path: Path, logged: None,
                                                        ssh: Callable[[str], None]) -> None:
    ssh('for word; do :; done; exec sh -c "$word"')
    there = tmp_path / "other machine; touch oops"
    config = with_copy(config, f"pi@nas.local:{there}")
    for number in range(5):
        assert made(config, NOW + number * DAY).copy_fault == ""
    assert [name for name in copied(there) if name.startswith("dev")] == [
        "devdigest-2026-11-21", "devdigest-2026-11-24", "devdigest-2026-11-25"]
    assert copies.prove(backups.found(there)[0])["post"] == 0
    assert not (tmp_path / "oops").exists()


def test_no_host_is_an_option_of_ssh(config: Config, tmp_path: Path, ssh: Callable[[str], None]) -> None:
    ssh(f"touch {tmp_path}/asked")
    assert made(with_copy(config, "-Jevil@nas.local:backups")).copy_fault
    assert not (tmp_path / "asked").exists()


def test_a_link_that_lies_on_the_stick_is_not_written_through(config: Config, stick: Path, tmp_path: Path,
                                                              logged: None, ada: Subscriber) -> None:
    subscribers.cancel(ada, NOW, SEOUL)
    (victim := tmp_path / "victim").write_text("as it was")
    config = with_copy(config, stick)
    made(config, NOW)
    [log] = stick.glob("departures-*.log")
    (stick / f".{log.name}.part").symlink_to(victim)
    assert made(config, NOW + DAY).copy_fault == ""
    assert victim.read_text() == "as it was"


def test_a_machine_that_does_not_let_us_in_is_told_in_its_words(config: Config,
                                                               ssh: Callable[[str], None]) -> None:
    ssh('echo "pi@nas.local: Permission denied (publickey)." >&2; exit 255')
    done = made(with_copy(config, "pi@nas.local:backups"))
    assert done.copy_fault == "pi@nas.local: pi@nas.local: Permission denied (publickey)."
    assert done.path.exists()


def test_check_wants_a_backup_that_is_young_and_there(config: Config) -> None:
    assert backup_check.finding(config, NOW).state == WARN
    done = made(config)
    assert backup_check.finding(config, NOW).state == OK
    assert backup_check.finding(config, NOW + 3 * DAY).state == RED
    done.path.unlink()
    assert backup_check.finding(config, NOW).state == RED
