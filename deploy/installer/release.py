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
    number = re.search(r'__version__ = "(.+?)"', (source / "devdigest/__init__.py").read_text(encoding="utf-8"))
    if number is None:
        raise Refused(f"{source} is no DevDigest: devdigest/__init__.py tells no version", "git clone it again")
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

    Raises Refused.
    """
    raise NotImplementedError
