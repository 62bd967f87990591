"""Upgrades in a throw-away machine: the power cut in every phase, failures taken back, data kept; then
nothing is left. The tests build on each other, in this order; the old release runs before and after each.
"""
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from box_setup import BEGUN, FETCHING, HOME, OVER, REHEARSING, SWITCHED, hold, in_phase, set_up, told
from the_box import Box, booted

pytestmark = pytest.mark.box

ROOT = Path(__file__).parents[1]
_ANSWERS = "--sender digest@example.org --relay maildir --blogs none --language en --time 19:59 --name ''"
_WHOLE = """python3 -c 'import sqlite3; d = sqlite3.connect("/var/lib/devdigest/devdigest.db")
print(d.execute("PRAGMA user_version").fetchone()[0], d.execute("PRAGMA integrity_check").fetchone()[0],
      d.execute("SELECT count(*) FROM subscriber").fetchone()[0])'"""
_INVENTORY = f"python3 -B {HOME}/tests/box_inventory.py"

MOMENTS = [                                 # (what it is, how to know it, who runs after it)
    pytest.param(BEGUN, "0.1.0", id="as the work begins"),
    pytest.param(FETCHING, "0.1.0", id="packages are fetched"),
    pytest.param(REHEARSING, "0.1.0", id="rehearsal"),
    pytest.param(in_phase("stopped"), "0.1.0", id="both services end"),
    pytest.param(in_phase("switching"), "0.1.0", id="the database is upgraded"),
    pytest.param(SWITCHED, "0.1.0", id="the link is moved"),
    pytest.param(f"{SWITCHED} && sleep 6", "0.1.0", id="the new one runs, and is watched"),
    # seen under its name it is not on the disk yet: until the folder is synced the old one runs again
    pytest.param(f"{in_phase('committed')} && sleep 0.5", "0.2.0", id="committed"),
    pytest.param(OVER, "0.2.0", id="over")]


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with booted("upgrade") as box:
        box.push(ROOT, HOME)
        yield box


@pytest.fixture(scope="module")
def before(box: Box) -> set[str]:
    """The machine as found; then the old release is installed, and has a reader."""
    found = set(box.run(_INVENTORY).splitlines())
    assert set_up(box, _ANSWERS).startswith("result=installed version=0.1.0")
    box.run("devdigest subscribers add ada@example.org --confirmed --source test")
    change(box, "0.2.0", "echo 'UPGRADES = (*UPGRADES, (\"CREATE TABLE probe (x INTEGER)\",))' "
                         ">> devdigest/upgrades.py")
    return found


@pytest.fixture
def schema(box: Box, before: set[str]) -> int:
    """Of the old release, which runs."""
    return int(box.run(_WHOLE).split()[0])


def change(box: Box, version: str, more: str = BEGUN) -> None:
    box.run(f"""cd {HOME} && sed -i 's/^__version__ = .*/__version__ = "{version}"/' devdigest/__init__.py
             {more}""")


def release(box: Box, patience: int = 90) -> str:
    """The version that answers."""
    for _ in range(patience):
        said = box.try_to("curl -s -m 5 http://127.0.0.1:8080/health").stdout
        if said.startswith("{") and json.loads(said)["status"] == "ok":
            return json.loads(said)["release"][:5]
        time.sleep(1)
    raise AssertionError(f"nothing answers: {box.journal('devdigest-web')[-3000:]}")


def nothing_is_amiss(box: Box, runs: str, schema: int) -> None:
    assert release(box) == runs
    assert box.run(_WHOLE).split() == [str(schema), "ok", "1"]
    # the site may answer before the other is up
    box.run("for i in $(seq 60); do systemctl is-active -q devdigest-worker && exit; sleep 1; done; exit 1")
    assert box.run("ls /opt/devdigest/upgrade").split() == ["database", "last", "lock"]


@pytest.mark.slow
@pytest.mark.parametrize(("moment", "runs"), MOMENTS)
def test_a_power_cut_leaves_the_old_or_the_new(box: Box, schema: int, moment: str, runs: str) -> None:
    hold(box, moment, "0.2.0")
    box.cut()
    nothing_is_amiss(box, runs, schema + (runs == "0.2.0"))
    if runs == "0.2.0":
        assert set_up(box, "--rollback") == "result=rolled-back"


@pytest.mark.slow
def test_a_setup_that_is_killed_is_ended_without_a_boot(box: Box, schema: int) -> None:
    hold(box, f"{SWITCHED} && sleep 3", "0.2.0")
    box.run("systemctl kill -s KILL devdigest-setup; "
            "for i in $(seq 75); do [ -e /opt/devdigest/upgrade/state ] || exit 0; sleep 1; done; exit 1")
    nothing_is_amiss(box, "0.1.0", schema)
    assert box.run("systemctl list-units --all --no-legend 'devdigest-recover-again*'") == ""


def test_an_upgrade_keeps_the_data_and_goes_back_with_its_database(box: Box, schema: int) -> None:
    assert set_up(box).startswith("result=upgraded version=0.2.0")
    nothing_is_amiss(box, "0.2.0", schema + 1)
    assert set_up(box, "--rollback") == "result=rolled-back"
    nothing_is_amiss(box, "0.1.0", schema)


def test_code_that_does_not_start_is_taken_back(box: Box, schema: int) -> None:
    change(box, "0.3.0", "echo 'raise RuntimeError(\"broken\")' >> devdigest/web_command.py")
    assert set_up(box).startswith("result=failed version=0.3.0")
    nothing_is_amiss(box, "0.1.0", schema)
    assert "0.1.0" in box.run("cat /opt/devdigest/upgrade/last")


def test_an_upgrade_of_the_database_that_fails_costs_no_downtime(box: Box, schema: int) -> None:
    serves = box.run("systemctl show -p MainPID devdigest-web")
    change(box, "0.4.0", "echo 'UPGRADES = (*UPGRADES, (\"DROP TABLE nothing\",))' >> devdigest/upgrades.py")
    assert set_up(box).startswith("result=failed version=0.4.0")
    assert box.run("systemctl show -p MainPID devdigest-web") == serves


def test_nothing_is_left_but_what_is_the_owners(box: Box, before: set[str]) -> None:
    said = told(box, "--uninstall")
    assert box.run("ls /var/lib/devdigest/devdigest.db /etc/devdigest/config.toml")
    set_up(box, "--uninstall")
    set_up(box, "--purge --purge-backups")
    packages = re.search(r"sudo apt purge (.*)", said)
    assert packages, said
    box.run(f"apt-get -q -y purge {packages[1]}")
    after = set(box.run(_INVENTORY).splitlines())
    # Debian's packages never take their users away
    assert {line.partition(":x:")[0] for line in after - before} == {
        "user: caddy", "group: caddy", "group: www-data"}
    assert {line for line in before - after if not line.startswith("group: www-data:")} == set()
