"""The first list of blogs, taken in before the first collect, by the release and as the services' user."""
import os
from collections.abc import Iterator
from pathlib import Path

from installer.acceptance import AWESOME, NO_BLOGS
from installer.children import ask
from installer.tell import OK, WARN

_AT = "https://raw.githubusercontent.com/awesome-devblog/awesome-devblog/master/"
_LISTS = ((f"{_AT}db.yml", "people"), (f"{_AT}db_community.yml", "team"),
          (f"{_AT}db_overseas.yml", "overseas"))
_PATIENCE = 600         # seconds


def fill(release: Path, which: str) -> Iterator[tuple[str, str, str, str]]:
    """What to tell, a line for each list; nothing where there are blogs already."""
    if which == NO_BLOGS or run(release, "blogs", "list", "--json")[1].strip() != "[]":
        return
    for name, group in _LISTS if which == AWESOME else ((which, "people"),):
        status, said = run(release, "blogs", "import", name, "--group", group)
        rows = [row.strip() for row in said.splitlines() if row.strip()] or ["no word"]
        told = rows[-1].removeprefix("devdigest: ").replace(name, name.rpartition("/")[2])
        if status:
            yield WARN, "blogs", told, "sudo ./setup.sh tries again; by hand: sudo devdigest blogs import"
            return                      # the others come from the same place
        yield (WARN, "blogs", told, f"sudo devdigest blogs import {name} tells why") if " 0 added" in told \
            else (OK, "blogs", told, "")


def run(release: Path, *words: str) -> tuple[int, str]:
    """A command of a release that need not be in use yet."""
    os.environ["DEVDIGEST_PROGRAM"] = str(release / "bin/devdigest")
    return ask(str(release / "deploy/bin/as-service"), *words, seconds=_PATIENCE)
