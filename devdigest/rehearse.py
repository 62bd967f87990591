"""`python -m devdigest.rehearse FILE CONFIG`: brings a database to this release's version, and proves it.

What setup asks of the new code: first for a copy while the old release serves, then for the file itself.
"""
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import peewee

from devdigest import agenda, config, database
from devdigest.config import Config, ConfigError
from devdigest.table import db
from devdigest.terminal import complain


def rehearse(path: Path, settings: Config, now: datetime) -> dict[str, Any]:
    """What the installer wants to know. Raises DatabaseError for a file that the new code cannot use."""
    database.open(path)
    try:
        _prove(path)
        return {"schema": db.pragma("user_version"), "listen": settings.web.listen,
                "database": str(Path(settings.database.path)), "mailing": agenda.mailing(settings, now)}
    finally:
        db.close()


def _prove(path: Path) -> None:
    said = db.execute_sql("PRAGMA integrity_check(1)").fetchone()[0]
    if said != "ok":
        raise database.DatabaseError(f"{path}: damaged after the upgrade: {said}")
    if (row := db.execute_sql("PRAGMA foreign_key_check").fetchone()) is not None:
        raise database.DatabaseError(f"{path}: after the upgrade a row of {row[0]} names one of {row[2]} "
                                     f"that is not there")


def main(path: str, settings: str) -> int:
    try:
        print(json.dumps(rehearse(Path(path), config.load(Path(settings)), datetime.now(UTC))))
    except (ConfigError, database.DatabaseError, peewee.PeeweeException, OSError) as error:
        complain(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
