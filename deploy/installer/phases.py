"""From one release to another: every phase on the disk before it begins, so that a power cut ends nowhere."""
from pathlib import Path

from installer.effects import Effects
from installer.layout import Layout
from installer.release import Tell


def switch(layout: Layout, release: Path, tell: Tell, *, now: bool = False, on: Effects | None = None) -> str:
    """Makes `release` (of release.build) the one that runs: rehearsed, recorded, watched, committed.

    "installed", "upgraded" or "unchanged". Places the units of the release, enables and starts them. The
    config, its credentials and the user must be there. `now`: also while an issue is being mailed.
    Raises Refused; then the old release runs again. Call it within recover.locked().
    """
    raise NotImplementedError


def rollback(layout: Layout, tell: Tell, *, yes: bool = False, on: Effects | None = None) -> str:
    """Back to the release before. "rolled-back". Asks before readers or issues are lost, unless `yes`."""
    raise NotImplementedError
