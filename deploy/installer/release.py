"""Builds a release: a folder of code with its own venv in its final place (a venv cannot be moved).

A folder without `.complete` is rubbish of a build that was cut off; one with it is never changed again.
"""
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from installer import files
from installer.children import ask, reason
from installer.layout import Layout
from installer.tell import OK, Refused

Tell = Callable[..., None]              # tell.line

_NOT_CODE = {".git", ".venv", "var", "__pycache__", ".pytest_cache", ".ruff_cache", ".hypothesis"}
_BUILD = 1800                           # seconds for pip on a Pi Zero with a slow line
_MARK = ".complete"


@dataclass(frozen=True)
class Release:
    """What `.complete` tells of a folder."""
    folder: Path
    python: str                         # 3.11: a venv dies with the Python it was made by
    schema: int                         # version of the database that this code reads

    @property
    def name(self) -> str:
        return self.folder.name


def version(source: Path) -> str:
    """`0.1.0-abc1234`; what differs from the commit adds a hash of its own, as does a source without git."""
    text = (source / "devdigest/__init__.py").read_text(encoding="utf-8")
    number = re.search(r'__version__ = "(.+?)"', text)
    if number is None:
        raise Refused(f"{source}: devdigest/__init__.py tells no version", "git clone it again")
    tracked, commit = _tracked(source), _git(source, "rev-parse", "--short=7", "HEAD")
    if tracked is None or not commit:
        return f"{number[1]}-{_fingerprint(source, _everything(source))}"
    if _git(source, "status", "--porcelain", "--untracked-files=no"):
        return f"{number[1]}-{commit}-dirty-{_fingerprint(source, tracked)}"
    return f"{number[1]}-{commit}"


def complete(layout: Layout) -> list[Release]:
    """Newest first."""
    marks = sorted(layout.releases.glob(f"*/{_MARK}"), key=lambda mark: mark.stat().st_mtime_ns, reverse=True)
    return [read(mark.parent) for mark in marks]


def read(folder: Path) -> Release:
    """Raises Refused where it is not complete."""
    try:
        facts = json.loads((folder / _MARK).read_text(encoding="utf-8"))
        return Release(folder, str(facts["python"]), int(facts["schema"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Refused(f"release {folder.name} is not whole: {error}", "sudo ./setup.sh") from error


def current(layout: Layout) -> Release | None:
    """The release that the link names; None without one."""
    return read(layout.current.resolve()) if layout.current.exists() else None


def build(layout: Layout, source: Path, tell: Tell) -> Path:
    """The complete release folder of what `source` holds; at once where it is there already.

    Raises Refused. What a build that was cut off had left is removed.
    """
    if source.resolve().parent == layout.releases.resolve():
        return read(source.resolve()).folder            # setup.sh of a release, run where it lies
    folder = place(layout, source)
    if (folder / _MARK).exists():
        return folder
    umask = os.umask(0o022)             # the services are to read it, whatever root's own habit is
    try:
        sweep(layout)
        _copy(source, folder)
        tell(OK, "code", folder.name)
        _install(folder)
        facts = {"python": _python(), "schema": _schema(folder)}
        _run(["sync", "-f", str(folder)], "the disk cannot be written to the end", "look at `sudo dmesg`")
        files.replace(folder / _MARK, json.dumps(facts) + "\n")
        tell(OK, "code", "its packages are installed, checked and compiled")
    finally:
        os.umask(umask)
    return folder


def sweep(layout: Layout, keep: Iterable[str] | None = None) -> None:
    """Removes unfinished releases, and all but those of the names to `keep` where these are told."""
    wanted = None if keep is None else set(keep)
    for folder in layout.releases.glob("*/"):
        if not (folder / _MARK).exists() or (wanted is not None and folder.name not in wanted):
            # first the mark: what a power cut leaves of it must not look whole
            files.remove(folder / _MARK)
            shutil.rmtree(folder)


def place(layout: Layout, source: Path) -> Path:
    """Where the release of `source` lies, or will; elsewhere if its venv is another Python's."""
    folder = layout.releases / version(source)
    if (folder / _MARK).exists() and read(folder).python != _python():
        return folder.with_name(f"{folder.name}-py{_python()}")
    return folder


def _python() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _copy(source: Path, folder: Path) -> None:
    tracked = _tracked(source)
    for name in _everything(source) if tracked is None else tracked:
        if (source / name).is_symlink() or not (source / name).is_file():
            continue                    # a link could lead anywhere, and root reads it
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, target)
        target.chmod(0o755 if (source / name).stat().st_mode & 0o100 else 0o644)
    program = folder / "bin/devdigest"
    program.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(folder / "deploy/bin/devdigest", program)
    program.chmod(0o755)


def _install(folder: Path) -> None:
    python = str(folder / "venv/bin/python")
    pip = [python, "-m", "pip", "--no-cache-dir", "--disable-pip-version-check", "--quiet"]
    _run([sys.executable, "-m", "venv", str(folder / "venv")], "the venv cannot be made",
         "sudo apt install python3-venv")
    _run([*pip, "install", "--requirement", str(folder / "requirements.txt")],
         "the packages cannot be fetched", "is there a way to the internet? then again: sudo ./setup.sh")
    _run([*pip, "check"], "the packages do not fit together", "git pull, then again: sudo ./setup.sh")
    _run([python, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash",
          str(folder / "devdigest"), str(folder / "deploy")], "the code cannot be compiled", "git pull")


def _schema(folder: Path) -> int:
    said = _run([str(folder / "venv/bin/python"), "-P", "-c",
                 "from devdigest.database import VERSION; print(VERSION)"],
                "the code cannot be loaded", "git pull, then again: sudo ./setup.sh", PYTHONPATH=str(folder))
    return int(said)


def _run(command: list[str], what: str, cure: str, **environment: str) -> str:
    """What it printed. Raises Refused with the end of its words."""
    status, said = ask(*command, seconds=_BUILD, PIP_ROOT_USER_ACTION="ignore", **environment)
    if status:
        raise Refused(f"{what}: {reason(status, said)}", cure)
    return said


def _tracked(source: Path) -> list[str] | None:
    """What git knows of, in order; None without git."""
    if not (source / ".git").exists():
        return None
    listed = _git(source, "ls-files", "-z")
    return sorted(filter(None, listed.split("\0"))) or None


def _everything(source: Path) -> list[str]:
    return sorted(str(path.relative_to(source)) for path in source.rglob("*")
                  if path.is_file() and not _NOT_CODE & set(path.relative_to(source).parts))


def _fingerprint(source: Path, names: Iterable[str]) -> str:
    whole = hashlib.sha256()
    for name in names:
        if (source / name).is_file():
            whole.update(f"{name}\0{(source / name).stat().st_size}\0".encode())
            whole.update((source / name).read_bytes())
    return whole.hexdigest()[:8]


def _git(source: Path, *words: str) -> str:
    """What git says, asked as the owner of the checkout: it distrusts others' folders, and so does root.

    "" where it says nothing, or is not there.
    """
    owner = source.stat()
    identity = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "HOME": "/nonexistent"}
    try:
        done = subprocess.run(["git", "--no-optional-locks", "-C", str(source), *words], capture_output=True,
                              text=True, env=environment, check=False, **identity)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
