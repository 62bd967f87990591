"""The installer and the program cannot import each other whole: what both must know is compared here."""
from pathlib import Path

from installer import databases, state
from installer.layout import Layout

from devdigest import config, copies, installation_check
from devdigest.config import Config


def test_the_program_looks_where_setup_puts_things() -> None:
    assert Layout().config == config.SYSTEM_PATH
    assert state.path(Layout()) == Path("/", installation_check.UNDER_WAY)


def test_an_upgrade_counts_the_tables_that_a_backup_counts(records: None, config: Config) -> None:
    path = Path(config.database.path)
    assert databases.facts(path)["counts"] == copies.facts(path)[2]
