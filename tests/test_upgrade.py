"""From release to release: what fails is taken back, and no death of setup tears code and database apart."""
import os
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from sqlite3 import connect

import pytest
from appliance import NEW, OLD, READERS, Machine, faults, installed, put_release
from installer import databases, recover
from installer.layout import Layout
from installer.phases import rollback, switch
from installer.release import Tell
from installer.tell import Refused

HERE = Path(__file__).parent


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """The old release runs; the new one, with another schema, is built."""
    layout = installed(tmp_path)
    put_release(layout, NEW, 2)
    return layout


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def tell(told: list[str]) -> Tell:
    return lambda *words: told.append(" ".join(words))


def runs(layout: Layout) -> str:
    assert faults(layout) == []
    return layout.current.resolve().name


def upgraded(layout: Layout, tell: Tell, broken: str = "") -> str:
    return switch(layout, layout.releases / NEW, tell, on=Machine(layout, broken=broken), watch=0)


def readers(path: Path) -> int:
    with closing(connect(path)) as database:
        return database.execute("SELECT count(*) FROM subscriber").fetchone()[0]


def test_an_upgrade_brings_code_database_and_units(layout: Layout, tell: Tell) -> None:
    assert upgraded(layout, tell) == "upgraded"
    assert runs(layout) == NEW
    assert (layout.upgrade / "last").read_text().startswith("upgraded ")


def test_what_runs_already_is_left_as_it_is(layout: Layout, tell: Tell) -> None:
    upgraded(layout, tell)
    assert upgraded(layout, tell) == "unchanged"
    assert runs(layout) == NEW


@pytest.mark.parametrize(("broken", "why"), [
    ("upgrade", "no such column"), ("start", "devdigest-web.service"), ("health", "did not answer as"),
    ("restarts", "did not stay up")])
def test_what_fails_is_taken_back_and_says_why(layout: Layout, tell: Tell, broken: str, why: str) -> None:
    with pytest.raises(Refused, match=f"{why}.*{OLD} runs again"):
        upgraded(layout, tell, broken)
    assert runs(layout) == OLD
    assert re.match(f"rolled-back .*{why}", (layout.upgrade / "last").read_text())


@pytest.mark.parametrize(("broken", "why"), [
    ("rehearsal", "no such column"), ("readers", "would lose 1 of subscriber"), ("mailing", "not now")])
def test_what_a_copy_shows_costs_no_downtime(layout: Layout, tell: Tell, broken: str, why: str) -> None:
    machine = Machine(layout, broken=broken)
    with pytest.raises(Refused, match=why):
        switch(layout, layout.releases / NEW, tell, on=machine, watch=0)
    assert not [words for words in machine.told if words.startswith("stop")]
    assert runs(layout) == OLD
    assert not list((layout.upgrade / "database").iterdir())


def test_an_issue_that_is_mailed_waits_for_nobody_who_says_now(layout: Layout, tell: Tell) -> None:
    machine = Machine(layout, broken="mailing")
    assert switch(layout, layout.releases / NEW, tell, now=True, on=machine, watch=0) == "upgraded"


def test_a_database_of_a_newer_release_is_not_touched(layout: Layout, tell: Tell) -> None:
    upgraded(layout, tell)
    old = Machine(layout)
    with pytest.raises(Refused, match="written by a newer DevDigest") as refused:
        switch(layout, layout.releases / OLD, tell, on=old, watch=0)
    assert refused.value.status == 2
    assert runs(layout) == NEW


def test_the_first_installation_has_nothing_to_go_back_to(tmp_path: Path, tell: Tell) -> None:
    layout = Layout(tmp_path)
    for folder in (layout.upgrade, layout.units, layout.data):
        folder.mkdir(parents=True)
    put_release(layout, NEW, 2)
    with pytest.raises(Refused, match=r"the installation of .* failed: .*; nothing is installed"):
        upgraded(layout, tell, "health")
    assert not layout.current.is_symlink()
    assert not list(layout.units.iterdir())
    assert upgraded(layout, tell) == "installed"
    assert layout.current.resolve().name == NEW


def test_two_releases_stay_and_the_database_from_before(layout: Layout, tell: Tell) -> None:
    put_release(layout, "0.0.1-ccccccc", 1)
    upgraded(layout, tell)
    assert {folder.name for folder in layout.releases.iterdir()} == {OLD, NEW}
    assert readers(layout.upgrade / "database/before.db") == READERS


def test_back_to_the_same_schema_loses_nothing(tmp_path: Path, tell: Tell, told: list[str]) -> None:
    layout = installed(tmp_path)
    put_release(layout, NEW, 1)
    upgraded(layout, tell)
    with closing(connect(layout.database)) as database, database:
        database.execute("INSERT INTO subscriber (email) VALUES ('ada@example.org')")
    told.clear()
    assert rollback(layout, tell, on=Machine(layout), watch=0) == "rolled-back"
    assert readers(layout.database) == READERS + 1
    assert layout.current.resolve().name == OLD
    assert not told


def test_back_to_another_schema_says_what_is_lost_and_asks(layout: Layout, tell: Tell,
                                                           told: list[str]) -> None:
    upgraded(layout, tell)
    with closing(connect(layout.database)) as database, database:
        database.execute("INSERT INTO subscriber (email) VALUES ('ada@example.org')")
    with pytest.raises(Refused, match="not confirmed"):
        rollback(layout, tell, ask=lambda question: "no", on=Machine(layout), watch=0)
    assert "lost is 1 of subscriber" in told[-1]
    assert layout.current.resolve().name == NEW
    assert rollback(layout, tell, ask=lambda question: "yes", on=Machine(layout), watch=0) == "rolled-back"
    assert runs(layout) == OLD


def test_without_a_copy_for_its_schema_there_is_no_way_back(layout: Layout, tell: Tell) -> None:
    upgraded(layout, tell)
    (layout.upgrade / "database/before.db").unlink()
    with pytest.raises(Refused, match="no copy of that is kept"):
        rollback(layout, tell, yes=True, on=Machine(layout), watch=0)
    assert runs(layout) == NEW


def test_a_way_back_that_fails_leaves_what_ran(layout: Layout, tell: Tell) -> None:
    upgraded(layout, tell)

    class NoOld(Machine):
        def health(self, listen: str) -> str:
            return ""
    with pytest.raises(Refused, match=f"{NEW} runs again"):
        rollback(layout, tell, yes=True, on=NoOld(layout), watch=0)
    assert runs(layout) == NEW


def test_a_log_beside_a_file_put_in_place_is_not_replayed_into_it(layout: Layout) -> None:
    before = layout.upgrade / "before.db"
    databases.copy(layout.database, before)
    writer = connect(layout.database, isolation_level=None)
    writer.execute("PRAGMA user_version = 2")
    log = layout.database.with_name("devdigest.db-wal")
    kept = log.read_bytes()
    writer.close()
    log.write_bytes(kept)               # as a power cut leaves it
    assert databases.put(before, layout.database)["schema"] == 1
    assert databases.facts(layout.database)["schema"] == 1


def test_a_damaged_database_is_not_taken_for_a_copy(layout: Layout) -> None:
    with closing(connect(layout.database)) as database, database:
        database.executemany("INSERT INTO subscriber (email) VALUES (?)", [("x" * 500,)] * 200)
    damaged = bytearray(layout.database.read_bytes())
    damaged[8192:40960] = b"\xff" * 32768
    layout.database.write_bytes(damaged)
    done = subprocess.run([sys.executable, "-I", databases.__file__, "copy", str(layout.database),
                           str(layout.upgrade / "before.db")], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert not (layout.upgrade / "before.db").exists()


def test_a_second_setup_is_told_of_the_first(layout: Layout) -> None:
    with recover.locked(layout), pytest.raises(recover.Busy, match="another setup is running"), \
            recover.locked(layout):
        pass
    with recover.locked(layout):        # it ended
        pass


def test_a_phase_that_cannot_be_read_is_not_guessed(layout: Layout) -> None:
    (layout.upgrade / "state").write_text('{"phase": "elsewhere"')
    with pytest.raises(Refused, match="cannot be understood"):
        recover.recover(layout, Machine(layout))


@pytest.mark.parametrize(("words", "least"), [
    ((), 100), pytest.param(("again",), 500, marks=pytest.mark.slow)])
def test_setup_may_die_anywhere_and_again_in_the_recovery(tmp_path: Path, words: tuple[str, ...],
                                                          least: int) -> None:
    folder = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else tmp_path      # thousands of fsyncs
    paths = os.pathsep.join(map(str, (HERE, HERE.parent / "deploy", HERE.parent)))
    done = subprocess.run([sys.executable, str(HERE / "dying_upgrades.py"), *words], text=True, check=False,
                          env={**os.environ, "TMPDIR": str(folder), "PYTHONPATH": paths}, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.split()[-2]) > least, "it died too seldom to prove anything"
