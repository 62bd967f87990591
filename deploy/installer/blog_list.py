"""The first list of blogs, taken in before the first collect, by the release and as the services' user."""
import os
from pathlib import Path

from installer.acceptance import AWESOME, NO_BLOGS
from installer.children import ask
from installer.tell import OK, WARN

_AT = "https://raw.githubusercontent.com/awesome-devblog/awesome-devblog/master/"
_LISTS = (("db.yml", "people"), ("db_community.yml", "team"), ("db_overseas.yml", "overseas"))
_PATIENCE = 600         # seconds


def fill(release: Path, which: str) -> list[tuple[str, str, str, str]]:
    """What to tell, a line for each list."""
    if which == NO_BLOGS:
        return [(OK, "blogs", "none yet", "sudo devdigest blogs import FILE-OR-URL")]
    lists = [(_AT + name, group) for name, group in _LISTS] if which == AWESOME else [(which, "people")]
    return [_taken(release, name, group) for name, group in lists]


def _taken(release: Path, name: str, group: str) -> tuple[str, str, str, str]:
    words = ("blogs", "import", name, "--group", group)
    status, said = run(release, *words)
    rows = [row.strip() for row in said.splitlines() if row.strip()] or ["no word"]
    told = rows[-1].removeprefix("devdigest: ").replace(name, name.rpartition("/")[2])
    if status:
        return WARN, "blogs", told, f"sudo devdigest {' '.join(words)}"
    return OK, "blogs", told, ""


def run(release: Path, *words: str) -> tuple[int, str]:
    """A command of a release that need not be in use yet."""
    os.environ["DEVDIGEST_PROGRAM"] = str(release / "bin/devdigest")
    return ask(str(release / "deploy/bin/as-service"), *words, seconds=_PATIENCE)
