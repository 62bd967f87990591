"""What a machine must be before anything is changed on it."""
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from appliance import put_database
from installer import machine, preflight
from installer.effects import Effects
from installer.layout import Layout
from installer.machine import Facts
from installer.tell import FAIL, WARN

from devdigest import database

GOOD = Facts()


def judged(facts: Facts, name: str = "") -> list[tuple[str, str]]:
    return [(verdict.state, verdict.name) for verdict in preflight.judge(facts, name)]


def test_nothing_is_said_of_a_machine_that_fits() -> None:
    assert judged(GOOD, "digest.example.org") == []


@pytest.mark.parametrize(("change", "said"), [
    ({"root": False}, (FAIL, "root")),
    ({"systemd": False}, (FAIL, "systemd")),
    ({"root_type": "overlay"}, (FAIL, "disk")),                     # raspi-config's, which forgets
    ({"root_options": "ro,relatime"}, (FAIL, "disk")),
    ({"ids": ("fedora",)}, (FAIL, "system")),
    ({"release": "11"}, (FAIL, "system")),
    ({"architecture": "riscv64"}, (FAIL, "system")),
    ({"memory": 300_000_000}, (FAIL, "memory")),
    ({"free": 600_000_000}, (FAIL, "disk")),
    ({"free": 1_000_000_000, "database": 200_000_000}, (FAIL, "disk")),     # no room to rehearse an upgrade
    ({"inodes": 100}, (FAIL, "disk")),
    ({"first_boot_over": False}, (FAIL, "boot")),
    ({"half_configured": "The following packages are only half configured"}, (FAIL, "dpkg")),
    ({"now": datetime(1970, 1, 1, tzinfo=UTC)}, (FAIL, "clock")),
    ({"in_sync": False}, (FAIL, "clock")),
    ({"in_sync": False, "container": True}, (WARN, "clock")),
    ({"holders": {80: "nginx"}}, (FAIL, "ports")),
    ({"holders": {443: "nginx"}}, (WARN, "ports")),                 # without a public name
    ({"deaf": ("packages.example.org",)}, (FAIL, "network")),
    ({"deaf": ("packages.example.org",), "installed": "0.1.0-abc"}, (WARN, "network")),
    ({"schema": 7, "code_schema": 6}, (FAIL, "database")),
    ({"power": "0x50000"}, (WARN, "power")),
    ({"zone": "Etc/UTC"}, (WARN, "zone")),
])
def test_each_fault_is_told(change: dict, said: tuple[str, str]) -> None:
    assert judged(replace(GOOD, **change)) == [said]


@pytest.mark.parametrize("fine", [
    {"ids": ("raspbian", "debian"), "release": "13"}, {"root_type": "overlay", "container": True},
    {"holders": {80: "caddy", 443: "caddy"}}, {"power": "0x0"}, {"schema": 5, "code_schema": 6},
])
def test_what_only_looks_like_a_fault_is_none(fine: dict) -> None:
    assert judged(replace(GOOD, **fine), "digest.example.org") == []


def test_with_a_public_name_the_other_port_is_wanted_too() -> None:
    assert judged(replace(GOOD, holders={443: "apache2"}), "digest.example.org") == [(FAIL, "ports")]


def test_all_faults_are_told_at_once_each_with_its_cure() -> None:
    bad = preflight.judge(replace(GOOD, memory=0, free=0, in_sync=False, release="11"), "")
    assert [verdict.name for verdict in bad] == ["system", "memory", "disk", "clock"]
    assert all(verdict.cure for verdict in bad)


def test_a_newer_database_is_a_matter_of_usage() -> None:
    [verdict] = preflight.judge(replace(GOOD, schema=9, code_schema=6), "")
    assert (verdict.status, verdict.fact) == (2, "has version 9; this release knows up to 6")


def test_the_schema_of_code_is_read_without_running_it() -> None:
    assert machine.code_schema(Path(database.__file__).parents[1]) == database.VERSION


@pytest.mark.parametrize(("content", "schema"), [(None, 2), (b"no database, but some bytes", 0)])
def test_of_a_damaged_database_no_schema_is_told(tmp_path: Path, content: bytes | None, schema: int) -> None:
    layout = Layout(tmp_path)
    put_database(layout.database, schema=2)
    if content:
        layout.database.write_bytes(content)
    assert machine.schema(layout.database, Effects(layout, user=None)) == schema


def test_this_machine_can_be_looked_at_and_nothing_is_written(tmp_path: Path) -> None:
    facts = machine.gather(Layout(tmp_path), Path(database.__file__).parents[1], patience=0)
    assert facts.memory > 0
    assert (facts.installed, facts.schema) == ("", 0)
    assert list(tmp_path.iterdir()) == []
