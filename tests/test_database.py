"""The one file: what it refuses, how it is opened and upgraded, what comes back as it went in."""
import os
import re
import shutil
import sqlite3
import threading
import time
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import chain
from pathlib import Path

import pytest
from conftest import NOW, a_blog
from peewee import IntegrityError, OperationalError

from devdigest import database, fulltext, links
from devdigest.columns import UtcField
from devdigest.fetching import Fetching
from devdigest.memory import Run, Setting
from devdigest.models import Blog, Issue, IssuePost, Post
from devdigest.readers import Confirmation, Consent, Delivery, Subscriber, Suppression
from devdigest.table import db
from devdigest.upgrades import UPGRADES

TODAY = date(2026, 11, 21)
KST = timezone(timedelta(hours=9))
ADD_COLOUR = "ALTER TABLE blog ADD COLUMN colour TEXT"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database that is open for this thread."""
    path = tmp_path / "devdigest.db"
    database.open(path)
    yield path
    db.close()


@pytest.fixture
def first(path: Path) -> Path:
    """The same, as if no step had run yet."""
    db.pragma("user_version", 1)
    return path


def dump() -> str:
    return "\n".join(db.connection().iterdump())


def columns(table: str) -> set[str]:
    return {column.name for column in db.get_columns(table)}


def a_post(blog: Blog, guid: str = "1", **values: object) -> Post:
    given = {"key": "", "url": "", "title": guid, "excerpt": "", "day": TODAY, "first_seen": NOW}
    return Post.create(blog=blog, guid=guid, **given | {"verdict": "news"} | values)


def an_issue(day: date = TODAY, **values: object) -> Issue:
    return Issue.create(**{"day": day, "state": "published", "created": NOW} | values)


def place(post: Post, issue: Issue, number: int = 1) -> None:
    post.blog = Blog.get()
    [draft] = IssuePost.drafts(issue, [post], [])
    draft.place = number
    draft.save()


def a_subscriber(email: str = "ada@example.org", **values: object) -> Subscriber:
    return Subscriber.create(email=email, created=NOW, **values)


# What the schema refuses, whoever asks

@pytest.mark.usefixtures("path")
class TestWordsThatAreNoStates:
    @pytest.mark.parametrize("values", [{"state": "deleted"}, {"group": "friends"}])
    def test_of_a_blog(self, values: dict[str, str]) -> None:
        with pytest.raises(IntegrityError, match="CHECK"):
            a_blog(**values)

    def test_of_a_post(self) -> None:
        with pytest.raises(IntegrityError, match="CHECK"):
            a_post(a_blog(), verdict="old")

    @pytest.mark.parametrize("values", [{"state": "sent"}, {"kind": "monthly"}])
    def test_of_an_issue(self, values: dict[str, str]) -> None:
        with pytest.raises(IntegrityError, match="CHECK"):
            an_issue(**values)

    @pytest.mark.parametrize("values", [{"state": "left"}, {"frequency": "hourly"}, {"language": "fr"}])
    def test_of_a_subscriber(self, values: dict[str, str]) -> None:
        with pytest.raises(IntegrityError, match="CHECK"):
            a_subscriber(**values)

    def test_of_a_delivery(self) -> None:
        with pytest.raises(IntegrityError, match="CHECK"):
            Delivery.create(subscriber=a_subscriber(), state="lost", created=NOW, due=NOW, changed=NOW)


@pytest.mark.usefixtures("path")
class TestWhatIsThereOnce:
    def test_a_day_has_one_daily_issue_and_may_have_a_weekly_one(self) -> None:
        an_issue()
        an_issue(kind="weekly")
        with pytest.raises(IntegrityError, match="UNIQUE"):
            an_issue(state="empty")

    def test_a_post_stands_in_one_daily_issue_and_may_stand_in_a_weekly_one(self) -> None:
        post = a_post(a_blog())
        place(post, an_issue())
        place(post, an_issue(kind="weekly"))
        with pytest.raises(IntegrityError, match="UNIQUE"):
            place(post, an_issue(TODAY + timedelta(days=1)))

    def test_an_issue_has_one_post_a_place(self) -> None:
        blog, issue = a_blog(), an_issue()
        place(a_post(blog, "1"), issue)
        with pytest.raises(IntegrityError, match="UNIQUE"):
            place(a_post(blog, "2"), issue)

    def test_a_subscriber_gets_one_mail_of_an_issue(self) -> None:
        ada, issue = a_subscriber(), an_issue()
        values = {"issue": issue, "subscriber": ada, "created": NOW, "due": NOW, "changed": NOW}
        Delivery.create(**values)
        with pytest.raises(IntegrityError, match="UNIQUE"):
            Delivery.create(**values)

    def test_a_feed_belongs_to_one_blog(self) -> None:
        a_blog("ada", feed_key="blog.example.org/feed")
        with pytest.raises(IntegrityError, match="UNIQUE"):
            a_blog("bob", feed_key="blog.example.org/feed")

    def test_a_guid_is_one_post_of_its_blog_and_may_be_another_of_the_next(self) -> None:
        ada, bob = a_blog("ada"), a_blog("bob")
        a_post(ada, "1")
        a_post(bob, "1")
        with pytest.raises(IntegrityError, match="UNIQUE"):
            a_post(ada, "1")

    def test_an_address_is_one_subscriber_in_any_case(self) -> None:
        a_subscriber("Ada@example.org")
        with pytest.raises(IntegrityError, match="UNIQUE"):
            a_subscriber("ada@EXAMPLE.org")
        assert Subscriber.of("ADA@example.org") is not None

    def test_a_suppressed_address_is_kept_once(self) -> None:
        Suppression.create(address="hash", reason="bounce", since=NOW)
        with pytest.raises(IntegrityError, match="UNIQUE"):
            Suppression.create(address="hash", reason="complaint", since=NOW)


@pytest.mark.usefixtures("path")
class TestForeignKeys:
    def test_a_post_needs_its_blog(self) -> None:
        with pytest.raises(IntegrityError, match="FOREIGN KEY"):
            a_post(Blog(id=99))

    def test_a_blog_with_posts_cannot_be_deleted(self) -> None:
        blog = a_blog()
        a_post(blog)
        with pytest.raises(IntegrityError, match="FOREIGN KEY"):
            blog.delete_instance()

    def test_with_a_subscriber_go_consents_and_tokens_and_deliveries_lose_the_name(self) -> None:
        ada = a_subscriber()
        Consent.create(subscriber=ada, given=NOW, source="form")
        Confirmation.create(subscriber=ada, purpose="confirm", digest="x", expires=NOW)
        Delivery.create(issue=an_issue(), subscriber=ada, state="sent", created=NOW, due=NOW, changed=NOW)
        ada.delete_instance()
        assert (Consent.select().count(), Confirmation.select().count()) == (0, 0)
        assert Delivery.get().subscriber is None


# Questions that tables answer

@pytest.mark.usefixtures("path")
class TestWhoGetsAnIssue:
    @pytest.mark.parametrize(("values", "daily", "weekly"), [
        ({"state": "active"}, True, False),
        ({"state": "active", "frequency": "weekly"}, False, True),
        ({"state": "active", "frequency": "both"}, True, True),
        ({"state": "active", "paused_until": TODAY}, True, False),
        ({"state": "active", "paused_until": TODAY + timedelta(days=1)}, False, False),
        ({"state": "pending"}, False, False),
        ({"state": "cancelled"}, False, False),
    ])
    def test_who_is_active_not_paused_and_asked_for_it(self, values: dict, daily: bool,
                                                       weekly: bool) -> None:
        ada = a_subscriber(**values)
        for kind, wanted in (("daily", daily), ("weekly", weekly)):
            issue = an_issue(kind=kind)
            assert Delivery.queue_for_active(issue, NOW) == wanted
            rows = Delivery.select().where(Delivery.issue == issue)
            got = [(row.subscriber, row.state, row.due) for row in rows]
            assert got == [(ada.id, "queued", NOW)] * wanted


# Opening

def test_it_is_opened_with_what_a_power_cut_asks_for(path: Path) -> None:
    assert db.pragma("journal_mode") == "wal"
    assert db.pragma("foreign_keys") == 1
    assert db.pragma("synchronous") == 2        # FULL
    assert db.pragma("secure_delete") == 1
    assert db.pragma("busy_timeout") == 10_000


def test_every_thread_has_the_same_settings(path: Path) -> None:
    seen = []

    def look() -> None:
        with database.connected():
            seen.append((db.pragma("foreign_keys"), db.pragma("synchronous"), db.pragma("busy_timeout")))
    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [(1, 2, 10_000)]


def test_two_that_read_before_they_write_wait_for_each_other(path: Path) -> None:
    Setting.write("count", "0")

    def count() -> None:
        with database.connected():
            for _ in range(20):
                with db.atomic():
                    Setting.write("count", str(int(Setting.read("count") or "0") + 1))
    threads = [threading.Thread(target=count) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Setting.read("count") == "60"


def test_it_can_be_read_while_another_process_writes(path: Path) -> None:
    Setting.write("name", "before")
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    other.execute("UPDATE setting SET value = 'after'")
    assert Setting.read("name") == "before"
    threading.Timer(0.2, other.close).start()
    Setting.write("name", "later")              # waits for the other's end
    assert Setting.read("name") == "later"


@db.atomic()
def write_and_fail() -> None:
    a_subscriber()
    raise ZeroDivisionError


def test_a_transaction_that_fails_leaves_nothing_behind(path: Path) -> None:
    before = dump()
    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    assert dump() == before


def test_opening_it_again_changes_nothing(path: Path) -> None:
    a_post(a_blog())
    before = dump()
    database.open(path)
    assert dump() == before


def test_its_folder_is_made(tmp_path: Path) -> None:
    database.open(tmp_path / "some" / "where" / "devdigest.db")
    db.close()
    assert (tmp_path / "some" / "where" / "devdigest.db").exists()


def no_database(folder: Path) -> Path:
    path = folder / "notes.txt"
    path.write_text("This is no database, but a text that is long enough to look at.\n" * 50)
    return path


def a_folder(folder: Path) -> Path:
    return folder


def below_a_file(folder: Path) -> Path:
    return no_database(folder) / "devdigest.db"


@pytest.mark.parametrize("place", [no_database, a_folder, below_a_file])
def test_what_cannot_be_a_database_is_told_with_its_path(tmp_path: Path, place) -> None:
    path = place(tmp_path)
    with pytest.raises(database.DatabaseError, match=re.escape(f"{path}: ")):
        database.open(path)
    assert db.is_closed()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(database.DatabaseError, match="may we write there"):
        database.open(tmp_path / "devdigest.db")
    tmp_path.chmod(0o700)


def test_a_text_that_is_no_database_is_left_as_it_was(tmp_path: Path) -> None:
    path = no_database(tmp_path)
    before = path.read_bytes()
    with pytest.raises(database.DatabaseError):
        database.open(path)
    assert path.read_bytes() == before


# Upgrades

def test_a_new_file_has_the_newest_version(path: Path) -> None:
    assert db.pragma("user_version") == database.VERSION


def test_steps_run_in_order_and_each_counts(first: Path) -> None:
    database.upgrade([[ADD_COLOUR], ["UPDATE blog SET colour = 'red'", "CREATE TABLE shade (name TEXT)"]])
    assert db.pragma("user_version") == 3
    assert "colour" in columns("blog")
    assert db.table_exists("shade")


def test_only_the_steps_that_are_new_run(first: Path) -> None:
    database.upgrade([[ADD_COLOUR]])
    database.upgrade([["not even SQL"], ["CREATE TABLE shade (name TEXT)"]])
    assert (db.pragma("user_version"), db.table_exists("shade")) == (3, True)


def test_upgrading_twice_is_harmless(first: Path) -> None:
    steps = [[ADD_COLOUR]]
    database.upgrade(steps)
    before = dump()
    database.upgrade(steps)
    assert (db.pragma("user_version"), dump()) == (2, before)


def test_a_step_that_fails_leaves_the_version_before_it_and_nothing_half_done(first: Path) -> None:
    with pytest.raises(OperationalError):
        database.upgrade([[ADD_COLOUR], ["CREATE TABLE shade (name TEXT)", "INSERT INTO nowhere VALUES (1)"]])
    assert db.pragma("user_version") == 2
    assert "colour" in columns("blog")
    assert not db.table_exists("shade")


def test_an_upgraded_database_is_like_a_new_one(tmp_path: Path) -> None:
    def schema(file: Path) -> set[tuple[str, ...]]:
        """Each table and index as its definitions, whatever order a new column was given."""
        database.open(file)
        rows = db.execute_sql("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
        named = (re.sub(r", (\w+) (TEXT|INTEGER)", r', "\1" \2', " ".join(sql.split())) for sql, in rows)
        return {tuple(sorted(re.split(r", (?=\"|FOREIGN|PRIMARY)|\((?=\")|\)(?= WITHOUT|$)", sql)))
                for sql in named}

    file = tmp_path / "old.db"
    old = sqlite3.connect(file)
    old.executescript((Path(__file__).with_name("schema-1.sql")).read_text(encoding="utf-8"))
    old.close()
    assert schema(file) == schema(tmp_path / "new.db"), "a change of the tables wants a step in UPGRADES"
    assert db.pragma("user_version") == database.VERSION


def test_what_became_of_asking_a_blog_is_kept_where_it_gets_a_table_of_its_own(tmp_path: Path) -> None:
    file, values = tmp_path / "old.db", {
        "fetched": "2026-11-21T00:00:00.000000Z", "status": 304, "fault": "timeout", "failures": 3,
        "not_before": "2026-11-21T01:00:00.000000Z", "asked_to_wait": 1, "etag": '"1"', "modified": "then",
        "moved_to": "https://new.example/rss", "moved_times": 2, "read": "2026-11-20T00:00:00.000000Z"}
    with sqlite3.connect(file) as old:
        old.executescript((Path(__file__).with_name("schema-1.sql")).read_text(encoding="utf-8"))
        listed = {"name": "Ada", "site": "", "site_key": "", "feed": "f", "feed_key": "f", "listed_key": "f",
                  "group": "team", "state": "paused", "paused_for": "owner", "source": "db.yml",
                  "added": "2026-11-01T00:00:00.000000Z", "first_read": "2026-11-02T00:00:00.000000Z"}
        row = {"id": 7} | listed | values
        names = ", ".join(f'"{name}"' for name in row)
        old.execute(f"INSERT INTO blog ({names}) VALUES ({', '.join('?' * len(row))})", list(row.values()))
    old.close()
    database.open(file)
    with sqlite3.connect(file) as new:
        new.row_factory = sqlite3.Row
        [fetching] = new.execute("SELECT * FROM fetching")
        [blog] = new.execute("SELECT * FROM blog")
    new.close()
    instants = {"fetched": 1_795_219_200, "read": 1_795_132_800, "not_before": 1_795_222_800}
    assert dict(fetching) == {"blog_id": 7} | values | instants | {"fault_kind": "", "essence": "",
                                                                   "validators": ""}
    assert dict(blog) == {"id": 7} | listed
    db.close()


def at_version(file: Path, version: int) -> sqlite3.Connection:
    """A database as a release with that version would have left it."""
    old = sqlite3.connect(file, isolation_level=None)
    old.executescript((Path(__file__).with_name("schema-1.sql")).read_text(encoding="utf-8"))
    for name in ("terms", "labels", "link_word"):       # without posts none of them is called
        old.create_function(name, 1, str)
    for statement in chain(*UPGRADES[:version - 1]):
        old.execute(statement)
    old.execute(f"PRAGMA user_version = {version}")
    return old


@pytest.mark.parametrize("instant", [
    None, NOW, datetime(2026, 11, 21, 23, 59, 59, 123_456, tzinfo=UTC), datetime(1969, 12, 31, tzinfo=UTC),
    datetime(2026, 2, 28, 0, 0, 0, 1, tzinfo=UTC), datetime(9998, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)])
def test_instants_of_asking_a_blog_keep_their_second_where_they_become_numbers(tmp_path, instant) -> None:
    old, text = at_version(tmp_path / "old.db", 8), UtcField().db_value(instant)
    blog = {"id": 7, "name": "Ada", "site": "", "site_key": "", "feed": "f", "feed_key": "f",
            "listed_key": "f", "group": "team", "state": "active", "paused_for": "", "source": "",
            "added": ""}
    names = ", ".join(f'"{name}"' for name in blog)
    old.execute(f"INSERT INTO blog ({names}) VALUES ({', '.join('?' * len(blog))})", list(blog.values()))
    old.execute("UPDATE fetching SET fetched = ?1, read = ?1, not_before = ?1, etag = 'x', "
                "validators = 'etag'", (text,))
    old.close()
    database.open(tmp_path / "old.db")
    found = Fetching.get()
    second = instant and instant.replace(microsecond=0)
    assert (found.fetched, found.read, found.not_before) == (second, second, second)
    assert (found.blog_id, found.etag, found.validators, found.failures) == (7, "x", "etag", 0)
    assert set(db.execute_sql("SELECT typeof(fetched), typeof(read), typeof(not_before) FROM fetching")) == {
        ("null" if instant is None else "integer",) * 3}
    db.close()


@pytest.mark.parametrize("index", [fulltext.INDEX, links.INDEX])
def test_an_upgraded_index_is_kept_in_order_as_a_new_one(tmp_path: Path, index: str) -> None:
    at_version(tmp_path / "old.db", 8).close()
    for file in ("old.db", "new.db"):
        database.open(tmp_path / file)
        kept = dict(db.execute_sql(f"SELECT k, v FROM {index}_config").fetchall())
        assert {name: kept[name] for name in kept if "merge" in name} == {
            "automerge": 0, "usermerge": 16, "crisismerge": 1000}
        db.close()


@pytest.mark.usefixtures("path")
def test_a_blog_has_what_became_of_asking_it_however_it_came_on_the_list() -> None:
    values = {"name": "", "feed": "", "added": NOW}
    Blog.insert_many([values | {"feed_key": key} for key in "ab"]).execute()
    Blog.create(feed_key="c", **values)
    found = [(blog.feed_key, blog.fetching.failures) for blog in Fetching.blogs().order_by(Blog.id)]
    assert found == [("a", 0), ("b", 0), ("c", 0)]


def test_two_processes_that_upgrade_at_once_do_it_once(first: Path) -> None:
    other = sqlite3.connect(first, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute(ADD_COLOUR)
    other.execute("PRAGMA user_version = 2")

    def second() -> None:
        with database.connected():
            database.upgrade([[ADD_COLOUR], ["CREATE TABLE shade (name TEXT)"]])
    thread = threading.Thread(target=second)
    thread.start()
    time.sleep(0.3)                             # by then it has seen version 1, and waits
    other.execute("COMMIT")
    other.close()
    thread.join()
    assert (db.pragma("user_version"), db.table_exists("shade")) == (3, True)


def test_a_file_of_a_newer_release_is_refused_and_stays_as_it_was(path: Path) -> None:
    newer = database.VERSION + 1
    a_subscriber()
    db.pragma("user_version", newer)
    before = dump()
    with pytest.raises(database.DatabaseError, match=f"version {newer}, written by a newer DevDigest"):
        database.open(path)
    assert db.is_closed()
    with sqlite3.connect(path) as raw:
        assert raw.execute("PRAGMA user_version").fetchone() == (newer,)
        assert "\n".join(raw.iterdump()) == before
    raw.close()


def test_a_copy_of_the_file_is_whole_once_the_last_connection_is_closed(path: Path, tmp_path: Path) -> None:
    a_subscriber()
    db.close()
    copy = shutil.copy(path, tmp_path / "copy.db")
    database.open(copy)
    assert Subscriber.of("ada@example.org") is not None


# Instants and days

@pytest.mark.usefixtures("path")
class TestTimes:
    def test_an_instant_comes_back_aware_whatever_zone_it_went_in_with(self) -> None:
        Run.create(job="collect", started=datetime(2026, 11, 22, 10, 0, 0, 123_456, tzinfo=KST))
        started = Run.get().started
        assert (started, started.tzinfo) == (datetime(2026, 11, 22, 1, 0, 0, 123_456, tzinfo=UTC), UTC)

    def test_an_instant_without_a_zone_is_refused(self) -> None:
        naive = datetime(2026, 11, 22)       # noqa: DTZ001
        with pytest.raises(ValueError, match="an instant without a zone"):
            Run.create(job="collect", started=naive)
        with pytest.raises(ValueError, match="an instant without a zone"):
            Fetching.update(read=naive).execute()

    def test_an_instant_kept_as_a_number_keeps_its_second_and_is_found_by_any_zone(self) -> None:
        a_blog(read=datetime(2026, 11, 22, 10, 0, 0, 123_456, tzinfo=KST))
        read = Fetching.get().read
        assert (read, read.tzinfo) == (datetime(2026, 11, 22, 1, 0, tzinfo=UTC), UTC)
        assert Fetching.select().where(Fetching.read == read.astimezone(KST)).count() == 1
        assert Fetching.select().where(Fetching.read < read.astimezone(KST)).count() == 0

    def test_instants_of_any_zone_are_found_and_put_in_the_order_of_time(self) -> None:
        times = [datetime(2026, 11, 21, 23, 59, 59, 999_000, tzinfo=UTC),
                 datetime(2026, 11, 22, 9, 0, tzinfo=KST),
                 datetime(2026, 11, 22, 9, 0, 0, 1_000, tzinfo=KST), datetime(2026, 11, 22, 0, 1, tzinfo=UTC)]
        for started in reversed(times):
            Run.create(job="collect", started=started)
        assert [run.started for run in Run.select().order_by(Run.started)] == times
        noon = datetime(2026, 11, 22, 12, 0, tzinfo=timezone(timedelta(hours=12)))       # 00:00 UTC
        assert Run.select().where(Run.started < noon).count() == 1
        assert Run.select().where(Run.started == noon).count() == 1

    @pytest.mark.parametrize("published", [None, date(2026, 11, 20),
                                           datetime(2026, 11, 20, 0, 0, tzinfo=UTC),
                                           datetime(2026, 11, 20, 23, 59, 59, 999_000, tzinfo=UTC)])
    def test_what_a_feed_declares_comes_back_as_the_day_or_the_instant_it_was(self, published) -> None:
        a_post(a_blog(), published=published)
        declared = Post.get().published
        assert (type(declared), declared) == (type(published), published)

    def test_a_day_comes_back_as_a_day(self) -> None:
        an_issue()
        assert Issue.get().day == TODAY
        assert type(Issue.get().day) is date
