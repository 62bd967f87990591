"""Upgrades in a throw-away machine: data kept, failures taken back, the power cut; then nothing is left.

The tests build on each other, in this order.
"""
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from the_box import Box, NoBox

pytestmark = [pytest.mark.box, pytest.mark.slow]

ROOT = Path(__file__).parents[1]
_HOME = "/home/pi/devdigest"
_ANSWERS = "--sender digest@example.org --relay maildir --blogs none --language en --time 19:59 --name ''"
_CUTS = 6
_LONGEST = 12           # seconds from the first phase to the commit, about
_WHOLE = """python3 -c 'import sqlite3; d = sqlite3.connect("/var/lib/devdigest/devdigest.db")
print(d.execute("PRAGMA user_version").fetchone()[0], d.execute("PRAGMA integrity_check").fetchone()[0],
      d.execute("SELECT count(*) FROM subscriber").fetchone()[0])'"""
# what stands on the disk, who may log in, what listens, which units; but not what the packages bring
_EVERYTHING = r"""
find /etc /opt /usr/local /var/lib/devdigest /root -xdev -not -path '/etc/ssl/*' | sort
cut -d: -f1 /etc/passwd | grep -vx caddy; systemctl list-unit-files --no-legend 'devdigest*'
systemctl list-units --all --no-legend --plain 'devdigest*'; ss -ltnH 'sport = :8080'"""
_OF_PACKAGES = ("caddy", "/etc/rc", "/etc/group", "/etc/gshadow", "/etc/shadow", "/etc/passwd", "/etc/mime",
                "/etc/systemd/system/multi-user.target.wants", "/etc/mailcap", "/etc/magic", "/etc/sub")


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    box = Box("upgrade")
    try:
        box.up()
    except NoBox as reason:
        pytest.skip(str(reason))
    box.push(ROOT, _HOME)
    yield box
    box.down()


@pytest.fixture(scope="module")
def before(box: Box) -> set[str]:
    """The machine as found; then the old release is installed, and has a reader."""
    found = set(box.run(_EVERYTHING).splitlines())
    set_up(box, _ANSWERS)
    box.run("devdigest subscribers add ada@example.org --confirmed --source test")
    return found


def set_up(box: Box, flags: str = "--now") -> str:
    """The last line, which tells the result."""
    done = box.try_to(f"cd {_HOME} && ./setup.sh --yes {flags}")
    print(done.stdout, done.stderr)
    return done.stdout.splitlines()[-1]


def change(box: Box, version: str, more: str = "true") -> None:
    box.run(f"""cd {_HOME} && sed -i 's/^__version__ = .*/__version__ = "{version}"/' devdigest/__init__.py
             {more}""")


def release(box: Box, patience: int = 60) -> str:
    """The version that answers."""
    for _ in range(patience):
        said = box.try_to("curl -s -m 5 http://127.0.0.1:8080/health").stdout
        if said.startswith("{") and json.loads(said)["status"] == "ok":
            return json.loads(said)["release"][:5]
        time.sleep(1)
    raise AssertionError(f"nothing answers: {box.journal('devdigest-web')[-3000:]}")


def test_an_upgrade_keeps_the_data(box: Box, before: set[str]) -> None:
    change(box, "0.2.0", "echo 'UPGRADES = (*UPGRADES, (\"CREATE TABLE probe (x INTEGER)\",))' "
                         ">> devdigest/upgrades.py")
    old, whole, readers = box.run(_WHOLE).split()
    assert set_up(box).startswith("result=upgraded version=0.2.0")
    assert release(box) == "0.2.0"
    assert box.run(_WHOLE).split() == [str(int(old) + 1), whole, readers] == [str(int(old) + 1), "ok", "1"]


def test_it_goes_back_with_its_database(box: Box, before: set[str]) -> None:
    assert set_up(box, "--rollback") == "result=rolled-back"
    assert release(box) == "0.1.0"
    assert box.run(_WHOLE).split()[1:] == ["ok", "1"]


def test_a_power_cut_leaves_the_old_or_the_new(box: Box, before: set[str]) -> None:
    old = int(box.run(_WHOLE).split()[0])
    schemas, seen = {"0.1.0": old, "0.2.0": old + 1}, []
    for _ in range(_CUTS):
        wait = random.uniform(0, _LONGEST)
        box.try_to(f"cd {_HOME}; ./setup.sh --yes --now > /dev/null 2>&1 & for i in $(seq 3000); do "
                   f"[ -e /opt/devdigest/upgrade/state ] && break; sleep 0.02; done; sleep {wait:.2f}")
        box.cut()
        runs = release(box)
        seen.append(f"{runs} after {wait:.1f} s")
        schema, whole, readers = box.run(_WHOLE).split()
        assert (int(schema), whole, readers) == (schemas[runs], "ok", "1"), seen
        assert box.run("systemctl is-active devdigest-web devdigest-worker; ls /opt/devdigest/upgrade"
                       ).split() == ["active", "active", "database", "last", "lock"], seen
        if runs == "0.2.0":
            assert set_up(box, "--rollback") == "result=rolled-back"
    print(seen)


def test_code_that_does_not_start_is_taken_back(box: Box, before: set[str]) -> None:
    change(box, "0.3.0", "echo 'raise RuntimeError(\"broken\")' >> devdigest/web_command.py")
    assert set_up(box).startswith("result=failed version=0.3.0")
    assert release(box) == "0.1.0"
    assert box.run(_WHOLE).split()[1:] == ["ok", "1"]
    assert "0.1.0" in box.run("cat /opt/devdigest/upgrade/last")


def test_an_upgrade_of_the_database_that_fails_costs_no_downtime(box: Box, before: set[str]) -> None:
    serves = box.run("systemctl show -p MainPID devdigest-web")
    change(box, "0.4.0", "echo 'UPGRADES = (*UPGRADES, (\"DROP TABLE nothing\",))' >> devdigest/upgrades.py")
    assert set_up(box).startswith("result=failed version=0.4.0")
    assert box.run("systemctl show -p MainPID devdigest-web") == serves


def test_nothing_is_left_but_what_is_the_owners(box: Box, before: set[str]) -> None:
    set_up(box, "--uninstall")
    assert box.run("ls /var/lib/devdigest/devdigest.db /etc/devdigest/config.toml")
    set_up(box, "--uninstall")
    set_up(box, "--purge --purge-backups")
    after = set(box.run(_EVERYTHING).splitlines())
    left = {line for line in after ^ before if not any(word in line for word in _OF_PACKAGES)}
    assert left == set()
