"""The new code on a copy of the old database: upgraded, proven, or refused with the reason."""
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from devdigest import database

ROOT = Path(__file__).parents[1]


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as made:
        made.executescript((ROOT / "tests/schema-1.sql").read_text())
    return path


def rehearsed(path: Path, settings: str = "") -> "subprocess.CompletedProcess[str]":
    config = next(folder for folder in path.parents if folder.is_dir()) / "config.toml"
    config.write_text(settings)
    return subprocess.run([sys.executable, "-m", "devdigest.rehearse", str(path), str(config)], cwd=ROOT,
                          capture_output=True, text=True, check=False)


def test_a_copy_is_upgraded_and_told_of(old: Path) -> None:
    done = rehearsed(old, '[web]\nlisten = "127.0.0.1:8090"')
    assert json.loads(done.stdout) == {"schema": database.VERSION, "listen": "127.0.0.1:8090",
                                       "database": "var/devdigest.db", "mailing": ""}, done.stderr


def test_settings_that_the_new_code_does_not_know_are_found_before(old: Path) -> None:
    done = rehearsed(old, "[web]\nears = 2")
    assert (done.returncode, "[web] ears: unknown key" in done.stderr) == (1, True)


def test_rows_that_name_what_is_not_there_are_found_before(old: Path) -> None:
    rehearsed(old)
    with closing(sqlite3.connect(old)) as made, made:
        made.execute("INSERT INTO fetching (blog_id) VALUES (77)")
    done = rehearsed(old)
    assert (done.returncode, "that is not there" in done.stderr) == (1, True), done.stderr


def test_a_database_of_a_newer_release_is_refused(old: Path) -> None:
    with closing(sqlite3.connect(old)) as made:
        made.execute("PRAGMA user_version = 99")
    done = rehearsed(old)
    assert (done.returncode, "newer DevDigest" in done.stderr) == (1, True)


def test_a_place_where_no_database_can_be_is_told(old: Path) -> None:
    done = rehearsed(old / "new.db")
    assert done.returncode == 1
    assert f"{old / 'new.db'}: [Errno" in done.stderr


def test_a_folder_that_it_may_not_write_to_is_named(old: Path) -> None:
    old.with_name("old.db.lock").mkdir()
    done = rehearsed(old)
    assert (done.returncode, str(old) in done.stderr, "Is a directory" in done.stderr) == (1, True, True)
