"""Back from a backup: nothing twice, nobody who has left, the old database kept, nothing half at any cut."""
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from conftest import NOW, a_blog, begun
from desk import SEOUL, entry
from relay import free_port
from web_site import a_post

from devdigest import database, deliveries, departures, intake, presence, subscribers, suppressions
from devdigest.backup import backup
from devdigest.config import Config
from devdigest.copies import Unsound
from devdigest.deliver import deliver
from devdigest.feed import Feed
from devdigest.feedback import Feedback, Kind
from devdigest.fetching import Fetching
from devdigest.memory import HOLD, HOLD_REASON, Held, Setting
from devdigest.models import Blog, Issue, Post
from devdigest.publish import publish
from devdigest.readers import Delivery, Subscriber
from devdigest.restore import CannotRestore, Done, restore
from devdigest.table import db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TODAY = date(2026, 11, 21)                      # in Seoul, where it is nine o'clock at NOW


@pytest.fixture
def home(records: None, config: Config) -> Iterator[Config]:
    """The configuration, with the log of who leaves."""
    departures.keep_in(config.backups)
    yield config
    departures.keep_in(None)


def saved(config: Config, now: datetime = NOW) -> Path:
    return backup(config, now, threading.Event()).path


def back(config: Config, file: Path, now: datetime, **how: bool) -> Done:
    """Restored, and open again."""
    db.close()
    done = restore(config, file, now, **how)
    database.open(config.database.path)
    return done


def closed() -> list[date]:
    return [issue.day for issue in Issue.select().where(Issue.state == "closed").order_by(Issue.day)]


def leave() -> None:
    """This process is done with the database."""
    db.close()
    presence.leave()


def mailed(config: Config, now: datetime) -> int:
    with suppress(Held):
        deliver(config, now, "", threading.Event())
    return len(list(Path(config.mail.maildir).glob("new/*")))


# days, posts, mails

@pytest.mark.parametrize(("days", "hours", "expected"), [
    (0, 0, []),                                         # nine o'clock of the backup's day: nothing was mailed
    (0, 2, [TODAY]),
    (3, 0, [TODAY + number * DAY for number in range(3)]),          # nine o'clock: to yesterday
    (3, 2, [TODAY + number * DAY for number in range(4)]),
])
def test_days_that_may_have_had_an_issue_are_closed(home: Config, days: int, hours: int,
                                                    expected: list[date]) -> None:
    file = saved(home)
    back(home, file, NOW + days * DAY + hours * HOUR)
    assert closed() == expected
    assert "restored" in Setting.read(HOLD_REASON)


def test_a_day_that_the_backup_holds_an_issue_for_keeps_it(home: Config) -> None:
    a_post(a_blog(), "Hello")
    publish(home, NOW + HOUR)
    file = saved(home, NOW + 2 * HOUR)
    back(home, file, NOW + DAY + 2 * HOUR)
    assert closed() == [TODAY + DAY]
    assert Issue.of(TODAY).state == "published"


def test_what_waited_for_a_closed_issue_is_history_and_yesterdays_is_news(home: Config) -> None:
    blog = a_blog()
    for title, day, verdict in (("old", TODAY - DAY, "news"), ("held", TODAY - DAY, "held"),
                                ("of the last closed", TODAY + DAY, "news"), ("copy", TODAY - DAY, "copy")):
        a_post(blog, title, day, verdict=verdict)
    back(home, saved(home), NOW + DAY + 2 * HOUR)
    assert dict(Post.select(Post.title, Post.verdict).tuples()) == {
        "old": "history", "held": "history", "of the last closed": "news", "copy": "copy"}


def test_at_the_first_read_after_it_what_may_have_been_mailed_is_history_and_then_all_is_as_ever(
        home: Config) -> None:
    blog = a_blog(read=NOW - HOUR)
    back(home, saved(home), NOW + 3 * DAY)

    def read(now: datetime, *entries: object) -> dict[str, str]:
        row = Fetching.blogs().where(Blog.id == blog.id).get()
        with db.atomic():
            new = intake.receive(row, Feed("", "", entries), home, now)
            row.fetching.read = now
            row.fetching.save()
        return {post.title: post.verdict for post in new}
    later = NOW + 3 * DAY + HOUR
    assert read(later, entry("mailed", TODAY), entry("undated"),
                entry("yesterday", TODAY + 2 * DAY)) == {
        "mailed": "history", "undated": "history", "yesterday": "news"}
    assert read(later + HOUR, entry("late", TODAY), entry("undated too")) == {
        "late": "news", "undated too": "news"}


def test_mails_that_were_on_their_way_are_given_up_and_no_again_doubles_them(home: Config,
                                                                            ada: Subscriber) -> None:
    a_post(a_blog(), "Hello")
    issue, _ = publish(home, NOW + HOUR)
    file = saved(home, NOW + HOUR)
    assert mailed(home, NOW + HOUR) == 1
    done = back(home, file, NOW + 3 * HOUR)
    assert (done.closed.mails, Delivery.get_by_id(1).state, Delivery.get_by_id(1).reply) == (
        1, "given_up", "restored")
    Setting.clear(HOLD)
    assert deliveries.again(home, issue, NOW + 3 * HOUR).left == {deliveries.IN_DOUBT: 1}
    assert mailed(home, NOW + 3 * HOUR) == 1


def test_resend_closes_and_holds_nothing(home: Config, ada: Subscriber) -> None:
    a_post(a_blog(), "Hello")
    publish(home, NOW + HOUR)
    file = saved(home, NOW + HOUR)
    mailed(home, NOW + HOUR)
    assert back(home, file, NOW + DAY + 2 * HOUR, resend=True).closed is None
    assert (closed(), Setting.held_since()) == ([], None)
    assert Delivery.get().state == "queued"
    mailed(home, NOW + DAY + 2 * HOUR)
    assert Delivery.get().state == "sent"


def test_numbers_in_mails_of_the_lost_days_are_not_given_out_again(home: Config, ada: Subscriber) -> None:
    a_post(a_blog(), "Hello")
    publish(home, NOW + HOUR)
    file = saved(home)
    lost = Subscriber.create(email="lost@example.org", created=NOW)
    link = subscribers.link_token(lost)
    lost_mail, lost_post = Delivery.newest() + 1, Post.select().count() + 1
    back(home, file, NOW + 3 * HOUR)
    new = Subscriber.create(email="new@example.org", created=NOW)
    assert subscribers.by_link(link) is None
    assert new.id > lost.id + 5000
    assert Delivery.create(created=NOW, due=NOW, changed=NOW, purpose="account").id > lost_mail + 500_000
    with db.atomic():
        [post] = intake.receive(Fetching.blogs().get(), Feed("", "", [entry("new")]), home, NOW)
    assert post.id > lost_post + 50_000


# promise 3

def test_whoever_left_after_the_backup_is_not_mailed_after_the_restore(home: Config) -> None:
    stays, *others = [Subscriber.create(email=f"{name}@example.org", state="active", created=NOW,
                                        confirmed=NOW)
                      for name in ("stays", "cancels", "erased", "complains", "bounces", "moves")]
    cancels, erased, complains, bounces, moves = others
    file = saved(home)
    later = NOW + DAY
    subscribers.cancel(cancels, later, SEOUL)
    subscribers.forget(erased, later, SEOUL)
    suppressions.bounced(Feedback(kind=Kind.COMPLAINT, reason="complaint"), complains, None, later, SEOUL)
    suppressions.bounced(Feedback(kind=Kind.HARD, reason="no-such-user", permanent=True, status="5.1.1"),
                         bounces, None, later, SEOUL)
    assert suppressions.of("bounces@example.org")
    for path in Path(home.database.path).parent.glob("devdigest.db*"):
        path.unlink()                                                   # the card is dead
    done = back(home, file, later + DAY)
    assert sum(done.departed.values()) == 4
    Setting.clear(HOLD)
    a_post(a_blog(), "Hello", TODAY + 2 * DAY)
    issue, _ = publish(home, NOW + 3 * DAY + 2 * HOUR)
    mailed(home, NOW + 3 * DAY + 2 * HOUR)
    got = [path.read_bytes() for path in Path(home.mail.maildir).glob("new/*")]
    assert len(got) == 2
    assert all(b"To: stays@" in mail or b"To: moves@" in mail for mail in got)
    assert issue.state == "published"
    assert (stays.id, moves.id) == (1, 6)


def test_the_log_that_lies_beside_a_backup_on_a_stick_counts_too(home: Config, ada: Subscriber,
                                                                 tmp_path: Path) -> None:
    file = saved(home)
    subscribers.cancel(ada, NOW + HOUR, SEOUL)
    stick = tmp_path / "stick"
    stick.mkdir()
    shutil.copy(file, stick / "some.db")
    shutil.move(home.backups / departures.NAME, stick / "departures-0123456789ab.log")
    done = back(home, stick / "some.db", NOW + DAY)
    assert done.logs == [stick / "departures-0123456789ab.log"]
    assert Subscriber.get().state == "cancelled"
    assert (home.backups / departures.NAME).exists()


def test_a_pipe_beside_a_backup_is_no_log_and_not_waited_for(home: Config, tmp_path: Path) -> None:
    file = shutil.copy(saved(home), tmp_path / "some.db")
    os.mkfifo(tmp_path / "departures-x.log")
    assert back(home, file, NOW + DAY).logs == [home.backups / departures.NAME]


# the files

def test_the_database_that_was_there_is_kept_with_all_that_stood_in_its_log(home: Config,
                                                                           ada: Subscriber) -> None:
    file = saved(home)
    subscribers.cancel(ada, NOW, SEOUL)
    done = back(home, file, NOW + HOUR)
    with closing(sqlite3.connect(done.aside)) as old:
        assert old.execute("SELECT state FROM subscriber").fetchall() == [("cancelled",)]
    assert not list(home.folder.glob(".*restoring*"))


def test_a_damaged_database_with_its_log_is_kept_and_nothing_of_it_gets_into_the_backup(
        home: Config, ada: Subscriber) -> None:
    file = saved(home)
    db.close()
    for end in ("", "-wal", "-shm"):
        Path(home.database.path + end).write_bytes(b"no database" * 1000)
    done = back(home, file, NOW + HOUR)
    assert done.aside.read_bytes().startswith(b"no database")
    assert Path(f"{done.aside}-wal").read_bytes().startswith(b"no database")
    assert db.execute_sql("PRAGMA integrity_check").fetchone() == ("ok",)
    assert Subscriber.get().email == "ada@example.org"


def test_what_is_no_whole_backup_changes_nothing(home: Config, ada: Subscriber, tmp_path: Path) -> None:
    file = saved(home)
    torn = tmp_path / "torn.db"
    torn.write_bytes(file.read_bytes()[:8192])
    for bad in (torn, Path(__file__)):
        with pytest.raises(Unsound, match="database"):
            back(home, bad, NOW)
    database.open(home.database.path)
    assert Subscriber.get().email == "ada@example.org"
    assert not list(home.folder.glob("*before-restore*"))


def test_a_backup_of_a_newer_release_is_refused(home: Config) -> None:
    file = saved(home)
    with closing(sqlite3.connect(file)) as newer:
        newer.execute("PRAGMA user_version = 999")
    with pytest.raises(CannotRestore, match="newer DevDigest"):
        back(home, file, NOW)


def test_a_backup_of_the_first_release_is_brought_to_this_one(home: Config, tmp_path: Path) -> None:
    old = tmp_path / "old.db"
    with closing(sqlite3.connect(old)) as first:
        first.executescript((Path(__file__).parent / "schema-1.sql").read_text(encoding="utf-8"))
        first.execute("INSERT INTO run (job, started, blogs, reached, failed, posts, lacks, said) "
                      "VALUES ('collect', '2026-11-20T00:00:00.000000Z', 0, 0, 0, 0, 0, '')")
        first.execute("PRAGMA user_version = 1")
        first.commit()
    done = back(home, old, NOW)
    assert (done.version, db.pragma("user_version")) == (1, database.VERSION)
    assert closed() == [TODAY - DAY]


# the services

SETTINGS = """\
[site]
clock = "trust"
[web]
listen = "127.0.0.1:{port}"
[mail]
maildir = "{folder}/mail"
[database]
path = "{folder}/devdigest.db"
"""

Start = Callable[..., subprocess.Popen]


@pytest.fixture
def start(tmp_path: Path, config: Config) -> Iterator[Start]:
    """Starts `devdigest …` as a process of its own."""
    path, started = tmp_path / "config.toml", []
    path.write_text(SETTINGS.format(folder=tmp_path, port=free_port()))

    def begin(*words: str) -> subprocess.Popen:
        started.append(begun(path, *words))
        return started[-1]
    yield begin
    for process in started:
        process.kill()
        process.communicate()


def said(process: subprocess.Popen) -> tuple[int, str]:
    out, err = process.communicate(timeout=90)
    return process.returncode, out + err


def test_services_leave_for_a_restore_and_are_to_be_started_again(home: Config, start: Start,
                                                                 ada: Subscriber) -> None:
    file = saved(home, datetime.now(UTC))
    leave()
    services = [start("web"), start("worker")]
    for service, word in zip(services, ("site on", "worker started"), strict=True):
        while word not in service.stderr.readline():
            assert service.poll() is None
    code, told = said(start("restore", str(file)))
    assert (code, "HELD" in told) == (0, True), told
    for service in services:
        code, told = said(service)
        assert (code, "a restore wants the database" in told) == (1, True), told


def test_who_does_not_leave_is_not_restored_under(home: Config, start: Start, ada: Subscriber) -> None:
    file = saved(home)
    with pytest.raises(Exception, match="still open in another process"):
        _restored_beside(home, file)


def _restored_beside(config: Config, file: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", "import sys, time; from devdigest import database; "
                               "database.open(sys.argv[1]); print('open', flush=True); time.sleep(60)",
                               config.database.path], cwd=Path(__file__).parents[1], stdout=subprocess.PIPE)
    try:
        holder.stdout.readline()
        db.close()
        presence.leave()
        with presence.alone(Path(config.database.path), patience=0.3):
            pass
    finally:
        holder.kill()
        holder.communicate()


def test_restore_lists_what_there_is(home: Config, start: Start, ada: Subscriber) -> None:
    saved(home)
    code, told = said(start("restore"))
    assert code == 0
    assert "devdigest-2026-11-21-090000.db" in told
    assert "0 posts, 0 issues, 1 readers" in told


def test_without_the_log_of_who_left_restore_says_so_loudly(home: Config, start: Start,
                                                            ada: Subscriber) -> None:
    file = saved(home, datetime.now(UTC))
    (home.backups / departures.NAME).unlink()
    leave()
    code, told = said(start("restore", str(file)))
    assert code == 0
    assert "NO LOG of who left" in told


def test_where_nobody_has_left_no_log_of_it_is_missed(home: Config, start: Start, ada: Subscriber) -> None:
    file = saved(home, datetime.now(UTC))
    leave()
    assert "NO LOG" not in said(start("restore", str(file)))[1]


# a database that is damaged or lost

def damage(config: Config) -> None:
    db.close()
    Path(config.database.path).write_bytes(b"\xff" * 8192)


@pytest.mark.parametrize("harm", ["damaged", "empty", "gone"])
def test_no_command_makes_an_empty_database_where_one_was_lost(home: Config, start: Start, ada: Subscriber,
                                                               harm: str) -> None:
    file = saved(home)
    damage(home)
    path = Path(home.database.path)
    if harm == "empty":
        path.write_bytes(b"")
    elif harm == "gone":
        path.unlink()
    presence.leave()
    for command in ("status", "worker", "web", "deliver", "init"):
        code, told = said(start(command))
        assert code == 1, told
        assert f"devdigest restore {file}" in told
        assert "Traceback" not in told
    kept = list(path.parent.glob("devdigest.db.damaged-1"))
    assert [one.read_bytes() for one in kept] == ([b"\xff" * 8192] if harm == "damaged" else [])
    assert said(start("restore", str(file)))[0] == 0
    assert said(start("status"))[0] == 0


def test_a_file_that_was_never_ours_is_left_where_it_is(home: Config, start: Start, tmp_path: Path) -> None:
    db.close()
    (tmp_path / "devdigest.db.lock").unlink()
    damage(home)
    code, told = said(start("status"))
    assert (code, "is [database] path right" in told) == (1, True)
    assert Path(home.database.path).exists()


def test_after_an_unclean_end_a_database_is_looked_at_first(home: Config, start: Start) -> None:
    for number in range(3000):
        Subscriber.create(email=f"reader{number}@example.org", created=NOW)
    db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    root, = db.execute_sql("SELECT rootpage FROM sqlite_master WHERE name = 'subscriber'").fetchone()
    Setting.write("any", "thing")
    log = Path(home.database.path + "-wal").read_bytes()        # as a power cut leaves it
    leave()
    with Path(home.database.path).open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xff" * 4096)
    Path(home.database.path + "-wal").write_bytes(log)
    code, told = said(start("worker"))
    assert (code, "is damaged" in told, "no backup" in told) == (1, True, True), told
    assert Path(home.database.path + ".damaged-1-wal").exists()


# kills

def quickest(start: Start, *words: str) -> float:
    """Seconds, of three runs: one alone may have met a busy disk, and all kills would come too late."""
    seconds = []
    for _ in range(3):
        began = time.monotonic()
        assert said(start(*words))[0] == 0
        seconds.append(time.monotonic() - began)
        time.sleep(1)           # a backup is named by its second
    return min(seconds)


@pytest.mark.slow
def test_a_restore_killed_at_any_moment_leaves_the_old_database_or_the_new_one(home: Config,
                                                                              start: Start) -> None:
    for first in range(0, 30_000, 500):
        Subscriber.insert_many([{"email": f"r{number}@example.org", "created": NOW, "state": "active"}
                                for number in range(first, first + 500)]).execute()
    file = saved(home, datetime.now(UTC))
    leave()
    took, hits, found = quickest(start, "restore", str(file)), 0, set()
    for number in range(30):
        process = start("restore", str(file))
        time.sleep(took * (0.25 + 0.75 * number / 30))
        hits += process.poll() is None
        process.kill()
        process.communicate()
        with closing(sqlite3.connect(home.database.path)) as there:
            found.add(there.execute("SELECT COUNT(*) FROM subscriber").fetchone())
            assert there.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        for aside in home.folder.glob("*before-restore*"):
            aside.unlink()
    assert found == {(30_000,)}
    assert hits > 10
    assert said(start("status"))[0] == 0
    assert not list(home.folder.glob(".*restoring*")) or said(start("restore", str(file)))[0] == 0
    assert not list(home.folder.glob(".*restoring*"))


@pytest.mark.slow
def test_a_backup_killed_at_any_moment_leaves_only_whole_ones(home: Config, start: Start) -> None:
    for first in range(0, 60_000, 500):
        Subscriber.insert_many([{"email": f"r{number}@example.org", "created": NOW, "state": "active"}
                                for number in range(first, first + 500)]).execute()
    leave()
    took, hits = quickest(start, "backup"), 0
    for number in range(24):
        process = start("backup")
        time.sleep(took * (0.3 + 0.7 * number / 24))
        hits += process.poll() is None
        process.kill()
        process.communicate()
    assert hits > 8
    time.sleep(1)
    assert said(start("backup"))[0] == 0
    kept = [path for path in home.backups.iterdir() if path.name != departures.NAME]
    assert {path.suffix for path in kept} == {".db"}
    for path in kept:
        with closing(sqlite3.connect(path)) as there:
            assert there.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert there.execute("SELECT COUNT(*) FROM subscriber").fetchone() == (60_000,)
