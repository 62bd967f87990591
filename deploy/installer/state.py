"""What an upgrade was about to do, on the disk before it does it; and what became of the last one."""
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from installer.effects import Effects
from installer.layout import Layout
from installer.tell import Refused

STOPPED, SWITCHING, COMMITTED = "stopped", "switching", "committed"


@dataclass(frozen=True)
class State:
    """Names of releases; `old` is "" at the first installation, `schema` None where there was no database."""
    phase: str
    old: str
    new: str
    schema: int | None
    kept: str = "before.db"             # the copy of the database as it was, in kept_folder()
    why: str = ""                       # it failed; "" where it was cut off


def path(layout: Layout) -> Path:
    """While it exists the worker begins nothing, and devdigest-recover.service has something to do."""
    return layout.upgrade / "state"


def kept_folder(layout: Layout) -> Path:
    """The service user's: whoever is root opens nothing in it, nor in the data folder."""
    return layout.upgrade / "database"


def read(layout: Layout) -> State | None:
    try:
        return State(**json.loads(path(layout).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise Refused(f"{path(layout)} cannot be understood: {error}",
                      "it was written by another release: run setup.sh of that one") from error


def write(layout: Layout, on: Effects, state: State) -> None:
    on.write(path(layout), json.dumps(asdict(state)) + "\n")


def tell_owner(layout: Layout, on: Effects, result: str, said: str) -> None:
    """One line for `check` and `status`: result, instant, sentence."""
    on.write(layout.upgrade / "last", f"{result} {datetime.now(UTC):%Y-%m-%dT%H:%MZ} {said}\n")
