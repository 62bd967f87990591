"""The power goes at random moments of a day's work, in a real machine: promises 1 to 4 hold all the same.

The tests build on each other, in this order. As they stand they cut each step once; DEVDIGEST_CUTS=20 takes
a quarter of an hour, and DEVDIGEST_SEED the same moments again.
"""
import json
import os
import random
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from box_world import everybody
from the_box import ROOT, Box, booted

pytestmark = [pytest.mark.box, pytest.mark.slow]

CUTS = int(os.environ.get("DEVDIGEST_CUTS", "5"))
SEED = int(os.environ.get("DEVDIGEST_SEED") or random.randrange(10**6))
# of the worker; a cut in its collect costs five minutes, until it begins another one
IN_COLLECT, IN_MAILS = (1, 4) if CUTS >= 20 else (0, 2)
STEPS = ("collect", "publish", "deliver", "run", "backup")
# seconds to a cut; on a busy machine they may be twice as long: DEVDIGEST_SLOW=2
_SLOW = float(os.environ.get("DEVDIGEST_SLOW", "1"))
LONGEST = {"collect": 2.0, "publish": 0.9, "deliver": 2.0, "run": 3.0, "backup": 0.9, "restore": 1.5}
PATIENCE = 600          # seconds for the worker to catch up: a collect that was cut waits five minutes
WORLD = "python3 /srv/world/box_world.py"
DATABASE = "/var/lib/devdigest/devdigest.db"
_ZONE = f"Etc/GMT{datetime.now(UTC).hour - 12:+d}"      # in which it is noon now; signs as POSIX has them
_TODAY = datetime.now(ZoneInfo(_ZONE)).date()
_ANSWERS = "--yes --sender digest@example.org --relay maildir --blogs none --language en --name ''"
_BY_HAND = "/etc/systemd/system/devdigest-worker.service.d/by-hand.conf"
_SETTINGS = f"""
[site]
clock = "trust"
url = "http://digest.example.org"
zone = "{_ZONE}"
[collect]
allow_private = true
gap = 0.0
per_operator = 8
[mail]
transport = "smtp"
host = "127.0.0.1"
port = 2525
security = "none"
from = "digest@example.org"
connections = 4
[digest]
time = "{{opens}}"
latest = "23:59"
[database]
path = "{DATABASE}"
"""


class Drill:
    """One machine, and what was done to it."""

    def __init__(self, box: Box) -> None:
        self.box, self.chance, self.told = box, random.Random(SEED), [f"seed {SEED}"]
        self.cuts, self.within, self.ready = 0, 0, [0.0]
        self.here = everybody()

    def cut(self, what: str) -> None:
        begun = time.monotonic()
        self.box.cut()
        self.answers()
        self.cuts += 1
        self.ready.append(time.monotonic() - begun)
        self.told.append(f"{what}, ready again {self.ready[-1]:.1f} s after")

    def answers(self) -> None:
        """Waits until the site does."""
        self.box.run("for i in $(seq 600); do curl -sf -m 5 -o /dev/null http://127.0.0.1:8080/health "
                     "&& exit; sleep 0.1; done; systemctl status devdigest-web; exit 1")

    def somebody(self) -> str:
        return self.here.pop(self.chance.randrange(len(self.here)))

    def leaves(self) -> None:
        """By the link, or by the owner's hand; answered when this is over."""
        reader = self.somebody()
        if self.chance.random() < 0.3:
            self.box.run(f"devdigest subscribers remove {reader} && {WORLD} has-left {reader}")
        else:
            self.box.run(f"{WORLD} leave {reader}")

    def cut_in(self, step: str, command: str, *meanwhile: str) -> None:
        """The power goes while the command runs, or just after."""
        after = self.chance.uniform(0.2, _SLOW * LONGEST[step])
        others = [f"systemd-run -q /bin/sh -c 'sleep {after / 2:.2f}; {other}'" for other in meanwhile]
        state = self.box.run("; ".join([
            f"systemd-run -q --unit=step-{self.cuts} /bin/sh -c 'exec {command}'", *others,
            f"sleep {after:.2f}", f"systemctl is-active step-{self.cuts} || true"])).strip()
        self.within += state == "active"
        self.cut(f"{step} cut after {after:.2f} s, then {state}")

    def judged(self) -> dict[str, Any]:
        said = json.loads(self.box.run(f"{WORLD} verdict {DATABASE} {self.cuts}"))
        assert said["broken"] == [], "\n".join([*self.told, *said["broken"]])
        return said

    def figures(self) -> None:
        print(f"{self.cuts} cuts, {self.within} within a step by hand, longest until ready "
              f"{max(self.ready):.1f} s, {self.judged()}", *self.told, sep="\n  ")


@pytest.fixture(scope="module")
def drill() -> Iterator[Drill]:
    """The appliance, installed, with blogs and a relay that come back after a cut as it does."""
    with booted("power", "--disk", "4G", "--journal", "persistent") as box:
        box.push(ROOT, "/root/devdigest")
        box.run(f"cd /root/devdigest && ./setup.sh {_ANSWERS}", timeout=1200)
        furnish(box)
        yield Drill(box)


def furnish(box: Box) -> None:
    """The worker stays away until it is let in; the site runs."""
    box.run(f"systemctl stop devdigest.target devdigest-worker devdigest-web; "
            f"mkdir -p /srv/world $(dirname {_BY_HAND}); "
            f"printf '[Unit]\\nConditionPathExists=/srv/world/worker\\n' > {_BY_HAND}")
    box.push(ROOT / "tests/box_world.py", "/srv/world/box_world.py")
    for name in ("feeds", "relay"):
        unit = (f"[Service]\\nExecStart=/usr/bin/{WORLD} {name}\\nRestart=always\\n"
                f"[Install]\\nWantedBy=multi-user.target\\n")
        box.run(f"printf '{unit}' > /etc/systemd/system/world-{name}.service")
    box.run(f"touch /srv/world/accepted /srv/world/left; systemctl daemon-reload; "
            f"systemctl enable --now world-feeds world-relay; rm {DATABASE}*")


def settle(box: Box, opens: str, day: date) -> None:
    """The settings, and the day that the blogs are at."""
    box.run(f"cat > /etc/devdigest/config.toml <<'E'\n{_SETTINGS.format(opens=opens)}E\n"
            f"echo {day} > /srv/world/day; sync")


def work(box: Box, day: date, *steps: str) -> None:
    for step in steps:
        box.run(f"devdigest {step}" + ("" if step == "backup" else f" --today {day}"))


def test_the_day_s_work_survives_the_power_going_at_any_moment(drill: Drill) -> None:
    box, day = drill.box, _TODAY - timedelta(days=CUTS + 5)
    # late: a restore by the clock of this machine closes no day then
    settle(box, "23:00", day)
    box.run(f"set -e; {WORLD} list > /srv/world/list.txt; {WORLD} readers > /srv/world/readers.csv; "
            f"devdigest init; devdigest blogs import /srv/world/list.txt; "
            f"devdigest subscribers import /srv/world/readers.csv --confirmed --source paper; "
            f"devdigest subscribers remove gone@example.org; devdigest subscribers add pending@example.org; "
            f"systemctl start devdigest.target; sync")
    work(box, day, "run")           # a first read: what is older is history
    drill.answers()
    for number in range(CUTS):
        day += timedelta(days=1)
        box.run(f"echo {day} > /srv/world/day; sync")
        one_day(drill, day, STEPS[number % len(STEPS)])
        if number in (CUTS // 2, CUTS - 1):
            restored(drill)
        drill.judged()
    assert drill.judged()["issues"] == CUTS + 1
    drill.figures()


def one_day(drill: Drill, day: date, step: str) -> None:
    """What comes before the step, somebody who leaves, the cut, and the rest of the day."""
    before = {"publish": ("collect",), "deliver": ("collect", "publish")}.get(step, ())
    work(drill.box, day, *before)
    drill.leaves()
    drill.cut_in(step, f"devdigest {step}" + ("" if step == "backup" else f" --today {day}"),
                 f"{WORLD} leave {drill.somebody()}")
    work(drill.box, day, "run", "deliver")


def restored(drill: Drill) -> None:
    """Somebody leaves after the newest backup; the power goes, also while that is put back."""
    work(drill.box, _TODAY, "backup")
    drill.leaves()
    drill.cut("cut after a backup")
    newest = "$(ls /var/lib/devdigest/backups/devdigest-*.db | tail -n 1)"
    drill.cut_in("restore", f"devdigest restore {newest}")
    drill.told.append(drill.box.run(f"devdigest restore {newest}"))
    drill.box.run("devdigest resume")
    drill.answers()


def test_the_worker_catches_up_by_itself_after_every_cut(drill: Drill) -> None:
    box = drill.box
    settle(box, "10:00", _TODAY)
    box.run("touch /srv/world/worker /srv/world/slow; sync; systemctl start devdigest-worker")
    for number in range(IN_COLLECT + IN_MAILS):
        if number >= IN_COLLECT:        # in its mails, each a bit later
            until(drill, f"SELECT 1 FROM delivery JOIN issue ON issue.id = issue_id WHERE day = '{_TODAY}' "
                         f"AND delivery.state = 'sent' LIMIT 1 OFFSET {20 * number}")
            drill.leaves()
        time.sleep(after := drill.chance.uniform(0.1, 3))
        drill.cut(f"the worker cut {after:.1f} s later")
    until(drill, f"SELECT 1 FROM issue WHERE day = '{_TODAY}' AND kind = 'daily' AND NOT EXISTS (SELECT 1 "
                 f"FROM delivery WHERE issue_id = issue.id AND delivery.state NOT IN ('sent', 'dropped'))")
    drill.judged()
    assert box.run("systemctl is-system-running").strip() == "running"
    drill.figures()


def until(drill: Drill, question: str) -> None:
    """Waits until it has an answer."""
    ask = f"import sqlite3; print(sqlite3.connect('{DATABASE}').execute('''{question}''').fetchone() or '')"
    deadline = time.monotonic() + PATIENCE
    while not drill.box.run(f'python3 -c "{ask}"').strip():
        assert time.monotonic() < deadline, \
            "\n".join([*drill.told, drill.box.journal("devdigest-worker")[-3000:]])
        time.sleep(0.5)


def test_a_restore_by_the_clock_mails_nobody_twice_nor_who_left(drill: Drill) -> None:
    """The day's issue is out and not in the backup: the day is closed."""
    box = drill.box
    mails = drill.judged()["mails"]
    newest = "$(ls /var/lib/devdigest/backups/devdigest-*.db | tail -n 1)"
    drill.leaves()
    drill.cut("cut after the issue")
    assert "closed, as their issues may be out: 1 days" in box.run(f"devdigest restore {newest}")
    box.run("devdigest resume")
    drill.answers()
    box.run("devdigest run")
    said = json.loads(box.run(f"{WORLD} verdict {DATABASE} {drill.cuts}"))
    assert said["mails"] == mails
    assert not [fault for fault in said["broken"] if "has left" in fault or "integrity" in fault]
