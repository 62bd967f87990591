"""A disk that fills: collecting waits first, leaving goes on, and nothing is ever torn."""
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import a_blog
from test_worker import said, until, working

from devdigest import database, departures, presence, room
from devdigest.config import Config
from devdigest.memory import Run
from devdigest.room import NoRoom
from devdigest.table import db

SMALL = "12m"
ADD = ("subscribers", "add", "--confirmed", "--source", "test")
SETTINGS = """\
[site]
clock = "trust"
[collect]
allow_private = true
[mail]
maildir = "{folder}/mail"
[database]
path = "{folder}/devdigest.db"
"""


def test_what_is_begun_again_wants_more_than_what_goes_on(tmp_path: Path) -> None:
    free = room.free(tmp_path)
    room.require("collect", tmp_path, free - 10_000_000)
    with pytest.raises(NoRoom, match="collect waits"):
        room.require("collect", tmp_path, free - 10_000_000, again=True)
    assert room.free(tmp_path / "not/yet/there") == pytest.approx(free, abs=50_000_000)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of twelve megabytes."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", str(folder)],
                      capture_output=True, check=False).returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield folder
    if not db.deferred:
        db.close()
    presence.leave()
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def devdigest(disk: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    (disk / "config.toml").write_text(SETTINGS.format(folder=disk))

    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        settings = ("--config", str(disk / "config.toml"))
        return subprocess.run([sys.executable, "-m", "devdigest", *settings, *words],
                              cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False)
    run("init")
    return run


def fill(disk: Path) -> Path:
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(b"\0" * 4096) == 4096:
                pass
        except OSError:
            pass
    return ballast


def test_on_a_disk_nearly_full_nothing_is_collected_and_readers_come_and_go(
        disk: Path, devdigest: Callable[..., "subprocess.CompletedProcess[str]"]) -> None:
    assert devdigest(*ADD, "ada@example.org").returncode == 0
    collected = devdigest("collect")
    assert (collected.returncode, "collect waits" in collected.stderr) == (1, True)
    assert "make room" in collected.stderr
    assert devdigest("subscribers", "remove", "ada@example.org").returncode == 0
    assert "nothing is collected" in devdigest("status").stdout
    assert (disk / "backups" / departures.NAME).exists()


def test_on_a_full_disk_nothing_is_torn_and_all_goes_on_once_there_is_room(
        disk: Path, devdigest: Callable[..., "subprocess.CompletedProcess[str]"]) -> None:
    for name in ("ada", "bob"):
        devdigest(*ADD, f"{name}@example.org")
    ballast = fill(disk)
    for words in ((*ADD, "eve@example.org"), ("backup",), ("publish",), ("status",)):
        done = devdigest(*words)
        assert "Traceback" not in done.stderr, done.stderr
        assert done.returncode in (0, 1)
        assert done.returncode == 0 or "full" in done.stderr or "room" in done.stderr, done.stderr
    ballast.unlink()
    assert devdigest("subscribers", "remove", "ada@example.org").returncode == 0
    with closing(sqlite3.connect(disk / "devdigest.db")) as there:
        assert there.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert ("ada@example.org", "cancelled") in there.execute("SELECT email, state FROM subscriber")
    assert not list((disk / "backups").glob(".*.part*"))


def test_whoever_leaves_while_the_disk_is_full_has_left_or_is_told_that_it_failed(
        disk: Path, devdigest: Callable[..., "subprocess.CompletedProcess[str]"]) -> None:
    devdigest(*ADD, "ada@example.org")
    ballast = fill(disk)
    done = devdigest("subscribers", "remove", "ada@example.org")
    ballast.unlink()
    devdigest("deliver")        # obeys the log
    with closing(sqlite3.connect(disk / "devdigest.db")) as there:
        [(state,)] = there.execute("SELECT state FROM subscriber")
    assert state == "cancelled" or (done.returncode == 1 and "make room" in done.stderr)
    assert "Traceback" not in done.stderr


def test_a_worker_says_once_that_the_disk_is_nearly_full(disk: Path, config: Config,
                                                         caplog: pytest.LogCaptureFixture) -> None:
    config = replace(config, database=replace(config.database, path=str(disk / "devdigest.db")),
                     backup=replace(config.backup, where=str(disk / "backups")))
    database.open(config.database.path)
    a_blog(feed="http://127.0.0.1:9/feed")
    with working(config):
        until(lambda: said(caplog, "collect waits"))
    assert said(caplog, "collect waits") == 1
    assert Run.last("collect", finished=False) is None
