"""An appliance in a folder: releases of two schemas, a real database, and a systemd that is a table."""
import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from installer import databases, files
from installer.effects import Effects
from installer.layout import Layout
from installer.services import SERVICES, TARGET
from installer.tell import Refused

OLD, NEW = "0.1.0-aaaaaaa", "0.2.0-bbbbbbb"
READERS = 40
_CREATE = "CREATE TABLE subscriber (id INTEGER PRIMARY KEY, email TEXT)"
_TO_2 = ("ALTER TABLE subscriber ADD COLUMN language TEXT", "UPDATE subscriber SET language = 'ko'",
         "CREATE TABLE bounce (id INTEGER PRIMARY KEY)")


def put_release(layout: Layout, name: str, schema: int, units: tuple[str, ...] = (TARGET, *SERVICES)) -> Path:
    folder = layout.releases / name
    (folder / "deploy/systemd").mkdir(parents=True)
    for unit in units:
        (folder / "deploy/systemd" / unit).write_text(f"[Unit]\nDescription={name}\n\n[Install]\n")
    files.replace(folder / ".complete", json.dumps({"python": "3.11", "schema": schema}))
    return folder


def put_database(path: Path, schema: int = 1) -> None:
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = wal")
        database.execute(_CREATE)
        database.executemany("INSERT INTO subscriber (email) VALUES (?)",
                             [(f"reader{number}@example.org",) for number in range(READERS)])
        if schema == 2:
            for statement in _TO_2:
                database.execute(statement)
        database.execute(f"PRAGMA user_version = {schema}")
        database.commit()


def installed(root: Path) -> Layout:
    """The old release runs."""
    layout = Layout(root)
    layout.upgrade.mkdir(parents=True)
    layout.units.mkdir(parents=True)
    layout.etc.mkdir(parents=True)
    layout.config.write_text("")
    folder = put_release(layout, OLD, 1, (TARGET, *SERVICES, "devdigest-stale.timer"))
    for unit in (folder / "deploy/systemd").iterdir():
        (layout.units / unit.name).write_text(unit.read_text())
    files.link(layout.current, folder)
    put_database(layout.database)
    return layout


class Machine(Effects):
    """Counts what is done to it, and may end the process before any of it. `broken`: what goes wrong."""

    def __init__(self, layout: Layout, dies_at: int = 0, broken: str = "") -> None:
        super().__init__(layout, user=None)
        self._dies_at, self.broken, self.steps = dies_at, broken, 0
        self.running, self.starts, self.told, self._anchors = "", 0, [], []

    def step(self) -> None:
        self.steps += 1
        if self.steps == self._dies_at:
            os._exit(9)

    def write(self, path: Path, text: str) -> bool:
        self.step()
        return super().write(path, text)

    def remove(self, path: Path) -> bool:
        self.step()
        return super().remove(path)

    def link(self, path: Path, target: Path) -> None:
        self.step()
        super().link(path, target)

    def systemctl(self, *words: str, fine: tuple[int, ...] = (0,)) -> str:
        self.step()
        self.told.append(" ".join(words))
        match words[0]:
            case "start":
                self.running = self.layout.current.resolve().name
                if self.broken == "start" and self.running == NEW:
                    raise Refused("Job for devdigest-web.service failed", "journalctl")
            case "stop" if words[1] in SERVICES:
                self.running = ""
            case "show":
                self.starts += self.broken == "restarts" and self.running == NEW
                return f"ActiveState=active\nNRestarts={self.starts}\n\n" * (2 if self.running else 0)
        return ""

    def database(self, verb: str, *paths: Path) -> dict[str, Any]:
        self.step()
        more = {"step": self.step} if verb in ("copy", "put") else {}
        try:
            return getattr(databases, verb)(*paths, **more)
        except sqlite3.Error as error:
            raise Refused(str(error), "") from error

    def by_release(self, release: Path, module: str, *words: str) -> dict[str, Any]:
        """As devdigest.rehearse does it, in several transactions; what it wrote is in the log still."""
        schema = json.loads((release / ".complete").read_text())["schema"]
        path, is_live = Path(words[0]), words[0] == str(self.layout.database)
        assert path.is_absolute(), "the folder in which it runs is root's"
        self._upgrade(path, schema, is_live)
        return {"schema": schema, "listen": "127.0.0.1:1", "database": str(self.layout.database),
                "mailing": self.broken if self.broken == "mailing" else ""}

    def _upgrade(self, path: Path, schema: int, is_live: bool) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(path, isolation_level=None)
        database.execute("PRAGMA journal_mode = wal")
        if database.execute("PRAGMA user_version").fetchone()[0] == 0:
            database.execute(_CREATE)
            database.execute("PRAGMA user_version = 1")
        if schema == 2 and database.execute("PRAGMA user_version").fetchone()[0] == 1:
            for statement in _TO_2:
                self.step()
                database.execute(statement)
                if self.broken == ("upgrade" if is_live else "rehearsal"):
                    raise Refused("no such column", "")
            database.execute("PRAGMA user_version = 2")
        if self.broken == "readers":
            database.execute("DELETE FROM subscriber WHERE id = 1")
        # held open by the live services: so the log stays beside it when the process dies
        self._anchors.append(database) if is_live else database.close()

    def health(self, listen: str) -> str:
        return "" if self.broken == "health" and self.running == NEW else self.running

    def wait(self, seconds: float) -> None:
        self.step()

    def guard(self, release: Path) -> None:
        self.step()

    def command(self, *words: str) -> str:
        self.told.append(" ".join(words))
        return ""


def faults(layout: Layout) -> list[str]:
    """What is not whole: mixed code, schema and units, a damaged database, readers lost, a phase left."""
    found, runs = [], layout.current.resolve()
    schema = json.loads((runs / ".complete").read_text())["schema"]
    with closing(sqlite3.connect(layout.database)) as database:
        if (has := database.execute("PRAGMA user_version").fetchone()[0]) != schema:
            found.append(f"{runs.name} reads schema {schema}, the database has {has}")
        if (said := database.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
            found.append(said)
        if (count := database.execute("SELECT count(*) FROM subscriber").fetchone()[0]) != READERS:
            found.append(f"{count} readers")
    units = {unit.name: unit.read_text() for unit in layout.units.iterdir()}
    if units != {unit.name: unit.read_text() for unit in (runs / "deploy/systemd").iterdir()}:
        found.append(f"units are not those of {runs.name}")
    if (layout.upgrade / "state").exists():
        found.append("a phase is left")
    return found
