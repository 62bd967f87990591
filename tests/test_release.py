"""A release: what git knows of, in its final place, with its own venv, or nothing."""
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from installer import release
from installer.layout import Layout
from installer.tell import Refused

ROOT = Path(__file__).parents[1]
MODULE = 'import os, sys\nprint(os.environ["DEVDIGEST_RELEASE"], sys.argv[1:])\n'


def tell(*words: str) -> None:
    """Nobody listens."""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A program that needs no package."""
    source = tmp_path / "checkout"
    texts = {"devdigest/__init__.py": '__version__ = "0.1.0"\n', "devdigest/database.py": "VERSION = 6\n",
             "devdigest/__main__.py": MODULE, "requirements.txt": "# none\n", "setup.sh": "#!/bin/sh\n",
             "deploy/bin/devdigest": (ROOT / "deploy/bin/devdigest").read_text(),
             ".venv/lib": "", "var/x.db": ""}
    for name, text in texts.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(text)
    (source / "setup.sh").chmod(0o755)
    return source


def git(source: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(source), "-c", "user.name=Ada", "-c", "user.email=ada@example.org",
                    *words], check=True, capture_output=True)


def committed(source: Path) -> None:
    git(source, "init")
    git(source, "add", "--force", "devdigest", "deploy", "setup.sh", "requirements.txt")
    git(source, "commit", "-m", "one")


def test_a_release_is_named_by_its_commit_and_what_differs_from_it(source: Path) -> None:
    without = release.version(source)
    committed(source)
    clean = release.version(source)
    (source / "devdigest/database.py").write_text("VERSION = 7\n")
    dirty = release.version(source)
    (source / "devdigest/database.py").write_text("VERSION = 8\n")
    assert [name.count("-") for name in (without, clean, dirty)] == [1, 1, 3]
    assert dirty.startswith(f"{clean}-dirty-")
    assert len({without, clean, dirty, release.version(source)}) == 4


def test_a_folder_that_is_no_checkout_is_refused(tmp_path: Path) -> None:
    (tmp_path / "devdigest").mkdir()
    (tmp_path / "devdigest/__init__.py").write_text("")
    with pytest.raises(Refused, match="tells no version"):
        release.version(tmp_path)


def test_a_release_runs_by_itself_and_is_built_once(source: Path, tmp_path: Path) -> None:
    committed(source)
    layout = Layout(tmp_path)
    rubbish = layout.releases / "0.1.0-cut0ff"
    (rubbish / "venv").mkdir(parents=True)
    (source / "untracked").write_text("")
    (source / "link").symlink_to("/etc/shadow")
    git(source, "add", "link")
    umask = os.umask(0o077)
    try:
        folder = release.build(layout, source, tell)
    finally:
        os.umask(umask)
    layout.current.symlink_to(folder)
    assert not rubbish.exists()
    assert {path.name for path in folder.iterdir()} == {"devdigest", "deploy", "setup.sh", "requirements.txt",
                                                        "venv", "bin", ".complete"}
    assert (folder / "setup.sh").stat().st_mode & 0o777 == 0o755
    assert (folder / "devdigest/database.py").stat().st_mode & 0o777 == 0o644
    assert (folder / "venv/bin").stat().st_mode & 0o055 == 0o055
    assert release.current(layout) == release.Release(folder, f"3.{sys.version_info.minor}", 6)
    said = subprocess.run([str(layout.current / "bin/devdigest"), "status"], capture_output=True, text=True,
                          check=True).stdout
    assert said == f"{folder.name} ['status']\n"
    whole = sorted((str(path), path.lstat().st_mtime_ns) for path in folder.rglob("*"))
    assert release.build(layout, source, tell) == folder
    assert release.build(layout, layout.current, tell) == folder       # setup.sh of the release itself
    assert sorted((str(path), path.lstat().st_mtime_ns) for path in folder.rglob("*")) == whole


def test_packages_that_cannot_be_had_leave_no_release(source: Path, tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    (source / "requirements.txt").write_text("--no-index\nno-such-package-of-ours==1\n")
    with pytest.raises(Refused, match=r"the packages cannot be fetched: .*no-such-package-of-ours"):
        release.build(layout, source, tell)
    assert release.complete(layout) == []
    release.sweep(layout)
    assert not list(layout.releases.iterdir())


def test_a_release_of_another_python_gets_a_neighbour(source: Path, tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    folder = layout.releases / release.version(source)
    folder.mkdir(parents=True)
    (folder / ".complete").write_text(json.dumps({"python": "3.9", "schema": 6}))
    assert release.place(layout, source).name.startswith(f"{folder.name}-py3.")


def test_sweeping_keeps_what_is_named(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    for name in ("one", "two", "three"):
        (layout.releases / name).mkdir(parents=True)
        (layout.releases / name / ".complete").write_text(json.dumps({"python": "3.11", "schema": 6}))
    release.sweep(layout, keep=("one", "two"))
    assert {one.name for one in release.complete(layout)} == {"one", "two"}
