"""A database that is lost: what to type, and one mail to the owner, noted in a file beside it."""
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

from devdigest import backups, owner_mails, to_owner
from devdigest.config import Config
from devdigest.owner_mails import Told
from devdigest.replies import RelayError
from devdigest.troubles import AGAIN

log = logging.getLogger(__name__)

_TRY_AGAIN = timedelta(hours=1)         # where the mail was not taken; each start of the worker asks
_TOLD = "told\n"


def cure(config: Config) -> str:
    """What to type."""
    if found := backups.found(config.backups):
        return f"the newest backup: devdigest restore {found[0]}"
    return f"{config.backups} has no backup; is there one on another disk? `devdigest restore FILE`"


def tell_owner(config: Config, password: str, fact: str) -> None:
    """Once a week at most; the service ends, so nothing but this and a silent heartbeat tells of it."""
    note, now = note_of(Path(config.database.path)), datetime.now(UTC)
    if not config.site.owner or _is_fresh(note, now):
        return
    letter = owner_mails.trouble(config, [Told("database", fact, cure(config), now)], (), (), now)
    try:
        note.write_text("", encoding="ascii")       # first: a mail that cannot be noted would come again
        to_owner.send(config, password, letter)
        note.write_text(_TOLD, encoding="ascii")
    except (RelayError, OSError) as error:
        log.warning("the mail to the owner waits: %s", error)


def note_of(path: Path) -> Path:
    """The file that remembers that the owner knows; a restore takes it away."""
    return path.with_name(f"{path.name}.lost")


def _is_fresh(note: Path, now: datetime) -> bool:
    try:
        age = now - datetime.fromtimestamp(note.stat().st_mtime, UTC)
        return abs(age) < (AGAIN if note.read_text(encoding="ascii") == _TOLD else _TRY_AGAIN)
    except FileNotFoundError:
        return False
